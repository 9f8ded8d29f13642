import { expect, test } from 'vitest';
import { STREAM_FAULT_KIND, STREAM_PIECE_BYTES } from '../../harness/src/faults/fault-settings.js';
import type { RelayDirection, StreamSettings } from '../../harness/src/faults/fault-settings.js';
import { createStreamPlanner, type StreamFragment, type StreamPlan } from '../../harness/src/faults/stream-relay.js';

interface Run {
  readonly seed?: number;
  readonly direction?: RelayDirection;
  readonly number?: number;
  /** Sizes of the reads, all at instant 0; default one of 10,000. */
  readonly reads?: readonly number[];
}

const settings = (given: Partial<StreamSettings>): StreamSettings => ({ ...STREAM_FAULT_KIND.none, ...given });

function plans(given: Partial<StreamSettings>, run: Run = {}): readonly StreamPlan[] {
  const { seed = 1, direction = 'toTarget', number = 0, reads = [10_000] } = run;
  const planner = createStreamPlanner(seed, { direction, number });
  const known = settings(given);
  return reads.map((sizeBytes) => planner.plan({ sizeBytes, nowMs: 0 }, known));
}

const fragments = (given: Partial<StreamSettings>, run: Run = {}): readonly StreamFragment[] =>
  plans(given, run).flatMap((plan) => plan.fragments);
const sizes = (all: readonly StreamFragment[]): readonly number[] => all.map(({ sizeBytes }) => sizeBytes);
const total = (all: readonly StreamFragment[]): number => sizes(all).reduce((sum, size) => sum + size, 0);

test('without faults bytes leave as they were read, at once', () => {
  expect(plans({}, { reads: [1, 1_460, 65_536] })).toEqual([
    { fragments: [{ sizeBytes: 1, atMs: 0 }] },
    { fragments: [{ sizeBytes: 1_460, atMs: 0 }] },
    { fragments: [{ sizeBytes: 65_536, atMs: 0 }] },
  ]);
});

test('splits into pieces of 1 to chunkBytes bytes, all lengths alike', () => {
  const lengths = sizes(fragments({ chunkBytes: 8 }, { reads: [100_000] })).slice(0, -1);
  expect(new Set(lengths)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]));
  expect(lengths.reduce((sum, length) => sum + length, 0) / lengths.length).toBeCloseTo(4.5, 1);
});

test('keeps pieces apart by the gap, and bytes of one piece together', () => {
  const all = fragments({ chunkBytes: 8, chunkGapMs: 2 });
  expect(all.map(({ atMs }) => atMs)).toEqual(all.map((_, index) => index * 2));
});

test('delays within delayMs and delayMs + jitterMs, and never puts a byte before the one in front of it', () => {
  const all = fragments(
    { delayMs: 30, jitterMs: 20 },
    { reads: Array.from({ length: 200 }, () => STREAM_PIECE_BYTES) },
  );
  expect(all.every(({ atMs }) => atMs >= 30 && atMs < 50)).toBe(true);
  expect(all.every(({ atMs }, index) => index === 0 || atMs >= all[index - 1]!.atMs)).toBe(true);
});

test('sends no faster than bytesPerSecond', () => {
  const all = fragments({ bytesPerSecond: 10_000 }, { reads: [10_000, 10_000] });
  expect(total(all)).toBe(20_000);
  expect(all.at(-1)!.atMs).toBeCloseTo(2_000, 6);
  expect(all[0]).toEqual({ sizeBytes: STREAM_PIECE_BYTES, atMs: 146 });
});

test('cuts exactly behind cutAfterBytes, and swallows what follows', () => {
  const given = { cutAfterBytes: 1_500, delayMs: 7, cutAs: 'half-close' } as const;
  const [first, second, third] = plans(given, { reads: [1_000, 1_000, 1_000] });
  expect(first).toEqual({ fragments: [{ sizeBytes: 1_000, atMs: 7 }] });
  expect(second).toEqual({ fragments: [{ sizeBytes: 500, atMs: 7 }], cut: { atMs: 7, as: 'half-close' } });
  expect(third).toEqual({ fragments: [] });
});

test('cuts with the last byte that passes, not with the one after', () => {
  const [plan] = plans({ cutAfterBytes: 1_000 }, { reads: [1_000] });
  expect(plan).toEqual({ fragments: [{ sizeBytes: 1_000, atMs: 0 }], cut: { atMs: 0, as: 'reset' } });
  expect(plans({ cutAfterBytes: 0 }, { reads: [10] })).toEqual([{ fragments: [], cut: { atMs: 0, as: 'reset' } }]);
});

test('counts the bytes up to a cut anew when faults are set, and begins a new piece', () => {
  const planner = createStreamPlanner(1, { direction: 'toTarget', number: 0 });
  planner.plan({ sizeBytes: 100, nowMs: 0 }, settings({}));
  const late = planner.plan({ sizeBytes: 100, nowMs: 1 }, settings({ cutAfterBytes: 60 }));
  expect(late).toEqual({ fragments: [{ sizeBytes: 60, atMs: 1 }], cut: { atMs: 1, as: 'reset' } });
  const certain = createStreamPlanner(1, { direction: 'toTarget', number: 0 });
  certain.plan({ sizeBytes: 100, nowMs: 0 }, settings({}));
  expect(certain.plan({ sizeBytes: STREAM_PIECE_BYTES, nowMs: 1 }, settings({ cutRate: 1 })).cut).toBeDefined();
});

test('cuts as many pieces as the cut rate says, at any byte of a piece', () => {
  const passed = Array.from({ length: 2_000 }, (_, number) =>
    total(fragments({ cutRate: 0.1 }, { number, reads: [200 * STREAM_PIECE_BYTES] })),
  );
  const wholePieces = passed.map((bytes) => Math.floor(bytes / STREAM_PIECE_BYTES));
  // Before the first success at a chance of 0.1 there are 9 failures on average.
  expect(Math.abs(wholePieces.reduce((sum, pieces) => sum + pieces, 0) / passed.length - 9)).toBeLessThan(0.7);
  const offsets = passed.map((bytes) => bytes % STREAM_PIECE_BYTES);
  expect(Math.abs(offsets.reduce((sum, offset) => sum + offset, 0) / offsets.length - 730)).toBeLessThan(30);
});

test('ends not before the last byte has left', () => {
  const planner = createStreamPlanner(1, { direction: 'toTarget', number: 0 });
  planner.plan({ sizeBytes: 10, nowMs: 0 }, settings({ delayMs: 500 }));
  expect(planner.end(1, settings({}))).toBe(500);
  expect(planner.end(900, settings({ delayMs: 20 }))).toBe(920);
});

test('plans the same for the same seed and connection, otherwise for another connection or direction', () => {
  const given = { chunkBytes: 100, jitterMs: 10, cutRate: 0.001 };
  expect(plans(given)).toEqual(plans(given));
  expect(plans(given, { number: 1 })).not.toEqual(plans(given));
  expect(plans(given, { direction: 'toSource' })).not.toEqual(plans(given));
  expect(plans(given, { seed: 2 })).not.toEqual(plans(given));
});
