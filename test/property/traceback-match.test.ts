import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type { StatedTime, TracebackRequest } from '../../sdk/src/contract/traceback-exchange.js';
import { createMemoryRecordStore } from '../../sdk/src/records/store/memory-record-store.js';
import { matchesQuery } from '../../sdk/src/records/store/record-store.js';
import type { MatchOutcome } from '../../sdk/src/traceback/match-outcome.js';
import { findMatch, matchCall } from '../../sdk/src/traceback/match/match-call.js';
import { planSearch } from '../../sdk/src/traceback/match/plan-search.js';
import { anyCallRecord } from '../support/any-call-record.js';
import {
  ALL,
  CALL_US,
  CALLED,
  CALLING,
  DIRECTORY,
  leg,
  named,
  outcomeOf,
  request,
  SCOPE,
  SECOND_US,
  without,
} from '../support/matched-calls.js';
import { forAll, forAllAsync } from '../support/for-all.js';

const word = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom(CALLED, CALLING, '+12025550101', 'UTC', 'America/New_York', '-04:00'),
);
const anyTime: fc.Arbitrary<StatedTime> = fc.record(
  {
    asWritten: word,
    local: fc.oneof(
      word,
      fc.constantFrom('2026-10-23T15:41', '2026-11-01T01:30', '2026-03-08T02:30:15.5', '2026-10-23'),
    ),
    zone: word,
    precision: fc.constantFrom('day', 'hour', 'minute', 'second', 'millisecond', 'microsecond'),
  },
  { requiredKeys: ['asWritten', 'local', 'precision'] },
);
const anyRequest: fc.Arbitrary<TracebackRequest> = fc
  .record(
    {
      ...{ called: word, calling: word, at: anyTime, callId: word, origId: word, recordId: word, spc: word },
      attestation: fc.constantFrom('A' as const, 'B' as const, 'C' as const),
      durationSeconds: fc.double(),
    },
    { requiredKeys: ['at'] },
  )
  .chain((call) =>
    fc.boolean().map((isFirst): TracebackRequest => {
      const full = { ...request(), call };
      return isFirst ? without(full, 'downstream') : full;
    }),
  );

const LRN = '12025550999';
const CALL_ID = 'this@192.0.2.1';
/** What identity headers say: of one signer, of another, and of one whose origid was written in capitals. */
const IDENTITIES = [
  { attestation: 'B', origId: '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11', spc: '709J' },
  { attestation: 'A', origId: '0c1d2e3f-0000-4000-8000-1234567890ab', spc: '310B' },
  { attestation: 'A', origId: '5B0A2A4F-8D3B-4B7E-9A53-0A8F9F1B6C11', spc: '310B' },
] as const;
/** Calls around the stated time, alike enough that they are taken for each other. */
const callsUpTo = (maxLength: number): fc.Arbitrary<readonly CallRecord[]> =>
  fc
    .array(
      fc.record({
        second: fc.integer({ min: -4_000, max: 4_000 }),
        group: fc.integer({ min: 0, max: 12 }),
        trunk: fc.constantFrom('in-a', 'in-a-2', 'in-b', 'core', 'unknown', undefined),
        egress: fc.constantFrom('out-x', 'out-x', 'out-y', 'core', 'unknown', undefined),
        calling: fc.constantFrom(CALLING, CALLING, '14155550123', undefined),
        called: fc.constantFrom(CALLED, CALLED, CALLED, '18005550199', LRN, '5550101'),
        lrn: fc.constantFrom(undefined, undefined, LRN),
        received: fc.constantFrom(undefined, ...IDENTITIES),
        callId: fc.constantFrom(undefined, undefined, CALL_ID, 'that@192.0.2.1'),
        isAnswered: fc.boolean(),
        isTwice: fc.constantFrom(false, false, false, true),
      }),
      { maxLength },
    )
    .map((calls) =>
      calls.map((drawn, index): CallRecord => {
        const { second, group, trunk, egress, calling, called, lrn, received, callId, isAnswered, isTwice } = drawn;
        const atUs = CALL_US + second * SECOND_US;
        const full = leg(
          `leg ${index}`,
          {
            callGroupId: `group ${group}`,
            called: { ...named(called), ...(lrn === undefined ? {} : { lrn }) },
            ...(received === undefined ? {} : { received }),
            ingress: { ...(trunk === undefined ? {} : { trunk }), ...(callId === undefined ? {} : { callId }) },
            egress: egress === undefined ? {} : { trunk: egress },
            time: {
              written: 'local',
              resolutionUs: 1,
              ...(isTwice ? { otherInviteAtUs: atUs - 3_600 * SECOND_US } : {}),
            },
            calling: named(calling ?? CALLING),
          },
          atUs,
        );
        const record = isAnswered ? full : without(full, 'answeredAtUs');
        return calling === undefined ? without(record, 'calling') : record;
      }),
    );
