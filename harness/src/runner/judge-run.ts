import { checkThresholds, METRICS } from '../scenario/index.js';
import type { MetricTraits, ScenarioThreshold } from '../scenario/index.js';
import { MAX_FINDINGS } from '../oracle/index.js';
import type { Finding, OracleReport } from '../oracle/index.js';
import { rounded } from '../report/index.js';
import type { JudgedThreshold, RunEnd, RunVerdict } from '../report/index.js';

type Thresholds = Readonly<Record<string, readonly ScenarioThreshold[]>> | undefined;

/** Holds a run that is over against its thresholds. What could not be measured is not met. */
export function judgedThresholds(oracle: OracleReport, thresholds: Thresholds): readonly JudgedThreshold[] {
  return checkThresholds(oracle.metrics, thresholds).map(({ metric, threshold, status, value }) => ({
    metric,
    threshold,
    isMet: status === 'kept',
    seen: value === undefined ? 'nothing was measured' : rounded(value),
  }));
}

/** Thresholds that end a run while it goes on. */
export function abortingThresholds(thresholds: Thresholds): Thresholds {
  const metrics: Readonly<Record<string, MetricTraits | undefined>> = METRICS;
  const aborting = Object.entries(thresholds ?? {}).flatMap(([metric, held]) => {
    const some = held.filter((one) => typeof one !== 'string' && one.abortOnFail === true);
    return some.length === 0 || metrics[metric]?.isLive !== true ? [] : [[metric, some] as const];
  });
  return aborting.length === 0 ? undefined : Object.fromEntries(aborting);
}

/** The first threshold that ends the run now. */
export function brokenThreshold(oracle: OracleReport, thresholds: Thresholds, elapsedMs: number): string | undefined {
  const broken = checkThresholds(oracle.metrics, thresholds).find(
    ({ status, delayAbortSeconds }) => status === 'broken' && elapsedMs >= delayAbortSeconds * 1_000,
  );
  return broken === undefined ? undefined : `${broken.metric}: ${broken.threshold}`;
}

/** How much of a plan was carried out. */
export interface PlanProgress {
  readonly end: RunEnd;
  /** Calls that were to be placed, those that were, and those that were due while as many were up as may be. */
  readonly due: number;
  readonly placed: number;
  readonly skipped: number;
  readonly thresholds: Thresholds;
}

/**
 * What of a plan was not carried out. A scenario that holds `calls_unplaced` to something says itself how many of those that were due need not be placed;
 * of calls that were not due yet when somebody ended the run it says nothing.
 */
export function unfinishedPlan(progress: PlanProgress): Finding | undefined {
  const { end, due, placed, skipped, thresholds } = progress;
  const left = due - placed;
  if (left === 0 && end !== 'signal') return undefined;
  const byOthers = left - skipped;
  if (end === 'plan' && byOthers <= 0 && thresholds?.['calls_unplaced'] !== undefined) return undefined;
  const why = {
    stopped: 'somebody stopped the run',
    signal: 'a signal ended the run',
    timeout: 'the time of the run was up',
    threshold: 'a threshold that aborts ended the run',
    plan: [
      ...(skipped > 0 ? [`for ${skipped} too many others were up`] : []),
      ...(byOthers > 0 ? [`${byOthers} did not come from whoever was to place them`] : []),
    ].join(', and '),
  }[end];
  return {
    kind: 'incomplete',
    expected: `all ${due} calls of the plan are placed`,
    seen: `${placed} of ${due} calls were placed: ${why}`,
  };
}

/** What a run came to, and what it found with what it did not come to. */
export function withUnfinished(oracle: OracleReport, unfinished: Finding | undefined): OracleReport {
  if (unfinished === undefined) return oracle;
  const findings = [unfinished, ...oracle.findings].slice(0, MAX_FINDINGS);
  return { ...oracle, findings, findingsInAll: oracle.findingsInAll + 1 };
}

/** What a run came to. Without thresholds any finding fails it; one of which a part was not carried out has not passed. */
export function verdictOf(run: {
  readonly end: RunEnd;
  readonly placed: number;
  /** Calls that did not end: whatever thresholds say, they were not judged. */
  readonly hanging: number;
  readonly thresholds: readonly JudgedThreshold[];
  readonly oracle: OracleReport;
  readonly unfinished: Finding | undefined;
}): RunVerdict {
  const { end, placed, hanging, thresholds, oracle, unfinished } = run;
  if (end === 'timeout') return 'timeout';
  if (placed === 0) return end === 'signal' || end === 'stopped' ? 'incomplete' : 'no-calls';
  if (end === 'threshold' || hanging > 0) return 'failed';
  const isMet = thresholds.length > 0 ? thresholds.every((one) => one.isMet) : oracle.findingsInAll === 0;
  if (!isMet) return 'failed';
  return unfinished === undefined ? 'passed' : 'incomplete';
}

/** Exit codes, as SIPp has them where it has any; 3 is what `hopback` ends with where something could not be checked. */
export const EXIT_CODES: Readonly<Record<RunVerdict, 0 | 1 | 3 | 97 | 99>> = {
  passed: 0,
  failed: 1,
  incomplete: 3,
  timeout: 97,
  'no-calls': 99,
};
