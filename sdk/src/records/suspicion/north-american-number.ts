/** What a canonical number is under the rules of the North American Numbering Plan. */
export type NorthAmericanKind =
  /** A subscriber of an area. */
  | 'geographic'
  /** 8YY: a business that pays for being called. May be shown as calling number, is no neighbour of anybody. */
  | 'toll-free'
  /** 5XX, 600, 700, 710 and the like: numbers without a place. */
  | 'non-geographic'
  /** 555-0100 to 555-0199: set apart for films and samples, nobody's. */
  | 'fictional'
  /** Formed as the rules ask, but from codes that nobody is given. */
  | 'unallocated'
  /** No number of the plan can look so. */
  | 'invalid'
  /** Too short to be a number of a person: a service code or extension. */
  | 'short'
  /** Of another country: its plan is not known here. */
  | 'foreign';

/** Why a number is `unallocated` or `invalid`. */
export type NumberFault =
  | 'wrong-length'
  | 'leading-zero'
  | 'service-keys'
  | 'area-code-starts-0-or-1'
  | 'area-code-n11'
  | 'area-code-premium'
  | 'area-code-reserved'
  | 'exchange-starts-0-or-1'
  | 'exchange-n11'
  | 'exchange-not-for-subscribers'
  | 'not-in-allocation-list';

/** A number classified. */
export interface NorthAmericanReading {
  readonly kind: NorthAmericanKind;
  readonly fault?: NumberFault;
}

/**
 * Says what a number is by the rules of the North American plan: country code 1, area code (NPA) and exchange (NXX) from 200, neither
 * of them N11, area codes N9X, 37X and 96X kept for the plan's growth, and what is set apart for services. Whether a code that may be
 * given has been given is for an allocation list to say. Never throws.
 * @param tn - canonical, or anything
 * @param allocated - area codes (`202`) or area codes with exchange (`202456`) that are in use; then a geographic number of none of
 * them is `unallocated`, and one of them is not, even in a code kept for growth
 * @returns the kind, with the fault where it is `unallocated` or `invalid`
 * @see ITU-T E.164, 47 CFR 52, ATIS-0300051 (Central Office Code Assignment Guidelines) section 2
 * @example
 * ```ts
 * console.log(northAmericanNumber('19115550101').fault); // area-code-n11
 * console.log(northAmericanNumber('12025550101').kind); // fictional
 * ```
 */
export function northAmericanNumber(tn: string, allocated?: ReadonlySet<string>): NorthAmericanReading {
  const length = tn.length;
  for (let at = 0; at < length; at += 1) {
    const code = tn.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return SERVICE_KEYS;
  }
  if (length < MIN_GLOBAL_DIGITS) return SHORT;
  const first = tn.charCodeAt(0) - 0x30;
  if (first === 0) return LEADING_ZERO;
  if (first !== 1) return length > MAX_E164_DIGITS ? WRONG_LENGTH : FOREIGN;
  if (length !== 11) return WRONG_LENGTH;
  const npaNxx = sixDigits(tn);
  return readingOf(npaNxx, tn, allocated);
}

/**
 * The part of the check that area code and exchange allow, for numbers of which no more is known: under a pseudonym. Never throws.
 * @param npaNxx - six digits
 * @param allocated - as for {@link northAmericanNumber}
 * @returns `invalid` or `unallocated` with the fault, else `geographic`, `toll-free` or `non-geographic`, which the whole number may yet contradict
 * @see ATIS-0300051 section 2
 * @example
 * ```ts
 * console.log(northAmericanPrefix('202911').fault); // exchange-n11
 * ```
 */
export function northAmericanPrefix(npaNxx: string, allocated?: ReadonlySet<string>): NorthAmericanReading {
  const read = Number(npaNxx);
  if (npaNxx.length !== 6 || !Number.isInteger(read) || read < 0) return WRONG_LENGTH;
  return readingOf(read, undefined, allocated);
}

/**
 * Area code and exchange of a North American number, whether they exist or not.
 * @param tn - canonical
 * @returns six digits as a whole number, -1 where the number is none of the plan; never throws
 * @see ATIS-0300051 section 2
 * @example
 * ```ts
 * console.log(npaNxxOf('12025550101'), npaNxxOf('442079460123')); // 202555 -1
 * ```
 */
export function npaNxxOf(tn: string): number {
  if (tn.length !== 11 || tn.charCodeAt(0) !== 0x31) return -1;
  return sixDigits(tn);
}

const MIN_GLOBAL_DIGITS = 7;
/** @see ITU-T E.164 section 6 */
const MAX_E164_DIGITS = 15;

