import { KeyObject, createHmac, createSecretKey } from 'node:crypto';
import { HopbackError } from '../../errors.js';

/** What pseudonyms are made with. */
export interface PseudonymOptions {
  /** Secret key of the tenant for this rotation: a secret KeyObject or bytes, 32 to 1,024 octets. Bytes are copied. */
  readonly key: KeyObject | Uint8Array;
  /** Name of the key, 1 to 64 characters. With a new key comes a new one: pseudonyms of different rotations cannot be compared. */
  readonly rotationId: string;
  /** Whose records they are, 1 to 128 characters: the same key in two hands makes different pseudonyms. */
  readonly tenantId: string;
}

export const DOMAINS = [
  'called-number',
  'calling-number',
  'call-group',
  'trunk',
  'call-id',
  'source',
  'call-key',
] as const;

/** What a pseudonym is for. The same text has another one in each: a number as called cannot be found again as calling. */
export type PseudonymDomain = (typeof DOMAINS)[number];

/** Gives pseudonyms under one key. Nothing of the key can be read from it. */
export interface Pseudonyms {
  /** Which key this is, in the carrier's own words: goes along with every record. */
  readonly rotationId: string;
  /** @returns 32 lower-case hexadecimal digits */
  readonly of: (domain: PseudonymDomain, text: string) => string;
}

/** As much as the hash that is keyed gives out. @see RFC 2104 section 3 */
const MIN_PSEUDONYM_KEY_BYTES = 32;
/** A longer key is hashed first and gains nothing. */
const MAX_PSEUDONYM_KEY_BYTES = 1_024;
/** 128 bits: two numbers of a carrier never share a pseudonym by chance. */
const PSEUDONYM_DIGITS = 32;

const MAX_ROTATION_ID_CHARS = 64;
const MAX_TENANT_ID_CHARS = 128;

/**
 * Makes pseudonyms: HMAC-SHA-256 under a key of its own for each domain, which is the HMAC of tenant, rotation id and domain under the
 * key given. Whoever lacks the key can neither undo nor try them; whoever has it can try all numbers of a plan within hours, so that
 * it stays with the carrier and is destroyed when a rotation ends.
 * @param options - key, its name, and whose records they are
 * @returns what makes pseudonyms; nothing of the key can be read from it
 * @throws {@link HopbackError} `key-unusable` for a key that is not secret or has too few or too many octets; `invalid-argument` for a
 * name out of its bounds. Neither holds anything of the key
 * @see RFC 2104, RFC 5869 section 3.2 (on domain separation)
 * @example
 * ```ts
 * const key = new Uint8Array(32).fill(7);
 * const pseudonyms = createPseudonyms({ key, rotationId: '2026-11', tenantId: 'carrier-1' });
 * console.log(pseudonyms.of('called-number', '12025550101').length); // 32
 * ```
 */
export function createPseudonyms(options: PseudonymOptions): Pseudonyms {
  const { key, rotationId, tenantId } = options;
  checkName('rotationId', rotationId, MAX_ROTATION_ID_CHARS);
  checkName('tenantId', tenantId, MAX_TENANT_ID_CHARS);
  const secret = secretOf(key);
  const keys = new Map<PseudonymDomain, KeyObject>();
  for (const domain of DOMAINS) {
    const own = createHmac('sha256', secret).update(framed(['hopback.pseudonym.1', tenantId, rotationId, domain]));
    keys.set(domain, createSecretKey(own.digest()));
  }
  const pseudonymOf = (domain: PseudonymDomain, text: string): string => {
    const own = keys.get(domain);
    if (own === undefined) throw new HopbackError('internal', 'there is no key for a domain of pseudonyms');
    return createHmac('sha256', own).update(text).digest('hex').slice(0, PSEUDONYM_DIGITS);
  };
  const known = { trunk: new Map<string, string>(), source: new Map<string, string>() };
  return {
    rotationId,
    of: (domain, text) => {
      if (domain !== 'trunk' && domain !== 'source') return pseudonymOf(domain, text);
      const names = known[domain];
      let pseudonym = names.get(text);
      if (pseudonym === undefined) {
        if (names.size >= KNOWN_NAMES) names.clear();
        pseudonym = pseudonymOf(domain, text);
        names.set(text, pseudonym);
      }
      return pseudonym;
    },
  };
}

/** Trunks and switches are few and stand in every record; numbers are many and are not kept. */
const KNOWN_NAMES = 4_096;

/** Lengths keep a separator inside a name from making two lists one. */
function framed(parts: readonly string[]): string {
  return parts.map((part) => `${String(part.length)}:${part}`).join('');
}

function secretOf(key: KeyObject | Uint8Array): KeyObject {
  const isKeyObject = key instanceof KeyObject;
  if (!isKeyObject && !(key instanceof Uint8Array)) {
    throw new HopbackError('key-unusable', 'a key for pseudonyms must be a secret KeyObject or bytes');
  }
  if (isKeyObject && key.type !== 'secret') {
    throw new HopbackError('key-unusable', `a key for pseudonyms must be a secret one, not a ${key.type} key`);
  }
  const sizeBytes = isKeyObject ? (key.symmetricKeySize ?? 0) : key.byteLength;
  if (sizeBytes < MIN_PSEUDONYM_KEY_BYTES || sizeBytes > MAX_PSEUDONYM_KEY_BYTES) {
    throw new HopbackError('key-unusable', 'a key for pseudonyms must have 32 to 1,024 octets', {
      details: { sizeBytes },
    });
  }
  return isKeyObject ? key : createSecretKey(key);
}

function checkName(member: string, name: string, mostChars: number): void {
  if (typeof name === 'string' && name.length >= 1 && name.length <= mostChars) return;
  throw new HopbackError('invalid-argument', `${member} must be a text of 1 to ${String(mostChars)} characters`, {
    details: { member },
  });
}
