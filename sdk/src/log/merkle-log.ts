import { HopbackError } from '../errors.js';
import { requireLogId, signCheckpoint, type LogSigner } from './checkpoint.js';
import { hashOfLeaf } from './merkle-hash.js';
import {
  ENTRY_BYTES,
  WAITING_ENTRIES,
  type MerkleAppended,
  type MerkleEntry,
  type MerkleLog,
  type MerkleLogOptions,
  type ProvedEntry,
} from './merkle-log-contract.js';
import { octetsOf, type ConsistencyProof, type InclusionProof } from './merkle-proof.js';
import {
  inconsistent,
  readMerkleRecords,
  readSignedRecords,
  requireHeld,
  requireSigned,
  rootOf,
  type ReadMerkleRecords,
  type RecordPlace,
} from './merkle-opening.js';
import { decodeMerkleRecord, encodeMerkleRecord, RECORD_ENTRIES } from './merkle-record.js';
import type { MerkleTree } from './merkle-tree.js';
import { openSegmentLog, RECORD_BYTES, type SegmentLog } from './segment-log.js';

export type * from './merkle-log-contract.js';
export { ENTRY_BYTES } from './merkle-log-contract.js';

/** Octets of entries that are signed for and synced at once: what is left of a record is for the note and the lengths. */
const BATCH_BYTES: number = RECORD_BYTES / 2;

/**
 * Opens a log whose keeper cannot change it unnoticed: entries in a Merkle tree as in RFC 9162, on the segments of {@link openSegmentLog},
 * with a signed checkpoint over everything after each entry, or after those that came in at once. Opening reads all of it and makes the
 * tree anew: some three seconds of a processor for a million entries, which then take 64 bytes of memory each.
 * @param options - where, its name, and who signs for it
 * @returns the log
 * @throws {@link HopbackError} `log-inconsistent` when what is there is not what was signed, with `leafIndex` of the first bad entry in its
 * details ({@link verifyMerkleLog} says more), or when it does not go as far as a held checkpoint; `invalid-argument`;
 * `storage-failed` when the disk refuses
 * @see RFC 9162 section 2.1, c2sp.org/tlog-checkpoint
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * const log = await openMerkleLog({ directory, logId: 'example.com/evidence', signer });
 * await log.append('first');
 * const { leafIndex, checkpoint } = await log.append('second');
 * const verdict = verifyCheckpoint(checkpoint, { publicKeys: [signer.publicKey] });
 * if (verdict.status === 'passed') {
 *   const against = { leafHash: merkleLeafHash('second'), rootHash: verdict.checkpoint.rootHash };
 *   console.log(leafIndex, verifyInclusion(log.inclusionProof(leafIndex), against)); // 1 true
 * }
 * await log.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function openMerkleLog(options: MerkleLogOptions): Promise<MerkleLog> {
  const { logId, signer, formerPublicKeys = [], heldCheckpoints = [], onCheckpoint, ...rest } = options;
  requireLogId(logId);
  const log = await openSegmentLog({ ...rest, maxRecordBytes: RECORD_BYTES });
  try {
    const read = await readMerkleRecords(log, logId);
    // Whoever signs on would sign for another entry in its place.
    if (log.state().lost.records > 0) throw inconsistent(read.tree.size, 'lost an entry that was durable');
    const publicKeys = [signer.publicKey, ...formerPublicKeys];
    requireSigned(read, publicKeys);
    for (const held of heldCheckpoints) requireHeld(read, held, { publicKeys, logId });
    return logOf(createCore({ logId, signer, onCheckpoint, isDamaged: false, log, read }));
  } catch (error) {
    await log.close().catch(() => undefined);
    throw error;
  }
}

/**
 * Opens what a damaged log still proves: its entries from the first to the last checkpoint that is signed and fits them. They can be read and
 * proved, and `append` rejects with `log-inconsistent`. Opening takes as long as {@link openMerkleLog}, and some thousand signatures at most.
 * @param options - as for {@link openMerkleLog}, without held checkpoints: compare them with `rootHash`
 * @returns the log; its `size` is the place of the first entry that is missing or was changed
 * @throws {@link HopbackError} `invalid-argument`; `storage-failed` when the disk refuses
 * @see {@link verifyMerkleLog}, which says what happened to the files
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * const log = await openSignedPart({ directory, logId: 'example.com/evidence', signer });
 * console.log(log.size); // 0
 * await log.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function openSignedPart(
  options: Omit<MerkleLogOptions, 'heldCheckpoints' | 'onCheckpoint'>,
): Promise<MerkleLog> {
  const { logId, signer, formerPublicKeys = [], ...rest } = options;
  requireLogId(logId);
  const log = await openSegmentLog({ ...rest, maxRecordBytes: RECORD_BYTES });
  try {
    const read = await readSignedRecords(log, { logId, publicKeys: [signer.publicKey, ...formerPublicKeys] });
    return logOf(createCore({ logId, signer, onCheckpoint: undefined, isDamaged: true, log, read }));
  } catch (error) {
    await log.close().catch(() => undefined);
    throw error;
  }
}

function createCore({
  read,
  ...given
}: Pick<MerkleCore, 'logId' | 'signer' | 'onCheckpoint' | 'isDamaged' | 'log'> & {
  readonly read: ReadMerkleRecords;
}): MerkleCore {
  return {
    ...given,
    tree: read.tree,
    records: read.records,
    waiting: [],
    size: read.tree.size,
    checkpoint: read.checkpoint,
    running: undefined,
    unsettled: undefined,
    isClosed: false,
  };
}

interface MerkleCore {
  readonly logId: string;
  readonly signer: LogSigner;
  readonly onCheckpoint: ((note: string) => void) | undefined;
  /** Only what is signed was read: nothing can follow it. */
  readonly isDamaged: boolean;
  readonly log: SegmentLog;
  readonly tree: MerkleTree;
  /** In order: which entry each record begins with. */
  readonly records: RecordPlace[];
  readonly waiting: Waiting[];
  /** Durable entries. */
  size: number;
  /** Over them. */
  checkpoint: string | undefined;
  running: Promise<void> | undefined;
  /** A record that the disk refused and that becomes durable when it takes it: nothing else is written before. */
  unsettled: Batch | undefined;
  isClosed: boolean;
}

