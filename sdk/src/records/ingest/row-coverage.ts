import type { CallRecord } from '../../core/call-record.js';
import type { CoverageInterval } from '../../core/coverage.js';

/**
 * How long a call may last before its row is written, milliseconds: the cap that carriers put on calls, four hours. A row that is
 * not there yet, or cannot be read, may be of a call that began so long before its neighbours were written.
 */
export const LONGEST_CALL_MS = 14_400_000;

/**
 * How long a source may be silent, milliseconds, before nothing says any more that it was running. An hour: a small carrier has
 * calls in every hour of the day, and what it has not in the night nobody asks for.
 */
export const LONGEST_SILENCE_MS = 3_600_000;

/** What the carrier knows of its source. */
export interface RowCoverageOptions {
  readonly sourceId: string;
  /** Default {@link LONGEST_CALL_MS}. */
  readonly longestCallMs?: number;
  /** Default {@link LONGEST_SILENCE_MS}. */
  readonly longestSilenceMs?: number;
}

/** What is known of an interval that is still growing: when its first and its last row were written, microseconds. */
export interface CoverageState {
  readonly fromUs: number;
  readonly writtenUs: number;
}

/**
 * Says for which times the rows of a source prove that all of them were seen. Switches write a row when a call ends, one after the
 * other: of calls that began between the first row and the last, all are there but those that were still up.
 */
export interface RowCoverage {
  /** A leg was read; legs in the order in which they were written. */
  readonly saw: (record: CallRecord) => void;
  /** Something is missing here: a row could not be read, or a file was gone before it was read. */
  readonly broke: () => void;
  /** What is proven and was not yet told. */
  readonly claims: () => readonly CoverageInterval[];
  readonly state: () => CoverageState | undefined;
}

/**
 * Makes the coverage of one source. A row whose clock is wrong makes nothing: it takes two that agree to leave off one stretch of time
 * and begin another. Never throws.
 * @param resumed - what `state` returned when its rows were made durable
 */
export function createRowCoverage(options: RowCoverageOptions, resumed?: CoverageState): RowCoverage {
  const longestCallUs = (options.longestCallMs ?? LONGEST_CALL_MS) * 1_000;
  const longestSilenceUs = (options.longestSilenceMs ?? LONGEST_SILENCE_MS) * 1_000;
  let current = resumed;
  /** A row far from the others: the first of another stretch of time, or one with a wrong clock. */
  let stray: number | undefined;
  let ended: CoverageInterval[] = [];
  let told = -Infinity;

  const proven = ({ fromUs, writtenUs }: CoverageState): CoverageInterval | undefined => {
    const toUs = writtenUs - longestCallUs;
    return toUs < fromUs ? undefined : { sourceId: options.sourceId, fromUs, toUs };
  };
  const leave = (): void => {
    const interval = current === undefined ? undefined : proven(current);
    if (interval !== undefined && interval.toUs !== told) ended.push(interval);
    current = undefined;
    stray = undefined;
    told = -Infinity;
  };
  const isNear = (us: number, otherUs: number): boolean => Math.abs(us - otherUs) <= longestSilenceUs;

  return {
    saw(record) {
      // Of a local time that comes twice both instants count: from the later on, to the earlier.
      const { atUs: writtenUs, latestUs } = writtenTimes(record);
      if (current === undefined) current = { fromUs: latestUs, writtenUs };
      else if (isNear(writtenUs, current.writtenUs)) {
        stray = undefined;
        if (writtenUs > current.writtenUs) current = { fromUs: current.fromUs, writtenUs };
      } else if (stray !== undefined && isNear(writtenUs, stray)) {
        const strayUs = stray;
        leave();
        // Of the two rows the later: what ended before it may have been written before the silence was over.
        current = { fromUs: Math.max(strayUs, latestUs), writtenUs: Math.max(strayUs, writtenUs) };
      } else stray = writtenUs;
    },
    broke: leave,
    claims() {
      const claims = ended;
      ended = [];
      const interval = current === undefined ? undefined : proven(current);
      if (interval !== undefined && interval.toUs !== told) {
        told = interval.toUs;
        claims.push(interval);
      }
      return claims;
    },
    state: () => current,
  };
}

/** When a row was written: the earliest that it may have been, and the latest. */
function writtenTimes(record: CallRecord): { readonly atUs: number; readonly latestUs: number } {
  const { inviteAtUs, time } = record;
  const writtenUs = record.endedAtUs ?? record.answeredAtUs ?? inviteAtUs;
  const shiftUs = (time.otherInviteAtUs ?? inviteAtUs) - inviteAtUs;
  return { atUs: writtenUs + Math.min(0, shiftUs), latestUs: writtenUs + Math.max(0, shiftUs) };
}
