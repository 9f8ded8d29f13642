import { z } from 'zod';
import { backoffBoundMs } from '../../core/runtime/deadline.js';
import type { Backoff } from '../../core/runtime/deadline.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { configurationError } from '../configuration-error.schema.js';
import type { DeliveryResult } from '../../contract/record-batch.js';

/** Time as a stream needs it: waits run on a time that nobody turns back, only what people read comes from the wall. */
export interface StreamClock extends TimerClock {
  /** Milliseconds since some instant, never less than before, whatever is done to the clock of the machine. */
  readonly monotonicMs: () => number;
}

/** Time that goes on evenly: whoever sets the clock of the machine makes no record old, and none young. */
export type StreamTime = ReturnType<typeof createStreamTime>;

/** Begins at the clock's time. */
export function createStreamTime(clock: StreamClock) {
  const offsetMs = clock.nowMs() - clock.monotonicMs();
  return {
    /** Milliseconds since the epoch, as the clock of the machine had it when the stream was made, plus what has gone by since. */
    nowMs: () => offsetMs + clock.monotonicMs(),
  };
}

/** Waits between attempts: the first, doubling up to the cap. */
const backoff = z
  .object({ baseMs: z.number().min(1), capMs: z.number() })
  .refine(({ baseMs, capMs }) => baseMs <= capMs, { path: ['capMs'], error: 'must not be less than baseMs' });

const StreamPolicy = z.object({
  /** Batches on their way at once, 1 to 64. Records of one call are in one of them at a time. */
  maxInFlight: z.int().min(1).max(64),
  /** Records of a batch, 1 to 10,000. */
  batchRecords: z.int().min(1).max(10_000),
  /** Octets of a batch before compression, 1,024 to 8 MiB; a record that is larger goes alone. */
  batchBytes: z
    .int()
    .min(1_024)
    .max(8 * 1_048_576),
  /** How long a record waits for others to fill its batch, milliseconds. */
  lingerMs: z.int().min(0).max(3_600_000),
  /** Waits between attempts. */
  retry: backoff,
  /** Failed attempts in a row, of all batches, after which the receiver is left alone. */
  breakerFailures: z.int().min(1).max(1_000_000),
  /** How long it is left alone before it is tried with one batch; doubles up to the cap while that fails. */
  breakerOpen: backoff,
  /** Octets of records that wait in the spool; the dead letters may take as many again. */
  maxSpoolBytes: z.int().min(1_024),
  /** Age of the oldest record that waits, milliseconds. */
  maxSpoolAgeMs: z.int().min(1_000),
  /**
   * What happens at either limit: new records are refused, and `record` says so, while what was accepted stays until it is delivered; or the
   * oldest that wait are given up, and counted: accepted records get lost.
   */
  dropPolicy: z.enum(['refuse-new', 'drop-oldest']),
  /**
   * Octets that wait in the spool unread, above which they are packed while the receiver is away: compressed as they will be sent, they take a
   * tenth of the room. The largest safe integer for never.
   */
  packAboveBytes: z.int().min(1_024),
  /** Octets of records that are read ahead of what is acknowledged. */
  windowBytes: z
    .int()
    .min(1_024)
    .max(2 ** 31),
  /** Octets of one record as JSON, up to 1 MiB; larger ones are refused. */
  maxRecordBytes: z.int().min(128).max(1_048_576),
});

/** How a stream batches, tries again and what it holds. */
export type StreamPolicy = Readonly<z.infer<typeof StreamPolicy>>;

