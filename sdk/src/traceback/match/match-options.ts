import type { SourceNumbers } from '../../records/ingest/record-reader.js';
import type { MatchReason } from '../match-outcome.js';

/** How requests are read and calls looked for. */
export interface MatchOptions {
  /**
   * Zone of times that were stated without one: IANA name, offset or `UTC`. Where it is not given such a time is taken for UTC, and
   * never answered without a person.
   */
  readonly defaultZone?: string;
  /**
   * How far the clock of whoever stated the time, and that of the switch, may be apart together, milliseconds. What lies as far outside
   * the stated step is still consistent with it. Default {@link CLOCK_ALLOWANCE_MS}.
   */
  readonly clockAllowanceMs?: number;
  /** How far around what would be consistent with the stated time is looked where nothing is, milliseconds. Default {@link WIDEN_MS}. */
  readonly widenMs?: number;
  /** How numbers of a request are read: the numbering plan and technical prefixes without `#`. */
  readonly numbers?: SourceNumbers;
}

/**
 * Clocks of switches, phones and people are within a minute of each other as a rule; and a minute may be cut off or rounded.
 */
export const CLOCK_ALLOWANCE_MS = 60_000;

/** Requests are looked for an hour around the stated time on the first try, as whoever sends them does. */
export const WIDEN_MS = 3_600_000;

/**
 * How long after the INVITE the time that is stated may be, milliseconds: people note when a call rang, was answered or ended, or its
 * message was left, which of the calls that are asked about is seconds or minutes later. Of longer ones their beginning is stated.
 */
export const LONGEST_LAG_MS = 900_000;

/** Most calls that an outcome carries: a person looks at the first few, and each is kept with the answer. */
export const MAX_MATCH_CANDIDATES = 100;

/** Options with their defaults, microseconds. */
export interface MatchLimits {
  readonly allowanceUs: number;
  readonly widenUs: number;
  readonly lagUs: number;
}

/** The times of the options. What is no time of 0 or more is the default. Never throws. */
export function matchLimits({ clockAllowanceMs, widenMs }: MatchOptions): MatchLimits {
  const us = (ms: number | undefined, otherwise: number): number =>
    ms !== undefined && Number.isFinite(ms) && ms >= 0 && ms <= MOST_MS ? Math.round(ms * 1_000) : otherwise * 1_000;
  const allowanceUs = us(clockAllowanceMs, CLOCK_ALLOWANCE_MS);
  const lagUs = LONGEST_LAG_MS * 1_000;
  return { allowanceUs, lagUs, widenUs: us(widenMs, WIDEN_MS) };
}

/** A week: beyond it nothing of a stated time is left. */
const MOST_MS = 604_800_000;

/**
 * How far around the stated time a record is looked for by its id, microseconds: times and zones that are mixed up are within it, and so few
 * days of a store are read that the look-up takes no longer than others.
 */
export const LONGEST_SEARCH_US: number = MOST_MS * 1_000;

/** What a comparison adds to the score of a candidate, by what it found. Hundredths of the score. */
export interface FieldWeights {
  readonly equal: number;
  readonly compatible: number;
  /** The record does not say, so that nothing is known. */
  readonly absent: number;
  readonly contradicts: number;
  /** Why it weighs what it weighs. */
  readonly because: string;
}

/** Fields that are compared. */
export type MatchField =
  | 'called'
  | 'calling'
  | 'time'
  | 'downstream'
  | 'call-id'
  | 'origid'
  | 'record-id'
  | 'attestation'
  | 'spc'
  | 'duration';

/**
 * What each field weighs. Number called, caller, time and downstream provider together make 1; an identifier of the call stands for
 * whichever of them was not stated. The score orders candidates and is what a policy sets its threshold on; whether a match is unique is
 * decided by what contradicts what, never by the score.
 */
export const MATCH_WEIGHTS: Readonly<Record<MatchField, FieldWeights>> = {
  called: {
    equal: 30,
    compatible: 20,
    absent: 0,
    contradicts: -30,
    because:
      'Stated in every request, and seldom spoofed: it is whom the call reached. A routing number is shared by many.',
  },
  calling: {
    equal: 25,
    compatible: 15,
    absent: 0,
    contradicts: -25,
    because: 'Spoofed or not, hops pass it on as it came, so that it tells two calls to one number apart.',
  },
  time: {
    equal: 20,
    compatible: 12,
    absent: 0,
    contradicts: -20,
    because: 'Stated in minutes, by another clock, and often not of the INVITE.',
  },
  downstream: {
    equal: 25,
    compatible: 0,
    absent: 0,
    contradicts: -25,
    because:
      'Whoever named us had the call from us: a call that was sent elsewhere is another call, or the claim is wrong.',
  },
  'call-id': {
    equal: 40,
    compatible: 0,
    absent: 0,
    contradicts: -20,
    because: 'Names one call; but back-to-back user agents give each leg another, so that a different one says little.',
  },
  origid: {
    equal: 40,
    compatible: 0,
    absent: 0,
    contradicts: -20,
    because: 'A UUID that goes through to the end; but signers may use one for all calls of a customer or a switch.',
  },
  'record-id': {
    equal: 40,
    compatible: 0,
    absent: 0,
    contradicts: -40,
    because: 'The name that the asked provider itself gave to its record.',
  },
  attestation: {
    equal: 3,
    compatible: 0,
    absent: 0,
    contradicts: -5,
    because: 'One of three letters, and a later hop may have signed anew.',
  },
  spc: { equal: 3, compatible: 0, absent: 0, contradicts: -5, because: 'Shared by all calls of one signer.' },
  duration: {
    equal: 5,
    compatible: 3,
    absent: 0,
    contradicts: -10,
    because: 'Rounded by whoever bills, and counted from the ringing or from the answer.',
  },
};

/**
 * A reason with the weight that its field has.
 * @param weight - in its place, where the weight depends on more
 */
export function reasonOf(
  field: MatchField,
  verdict: MatchReason['verdict'],
  said: { readonly stated?: string | undefined; readonly recorded?: string | undefined; readonly weight?: number } = {},
): MatchReason {
  const { stated, recorded, weight = MATCH_WEIGHTS[field][verdict] } = said;
  return {
    field,
    verdict,
    weight,
    ...(stated === undefined ? {} : { stated }),
    ...(recorded === undefined ? {} : { recorded }),
  };
}

/** 0 to 1, in thousandths. */
export function scoreOf(reasons: readonly MatchReason[]): number {
  const sum = reasons.reduce((total, { weight }) => total + weight, 0);
  return Math.round(Math.min(100, Math.max(0, sum)) * 10) / 1_000;
}
