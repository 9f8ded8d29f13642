/** Logins that may fail in a row, for a name as for an address. */
const ALLOWED_FAILURES = 5;

/** After how long one more may, milliseconds: 1,440 guesses a day, of a password of 15 characters. */
const FORGIVEN_EVERY_MS = 60_000;

/** Names and addresses that are remembered; the one that failed longest ago goes. */
const MAX_REMEMBERED = 10_000;

/** Keeps guesses of passwords rare. */
export interface LoginLimiter {
  /** Whether one may try, by every one of its keys: a name, an address. */
  readonly mayTry: (keys: readonly string[]) => boolean;
  /** Whether it is put on record that one may not: once in a while for each key, so that a flood of logins does not fill the disk. */
  readonly isToTell: (keys: readonly string[]) => boolean;
  readonly failed: (keys: readonly string[]) => void;
  readonly succeeded: (keys: readonly string[]) => void;
}

/** Makes it. */
export function createLoginLimiter(nowMs: () => number): LoginLimiter {
  /** How many failures count, and as of when; and when it was told last that nobody may try. */
  const failures = new Map<string, { readonly count: number; readonly atMs: number; toldAtMs: number }>();
  const countOf = (key: string): number => {
    const known = failures.get(key);
    if (known === undefined) return 0;
    // A clock that was set back must not shut anybody out until it is where it was.
    const passedMs = Math.max(0, nowMs() - known.atMs);
    return Math.max(0, known.count - Math.floor(passedMs / FORGIVEN_EVERY_MS));
  };
  return {
    mayTry: (keys) => keys.every((key) => countOf(key) < ALLOWED_FAILURES),
    isToTell(keys) {
      let isNews = false;
      for (const key of keys) {
        const known = failures.get(key);
        if (known === undefined || countOf(key) < ALLOWED_FAILURES) continue;
        if (Math.abs(nowMs() - known.toldAtMs) < FORGIVEN_EVERY_MS) continue;
        known.toldAtMs = nowMs();
        isNews = true;
      }
      return isNews;
    },
    failed(keys) {
      for (const key of keys) {
        const count = countOf(key) + 1;
        const toldAtMs = failures.get(key)?.toldAtMs ?? Number.NEGATIVE_INFINITY;
        failures.delete(key);
        const [oldest] = failures.keys();
        if (failures.size >= MAX_REMEMBERED && oldest !== undefined) failures.delete(oldest);
        failures.set(key, { count, atMs: nowMs(), toldAtMs });
      }
    },
    succeeded(keys) {
      for (const key of keys) failures.delete(key);
    },
  };
}
