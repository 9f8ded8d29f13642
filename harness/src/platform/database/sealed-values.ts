import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { writeWholeFile } from '@hopback/sdk/internal/runtime';
import type { Clock } from '@hopback/sdk/platform';
import type { Selectable } from 'kysely';
import type {
  AuditEntry,
  CoreTables,
  PlatformContext,
  PlatformTransaction,
  SealedEventData,
  SealedValues,
} from '../core/index.js';
import { addWrites, flushWrites, isAmong } from './transact.js';

/**
 * Reads a file that its owner alone may read.
 * @returns undefined where there is none
 * @throws HopbackError `key-unusable` where others may read it; `storage-failed`
 */
export async function readSecretFile(path: string): Promise<Buffer | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0)
      throw new HopbackError(
        'key-unusable',
        `other users can read ${path}: set its mode to 0600, and consider who may already have read it`,
      );
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof HopbackError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new HopbackError('storage-failed', `${path} cannot be read`, { cause });
  }
}

/**
 * Writes such a file: whole and on the disk, or not at all.
 * @param how - `new` writes none where there is one
 * @returns false where there is one already, and it was to be new
 * @throws HopbackError `storage-failed`
 */
export async function writeSecretFile(
  path: string,
  content: string | Uint8Array,
  how: 'new' | 'replace',
): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeWholeFile(path, content, { isNew: how === 'new' });
    return true;
  } catch (cause) {
    if (how === 'new' && (cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new HopbackError('storage-failed', `${path} cannot be written`, { cause });
  }
}

/**
 * A secret of a file; where there is none one is made, by one of several processes that begin at once.
 * @throws HopbackError as {@link readSecretFile}, {@link writeSecretFile}
 */
export async function keptSecret(path: string, make: () => string | Uint8Array): Promise<Buffer> {
  const there = await readSecretFile(path);
  if (there !== undefined) return there;
  const content = make();
  // Of two that make one at once, one wins, and the other reads what that wrote.
  if (await writeSecretFile(path, content, 'new')) return Buffer.from(content);
  const won = await readSecretFile(path);
  if (won === undefined) throw new HopbackError('storage-failed', `${path} is gone again`);
  return won;
}

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
export function createKeyRing(): KeyRing {
  const current = { id: 'k1', key: randomBytes(KEY_BYTES) };
  return { current, keys: new Map([[current.id, current]]), pseudonymKey: randomBytes(KEY_BYTES) };
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

/** A ring as text. It is as secret as the keys. */
function keyRingText(ring: KeyRing): string {
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

/** Octets that are fetched at once: the kernel's take microseconds each time. */
const POOL_BYTES = 4_096;

/** Random octets, each given once. */
export function createRandomPool(): (bytes: number) => Uint8Array {
  let pool: Buffer = Buffer.alloc(0);
  let at = 0;
  return (bytes) => {
    if (at + bytes > pool.length) {
      pool = randomBytes(Math.max(POOL_BYTES, bytes));
      at = 0;
    }
    at += bytes;
    return pool.subarray(at - bytes, at);
  };
}

/** Octets of a nonce of AES-GCM. NIST SP 800-38D section 8.2.2: random ones for at most 2^32 values of a key, far from here. */
const NONCE_BYTES = 12;
/** Octets of its tag. */
const TAG_BYTES = 16;

const random = createRandomPool();

/** A key for one purpose: what is told of the one says nothing of another. */
const derivedKey = (key: Uint8Array, purpose: string): Buffer =>
  createHmac('sha256', key).update(`hopback-platform-1 ${purpose}`).digest();

/** Characters of a piece: less than the 4,096 that a sealed value may have. */
const PIECE_CHARS = 4_000;
/** References that are opened with one question: less than the 10,000 that are answered. */
const REFERENCES_AT_ONCE = 8_000;

type Sealing = Pick<PlatformContext, 'sealed'>;

/** Why something is opened, for the audit. */
export type OpeningReason = Omit<AuditEntry, 'action' | 'details'>;

/**
 * Seals a value as JSON, in as many pieces as it takes.
 * @returns references of the pieces, in order
 */
export async function sealJson(
  { sealed }: Sealing,
  transaction: PlatformTransaction,
  { value, belongsTo }: { readonly value: unknown; readonly belongsTo: string },
): Promise<readonly string[]> {
  const text = asciiJson(value);
  const references: string[] = [];
  for (let at = 0; at < text.length; at += PIECE_CHARS)
    references.push(await sealed.seal(transaction, text.slice(at, at + PIECE_CHARS), belongsTo));
  return references;
}

/** JSON of ASCII, so that no piece ends within a character. RFC 8259 section 7 */
function asciiJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) === text.length) return text;
  return text.replaceAll(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Opens values that were sealed as JSON, all for one reason.
 * @param asked - `pieces` has for each value the references of its pieces
 * @returns in the order of what was asked; undefined in the place of what has been removed
 */
export async function openJson(
  { sealed }: Sealing,
  transaction: PlatformTransaction,
  { pieces, reason }: { readonly pieces: readonly (readonly string[])[]; readonly reason: OpeningReason },
): Promise<readonly unknown[]> {
  const references = pieces.flat();
  const opened = new Map<string, string>();
  for (let at = 0; at < references.length; at += REFERENCES_AT_ONCE) {
    const some = await sealed.open(transaction, references.slice(at, at + REFERENCES_AT_ONCE), reason);
    for (const [reference, piece] of some) opened.set(reference, piece);
  }
  return pieces.map((own): unknown => {
    const texts = own.map((reference) => opened.get(reference));
    return texts.includes(undefined) ? undefined : JSON.parse(texts.join(''));
  });
}

/** The same, with undefined also in the place of what cannot be opened: one of them keeps nobody from the others. */
export async function readableJson(
  context: Pick<PlatformContext, 'sealed' | 'log'>,
  transaction: PlatformTransaction,
  { pieces, reason }: { readonly pieces: readonly (readonly string[])[]; readonly reason: OpeningReason },
): Promise<readonly unknown[]> {
  try {
    return await openJson(context, transaction, { pieces, reason });
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  const values: unknown[] = [];
  for (const own of pieces) {
    try {
      values.push(...(await openJson(context, transaction, { pieces: [own], reason })));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      context.log.error('a sealed value cannot be opened', { object: reason.object, error });
      values.push(undefined);
    }
  }
  return values;
}

/** Whether what is sealed cannot be opened: its key is gone, or it is not what was sealed. */
export const isUnreadable = (error: unknown): boolean =>
  isHopbackError(error) && (error.code === 'key-unusable' || error.code === 'log-inconsistent');

/** Whether the data of an event are sealed. */
export function isSealedData(data: unknown): data is SealedEventData {
  if (typeof data !== 'object' || data === null || Object.keys(data).length !== 2) return false;
  const { member, sealed } = data as { readonly member?: unknown; readonly sealed?: unknown };
  return (
    typeof member === 'string' && Array.isArray(sealed) && sealed.every((reference) => typeof reference === 'string')
  );
}

/** Longest value, characters: a number, a name or an address. */
export const SEALED_VALUE_CHARS = 4_096;
/** References that are opened at once: a page of an export. */
export const OPENED_REFERENCES = 10_000;
/** Of a statement. */
const REFERENCES_OF_A_STATEMENT = 5_000;

interface SealedParts {
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly audit: PlatformContext['audit'];
}

/**
 * Values that are kept encrypted: AES-256-GCM under a random nonce, bound to their reference and owner, so that a value that somebody moved to
 * another row of the database does not open. Pseudonyms and references are HMAC-SHA-256 under keys derived for each of them.
 * @see NIST SP 800-38D, RFC 2104
 */
export function createSealedValues({ keyRing, clock, audit }: SealedParts): SealedValues {
  const pseudonyms = derivedKey(keyRing.pseudonymKey, 'pseudonym');
  const references = derivedKey(keyRing.pseudonymKey, 'sealed reference');
  return {
    seal: async (transaction, value, belongsTo) => {
      if (value.length > SEALED_VALUE_CHARS) {
        throw new HopbackError('invalid-argument', `a sealed value has at most ${SEALED_VALUE_CHARS} characters`);
      }
      // With its length, so that no two pairs of owner and value are one text.
      const reference = `s-${mac(references, `${belongsTo.length}:${belongsTo}${value}`)}`;
      const row = {
        ...encrypted(keyRing, { reference, belongsTo, value }),
        reference,
        at_ms: clock.nowMs(),
        belongs_to: belongsTo,
      };
      const flushed = addWrites(transaction, ({ sealed }) => {
        if (!sealed.has(reference)) sealed.set(reference, row);
      });
      if (flushed !== undefined) await flushed;
      return reference;
    },
    open: async (transaction, asked, reason) => {
      await flushWrites(transaction);
      const found = await opened(transaction, keyRing, asked);
      await audit(transaction, {
        ...reason,
        action: 'sealed.opened',
        details: { asked: asked.length, opened: found.size },
      });
      return found;
    },
    forget: async (transaction, belongsTo) => {
      await flushWrites(transaction);
      await transaction.deleteFrom('core_sealed').where('belongs_to', '=', belongsTo).execute();
    },
    pseudonym: (value) => mac(pseudonyms, value),
  };
}

async function opened(
  transaction: PlatformTransaction,
  keyRing: KeyRing,
  asked: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const unique = [...new Set(asked)];
  if (unique.length > OPENED_REFERENCES) {
    throw new HopbackError('invalid-argument', `at most ${OPENED_REFERENCES} sealed values are opened at once`);
  }
  const found = new Map<string, string>();
  for (let at = 0; at < unique.length; at += REFERENCES_OF_A_STATEMENT) {
    const rows = await transaction
      .selectFrom('core_sealed')
      .selectAll()
      .where(isAmong('reference', unique.slice(at, at + REFERENCES_OF_A_STATEMENT)))
      .execute();
    for (const row of rows) found.set(row.reference, decrypted(keyRing, row));
  }
  return found;
}

type SealedRow = Selectable<CoreTables['core_sealed']>;

/** Encrypts with the current key: AES-256-GCM under a random nonce. */
function encrypted(
  { current }: KeyRing,
  {
    reference,
    belongsTo,
    value,
  }: {
    readonly reference: string;
    readonly belongsTo: string;
    readonly value: string;
  },
): Pick<SealedRow, 'key_id' | 'nonce' | 'ciphertext'> {
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', current.key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(current, reference, belongsTo));
  const ciphertext = Buffer.concat([cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  const text = { nonce: Buffer.from(nonce).toString('base64'), ciphertext: ciphertext.toString('base64') };
  return { key_id: current.id, ...text };
}

/** @throws HopbackError `key-unusable` without its key; `log-inconsistent` where it is not what was encrypted */
function decrypted({ keys }: KeyRing, row: SealedRow): string {
  const { key_id: keyId, reference, belongs_to: belongsTo, nonce, ciphertext } = row;
  const key = keys.get(keyId);
  if (key === undefined) {
    const details = { keyId };
    throw new HopbackError('key-unusable', 'a value is encrypted with a key that is not in the key ring', { details });
  }
  const octets = Buffer.from(ciphertext, 'base64');
  try {
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv('aes-256-gcm', key.key, Buffer.from(nonce, 'base64'), options);
    decipher.setAAD(boundTo(key, reference, belongsTo));
    decipher.setAuthTag(octets.subarray(-TAG_BYTES));
    return `${decipher.update(octets.subarray(0, -TAG_BYTES), undefined, 'utf8')}${decipher.final('utf8')}`;
  } catch (cause) {
    throw new HopbackError('log-inconsistent', 'an encrypted value was altered after encryption', {
      cause,
    });
  }
}

/** What a value is bound to: its key, its reference and its owner. */
const boundTo = ({ id }: EncryptionKey, reference: string, belongsTo: string): Buffer =>
  Buffer.from(`${id}\n${JSON.stringify(['sealed', reference, belongsTo])}`, 'utf8');

/** 32 lower-case hexadecimal digits: 128 bits. */
const mac = (key: Uint8Array, text: string): string =>
  createHmac('sha256', key).update(text, 'utf8').digest('hex').slice(0, 32);
