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
}

/** Records of the spool that were packed, in a log of their own; the spool need not have them any more. */
export interface PackedSpool {
  /** Sequence number up to which the spool is packed, as far as that is durable; 0 where nothing is. */
  readonly through: () => number;
  /** Whether some are there that have not been read. */
  readonly hasUnread: () => boolean;
  /** Octets of a packed record, on the average of those that were seen last. */
  readonly meanRecordBytes: () => number;
  /** Records of packs that were durable and are gone, as far as packs behind them were read. */
  readonly lost: () => number;
  /**
   * Records that are neither settled nor packed, and that a spool which begins with that sequence number has no more: those of packs at the
   * end that are gone.
   */
  readonly lostBefore: (firstSequence: number, settledThrough: number) => number;
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
  /** Forgets the pending group, whose records were sent otherwise. The log may have it in the end: then they are sent twice. */
  readonly abandon: () => void;
  /**
   * Reads on, in order.
   * @throws HopbackError `storage-failed` (retryable) when the disk does not give them
   */
  readonly read: (maxBytes: number, skipUnreadable: boolean) => Promise<readonly ReadPack[]>;
  /** It, and what is before it, need not be read again. */
  readonly passed: (read: ReadPack) => void;
  /** Nothing of it is wanted: all that it has is settled. */
  readonly passAll: () => void;
  /** Frees the room of packs that were read and whose group ends at or below. */
  readonly trim: (throughSequence: number) => Promise<void>;
  /** On disk, octets. */
  readonly sizeBytes: () => number;
}

/**
 * Opens packs on a log, whatever state a killed process left them in.
 * @param log - of them alone; its owner closes it, after the stream
 * @returns what createRecordStream takes
 * @throws HopbackError `storage-failed` (retryable) when the disk does not give the last one
 */
export async function openPackedSpool(log: SegmentLog): Promise<PackedSpool> {
  return createPackedSpool(log, await newestPack(log));
}

/** The last pack that can be read, looked for backwards. */
async function newestPack(log: SegmentLog): Promise<Pack | undefined> {
  const { firstSequence, lastSequence } = log;
  for (let back = 0; lastSequence - back >= firstSequence; back = 2 * back + 1) {
    const last = (await log.read(lastSequence - back)).at(-1);
    const pack = last === undefined ? undefined : decodePack(last.payload);
    if (pack !== undefined) return pack;
  }
  return undefined;
}

function createPackedSpool(log: SegmentLog, newest: Pack | undefined): PackedSpool {
  let through = newest === undefined ? 0 : newest.isLast ? newest.groupLast : newest.groupFirst - 1;
  let before = newest === undefined ? 0 : newest.before + newest.count;
  let meanBytes = newest === undefined ? 0 : newest.body.length / newest.count;
  /** Of packs: the next to read, and the last that counts. */
  let next = log.firstSequence;
  let last = log.lastSequence;
  let lost = 0;
  let expectedBefore: number | undefined;
  /** Of those that were read: place in the log, and end of the group. */
  const passed: { readonly sequence: number; readonly groupLast: number }[] = [];

  let pending: { readonly group: PackGroup; readonly sequence: number } | undefined;

  const append = (group: PackGroup): void => {
    let first = group.first;
    for (const [index, pack] of group.packs.entries()) {
      const place = { first, groupFirst: group.first, groupLast: group.last, before };
      const head: PackHead = { ...pack, ...place, isLast: index === group.packs.length - 1 };
      const appended = log.append(encodePack(head, pack.body));
      if (!appended.accepted)
        throw new HopbackError('storage-failed', `packed records: the log is ${appended.reason}`, { retryable: true });
      first += pack.count;
      before += pack.count;
    }
    pending = { group, sequence: log.lastSequence };
  };
  const settle = async (): Promise<void> => {
    if (pending === undefined) return;
    const { group, sequence } = pending;
    await log.flush();
    pending = undefined;
    const bytes = group.packs.reduce((total, { body }) => total + body.length, 0);
    meanBytes = bytes / group.packs.reduce((total, { count }) => total + count, 0);
    through = group.last;
    last = sequence;
  };

  return {
    through: () => through,
    hasUnread: () => next <= last,
    meanRecordBytes: () => meanBytes,
    lost: () => lost,
    lostBefore: (firstSequence, settledThrough) => {
      if (log.lastSequence < log.firstSequence) return 0;
      const torn = newest === undefined || newest.isLast ? 0 : newest.first + newest.count - newest.groupFirst;
      return Math.max(0, firstSequence - 1 - Math.max(through, settledThrough) - torn);
    },
    add: async (group) => {
      append(group);
      await settle();
    },
    pending: () => pending?.group.first,
    retry: settle,
    abandon: () => {
      pending = undefined;
    },
    read: async (maxBytes, skipUnreadable) => {
      const found = await log.read(next, { maxBytes, skipUnreadable });
      const read = found
        .filter(({ sequence }) => sequence <= last)
        .map(({ sequence, payload }) => ({ sequence, payload, pack: decodePack(payload) }));
      // Durable and not there: lost with damaged blocks.
      if (read.length === 0) next = last + 1;
      return read;
    },
    passed: ({ sequence, pack }) => {
      next = sequence + 1;
      passed.push({ sequence, groupLast: pack?.groupLast ?? 0 });
      if (pack === undefined) return;
      // Of the first that is read it is known where its group begins.
      lost += Math.max(0, pack.before - (expectedBefore ?? pack.before - (pack.first - pack.groupFirst)));
      expectedBefore = pack.before + pack.count;
    },
    passAll: () => {
      next = last + 1;
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
