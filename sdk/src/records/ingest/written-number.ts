import type { CalledNumber, PartyNumber } from '../../core/call-record.js';
import { canonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import { decodePercent } from '../../core/sip-uri.js';
import type { SourceNumbers } from './record-reader.js';

/** What stands in a number field of any switch at most; longer is no number. */
const MAX_WRITTEN_CHARS = 256;

/** A spreadsheet has had the file: the number was taken for a decimal one. */
const DECIMAL_TAIL = /^(\+?\d{5,15})\.0+$/;

/**
 * Reads who calls, as a switch wrote it: a number with or without `+`, a SIP or tel URI, a name-addr, digits with the `.0` of a
 * spreadsheet. Never throws.
 * @returns undefined where nothing was written
 */
export function writtenCaller(text: string, numbers: SourceNumbers = {}): PartyNumber | undefined {
  const asWritten = text.trim().slice(0, MAX_WRITTEN_CHARS);
  if (asWritten === '') return undefined;
  const tn = canonical(bareNumber(asWritten), numbers);
  return tn === undefined ? { asWritten } : { asWritten, tn };
}

/**
 * Reads who is called: as {@link writtenCaller}, and what routing adds: a technical prefix, and a location routing number in the
 * `rn` parameter, in which case the number before it is the one called. Never throws.
 * @returns undefined where nothing was written
 * @see RFC 4694
 */
export function writtenCalled(text: string, numbers: SourceNumbers = {}): CalledNumber | undefined {
  const asWritten = text.trim().slice(0, MAX_WRITTEN_CHARS);
  if (asWritten === '') return undefined;
  const bare = bareNumber(asWritten);
  const declared = numbers.techPrefixes?.find((prefix) => prefix !== '' && bare.startsWith(prefix));
  const techPrefix = declared ?? (bare.includes('#') ? hashPrefix(bare) : undefined);
  const tn = canonical(techPrefix === undefined ? bare : bare.slice(techPrefix.length), numbers);
  const routing = asWritten.includes(';') ? /;rn=([^;>?@\s]{1,64})/i.exec(asWritten)?.[1] : undefined;
  const lrn = routing === undefined ? undefined : canonical(routing, numbers);
  // Member by member, since this is on the way of every row.
  const called: { -readonly [K in keyof CalledNumber]: CalledNumber[K] } = { asWritten };
  if (tn !== undefined) called.tn = tn;
  if (lrn !== undefined) called.lrn = lrn;
  if (techPrefix !== undefined) called.techPrefix = techPrefix;
  return called;
}

/** Digits up to `#` before at least seven more: what wholesale routing puts in front. */
function hashPrefix(bare: string): string | undefined {
  return /^(\d{1,8}#)(?=\+?\d{7})/.exec(bare)?.[1];
}

/** The user part of a URI, or the text itself; without parameters, and without what a spreadsheet adds. */
function bareNumber(text: string): string {
  if (isDigits(text)) return text;
  const open = text.lastIndexOf('<');
  const close = text.indexOf('>', open);
  const uri = open >= 0 && close > open ? text.slice(open + 1, close) : text;
  const scheme = /^(?:sips?|tel):/i.exec(uri)?.[0] ?? '';
  const rest = uri.slice(scheme.length);
  const end = rest.search(/[@;?]/);
  const escaped = (end < 0 ? rest : rest.slice(0, end)).trim();
  // In a URI the `#` of a technical prefix cannot stand as it is.
  const user = escaped.includes('%') ? (decodePercent(escaped) ?? escaped) : escaped;
  return DECIMAL_TAIL.exec(user)?.[1] ?? user;
}

/** Digits, with or without `+`: what most rows have. */
function isDigits(text: string): boolean {
  let at = text.charCodeAt(0) === 0x2b ? 1 : 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
    at += 1;
  }
  return true;
}

function canonical(text: string, { plan = NORTH_AMERICAN_PLAN }: SourceNumbers): string | undefined {
  const read = canonicalTelephoneNumber(text, plan);
  return read.kind === 'none' ? undefined : read.tn;
}
