import { Buffer } from 'node:buffer';
import { HopbackError } from '../../errors.js';
import type { SegmentLog } from '../../log/index.js';
import type { BatchEncoding } from '../../contract/record-batch.js';
import type { StreamClock } from './stream-policy.js';

/** What a stream has to know of a record; the rest goes through unread. Call records are such, whole or under pseudonyms. */
export interface StreamedRecord {
  /** What the receiver knows repetitions by: 32 lower-case hexadecimal digits. */
  readonly recordId: string;
  /** Records that share it are delivered in the order in which they were handed in. */
  readonly callGroupId: string;
}

/**
 * Octets before the line: version (1), hash of the call group (4), when it was accepted in milliseconds (6). With them a record is
 * sent on without its JSON being read again.
 */
export const FRAME_HEADER_BYTES = 11;

/** Form of the header; a spool that a later release wrote may hold others. */
const FRAME_VERSION = 1;

const NEW_LINE = 0x0a;

/** Latest time that a header holds: in the year 10889. */
const LATEST_MS = 2 ** 48 - 1;

/**
 * Writes a record as it is spooled: the header and the line of NDJSON as it will be sent.
 * @throws TypeError as `JSON.stringify` does, for a record that is no plain JSON
 */
export function encodeFrame(record: StreamedRecord, acceptedAtMs: number): Buffer {
  return encodeFrameOfLine(JSON.stringify(record), record.callGroupId, acceptedAtMs);
}

/** As {@link encodeFrame}, of the JSON text of a record. */
export function encodeFrameOfLine(json: string, callGroupId: string, acceptedAtMs: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + Buffer.byteLength(json) + 1);
  frame[0] = FRAME_VERSION;
  frame.writeUInt32LE(laneHash(callGroupId), 1);
  frame.writeUIntLE(Math.min(Math.max(Math.floor(acceptedAtMs), 0), LATEST_MS), 5, 6);
  frame.write(json, FRAME_HEADER_BYTES);
  frame[frame.length - 1] = NEW_LINE;
  return frame;
}

/** Whether what `bytes` has from `start` to before `end` is a frame of this version. Never throws. */
export function isFrame(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start > FRAME_HEADER_BYTES && bytes[start] === FRAME_VERSION && bytes[end - 1] === NEW_LINE;
}

/** Spreads call groups over lanes: of a frame that begins at `start`, an unsigned number of 32 bits. */
export function frameLaneHash(bytes: Uint8Array, start: number): number {
  return uint16(bytes, start + 1) + uint16(bytes, start + 3) * 2 ** 16;
}

/** When the record of a frame that begins at `start` was accepted, milliseconds since the epoch. */
export function frameAcceptedAtMs(bytes: Uint8Array, start: number): number {
  return uint48(bytes, start + 5);
}

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 2 ** 8;

/** By hand: a view for every record would cost more than all else that is done with it. */
const uint48 = (bytes: Uint8Array, at: number): number =>
  uint16(bytes, at) + uint16(bytes, at + 2) * 2 ** 16 + uint16(bytes, at + 4) * 2 ** 32;

/** The JSON text of a line as it is sent, without its end. */
export function lineText(line: Uint8Array): string {
  return Buffer.from(line.buffer, line.byteOffset, line.length - 1).toString();
}

/** The record id of a line as it is sent; undefined where there is none. Never throws. */
export function lineRecordId(line: Uint8Array): string | undefined {
  return lineMember(line, 'recordId');
}

/** The call group of a line as it is sent; empty where there is none. Never throws. */
export function lineCallGroup(line: Uint8Array): string {
  return lineMember(line, 'callGroupId') ?? '';
}

