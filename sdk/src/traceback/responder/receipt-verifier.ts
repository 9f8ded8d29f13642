import { compactVerify, createLocalJWKSet } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { readBySchema } from '../../core/schema-findings.js';
import { HopbackError } from '../../errors.js';
import { ANSWER_RECEIPT_JWS_TYPE } from '../../platform/wire/traceback-exchange.js';
import { answerReceiptSchema } from '../../platform/wire/traceback-exchange.schema.js';
import type { VerifyReceipt } from './ports.js';

/** Longest receipt that is looked at. */
const MAX_RECEIPT_CHARS = 8_192;

/**
 * Makes a verifier of the receipts that a platform signs.
 * @param keys - public keys of the platform, as a JWK set (RFC 7517): ES256, ES384 or EdDSA
 * @returns verifies one receipt; never rejects
 * @throws {@link HopbackError} `key-unusable` where the set is none
 * @see RFC 7515 section 5.2, RFC 8725 section 3.11
 * @example
 * ```ts
 * const verify = createReceiptVerifier({ keys: [] });
 * console.log((await verify('a.b.c')).status); // rejected
 * ```
 */
export function createReceiptVerifier(keys: {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}): VerifyReceipt {
  let keySet: ReturnType<typeof createLocalJWKSet>;
  try {
    keySet = createLocalJWKSet(structuredClone(keys) as unknown as JSONWebKeySet);
  } catch (cause) {
    throw new HopbackError('key-unusable', 'the keys of the platform are no JWK set', { cause });
  }
  return async (receipt) => {
    if (receipt.length > MAX_RECEIPT_CHARS) return { status: 'rejected', reason: 'too-long' };
    let payload: unknown;
    try {
      const verified = await compactVerify(receipt, keySet, { algorithms: ['ES256', 'ES384', 'EdDSA', 'Ed25519'] });
      if (verified.protectedHeader.typ !== ANSWER_RECEIPT_JWS_TYPE)
        return { status: 'rejected', reason: 'another-type' };
      payload = JSON.parse(Buffer.from(verified.payload).toString('utf8'));
    } catch {
      return { status: 'rejected', reason: 'signature' };
    }
    const read = readBySchema(answerReceiptSchema, payload);
    if (!read.success) return { status: 'rejected', reason: 'unreadable' };
    const { answerId, answerSha256, receivedAt } = read.data;
    return { status: 'verified', answerId, answerSha256, receivedAt };
  };
}
