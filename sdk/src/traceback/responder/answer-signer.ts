/**
 * Whatever holds the key that a provider signs its answers with. It is another key than the one that signs calls: whoever may sign calls may
 * not speak for the provider, and a key that is revoked for the one goes on for the other.
 * @see RFC 7515
 */
export interface AnswerSigner {
  /** JWS algorithm, `ES256` as a rule. RFC 7518 section 3.1 */
  readonly algorithm: 'ES256' | 'ES384' | 'EdDSA';
  /** Under which name the platform knows the public key, 1 to 256 characters. */
  readonly keyId: string;
  /**
   * Signs the octets of `header.payload`.
   * @returns the signature as a JWS has it: for ES256 r and s, 64 octets
   * @throws {@link HopbackError} `signer-failed`
   */
  readonly sign: (signingInput: Uint8Array) => Promise<Uint8Array>;
}
