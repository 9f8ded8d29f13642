import { z } from 'zod';
import type { ProblemDetails, ProblemLocation } from './problem.js';
import { openWord, text, uriReference } from './wire-words.schema.js';

/** Places that are told: whoever has more of them wrong finds the rest after these. */
const MAX_LOCATIONS = 100;

const problemLocation: z.ZodType<ProblemLocation> = z.object({ pointer: z.string().max(1_024), code: openWord });

/** Why the platform did not do what was asked. */
export const problemDetailsSchema: z.ZodType<ProblemDetails> = z.object({
  type: uriReference,
  title: z.string().min(1).max(256),
  status: z.int().min(100).max(599),
  code: openWord,
  detail: z.exactOptional(text),
  instance: z.exactOptional(uriReference),
  httpRequestId: z.exactOptional(z.string().min(1).max(128)),
  errors: z.exactOptional(z.array(problemLocation).max(MAX_LOCATIONS)),
});
