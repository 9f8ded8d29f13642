import type { JsonWebKey } from 'node:crypto';
import type { TestName } from './distinguished-name.js';
import type { TestKey } from './test-key.js';

/** A certificate of the test PKI together with its private key. */
export interface TestCertificate {
  readonly der: Uint8Array;
  readonly certificatePem: string;
  /** The certificate and every intermediate above it, end entity first, without the root: what an x5u URL serves. */
  readonly chainPem: string;
  /** PKCS#8 PEM. */
  readonly privateKeyPem: string;
  readonly privateKeyJwk: JsonWebKey;
  readonly publicKeyPem: string;
  readonly key: TestKey;
  /** SHA-256 of `der`, lower-case hex. */
  readonly sha256: string;
  readonly serialNumber: bigint;
  /** Lower-case hex, no leading zeros. */
  readonly serialNumberHex: string;
  readonly subject: TestName;
  /** `C=US, O=…, CN=…`. */
  readonly subjectText: string;
  /** The one written into the certificate; the key's own where none was written. */
  readonly subjectKeyIdentifier: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The certificate whose key signed this one; absent when self-signed. */
  readonly issuer?: TestCertificate;
  /** The service provider code it was issued for, where it was. */
  readonly spc?: string;
}
