import fc from 'fast-check';
import { ManualClock } from '@hopback/sdk/testing';
import { isHopbackError } from '@hopback/sdk/errors';
import { expect, test } from 'vitest';
import { createDatagramLane, createDatagramPlanner } from '../../harness/src/faults/datagram-relay.js';
import { DATAGRAM_FAULT_KIND, STREAM_FAULT_KIND, createRelayLedger } from '../../harness/src/faults/fault-settings.js';
import type { DatagramSettings, StreamSettings } from '../../harness/src/faults/fault-settings.js';
import { createStreamPlanner, type StreamFragment } from '../../harness/src/faults/stream-relay.js';
import { forAll } from '../support/for-all.js';

const rate = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const durationMs = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 500, noNaN: true }), fc.constant(3_600_000));
const bytes = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(100_000));
const seed = fc.nat(Number.MAX_SAFE_INTEGER);

const datagramSettings: fc.Arbitrary<DatagramSettings> = fc.record({
  ...{ lossRate: rate, duplicationRate: rate, delayMs: durationMs, jitterMs: durationMs },
  ...{ reorderRate: rate, reorderMs: durationMs, cutRate: rate, cutAfterBytes: bytes, outageMs: durationMs },
});
const streamSettings: fc.Arbitrary<StreamSettings> = fc.record({
  ...{ delayMs: durationMs, jitterMs: durationMs, chunkGapMs: durationMs },
  cutRate: fc.oneof(fc.constant(0), rate),
  cutAfterBytes: bytes,
  cutAs: fc.constantFrom('reset', 'close', 'half-close'),
  chunkBytes: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 5_000 })),
  bytesPerSecond: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.double({ min: 1, max: 1e9, noNaN: true })),
});

const datagramStep = fc.record({
  sizeBytes: fc.nat(65_507),
  // Also back: the clock of a plan may be anything.
  nowMs: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  isPaused: fc.boolean(),
  settingsIndex: fc.nat(2),
});

test('plans any datagram at any time within the bounds of its settings', () => {
  forAll(
    [
      seed,
      fc.array(datagramSettings, { minLength: 3, maxLength: 3 }),
      fc.array(datagramStep, { maxLength: 60, size: 'max' }),
    ],
    500,
    (number, all, steps) => {
      const planner = createDatagramPlanner(number, 'toTarget');
      const latestMs: number[] = [];
      const earliestMs: number[] = [];
      for (const [index, { settingsIndex, ...arrival }] of steps.entries()) {
        const settings = all[settingsIndex] ?? DATAGRAM_FAULT_KIND.none;
        const plan = planner.plan(arrival, settings);
        earliestMs[index] = arrival.nowMs + settings.delayMs;
        latestMs[index] = earliestMs[index] + settings.jitterMs + settings.reorderMs;
        expect(plan.number).toBe(index);
        expect(plan.deliveries.map(({ copy }) => copy)).toEqual([0, 1].slice(0, plan.deliveries.length));
        const gone = ['lost', 'cut', 'paused'].includes(plan.action);
        expect(plan.deliveries.length === 0).toBe(gone);
        const told = [...plan.deliveries.map(({ atMs }) => ({ atMs, number: index })), ...plan.releases];
        for (const { atMs, number: of } of told) {
          expect(of).toBeLessThanOrEqual(index);
          expect(atMs).toBeGreaterThanOrEqual(earliestMs[of]!);
          // Sums of doubles in another order differ in the last digit.
          expect(atMs).toBeLessThanOrEqual(latestMs[of]! + 1e-6);
        }
      }
    },
  );
});

test('accounts for every datagram: what came and what was doubled is what left and what was dropped', () => {
  const traffic = fc.array(
    fc.record({ sizeBytes: fc.nat(1_500), gapMs: fc.nat(30), isPaused: fc.boolean(), fails: fc.boolean() }),
    { maxLength: 80, size: 'max' },
  );
  forAll([seed, datagramSettings, traffic, fc.boolean()], 300, (number, settings, datagrams, isStopped) => {
    const clock = new ManualClock(0);
    const ledger = createRelayLedger({ startMs: 0, recordLimit: 1_000, onPacket: undefined });
    const isPaused = { toTarget: false, toSource: false };
    const address = { host: '127.0.0.1', port: 5060 };
    const left: number[] = [];
    const lane = createDatagramLane(
      {
        ...{ seed: number, listen: address, target: address, maxSources: 1, clock, ledger },
        controls: { settings: { toTarget: settings, toSource: settings }, isPaused },
      },
      {
        direction: 'toTarget',
        send: (_source, octets, done) => {
          left.push(octets.length);
          done(left.length % 7 === 0 ? new Error('EPERM') : null);
        },
      },
    );
    const source = { number: 0, address, send: () => undefined };
    for (const datagram of datagrams) {
      isPaused.toTarget = datagram.isPaused;
      lane.arrive(datagram.fails ? undefined : source, Buffer.alloc(datagram.sizeBytes));
      clock.advance(datagram.gapMs);
    }
    if (!isStopped) clock.advance(4 * 3_600_000);
    lane.stop();
    lane.dropRest();
    const { toTarget } = ledger.counters();
    expect(toTarget.received).toBe(datagrams.length);
    expect(toTarget.received + toTarget.duplicated).toBe(toTarget.delivered + toTarget.dropped);
    expect(toTarget.inFlight).toBe(0);
    expect(toTarget.delivered + toTarget.errors).toBe(left.length);
    const { packets } = ledger.record();
    expect(packets.length).toBe(datagrams.length);
    const planned = packets.flatMap(({ deliveriesMs }) => deliveriesMs).length;
    if (isStopped) expect(left.length).toBeLessThanOrEqual(planned);
    else expect(left.length).toBe(planned);
    expect(clock.pendingTimers()).toBe(0);
  });
});

