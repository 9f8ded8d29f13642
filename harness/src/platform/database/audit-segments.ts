import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import type { Checkpoint, LogSigner, ProvedEntry } from '@hopback/sdk/log';
import { merkleLeafHash, MerkleLog, verifyCheckpoint } from '@hopback/sdk/log';
import { sql } from 'kysely';
import type { PlatformContext } from '../core/index.js';
import type { AuditLeaf, AuditRow } from './audit-rows.js';
import { auditLeafText, heldCheckpoint, positionOfLeaf, readLeaf } from './audit-rows.js';
import type { OpenedDatabase } from './open-database.js';
import { namesIn } from './open-database.js';

/** What is wrong with an audit. */
export type AuditBreakKind =
  /** The row differs from the entry that was signed. */
  | 'changed'
  /** The entry was signed and its row is gone. */
  | 'deleted'
  /** The row was never signed, and later ones were. */
  | 'inserted'
  /** The row names another place in the log than its entry has. */
  | 'misplaced'
  /** The log ends before the entry of the row, or its files were changed there. */
  | 'log-damaged'
  /** The log was signed anew and contradicts a checkpoint that was kept. */
  | 'log-rewritten'
  /** The checkpoint that the database keeps is not one of the log. */
  | 'checkpoint-changed'
  /** A segment that the database knows of is not on the disk. */
  | 'segment-missing';

/** The first entry that is not as it was signed. */
export interface AuditBreak {
  readonly kind: AuditBreakKind;
  /** Of the entry; where its row is gone too, of the first that can be it. */
  readonly position: number;
}

/** First entry of a segment that follows a damaged one. */
export interface SegmentLink {
  readonly format: 'hopback-audit-segment-1';
  readonly segment: number;
  readonly atMs: number;
  /** Rows up to this position belong to segments before. */
  readonly afterPosition: number;
  readonly brokenAt: number;
  readonly kind: AuditBreakKind;
  /** The last checkpoint of the segment before that its entries bear out; `size` 0 and no checkpoint where nothing of it is left. */
  readonly previous: {
    readonly logId: string;
    readonly size: number;
    readonly checkpoint?: string;
  };
}

/** A Merkle log of a part of the audit. The first lies in the folder of the audit, later ones in folders within it. */
export interface AuditSegment {
  readonly number: number;
  readonly logId: string;
  readonly directory: string;
  /** Rows up to this position belong to segments before. */
  readonly afterPosition: number;
  readonly link?: SegmentLink;
  /** Whole, or the part of it that is as it was signed; undefined where it proves nothing. */
  readonly log: MerkleLog | undefined;
  /** Of the last leaf. */
  readonly lastPosition: number;
}

/** A folder of a segment. */
export interface SegmentFolder {
  readonly number: number;
  readonly logId: string;
  readonly directory: string;
}

/** Folders of an audit, in order. */
export async function segmentFolders(directory: string, logId: string): Promise<readonly SegmentFolder[]> {
  const later = (await namesIn(directory)).flatMap((name) => {
    const parts = /^segment-([1-9]\d{0,5})-([0-9a-f]{8})$/.exec(name);
    return parts === null
      ? []
      : [{ number: Number(parts[1]), logId: `${logId}/${parts[1]}-${parts[2]}`, directory: join(directory, name) }];
  });
  return [{ number: 1, logId, directory }, ...later.toSorted((a, b) => a.number - b.number)];
}

/** Leaves of a segment that are of no row: its link. */
export const firstRowLeaf = ({ number }: Pick<SegmentFolder, 'number'>): number => (number === 1 ? 0 : 1);

/** Reads a link; undefined for octets that are none. Never throws. */
export function readLink(octets: Uint8Array): SegmentLink | undefined {
  try {
    const read = JSON.parse(Buffer.from(octets).toString('utf8')) as SegmentLink | null;
    return read?.format === 'hopback-audit-segment-1' && Number.isSafeInteger(read.afterPosition) ? read : undefined;
  } catch {
    return undefined;
  }
}

