import type { CallRecord, CoverageInterval } from '../../contract/call-record.js';
import { MACHINE_CLOCK, scheduleInBackground } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { attempt, backoffBoundMs } from '../../core/runtime/deadline.js';
import { HopbackError } from '../../errors.js';
import type { DurableValues } from '../stream/dead-letters.js';
import { CHECKPOINT_STREAMS, FollowPlaces, MAX_WAITING_CHARS, restBytes } from './follow-position.js';
import { followPattern } from './follow-reading.js';
import { FileLooker } from './follow-turn.js';
import type { FollowNotice, FollowTurn } from './follow-turn.js';
import { nodeFollowedFiles } from './readable-files.js';
import type { FollowedFiles } from './readable-files.js';
import { createRowCoverage, createRowIntake, LONGEST_CALL_MS } from './row-intake.js';
import type { IntakeCounts } from './row-intake.js';
import type { ImportOptions } from './import-files.js';
import type { SplitRow } from './row-splitter.js';

/** How long a source may have something to take in, and take in none of it, until it counts as stuck, milliseconds. */
const STUCK_AFTER_MS = 300_000;

/** How often is looked whether a source is stuck, milliseconds, at most. */
const CHECK_EVERY_MS = 10_000;

/** What the progress of a source is watched with. */
interface SourceProgressOptions {
  readonly clock: Clock;
  /** Runs something later; the returned function cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  /** Default 300,000. */
  readonly stuckAfterMs: number | undefined;
  /** Since when something waits, beside what fails and what is being stored; absent where nothing does. */
  readonly unreadMs?: () => number | undefined;
  /** Told when the source becomes stuck, and when it goes on. It does not throw. */
  readonly notice: (notice: { readonly kind: 'stuck' | 'resumed'; readonly cause?: Error }) => void;
}

/** Watches whether one source goes on, beside its work: what is stuck tells of nothing. */
export class SourceProgress {
  readonly #options: SourceProgressOptions;
  readonly #stuckAfterMs: number;
  /** Start times of the inserts that are still pending. */
  readonly #storing = new Set<{ readonly sinceMs: number }>();
  #lastProgressMs: number;
  /** When nothing waited last: what came since has not waited longer. */
  #idleMs: number;
  #failingMs: number | undefined;
  #wasStuck = false;
  #cancel: (() => void) | undefined;

  constructor(options: SourceProgressOptions) {
    this.#options = { ...options };
    this.#stuckAfterMs = options.stuckAfterMs ?? STUCK_AFTER_MS;
    this.#lastProgressMs = options.clock.nowMs();
    this.#idleMs = this.#lastProgressMs;
  }

  /** Looks from time to time, until it is closed. */
  start(): void {
    this.check();
    this.#cancel = this.#options.schedule(() => this.start(), Math.min(CHECK_EVERY_MS, this.#stuckAfterMs));
  }

  close(): void {
    this.#cancel?.();
  }

  /** Rows were taken in. */
  progressed(): void {
    this.#lastProgressMs = this.#options.clock.nowMs();
  }

  /** Something failed. It counts as waiting until {@link SourceProgress.calm}. */
  failed(): void {
    this.#failingMs ??= this.#options.clock.nowMs();
  }

  /** Nothing fails any more. */
  calm(): void {
    this.#failingMs = undefined;
  }

