import { join } from 'node:path';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import type { TimerClock } from '@hopback/sdk/platform';
import { openDuckDbRecordStore, type RecordStore } from '@hopback/sdk/records';
import type { LiveListener, LiveRecord, PlatformContext, PlatformLog } from '../core/index.js';
import { createBatchIntake, openRecordJournal } from './batch-intake.js';
import type { BatchIntake, JournalEntry, RecordJournal } from './batch-intake.js';
import { createRecordReader, liveRow } from './live-reader.js';

/** A store whose writes can be made to wait while its files are copied. What only reads goes on. */
class PausableStore {
  readonly store: RecordStore;
  #paused: Promise<unknown> = Promise.resolve();
  readonly #writing = new Set<Promise<unknown>>();

  constructor(store: RecordStore) {
    this.store = {
      ...store,
      insert: (records) => this.#write(() => store.insert(records)),
      cover: (interval) => this.#write(() => store.cover(interval)),
      uncover: (interval) => this.#write(() => store.uncover(interval)),
      expire: (beforeUs) => this.#write(() => store.expire(beforeUs)),
      hold: (order) => this.#write(() => store.hold(order)),
      release: (holdId, reason, by) => this.#write(() => store.release(holdId, reason, by)),
    };
  }

  /** Does something while nothing is written to the store: writes wait until it is done. One at a time. @throws what `work` throws */
  whilePaused<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#paused.then(async () => {
      await Promise.all(this.#writing);
      return work();
    });
    this.#paused = turn.catch(() => undefined);
    return turn;
  }

  async #write<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let seen: unknown; seen !== this.#paused;) {
      seen = this.#paused;
      await this.#paused;
    }
    const done = work();
    const settled = done.catch(() => undefined);
    this.#writing.add(settled);
    void settled.then(() => this.#writing.delete(settled));
    return done;
  }
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
class Follower {
  readonly #options: FollowerOptions;
  #position: number;
  #marked: number;
  #markedAtMs: number;
  #isFailing = false;
  #isClosing = false;
  #isUnsettled: boolean;
  #endWaiting: () => void = () => undefined;
  readonly #closing = new Promise<undefined>((resolve) => (this.#endWaiting = () => resolve(undefined)));
  #wake: () => void = () => undefined;
  readonly #running: Promise<void>;

  /** Begins to follow. */
  constructor(options: FollowerOptions) {
    const { journal, name, clock, from } = options;
    this.#options = options;
    this.#position = journal.cursor(name) ?? 0;
    this.#marked = this.#position;
    this.#markedAtMs = clock.nowMs();
    this.#isUnsettled = from !== undefined;
    this.#running = this.#run();
  }

  /** Place of the last batch that was done. */
  position(): number {
    return this.#position;
  }

  /** Place up to which nothing is done again after a crash. */
  marked(): number {
    return this.#marked;
  }

  isFailing(): boolean {
    return this.#isFailing;
  }

  /** Whether it does not mark what it has done, since it has not begun or what it did is not settled yet. */
  isUnsettled(): boolean {
    return this.#isUnsettled;
  }

  wake(): void {
    this.#wake();
  }

