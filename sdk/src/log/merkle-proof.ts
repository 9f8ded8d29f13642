import { emptyRoot, HASH_BYTES, hashOfLeaf, hashOfNode } from './merkle-hash.js';
import { createMerkleTree } from './merkle-tree.js';

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
