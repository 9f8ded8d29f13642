import type { Backoff } from '../../core/backoff.js';
import { HopbackError } from '../../errors.js';

/** What happens to records when the spool is at its limit. */
export type DropPolicy =
  /** New ones are refused, and `record` says so; what was accepted stays until it is delivered. */
  | 'refuse-new'
  /** The oldest that wait are given up, and counted: accepted records get lost. */
  | 'drop-oldest';

/** How a stream batches, tries again and what it holds. */
export interface StreamPolicy {
  /** Batches on their way at once, 1 to 64. Records of one call are in one of them at a time. */
  readonly maxInFlight: number;
  /** Records of a batch, 1 to 10,000. */
  readonly batchRecords: number;
  /** Octets of a batch before compression, 1,024 to 8 MiB; a record that is larger goes alone. */
  readonly batchBytes: number;
  /** How long a record waits for others to fill its batch, milliseconds. */
  readonly lingerMs: number;
  /** Waits between attempts. */
  readonly retry: Backoff;
  /** Failed attempts in a row, of all batches, after which the receiver is left alone. */
  readonly breakerFailures: number;
  /** How long it is left alone before it is tried with one batch; doubles up to the cap while that fails. */
  readonly breakerOpen: Backoff;
  /** Octets of records that wait in the spool; the dead letters may take as many again. */
  readonly maxSpoolBytes: number;
  /** Age of the oldest record that waits, milliseconds. */
  readonly maxSpoolAgeMs: number;
  /** What happens at either limit. */
  readonly dropPolicy: DropPolicy;
  /**
   * Octets that wait in the spool unread, above which they are packed while the receiver is away: compressed as they will be sent, they take a
   * tenth of the room. The largest safe integer for never.
   */
  readonly packAboveBytes: number;
  /** Octets of records that are read ahead of what is acknowledged. */
  readonly windowBytes: number;
  /** Octets of one record as JSON, up to 1 MiB; larger ones are refused. */
  readonly maxRecordBytes: number;
}

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

const BOUNDS: Readonly<Record<keyof StreamPolicy & NumericMember, readonly [number, number]>> = {
  maxInFlight: [1, 64],
  batchRecords: [1, 10_000],
  batchBytes: [1_024, 8 * 1_048_576],
  lingerMs: [0, 3_600_000],
  breakerFailures: [1, 1_000_000],
  maxSpoolBytes: [1_024, Number.MAX_SAFE_INTEGER],
  maxSpoolAgeMs: [1_000, Number.MAX_SAFE_INTEGER],
  packAboveBytes: [1_024, Number.MAX_SAFE_INTEGER],
  windowBytes: [1_024, 2 ** 31],
  maxRecordBytes: [128, 1_048_576],
};

type NumericMember = {
  [Name in keyof StreamPolicy]: StreamPolicy[Name] extends number ? Name : never;
}[keyof StreamPolicy];

/**
 * Completes a policy with {@link DEFAULT_STREAM_POLICY} and checks it.
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
  for (const name of Object.keys(BOUNDS) as (keyof typeof BOUNDS)[]) {
    const [least, most] = BOUNDS[name];
    const value = policy[name];
    if (!Number.isInteger(value) || value < least || value > most)
      throw new HopbackError(
        'invalid-configuration',
        `${name} must be a whole number from ${least} to ${most}, not ${value}`,
      );
  }
  for (const name of ['retry', 'breakerOpen'] as const) {
    const { baseMs, capMs } = policy[name];
    if (!Number.isFinite(baseMs) || !Number.isFinite(capMs) || baseMs < 1 || capMs < baseMs)
      throw new HopbackError('invalid-configuration', `${name} needs baseMs of 1 or more and capMs of baseMs or more`);
  }
  return policy;
}
