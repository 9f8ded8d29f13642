import { stampOf } from './files.js';

/** What is watched, and what is done. */
export interface WatchFilesOptions {
  /** Absolute paths; asked each time. */
  readonly files: () => readonly string[];
  /** How often; 0: not at all, until that is another number. */
  readonly seconds: () => number;
  /** Does not reject. */
  readonly reload: () => Promise<unknown>;
}

/** Shorter would be a busy loop, whatever is asked for. */
const SHORTEST_MS = 50;
/** While nothing is looked at, how often it is asked whether that has changed. */
const ASLEEP_MS = 1_000;

/**
 * Looks at files every few seconds; a copy of another name in the place of a file, as orchestrators make them, is noticed too.
 * @param options - what, how often, and what is done when one has changed
 * @returns once the first look is done; to be closed
 */
export async function watchFiles({
  files,
  seconds,
  reload,
}: WatchFilesOptions): Promise<{ readonly close: () => void }> {
  let last = await stampOf(files());
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const look = async (): Promise<void> => {
    if (seconds() <= 0) return;
    const now = await stampOf(files());
    if (now === last || isClosed) return;
    // As it was when it was read: what changes meanwhile is another change, and what could not be used is not tried again until it changes.
    last = now;
    await reload();
  };
  const plan = (): void => {
    if (isClosed) return;
    const waitMs = seconds() > 0 ? Math.max(SHORTEST_MS, seconds() * 1_000) : ASLEEP_MS;
    timer = setTimeout(() => void look().finally(plan), waitMs);
    timer.unref();
  };
  plan();
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/**
 * Runs work once at a time; all who ask while it runs share the one run behind it, so that a storm of signals is two runs.
 * @param work - never rejects
 */
export function oneAtATime<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<Result> | undefined;
  return () => {
    if (waiting !== undefined) return waiting;
    waiting = last.then(() => {
      waiting = undefined;
      return work();
    });
    last = waiting;
    return waiting;
  };
}

/** Runs work the first time that it is asked for. */
export function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