const FOREIGN: NorthAmericanReading = Object.freeze({ kind: 'foreign' });
const SHORT: NorthAmericanReading = Object.freeze({ kind: 'short' });
const GEOGRAPHIC: NorthAmericanReading = Object.freeze({ kind: 'geographic' });
const TOLL_FREE: NorthAmericanReading = Object.freeze({ kind: 'toll-free' });
const NON_GEOGRAPHIC: NorthAmericanReading = Object.freeze({ kind: 'non-geographic' });
const FICTIONAL: NorthAmericanReading = Object.freeze({ kind: 'fictional' });
const invalid = (fault: NumberFault): NorthAmericanReading => Object.freeze({ kind: 'invalid', fault });
const unallocated = (fault: NumberFault): NorthAmericanReading => Object.freeze({ kind: 'unallocated', fault });
const SERVICE_KEYS = invalid('service-keys');
const LEADING_ZERO = invalid('leading-zero');
const WRONG_LENGTH = invalid('wrong-length');
const AREA_TOO_LOW = invalid('area-code-starts-0-or-1');
const AREA_N11 = invalid('area-code-n11');
const AREA_PREMIUM = invalid('area-code-premium');
const EXCHANGE_TOO_LOW = invalid('exchange-starts-0-or-1');
const EXCHANGE_N11 = invalid('exchange-n11');
const AREA_RESERVED = unallocated('area-code-reserved');
const EXCHANGE_SET_APART = unallocated('exchange-not-for-subscribers');
const NOT_LISTED = unallocated('not-in-allocation-list');

/** Toll-free codes opened so far, and 822, which is next. @see 47 CFR 52.101 */
const TOLL_FREE_CODES: ReadonlySet<number> = new Set([800, 822, 833, 844, 855, 866, 877, 888]);

/** Personal communications (5XX), Canada's 6XX services, interexchange carriers' 700, government emergency 710. */
const NON_GEOGRAPHIC_CODES: ReadonlySet<number> = new Set([
  500, 521, 522, 523, 524, 525, 526, 527, 528, 529, 532, 533, 535, 538, 542, 543, 544, 545, 546, 547, 549, 550, 552,
  553, 554, 556, 558, 566, 569, 577, 578, 588, 589, 600, 622, 633, 644, 655, 677, 688, 700, 710,
]);

/** Charged to whoever calls; nobody calls from it. */
const PREMIUM_CODE = 900;

/** Carrier access (950), tests of the plant (958, 959): no subscribers in them. */
const EXCHANGES_SET_APART: ReadonlySet<number> = new Set([950, 958, 959]);

/** 555: films from 0100 to 0199; the rest went back when its use as an information service ended. */
const SAMPLE_EXCHANGE = 555;

function readingOf(npaNxx: number, tn: string | undefined, allocated: ReadonlySet<string> | undefined) {
  const npa = Math.trunc(npaNxx / 1_000);
  const nxx = npaNxx % 1_000;
  if (npa < 200) return AREA_TOO_LOW;
  if (npa % 100 === 11) return AREA_N11;
  if (npa === PREMIUM_CODE) return AREA_PREMIUM;
  if (nxx < 200) return EXCHANGE_TOO_LOW;
  // 555-01XX is nobody's under every area code, toll-free ones too.
  if (nxx === SAMPLE_EXCHANGE && tn?.startsWith('01', 7) === true) return FICTIONAL;
  if (TOLL_FREE_CODES.has(npa)) return TOLL_FREE;
  if (nxx % 100 === 11) return EXCHANGE_N11;
  if (NON_GEOGRAPHIC_CODES.has(npa)) return NON_GEOGRAPHIC;
  if (EXCHANGES_SET_APART.has(nxx)) return EXCHANGE_SET_APART;
  // Of a veiled number in 555 it cannot be told whether it is a sample; of the rest nobody has one.
  if (nxx === SAMPLE_EXCHANGE && tn !== undefined) return EXCHANGE_SET_APART;
  if (allocated !== undefined) {
    return allocated.has(String(npa)) || allocated.has(String(npaNxx)) ? GEOGRAPHIC : NOT_LISTED;
  }
  return isReservedArea(npa) ? AREA_RESERVED : GEOGRAPHIC;
}

/** N9X for longer area codes one day, 37X and 96X in blocks of ten for what may come. */
function isReservedArea(npa: number): boolean {
  const tens = Math.trunc(npa / 10);
  return tens % 10 === 9 || tens === 37 || tens === 96;
}

/** Digits 2 to 7 of eleven; -1 where one is no digit. */
function sixDigits(tn: string): number {
  let value = 0;
  for (let at = 1; at < 7; at += 1) {
    const digit = tn.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
