import { Buffer } from 'node:buffer';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeState, encodeState } from '../../harness/src/platform/domain/campaigns/state-codec.js';
import { packState } from '../../harness/src/platform/campaigns/detector-snapshot.js';
import type { CampaignEngine } from '../../harness/src/platform/domain/campaigns/campaign-engine.js';
import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import { savedCampaign } from '../../harness/src/platform/domain/campaigns/campaign-file.js';
import type { AppReport } from '../../sdk/src/platform/index.js';
import { SMALL_DETECTOR } from '../support/itg-detector-claims.js';
import {
  appReport,
  DUNE,
  LIVE_START_MS,
  liveCall,
  neighbourCalls,
  secondRecords,
  testEngine,
} from '../support/itg-live-calls.js';
import { forAll } from '../support/for-all.js';

function decoded(chunks: Iterable<Buffer>): unknown {
  const decoder = decodeState();
  decoder.next();
  for (const chunk of chunks) {
    const read = decoder.next(chunk);
    if (read.done === true) return read.value;
  }
  throw new Error('the value has no end');
}

test('plain values come back as they were written, whatever they hold', () => {
  const leaf = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.string(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0, Infinity, 2 ** 31, -(2 ** 31), 2 ** 52),
    fc.uint8Array(),
    fc.float64Array({ noNaN: true }),
    fc.uint32Array(),
  );
  // A member of this name is the prototype of what is made by literals.
  const name = fc.string().filter((text) => text !== '__proto__');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, leaf, tie('list'), tie('record'), tie('map')),
    list: fc.array(tie('value')),
    record: fc.dictionary(name, tie('value'), { noNullPrototype: true }),
    map: fc.array(fc.tuple(fc.string(), tie('value'))).map((pairs) => new Map(pairs)),
  }));
  forAll([value], 100, (any) => {
    expect(decoded(encodeState({ any }))).toEqual({ any });
  });
});

test('what two hold is one again, circles are circles, and an iterator is an array', () => {
  interface Node {
    next: Node | undefined;
    readonly seen: Set<Node>;
  }
  const one: Node = { next: undefined, seen: new Set() };
  one.next = { next: one, seen: new Set([one]) };
  const items = function* items(): Generator<Uint8Array> {
    for (let at = 0; at < 3; at += 1) yield new Uint8Array(200_000).fill(at);
  };
  const read = decoded(encodeState({ one, same: one, text: 'x'.repeat(300_000), items: items() })) as {
    readonly one: Node;
    readonly same: Node;
    readonly text: string;
    readonly items: readonly Uint8Array[];
  };
  expect(read.one).toBe(read.same);
  expect(read.one.next?.next).toBe(read.one);
  expect(read.one.next?.seen.has(read.one)).toBe(true);
  expect(read.text).toHaveLength(300_000);
  const sizes = read.items.map((octets) => [octets.length, octets[199_999]]);
  expect(sizes).toEqual([0, 1, 2].map((at) => [200_000, at]));
});

test('a state is packed as it was, however short some of its chunks are', async () => {
  const state = {
    texts: [1, 2, 3, 4, 5].map((at) => String(at).repeat(400_000 * (at % 2) + 2)),
    table: new Uint32Array(9),
  };
  const { pieces = [] } = (await packState(state, Infinity)) ?? {};
  const octets = inflateRawSync(Buffer.concat(pieces));
  const chunks: Buffer[] = [];
  for (let at = 0; at < octets.length; at += 4 + octets.readUInt32LE(at))
    chunks.push(octets.subarray(at + 4, at + 4 + octets.readUInt32LE(at)));
  expect(Math.min(...chunks.map(({ length }) => length))).toBeLessThan(1_000);
  expect(decoded(chunks)).toEqual(state);
  expect(await packState(state, 100)).toBeUndefined();
});

