import { z } from 'zod';
import { MAX_NUMBER_ENTRIES } from '../scenario.js';

// Words that the parts of a scenario share. What is said to people of a value that does not fit stands beside its form.

/** Names by which parts of a scenario speak of each other; also names of folders and of SIP users. */
export const id: z.ZodString = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?$/u, {
  error: 'must be 1 to 64 letters, digits and dashes, and begin and end with a letter or digit',
});

/** A telephone number: digits with country code (E.164), or as a prefix of those. */
export const number: z.ZodString = z
  .string()
  .regex(/^[0-9]{3,15}$/u, { error: 'must be 3 to 15 digits in quotes, country code first' });

export const numberPrefix: z.ZodString = z
  .string()
  .regex(/^[0-9]{1,15}$/u, { error: 'must be 1 to 15 digits in quotes, country code first' });

/** One number, or the first and the last of a range. */
const numberOrRange = z.string().regex(/^[0-9]{3,15}(?:-[0-9]{3,15})?$/u, {
  error: 'must be a number of 3 to 15 digits, country code first, or a range of them: "12025550100-12025550199"',
});

export const numberList: z.ZodArray<z.ZodString> = z.array(numberOrRange).min(1).max(MAX_NUMBER_ENTRIES);

/** A part of a whole. */
export const share: z.ZodNumber = z.number().min(0).max(1);

/** What people are told: bounded, and without what cannot be seen. */
export const line = (max: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, { error: 'must be one line' });
