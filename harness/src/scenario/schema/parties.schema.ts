import { z } from 'zod';
import { MAX_CSV_FIELDS, MAX_CSV_ROWS, MAX_PHONES, MAX_POOL_NUMBERS, MAX_SCRIPT_CHARS } from '../scenario.js';
import type { CallingNumbers, ScenarioCalled, ScenarioCaller, ScenarioCsv } from '../scenario.js';
import { id, line, number, numberList, numberPrefix, share } from './words.schema.js';

const numbers: z.ZodType<CallingNumbers> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('own'), numbers: numberList }),
  z.strictObject({ kind: z.literal('neighbour') }),
  z.strictObject({
    kind: z.literal('snowshoe'),
    prefixes: z.array(numberPrefix).min(1).max(1_000),
    count: z.int().min(1).max(MAX_POOL_NUMBERS),
  }),
  z.strictObject({ kind: z.literal('dno'), numbers: numberList }),
  z.strictObject({ kind: z.literal('invalid') }),
  z.strictObject({ kind: z.literal('victim'), numbers: numberList }),
]);

const field = z
  .int()
  .min(0)
  .max(MAX_CSV_FIELDS - 1);
const wordName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]{0,31}$/u, { error: 'must be a name of 1 to 32 letters and digits' });

const csv: z.ZodType<ScenarioCsv> = z.strictObject({
  file: z.exactOptional(line(1_000)),
  calling: z.exactOptional(field),
  called: z.exactOptional(field),
  words: z.exactOptional(z.record(wordName, field)),
  order: z.exactOptional(z.enum(['sequential', 'random', 'user'])),
  rows: z.exactOptional(
    z
      .array(z.array(z.string().max(1_000)).min(1).max(MAX_CSV_FIELDS))
      .min(1)
      .max(MAX_CSV_ROWS),
  ),
});

/** A call of an hour and more is none that a test waits for. */
const seconds = z.number().min(0).max(7_200);
/** Weights of callers: any relation that people write. */
const weight = z.number().positive().max(1_000_000);

/** Somebody who calls. */
export const CALLER: z.ZodType<ScenarioCaller> = z.strictObject({
  id,
  kind: z.enum(['robocaller', 'ordinary']),
  at: id,
  numbers,
  calls: z.array(id).min(1).max(10_000),
  share: z.exactOptional(weight),
  durationSeconds: z.exactOptional(z.strictObject({ from: seconds, to: seconds })),
  order: z.exactOptional(z.enum(['sequential', 'random'])),
  script: z.exactOptional(z.string().max(MAX_SCRIPT_CHARS)),
  callBack: z.exactOptional(z.array(number).min(1).max(1_000)),
  campaign: z.exactOptional(id),
  csv: z.exactOptional(csv),
  daily: z.exactOptional(
    z.strictObject({
      startHour: z.number().min(0).max(24),
      hoursPerSecond: z.exactOptional(z.number().positive().max(24)),
    }),
  ),
  agents: z.exactOptional(z.int().min(1).max(10_000)),
});

/** Numbers that are called. */
export const CALLED: z.ZodType<ScenarioCalled> = z
  .strictObject({
    id,
    at: id,
    first: number,
    count: z.exactOptional(z.int().min(1).max(1_000_000_000)),
    by: z.exactOptional(z.enum(['phones', 'sink'])),
    answers: z.exactOptional(share),
    app: z.exactOptional(z.strictObject({ reports: share, rejects: z.exactOptional(z.boolean()) })),
  })
  .describe(`Numbers that are called; of phones at most ${String(MAX_PHONES)} in all.`);
