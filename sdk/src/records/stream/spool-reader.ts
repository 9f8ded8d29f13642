import type { SegmentLog } from '../../log/index.js';
import type { StreamClock } from './stream-clock.js';

/** Octets of one read: some batches. */
const READ_BYTES = 2 * 1_048_576;

/** How long after a read that the disk refused it is tried again, milliseconds. */
const READ_RETRY_MS = 1_000;

/** Refused reads in a row after which the block is taken for lost, and the records behind it go on: half a minute. */
const READ_ATTEMPTS = 30;

/** Brings records from the spool into the lanes, in order. */
export interface SpoolReader {
  /** The sequence number that is read next. */
  readonly nextSequence: () => number;
  /** Reads on, unless a read is on its way, nothing is there, or the disk has just refused. */
  readonly read: () => void;
  /** When a refused read is tried again, monotonic milliseconds; Infinity where none is. */
  readonly dueAtMs: () => number;
  /** Leaves out what is at or below. */
  readonly skipThrough: (sequence: number) => void;
  /** Waits for the read that is on its way. */
  readonly close: () => Promise<void>;
}

/** What a reader works with. */
export interface SpoolReaderParts {
  readonly log: SegmentLog;
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
  const { log, clock } = parts;
  let next = parts.fromSequence;
  let reading: Promise<void> | undefined;
  let failures = 0;
  let notBeforeMs = 0;
  let isClosed = false;

  const take = (sequence: number, bytes: Uint8Array, start: number, end: number): void => {
    if (isClosed || sequence < next) return;
    parts.push(sequence, bytes, start, end);
    // Only now: what there was no memory for is read again.
    next = sequence + 1;
  };

  const readOn = async (): Promise<void> => {
    const durable = log.durableSequence;
    const from = next;
    try {
      const limits = { maxBytes: READ_BYTES, skipUnreadable: failures >= READ_ATTEMPTS };
      const shown = await log.visit(from, take, limits);
      failures = 0;
      // Durable and not there: lost with a damaged block, which the log counts. Unless it was left out meanwhile: then it may be trimmed,
      // and what is behind it was not looked for.
      if (shown === 0 && next === from) next = Math.max(next, durable + 1);
    } catch {
      failures += 1;
      notBeforeMs = clock.monotonicMs() + READ_RETRY_MS;
      parts.onFailed();
    }
    reading = undefined;
    parts.onRead();
  };

  return {
    nextSequence: () => next,
    read: () => {
      if (isClosed || reading !== undefined || next > log.durableSequence || clock.monotonicMs() < notBeforeMs) return;
      reading = readOn();
    },
    dueAtMs: () => (failures > 0 && reading === undefined ? notBeforeMs : Number.POSITIVE_INFINITY),
    skipThrough: (sequence) => {
      next = Math.max(next, sequence + 1);
    },
    close: async () => {
      isClosed = true;
      await reading;
    },
  };
}