function lineMember(line: Uint8Array, name: keyof StreamedRecord): string | undefined {
  try {
    const record: unknown = JSON.parse(lineText(line));
    const value = typeof record === 'object' && record !== null ? (record as Partial<StreamedRecord>)[name] : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** FNV-1a over the code units: spreads call groups over lanes; nothing hangs on it but balance. */
function laneHash(callGroupId: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < callGroupId.length; index += 1) {
    hash = Math.imul(hash ^ callGroupId.charCodeAt(index), 0x0100_0193);
  }
  return hash >>> 0;
}

/**
 * Records of one lane, compressed as they will be sent. What waits while the receiver is away is packed so: it takes a tenth of the room,
 * and goes out as it lies there.
 *
 * Packs are made from a stretch of the spool, a group of them at a time. A group has every record of its stretch, each once, those of a call in
 * their order; of which sequence number each was is not kept.
 */
interface PackHead {
  /** Undefined where the pack is a single record as spooled, which no release so far can read. */
  readonly encoding: BatchEncoding | undefined;
  /** Which lane of how many its records belong to. */
  readonly lane: number;
  readonly lanes: number;
  /** Whether it is the last one of its group. */
  readonly isLast: boolean;
  /** When its oldest record was accepted, milliseconds since the epoch. */
  readonly acceptedAtMs: number;
  readonly count: number;
  /** Octets of its lines before they were compressed. */
  readonly lineBytes: number;
  /** Place of its first record in the group, counted from `groupFirst`: the records of a group are numbered through, pack by pack. */
  readonly first: number;
  /** First and last sequence number of the stretch of the spool. */
  readonly groupFirst: number;
  readonly groupLast: number;
  /** Records in all packs before it, by which it is known how many a lost one had. */
  readonly before: number;
}

/** A pack as it was read. */
export interface Pack extends PackHead {
  readonly body: Uint8Array;
}

/** Form of the head, unlike that of any record as spooled; a log that a later release wrote may hold others. */
const VERSION = 129;
/** Octets before the body. */
const HEAD_BYTES = 52;
/** Numbers of encodings; 0 is a record as spooled. */
const ENCODINGS = [undefined, 'gzip', 'br'] as const;

/** Writes a pack as it lies in its log. */
export function encodePack(head: PackHead, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  bytes[0] = VERSION;
  bytes[1] = ENCODINGS.indexOf(head.encoding);
  bytes[2] = head.lane;
  bytes[3] = head.lanes;
  bytes[4] = head.isLast ? 1 : 0;
  bytes[5] = 0;
  bytes.writeUIntLE(head.acceptedAtMs, 6, 6);
  bytes.writeUInt32LE(head.count, 12);
  bytes.writeUInt32LE(head.lineBytes, 16);
  bytes.writeDoubleLE(head.first, 20);
  bytes.writeDoubleLE(head.groupFirst, 28);
  bytes.writeDoubleLE(head.groupLast, 36);
  bytes.writeDoubleLE(head.before, 44);
  bytes.set(body, HEAD_BYTES);
  return bytes;
}

/**
 * Reads a pack; its body is a copy.
 * @returns undefined where a later release wrote it. Never throws.
 */
export function decodePack(payload: Uint8Array): Pack | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION || (bytes[1] ?? 0) >= ENCODINGS.length) return undefined;
  return {
    encoding: ENCODINGS[bytes[1] ?? 0],
    lane: bytes[2] ?? 0,
    lanes: bytes[3] ?? 0,
    isLast: bytes[4] === 1,
    acceptedAtMs: bytes.readUIntLE(6, 6),
    count: bytes.readUInt32LE(12),
    lineBytes: bytes.readUInt32LE(16),
    first: bytes.readDoubleLE(20),
    groupFirst: bytes.readDoubleLE(28),
    groupLast: bytes.readDoubleLE(36),
    before: bytes.readDoubleLE(44),
    body: new Uint8Array(bytes.subarray(HEAD_BYTES)),
  };
}

/** A pack as it is handed in: where it stands is added. */
export type NewPack = Omit<Pack, 'isLast' | 'first' | 'groupFirst' | 'groupLast' | 'before'>;

