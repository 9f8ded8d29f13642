import type { CallRecord, SharedRecord } from '../../contract/call-record.js';

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

/** Names of all signals, in the order in which they are reported: what can speak against a call. */
export const SUSPICION_SIGNALS = Object.freeze([
  /** The calling number is on the do-not-originate list. */
  'do-not-originate',
  /** No telephone has the calling number. */
  'invalid-calling-number',
  /** The signature does not fit the call. */
  'failed-verification',
  /** The same PASSporT came again and again. */
  'replayed-passport',
  /** C: whoever signed knows no more than where the call entered the network. */
  'gateway-attestation',
  /** The caller shows area code and exchange of whom it calls, from a trunk that is not of that area. */
  'neighbour-spoofing',
  /** Called numbers one after the other, from one trunk. */
  'sequential-dialling',
  /** One number called very many others. */
  'fan-out',
  /** Very many numbers, few calls each, hardly any of which came to a conversation. */
  'snowshoe',
  /** The call was answered and ended within seconds. */
  'very-short-call',
  /** Of the answered calls of the number, trunk or signer that were no conversation, many were that short. */
  'short-call-share',
  /** Few calls of the number, trunk or signer were answered. */
  'low-answer-ratio',
  /** Calls that speak against themselves come with this signer more often than with others. */
  'signer-concentration',
] as const);

/** One thing that speaks against a call. */
export interface SuspicionSignal {
  readonly name: (typeof SUSPICION_SIGNALS)[number];
  /** Whom it is about. */
  readonly about: 'call' | 'calling-number' | 'trunk' | 'signer';
  /** 0, exclusive, to 1: how far beyond the threshold. */
  readonly strength: number;
  /** What was seen, in the unit of the threshold: seconds, calls, numbers, a share from 0 to 1, or the words of a finding. */
  readonly observed: number | string;
  /** From where on it counts; empty where a finding alone is the signal. */
  readonly threshold: number | string;
  /** Where what was observed can be looked up: the record, or counts within the window. */
  readonly evidence:
    | { readonly recordIds: readonly string[] }
    | {
        readonly counts: {
          /** Calls that were counted, this one included. */
          readonly calls: number;
          /** Those of them for which the signal holds. */
          readonly matching: number;
          /** From when they were counted, microseconds since the epoch; to the record at hand. */
          readonly sinceUs: number;
        };
      };
}

export type SuspicionSignalName = SuspicionSignal['name'];

/** Why a signal could not be judged for a call, neither for nor against it, in words. */
export const NOT_JUDGED_REASONS = {
  'no-calling-number': 'the record has no calling number',
  'caller-anonymous': 'the caller asked not to be named',
  'calling-number-withheld': 'the carrier shows the calling number under a pseudonym',
  'calling-number-foreign': 'the calling number is of another country, whose plan is not known here',
  'no-called-number': 'the record has no called number',
  'called-number-pseudonymous': 'the carrier shows the called number under a pseudonym',
  'called-number-not-north-american': 'the called number is not in the North American numbering plan',
  'no-trunk': 'the record names no trunk',
  'not-answered': 'the call was not answered',
  'no-duration': 'the record does not say how long the call lasted',
  'no-verification': 'the record says nothing of a verification',
  'no-verified-signer': 'no signature of the call was found good',
  'no-list': 'no list was given',
  'too-few-calls': 'too few calls were seen to judge by',
} as const;

/** What speaks against one call, and what could not be judged. Plain JSON; holds no telephone number. */
export interface Suspicion {
  /** 0 to 1. Not a probability: see {@link SuspicionPolicy} for how it comes about. */
  readonly score: number;
  /** How the call is to be taken. */
  readonly level: 'none' | 'watch' | 'suspicious';
  /** Name and version of the policy. */
  readonly policyId: string;
  /** In the order of {@link SUSPICION_SIGNALS}. */
  readonly signals: readonly SuspicionSignal[];
  /** In the order of {@link SUSPICION_SIGNALS}. */
  readonly notJudged: readonly {
    readonly name: SuspicionSignal['name'];
    readonly why: keyof typeof NOT_JUDGED_REASONS;
  }[];
}
export type NotJudgedReason = Suspicion['notJudged'][number]['why'];

/** What `observed` of `invalid-calling-number` can be. */
export type InvalidCallingFinding = NumberFault | 'fictional' | 'short';

/** A record as it was written, or as a carrier has shared it. */
export type JudgedRecord = CallRecord | SharedRecord;

/** What a judgement is made of, whatever form the record has. */
export type CallFacts = ReturnType<typeof callFacts>;

