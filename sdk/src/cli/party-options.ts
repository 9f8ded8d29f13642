import { canonicalTelephoneNumber, readSipDate } from '../stir/index.js';
import type { PassportParty } from '../stir/index.js';
import { UsageError } from './usage-error.js';

/**
 * Reads a party as an operator types it: a telephone number in any usual spelling, or a SIP URI.
 * @param name - of the option, for the message
 * @throws {@link UsageError} when it is neither; the message does not repeat it
 */
export function partyOption(name: string, text: string): PassportParty {
  if (/^(?:sips?|tel):/i.test(text)) return { kind: 'uri', value: text };
  // As dialled: the service takes digits alone for canonical and leaves them as they are.
  const number = canonicalTelephoneNumber(text);
  if (number.kind !== 'none') return { kind: 'tn', value: number.tn };
  throw new UsageError(`--${name} is neither a telephone number nor a SIP URI`);
}

/**
 * Reads a telephone number that is to be signed, and writes it so that the authentication service cannot read it as another one: what it
 * would take for a number as dialled keeps its `+`.
 * @param name - of the option, for the message
 * @throws {@link UsageError} when it is no telephone number; the message does not repeat it
 */
export function numberToSignOption(name: string, text: string): string {
  const party = partyOption(name, text);
  if (party.kind !== 'tn') throw new UsageError(`--${name} must be a telephone number`);
  const again = canonicalTelephoneNumber(party.value);
  return again.kind !== 'none' && again.tn === party.value ? party.value : `+${party.value}`;
}

/**
 * Reads an instant: ISO 8601 with its offset, seconds since the epoch, or a SIP date.
 * @param name - of the option, for the message
 * @returns milliseconds since the epoch
 * @throws {@link UsageError} when it is none of these
 */
export function instantOption(name: string, text: string): number {
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000;
  const sipSeconds = readSipDate(text);
  if (sipSeconds !== undefined) return sipSeconds * 1000;
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isFinite(ms)) return ms;
  throw new UsageError(`--${name} is no time`, [
    '2026-11-02T12:00:00Z, seconds since 1970, or "Mon, 02 Nov 2026 12:00:00 GMT"',
  ]);
}
