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
  /** Resolves when the work may begin, with the place behind which it begins: undefined for the mark. */
  readonly from?: Promise<number | undefined> | undefined;
  /** Does what is to be done about a batch; again where any of those given at once rejected. */
  readonly work: (entry: JournalEntry) => Promise<void> | void;
  /** Resolves when what was done outlives a crash; with false where nothing is to be marked yet. */
  readonly settled?: (() => Promise<boolean | void>) | undefined;
  /** Is told up to where everything is done. */
  readonly reached?: ((sequence: number) => void) | undefined;
  readonly onProgress: () => void;
}

/** Goes through the journal batch by batch, at least once, also after a crash. */
export interface Follower {
  /** Place of the last batch that was done. */
  readonly position: () => number;
  /** Place up to which nothing is done again after a crash. */
  readonly marked: () => number;
  readonly isFailing: () => boolean;
  /** Whether it does not mark what it has done, since it has not begun or what it did is not settled yet. */
  readonly isUnsettled: () => boolean;
  /** Something may be there. */
  readonly wake: () => void;
  /** Ends the work after the batches that are being done, and keeps the mark. */
  readonly close: () => Promise<void>;
}

/** Starts it. */
export function startFollower(options: FollowerOptions): Follower {
  const { journal, name, clock, log, limit, work, settled, reached, onProgress } = options;
  let position = journal.cursor(name) ?? options.first;
  let marked = position;
  const state = { isFailing: false, isClosing: false, isUnsettled: options.from !== undefined };
  let endWaiting: () => void = () => undefined;
  const closing = new Promise<undefined>((resolve) => (endWaiting = () => resolve(undefined)));
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
    const done = position;
    if (done === marked) return;
    state.isUnsettled = (await settled?.()) === false;
    if (state.isUnsettled) return;
    await journal.keepCursor(name, done);
    marked = done;
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
    reached?.(position);
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
    // Where that fails the work never begins: whoever gave it knows why.
    position = (await Promise.race([options.from?.catch(() => closing), closing])) ?? position;
    marked = Math.min(marked, position);
    reached?.(position);
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
    isUnsettled: () => state.isUnsettled,
    wake: () => wake(),
    close: async () => {
      state.isClosing = true;
      endWaiting();
      wake();
      await running;
      await mark();
    },
  };
}
