import type { AccessFixture } from './itg-access-call.js';
import { freshName } from './itg-access-world.js';
import { clientTestKey } from './itg-platform.js';
import type { PlatformLab, TestMember } from './itg-platform.js';

const KEY = clientTestKey('k-1');

const tokens = new WeakMap<TestMember, Promise<string>>();

function tokenOf(lab: PlatformLab, member: TestMember): Promise<string> {
  const token = tokens.get(member) ?? lab.token(member);
  tokens.set(member, token);
  return token;
}

/** Posts as the first operator. */
async function posted(lab: PlatformLab, path: string, body: unknown): Promise<void> {
  const { status, value } = await lab.call(await tokenOf(lab, lab.operator), 'POST', path, { body });
  if (status >= 300) throw new Error(`POST ${path}: ${status} ${JSON.stringify(value)}`);
}

async function newClient(lab: PlatformLab, organizationId: string): Promise<string> {
  const clientId = freshName('made');
  await posted(lab, '/v1/clients', { clientId, organizationId, name: 'Made', keys: [{ jwk: KEY.jwk }] });
  return clientId;
}

/** Organizations, clients and their keys: all of staff sees them. */
export const TRUST_ACCESS: AccessFixture = {
  area: 'trust',
  objects: [
    {
      parameters: ['organizationId'],
      openTo: ['staff'],
      make: async (_owner, lab) => {
        const organizationId = freshName('made');
        await posted(lab, '/v1/organizations', { organizationId, kind: 'app', name: 'Made' });
        return [organizationId];
      },
    },
    {
      parameters: ['clientId'],
      openTo: ['staff'],
      make: async ({ organizationId }, lab) => [await newClient(lab, organizationId)],
    },
    {
      parameters: ['clientId', 'keyId'],
      openTo: ['staff'],
      make: async ({ organizationId }, lab) => {
        const clientId = await newClient(lab, organizationId);
        await posted(lab, `/v1/clients/${clientId}/keys`, { jwk: clientTestKey('k-9').jwk });
        return [clientId, 'k-9'];
      },
    },
  ],
  bodies: {
    registerOrganization: () => ({ organizationId: freshName('new'), kind: 'app', name: 'New' }),
    updateOrganization: () => ({ name: 'Changed' }),
    registerClient: ({ organizationId }) => ({
      ...{ clientId: freshName('new'), organizationId, name: 'New', keys: [{ jwk: KEY.jwk }] },
    }),
    updateClient: () => ({ name: 'Changed' }),
    addClientKey: () => ({ jwk: clientTestKey('k-2').jwk }),
  },
};

/** Webhook endpoints: each organization has its own. */
export const EVENTS_ACCESS: AccessFixture = {
  area: 'events',
  objects: [
    {
      parameters: ['endpointId'],
      openTo: [],
      make: async (owner, lab) => {
        const token = await tokenOf(lab, owner);
        // An organization has a few: those of before make room.
        const { items } = (await lab.call(token, 'GET', '/v1/webhook-endpoints')).value as {
          readonly items: readonly { readonly endpointId: string }[];
        };
        for (const { endpointId } of items.slice(4))
          await lab.call(token, 'DELETE', `/v1/webhook-endpoints/${endpointId}`);
        const body = { url: 'https://receiver.example/hook', description: `hook of ${owner.organizationId}.` };
        const key = freshName('endpoint');
        const { value } = await lab.call(token, 'POST', '/v1/webhook-endpoints', { body, key });
        return [(value as { readonly endpointId: string }).endpointId];
      },
    },
  ],
  bodies: {
    createWebhookEndpoint: () => ({ url: 'https://receiver.example/hook' }),
    replayWebhookEvents: () => ({ since: new Date(Date.now() - 60_000).toISOString() }),
  },
  canaries: ({ organizationId }) => [{ text: `hook of ${organizationId}.`, openTo: [] }],
};
