import type { Clock } from '../../core/clock.js';

/** How long a source may have something to read, and read none of it, until it counts as stuck, milliseconds. */
export const STUCK_AFTER_MS = 300_000;

/** How far behind a source is. */
export interface SourceProgressState {
  /** When rows were last read and stored, milliseconds since the epoch; when the source was opened where there were none yet. */
  readonly lastProgressMs: number;
  /** When the oldest of what waits to be read or stored was written, as far as is known; absent where nothing waits. */
  readonly oldestUnreadMs?: number;
  /** Something has waited without any progress for `stuckAfterMs`. */
  readonly isStuck: boolean;
}

/** Tells whether a source goes on. */
export interface SourceProgress {
  /** Rows were taken in. */
  readonly progressed: () => void;
  /** Something failed. It is counted as waiting until {@link SourceProgress.calm}. */
  readonly failed: () => void;
  /** Nothing fails any more. */
  readonly calm: () => void;
  /** @param unreadMs - since when something waits, beside what fails; absent where nothing does */
  readonly state: (unreadMs?: number) => SourceProgressState;
}

/** Makes it, for one source. Pure: never throws. */
export function createSourceProgress(clock: Clock, stuckAfterMs: number = STUCK_AFTER_MS): SourceProgress {
  let lastProgressMs = clock.nowMs();
  /** When nothing waited last: what came since has not waited longer. */
  let idleMs = lastProgressMs;
  let failingMs: number | undefined;
  return {
    progressed: () => void (lastProgressMs = clock.nowMs()),
    failed: () => void (failingMs ??= clock.nowMs()),
    calm: () => void (failingMs = undefined),
    state(unreadMs = Infinity) {
      const nowMs = clock.nowMs();
      const oldestUnreadMs = Math.min(unreadMs, failingMs ?? Infinity);
      if (oldestUnreadMs === Infinity) {
        idleMs = nowMs;
        return { lastProgressMs, isStuck: false };
      }
      const sinceMs = Math.max(lastProgressMs, idleMs);
      return { lastProgressMs, oldestUnreadMs, isStuck: nowMs - sinceMs >= stuckAfterMs };
    },
  };
}