/** Segments as they were found, and what is wrong with their files. */
export interface OpenedSegments {
  readonly segments: readonly AuditSegment[];
  readonly breaks: readonly AuditBreak[];
  /** Whether entries may follow the last of them. */
  readonly isLastSound: boolean;
}

/** What a log of an audit is opened with. */
export interface AuditLogOptions {
  readonly context: Pick<PlatformContext, 'transact' | 'clock' | 'log' | 'audit'>;
  readonly database: OpenedDatabase;
  /** Folder of the log, of this process alone. */
  readonly directory: string;
  /** Name of the log, which no other has: `itg.example/audit`. */
  readonly logId: string;
  readonly signer: LogSigner;
  /** Is told of each new checkpoint: one that never leaves the machine shows no log and table that were cut together. */
  readonly onCheckpoint?: (note: string) => void;
}

type SegmentOptions = Omit<AuditLogOptions, 'context'>;

/**
 * Opens every segment, the damaged ones as far as they are as they were signed.
 * @throws HopbackError `storage-failed`; `key-unusable` where the key is another one than that of the log
 */
export async function openSegments(options: SegmentOptions): Promise<OpenedSegments> {
  const folders = await segmentFolders(options.directory, options.logId);
  const kept = await keptCheckpoint(options);
  const segments: AuditSegment[] = [];
  const breaks: AuditBreak[] = [];
  let isLastSound = true;
  try {
    for (const folder of folders) {
      const opened = await openSegment(options, { folder, kept, before: segments.at(-1) });
      const { segment } = opened;
      // A crash came between its folder and its link.
      if (segment.number > 1 && segment.log?.size === 0 && kept?.checkpoint?.logId !== segment.logId) {
        await segment.log.close();
        continue;
      }
      segments.push(segment);
      const found = opened.break ?? linkBreak(segments);
      isLastSound = opened.break === undefined;
      if (found !== undefined) breaks.push(found);
    }
    requireKey(segments, kept);
    const ofTable = await tableBreak(options.database, segments, kept);
    if (ofTable !== undefined) breaks.push(ofTable);
    return { segments, breaks, isLastSound: isLastSound && ofTable === undefined };
  } catch (error) {
    for (const { log } of segments) await log?.close().catch(() => undefined);
    throw error;
  }
}

/** The checkpoint that the table keeps; without `checkpoint` where no key of the log signed it. */
interface KeptCheckpoint {
  readonly note: string;
  readonly checkpoint?: Checkpoint;
  /** Whether it names another key than those of the log. */
  readonly isOfOtherKey?: boolean;
}

async function keptCheckpoint({ database, signer }: SegmentOptions): Promise<KeptCheckpoint | undefined> {
  const note = await heldCheckpoint(database.database);
  if (note === undefined) return undefined;
  const verdict = verifyCheckpoint(note, { publicKeys: [signer.publicKey] });
  if (verdict.status === 'passed') return { note, checkpoint: verdict.checkpoint };
  return { note, isOfOtherKey: verdict.reason === 'other-key' };
}

/**
 * A wrong key is no tampering: another one would begin a new log over what is whole.
 * @throws HopbackError `key-unusable`
 */
function requireKey(segments: readonly AuditSegment[], kept: KeptCheckpoint | undefined): void {
  if (kept?.isOfOtherKey !== true || segments.some(({ log }) => log !== undefined && log.size > 0)) return;
  throw new HopbackError(
    'key-unusable',
    'The signing key is not the one that signed the audit. Put the key back that belongs to this folder.',
  );
}

interface SegmentToOpen {
  readonly folder: SegmentFolder;
  readonly kept: KeptCheckpoint | undefined;
  readonly before: AuditSegment | undefined;
}

