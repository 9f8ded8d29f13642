import type { CallTruth } from '../network/truth/index.js';
import type { NetworkPlan } from '../network/plan/index.js';
import type { FoundSoFar, SeenMessage } from '../network/world/index.js';
import type { OracleReport, RunFacts, SeenCall } from '../oracle/index.js';

/** A threshold of a scenario and what it was held against. */
export interface JudgedThreshold {
  readonly metric: string;
  /** As the scenario writes it: `rate==1`, `p(99)<20`. */
  readonly threshold: string;
  readonly isMet: boolean;
  /** The figure that it was held against, as text; `nothing was measured` where there was none. */
  readonly seen: string;
}

/**
 * Why a run ended: all calls of the plan are over; somebody stopped it by key or over HTTP; a signal came; its time was up; or a threshold with
 * `abortOnFail` was not met.
 */
export type RunEnd = 'plan' | 'stopped' | 'signal' | 'timeout' | 'threshold';

/**
 * What a run came to. `incomplete`: all that was seen is as it should be, and part of the plan was not carried out, of which nothing is proved.
 * `no-calls`: none was placed, so nothing is proved at all.
 */
export type RunVerdict = 'passed' | 'failed' | 'incomplete' | 'timeout' | 'no-calls';

/** How things stood at one instant of a run. Latencies are of the calls that ended since the one before, milliseconds. */
export interface RunSnapshot {
  /** From the beginning, milliseconds. */
  readonly atMs: number;
  readonly phase: string;
  /** What the plan was carried out with: 1 is as written, 0 is paused. */
  readonly rateFactor: number;
  /** Counts from the beginning. `wrong`: ended in another way than is true of them. */
  readonly placed: number;
  readonly unplaced: number;
  readonly ended: number;
  readonly wrong: number;
  /** Calls that are up now. */
  readonly up: number;
  /** Calls placed each second, since the snapshot before. */
  readonly placedPerSecond: number;
  /** From INVITE to final response. Absent: no call ended. */
  readonly setupMs?: LatencySummary;
  /** How long hops held INVITEs. */
  readonly heldMs?: LatencySummary;
  /** What the platform had found when it was last asked. Absent: there is none, or it has not been asked yet. */
  readonly found?: FoundSoFar;
}

/** Percentiles of a time, milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A call of which everything is shown, and why it was chosen. */
export interface SampledCall {
  readonly index: number;
  /** `failed`: the oracle has found something; `traced`: a traceback is about it; `example`: one of its kind. */
  readonly why: 'failed' | 'traced' | 'example';
  readonly truth: CallTruth;
  readonly seen: SeenCall;
  /** Messages of all its providers, in the order of their times. Empty where none were kept. */
  readonly messages: readonly SeenMessage[];
}

/** All that is known of a run when it is over: what every file of its folder is made from. */
export interface RunRecord {
  readonly plan: NetworkPlan;
  readonly facts: RunFacts;
  readonly oracle: OracleReport;
  readonly thresholds: readonly JudgedThreshold[];
  readonly end: RunEnd;
  readonly verdict: RunVerdict;
  readonly snapshots: readonly RunSnapshot[];
  readonly samples: readonly SampledCall[];
  /** What is true of a call of the plan, by its index. */
  readonly truthOf: (index: number) => CallTruth;
  /** The command that makes the same run again. */
  readonly command: string;
  /** Version of the harness. */
  readonly version: string;
}
