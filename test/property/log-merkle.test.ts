import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verifyCheckpoint, verifyConsistency, verifyInclusion } from '../../sdk/src/log/index.js';
import {
  merkleRoot,
  signCheckpoint,
  createMerkleTree,
  decodeMerkleRecord,
  encodeMerkleRecord,
  hashOfLeaf,
} from '../../sdk/src/log/merkle-tree.js';
import { newLogSigner } from '../support/log-records.js';
import { forAll } from '../support/for-all.js';

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
};

/** The largest power of two below the number of entries. */
function splitOf({ length }: readonly Uint8Array[]): number {
  let split = 1;
  while (split * 2 < length) split *= 2;
  return split;
}

/** RFC 9162 section 2.1.1 word for word. */
function naiveRoot(entries: readonly Uint8Array[]): Buffer {
  const [first] = entries;
  if (first === undefined) return sha256();
  if (entries.length === 1) return sha256(Buffer.of(0), first);
  const split = splitOf(entries);
  return sha256(Buffer.of(1), naiveRoot(entries.slice(0, split)), naiveRoot(entries.slice(split)));
}

/** RFC 9162 section 2.1.3.1 word for word. */
function naivePath(index: number, entries: readonly Uint8Array[]): Buffer[] {
  if (entries.length <= 1) return [];
  const split = splitOf(entries);
  return index < split
    ? [...naivePath(index, entries.slice(0, split)), naiveRoot(entries.slice(split))]
    : [...naivePath(index - split, entries.slice(split)), naiveRoot(entries.slice(0, split))];
}

/** RFC 9162 section 2.1.4.1 word for word. */
function naiveSubproof(from: number, entries: readonly Uint8Array[], isWhole: boolean): Buffer[] {
  if (from === entries.length) return isWhole ? [] : [naiveRoot(entries)];
  const split = splitOf(entries);
  return from <= split
    ? [...naiveSubproof(from, entries.slice(0, split), isWhole), naiveRoot(entries.slice(split))]
    : [...naiveSubproof(from - split, entries.slice(split), false), naiveRoot(entries.slice(0, split))];
}

const hex = (hashes: readonly Uint8Array[]): string[] => hashes.map((hash) => Buffer.from(hash).toString('hex'));
const entriesOf = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => Buffer.from(`entry ${index}`));
const treeOf = (entries: readonly Uint8Array[]): ReturnType<typeof createMerkleTree> => {
  const tree = createMerkleTree();
  for (const entry of entries) tree.add(hashOfLeaf(entry));
  return tree;
};

test('roots and proofs are those of the recursive definition, at every size up to the present one', () => {
  forAll([fc.integer({ min: 1, max: 130 }), fc.nat(), fc.nat()], 100, (count, a, b) => {
    const entries = entriesOf(count);
    const tree = treeOf(entries);
    const size = 1 + (a % count);
    const index = b % size;
    const from = 1 + (b % size);
    const some = entries.slice(0, size);
    const rootHash = naiveRoot(some).toString('hex');
    expect(tree.root(size).toString('hex')).toBe(rootHash);
    const path = hex(tree.inclusion(index, size));
    expect(path).toEqual(hex(naivePath(index, some)));
    const leafHash = hashOfLeaf(entries[index]!).toString('hex');
    expect(verifyInclusion({ leafIndex: index, size, hashes: path }, { leafHash, rootHash })).toBe(true);
    const steps = hex(tree.consistency(from, size));
    if (from < size) expect(steps).toEqual(hex(naiveSubproof(from, some, true)));
    const roots = { fromRoot: naiveRoot(entries.slice(0, from)).toString('hex'), toRoot: rootHash };
    expect(verifyConsistency({ fromSize: from, toSize: size, hashes: steps }, roots)).toBe(true);
  });
});

test('a tree that is cut back and grown again is that of the entries it has', () => {
  forAll([fc.integer({ min: 1, max: 70 }), fc.nat(), fc.integer({ min: 0, max: 70 })], 100, (count, cut, more) => {
    const rest = cut % (count + 1);
    const tree = treeOf(entriesOf(count));
    tree.cutTo(rest);
    const others = Array.from({ length: more }, (_, index) => Buffer.from(`other ${index}`));
    for (const entry of others) tree.add(hashOfLeaf(entry));
    const expected = merkleRoot([...entriesOf(rest), ...others]);
    expect(tree.root(tree.size).toString('hex')).toBe(expected);
  });
});