interface Waiting {
  readonly entry: Uint8Array;
  readonly resolve: (appended: MerkleAppended) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly firstLeaf: number;
  readonly size: number;
  readonly sequence: number;
  readonly note: string;
}

function logOf(core: MerkleCore): MerkleLog {
  return {
    logId: core.logId,
    get size() {
      return core.size;
    },
    get checkpoint() {
      return core.checkpoint;
    },
    append: (entry) => append(core, entry),
    read: (fromIndex, options) => read(core, fromIndex, options?.maxEntries),
    leafHash: (leafIndex) => core.tree.leafHash(entryIn(leafIndex, core.size)).toString('hex'),
    rootHash: (size = core.size) => core.tree.root(within(core, 'size', size)).toString('hex'),
    inclusionProof: (leafIndex, size = core.size) => inclusionProof(core, leafIndex, size),
    consistencyProof: (fromSize, toSize = core.size) => consistencyProof(core, fromSize, toSize),
    prove: (leafIndex) => prove(core, leafIndex),
    checkpointOver: (leafIndex) => checkpointOver(core, leafIndex),
    state: () => core.log.state(),
    close: () => close(core),
    [Symbol.asyncDispose]: () => close(core),
  };
}

function append(core: MerkleCore, entry: Uint8Array | string): Promise<MerkleAppended> {
  // Copied: it may be changed before its turn.
  const octets = Uint8Array.from(octetsOf(entry));
  return new Promise((resolve, reject) => {
    if (core.isClosed) throw closedError();
    if (core.isDamaged) throw inconsistent(core.size, 'is damaged and takes no entry');
    if (octets.length > ENTRY_BYTES) {
      throw new HopbackError('invalid-argument', `an entry has ${ENTRY_BYTES} octets at most, not ${octets.length}`);
    }
    if (core.waiting.length >= WAITING_ENTRIES) {
      throw new HopbackError('storage-failed', `${WAITING_ENTRIES} entries wait for the log already`, {
        retryable: true,
      });
    }
    core.waiting.push({ entry: octets, resolve, reject });
    core.running ??= run(core);
  });
}

