import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** base64url without padding. @see RFC 7515 section 2 */
export function base64url(value: string | Uint8Array): string {
  return Buffer.from(value as string).toString('base64url');
}

/** ES256 (or ES384 for a P-384 key) over the signing input, as r then s. @see RFC 7518 section 3.4 */
export function signJws(signingInput: string | Uint8Array, privateKey: KeyObject): Uint8Array {
  const curve = privateKey.asymmetricKeyDetails?.namedCurve;
  // Ed25519 has a hash of its own.
  const hash = privateKey.asymmetricKeyType === 'ed25519' ? null : curve === 'secp384r1' ? 'sha384' : 'sha256';
  return sign(hash, Buffer.from(signingInput as string), { key: privateKey, dsaEncoding: 'ieee-p1363' });
}

/** JWS compact serialization of header and payload texts, signed as they stand. @see RFC 7515 section 7.1 */
export function compactJws(headerText: string, payloadText: string, privateKey: KeyObject): string {
  const signingInput = `${base64url(headerText)}.${base64url(payloadText)}`;
  return `${signingInput}.${base64url(signJws(signingInput, privateKey))}`;
}
