import { expect, test } from 'vitest';
import { HELD_MAX, createDatagramPlanner, type DatagramPlan } from '../../harness/src/faults/datagram-relay.js';
import { DATAGRAM_FAULT_KIND, REORDER_BEHIND_MAX } from '../../harness/src/faults/fault-settings.js';
import type { DatagramSettings, RelayDirection } from '../../harness/src/faults/fault-settings.js';

const COUNT = 20_000;

interface Run {
  readonly seed?: number;
  readonly direction?: RelayDirection;
  readonly count?: number;
  readonly sizeBytes?: number;
  /** Between two datagrams; default 20, as RTP is sent. */
  readonly gapMs?: number;
}

const settings = (given: Partial<DatagramSettings>): DatagramSettings => ({ ...DATAGRAM_FAULT_KIND.none, ...given });

function plans(given: Partial<DatagramSettings>, run: Run = {}): readonly DatagramPlan[] {
  const { seed = 1, direction = 'toTarget', count = COUNT, sizeBytes = 200, gapMs = 20 } = run;
  const planner = createDatagramPlanner(seed, direction);
  const known = settings(given);
  return Array.from({ length: count }, (_, index) => planner.plan({ sizeBytes, nowMs: index * gapMs }, known));
}

const share = (all: readonly DatagramPlan[], holds: (plan: DatagramPlan) => boolean): number =>
  all.filter(holds).length / all.length;

/** When each datagram leaves first, with what was let go early. */
function departures(all: readonly DatagramPlan[]): ReadonlyMap<number, number> {
  const leaving = new Map<number, number>();
  for (const { number, deliveries, releases } of all) {
    if (deliveries[0] !== undefined) leaving.set(number, deliveries[0].atMs);
    for (const release of releases) leaving.set(release.number, release.atMs);
  }
  return leaving;
}

test('without faults every datagram leaves once, the moment it comes', () => {
  for (const [index, plan] of plans({}, { count: 1_000 }).entries()) {
    expect(plan).toEqual({
      number: index,
      action: 'passed',
      deliveries: [{ atMs: index * 20, copy: 0 }],
      releases: [],
      beginsOutage: false,
    });
  }
});

test('loses as many as the loss rate says', () => {
  expect(share(plans({ lossRate: 0.1 }), ({ action }) => action === 'lost')).toBeCloseTo(0.1, 2);
  expect(share(plans({ lossRate: 1 }), ({ deliveries }) => deliveries.length === 0)).toBe(1);
});

test('doubles as many as the duplication rate says, the double never before the original', () => {
  const all = plans({ duplicationRate: 0.2, jitterMs: 50 });
  expect(share(all, ({ deliveries }) => deliveries.length === 2)).toBeCloseTo(0.2, 2);
  for (const { deliveries } of all) {
    expect(deliveries.map(({ copy }) => copy)).toEqual(deliveries.length === 2 ? [0, 1] : [0]);
    expect(deliveries.at(-1)!.atMs).toBeGreaterThanOrEqual(deliveries[0]!.atMs);
  }
});

test('delays within delayMs and delayMs + jitterMs, evenly where datagrams are further apart than that', () => {
  const delays = plans({ delayMs: 30, jitterMs: 15 }).map(({ deliveries }, index) => deliveries[0]!.atMs - index * 20);
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(30);
  expect(Math.max(...delays)).toBeLessThan(45);
  expect(delays.reduce((sum, delay) => sum + delay, 0) / COUNT).toBeCloseTo(37.5, 0);
});

test('keeps the order under jitter alone, also where it is longer than the gap', () => {
  const leaving = plans({ jitterMs: 200 }).map(({ deliveries }) => deliveries[0]!.atMs);
  expect(leaving.every((atMs, index) => index === 0 || atMs >= leaving[index - 1]!)).toBe(true);
});

test('holds back as many as the reorder rate says, until 1 to 3 later ones have passed', () => {
  const all = plans({ reorderRate: 0.1, reorderMs: 1_000 });
  expect(share(all, ({ action }) => action === 'held')).toBeCloseTo(0.1, 2);
  const leaving = departures(all);
  const overtakenBy = all
    .filter(({ action, number }) => action === 'held' && number < COUNT - 20)
    .map(({ number }) => {
      const later = Array.from({ length: 15 }, (_, index) => number + 1 + index);
      return later.filter((other) => all[other]!.action !== 'held' && leaving.get(other)! <= leaving.get(number)!)
        .length;
    });
  expect(new Set(overtakenBy)).toEqual(new Set([1, 2, REORDER_BEHIND_MAX]));
});

