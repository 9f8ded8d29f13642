import type { TnAuthEntry } from './field-types.js';
import type { NameAttribute, TestName } from './distinguished-name.js';
import type { SignatureHash, TestKey, TestKeyType } from './test-key.js';
import type { TestCertificate } from './test-certificate.js';

/** Bits of KeyUsage by name. @see RFC 5280 section 4.2.1.3 */
export type KeyUsageName =
  | 'digitalSignature'
  | 'nonRepudiation'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign'
  | 'encipherOnly'
  | 'decipherOnly';

/** One CRL distribution point as it is to be written. */
export interface DistributionPointOptions {
  readonly url: string;
  /** Issuer of an indirect CRL; left out for a CRL that the CA itself signs. */
  readonly crlIssuer?: TestName;
}

/** JWTClaimConstraints (RFC 8226) or, with `mustExclude`, EnhancedJWTClaimConstraints (RFC 9118), as they are to be written. */
export interface ClaimConstraintsOptions {
  readonly mustInclude?: readonly string[];
  readonly permittedValues?: readonly { readonly claim: string; readonly permitted: readonly string[] }[];
  readonly mustExclude?: readonly string[];
}

/** An extension given as bytes. */
export interface RawExtension {
  readonly oid: string;
  readonly critical?: boolean;
  /** DER inside the OCTET STRING. */
  readonly value: Uint8Array;
}

/**
 * Everything of a certificate that can be set, and so be set wrongly. Whatever is not mentioned follows the SHAKEN
 * certificate profile for its kind (service provider, CA, …). `'absent'` leaves an extension out.
 * @see ATIS-1000080 section 6.4, RFC 5280 section 4
 */
export interface CertificateOptions {
  /** Who signs and is named as issuer. Default: the intermediate CA for end entities, the root for CAs. `'self'` for self-signed. */
  readonly issuer?: TestCertificate | 'self';
  /** Whole subject name. */
  readonly subject?: TestName;
  /** Organization of the default subject. */
  readonly organization?: string;
  /** Common name of the default subject. */
  readonly commonName?: string;
  /** Attributes appended to the subject, such as a serialNumber. */
  readonly extraSubject?: readonly NameAttribute[];
  /** The name written as issuer, where it is to differ from the subject of the signing certificate. */
  readonly issuerName?: TestName;
  /** The key to certify; default a new one of `curve`. Give the same one twice for cross-signed certificates. */
  readonly key?: TestKey;
  /** Kind of the new key. Default P-256. */
  readonly curve?: TestKeyType;
  /** Instead of the next number of the counter; may be 0 or negative. */
  readonly serialNumber?: number | bigint;
  /** Default 3. Version 1 and 2 certificates are written without extensions unless some are given in `extraExtensions`. */
  readonly version?: 1 | 2 | 3;
  /** Milliseconds since the epoch. Default 30 days before the PKI's `nowMs`. */
  readonly notBeforeMs?: number;
  /** Milliseconds since the epoch. Default 365 days after the PKI's `nowMs` for end entities, 10 years for CAs. */
  readonly notAfterMs?: number;
  /** The two above as dates; the ones in milliseconds win. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Default: the one that goes with the issuer's key (SHA-256 for P-256). */
  readonly signatureHash?: SignatureHash;
  /** Signs with this key while naming the issuer all the same: a forged certificate. */
  readonly signedBy?: TestKey;
  /** Flips one bit of the signature. */
  readonly corruptSignature?: boolean;
  readonly basicConstraints?:
    { readonly ca: boolean; readonly pathLength?: number; readonly critical?: boolean } | 'absent';
  readonly keyUsage?: { readonly usages: readonly KeyUsageName[]; readonly critical?: boolean } | 'absent';
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectKeyIdentifier?: Uint8Array | 'absent';
  /** `'wrong'` writes an identifier that belongs to no key of this PKI. */
  readonly authorityKeyIdentifier?: Uint8Array | 'absent' | 'wrong';
  /** Policy OIDs. */
  readonly certificatePolicies?: readonly string[] | 'absent';
  readonly crlDistributionPoints?: readonly DistributionPointOptions[] | 'absent';
  /** caIssuers URLs of AuthorityInfoAccess. */
  readonly caIssuers?: readonly string[];
  /** Entries, or the DER of the extension value, or nothing at all. */
  readonly tnAuthList?: readonly TnAuthEntry[] | Uint8Array | 'absent';
  readonly tnAuthListCritical?: boolean;
  readonly jwtClaimConstraints?: ClaimConstraintsOptions;
  readonly enhancedJwtClaimConstraints?: ClaimConstraintsOptions;
  readonly subjectAlternativeNames?: { readonly names?: readonly string[]; readonly addresses?: readonly string[] };
  /** Adds an extension that no implementation knows, marked critical. */
  readonly unknownCriticalExtension?: boolean;
  readonly extraExtensions?: readonly RawExtension[];
}
