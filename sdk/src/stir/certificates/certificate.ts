import type { KeyObject } from 'node:crypto';
import type { Spc } from '../../core/terms.js';

/** One entry of a TNAuthList. @see RFC 8226 section 9 */
export type TnAuthEntry =
  | { readonly kind: 'spc'; readonly spc: Spc }
  | { readonly kind: 'range'; readonly start: string; readonly count: number }
  | { readonly kind: 'one'; readonly tn: string };

/** What a certificate lets its holder say in a PASSporT. @see RFC 8226 section 8, RFC 9118 section 4 */
export interface JwtClaimConstraints {
  readonly mustInclude: readonly string[];
  readonly permittedValues: readonly { readonly claim: string; readonly permitted: readonly string[] }[];
  /** EnhancedJWTClaimConstraints only; empty otherwise. */
  readonly mustExclude: readonly string[];
}

/** One CRL distribution point: where a CRL is published and, for an indirect one, who signs it. */
export interface CrlDistributionPoint {
  readonly urls: readonly string[];
  /** Canonical text of the cRLIssuer name, for an indirect CRL. */
  readonly crlIssuer?: string;
}

/** A distinguished name: readable text, comparable bytes, and its attributes in order. */
export interface DistinguishedName {
  /** For people: `C=US, O=Example, CN=SHAKEN 1234`. */
  readonly text: string;
  /** For comparison (name chaining): canonical form after RFC 5280 section 7.1 (case folded, spaces squeezed). */
  readonly canonical: string;
  readonly attributes: readonly { readonly type: string; readonly value: string }[];
}

/**
 * An X.509 certificate, taken apart once. Parsed is not trusted: only a path from `buildCertificatePath` says so.
 * @see RFC 5280 section 4
 */
export interface Certificate {
  readonly der: Uint8Array;
  /** SHA-256 of `der`, lower-case hex. */
  readonly sha256: string;
  readonly version: 1 | 2 | 3;
  /** Serial number, lower-case hex without leading zeros; a leading `-` when negative. */
  readonly serialNumber: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Made when it is first asked for; always the same object. */
  readonly publicKey: KeyObject;
  /** `EC P-256`, `EC P-384`, `RSA 2048`, `Ed25519` …, for people and for policy. */
  readonly publicKeyType: string;
  /** Dotted OID of the signature algorithm. */
  readonly signatureAlgorithm: string;
  readonly isCa: boolean;
  readonly basicConstraints?: { readonly critical: boolean; readonly ca: boolean; readonly pathLength?: number };
  readonly keyUsage?: { readonly critical: boolean; readonly usages: readonly string[] };
  /** Purposes as dotted OIDs. */
  readonly extendedKeyUsage?: readonly string[];
  /** Lower-case hex. */
  readonly subjectKeyIdentifier?: string;
  /** Lower-case hex of keyIdentifier. */
  readonly authorityKeyIdentifier?: string;
  /** The issuer's certificate where AuthorityKeyIdentifier names it: its issuer (canonical text of a directory name) and serial number. */
  readonly authorityCertificate?: { readonly issuer?: string; readonly serialNumber: string };
  readonly certificatePolicies: readonly string[];
  readonly crlDistributionPoints: readonly CrlDistributionPoint[];
  /** caIssuers URLs of AuthorityInfoAccess. */
  readonly caIssuers: readonly string[];
  readonly tnAuthList?: readonly TnAuthEntry[];
  readonly jwtClaimConstraints?: JwtClaimConstraints;
  readonly extensions: readonly { readonly oid: string; readonly critical: boolean }[];
  /**
   * Extensions that this implementation does not process and may not pass over: those marked critical, and name constraints, policy
   * constraints and inhibitAnyPolicy even when they are not. A path with one is refused.
   */
  readonly unknownCriticalExtensions: readonly string[];
}

/** Why bytes could not be read as a certificate (chain). */
export type CertificateParseFailure =
  'not-pem' | 'malformed-der' | 'too-large' | 'too-many-certificates' | 'empty-chain';

/** Result of parsing one certificate. */
export type CertificateParseResult =
  | { readonly status: 'parsed'; readonly certificate: Certificate }
  | { readonly status: 'malformed'; readonly reason: CertificateParseFailure; readonly detail: string };

/** Result of parsing an x5u body: PEM certificates, end entity first. */
export type CertificateChainParseResult =
  | { readonly status: 'parsed'; readonly chain: readonly Certificate[] }
  | { readonly status: 'malformed'; readonly reason: CertificateParseFailure; readonly detail: string };
