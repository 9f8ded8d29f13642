import type { KeyObject } from 'node:crypto';
import { HopbackError } from '../../errors.js';

/**
 * Lets a P-256 key pass and no other. A curve spelled out in parameters counts as P-256 only where all of them, the base point
 * included, are those of P-256: OpenSSL gives it the name then, and none otherwise.
 * @param key - any key
 * @param half - which half it has to be
 * @returns the same key
 * @throws {@link HopbackError} `key-unusable` when it is another kind, curve or half
 * @see RFC 7518 section 3.4, RFC 5480 section 2.1.1
 */
export function requireP256(key: KeyObject, half: 'private' | 'public'): KeyObject {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.type === half && key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return key;
  const found = `${key.type} ${key.asymmetricKeyType ?? 'key'}${curve === undefined ? '' : ` on ${curve}`}`;
  throw new HopbackError('key-unusable', `The ${half} key must be EC P-256 for ES256; this one is a ${found}.`);
}