/**
 * What holds unless told otherwise.
 * - Four batches at once fill a line across a continent (80 ms) with some 20,000 records/s; more would only wait in the receiver.
 * - 500 records are some 60 KiB compressed: a request that is repeated in vain costs little, its head costs nothing beside it.
 * - 200 ms of linger are nothing beside the seconds of a traceback and make 200 records/s batches of 40.
 * - Waits begin at 0.5 s and end at 60 s: a platform that comes back is found within a minute.
 * - 16 GiB are a day of 2,000 records/s at 900 octets, which are packed while they wait; a carrier with more sets more.
 * - What waits above 16 MiB is packed: less is gone within a second, and lies record by record, of which a damaged block takes one.
 * - Seven days cover a long week-end; older records tell a traceback nothing live.
 * - Records with the evidence of five PASSporTs have some 4,000 octets: 256 KiB is room for anything honest.
 */
export const DEFAULT_STREAM_POLICY: StreamPolicy = {
  maxInFlight: 4,
  batchRecords: 500,
  batchBytes: 1_048_576,
  lingerMs: 200,
  retry: { baseMs: 500, capMs: 60_000 },
  breakerFailures: 8,
  breakerOpen: { baseMs: 1_000, capMs: 60_000 },
  maxSpoolBytes: 16 * 1_073_741_824,
  maxSpoolAgeMs: 7 * 86_400_000,
  dropPolicy: 'refuse-new',
  packAboveBytes: 16 * 1_048_576,
  windowBytes: 16 * 1_048_576,
  maxRecordBytes: 262_144,
};

/**
 * Completes a policy with `DEFAULT_STREAM_POLICY` and checks it.
 * @param given - what differs from the default
 * @returns the whole policy
 * @throws {@link HopbackError} `invalid-configuration` when a number is out of its bounds
 * @see RFC 9110 section 10.2.3 for what a receiver may add to the waits
 * @example
 * ```ts
 * console.log(streamPolicy({ lingerMs: 50 }).batchRecords); // 500
 * ```
 */
export function streamPolicy(given: Partial<StreamPolicy> = {}): StreamPolicy {
  const policy = { ...DEFAULT_STREAM_POLICY, ...given };
  const read = StreamPolicy.safeParse(policy);
  if (!read.success) throw configurationError('the policy of the stream', { error: read.error, value: policy });
  return policy;
}

/**
 * Lets attempts through or not. Times are monotonic milliseconds.
 * ```
 *            failures in a row                wait is over
 *   closed ───────────────────► open ───────────────────────► half-open (one batch)
 *     ▲                          ▲  │ a straggler succeeds       │      │
 *     └──────────────────────────┼──┴────────────────────────────┘      │
 *        it is acknowledged      └──────────────────────────────────────┘ it fails: longer wait
 * ```
 */
export type Breaker = ReturnType<typeof createBreaker>;

/**
 * Makes a closed breaker. Pure: it holds state and no timer.
 * @param options - failures in a row that open it, how long it stays so, and a number from 0 up to 1 that spreads the waits over the
 * upper half of their bound
 */
export function createBreaker(options: {
  readonly failures: number;
  readonly open: Backoff;
  readonly random: () => number;
}) {
  let state: StreamStatus['breaker'] = 'closed';
  let failures = 0;
  let openings = 0;
  let permittedAtMs = 0;
  let isProbing = false;

  const open = (nowMs: number): void => {
    state = 'open';
    isProbing = false;
    openings += 1;
    // Never less than half: an open breaker that tries at once would be none.
    permittedAtMs = nowMs + backoffBoundMs(openings, options.open) * (0.5 + options.random() / 2);
  };

  return {
    state: (): StreamStatus['breaker'] => state,
    /** Whether an attempt may begin; in `half-open` only one, which this call then takes. */
    permit: (nowMs: number) => {
      if (state === 'closed') return true;
      if (nowMs < permittedAtMs || isProbing) return false;
      state = 'half-open';
      isProbing = true;
      return true;
    },
    /** When an attempt may be permitted at the earliest; Infinity while one is being tried. */
    permittedAtMs: () => (isProbing ? Number.POSITIVE_INFINITY : state === 'closed' ? 0 : permittedAtMs),
    /** The receiver answered as one should, whatever it thought of the batch. */
    onAnswered: () => {
      state = 'closed';
      failures = 0;
      openings = 0;
      isProbing = false;
    },
    onFailed: (nowMs: number) => {
      failures += 1;
      // Of those that were on their way when it opened, failures are no news.
      if (state === 'half-open' || (state === 'closed' && failures >= options.failures)) open(nowMs);
    },
    /** It makes no sense to go on until somebody has changed something: open at once. */
    onBarred: (nowMs: number) => {
      failures += 1;
      if (state !== 'open') open(nowMs);
    },
    /** The attempt was given up before anything could be learnt from it. */
    onAbandoned: () => {
      isProbing = false;
    },
  };
}

