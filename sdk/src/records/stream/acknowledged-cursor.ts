import type { DurableValues } from './dead-letters.js';
import type { SegmentLog } from '../../log/index.js';
import { ACKNOWLEDGED_KEY } from './dead-letters.js';
import type { Delivery } from './delivery.js';
import type { PackedSpool, SpoolReader } from './packed-spool.js';
import type { StreamClock, StreamPolicy, StreamTime } from './stream-policy.js';

/** How often the position is written at most: what a killed process repeats, against a sync of the disk each. */
export const CURSOR_INTERVAL_MS = 250;

/** What the cursor works with. */
interface CursorParts {
  readonly values: DurableValues;
  readonly clock: StreamClock;
  /** Frees the spool. */
  readonly trim: (throughSequence: number) => Promise<void>;
  /** The disk refused; the next position is another try, and a lost one only makes the stream repeat itself. */
  readonly onFailed: (error: unknown) => void;
  /** Where the stream begins. */
  readonly from: number;
  /** What is kept is another position, of a spool that is no more: it must go before the new spool has come as far. */
  readonly isStale: boolean;
}

/** Makes the cursor; it writes one position at a time, the newest. */
export function createAcknowledgedCursor(parts: CursorParts) {
  const { values, clock, trim, onFailed, from } = parts;
  let wanted = from;
  let written = from;
  /** What the disk has, of what this one wrote. */
  let kept = -1;
  let writing: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;
  let isClosed = false;
  let notBeforeMs = 0;

  const write = async (): Promise<void> => {
    const sequence = wanted;
    notBeforeMs = clock.monotonicMs() + CURSOR_INTERVAL_MS;
    try {
      await values.set(ACKNOWLEDGED_KEY, String(sequence));
      kept = sequence;
      await trim(sequence);
    } catch (error) {
      onFailed(error);
    }
    written = Math.max(written, sequence);
  };
  const begin = async (): Promise<void> => {
    writing = write().then(() => {
      writing = undefined;
      wait();
    });
    await writing;
  };
  const wait = (): void => {
    if (isClosed || writing !== undefined || cancelTimer !== undefined || wanted <= written) return;
    const delayMs = Math.max(0, notBeforeMs - clock.monotonicMs());
    cancelTimer = clock.schedule(() => {
      cancelTimer = undefined;
      void begin();
    }, delayMs);
  };

  if (parts.isStale) void begin();
  return {
    /** Everything up to it is settled. */
    advance: (sequence: number) => {
      if (sequence <= wanted) return;
      wanted = sequence;
      wait();
    },
    /** Writes the position without waiting for its turn. @returns whether the disk took it */
    keep: async (): Promise<boolean> => {
      const sequence = wanted;
      await writing;
      if (kept < sequence) {
        cancelTimer?.();
        cancelTimer = undefined;
        await begin();
      }
      return kept >= sequence;
    },
    /** Writes the position without waiting for its turn. Never rejects. */
    close: async () => {
      isClosed = true;
      cancelTimer?.();
      cancelTimer = undefined;
      await writing;
      if (wanted > written) await write();
    },
  };
}

/** Up to where everything is settled: lanes settle out of turn, the spool is freed and the position kept in order. */
type Watermark = ReturnType<typeof createWatermark>;

interface Waiter {
  readonly sequence: number;
  readonly end: (isReached: boolean) => void;
}

/** Begins at `from`. */
export function createWatermark(parts: {
  readonly from: number;
  readonly delivery: Pick<Delivery, 'floorSequence'>;
  readonly reader: Pick<SpoolReader, 'nextSequence'>;
}) {
  let sequence = parts.from;
  let isClosed = false;
  const waiters = new Set<Waiter>();

  const endWaiters = (): void => {
    for (const waiter of waiters) if (waiter.sequence <= sequence || isClosed) waiter.end(waiter.sequence <= sequence);
  };

  return {
    sequence: () => sequence,
    /**
     * Looks how far it is now.
     * @returns whether that is further than before
     */
    advance: () => {
      const now = Math.min(parts.delivery.floorSequence(), parts.reader.nextSequence()) - 1;
      if (now <= sequence) return false;
      sequence = now;
      endWaiters();
      return true;
    },
    /**
     * Waits until it is so far.
     * @returns false when time was up, or `close` was called, before
     */
    reached: (
      wanted: number,
      { clock, timeoutMs }: { readonly clock: StreamClock; readonly timeoutMs?: number },
    ): Promise<boolean> => {
      if (wanted <= sequence || isClosed) return Promise.resolve(wanted <= sequence);
      return new Promise((resolve) => {
        const waiter: Waiter = {
          sequence: wanted,
          end: (isReached) => {
            cancel?.();
            waiters.delete(waiter);
            resolve(isReached);
          },
        };
        const cancel = timeoutMs === undefined ? undefined : clock.schedule(() => waiter.end(false), timeoutMs);
        waiters.add(waiter);
      });
    },
    close: () => {
      isClosed = true;
      endWaiters();
    },
  };
}

