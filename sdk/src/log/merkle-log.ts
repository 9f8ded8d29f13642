import type { KeyObject } from 'node:crypto';
import { attempt } from '../core/runtime/deadline.js';
import { HopbackError } from '../errors.js';
import {
  createMerkleTree,
  decodeMerkleRecord,
  encodeMerkleRecord,
  hashOfLeaf,
  octetsOf,
  readCheckpoint,
  RECORD_ENTRIES,
  requireLogId,
  signCheckpoint,
  verifyCheckpoint,
} from './merkle-tree.js';
import type {
  CheckpointTrust,
  ConsistencyProof,
  InclusionProof,
  LogSigner,
  MerkleRecord,
  MerkleTree,
} from './merkle-tree.js';
import { RECORD_BYTES, SegmentLog } from './segment-log.js';
import type { SegmentLogOptions, SegmentLogState } from './segment-log.js';

/** How a Merkle log is opened. */
export interface MerkleLogOptions extends Pick<
  SegmentLogOptions,
  'directory' | 'segmentBytes' | 'files' | 'clock' | 'schedule'
> {
  /** Name of the log, which no other has and which stands in its checkpoints: `example.com/evidence`. 1 to 256 characters. */
  readonly logId: string;
  readonly signer: LogSigner;
  /** Keys that signed for the log before the signer of now. */
  readonly formerPublicKeys?: readonly KeyObject[];
  /** Checkpoints that were kept elsewhere: the log has to go at least so far, and to have been that. */
  readonly heldCheckpoints?: readonly string[];
  /** Is told of each new checkpoint, so that it can be sent elsewhere: one that never leaves the machine shows no cut tail. */
  readonly onCheckpoint?: (note: string) => void;
}

/** An entry as it was appended. */
export interface MerkleEntry {
  readonly leafIndex: number;
  readonly octets: Uint8Array;
}

/** An entry with all that a stranger needs to see that it is in the log. */
export interface ProvedEntry {
  readonly octets: Uint8Array;
  readonly inclusion: InclusionProof;
  /** Signed note over the tree that the proof is for. */
  readonly checkpoint: string;
}

/** Longest entry, octets: evidence and audit entries are hashes and references. */
export const ENTRY_BYTES: number = 64 * 1_024;
/** Entries that may wait for the disk: some seconds of a busy audit. */
const WAITING_ENTRIES = 10_000;

/** Octets of entries that are signed for and synced at once: what is left of a record is for the note and the lengths. */
const BATCH_BYTES: number = RECORD_BYTES / 2;

