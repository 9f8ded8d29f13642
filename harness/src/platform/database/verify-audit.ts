import type { KeyObject } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import {
  merkleLeafHash,
  verifyCheckpoint,
  verifyMerkleLog,
  type MerkleEntry,
  type MerkleLog,
  type MerkleLogFinding,
  type MerkleLogVerification,
} from '@hopback/sdk/log';
import type { AuditRow } from './audit-rows.js';
import { auditLeafText, heldCheckpoint, positionOfLeaf } from './audit-rows.js';
import {
  firstRowLeaf,
  logIdOfNote,
  readLink,
  segmentFolders,
  type AuditSegment,
  type SegmentFolder,
  type SegmentLink,
} from './audit-segments.js';
import type { OpenedDatabase } from './open-database.js';

/** Findings that are named; the rest is counted. */
export const AUDIT_FINDINGS = 1_000;
/** Rows that are read at once. */
const READ_ROWS = 2_000;
/** Entries at the end of a segment that are checked when a platform starts, and at intervals: some milliseconds of work. */
const TAIL_ENTRIES = 1_000;

/** Something that is not as it was signed, and where. `segment` is the number of the part of the log, from 1. */
export type AuditFinding = { readonly segment: number } & (
  | /** Of the log; entries behind it cannot be told by it. `position` is that of the row which says it has this leaf. */
    {
      readonly in: 'log';
      readonly finding: MerkleLogFinding;
      readonly position?: number;
    }
    /** The log ends before a leaf that the table says there is. */
  | {
      readonly in: 'log';
      readonly finding: { readonly kind: 'shorter-than-table'; readonly leafIndex: number };
      readonly position: number;
    }
  /** Bytes behind the last entry are damaged. */
  | { readonly in: 'log'; readonly finding: { readonly kind: 'tail-unreadable'; readonly leafIndex: number } }
  /** The row has other values than were signed; `deleted`: the row is gone; `inserted`: it was never signed; `misplaced`: it names another leaf than its own. */
  | {
      readonly in: 'table';
      readonly kind: 'changed' | 'deleted' | 'misplaced';
      readonly position: number;
      readonly leafIndex: number;
    }
  | {
      readonly in: 'table';
      readonly kind: 'inserted';
      readonly position: number;
    }
  /** The checkpoint in the table does not belong to the log, or names a segment that is not on the disk. */
  | {
      readonly in: 'table';
      readonly kind: 'checkpoint-changed' | 'segment-missing';
      readonly position: number;
    }
);

/** The result of a look through a whole audit. */
export interface AuditVerification {
  readonly status: 'intact' | 'broken';
  /** Entries of the log that are as they were signed. */
  readonly entries: number;
  /** Rows that were compared with their leaf. */
  readonly rows: number;
  /** Rows that are not in the log yet: nothing can be said of them. */
  readonly waiting: number;
  /** Parts of the log: a new one is begun when the audit was tampered with. */
  readonly segments: number;
  /** Position of the first entry that is not as it was signed. */
  readonly firstBadEntry?: number;
  readonly findings: readonly AuditFinding[];
  /** Of findings in all. */
  readonly findingCount: number;
  /** The newest, where it is as it was signed. */
  readonly checkpoint?: string;
}

/** What an audit is compared with. */
export interface AuditToVerify {
  readonly database: OpenedDatabase;
  readonly directory: string;
  /** Of the log, from somewhere else than the machine that keeps it. */
  readonly publicKeys: readonly KeyObject[];
  readonly logId: string;
  /** Checkpoints that were kept elsewhere. The one that the table holds is taken as well. */
  readonly heldCheckpoints?: readonly string[];
  /** How far it is compared while entries are brought to the log. Absent where nobody brings any. */
  readonly upTo?: AuditMoment;
}