  /** Ends the work after the batches that are being done, and keeps the mark. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#endWaiting();
    this.#wake();
    await this.#running;
    await this.#mark();
  }

  #wait(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = ms === undefined ? undefined : this.#options.clock.schedule(resolve, ms);
      this.#wake = () => {
        // Who waits because of a failure waits to the end, unless all ends.
        if (ms !== undefined && !this.#isClosing) return;
        cancel?.();
        resolve();
      };
    });
  }

  async #mark(): Promise<void> {
    const { journal, name, clock, settled, onProgress } = this.#options;
    const done = this.#position;
    if (done === this.#marked) return;
    this.#isUnsettled = (await settled?.()) === false;
    if (this.#isUnsettled) return;
    await journal.keepCursor(name, done);
    this.#marked = done;
    this.#markedAtMs = clock.nowMs();
    onProgress();
  }

  async #step(): Promise<boolean> {
    const { journal, limit, work, reached, onProgress } = this.#options;
    const upTo = limit();
    if (this.#position >= upTo) return false;
    const entries = await journal.read(this.#position, upTo);
    // In their order; what they wait for, the disk, is one thing for all.
    await Promise.all(entries.map(async (entry) => work(entry)));
    // Numbers that are missing in the log were lost, and are stepped over.
    this.#position = entries.at(-1)?.sequence ?? upTo;
    reached?.(this.#position);
    onProgress();
    return true;
  }

  #failed(error: unknown): void {
    const { name, log, limit, onProgress } = this.#options;
    this.#isFailing = true;
    const code = isHopbackError(error) ? error.code : 'unexpected';
    log.warn('live records wait', { follower: name, behind: limit() - this.#position, code });
    onProgress();
  }

  /** A mark that cannot be kept now keeps no batch waiting: after a crash more is done again. */
  async #isMarked(): Promise<boolean> {
    try {
      await this.#mark();
      this.#isFailing = false;
      return true;
    } catch (error) {
      this.#markedAtMs = this.#options.clock.nowMs();
      this.#failed(error);
      return false;
    }
  }

  async #run(): Promise<void> {
    const { clock, limit, from, reached } = this.#options;
    // Where that fails the work never begins: whoever gave it knows why.
    const begun = await Promise.race([from?.catch(() => this.#closing), this.#closing]);
    this.#position = begun ?? this.#position;
    this.#marked = Math.min(this.#marked, this.#position);
    reached?.(this.#position);
    while (!this.#isClosing) {
      try {
        const isMore = await this.#step();
        const isKept = (isMore && clock.nowMs() - this.#markedAtMs < MARK_MS) || (await this.#isMarked());
        if (!isMore && !this.#isClosing && this.#position >= limit()) await this.#wait(isKept ? undefined : RETRY_MS);
      } catch (error) {
        this.#failed(error);
        if (!this.#isClosing) await this.#wait(RETRY_MS);
      }
    }
  }
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
  /** Called with the last batch of the journal that it has taken in whole. */
  readonly reached?: (sequence: number) => void;
  /** Batches behind this one are kept: it hears them again after a crash, whatever it has settled. */
  readonly neededFrom?: () => number | undefined;
  /** How many of the reports that it was told, the first ones, need not be told again after a crash. Without it all that are settled. */
  readonly coveredReports?: () => number;
}

/** What the feed is made with. */
export interface LiveFeedOptions {
  readonly context: Pick<PlatformContext, 'clock' | 'log'>;
  /** Folder of journal and store. */
  readonly directory: string;
  readonly keptMs: number;
}

/**
 * Live records: taken in, stored, told and found. A batch is acknowledged when the journal has it, as it came; from there it goes to the store
 * and then to those who listen, each from the mark that it had reached, so that neither a crash nor a full disk loses one. Records that are
 * stored twice are one: the store knows them by provider and id.
 */
export class LiveFeed implements AsyncDisposable {
  readonly take: BatchIntake;
  readonly store: RecordStore;
  readonly reader: ReturnType<typeof createRecordReader>;
  readonly #common: Pick<FollowerOptions, 'journal' | 'clock' | 'log' | 'onProgress'>;
  readonly #journal: RecordJournal;
  readonly #pausable: PausableStore;
  readonly #storing: Follower;
  readonly #listeners = new Map<string, Follower>();
  readonly #listening = new Set<SettlingListener>();
  /** Called after each progress of a follower; each resolves somebody's wait once the follower is far enough. */
  readonly #looks = new Set<() => void>();
  readonly #endWake: () => void;
  #closed: Promise<void> | undefined;

  static async open({ context, directory, keptMs }: LiveFeedOptions): Promise<LiveFeed> {
    const journal = await openRecordJournal(join(directory, 'journal'), context);
    const place = { directory: join(directory, 'store'), memoryLimitMb: STORE_MEMORY_MB, clock: context.clock };
    const store = await openDuckDbRecordStore(place).catch(async (error: unknown) => {
      await journal.close();
      throw error;
    });
    return new LiveFeed(context, journal, new PausableStore(store), keptMs);
  }

  private constructor(
    { clock, log }: LiveFeedOptions['context'],
    journal: RecordJournal,
    pausable: PausableStore,
    keptMs: number,
  ) {
    const { store } = pausable;
    this.#journal = journal;
    this.#pausable = pausable;
    this.#common = { journal, clock, log, onProgress: () => this.#onProgress() };
    this.#storing = new Follower({
      ...this.#common,
      name: STORE,
      limit: journal.durable,
      work: async ({ providerId, records, receivedAtMs }) => {
        await store.insert(records.map((record) => liveRow(providerId, record, receivedAtMs)));
      },
    });
    this.#endWake = journal.onDurable(() => this.#storing.wake());
    this.store = store;
    this.take = createBatchIntake({
      journal,
      clock,
      log,
      keptMs,
      isBehind: () => this.behind() > MAX_BATCHES_BEHIND,
    });
    this.reader = createRecordReader({ store, caughtUp: () => this.caughtUp() });
  }

  /**
   * Tells somebody what is durable; at most one of a name.
   * @param from - resolves when it may be told, with the batch behind which that begins: undefined for where it had got to
   */
  listen(name: string, listener: SettlingListener, from?: Promise<number | undefined>): void {
    if (this.#listeners.has(name)) throw new HopbackError('invalid-argument', `${name} listens already`);
    const follower = new Follower({
      ...this.#common,
      name: `listener:${name}`,
      limit: () => this.#storing.position(),
      work: async ({ providerId, records, receivedAtMs }) => {
        await listener.free?.();
        listener.records(records.map((record): LiveRecord => ({ providerId, record, receivedAtMs })));
      },
      settled: listener.settled,
      reached: listener.reached,
      from,
    });
    this.#listeners.set(name, follower);
    this.#listening.add(listener);
  }

  /** The first and the last batch that the journal has. */
  journalRange(): { readonly first: number; readonly last: number } {
    return { first: this.#journal.first(), last: this.#journal.durable() };
  }

  /** Resolves when everything that was acknowledged before is stored. @throws HopbackError `storage-failed` where the store fails */
  caughtUp(): Promise<void> {
    return this.#reached(this.#storing, this.#journal.durable());
  }

  /** Resolves when everything that was acknowledged before is stored and told. */
  async told(): Promise<void> {
    const upTo = this.#journal.durable();
    for (const one of this.#followers()) await this.#reached(one, upTo);
  }

  /** Removes from the disk what is stored and told. */
  trim(): Promise<void> {
    // A file of the journal that is removed is one that a backup is copying.
    return this.#pausable.whilePaused(() => {
      const needed = [...this.#listening].flatMap((listener) => listener.neededFrom?.() ?? []);
      return this.#journal.trim(Math.min(...this.#followers().map((one) => one.marked()), ...needed));
    });
  }

  /** Batches that are durable and not stored yet. */
  behind(): number {
    return this.#journal.durable() - this.#storing.position();
  }

  /**
   * Does something while no file of the store changes, and what was stored is told and settled: a backup. Batches are acknowledged meanwhile, as far
   * as {@link MAX_BATCHES_BEHIND} goes. @throws what `work` throws
   */
  whilePaused<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#pausable.whilePaused(async () => {
      await this.#settled();
      return work();
    });
  }

  readonly close = (): Promise<void> => (this.#closed ??= this.#close());
  readonly [Symbol.asyncDispose] = this.close;

  #followers(): readonly Follower[] {
    return [this.#storing, ...this.#listeners.values()];
  }

  #onProgress(): void {
    for (const one of this.#listeners.values()) one.wake();
    for (const look of this.#looks) look();
    this.#journal.passed(Math.min(...this.#followers().map((one) => one.position())));
  }

  #reached(follower: Follower, sequence: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (follower.position() < sequence && !follower.isFailing()) return;
        this.#looks.delete(look);
        if (follower.position() >= sequence) resolve();
        else
          reject(new HopbackError('storage-failed', 'live records cannot be stored at present', { retryable: true }));
      };
      this.#looks.add(look);
      look();
    });
  }

  /** Who listens has come to where the store is, and what it made of it outlives a crash: one that fails is not waited for. */
  #settled(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        const isSettled = [...this.#listeners.values()].every(
          (one) => one.isFailing() || one.isUnsettled() || one.marked() >= this.#storing.position(),
        );
        if (!isSettled) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      for (const one of this.#listeners.values()) one.wake();
      look();
    });
  }

  /** What is being done is ended, and marked, before the files are closed. */
  async #close(): Promise<void> {
    this.#endWake();
    // Where a mark cannot be kept, what lies behind it is done again.
    for (const one of this.#followers().toReversed()) await one.close().catch(() => undefined);
    try {
      await this.store.close();
    } finally {
      await this.#journal.close();
    }
  }
}
