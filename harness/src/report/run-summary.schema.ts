import { z } from 'zod';
import type { RunSummary } from './run-summary.js';

const name = z.string().max(200);
const text = z.string().max(4_000);
const count = z.number().int().nonnegative();
const digest = z.string().length(64);

const countMetric = z.object({ kind: z.literal('count'), count });
const rateMetric = z.object({ kind: z.literal('rate'), good: count, of: count, value: z.number() });
const distributionMetric = z.object({
  kind: z.literal('distribution'),
  count,
  min: z.number(),
  mean: z.number(),
  max: z.number(),
  percentiles: z.object({
    '50': z.number(),
    '90': z.number(),
    '95': z.number(),
    '99': z.number(),
    '99.9': z.number(),
  }),
});

/** -1: a traceback of a call that the plan does not have. */
const callIndex = z.int().min(-1);

const finding = z.object({
  kind: z.enum([
    ...(['incomplete', 'call-outcome', 'verdict', 'record', 'stream', 'answer', 'traceback'] as const),
    ...(['accusation', 'campaign', 'alert', 'trouble'] as const),
  ]),
  callIndex: z.exactOptional(callIndex),
  provider: z.exactOptional(name),
  expected: text,
  seen: text,
});

const findings = z.array(finding).max(1_000);
const tracebacks = z
  .array(z.object({ callIndex, state: name, outcome: z.exactOptional(name), provider: z.exactOptional(name) }))
  .max(100_000);

const threshold = z.object({ metric: name, threshold: name, isMet: z.boolean(), seen: text });

/** `summary.json`, as {@link RunSummary} describes it; members that it does not know are left out. */
export const RUN_SUMMARY_SCHEMA: z.ZodType<RunSummary> = z.object({
  format: z.literal('hopback.run-summary.1'),
  version: name,
  verdict: z.enum(['passed', 'failed', 'incomplete', 'timeout', 'no-calls']),
  end: z.enum(['plan', 'stopped', 'signal', 'timeout', 'threshold']),
  deterministic: z.object({
    scenario: name,
    seed: count,
    planDigest: digest,
    providers: count,
    counts: z.object({
      planned: count,
      placed: count,
      unplaced: count,
      byStatus: z.record(z.string(), count),
    }),
    metrics: z.record(z.string(), z.discriminatedUnion('kind', [countMetric, rateMetric])),
    findings,
    tracebacks,
  }),
  digest,
  measured: z.object({
    startedAt: name,
    endedAt: name,
    durationMs: count,
    counts: z.object({ tracebacks: count, campaigns: count, alerts: count }),
    metrics: z.record(z.string(), z.discriminatedUnion('kind', [countMetric, rateMetric, distributionMetric])),
    findings,
    findingsInAll: count,
    tracebacks,
    thresholds: z.array(threshold).max(1_000),
  }),
  command: text,
});

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
  const read = RUN_SUMMARY_SCHEMA.safeParse(value);
  if (read.success) return { status: 'read', summary: read.data };
  const [issue] = read.error.issues;
  return { status: 'unreadable', why: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a summary'}` };
}

/** The JSON Schema of `summary.json`, draft 2020-12: `docs/run-summary.schema.json` is it. */
export function runSummaryJsonSchema(): object {
  return z.toJSONSchema(RUN_SUMMARY_SCHEMA);
}
