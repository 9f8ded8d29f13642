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
  readonly failed: (keys: readonly string[]) => void;
  readonly succeeded: (keys: readonly string[]) => void;
}

/** Makes it. */
export function createLoginLimiter(nowMs: () => number): LoginLimiter {
  /** How many failures count, and as of when. */
  const failures = new Map<string, { readonly count: number; readonly atMs: number }>();
  const countOf = (key: string): number => {
    const known = failures.get(key);
    return known === undefined ? 0 : Math.max(0, known.count - Math.floor((nowMs() - known.atMs) / FORGIVEN_EVERY_MS));
  };
  return {
    mayTry: (keys) => keys.every((key) => countOf(key) < ALLOWED_FAILURES),
    failed(keys) {
      for (const key of keys) {
        const count = countOf(key) + 1;
        failures.delete(key);
        const [oldest] = failures.keys();
        if (failures.size >= MAX_REMEMBERED && oldest !== undefined) failures.delete(oldest);
        failures.set(key, { count, atMs: nowMs() });
      }
    },
    succeeded(keys) {
      for (const key of keys) failures.delete(key);
    },
  };
}
