import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { derToRawSignature, rawToDerSignature } from '../core/base64url.js';
import { createMemo } from '../core/memo.js';
import { HopbackError } from '../errors.js';
import { hashOf } from './merkle-tree.js';

/** What a log says of itself: so many entries have this root. */
export interface Checkpoint {
  /** Name of the log, which no other has: `example.com/evidence`. */
  readonly logId: string;
  /** Entries. */
  readonly size: number;
  /** SHA-256, lower-case hex. */
  readonly rootHash: string;
}

/**
 * Whatever holds the private key of a log. A `Signer` of `@hopback/sdk/stir` is one, and {@link createLogSigner} makes one of a PEM. One that never
 * answers holds the log up: give it a deadline.
 */
export interface LogSigner {
  readonly algorithm: 'Ed25519' | 'ES256';
  readonly publicKey: KeyObject;
  /** Signs octets: 64 of them for Ed25519 (RFC 8032), r and s for ES256 (RFC 7518 section 3.4). */
  readonly sign: (octets: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

/** Why a checkpoint is not believed. */
export type CheckpointFailure =
  /** It is no signed note, or its text is no checkpoint. */
  | 'malformed'
  /** It is of another log. */
  | 'other-log'
  /** None of its signatures is by a key that was given. */
  | 'other-key'
  /** A signature says that it is by the key, and is not. */
  | 'signature-invalid';

/** What a checkpoint is worth. */
export type CheckpointVerdict =
  | { readonly status: 'passed'; readonly checkpoint: Checkpoint }
  | { readonly status: 'failed'; readonly reason: CheckpointFailure; readonly checkpoint?: Checkpoint };

/** What a checkpoint is held against. */
export interface CheckpointTrust {
  /** Of the log: Ed25519 or P-256; the former ones as well where the key was changed. None trusts nothing. */
  readonly publicKeys: readonly KeyObject[];
  /** Which log it has to be of; any when it is left out. */
  readonly logId?: string;
}

/** Sixteen signatures of five kilobytes, which everybody has to accept, and a text. signed-note, section Format */
const LONGEST_NOTE = 96 * 1_024;
/** As for a URL; it stands in every checkpoint. */
const LONGEST_LOG_ID = 256;

/**
 * Signs what a log says of itself, as a signed note of C2SP: text that tools of other transparency logs read too. Ed25519 has signature
 * type 0x01, ECDSA over P-256 type 0x02.
 * @param checkpoint - its `logId` has 1 to 256 characters, no space, plus or control character
 * @param signer - holds the key
 * @returns the note, ending with a line feed
 * @throws {@link HopbackError} `invalid-argument` for a checkpoint that cannot be written; `signer-failed` when the signer fails, or
 * gives what is no signature
 * @see c2sp.org/tlog-checkpoint, c2sp.org/signed-note
 * @example
 * ```ts
 * const { privateKeyPem } = createTestKey();
 * const signer = createLogSigner(privateKeyPem);
 * const note = await signCheckpoint({ logId: 'example.com/evidence', size: 0, rootHash: merkleRoot([]) }, signer);
 * console.log(note.split('\n').slice(0, 2)); // [ 'example.com/evidence', '0' ]
 * console.log(verifyCheckpoint(note, { publicKeys: [signer.publicKey] }).status); // passed
 * ```
 */
export async function signCheckpoint(checkpoint: Checkpoint, signer: LogSigner): Promise<string> {
  requireLogId(checkpoint.logId);
  const text = checkpointText(checkpoint);
  const octets = Buffer.from(text, 'utf8');
  const signature = await signatureFor(signer, octets);
  const keyId = keyIdOf(signer.publicKey, checkpoint.logId);
  const encoded = Buffer.concat([keyId, signature]).toString('base64');
  return `${text}\n\u2014 ${checkpoint.logId} ${encoded}\n`;
}

/**
 * Checks who signed a checkpoint, and reads it. Never throws, whatever the note is. That it passed says that the log said so; whether its
 * entries are those is for {@link verifyMerkleLog}, {@link verifyInclusion} and {@link verifyConsistency}.
 * @param note - as {@link signCheckpoint} wrote it, with signatures of others beside it where there are any
 * @param trust - keys, and which log
 * @returns `passed`, or the reason why not
 * @see c2sp.org/tlog-checkpoint, c2sp.org/signed-note
 * @example
 * ```ts
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * const note = await signCheckpoint({ logId: 'example.com/evidence', size: 0, rootHash: merkleRoot([]) }, signer);
 * const forged = note.replace('\n0\n', '\n7\n');
 * console.log(verifyCheckpoint(forged, { publicKeys: [signer.publicKey] }).status); // failed
 * ```
 */
export function verifyCheckpoint(note: string, trust: CheckpointTrust): CheckpointVerdict {
  const parsed = parseCheckpoint(note);
  if (parsed === undefined) return { status: 'failed', reason: 'malformed' };
  const { checkpoint, text, signatures } = parsed;
  const failed = (reason: CheckpointFailure): CheckpointVerdict => ({ status: 'failed', reason, checkpoint });
  if (trust.logId !== undefined && trust.logId !== checkpoint.logId) return failed('other-log');
  const octets = Buffer.from(text, 'utf8');
  for (const key of trust.publicKeys) {
    if (algorithmOf(key) === undefined) continue;
    const keyId = keyIdOf(key, checkpoint.logId);
    const own = signatures.find(({ name, bytes }) => name === checkpoint.logId && bytes.subarray(0, 4).equals(keyId));
    if (own === undefined) continue;
    return isSignedBy(key, octets, own.bytes.subarray(4))
      ? { status: 'passed', checkpoint }
      : failed('signature-invalid');
  }
  return failed('other-key');
}

interface NoteSignature {
  readonly name: string;
  /** Four octets of the key, and the signature. */
  readonly bytes: Buffer;
}

interface ParsedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** What was signed: its last line feed included. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const SIGNATURE_LINE = /^\u2014 ([^ +]{1,256}) ([A-Za-z0-9+/]{1,16384}={0,2})$/;
const SIZE = /^(?:0|[1-9]\d{0,15})$/;

/** Reads a signed note without believing it; undefined for what is none. Never throws. */
function parseCheckpoint(note: string): ParsedCheckpoint | undefined {
  if (note.length > LONGEST_NOTE || !note.endsWith('\n') || hasControls(note)) return undefined;
  const end = note.lastIndexOf('\n\n');
  if (end === -1) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const parts = SIGNATURE_LINE.exec(line);
    if (parts === null) return undefined;
    const bytes = Buffer.from(parts[2] ?? '', 'base64');
    if (bytes.length < 5 || bytes.toString('base64') !== parts[2]) return undefined;
    signatures.push({ name: parts[1] ?? '', bytes });
  }
  const [logId = '', size = '', root = '', ...extensions] = note.slice(0, end).split('\n');
  const rootHash = Buffer.from(root, 'base64').toString('hex');
  if (logId === '' || !SIZE.test(size) || !Number.isSafeInteger(Number(size))) return undefined;
  if (hashOf(rootHash) === undefined || Buffer.from(rootHash, 'hex').toString('base64') !== root) return undefined;
  if (extensions.includes('')) return undefined;
  return { checkpoint: { logId, size: Number(size), rootHash }, text: note.slice(0, end + 1), signatures };
}

/** What a checkpoint says, whoever signed it; undefined for what is none. Never throws. */
export function readCheckpoint(note: string): Checkpoint | undefined {
  return parseCheckpoint(note)?.checkpoint;
}

function hasControls(note: string): boolean {
  return /[\u0000-\u0009\u000b-\u001f]/.test(note);
}

function checkpointText({ logId, size, rootHash }: Checkpoint): string {
  return `${logId}\n${size}\n${Buffer.from(rootHash, 'hex').toString('base64')}\n`;
}

/**
 * A log has a name that can stand in a checkpoint.
 * @throws HopbackError `invalid-argument`
 */
export function requireLogId(logId: string): void {
  if (logId.length >= 1 && logId.length <= LONGEST_LOG_ID && !/[\s+\u0000-\u001f]/u.test(logId)) return;
  throw new HopbackError(
    'invalid-argument',
    `the name of a log has 1 to ${LONGEST_LOG_ID} characters and no space, plus or control character, as example.com/evidence`,
  );
}

/** Undefined for a key that signs no checkpoint. */
export function algorithmOf(key: KeyObject): LogSigner['algorithm'] | undefined {
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519';
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return isP256 ? 'ES256' : undefined;
}

/** Octets of the key itself in the SubjectPublicKeyInfo of Ed25519: the last ones. RFC 8410 section 4 */
const ED25519_KEY_BYTES = 32;

/** Octets of keys, which sign thousands of checkpoints each. */
const spkiFor = createMemo<Buffer>();

function keyIdOf(key: KeyObject, name: string): Buffer {
  const spki = spkiFor(key, () => key.export({ type: 'spki', format: 'der' }));
  const named =
    algorithmOf(key) === 'Ed25519'
      ? Buffer.concat([Buffer.from(`${name}\n\u0001`, 'utf8'), spki.subarray(-ED25519_KEY_BYTES)])
      : spki;
  return hash('sha256', named, 'buffer').subarray(0, 4);
}

/**
 * Has octets signed.
 * @param signer - whatever holds the key
 * @param octets - what is signed
 * @returns the signature as OpenSSL takes it: DER for ES256, 64 octets for Ed25519
 * @throws {@link HopbackError} `signer-failed` when the signer fails, or gives what is no signature
 * @see RFC 8032, RFC 3279 section 2.2.3
 * @example
 * ```ts
 * const { privateKeyPem } = createTestKey('Ed25519');
 * const signature = await signatureFor(createLogSigner(privateKeyPem), new TextEncoder().encode('octets'));
 * console.log(signature.length); // 64
 * ```
 */
export async function signatureFor(signer: LogSigner, octets: Uint8Array): Promise<Uint8Array> {
  const signature = await signed(signer, octets);
  if (signer.algorithm === 'Ed25519' && signature.length === 64) return signature;
  const converted = rawToDerSignature(signature);
  if (signer.algorithm === 'ES256' && converted.status === 'converted') return converted.signature;
  throw new HopbackError('signer-failed', `the signer of the log gave what is no signature of ${signer.algorithm}`);
}

async function signed(signer: LogSigner, octets: Uint8Array): Promise<Uint8Array> {
  try {
    return await signer.sign(octets);
  } catch (cause) {
    throw new HopbackError('signer-failed', 'the signer of the log did not sign', { retryable: true, cause });
  }
}

/** Whether a signature as {@link signatureFor} gives it is of the key. Never throws, whatever it is. */
export function isSignedBy(key: KeyObject, octets: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (algorithmOf(key) === 'Ed25519') return verify(null, octets, key, signature);
    // Strict DER, so that one signature has one spelling.
    return derToRawSignature(signature).status === 'converted' && verify('sha256', octets, key, signature);
  } catch {
    return false;
  }
}

/**
 * Makes the signer of a log from a private key that this process may hold.
 * @param privateKeyPem - PKCS#8 or SEC 1, Ed25519 or P-256
 * @returns the signer
 * @throws {@link HopbackError} `key-unusable` when the key cannot be read, or is another kind of key
 * @see RFC 8032, RFC 7518 section 3.4
 * @example
 * ```ts
 * console.log(createLogSigner(createTestKey().privateKeyPem).algorithm); // ES256
 * ```
 */
export function createLogSigner(privateKeyPem: string): LogSigner {
  const key = privateKeyOf(privateKeyPem);
  const publicKey = createPublicKey(key);
  const algorithm = algorithmOf(publicKey);
  if (algorithm === undefined) {
    throw new HopbackError('key-unusable', 'The key of a log has to be Ed25519 or P-256.');
  }
  return {
    algorithm,
    publicKey,
    sign: (octets) =>
      algorithm === 'Ed25519' ? sign(null, octets, key) : sign('sha256', octets, { key, dsaEncoding: 'ieee-p1363' }),
  };
}

function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new HopbackError('key-unusable', 'The private key of the log cannot be read: PKCS#8 or SEC 1, PEM.', {
      cause,
    });
  }
}
