import { randomBytes } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import { keptSecret, writeSecretFile } from './secret-file.js';

/** Octets of each key: AES-256, and HMAC-SHA-256 at the length of its output. */
const KEY_BYTES = 32;
/** Former keys that a ring may have: one a month for eight years. */
const RING_KEYS = 100;

/** A key that values are encrypted with. */
export interface EncryptionKey {
  /** As it stands beside each value, `k1`. */
  readonly id: string;
  readonly key: Uint8Array;
}

/** The keys of a platform, which are never in its database: whoever has only the one reads no number. */
export interface KeyRing {
  /** The one that values are encrypted with from now on. */
  readonly current: EncryptionKey;
  /** All, by their ids: values of former ones can still be read. */
  readonly keys: ReadonlyMap<string, EncryptionKey>;
  /** For pseudonyms and references. It never changes: with it all of them would. */
  readonly pseudonymKey: Uint8Array;
}

/** A ring of new keys, kept nowhere: for a platform in memory. */
export function createKeyRing(random: (bytes: number) => Uint8Array = randomBytes): KeyRing {
  const current = { id: 'k1', key: random(KEY_BYTES) };
  return { current, keys: new Map([[current.id, current]]), pseudonymKey: random(KEY_BYTES) };
}

/** The ring with one more key, which becomes the current one. @throws HopbackError `invalid-argument` when it is full */
export function withNewKey(ring: KeyRing, random: (bytes: number) => Uint8Array = randomBytes): KeyRing {
  if (ring.keys.size >= RING_KEYS)
    throw new HopbackError('invalid-argument', 'the key ring is full: remove keys that nothing is encrypted with');
  const numbers = [...ring.keys.keys()].map((id) => Number(id.slice(1)));
  const current = { id: `k${Math.max(...numbers) + 1}`, key: random(KEY_BYTES) };
  return { current, keys: new Map([...ring.keys, [current.id, current]]), pseudonymKey: ring.pseudonymKey };
}

/** The ring without keys that nothing is encrypted with any more. The current one stays. */
export function withoutKeys(ring: KeyRing, ids: readonly string[]): KeyRing {
  const gone = new Set(ids.filter((id) => id !== ring.current.id));
  return { ...ring, keys: new Map([...ring.keys].filter(([id]) => !gone.has(id))) };
}

/**
 * Reads the ring of a file, or makes one where there is none: readable by its owner alone.
 * @throws HopbackError `key-unusable` for a file that is no key ring, or that others may read; `storage-failed`
 */
export async function openKeyRing(path: string): Promise<KeyRing> {
  const text = await keptSecret(path, () => keyRingText(createKeyRing()));
  const ring = readKeyRing(text.toString('utf8'));
  if (ring === undefined) throw new HopbackError('key-unusable', `${path} is no key ring`);
  return ring;
}

/** Writes a ring in the place of the one in a file: whole, or not at all. @throws HopbackError `storage-failed` */
export async function saveKeyRing(path: string, ring: KeyRing): Promise<void> {
  await writeSecretFile(path, keyRingText(ring), 'replace');
}

/** A ring as text. It is as secret as the keys. */
export function keyRingText(ring: KeyRing): string {
  const keys = [...ring.keys.values()].map(({ id, key }) => ({ id, key: base64(key) }));
  const content = {
    format: 'hopback-key-ring-1',
    current: ring.current.id,
    pseudonymKey: base64(ring.pseudonymKey),
    keys,
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** Reads a ring of its text; undefined where it is none. Never throws. */
export function readKeyRing(text: string): KeyRing | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof given !== 'object' || given === null) return undefined;
  const { format, current, pseudonymKey, keys } = given as Readonly<Record<string, unknown>>;
  if (format !== 'hopback-key-ring-1' || !Array.isArray(keys) || keys.length > RING_KEYS) return undefined;
  const read = new Map<string, EncryptionKey>();
  for (const entry of keys as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null) return undefined;
    const { id, key } = entry as Readonly<Record<string, unknown>>;
    const octets = keyOf(key);
    if (typeof id !== 'string' || !/^k\d{1,6}$/.test(id) || octets === undefined) return undefined;
    read.set(id, { id, key: octets });
  }
  const found = typeof current === 'string' ? read.get(current) : undefined;
  const secret = keyOf(pseudonymKey);
  return found === undefined || secret === undefined ? undefined : { current: found, keys: read, pseudonymKey: secret };
}

function keyOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  const octets = Buffer.from(value, 'base64');
  return octets.length === KEY_BYTES ? octets : undefined;
}

const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64');
