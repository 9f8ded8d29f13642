import type { Spc } from '../../core/terms.js';
import type { Certificate, JwtClaimConstraints, TnAuthEntry } from './certificate.js';

/** Every way a certification path can fail. Collected, not first-only. @see RFC 5280 section 6, RFC 8226, RFC 9060 */
export type PathFailureReason =
  | 'trust-list-empty'
  | 'no-path-to-trust-anchor'
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'issuer-name-mismatch'
  | 'certificate-signature-invalid'
  | 'signature-algorithm-not-permitted'
  | 'public-key-not-permitted'
  | 'not-a-ca'
  | 'path-length-exceeded'
  | 'key-usage-missing'
  | 'signer-is-a-ca'
  | 'unknown-critical-extension'
  | 'key-identifier-mismatch'
  | 'path-too-long'
  | 'tn-auth-list-missing'
  | 'tn-auth-list-not-encompassed'
  | 'claim-constraints-on-ca'
  | 'certificate-revoked';

/** One failure of a path, with the certificate it is about and both values. */
export interface PathFailure {
  readonly reason: PathFailureReason;
  /** SHA-256 of its DER, lower-case hex. */
  readonly certificateSha256: string;
  /** What would have been right; instants are milliseconds since the epoch. */
  readonly expected?: string | number;
  /** What was there, in the same unit. */
  readonly actual?: string | number;
}

/** A path that ends in a trust anchor. Only `buildCertificatePath` makes one. */
export interface CertificatePath {
  /** End entity first, trust anchor last. */
  readonly certificates: readonly Certificate[];
  /** SHA-256 of the last certificate, lower-case hex. */
  readonly trustAnchorSha256: string;
  /** First instant at which all certificates are valid, milliseconds since the epoch. */
  readonly validFromMs: number;
  /** Last instant at which all of them are, milliseconds since the epoch. */
  readonly validToMs: number;
  /** The SPC the end entity may speak for, where its TNAuthList has exactly one; a delegate inherits that of its parent. */
  readonly spc?: Spc;
  /** Of the end entity. */
  readonly tnAuthList: readonly TnAuthEntry[];
  /** Of the end entity. */
  readonly jwtClaimConstraints?: JwtClaimConstraints;
  /** Never `revoked`: such a path is untrusted. */
  readonly revocation: RevocationStatus;
}

/**
 * What is known of revocation for one certificate, or for a whole path: then the worst of its certificates. Unknown is not good, and not
 * revoked. Instants are milliseconds since the epoch; `crlReason` is a {@link CrlReason} where a CRL was asked; `detail` is for people.
 */
export type RevocationStatus =
  | { readonly status: 'good'; readonly checkedAtMs: number }
  | {
      readonly status: 'revoked';
      readonly certificateSha256: string;
      readonly revokedAtMs: number;
      readonly crlReason?: string;
    }
  | { readonly status: 'unknown'; readonly detail: string };

/** Result of path building and validation. */
export type CertificatePathResult =
  | { readonly status: 'trusted'; readonly path: CertificatePath }
  | { readonly status: 'untrusted'; readonly failures: readonly PathFailure[] };

/** Asked for every certificate of a path below its anchor. */
export type RevocationLookup = (certificate: Certificate, issuer: Certificate) => RevocationStatus;

/** What a path is built against. */
export interface PathOptions {
  /** CA certificates that paths may end in; none means that no path is trusted. */
  readonly trustAnchors: readonly Certificate[];
  /** When, milliseconds since the epoch. */
  readonly atMs: number;
  /** Signature algorithms and keys that may appear in a path. Default `['ES256', 'ES384']`. */
  readonly algorithms?: readonly ('ES256' | 'ES384')[];
  /** Further certificates a path may go through, beside those of the chain. */
  readonly intermediates?: readonly Certificate[];
  /** Default: everything `unknown`. */
  readonly revocation?: RevocationLookup;
}
