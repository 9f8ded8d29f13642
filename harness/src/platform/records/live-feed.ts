import { join } from 'node:path';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import type { TimerClock } from '@hopback/sdk/platform';
import type { RecordStore } from '@hopback/sdk/records';
import { openDuckDbRecordStore } from '@hopback/sdk/records';
import type { LiveListener, LiveRecord, PlatformContext, PlatformLog } from '../core/index.js';
import type { BatchIntake, JournalEntry, RecordJournal } from './batch-intake.js';
import { createBatchIntake, openRecordJournal } from './batch-intake.js';
import { createRecordReader, liveRow } from './live-reader.js';

/** A store whose files can be made to stand still. */
export interface PausableStore {
  readonly store: RecordStore;
  /** Does something while nothing is written to the store: writes wait until it is done. One at a time. @throws what `work` throws */
  readonly whilePaused: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/** Makes the writes of a store wait while its files are copied. What only reads goes on. */
function pausableStore(store: RecordStore): PausableStore {
  let paused: Promise<unknown> = Promise.resolve();
  const writing = new Set<Promise<unknown>>();
  const write = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    for (let seen: unknown; seen !== paused;) {
      seen = paused;
      await paused;
    }
    const done = work();
    const settled = done.catch(() => undefined);
    writing.add(settled);
    void settled.then(() => writing.delete(settled));
    return done;
  };
  return {
    store: {
      ...store,
      insert: (records) => write(() => store.insert(records)),
      cover: (interval) => write(() => store.cover(interval)),
      uncover: (interval) => write(() => store.uncover(interval)),
      expire: (beforeUs) => write(() => store.expire(beforeUs)),
      hold: (order) => write(() => store.hold(order)),
      release: (holdId, reason, by) => write(() => store.release(holdId, reason, by)),
    },
    whilePaused: (work) => {
      const turn = paused.then(async () => {
        await Promise.all(writing);
        return work();
      });
      paused = turn.catch(() => undefined);
      return turn;
    },
  };
}

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
interface Follower {
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
function startFollower(options: FollowerOptions): Follower {
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

/**
 * Batches that are acknowledged and not in the store yet: what a restart has to go through, some seconds of it, and what a look-up may have
 * to wait for. Beyond it carriers are asked to wait.
 */
export const MAX_BATCHES_BEHIND = 512;
/** Memory that DuckDB takes at most, beside what the rest of the platform has: look-ups and merges that need more go by the disk. */
const STORE_MEMORY_MB = 64;
/** Mark of the store in the journal. */
const STORE = 'store';

/** Whoever hears of live data, and says when what was heard outlives a crash. */
export interface SettlingListener extends LiveListener {
  /**
   * Resolves when everything that was heard so far outlives a crash, or need not; until then it is told again after one. With false where
   * nothing is settled yet. Without it what was heard once is not told again, but for the last moments before a crash.
   */
  readonly settled?: () => Promise<boolean | void>;
  /** Resolves when it can hear records again; undefined where it can. */
  readonly free?: () => Promise<void> | undefined;
  /** Is told up to which batch of the journal it has heard everything. */
  readonly reached?: (sequence: number) => void;
  /** Batches behind this one are kept: it hears them again after a crash, whatever it has settled. */
  readonly neededFrom?: () => number | undefined;
  /** How many of the reports that it was told, the first ones, need not be told again after a crash. Without it all that are settled. */
  readonly coveredReports?: () => number;
}

/** Live records: taken in, stored, told and found. */
export interface LiveFeed extends AsyncDisposable {
  readonly take: BatchIntake;
  readonly store: RecordStore;
  readonly reader: ReturnType<typeof createRecordReader>;
  /**
   * Tells somebody what is durable; at most one of a name.
   * @param from - resolves when it may be told, with the batch behind which that begins: undefined for where it had got to
   */
  readonly listen: (name: string, listener: SettlingListener, from?: Promise<number | undefined>) => void;
  /** The first and the last batch that the journal has. */
  readonly journalRange: () => { readonly first: number; readonly last: number };
  /** Resolves when everything that was acknowledged before is stored. @throws HopbackError `storage-failed` where the store fails */
  readonly caughtUp: () => Promise<void>;
  /** Resolves when everything that was acknowledged before is stored and told. */
  readonly told: () => Promise<void>;
  /** Removes from the disk what is stored and told. */
  readonly trim: () => Promise<void>;
  /** Batches that are durable and not stored yet. */
  readonly behind: () => number;
  /**
   * Does something while no file of the store changes, and what was stored is told and settled: a backup. Batches are acknowledged meanwhile, as far
   * as {@link MAX_BATCHES_BEHIND} goes. @throws what `work` throws
   */
  readonly whilePaused: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly close: () => Promise<void>;
}

/** What the feed is made with. */
export interface LiveFeedOptions {
  readonly context: Pick<PlatformContext, 'clock' | 'log'>;
  /** Folder of journal and store. */
  readonly directory: string;
  readonly keptMs: number;
}

/**
 * Opens the feed of live records. A batch is acknowledged when the journal has it, as it came; from there it goes to the store and then to
 * those who listen, each from the mark that it had reached, so that neither a crash nor a full disk loses one. Records that are stored twice
 * are one: the store knows them by provider and id.
 */
export async function openLiveFeed({ context, directory, keptMs }: LiveFeedOptions): Promise<LiveFeed> {
  const { clock, log } = context;
  const journal = await openRecordJournal(join(directory, 'journal'), context);
  const place = { directory: join(directory, 'store'), memoryLimitMb: STORE_MEMORY_MB };
  const opened = await openDuckDbRecordStore({ ...place, clock }).catch(async (error: unknown) => {
    await journal.close();
    throw error;
  });
  const { store, whilePaused } = pausableStore(opened);
  const listeners = new Map<string, Follower>();
  const waiting = new Set<() => void>();
  const followers = (): readonly Follower[] => [storing, ...listeners.values()];
  const onProgress = (): void => {
    for (const one of listeners.values()) one.wake();
    for (const one of waiting) one();
    journal.passed(Math.min(...followers().map((one) => one.position())));
  };
  const insert = async ({ providerId, records, receivedAtMs }: JournalEntry): Promise<void> => {
    await store.insert(records.map((record) => liveRow(providerId, record, receivedAtMs)));
  };
  const common = { journal, clock, log, first: 0 };
  // Nothing is reported before the first turn of the event loop, when it is there.
  const storing: Follower = startFollower({
    ...common,
    ...{ name: STORE, limit: journal.durable, work: insert, onProgress: () => onProgress() },
  });
  const endWake = journal.onDurable(() => storing.wake());
  const behind = (): number => journal.durable() - storing.position();

  const listening = new Set<SettlingListener>();
  const listen = (name: string, listener: SettlingListener, from?: Promise<number | undefined>): void => {
    if (listeners.has(name)) throw new HopbackError('invalid-argument', `${name} listens already`);
    const follower = startFollower({
      ...common,
      ...{ name: `listener:${name}`, limit: storing.position, onProgress: () => onProgress() },
      work: async ({ providerId, records, receivedAtMs }) => {
        await listener.free?.();
        listener.records(records.map((record): LiveRecord => ({ providerId, record, receivedAtMs })));
      },
      ...{ settled: listener.settled, reached: listener.reached, from },
    });
    listeners.set(name, follower);
    listening.add(listener);
  };

  const reached = (follower: Follower, sequence: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (follower.position() < sequence && !follower.isFailing()) return;
        waiting.delete(look);
        if (follower.position() >= sequence) resolve();
        else
          reject(new HopbackError('storage-failed', 'live records cannot be stored at present', { retryable: true }));
      };
      waiting.add(look);
      look();
    });