/** The log of an audit at a moment at which nothing was brought to it. */
export interface AuditMoment {
  readonly folders: readonly SegmentFolder[];
  /** The checkpoint that the table held. */
  readonly ofTable: string | undefined;
  /** The segment that entries are added to, and how many it had. */
  readonly logId: string;
  readonly size: number;
  /** Its newest checkpoint. */
  readonly checkpoint: string | undefined;
  /** Whether a leaf has come to the log since. */
  readonly hasComeSince: (leafIndex: number) => boolean;
}

/**
 * Looks through log and table of an audit, up to a moment where entries are brought to the log meanwhile: every signature and hash of each segment of
 * the log, then each row against its leaf, so that a change of either is found and where it is. Takes some forty octets of memory for each entry.
 * @returns what was found; never throws for what log and table hold
 * @throws HopbackError `storage-failed` where the disk does not give the files, `invalid-argument` without a key, and for a checkpoint that is not one of
 * the log; what the database throws
 */
export async function verifyAudit(audit: AuditToVerify): Promise<AuditVerification> {
  requireOwn(audit);
  const { database } = audit;
  const found = createFindings();
  const folders = audit.upTo?.folders ?? (await segmentFolders(audit.directory, audit.logId));
  const ofTable = audit.upTo === undefined ? await heldCheckpoint(database.database) : audit.upTo.ofTable;
  const walked = await walkedSegments(audit, folders, ofTable);
  let [entries, rows, waiting] = [0, 0, 0];
  for (const [at, segment] of walked.entries()) {
    const { folder, log, leaves, afterPosition } = segment;
    const isWhole = log.status !== 'broken';
    const sound = log.status === 'broken' ? Math.min(log.size, leaves.size()) : leaves.size();
    const compared = await compareRows({
      database,
      segment: folder.number,
      leaves,
      sound,
      isWhole,
      found,
      first: Math.min(firstRowLeaf(folder), sound),
      after: afterPosition,
      through: walked[at + 1]?.afterPosition,
      ...(audit.upTo?.logId === folder.logId && { hasComeSince: audit.upTo.hasComeSince }),
    });
    entries += Math.max(0, sound - firstRowLeaf(folder));
    rows += compared.rows;
    waiting += compared.waiting;
    await noteLogFinding(audit, segment, { found, sound, positions: compared.positions });
  }
  await noteCheckpoints(audit, { walked, ofTable }, found);
  const last = walked.at(-1)?.log;
  const checkpoint = last?.status === 'broken' ? undefined : last?.checkpoint;
  const firstBadEntry = found.firstPosition();
  return {
    status: found.count() === 0 ? 'intact' : 'broken',
    entries,
    rows,
    waiting,
    segments: walked.length,
    ...(firstBadEntry !== undefined && { firstBadEntry }),
    findings: found.findings,
    findingCount: found.count(),
    ...(checkpoint !== undefined && { checkpoint }),
  };
}

/**
 * Compares the last entries of a segment with their rows: what a platform checks when it starts.
 * @param segment - opened; undefined `log` says nothing
 * @param after - the segment behind it; absent for the last, to which rows are still brought
 * @returns the first finding
 * @throws HopbackError `log-inconsistent`, `storage-failed`; what the database throws
 */
export async function tailFinding(
  database: OpenedDatabase,
  segment: AuditSegment,
  after: AuditSegment | undefined,
): Promise<AuditFinding | undefined> {
  const { log } = segment;
  if (log === undefined) return undefined;
  const first = Math.max(Math.min(firstRowLeaf(segment), log.size), log.size - TAIL_ENTRIES);
  const leaves = createLeafList(first);
  await readInto(leaves, log, first);
  const found = createFindings();
  await compareRows({
    database,
    segment: segment.number,
    leaves,
    sound: log.size,
    isWhole: true,
    found,
    first,
    after: first === firstRowLeaf(segment) ? segment.afterPosition : leaves.position(first) - 1,
    through: after?.afterPosition,
    maxRows: TAIL_ENTRIES * 2,
  });
  return found.findings[0];
}