/** A stream as it stands. Counts are of records since it was made, unless they say otherwise. */
export interface StreamStatus {
  /** Accepted, waiting in the spool and not on their way. */
  readonly queued: number;
  /** Of those, packed on the disk: as they will be sent, in a tenth of the room. */
  readonly packed: number;
  /** On their way now. */
  readonly inFlight: number;
  /** Taken by the receiver. */
  readonly acknowledged: number;
  /** Batches that were acknowledged or refused. */
  readonly batches: number;
  /** Attempts to deliver a batch. */
  readonly requests: number;
  /** Attempts that repeated one that had failed. */
  readonly retried: number;
  /** Put aside as dead letters. */
  readonly dead: number;
  /** Dead letters that nobody has dealt with, also of processes before this one. */
  readonly deadLetters: number;
  /** Given up by the policy `drop-oldest`. */
  readonly dropped: number;
  /** Not accepted by `record`. */
  readonly refused: number;
  /** Whether the receiver is tried. */
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** Age of the oldest record that waits, as far as it has been read, milliseconds; 0 where none waits. */
  readonly oldestAgeMs: number;
  /** Highest sequence number of which all up to it are settled. */
  readonly acknowledgedSequence: number;
  /** Highest sequence number that is on disk. */
  readonly durableSequence: number;
  /** Highest sequence number that was given. */
  readonly lastSequence: number;
  /** The last attempt that failed; absent once one succeeds. */
  readonly trouble?: Exclude<DeliveryResult, { readonly status: 'acknowledged' }> & {
    /** Milliseconds since the epoch. */
    readonly atMs: number;
  };
  /** Times that the disk refused the stream something that it needed to go on. */
  readonly storageFailures: number;
}

/** How often a status is told at most: people and metrics need no more. */
export const STATUS_INTERVAL_MS = 250;

/** Makes the feed; it keeps nothing for listeners that are slow. */
export function createStatusFeed(snapshot: () => StreamStatus, clock: StreamClock) {
  const wake = new Set<() => void>();
  const feed = { isClosed: false };

  const statuses = async function* (): AsyncGenerator<StreamStatus> {
    let hasChanged = true;
    let rouse: (() => void) | undefined;
    const onChange = (): void => {
      hasChanged = true;
      rouse?.();
    };
    wake.add(onChange);
    try {
      while (!feed.isClosed) {
        if (hasChanged) {
          hasChanged = false;
          yield snapshot();
          await pause(clock, STATUS_INTERVAL_MS, (stop) => {
            rouse = () => void (feed.isClosed && stop());
          });
        } else {
          await new Promise<void>((resolve) => (rouse = resolve));
        }
        rouse = undefined;
      }
      yield snapshot();
    } finally {
      wake.delete(onChange);
    }
  };

  const changed = (): void => {
    for (const listener of wake) listener();
  };
  return {
    /** Something has changed. Cheap where nobody listens. */
    changed,
    /** The status now, then whenever it has changed: the newest, those in between are left out. Ends with the stream. */
    statuses,
    close: () => {
      feed.isClosed = true;
      changed();
    },
  };
}

function pause(clock: StreamClock, ms: number, started: (stop: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.schedule(resolve, ms);
    started(() => {
      cancel();
      resolve();
    });
  });
}
