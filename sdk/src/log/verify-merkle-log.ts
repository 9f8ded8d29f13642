import type { KeyObject } from 'node:crypto';
import { HopbackError } from '../errors.js';
import {
  type Checkpoint,
  createMerkleTree,
  decodeMerkleRecord,
  hashOfLeaf,
  type MerkleRecord,
  type MerkleTree,
  readCheckpoint,
  verifyCheckpoint,
} from './merkle-tree.js';
import type { LogFiles } from './log-files.js';
import type { MerkleEntry } from './merkle-log.js';
import { readSegmentDirectory, type SegmentDirectory } from './log-recovery.js';

/** What is wrong with a log, and where it begins. Entries before `leafIndex` are those that were signed. */
export type MerkleLogFinding =
  /** Entries hold other octets than were signed: from `leafIndex` to `throughIndex` there is one at least. */
  | {
      readonly kind: 'edited';
      readonly leafIndex: number;
      readonly throughIndex: number;
    }
  /** Entries are gone, or their bytes are damaged, and there are others behind them. */
  | {
      readonly kind: 'deleted';
      readonly leafIndex: number;
      readonly throughIndex: number;
    }
  /** Another entry stands in the place of this one, which stands elsewhere. */
  | { readonly kind: 'swapped'; readonly leafIndex: number }
  /** Something stands in this place that was never signed, or once more what stands before. */
  | { readonly kind: 'inserted'; readonly leafIndex: number }
  /** The bytes of this entry, the last or one of the last, are damaged or gone, and those around them say that it was durable. */
  | { readonly kind: 'damaged'; readonly leafIndex: number }
  /** The log ends before this entry, and a held checkpoint signs for it. */
  | {
      readonly kind: 'cut';
      readonly leafIndex: number;
      readonly size: number;
    }
  /** The checkpoint over this entry is not signed by a key of the log, or is of another log. */
  | {
      readonly kind: 'checkpoint-forged';
      readonly leafIndex: number;
      readonly reason: string;
    }
  /** The log signs for itself and contradicts a held checkpoint: it was written anew with its own key. From where on, the checkpoints that are held tell. */
  | {
      readonly kind: 'rewritten';
      readonly leafIndex: number;
      readonly throughIndex: number;
    }
  /** Two checkpoints that were handed in sign for other entries over the same size: whoever holds the key showed two logs. */
  | {
      readonly kind: 'forked';
      readonly leafIndex: number;
      readonly size: number;
    }
  /** A checkpoint that was handed in is not signed by a key of the log, or is of another log: it says nothing. */
  | {
      readonly kind: 'held-checkpoint-invalid';
      readonly leafIndex: 0;
      readonly reason: string;
    };

/** What became of looking through a log. Hashes are SHA-256 in lower-case hex. */
export type MerkleLogVerification =
  | ((
      | { readonly status: 'intact' }
      /**
       * Every entry that can be read is as it was signed. Behind them stand bytes that are no entry: a write that a crash tore before
       * anybody was told of it, one that goes on at this moment, or an entry that was damaged since. A held checkpoint tells, and the next
       * entry that is appended clears away what a crash tore.
       */
      | {
          readonly status: 'indeterminate';
          readonly reason: 'tail-unreadable';
          /** Of the entry that those bytes would be. */
          readonly leafIndex: number;
          readonly damagedBytes: number;
        }
    ) & {
      /** As the checkpoints say; absent for an empty log. */
      readonly logId?: string;
      /** Entries, each of which is as it was signed. */
      readonly size: number;
      readonly rootHash: string;
      /** Signed note over all of them; absent for an empty log. */
      readonly checkpoint?: string;
      /** How many held checkpoints they agree with. With none, a cut tail shows nowhere. */
      readonly heldCheckpoints: number;
    })
  | {
      readonly status: 'broken';
      /** The first. Behind it nothing can be told. */
      readonly finding: MerkleLogFinding;
      /** Entries before it, which are as they were signed. */
      readonly size: number;
      /** Bytes of the files that are no records, as far as they were read. */
      readonly damagedBytes: number;
    };

/**
 * Looks through the files of a log, without changing them, and names the first bad entry: what was edited, deleted, swapped, inserted, damaged,
 * signed by somebody else, and, where a checkpoint is held, cut off or written anew. Every signature is checked: some four thousand a second.
 * @param directory - of the log
 * @param trust - its keys, and checkpoints that were kept elsewhere
 * @returns `intact`, `indeterminate` where the log was not closed and its end cannot be read, or `broken` with what was found first; never throws for what the files hold
 * @throws {@link HopbackError} `invalid-argument` without a key; `storage-failed` when the disk does not give the files
 * @see {@link MerkleLog}, RFC 9162 section 2.1
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * const log = await MerkleLog.open({ directory, logId: 'example.com/evidence', signer });
 * await log.append('first');
 * await log.close();
 * const verification = await verifyMerkleLog(directory, { publicKeys: [signer.publicKey] });
 * console.log(verification.status, verification.size); // intact 1
 * await rm(directory, { recursive: true });
 * ```
 */