  const caughtUp = (): Promise<void> => reached(storing, journal.durable());
  /** Who listens has come to where the store is, and what it made of it outlives a crash: one that fails is not waited for. */
  const settled = (): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        const isSettled = [...listeners.values()].every(
          (one) => one.isFailing() || one.isUnsettled() || one.marked() >= storing.position(),
        );
        if (!isSettled) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      for (const one of listeners.values()) one.wake();
      look();
    });
  const close = closing({ journal, store, followers, endWake });
  return {
    take: createBatchIntake({
      ...{ journal, clock, log, keptMs },
      isBehind: () => behind() > MAX_BATCHES_BEHIND,
    }),
    store,
    reader: createRecordReader({ store, caughtUp }),
    listen,
    caughtUp,
    told: async () => {
      const upTo = journal.durable();
      for (const one of followers()) await reached(one, upTo);
    },
    // A file of the journal that is removed is one that a backup is copying.
    trim: () =>
      whilePaused(() => {
        const needed = [...listening].flatMap((listener) => listener.neededFrom?.() ?? []);
        return journal.trim(Math.min(...followers().map((one) => one.marked()), ...needed));
      }),
    journalRange: () => ({ first: journal.first(), last: journal.durable() }),
    behind,
    whilePaused: (work) =>
      whilePaused(async () => {
        await settled();
        return work();
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What is being done is ended, and marked, before the files are closed. */
function closing(parts: {
  readonly journal: RecordJournal;
  readonly store: RecordStore;
  readonly followers: () => readonly Follower[];
  readonly endWake: () => void;
}): () => Promise<void> {
  const { journal, store, followers, endWake } = parts;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    endWake();
    // Where a mark cannot be kept, what lies behind it is done again.
    for (const one of followers().toReversed()) await one.close().catch(() => undefined);
    try {
      await store.close();
    } finally {
      await journal.close();
    }
  };
  return () => (closed ??= close());
}