/** Packs of a stretch of the spool. */
interface PackGroup {
  readonly first: number;
  readonly last: number;
  readonly packs: readonly NewPack[];
}

/** What was read: undefined in place of a pack that a later release wrote. */
export interface ReadPack {
  /** Where it stands in the log of packs. */
  readonly sequence: number;
  readonly pack: Pack | undefined;
  readonly payload: Uint8Array;
  /** Whether it is of a torn group that is left out. */
  readonly isLeftOut: boolean;
}

/** Records of the spool that were packed, in a log of their own; the spool need not have them any more. */
export interface PackedSpool {
  /** Sequence number up to which the spool is packed, as far as that is durable; 0 where nothing is. */
  readonly through: () => number;
  /** Whether some are there that have not been read. */
  readonly hasUnread: () => boolean;
  /** Octets of a packed record, on the average of those that were seen last. */
  readonly meanRecordBytes: () => number;
  /**
   * Records of packs that were durable and are gone: those at the end when the spool was met, others as far as packs behind them were read.
   * Of a group that is not whole, and of which the spool has a part, the most that it can be.
   */
  readonly lost: () => number;
  /**
   * Takes a group, and makes it durable: only then it counts.
   * @throws HopbackError `storage-failed` where the disk refuses: the group is {@link PackedSpool.pending} then
   */
  readonly add: (group: PackGroup) => Promise<void>;
  /** First sequence number of a group that the disk has refused so far; undefined where there is none. */
  readonly pending: () => number | undefined;
  /**
   * Makes the pending group durable.
   * @throws as `add`
   */
  readonly retry: () => Promise<void>;
  /** Forgets the pending group, whose records are sent otherwise. The log may have it in the end: who opens it again sends them twice. */
  readonly abandon: () => void;
  /**
   * Reads on, in order.
   * @throws HopbackError `storage-failed` (retryable) when the disk does not give them
   */
  readonly read: (maxBytes: number, skipUnreadable: boolean) => Promise<readonly ReadPack[]>;
  /**
   * It, and what is before it, need not be read again.
   * @param unreadableAt - the sequence number under which it waits where it cannot be read
   */
  readonly passed: (read: ReadPack, unreadableAt: number) => void;
  /** Whether the last group that can be read was whole when the log was opened. */
  readonly isWhole: () => boolean;
  /** Nothing of the packs up to the last that can be read is wanted: all that they have is settled. */
  readonly passAll: () => void;
  /**
   * Holds the packs against the spool before they are read. The group at the end that is not whole is left out, where the spool has all of its
   * records that are not settled still; of packs that are gone it becomes known how many records they had.
   * @param settledThrough - undefined where nobody knows
   */
  readonly meet: (
    spool: Pick<SegmentLog, 'firstSequence' | 'lastSequence'>,
    settledThrough: number | undefined,
  ) => void;
  /** Frees the room of packs that were read and whose group ends at or below. */
  readonly trim: (throughSequence: number) => Promise<void>;
  /** On disk, octets. */
  readonly sizeBytes: () => number;
}

/**
 * Opens packs on a log, whatever state a killed process left them in.
 * @param log - of them alone; its owner closes it, after the stream
 * @returns what createRecordStream takes
 * @throws HopbackError `storage-failed` (retryable) when the disk does not give the last one, or does not make durable what is in doubt
 */
export async function openPackedSpool(log: SegmentLog): Promise<PackedSpool> {
  // Of what a crash left in doubt nothing is read before it is durable: taken for lost it would be, and the spool has it no more.
  if (log.durableSequence < log.lastSequence) await log.flush();
  return createPackedSpool(log, await newestPack(log));
}

/** A pack, and where it stands in the log. */
interface PlacedPack extends Pack {
  readonly sequence: number;
}

