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
  MINUTE_US,
  request,
  SECOND_US,
  withoutCalling,
} from '../support/matched-calls.js';

/** A store of some records, with everything covered, and what was asked of it. */
async function storeOf(
  records: readonly CallRecord[],
): Promise<{ readonly store: RecordLookup; readonly queries: RecordQuery[] }> {
  const memory = createMemoryRecordStore({ clock: { nowMs: () => CALL_US / 1_000 } });
  await memory.insert(records);
  await memory.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: CALL_US * 2 });
  const queries: RecordQuery[] = [];
  const find = (query: RecordQuery) => {
    queries.push(query);
    return memory.find(query);
  };
  return { store: { ...memory, find }, queries };
}

async function found(asked: TracebackRequest, records: readonly CallRecord[]): Promise<MatchOutcome> {
  const { store } = await storeOf(records);
  return findMatch(asked, { store, directory: DIRECTORY });
}

const named = (tn: string): { asWritten: string; tn: string } => ({ asWritten: tn, tn });

test('a call that is found in the narrow window is found by one look-up', async () => {
  const { store, queries } = await storeOf([leg('one')]);
  expect(brief(await findMatch(request(), { store, directory: DIRECTORY }))).toBe('unique one');
  expect(queries.map(({ calledTn, callingTn }) => [calledTn, callingTn])).toEqual([[CALLED, undefined]]);
});

test('where nothing is consistent with the stated time an hour around it is looked through', async () => {
  const outcome = await found(request(), [leg('one', {}, CALL_US + 50 * MINUTE_US)]);
  expect(brief(outcome)).toBe('several one');
  expect(brief(await found(request(), [leg('one', {}, CALL_US + 70 * MINUTE_US)]))).toBe('none-but-covered');
});

test('a call whose called number was rewritten further on is found by who called, for a person', async () => {
  expect(brief(await found(request(), [leg('one', { called: named('18005550199') })]))).toBe('several one');
});

test('the leg that came in under another number is found by the group of its legs', async () => {
  const parts = { callGroupId: 'b2b' };
  const a = leg('a', { ...parts, called: named('18005550199'), calling: named('14155550123'), egress: {} });
  const b = leg('b', { ...parts, ingress: {} }, CALL_US + SECOND_US);
  expect(brief(await found(request(), [a, b]))).toBe('unique a');
});

test('a leg that came round under the same name is not taken for the one that came in', async () => {
  const parts = { callGroupId: 'loop' };
  const a = leg('a', { ...parts, called: named('18005550199'), egress: {} });
  const b = leg('b', { ...parts, ingress: {} }, CALL_US + SECOND_US);
  const round = leg(
    'round',
    { ...parts, ingress: { trunk: 'in-b' }, egress: { trunk: 'out-y' } },
    CALL_US + 2 * SECOND_US,
  );
  expect(brief(await found(request(), [a, b, round]))).toBe('unique a');
  expect(brief(await found(request(), [b, round]))).toBe('several b round');
});

test('the record of the own switch that a call came from is found by the Call-ID between the two', async () => {
  const edge = leg('edge', { called: named('18005550199'), egress: { trunk: 'core', callId: 'between@192.0.2.9' } });
  const core = leg('core', { ingress: { trunk: 'core', callId: 'between@192.0.2.9' } }, CALL_US + SECOND_US);
  expect(brief(await found(request(), [core, edge]))).toBe('unique edge');
});

test('a look-up that was cut is never automatic, and finds the call of the pair all the same', async () => {
  const crowd = Array.from({ length: 1_100 }, (_, index) =>
    leg(
      `crowd ${index}`,
      { calling: named(`1415555${String(index).padStart(4, '0')}`) },
      CALL_US - 14 * MINUTE_US + index * 0.7 * SECOND_US,
    ),
  );
  const outcome = await found(request(), [...crowd, leg('one', {}, CALL_US + 10 * SECOND_US)]);
  expect(outcome).toMatchObject({ status: 'several', candidates: [{ ingressLeg: { legId: 'one' } }] });
});

test('more calls that lack a leg than are looked up are never automatic', async () => {
  const halves = Array.from({ length: 40 }, (_, index) =>
    leg(`half ${index}`, { ingress: {} }, CALL_US - MINUTE_US * 2 - index * 6 * SECOND_US),
  );
  expect(await found(withoutCalling(), [...halves, leg('one')])).toMatchObject({ status: 'several' });
});

test('a table without Call-IDs is looked through by what it has', async () => {
  const { store } = await storeOf([leg('one')]);
  const find: RecordLookup['find'] = (query) =>
    query.callId === undefined
      ? store.find(query)
      : Promise.reject(new HopbackError('invalid-argument', 'no such column'));
  const asked = request({ callId: 'this@192.0.2.1' });
  expect(brief(await findMatch(asked, { store: { ...store, find }, directory: DIRECTORY }))).toBe('unique one');
});

test('a store that cannot be read is no answer', async () => {
  const { store } = await storeOf([]);
  const find: RecordLookup['find'] = () => Promise.reject(new HopbackError('storage-failed', 'the disk is gone'));
  const failing = findMatch(request(), { store: { ...store, find }, directory: DIRECTORY });
  await expect(failing).rejects.toMatchObject({ code: 'storage-failed' });
});

