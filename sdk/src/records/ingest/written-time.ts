/** A date and time of day as written, without a zone. */
export interface WallTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 to 999,999. */
  readonly microsecond: number;
}

/** Which instants a local time may be. */
export type LocalInstant =
  | { readonly kind: 'one'; readonly atUs: number }
  /** It comes twice, when clocks go back. */
  | { readonly kind: 'two'; readonly earlierUs: number; readonly laterUs: number }
  /** It is left out, when clocks go forward. */
  | { readonly kind: 'none' };

/** Turns local times of one zone into instants, and instants into local times. */
export interface ZoneClock {
  readonly zone: string;
  readonly instantOf: (wall: WallTime) => LocalInstant;
  /** Offset from UTC that is in force at an instant, both in milliseconds; east positive. */
  readonly offsetMsAt: (atMs: number) => number;
}

const HOUR_MS = 3_600_000;
/** Clocks change at a whole local hour, and offsets are whole quarters: no quarter of an hour has two offsets. */
const QUARTER_MS = 900_000;
/** Rows come in time order: the offset of the quarters of an hour around now is all that is asked for. */
const KEPT_QUARTERS = 4_096;

/**
 * Makes the clock of a zone.
 * @param zone - `utc`, or an IANA name such as `America/New_York`
 * @returns undefined where there is no such zone
 * @example
 * ```ts
 * const clock = zoneClock('America/New_York');
 * const wall = { year: 2026, month: 11, day: 1, hour: 1, minute: 30, second: 0, microsecond: 0 };
 * console.log(clock?.instantOf(wall).kind); // two
 * ```
 */
export function zoneClock(zone: string): ZoneClock | undefined {
  if (zone.toLowerCase() === 'utc') {
    return { zone: 'UTC', instantOf: (wall) => ({ kind: 'one', atUs: asUtcUs(wall) }), offsetMsAt: () => 0 };
  }
  const format = formatOf(zone);
  if (format === undefined) return undefined;
  const quarters = new Map<number, number>();
  const offsetAt = (atMs: number): number => {
    const quarter = Math.floor(atMs / QUARTER_MS);
    let offset = quarters.get(quarter);
    if (offset === undefined) {
      if (quarters.size >= KEPT_QUARTERS) quarters.clear();
      offset = offsetOf(format, quarter * QUARTER_MS);
      quarters.set(quarter, offset);
    }
    return offset;
  };
  return {
    zone: format.resolvedOptions().timeZone,
    offsetMsAt: offsetAt,
    instantOf: (wall) => {
      const wallUs = asUtcUs(wall);
      const wallMs = Math.floor(wallUs / 1_000);
      // No zone is further than a day from UTC: the two offsets in force around the time are all that it can have.
      const before = offsetAt(wallMs - DAY_MS);
      const after = offsetAt(wallMs + DAY_MS);
      const earlier = wallUs - Math.max(before, after) * 1_000;
      const later = wallUs - Math.min(before, after) * 1_000;
      if (earlier === later) return { kind: 'one', atUs: earlier };
      const fits = (atUs: number): boolean => atUs + offsetAt(Math.floor(atUs / 1_000)) * 1_000 === wallUs;
      const [fitsEarlier, fitsLater] = [fits(earlier), fits(later)];
      if (fitsEarlier && fitsLater) return { kind: 'two', earlierUs: earlier, laterUs: later };
      if (fitsEarlier || fitsLater) return { kind: 'one', atUs: fitsEarlier ? earlier : later };
      return { kind: 'none' };
    },
  };
}

const DAY_MS = 24 * HOUR_MS;

/** Microseconds since the epoch of a time that is UTC. */
export function asUtcUs({ year, month, day, hour, minute, second, microsecond }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second) * 1_000 + microsecond;
}

/** Whether all members are in their ranges, and the day exists. */
export function isWallTime({ year, month, day, hour, minute, second, microsecond }: WallTime): boolean {
  if (year < 1990 || year > 2200 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59) return false;
  if (second > 59 || microsecond > 999_999) return false;
  // Every month has 28 days; only behind them the calendar has to be asked.
  return day <= 28 || day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined;
  }
}

/** Offset from UTC that is in force at an instant, milliseconds, east positive. */
function offsetOf(format: Intl.DateTimeFormat, atMs: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(atMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1_000) * 1_000;
}
