import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { RECORD_BATCH_TYPE } from '../../sdk/src/contract/record-batch.js';
import type { PlatformScope } from '../../sdk/src/platform/index.js';
import { createTestKey } from '../../sdk/src/testing/index.js';
import type { AccessFixture, SentAlong } from './itg-access-matrix.js';
import { freshName, type AccessWorld } from './itg-access-world.js';
import { appReport } from './itg-live-calls.js';
import { liveSample } from './itg-live-records.js';
import { testEntry } from './itg-calls.js';
import { clientTestKey } from './itg-platform.js';
import { filingsCsv } from './itg-registry-claims.js';

/** Operations of staff on the registry: each is tried on a provider of its own. */
const REGISTRY = [
  ...['putProvider', 'fetchRegisteredProvider', 'listProviderVersions', 'setProviderOffice', 'addAnswerKey'],
  ...['removeProvider', 'reinstateProvider'],
];
const EVERYBODY: readonly PlatformScope[] = ['carrier', 'app', 'agency', 'staff'];

/** The registry is everybody's who may read it; how a provider answers is its own, agencies' and staff's. */
export function providersAccess({ lab, members, as, openTraceback }: AccessWorld): AccessFixture {
  const newProvider = async (): Promise<string> => {
    const providerId = freshName('made');
    await lab.asOperator('POST', `/v1/registry/providers/${providerId}`, testEntry(providerId));
    return providerId;
  };
  const contested = async (carrierId: string) => {
    const { hops } = await openTraceback(lab.operator, carrierId);
    return { requestId: hops[0]?.requestId, reason: `contested by ${carrierId}` };
  };
  const { carrier } = members.own;
  return {
    objects: [
      {
        ...{ parameters: ['providerId'], operations: ['fetchProvider'], openTo: EVERYBODY },
        make: async () => [await newProvider()],
      },
      {
        ...{ parameters: ['providerId'], operations: REGISTRY, openTo: ['staff'] },
        make: async () => [await newProvider()],
      },
      {
        ...{ parameters: ['providerId'], openTo: ['agency', 'staff'] },
        make: async ({ organizationId: id }) => [id.startsWith('carrier') ? id : carrier.organizationId],
      },
      {
        ...{ parameters: ['providerId', 'keyId'], openTo: ['staff'] },
        make: async () => {
          const [providerId, jwk] = [await newProvider(), answerJwk()];
          await lab.asOperator('POST', `/v1/registry/providers/${providerId}/answer-keys`, { jwk });
          return [providerId, String(jwk['kid'])];
        },
      },
      {
        ...{ parameters: ['contestId'], openTo: ['staff'] },
        make: async () => {
          const { organizationId: id } = carrier;
          const made = await as(carrier, 'POST', `/v1/providers/${id}/contests`, await contested(id));
          return [(made as { readonly contestId: string }).contestId];
        },
      },
      {
        parameters: ['name'],
        openTo: ['staff'],
        make: async () => [`participation-${new Date().getUTCFullYear()}.csv`],
      },
    ],
    bodies: {
      importRegistry: () => ({ csv: filingsCsv(3), source: 'RMD' }),
      putProvider: (_caller, { providerId = '' }) => testEntry(providerId, { businessName: 'Changed Telecom' }),
      setProviderOffice: () => ({ zone: 'America/Chicago' }),
      addAnswerKey: () => ({ jwk: answerJwk() }),
      retireAnswerKey: () => ({ until: new Date().toISOString() }),
      removeProvider: () => ({ removedOn: '2026-01-01', reason: 'By order.' }),
      reinstateProvider: () => ({ reason: 'Listed again.' }),
      contestRequest: ({ organizationId }) =>
        contested(organizationId.startsWith('carrier') ? organizationId : carrier.organizationId),
      decideContest: () => ({ decision: 'reject', reason: 'It came late.' }),
      noteOutage: () => ({ from: '2026-01-01T00:00:00Z', to: '2026-01-01T01:00:00Z', reason: 'Moved.' }),
    },
    canaries: ({ organizationId }) => [{ text: `contested by ${organizationId}`, openTo: ['staff'] }],
  };
}

function answerJwk(): Readonly<Record<string, unknown>> {
  const { kty, crv, x, y } = createTestKey().publicKeyJwk;
  return { kty, crv, x, y, kid: freshName('key'), alg: 'ES256', use: 'sig' };
}

