import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  createLogSigner,
  MerkleLog,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
  verifyMerkleLog,
  type LogSigner,
} from '../../sdk/src/log/index.js';
import {
  createMerkleTree,
  hashOfLeaf,
  merkleRoot,
  readCheckpoint,
  signCheckpoint,
} from '../../sdk/src/log/merkle-tree.js';
import { newLogSigner } from '../support/log-records.js';
import { createSimulatedLogFiles } from '../support/simulated-log-files.js';
import { recordsOfSegment, segmentOf } from '../support/tampered-log.js';

type InclusionProof = Parameters<typeof verifyInclusion>[0];
type ConsistencyProof = Parameters<typeof verifyConsistency>[0];
interface Vectors {
  readonly leaves: readonly string[];
  readonly roots: readonly string[];
  readonly paths: readonly InclusionProof[];
  readonly consistency: readonly ConsistencyProof[];
}

const VECTORS = JSON.parse(
  readFileSync(new URL('../vectors/merkle/rfc6962-eight-leaves.json', import.meta.url), 'utf8'),
) as Vectors;
const LEAVES = VECTORS.leaves.map((hex) => Buffer.from(hex, 'hex'));
const LOG_ID = 'example.com/evidence';

const SIGNER = newLogSigner();
const optionsOf = (files = createSimulatedLogFiles()) => ({ directory: '/log', files, logId: LOG_ID, signer: SIGNER });
const TRUST = { publicKeys: [SIGNER.publicKey] };

test('roots and proofs of the eight leaves of Certificate Transparency are the published ones', () => {
  expect(VECTORS.roots.map((_, size) => merkleRoot(LEAVES.slice(0, size)))).toEqual(VECTORS.roots);
  const tree = createMerkleTree();
  for (const leaf of LEAVES) tree.add(hashOfLeaf(leaf));
  const hex = (hashes: readonly Buffer[]): string[] => hashes.map((hash) => hash.toString('hex'));
  for (const proof of VECTORS.paths) {
    expect(hex(tree.inclusion(proof.leafIndex, proof.size))).toEqual(proof.hashes);
    const leafHash = hashOfLeaf(LEAVES[proof.leafIndex]!).toString('hex');
    expect(verifyInclusion(proof, { leafHash, rootHash: VECTORS.roots[proof.size]! })).toBe(true);
  }
  for (const proof of VECTORS.consistency) {
    expect(hex(tree.consistency(proof.fromSize, proof.toSize))).toEqual(proof.hashes);
    const against = { fromRoot: VECTORS.roots[proof.fromSize]!, toRoot: VECTORS.roots[proof.toSize]! };
    expect(verifyConsistency(proof, against)).toBe(true);
  }
});

test('a checkpoint has the text and the key id of C2SP, by the test key of golang.org/x/mod/sumdb/note', async () => {
  const seed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const signer = createLogSigner(key.export({ type: 'pkcs8', format: 'pem' }).toString());
  const note = await signCheckpoint({ logId: 'PeterNeumann', size: 8, rootHash: VECTORS.roots[8]! }, signer);
  const text = `PeterNeumann\n8\n${Buffer.from(VECTORS.roots[8]!, 'hex').toString('base64')}\n`;
  const [, encoded] = /^\n\u2014 PeterNeumann (\S+)\n$/.exec(note.slice(text.length)) ?? [];
  expect(note.slice(0, text.length)).toBe(text);
  const octets = Buffer.from(encoded!, 'base64');
  expect(octets.subarray(0, 4).toString('hex')).toBe('c74f20a3');
  expect(verify(null, Buffer.from(text), createPublicKey(key), octets.subarray(4))).toBe(true);
});

test('an ES256 checkpoint is signed in DER, as witnesses of transparency logs sign', async () => {
  const signer = newLogSigner('p256');
  const note = await signCheckpoint({ logId: LOG_ID, size: 8, rootHash: VECTORS.roots[8]! }, signer);
  const octets = Buffer.from(note.split('\n')[4]!.split(' ')[2]!, 'base64');
  const text = Buffer.from(note.slice(0, note.indexOf('\n\n') + 1));
  expect(verify('sha256', text, signer.publicKey, octets.subarray(4))).toBe(true);
  expect(verifyCheckpoint(note, { publicKeys: [signer.publicKey] }).status).toBe('passed');
});

