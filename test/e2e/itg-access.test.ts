import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonAnswer, problemAnswer } from '../../sdk/src/platform/index.js';
import type { WireSchema } from '../../sdk/src/platform/index.js';
import type { Operation, ServedRoute } from '../../harness/src/platform/core/index.js';
import type { PluggedArea } from '../../harness/src/platform/index.js';
import { accessMatrix } from '../support/itg-access-matrix.js';
import type { AccessFixture } from '../support/itg-access-matrix.js';
import { clientTestKey, startPlatformLab } from '../support/itg-platform.js';
import type { PlatformLab } from '../support/itg-platform.js';

const ROUTE: ServedRoute = {
  operationId: 'fetchNote',
  method: 'GET',
  path: '/v1/notes/{noteId}',
  tag: 'Notes',
  summary: 'Fetch a note',
  description: 'Of its owner.',
  allowed: ['carrier', 'agency'],
  parameters: [{ name: 'noteId', in: 'path', form: 'identifier', description: 'Of the note.', isRequired: true }],
  response: { kind: 'json', status: 200, body: 'Note', description: 'The note.' },
  problems: ['not-found'],
  idempotency: 'safe',
};
const LIST: ServedRoute = { ...ROUTE, operationId: 'listNotes', path: '/v1/notes', parameters: [] };

const notes = new Map<string, string>();
const ANYTHING: WireSchema<unknown> = { safeParse: (data) => ({ success: true, data }) };

/** An area of notes, which tells everybody everything where it is told to. */
const notesArea = (isLeaky: boolean): PluggedArea => ({
  definition: { name: 'notes', migrations: [] },
  open: () => {
    const fetchNote: Operation = ({ caller, request }) => {
      const owner = notes.get(request.parameters['noteId'] ?? '');
      const isSeen = owner !== undefined && (isLeaky || owner === caller.organizationId);
      return isSeen ? jsonAnswer({ text: `canary of ${owner}` }) : problemAnswer('not-found');
    };
    const listNotes: Operation = ({ caller }) =>
      jsonAnswer({
        items: [...notes.values()]
          .filter((owner) => isLeaky || owner === caller.organizationId)
          .map((owner) => `canary of ${owner}`),
      });
    const close = async (): Promise<void> => {};
    return {
      ...{ name: 'notes', routes: [ROUTE, LIST], schemas: { Note: ANYTHING }, operations: { fetchNote, listNotes } },
      ...{ jobs: [], reactions: {}, close, [Symbol.asyncDispose]: close },
    };
  },
});

const notesFixture: AccessFixture = {
  area: 'notes',
  objects: [
    {
      parameters: ['noteId'],
      seenBy: 'owner',
      make: async ({ organizationId }) => {
        const noteId = `note-${notes.size}`;
        notes.set(noteId, organizationId);
        return [noteId];
      },
    },
  ],
  canaries: ({ organizationId }) => [`canary of ${organizationId}`],
};

let made = 0;
const asOperator = async (lab: PlatformLab, path: string, body: unknown): Promise<void> => {
  const { status, value } = await lab.call(await lab.token(lab.operator), 'POST', path, { body });
  if (status !== 201) throw new Error(JSON.stringify(value));
};

const trustFixture: AccessFixture = {
  area: 'trust',
  objects: [
    {
      parameters: ['organizationId'],
      seenBy: 'owner-and-staff',
      make: async (_owner, lab) => {
        made += 1;
        const organizationId = `made-${made}`;
        await asOperator(lab, '/v1/organizations', { organizationId, kind: 'app', name: 'Made' });
        return [organizationId];
      },
    },
    {
      parameters: ['clientId'],
      seenBy: 'owner-and-staff',
      make: async ({ organizationId }, lab) => [await newClient(lab, organizationId)],
    },
    {
      parameters: ['clientId', 'keyId'],
      seenBy: 'owner-and-staff',
      make: async ({ organizationId }, lab) => [await newClient(lab, organizationId), 'k-1'],
    },
  ],
  bodies: {
    registerOrganization: () => ({ organizationId: `new-${(made += 1)}`, kind: 'app', name: 'New' }),
    updateOrganization: () => ({ name: 'Changed' }),
    registerClient: ({ organizationId }) => ({
      clientId: `new-${(made += 1)}`,
      organizationId,
      name: 'New',
      keys: [{ jwk: KEY.jwk }],
    }),
    updateClient: () => ({ name: 'Changed' }),
    addClientKey: () => ({ jwk: clientTestKey('k-2').jwk }),
  },
};
const KEY = clientTestKey('k-1');
async function newClient(lab: PlatformLab, organizationId: string): Promise<string> {
  made += 1;
  const clientId = `made-${made}`;
  await asOperator(lab, '/v1/clients', { clientId, organizationId, name: 'Made', keys: [{ jwk: KEY.jwk }] });
  return clientId;
}

const eventsFixture: AccessFixture = {
  area: 'events',
  objects: [
    {
      parameters: ['endpointId'],
      seenBy: 'owner',
      make: async (owner, lab) => {
        const token = await lab.token(owner);
        // An organization has a few: the one of before makes room.
        const there = (await lab.call(token, 'GET', '/v1/webhook-endpoints')).value as {
          items: { endpointId: string }[];
        };
        for (const { endpointId } of there.items.slice(4))
          await lab.call(token, 'DELETE', `/v1/webhook-endpoints/${endpointId}`);
        made += 1;
        const body = { url: 'https://receiver.example/hook', description: `hook of ${owner.organizationId}.` };
        const created = await lab.call(token, 'POST', '/v1/webhook-endpoints', { body, key: `made-${made}` });
        return [(created.value as { endpointId: string }).endpointId];
      },
    },
  ],
  bodies: {
    createWebhookEndpoint: () => ({ url: 'https://receiver.example/hook' }),
    replayWebhookEvents: () => ({ since: new Date(Date.now() - 60_000).toISOString() }),
  },
  canaries: ({ organizationId }) => [`hook of ${organizationId}.`],
};

/** Of the areas of this release; each brings its own. */
const FIXTURES: readonly AccessFixture[] = [trustFixture, eventsFixture, notesFixture];
// Receivers have no address here: endpoints are registered, and nothing is posted to them.
const webhooks = { resolve: async () => [] };

let lab: PlatformLab;
beforeAll(async () => {
  lab = await startPlatformLab({ areas: [notesArea(false)], webhooks });
});
afterAll(async () => lab[Symbol.asyncDispose]());

test(
  'every route answers strangers with 401, other roles with 403, and about what belongs to another with 404',
  { timeout: 300_000 },
  async () => {
    const { cells, leaks, untried } = await accessMatrix(lab, FIXTURES);
    console.log(
      `access matrix: ${cells.length} cells over ${lab.platform.routes.length} routes, ${leaks.length} leaks`,
    );
    expect(leaks).toEqual([]);
    const own = [
      ...Object.keys(lab.platform.areas.get('trust')!.operations),
      ...Object.keys(lab.platform.areas.get('events')!.operations),
    ];
    expect(untried.filter((operationId) => own.includes(operationId))).toEqual([]);
  },
);

test('the matrix finds an area that tells everybody everything', { timeout: 300_000 }, async () => {
  await using leaky = await startPlatformLab({ areas: [notesArea(true)], webhooks });
  const { leaks } = await accessMatrix({ ...leaky, platform: { ...leaky.platform, routes: [ROUTE, LIST] } }, FIXTURES);
  expect(new Set(leaks.map(({ operationId }) => operationId))).toEqual(new Set(['fetchNote', 'listNotes']));
});
