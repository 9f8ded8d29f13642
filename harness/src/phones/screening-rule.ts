import { canonicalTelephoneNumber } from '@hopback/sdk/stir';
import type { Verstat } from '@hopback/sdk/stir';
import type { InviteFacts } from './invite-facts.js';

/** Whom a subscriber lets ring, as set up in a call-blocking app. Whatever is left out blocks nobody, with the exception of `blockedVerstats`. */
export interface ScreeningRule {
  /** Numbers of the address book: always let through, also where somebody only pretends to call from them. */
  readonly knownContacts?: readonly string[];
  /** Calling numbers that are blocked. */
  readonly blockedNumbers?: readonly string[];
  /** Digits, country code first, that blocked calling numbers begin with: `1900`. */
  readonly blockedPrefixes?: readonly string[];
  /** What the network must not have found out about the calling number; default `TN-Validation-Failed` alone. */
  readonly blockedVerstats?: readonly Verstat[];
  /** Whether calls are blocked whose caller does not want to be named. */
  readonly blockAnonymous?: boolean;
  /**
   * How many first digits of the subscriber's own number a caller may not share, country code included: 7 blocks whoever calls from the
   * same area code and exchange, as those do who want to look like a neighbour. 0, the default, blocks none.
   */
  readonly neighbourDigits?: number;
}

/** What the rule looks at. */
export interface ScreenedCall extends Pick<InviteFacts, 'callingNumber' | 'isAnonymous' | 'verstat'> {
  /** The subscriber's own number, in any spelling. */
  readonly ownNumber: string;
}

/** Why a call was blocked. */
export type BlockReason =
  | 'blocked-number'
  | 'blocked-prefix'
  | 'verstat-failed'
  | 'verstat-not-validated'
  | 'verstat-passed'
  | 'anonymous'
  | 'neighbour-spoofing';

/** Whether a call may ring, and why. */
export type ScreeningDecision =
  | { readonly action: 'allow'; readonly reason: 'known-contact' | 'nothing-against-it' }
  | { readonly action: 'block'; readonly reason: BlockReason };

/**
 * Decides whether a call may ring: known contacts first, then what names the caller, then what the network says of the number, then
 * how the number looks. Never throws for peer input.
 * @param call - of an INVITE, with the subscriber's own number
 * @param rule - numbers in any spelling, prefixes in digits
 * @returns `allow` or `block`, and why
 * @see RFC 8197 section 1 for what a block says to the network
 * @example
 * ```ts
 * const call = { callingNumber: '12025550123', isAnonymous: false, ownNumber: '12025550199' };
 * console.log(screenCall(call, { neighbourDigits: 7 }).reason); // neighbour-spoofing
 * console.log(screenCall(call, { neighbourDigits: 7, knownContacts: ['(202) 555-0123'] }).reason); // known-contact
 * ```
 */
export function screenCall(call: ScreenedCall, rule: ScreeningRule): ScreeningDecision {
  const { callingNumber = '', isAnonymous, verstat, ownNumber } = call;
  if (isOneOf(callingNumber, rule.knownContacts)) return { action: 'allow', reason: 'known-contact' };
  if (isOneOf(callingNumber, rule.blockedNumbers)) return block('blocked-number');
  if (startsWithOne(callingNumber, rule.blockedPrefixes)) return block('blocked-prefix');
  if (verstat !== undefined && (rule.blockedVerstats ?? DEFAULT_BLOCKED_VERSTATS).includes(verstat)) {
    return block(VERSTAT_REASONS[verstat]);
  }
  if (isAnonymous && rule.blockAnonymous === true) return block('anonymous');
  const near = canonical(ownNumber).slice(0, rule.neighbourDigits ?? 0);
  if (near !== '' && callingNumber.startsWith(near)) return block('neighbour-spoofing');
  return { action: 'allow', reason: 'nothing-against-it' };
}

/** A number that was proven false has no honest use; one that nobody vouches for has many. */
const DEFAULT_BLOCKED_VERSTATS: readonly Verstat[] = ['TN-Validation-Failed'];

const VERSTAT_REASONS: Readonly<Record<Verstat, BlockReason>> = {
  'TN-Validation-Failed': 'verstat-failed',
  'No-TN-Validation': 'verstat-not-validated',
  'TN-Validation-Passed': 'verstat-passed',
};

const block = (reason: BlockReason): ScreeningDecision => ({ action: 'block', reason });

function isOneOf(callingNumber: string, numbers: readonly string[] = []): boolean {
  return callingNumber !== '' && numbers.some((number) => canonical(number) === callingNumber);
}

function startsWithOne(callingNumber: string, prefixes: readonly string[] = []): boolean {
  return prefixes.some((prefix) => prefix !== '' && callingNumber.startsWith(prefix));
}

function canonical(number: string): string {
  const read = canonicalTelephoneNumber(number);
  return read.kind === 'none' ? number : read.tn;
}