/** Takes a record apart. Never throws. */
export function callFacts(record: JudgedRecord) {
  const caller = (numberOf(record.asserted) === undefined ? record.calling : record.asserted) as Party | undefined;
  const called = record.called as Party | undefined;
  const callingKey = numberOf(caller);
  const calledKey = numberOf(called) ?? called?.asWritten;
  const isAnswered = record.disposition === 'answered';
  return {
    recordId: record.recordId,
    /** When the call came, microseconds since the epoch; 0 where the record has no such time. */
    atUs: Number.isFinite(record.inviteAtUs) ? record.inviteAtUs : 0,
    /** Number or pseudonym of who calls; what the network asserts goes before what the caller says. */
    callingKey,
    /** Why there is none. */
    callingMissing: callingKey === undefined ? missing(caller) : undefined,
    /** Whether `callingKey` is a pseudonym. */
    isCallingVeiled: caller?.shown === 'pseudonym',
    /** Area code and exchange, -1 where there are none. */
    callingNpaNxx: prefixOf(caller),
    /** Number or pseudonym of who is called. */
    calledKey,
    isCalledVeiled: called?.shown === 'pseudonym',
    calledNpaNxx: prefixOf(called),
    /** The ten national digits of a North American number as a whole number; -1 where they are not known. */
    calledNational: nationalOf(called),
    trunk: record.ingress.trunk ?? record.ingress.address,
    /** Who signed, where the signature was found good. */
    signer: signerOf(record),
    /** Whether the call counts at all: one that was refused here says nothing of who would have answered. */
    isOffered: record.disposition !== 'blocked',
    isAnswered,
    /** From answer to end, seconds; NaN where it is not known. */
    seconds: isAnswered ? lasted(record) : Number.NaN,
  };
}

/** What all forms of a party have between them. */
interface Party {
  readonly shown?: 'whole' | 'number' | 'pseudonym' | 'no-number';
  readonly asWritten?: string;
  readonly tn?: string;
  readonly pseudonym?: string;
  readonly npaNxx?: string;
  readonly isAnonymous?: boolean;
}

function numberOf(party: Party | undefined): string | undefined {
  return party?.pseudonym ?? party?.tn;
}

/** Texts of a caller who asked not to be named. @see RFC 3323 section 4.1.1.3 */
const ANONYMOUS = ['anonymous', 'restricted', 'private', 'withheld', 'unavailable', 'unknown'];
const MAX_ANONYMOUS_CHARS = 128;

/** Whether what stands in the place of a calling number says that it is not to be shown. Never throws. */
export function isAnonymousCaller(asWritten: string): boolean {
  const text = asWritten.slice(0, MAX_ANONYMOUS_CHARS).toLowerCase();
  return ANONYMOUS.some((word) => text.includes(word));
}

function missing(caller: Party | undefined): NotJudgedReason {
  if (caller === undefined) return 'no-calling-number';
  if (caller.isAnonymous === true || (caller.asWritten !== undefined && isAnonymousCaller(caller.asWritten))) {
    return 'caller-anonymous';
  }
  return 'no-calling-number';
}

function prefixOf(party: Party | undefined): number {
  if (party === undefined) return -1;
  if (party.tn !== undefined) return npaNxxOf(party.tn);
  const veiled = party.npaNxx === undefined ? Number.NaN : Number(party.npaNxx);
  return Number.isInteger(veiled) && veiled >= 0 && veiled < 1_000_000 ? veiled : -1;
}

function nationalOf(party: Party | undefined): number {
  const tn = party?.tn;
  if (tn === undefined || npaNxxOf(tn) < 0) return -1;
  const digits = Number(tn) - 10_000_000_000;
  return Number.isInteger(digits) && digits >= 0 && digits < 10_000_000_000 ? digits : -1;
}

/** The provider code, or the certificate where it speaks for none, of a signature that was found good. */
function signerOf({ received }: JudgedRecord): string | undefined {
  if (received?.verstat !== 'TN-Validation-Passed') return undefined;
  if (received.spc !== undefined) return received.spc;
  const good = received.evidence?.passports.find(({ status }) => status === 'passed');
  return good?.spc ?? good?.certificateSha256;
}

function lasted({ answeredAtUs, endedAtUs }: JudgedRecord): number {
  if (answeredAtUs === undefined || endedAtUs === undefined) return Number.NaN;
  // Clocks that were set between the two make nothing of less than no time.
  return Math.max(0, (endedAtUs - answeredAtUs) / 1_000_000);
}