const anyCalls = callsUpTo(12);
const RECORD_ID = 'a'.repeat(32);
/** What is stated beside the number called and the time. */
const anyStated = fc.record(
  {
    calling: fc.constantFrom(CALLING, CALLING, '5550144'),
    called: fc.constantFrom(`+${CALLED};rn=+${LRN};npdi`, CALLED),
    attestation: fc.constant('B' as const),
    spc: fc.constant('709J'),
    origId: fc.constant(IDENTITIES[0].origId),
    callId: fc.constantFrom(CALL_ID, 'elsewhere@198.51.100.7'),
    recordId: fc.constant(RECORD_ID),
  },
  { requiredKeys: [] },
);
const anyAsked = fc
  .record({
    // Most requests state little: the more is stated, the fewer calls are unique.
    stated: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom({}, { calling: CALLING }) },
      { weight: 1, arbitrary: anyStated },
    ),
    precision: fc.constantFrom('minute' as const, 'second' as const, 'hour' as const),
  })
  .map(({ stated, precision }): TracebackRequest => {
    const at = { asWritten: '', local: '2026-10-23T15:41:20', zone: 'America/New_York', precision };
    const asked = request({ at });
    return { ...asked, call: { ...without(asked.call, 'calling'), ...stated } };
  });

/** A call that is consistent with all that is stated. */
function meantBy({ call: { calling, callId, recordId } }: TracebackRequest): CallRecord {
  const record = leg('meant', {
    callGroupId: 'meant',
    ...(calling === undefined ? {} : { calling: named(calling) }),
    received: IDENTITIES[0],
    ingress: { trunk: 'in-customer', ...(callId === undefined ? {} : { callId }) },
  });
  return recordId === undefined ? record : { ...record, recordId };
}
/** A request, the call that it means, and others that may keep it from being unique. */
const anyMeant = fc
  .tuple(anyAsked, callsUpTo(3))
  .map(([asked, others]) => ({ asked, records: [...others, meantBy(asked)] }));

/** Whether two unique outcomes name the same call: of one that was looked up fewer legs may be at hand. */
function areOneCall(one: MatchOutcome, other: MatchOutcome): boolean {
  if (one.status !== 'unique' || other.status !== 'unique') return false;
  const ids = new Set(one.candidate.legs.map(({ recordId }) => recordId));
  return other.candidate.legs.some(({ recordId }) => ids.has(recordId));
}

test('matching returns, for any request and any records', () => {
  forAll([anyRequest, fc.array(anyCallRecord(), { maxLength: 5 })], 100, (asked, records) => {
    const outcome = matchCall({ request: asked, records, coverage: ALL, scope: SCOPE, directory: DIRECTORY });
    expect(outcome.status).toMatch(/^(unique|several|none-but-covered|not-retained|gap|unreadable)$/);
  });
});

test('the order of records changes nothing', () => {
  forAll(
    [
      anyAsked,
      anyCalls.chain((calls) =>
        fc.tuple(fc.constant(calls), fc.shuffledSubarray([...calls], { minLength: calls.length })),
      ),
    ],
    100,
    (asked, [records, shuffled]) => {
      expect(outcomeOf(asked, shuffled)).toEqual(outcomeOf(asked, records));
    },
  );
});

test('a call that another upstream sent with all stated fields equal is never unique', () => {
  forAll([anyMeant, fc.boolean()], 100, ({ asked, records }, isOfOtherSwitch) => {
    const outcome = outcomeOf(asked, records);
    // Of a record id there are no two.
    fc.pre(outcome.status === 'unique' && asked.call.recordId === undefined);
    const twin = outcome.candidate.legs.map((one): CallRecord => ({
      ...one,
      recordId: one.recordId.replaceAll(/[0-9]/g, 'f'),
      ...(isOfOtherSwitch ? { source: { ...one.source, id: 'sbc-2' } } : { callGroupId: 'twin' }),
      ingress: { ...one.ingress, trunk: 'in-foreign' },
    }));
    expect(outcomeOf(asked, [...records, ...twin]).status).toBe('several');
  });
});