/** Live data go in and do not come out; lists of numbers are everybody's. */
export function recordsAccess({ lab }: AccessWorld): AccessFixture {
  const entry = (entryId: string) => ({
    ...{ entryId, numbers: { prefix: '1999' }, reason: 'unallocated', validFrom: '2026-01-01T00:00:00Z' },
  });
  return {
    objects: [
      {
        ...{ parameters: ['entryId'], openTo: ['staff'] },
        make: async () => {
          const entryId = freshName('entry');
          await lab.asOperator('POST', '/v1/do-not-originate-imports', { entries: [entry(entryId)] });
          return [entryId];
        },
      },
    ],
    bodies: {
      importDoNotOriginate: () => ({ entries: [entry(freshName('entry'))] }),
      importComplaints: () => ({ source: 'ftc-dnc', columns: { date: 'date' }, text: 'date\n2026-11-01\n' }),
      reportCall: () => ({ ...appReport(0), reportId: freshName('report'), calledAt: new Date().toISOString() }),
    },
    sent: { sendRecordBatch: sentBatch },
  };
}

let legs = 0;

function sentBatch(): SentAlong {
  const record = { ...liveSample((legs += 1)), inviteAtUs: Date.now() * 1_000 };
  const body = gzipSync(`${JSON.stringify(record)}\n`) as Uint8Array<ArrayBuffer>;
  const id = hash('sha256', body, 'hex').slice(0, 32);
  return {
    body,
    headers: {
      ...{ 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip', 'idempotency-key': id },
      ...{ 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/matrix', 'ce-type': RECORD_BATCH_TYPE },
      'ce-time': new Date().toISOString(),
    },
  };
}

/** What was done, and by whom, is the staff's to read. */
export const AUDIT_ACCESS: AccessFixture = {
  objects: [{ parameters: ['position'], openTo: ['staff'], make: async () => ['1'] }],
  sent: { fetchAuditConsistency: () => ({ query: { from: '1' } }) },
};

const KEY = clientTestKey('k-1');

/** Organizations, clients and their keys: all of staff sees them. */
export function trustAccess({ lab }: AccessWorld): AccessFixture {
  const newOrganization = async (): Promise<string> => {
    const organizationId = freshName('made');
    await lab.asOperator('POST', '/v1/organizations', { organizationId, kind: 'app', name: 'Made' });
    return organizationId;
  };
  const clientOf = (organizationId: string, name: string) => ({
    ...{ clientId: freshName('made'), organizationId, name, keys: [{ jwk: KEY.jwk }] },
  });
  const newClient = async (organizationId: string): Promise<string> => {
    const client = clientOf(organizationId, 'Made');
    await lab.asOperator('POST', '/v1/clients', client);
    return client.clientId;
  };
  return {
    objects: [
      { parameters: ['organizationId'], openTo: ['staff'], make: async () => [await newOrganization()] },
      {
        ...{ parameters: ['clientId'], openTo: ['staff'] },
        make: async ({ organizationId }) => [await newClient(organizationId)],
      },
      {
        ...{ parameters: ['clientId', 'keyId'], openTo: ['staff'] },
        make: async ({ organizationId }) => {
          const clientId = await newClient(organizationId);
          await lab.asOperator('POST', `/v1/clients/${clientId}/keys`, { jwk: clientTestKey('k-9').jwk });
          return [clientId, 'k-9'];
        },
      },
    ],
    bodies: {
      registerOrganization: () => ({ organizationId: freshName('new'), kind: 'app', name: 'New' }),
      updateOrganization: () => ({ name: 'Changed' }),
      registerClient: ({ organizationId }) => clientOf(organizationId, 'New'),
      updateClient: () => ({ name: 'Changed' }),
      addClientKey: () => ({ jwk: clientTestKey('k-2').jwk }),
    },
  };
}

interface Endpoint {
  readonly endpointId: string;
}

/** Webhook endpoints: each organization has its own. */
export function eventsAccess({ as }: AccessWorld): AccessFixture {
  return {
    objects: [
      {
        ...{ parameters: ['endpointId'], openTo: [] },
        make: async (owner) => {
          // An organization has few: older ones make room.
          const { items } = (await as(owner, 'GET', '/v1/webhook-endpoints')) as {
            readonly items: readonly Endpoint[];
          };
          for (const { endpointId } of items.slice(4)) await as(owner, 'DELETE', `/v1/webhook-endpoints/${endpointId}`);
          const body = { url: 'https://receiver.example/hook', description: `hook of ${owner.organizationId}.` };
          return [((await as(owner, 'POST', '/v1/webhook-endpoints', body)) as Endpoint).endpointId];
        },
      },
    ],
    bodies: {
      createWebhookEndpoint: () => ({ url: 'https://receiver.example/hook' }),
      replayWebhookEvents: () => ({ since: new Date(Date.now() - 60_000).toISOString() }),
    },
    canaries: ({ organizationId }) => [{ text: `hook of ${organizationId}.`, openTo: [] }],
  };
}
