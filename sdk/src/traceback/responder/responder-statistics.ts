import type { BreakerState } from '../../records/stream/breaker.js';
import { lacksAnswer } from './responder-entry.js';
import type { EntryState, EntrySummary } from './responder-entry.js';
import type { Histogram, ProblemKind, ResponderStatistics } from './responder-contract.js';

/** Counts what a responder does. */
export interface ResponderCounts {
  received: number;
  repeats: number;
  cancelled: number;
  automatic: number;
  byPerson: number;
  amended: number;
  escalations: number;
  readonly failures: Record<ProblemKind, number>;
  readonly arms: Map<string, number>;
  readonly margin: HistogramCounts;
  readonly automaticMs: HistogramCounts;
}

/** A histogram that is being filled. */
export interface HistogramCounts {
  readonly observe: (value: number) => void;
  readonly read: () => Histogram;
}

/** Nothing has happened yet. */
export function createResponderCounts(): ResponderCounts {
  return {
    received: 0,
    repeats: 0,
    cancelled: 0,
    automatic: 0,
    byPerson: 0,
    amended: 0,
    escalations: 0,
    failures: {
      match: 0,
      evidence: 0,
      signing: 0,
      storage: 0,
      delivery: 0,
      receipt: 0,
      notify: 0,
      source: 0,
      inbox: 0,
    },
    arms: new Map(),
    margin: createHistogram([0, 900, 3_600, 14_400, 43_200, 86_400, 172_800]),
    automaticMs: createHistogram([10, 25, 50, 100, 250, 500, 1_000, 5_000, 60_000]),
  };
}

/** A histogram with the given upper bounds, and one for everything above. */
export function createHistogram(bounds: readonly number[]): HistogramCounts {
  const counts = [...bounds, Number.POSITIVE_INFINITY].map((le) => ({ le, count: 0 }));
  let [count, sum] = [0, 0];
  return {
    observe: (value) => {
      count += 1;
      sum += value;
      for (const bucket of counts) if (value <= bucket.le) bucket.count += 1;
    },
    read: () => ({ buckets: counts.map((bucket) => ({ ...bucket })), count, sum }),
  };
}

/** The figures as they stand. */
export function statisticsOf(
  counts: ResponderCounts,
  standing: {
    readonly summaries: Iterable<EntrySummary>;
    readonly nowMs: number;
    readonly breaker: BreakerState;
    readonly journalBytes: number;
    readonly openNotices: number;
  },
): ResponderStatistics {
  const requests: Record<EntryState, number> = {
    received: 0,
    review: 0,
    decided: 0,
    signed: 0,
    sent: 0,
    acknowledged: 0,
    blocked: 0,
    cancelled: 0,
  };
  let [backlog, overdue] = [0, 0];
  for (const { state, dueAtMs } of standing.summaries) {
    requests[state] += 1;
    if (!lacksAnswer(state)) continue;
    backlog += 1;
    if (dueAtMs < standing.nowMs) overdue += 1;
  }
  const { automatic, byPerson } = counts;
  const answers = automatic + byPerson;
  return {
    requests,
    backlog,
    overdue,
    received: counts.received,
    repeats: counts.repeats,
    cancelled: counts.cancelled,
    answersByArm: Object.fromEntries(counts.arms),
    automatic,
    byPerson,
    ...(answers === 0 ? {} : { automaticRate: automatic / answers }),
    amended: counts.amended,
    escalations: counts.escalations,
    deadlineMarginSeconds: counts.margin.read(),
    automaticAnswerMs: counts.automaticMs.read(),
    failures: { ...counts.failures },
    breaker: standing.breaker,
    journalBytes: standing.journalBytes,
    openNotices: standing.openNotices,
  };
}
