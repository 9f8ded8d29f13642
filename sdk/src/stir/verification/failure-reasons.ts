import type { Verstat } from '../../core/terms.js';
import type { PathFailureReason } from '../certificates/path.js';

/** Every reason why a PASSporT, or a whole request, was not found good. Closed: each has a row in {@link FAILURE_REASONS}. */
export type FailureReason =
  | 'identity-absent'
  | 'identity-header-too-long'
  | 'too-many-identity-headers'
  | 'identity-header-malformed'
  | 'date-stale'
  | 'compact-form'
  | 'ppt-unsupported'
  | 'info-missing'
  | 'info-invalid'
  | 'x5u-unreachable'
  | 'base64url-invalid'
  | 'json-malformed'
  | 'json-duplicate-key'
  | 'json-forbidden-key'
  | 'json-too-deep'
  | 'json-too-large'
  | 'header-claim-missing'
  | 'header-claim-malformed'
  | 'critical-header-unsupported'
  | 'x5u-info-mismatch'
  | 'typ-not-passport'
  | 'alg-unsupported'
  | 'ppt-mismatch'
  | 'claim-missing'
  | 'claim-malformed'
  | 'claim-not-permitted'
  | 'iat-stale'
  | 'iat-in-future'
  | 'orig-unusable'
  | 'orig-mismatch'
  | 'dest-unusable'
  | 'dest-mismatch'
  | 'retarget-without-div'
  | 'div-target-mismatch'
  | 'div-chain-broken'
  | 'attest-invalid'
  | PathFailureReason
  | 'revocation-unknown'
  | 'trust-list-expired'
  | 'tn-not-authorized'
  | 'claim-constraint-violated'
  | 'signature-invalid'
  | 'signature-unchecked'
  | 'replayed'
  | 'time-budget-spent';

/** A final SIP response that refuses a request for its Identity. @see RFC 8224 section 6.2.2 */
export interface SipResponse {
  /** Status code. */
  readonly status: 403 | 428 | 436 | 437 | 438;
  /** The phrase that RFC 8224 gives it. */
  readonly reasonPhrase: string;
}

/** What one failure reason means on the wire. */
export interface FailureMeaning {
  /** `failed` is a finding against the PASSporT; `indeterminate` means that it could not be checked. */
  readonly outcome: 'failed' | 'indeterminate';
  /** The SIP response that policy may choose; absent where there is nothing to reproach the caller with. */
  readonly sip?: SipResponse;
  /** What the callee's network is told where this reason decides. */
  readonly verstat: Verstat;
  /** Row of the ATIS-1000082 error table, 3 to 19. */
  readonly condition?: number;
  /** One sentence for people. */
  readonly text: string;
}

const STALE: SipResponse = { status: 403, reasonPhrase: 'Stale Date' };
const USE_IDENTITY: SipResponse = { status: 428, reasonPhrase: 'Use Identity Header' };
const BAD_INFO: SipResponse = { status: 436, reasonPhrase: 'Bad Identity Info' };
const UNSUPPORTED: SipResponse = { status: 437, reasonPhrase: 'Unsupported Credential' };
const INVALID: SipResponse = { status: 438, reasonPhrase: 'Invalid Identity Header' };

const failed = (sip: SipResponse, text: string, condition?: number): FailureMeaning => ({
  outcome: 'failed',
  sip,
  verstat: 'No-TN-Validation',
  text,
  ...(condition === undefined ? {} : { condition }),
});

/** Row 17: the certificate is not one to trust. By report of ATIS-1000082 this counts as TN-Validation-Failed. */
const untrusted = (text: string): FailureMeaning => ({
  outcome: 'failed',
  sip: UNSUPPORTED,
  verstat: 'TN-Validation-Failed',
  condition: 17,
  text,
});

const indeterminate = (text: string): FailureMeaning => ({
  outcome: 'indeterminate',
  verstat: 'No-TN-Validation',
  text,
});

/**
 * The total map from failure reason to SIP response, `verstat` and row of the ATIS-1000082 table. A reason without a row
 * does not compile.
 * @see RFC 8224 section 6.2.2; ATIS-1000082 (rows by report: kept in this one table so that they are easy to correct)
 */
