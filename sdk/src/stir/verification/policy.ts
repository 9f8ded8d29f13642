import { HopbackError } from '../../errors.js';
import { NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import type { NumberingPlan } from '../../core/telephone-number.js';

/**
 * How a verification service decides where the standards leave a choice. Each default is given with its reason; all of them
 * together are `DEFAULT_VERIFICATION_POLICY`.
 */
export interface VerificationPolicy {
  /**
   * `shaken`: ATIS-1000074, full form with ppt, the rows of ATIS-1000082. `rfc8224`: also PASSporTs without ppt and the
   * compact form; an unknown ppt is ignored. Default `shaken`, since that is what carriers have agreed to exchange.
   */
  readonly profile: 'shaken' | 'rfc8224';
  /**
   * How old an `iat` (or Date) may be, and how far ahead, whole seconds from 1 to 86,400. Default 60, as recommended: longer gives
   * whoever copied a token more time to use it. @see RFC 8224 section 12.1
   */
  readonly freshnessSeconds: number;
  /**
   * `iat-wins`: a stale Date is forgiven when iat is fresh (RFC 8224 section 6.2). `strict`: it is not (ATIS-1000082 row 3).
   * Default `iat-wins`: the iat is signed, and switches on the way rewrite a Date.
   */
  readonly dateFreshness: 'iat-wins' | 'strict';
  /**
   * Whether a PASSporT below a div must be fresh too. RFC 8946 recommends it. Default `note`: a call forwarded after long ringing
   * breaks it, and the div above is fresh.
   */
  readonly innerFreshness: 'note' | 'require';
  /**
   * Which header names the caller; the first one with a number wins. Default P-Asserted-Identity, then From: the network stands
   * for the former, the caller's telephone for the latter. @see RFC 8224 section 6.2
   */
  readonly originatingIdentity: readonly ('p-asserted-identity' | 'from')[];
  /**
   * Which part of the request a shaken dest is compared with. Default `to`: it is what signers take dest from, and stays as it
   * was dialled while the Request-URI moves on. @see RFC 8224 section 4.1
   */
  readonly destination: 'to' | 'request-uri';
  /**
   * Whether a Request-URI that names another number than dest needs a div PASSporT. Default `require-div`: without it a token
   * for one called number could be used to call any other. @see RFC 8946 section 1
   */
  readonly retargeting: 'require-div' | 'accept';
  /**
   * What to make of a certificate whose revocation is unknown: no verdict, or a note. Default `indeterminate`: a key that was
   * stolen yesterday is on the list that could not be had.
   */
  readonly revocationUnknown: 'indeterminate' | 'accept';
  /**
   * Whether a repeated PASSporT fails. Default false: forking, route advance and every further hop repeat tokens legitimately, so
   * that a repeat is evidence and no offence.
   */
  readonly rejectReplay: boolean;
  /**
   * `chain`: a good PASSporT with its div chain decides. `worst-of-all`: every Identity header counts (practice of one
   * vendor of session border controllers). Default `chain`: else anybody on the way could spoil a good call by adding a header.
   */
  readonly verstatPriority: 'chain' | 'worst-of-all';
  /**
   * How `ppi` names a PASSporT in Reason headers. Default `full`: the signer finds the very token again. @see RFC 9410 section 5
   */
  readonly ppi: 'full' | 'compact' | 'none';
  /** For numbers without country code. Default {@link NORTH_AMERICAN_PLAN}, where SHAKEN is spoken. */
  readonly numberingPlan: NumberingPlan;
}

/** The defaults: what each of them means and why it is so stands beside the member in {@link VerificationPolicy}. */
export const DEFAULT_VERIFICATION_POLICY: VerificationPolicy = {
  profile: 'shaken',
  freshnessSeconds: 60,
  dateFreshness: 'iat-wins',
  innerFreshness: 'note',
  originatingIdentity: ['p-asserted-identity', 'from'],
  destination: 'to',
  retargeting: 'require-div',
  revocationUnknown: 'indeterminate',
  rejectReplay: false,
  verstatPriority: 'chain',
  ppi: 'full',
  numberingPlan: NORTH_AMERICAN_PLAN,
};

/** More than this is not freshness any more: a day of skew means a broken clock, not a slow path. */
const MAX_FRESHNESS_SECONDS = 86_400;

/**
 * Fills a policy up with the defaults.
 * @param partial - what is to differ; nothing of it has to be given
 * @returns a whole policy, checked
 * @throws {@link HopbackError} `invalid-configuration` for a member that is unknown, misspelled or out of range
 * @see RFC 8224 section 6.2, ATIS-1000074 section 5.3
 * @example
 * ```ts
 * const policy = verificationPolicy({ profile: 'rfc8224', freshnessSeconds: 30 });
 * console.log(policy.revocationUnknown); // indeterminate
 * ```
 */
export function verificationPolicy(partial: Partial<VerificationPolicy> = {}): VerificationPolicy {
  const given = Object.entries(partial).filter(([, value]) => value !== undefined);
  const policy: VerificationPolicy = { ...DEFAULT_VERIFICATION_POLICY, ...Object.fromEntries(given) };
  for (const [name] of given) {
    if (!Object.hasOwn(DEFAULT_VERIFICATION_POLICY, name))
      throw invalid(`${name} is no member of a verification policy`);
  }
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = policy[name as keyof typeof CHOICES];
    if (!(choices as readonly unknown[]).includes(value)) throw invalid(`${name} must be one of ${choices.join(', ')}`);
  }
  const seconds = policy.freshnessSeconds;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_FRESHNESS_SECONDS) {
    throw invalid(
      `freshnessSeconds must be an integer from 1 to ${String(MAX_FRESHNESS_SECONDS)}, not ${String(seconds)}`,
    );
  }
  if (!isSourceList(policy.originatingIdentity)) {
    throw invalid('originatingIdentity must name p-asserted-identity, from or both');
  }
  const { numberingPlan } = policy;
  if (typeof numberingPlan !== 'object' || numberingPlan === null || !COUNTRY_CODE.test(numberingPlan.countryCode)) {
    throw invalid('numberingPlan must be a numbering plan with a countryCode of one to three digits');
  }
  return policy;
}

