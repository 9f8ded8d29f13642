import { z } from 'zod';

/** What a variable is worth: text, a number, true or false. */
export type VariableValue = string | number | boolean;

const name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/u, {
  error: 'must be 1 to 64 letters, digits, _ and -, and begin with no digit',
});

/** Variables that a file brings along, with what they are worth where nobody says otherwise. */
export const VARIABLES_SECTION: z.ZodType<Readonly<Record<string, VariableValue>>> = z.record(
  name,
  z.union([z.string().max(10_000), z.number(), z.boolean()]),
);
