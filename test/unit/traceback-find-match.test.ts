import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type { TracebackRequest } from '../../sdk/src/contract/traceback-exchange.js';
import { HopbackError } from '../../sdk/src/errors.js';
import { createMemoryRecordStore } from '../../sdk/src/records/store/memory-record-store.js';
import type { RecordLookup, RecordQuery, RecordStore } from '../../sdk/src/records/store/record-store.js';
import type { MatchOutcome } from '../../sdk/src/traceback/match-outcome.js';
import { findMatch } from '../../sdk/src/traceback/match/match-call.js';
import {
  brief,
  CALL_US,
  CALLED,
  DIRECTORY,
  leg,
  legs,
  MINUTE_US,
  named,
  request,
  SECOND_US,
  withoutCalling,
} from '../support/matched-calls.js';

interface Meanwhile {
  readonly initially?: (store: RecordStore) => Promise<unknown>;
  readonly before?: (store: RecordStore) => Promise<unknown>;
  readonly after?: (store: RecordStore) => Promise<unknown>;
}

/** A store of some records, with everything covered, its queries, and what happens to it when its first query is made. */
async function storeOf(records: readonly CallRecord[], meanwhile: Meanwhile = {}) {
  const memory = createMemoryRecordStore({ clock: { nowMs: () => CALL_US / 1_000 } });
  await memory.insert(records);
  await memory.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: CALL_US * 2 });
  await meanwhile.initially?.(memory);
  const queries: RecordQuery[] = [];
  const find: RecordLookup['find'] = async (query) => {
    const isFirst = queries.push(query) === 1;
    if (isFirst) await meanwhile.before?.(memory);
    const answer = await memory.find(query);
    if (isFirst) await meanwhile.after?.(memory);
    return answer;
  };
  const store: RecordLookup = { ...memory, find };
  return { store, memory, queries };
}

async function found(asked: TracebackRequest, records: readonly CallRecord[]): Promise<MatchOutcome> {
  const { store } = await storeOf(records);
  return findMatch(asked, { store, directory: DIRECTORY });
}

/** What is found in a store that refuses some queries. */
async function foundWithout(
  asked: TracebackRequest,
  records: readonly CallRecord[],
  refusal: (query: RecordQuery) => HopbackError | undefined,
): Promise<MatchOutcome> {
  const { store } = await storeOf(records);
  const find: RecordLookup['find'] = (query) => {
    const error = refusal(query);
    return error === undefined ? store.find(query) : Promise.reject(error);
  };
  return findMatch(asked, { store: { ...store, find }, directory: DIRECTORY });
}
const NO_COLUMN = new HopbackError('invalid-argument', 'no such column');

test('a call within the narrow window is found by one query, and a wider one is looked through if there is none', async () => {
  const { store, queries } = await storeOf([leg('one')]);
  expect(brief(await findMatch(request(), { store, directory: DIRECTORY }))).toBe('unique one');
  expect(queries.map(({ calledTn, callingTn }) => [calledTn, callingTn])).toEqual([[CALLED, undefined]]);
  expect(brief(await found(request(), legs('one +50m')))).toBe('several one');
  expect(brief(await found(request(), legs('one +70m')))).toBe('none-but-covered');
});

test.each([
  ['by the caller, if the called number was rewritten', 'one called=18005550199', 'several one'],
  ['by the group of its legs', 'a >- group=g called=18005550199 calling=14155550123; b +1s -> group=g', 'unique a'],
  [
    'not by a leg that came round under the same group',
    'a >- group=g called=18005550199; b +1s -> group=g; round +2s in-b>out-y group=g',
    'unique a',
  ],
  ['by that leg if there is no other', 'b +1s -> group=g; round +2s in-b>out-y group=g', 'several b round'],
  ['by the Call-ID to an own switch', 'core +1s core/b>; edge >core/b called=18005550199', 'unique edge'],
])('the leg that came in is found %s', async (_how, records, expected) => {
  expect(brief(await found(request(), legs(records)))).toBe(expected);
});

test('a look-up that was cut is never automatic, and still finds the call of the pair', async () => {
  const crowd = Array.from({ length: 1_100 }, (_, index) =>
    leg(
      `crowd ${index}`,
      { calling: named(`1415555${String(index).padStart(4, '0')}`) },
      CALL_US - 14 * MINUTE_US + index * 0.7 * SECOND_US,
    ),
  );
  const outcome = await found(request(), [...crowd, ...legs('one +10s')]);
  expect(outcome).toMatchObject({ status: 'several', candidates: [{ ingressLeg: { legId: 'one' } }] });
  const halves = Array.from({ length: 40 }, (_, index) =>
    leg(`half ${index}`, { ingress: {} }, CALL_US - MINUTE_US * 2 - index * 6 * SECOND_US),
  );
  expect(await found(withoutCalling(), [...halves, leg('one')])).toMatchObject({ status: 'several' });
});

test('an unreadable request asks the store nothing', async () => {
  const { store, queries } = await storeOf([]);
  expect((await findMatch(request({ called: 'nobody' }), { store, directory: DIRECTORY })).status).toBe('unreadable');
  expect(queries).toEqual([]);
});

