import { HopbackError } from '../errors.js';
import { readCheckpoint, verifyCheckpoint, type CheckpointTrust } from './checkpoint.js';
import { hashOfLeaf } from './merkle-hash.js';
import { decodeMerkleRecord, type MerkleRecord } from './merkle-record.js';
import { createMerkleTree, type MerkleTree } from './merkle-tree.js';
import type { SegmentLog } from './segment-log.js';

/** Which entry a record begins with. */
export interface RecordPlace {
  readonly firstLeaf: number;
  readonly sequence: number;
}

/** What the records of a log hold. */
export interface ReadMerkleRecords {
  readonly tree: MerkleTree;
  /** In order. */
  readonly records: RecordPlace[];
  /** Signed note over all of it; undefined where there is nothing. */
  checkpoint: string | undefined;
}

/**
 * Reads the records of a log and makes its tree. The root over everything says that all before is right: only where it does not, each record is
 * asked, so that the first bad one is named.
 * @throws HopbackError `log-inconsistent` with `leafIndex`; `storage-failed`
 */
export async function readMerkleRecords(log: SegmentLog, logId: string): Promise<ReadMerkleRecords> {
  const read = await readThrough(log, { logId, isEachAsked: false });
  if (read.checkpoint === undefined || rootOf(read.tree) === readCheckpoint(read.checkpoint)?.rootHash) return read;
  return readThrough(log, { logId, isEachAsked: true });
}

async function readThrough(
  log: SegmentLog,
  asked: { readonly logId: string; readonly isEachAsked: boolean },
): Promise<ReadMerkleRecords> {
  const read: ReadMerkleRecords = { tree: createMerkleTree(), records: [], checkpoint: undefined };
  for (let next = log.firstSequence; ;) {
    const found = await log.read(next);
    const last = found.at(-1);
    if (last === undefined) return read;
    for (const { sequence, payload } of found) {
      const firstLeaf = take(read, decodeMerkleRecord(payload), asked.logId);
      read.records.push({ firstLeaf, sequence });
      if (asked.isEachAsked) requireRoot(read, firstLeaf);
    }
    next = last.sequence + 1;
  }
}

/** @returns the first entry of the record */
function take(read: ReadMerkleRecords, record: MerkleRecord | undefined, logId: string): number {
  const { tree } = read;
  const stated = record === undefined ? undefined : readCheckpoint(record.note);
  if (record === undefined || stated === undefined) throw inconsistent(tree.size, 'holds what is no entry of this log');
  if (stated.logId !== logId) throw inconsistent(tree.size, `belongs to the log ${stated.logId}`);
  const firstLeaf = stated.size - record.entries.length;
  if (firstLeaf !== tree.size) throw inconsistent(tree.size, `has entry ${firstLeaf} in the place of another`);
  for (const entry of record.entries) tree.add(hashOfLeaf(entry));
  read.checkpoint = record.note;
  return firstLeaf;
}

function requireRoot({ tree, checkpoint = '' }: ReadMerkleRecords, firstLeaf: number): void {
  if (rootOf(tree) === readCheckpoint(checkpoint)?.rootHash) return;
  throw inconsistent(firstLeaf, 'holds other octets than were signed');
}

/** Root of all of a tree, lower-case hex. */
export function rootOf(tree: MerkleTree): string {
  return tree.root(tree.size).toString('hex');
}

/**
 * The last signature is for everything before it.
 * @throws HopbackError `log-inconsistent`
 */
export function requireSigned(
  { checkpoint, tree }: ReadMerkleRecords,
  publicKeys: CheckpointTrust['publicKeys'],
): void {
  if (checkpoint === undefined) return;
  const verdict = verifyCheckpoint(checkpoint, { publicKeys });
  if (verdict.status === 'passed') return;
  throw inconsistent(tree.size - 1, `has a checkpoint that its keys did not sign (${verdict.reason})`);
}

/**
 * The log goes as far as a checkpoint that was kept elsewhere, and was that.
 * @throws HopbackError `log-inconsistent`; `invalid-argument` when the checkpoint is none of the log
 */
export function requireHeld({ tree }: ReadMerkleRecords, note: string, trust: CheckpointTrust): void {
  const verdict = verifyCheckpoint(note, trust);
  if (verdict.status === 'failed') {
    throw new HopbackError('invalid-argument', `a held checkpoint is none of this log: ${verdict.reason}`);
  }
  const { size, rootHash } = verdict.checkpoint;
  if (size > tree.size) throw inconsistent(tree.size, `ends here, and had ${size} entries once`);
  if (tree.root(size).toString('hex') === rootHash) return;
  throw new HopbackError('log-inconsistent', `the first ${size} entries are others than a held checkpoint signs for`);
}

/** A log that is not what was signed: `log-inconsistent`, with the entry as detail. */
export function inconsistent(leafIndex: number, what: string): HopbackError {
  return new HopbackError('log-inconsistent', `the log ${what}, at entry ${leafIndex}`, { details: { leafIndex } });
}
