import type { TimerClock } from '../../core/runtime/clock.js';

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
/** Attempts that wait at a time: of all, of one account, of one source for one account. Each holds a connection and a form of some hundred octets. */
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
  const refused = (attempt: LoginAttempt, delayMs: number): Admission => {
    const isToTell = toldAtMs.count(accountKey(attempt)) === 0;
    if (isToTell) toldAtMs.add(accountKey(attempt));
    return { status: 'refused', retryAfterSeconds: Math.ceil(delayMs / 1_000), isToTell };
  };
  return {
    async admit(attempt, signal) {
      const delayMs = delayOf(attempt);
      const dropped = new AbortController();
      const waiter: Waiter = { attempt, failures: failures.count(sourceKey(attempt)), drop: () => dropped.abort() };
      if (delayMs > 0 && !waiting.enter(waiter)) return refused(attempt, delayMs);
      // Before it is known whether it fails: those that come together are slowed down as those that come one by one.
      if (isDeviceTrusted(attempt)) failures.add(`device ${attempt.device}`);
      else {
        failures.add(sourceKey(attempt));
        failures.add(accountKey(attempt));
      }
      if (delayMs === 0) return { status: 'admitted' };
      try {
        if (await waited(schedule, delayMs, AbortSignal.any([signal, dropped.signal]))) return { status: 'admitted' };
        return dropped.signal.aborted ? refused(attempt, delayMs) : { status: 'gone' };
      } finally {
        waiting.leave(waiter);
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

interface Waiter {
  readonly attempt: LoginAttempt;
  /** Of its source for its account, before this attempt. */
  readonly failures: number;
  /** Ends its wait: it is refused. */
  readonly drop: () => void;
}

interface Waiting {
  /** @returns false where too many wait, and none of them has failed more often */
  readonly enter: (waiter: Waiter) => boolean;
  readonly leave: (waiter: Waiter) => void;
}

/** Where all places are taken, the attempt whose source has failed most often gives its place to one whose source has failed less often. */
function createWaiting(): Waiting {
  const waiters = new Set<Waiter>();
  return {
    enter(waiter) {
      const ofAccount = [...waiters].filter(({ attempt }) => attempt.account === waiter.attempt.account);
      const ofSource = ofAccount.filter(({ attempt }) => attempt.source === waiter.attempt.source);
      if (ofSource.length >= MAX_WAITING_FOR_SOURCE) return false;
      const isFull = ofAccount.length >= MAX_WAITING_FOR_ACCOUNT || waiters.size >= MAX_WAITING;
      if (isFull) {
        const crowd = ofAccount.length >= MAX_WAITING_FOR_ACCOUNT ? ofAccount : [...waiters];
        const worst = crowd.reduce((one, other) => (other.failures > one.failures ? other : one));
        if (worst.failures <= waiter.failures) return false;
        waiters.delete(worst);
        worst.drop();
      }
      waiters.add(waiter);
      return true;
    },
    leave: (waiter) => void waiters.delete(waiter),
  };
}
