import { isHopbackError } from '@hopback/sdk/errors';
import type { TimerClock } from '@hopback/sdk/platform';
import type { PlatformLog } from '../core/index.js';
import type { JournalEntry, RecordJournal } from './record-journal.js';

/** Milliseconds after which what failed is tried again: a disk that is full is seen to by people. */
const RETRY_MS = 1_000;
/**
 * Milliseconds between two marks of how far somebody has got. After a crash what lies between is done again, which does no harm; a mark is
 * a sync of the disk.
 */
const MARK_MS = 500;

/** Who follows the journal. */
export interface FollowerOptions {
  readonly journal: RecordJournal;
  /** Of the mark. */
  readonly name: string;
  readonly clock: TimerClock;
  readonly log: PlatformLog;
  /** How far it may go. */
  readonly limit: () => number;
  /** Where it begins when there is no mark. */
  readonly first: number;
  /** Does what is to be done about a batch; again where any of those given at once rejected. */
  readonly work: (entry: JournalEntry) => Promise<void> | void;
  /** Resolves when what was done outlives a crash. */
  readonly settled?: (() => Promise<void>) | undefined;
  readonly onProgress: () => void;
}

/** Goes through the journal batch by batch, at least once, also after a crash. */
export interface Follower {
  /** Place of the last batch that was done. */
  readonly position: () => number;
  /** Place up to which nothing is done again after a crash. */
  readonly marked: () => number;
  readonly isFailing: () => boolean;
  /** Something may be there. */
  readonly wake: () => void;
  /** Ends the work after the batches that are being done, and keeps the mark. */
  readonly close: () => Promise<void>;
}

/** Starts it. */
export function startFollower(options: FollowerOptions): Follower {
  const { journal, name, clock, log, limit, work, settled, onProgress } = options;
  let position = journal.cursor(name) ?? options.first;
  let marked = position;
  const state = { isFailing: false, isClosing: false };
  let wake: () => void = () => undefined;
  let markedAtMs = clock.nowMs();

  const waited = (ms?: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = ms === undefined ? undefined : clock.schedule(resolve, ms);
      wake = () => {
        // Who waits because of a failure waits to the end, unless all ends.
        if (ms !== undefined && !state.isClosing) return;
        cancel?.();
        resolve();
      };
    });

  const mark = async (): Promise<void> => {
    const reached = position;
    if (reached === marked) return;
    await settled?.();
    await journal.keepCursor(name, reached);
    marked = reached;
    markedAtMs = clock.nowMs();
    onProgress();
  };

  const step = async (): Promise<boolean> => {
    const upTo = limit();
    if (position >= upTo) return false;
    const entries = await journal.read(position, upTo);
    // In their order; what they wait for, the disk, is one thing for all.
    await Promise.all(entries.map(async (entry) => work(entry)));
    // Numbers that are missing in the log were lost, and are stepped over.
    position = entries.at(-1)?.sequence ?? upTo;
    onProgress();
    return true;
  };

  const failed = (error: unknown): void => {
    state.isFailing = true;
    const code = isHopbackError(error) ? error.code : 'unexpected';
    log.warn('live records wait', { follower: name, behind: limit() - position, code });
    onProgress();
  };
  /** A mark that cannot be kept now keeps no batch waiting: after a crash more is done again. */
  const isMarked = async (): Promise<boolean> => {
    try {
      await mark();
      state.isFailing = false;
      return true;
    } catch (error) {
      markedAtMs = clock.nowMs();
      failed(error);
      return false;
    }
  };
  const run = async (): Promise<void> => {
    while (!state.isClosing) {
      try {
        const isMore = await step();
        const isKept = (isMore && clock.nowMs() - markedAtMs < MARK_MS) || (await isMarked());
        if (!isMore && !state.isClosing && position >= limit()) await waited(isKept ? undefined : RETRY_MS);
      } catch (error) {
        failed(error);
        if (!state.isClosing) await waited(RETRY_MS);
      }
    }
  };

  const running = run();
  return {
    position: () => position,
    marked: () => marked,
    isFailing: () => state.isFailing,
    wake: () => wake(),
    close: async () => {
      state.isClosing = true;
      wake();
      await running;
      await mark();
    },
  };
}
