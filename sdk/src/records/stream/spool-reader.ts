import type { SegmentLog } from '../../log/index.js';
import type { Pack } from './pack.js';
import type { PackedSpool, ReadPack } from './packed-spool.js';
import type { StreamClock } from './stream-clock.js';

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
export interface SpoolReaderParts {
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
