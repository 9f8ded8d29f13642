import { createPrivateKey, createPublicKey, hash as digest, hash as sha256Hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { derToRawSignature, rawToDerSignature } from '../core/base64url.js';
import { createMemo } from '../core/memo.js';
import { HopbackError } from '../errors.js';

/** Octets of a SHA-256. */
const HASH_BYTES = 32;

const LEAF = 0x00;
const NODE = 0x01;

/** Root of a tree without leaves: the hash of nothing. RFC 9162 section 2.1.1 */
function emptyRoot(): Buffer {
  return sha256(Buffer.alloc(0));
}

/** Hash of a leaf. The octet before it keeps a leaf from passing for a node. RFC 9162 section 2.1.1 */
export function hashOfLeaf(entry: Uint8Array): Buffer {
  const octets = Buffer.allocUnsafe(1 + entry.length);
  octets[0] = LEAF;
  octets.set(entry, 1);
  return sha256(octets);
}

/** Hash of what is above two nodes. RFC 9162 section 2.1.1 */
function hashOfNode(left: Uint8Array, right: Uint8Array): Buffer {
  const octets = Buffer.allocUnsafe(1 + 2 * HASH_BYTES);
  octets[0] = NODE;
  octets.set(left, 1);
  octets.set(right, 1 + HASH_BYTES);
  return sha256(octets);
}

/** The greatest power of two that is smaller. RFC 9162 section 2.1.1 */
function splitOf(size: number): number {
  let split = 1;
  while (2 * split < size) split *= 2;
  return split;
}

function sha256(bytes: Uint8Array): Buffer {
  return digest('sha256', bytes, 'buffer');
}

/** Hashes of a level are kept in pieces of so many: 128 KiB each, so that growing copies little and wastes less. */
const PIECE_HASHES = 4_096;

/**
 * The hashes of a Merkle tree that grows: those of all complete subtrees, 64 bytes a leaf, so that each append, root and proof takes a
 * number of hashes that grows with the logarithm of the size.
 */
export type MerkleTree = ReturnType<typeof createMerkleTree>;

/** An empty tree. Its functions take what is in it: whoever calls has looked. */
export function createMerkleTree() {
  /** By height: the hashes of the complete subtrees of 2^height leaves, in order. */
  const levels: HashColumn[] = [];
  let size = 0;

  const level = (height: number): HashColumn => (levels[height] ??= createHashColumn());

  /** Hash over leaves from `start` to before `end`. What is left of a split is always complete. */
  const over = (start: number, end: number): Buffer => {
    const count = end - start;
    const height = Math.log2(count);
    if (Number.isInteger(height) && start % count === 0) return level(height).at(start / count);
    const split = splitOf(count);
    return hashOfNode(over(start, start + split), over(start + split, end));
  };

  const path = (index: number, start: number, end: number): Buffer[] => {
    if (end - start <= 1) return [];
    const middle = start + splitOf(end - start);
    return index < middle
      ? [...path(index, start, middle), over(middle, end)]
      : [...path(index, middle, end), over(start, middle)];
  };

  /** `isWhole`: what is proved so far is the old tree itself, whose root the verifier has. */
  const subproof = (from: number, start: number, end: number, isWhole: boolean): Buffer[] => {
    if (from === end) return isWhole ? [] : [over(start, end)];
    const middle = start + splitOf(end - start);
    return from <= middle
      ? [...subproof(from, start, middle, isWhole), over(middle, end)]
      : [...subproof(from, middle, end, false), over(start, middle)];
  };

  return {
    get size(): number {
      return size;
    },
    /** Adds a leaf by its hash. */
    add: (leafHash: Uint8Array) => {
      let hash: Buffer = Buffer.from(leafHash);
      let index = size;
      level(0).push(hash);
      for (let height = 0; index % 2 === 1; height += 1) {
        hash = hashOfNode(level(height).at(index - 1), hash);
        index = (index - 1) / 2;
        level(height + 1).push(hash);
      }
      size += 1;
    },
    /** Forgets leaves at and behind an index. */
    cutTo: (rest: number) => {
      size = rest;
      for (const [height, column] of levels.entries()) column.cutTo(Math.floor(rest / 2 ** height));
    },
    /** Root of the first leaves, 0 to `size`. RFC 9162 section 2.1.1 */
    root: (of: number): Buffer => (of === 0 ? emptyRoot() : over(0, of)),
    leafHash: (index: number): Buffer => level(0).at(index),
    /** Hashes that lead from a leaf to the root of the first `size` leaves, lowest first. RFC 9162 section 2.1.3.1 */
    inclusion: (index: number, of: number): Buffer[] => path(index, 0, of),
    /** Hashes that lead from the root of the first `from` leaves to that of the first `to`. RFC 9162 section 2.1.4.1 */
    consistency: (from: number, to: number): Buffer[] => (from === 0 || from === to ? [] : subproof(from, 0, to, true)),
  };
}

type HashColumn = ReturnType<typeof createHashColumn>;

function createHashColumn() {
  const pieces: Buffer[] = [];
  let count = 0;
  return {
    push: (hash: Uint8Array) => {
      const piece = (pieces[Math.floor(count / PIECE_HASHES)] ??= Buffer.allocUnsafeSlow(PIECE_HASHES * HASH_BYTES));
      piece.set(hash, (count % PIECE_HASHES) * HASH_BYTES);
      count += 1;
    },
    at: (index: number): Buffer => {
      const piece = pieces[Math.floor(index / PIECE_HASHES)];
      const offset = (index % PIECE_HASHES) * HASH_BYTES;
      if (piece === undefined || index >= count) throw new RangeError(`no hash ${index} among ${count}`);
      return piece.subarray(offset, offset + HASH_BYTES);
    },
    cutTo: (rest: number) => {
      count = Math.min(count, rest);
    },
  };
}

/**
 * Entries that were made durable at once, and the checkpoint over them, in one record of the segment log: it is there whole or not at all,
 * so that no crash leaves an entry that nobody signed for.
 *
 * Layout, little-endian: version (1 octet), length of the note (u32), the note in UTF-8, number of entries (u16), then each entry as its
 * length (u32) and its octets.
 */
export interface MerkleRecord {
  readonly note: string;
  readonly entries: readonly Uint8Array[];
}

/** Entries of one record at most. */
export const RECORD_ENTRIES = 256;

const VERSION = 1;

/** Octets of a record. */
export function encodeMerkleRecord({ note, entries }: MerkleRecord): Buffer {
  const text = Buffer.from(note, 'utf8');
  const head = Buffer.alloc(5);
  head.writeUInt8(VERSION, 0);
  head.writeUInt32LE(text.length, 1);
  const count = Buffer.alloc(2);
  count.writeUInt16LE(entries.length, 0);
  const parts: Uint8Array[] = [head, text, count];
  for (const entry of entries) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(entry.length, 0);
    parts.push(length, entry);
  }
  return Buffer.concat(parts);
}

