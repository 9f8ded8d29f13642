import { isHopbackError } from '../../errors.js';
import { fullJitterMs } from '../../core/backoff.js';
import type { Backoff } from '../../core/backoff.js';
import type { Breaker } from '../../records/stream/breaker.js';
import type { StreamClock } from '../../records/stream/stream-clock.js';
import type { EntryJournal } from './entry-journal.js';
import type { EscalationStep } from './escalation.js';
import type { KeyedWork } from './keyed-work.js';
import type { PlatformHealth } from './platform-health.js';
import type { ProblemKind, ResponderLimits, TracebackResponderOptions } from './responder-contract.js';
import type { ResponderCounts } from './responder-statistics.js';

/** What the parts of a responder share. */
export interface ResponderCore {
  readonly options: TracebackResponderOptions;
  readonly limits: ResponderLimits;
  readonly clock: StreamClock;
  readonly random: () => number;
  readonly journal: EntryJournal;
  readonly counts: ResponderCounts;
  readonly breaker: Breaker;
  /** Tells failures of the platform from those of a single request. */
  readonly health: PlatformHealth;
  /** By time, the earliest first. */
  readonly escalations: readonly EscalationStep[];
  readonly retries: Retries;
  /** As `retries`, of telling people: who cannot be told is no reason to deliver sooner or later. */
  readonly tellRetries: Retries;
  /** Aborted when the responder is closed. */
  readonly stop: AbortController;
  /** Answers whose evidence has been told of the signature, by this process, and not yet of what became of it. */
  readonly attached: Set<string>;
  /** Made last: it runs what is made of all the rest. */
  work: KeyedWork<ResponderLane>;
}

/** Looking up and signing wait for store and keys, delivering for the platform, telling for people. */
export type ResponderLane = 'answer' | 'deliver' | 'tell';

/** Attempts of a request that failed: a second to begin with, ten minutes at most, so that a request of the night is tried until morning. */
const RETRY: Backoff = { baseMs: 1_000, capMs: 600_000 };

/** Later attempts, one for each key at most. */
export interface Retries {
  /** After a wait that grows with each failure in a row. */
  readonly later: (key: string) => void;
  /** After so many milliseconds. */
  readonly at: (key: string, delayMs: number) => void;
  /** It went well: the next failure is the first. */
  readonly forget: (key: string) => void;
  readonly clear: () => void;
}

/** @param again - is called for a key when its time has come */
export function createRetries(
  { clock, random }: Pick<ResponderCore, 'clock' | 'random'>,
  again: (key: string) => void,
): Retries {
  const failures = new Map<string, number>();
  const timers = new Map<string, () => void>();
  const at = (key: string, delayMs: number): void => {
    timers.get(key)?.();
    const cancel = clock.schedule(() => {
      timers.delete(key);
      again(key);
    }, delayMs);
    timers.set(key, cancel);
  };
  return {
    at,
    later: (key) => {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      // At least something: a wait of none would be a loop.
      at(key, LEAST_WAIT_MS + fullJitterMs(count, RETRY, random));
    },
    forget: (key) => {
      failures.delete(key);
      timers.get(key)?.();
      timers.delete(key);
    },
    clear: () => {
      for (const cancel of timers.values()) cancel();
      timers.clear();
      failures.clear();
    },
  };
}

const LEAST_WAIT_MS = 20;

/** Something failed, and is tried again; leaves no responder. */
export class StepFailure extends Error {
  readonly kind: ProblemKind;
  constructor(kind: ProblemKind, cause: unknown) {
    super(kind, { cause });
    this.kind = kind;
  }
}

/** Counts a problem, and tells whoever writes logs. Never throws. */
export function noteProblem(
  { counts, options }: Pick<ResponderCore, 'counts' | 'options'>,
  problem: { readonly kind: ProblemKind; readonly requestId?: string; readonly cause: unknown },
): void {
  counts.failures[problem.kind] += 1;
  const { kind, requestId, cause } = problem;
  try {
    options.onProblem?.({ kind, ...(requestId === undefined ? {} : { requestId }), detail: detailOf(cause) });
  } catch {
    // A log that cannot be written is no reason to stop answering.
  }
}

/** What of an error is for people: messages of ours are free of telephone numbers, those of others may not be. */
function detailOf(cause: unknown): string {
  if (typeof cause === 'string') return cause.slice(0, MAX_DETAIL_CHARS);
  if (isHopbackError(cause)) return `${cause.code}: ${cause.message}`.slice(0, MAX_DETAIL_CHARS);
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code.slice(0, MAX_DETAIL_CHARS) : 'it threw';
}

const MAX_DETAIL_CHARS = 300;
