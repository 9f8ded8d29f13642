import { HopbackError } from '../../errors.js';
import { NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import type { NumberingPlan } from '../../core/telephone-number.js';

/** How a verification service decides where the standards leave a choice. */
export interface VerificationPolicy {
  /**
   * `shaken`: ATIS-1000074, full form with ppt, the rows of ATIS-1000082. `rfc8224`: also PASSporTs without ppt and the
   * compact form; an unknown ppt is ignored.
   */
  readonly profile: 'shaken' | 'rfc8224';
  /** How old an `iat` (or Date) may be, and how far ahead, seconds. Default 60. @see RFC 8224 section 12.1 */
  readonly freshnessSeconds: number;
  /** `iat-wins`: a stale Date is forgiven when iat is fresh (RFC 8224 section 6.2). `strict`: it is not (ATIS-1000082 row 3). */
  readonly dateFreshness: 'iat-wins' | 'strict';
  /** Whether a PASSporT below a div must be fresh too. RFC 8946 recommends it; a call forwarded after long ringing breaks it. */
  readonly innerFreshness: 'note' | 'require';
  /** Which header names the caller; the first one with a number wins. */
  readonly originatingIdentity: readonly ('p-asserted-identity' | 'from')[];
  /** Which part of the request a shaken dest is compared with. */
  readonly destination: 'to' | 'request-uri';
  /** Whether a Request-URI that names another number than dest needs a div PASSporT. */
  readonly retargeting: 'require-div' | 'accept';
  /** What to make of a certificate whose revocation is unknown: fail closed, or leave a note. */
  readonly revocationUnknown: 'indeterminate' | 'accept';
  /** Whether a repeated PASSporT fails. Forking, route advance and every further hop repeat tokens legitimately. */
  readonly rejectReplay: boolean;
  /**
   * `chain`: a good PASSporT with its div chain decides. `worst-of-all`: every Identity header counts (practice of one
   * vendor of session border controllers).
   */
  readonly verstatPriority: 'chain' | 'worst-of-all';
  /** How `ppi` names a PASSporT in Reason headers. @see RFC 9410 section 5 */
  readonly ppi: 'full' | 'compact' | 'none';
  /** For numbers without country code. */
  readonly numberingPlan: NumberingPlan;
}

/** The defaults, each with its reason in {@link VerificationPolicy}. */
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
 * @throws {@link HopbackError} `invalid-configuration` when a value is out of range
 */
export function verificationPolicy(partial: Partial<VerificationPolicy> = {}): VerificationPolicy {
  const policy = { ...DEFAULT_VERIFICATION_POLICY, ...partial };
  const seconds = policy.freshnessSeconds;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_FRESHNESS_SECONDS) {
    throw new HopbackError(
      'invalid-configuration',
      `freshnessSeconds must be an integer from 1 to ${String(MAX_FRESHNESS_SECONDS)}, not ${String(seconds)}`,
    );
  }
  if (policy.originatingIdentity.length === 0) {
    throw new HopbackError('invalid-configuration', 'originatingIdentity must name at least one header');
  }
  return policy;
}