/** Reads a record; undefined for octets that are none. Never throws. */
export function decodeMerkleRecord(payload: Uint8Array): MerkleRecord | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (bytes.length < 7 || bytes.readUInt8(0) !== VERSION) return undefined;
  const noteEnd = 5 + bytes.readUInt32LE(1);
  if (noteEnd + 2 > bytes.length) return undefined;
  const count = bytes.readUInt16LE(noteEnd);
  if (count < 1 || count > RECORD_ENTRIES) return undefined;
  const entries: Uint8Array[] = [];
  let at = noteEnd + 2;
  for (let index = 0; index < count; index += 1) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) return undefined;
    entries.push(bytes.subarray(at + 4, end));
    at = end;
  }
  const text = bytes.subarray(5, noteEnd);
  const note = text.toString('utf8');
  return at === bytes.length && Buffer.from(note, 'utf8').equals(text) ? { note, entries } : undefined;
}

/** Hashes of a proof at most: one for each level of a tree of 2^53 leaves, and one. */
const LONGEST_PROOF = 54;

/** That one entry is in a tree: what `verifyInclusion` needs. All hashes are SHA-256 in lower-case hex. */
export interface InclusionProof {
  /** Place of the entry, from 0. */
  readonly leafIndex: number;
  /** Entries of the tree. */
  readonly size: number;
  /** From the lowest level upwards. */
  readonly hashes: readonly string[];
}