test('a request of which nothing can be looked for asks the store nothing', async () => {
  const { store, queries } = await storeOf([]);
  expect((await findMatch(request({ called: 'nobody' }), { store, directory: DIRECTORY })).status).toBe('unreadable');
  expect(queries).toEqual([]);
});

/** A store in which something happens while the first look-up is made: before it reads, or when it has read. */
async function storeMeanwhile(
  records: readonly CallRecord[],
  meanwhile: {
    readonly before?: (store: RecordStore) => Promise<unknown>;
    readonly after?: (store: RecordStore) => Promise<unknown>;
  },
): Promise<{ readonly store: RecordLookup; readonly memory: RecordStore }> {
  const memory = createMemoryRecordStore({ clock: { nowMs: () => CALL_US / 1_000 } });
  await memory.insert(records);
  await memory.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: CALL_US * 2 });
  let isFirst = true;
  const find: RecordLookup['find'] = async (query) => {
    if (!isFirst) return memory.find(query);
    isFirst = false;
    await meanwhile.before?.(memory);
    const answer = await memory.find(query);
    await meanwhile.after?.(memory);
    return answer;
  };
  return { store: { ...memory, find }, memory };
}

test('records that are removed while they are looked for are not "not found"', async () => {
  const records = [leg('one', { calling: named('14155550123') }, CALL_US + 20 * MINUTE_US)];
  const expire = (store: RecordStore): Promise<unknown> => store.expire(CALL_US + 2 * 60 * MINUTE_US);
  const { store } = await storeMeanwhile(records, { before: expire });
  expect((await findMatch(request(), { store, directory: DIRECTORY })).status).toBe('not-retained');
});

test('a gap that opens while records are looked for is a gap', async () => {
  const gap = { sourceId: 'sbc-1', fromUs: CALL_US - 30 * MINUTE_US, toUs: CALL_US - 29 * MINUTE_US };
  const { store } = await storeMeanwhile([], { after: (memory) => memory.uncover(gap) });
  expect(await findMatch(request(), { store, directory: DIRECTORY })).toMatchObject({
    status: 'gap',
    gaps: [{ fromUs: gap.fromUs, toUs: gap.toUs }],
  });
});

test('what is made complete while records are looked for was not complete when they were', async () => {
  const gap = { sourceId: 'sbc-1', fromUs: CALL_US - 30 * MINUTE_US, toUs: CALL_US - 29 * MINUTE_US };
  const { store, memory } = await storeMeanwhile([], { after: () => memory.cover(gap) });
  await memory.uncover(gap);
  expect((await findMatch(request(), { store, directory: DIRECTORY })).status).toBe('gap');
});

test('a source that becomes known while records are looked for is one that nothing is known of', async () => {
  const source = { sourceId: 'sbc-2', fromUs: 0, toUs: CALL_US * 2 };
  const { store } = await storeMeanwhile([], { after: (memory) => memory.cover(source) });
  expect(await findMatch(request(), { store, directory: DIRECTORY })).toMatchObject({
    status: 'gap',
    gaps: [{ sourceId: 'sbc-2' }],
  });
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

test('a record that is where it was stated to be is looked for by its id but once', async () => {
  const one = leg('one');
  const { store, queries } = await storeOf([one]);
  const asked = request({ recordId: one.recordId });
  expect(brief(await findMatch(asked, { store, directory: DIRECTORY }))).toBe('unique one');
  expect(queries.filter(({ recordId }) => recordId !== undefined)).toHaveLength(1);
});

test('a day that cannot be read, far from the stated time, holds up nothing', async () => {
  const { store } = await storeOf([leg('one')]);
  const find: RecordLookup['find'] = (query) =>
    query.window.toUs - query.window.fromUs < 180 * MINUTE_US
      ? store.find(query)
      : Promise.reject(new HopbackError('storage-failed', 'a day is damaged'));
  const asked = request({ recordId: 'f'.repeat(32) });
  expect(brief(await findMatch(asked, { store: { ...store, find }, directory: DIRECTORY }))).toBe('several one');
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

test('a table without a column of callers is looked through by what it has, and says nothing of a toll-free number', async () => {
  const { store } = await storeOf([leg('one')]);
  const find: RecordLookup['find'] = (query) =>
    query.callingTn === undefined
      ? store.find(query)
      : Promise.reject(new HopbackError('invalid-argument', 'no such column'));
  const lookUp = (called: string): Promise<MatchOutcome> =>
    findMatch(request({ called }), { store: { ...store, find }, directory: DIRECTORY });
  expect(brief(await lookUp(CALLED))).toBe('unique one');
  expect(await lookUp('2025550102')).toMatchObject({ status: 'none-but-covered', search: { keys: ['called'] } });
  expect((await lookUp('8005550199')).status).toBe('several');
});

test('a table without a column of numbers called is none in which a call is "not found"', async () => {
  const { store } = await storeOf([]);
  const find: RecordLookup['find'] = (query) =>
    query.calledTn === undefined
      ? store.find(query)
      : Promise.reject(new HopbackError('invalid-argument', 'no such column'));
  expect(await findMatch(request(), { store: { ...store, find }, directory: DIRECTORY })).toMatchObject({
    status: 'several',
    search: { keys: ['calling'] },
  });
});