test('chunks are short, whatever is written, and octets that were not written are refused', () => {
  const chunks = [
    ...encodeState({ table: new Float64Array(100_000), list: Array.from({ length: 50_000 }, (_, at) => at) }),
  ];
  expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(140_000);
  forAll([fc.uint8Array({ minLength: 1, maxLength: 300 })], 100, (octets) => {
    try {
      decoded([Buffer.from(octets)]);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  });
});

/** Reports of such calls, by the numbers that the application saw. */
const reportsOf = (records: readonly LiveRecord[]): readonly AppReport[] =>
  records.map(({ record: { calling, called, inviteAtUs } }, at) => {
    const [shown, veiled] = [calling as { readonly tn: string }, called as { readonly pseudonym: string }];
    return appReport(at, {
      ...{ reportId: `heard-${String(at)}`, calling: shown.tn },
      called: { shown: 'number', tn: veiled.pseudonym.slice(-11) },
      calledAt: new Date(inviteAtUs / 1_000 + 4_000).toISOString(),
    });
  });

/** Which call each counted record and report is evidence of, in the words of the last time it was said. */
const placedCalls = (...engines: readonly CampaignEngine[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    engines
      .flatMap((engine) => engine.take())
      .flatMap(({ calls }) => calls)
      .map(({ callId, placedCallId }) => [callId, placedCallId]),
  );

/** Campaigns as they stand, ids left out: they are made anew. */
const figures = (engine: CampaignEngine): readonly unknown[] =>
  [...engine.campaigns()].map((file) => ({ ...savedCampaign(file), campaignId: '', keys: [...file.keys.keys()] }));

const sizes = (engine: CampaignEngine): readonly number[] => {
  const { groups, contents, watched } = engine.state();
  return [groups.young.size + groups.old.size, contents.clusters.size, watched.size];
};

type Hear = (engine: CampaignEngine) => void;

test('an engine that goes on from a saved state finds the same campaigns and calls as one that was never stopped', () => {
  const first = neighbourCalls(24);
  const ordinary = Array.from({ length: 600 }, (_, index) =>
    liveCall({
      ...{ at: 1_000 + index, calling: `1290345${String(1_000 + (index % 300))}`, spc: '555E', upstream: 'Elm' },
      ...{ seconds: (index * 7) % 90, isSuspected: false, called: `1390456${String(1_000 + index)}` },
    }),
  );
  const dune = neighbourCalls(40, { from: 200, ...DUNE, providerId: 'prv-2' });
  const records = [...first, ...secondRecords(first), ...dune, ...ordinary];
  const evidence = [
    ...records.map((live) => [live.receivedAtMs, (engine) => engine.record(live)] as readonly [number, Hear]),
    ...reportsOf(first).map((report): readonly [number, Hear] => {
      const atMs = Date.parse(report.calledAt);
      return [atMs, (engine) => engine.report('app-1', report, atMs + 1_000)];
    }),
  ].toSorted(([a], [b]) => a - b);
  const feed = evidence.map(([, hear]) => hear);
  const whole = testEngine();
  for (const hear of feed) hear(whole);
  const expected = figures(whole);
  const all = { observedCalls: 24, recordedCalls: 24, reportedCalls: 24, bothCalls: 24, carrierRecords: 48 };
  expect(expected).toMatchObject([{ counts: all }, {}]);
  const placed = placedCalls(whole);
  for (let cut = 0; cut <= feed.length; cut += 97) {
    const before = testEngine();
    for (const hear of feed.slice(0, cut)) hear(before);
    const after = testEngine();
    expect(after.stateVersion).toBe(before.stateVersion);
    after.restoreState(decoded(encodeState(before.state())) as object);
    // The newest evidence from before is read once more.
    for (const hear of feed.slice(Math.max(0, cut - 20))) hear(after);
    expect(figures(after)).toEqual(expected);
    expect(sizes(after)).toEqual(sizes(whole));
    expect(placedCalls(before, after)).toEqual(placed);
  }
});

test('evidence of a call that an engine heard before it learned that the call is counted adds no call', () => {
  const calls = neighbourCalls(30);
  const stored = testEngine([], SMALL_DETECTOR);
  for (const call of calls) stored.record(call);
  const [found] = stored.take();
  const later = testEngine([], SMALL_DETECTOR);
  // Too few to find the campaign again.
  for (const call of calls.slice(0, 6)) later.record(call);
  expect(figures(later)).toEqual([]);
  later.restore(found!.file);
  later.known(found!.calls.map((call) => ({ ...call, campaignId: found!.file.campaignId })));
  later.replayed();
  for (const call of secondRecords(calls.slice(0, 6))) later.record(call);
  for (const report of reportsOf(calls.slice(0, 6))) later.report('app-1', report, LIVE_START_MS + 60_000);
  expect(figures(later)).toMatchObject([
    { counts: { observedCalls: 30, recordedCalls: 30, carrierRecords: 36, reportedCalls: 6, bothCalls: 6 } },
  ]);
  const placed = placedCalls(later);
  for (const { record, providerId } of calls.slice(0, 6)) {
    const own = found!.calls.find(
      ({ recordId, reporterId }) => recordId === record.recordId && reporterId === providerId,
    );
    expect(placed[`record:prv-9:${record.recordId}`]).toBe(own?.placedCallId);
  }
});

test('a campaign that was stored after the state was taken has its id again when it is found again', () => {
  let made = 0;
  const newId = (): string => `c-${String((made += 1))}`;
  const calls = neighbourCalls(30);
  const first = testEngine([], { newId });
  for (const call of calls.slice(0, 5)) first.record(call);
  const state = decoded(encodeState(first.state())) as object;
  for (const call of calls.slice(5)) first.record(call);
  const [found] = first.take();
  const second = testEngine([], { newId });
  second.restoreState(state);
  second.expect(new Map(found?.calls.map(({ callId }) => [callId, found.file.campaignId])));
  for (const call of calls.slice(5)) second.record(call);
  expect([...second.campaigns()].map(({ campaignId }) => campaignId)).toEqual([found?.file.campaignId]);
  second.expect(new Map());
  for (const call of neighbourCalls(30, { from: 500, ...DUNE })) second.record(call);
  expect([...second.campaigns()].map(({ campaignId }) => campaignId)).toEqual(['c-1', 'c-2']);
});

test('engines with other policies or limits have states of other versions', () => {
  const version = (options: Parameters<typeof testEngine>[1]): string => testEngine([], options).stateVersion;
  expect(new Set([version({}), version({ limits: { groups: 1_024 } })]).size).toBe(2);
  expect(version({})).toBe(version({}));
});