/** The last pack that can be read, looked for backwards: behind it there may be some that a later release wrote. */
async function newestPack(log: SegmentLog): Promise<PlacedPack | undefined> {
  const { firstSequence, lastSequence } = log;
  for (let back = 0, from = lastSequence + 1; from > firstSequence; back = 2 * back + 1) {
    from = Math.max(firstSequence, lastSequence - back);
    // What the disk does not give now it may give to who reads on; what is behind it is in the spool, or is read in its turn.
    const found = await log.read(from).catch(() => log.read(from, { skipUnreadable: true }));
    for (const { sequence, payload } of found.toReversed()) {
      const pack = decodePack(payload);
      if (pack !== undefined) return { ...pack, sequence };
    }
  }
  return undefined;
}

/** A group that is not durable yet. */
interface PendingGroup {
  readonly group: PackGroup;
  /** Packs that the log has taken, and the place in the group of the first record of the next one. */
  taken: number;
  next: number;
}

/** Packs of a group that was abandoned, by their places in the log. */
interface LeftOut {
  readonly first: number;
  readonly last: number;
}

function createPackedSpool(log: SegmentLog, newest: PlacedPack | undefined): PackedSpool {
  let through = newest === undefined ? 0 : newest.isLast ? newest.groupLast : newest.groupFirst - 1;
  const throughAtOpen = through;
  /** Records of the packs up to the newest, and of the group at the end that is not whole. */
  const atOpen = newest === undefined ? 0 : newest.before + newest.count;
  const torn = newest === undefined || newest.isLast ? 0 : newest.first + newest.count - newest.groupFirst;
  let before = atOpen;
  /** Records of all packs up to `last`. */
  let beforeEnd = before;
  let meanBytes = newest === undefined ? 0 : newest.body.length / newest.count;
  /** Of packs: the next to read, and the last that counts. */
  let next = log.firstSequence;
  let last = log.lastSequence;
  let lost = 0;
  /** Records of the packs up to the one that was read last; undefined while none was read of those of an earlier life. */
  let expectedBefore: number | undefined = newest === undefined ? atOpen : undefined;
  /** As it was noted when the log was opened; undefined where nobody knows. */
  let settledBefore: number | undefined;
  let isTornLeftOut = false;
  /** Of those that were read: place in the log, and end of the group. */
  const passed: { readonly sequence: number; readonly groupLast: number }[] = [];

  let pending: PendingGroup | undefined;
  const abandoned: LeftOut[] = [];

  /** Appends what the log has not taken yet: none twice, however often it refuses. */
  const append = (waiting: PendingGroup): void => {
    const { group } = waiting;
    for (let pack = group.packs[waiting.taken]; pack !== undefined; pack = group.packs[waiting.taken]) {
      const place = { first: waiting.next, groupFirst: group.first, groupLast: group.last, before };
      const head: PackHead = { ...pack, ...place, isLast: waiting.taken === group.packs.length - 1 };
      const appended = log.append(encodePack(head, pack.body));
      if (!appended.accepted)
        throw new HopbackError('storage-failed', `packed records: the log is ${appended.reason}`, { retryable: true });
      waiting.taken += 1;
      waiting.next += pack.count;
      before += pack.count;
    }
  };
  const settle = async (): Promise<void> => {
    if (pending === undefined) return;
    append(pending);
    const { group } = pending;
    const sequence = log.lastSequence;
    await log.flush();
    pending = undefined;
    const bytes = group.packs.reduce((total, { body }) => total + body.length, 0);
    const count = group.packs.reduce((total, pack) => total + pack.count, 0);
    // Where all of its stretch is settled it has none.
    if (count > 0) meanBytes = bytes / count;
    through = group.last;
    last = sequence;
    beforeEnd = before;
  };

  const isLeftOut = (sequence: number, pack: Pack | undefined): boolean =>
    abandoned.some(({ first, last: end }) => sequence >= first && sequence <= end) ||
    (isTornLeftOut && sequence <= (newest?.sequence ?? 0) && pack?.groupFirst === newest?.groupFirst);

  /** Records of earlier lives up to a sequence number that are not noted as settled. */
  const unsettledThrough = (sequence: number): number =>
    Math.max(0, Math.min(sequence, throughAtOpen) - (settledBefore ?? Number.POSITIVE_INFINITY));

  /** Records of packs between the one that was read before and this one: no more than are not settled. */
  const missingBefore = ({ before: atPack, first, groupFirst, groupLast }: Pack, isInSpool: boolean): number => {
    if (groupLast <= (settledBefore ?? 0)) return 0;
    const ofGroup = first - groupFirst;
    const missing =
      expectedBefore === undefined ? ofGroup + unsettledThrough(groupFirst - 1) : Math.max(0, atPack - expectedBefore);
    // Of its own group the spool has them.
    return isInSpool ? Math.max(0, missing - ofGroup) : missing;
  };

  /** Packs up to the last are durable and not there: nothing behind them tells how many records they had. */
  const countMissingEnd = (): void => {
    const ofOthers = unsettledThrough(throughAtOpen) + (isTornLeftOut ? 0 : torn) + beforeEnd - atOpen;
    lost += expectedBefore === undefined ? ofOthers : Math.max(0, beforeEnd - expectedBefore);
    expectedBefore = beforeEnd;
  };

  /** Records behind the last whole group that are not settled and that a spool which begins there has no more. */
  const missingBehind = (firstSequence: number): number => {
    // For all that is known everything up to there was settled.
    const gone = firstSequence - 1 - Math.max(through, settledBefore ?? Number.POSITIVE_INFINITY);
    if (newest === undefined || newest.groupLast <= (settledBefore ?? 0)) return Math.max(0, gone);
    // All that the spool has of a torn group, and all that is settled of it, may be in its packs too.
    const { groupFirst, groupLast } = newest;
    const inSpool = Math.max(0, groupLast - firstSequence + 1);
    const ofSettled = Math.max(0, Math.min(settledBefore ?? 0, groupLast) - groupFirst + 1);
    const inBoth = Math.min(torn, inSpool + ofSettled);
    return Math.max(0, gone - (torn - inBoth));
  };

  return {
    through: () => through,
    hasUnread: () => next <= last,
    meanRecordBytes: () => meanBytes,
    lost: () => lost,
    add: async (group) => {
      pending = { group, taken: 0, next: group.first };
      await settle();
    },
    pending: () => pending?.group.first,
    retry: settle,
    abandon: () => {
      if (pending !== undefined)
        abandoned.push({ first: log.lastSequence - pending.taken + 1, last: log.lastSequence });
      pending = undefined;
    },
    read: async (maxBytes, skipUnreadable) => {
      // A group may be added meanwhile, which this does not look for.
      const end = last;
      const found = await log.read(next, { maxBytes, skipUnreadable });
      const read = found
        .filter(({ sequence }) => sequence <= end)
        .map(({ sequence, payload }) => {
          const pack = decodePack(payload);
          return { sequence, payload, pack, isLeftOut: isLeftOut(sequence, pack) };
        });
      // Durable and not there: lost with damaged blocks. Of a group that was added meanwhile the packs tell how many there were.
      if (read.length === 0) {
        if (end === last) countMissingEnd();
        next = end + 1;
      }
      return read;
    },
    passed: ({ sequence, pack, isLeftOut: isInSpool }, unreadableAt) => {
      next = sequence + 1;
      passed.push({ sequence, groupLast: pack?.groupLast ?? unreadableAt });
      if (pack === undefined) return;
      lost += missingBefore(pack, isInSpool);
      expectedBefore = pack.before + pack.count;
    },
    isWhole: () => newest?.isLast === true,
    passAll: () => {
      if (newest === undefined) return;
      next = newest.sequence + 1;
      expectedBefore = atOpen;
      passed.push({ sequence: newest.sequence, groupLast: through });
    },
    meet: ({ firstSequence, lastSequence }, settledThrough) => {
      settledBefore = settledThrough;
      lost += missingBehind(firstSequence);
      if (newest === undefined || newest.isLast) return;
      isTornLeftOut =
        firstSequence <= Math.max(newest.groupFirst, (settledThrough ?? 0) + 1) && lastSequence >= newest.groupLast;
    },
    trim: async (throughSequence) => {
      let sequence = 0;
      while (passed[0] !== undefined && passed[0].groupLast <= throughSequence)
        sequence = passed.shift()?.sequence ?? 0;
      if (sequence > 0) await log.trim(sequence);
    },
    sizeBytes: () => log.state().sizeBytes,
  };
}

