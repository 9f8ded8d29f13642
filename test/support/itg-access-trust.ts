import type { AccessFixture } from './itg-access-call.js';
import { freshName } from './itg-access-world.js';
import type { AccessWorld } from './itg-access-world.js';
import { clientTestKey } from './itg-platform.js';

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
    area: 'trust',
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
    area: 'events',
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
