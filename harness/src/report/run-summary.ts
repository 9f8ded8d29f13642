import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { NetworkPlan } from '../network/plan/index.js';
import type { Finding, SeenTraceback } from '../oracle/index.js';
import { COUNT_METRIC, Metric, METRICS, RATE_METRIC } from '../scenario/index.js';
import type { MetricName, ReadonlyDeep } from '../scenario/index.js';
import type { RunRecord } from './run-record.js';

/** SHA-256 of the canonical JSON of a value, hexadecimal. */
function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/**
 * SHA-256 of what a plan has somebody do, hexadecimal: who exists, and which calls are placed when and by which way. Why anybody would run it, and what the
 * run is held to, are no part of it.
 */
function planDigest({ scenario, calls, ...network }: NetworkPlan): string {
  const setting = { ...scenario, why: undefined, thresholds: undefined };
  const hash = createHash('sha256').update(canonicalJson({ ...network, setting }));
  // A million calls are more text than one string can be.
  for (const call of calls) hash.update(canonicalJson(call));
  return hash.digest('hex');
}

const canonicalJson = (value: unknown): string => JSON.stringify(sortedKeys(value));

/** The same value with its members in the order of their names (RFC 8785 section 3.2.3). */
function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sortedKeys(member)]));
}

const word = z.string().max(200);
const text = z.string().max(4_000);
const count = z.number().int().nonnegative();
/** SHA-256, hexadecimal. */
const digest = z.string().length(64);
/** -1: a traceback of a call that the plan does not have. */
const placeInPlan = z.int().min(-1);

/** Findings without ids, so that two runs can be compared. */
const findingList = z
  .array(
    z.object({
      kind: z.enum([
        ...(['incomplete', 'call-outcome', 'verdict', 'record', 'stream', 'answer', 'traceback'] as const),
        ...(['accusation', 'campaign', 'alert', 'trouble'] as const),
      ]),
      callIndex: z.exactOptional(placeInPlan),
      provider: z.exactOptional(word),
      expected: text,
      seen: text,
    }),
  )
  .max(1_000);

/** Tracebacks without ids and times, so that two runs can be compared. */
const tracebackList = z
  .array(
    z.object({ callIndex: placeInPlan, state: word, outcome: z.exactOptional(word), provider: z.exactOptional(word) }),
  )
  .max(100_000);

/** The schema of `summary.json` of a run's folder; members that it does not know are left out. */
export const RunSummary = z.object({
  format: z.literal('hopback.run-summary.1'),
  version: word,
  verdict: z.enum(['passed', 'failed', 'incomplete', 'timeout', 'no-calls']),
  end: z.enum(['plan', 'stopped', 'signal', 'timeout', 'threshold']),
  /**
   * What is the same for the same scenario and seed, as long as the programs do the same: no times, ports, ids of the run or anything else that a
   * machine decides. Which calls the platform traces for its campaigns depends on what has come in by then: those tracebacks are in `measured`.
   */
  deterministic: z.object({
    scenario: word,
    seed: count,
    /** Of the plan: who exists and which calls are placed. What the run is held to is no part of it. */
    planDigest: digest,
    providers: count,
    counts: z.object({
      planned: count,
      placed: count,
      unplaced: count,
      /** Calls by final status; `none` where no final response came. */
      byStatus: z.record(z.string(), count),
    }),
    /** Counts and rates of calls, verdicts and records. */
    metrics: z.record(z.string(), z.discriminatedUnion('kind', [COUNT_METRIC, RATE_METRIC])),
    /** About calls, records, and tracebacks that somebody asked for. Empty where there were more findings than the oracle keeps. */
    findings: findingList,
    /** Those that somebody asked for: the seed decides of which calls. */
    tracebacks: tracebackList,
  }),
  /** Of the canonical JSON of `deterministic`: equal for runs that came to the same. */
  digest,
  /** What was measured, and differs from run to run. */
  measured: z.object({
    startedAt: word,
    endedAt: word,
    durationMs: count,
    /** All that there were, those of `deterministic` among them. */
    counts: z.object({ tracebacks: count, campaigns: count, alerts: count }),
    /** Times, and what depends on which calls the platform has traced and put into campaigns. */
    metrics: z.record(z.string(), Metric),
    /** Those that are not in `deterministic`. */
    findings: findingList,
    /** How many findings there were in all. */
    findingsInAll: count,
    /** Those that the platform began for a campaign. */
    tracebacks: tracebackList,
    thresholds: z.array(z.object({ metric: word, threshold: word, isMet: z.boolean(), seen: text })).max(1_000),
  }),
  command: text,
});

