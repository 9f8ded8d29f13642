import { createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';

/** A key that assertions can be signed with, and how. */
export interface ReadClientKey {
  readonly keyId: string;
  readonly algorithm: AssertionAlgorithm;
  readonly publicKey: KeyObject;
  /** Its public members alone. */
  readonly jwk: Readonly<Record<string, string>>;
}

/** How assertions are signed. The key decides which: a header that says otherwise is not believed. RFC 8725 section 3.1 */
export type AssertionAlgorithm = 'ES256' | 'ES384' | 'PS256' | 'EdDSA';

/** Why something is no key for assertions. */
export type ClientKeyFault = 'no-key-id' | 'private-key' | 'unsupported-key' | 'weak-key' | 'unreadable-key';

/** Bits of an RSA key at least. NIST SP 800-131A */
const MIN_RSA_BITS = 2_048;
/** And at most: a verification takes as long as the key is, and whoever asks for a token chooses when. */
const MAX_RSA_BITS = 8_192;
const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/;

/**
 * Reads the public half of a key.
 * @param jwk - as it came
 * @returns the key, or what is wrong; never throws
 * @see RFC 7517 section 4, RFC 8037 section 2
 */
export function readClientKey(
  jwk: Readonly<Record<string, unknown>>,
):
  | { readonly status: 'read'; readonly key: ReadClientKey }
  | { readonly status: 'refused'; readonly fault: ClientKeyFault } {
  const { kid: keyId, kty } = jwk;
  const refused = (fault: ClientKeyFault): { readonly status: 'refused'; readonly fault: ClientKeyFault } => ({
    status: 'refused',
    fault,
  });
  if (typeof keyId !== 'string' || !KEY_ID.test(keyId)) return refused('no-key-id');
  // Whoever sends a private key has lost it: nothing of it is kept.
  if ('d' in jwk || 'k' in jwk) return refused('private-key');
  const algorithm = algorithmOf(jwk);
  if (algorithm === undefined || (jwk['alg'] !== undefined && jwk['alg'] !== algorithm))
    return refused('unsupported-key');
  const names = kty === 'RSA' ? ['kty', 'n', 'e'] : ['kty', 'crv', 'x', ...(kty === 'EC' ? ['y'] : [])];
  const members = Object.fromEntries(names.map((name) => [name, jwk[name]]));
  if (!Object.values(members).every((value) => typeof value === 'string')) return refused('unreadable-key');
  try {
    const publicKey = createPublicKey({ key: members as JsonWebKey, format: 'jwk' });
    const bits = publicKey.asymmetricKeyDetails?.modulusLength;
    if (kty === 'RSA' && (bits === undefined || bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)) return refused('weak-key');
    const kept = { ...(members as Record<string, string>), kid: keyId };
    return { status: 'read', key: { keyId, algorithm, publicKey, jwk: kept } };
  } catch {
    return refused('unreadable-key');
  }
}

function algorithmOf({ kty, crv }: Readonly<Record<string, unknown>>): AssertionAlgorithm | undefined {
  if (kty === 'EC' && crv === 'P-256') return 'ES256';
  if (kty === 'EC' && crv === 'P-384') return 'ES384';
  if (kty === 'RSA') return 'PS256';
  return kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : undefined;
}