export async function verifyMerkleLog(
  directory: string,
  trust: {
    /** Of the log; former ones as well. From somewhere else than its folder: whoever changes a log can change a key beside it. */
    readonly publicKeys: readonly KeyObject[];
    /** Which log it has to be; any when it is left out, but one. */
    readonly logId?: string;
    /** Checkpoints that were kept elsewhere, by a platform, a partner, in a mail. */
    readonly checkpoints?: readonly string[];
    /** Entries to look at, as many as a log had when it signed: those behind them, and a write that goes on, are left alone. Default all. */
    readonly throughSize?: number;
    /** Is shown each entry that is as it was signed, in order. */
    readonly onEntry?: (entry: MerkleEntry) => void;
    /** The file system. Default Node's. */
    readonly files?: LogFiles;
  },
): Promise<MerkleLogVerification> {
  if (trust.publicKeys.length === 0) {
    throw new HopbackError('invalid-argument', 'without a public key of the log nothing can be verified');
  }
  const segments = await readSegmentDirectory(directory, trust.files);
  const walk: Walk = {
    trust,
    tree: createMerkleTree(),
    logId: trust.logId,
    note: undefined,
    trail: [],
  };
  const walked = await walkThrough(walk, segments);
  const tail = isThrough(walk) ? NO_TAIL : await segments.tail();
  const lost: MerkleLogFinding | undefined =
    tail.lostRecords > 0 ? { kind: 'damaged', leafIndex: walk.tree.size } : undefined;
  const finding = walked ?? lost ?? heldFinding(walk);
  if (finding !== undefined) {
    const size = Math.min(walk.tree.size, finding.leafIndex);
    return { status: 'broken', finding, size, damagedBytes: segments.damagedBytes() };
  }
  const entries = signedEntries(walk);
  if (!tail.isDoubtful) return { status: 'intact', ...entries };
  const { size: leafIndex } = entries;
  const damagedBytes = segments.damagedBytes();
  return {
    status: 'indeterminate',
    reason: 'tail-unreadable',
    leafIndex,
    damagedBytes,
    ...entries,
  };
}

const NO_TAIL = { lostRecords: 0, isDoubtful: false };

const isThrough = ({ trust, tree }: Walk): boolean => tree.size >= (trust.throughSize ?? Infinity);

function signedEntries({ trust, tree, logId, note }: Walk) {
  return {
    ...(logId === undefined ? {} : { logId }),
    size: tree.size,
    rootHash: tree.root(tree.size).toString('hex'),
    ...(note === undefined ? {} : { checkpoint: note }),
    heldCheckpoints: trust.checkpoints?.length ?? 0,
  };
}

interface Walk {
  readonly trust: Parameters<typeof verifyMerkleLog>[1];
  /** Of entries that are as they were signed. */
  readonly tree: MerkleTree;
  logId: string | undefined;
  note: string | undefined;
  /** Sizes at which the log signed. */
  readonly trail: number[];
}

async function walkThrough(walk: Walk, segments: SegmentDirectory): Promise<MerkleLogFinding | undefined> {
  let at = 0;
  if (isThrough(walk)) return undefined;
  for await (const { payload } of segments.records()) {
    const record = decodeMerkleRecord(payload);
    const judged = record === undefined ? undefined : judge(walk, record);
    if (record === undefined || judged === undefined || judged.problem !== undefined) {
      return explained(walk, judged, await signedBehind(walk, segments, at));
    }
    accept(walk, record);
    if (isThrough(walk)) return undefined;
    at += 1;
  }
  return undefined;
}

interface Judged {
  readonly record: MerkleRecord;
  readonly stated: Checkpoint;
  /** Why its checkpoint is not believed. */
  readonly forged?: string;
  readonly problem?: 'forged' | 'out-of-place' | 'edited';
}

/** What a record is worth as the next one; undefined where it holds no checkpoint at all. */
function judge(walk: Walk, record: MerkleRecord): Judged | undefined {
  const { trust, logId, tree } = walk;
  const stated = readCheckpoint(record.note);
  if (stated === undefined) return undefined;
  const trusted = { publicKeys: trust.publicKeys, ...(logId === undefined ? {} : { logId }) };
  const verdict = verifyCheckpoint(record.note, trusted);
  if (verdict.status === 'failed') return { record, stated, forged: verdict.reason, problem: 'forged' };
  if (stated.size - record.entries.length !== tree.size) return { record, stated, problem: 'out-of-place' };
  return rootWith(tree, record) === stated.rootHash ? { record, stated } : { record, stated, problem: 'edited' };
}

/** Root with the entries of a record behind those of the tree, which stays as it is. */
function rootWith(tree: MerkleTree, record: MerkleRecord): string {
  const { size } = tree;
  for (const entry of record.entries) tree.add(hashOfLeaf(entry));
  const rootHash = tree.root(tree.size).toString('hex');
  tree.cutTo(size);
  return rootHash;
}

