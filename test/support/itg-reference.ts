import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { CompactSign } from 'jose';
import type { ProviderEntry } from '../../sdk/src/platform/index.js';
import { createTestKey } from '../../sdk/src/testing/index.js';
import type { TestKey } from '../../sdk/src/testing/index.js';
import type { TracebackAnswer, TracebackRequest } from '../../sdk/src/traceback/index.js';
import {
  FIRST_OPERATOR_CLIENT,
  startReferenceWithAreas,
} from '../../harness/src/platform/reference/reference-platform.js';
import type {
  ReferenceWithAreas,
  ReferencePlatformOptions,
} from '../../harness/src/platform/reference/reference-platform.js';
import { testEntry } from './itg-calls.js';
import { emptyDatabase, newDatabase } from './itg-database.js';
import type { TestServer } from './itg-database.js';
import { platformLab, UNLIMITED } from './itg-platform.js';
import type { PlatformLab, TestMember } from './itg-platform.js';

/** A carrier that is in the registry, with the key that it signs answers with. */
export interface TestCarrier extends TestMember {
  readonly entry: ProviderEntry;
  readonly answerKey: TestKey & { readonly keyId: string };
}

/** The whole reference platform, listening, with its first operator, who has every role of staff. */
export interface ReferenceLab extends PlatformLab {
  readonly platform: ReferenceWithAreas;
  /** Registers a carrier: an organization with a client, an entry in the registry, and a key of answers. Its office is in New York. */
  readonly joinCarrier: (organizationId: string, entry?: Partial<ProviderEntry>) => Promise<TestCarrier>;
  readonly clientOf: PlatformLab['client'];
  /** Calls as the first operator; what is answered has to be a success. */
  readonly asOperator: (method: string, path: string, body?: unknown) => Promise<unknown>;
  /** Runs a job of an area now, as its timer would. */
  readonly runJob: (name: string) => Promise<void>;
}

export interface ReferenceLabOptions extends ReferencePlatformOptions {
  /** A server of `startPostgres`, in which a database of its own is made. Default PGlite in memory. */
  readonly server?: TestServer;
}

/** Starts a reference platform on a database of its own; its answers are held against their schemas. */
export async function startReferenceLab({ server, ...options }: ReferenceLabOptions = {}): Promise<ReferenceLab> {
  const database =
    options.database ??
    (server === undefined
      ? { memory: true as const, template: await emptyDatabase() }
      : { url: await newDatabase(server) });
  const platform = await startReferenceWithAreas({
    checkAnswers: true,
    rates: UNLIMITED,
    ...options,
    database,
  });
  return referenceLab(platform, options);
}

/** The same of a reference platform that runs. */
export function referenceLab(
  platform: ReferenceWithAreas,
  { clock }: Pick<ReferencePlatformOptions, 'clock'> = {},
): ReferenceLab {
  const { keyId, privateKey } = platform.home.operatorKey;
  const key = { keyId, privateKey, jwk: publicJwk(privateKey, keyId), algorithm: 'ES256' as const };
  const operator: TestMember = { organizationId: 'itg', clientId: FIRST_OPERATOR_CLIENT, key };
  const lab = platformLab(platform, operator, clock);
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (member: TestMember): Promise<string> => {
    const made = tokens.get(member.clientId) ?? lab.token(member);
    tokens.set(member.clientId, made);
    return made;
  };
  const asOperator: ReferenceLab['asOperator'] = async (method, path, body) => {
    const { status, value } = await lab.call(await tokenOf(operator), method, path, { body });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(value)}`);
    return value;
  };
  return {
    ...lab,
    ...{ platform, asOperator },
    clientOf: lab.client,
    joinCarrier: async (organizationId, changes = {}) => {
      const member = await lab.join('carrier', organizationId, { name: changes.businessName ?? organizationId });
      const entry = testEntry(organizationId, changes);
      const answerKey = { ...createTestKey(), keyId: `${organizationId}-answers` };
      const registered = `/v1/registry/providers/${organizationId}`;
      await asOperator('POST', registered, entry);
      await asOperator('POST', `${registered}/office`, { zone: 'America/New_York' });
      const { kty = '', crv = '', x = '', y = '' } = answerKey.publicKeyJwk;
      const jwk = { kty, crv, x, y, kid: answerKey.keyId, alg: 'ES256', use: 'sig' };
      await asOperator('POST', `${registered}/answer-keys`, { jwk });
      return { ...member, entry, answerKey };
    },
    runJob: async (name) => {
      const job = [...platform.areas.values()].flatMap(({ jobs }) => jobs).find((one) => one.name === name);
      if (job === undefined) throw new Error(`there is no job ${name}`);
      await job.run(platform.context.clock.nowMs());
    },
  };
}

/** An answer of a carrier to a request, of the call that was asked about, as it is sent: signed. */
export function signAnswer(
  { answerKey }: Pick<TestCarrier, 'answerKey'>,
  request: TracebackRequest,
  { finding, ...more }: Partial<TracebackAnswer> & Pick<TracebackAnswer, 'finding'>,
): Promise<string> {
  const { called = '', calling = '', at } = request.call;
  const startedAt = new Date(`${at.local}Z`).toISOString();
  const answer: TracebackAnswer = {
    ...{ format: 'hopback.traceback-answer.1', answerId: `${request.requestId}.1`, revision: 1 },
    ...{ requestId: request.requestId, tracebackId: request.tracebackId, provider: request.provider, finding },
    ...{ answeredAt: new Date().toISOString(), answeredBy: { kind: 'automatic', policyId: 'p-1' } },
    call: { startedAt, called, calling, disposition: 'answered' },
    searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 1 },
    ...more,
  };
  return new CompactSign(Buffer.from(JSON.stringify(answer)))
    .setProtectedHeader({ alg: 'ES256', kid: answerKey.keyId, typ: 'traceback-answer+jws' })
    .sign(answerKey.privateKey);
}

function publicJwk(privateKey: KeyObject, keyId: string): Readonly<Record<string, unknown>> {
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return { ...createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' }), kid: keyId };
}