test('holds no more than a few at once, so that even at a rate of 1 some overtake others', () => {
  const all = plans({ reorderRate: 1, reorderMs: 1_000 }, { count: 1_000 });
  const passed = all.filter(({ action }) => action === 'passed');
  expect(passed[0]?.number).toBe(HELD_MAX);
  expect(passed.length).toBeGreaterThan(200);
  expect(all.flatMap(({ releases }) => releases).length).toBeGreaterThan(500);
});

test('lets nothing through for outageMs once a cut began, and everything after', () => {
  const all = plans({ cutAfterBytes: 1_000, outageMs: 100 }, { count: 16 });
  expect(all.map(({ action }) => (action === 'cut' ? 'x' : '.')).join('')).toBe('.....xxxxx.....x');
  expect(all.flatMap(({ beginsOutage, number }) => (beginsOutage ? [number] : []))).toEqual([5, 15]);
});

test('begins outages as often as the cut rate says', () => {
  const all = plans({ cutRate: 0.02, outageMs: 40 });
  const outside = all.filter(({ action, beginsOutage }) => action !== 'cut' || beginsOutage);
  expect(share(outside, ({ beginsOutage }) => beginsOutage)).toBeCloseTo(0.02, 2);
});

test('counts the bytes up to a cut anew when faults are set', () => {
  const planner = createDatagramPlanner(1, 'toTarget');
  const [first, second] = [settings({ cutAfterBytes: 300 }), settings({ cutAfterBytes: 300 })];
  const actions = [first, first, second, second, second].map(
    (known, index) => planner.plan({ sizeBytes: 150, nowMs: index }, known).action,
  );
  expect(actions).toEqual(['passed', 'passed', 'passed', 'passed', 'cut']);
});

test('drops everything while paused', () => {
  const planner = createDatagramPlanner(1, 'toTarget');
  const paused = planner.plan({ sizeBytes: 1, nowMs: 0, isPaused: true }, settings({ cutRate: 1 }));
  expect(paused).toMatchObject({ action: 'paused', deliveries: [], beginsOutage: false });
});

const EVERYTHING = {
  lossRate: 0.1,
  duplicationRate: 0.1,
  jitterMs: 30,
  reorderRate: 0.1,
  cutRate: 0.01,
  outageMs: 50,
} satisfies Partial<DatagramSettings>;

test('plans the same for the same seed, and otherwise for another one', () => {
  const run = { count: 2_000 };
  expect(plans(EVERYTHING, { ...run, seed: 9 })).toEqual(plans(EVERYTHING, { ...run, seed: 9 }));
  expect(plans(EVERYTHING, { ...run, seed: 10 })).not.toEqual(plans(EVERYTHING, { ...run, seed: 9 }));
});

test('plans the two directions independently of each other', () => {
  const faults = { lossRate: 0.5 };
  const lost = (direction: RelayDirection): readonly boolean[] =>
    plans(faults, { direction }).map(({ action }) => action === 'lost');
  const [one, other] = [lost('toTarget'), lost('toSource')];
  // Of two independent ones at one half, a quarter is lost in both.
  expect(one.filter((isLost, index) => isLost && other[index]).length / COUNT).toBeCloseTo(0.25, 2);
});

test('gives the n-th datagram its fate whatever was set for those before: what 10 % lose, 20 % lose too', () => {
  const lost = (lossRate: number): ReadonlySet<number> =>
    new Set(
      plans({ ...EVERYTHING, cutRate: 0, lossRate }).flatMap(({ action, number }) =>
        action === 'lost' ? [number] : [],
      ),
    );
  const [few, many] = [lost(0.1), lost(0.2)];
  expect([...few].filter((number) => !many.has(number))).toEqual([]);
  const planner = createDatagramPlanner(1, 'toTarget');
  const late = Array.from({ length: 2_000 }, (_, index) => {
    const known = settings(index < 1_000 ? EVERYTHING : { lossRate: 0.1 });
    return planner.plan({ sizeBytes: 200, nowMs: index * 20, isPaused: index < 500 }, known).action;
  });
  expect(late.flatMap((action, index) => (action === 'lost' && index >= 1_000 ? [index] : []))).toEqual(
    [...few].filter((number) => number >= 1_000 && number < 2_000),
  );
});

test('does not make a datagram wait behind those of wider faults before', () => {
  const planner = createDatagramPlanner(1, 'toTarget');
  planner.plan({ sizeBytes: 1, nowMs: 0 }, settings({ delayMs: 60_000 }));
  expect(planner.plan({ sizeBytes: 1, nowMs: 1 }, settings({})).deliveries).toEqual([{ atMs: 1, copy: 0 }]);
});