/** Tries of one call under one Call-ID, that proxies left as it came: by the edge and the core, with or without a capture beside them. */
const anyTries = fc
  .array(
    fc.record({
      second: fc.integer({ min: 0, max: 40 }),
      trunk: fc.constantFrom('in-a', 'in-a-2', 'in-b', 'unknown'),
      egress: fc.constantFrom('out-x', 'out-x', 'out-y'),
      isByCore: fc.boolean(),
      isCaptured: fc.boolean(),
      isAnswered: fc.boolean(),
    }),
    { minLength: 2, maxLength: 4 },
  )
  .map((tries) =>
    tries.flatMap(({ second, trunk, egress, isByCore, isCaptured, isAnswered }, index): readonly CallRecord[] => {
      const atUs = CALL_US + second * SECOND_US;
      const side = (name: string): CallRecord['ingress'] => ({ trunk: name, callId: CALL_ID });
      const one = (name: string, parts: Partial<CallRecord>): CallRecord => {
        const full = leg(`${name} ${index}`, { callGroupId: `${name} ${index}`, ...parts }, atUs);
        return isAnswered ? full : without(full, 'answeredAtUs');
      };
      const source = { ...one('', {}).source, id: 'hep' };
      return [
        one('edge', { ingress: side(trunk), egress: side(isByCore ? 'core' : egress) }),
        ...(isByCore ? [one('core', { ingress: side('core'), egress: side(egress) })] : []),
        ...(isCaptured ? [one('capture', { source, ingress: { address: '192.0.2.7', callId: CALL_ID } })] : []),
      ];
    }),
  );

test('all that came from outside of a unique call came from one upstream', () => {
  forAll([anyTries], 250, (records) => {
    const outcome = outcomeOf(request(), records);
    const legs = outcome.status === 'unique' ? outcome.candidate.legs : [];
    const upstreams = legs.flatMap(({ ingress: { trunk } }) =>
      trunk === undefined || trunk === 'core' ? [] : [trunk.replace('in-a-2', 'in-a')],
    );
    expect(new Set(upstreams).size).toBeLessThanOrEqual(1);
  });
});

test('what a store finds is never another unique call than that of all its records', async () => {
  await forAllAsync([anyAsked, anyCalls], 250, async (asked, records) => {
    const store = createMemoryRecordStore({ clock: { nowMs: () => CALL_US / 1_000 } });
    await store.insert(records);
    await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: CALL_US * 2 });
    const looked = await findMatch(asked, { store, directory: DIRECTORY });
    const all = outcomeOf(asked, records);
    if (looked.status === 'unique' && all.status === 'unique') expect(areOneCall(looked, all)).toBe(true);
    if (looked.status === 'unique') expect(looked.candidate.downstream).toBe('sent-to-downstream');
    if (looked.status === 'unique') expect(all.status).not.toMatch(/^(none|gap|not-)/);
  });
});

test('whatever is consistent with a stated time began in the narrow windows', () => {
  forAll([anyMeant], 100, ({ asked, records }) => {
    const plan = planSearch(asked);
    if (plan.status !== 'planned') throw new Error('unreadable');
    const outcome = outcomeOf(asked, records);
    fc.pre(outcome.status === 'unique');
    const { inviteAtUs, time } = outcome.candidate.legs[0]!;
    const begins = [inviteAtUs, time.otherInviteAtUs ?? inviteAtUs];
    expect(begins.some((us) => plan.narrow.some(({ fromUs, toUs }) => us >= fromUs && us <= toUs))).toBe(true);
  });
});

test('a call that is not what was stated in attestation and code alone is never erased by another', () => {
  forAll([anyAsked, anyCalls, fc.boolean()], 150, (asked, records, isSigner) => {
    const call = { ...asked.call, attestation: 'B' as const, ...(isSigner ? { spc: '709J' } : {}) };
    const received = { ...IDENTITIES[0], attestation: 'A' as const, spc: '310B' };
    const meant = { ...meantBy(asked), received };
    const outcome = outcomeOf({ ...asked, call }, [...records, meant]);
    const candidates = outcome.status === 'several' ? outcome.candidates : [];
    expect(candidates.map(({ ingressLeg }) => ingressLeg.legId)).toContain('meant');
  });
});

test('"not found" is never said of a number that was called within the hour', async () => {
  await forAllAsync([anyAsked, anyCalls], 150, async (asked, records) => {
    const store = createMemoryRecordStore({ clock: { nowMs: () => CALL_US / 1_000 } });
    await store.insert(records);
    await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: CALL_US * 2 });
    const looked = await findMatch(asked, { store, directory: DIRECTORY });
    const plan = planSearch(asked);
    if (plan.status !== 'planned') throw new Error('unreadable');
    const called = records.filter((record) =>
      plan.wide.some((window) => matchesQuery(record, { window, calledTn: CALLED })),
    );
    for (const { status } of [looked, outcomeOf(asked, records)])
      if (status === 'none-but-covered') expect(called).toEqual([]);
  });
});
