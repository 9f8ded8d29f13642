import type { DeliveryResult } from '../../platform/wire/record-batch.js';
import type { BreakerState } from './breaker.js';
import type { StreamClock } from './stream-clock.js';

/** Why the last attempt that failed did so. */
export type StreamTrouble = Exclude<DeliveryResult, { readonly status: 'acknowledged' }> & {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
};

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
  readonly breaker: BreakerState;
  /** Age of the oldest record that waits, as far as it has been read, milliseconds; 0 where none waits. */
  readonly oldestAgeMs: number;
  /** Highest sequence number of which all up to it are settled. */
  readonly acknowledgedSequence: number;
  /** Highest sequence number that is on disk. */
  readonly durableSequence: number;
  /** Highest sequence number that was given. */
  readonly lastSequence: number;
  /** The last attempt that failed; absent once one succeeds. */
  readonly trouble?: StreamTrouble;
  /** Times that the disk refused the stream something that it needed to go on. */
  readonly storageFailures: number;
}

/** How often a status is told at most: people and metrics need no more. */
export const STATUS_INTERVAL_MS = 250;

/** Tells those who listen how things stand, whenever that has changed. */
export interface StatusFeed {
  /** Something has changed. Cheap where nobody listens. */
  readonly changed: () => void;
  /** The status now, then whenever it has changed: the newest, those in between are left out. Ends with the stream. */
  readonly statuses: () => AsyncIterableIterator<StreamStatus>;
  readonly close: () => void;
}

/** Makes the feed; it keeps nothing for listeners that are slow. */
export function createStatusFeed(snapshot: () => StreamStatus, clock: StreamClock): StatusFeed {
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
    changed,
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
