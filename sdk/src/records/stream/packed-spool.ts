import type { SegmentLog } from '../../log/index.js';
import { HopbackError } from '../../errors.js';
import { decodePack, encodePack, type Pack, type PackHead } from './pack.js';

/** A pack as it is handed in: where it stands is added. */
export type NewPack = Omit<Pack, 'isLast' | 'first' | 'groupFirst' | 'groupLast' | 'before'>;

/** Packs of a stretch of the spool. */
export interface PackGroup {
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