test('sends every byte of a stream once, in order, up to the cut', () => {
  const steps = fc.array(fc.record({ sizeBytes: fc.nat(4_000), gapMs: fc.nat(1_000), settingsIndex: fc.nat(1) }), {
    maxLength: 20,
  });
  forAll([seed, fc.tuple(streamSettings, streamSettings), steps], 500, (number, all, reads) => {
    const planner = createStreamPlanner(number, { direction: 'toTarget', number: 0 });
    let [nowMs, lastMs, isCut] = [0, Number.NEGATIVE_INFINITY, false];
    for (const { sizeBytes, gapMs, settingsIndex } of reads) {
      nowMs += gapMs;
      const settings = all[settingsIndex] ?? STREAM_FAULT_KIND.none;
      const plan = planner.plan({ sizeBytes, nowMs }, settings);
      const lengths = plan.fragments.map((fragment) => fragment.sizeBytes);
      const instants = plan.fragments.map(({ atMs }) => atMs);
      expect(lengths.every((length) => length > 0 && length <= settings.chunkBytes)).toBe(true);
      expect(instants.every((atMs) => atMs >= nowMs + settings.delayMs)).toBe(true);
      expect(instants.every((atMs, index) => atMs >= (instants[index - 1] ?? lastMs))).toBe(true);
      lastMs = instants.at(-1) ?? lastMs;
      const passed = plan.fragments.reduce((sum, fragment) => sum + fragment.sizeBytes, 0);
      if (isCut) expect(plan).toEqual({ fragments: [] });
      else if (plan.cut === undefined) expect(passed).toBe(sizeBytes);
      else expect(passed).toBeLessThanOrEqual(sizeBytes);
      if (plan.cut !== undefined) expect(plan.cut.atMs).toBeGreaterThanOrEqual(lastMs);
      isCut ||= plan.cut !== undefined;
    }
  });
});

test('cuts a stream at the same byte, and gives each byte the same instant, however it is read', () => {
  const byByte = (all: readonly StreamFragment[]): readonly number[] =>
    all.flatMap(({ sizeBytes, atMs }) => Array.from({ length: sizeBytes }, () => atMs));
  // A slow line sends a part when it has all of the part: there the instants do depend on the parts.
  const settings = streamSettings.map((given) => ({ ...given, bytesPerSecond: Number.POSITIVE_INFINITY }));
  forAll([seed, settings, fc.array(fc.nat(2_000), { maxLength: 10 })], 300, (number, given, reads) => {
    const plan = (sizes: readonly number[]): readonly StreamFragment[] => {
      const planner = createStreamPlanner(number, { direction: 'toSource', number: 3 });
      return sizes.flatMap((sizeBytes) => planner.plan({ sizeBytes, nowMs: 0 }, given).fragments);
    };
    const whole = reads.reduce((sum, size) => sum + size, 0);
    expect(byByte(plan(reads))).toEqual(byByte(plan([whole])));
  });
});

test('answers any faults with settings or with invalid-argument', () => {
  const junk = fc.oneof(fc.anything(), fc.double(), fc.constantFrom(0, 0.5, 1, undefined));
  const names = fc.constantFrom(
    ...Object.keys(DATAGRAM_FAULT_KIND.none),
    ...Object.keys(STREAM_FAULT_KIND.none),
    ...['toTarget', 'toSource', '__proto__', 'constructor'],
  );
  const object = fc.dictionary(names, fc.oneof(junk, fc.dictionary(names, junk)));
  forAll([fc.oneof(fc.anything(), object)], 2_000, (faults) => {
    for (const kind of [DATAGRAM_FAULT_KIND, STREAM_FAULT_KIND]) {
      try {
        const settle = kind.settle as (given: unknown, before: unknown) => object;
        const before = { toTarget: kind.none, toSource: kind.none };
        expect(Object.keys(settle(faults, before)).toSorted()).toEqual(['toSource', 'toTarget']);
      } catch (error) {
        if (!isHopbackError(error)) throw error;
        expect(error.code).toBe('invalid-argument');
      }
    }
  });
});
