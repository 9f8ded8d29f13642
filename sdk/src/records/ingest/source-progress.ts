import type { Clock } from '../../core/runtime/clock.js';

/** How long a source may have something to take in, and take in none of it, until it counts as stuck, milliseconds. */
export const STUCK_AFTER_MS = 300_000;

/** How often is looked whether a source is stuck, milliseconds, at most. */
const CHECK_EVERY_MS = 10_000;

/** How far behind a source is. */
export interface SourceProgressState {
  /** When rows were last read and stored, milliseconds since the epoch; when the source was opened where there were none yet. */
  readonly lastProgressMs: number;
  /** When the oldest of what waits to be read or stored was written, as far as is known; absent where nothing waits. */
  readonly oldestUnreadMs?: number;
  /** Something has waited without any progress for `stuckAfterMs`. */
  readonly isStuck: boolean;
}

/** What the progress of a source is watched with. */
export interface SourceProgressOptions {
  readonly clock: Clock;
  /** Runs something later; the returned function cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  /** Default {@link STUCK_AFTER_MS}. */
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
    this.#options = options;
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

  state(): SourceProgressState {
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
