import type { TimerClock } from '../../core/clock.js';

/** Failures of an account from one source before the next attempt waits: typing errors. */
const FREE_FOR_SOURCE = 2;
/** The wait of an attempt from a source that fails again and again: 2, 4, 8, 16, then 30 s. */
const LONGEST_FOR_SOURCE_MS = 30_000;
/** Failures of an account from anywhere before attempts from unknown browsers wait. */
const FREE_FOR_ACCOUNT = 4;
/** Nobody keeps somebody else out: however many guesses come from elsewhere, an attempt waits no longer than this for them. */
const LONGEST_FOR_ACCOUNT_MS = 5_000;
/** Failures in a row after which a browser that signed in before waits as others do: it may have been stolen. */
const FREE_FOR_DEVICE = 10;
/** After how long one failure is forgotten, milliseconds. */
const FORGIVEN_EVERY_MS = 60_000;
/** Accounts, sources and browsers that are remembered; the one that failed longest ago goes. */
const MAX_REMEMBERED = 10_000;
/** Attempts that wait at a time: of all, of one account, of one source. Each holds a connection and a form of some hundred octets. */
const MAX_WAITING = 100;
const MAX_WAITING_FOR_ACCOUNT = 20;
const MAX_WAITING_FOR_SOURCE = 4;

/** Somebody who tries to log in. */
export interface LoginAttempt {
  readonly account: string;
  /** Where from: an address, or a network. */
  readonly source: string;
  /** Of a browser that this account signed in with before. */
  readonly device?: string;
}

/** Whether a password may be checked now. */
export type Admission =
  | { readonly status: 'admitted' }
  /** Too many wait. `isToTell`: for the audit, once a minute for an account, so that a flood of attempts does not fill the disk. */
  | { readonly status: 'refused'; readonly retryAfterSeconds: number; readonly isToTell: boolean }
  /** The browser has gone. */
  | { readonly status: 'gone' };

/** Makes guesses of passwords slow, and locks nobody out. */
export interface LoginDelays {
  /** Waits as long as this attempt has to, and counts it as failed until `succeeded`. */
  readonly admit: (attempt: LoginAttempt, signal: AbortSignal) => Promise<Admission>;
  readonly succeeded: (attempt: LoginAttempt) => void;
}

/** Makes it. */
export function createLoginDelays({ nowMs, schedule }: TimerClock): LoginDelays {
  const failures = createFailures(nowMs);
  const waiting = createWaiting();
  const toldAtMs = createFailures(nowMs);
  const isDeviceTrusted = ({ device }: LoginAttempt): boolean =>
    device !== undefined && failures.count(`device ${device}`) < FREE_FOR_DEVICE;
  const delayOf = (attempt: LoginAttempt): number =>
    isDeviceTrusted(attempt)
      ? 0
      : Math.max(
          doubled(failures.count(sourceKey(attempt)) - FREE_FOR_SOURCE, LONGEST_FOR_SOURCE_MS),
          doubled(failures.count(accountKey(attempt)) - FREE_FOR_ACCOUNT, LONGEST_FOR_ACCOUNT_MS),
        );
  return {
    async admit(attempt, signal) {
      const delayMs = delayOf(attempt);
      if (delayMs > 0 && !waiting.enter(attempt)) {
        const isToTell = toldAtMs.count(accountKey(attempt)) === 0;
        if (isToTell) toldAtMs.add(accountKey(attempt));
        return { status: 'refused', retryAfterSeconds: Math.ceil(delayMs / 1_000), isToTell };
      }
      // Before it is known whether it fails: those that come together are slowed down as those that come one by one.
      if (isDeviceTrusted(attempt)) failures.add(`device ${attempt.device}`);
      else {
        failures.add(sourceKey(attempt));
        failures.add(accountKey(attempt));
      }
      if (delayMs === 0) return { status: 'admitted' };
      try {
        return { status: (await waited(schedule, delayMs, signal)) ? 'admitted' : 'gone' };
      } finally {
        waiting.leave(attempt);
      }
    },
    succeeded(attempt) {
      failures.forget(sourceKey(attempt));
      if (attempt.device !== undefined) failures.forget(`device ${attempt.device}`);
      // Only its own: others may go on guessing.
      failures.takeBack(accountKey(attempt));
    },
  };
}

const sourceKey = ({ account, source }: LoginAttempt): string => `source ${source} ${account}`;
const accountKey = ({ account }: LoginAttempt): string => `account ${account}`;

/** 2 s after the first failure that counts, twice as much after each further one. */
const doubled = (failures: number, longestMs: number): number =>
  failures <= 0 ? 0 : Math.min(longestMs, 1_000 * 2 ** Math.min(failures, 10));

/** @returns false where the browser has gone meanwhile */
function waited(schedule: TimerClock['schedule'], delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (isOver: boolean): void => {
      signal.removeEventListener('abort', leave);
      cancel();
      resolve(isOver);
    };
    const leave = (): void => end(false);
    const cancel = schedule(() => end(true), delayMs);
    signal.addEventListener('abort', leave, { once: true });
  });
}

interface Failures {
  /** Those that are not forgotten yet. */
  readonly count: (key: string) => number;
  readonly add: (key: string) => void;
  readonly takeBack: (key: string) => void;
  readonly forget: (key: string) => void;
}

function createFailures(nowMs: () => number): Failures {
  const known = new Map<string, { readonly count: number; readonly atMs: number }>();
  const count = (key: string): number => {
    const failed = known.get(key);
    if (failed === undefined) return 0;
    // A clock that was set back must not slow anybody down until it is where it was.
    const passedMs = Math.max(0, nowMs() - failed.atMs);
    return Math.max(0, failed.count - Math.floor(passedMs / FORGIVEN_EVERY_MS));
  };
  const set = (key: string, failed: number): void => {
    known.delete(key);
    const [oldest] = known.keys();
    if (known.size >= MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
    if (failed > 0) known.set(key, { count: failed, atMs: nowMs() });
  };
  return {
    count,
    add: (key) => set(key, count(key) + 1),
    takeBack: (key) => set(key, count(key) - 1),
    forget: (key) => void known.delete(key),
  };
}

interface Waiting {
  /** @returns false where too many wait */
  readonly enter: (attempt: LoginAttempt) => boolean;
  readonly leave: (attempt: LoginAttempt) => void;
}

function createWaiting(): Waiting {
  const counts = new Map<string, number>();
  const limits = ({ account, source }: LoginAttempt): readonly (readonly [key: string, most: number])[] => [
    ['all', MAX_WAITING],
    [`account ${account}`, MAX_WAITING_FOR_ACCOUNT],
    [`source ${source}`, MAX_WAITING_FOR_SOURCE],
  ];
  const add = (key: string, more: number): void => {
    const count = (counts.get(key) ?? 0) + more;
    if (count > 0) counts.set(key, count);
    else counts.delete(key);
  };
  return {
    enter(attempt) {
      const keys = limits(attempt);
      if (keys.some(([key, most]) => (counts.get(key) ?? 0) >= most)) return false;
      for (const [key] of keys) add(key, 1);
      return true;
    },
    leave(attempt) {
      for (const [key] of limits(attempt)) add(key, -1);
    },
  };
}
