import { emptyRoot, HASH_BYTES, hashOfNode, splitOf } from './merkle-hash.js';

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
