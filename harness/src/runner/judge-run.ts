import { checkThresholds } from '../scenario/index.js';
import type { ScenarioThreshold } from '../scenario/index.js';
import type { OracleReport } from '../oracle/index.js';
import { rounded } from '../report/index.js';
import type { JudgedThreshold, RunEnd, RunVerdict } from '../report/index.js';

/** Metrics that are known while calls go on; the others are when all is over. */
const LIVE_METRICS: ReadonlySet<string> = new Set([
  ...[
    'calls_placed',
    'calls_unplaced',
    'calls_answered',
    'calls_unavailable',
    'calls_wrong',
    'call_setup_ms',
    'verify_latency_ms',
    'verdict_accuracy',
  ],
]);

type Thresholds = Readonly<Record<string, readonly ScenarioThreshold[]>> | undefined;

/** Holds a run that is over against its thresholds. What could not be measured is not met. */
export function judgedThresholds(oracle: OracleReport, thresholds: Thresholds): readonly JudgedThreshold[] {
  return checkThresholds(oracle.metrics, thresholds).map(({ metric, threshold, status, value }) => ({
    ...{ metric, threshold, isMet: status === 'kept' },
    seen: value === undefined ? 'nothing was measured' : rounded(value),
  }));
}

/** Thresholds that end a run while it goes on. */
export function abortingThresholds(thresholds: Thresholds): Thresholds {
  const aborting = Object.entries(thresholds ?? {}).flatMap(([metric, held]) => {
    const some = held.filter((one) => typeof one !== 'string' && one.abortOnFail === true);
    return some.length === 0 || !LIVE_METRICS.has(metric) ? [] : [[metric, some] as const];
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

/** What a run came to. Without thresholds any finding fails it; one that a signal ended proves nothing. */
export function verdictOf(run: {
  readonly end: RunEnd;
  readonly placed: number;
  /** Calls that did not end: whatever thresholds say, they were not judged. */
  readonly hanging: number;
  readonly thresholds: readonly JudgedThreshold[];
  readonly oracle: OracleReport;
}): RunVerdict {
  const { end, placed, hanging, thresholds, oracle } = run;
  if (end === 'timeout') return 'timeout';
  if (placed === 0) return 'no-calls';
  if (end === 'signal' || end === 'threshold' || hanging > 0) return 'failed';
  const isMet = thresholds.length > 0 ? thresholds.every((one) => one.isMet) : oracle.findingsInAll === 0;
  return isMet ? 'passed' : 'failed';
}

/** Exit codes, as SIPp has them where it has any. */
export const EXIT_CODES: Readonly<Record<RunVerdict, 0 | 1 | 97 | 99>> = {
  passed: 0,
  failed: 1,
  timeout: 97,
  'no-calls': 99,
};
