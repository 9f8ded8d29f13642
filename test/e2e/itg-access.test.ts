import { expect, test } from 'vitest';
import { jsonAnswer, problemAnswer } from '../../sdk/src/platform/index.js';
import type { WireSchema } from '../../sdk/src/platform/index.js';
import type { Operation, ServedRoute } from '../../harness/src/platform/core/index.js';
import type { PluggedArea } from '../../harness/src/platform/index.js';
import type { AccessFixture } from '../support/itg-access-call.js';
import { accessMatrix, joinAccessMembers } from '../support/itg-access-matrix.js';
import { EVENTS_ACCESS, TRUST_ACCESS } from '../support/itg-access-trust.js';
import { startPlatformLab } from '../support/itg-platform.js';
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
      openTo: [],
      make: async ({ organizationId }) => {
        const noteId = `note-${notes.size}`;
        notes.set(noteId, organizationId);
        return [noteId];
      },
    },
  ],
  canaries: ({ organizationId }) => [{ text: `canary of ${organizationId}`, openTo: [] }],
};

const FIXTURES: readonly AccessFixture[] = [TRUST_ACCESS, EVENTS_ACCESS, notesFixture];
const OWN_ROUTES = ['fetchNote', 'listNotes', 'listOrganizations', 'registerClient', 'listWebhookEndpoints'];

/** The matrix over some routes of a platform. */
async function matrixOf(isLeaky: boolean, changes: Partial<PlatformLab['platform']> = {}) {
  // Receivers have no address here: endpoints are registered, and nothing is posted to them.
  await using lab = await startPlatformLab({ areas: [notesArea(isLeaky)], webhooks: { resolve: async () => [] } });
  const routes = lab.platform.routes.filter(({ operationId }) => OWN_ROUTES.includes(operationId));
  const looked = { ...lab, platform: { ...lab.platform, routes, ...changes } };
  // To its end within the life of the platform.
  return await accessMatrix(looked, FIXTURES, await joinAccessMembers(lab));
}

const namesOf = (cells: readonly { readonly operationId: string }[]): ReadonlySet<string> =>
  new Set(cells.map(({ operationId }) => operationId));

test('the matrix finds nothing where everybody is told what is theirs', { timeout: 300_000 }, async () => {
  const { cells, leaks, untried } = await matrixOf(false);
  expect(leaks).toEqual([]);
  expect(untried).toEqual([]);
  expect(namesOf(cells)).toEqual(new Set(OWN_ROUTES));
});

test('the matrix finds an area that tells everybody everything', { timeout: 300_000 }, async () => {
  const { leaks } = await matrixOf(true);
  expect(namesOf(leaks)).toEqual(new Set(['fetchNote', 'listNotes']));
});

test('the matrix finds an operation that staff may call without the role for it', { timeout: 300_000 }, async () => {
  const { leaks } = await matrixOf(false, { roles: new Map([['listOrganizations', 'operator']]) });
  expect(namesOf(leaks)).toEqual(new Set(['listOrganizations', 'registerClient']));
});
