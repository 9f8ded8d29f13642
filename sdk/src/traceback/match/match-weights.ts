import type { MatchReason } from '../match-outcome.js';

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
