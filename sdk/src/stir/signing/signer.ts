import type { KeyObject } from 'node:crypto';

/** What every signer has. */
export interface SignerBase {
  /** The only algorithm of a PASSporT. @see RFC 8225 section 8.1 */
  readonly algorithm: 'ES256';
  /** Where the private key is: in this process, or behind a service or device. Goes into the record of each signature. */
  readonly kind: 'local' | 'external';
  /** P-256 public key that belongs to the signatures; compared with the certificate before anything is signed. */
  readonly publicKey: KeyObject;
}

/** A signer that answers at once, so that no promise stands between a call and its Identity header. */
export interface SynchronousSigner extends SignerBase {
  /** Told apart by this. */
  readonly synchronous: true;
  /**
   * Signs a JWS signing input.
   * @param signingInput - `header.payload` in base64url, or its octets
   * @returns r and s, 64 octets
   * @throws {@link HopbackError} `signer-failed`
   */
  readonly sign: (signingInput: string | Uint8Array) => Uint8Array;
}

/** A signer whose key is elsewhere: a key management service, a hardware module. */
export interface AsynchronousSigner extends SignerBase {
  /** Told apart by this. */
  readonly synchronous: false;
  /**
   * Signs a JWS signing input.
   * @param signingInput - `header.payload` in base64url, or its octets
   * @returns r and s, 64 octets; rejects with {@link HopbackError} `signer-failed`
   */
  readonly sign: (signingInput: string | Uint8Array) => Promise<Uint8Array>;
}

/**
 * Whatever holds the private key of a provider and makes ES256 signatures with it. One signer stands for one provider: whoever
 * signs for several has a signer and a certificate for each.
 * @see RFC 7515 section 5.1, 47 CFR 64.6301
 */
export type Signer = SynchronousSigner | AsynchronousSigner;
