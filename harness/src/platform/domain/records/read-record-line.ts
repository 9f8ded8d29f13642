import type { SharedRecord } from '@hopback/sdk/platform';
import { readWireBody, WIRE_SCHEMAS } from '@hopback/sdk/platform';

/** Whether a value has a form. Never throws for what JSON can be parsed to. */
type Check = (value: unknown) => boolean;

/** Anything: what another check has looked at already. */
const any: Check = () => true;

/** A text of so many UTF-16 code units, as zod counts them. */
const text =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'string' && value.length >= least && value.length <= most;

/** A text in the form of a regular expression that takes linear time. */
const matching =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);

/** One of some words. */
function oneOf(...words: readonly string[]): Check {
  const known = new Set<unknown>(words);
  return (value) => known.has(value);
}

/** A number; JSON has spellings that are infinite as one. */
const finite: Check = (value) => Number.isFinite(value);

/** A whole number that is exact as one. */
const whole =
  (least: number, most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;

/** A list of so many at most. */
const eachOf =
  (check: Check, most: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(check);

interface Place {
  readonly key: string;
  readonly check: Check;
  readonly counts: number;
}

/** An object with all of some members, any of some others, and none beside. */
function shape(needed: Readonly<Record<string, Check>>, possible: Readonly<Record<string, Check>>): Check {
  const members = new Map<string, Place>();
  for (const [key, check] of Object.entries(possible)) members.set(key, { key, check, counts: 0 });
  for (const [key, check] of Object.entries(needed)) members.set(key, { key, check, counts: 1 });
  const all = Object.keys(needed).length;
  // Members mostly come in the order in which they came last.
  const places: Place[] = [];
  return (value) => {
    if (!isObject(value)) return false;
    let found = 0;
    let at = 0;
    for (const key in value) {
      let place = places[at];
      if (place === undefined || place.key !== key) {
        const member = members.get(key);
        if (member === undefined) return false;
        place = member;
        places[at] = place;
      }
      if (!place.check(value[key])) return false;
      found += place.counts;
      at += 1;
    }
    return found === all;
  };
}

/** An object whose other members depend on the word in one of them. */
function shapeBy(key: string, shapes: Readonly<Record<string, Check>>): Check {
  const known = new Map<unknown, Check>(Object.entries(shapes));
  return (value) => isObject(value) && known.get(value[key])?.(value) === true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// The bounds are those of the contract's schema. What is said yes to here, that says yes to as well, and it leaves no member out: a
// property test holds the two against each other. A no here is no verdict: the schema has the last word, and says why.

const MAX_NAME_CHARS = 256;
const MAX_WORD_CHARS = 1_024;
const MAX_URL_CHARS = 2_048;
const MAX_STEPS = 256;
const MAX_PASSPORTS = 64;
const MAX_DESTINATIONS = 256;
const MAX_SIGNALS = 64;

const name = text(1, MAX_NAME_CHARS);
const word = text(0, MAX_WORD_CHARS);
const url = text(0, MAX_URL_CHARS);
const id32 = matching(/^[0-9a-f]{32}$/);
const sha256 = matching(/^[0-9a-f]{64}$/);
const tn = matching(/^[0-9*#]{1,32}$/);
const spc = matching(/^[0-9A-Z]{1,15}$/);
const fromZero = whole(0, Number.MAX_SAFE_INTEGER);
const attestation = oneOf('A', 'B', 'C');
const verstat = oneOf('TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation');

const pseudonymous: Check = shape({ shown: oneOf('pseudonym'), pseudonym: id32 }, { npaNxx: matching(/^[0-9]{6}$/) });

const called = shapeBy('shown', {
  whole: shape({ shown: any, asWritten: name }, { tn, translatedTn: tn, lrn: tn, techPrefix: text(1, 32) }),
  pseudonym: pseudonymous,
});

const calling = shapeBy('shown', {
  whole: shape({ shown: any, asWritten: name }, { tn }),
  number: shape({ shown: any, tn }, {}),
  pseudonym: pseudonymous,
  'no-number': shape({ shown: any, isAnonymous: (value) => typeof value === 'boolean' }, {}),
});

const exceptionNames = { step: word, result: oneOf('failed', 'unknown', 'noted'), reason: word };
const compared: Check = (value) => url(value) || finite(value);

const passportFacts = {
  needed: {
    index: fromZero,
    status: oneOf('passed', 'failed', 'indeterminate', 'ignored'),
    passed: eachOf(word, MAX_STEPS),
  },
  possible: {
    ppt: word,
    x5u: url,
    certificateSha256: sha256,
    trustAnchorSha256: sha256,
    spc: word,
    iatSeconds: finite,
    attestation,
    origId: word,
  },
};

const passport = shape(
  {
    ...passportFacts.needed,
    exceptions: eachOf(shape(exceptionNames, { expected: compared, actual: compared }), MAX_STEPS),
  },
  {
    ...passportFacts.possible,
    signingInputSha256: sha256,
    orig: word,
    dest: eachOf(word, MAX_DESTINATIONS),
    div: word,
  },
);

const sharedPassport = shape(
  { ...passportFacts.needed, exceptions: eachOf(shape(exceptionNames, {}), MAX_STEPS) },
  passportFacts.possible,
);

const evidenceFacts = {
  needed: {
    format: any,
    checkedAtMs: finite,
    profile: oneOf('shaken', 'rfc8224'),
    freshnessSeconds: finite,
    verstat,
  },
  possible: { trustStore: word, surplusHeaders: fromZero, seenCount: fromZero, firstSeenMs: finite },
};

const request = shape(
  {},
  {
    orig: word,
    origSource: oneOf('p-asserted-identity', 'from', 'given'),
    dest: word,
    destSource: oneOf('to', 'request-uri', 'given'),
    target: word,
    dateSeconds: finite,
  },
);

const evidence = shapeBy('format', {
  'hopback.verdict-evidence.1': shape(
    { ...evidenceFacts.needed, request, passports: eachOf(passport, MAX_PASSPORTS) },
    { ...evidenceFacts.possible, callKey: sha256 },
  ),
  'hopback.shared-evidence.1': shape(
    { ...evidenceFacts.needed, passports: eachOf(sharedPassport, MAX_PASSPORTS) },
    { ...evidenceFacts.possible, callKey: id32 },
  ),
});

const sharing = shape(
  { policyId: text(1, 128), form: oneOf('pseudonymous', 'full'), rotationId: text(1, 64) },
  {
    suspicion: shape(
      {
        score: (value) => typeof value === 'number' && value >= 0 && value <= 1,
        level: oneOf('none', 'watch', 'suspicious'),
        signals: eachOf(text(1, 64), MAX_SIGNALS),
      },
      {},
    ),
  },
);

const recordFormat = oneOf(
  ...['asterisk-cdr', 'asterisk-cel', 'freeswitch-csv', 'freeswitch-json', 'kamailio-acc', 'oracle-sbc'],
  ...['ribbon-act', 'broadworks', 'hep', 'columns', 'hopback'],
);

const side = shape({}, { trunk: name, provider: name, address: name, callId: name });

/**
 * Whether a value is a shared record in the form of the contract, without a member that the contract does not know: said of nearly all
 * that carriers send in a tenth of the time that the schema takes. Never throws for peer input.
 * @param value - what JSON was parsed to
 * @returns true where the schema would take it and leave nothing out; false says nothing, and the schema is asked
 */
export const isUsualRecord: Check = shape(
  {
    format: oneOf('hopback.shared-record.1'),
    recordId: id32,
    sharing,
    source: shape({ format: recordFormat, readerVersion: fromZero }, { id: text(1, 128), sha256 }),
    callGroupId: name,
    inviteAtUs: fromZero,
    time: shape(
      { written: oneOf('utc', 'local', 'observed'), resolutionUs: whole(1, Number.MAX_SAFE_INTEGER) },
      { zone: text(0, 64), otherInviteAtUs: fromZero },
    ),
    ingress: side,
    egress: side,
    disposition: oneOf('answered', 'busy', 'no-answer', 'cancelled', 'rejected', 'failed', 'blocked'),
  },
  {
    legId: name,
    answeredAtUs: fromZero,
    endedAtUs: fromZero,
    calling,
    asserted: calling,
    called,
    release: shape(
      {},
      {
        sipStatus: whole(100, 699),
        q850Cause: whole(0, 127),
        cause: name,
        party: oneOf('calling', 'called', 'network'),
      },
    ),
    received: shape({}, { verstat, attestation, origId: name, iatSeconds: finite, spc, evidence }),
    signed: shape({ attestation }, { origId: name, basis: word }),
    blockedBy: name,
  },
);

/**
 * How far a call may lie ahead of the platform's clock, milliseconds: clocks of switches are set by NTP and wrong by seconds, those that are
 * set by hand by minutes. A record of next week would be found by nobody who looks for last week's calls.
 */
export const MAX_AHEAD_MS: number = 10 * 60_000;

/** Why a record is not taken, as a word of the answer. */
export type RecordRejectionCode =
  /** Not in the form of the contract; the place is told. */
  | 'invalid-record'
  /** A form of another version, or something else than a shared record. */
  | 'unknown-format'
  /** Of a time that the platform keeps no records of any more. */
  | 'too-old'
  /** Later than {@link MAX_AHEAD_MS} from now. */
  | 'in-the-future';

/** What was made of a line. */
export type RecordLineReading =
  | { readonly status: 'read'; readonly record: SharedRecord }
  | {
      readonly status: 'rejected';
      readonly recordId: string;
      readonly code: RecordRejectionCode;
      /** JSON Pointer (RFC 6901) to what is wrong. */
      readonly place?: string;
    }
  /** Nobody could be told which record is meant: no JSON, or without an id. */
  | { readonly status: 'unreadable' };

/** Between which times a call may have begun, microseconds since the epoch, both included. */
export interface TakenTimes {
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * Reads a line of a batch: a shared record in the form of the contract, of a time that is kept. Members that the contract does not know are
 * left out, so that a carrier may have a later release than the platform. Never throws for peer input.
 * @param line - text of one line, bounded by the batch
 * @param times - which calls are taken
 * @returns the record, or why it is none
 * @see RFC 8259
 */
export function readRecordLine(line: string, times: TakenTimes): RecordLineReading {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    return { status: 'unreadable' };
  }
  if (isUsualRecord(given)) return inTime(given as SharedRecord, times);
  if (typeof given !== 'object' || given === null || !('recordId' in given)) return { status: 'unreadable' };
  const { recordId } = given;
  if (typeof recordId !== 'string' || !RECORD_ID.test(recordId)) return { status: 'unreadable' };
  if (!('format' in given) || given.format !== 'hopback.shared-record.1')
    return { status: 'rejected', recordId, code: 'unknown-format', place: '/format' };
  const { value, errors } = readWireBody(WIRE_SCHEMAS.SharedRecord, given);
  const [wrong] = errors;
  if (wrong !== undefined)
    return { status: 'rejected', recordId, code: 'invalid-record', place: placeOf(wrong.pointer) };
  return inTime(value as SharedRecord, times);
}

const RECORD_ID = /^[0-9a-f]{32}$/;

/** Longest place that is told: those of the contract are shorter. */
const MAX_PLACE_CHARS = 200;

/** A place is made of names of the schema alone, which hold no number. */
function placeOf(pointer: string): string {
  return pointer.slice(0, MAX_PLACE_CHARS);
}

function inTime(record: SharedRecord, { fromUs, toUs }: TakenTimes): RecordLineReading {
  const { recordId, inviteAtUs } = record;
  if (inviteAtUs < fromUs) return { status: 'rejected', recordId, code: 'too-old', place: '/inviteAtUs' };
  if (inviteAtUs > toUs) return { status: 'rejected', recordId, code: 'in-the-future', place: '/inviteAtUs' };
  return { status: 'read', record };
}
