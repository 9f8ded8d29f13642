import { createSeededRandom } from '../../harness/src/faults/index.js';
import type { AppReport } from '../../sdk/src/platform/index.js';
import type { CallRecord } from '../../sdk/src/records/index.js';
import { ANSWERED_WAY, SILENT_WAY, storyRecord, storyReport } from './itg-story-calls.js';
import type { StoryCall, StoryName } from './itg-story-calls.js';
import { ssaScript } from './itg-story-steps.js';

// The truth about a campaign: which calls were placed, and which records and reports of them arrive. Nothing here joins anything: each record and
// report is made of a planned call, so that it is known whose it is.

/** A planned call with what arrives of it. */
export interface PlannedEvidence {
  readonly call: StoryCall;
  /** Seconds talked; undefined where nobody answered. */
  readonly seconds: number | undefined;
  /** Carriers whose record of it arrives. */
  readonly recordedBy: readonly StoryName[];
  readonly isReported: boolean;
}

/** Carriers of the plan that share records. */
export const SHARING: readonly StoryName[] = ['alder', 'birch', 'cedar', 'grove'];

/** A call of the campaign every five seconds; every eighth is the call before it placed again, forty seconds later. */
export function planEvidence(seed: number, count: number, fromMs: number): readonly PlannedEvidence[] {
  const random = createSeededRandom(seed, 'call-counts');
  const planned: PlannedEvidence[] = [];
  for (let index = 0; index < count; index += 1) {
    const before = index % 8 === 7 ? planned.at(-1) : undefined;
    const exchange = `1512${String(300 + index)}`;
    const way = index % 2 === 0 ? ANSWERED_WAY : SILENT_WAY;
    const call: StoryCall = {
      index,
      way: before?.call.way ?? way,
      // A number of the exchange that is called.
      called: before?.call.called ?? `${exchange}${String(2_000 + random.int(900))}`,
      calling: before?.call.calling ?? `${exchange}${String(4_000 + random.int(900))}`,
      atMs: before === undefined ? fromMs + index * 5_000 : before.call.atMs + 40_000,
    };
    const isReported = random.chance(0.4);
    const recordedBy = call.way.filter((name) => SHARING.includes(name) && random.chance(0.7));
    // Most of those who answer hang up at once, as people do on recordings.
    const seconds = random.chance(0.8) ? 1 + random.int(5) : 8 + random.int(15);
    planned.push({ call, isReported, recordedBy, seconds: isReported ? seconds : undefined });
  }
  return planned;
}

/** The record that a carrier has of a planned call; undefined where the call did not come by. */
export function plannedRecord({ call, seconds }: PlannedEvidence, at: StoryName): CallRecord | undefined {
  const record = storyRecord(call, at);
  if (record === undefined) return undefined;
  const { answeredAtUs = 0, ...rest } = record;
  return seconds === undefined
    ? { ...rest, endedAtUs: rest.inviteAtUs + 20_000_000, disposition: 'no-answer' }
    : { ...record, endedAtUs: answeredAtUs + seconds * 1_000_000 };
}

/** The report of a planned call, as a telephone whose clock is some seconds off makes it. */
export function plannedReport({ call, seconds }: PlannedEvidence): AppReport {
  const report = storyReport(call, ssaScript('800 555 0147'));
  const calledAt = new Date(call.atMs - 7_000 + (call.index % 5) * 4_000).toISOString();
  return { ...report, calledAt, ...(seconds !== undefined && { durationSeconds: seconds }) };
}

/** What a plan comes to, counted by the calls that were placed. */
export interface CallTruth {
  readonly calls: number;
  readonly carrierRecords: number;
  readonly appReports: number;
  readonly recorded: number;
  readonly reported: number;
  readonly both: number;
  readonly notAnswered: number;
}

/** Counts calls of which something arrived. */
export function countTruth(planned: readonly PlannedEvidence[]): CallTruth {
  const observed = planned.filter(({ recordedBy, isReported }) => recordedBy.length > 0 || isReported);
  const of = (fits: (one: PlannedEvidence) => boolean): number => observed.filter(fits).length;
  return {
    calls: observed.length,
    carrierRecords: observed.reduce((total, { recordedBy }) => total + recordedBy.length, 0),
    appReports: of(({ isReported }) => isReported),
    recorded: of(({ recordedBy }) => recordedBy.length > 0),
    reported: of(({ isReported }) => isReported),
    both: of(({ recordedBy, isReported }) => recordedBy.length > 0 && isReported),
    notAnswered: of(({ seconds }) => seconds === undefined),
  };
}
