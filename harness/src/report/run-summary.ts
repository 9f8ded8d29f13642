import type { Finding, Metric, MetricName, SeenTraceback } from '../oracle/index.js';
import { digestOf, planDigest } from './digests.js';
import type { JudgedThreshold, RunEnd, RunRecord, RunVerdict } from './run-record.js';

/** Counts of a run that the seed decides. */
export interface SummaryCounts {
  readonly planned: number;
  readonly placed: number;
  readonly unplaced: number;
  /** Calls by final status; `none` where no final response came. */
  readonly byStatus: Readonly<Record<string, number>>;
}

/** A traceback of a summary: without ids and times, so that two runs can be compared. */
export interface SummaryTraceback {
  readonly callIndex: number;
  readonly state: string;
  readonly outcome?: string;
  readonly provider?: string;
}

/** A finding of a summary: without ids, so that two runs can be compared. */
export type SummaryFinding = Omit<Finding, 'tracebackId'>;

/**
 * What is the same for the same scenario and seed, as long as the programs do the same: no times, ports, ids of the run or anything else that a
 * machine decides. Which calls the platform traces for its campaigns depends on what has come in by then: those tracebacks are in `measured`.
 */
export interface DeterministicSummary {
  readonly scenario: string;
  readonly seed: number;
  /** SHA-256 of the plan, hexadecimal: who exists and which calls are placed. What the run is held to is no part of it. */
  readonly planDigest: string;
  readonly providers: number;
  readonly counts: SummaryCounts;
  /** Counts and rates of calls, verdicts and records. */
  readonly metrics: Readonly<Record<string, Exclude<Metric, { readonly kind: 'distribution' }>>>;
  /** About calls, records, and tracebacks that somebody asked for. Empty where there were more findings than the oracle keeps. */
  readonly findings: readonly SummaryFinding[];
  /** Those that somebody asked for: the seed decides of which calls. */
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
    /** All that there were, those of `deterministic` among them. */
    readonly counts: { readonly tracebacks: number; readonly campaigns: number; readonly alerts: number };
    /** Times, and what depends on which calls the platform has traced and put into campaigns. */
    readonly metrics: Readonly<Record<string, Metric>>;
    /** Those that are not in `deterministic`. */
    readonly findings: readonly SummaryFinding[];
    /** How many findings there were in all. */
    readonly findingsInAll: number;
    /** Those that the platform began for a campaign. */
    readonly tracebacks: readonly SummaryTraceback[];
    readonly thresholds: readonly JudgedThreshold[];
  };
  readonly command: string;
}

/** What the platform traces by itself, and when it finds a campaign, has a part in all others. */
const STEADY_METRICS: ReadonlySet<string> = new Set<MetricName>([
  ...(['calls_placed', 'calls_unplaced', 'calls_wrong', 'verdict_accuracy'] as const),
  ...(['records_complete', 'records_streamed', 'troubles'] as const),
]);

/** What the seed does not decide: campaigns are of as many calls as came in before somebody looked, and who stops a run is no part of its plan. */
const MEASURED_FINDINGS: ReadonlySet<Finding['kind']> = new Set<Finding['kind']>(['campaign', 'alert', 'incomplete']);

/** Makes the summary of a run. */
export function summaryOf(record: RunRecord): RunSummary {
  const { facts, oracle, thresholds, verdict, end, version, command } = record;
  const deterministic = deterministicOf(record);
  const { tracebacks, campaigns, alerts } = facts;
  const isSteady = steadyFindings(record);
  return {
    ...{ format: 'hopback.run-summary.1', version, verdict, end, deterministic, digest: digestOf(deterministic) },
    measured: {
      startedAt: new Date(facts.startedAtMs).toISOString(),
      endedAt: new Date(facts.endedAtMs).toISOString(),
      durationMs: Math.round(facts.endedAtMs - facts.startedAtMs),
      counts: { tracebacks: tracebacks.length, campaigns: campaigns.length, alerts: alerts.length },
      metrics: Object.fromEntries(Object.entries(oracle.metrics).filter(([name]) => !STEADY_METRICS.has(name))),
      findings: oracle.findings.filter((finding) => !isSteady(finding)).map(withoutId),
      findingsInAll: oracle.findingsInAll,
      tracebacks: summaryTracebacks(tracebacks.filter(({ campaignId }) => campaignId !== undefined)),
      thresholds,
    },
    command,
  };
}

function deterministicOf(record: RunRecord): DeterministicSummary {
  const { plan, facts, oracle } = record;
  return {
    ...{ scenario: plan.scenario.name, seed: plan.seed, planDigest: planDigest(plan) },
    ...{ providers: plan.providers.length, counts: countsOf(record) },
    metrics: Object.fromEntries(
      Object.entries(oracle.metrics).flatMap(([name, metric]) =>
        STEADY_METRICS.has(name) && metric.kind !== 'distribution' ? [[name, metric]] : [],
      ),
    ),
    findings: oracle.findings.filter(steadyFindings(record)).map(withoutId),
    tracebacks: summaryTracebacks(facts.tracebacks.filter(({ campaignId }) => campaignId === undefined)),
  };
}

/** Which findings the seed decides. Where some were left out, others may have been in another run: then none are. */
function steadyFindings({ facts, oracle }: RunRecord): (finding: Finding) => boolean {
  if (oracle.findingsInAll > oracle.findings.length) return () => false;
  const ofCampaigns = new Set(
    facts.tracebacks.flatMap(({ tracebackId, campaignId }) => (campaignId === undefined ? [] : [tracebackId])),
  );
  return ({ kind, tracebackId }) =>
    !MEASURED_FINDINGS.has(kind) && (tracebackId === undefined || !ofCampaigns.has(tracebackId));
}

function summaryTracebacks(seen: readonly SeenTraceback[]): readonly SummaryTraceback[] {
  const tracebacks = seen.map(({ callIndex, state, outcome }): SummaryTraceback => ({
    ...{ callIndex, state },
    ...(outcome !== undefined && { outcome: outcome.kind }),
    ...(outcome?.provider !== undefined && { provider: outcome.provider }),
  }));
  // Two of one call are in the order of what they came to.
  const textOf = ({ state, outcome = '', provider = '' }: SummaryTraceback): string =>
    [state, outcome, provider].join(' ');
  return tracebacks.toSorted((one, other) => one.callIndex - other.callIndex || (textOf(one) < textOf(other) ? -1 : 1));
}

function withoutId({ kind, callIndex, provider, expected, seen }: Finding): SummaryFinding {
  return {
    ...{ kind, expected, seen },
    ...(callIndex !== undefined && { callIndex }),
    ...(provider !== undefined && { provider }),
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
  return { planned, placed, unplaced, byStatus };
}
