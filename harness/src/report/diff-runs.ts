import { MAX_FINDINGS } from '../oracle/index.js';
import { METRICS } from '../scenario/index.js';
import type { Metric, MetricTraits } from '../scenario/index.js';
import { metricText } from './run-record.js';
import type { RunSummary, SummaryFinding } from './run-summary.js';
import { findingText } from './test-results.js';

/** A metric that is not the same in both runs. */
export interface MetricChange {
  readonly metric: string;
  readonly before: string;
  readonly after: string;
  /** `other`: neither is worse than the other, or nobody can say. */
  readonly change: 'better' | 'worse' | 'other';
}

/** What is not the same in two runs. */
export interface RunDiff {
  /** Whether both carried out the same plan: if not, the rest compares what cannot well be compared. */
  readonly isSamePlan: boolean;
  /** What each has carried out, in words. */
  readonly plan: { readonly before: string; readonly after: string };
  /** Whether the deterministic parts are equal to the last digit. */
  readonly isSame: boolean;
  readonly verdict: { readonly before: string; readonly after: string };
  readonly metrics: readonly MetricChange[];
  readonly thresholds: readonly {
    readonly name: string;
    readonly before: string;
    readonly after: string;
  }[];
  /** Findings that the seed decides and only the later run has, and that only the earlier one has, in words. The others count in metrics. */
  readonly newFindings: readonly string[];
  readonly goneFindings: readonly string[];
  /** The later run failed where the earlier passed, a rate or count is worse, or there is a finding that was not there. */
  readonly isWorse: boolean;
}

/**
 * Compares two runs. Times are told, and make nothing worse: they differ from run to run.
 * @param before - summary of the earlier run
 * @param after - summary of the later one
 * @returns what is not the same, and whether the later run is worse; never throws
 * @see {@link readRunSummary}
 * @example
 * ```ts
 * const summary = (text: string) => {
 *   const read = readRunSummary(text);
 *   return read.status === 'read' ? read.summary : undefined;
 * };
 * const [before, after] = [summary('{}'), summary('{}')];
 * console.log(before !== undefined && after !== undefined && diffRuns(before, after).isWorse); // false
 * ```
 */
export function diffRuns(before: RunSummary, after: RunSummary): RunDiff {
  const [one, other] = [before.deterministic, after.deterministic];
  const metrics = metricChanges(before, after);
  // Of more than are kept no list is whole: then their number says which run is worse.
  const isCut = [before, after].some(({ measured }) => measured.findingsInAll > MAX_FINDINGS);
  const newFindings = isCut ? [] : without(other.findings, one.findings);
  const hasMore = isCut && after.measured.findingsInAll > before.measured.findingsInAll;
  const verdict = { before: before.verdict, after: after.verdict };
  const hasFallen = before.verdict === 'passed' && after.verdict !== 'passed';
  return {
    isSamePlan: one.planDigest === other.planDigest,
    plan: { before: planText(one), after: planText(other) },
    isSame: before.digest === after.digest,
    verdict,
    metrics,
    newFindings,
    thresholds: thresholdChanges(before, after),
    goneFindings: isCut ? [] : without(one.findings, other.findings),
    isWorse: hasFallen || hasMore || newFindings.length > 0 || metrics.some(({ change }) => change === 'worse'),
  };
}

function metricChanges(before: RunSummary, after: RunSummary): readonly MetricChange[] {
  const all = (summary: RunSummary): Readonly<Record<string, Metric | undefined>> => ({
    ...summary.deterministic.metrics,
    ...summary.measured.metrics,
  });
  const [old, now] = [all(before), all(after)];
  const traits: Readonly<Record<string, MetricTraits | undefined>> = METRICS;
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((metric): readonly MetricChange[] => {
    const [one, other] = [old[metric], now[metric]];
    const texts = [one, other].map((value) => (value === undefined ? 'not measured' : metricText(value)));
    const [was = '', is = ''] = texts;
    if (was === is) return [];
    return [{ metric, before: was, after: is, change: changeOf(one, other, traits[metric]?.better) }];
  });
}