  /** Stores what was sent, which waits as long as that takes. @throws what `store` throws */
  async storing<Value>(store: () => Promise<Value>): Promise<Value> {
    this.check();
    const since = { sinceMs: this.#options.clock.nowMs() };
    this.#storing.add(since);
    try {
      const stored = await store();
      this.calm();
      this.progressed();
      return stored;
    } catch (error) {
      this.failed();
      throw error;
    } finally {
      this.#storing.delete(since);
      this.check();
    }
  }

  /** Tells where the source has become stuck or has gone on since it was looked at last. */
  check(): void {
    const { isStuck, oldestUnreadMs = 0, lastProgressMs } = this.state();
    if (isStuck === this.#wasStuck) return;
    this.#wasStuck = isStuck;
    const cause = new Error(`the oldest of ${textOf(oldestUnreadMs)}, last progress ${textOf(lastProgressMs)}`);
    this.#options.notice(isStuck ? { kind: 'stuck', cause } : { kind: 'resumed' });
  }

  state(): Pick<FollowStatistics, 'lastProgressMs' | 'oldestUnreadMs' | 'isStuck'> {
    const nowMs = this.#options.clock.nowMs();
    const lastProgressMs = this.#lastProgressMs;
    const waiting = [this.#options.unreadMs?.(), this.#failingMs, ...[...this.#storing].map(({ sinceMs }) => sinceMs)];
    const oldestUnreadMs = Math.min(...waiting.map((sinceMs) => sinceMs ?? Infinity));
    if (oldestUnreadMs === Infinity) {
      this.#idleMs = nowMs;
      return { lastProgressMs, isStuck: false };
    }
    const sinceMs = Math.max(lastProgressMs, this.#idleMs);
    return { lastProgressMs, oldestUnreadMs, isStuck: nowMs - sinceMs >= this.#stuckAfterMs };
  }
}

function textOf(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** How often files are looked at, milliseconds: a record is then known well within a second of its being written. */
const FOLLOW_POLL_MS = 250;

/** Longest wait after looks that failed, milliseconds: a store that is back is used again within half a minute. */
const FOLLOW_RETRY_MAX_MS = 30_000;

/** Records that go to the store at a time. */
const FOLLOW_BATCH_RECORDS = 4_096;

/** A change that is announced so soon after a look waits for the next: every look that finds rows costs a sync of the disk. */
const HINT_AFTER_MS = 50;

/** A look that takes longer has something to read, or the disk does not answer, milliseconds. */
const LONG_LOOK_MS = 1_000;

/** How often what waits in a reader is made durable, milliseconds: after a crash rows of so long are read again. */
const SAVE_WAITING_EVERY_MS = 5_000;

/** How often legs are given up that have waited too long, milliseconds. */
const EXPIRE_EVERY_MS = 10_000;

/** Options of {@link FileFollower.open}. */
export interface FollowOptions extends Omit<ImportOptions, 'onProgress' | 'signal'> {
  /** A file, a directory with all files in it, or a pattern with `*` and `?` in its last part. */
  readonly path: string;
  /** Names of rotated files where they do not begin with the name of the file and `.`, `-` or `_`: patterns with `*` and `?`. */
  readonly rotated?: readonly string[];
  /** Where places are kept, under keys that begin with `follow/` and the name of the source. */
  readonly values: DurableValues;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Runs something later; the returned function cancels it. Default the timers of Node, which keep no process alive. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
  /** Default 250. */
  readonly pollMs?: number;
  /** Default the file system of this machine. */
  readonly files?: FollowedFiles;
  /** How long something may wait without any progress until `onNotice` is told that the source is stuck. Default 300,000. */
  readonly stuckAfterMs?: number;
  /** Told of truncated, lost and damaged files, of looks that failed, and of a source that is stuck. */
  readonly onNotice?: (notice: FollowNotice) => void;
}

/** With a clock. */
type Settings = FollowOptions & { readonly clock: Clock };

/** How a follower fares. */
export interface FollowStatistics extends IntakeCounts {
  /** When rows were last read and stored, milliseconds since the epoch; when the source was opened where there were none yet. */
  readonly lastProgressMs: number;
  /** When the oldest of what waits to be read or stored was written, as far as is known; absent where nothing waits. */
  readonly oldestUnreadMs?: number;
  /** Something has waited without any progress for `stuckAfterMs`. */
  readonly isStuck: boolean;
  /** Records that were new to the store, since the start. */
  readonly inserted: number;
  /** Records that the store had already: read again after a restart. */
  readonly repeated: number;
  /** Legs that wait for rows. */
  readonly waiting: number;
  /** Octets of plain files that are not rows yet. */
  readonly unreadBytes: number;
  /** Files that wait to be read: still being packed or copied, not to be opened by this process, or not readable. */
  readonly unreadFiles: number;
  /** Looks that failed since the last that did not. */
  readonly failures: number;
}

/**
 * Follows files that a switch writes: reads what is there, and what comes, into a store, until it is closed. Content is known by itself
 * and not by its name, so that no way of rotating loses or doubles a row: renamed, copied and truncated, packed, written to once more
 * after it was renamed, deleted while it was read.
 *
 * Its place becomes durable after the rows have: killed at any instant, it reads some rows again, whose records the store has already,
 * and misses none. On the first start everything is read that is there, rotated files included. Its public members are bound: callers may
 * pass them on by themselves.
 * @see {@link importFiles} for files that nobody writes to any more
 * @example
 * ```ts
 * const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * await writeFile(`${directory}/Master.csv`, 'not a row of Asterisk\n');
 * const reader: RecordReader = {
 *   framing: 'csv',
 *   read: () => [{ status: 'rejected', reason: 'too-few-fields', detail: '1 field, not 16' }],
 *   expire: () => [],
 *   waiting: () => 0,
 * };
 * const values = new Map<string, string>();
 * await using rejects = await RejectFile.open({ path: `${directory}/rejects/pbx-1.ndjson` });
 * await using follower = await FileFollower.open({
 *   sourceId: 'pbx-1',
 *   path: `${directory}/Master.csv`,
 *   reader,
 *   store: { insert: async () => ({ inserted: 0, repeated: 0, expired: 0 }), cover: async () => undefined },
 *   rejects,
 *   values: { get: (key) => values.get(key), set: async (key, value) => void values.set(key, value) },
 * });
 * await follower.look();
 * console.log(follower.statistics().rejected); // 1
 * await rm(directory, { recursive: true });
 * ```
 */
export class FileFollower implements AsyncDisposable {
  readonly #options: Settings;
  readonly #following: Following;
  readonly #progress: SourceProgress;
  readonly #looker: FileLooker;
  readonly #unwatch: (() => void) | undefined;
  #isClosing = false;
  #failures = 0;
  #lookBeganMs: number | undefined;
  #lookedAtMs = -Infinity;
  #cancel: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  /**
   * Begins to follow, after it has looked once where the files are.
   * @param options - what to follow, how to read it and where to
   * @throws {@link HopbackError} `invalid-argument` for a path or a batch that cannot be. Everything that fails later is tried again, and
   * told to `onNotice`
   */
  static async open(options: FollowOptions): Promise<FileFollower> {
    checkOptions(options);
    const { path: followed, rotated = [], files = nodeFollowedFiles } = options;
    let isDirectory = false;
    // What was not there at first may come as a directory.
    const patternNow: FollowTurn['pattern'] = async (facts) => {
      // Once it is one it stays one: while it is away nothing beside it is taken for its file.
      isDirectory ||= (await facts(followed))?.kind === 'directory';
      return followPattern(followed, { isDirectory, rotated });
    };
    // Where the disk does not tell, the looks say so.
    const { directory } = await patternNow((path) => files.facts(path).catch(() => undefined));
    return new FileFollower({ ...options, clock: options.clock ?? MACHINE_CLOCK }, patternNow, directory);
  }

  private constructor(options: Settings, pattern: FollowTurn['pattern'], watchedDirectory: string) {
    const { clock, schedule = scheduleInBackground, files = nodeFollowedFiles } = options;
    this.#options = options;
    this.#following = resume(options);
    this.#progress = new SourceProgress({
      clock,
      schedule,
      stuckAfterMs: options.stuckAfterMs,
      unreadMs: () => this.#unreadMs(),
      notice: (notice) => tell(options, notice),
    });
    this.#looker = new FileLooker({
      ...options,
      files,
      pattern,
      framing: options.reader.framing,
      places: this.#following.places,
      take: async (rows, path) => {
        await this.#following.take(rows, path);
        if (rows.length > 0) this.#progress.progressed();
      },
      broke: this.#following.broke,
      notice: (notice) => tell(options, notice),
      isClosing: () => this.#isClosing,
    });
    this.#unwatch = files.watch?.(watchedDirectory, () => {
      // While a look is under way, or after ones that failed, a hint says nothing new; while rows come without end, the timer does.
      const isWaiting = this.#cancel !== undefined && this.#failures === 0;
      if (isWaiting && clock.nowMs() - this.#lookedAtMs >= HINT_AFTER_MS) this.#wake();
    });
    this.#wake();
    this.#progress.start();
  }

  /**
   * Looks once. Resolves when everything readable is durable. A file that cannot be read is reported to `onNotice`, counted in
   * `unreadFiles`, and retried within 30 seconds.
   * @throws what the store refused with, or the disk where it does not list the files
   */
  readonly look = (): Promise<void> => {
    const turn = this.#running.then(() => this.#lookOnce());
    this.#running = turn.catch(() => undefined);
    return turn;
  };

  readonly statistics = (): FollowStatistics => ({
    ...this.#following.statistics(),
    ...this.#progress.state(),
    unreadFiles: this.#looker.unreadFiles(),
    failures: this.#failures,
  });

  /** Ends after the row that is being read; what was read is durable. Never rejects. */
  readonly close = async (): Promise<void> => {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#cancel?.();
    this.#progress.close();
    this.#unwatch?.();
    await this.#running;
    await this.#following.commit(true).catch((cause: unknown) => tell(this.#options, { kind: 'failed', cause }));
    await this.#looker.close();
  };

  readonly [Symbol.asyncDispose] = this.close;

  #unreadMs(): number {
    const beganMs = this.#lookBeganMs;
    const isLong = beganMs !== undefined && this.#options.clock.nowMs() - beganMs >= LONG_LOOK_MS;
    const underWayMs = isLong ? (this.#looker.underWayMs() ?? beganMs) : Infinity;
    return Math.min(underWayMs, this.#looker.oldestUnreadMs());
  }

  async #lookOnce(): Promise<void> {
    if (this.#isClosing) return;
    const { clock } = this.#options;
    this.#lookBeganMs = clock.nowMs();
    try {
      // What a look before left: as long as it cannot be stored nothing more is read.
      await this.#following.commit();
      await this.#looker.look();
      this.#following.expire(clock.nowMs());
      await this.#following.commit();
      this.#failures = 0;
      this.#progress.calm();
    } catch (cause) {
      this.#failures += 1;
      this.#progress.failed();
      tell(this.#options, { kind: 'failed', cause });
      throw cause;
    } finally {
      this.#lookBeganMs = undefined;
      this.#progress.check();
    }
  }

  #wait(): void {
    const { clock, pollMs = FOLLOW_POLL_MS, schedule = scheduleInBackground } = this.#options;
    this.#lookedAtMs = clock.nowMs();
    if (this.#isClosing) return;
    const backoff = { baseMs: pollMs, capMs: FOLLOW_RETRY_MAX_MS };
    const delayMs = this.#failures === 0 ? pollMs : backoffBoundMs(this.#failures + 1, backoff);
    this.#cancel = schedule(() => this.#wake(), delayMs);
  }

  #wake(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.look()
      .catch(() => undefined)
      .finally(() => this.#wait());
  }
}

function checkOptions({ path, sourceId, batchRecords = FOLLOW_BATCH_RECORDS }: FollowOptions): void {
  if (sourceId === '' || path === '' || path.includes('\0')) {
    throw new HopbackError('invalid-argument', 'A follower has the name of a source and the path of its files.');
  }
  if (!Number.isInteger(batchRecords) || batchRecords < 1 || batchRecords > 1_000_000) {
    throw new HopbackError('invalid-argument', `batchRecords is 1 to 1,000,000, not ${batchRecords}.`);
  }
}

/** Who hears of it may not stop the following. */
function tell({ onNotice }: FollowOptions, notice: FollowNotice): void {
  // What is made of the news is not our affair.
  attempt(() => onNotice?.(notice));
}

/** The rows of a source on their way into the store, and what is durable of it. */
type Following = ReturnType<typeof resume>;

function resume(options: Settings) {
  const { sourceId, reader, store, rejects, values, clock, batchRecords = FOLLOW_BATCH_RECORDS } = options;
  const places = new FollowPlaces(values, sourceId);
  const { waiting: kept } = places.kept;
  const coverage = createRowCoverage(options, places.kept.coverage);
  if (kept.status === 'lost' || (kept.status === 'kept' && reader.restoreWaiting?.(kept.text) !== true)) {
    // Rows waited that are not known any more.
    coverage.broke();
    tell(options, { kind: 'lost' });
  }
  const intake = createRowIntake({
    sourceId,
    reader,
    rejects,
    coverage,
  });
  let unstored: CallRecord[] = [];
  let uncovered: CoverageInterval[] = [];
  let expiredAtMs = -Infinity;
  let waitingSavedAtMs = -Infinity;
  const counts = { inserted: 0, repeated: 0 };

  /** Stores what was read, then makes the places durable. */
  const commit = async (isLast = false): Promise<void> => {
    unstored.push(...intake.handOver());
    if (unstored.length > 0) {
      const { inserted, repeated } = await store.insert(unstored);
      unstored = [];
      counts.inserted += inserted;
      counts.repeated += repeated;
    }
    await rejects.flush();
    uncovered.push(...coverage.claims());
    while (uncovered[0] !== undefined) {
      await store.cover(uncovered[0]);
      uncovered = uncovered.slice(1);
    }
    if (places.changed() > 0) await savePlaces(isLast);
  };

  const savePlaces = async (isLast: boolean): Promise<void> => {
    if (reader.waiting() === 0) return places.save(coverage.state(), undefined);
    // All that waits is written each time. Until then the place stays where what is written belongs to it.
    if (!isLast && !hasPassed(SAVE_WAITING_EVERY_MS, waitingSavedAtMs, clock)) return undefined;
    const waiting = reader.saveWaiting?.();
    // Rows that wait are nowhere but here: the place stays before them.
    if (waiting === undefined || waiting.length > MAX_WAITING_CHARS) return undefined;
    waitingSavedAtMs = clock.nowMs();
    return places.save(coverage.state(), waiting);
  };

  return {
    places,
    async take(rows: readonly SplitRow[], path: string): Promise<void> {
      for (const row of rows) intake.take(row, path);
      // As many streams at a time as are saved in one piece with what the reader waits for.
      if (intake.pending().length >= batchRecords || places.changed() >= CHECKPOINT_STREAMS) await commit();
    },
    broke: coverage.broke,
    expire(nowMs: number): void {
      if (reader.waiting() === 0 || !hasPassed(EXPIRE_EVERY_MS, expiredAtMs, clock)) return;
      expiredAtMs = nowMs;
      intake.expire((nowMs - (options.longestCallMs ?? LONGEST_CALL_MS)) * 1_000);
    },
    commit,
    statistics: () => ({
      ...intake.counts(),
      ...counts,
      waiting: reader.waiting(),
      unreadBytes: unreadBytes(places),
    }),
  };
}

/** Also where the clock was set back: what is due once in some seconds does not wait for a day. */
function hasPassed(waitMs: number, sinceMs: number, clock: Clock): boolean {
  const passedMs = clock.nowMs() - sinceMs;
  return passedMs >= waitMs || passedMs < 0;
}

function unreadBytes(places: FollowPlaces): number {
  const rests = places.all().map((stream) => [...stream.carriers.values()].map((one) => restBytes(stream, one)));
  return rests.reduce((sum, rest) => sum + Math.max(0, ...rest), 0);
}
