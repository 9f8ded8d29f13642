import { Buffer } from 'node:buffer';
import { attempt } from '../../core/runtime/deadline.js';
import { membersOf } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import type { SegmentLog } from '../../log/index.js';
import type { RecordVisitor } from '../../log/segment-log.js';
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
  const value = membersOf(attempt((): unknown => JSON.parse(lineText(line))))[name];
  return typeof value === 'string' ? value : undefined;
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

/**
 * Opens packs on a log, whatever state a killed process left them in.
 * @param log - of them alone; its owner closes it, after the stream
 * @returns what createRecordStream takes
 * @throws HopbackError `storage-failed` (retryable) when the disk does not give the last one, or does not make durable what is in doubt
 */
export async function openPackedSpool(log: SegmentLog): Promise<PackedSpool> {
  // Of what a crash left in doubt nothing is read before it is durable: taken for lost it would be, and the spool has it no more.
  if (log.durableSequence < log.lastSequence) await log.flush();
  return new PackedSpool(log, await newestPack(log));
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

/** Records of the spool that were packed, in a log of their own; the spool need not have them any more. */
export class PackedSpool {
  readonly #log: SegmentLog;
  /** The last pack that could be read when the log was opened. */
  readonly #newest: PlacedPack | undefined;
  #through: number;
  /** Where packs ended at first; records of the packs up to the newest, and of the group at the end that is not whole. */
  readonly #atOpen: {
    readonly through: number;
    readonly records: number;
    readonly torn: number;
  };
  #before: number;
  /** Records of all packs up to `last`. */
  #beforeEnd: number;
  #meanBytes: number;
  /** Of packs: the next to read, and the last that counts. */
  #next: number;
  #last: number;
  #lost = 0;
  /** Records of the packs up to the one that was read last; undefined while none was read of those of an earlier life. */
  #expectedBefore: number | undefined;
  /** As it was noted when the log was opened; undefined where nobody knows. */
  #settledBefore: number | undefined;
  #isTornLeftOut = false;
  /** Of those that were read: place in the log, and end of the group. */
  readonly #passed: { readonly sequence: number; readonly groupLast: number }[] = [];
  #pending: PendingGroup | undefined;
  readonly #abandoned: LeftOut[] = [];

  constructor(log: SegmentLog, newest: PlacedPack | undefined) {
    this.#log = log;
    this.#newest = newest;
    this.#through = newest === undefined ? 0 : newest.isLast ? newest.groupLast : newest.groupFirst - 1;
    const records = newest === undefined ? 0 : newest.before + newest.count;
    const torn = newest === undefined || newest.isLast ? 0 : newest.first + newest.count - newest.groupFirst;
    this.#atOpen = { through: this.#through, records, torn };
    this.#before = this.#beforeEnd = records;
    this.#meanBytes = newest === undefined ? 0 : newest.body.length / newest.count;
    this.#next = log.firstSequence;
    this.#last = log.lastSequence;
    this.#expectedBefore = newest === undefined ? records : undefined;
  }

  /** Sequence number up to which the spool is packed, as far as that is durable; 0 where nothing is. */
  through(): number {
    return this.#through;
  }

  /** Whether some are there that have not been read. */
  hasUnread(): boolean {
    return this.#next <= this.#last;
  }

  /** Octets of a packed record, on the average of those that were seen last. */
  meanRecordBytes(): number {
    return this.#meanBytes;
  }

  /**
   * Records of packs that were durable and are gone: those at the end when the spool was met, others as far as packs behind them were read.
   * Of a group that is not whole, and of which the spool has a part, the most that it can be.
   */
  lost(): number {
    return this.#lost;
  }

  /**
   * Takes a group, and makes it durable: only then it counts.
   * @throws HopbackError `storage-failed` where the disk refuses: the group is {@link PackedSpool.pending} then
   */
  async add(group: PackGroup): Promise<void> {
    this.#pending = { group, taken: 0, next: group.first };
    await this.retry();
  }

  /** First sequence number of a group that the disk has refused so far; undefined where there is none. */
  pending(): number | undefined {
    return this.#pending?.group.first;
  }

  /**
   * Makes the pending group durable.
   * @throws as `add`
   */
  async retry(): Promise<void> {
    if (this.#pending === undefined) return;
    this.#append(this.#pending);
    const { group } = this.#pending;
    const sequence = this.#log.lastSequence;
    await this.#log.flush();
    this.#pending = undefined;
    const bytes = group.packs.reduce((total, { body }) => total + body.length, 0);
    const count = group.packs.reduce((total, pack) => total + pack.count, 0);
    // Where all of its stretch is settled it has none.
    if (count > 0) this.#meanBytes = bytes / count;
    this.#through = group.last;
    this.#last = sequence;
    this.#beforeEnd = this.#before;
  }

  /** Forgets the pending group, whose records are sent otherwise. The log may have it in the end: who opens it again sends them twice. */
  abandon(): void {
    const { lastSequence } = this.#log;
    if (this.#pending !== undefined)
      this.#abandoned.push({ first: lastSequence - this.#pending.taken + 1, last: lastSequence });
    this.#pending = undefined;
  }

  /**
   * Reads on, in order.
   * @throws HopbackError `storage-failed` (retryable) when the disk does not give them
   */
  async read(maxBytes: number, skipUnreadable: boolean): Promise<readonly ReadPack[]> {
    // A group may be added meanwhile, which this does not look for.
    const end = this.#last;
    const found = await this.#log.read(this.#next, { maxBytes, skipUnreadable });
    const read = found
      .filter(({ sequence }) => sequence <= end)
      .map(({ sequence, payload }) => {
        const pack = decodePack(payload);
        return { sequence, payload, pack, isLeftOut: this.#isLeftOut(sequence, pack) };
      });
    // Durable and not there: lost with damaged blocks. Of a group that was added meanwhile the packs tell how many there were.
    if (read.length === 0) {
      if (end === this.#last) this.#countMissingEnd();
      this.#next = end + 1;
    }
    return read;
  }

  /**
   * It, and what is before it, need not be read again.
   * @param unreadableAt - the sequence number under which it waits where it cannot be read
   */
  passed({ sequence, pack, isLeftOut }: ReadPack, unreadableAt: number): void {
    this.#next = sequence + 1;
    this.#passed.push({ sequence, groupLast: pack?.groupLast ?? unreadableAt });
    if (pack === undefined) return;
    this.#lost += this.#missingBefore(pack, isLeftOut);
    this.#expectedBefore = pack.before + pack.count;
  }

  /** Whether the last group that can be read was whole when the log was opened. */
  isWhole(): boolean {
    return this.#newest?.isLast === true;
  }

  /** Nothing of the packs up to the last that can be read is wanted: all that they have is settled. */
  passAll(): void {
    if (this.#newest === undefined) return;
    const { sequence } = this.#newest;
    this.#next = sequence + 1;
    this.#expectedBefore = this.#atOpen.records;
    this.#passed.push({ sequence, groupLast: this.#through });
  }

  /**
   * Holds the packs against the spool before they are read. The group at the end that is not whole is left out, where the spool has all of its
   * records that are not settled still; of packs that are gone it becomes known how many records they had.
   * @param settledThrough - undefined where nobody knows
   */
  meet(
    { firstSequence, lastSequence }: Pick<SegmentLog, 'firstSequence' | 'lastSequence'>,
    settledThrough: number | undefined,
  ): void {
    const newest = this.#newest;
    this.#settledBefore = settledThrough;
    this.#lost += this.#missingBehind(firstSequence);
    if (newest === undefined || newest.isLast) return;
    this.#isTornLeftOut =
      firstSequence <= Math.max(newest.groupFirst, (settledThrough ?? 0) + 1) && lastSequence >= newest.groupLast;
  }

  /** Frees the room of packs that were read and whose group ends at or below. */
  async trim(throughSequence: number): Promise<void> {
    let sequence = 0;
    while (this.#passed[0] !== undefined && this.#passed[0].groupLast <= throughSequence)
      sequence = this.#passed.shift()?.sequence ?? 0;
    if (sequence > 0) await this.#log.trim(sequence);
  }

  /** On disk, octets. */
  sizeBytes(): number {
    return this.#log.state().sizeBytes;
  }

  /** Appends what the log has not taken yet: none twice, however often it refuses. */
  #append(waiting: PendingGroup): void {
    const { group } = waiting;
    for (let pack = group.packs[waiting.taken]; pack !== undefined; pack = group.packs[waiting.taken]) {
      const place = { first: waiting.next, groupFirst: group.first, groupLast: group.last, before: this.#before };
      const head: PackHead = { ...pack, ...place, isLast: waiting.taken === group.packs.length - 1 };
      const appended = this.#log.append(encodePack(head, pack.body));
      if (!appended.accepted)
        throw new HopbackError('storage-failed', `packed records: the log is ${appended.reason}`, { retryable: true });
      waiting.taken += 1;
      waiting.next += pack.count;
      this.#before += pack.count;
    }
  }

  #isLeftOut(sequence: number, pack: Pack | undefined): boolean {
    const newest = this.#newest;
    return (
      this.#abandoned.some(({ first, last }) => sequence >= first && sequence <= last) ||
      (this.#isTornLeftOut && sequence <= (newest?.sequence ?? 0) && pack?.groupFirst === newest?.groupFirst)
    );
  }

  /** Records of earlier lives up to a sequence number that are not noted as settled. */
  #unsettledThrough(sequence: number): number {
    return Math.max(0, Math.min(sequence, this.#atOpen.through) - (this.#settledBefore ?? Number.POSITIVE_INFINITY));
  }

  /** Records of packs between the one that was read before and this one: no more than are not settled. */
  #missingBefore({ before, first, groupFirst, groupLast }: Pack, isInSpool: boolean): number {
    if (groupLast <= (this.#settledBefore ?? 0)) return 0;
    const ofGroup = first - groupFirst;
    const missing =
      this.#expectedBefore === undefined
        ? ofGroup + this.#unsettledThrough(groupFirst - 1)
        : Math.max(0, before - this.#expectedBefore);
    // Of its own group the spool has them.
    return isInSpool ? Math.max(0, missing - ofGroup) : missing;
  }

  /** Packs up to the last are durable and not there: nothing behind them tells how many records they had. */
  #countMissingEnd(): void {
    const { through, records, torn } = this.#atOpen;
    const ofOthers = this.#unsettledThrough(through) + (this.#isTornLeftOut ? 0 : torn) + this.#beforeEnd - records;
    this.#lost += this.#expectedBefore === undefined ? ofOthers : Math.max(0, this.#beforeEnd - this.#expectedBefore);
    this.#expectedBefore = this.#beforeEnd;
  }

  /** Records behind the last whole group that are not settled and that a spool which begins there has no more. */
  #missingBehind(firstSequence: number): number {
    // For all that is known everything up to there was settled.
    const gone = firstSequence - 1 - Math.max(this.#through, this.#settledBefore ?? Number.POSITIVE_INFINITY);
    const settledBefore = this.#settledBefore ?? 0;
    if (this.#newest === undefined || this.#newest.groupLast <= settledBefore) return Math.max(0, gone);
    // All that the spool has of a torn group, and all that is settled of it, may be in its packs too.
    const { groupFirst, groupLast } = this.#newest;
    const inSpool = Math.max(0, groupLast - firstSequence + 1);
    const ofSettled = Math.max(0, Math.min(settledBefore, groupLast) - groupFirst + 1);
    const { torn } = this.#atOpen;
    const inBoth = Math.min(torn, inSpool + ofSettled);
    return Math.max(0, gone - (torn - inBoth));
  }
}

/** Octets of one read: some batches. */
const READ_BYTES = 2 * 1_048_576;

/** Of packs, which are batches: as many. */
const READ_PACKED_BYTES = 262_144;

/** How long after a read that the disk refused it is tried again, milliseconds. */
export const READ_RETRY_MS = 1_000;

/** Refused reads in a row after which the block is taken for lost, and the records behind it go on: half a minute. */
export const READ_ATTEMPTS = 30;

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

/** Brings records from the spool into the lanes, in order: those that were packed first. It reads nothing until it is told to. */
export class SpoolReader {
  readonly #parts: SpoolReaderParts;
  /** Next of what is not packed. */
  #next: number;
  /** Next of what is, and how many of that group are read already. */
  #nextPacked: number;
  #readOfGroup = 0;
  #group = 0;
  #reading: 'spool' | 'packed' | undefined;
  #ended: Promise<void> | undefined;
  #failures = 0;
  #notBeforeMs = 0;
  #skipped = 0;
  #skippedThrough = 0;
  #isClosed = false;

  constructor(parts: SpoolReaderParts) {
    this.#parts = parts;
    this.#next = this.#nextPacked = parts.fromSequence;
  }

  /** The sequence number that is read next; while a group of packs is read, its first. */
  nextSequence(): number {
    return this.#hasPacked() || this.#reading === 'packed' ? this.#nextPacked : this.spoolSequence();
  }

  /** The one that is read next of those that are not packed. */
  spoolSequence(): number {
    return Math.max(this.#next, (this.#parts.packs?.packed.through() ?? 0) + 1);
  }

  /** Records up to a sequence number that were not read, those that the log has lost among them. */
  unread(throughSequence: number): number {
    return Math.max(0, throughSequence - this.nextSequence() + 1 - this.#readOfGroup);
  }

  /** Reads on, unless a read is on its way, nothing is there, or the disk has just refused. */
  read(): void {
    const isEarly = this.#parts.clock.monotonicMs() < this.#notBeforeMs;
    if (this.#isClosed || this.#reading !== undefined || isEarly || !this.#hasMore()) return;
    this.#reading = this.#hasPacked() ? 'packed' : 'spool';
    this.#ended = this.#readOn();
  }

  /** Whether records are being read that are not packed. */
  isReadingSpool(): boolean {
    return this.#reading === 'spool';
  }

  /** Goes back to a sequence number of the spool, from where on it is read again. Not called while it is being read. */
  rewind(sequence: number): void {
    this.#next = this.#nextPacked = sequence;
  }

  /** When a refused read is tried again, monotonic milliseconds; Infinity where none is. */
  dueAtMs(): number {
    // While the spool is being packed none is due: whoever ends that calls.
    const isDue = this.#failures > 0 && this.#reading === undefined && this.#hasMore();
    return isDue ? this.#notBeforeMs : Number.POSITIVE_INFINITY;
  }

  /** Leaves out what is at or below; of packs the groups that end there, when their turn comes. */
  skipThrough(sequence: number): void {
    this.#skippedThrough = Math.max(this.#skippedThrough, sequence);
    this.#skipped += Math.max(0, sequence - this.spoolSequence() + 1);
    this.#next = Math.max(this.#next, sequence + 1);
  }

  skippedThrough(): number {
    return this.#skippedThrough;
  }

  /** Records left out so. */
  skipped(): number {
    return this.#skipped;
  }

  /** Waits for the read that is on its way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#ended;
  }

  #hasPacked(): boolean {
    return this.#parts.packs?.packed.hasUnread() === true;
  }

  /** Whether there is something that may be read now. */
  #hasMore(): boolean {
    const { log, packs } = this.#parts;
    return this.#hasPacked() || (this.spoolSequence() <= log.durableSequence && packs?.isSpoolTaken() !== true);
  }

  async #readOn(): Promise<void> {
    const { packs, clock, onFailed, onRead } = this.#parts;
    const skipUnreadable = this.#failures >= READ_ATTEMPTS;
    try {
      await (packs !== undefined && this.#reading === 'packed'
        ? this.#readPacked(packs, skipUnreadable)
        : this.#readSpool(skipUnreadable));
      this.#failures = 0;
    } catch {
      this.#failures += 1;
      this.#notBeforeMs = clock.monotonicMs() + READ_RETRY_MS;
      onFailed();
    }
    this.#reading = undefined;
    onRead();
  }

  async #readSpool(skipUnreadable: boolean): Promise<void> {
    const { log } = this.#parts;
    const durable = log.durableSequence;
    const from = this.spoolSequence();
    this.#next = from;
    const shown = await log.visit(from, this.#take, { maxBytes: READ_BYTES, skipUnreadable });
    // Durable and not there: lost with a damaged block, which the log counts. Unless it was left out meanwhile: then it may be trimmed,
    // and what is behind it was not looked for.
    if (shown === 0 && this.#next === from) this.#next = Math.max(this.#next, durable + 1);
    // What is packed from now on lies behind, unless it is taken back.
    this.#nextPacked = this.#next;
  }

  readonly #take: RecordVisitor = (sequence, bytes, start, end) => {
    if (this.#isClosed || sequence < this.#next) return;
    this.#parts.push(sequence, bytes, start, end);
    // Only now: what there was no memory for is read again.
    this.#next = sequence + 1;
  };

  async #readPacked({ packed, push }: ReaderPacks, skipUnreadable: boolean): Promise<void> {
    for (const read of await packed.read(READ_PACKED_BYTES, skipUnreadable)) {
      if (this.#isClosed) return;
      const at = Math.min(this.#nextPacked, packed.through());
      if (read.pack === undefined) await push(read, at);
      else if (!read.isLeftOut) await this.#takePack(read.pack, () => push(read, at));
      packed.passed(read, at);
    }
    if (packed.hasUnread()) return;
    this.#nextPacked = Math.max(this.#nextPacked, packed.through() + 1);
    this.#readOfGroup = 0;
  }

  async #takePack(pack: Pack, push: () => Promise<void>): Promise<void> {
    // Of a group that was read in part from the spool, or whose records are known no more by their numbers, all go: the receiver knows those
    // that it has.
    if (pack.groupLast >= this.#nextPacked && pack.groupLast > this.#skippedThrough) await push();
    else if (pack.groupLast >= this.#nextPacked) this.#skipped += pack.count;
    this.#nextPacked = Math.max(this.#nextPacked, pack.isLast ? pack.groupLast + 1 : pack.groupFirst);
    if (pack.groupFirst !== this.#group) this.#readOfGroup = 0;
    this.#group = pack.groupFirst;
    this.#readOfGroup = pack.isLast ? 0 : this.#readOfGroup + pack.count;
  }
}
