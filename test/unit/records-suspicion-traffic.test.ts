import { expect, test } from 'vitest';
import { SharingPolicy, DEFAULT_SHARING_POLICY } from '../../sdk/src/records/redaction/sharing-policy.js';
import { SuspicionTracker } from '../../sdk/src/records/suspicion/suspicion-tracker.js';
import type { JudgedRecord } from '../../sdk/src/records/suspicion/suspicion.js';
import {
  CAMPAIGN_KINDS,
  LABELLED_AREAS,
  LABELLED_DO_NOT_ORIGINATE,
  labelledTraffic,
  ORDINARY_KINDS,
} from '../support/labelled-traffic.js';
import type { LabelledCall, TrafficKind } from '../support/labelled-traffic.js';

// The policy was set with the days of other seeds in view; these it has not seen. The traffic is of our own making all the same: the
// figures say that the signals do what they are for, not how a real network would fare.
const SEEDS = [31, 32, 33];

interface Tally {
  calls: number;
  watch: number;
  suspicious: number;
}

/** Judges days of calls, each by a tracker of its own, and prints how many of each kind were found. */
function tally(title: string, seenAs: (call: LabelledCall) => JudgedRecord) {
  const kinds = new Map<TrafficKind, Tally>();
  for (const calls of days) {
    const tracker = new SuspicionTracker({ allocated: LABELLED_AREAS, doNotOriginate: LABELLED_DO_NOT_ORIGINATE });
    for (const call of calls) {
      const { level } = tracker.judge(seenAs(call));
      const of = kinds.get(call.kind) ?? { calls: 0, watch: 0, suspicious: 0 };
      of.calls += 1;
      if (level !== 'none') of[level] += 1;
      kinds.set(call.kind, of);
    }
  }
  const share = (kind: TrafficKind, level: 'watch' | 'suspicious'): number => {
    const { calls = 1, watch = 0, suspicious = 0 } = kinds.get(kind) ?? {};
    return (level === 'watch' ? watch + suspicious : suspicious) / calls;
  };
  const sum = (names: readonly TrafficKind[], member: keyof Tally): number =>
    names.reduce((total, kind) => total + (kinds.get(kind)?.[member] ?? 0), 0);
  const found = sum(CAMPAIGN_KINDS, 'suspicious');
  const accused = sum(ORDINARY_KINDS, 'suspicious');
  const figures = {
    precision: found / (found + accused),
    recall: found / sum(CAMPAIGN_KINDS, 'calls'),
    falseAlarms: accused / sum(ORDINARY_KINDS, 'calls'),
  };
  process.stdout.write(
    `${title}, seeds ${SEEDS.join(', ')}: ${JSON.stringify({ ...figures, ...Object.fromEntries(kinds) })}\n`,
  );
  return { share, ...figures };
}

const days = SEEDS.map((seed) => labelledTraffic(seed));

test('finds campaigns among ordinary traffic, and says what it misses', { timeout: 60_000 }, () => {
  const result = tally('as the carrier sees its own records', ({ record }) => record);
  expect(result.precision).toBeGreaterThan(0.93);
  expect(result.recall).toBeGreaterThan(0.6);
  expect(result.falseAlarms).toBeLessThan(0.01);
  for (const kind of ['do-not-originate', 'invalid'] as const) expect(result.share(kind, 'suspicious')).toBe(1);
  for (const kind of ['blast', 'sequential', 'replay'] as const) {
    expect([kind, result.share(kind, 'suspicious') > 0.7]).toEqual([kind, true]);
  }
  for (const kind of ['neighbour', 'snowshoe'] as const) {
    expect([kind, result.share(kind, 'watch') > 0.6]).toEqual([kind, true]);
  }
  // Ordinary callers who do what campaigns do.
  for (const kind of ['household', 'business', 'school', 'call-centre', 'reminder', 'foreign', 'anonymous'] as const) {
    expect([kind, result.share(kind, 'suspicious') < 0.015]).toEqual([kind, true]);
  }
  // What it cannot find, so that nobody believes otherwise: each number once, through a large carrier, answered like others.
  expect(result.share('hidden-in-a-large-carrier', 'suspicious')).toBeLessThan(0.05);
});

test(
  'finds most of them in pseudonymous records too, where rows of called numbers cannot be seen',
  { timeout: 60_000 },
  () => {
    const data = { ...DEFAULT_SHARING_POLICY, share: 'all-pseudonymous' as const };
    const policy = new SharingPolicy({
      // Calling numbers as the policy for suspicious calls has them, which a platform needs for lists and plan.
      data: { ...data, members: { ...data.members, 'all-pseudonymous': data.members.suspicious } },
      key: new Uint8Array(32).fill(9),
      rotationId: '2026-09',
      tenantId: 'carrier-1',
    });
    const result = tally('as the platform sees them, pseudonymous', ({ record }) => {
      const outcome = policy.share(record, undefined);
      return outcome.status === 'shared' ? outcome.record : record;
    });
    expect(result.precision).toBeGreaterThan(0.93);
    expect(result.recall).toBeGreaterThan(0.5);
    expect(result.share('sequential', 'suspicious')).toBeLessThan(0.75);
  },
);
