import { createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { HopbackError } from '../../errors.js';

/** Version of a signature: HMAC with SHA-256, or Ed25519. */
export type WebhookSignatureVersion = 'v1' | 'v1a';

/** Something that signs webhooks, or verifies them, or both. */
export interface WebhookKey {
  readonly version: WebhookSignatureVersion;
  /** Absent where there is only the public half. */
  readonly sign?: (content: Uint8Array) => Uint8Array;
  readonly verify: (content: Uint8Array, signature: Uint8Array) => boolean;
}

/** Shortest and longest secret, octets: what Standard Webhooks asks for. */
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

const ED25519_BYTES = 32;

/** PKCS#8 of an Ed25519 key up to its seed. RFC 8410 section 7 */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Reads a secret or key in the spelling of Standard Webhooks.
 * @param text - `whsec_` and base64 of 24 to 64 octets (HMAC), `whsk_` and base64 of an Ed25519 private key, `whpk_` and base64 of a public one
 * @throws {@link HopbackError} `invalid-configuration` when it is none of them; the message repeats nothing of it
 */
export function webhookKey(text: string): WebhookKey {
  const [, prefix = '', encoded = ''] = /^(whsec_|whsk_|whpk_)([A-Za-z0-9+/]{0,128}={0,2})$/.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (prefix === 'whsec_' && bytes.length >= MIN_SECRET_BYTES && bytes.length <= MAX_SECRET_BYTES)
    return hmacKey(bytes);
  if (prefix === 'whpk_' && bytes.length === ED25519_BYTES) return ed25519Key(publicKeyOf(bytes));
  // Some write the public half behind the seed.
  if (prefix === 'whsk_' && (bytes.length === ED25519_BYTES || bytes.length === 2 * ED25519_BYTES)) {
    const der = Buffer.concat([ED25519_PKCS8, bytes.subarray(0, ED25519_BYTES)]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return ed25519Key(createPublicKey(privateKey), privateKey);
  }
  throw new HopbackError(
    'invalid-configuration',
    'a webhook secret is whsec_ and base64 of 24 to 64 octets, or a key whsk_ or whpk_ and base64 of 32 octets',
  );
}

function hmacKey(secret: Uint8Array): WebhookKey {
  const mac = (content: Uint8Array): Buffer => createHmac('sha256', secret).update(content).digest();
  return {
    version: 'v1',
    sign: mac,
    verify: (content, signature) => {
      const expected = mac(content);
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    },
  };
}

function ed25519Key(publicKey: KeyObject, privateKey?: KeyObject): WebhookKey {
  return {
    version: 'v1a',
    ...(privateKey === undefined ? {} : { sign: (content: Uint8Array) => sign(null, content, privateKey) }),
    verify: (content, signature) => verify(null, content, publicKey, signature),
  };
}

function publicKeyOf(bytes: Buffer): KeyObject {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' });
  } catch (cause) {
    throw new HopbackError('invalid-configuration', 'whpk_ holds no Ed25519 key', { cause });
  }
}

/**
 * What is signed of a webhook: id, time and body with full stops between, which is why an id has none.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signedContent(id: string, timestamp: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
}

/** Ids that go into a header field and into what is signed without being read another way there. */
export const WEBHOOK_ID: RegExp = /^[!-\-/-~]{1,256}$/;
