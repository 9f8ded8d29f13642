/** First wait after the disk refused, doubled with each refusal after it. A full disk is mostly full for longer than this. */
const RETRY_FIRST_MS = 50;
/** Longest: what a `flush` waits for at most, beside the disk, and how soon after there is room again the log goes on. */
const RETRY_MOST_MS = 2_000;

/** What is committed, and by whose timers. */
export interface GroupCommitOptions {
  /** Whether there is something to write. */
  readonly hasWork: () => boolean;
  /**
   * Makes a group durable.
   * @throws HopbackError `storage-failed`
   */
  readonly commit: () => Promise<void>;
  /** How far records are durable. */
  readonly durableSequence: () => number;
  /** A commit was refused. Does not throw. */
  readonly onRefused: (error: unknown) => void;
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
}

/** Runs commits one after the other, each for all that has come in during the one before. */
export interface GroupCommit {
  /** Whether the last commit was refused. */
  readonly isFailing: boolean;
  /** There is work: begins with the next turn of the event loop, so that what this turn brings is one group. Cheap when it is running. */
  readonly wake: () => void;
  /** As `wake`, without waiting for the time of the next attempt: there is reason to believe that it succeeds. */
  readonly retryNow: () => void;
  /** Resolves when records are durable so far; rejects when a commit is refused before, with its error. */
  readonly reached: (sequence: number) => Promise<void>;
  /** Does something between two commits. */
  readonly between: <Value>(work: () => Promise<Value>) => Promise<Value>;
  /** Makes no attempt any more, after a last one where there is work. Never rejects. */
  readonly end: () => Promise<void>;
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Commits whenever there is work and the disk lets it: after a refusal it waits 50 ms, then twice as long each time, at most 2 s. */
export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  /** In order of their sequence numbers. */
  let waiters: Waiter[] = [];
  let isAwake = false;
  let isFailing = false;
  let isEnded = false;
  let retryMs = RETRY_FIRST_MS;
  let cancelRetry: (() => void) | undefined;
  let lane: Promise<unknown> = Promise.resolve();

  const between = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const done = lane.then(work);
    lane = done.catch(() => undefined);
    return done;
  };

  const succeeded = (): void => {
    isFailing = false;
    retryMs = RETRY_FIRST_MS;
    const durable = options.durableSequence();
    const behind = waiters.findIndex(({ sequence }) => sequence > durable);
    const done = waiters.splice(0, behind === -1 ? waiters.length : behind);
    for (const { resolve } of done) resolve();
  };

  const refused = (error: unknown): void => {
    isFailing = true;
    options.onRefused(error);
    const told = waiters;
    waiters = [];
    for (const { reject } of told) reject(error);
    if (isEnded) return;
    cancelRetry = options.schedule(() => {
      cancelRetry = undefined;
      wake();
    }, retryMs);
    retryMs = Math.min(2 * retryMs, RETRY_MOST_MS);
  };

  const run = async (isLast: boolean): Promise<void> => {
    const goesOn = (): boolean => options.hasWork() && (isLast || !isEnded);
    try {
      while (goesOn()) {
        await between(options.commit);
        succeeded();
      }
    } catch (error) {
      refused(error);
    } finally {
      isAwake = false;
    }
  };

  const wake = (): void => {
    if (isAwake || isEnded || cancelRetry !== undefined) return;
    isAwake = true;
    setImmediate(() => void run(false));
  };

  return {
    get isFailing() {
      return isFailing;
    },
    wake,
    retryNow: () => {
      cancelRetry?.();
      cancelRetry = undefined;
      if (options.hasWork()) wake();
    },
    reached: (sequence) =>
      sequence <= options.durableSequence()
        ? Promise.resolve()
        : new Promise((resolve, reject) => {
            waiters.push({ sequence, resolve, reject });
            wake();
          }),
    between,
    end: async () => {
      isEnded = true;
      cancelRetry?.();
      cancelRetry = undefined;
      // One that is running goes first: it may be refused, or leave some behind.
      await between(() => Promise.resolve());
      await run(true);
    },
  };
}