test('no proof holds for another entry, place, size or root, nor with a hash more, less or changed', () => {
  forAll([fc.integer({ min: 2, max: 100 }), fc.nat(), fc.nat()], 100, (count, a, b) => {
    const entries = entriesOf(count);
    const tree = treeOf(entries);
    const leafIndex = a % count;
    const hashes = hex(tree.inclusion(leafIndex, count));
    const against = {
      leafHash: hashOfLeaf(entries[leafIndex]!).toString('hex'),
      rootHash: tree.root(count).toString('hex'),
    };
    const other = 'ab'.repeat(32);
    const changed = hashes.map((hash, at) => (at === b % hashes.length ? other : hash));
    const proof = { leafIndex, size: count, hashes };
    expect(verifyInclusion({ ...proof, leafIndex: (leafIndex + 1 + (b % (count - 1))) % count }, against)).toBe(false);
    expect(verifyInclusion({ ...proof, hashes: changed }, against)).toBe(false);
    expect(verifyInclusion({ ...proof, hashes: [...hashes, other] }, against)).toBe(false);
    expect(verifyInclusion({ ...proof, hashes: hashes.slice(1) }, against)).toBe(false);
    expect(verifyInclusion(proof, { ...against, leafHash: other })).toBe(false);
    expect(verifyInclusion(proof, { ...against, rootHash: other })).toBe(false);
    const fromSize = 1 + (b % (count - 1));
    const steps = { fromSize, toSize: count, hashes: hex(tree.consistency(fromSize, count)) };
    const roots = { fromRoot: tree.root(fromSize).toString('hex'), toRoot: against.rootHash };
    expect(verifyConsistency(steps, { ...roots, fromRoot: other })).toBe(false);
    expect(verifyConsistency(steps, { ...roots, toRoot: other })).toBe(false);
    expect(verifyConsistency({ ...steps, hashes: [...steps.hashes, other] }, roots)).toBe(false);
    expect(verifyConsistency({ ...steps, hashes: steps.hashes.slice(1) }, roots)).toBe(false);
  });
});

test('verifying returns, for any proof', () => {
  const hash = fc.oneof(fc.string(), fc.constant('ab'.repeat(32)), fc.constant(null));
  forAll([fc.double(), fc.double(), fc.array(hash, { maxLength: 60 }), hash], 100, (a, b, hashes, root) => {
    const any = { hashes: hashes as string[] };
    const roots = root as string;
    expect(typeof verifyInclusion({ ...any, leafIndex: a, size: b }, { leafHash: roots, rootHash: roots })).toBe(
      'boolean',
    );
    expect(typeof verifyConsistency({ ...any, fromSize: a, toSize: b }, { fromRoot: roots, toRoot: roots })).toBe(
      'boolean',
    );
  });
});

test('records are read as they were written, and any octets give a record or nothing', () => {
  forAll(
    [fc.string({ unit: 'binary' }), fc.array(fc.uint8Array(), { minLength: 1, maxLength: 20 })],
    100,
    (note, entries) => {
      const decoded = decodeMerkleRecord(encodeMerkleRecord({ note, entries }));
      if (/\p{Surrogate}/u.test(note)) return;
      expect(decoded?.note).toBe(note);
      expect(decoded?.entries.map((entry) => Buffer.from(entry))).toEqual(entries.map((entry) => Buffer.from(entry)));
    },
  );
  forAll([fc.uint8Array({ maxLength: 200 })], 100, (octets) => {
    const record = decodeMerkleRecord(octets);
    if (record !== undefined) expect(encodeMerkleRecord(record)).toEqual(Buffer.from(octets));
  });
});

test('a checkpoint with any character changed does not pass, and any text gives a verdict', async () => {
  const signer = newLogSigner();
  const note = await signCheckpoint({ logId: 'example.com/evidence', size: 12, rootHash: merkleRoot(['a']) }, signer);
  const trust = { publicKeys: [signer.publicKey] };
  forAll([fc.nat({ max: note.length - 1 }), fc.string({ minLength: 0, maxLength: 2 })], 500, (at, text) => {
    const changed = note.slice(0, at) + text + note.slice(at + 1);
    if (changed !== note) expect(verifyCheckpoint(changed, trust).status).toBe('failed');
  });
  forAll([fc.string({ unit: 'binary' })], 100, (text) => {
    expect(verifyCheckpoint(text, trust).status).toBe('failed');
  });
});
