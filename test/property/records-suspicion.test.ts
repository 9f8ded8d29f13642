import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { SharingPolicy, DEFAULT_SHARING_POLICY } from '../../sdk/src/records/redaction/sharing-policy.js';
import { SuspicionTracker } from '../../sdk/src/records/suspicion/suspicion-tracker.js';
import { DEFAULT_SUSPICION_POLICY, explainSuspicion } from '../../sdk/src/records/suspicion/suspicion-policy.js';
import {
  northAmericanNumber,
  northAmericanPrefix,
  SUSPICION_SIGNALS,
} from '../../sdk/src/records/suspicion/suspicion.js';
import { anyCallRecord, anySampleNumber, anyTn } from '../support/any-call-record.js';
import { sparseRecord } from '../support/stored-records.js';
import { forAll } from '../support/for-all.js';

/** Thresholds that a handful of calls reaches. */
const EAGER = {
  ...DEFAULT_SUSPICION_POLICY,
  leastCalls: { number: 2, group: 2 },
  fanOut: { from: 2, full: 5 },
  snowshoe: { ...DEFAULT_SUSPICION_POLICY.snowshoe, from: 0.3, leastNumbers: 2 },
  sequentialDialling: { ...DEFAULT_SUSPICION_POLICY.sequentialDialling, from: 2, full: 4 },
  signerConcentration: { from: 1.1, full: 3, leastMarked: 1 },
  limits: { numbers: 64, trunks: 16, signers: 16, calls: 4_096, rows: 4_096 },
};

test('judges any records in any order, within bounds, in sentences, and twice alike', () => {
  const times = fc.oneof(
    fc.integer({ min: 0, max: 2_000_000_000_000_000 }),
    fc.constantFrom(Number.NaN, -1, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY),
  );
  forAll([fc.array(anyCallRecord(times), { maxLength: 30 })], 300, (records) => {
    const [tracker, again] = [new SuspicionTracker({ policy: EAGER }), new SuspicionTracker({ policy: EAGER })];
    for (const record of records) {
      const suspicion = tracker.judge(record);
      expect(suspicion).toEqual(again.judge(record));
      expect(suspicion.score >= 0 && suspicion.score <= 1).toBe(true);
      const names = suspicion.signals.map(({ name }) => SUSPICION_SIGNALS.indexOf(name));
      expect(names).toEqual(names.toSorted((a, b) => a - b));
      for (const { strength } of suspicion.signals) expect(strength > 0 && strength <= 1).toBe(true);
      // A signal is found or cannot be judged, never both.
      const found = new Set(suspicion.signals.map(({ name }) => name));
      expect(suspicion.notJudged.filter(({ name }) => found.has(name))).toEqual([]);
      for (const sentence of explainSuspicion(suspicion)) expect(sentence).toMatch(/^[A-Z].*\.$/s);
    }
  });
});

/** Calls of a small world at three instants, in which numbers, trunks and signers meet again. */
interface SmallCall {
  readonly at: number;
  readonly calling: string;
  readonly called: string;
  readonly trunk: string;
  readonly spc: string | undefined;
  readonly seconds: number | undefined;
}

const smallCall: fc.Arbitrary<SmallCall> = fc.record({
  at: fc.constantFrom(0, 60, 50_000),
  calling: fc.constantFrom('12025550101', '12025550102', '13035550103', '442079460001'),
  called: fc.integer({ min: 100, max: 112 }).map((line) => `120255501${String(line % 100).padStart(2, '0')}`),
  trunk: fc.constantFrom('t1', 't2'),
  spc: fc.constantFrom('709J', '310B', undefined),
  seconds: fc.constantFrom(undefined, 1, 30, 90),
});

const record = ({ at, calling, called, trunk, seconds, spc }: SmallCall, index: number): CallRecord => {
  const inviteAtUs = 1_790_000_000_000_000 + at * 1_000_000;
  return sparseRecord(String(index), inviteAtUs, {
    calling: { asWritten: calling, tn: calling },
    called: { asWritten: called, tn: called },
    ingress: { trunk },
    ...(seconds !== undefined && { disposition: 'answered', answeredAtUs: inviteAtUs }),
    ...(seconds !== undefined && { endedAtUs: inviteAtUs + seconds * 1_000_000 }),
    ...(spc !== undefined && { received: { verstat: 'TN-Validation-Passed', spc } }),
  });
};