function accept(walk: Walk, { note, entries }: MerkleRecord): void {
  const { tree, trust } = walk;
  for (const octets of entries) {
    trust.onEntry?.({ leafIndex: tree.size, octets });
    tree.add(hashOfLeaf(octets));
  }
  walk.note = note;
  walk.logId ??= readCheckpoint(note)?.logId;
  walk.trail.push(tree.size);
}

/** Records behind a bad one whose checkpoints are signed, by the entry that they begin with. */
interface SignedBehind {
  readonly firstLeaves: ReadonlySet<number>;
  /** Of the entry after the last record that is good, whose place the bad one has: whether its record is there. */
  readonly hasExpected: boolean;
  /** The first behind the bad one that begins later than expected. */
  readonly next:
    | {
        readonly record: MerkleRecord;
        readonly firstLeaf: number;
        readonly rootHash: string;
      }
    | undefined;
}

async function signedBehind(walk: Walk, segments: SegmentDirectory, badAt: number): Promise<SignedBehind> {
  const { trust, logId, tree } = walk;
  const trusted = { publicKeys: trust.publicKeys, ...(logId === undefined ? {} : { logId }) };
  const firstLeaves = new Set<number>();
  let next: SignedBehind['next'];
  let at = -1;
  for await (const { payload } of segments.records()) {
    at += 1;
    if (at <= badAt) continue;
    const record = decodeMerkleRecord(payload);
    if (record === undefined) continue;
    const verdict = verifyCheckpoint(record.note, trusted);
    if (verdict.status === 'failed') continue;
    const { size, rootHash } = verdict.checkpoint;
    const firstLeaf = size - record.entries.length;
    firstLeaves.add(firstLeaf);
    if (next === undefined && firstLeaf > tree.size) next = { record, firstLeaf, rootHash };
  }
  return { firstLeaves, hasExpected: firstLeaves.has(tree.size), next };
}

function explained({ tree }: Walk, judged: Judged | undefined, behind: SignedBehind): MerkleLogFinding {
  const leafIndex = tree.size;
  const through = Math.max(leafIndex, (behind.next?.firstLeaf ?? leafIndex + 1) - 1);
  if (judged?.problem === 'edited') {
    return { kind: 'edited', leafIndex, throughIndex: leafIndex + judged.record.entries.length - 1 };
  }
  if (judged?.problem === 'out-of-place') {
    const firstLeaf = judged.stated.size - judged.record.entries.length;
    if (firstLeaf < leafIndex) return { kind: 'inserted', leafIndex };
    if (behind.hasExpected) return { kind: 'swapped', leafIndex };
    return { kind: 'deleted', leafIndex, throughIndex: firstLeaf - 1 };
  }
  // Not signed: it was put in, or it stands where another was.
  if (behind.hasExpected) return { kind: 'inserted', leafIndex };
  if (judged === undefined) return { kind: 'edited', leafIndex, throughIndex: through };
  const isAsStated = rootWith(tree, judged.record) === judged.stated.rootHash;
  const forged: MerkleLogFinding = {
    kind: 'checkpoint-forged',
    leafIndex,
    reason: judged.forged ?? 'signature-invalid',
  };
  const { next } = behind;
  if (next === undefined) return isAsStated ? forged : { kind: 'edited', leafIndex, throughIndex: through };
  return confirms(tree, judged.record, next) ? forged : { kind: 'edited', leafIndex, throughIndex: through };
}

/** Whether a signed record behind says that the entries were these, so that only the signature over them was changed. */
function confirms(tree: MerkleTree, record: MerkleRecord, next: NonNullable<SignedBehind['next']>): boolean {
  if (next.firstLeaf !== tree.size + record.entries.length) return false;
  const entries = [...record.entries, ...next.record.entries];
  return rootWith(tree, { note: '', entries }) === next.rootHash;
}

function heldFinding({ trust, tree, logId, trail }: Walk): MerkleLogFinding | undefined {
  const held: Checkpoint[] = [];
  for (const note of trust.checkpoints ?? []) {
    const verdict = verifyCheckpoint(note, {
      publicKeys: trust.publicKeys,
      ...(logId === undefined ? {} : { logId }),
    });
    if (verdict.status === 'failed') return { kind: 'held-checkpoint-invalid', leafIndex: 0, reason: verdict.reason };
    held.push(verdict.checkpoint);
  }
  const sorted = held.toSorted((a, b) => a.size - b.size);
  let agreed = 0;
  for (const [index, { size, rootHash }] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next?.size === size && next.rootHash !== rootHash) return { kind: 'forked', leafIndex: agreed, size };
    if (size > tree.size) return { kind: 'cut', leafIndex: tree.size, size };
    if (tree.root(size).toString('hex') !== rootHash) {
      const throughIndex = trail.find((signedSize) => signedSize >= size) ?? size;
      return { kind: 'rewritten', leafIndex: agreed, throughIndex: Math.min(throughIndex, size) - 1 };
    }
    agreed = size;
  }
  return undefined;
}