const COUNTRY_CODE = /^[1-9][0-9]{0,2}$/;

/**
 * How long a verifier has to remember calls, so that no PASSporT it would still accept can come a second time unnoticed: from as
 * far ahead as a clock may be to as old as one below a div may be.
 */
export function replayWindowMs({ freshnessSeconds, innerFreshness }: VerificationPolicy): number {
  const oldest = innerFreshness === 'note' ? Math.max(freshnessSeconds, MAX_INNER_AGE_SECONDS) : freshnessSeconds;
  return 1000 * (freshnessSeconds + oldest);
}

/**
 * How old a PASSporT below a div may be at the very most: a call that rings through ten forwardings of a minute each. Without an
 * end any provider could lend a PASSporT of last year a new date.
 */
export const MAX_INNER_AGE_SECONDS = 600;

/** Members that are one of a few words: a misspelled one would quietly be something else. */
const CHOICES = {
  profile: ['shaken', 'rfc8224'],
  dateFreshness: ['iat-wins', 'strict'],
  innerFreshness: ['note', 'require'],
  destination: ['to', 'request-uri'],
  retargeting: ['require-div', 'accept'],
  revocationUnknown: ['indeterminate', 'accept'],
  rejectReplay: [true, false],
  verstatPriority: ['chain', 'worst-of-all'],
  ppi: ['full', 'compact', 'none'],
} as const satisfies { readonly [Name in keyof VerificationPolicy]?: readonly VerificationPolicy[Name][] };

function isSourceList(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.every((name) => name === 'p-asserted-identity' || name === 'from')
  );
}

const invalid = (message: string): HopbackError => new HopbackError('invalid-configuration', message);
