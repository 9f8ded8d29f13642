import { NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import type { CanonicalTn } from '../../core/terms.js';
import type { SourceNumbers } from '../../records/ingest/record-reader.js';
import { writtenCalled } from '../../records/ingest/written-number.js';

/** What a stated number means. */
export type StatedNumber =
  /** Nothing was stated, or that it was withheld. */
  | { readonly kind: 'not-stated' }
  /** Something was, which is no number. */
  | { readonly kind: 'unreadable' }
  | {
      readonly kind: 'number';
      readonly tn: CanonicalTn;
      /** The location routing number that stood beside it. */
      readonly lrn?: CanonicalTn;
      /**
       * Whether it means the same everywhere: a number of the plan, or one that was written with `+` or an international prefix. Short codes,
       * extensions, local numbers and whatever has a prefix that nobody declared do not.
       */
      readonly isGlobal: boolean;
    };

/**
 * Reads a number as requests carry it: with `+`, 10 or 11 digits, `00` or `011` before foreign ones, the `.0` of a spreadsheet, a
 * technical prefix (`1234#`), a SIP or tel URI with or without a location routing number. Never throws.
 * @see RFC 4694 for the routing number
 */
export function readStatedNumber(text: string | undefined, numbers: SourceNumbers = {}): StatedNumber {
  const plain = (text ?? '').slice(0, MAX_CHARS).replace(DASHES, '-').replace(SPACES, ' ').trim();
  if (plain === '' || WITHHELD.has(plain.toLowerCase())) return { kind: 'not-stated' };
  const called = writtenCalled(plain, numbers);
  const tn = called?.tn ?? called?.lrn;
  if (tn === undefined) return { kind: 'unreadable' };
  const lrn = called?.lrn;
  const isGlobal = isGlobalNumber(tn, plain, numbers);
  return lrn === undefined || lrn === tn ? { kind: 'number', tn, isGlobal } : { kind: 'number', tn, lrn, isGlobal };
}

/**
 * Whether a canonical number is toll-free: it is translated to an ordinary one on the way, so that a call to it may be on record under
 * that one alone. Never throws.
 * @see ITU-T E.169.1 for the international ones
 */
export function isTollFree(tn: CanonicalTn): boolean {
  return TOLL_FREE.test(tn);
}

/**
 * Whether two different numbers may be one that was written in full and in part: one is the end of the other, as local numbers and
 * extensions are, and numbers behind a prefix. Never throws.
 */
export function mayBeOneNumber(one: CanonicalTn, other: CanonicalTn): boolean {
  return one.endsWith(other) || other.endsWith(one);
}

/** Toll-free codes in use in North America, and 822, which is reserved for it; the eight digits of an international freephone number. */
const TOLL_FREE = /^(?:18(?:00|22|33|44|55|66|77|88)\d{7}|800\d{8})$/;
/** Seven digits have the shortest numbers of small countries, country code included; E.164 has at most 15. */
const GLOBAL = /^[1-9]\d{6,14}$/;
/** The shortest numbers of countries whose numbers have no one length are left out: they look like local ones. */
const SHORTEST_OWN_DIGITS = 10;

function isGlobalNumber(tn: CanonicalTn, text: string, { plan = NORTH_AMERICAN_PLAN }: SourceNumbers): boolean {
  if (!GLOBAL.test(tn)) return false;
  const { countryCode, nationalLength, nationalFirstDigits, internationalPrefixes = [] } = plan;
  if (tn.startsWith(countryCode)) {
    const rest = tn.length - countryCode.length;
    const hasLength = nationalLength === undefined ? tn.length >= SHORTEST_OWN_DIGITS : rest === nationalLength;
    if (hasLength && (nationalFirstDigits?.includes(tn.charAt(countryCode.length)) ?? true)) return true;
  }
  const written = text.replaceAll(/%2b/gi, '+').replaceAll(/[^+\d]/g, '');
  return [...internationalPrefixes, '+'].some((prefix) => written.includes(prefix + tn));
}

/** Longest name-addr that a number is looked for in. */
const MAX_CHARS = 256;
/** What word processors make of a hyphen and of a space. */
const DASHES = /[\u2010-\u2015\u2212]/g;
const SPACES = /[\u00a0\u2007\u202f]/g;
/** What is written where the caller's number was not shown. RFC 3323 section 4.1.1.3 has the first. */
const WITHHELD: ReadonlySet<string> = new Set([
  ...[
    'anonymous',
    'restricted',
    'private',
    'unknown',
    'unavailable',
    'withheld',
    'blocked',
    'no caller id',
    'none',
    'n/a',
    '-',
  ],
]);
