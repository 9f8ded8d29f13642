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
  readonly certificateSha256: string;
  readonly expected?: string | number;
  readonly actual?: string | number;
}

/** A path that ends in a trust anchor. Only `buildCertificatePath` makes one. */
export interface CertificatePath {
  /** End entity first, trust anchor last. */
  readonly certificates: readonly Certificate[];
  readonly trustAnchorSha256: string;
  /** The path holds from (inclusive) to (inclusive) these instants, as far as validity dates go. */
  readonly validFromMs: number;
  readonly validToMs: number;
  /** The SPC the end entity may speak for, where its TNAuthList has exactly one; a delegate inherits that of its parent. */
  readonly spc?: Spc;
  readonly tnAuthList: readonly TnAuthEntry[];
  readonly jwtClaimConstraints?: JwtClaimConstraints;
  readonly revocation: RevocationStatus;
}

/** What is known of revocation for a whole path: the worst of its certificates. Unknown is not good, and not revoked. */
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