/** That a tree is a former one with entries behind it. All hashes are SHA-256 in lower-case hex. */
export interface ConsistencyProof {
  /** Entries of the former tree. */
  readonly fromSize: number;
  /** Entries of the later one. */
  readonly toSize: number;
  readonly hashes: readonly string[];
}

/**
 * Hash of an entry as a leaf of the tree: SHA-256 of an octet 0x00 and the entry. Never throws.
 * @param entry - its octets; text becomes UTF-8
 * @returns lower-case hex
 * @see RFC 9162 section 2.1.1
 * @example
 * ```ts
 * console.log(merkleLeafHash('').slice(0, 16)); // 6e340b9cffb37a98
 * ```
 */
export function merkleLeafHash(entry: Uint8Array | string): string {
  return hashOfLeaf(octetsOf(entry)).toString('hex');
}

/**
 * Root of the tree over entries. Never throws.
 * @param entries - in order; none gives the hash of nothing
 * @returns SHA-256, lower-case hex
 * @see RFC 9162 section 2.1.1
 * @example
 * ```ts
 * console.log(merkleRoot([]).slice(0, 16)); // e3b0c44298fc1c14
 * console.log(merkleRoot(['']) === merkleLeafHash('')); // true
 * ```
 */
export function merkleRoot(entries: readonly (Uint8Array | string)[]): string {
  const tree = createMerkleTree();
  for (const entry of entries) tree.add(hashOfLeaf(octetsOf(entry)));
  return tree.root(tree.size).toString('hex');
}

/**
 * Checks that an entry is in a tree, at its place. Never throws, whatever the proof is.
 * @param proof - from whoever keeps the log
 * @param against - the hash of the entry, {@link merkleLeafHash}, and the root, from a checkpoint that was verified; lower-case hex
 * @returns whether the hashes lead from the entry to the root
 * @see RFC 9162 section 2.1.3.2
 * @example
 * ```ts
 * const rootHash = merkleRoot(['one', 'two']);
 * const proof = { leafIndex: 0, size: 2, hashes: [merkleLeafHash('two')] };
 * console.log(verifyInclusion(proof, { leafHash: merkleLeafHash('one'), rootHash })); // true
 * console.log(verifyInclusion(proof, { leafHash: merkleLeafHash('won'), rootHash })); // false
 * ```
 */
export function verifyInclusion(
  proof: InclusionProof,
  against: { readonly leafHash: string; readonly rootHash: string },
): boolean {
  const path = hashesOf(proof.hashes);
  const [leaf, root] = [hashOf(against.leafHash), hashOf(against.rootHash)];
  if (path === undefined || leaf === undefined || root === undefined) return false;
  if (!isCount(proof.leafIndex) || !isCount(proof.size) || proof.leafIndex >= proof.size) return false;
  let place = { node: proof.leafIndex, last: proof.size - 1 };
  let hash = leaf;
  for (const sibling of path) {
    if (place.last === 0) return false;
    if (isRight(place)) {
      hash = hashOfNode(sibling, hash);
      place = risen(place);
    } else {
      hash = hashOfNode(hash, sibling);
    }
    place = above(place);
  }
  return place.last === 0 && hash.equals(root);
}

/**
 * Checks that a tree is a former one with entries behind it: that nothing before was edited, removed or moved. Never throws, whatever the
 * proof is.
 * @param proof - from whoever keeps the log
 * @param against - both roots, from checkpoints that were verified; lower-case hex
 * @returns whether the hashes lead from both roots to each other
 * @see RFC 9162 section 2.1.4.2
 * @example
 * ```ts
 * const [fromRoot, toRoot] = [merkleRoot(['one']), merkleRoot(['one', 'two'])];
 * const proof = { fromSize: 1, toSize: 2, hashes: [merkleLeafHash('two')] };
 * console.log(verifyConsistency(proof, { fromRoot, toRoot })); // true
 * console.log(verifyConsistency(proof, { fromRoot: merkleRoot(['won']), toRoot })); // false
 * ```
 */
