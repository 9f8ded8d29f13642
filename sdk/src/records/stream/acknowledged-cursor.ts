import type { DurableValues } from '../durable-values.js';
import { ACKNOWLEDGED_KEY } from './kept-sequence.js';
import type { StreamClock } from './stream-clock.js';

/** How often the position is written at most: what a killed process repeats, against a sync of the disk each. */
export const CURSOR_INTERVAL_MS = 250;

/** Keeps how far the receiver has acknowledged, and frees the spool up to there. */
export interface AcknowledgedCursor {
  /** Everything up to it is settled. */
  readonly advance: (sequence: number) => void;
  /** Writes the position without waiting for its turn. @returns whether the disk took it */
  readonly keep: () => Promise<boolean>;
  /** Writes the position without waiting for its turn. Never rejects. */
  readonly close: () => Promise<void>;
}

/** What the cursor works with. */
export interface CursorParts {
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
export function createAcknowledgedCursor(parts: CursorParts): AcknowledgedCursor {
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
    advance: (sequence) => {
      if (sequence <= wanted) return;
      wanted = sequence;
      wait();
    },
    keep: async () => {
      const sequence = wanted;
      await writing;
      if (kept < sequence) {
        cancelTimer?.();
        cancelTimer = undefined;
        await begin();
      }
      return kept >= sequence;
    },
    close: async () => {
      isClosed = true;
      cancelTimer?.();
      cancelTimer = undefined;
      await writing;
      if (wanted > written) await write();
    },
  };
}