/**
 * A log whose keeper cannot change it unnoticed: entries in a Merkle tree as in RFC 9162, on the segments of a {@link SegmentLog}, with a
 * signed checkpoint over everything after each entry, or after those that came in at once. Hashes are SHA-256 in lower-case hex.
 * @see RFC 9162 section 2.1, c2sp.org/tlog-checkpoint
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * const log = await MerkleLog.open({ directory, logId: 'example.com/evidence', signer });
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
export class MerkleLog implements AsyncDisposable {
  readonly logId: string;
  readonly #signer: LogSigner;
  readonly #onCheckpoint: MerkleLogOptions['onCheckpoint'];
  /** Only what is signed was read: nothing can follow it. */
  readonly #isDamaged: boolean;
  readonly #log: SegmentLog;
  readonly #tree: MerkleTree;
  /** In order: which entry each record begins with. */
  readonly #records: RecordPlace[];
  readonly #waiting: Waiting[] = [];
  /** Durable entries. */
  #size: number;
  /** Over them. */
  #checkpoint: string | undefined;
  #running: Promise<void> | undefined;
  /** A record that the disk refused and that becomes durable when it takes it: nothing else is written before. */
  #unsettled: Batch | undefined;
  #isClosed = false;

  /**
   * Opens a log: reads all of it and makes the tree anew, some three seconds of a processor for a million entries, which then take 64 bytes
   * of memory each.
   * @param options - where, its name, and who signs for it
   * @returns the log
   * @throws {@link HopbackError} `log-inconsistent` when what is there is not what was signed, with `leafIndex` of the first bad entry in
   * its details ({@link verifyMerkleLog} says more), or when it does not go as far as a held checkpoint; `invalid-argument`;
   * `storage-failed` when the disk refuses
   */
  static open(options: MerkleLogOptions): Promise<MerkleLog> {
    const { logId, signer, formerPublicKeys = [], heldCheckpoints = [] } = options;
    return MerkleLog.#opened(options, false, async (log) => {
      const read = await readMerkleRecords(log, logId);
      // The next signature would cover another entry in its place.
      if (log.state().lost.records > 0) throw inconsistent(read.tree.size, 'lost an entry that was durable');
      const publicKeys = [signer.publicKey, ...formerPublicKeys];
      requireSigned(read, publicKeys);
      for (const held of heldCheckpoints) requireHeld(read, held, { publicKeys, logId });
      return read;
    });
  }

  /**
   * Opens what a damaged log still proves: its entries from the first to the last checkpoint that is signed and fits them. They can be read
   * and proved, and `append` rejects with `log-inconsistent`. Opening takes as long as that of a whole one, and some thousand signatures at
   * most.
   * @param options - as for `open`, without held checkpoints: compare them with `rootHash`
   * @returns the log; its `size` is the place of the first entry that is missing or was changed
   * @throws {@link HopbackError} `invalid-argument`; `storage-failed` when the disk refuses
   * @see {@link verifyMerkleLog}, which says what happened to the files
   */
  static openSignedPart(options: Omit<MerkleLogOptions, 'heldCheckpoints' | 'onCheckpoint'>): Promise<MerkleLog> {
    const { logId, signer, formerPublicKeys = [] } = options;
    const trust = { logId, publicKeys: [signer.publicKey, ...formerPublicKeys] };
    return MerkleLog.#opened(options, true, (log) => readSignedRecords(log, trust));
  }

  static async #opened(
    options: MerkleLogOptions,
    isDamaged: boolean,
    readRecords: (log: SegmentLog) => Promise<ReadMerkleRecords>,
  ): Promise<MerkleLog> {
    requireLogId(options.logId);
    const log = await SegmentLog.open({ ...options, maxRecordBytes: RECORD_BYTES });
    try {
      return new MerkleLog(options, isDamaged, log, await readRecords(log));
    } catch (error) {
      await log.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(
    { logId, signer, onCheckpoint }: MerkleLogOptions,
    isDamaged: boolean,
    log: SegmentLog,
    { tree, records, checkpoint }: ReadMerkleRecords,
  ) {
    this.logId = logId;
    this.#signer = signer;
    this.#onCheckpoint = onCheckpoint;
    this.#isDamaged = isDamaged;
    this.#log = log;
    this.#tree = tree;
    this.#records = records;
    this.#size = tree.size;
    this.#checkpoint = checkpoint;
  }

  /** Entries that count. */
  get size(): number {
    return this.#size;
  }

  /** The newest signed checkpoint; absent while there is no entry. */
  get checkpoint(): string | undefined {
    return this.#checkpoint;
  }

  /**
   * Appends an entry. Those that are appended at the same time are signed for and synced together.
   * @param entry - at most 65,536 octets; text becomes UTF-8. No personal data: it stays forever
   * @returns once it is durable
   * @throws {@link HopbackError} `signer-failed`: it is not in the log; `storage-failed` (retryable): it may come to be in the log
   * nevertheless when the disk takes it later, so that who tries again may have it there twice; `invalid-argument`; `closed`
   */
  append(entry: Uint8Array | string): Promise<{
    /** Its place, from 0. */
    readonly leafIndex: number;
    /** Signed note over everything up to it, or up to some that were appended at the same time. */
    readonly checkpoint: string;
  }> {
    // Copied: it may be changed before its turn.
    const octets = Uint8Array.from(octetsOf(entry));
    return new Promise((resolve, reject) => {
      this.#requireOpen();
      if (this.#isDamaged) throw inconsistent(this.#size, 'is damaged and takes no entry');
      if (octets.length > ENTRY_BYTES) {
        throw new HopbackError('invalid-argument', `an entry has ${ENTRY_BYTES} octets at most, not ${octets.length}`);
      }
      if (this.#waiting.length >= WAITING_ENTRIES) {
        throw new HopbackError('storage-failed', `${WAITING_ENTRIES} entries wait for the log already`, {
          retryable: true,
        });
      }
      this.#waiting.push({ entry: octets, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /**
   * Reads entries in order, each held against its hash.
   * @param fromIndex - 0 to `size`
   * @throws {@link HopbackError} `log-inconsistent` when somebody has changed the files since; `storage-failed`; `invalid-argument`; `closed`
   */
  async read(fromIndex: number, options: { readonly maxEntries?: number } = {}): Promise<readonly MerkleEntry[]> {
    this.#requireOpen();
    this.#within('fromIndex', fromIndex);
    const { maxEntries = RECORD_ENTRIES } = options;
    const records = this.#records;
    const found: MerkleEntry[] = [];
    for (let at = recordHolding(records, fromIndex); at < records.length && found.length < maxEntries;) {
      const wanted = records.slice(at, at + maxEntries - found.length);
      const stored = await this.#log.read(wanted[0]?.sequence ?? 0, { maxRecords: wanted.length });
      if (stored.length === 0) throw changedError(wanted[0]?.firstLeaf ?? 0);
      for (const [offset, { sequence, payload }] of stored.entries()) {
        const { firstLeaf, sequence: expected } = wanted[offset] ?? { firstLeaf: 0, sequence: 0 };
        if (sequence !== expected) throw changedError(firstLeaf);
        for (const entry of this.#entriesOf(firstLeaf, payload)) {
          if (entry.leafIndex >= fromIndex && found.length < maxEntries) found.push(entry);
        }
      }
      at += stored.length;
    }
    return found;
  }

  /** Hash of an entry, from memory. RFC 9162 section 2.1.1. @throws {@link HopbackError} `invalid-argument` for an entry that is not there */
  leafHash(leafIndex: number): string {
    return hexOf(this.#tree.leafHash(entryIn(leafIndex, this.#size)));
  }

  /** Root of the first entries. @throws {@link HopbackError} `invalid-argument` for more than there are */
  rootHash(size: number = this.#size): string {
    return hexOf(this.#tree.root(this.#within('size', size)));
  }

  /** @throws {@link HopbackError} `invalid-argument` for an entry that is not there */
  inclusionProof(leafIndex: number, size: number = this.#size): InclusionProof {
    this.#within('size', size);
    return { leafIndex, size, hashes: this.#tree.inclusion(entryIn(leafIndex, size), size).map(hexOf) };
  }

  /** @throws {@link HopbackError} `invalid-argument` for more entries than there are */
  consistencyProof(fromSize: number, toSize: number = this.#size): ConsistencyProof {
    this.#within('toSize', toSize);
    this.#within('fromSize', fromSize);
    if (fromSize > toSize) throw new HopbackError('invalid-argument', `${fromSize} entries are more than ${toSize}`);
    return { fromSize, toSize, hashes: this.#tree.consistency(fromSize, toSize).map(hexOf) };
  }

  /** An entry with its proof and the newest checkpoint. @throws {@link HopbackError} as `read` */
  async prove(leafIndex: number): Promise<ProvedEntry> {
    // Both before anything is waited for: a proof is for the checkpoint beside it.
    const checkpoint = this.#checkpoint;
    const inclusion = this.inclusionProof(leafIndex);
    const [entry] = await this.read(leafIndex, { maxEntries: 1 });
    if (entry === undefined || checkpoint === undefined) throw inconsistent(leafIndex, 'lost an entry');
    return { octets: entry.octets, inclusion, checkpoint };
  }

  /** The checkpoint that was signed when an entry was appended. @throws {@link HopbackError} as `read` */
  async checkpointOver(leafIndex: number): Promise<string> {
    this.#requireOpen();
    entryIn(leafIndex, this.#size);
    const sequence = this.#records[recordHolding(this.#records, leafIndex)]?.sequence ?? 0;
    const [stored] = await this.#log.read(sequence, { maxRecords: 1 });
    const record = stored?.sequence === sequence ? decodeMerkleRecord(stored.payload) : undefined;
    if (record === undefined) throw changedError(leafIndex);
    return record.note;
  }

  /** Of the segments below. Never throws. */
  state(): SegmentLogState {
    return this.#log.state();
  }

  /** Waits for entries that were appended, and closes the files. May be called again. @throws {@link HopbackError} `storage-failed` */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    await this.#log.close();
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw closedError();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // What comes in within a turn of the event loop is one record, with one signature and one sync.
      await Promise.resolve();
      const taken = this.#takeBatch();
      try {
        if (this.#unsettled !== undefined) await this.#settle(this.#unsettled);
        const batch = await this.#write(taken);
        await this.#settle(batch);
        for (const [at, { resolve }] of taken.entries()) {
          resolve({ leafIndex: batch.firstLeaf + at, checkpoint: batch.note });
        }
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
    }
    // At once, so that what comes in now begins anew.
    this.#running = undefined;
  }

  #takeBatch(): Waiting[] {
    let [count, octets] = [0, 0];
    for (const { entry } of this.#waiting) {
      if (count > 0 && (count >= RECORD_ENTRIES || octets + entry.length > BATCH_BYTES)) break;
      count += 1;
      octets += entry.length;
    }
    return this.#waiting.splice(0, count);
  }

  /** Signs for entries and hands them to the disk; the tree is as before when either is refused. */
  async #write(taken: readonly Waiting[]): Promise<Batch> {
    const tree = this.#tree;
    const firstLeaf = tree.size;
    try {
      for (const { entry } of taken) tree.add(hashOfLeaf(entry));
      const { size } = tree;
      const note = await signCheckpoint({ logId: this.logId, size, rootHash: rootOf(tree) }, this.#signer);
      const appended = this.#log.append(encodeMerkleRecord({ note, entries: taken.map(({ entry }) => entry) }));
      if (!appended.accepted) throw refusedError(appended.reason);
      const batch = { firstLeaf, size, sequence: appended.sequence, note };
      this.#unsettled = batch;
      return batch;
    } catch (error) {
      tree.cutTo(firstLeaf);
      throw error;
    }
  }

  /** Waits until a record is durable, from when on its entries count. */
  async #settle({ firstLeaf, size, sequence, note }: Batch): Promise<void> {
    await this.#log.flush();
    this.#unsettled = undefined;
    this.#records.push({ firstLeaf, sequence });
    this.#size = size;
    this.#checkpoint = note;
    // A mistake of the listener's is no reason to refuse entries.
    attempt(() => this.#onCheckpoint?.(note));
  }

  /** Entries of a record, each held against its hash. */
  #entriesOf(firstLeaf: number, payload: Uint8Array): MerkleEntry[] {
    const record = decodeMerkleRecord(payload);
    if (record === undefined) throw changedError(firstLeaf);
    return record.entries.map((octets, offset) => {
      const leafIndex = firstLeaf + offset;
      if (!hashOfLeaf(octets).equals(this.#tree.leafHash(leafIndex))) throw changedError(leafIndex);
      return { leafIndex, octets: Uint8Array.from(octets) };
    });
  }

  #within(name: string, value: number): number {
    if (Number.isSafeInteger(value) && value >= 0 && value <= this.#size) return value;
    throw new HopbackError('invalid-argument', `${name} must be an integer from 0 to ${this.#size}, not ${value}`);
  }
}

interface Waiting {
  readonly entry: Uint8Array;
  readonly resolve: (appended: Awaited<ReturnType<MerkleLog['append']>>) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly firstLeaf: number;
  readonly size: number;
  readonly sequence: number;
  readonly note: string;
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

function changedError(leafIndex: number): HopbackError {
  return inconsistent(leafIndex, 'was changed while it was open');
}

/** Place of the record that has an entry. */
function recordHolding(records: readonly RecordPlace[], leafIndex: number): number {
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle]?.firstLeaf ?? 0) <= leafIndex) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

function entryIn(leafIndex: number, size: number): number {
  if (Number.isSafeInteger(leafIndex) && leafIndex >= 0 && leafIndex < size) return leafIndex;
  throw new HopbackError('invalid-argument', `there is no entry ${leafIndex} among ${size}`);
}

function hexOf(hash: Buffer): string {
  return hash.toString('hex');
}

/** Which entry a record begins with. */
interface RecordPlace {
  readonly firstLeaf: number;
  readonly sequence: number;
}

/** What the records of a log hold. */
interface ReadMerkleRecords {
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
async function readMerkleRecords(log: SegmentLog, logId: string): Promise<ReadMerkleRecords> {
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
async function readSignedRecords(log: SegmentLog, trust: Required<CheckpointTrust>): Promise<ReadMerkleRecords> {
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
  if (record === undefined || stated === undefined)
    throw inconsistent(tree.size, 'holds a record that is not an entry of this log');
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
function rootOf(tree: MerkleTree): string {
  return tree.root(tree.size).toString('hex');
}

/**
 * The last signature is for everything before it.
 * @throws HopbackError `log-inconsistent`
 */
function requireSigned({ checkpoint, tree }: ReadMerkleRecords, publicKeys: CheckpointTrust['publicKeys']): void {
  if (checkpoint === undefined) return;
  const verdict = verifyCheckpoint(checkpoint, { publicKeys });
  if (verdict.status === 'passed') return;
  throw inconsistent(tree.size - 1, `has a checkpoint that its keys did not sign (${verdict.reason})`);
}

/**
 * The log goes as far as a checkpoint that was kept elsewhere, and was that.
 * @throws HopbackError `log-inconsistent`; `invalid-argument` when the checkpoint is none of the log
 */
function requireHeld({ tree }: ReadMerkleRecords, note: string, trust: CheckpointTrust): void {
  const verdict = verifyCheckpoint(note, trust);
  if (verdict.status === 'failed') {
    throw new HopbackError('invalid-argument', `a held checkpoint does not belong to this log: ${verdict.reason}`);
  }
  const { size, rootHash } = verdict.checkpoint;
  if (size > tree.size) throw inconsistent(tree.size, `ends here, and had ${size} entries once`);
  if (tree.root(size).toString('hex') === rootHash) return;
  throw new HopbackError('log-inconsistent', `the first ${size} entries differ from those of a held checkpoint`);
}

/** A log that is not what was signed: `log-inconsistent`, with the entry as detail. */
function inconsistent(leafIndex: number, what: string): HopbackError {
  return new HopbackError('log-inconsistent', `the log ${what}, at entry ${leafIndex}`, { details: { leafIndex } });
}
