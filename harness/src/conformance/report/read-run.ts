import { z } from 'zod';
import { CASE_GROUPS } from '../case.js';
import type { CaseResult, ConformanceRun } from '../conformance-run.js';
import { TARGET_KINDS } from '../targets/target.js';

const shortText = z.string().max(4_096);
const count = z.int().min(0);

const result: z.ZodType<CaseResult> = z.object({
  number: z.string().regex(/^[VS]-\d{3}$/),
  title: shortText,
  group: z.enum(CASE_GROUPS),
  level: z.enum(['must', 'should']),
  source: shortText,
  status: z.enum(['pass', 'fail', 'not-applicable']),
  reason: z.exactOptional(shortText),
  said: z.exactOptional(shortText),
  durationMs: z.number().min(0),
});

/** What `summary.json` has to be. */
const conformanceRunSchema: z.ZodType<ConformanceRun> = z.object({
  version: z.literal(1),
  target: z.object({ kind: z.enum(TARGET_KINDS), url: shortText, name: shortText }),
  startedAt: shortText,
  durationMs: z.number().min(0),
  isComplete: z.boolean(),
  counts: z.object({ pass: count, fail: count, departs: count, notApplicable: count }),
  results: z.array(result).max(10_000),
});

/**
 * Reads the text of a `summary.json`.
 * @param text - JSON
 * @returns the run; undefined for what is none; never throws
 * @see RFC 8259
 * @example
 * ```ts
 * console.log(conformanceRunOf('{}')); // undefined
 * ```
 */
export function conformanceRunOf(text: string): ConformanceRun | undefined {
  try {
    const read = conformanceRunSchema.safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
