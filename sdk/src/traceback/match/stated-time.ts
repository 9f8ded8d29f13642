import type { StatedTime, TimePrecision } from '../../core/traceback-request.js';
import { asUtcUs, isWallTime, zoneClock } from '../../records/ingest/written-time.js';
import type { LocalInstant, WallTime, ZoneClock } from '../../records/ingest/written-time.js';
import type { TimeWindow } from '../../records/store/record-store.js';

/** What a stated time means. */
export type StatedTimeReading =
  | {
      readonly status: 'read';
      /** Each a stretch as long as the smallest step that was stated: one, or two where the time may be either. In order. */
      readonly instants: readonly TimeWindow[];
      /** `once`; `twice` in the hour that comes twice; `left-out` in the one that is left out: then neither instant is what was stated. */
      readonly occurs: 'once' | 'twice' | 'left-out';
      /** `stated`; `configured`: the default of whoever reads; `none`: it was taken for UTC, because nobody said anything. */
      readonly zoneFrom: 'stated' | 'configured' | 'none';
      /** As it was read, `2026-10-23T15:41 America/New_York`, and where its zone is from if nobody stated one. */
      readonly text: string;
    }
  | { readonly status: 'unreadable'; readonly because: string };

/** Microseconds of the smallest step that was stated. */
export const PRECISION_US: Readonly<Record<TimePrecision, number>> = {
  day: 86_400_000_000,
  hour: 3_600_000_000,
  minute: 60_000_000,
  second: 1_000_000,
  millisecond: 1_000,
  microsecond: 1,
};

/**
 * Reads a stated time: the wall clock that it means, in the zone that was stated or else the default. Never throws.
 * @param defaultZone - of a time without a zone, IANA name, offset or `UTC`
 */
export function readStatedTime(at: StatedTime, defaultZone: string | undefined): StatedTimeReading {
  const wall = wallOf(at);
  if (wall === undefined) return unreadable('The date and time of day of the call could not be read.');
  const { zone: stated } = at;
  const zone = stated ?? defaultZone ?? 'UTC';
  const clock = clockOf(zone);
  if (clock === undefined)
    return unreadable('The time zone that was stated is none of the IANA database, and no offset.');
  const stepUs = PRECISION_US[at.precision] ?? PRECISION_US.minute;
  const { starts, occurs } = startsOf(clock, wall);
  const zoneFrom = stated !== undefined ? 'stated' : defaultZone !== undefined ? 'configured' : 'none';
  return {
    status: 'read',
    instants: starts.map((fromUs) => ({
      fromUs,
      toUs: endOf(clock, { wall, fromUs, precision: at.precision, stepUs }),
    })),
    occurs,
    zoneFrom,
    text: `${at.local.slice(0, MAX_LOCAL_CHARS)} ${zone}${ZONE_NOTES[zoneFrom]}`,
  };
}

const ZONE_NOTES = { stated: '', configured: ' (no zone stated: the configured one)', none: ' (no zone stated)' };

/** `2026-10-23T15:41:07.123456` and room for a longer fraction. */
const MAX_LOCAL_CHARS = 40;
const MAX_ZONE_CHARS = 64;
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?$/;
const OFFSET = /^(?:UTC|GMT)?([+-])(\d\d):?(\d\d)$/i;
const UTC_NAMES: ReadonlySet<string> = new Set(['utc', 'z', 'gmt', 'etc/utc']);
const DAY_US = PRECISION_US.day;

function unreadable(because: string): StatedTimeReading {
  return { status: 'unreadable', because };
}

/** The beginning of the smallest step: what is below it was not stated. */
function wallOf({ local, precision }: StatedTime): WallTime | undefined {
  const parts = local.length > MAX_LOCAL_CHARS ? null : LOCAL.exec(local);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((text) => Number(text ?? 0));
  const microsecond = Number((parts[7] ?? '').padEnd(6, '0').slice(0, 6));
  const full = { year, month, day, hour, minute, second, microsecond };
  return isWallTime(full) ? cutTo(full, PRECISION_US[precision] ?? PRECISION_US.minute) : undefined;
}

function cutTo(wall: WallTime, stepUs: number): WallTime {
  const keeps = (unitUs: number, value: number): number => (stepUs > unitUs ? 0 : value);
  const fraction = stepUs >= PRECISION_US.second ? 0 : wall.microsecond - (wall.microsecond % stepUs);
  return {
    year: wall.year,
    month: wall.month,
    day: wall.day,
    hour: keeps(PRECISION_US.hour, wall.hour),
    minute: keeps(PRECISION_US.minute, wall.minute),
    second: keeps(PRECISION_US.second, wall.second),
    microsecond: fraction,
  };
}

function clockOf(zone: string): ZoneClock | undefined {
  if (zone.length > MAX_ZONE_CHARS) return undefined;
  if (UTC_NAMES.has(zone.toLowerCase())) return zoneClock('utc');
  const [, sign, hours, minutes] = OFFSET.exec(zone) ?? [];
  if (sign === undefined) return zoneClock(zone);
  const offsetUs = (Number(hours) * 60 + Number(minutes)) * PRECISION_US.minute * (sign === '-' ? -1 : 1);
  return {
    zone,
    instantOf: (wall) => ({ kind: 'one', atUs: asUtcUs(wall) - offsetUs }),
    offsetMsAt: () => offsetUs / 1_000,
  };
}

function startsOf(
  clock: ZoneClock,
  wall: WallTime,
): { readonly starts: readonly number[]; readonly occurs: 'once' | 'twice' | 'left-out' } {
  const instant = clock.instantOf(wall);
  if (instant.kind === 'one') return { starts: [instant.atUs], occurs: 'once' };
  if (instant.kind === 'two') return { starts: [instant.earlierUs, instant.laterUs], occurs: 'twice' };
  // Whoever wrote it had a clock that was not put forward yet, or was already: both offsets around the change are tried.
  const wallUs = asUtcUs(wall);
  const offsets = [-DAY_US, DAY_US].map(
    (us) => wallUs + us - anInstant(clock.instantOf(wallAt(wallUs + us)), wallUs + us),
  );
  return { starts: [...new Set(offsets.map((offsetUs) => wallUs - offsetUs))].toSorted(ascending), occurs: 'left-out' };
}

/** Last microsecond of the step. A day is as long as its zone makes it. */
function endOf(
  clock: ZoneClock,
  step: {
    readonly wall: WallTime;
    readonly fromUs: number;
    readonly precision: TimePrecision;
    readonly stepUs: number;
  },
): number {
  const { wall, fromUs, precision, stepUs } = step;
  if (precision !== 'day') return fromUs + stepUs - 1;
  const nextUs = asUtcUs(wall) + DAY_US;
  return Math.max(fromUs, anInstant(clock.instantOf(wallAt(nextUs)), fromUs + DAY_US) - 1);
}

function anInstant(instant: LocalInstant, otherwise: number): number {
  if (instant.kind === 'one') return instant.atUs;
  return instant.kind === 'two' ? instant.laterUs : otherwise;
}

function wallAt(us: number): WallTime {
  const date = new Date(Math.floor(us / 1_000));
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    microsecond: us - Math.floor(us / 1_000_000) * 1_000_000,
  };
}

function ascending(one: number, other: number): number {
  return one - other;
}