/** Opens one segment. @throws as {@link openSegments} */
async function openSegment(
  options: SegmentOptions,
  { folder, kept, before }: SegmentToOpen,
): Promise<{ readonly segment: AuditSegment; readonly break?: AuditBreak }> {
  const { logId, directory } = folder;
  const { signer, onCheckpoint } = options;
  const held = kept?.checkpoint?.logId === logId ? kept : undefined;
  const place = { directory, logId, signer };
  try {
    const log = await MerkleLog.open({
      ...place,
      heldCheckpoints: held === undefined ? [] : [held.note],
      ...(onCheckpoint !== undefined && { onCheckpoint }),
    });
    return { segment: await segmentOf(folder, { log, before }) };
  } catch (error) {
    if (!isHopbackError(error) || error.code !== 'log-inconsistent') throw error;
  }
  const part = await MerkleLog.openSignedPart(place);
  const signed = held?.checkpoint;
  const isContradicted =
    signed !== undefined && signed.size <= part.size && part.rootHash(signed.size) !== signed.rootHash;
  if (isContradicted) await part.close();
  const segment = await segmentOf(folder, { log: isContradicted ? undefined : part, before });
  const position = await rowOfLeaf(options.database, segment);
  return { segment, break: { kind: isContradicted ? 'log-rewritten' : 'log-damaged', position } };
}

/** Which log a signed note says it is of. */
export const logIdOfNote = (note: string): string => note.split('\n', 1)[0] ?? '';

async function segmentOf(
  folder: SegmentFolder,
  { log, before }: { readonly log: MerkleLog | undefined; readonly before: AuditSegment | undefined },
): Promise<AuditSegment> {
  const first =
    folder.number > 1 && log !== undefined && log.size > 0 ? (await log.read(0, { maxEntries: 1 }))[0] : undefined;
  const link = first === undefined ? undefined : readLink(first.octets);
  const afterPosition = link?.afterPosition ?? before?.lastPosition ?? 0;
  const last = log !== undefined && log.size > firstRowLeaf(folder) ? (await log.read(log.size - 1))[0] : undefined;
  const lastPosition = last === undefined ? afterPosition : (positionOfLeaf(last.octets) ?? afterPosition);
  return {
    ...folder,
    afterPosition,
    ...(link !== undefined && { link }),
    log,
    lastPosition,
  };
}

/** Position of the row whose leaf is the first that a segment has lost. */
async function rowOfLeaf({ database }: OpenedDatabase, segment: AuditSegment): Promise<number> {
  const row = await database
    .selectFrom('core_audit')
    .select('position')
    .where('position', '>', segment.log === undefined ? segment.afterPosition : segment.lastPosition)
    .where('leaf_index', 'is not', null)
    .orderBy('position')
    .limit(1)
    .executeTakeFirst();
  return row?.position ?? segment.lastPosition + 1;
}

/** The segment before the last is what the link of the last signs for. */
function linkBreak(segments: readonly AuditSegment[]): AuditBreak | undefined {
  const [before, last] = segments.slice(-2);
  const previous = last?.link?.previous;
  if (before === undefined || previous === undefined || before.logId !== previous.logId) return undefined;
  const { log } = before;
  if (log !== undefined && log.size < previous.size) return { kind: 'log-damaged', position: before.lastPosition + 1 };
  const note = previous.checkpoint === undefined ? undefined : previous.checkpoint.split('\n')[2];
  if (log === undefined || note === undefined) return undefined;
  const root = Buffer.from(log.rootHash(previous.size), 'hex').toString('base64');
  return root === note ? undefined : { kind: 'log-rewritten', position: before.afterPosition + 1 };
}

/** What the table keeps of the log, against the log. */
async function tableBreak(
  { database }: OpenedDatabase,
  segments: readonly AuditSegment[],
  kept: KeptCheckpoint | undefined,
): Promise<AuditBreak | undefined> {
  const last = segments.at(-1);
  const position = Math.max(1, last?.lastPosition ?? 0);
  if (kept === undefined) {
    // Leaves and checkpoint are noted in one transaction.
    const noted = await database
      .selectFrom('core_audit')
      .select('position')
      .where('leaf_index', 'is not', null)
      .limit(1)
      .executeTakeFirst();
    return noted === undefined ? undefined : { kind: 'checkpoint-changed', position };
  }
  if (kept.checkpoint === undefined) return { kind: 'checkpoint-changed', position };
  const { logId } = kept.checkpoint;
  if (segments.some((segment) => segment.logId === logId)) return undefined;
  const isLater = last !== undefined && logId.startsWith(`${segments[0]?.logId ?? ''}/`);
  return isLater
    ? { kind: 'segment-missing', position: await rowOfLeaf({ database } as OpenedDatabase, last) }
    : { kind: 'checkpoint-changed', position };
}