export const FAILURE_REASONS: Readonly<Record<FailureReason, FailureMeaning>> = {
  'identity-absent': { ...indeterminate('The request carries no Identity header that applies.'), sip: USE_IDENTITY },
  'identity-header-too-long': failed(INVALID, 'The Identity header is longer than any that is accepted.'),
  'too-many-identity-headers': failed(INVALID, 'The request has more Identity headers than are looked at.'),
  'identity-header-malformed': failed(INVALID, 'The Identity header does not follow the grammar.'),
  'date-stale': failed(STALE, 'The Date of the request is not fresh.', 3),
  'compact-form': failed(INVALID, 'The PASSporT is in compact form, which cannot carry the claims of this type.', 4),
  'ppt-unsupported': failed(INVALID, 'The ppt parameter names a PASSporT type that this profile does not verify.', 5),
  'info-missing': failed(BAD_INFO, 'The Identity header has no info parameter.', 6),
  'info-invalid': failed(BAD_INFO, 'The info parameter is not a URL that may be fetched.', 7),
  'x5u-unreachable': {
    outcome: 'indeterminate',
    sip: BAD_INFO,
    verstat: 'No-TN-Validation',
    condition: 8,
    text: 'No certificate could be fetched from the x5u URL.',
  },
  'base64url-invalid': failed(INVALID, 'A segment of the PASSporT is not strict base64url.'),
  'json-malformed': failed(INVALID, 'A segment of the PASSporT is not JSON.'),
  'json-duplicate-key': failed(INVALID, 'A JSON object of the PASSporT has a key twice.'),
  'json-forbidden-key': failed(INVALID, 'A JSON object of the PASSporT has a key that is never legitimate.'),
  'json-too-deep': failed(INVALID, 'The JSON of the PASSporT is nested too deep.'),
  'json-too-large': failed(INVALID, 'The JSON of the PASSporT is too large.'),
  'header-claim-missing': failed(BAD_INFO, 'The PASSporT header lacks ppt, typ, x5u or alg.', 9),
  'header-claim-malformed': failed(BAD_INFO, 'A value in the PASSporT header is not a string.', 9),
  'critical-header-unsupported': failed(INVALID, 'The PASSporT header demands a JWS extension that is not supported.'),
  'x5u-info-mismatch': failed(BAD_INFO, 'The x5u of the PASSporT differs from the info parameter.', 10),
  'typ-not-passport': failed(UNSUPPORTED, 'The typ of the PASSporT header is not "passport".', 11),
  'alg-unsupported': failed(UNSUPPORTED, 'The signature algorithm is not ES256.', 12),
  'ppt-mismatch': failed(INVALID, 'The ppt of the PASSporT header is not the one of the Identity header.', 13),
  'claim-missing': failed(INVALID, 'The PASSporT lacks a claim that its type requires.', 14),
  'claim-malformed': failed(INVALID, 'A claim of the PASSporT has the wrong shape.', 14),
  'claim-not-permitted': failed(INVALID, 'The PASSporT has a claim that its type does not permit.', 14),
  'iat-stale': failed(STALE, 'The PASSporT was issued too long ago.', 15),
  'iat-in-future': failed(STALE, 'The PASSporT claims to be issued in the future.', 15),
  'orig-unusable': indeterminate('The request names no caller that the orig claim could be compared with.'),
  'orig-mismatch': failed(INVALID, 'The orig claim is not the caller of the request.', 16),
  'dest-unusable': indeterminate('The request names no called party that the dest claim could be compared with.'),
  'dest-mismatch': failed(INVALID, 'The dest claim is not the called party of the request.', 16),
  'retarget-without-div': failed(INVALID, 'The call was retargeted and no div PASSporT accounts for it.', 16),
  'div-target-mismatch': failed(
    INVALID,
    'The dest of the outermost div PASSporT is not the target of the request.',
    16,
  ),
  'div-chain-broken': failed(INVALID, 'The div PASSporT does not link to another PASSporT of the same call.', 16),
  'attest-invalid': failed(INVALID, 'The attest claim is none of "A", "B" and "C".', 19),
  'trust-list-empty': untrusted('There are no trust anchors, so nothing is trusted.'),
  'no-path-to-trust-anchor': untrusted('No path leads from the certificate to a trust anchor.'),
  'certificate-expired': untrusted('A certificate of the path has expired.'),
  'certificate-not-yet-valid': untrusted('A certificate of the path is not valid yet.'),
  'issuer-name-mismatch': untrusted('A certificate names another issuer than the one above it.'),
  'certificate-signature-invalid': untrusted('The signature of a certificate does not verify with the key above it.'),
  'signature-algorithm-not-permitted': untrusted('A certificate is signed with an algorithm that is not permitted.'),
  'public-key-not-permitted': untrusted('A certificate has a kind of key that is not permitted.'),
  'not-a-ca': untrusted('A certificate was issued by one that is not a certification authority.'),
  'path-length-exceeded': untrusted('A certification authority is deeper than the one above it permits.'),
  'signer-is-a-ca': untrusted(
    'The certificate that signed belongs to a certification authority. Only end-entity certificates sign calls.',
  ),
  'key-usage-missing': untrusted('The key usage of a certificate does not permit what it was used for.'),
  'unknown-critical-extension': untrusted('A certificate has a critical extension that is not understood.'),
  'key-identifier-mismatch': untrusted('The authority key identifier is not the subject key identifier above it.'),
  'path-too-long': untrusted('The certification path is longer than any that is accepted.'),
  'tn-auth-list-missing': untrusted('The certificate has no TNAuthList.'),
  'tn-auth-list-not-encompassed': untrusted('The TNAuthList reaches beyond that of the certificate above it.'),
  'claim-constraints-on-ca': untrusted('A certification authority carries JWT claim constraints.'),
  'certificate-revoked': untrusted('A certificate of the path is revoked.'),
  'revocation-unknown': indeterminate('It is not known whether a certificate of the path is revoked.'),
  'trust-list-expired': indeterminate(
    'The signed list of trust anchors has expired, so that it trusts nobody any more.',
  ),
  'tn-not-authorized': untrusted('The certificate has no authority over the number that was signed for.'),
  'claim-constraint-violated': untrusted('The claims break the constraints that the certificate sets.'),
  'signature-invalid': {
    outcome: 'failed',
    sip: INVALID,
    verstat: 'TN-Validation-Failed',
    condition: 18,
    text: 'The signature does not verify with the key of the certificate.',
  },
  'signature-unchecked': indeterminate('The signature could not be checked.'),
  replayed: failed(INVALID, 'The same PASSporT has been seen before and policy refuses repeats.'),
  'time-budget-spent': indeterminate('The time for this call was used up before the answer was known.'),
};

/** All failure reasons, in the order of the table. */
export const FAILURE_REASON_NAMES: readonly FailureReason[] = Object.keys(FAILURE_REASONS) as FailureReason[];