async function readInto(leaves: LeafList, log: MerkleLog, first: number): Promise<void> {
  for (let next = first; next < log.size;) {
    const entries = await log.read(next);
    for (const entry of entries) leaves.add(entry);
    if (entries.length === 0) return;
    next += entries.length;
  }
}

/** A segment whose files were looked through. */
interface WalkedSegment {
  readonly folder: SegmentFolder;
  readonly log: MerkleLogVerification;
  readonly leaves: LeafList;
  readonly link: SegmentLink | undefined;
  /** Rows up to this position belong to segments before. */
  readonly afterPosition: number;
}

/** Goes through the files from the newest segment back: each one's link signs for the end of the one before. */
async function walkedSegments(
  audit: AuditToVerify,
  folders: readonly SegmentFolder[],
  ofTable: string | undefined,
): Promise<readonly WalkedSegment[]> {
  const { publicKeys, heldCheckpoints = [], upTo } = audit;
  const notes = [...heldCheckpoints, ...(ofTable !== undefined && isSigned(audit, ofTable) ? [ofTable] : [])];
  const walked: Omit<WalkedSegment, 'afterPosition'>[] = [];
  for (const folder of folders.toReversed()) {
    const leaves = createLeafList();
    const previous = walked[0]?.link?.previous;
    const checkpoints = notes.filter((note) => logIdOfNote(note) === folder.logId);
    if (previous?.checkpoint !== undefined && previous.logId === folder.logId) checkpoints.push(previous.checkpoint);
    const isWritten = upTo?.logId === folder.logId;
    if (isWritten && upTo.checkpoint !== undefined) checkpoints.push(upTo.checkpoint);
    let link: SegmentLink | undefined;
    const onEntry = (entry: MerkleEntry): void => {
      if (entry.leafIndex === 0 && folder.number > 1) link = readLink(entry.octets);
      leaves.add(entry);
    };
    const log = await verifyMerkleLog(folder.directory, {
      publicKeys,
      logId: folder.logId,
      onEntry,
      checkpoints,
      ...(isWritten && { throughSize: upTo.size }),
    });
    // A crash came between the folder of a segment and its link.
    const isEmpty = log.status === 'intact' && log.size === 0 && checkpoints.length === 0;
    if (folder.number === 1 || !isEmpty) walked.unshift({ folder, log, leaves, link });
  }
  const segments: WalkedSegment[] = [];
  for (const segment of walked) {
    const before = segments.at(-1);
    const lastBefore = before?.leaves.position(before.leaves.size() - 1) ?? 0;
    segments.push({ ...segment, afterPosition: segment.link?.afterPosition ?? Math.max(0, lastBefore) });
  }
  return segments;
}

const isSigned = ({ publicKeys }: AuditToVerify, note: string): boolean =>
  verifyCheckpoint(note, { publicKeys }).status === 'passed';

async function noteLogFinding(
  { database }: AuditToVerify,
  { folder, log, leaves, afterPosition }: WalkedSegment,
  at: {
    readonly found: Findings;
    readonly sound: number;
    readonly positions: ReadonlyMap<number, number>;
  },
): Promise<void> {
  const { found, sound, positions } = at;
  const segment = folder.number;
  if (log.status === 'broken') {
    const { leafIndex } = log.finding;
    const ofRow = positions.get(leafIndex) ?? (await positionOf(database, leafIndex, afterPosition));
    const behind = Math.max(afterPosition, leaves.position(sound - 1)) + 1;
    found.add({ segment, in: 'log', finding: log.finding, position: ofRow ?? behind });
  } else if (log.status === 'indeterminate') {
    found.add({ segment, in: 'log', finding: { kind: 'tail-unreadable', leafIndex: log.leafIndex } });
  }
}