/**
 * Begins a segment behind the last one, linked to the last checkpoint that this one bears out.
 * @throws HopbackError `storage-failed`, `signer-failed`; what the database throws
 */
export async function beginSegment(
  options: SegmentOptions & Pick<AuditLogOptions, 'context'>,
  before: AuditSegment,
  { kind, position }: AuditBreak,
): Promise<AuditSegment> {
  const { signer, onCheckpoint, context } = options;
  const number = await nextNumber(options);
  const suffix = randomBytes(4).toString('hex');
  const folder: SegmentFolder = {
    number,
    logId: `${options.logId}/${number}-${suffix}`,
    directory: join(options.directory, `segment-${number}-${suffix}`),
  };
  const log = await MerkleLog.open({
    directory: folder.directory,
    logId: folder.logId,
    signer,
    ...(onCheckpoint !== undefined && { onCheckpoint }),
  });
  const { log: proved } = before;
  const afterPosition = await lastSignedPosition(options.database, before);
  const link: SegmentLink = {
    format: 'hopback-audit-segment-1',
    segment: number,
    atMs: context.clock.nowMs(),
    afterPosition,
    brokenAt: position,
    kind,
    previous: {
      logId: before.logId,
      size: proved?.size ?? 0,
      ...(proved?.checkpoint !== undefined && { checkpoint: proved.checkpoint }),
    },
  };
  await log.append(JSON.stringify(link));
  return {
    ...folder,
    afterPosition,
    link,
    log,
    lastPosition: afterPosition,
  };
}

/** After the folders that are there, and the segment that the table knows of. */
async function nextNumber({ database, directory, logId }: SegmentOptions): Promise<number> {
  const folders = await segmentFolders(directory, logId);
  const kept = logIdOfNote((await heldCheckpoint(database.database)) ?? '');
  const known = kept.startsWith(`${logId}/`) ? Number(/^\d{1,6}/.exec(kept.slice(logId.length + 1))?.[0] ?? 0) : 0;
  return Math.max(known, ...folders.map(({ number }) => number)) + 1;
}

/**
 * The last position that a segment up to now has, or is said to have. A database of an old backup gives positions again that were signed already: it
 * is brought to go on behind them.
 */
async function lastSignedPosition({ database }: OpenedDatabase, before: AuditSegment): Promise<number> {
  const noted = await database
    .selectFrom('core_audit')
    .select('position')
    .where('leaf_index', 'is not', null)
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst();
  const signed = Math.max(before.lastPosition, before.afterPosition);
  const { rows } = await sql<{ readonly given: number }>`
    select coalesce(pg_sequence_last_value('core_audit_positions'::regclass), 0)::bigint as given`.execute(database);
  const given = rows[0]?.given ?? 0;
  if (signed > given) await sql`select setval('core_audit_positions', ${signed}::bigint)`.execute(database);
  // A row beyond what was ever given was put in: entries that come would be taken for older ones.
  return Math.max(signed, Math.min(noted?.position ?? 0, given));
}

/** An entry of the audit, held against the log that signed it. */
export type AuditEntryState =
  /** The row is what was signed. */
  | {
      readonly integrity: 'signed';
      readonly row: AuditRow;
      readonly leafIndex: number;
    }
  /** The row is not in the log yet. */
  | { readonly integrity: 'waiting'; readonly row: AuditRow }
  /** The row was changed after it was signed. */
  | {
      readonly integrity: 'changed';
      readonly row: AuditRow;
      readonly signed: AuditLeaf;
      readonly leafIndex: number;
    }
  /** The row was put in later: it was never signed. */
  | { readonly integrity: 'inserted'; readonly row: AuditRow }
  /** The row was deleted. */
  | {
      readonly integrity: 'deleted';
      readonly signed: AuditLeaf;
      readonly leafIndex: number;
    }
  /** The log has lost what it had of the row, or is damaged there. */
  | { readonly integrity: 'unproved'; readonly row: AuditRow };