test('a checkpoint fails for its reason: other key, other log, changed text, changed signature, no note', async () => {
  const note = await signCheckpoint({ logId: LOG_ID, size: 8, rootHash: VECTORS.roots[8]! }, SIGNER);
  const reasonOf = (text: string, trust: Parameters<typeof verifyCheckpoint>[1] = TRUST): string => {
    const verdict = verifyCheckpoint(text, trust);
    return verdict.status === 'failed' ? verdict.reason : verdict.status;
  };
  expect(reasonOf(note)).toBe('passed');
  expect(reasonOf(note, { publicKeys: [newLogSigner().publicKey] })).toBe('other-key');
  expect(reasonOf(note, { publicKeys: [] })).toBe('other-key');
  expect(reasonOf(note, { ...TRUST, logId: 'example.com/other' })).toBe('other-log');
  expect(reasonOf(note.replace('\n8\n', '\n9\n'))).toBe('signature-invalid');
  for (const malformed of ['', '\n', note.slice(0, -1), note.replace('\n8\n', '\n08\n'), note.replace('\n\n', '\n')]) {
    expect(reasonOf(malformed)).toBe('malformed');
  }
  const beside = `${note}\u2014 witness.example ${Buffer.alloc(70, 7).toString('base64')}\n`;
  expect(reasonOf(beside)).toBe('passed');
});

