import { createNamedMemo } from '../../core/memo.js';
import { zoneClock } from '../../records/ingest/written-time.js';
import type { WallTime, ZoneClock } from '../../records/ingest/written-time.js';
import { calendarDate } from './calendar-date.js';

/** An instant, and what the clock on the wall of the responding office shows at it. */
export interface OfficeTime {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** `2026-11-27T15:00:00-05:00`, with a fraction where there is one. RFC 3339 section 5.6 */
  readonly local: string;
}

/** A local time: the day, counted from 1970-01-01, and how far into it the clock on the wall shows. */
export interface OfficeWall {
  readonly day: number;
  /** 0 to 86,399,999. */
  readonly timeOfDayMs: number;
}

/** The clock of the zone in which an office lies. */
export interface OfficeClock {
  /** IANA name. */
  readonly zone: string;
  readonly wallAt: (atMs: number) => OfficeWall;
  /**
   * The instant of a local time: the first of two where clocks go back, the moment of the change where they go forward over it. Later local times
   * are never earlier instants.
   */
  readonly instantOf: (wall: OfficeWall) => number;
  readonly timeAt: (atMs: number) => OfficeTime;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** More than the IANA database has names: whoever asks for others asks for none that there are. */
const KEPT_CLOCKS = 1_024;
/** Local times of one zone: a year of openings, closings and midnights. */
const KEPT_INSTANTS = 4_096;

/** Clocks by the names that they were asked for: to make one costs more than the deadline that it is made for. */
const clockFor = createNamedMemo<OfficeClock | undefined>(KEPT_CLOCKS);

/** The clock of a zone; undefined where there is none of that name. Made once for each zone. */
export function officeClock(zone: string): OfficeClock | undefined {
  // Names are told apart by their case here and not by the database of zones, so that there are more spellings than zones.
  return clockFor(zone, () => newClock(zone));
}

function newClock(zone: string): OfficeClock | undefined {
  const clock = zoneClock(zone);
  if (clock === undefined) return undefined;
  const { offsetMsAt } = clock;
  // A deadline is computed under many readings, most of which ask for the same few instants.
  const instants = new Map<number, number>();
  const wallAt = (atMs: number): OfficeWall => {
    const local = atMs + offsetMsAt(atMs);
    const day = Math.floor(local / DAY_MS);
    return { day, timeOfDayMs: local - day * DAY_MS };
  };
  return {
    zone: clock.zone,
    wallAt,
    timeAt: (atMs) => ({ atMs, local: localText(atMs, offsetMsAt(atMs)) }),
    instantOf: ({ day, timeOfDayMs }) => {
      const localMs = day * DAY_MS + timeOfDayMs;
      const known = instants.get(localMs);
      if (known !== undefined) return known;
      const instantMs = instantAt(localMs, clock);
      if (instants.size >= KEPT_INSTANTS) instants.clear();
      instants.set(localMs, instantMs);
      return instantMs;
    },
  };
}

function instantAt(localMs: number, clock: ZoneClock): number {
  const day = Math.floor(localMs / DAY_MS);
  const instant = clock.instantOf(wallTime(day, localMs - day * DAY_MS));
  if (instant.kind === 'one') return instant.atUs / 1_000;
  return instant.kind === 'two' ? instant.earlierUs / 1_000 : changeBefore(localMs, clock.offsetMsAt);
}

function wallTime(day: number, timeOfDayMs: number): WallTime {
  const [year = 0, month = 0, date = 0] = calendarDate(day).split('-').map(Number);
  return {
    year,
    month,
    day: date,
    hour: Math.floor(timeOfDayMs / HOUR_MS),
    minute: Math.floor(timeOfDayMs / MINUTE_MS) % 60,
    second: Math.floor(timeOfDayMs / 1_000) % 60,
    microsecond: (timeOfDayMs % 1_000) * 1_000,
  };
}

/** When clocks went forward over a local time: the first instant at which they show a later one. Offsets change on whole minutes. */
function changeBefore(localMs: number, offsetMsAt: (atMs: number) => number): number {
  let before = Math.floor((localMs - DAY_MS) / MINUTE_MS) - 24 * 60;
  let after = before + 4 * 24 * 60;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (middle * MINUTE_MS + offsetMsAt(middle * MINUTE_MS) > localMs) after = middle;
    else before = middle;
  }
  return after * MINUTE_MS;
}

function localText(atMs: number, offsetMs: number): string {
  const local = new Date(atMs + offsetMs).toISOString();
  const [seconds = '', fraction = ''] = local.slice(0, -1).split('.');
  const minutes = Math.abs(Math.round(offsetMs / MINUTE_MS));
  const sign = offsetMs < 0 ? '-' : '+';
  const offset = `${sign}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
  return `${seconds}${fraction === '000' ? '' : `.${fraction}`}${offset}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
