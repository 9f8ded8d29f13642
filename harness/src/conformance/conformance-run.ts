import type { CaseGroup } from './case.js';
import type { TargetKind } from './targets/target.js';

/** What one case found. */
export interface CaseResult {
  readonly number: string;
  readonly title: string;
  readonly group: CaseGroup;
  readonly level: 'must' | 'should';
  /** The text that decides. */
  readonly source: string;
  readonly status: 'pass' | 'fail' | 'not-applicable';
  /** Why it failed or is not applicable. */
  readonly reason?: string;
  /** What the service answered, in a few words. */
  readonly said?: string;
  readonly durationMs: number;
}

/** Results by kind. */
export interface RunCounts {
  readonly pass: number;
  /** Cases of level must that failed. */
  readonly fail: number;
  /** Cases of level should that failed: the service conforms nevertheless. */
  readonly departs: number;
  readonly notApplicable: number;
}

/** What a service was found to be; the content of `summary.json`. */
export interface ConformanceRun {
  readonly version: 1;
  readonly target: {
    readonly kind: TargetKind;
    readonly url: string;
    /** Name of the service, for the head of a column. */
    readonly name: string;
  };
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** False where the time for the whole run was over before its end: what is not there was not asked. */
  readonly isComplete: boolean;
  readonly counts: RunCounts;
  /** By number. */
  readonly results: readonly CaseResult[];
}

/** A run, or why there was none. */
export type ConformanceOutcome =
  | { readonly status: 'ran'; readonly run: ConformanceRun }
  /** Nobody answered the first call. */
  | { readonly status: 'no-answer'; readonly said: string }
  | { readonly status: 'no-cases' };

/** Counts results. */
export function countsOf(results: readonly CaseResult[]): RunCounts {
  const count = (fits: (result: CaseResult) => boolean): number => results.filter(fits).length;
  return {
    pass: count(({ status }) => status === 'pass'),
    fail: count(({ status, level }) => status === 'fail' && level === 'must'),
    departs: count(({ status, level }) => status === 'fail' && level === 'should'),
    notApplicable: count(({ status }) => status === 'not-applicable'),
  };
}