/** `summary.json` of a run's folder. Everything in it is plain JSON. */
export type RunSummary = ReadonlyDeep<z.output<typeof RunSummary>>;
type DeterministicSummary = RunSummary['deterministic'];
/** A finding of a summary. */
export type SummaryFinding = DeterministicSummary['findings'][number];
type SummaryTraceback = DeterministicSummary['tracebacks'][number];

const isSteadyMetric = (name: string): boolean => METRICS[name as MetricName].isSteady === true;

/** What the seed does not decide: campaigns are of as many calls as came in before somebody looked, and who stops a run is no part of its plan. */
const MEASURED_FINDINGS: ReadonlySet<Finding['kind']> = new Set<Finding['kind']>(['campaign', 'alert', 'incomplete']);

/** Makes the summary of a run. */
export function summaryOf(record: RunRecord): RunSummary {
  const { facts, oracle, thresholds, verdict, end, version, command } = record;
  const deterministic = deterministicOf(record);
  const { tracebacks, campaigns, alerts } = facts;
  const isSteady = steadyFindings(record);
  return {
    format: 'hopback.run-summary.1',
    version,
    verdict,
    end,
    deterministic,
    digest: digestOf(deterministic),
    measured: {
      startedAt: new Date(facts.startedAtMs).toISOString(),
      endedAt: new Date(facts.endedAtMs).toISOString(),
      durationMs: Math.round(facts.endedAtMs - facts.startedAtMs),
      counts: { tracebacks: tracebacks.length, campaigns: campaigns.length, alerts: alerts.length },
      metrics: Object.fromEntries(Object.entries(oracle.metrics).filter(([name]) => !isSteadyMetric(name))),
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
    scenario: plan.scenario.name,
    seed: plan.seed,
    planDigest: planDigest(plan),
    providers: plan.providers.length,
    counts: countsOf(record),
    metrics: Object.fromEntries(
      Object.entries(oracle.metrics).flatMap(([name, metric]) =>
        isSteadyMetric(name) && metric.kind !== 'distribution' ? [[name, metric]] : [],
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
    callIndex,
    state,
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
    kind,
    expected,
    seen,
    ...(callIndex !== undefined && { callIndex }),
    ...(provider !== undefined && { provider }),
  };
}

function countsOf({ plan, facts }: RunRecord): DeterministicSummary['counts'] {
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

/** A summary that was read back, or why it is none. */
export type ReadRunSummary =
  { readonly status: 'read'; readonly summary: RunSummary } | { readonly status: 'unreadable'; readonly why: string };

/**
 * Reads `summary.json` of a run's folder.
 * @param json - text of the file
 * @returns the summary, or what is wrong with it; never throws
 * @see {@link diffRuns}
 * @example
 * ```ts
 * console.log(readRunSummary('not a summary').status); // unreadable
 * ```
 */
export function readRunSummary(json: string): ReadRunSummary {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { status: 'unreadable', why: 'it is not JSON' };
  }
  const read = RunSummary.safeParse(value);
  if (read.success) return { status: 'read', summary: read.data };
  const [issue] = read.error.issues;
  return { status: 'unreadable', why: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a summary'}` };
}

/** The JSON Schema of `summary.json`, draft 2020-12: `docs/run-summary.schema.json` is it. */
export function runSummaryJsonSchema(): object {
  return z.toJSONSchema(RunSummary);
}
