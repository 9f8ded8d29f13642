import { z } from 'zod';
import { CASE_GROUPS } from '../case.js';
import type { CaseResult, ConformanceRun } from '../conformance-run.js';
import { TARGET_KINDS } from '../targets/target.js';

const text = z.string().max(4_096);
const count = z.int().min(0);

const result: z.ZodType<CaseResult> = z.object({
  number: z.string().regex(/^[VS]-\d{3}$/),
  title: text,
  group: z.enum(CASE_GROUPS),
  level: z.enum(['must', 'should']),
  source: text,
  status: z.enum(['pass', 'fail', 'not-applicable']),
  reason: z.exactOptional(text),
  said: z.exactOptional(text),
  durationMs: z.number().min(0),
});

/** What `summary.json` has to be. */
export const conformanceRunSchema: z.ZodType<ConformanceRun> = z.object({
  version: z.literal(1),
  target: z.object({ kind: z.enum(TARGET_KINDS), url: text, name: text }),
  startedAt: text,
  durationMs: z.number().min(0),
  isComplete: z.boolean(),
  counts: z.object({ pass: count, fail: count, departs: count, notApplicable: count }),
  results: z.array(result).max(10_000),
});
