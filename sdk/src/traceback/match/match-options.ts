import { defined } from '../../core/text.js';
import type { SourceNumbers } from '../../records/ingest/record-reader.js';
import type { MatchCandidate } from '../match-outcome.js';

/** How requests are read and calls looked for. */
export interface MatchOptions {
  /**
   * Zone of times that were stated without one: IANA name, offset or `UTC`. Where it is not given such a time is taken for UTC, and
   * never answered without a person.
   */
  readonly defaultZone?: string;
  /**
   * How far the clock of whoever stated the time, and that of the switch, may be apart together, milliseconds. What lies as far outside
   * the stated step is still consistent with it. Default a minute.
   */
  readonly clockAllowanceMs?: number;
  /** How numbers of a request are read: the numbering plan and technical prefixes without `#`. */
  readonly numbers?: SourceNumbers;
}

/**
 * How far the clock of whoever stated the time, and that of the switch, may be apart together: those of switches, phones and people are within a
 * minute of each other as a rule; and a minute may be cut off or rounded.
 */
export const CLOCK_ALLOWANCE_US = 60_000_000;

/** The allowance of the options, microseconds. What is no time of 0 to a week is the default. Never throws. */
export function clockAllowanceUs({ clockAllowanceMs = Number.NaN }: MatchOptions): number {
  const us = Math.round(clockAllowanceMs * 1_000);
  return us >= 0 && us <= LONGEST_SEARCH_US ? us : CLOCK_ALLOWANCE_US;
}

/** Where nothing is consistent with the stated time, calls are looked for an hour around it, as whoever sends requests does. */
export const WIDEN_US = 3_600_000_000;

/**
 * How long after the INVITE the time that is stated may be: people note when a call rang, was answered or ended, or its message was left, which
 * of the calls that are asked about is seconds or minutes later. Of longer ones their beginning is stated.
 */
export const LONGEST_LAG_US = 900_000_000;

/** Most calls that an outcome carries: a person looks at the first few, and each is kept with the answer. */
export const MAX_MATCH_CANDIDATES = 100;

/**
 * How far around the stated time a record is looked for by its id, microseconds: times and zones that are mixed up are within it, and so few
 * days of a store are read that the look-up takes no longer than others.
 */
export const LONGEST_SEARCH_US = 604_800_000_000;

/** Fields that are compared. */
export type MatchField = keyof typeof MATCH_WEIGHTS;

/**
 * What a comparison adds to the score of a candidate, by field and by what was found, in hundredths; `absent`: the record does not say. Number
 * called, caller, time and downstream provider together make 1; an identifier of the call stands for whichever of them was not stated. The score
 * orders candidates and is what a policy sets its threshold on; whether a match is unique is decided by what contradicts what, never by the score.
 */
export const MATCH_WEIGHTS = {
  // Stated in every request, and seldom spoofed: it is whom the call reached. A routing number is shared by many.
  called: { equal: 30, compatible: 20, absent: 0, contradicts: -30 },
  // Spoofed or not, hops pass it on as it came, so that it tells two calls to one number apart.
  calling: { equal: 25, compatible: 15, absent: 0, contradicts: -25 },
  // Stated in minutes, by another clock, and often not of the INVITE.
  time: { equal: 20, compatible: 12, absent: 0, contradicts: -20 },
  // Whoever named us had the call from us: a call that was sent elsewhere is another call, or the claim is wrong.
  downstream: { equal: 25, compatible: 0, absent: 0, contradicts: -25 },
  // Names one call; but back-to-back user agents give each leg another, so that a different one says little.
  'call-id': { equal: 40, compatible: 0, absent: 0, contradicts: -20 },
  // A UUID that goes through to the end; but signers may use one for all calls of a customer or a switch.
  origid: { equal: 40, compatible: 0, absent: 0, contradicts: -20 },
  // The name that the asked provider itself gave to its record.
  'record-id': { equal: 40, compatible: 0, absent: 0, contradicts: -40 },
  // One of three letters, and a later hop may have signed anew.
  attestation: { equal: 3, compatible: 0, absent: 0, contradicts: -5 },
  // Shared by all calls of one signer.
  spc: { equal: 3, compatible: 0, absent: 0, contradicts: -5 },
  // Rounded by whoever bills, and counted from the ringing or from the answer.
  duration: { equal: 5, compatible: 3, absent: 0, contradicts: -10 },
} as const;

/**
 * A reason with the weight that its field has.
 * @param weight - in its place, where the weight depends on more
 */
export function reasonOf(
  field: MatchField,
  verdict: MatchCandidate['reasons'][number]['verdict'],
  said: {
    readonly stated?: string | undefined;
    readonly recorded?: string | undefined;
    readonly weight?: number;
  } = {},
): MatchCandidate['reasons'][number] {
  const { stated, recorded, weight = MATCH_WEIGHTS[field][verdict] } = said;
  return defined({
    field,
    verdict,
    weight,
    stated,
    recorded,
  });
}

/** 0 to 1, in thousandths. */
export function scoreOf(reasons: MatchCandidate['reasons']): number {
  const sum = reasons.reduce((total, { weight }) => total + weight, 0);
  return Math.round(Math.min(100, Math.max(0, sum)) * 10) / 1_000;
}