function changeOf(
  one: Metric | undefined,
  other: Metric | undefined,
  better: MetricTraits['better'],
): MetricChange['change'] {
  if (one === undefined || other === undefined || better === undefined) return 'other';
  if (isOfSomething(one) && !isOfSomething(other)) return 'worse';
  const [was, is] = [figureOf(one), figureOf(other)];
  if (was === undefined || is === undefined || was === is) return 'other';
  return is > was === (better === 'more') ? 'better' : 'worse';
}

/** Where there is nothing any more of which something could be right, that is no progress. */
const isOfSomething = (metric: Metric): boolean => metric.kind !== 'rate' || metric.of > 0;

function figureOf(metric: Metric): number | undefined {
  if (metric.kind === 'count') return metric.count;
  return metric.kind === 'rate' ? metric.value : undefined;
}

function thresholdChanges(before: RunSummary, after: RunSummary): RunDiff['thresholds'] {
  const held = ({ measured }: RunSummary): ReadonlyMap<string, string> =>
    new Map(
      measured.thresholds.map(({ metric, threshold, isMet, seen }) => [
        `${metric} ${threshold}`,
        `${isMet ? 'met' : 'not met'} (${seen})`,
      ]),
    );
  const [old, now] = [held(before), held(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const [was = 'not asked', is = 'not asked'] = [old.get(name), now.get(name)];
    return was.startsWith('met') === is.startsWith('met') && was !== 'not asked' && is !== 'not asked'
      ? []
      : [{ name, before: was, after: is }];
  });
}

function without(these: readonly SummaryFinding[], those: readonly SummaryFinding[]): readonly string[] {
  const known = new Set(those.map(findingText));
  return these.map(findingText).filter((text) => !known.has(text));
}

/** A plan in a few words; two that say the same are told apart by the digest. */
const planText = ({ scenario, seed, providers, counts, planDigest }: RunSummary['deterministic']): string =>
  `${scenario}, seed ${seed}, ${providers} providers, ${counts.planned} calls (${planDigest.slice(0, DIGITS)})`;

/** Digits of a digest that a person compares. */
const DIGITS = 12;

/** A comparison in lines for people. */
export function diffText(diff: RunDiff): readonly string[] {
  const { isSamePlan, plan, isSame, verdict, metrics, thresholds, newFindings, goneFindings, isWorse } = diff;
  if (isSame && metrics.every(({ change }) => change === 'other') && thresholds.length === 0) {
    return ['Both runs had the same results; only times, and what depends on them, differ.', ...measuredOf(metrics)];
  }
  const marks = { better: '+', worse: '-', other: ' ' } as const;
  return [
    ...(isSamePlan
      ? []
      : [
          'The two runs had different plans, so they are not directly comparable.',
          `  before: ${plan.before}`,
          `  after:  ${plan.after}`,
        ]),
    `verdict: ${verdict.before} -> ${verdict.after}`,
    ...metrics.map(({ metric, before, after, change }) => `${marks[change]} ${metric}: ${before} -> ${after}`),
    ...thresholds.map(({ name, before, after }) => `  threshold ${name}: ${before} -> ${after}`),
    ...listed(`${newFindings.length} new findings`, newFindings, '-'),
    ...listed(`${goneFindings.length} findings are gone`, goneFindings, '+'),
    isWorse ? 'The later run is worse.' : 'The later run is not worse.',
  ];
}

/** Findings that a terminal shows of each list. */
const SHOWN = 50;

function listed(title: string, texts: readonly string[], mark: string): readonly string[] {
  if (texts.length === 0) return [];
  const more = texts.length > SHOWN ? [`  and ${texts.length - SHOWN} more`] : [];
  return [`${title}:`, ...texts.slice(0, SHOWN).map((text) => `${mark} ${text}`), ...more];
}

function measuredOf(metrics: readonly MetricChange[]): readonly string[] {
  return metrics.map(({ metric, before, after }) => `  ${metric}: ${before} -> ${after}`);
}