/** Octets of one read: some batches. */
const READ_BYTES = 2 * 1_048_576;

/** Of packs, which are batches: as many. */
const READ_PACKED_BYTES = 262_144;

/** How long after a read that the disk refused it is tried again, milliseconds. */
export const READ_RETRY_MS = 1_000;

/** Refused reads in a row after which the block is taken for lost, and the records behind it go on: half a minute. */
export const READ_ATTEMPTS = 30;

/** Brings records from the spool into the lanes, in order: those that were packed first. */
export interface SpoolReader {
  /** The sequence number that is read next; while a group of packs is read, its first. */
  readonly nextSequence: () => number;
  /** The one that is read next of those that are not packed. */
  readonly spoolSequence: () => number;
  /** Records up to a sequence number that were not read, those that the log has lost among them. */
  readonly unread: (throughSequence: number) => number;
  /** Reads on, unless a read is on its way, nothing is there, or the disk has just refused. */
  readonly read: () => void;
  /** Whether records are being read that are not packed. */
  readonly isReadingSpool: () => boolean;
  /** Goes back to a sequence number of the spool, from where on it is read again. Not called while it is being read. */
  readonly rewind: (sequence: number) => void;
  /** When a refused read is tried again, monotonic milliseconds; Infinity where none is. */
  readonly dueAtMs: () => number;
  /** Leaves out what is at or below; of packs the groups that end there, when their turn comes. */
  readonly skipThrough: (sequence: number) => void;
  readonly skippedThrough: () => number;
  /** Records left out so. */
  readonly skipped: () => number;
  /** Waits for the read that is on its way. */
  readonly close: () => Promise<void>;
}