const GAP = { sourceId: 'sbc-1', fromUs: CALL_US - 30 * MINUTE_US, toUs: CALL_US - 29 * MINUTE_US };
const OTHER_SOURCE = { sourceId: 'sbc-2', fromUs: 0, toUs: CALL_US * 2 };

test.each<[string, Meanwhile, object]>([
  [
    'records are removed',
    { before: (store) => store.expire(CALL_US + 2 * 60 * MINUTE_US) },
    { status: 'not-retained' },
  ],
  [
    'a gap opens',
    { after: (store) => store.uncover(GAP) },
    { status: 'gap', gaps: [{ fromUs: GAP.fromUs, toUs: GAP.toUs }] },
  ],
  [
    'a gap closes',
    {
      initially: (store) => store.uncover(GAP),
      after: (store) => store.cover(GAP),
    },
    { status: 'gap' },
  ],
  [
    'another source becomes known',
    { after: (store) => store.cover(OTHER_SOURCE) },
    { status: 'gap', gaps: [{ sourceId: 'sbc-2' }] },
  ],
])('a call is not "not found" if %s while it is looked for', async (_what, meanwhile, expected) => {
  const { store } = await storeOf([], meanwhile);
  expect(await findMatch(request(), { store, directory: DIRECTORY })).toMatchObject(expected);
});

test('a record that its id names is found however far the stated time is off, by a look-up of its own', async () => {
  const far = leg('far', {}, CALL_US - 60 * 60 * MINUTE_US);
  const { store, queries } = await storeOf([far, leg('near')]);
  const asked = request({ recordId: far.recordId.toUpperCase() });
  expect(await findMatch(asked, { store, directory: DIRECTORY })).toMatchObject({
    status: 'several',
    candidates: [{ ingressLeg: { legId: 'far' } }, { ingressLeg: { legId: 'near' } }],
  });
  const lengths = queries
    .filter(({ recordId }) => recordId !== undefined)
    .map(({ window }) => window.toUs - window.fromUs);
  expect(lengths.map((us) => Math.round(us / 60 / MINUTE_US))).toEqual([2, 336]);
});

test('a record at the stated time is looked for by its id only once', async () => {
  const one = leg('one');
  const { store, queries } = await storeOf([one]);
  const asked = request({ recordId: one.recordId });
  expect(brief(await findMatch(asked, { store, directory: DIRECTORY }))).toBe('unique one');
  expect(queries.filter(({ recordId }) => recordId !== undefined)).toHaveLength(1);
});

test('a store that cannot be read fails the look-up, unless only a day far from the stated time cannot be read', async () => {
  const damaged = new HopbackError('storage-failed', 'a day is damaged');
  const failing = foundWithout(request(), [], () => damaged);
  await expect(failing).rejects.toMatchObject({ code: 'storage-failed' });
  const asked = request({ recordId: 'f'.repeat(32) });
  const outcome = await foundWithout(asked, [leg('one')], ({ window }) =>
    window.toUs - window.fromUs < 180 * MINUTE_US ? undefined : damaged,
  );
  expect(brief(outcome)).toBe('several one');
});

test.each([
  ['5B0A2A4F-8D3B-4B7E-9A53-0A8F9F1B6C11', '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11'],
  ['5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11', '5B0A2A4F-8D3B-4B7E-9A53-0A8F9F1B6C11'],
])('a call is found by the origid %s that is %s on record', async (stated, origId) => {
  const one = leg('one', { called: named('18005550199'), received: { attestation: 'B', origId } });
  const asked = withoutCalling({ called: 'unknown', origId: stated });
  expect(await found(asked, [one])).toMatchObject({
    status: 'several',
    candidates: [{ ingressLeg: { legId: 'one' } }],
    because: [
      'It could not be looked for by the number called, and an identifier may be that of another hop or of several calls.',
    ],
  });
});

test('a table without a column is looked through by the columns that it has', async () => {
  const withoutCallIds = await foundWithout(request({ callId: 'this@192.0.2.1' }), [leg('one')], ({ callId }) =>
    callId === undefined ? undefined : NO_COLUMN,
  );
  expect(brief(withoutCallIds)).toBe('unique one');
  const withoutCallers = (called: string): Promise<MatchOutcome> =>
    foundWithout(request({ called }), [leg('one')], ({ callingTn }) =>
      callingTn === undefined ? undefined : NO_COLUMN,
    );
  expect(brief(await withoutCallers(CALLED))).toBe('unique one');
  expect(await withoutCallers('2025550102')).toMatchObject({
    status: 'none-but-covered',
    search: { keys: ['called'] },
  });
  expect((await withoutCallers('8005550199')).status).toBe('several');
  const withoutCalled = await foundWithout(request(), [], ({ calledTn }) =>
    calledTn === undefined ? undefined : NO_COLUMN,
  );
  expect(withoutCalled).toMatchObject({ status: 'several', search: { keys: ['calling'] } });
});
