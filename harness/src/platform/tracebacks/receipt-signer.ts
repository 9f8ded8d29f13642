import type { KeyObject } from 'node:crypto';
import { ANSWER_RECEIPT_JWS_TYPE } from '@hopback/sdk/platform';
import { createJwsSigner } from './compact-jws.js';
import type { ReceiptSigner } from './tracebacks-parts.js';

/**
 * Makes a signer of receipts of a key in this process.
 * @param key - private key with its id, as carriers know it from the platform's key set
 * @see RFC 7515 section 7.1, RFC 8725 section 3.11
 */
export function createReceiptSigner(key: {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly algorithm: 'ES256' | 'EdDSA';
}): ReceiptSigner {
  const { keyId, privateKey, algorithm } = key;
  const sign = createJwsSigner({ alg: algorithm, kid: keyId, typ: ANSWER_RECEIPT_JWS_TYPE }, privateKey);
  return { sign: async (receipt) => sign(receipt) };
}