/** The checkpoint of the table, which is noted with each leaf, and those that were kept elsewhere: each names a segment that is there. */
async function noteCheckpoints(
  audit: AuditToVerify,
  { walked, ofTable }: { readonly walked: readonly WalkedSegment[]; readonly ofTable: string | undefined },
  found: Findings,
): Promise<void> {
  const last = walked.at(-1);
  const segment = last?.folder.number ?? 1;
  const position = Math.max(1, last?.leaves.position(last.leaves.size() - 1) ?? 0);
  const changed = { segment, in: 'table', kind: 'checkpoint-changed', position } as const;
  if (ofTable === undefined) {
    const leafIndex = await lastNotedLeaf(audit.database);
    if (leafIndex !== undefined && audit.upTo?.hasComeSince(leafIndex) !== true) found.add(changed);
  } else if (!isSigned(audit, ofTable)) found.add(changed);
  const names = new Set(
    [...(audit.heldCheckpoints ?? []), ...(ofTable === undefined ? [] : [ofTable])].map(logIdOfNote),
  );
  for (const { folder } of walked) names.delete(folder.logId);
  if ([...names].some((name) => name.startsWith(`${audit.logId}/`)))
    found.add({ segment, in: 'table', kind: 'segment-missing', position: position + 1 });
}

/** @throws HopbackError `invalid-argument` for a checkpoint that says nothing of this log */
function requireOwn(audit: AuditToVerify): void {
  for (const note of audit.heldCheckpoints ?? []) {
    const name = logIdOfNote(note);
    const isOwn = name === audit.logId || name.startsWith(`${audit.logId}/`);
    if (!isOwn || !isSigned(audit, note))
      throw new HopbackError(
        'invalid-argument',
        'A checkpoint is not one of this log: it names another log, or no key of the log signed it.',
      );
  }
}

type LeafList = ReturnType<typeof createLeafList>;

const HASH_BYTES = 32;

/** Positions and hashes of leaves from one on, in arrays that grow. */
function createLeafList(first = 0) {
  let positions = new Float64Array(1_024);
  let hashes = Buffer.alloc(1_024 * HASH_BYTES);
  let size = 0;
  return {
    add: ({ octets }: MerkleEntry) => {
      if (size === positions.length) {
        const [more, moreHashes] = [new Float64Array(size * 2), Buffer.alloc(size * 2 * HASH_BYTES)];
        more.set(positions);
        moreHashes.set(hashes);
        [positions, hashes] = [more, moreHashes];
      }
      positions[size] = positionOfLeaf(octets) ?? -1;
      hashes.write(merkleLeafHash(octets), size * HASH_BYTES, 'hex');
      size += 1;
    },
    size: () => first + size,
    /** -1 where the entry is of no row. */
    position: (leafIndex: number) => (leafIndex - first < size ? (positions[leafIndex - first] ?? -1) : -1),
    isHash: (leafIndex: number, hash: string) => {
      const at = (leafIndex - first) * HASH_BYTES;
      return hashes.subarray(at, at + HASH_BYTES).equals(Buffer.from(hash, 'hex'));
    },
  };
}

type Findings = ReturnType<typeof createFindings>;

function createFindings() {
  const findings: AuditFinding[] = [];
  let count = 0;
  let first: number | undefined;
  return {
    add: (finding: AuditFinding) => {
      count += 1;
      if ('position' in finding && finding.position !== undefined)
        first = Math.min(first ?? Infinity, finding.position);
      if (findings.length < AUDIT_FINDINGS) findings.push(finding);
    },
    findings,
    count: () => count,
    firstPosition: (): number | undefined => first,
  };
}

interface Comparison {
  readonly database: OpenedDatabase;
  /** Number of the segment. */
  readonly segment: number;
  readonly leaves: LeafList;
  /** Of the leaves that are compared. */
  readonly first: number;
  /** Leaves that are as they were signed. */
  readonly sound: number;
  /** Whether these are all. */
  readonly isWhole: boolean;
  /** Rows after this position. */
  readonly after: number;
  /** And up to this one; all, and rows that wait for the log, where it is absent. */
  readonly through: number | undefined;
  /** Rows that are looked at; all where it is absent. */
  readonly maxRows?: number;
  /** Whether a leaf that was not there has come to the log meanwhile. Absent where none does. */
  readonly hasComeSince?: (leafIndex: number) => boolean;
  readonly found: Findings;
}

