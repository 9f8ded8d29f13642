/** A record that was read from the spool and is not settled. */
export interface QueuedRecord {
  readonly sequence: number;
  /** As spooled. */
  readonly frame: Uint8Array;
  /** Whether this release can read the frame; others are put aside unsent. */
  readonly isReadable: boolean;
  /** When it was accepted, milliseconds since the epoch by the clock of the stream. */
  readonly acceptedAtMs: number;
  /** When it was read, monotonic milliseconds. */
  readonly queuedAtMs: number;
}

/**
 * The records of some of the calls, in order, of which one batch is on its way at a time: a call has all its records in one lane, so
 * that none overtakes another, and a batch that fails holds up no other lane.
 */
export interface Lane {
  readonly size: () => number;
  readonly sizeBytes: () => number;
  readonly head: () => QueuedRecord | undefined;
  readonly push: (record: QueuedRecord) => void;
  /** Records at the head that make the next batch: after a split the part that is next, else as many as fit. */
  readonly cut: (limits: { readonly records: number; readonly bytes: number }) => readonly QueuedRecord[];
  /** Takes away so many records at the head, which are settled. */
  readonly settle: (count: number) => void;
  /** The batch of so many records was refused: its halves come next, each a batch of its own. */
  readonly split: (count: number) => void;
  /** Whether the next batch is part of one that was refused. */
  readonly isSplit: () => boolean;
  /**
   * Gives up the records up to a sequence number.
   * @returns how many
   */
  readonly dropThrough: (sequence: number) => number;
}

/** Settled records at the front of the array that are worth moving the others for. */
const COMPACT_RECORDS = 1_024;

/** Makes an empty lane. Pure: it holds records and no timer. */
export function createLane(): Lane {
  const records: QueuedRecord[] = [];
  let first = 0;
  let sizeBytes = 0;
  /** Sizes of the parts of a refused batch, the next one last. */
  let parts: number[] = [];

  const size = (): number => records.length - first;
  const remove = (count: number): void => {
    const end = first + count;
    for (let index = first; index < end; index += 1) sizeBytes -= records[index]?.frame.length ?? 0;
    first = end;
    if (first === records.length || first >= COMPACT_RECORDS) {
      records.splice(0, first);
      first = 0;
    }
  };

  return {
    size,
    sizeBytes: () => sizeBytes,
    head: () => records[first],
    push: (record) => {
      records.push(record);
      sizeBytes += record.frame.length;
    },
    cut: ({ records: most, bytes }) => {
      const end = first + Math.min(parts.at(-1) ?? most, size());
      let taken = 0;
      let index = first;
      while (index < end) {
        const record = records[index];
        if (record === undefined) break;
        taken += record.frame.length;
        // The first goes in any case; an unreadable one goes alone.
        if (index > first && (taken > bytes || !record.isReadable)) break;
        index += 1;
        if (!record.isReadable) break;
      }
      return records.slice(first, index);
    },
    settle: (count) => {
      remove(count);
      const part = parts.pop();
      if (part !== undefined && part > count) parts.push(part - count);
    },
    split: (count) => {
      const part = parts.pop() ?? count;
      if (part > count) parts.push(part - count);
      const half = Math.ceil(count / 2);
      parts.push(count - half, half);
    },
    isSplit: () => parts.length > 0,
    dropThrough: (sequence) => {
      let count = 0;
      while (count < size() && (records[first + count]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) count += 1;
      if (count === 0) return 0;
      parts = [];
      remove(count);
      return count;
    },
  };
}