/** The segment that a position belongs to. */
export function segmentHolding(segments: readonly AuditSegment[], position: number): AuditSegment | undefined {
  return segments.findLast(({ afterPosition }) => afterPosition < position) ?? segments[0];
}

/**
 * Holds a row against the log.
 * @param segments - all of them; entries are added to the last one
 * @throws HopbackError `log-inconsistent` where files were changed while they were open; `storage-failed`
 */
export async function stateOfRow(segments: readonly AuditSegment[], row: AuditRow): Promise<AuditEntryState> {
  const segment = segmentHolding(segments, row.position);
  const log = segment?.log;
  if (segment === undefined || log === undefined) return { integrity: 'unproved', row };
  const hash = merkleLeafHash(auditLeafText(row));
  const { leaf_index: stated } = row;
  if (stated !== null && stated >= firstRowLeaf(segment) && stated < log.size && log.leafHash(stated) === hash)
    return { integrity: 'signed', row, leafIndex: stated };
  const found = await leafOfPosition(segment, row.position);
  if (found.status === 'found') {
    const { leafIndex, leaf } = found;
    return log.leafHash(leafIndex) === hash
      ? { integrity: 'signed', row, leafIndex }
      : { integrity: 'changed', row, signed: leaf, leafIndex };
  }
  if (found.status === 'passed-over') return { integrity: 'inserted', row };
  if (stated !== null) return { integrity: 'unproved', row };
  return { integrity: segment === segments.at(-1) ? 'waiting' : 'inserted', row };
}

/** The entry that was signed at a position whose row is gone; undefined where there was none. @throws as {@link stateOfRow} */
export async function stateOfDeleted(
  segments: readonly AuditSegment[],
  position: number,
): Promise<AuditEntryState | undefined> {
  const segment = segmentHolding(segments, position);
  const found = segment === undefined ? undefined : await leafOfPosition(segment, position);
  if (found?.status !== 'found') return undefined;
  return { integrity: 'deleted', signed: found.leaf, leafIndex: found.leafIndex };
}

type FoundLeaf =
  | {
      readonly status: 'found';
      readonly leafIndex: number;
      readonly leaf: AuditLeaf;
    }
  /** The log has leaves of later positions. */
  | { readonly status: 'passed-over' }
  /** The log ends before the position. */
  | { readonly status: 'behind' };

/** Looks for the leaf of a position by halving: leaves are in the order of positions. */
async function leafOfPosition(segment: AuditSegment, position: number): Promise<FoundLeaf> {
  const { log } = segment;
  if (log === undefined) return { status: 'behind' };
  const { size } = log;
  let [low, high] = [firstRowLeaf(segment), size];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const leaf = await leafAt(log, middle);
    if (leaf?.position === position) return { status: 'found', leafIndex: middle, leaf };
    if (leaf !== undefined && leaf.position < position) low = middle + 1;
    else high = middle;
  }
  return { status: low < size ? 'passed-over' : 'behind' };
}

async function leafAt(log: MerkleLog, leafIndex: number): Promise<AuditLeaf | undefined> {
  const [entry] = await log.read(leafIndex, { maxEntries: 1 });
  return entry === undefined ? undefined : readLeaf(entry.octets);
}

/** The leaf of a position with its proof; undefined where the log has none. @throws as {@link stateOfRow} */
export async function provedLeaf(
  segments: readonly AuditSegment[],
  position: number,
  stated: number | null | undefined,
): Promise<ProvedEntry | undefined> {
  const segment = segmentHolding(segments, position);
  if (segment?.log === undefined) return undefined;
  if (typeof stated === 'number' && stated < segment.log.size) {
    const proved = await segment.log.prove(stated);
    if (readLeaf(proved.octets)?.position === position) return proved;
  }
  const found = await leafOfPosition(segment, position);
  return found.status === 'found' ? segment.log.prove(found.leafIndex) : undefined;
}