/** What a reader works with where records are packed. */
interface ReaderPacks {
  readonly packed: PackedSpool;
  /** Takes a pack; one that cannot be read under that sequence number. */
  readonly push: (read: ReadPack, unreadableAt: number) => Promise<void>;
  /** Whether nobody may read records that are not packed, since they are being packed. */
  readonly isSpoolTaken: () => boolean;
}

/** What a reader works with. */
interface SpoolReaderParts {
  readonly log: SegmentLog;
  readonly packs?: ReaderPacks;
  readonly clock: StreamClock;
  /** First to be read. */
  readonly fromSequence: number;
  /** Takes a record as spooled; the bytes are written over afterwards. */
  readonly push: (sequence: number, bytes: Uint8Array, start: number, end: number) => void;
  /** A read has ended, well or badly. */
  readonly onRead: () => void;
  readonly onFailed: () => void;
}

/** Makes the reader; it reads nothing until it is told to. */
export function createSpoolReader(parts: SpoolReaderParts): SpoolReader {
  const { log, packs, clock } = parts;
  const packed = packs?.packed;
  /** Next of what is not packed. */
  let next = parts.fromSequence;
  /** Next of what is, and how many of that group are read already. */
  let nextPacked = parts.fromSequence;
  let readOfGroup = 0;
  let group = 0;
  let reading: 'spool' | 'packed' | undefined;
  let ended: Promise<void> | undefined;
  let failures = 0;
  let notBeforeMs = 0;
  let skipped = 0;
  let skippedThrough = 0;
  let isClosed = false;

  const hasPacked = (): boolean => packed?.hasUnread() === true;
  const spoolSequence = (): number => Math.max(next, (packed?.through() ?? 0) + 1);
  /** Whether there is something that may be read now. */
  const hasMore = (): boolean =>
    hasPacked() || (spoolSequence() <= log.durableSequence && packs?.isSpoolTaken() !== true);
  const nextSequence = (): number => (hasPacked() || reading === 'packed' ? nextPacked : spoolSequence());

  const take = (sequence: number, bytes: Uint8Array, start: number, end: number): void => {
    if (isClosed || sequence < next) return;
    parts.push(sequence, bytes, start, end);
    // Only now: what there was no memory for is read again.
    next = sequence + 1;
  };
  const readSpool = async (skipUnreadable: boolean): Promise<void> => {
    const durable = log.durableSequence;
    next = spoolSequence();
    const from = next;
    const shown = await log.visit(from, take, { maxBytes: READ_BYTES, skipUnreadable });
    // Durable and not there: lost with a damaged block, which the log counts. Unless it was left out meanwhile: then it may be trimmed,
    // and what is behind it was not looked for.
    if (shown === 0 && next === from) next = Math.max(next, durable + 1);
    // What is packed from now on lies behind, unless it is taken back.
    nextPacked = next;
  };

  const takePack = async (pack: Pack, push: () => Promise<void>): Promise<void> => {
    // Of a group that was read in part from the spool, or whose records are known no more by their numbers, all go: the receiver knows those
    // that it has.
    if (pack.groupLast >= nextPacked && pack.groupLast > skippedThrough) await push();
    else if (pack.groupLast >= nextPacked) skipped += pack.count;
    nextPacked = Math.max(nextPacked, pack.isLast ? pack.groupLast + 1 : pack.groupFirst);
    if (pack.groupFirst !== group) readOfGroup = 0;
    group = pack.groupFirst;
    readOfGroup = pack.isLast ? 0 : readOfGroup + pack.count;
  };
  const readPacked = async ({ packed: from, push }: ReaderPacks, skipUnreadable: boolean): Promise<void> => {
    for (const read of await from.read(READ_PACKED_BYTES, skipUnreadable)) {
      if (isClosed) return;
      const at = Math.min(nextPacked, from.through());
      if (read.pack === undefined) await push(read, at);
      else if (!read.isLeftOut) await takePack(read.pack, () => push(read, at));
      from.passed(read, at);
    }
    if (from.hasUnread()) return;
    nextPacked = Math.max(nextPacked, from.through() + 1);
    readOfGroup = 0;
  };

  const readOn = async (): Promise<void> => {
    const skipUnreadable = failures >= READ_ATTEMPTS;
    try {
      await (packs !== undefined && reading === 'packed'
        ? readPacked(packs, skipUnreadable)
        : readSpool(skipUnreadable));
      failures = 0;
    } catch {
      failures += 1;
      notBeforeMs = clock.monotonicMs() + READ_RETRY_MS;
      parts.onFailed();
    }
    reading = undefined;
    parts.onRead();
  };

  return {
    nextSequence,
    spoolSequence,
    unread: (throughSequence) => Math.max(0, throughSequence - nextSequence() + 1 - readOfGroup),
    read: () => {
      if (isClosed || reading !== undefined || clock.monotonicMs() < notBeforeMs || !hasMore()) return;
      reading = hasPacked() ? 'packed' : 'spool';
      ended = readOn();
    },
    isReadingSpool: () => reading === 'spool',
    rewind: (sequence) => {
      next = nextPacked = sequence;
    },
    // While the spool is being packed none is due: whoever ends that calls.
    dueAtMs: () => (failures > 0 && reading === undefined && hasMore() ? notBeforeMs : Number.POSITIVE_INFINITY),
    skipThrough: (sequence) => {
      skippedThrough = Math.max(skippedThrough, sequence);
      const from = spoolSequence();
      skipped += Math.max(0, sequence - from + 1);
      next = Math.max(next, sequence + 1);
    },
    skippedThrough: () => skippedThrough,
    skipped: () => skipped,
    close: async () => {
      isClosed = true;
      await ended;
    },
  };
}
