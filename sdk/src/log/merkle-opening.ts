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

/** Records whose signatures are checked one by one, from the end; those before are searched by halving. */
const CHECKED_FROM_END = 4_096;

/**
 * Reads the longest part of a damaged log that a signed checkpoint of its own covers. Never throws for what the files hold.
 * @throws HopbackError `storage-failed`
 */
export async function readSignedRecords(log: SegmentLog, trust: Required<CheckpointTrust>): Promise<ReadMerkleRecords> {
  const read: ReadMerkleRecords = { tree: createMerkleTree(), records: [], checkpoint: undefined };
  const notes: { readonly note: string; readonly size: number }[] = [];
  reading: for (let next = log.firstSequence; ;) {
    const found = await log.read(next);
    const last = found.at(-1);
    if (last === undefined) break;
    for (const { sequence, payload } of found) {
      const record = decodeMerkleRecord(payload);
      const stated = record === undefined ? undefined : readCheckpoint(record.note);
      if (record === undefined || stated?.size !== read.tree.size + record.entries.length) break reading;
      read.records.push({ firstLeaf: read.tree.size, sequence });
      for (const entry of record.entries) read.tree.add(hashOfLeaf(entry));
      notes.push({ note: record.note, size: read.tree.size });
    }
    next = last.sequence + 1;
  }
  const signed = signedRecords(notes, ({ note, size }) => {
    const verdict = verifyCheckpoint(note, trust);
    return verdict.status === 'passed' && verdict.checkpoint.rootHash === read.tree.root(size).toString('hex');
  });
  read.records.length = signed;
  read.tree.cutTo(notes[signed - 1]?.size ?? 0);
  read.checkpoint = notes[signed - 1]?.note;
  return read;
}

/** How many records the last good checkpoint covers. Halving may miss one behind a forged note, never count a bad entry. */
function signedRecords<Note>(notes: readonly Note[], isGood: (note: Note) => boolean): number {
  const last = Math.max(0, notes.length - CHECKED_FROM_END);
  for (let at = notes.length; at > last; at -= 1) if (isGood(notes[at - 1] as Note)) return at;
  let [low, high] = [0, last];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isGood(notes[middle - 1] as Note)) low = middle;
    else high = middle - 1;
  }
  return low;
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