/** Part of the limit that is left when records are dropped, so that it is not done for every single one. */
const KEPT_WHEN_DROPPING = 0.95;

/** What the limits are held against. */
interface SpoolLimitsParts {
  readonly log: SegmentLog;
  readonly packed: PackedSpool | undefined;
  readonly policy: StreamPolicy;
  readonly time: StreamTime;
  readonly delivery: Pick<Delivery, 'oldest' | 'dropThrough'>;
  readonly reader: Pick<SpoolReader, 'skipThrough' | 'skipped'>;
  readonly watermark: Pick<Watermark, 'sequence'>;
  /** Whether a stretch of the spool is being packed: nothing of it is given up then. */
  readonly isPacking: () => boolean;
}

/** Makes them; the octets that wait are reckoned from the mean of all records in the log, and of packed ones, since most are not read yet. */
export function createSpoolLimits(parts: SpoolLimitsParts) {
  const { log, packed, policy, time, delivery, reader, watermark } = parts;
  let dropped = 0;
  let meanBytes = meanRecordBytes(log);

  /** Records of the packs that wait, whose octets are fewer. */
  const waitingPacked = (): number =>
    Math.max(0, Math.min(packed?.through() ?? 0, log.lastSequence) - watermark.sequence());
  const waitingBytes = (): number => {
    const count = waitingPacked();
    const packedBytes = count === 0 ? 0 : count * (packed?.meanRecordBytes() ?? 0);
    return packedBytes + (log.lastSequence - watermark.sequence() - count) * meanBytes;
  };
  /** Up to where records are given up, so that so many octets are less. */
  const sequenceBehind = (bytes: number): number => {
    const count = waitingPacked();
    const packedBytes = count * (packed?.meanRecordBytes() ?? 0);
    return bytes < packedBytes
      ? watermark.sequence() + Math.ceil((count * bytes) / packedBytes)
      : watermark.sequence() + count + Math.ceil((bytes - packedBytes) / meanBytes);
  };
  const isTooOld = (): boolean => {
    const oldest = delivery.oldest();
    return oldest !== undefined && time.nowMs() - oldest.headAcceptedAtMs() > policy.maxSpoolAgeMs;
  };
  const dropThrough = (sequence: number): void => {
    dropped += delivery.dropThrough(sequence);
    // What has not been read is left out unread.
    reader.skipThrough(sequence);
  };

  return {
    /** Why no record may be added now; undefined where one may. Cheap: it is asked for every record. */
    refusal: (): 'spool-full' | 'spool-too-old' | undefined => {
      if (policy.dropPolicy === 'drop-oldest') return undefined;
      if (waitingBytes() >= policy.maxSpoolBytes) return 'spool-full';
      return isTooOld() ? 'spool-too-old' : undefined;
    },
    /** Gives up the oldest, where that is the policy and a limit is passed. */
    enforce: () => {
      if (policy.dropPolicy !== 'drop-oldest' || parts.isPacking()) return;
      const bytes = waitingBytes();
      if (bytes > policy.maxSpoolBytes)
        dropThrough(Math.min(log.durableSequence, sequenceBehind(bytes - policy.maxSpoolBytes * KEPT_WHEN_DROPPING)));
      for (let oldest = delivery.oldest(); oldest !== undefined && isTooOld(); oldest = delivery.oldest()) {
        const before = dropped;
        dropThrough(oldest.headSequence());
        // Being sent this moment: it is not given up while it may arrive.
        if (dropped === before) return;
      }
    },
    /** Octets of the records that wait unpacked from a sequence number on, as far as they are durable. */
    unpackedBytes: (fromSequence: number) => (log.durableSequence - fromSequence + 1) * meanBytes,
    /** Records given up. */
    dropped: () => dropped + reader.skipped(),
    /** Something has come to be on disk: sizes have changed. */
    onDurable: () => {
      meanBytes = meanRecordBytes(log);
    },
  };
}

/** At least 1, so that nothing is divided by none. */
function meanRecordBytes(log: SegmentLog): number {
  const { firstSequence, durableSequence, sizeBytes } = log.state();
  return Math.max(1, sizeBytes / Math.max(1, durableSequence - firstSequence + 1));
}