async function run(core: MerkleCore): Promise<void> {
  while (core.waiting.length > 0) {
    // What comes in within a turn of the event loop is one record, with one signature and one sync.
    await Promise.resolve();
    const taken = takeBatch(core);
    try {
      if (core.unsettled !== undefined) await settle(core, core.unsettled);
      const batch = await write(core, taken);
      await settle(core, batch);
      for (const [at, { resolve }] of taken.entries()) {
        resolve({ leafIndex: batch.firstLeaf + at, checkpoint: batch.note });
      }
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  }
  // At once, so that what comes in now begins anew.
  core.running = undefined;
}

function takeBatch({ waiting }: MerkleCore): Waiting[] {
  let [count, octets] = [0, 0];
  for (const { entry } of waiting) {
    if (count > 0 && (count >= RECORD_ENTRIES || octets + entry.length > BATCH_BYTES)) break;
    count += 1;
    octets += entry.length;
  }
  return waiting.splice(0, count);
}

/** Signs for entries and hands them to the disk; the tree is as before when either is refused. */
async function write(core: MerkleCore, taken: readonly Waiting[]): Promise<Batch> {
  const { tree, log, logId } = core;
  const firstLeaf = tree.size;
  try {
    for (const { entry } of taken) tree.add(hashOfLeaf(entry));
    const { size } = tree;
    const note = await signCheckpoint({ logId, size, rootHash: rootOf(tree) }, core.signer);
    const appended = log.append(encodeMerkleRecord({ note, entries: taken.map(({ entry }) => entry) }));
    if (!appended.accepted) throw refusedError(appended.reason);
    const batch = { firstLeaf, size, sequence: appended.sequence, note };
    core.unsettled = batch;
    return batch;
  } catch (error) {
    tree.cutTo(firstLeaf);
    throw error;
  }
}

/** Waits until a record is durable, from when on its entries count. */
async function settle(core: MerkleCore, batch: Batch): Promise<void> {
  await core.log.flush();
  core.unsettled = undefined;
  core.records.push({ firstLeaf: batch.firstLeaf, sequence: batch.sequence });
  core.size = batch.size;
  core.checkpoint = batch.note;
  try {
    core.onCheckpoint?.(batch.note);
  } catch {
    // A mistake of the listener's is no reason to refuse entries.
  }
}

function refusedError(reason: string): HopbackError {
  if (reason === 'closed') return closedError();
  return new HopbackError('storage-failed', `the log takes no entry: ${reason}`, {
    retryable: true,
    details: { reason },
  });
}

function closedError(): HopbackError {
  return new HopbackError('closed', 'the log is closed');
}

async function read(core: MerkleCore, from: number, maxEntries = RECORD_ENTRIES): Promise<readonly MerkleEntry[]> {
  if (core.isClosed) throw closedError();
  within(core, 'fromIndex', from);
  const found: MerkleEntry[] = [];
  for (let at = recordHolding(core, from); at < core.records.length && found.length < maxEntries;) {
    const wanted = core.records.slice(at, at + maxEntries - found.length);
    const stored = await core.log.read(wanted[0]?.sequence ?? 0, { maxRecords: wanted.length });
    if (stored.length === 0) throw changedError(wanted[0]?.firstLeaf ?? 0);
    for (const [offset, { sequence, payload }] of stored.entries()) {
      const { firstLeaf, sequence: expected } = wanted[offset] ?? { firstLeaf: 0, sequence: 0 };
      if (sequence !== expected) throw changedError(firstLeaf);
      for (const entry of entriesOf(core, firstLeaf, payload)) {
        if (entry.leafIndex >= from && found.length < maxEntries) found.push(entry);
      }
    }
    at += stored.length;
  }
  return found;
}

/** Entries of a record, each held against its hash. */
function entriesOf({ tree }: MerkleCore, firstLeaf: number, payload: Uint8Array): MerkleEntry[] {
  const record = decodeMerkleRecord(payload);
  if (record === undefined) throw changedError(firstLeaf);
  return record.entries.map((octets, offset) => {
    const leafIndex = firstLeaf + offset;
    if (!hashOfLeaf(octets).equals(tree.leafHash(leafIndex))) throw changedError(leafIndex);
    return { leafIndex, octets: Uint8Array.from(octets) };
  });
}

function changedError(leafIndex: number): HopbackError {
  return inconsistent(leafIndex, 'was changed while it was open');
}

/** Place of the record that has an entry. */
function recordHolding({ records }: MerkleCore, leafIndex: number): number {
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle]?.firstLeaf ?? 0) <= leafIndex) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

function within(core: MerkleCore, name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= core.size) return value;
  throw new HopbackError('invalid-argument', `${name} must be an integer from 0 to ${core.size}, not ${value}`);
}

function inclusionProof(core: MerkleCore, leafIndex: number, size: number): InclusionProof {
  within(core, 'size', size);
  return { leafIndex, size, hashes: core.tree.inclusion(entryIn(leafIndex, size), size).map(hexOf) };
}

function entryIn(leafIndex: number, size: number): number {
  if (Number.isSafeInteger(leafIndex) && leafIndex >= 0 && leafIndex < size) return leafIndex;
  throw new HopbackError('invalid-argument', `there is no entry ${leafIndex} among ${size}`);
}

function consistencyProof(core: MerkleCore, fromSize: number, toSize: number): ConsistencyProof {
  within(core, 'toSize', toSize);
  within(core, 'fromSize', fromSize);
  if (fromSize > toSize) throw new HopbackError('invalid-argument', `${fromSize} entries are more than ${toSize}`);
  return { fromSize, toSize, hashes: core.tree.consistency(fromSize, toSize).map(hexOf) };
}

function hexOf(hash: Buffer): string {
  return hash.toString('hex');
}

async function prove(core: MerkleCore, leafIndex: number): Promise<ProvedEntry> {
  // Both before anything is waited for: a proof is for the checkpoint beside it.
  const { checkpoint } = core;
  const inclusion = inclusionProof(core, leafIndex, core.size);
  const [entry] = await read(core, leafIndex, 1);
  if (entry === undefined || checkpoint === undefined) throw inconsistent(leafIndex, 'lost an entry');
  return { octets: entry.octets, inclusion, checkpoint };
}

async function checkpointOver(core: MerkleCore, leafIndex: number): Promise<string> {
  if (core.isClosed) throw closedError();
  inclusionProof(core, leafIndex, core.size);
  const sequence = core.records[recordHolding(core, leafIndex)]?.sequence ?? 0;
  const [stored] = await core.log.read(sequence, { maxRecords: 1 });
  const record = stored?.sequence === sequence ? decodeMerkleRecord(stored.payload) : undefined;
  if (record === undefined) throw changedError(leafIndex);
  return record.note;
}

async function close(core: MerkleCore): Promise<void> {
  core.isClosed = true;
  await core.running;
  await core.log.close();
}
