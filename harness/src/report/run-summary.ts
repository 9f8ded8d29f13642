import { createHash } from 'node:crypto';
import type { Finding, Metric } from '../oracle/index.js';
import type { JudgedThreshold, RunEnd, RunRecord, RunVerdict } from './run-record.js';

/** Counts of a run that the seed decides. */
export interface SummaryCounts {
  readonly planned: number;
  readonly placed: number;
  readonly unplaced: number;
  /** Calls by final status; `none` where no final response came. */
  readonly byStatus: Readonly<Record<string, number>>;
  readonly tracebacks: number;
  readonly campaigns: number;
  readonly alerts: number;
}

/** A traceback of a summary: without ids and times, so that two runs can be compared. */
export interface SummaryTraceback {
  readonly callIndex: number;
  readonly state: string;
  readonly outcome?: string;
  readonly provider?: string;
}

/**
 * What is the same for the same scenario and seed, as long as the programs do the same: no times, ports, ids of the run or anything else that a
 * machine decides.
 */
export interface DeterministicSummary {
  readonly scenario: string;
  readonly seed: number;
  readonly providers: number;
  readonly counts: SummaryCounts;
  /** Metrics that are counts and rates. */
  readonly metrics: Readonly<Record<string, Exclude<Metric, { readonly kind: 'distribution' }>>>;
  /** Without ids of tracebacks. */
  readonly findings: readonly Omit<Finding, 'tracebackId'>[];
  readonly findingsInAll: number;
  readonly tracebacks: readonly SummaryTraceback[];
}

/** `summary.json` of a run's folder. Everything in it is plain JSON. */
export interface RunSummary {
  readonly format: 'hopback.run-summary.1';
  readonly version: string;
  readonly verdict: RunVerdict;
  readonly end: RunEnd;
  readonly deterministic: DeterministicSummary;
  /** SHA-256 of the canonical JSON of `deterministic`, hexadecimal: equal for runs that came to the same. */
  readonly digest: string;
  /** What was measured, and differs from run to run. */
  readonly measured: {
    readonly startedAt: string;
    readonly endedAt: string;
    readonly durationMs: number;
    readonly metrics: Readonly<Record<string, Extract<Metric, { readonly kind: 'distribution' }>>>;
    readonly thresholds: readonly JudgedThreshold[];
  };
  readonly command: string;
}

/** Rates that are judged over times, and so differ between runs that did the same, have no place here; none does today. */
const isSteady = (metric: Metric): metric is Exclude<Metric, { readonly kind: 'distribution' }> =>
  metric.kind !== 'distribution';

/** Makes the summary of a run. */
export function summaryOf(record: RunRecord): RunSummary {
  const { plan, facts, oracle, thresholds, verdict, end, version, command } = record;
  const metrics = Object.entries(oracle.metrics);
  const deterministic: DeterministicSummary = {
    ...{ scenario: plan.scenario.name, seed: plan.seed, providers: plan.providers.length, counts: countsOf(record) },
    metrics: Object.fromEntries(metrics.flatMap(([name, metric]) => (isSteady(metric) ? [[name, metric]] : []))),
    findings: oracle.findings.map(({ tracebackId: _, ...finding }) => finding),
    findingsInAll: oracle.findingsInAll,
    tracebacks: facts.tracebacks
      .map(
        ({ callIndex, state, outcome }): SummaryTraceback => ({
          ...{ callIndex, state },
          ...(outcome !== undefined && { outcome: outcome.kind }),
          ...(outcome?.provider !== undefined && { provider: outcome.provider }),
        }),
      )
      .toSorted((one, other) => one.callIndex - other.callIndex),
  };
  return {
    ...{ format: 'hopback.run-summary.1', version, verdict, end, deterministic, digest: digestOf(deterministic) },
    measured: {
      startedAt: new Date(facts.startedAtMs).toISOString(),
      endedAt: new Date(facts.endedAtMs).toISOString(),
      durationMs: Math.round(facts.endedAtMs - facts.startedAtMs),
      metrics: Object.fromEntries(
        metrics.flatMap(([name, metric]) => (metric.kind === 'distribution' ? [[name, metric]] : [])),
      ),
      thresholds,
    },
    command,
  };
}

function countsOf({ plan, facts }: RunRecord): SummaryCounts {
  const byStatus: Record<string, number> = {};
  let placed = 0;
  for (const { placedAtMs, finalStatus } of facts.calls) {
    if (placedAtMs === undefined) continue;
    placed += 1;
    const status = finalStatus === undefined ? 'none' : String(finalStatus);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  }
  const [planned, unplaced] = [plan.calls.length, plan.calls.length - placed];
  const { tracebacks, campaigns, alerts } = facts;
  return {
    ...{ planned, placed, unplaced, byStatus },
    ...{ tracebacks: tracebacks.length, campaigns: campaigns.length, alerts: alerts.length },
  };
}

function digestOf(value: DeterministicSummary): string {
  return createHash('sha256').update(JSON.stringify(sortedKeys(value))).digest('hex');
}

/** The same value with its members in the order of their names (RFC 8785 section 3.2.3). */
function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sortedKeys(member)]));
}
