import { hash as digest } from 'node:crypto';

/** Octets of a SHA-256. */
export const HASH_BYTES = 32;

const LEAF = 0x00;
const NODE = 0x01;

/** Root of a tree without leaves: the hash of nothing. RFC 9162 section 2.1.1 */
export function emptyRoot(): Buffer {
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
export function hashOfNode(left: Uint8Array, right: Uint8Array): Buffer {
  const octets = Buffer.allocUnsafe(1 + 2 * HASH_BYTES);
  octets[0] = NODE;
  octets.set(left, 1);
  octets.set(right, 1 + HASH_BYTES);
  return sha256(octets);
}

/** The greatest power of two that is smaller. RFC 9162 section 2.1.1 */
export function splitOf(size: number): number {
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
export interface MerkleTree {
  readonly size: number;
  /** Adds a leaf by its hash. */
  readonly add: (leafHash: Uint8Array) => void;
  /** Forgets leaves at and behind an index. */
  readonly cutTo: (size: number) => void;
  /** Root of the first leaves, 0 to `size`. RFC 9162 section 2.1.1 */
  readonly root: (size: number) => Buffer;
  readonly leafHash: (index: number) => Buffer;
  /** Hashes that lead from a leaf to the root of the first `size` leaves, lowest first. RFC 9162 section 2.1.3.1 */
  readonly inclusion: (index: number, size: number) => Buffer[];
  /** Hashes that lead from the root of the first `from` leaves to that of the first `to`. RFC 9162 section 2.1.4.1 */
  readonly consistency: (from: number, to: number) => Buffer[];
}

/** An empty tree. Its functions take what is in it: whoever calls has looked. */
export function createMerkleTree(): MerkleTree {
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
    get size() {
      return size;
    },
    add: (leafHash) => {
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
    cutTo: (rest) => {
      size = rest;
      for (const [height, column] of levels.entries()) column.cutTo(Math.floor(rest / 2 ** height));
    },
    root: (of) => (of === 0 ? emptyRoot() : over(0, of)),
    leafHash: (index) => level(0).at(index),
    inclusion: (index, of) => path(index, 0, of),
    consistency: (from, to) => (from === 0 || from === to ? [] : subproof(from, 0, to, true)),
  };
}

interface HashColumn {
  readonly push: (hash: Uint8Array) => void;
  readonly at: (index: number) => Buffer;
  readonly cutTo: (count: number) => void;
}

function createHashColumn(): HashColumn {
  const pieces: Buffer[] = [];
  let count = 0;
  return {
    push: (hash) => {
      const piece = (pieces[Math.floor(count / PIECE_HASHES)] ??= Buffer.allocUnsafeSlow(PIECE_HASHES * HASH_BYTES));
      piece.set(hash, (count % PIECE_HASHES) * HASH_BYTES);
      count += 1;
    },
    at: (index) => {
      const piece = pieces[Math.floor(index / PIECE_HASHES)];
      const offset = (index % PIECE_HASHES) * HASH_BYTES;
      if (piece === undefined || index >= count) throw new RangeError(`no hash ${index} among ${count}`);
      return piece.subarray(offset, offset + HASH_BYTES);
    },
    cutTo: (rest) => {
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
export function hashOf(hex: unknown): Buffer | undefined {
  if (typeof hex !== 'string' || hex.length !== 2 * HASH_BYTES || !/^[0-9a-f]+$/.test(hex)) return undefined;
  return Buffer.from(hex, 'hex');
}

/** Text becomes UTF-8. */
export function octetsOf(entry: Uint8Array | string): Uint8Array {
  return typeof entry === 'string' ? Buffer.from(entry, 'utf8') : entry;
}
