/** Time as an argument, so that tests and replays can pass their own. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z, as `Date.now()` counts them. */
  readonly nowMs: () => number;
}

/** Runs a callback once after a delay in milliseconds; the returned function cancels it. */
export type Schedule = (callback: () => void, delayMs: number) => () => void;

/** Time that can also be waited for. */
export interface TimerClock extends Clock {
  /** Runs `callback` once, `delayMs` from now, unless the returned function is called first. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
}

/** Share of the drain time in which requests and calls under way may end. The rest of it is for closing stores and files. */
export const DRAINING_SHARE = 0.9;

/** Node fires a timer with a longer delay at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Node's timers. Any delay works: one of months is split into several timers, and `Infinity` never fires. Keeps the process alive. */
export const schedule: Schedule = (callback, delayMs) => scheduled(callback, delayMs, true);

/** As {@link schedule}, but does not keep the process alive. */
export const scheduleInBackground: Schedule = (callback, delayMs) => scheduled(callback, delayMs, false);

function scheduled(callback: () => void, delayMs: number, keepsAlive: boolean): () => void {
  if (delayMs === Infinity) return () => undefined;
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    const isLast = !(leftMs > LONGEST_TIMER_MS);
    timer = setTimeout(isLast ? callback : () => arm(leftMs - LONGEST_TIMER_MS), Math.min(leftMs, LONGEST_TIMER_MS));
    if (!keepsAlive) timer.unref();
  };
  // Node drops the fraction, and the timer would fire before its time.
  arm(Math.ceil(delayMs));
  return () => clearTimeout(timer);
}

/** The machine's clock. Waits run on `monotonicMs`, which nobody can set back; `nowMs` is what people read. */
export const MACHINE_CLOCK: TimerClock & { readonly monotonicMs: () => number } = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule,
};

/** Time that goes on evenly from the start of the process, whatever is done to the machine's clock. */
export const STEADY_CLOCK: TimerClock = { nowMs: () => performance.timeOrigin + performance.now(), schedule };

/** The machine's clock with timers that do not keep the process alive. */
export const BACKGROUND_CLOCK: TimerClock = { nowMs: MACHINE_CLOCK.nowMs, schedule: scheduleInBackground };

/**
 * Asks a clock that may be broken.
 * @param clock - may throw, or give anything
 * @returns milliseconds since the epoch, finite and positive; undefined where the clock gives anything else; never throws
 */
export function timeOf(clock: Clock): number | undefined {
  try {
    const nowMs = clock.nowMs();
    return Number.isFinite(nowMs) && nowMs > 0 ? nowMs : undefined;
  } catch {
    return undefined;
  }
}

/** Runs a callback again and again, `everyMs` apart, until the returned function is called. Keeps the process alive. */
export const every: Schedule = (callback, everyMs) => repeated(callback, everyMs, schedule);

/** As {@link every}, but does not keep the process alive. */
export const everyInBackground: Schedule = (callback, everyMs) => repeated(callback, everyMs, scheduleInBackground);

function repeated(callback: () => void, everyMs: number, timer: Schedule): () => void {
  const again = (): void => {
    cancel = timer(again, everyMs);
    callback();
  };
  let cancel = timer(again, everyMs);
  return () => cancel();
}

/** Waits so many milliseconds. @returns rejects with the reason of the signal as soon as that aborts */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = schedule(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    if (signal?.aborted === true) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
  });
}

/** Resolves when the time is over, or when the signal aborts: whoever waits looks which. Never rejects. */
export function pause(
  ms: number,
  { schedule: timer }: Pick<TimerClock, 'schedule'>,
  signal?: AbortSignal,
): Promise<void> {
  if (ms <= 0 || signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = timer(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Resolves when everything else that is ready has had its turn. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A signal that aborts after so many milliseconds with a `TimeoutError`, and does not keep the process alive. */
export function abortedAfter(ms: number): AbortSignal {
  // Node drops this timer once nobody holds the signal, so requests that finish early leave nothing behind.
  if (ms <= LONGEST_TIMER_MS) return AbortSignal.timeout(Math.ceil(ms));
  const controller = new AbortController();
  scheduleInBackground(() => controller.abort(new DOMException('took longer than it may', 'TimeoutError')), ms);
  return controller.signal;
}