export function verifyConsistency(
  proof: ConsistencyProof,
  against: { readonly fromRoot: string; readonly toRoot: string },
): boolean {
  const { fromSize, toSize } = proof;
  const path = hashesOf(proof.hashes);
  const [fromRoot, toRoot] = [hashOf(against.fromRoot), hashOf(against.toRoot)];
  if (path === undefined || fromRoot === undefined || toRoot === undefined) return false;
  if (!isCount(fromSize) || !isCount(toSize) || fromSize > toSize) return false;
  if (fromSize === toSize) return path.length === 0 && fromRoot.equals(toRoot);
  // Nothing is in any tree.
  if (fromSize === 0) return path.length === 0 && fromRoot.equals(emptyRoot());
  // A former tree that is complete is a node of the later one: its root is where the proof begins.
  const [first, ...rest] = Number.isInteger(Math.log2(fromSize)) ? [fromRoot, ...path] : path;
  if (first === undefined) return false;
  let place = { node: fromSize - 1, last: toSize - 1 };
  while (place.node % 2 === 1) place = above(place);
  let [from, to] = [first, first];
  for (const sibling of rest) {
    if (place.last === 0) return false;
    if (isRight(place)) {
      [from, to] = [hashOfNode(sibling, from), hashOfNode(sibling, to)];
      place = risen(place);
    } else {
      to = hashOfNode(to, sibling);
    }
    place = above(place);
  }
  return place.last === 0 && from.equals(fromRoot) && to.equals(toRoot);
}

/** A node of a level, and the last node of that level. `fn` and `sn` of RFC 9162. */
interface Place {
  readonly node: number;
  readonly last: number;
}

function above({ node, last }: Place): Place {
  return { node: Math.floor(node / 2), last: Math.floor(last / 2) };
}

/** Whether the sibling is to the left. */
function isRight({ node, last }: Place): boolean {
  return node % 2 === 1 || node === last;
}

/** A node without a sibling is its own parent, until it is a right one. */
function risen(place: Place): Place {
  let at = place;
  while (at.node % 2 === 0 && at.node !== 0) at = above(at);
  return at;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function hashesOf(hashes: unknown): Buffer[] | undefined {
  if (!Array.isArray(hashes) || hashes.length > LONGEST_PROOF) return undefined;
  const read = hashes.map(hashOf);
  return read.every((hash) => hash !== undefined) ? read : undefined;
}

/** Undefined for what is no SHA-256 in lower-case hex. */
function hashOf(hex: unknown): Buffer | undefined {
  if (typeof hex !== 'string' || hex.length !== 2 * HASH_BYTES || !/^[0-9a-f]+$/.test(hex)) return undefined;
  return Buffer.from(hex, 'hex');
}

/** Text becomes UTF-8. */
export function octetsOf(entry: Uint8Array | string): Uint8Array {
  return typeof entry === 'string' ? Buffer.from(entry, 'utf8') : entry;
}

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
export type CheckpointFailure = Extract<CheckpointVerdict, { readonly status: 'failed' }>['reason'];

/** What a checkpoint is worth. */
export type CheckpointVerdict =
  | { readonly status: 'passed'; readonly checkpoint: Checkpoint }
  | {
      readonly status: 'failed';
      readonly reason:
        /** It is no signed note, or its text is no checkpoint. */
        | 'malformed'
        /** It is of another log. */
        | 'other-log'
        /** None of its signatures is by a key that was given. */
        | 'other-key'
        /** A signature says that it is by the key, and is not. */
        | 'signature-invalid';
      readonly checkpoint?: Checkpoint;
    };

/** What a checkpoint is held against. */
export type CheckpointTrust = Parameters<typeof verifyCheckpoint>[1];

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
export function verifyCheckpoint(
  note: string,
  trust: {
    /** Of the log: Ed25519 or P-256; the former ones as well where the key was changed. None trusts nothing. */
    readonly publicKeys: readonly KeyObject[];
    /** Which log it has to be of; any when it is left out. */
    readonly logId?: string;
  },
): CheckpointVerdict {
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
function algorithmOf(key: KeyObject): LogSigner['algorithm'] | undefined {
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
  return sha256Hash('sha256', named, 'buffer').subarray(0, 4);
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
  throw new HopbackError('signer-failed', `the signer of the log did not return a signature of ${signer.algorithm}`);
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
