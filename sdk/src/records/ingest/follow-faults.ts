import { backoffBoundMs } from '../../core/backoff.js';
import type { Backoff } from '../../core/backoff.js';
import type { Clock } from '../../core/runtime/clock.js';

/** How long a file that could not be read is left alone. A disk may take seconds for each attempt, and the other files wait for it. */
const RETRY: Backoff = { baseMs: 1_000, capMs: 30_000 };

/** What is known of a file that is worked on. */
interface NamedFile {
  /** Device and inode, or the full path where the disk does not even tell those. */
  readonly key: string;
  readonly path: string;
  /** When it was written to last, as far as is known. */
  readonly mtimeMs?: number;
}

/** A file that could not be read at the last attempt. */
export interface FaultyFile extends Required<NamedFile> {
  /** When it failed first since it last could be read. */
  readonly sinceMs: number;
  readonly triedMs: number;
  readonly failures: number;
}

/** Ends a look, and says nothing of the file that it is at. With a cause: the rows that were read could not be stored. */
export class LookEnded extends Error {}

/** The files of one source that cannot be read. Each is tried again by itself, and none keeps the others waiting. */
export class FileFaults {
  readonly #clock: Clock;
  readonly #tell: (path: string, cause: unknown) => void;
  readonly #faulty = new Map<string, FaultyFile>();
  /** Of those, the ones that were worked on since the last sweep. */
  #asked = new Set<string>();

  /** @param tell - called for the first of the failures in a row of a file */
  constructor(clock: Clock, tell: (path: string, cause: unknown) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /**
   * Works on a file unless it failed a moment ago.
   * @returns undefined where it failed
   * @throws {@link LookEnded}
   */
  async attempt<Value>(file: NamedFile, work: () => Promise<Value>): Promise<Value | undefined> {
    if (this.#faulty.has(file.key)) this.#asked.add(file.key);
    if (this.isResting(file.key)) return undefined;
    try {
      const value = await work();
      this.#faulty.delete(file.key);
      return value;
    } catch (cause) {
      if (cause instanceof LookEnded) throw cause;
      this.#failed(file, cause);
      return undefined;
    }
  }

  get(key: string): FaultyFile | undefined {
    return this.#faulty.get(key);
  }

  all(): readonly FaultyFile[] {
    return [...this.#faulty.values()];
  }

  /** Whether a file failed so recently that it is left alone. */
  isResting(key: string): boolean {
    const fault = this.#faulty.get(key);
    if (fault === undefined) return false;
    const restedMs = this.#clock.nowMs() - fault.triedMs;
    // Where the clock was set back nobody waits for it to come round again.
    return restedMs >= 0 && restedMs < backoffBoundMs(fault.failures, RETRY);
  }

  /** Drops files that nobody worked on since the last sweep: they are gone. */
  sweep(): void {
    for (const key of this.#faulty.keys()) if (!this.#asked.has(key)) this.#faulty.delete(key);
    this.#asked = new Set();
  }

  #failed({ key, path, mtimeMs }: NamedFile, cause: unknown): void {
    const triedMs = this.#clock.nowMs();
    const before = this.#faulty.get(key);
    this.#asked.add(key);
    if (before === undefined) this.#tell(path, cause);
    const { failures, sinceMs } = before ?? { failures: 0, sinceMs: triedMs };
    this.#faulty.set(key, { key, path, mtimeMs: mtimeMs ?? sinceMs, sinceMs, triedMs, failures: failures + 1 });
  }
}
