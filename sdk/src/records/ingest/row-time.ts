import type { TimeBasis } from '../../core/call-record.js';
import { HopbackError } from '../../errors.js';
import type { SourceTime } from './record-reader.js';
import { readWrittenTime } from './time-layouts.js';
import type { TimeLayout } from './time-layouts.js';
import { asUtcUs, isWallTime, zoneClock } from './written-time.js';

/** An instant that a row names. */
export interface RowInstant {
  /** Tells it from a {@link RowTimeFault}. */
  readonly status: 'instant';
  /** Microseconds since the epoch, UTC. */
  readonly atUs: number;
  /** The other instant that the text may mean: it lies in the hour that comes twice. */
  readonly otherUs?: number;
  /** How it was written. One object for all times of a source that are written alike. */
  readonly basis: TimeBasis;
}

/** What is wrong with a time. */
export interface RowTimeFault {
  /** Tells it from a {@link RowInstant}. */
  readonly status: 'rejected';
  /** `time-does-not-exist`: the clocks of the zone leave it out when they go forward. */
  readonly reason: 'bad-time' | 'time-does-not-exist';
  /** The same in words, without what was written. */
  readonly detail: string;
}

/** What a text says about time. */
export type RowTimeReading = RowInstant | RowTimeFault;

/** Reads the times of one source. */
export interface RowClock {
  /** IANA name of the zone in which local times are read; `UTC` where that is declared. */
  readonly zone: string;
  /** Reads one time. Never throws. */
  readonly read: (text: string, layout: TimeLayout) => RowTimeReading;
}

/** 1990 to 2200, as for times written by day and hour: what lies outside is another unit or a clock that was never set. */
const EARLIEST_US = Date.UTC(1990, 0, 1) * 1_000;
const LATEST_US = Date.UTC(2201, 0, 1) * 1_000;

const MINUTE_US = 60_000_000;
/** Decimals of a second that count; a step of the clock for each. */
const RESOLUTIONS_US = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1] as const;

/**
 * Makes the clock of a source: it reads the times that a switch, or a person, writes in one zone.
 * @param time - `zone`, `utc` or an IANA name; `repeatedHour`, which instant of a local time that comes twice is meant: the earlier one
 * where it is not said
 * @returns a clock whose `read` never throws
 * @throws {@link HopbackError} `invalid-configuration` where there is no such zone
 * @see {@link TimeLayout} for how times may be written
 * @example
 * ```ts
 * const clock = rowClock({ zone: 'America/New_York' });
 * const read = clock.read('2026-11-01 01:30:00', 'date-time');
 * if (read.status === 'instant') console.log((read.otherUs ?? 0) - read.atUs); // 3600000000
 * ```
 */
export function rowClock(time: SourceTime): RowClock {
  const { zone, repeatedHour = 'earlier' } = time;
  const clock = zoneClock(zone);
  if (clock === undefined) {
    throw new HopbackError(
      'invalid-configuration',
      `There is no time zone "${zone}". Name one of the IANA database, or utc.`,
    );
  }
  const utcBases = RESOLUTIONS_US.map((resolutionUs): TimeBasis => ({ written: 'utc', resolutionUs }));
  const localBases =
    clock.zone === 'UTC'
      ? utcBases
      : RESOLUTIONS_US.map((resolutionUs): TimeBasis => ({ written: 'local', zone: clock.zone, resolutionUs }));
  const read = (text: string, layout: TimeLayout): RowTimeReading => {
    const written = readWrittenTime(text, layout);
    if (written === undefined) return NOT_A_TIME;
    const utcBasis = utcBases[written.decimals] as TimeBasis;
    if (written.kind === 'epoch') return instantIn(written.atUs, utcBasis);
    if (!isWallTime(written.wall)) return NOT_A_TIME;
    if (written.offsetMinutes !== undefined) {
      return instantIn(asUtcUs(written.wall) - written.offsetMinutes * MINUTE_US, utcBasis);
    }
    const basis = localBases[written.decimals] as TimeBasis;
    const local = clock.instantOf(written.wall);
    if (local.kind === 'one') return { status: 'instant', atUs: local.atUs, basis };
    if (local.kind === 'none') return LEFT_OUT;
    return repeatedHour === 'earlier'
      ? { status: 'instant', atUs: local.earlierUs, otherUs: local.laterUs, basis }
      : { status: 'instant', atUs: local.laterUs, otherUs: local.earlierUs, basis };
  };
  return { zone: clock.zone, read };
}

/**
 * Of a time that comes twice, the instant that is not before another of the same call: who answers or hangs up does so after the
 * INVITE. Where both are, or neither is, the instant that the source is declared to mean.
 * @param notBeforeUs - microseconds since the epoch
 */
export function instantNotBefore(instant: RowInstant, notBeforeUs: number): number {
  const { atUs, otherUs } = instant;
  return otherUs !== undefined && atUs < notBeforeUs && otherUs >= notBeforeUs ? otherUs : atUs;
}

/**
 * Of a time that comes twice, the instant that is closer to where another account of the source puts it, such as the start of a call
 * and its duration.
 * @param expectedUs - microseconds since the epoch
 */
export function instantNearest({ atUs, otherUs }: RowInstant, expectedUs: number): number {
  return otherUs !== undefined && Math.abs(otherUs - expectedUs) < Math.abs(atUs - expectedUs) ? otherUs : atUs;
}

/**
 * Whether a switch wrote that something never happened: nothing, `0`, or the zero date of a database.
 */
export function isNoTime(text: string): boolean {
  return text === '' || NO_TIME.test(text);
}

/** Zeros with what stands between the parts of a time, and the dash of some exports. */
const NO_TIME = /^(?:[0 :./T-]{1,32}|null|\\N)$/i;

const NOT_A_TIME: RowTimeFault = Object.freeze({
  status: 'rejected',
  reason: 'bad-time',
  detail: 'not a time in the layout of the source, or none between 1990 and 2200',
});

const LEFT_OUT: RowTimeFault = Object.freeze({
  status: 'rejected',
  reason: 'time-does-not-exist',
  detail:
    'the clocks of the zone left this time out when they went forward: the zone declared is not the one of the switch',
});

function instantIn(atUs: number, basis: TimeBasis): RowTimeReading {
  return atUs >= EARLIEST_US && atUs < LATEST_US ? { status: 'instant', atUs, basis } : NOT_A_TIME;
}