/** Compares rows and leaves side by side, both in the order of positions. */
async function compareRows(comparison: Comparison): Promise<{
  readonly rows: number;
  readonly waiting: number;
  /** Of the first row that names a leaf which the log does not have. */
  readonly positions: ReadonlyMap<number, number>;
}> {
  const { database, segment, leaves, sound, isWhole, found, through = Infinity, maxRows = Infinity } = comparison;
  const positions = new Map<number, number>();
  let [at, rows, waiting, after, read] = [comparison.first, 0, 0, comparison.after, 0];
  const deletedUpTo = (position: number): void => {
    for (; at < sound && leaves.position(at) < position; at += 1) {
      found.add({
        segment,
        in: 'table',
        kind: 'deleted',
        position: leaves.position(at),
        leafIndex: at,
      });
    }
  };
  for (let isMore = true; isMore;) {
    const page = await pageOf(database, after, through);
    for (const row of page) {
      deletedUpTo(row.position);
      if (at < sound && leaves.position(at) === row.position) {
        rows += 1;
        judge(row, at, comparison);
        at += 1;
      } else if (at < sound) found.add({ segment, in: 'table', kind: 'inserted', position: row.position });
      else if (!isWhole || (row.leaf_index === null && through === Infinity)) {
        // Behind what the log can say.
        waiting += 1;
        if (row.leaf_index !== null && !positions.has(row.leaf_index)) positions.set(row.leaf_index, row.position);
      } else behind(row, comparison);
    }
    after = page.at(-1)?.position ?? after;
    read += page.length;
    isMore = page.length === READ_ROWS && read < maxRows;
    if (read >= maxRows) return { rows, waiting, positions };
  }
  deletedUpTo(Infinity);
  return { rows, waiting, positions };
}

function judge(row: AuditRow, leafIndex: number, { segment, leaves, found }: Comparison): void {
  const { position } = row;
  if (!leaves.isHash(leafIndex, merkleLeafHash(auditLeafText(row)))) {
    found.add({
      segment,
      in: 'table',
      kind: 'changed',
      position,
      leafIndex,
    });
  } else if (row.leaf_index !== null && row.leaf_index !== leafIndex) {
    found.add({
      segment,
      in: 'table',
      kind: 'misplaced',
      position,
      leafIndex,
    });
  }
}

/** A row behind the last leaf that says it has one, or that nothing will be brought to the log of any more. */
function behind(row: AuditRow, { segment, sound, found, hasComeSince }: Comparison): void {
  const { position, leaf_index: leafIndex } = row;
  if (leafIndex !== null && hasComeSince?.(leafIndex) === true) return;
  const isNew = leafIndex === null || leafIndex < sound;
  if (isNew) found.add({ segment, in: 'table', kind: 'inserted', position });
  else found.add({ segment, in: 'log', finding: { kind: 'shorter-than-table', leafIndex }, position });
}

function pageOf({ database }: OpenedDatabase, after: number, through: number): Promise<readonly AuditRow[]> {
  let query = database.selectFrom('core_audit').selectAll().where('position', '>', after);
  if (through !== Infinity) query = query.where('position', '<=', through);
  return query.orderBy('position').limit(READ_ROWS).execute();
}

async function positionOf({ database }: OpenedDatabase, leafIndex: number, after: number): Promise<number | undefined> {
  const query = database.selectFrom('core_audit').select('position').where('leaf_index', '=', leafIndex);
  return (await query.where('position', '>', after).orderBy('position').limit(1).executeTakeFirst())?.position;
}

async function lastNotedLeaf({ database }: OpenedDatabase): Promise<number | undefined> {
  const query = database.selectFrom('core_audit').select('leaf_index').where('leaf_index', 'is not', null);
  return (await query.orderBy('position', 'desc').limit(1).executeTakeFirst())?.leaf_index ?? undefined;
}
