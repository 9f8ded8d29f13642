import type { z } from 'zod';
import { schemaFindings } from '../core/schema-findings.js';
import { HopbackError } from '../errors.js';

/** Members that are named in one message: who has mistaken the whole form is helped by the first few. */
const MOST_NAMED = 5;

/**
 * What a configuration has wrong, in words with the path of each member.
 * @param what - what is configured: `the source`
 * @param result - what the schema found
 * @returns an error with the code `invalid-configuration` and the first member in `details.member`
 */
export function configurationError(
  what: string,
  { error, value }: { readonly error: z.ZodError; readonly value: unknown },
): HopbackError {
  const findings = schemaFindings(error.issues, value);
  const shown = findings.slice(0, MOST_NAMED).map(({ text }) => text);
  const more = findings.length > shown.length ? `; and ${String(findings.length - shown.length)} more` : '';
  return new HopbackError('invalid-configuration', `${what}: ${shown.join('; ')}${more}`, {
    details: { member: findings[0]?.member ?? '' },
  });
}
