import { KeyObject, createHmac, createSecretKey } from 'node:crypto';
import { HopbackError } from '../../errors.js';

const DOMAINS = ['called-number', 'calling-number', 'call-group', 'trunk', 'call-id', 'source', 'call-key'] as const;

/** What a pseudonym is for. The same text has another one in each: a number as called cannot be found again as calling. */
export type PseudonymDomain = (typeof DOMAINS)[number];

export type Pseudonyms = ReturnType<typeof createPseudonyms>;

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
 * @throws {@link HopbackError} `key-unusable` for a key that is not secret or has too few or too many octets; `invalid-argument` for a
 * name out of its bounds. Neither holds anything of the key
 * @see RFC 2104, RFC 5869 section 3.2 (on domain separation)
 */
export function createPseudonyms(options: {
  readonly key: KeyObject | Uint8Array;
  readonly rotationId: string;
  readonly tenantId: string;
}) {
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
    /** @returns 32 lower-case hexadecimal digits */
    of: (domain: PseudonymDomain, text: string): string => {
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