test('records of the same time may come in any order: what follows is judged alike', () => {
  forAll(
    [fc.array(smallCall, { maxLength: 60 }), fc.array(fc.nat(), { minLength: 60, maxLength: 60 })],
    500,
    (calls, keys) => {
      const records = calls.map(record).map((one, at) => ({ one, key: keys[at] ?? 0 }));
      const byTime = (a: CallRecord, b: CallRecord) => a.inviteAtUs - b.inviteAtUs;
      const given = records.map(({ one }) => one).toSorted(byTime);
      const shuffled = records
        .toSorted((a, b) => a.key - b.key)
        .map(({ one }) => one)
        .toSorted(byTime);
      const [tracker, other] = [new SuspicionTracker({ policy: EAGER }), new SuspicionTracker({ policy: EAGER })];
      for (const one of given) tracker.judge(one);
      for (const one of shuffled) other.judge(one);
      for (const probe of given.slice(-8)) {
        const callGroupId = `${probe.callGroupId}-later`;
        const later = { ...probe, callGroupId, inviteAtUs: probe.inviteAtUs + 1_000_000 };
        expect(tracker.judge(later)).toEqual(other.judge(later));
      }
    },
  );
});

test('remembers no more than its limits, whatever comes', () => {
  const limits = { numbers: 64, trunks: 16, signers: 16, calls: 64, rows: 64 };
  forAll([fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 7 })], 50, (start, stride) => {
    const tracker = new SuspicionTracker({ policy: { ...DEFAULT_SUSPICION_POLICY, limits } });
    for (let at = 0; at < 500; at += 1) {
      const name = String(start + at * stride);
      const numbers = { calling: `1${name}`, called: '12025550100' };
      tracker.judge(record({ ...numbers, at, trunk: `t${name}`, spc: name, seconds: 1 }, start + at * stride));
    }
    const memory = tracker.memory();
    for (const kind of ['numbers', 'trunks', 'signers', 'calls'] as const)
      expect([kind, memory[kind] <= limits[kind]]).toEqual([kind, true]);
  });
});

test('a pseudonymous record is judged like the record it was made of, but for what it does not show', () => {
  const data = { ...DEFAULT_SHARING_POLICY, share: 'all-pseudonymous' as const };
  const members = { ...data.members['all-pseudonymous'], calling: 'kept' as const };
  const policy = new SharingPolicy({
    data: { ...data, members: { ...data.members, 'all-pseudonymous': members } },
    key: new Uint8Array(32).fill(3),
    rotationId: 'r1',
    tenantId: 't1',
  });
  const lenient = { ...EAGER, fictionalNumbers: 'accepted' as const };
  const hidden = new Set(['sequential-dialling']);
  forAll([fc.array(smallCall, { maxLength: 40 })], 200, (calls) => {
    const [own, platform] = [new SuspicionTracker({ policy: lenient }), new SuspicionTracker({ policy: lenient })];
    // A caller who shows the number called is veiled with it.
    for (const one of calls.filter(({ calling, called }) => calling !== called).map(record)) {
      const shared = policy.share(one, undefined);
      if (shared.status !== 'shared') throw new Error('the record was not shared');
      // Places in the count of numbers called are others for pseudonyms.
      const mine = own.judge(one).signals.filter(({ name }) => !hidden.has(name) && name !== 'fan-out');
      const theirs = platform.judge(shared.record, 'carrier-1');
      expect(theirs.signals.filter(({ name }) => name !== 'fan-out')).toEqual(mine);
      expect(theirs.notJudged).toContainEqual({ name: 'sequential-dialling', why: 'called-number-pseudonymous' });
    }
  });
});

test('classifies any text as a number, its prefix no worse than the number itself', () => {
  forAll([fc.oneof(anyTn, anySampleNumber, fc.string({ maxLength: 20 }))], 5_000, (text) => {
    const { kind, fault } = northAmericanNumber(text);
    expect(fault !== undefined).toBe(kind === 'invalid' || kind === 'unallocated');
    const prefix = northAmericanPrefix(text.slice(1, 7));
    if (/^1\d{10}$/.test(text) && prefix.fault !== undefined) expect([prefix.kind, 'fictional']).toContain(kind);
  });
});