test('entries that come in at once are one record, and count when they are durable', async () => {
  await using log = await MerkleLog.open(optionsOf());
  const appended = await Promise.all(LEAVES.map((leaf) => log.append(leaf)));
  expect(appended.map(({ leafIndex }) => leafIndex)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(log.rootHash()).toBe(VECTORS.roots[8]);
  expect(new Set(appended.map(({ checkpoint }) => checkpoint)).size).toBe(1);
  expect(verifyCheckpoint(log.checkpoint!, TRUST)).toMatchObject({
    checkpoint: { size: 8, rootHash: VECTORS.roots[8] },
  });
  expect((await log.read(3, { maxEntries: 2 })).map(({ octets }) => Buffer.from(octets))).toEqual(LEAVES.slice(3, 5));
});

test('a log that is opened again has its roots, its proofs and its last checkpoint', async () => {
  const notes: string[] = [];
  const options = { ...optionsOf(), onCheckpoint: (note: string) => void notes.push(note) };
  const first = await MerkleLog.open(options);
  for (const leaf of LEAVES.slice(0, 5)) await first.append(leaf);
  await first.close();
  await using log = await MerkleLog.open({ ...options, heldCheckpoints: notes.slice() });
  expect([log.size, log.checkpoint]).toEqual([5, notes[4]]);
  for (const leaf of LEAVES.slice(5)) await log.append(leaf);
  const proved = await log.prove(2);
  expect(Buffer.from(proved.octets)).toEqual(LEAVES[2]);
  const leafHash = hashOfLeaf(proved.octets).toString('hex');
  expect(verifyInclusion(proved.inclusion, { leafHash, rootHash: VECTORS.roots[8]! })).toBe(true);
  const against = { fromRoot: VECTORS.roots[5]!, toRoot: VECTORS.roots[8]! };
  expect(verifyConsistency(log.consistencyProof(5), against)).toBe(true);
  expect(await log.checkpointOver(3)).toBe(notes[3]);
  expect(await verifyMerkleLog('/log', { ...TRUST, files: options.files, checkpoints: notes })).toMatchObject({
    status: 'intact',
    size: 8,
    rootHash: VECTORS.roots[8],
    heldCheckpoints: 8,
  });
});

test('an entry that the signer or the disk refused is not in the log, and the next entry takes its place', async () => {
  const options = { ...optionsOf(), schedule: () => () => undefined };
  let fails = true;
  const signer: LogSigner = {
    ...SIGNER,
    sign: (octets) => {
      if (fails) throw new Error('no key today');
      return SIGNER.sign(octets);
    },
  };
  const log = await MerkleLog.open({ ...options, signer });
  await expect(log.append('lost')).rejects.toMatchObject({ code: 'signer-failed' });
  fails = false;
  expect((await log.append('first')).leafIndex).toBe(0);
  options.files.setFault((operation) => (operation === 'append' || operation === 'create' ? 'ENOSPC' : undefined));
  await expect(log.append('second')).rejects.toMatchObject({ code: 'storage-failed', retryable: true });
  expect([log.size, log.rootHash()]).toEqual([1, merkleRoot(['first'])]);
  await expect(log.close()).rejects.toMatchObject({ code: 'storage-failed' });
  options.files.setFault(undefined);
  await using again = await MerkleLog.open(options);
  expect(again.size).toBe(1);
  expect((await again.append('third')).leafIndex).toBe(1);
});

test('a log of another name or another key is refused, and so is one that ends before a held checkpoint', async () => {
  const options = optionsOf();
  const log = await MerkleLog.open(options);
  await log.append('first');
  await log.close();
  const other = newLogSigner('p256');
  const refused = { code: 'log-inconsistent', details: { leafIndex: 0 } };
  await expect(MerkleLog.open({ ...options, logId: 'example.com/other' })).rejects.toMatchObject(refused);
  await expect(MerkleLog.open({ ...options, signer: other })).rejects.toMatchObject(refused);
  const ahead = await signCheckpoint({ logId: LOG_ID, size: 2, rootHash: merkleRoot(['first', 'second']) }, SIGNER);
  await expect(MerkleLog.open({ ...options, heldCheckpoints: [ahead] })).rejects.toMatchObject({
    code: 'log-inconsistent',
    details: { leafIndex: 1 },
  });
  await using changed = await MerkleLog.open({ ...options, signer: other, formerPublicKeys: [SIGNER.publicKey] });
  expect((await changed.append('second')).leafIndex).toBe(1);
});

test('of a damaged log the part that is signed can be read and proved, and nothing follows it', async () => {
  const options = optionsOf();
  const log = await MerkleLog.open(options);
  await log.append('first');
  const { checkpoint } = await log.append('second');
  await log.close();
  const forger = newLogSigner('p256');
  const forged = await MerkleLog.open({ ...options, signer: forger, formerPublicKeys: [SIGNER.publicKey] });
  await forged.append('third');
  await forged.close();
  await expect(MerkleLog.open(options)).rejects.toMatchObject({ code: 'log-inconsistent' });
  await using part = await MerkleLog.openSignedPart(options);
  expect([part.size, part.checkpoint, part.rootHash()]).toEqual([2, checkpoint, merkleRoot(['first', 'second'])]);
  expect(part.leafHash(1)).toBe(hashOfLeaf(Buffer.from('second')).toString('hex'));
  expect(() => part.leafHash(2)).toThrowError(expect.objectContaining({ code: 'invalid-argument' }));
  const proved = await part.prove(1);
  expect(Buffer.from(proved.octets).toString()).toBe('second');
  await expect(part.append('fourth')).rejects.toMatchObject({ code: 'log-inconsistent', details: { leafIndex: 2 } });
  await using none = await MerkleLog.openSignedPart({ ...options, signer: newLogSigner() });
  expect([none.size, none.checkpoint]).toEqual([0, undefined]);
});

test('a record that is no record is located up to the next one that is signed, not up to the last', async () => {
  const options = optionsOf();
  const log = await MerkleLog.open(options);
  for (const leaf of LEAVES.slice(0, 4)) await log.append(leaf);
  await log.close();
  const [[name, bytes] = ['', Buffer.of()]] = options.files.contents();
  const payloads = recordsOfSegment(name, bytes).map(({ payload }) => payload);
  options.files.replaceContent(name, segmentOf(name, payloads.with(1, Buffer.from('no record'))));
  const finding = { kind: 'edited', leafIndex: 1, throughIndex: 1 };
  expect(await verifyMerkleLog('/log', { ...TRUST, files: options.files })).toMatchObject({ size: 1, finding });
});

test('a log that is being written is verified through a size: what stands behind it is left alone', async () => {
  const options = optionsOf();
  await using log = await MerkleLog.open(options);
  const through = (throughSize: number) => verifyMerkleLog('/log', { ...TRUST, files: options.files, throughSize });
  expect(await through(0)).toMatchObject({ status: 'intact', size: 0 });
  await log.append('first');
  await log.append('second');
  await log.close();
  const forger = newLogSigner('p256');
  await using forged = await MerkleLog.open({ ...options, signer: forger, formerPublicKeys: [SIGNER.publicKey] });
  await forged.append('third');
  expect(await through(2)).toMatchObject({ status: 'intact', size: 2, rootHash: merkleRoot(['first', 'second']) });
  expect(await through(0)).toMatchObject({ status: 'intact', size: 0 });
  expect(await through(3)).toMatchObject({ status: 'broken', size: 2, finding: { kind: 'checkpoint-forged' } });
});

test('a log without a key to trust is not verified, and a log id that cannot be in a checkpoint is refused', async () => {
  const options = optionsOf();
  const refused = { code: 'invalid-argument' };
  await expect(verifyMerkleLog('/log', { publicKeys: [], files: options.files })).rejects.toMatchObject(refused);
  for (const logId of ['', 'two words', 'a+b', 'a\nb', 'x'.repeat(257)])
    await expect(MerkleLog.open({ ...options, logId })).rejects.toMatchObject(refused);
});

test.each([
  [4, undefined],
  [5, { logId: 'log.example', size: 1, rootHash: '00'.repeat(32) }],
] as const)('a checkpoint with a signature of %i octets: four are the id of its key', (octets, expected) => {
  const base64 = (length: number): string => Buffer.alloc(length).toString('base64');
  expect(readCheckpoint(`log.example\n1\n${base64(32)}\n\n\u2014 signer ${base64(octets)}\n`)).toEqual(expected);
});
