import { rowClock } from '../records/index.js';
import type { RowTimeReading } from '../records/index.js';
import { isHopbackError } from '../errors.js';
import { UsageError } from './usage-error.js';

/** Days for which records are kept where nobody says otherwise: 18 months, for which a call may have to be found. */
export const RETENTION_DAYS = 548;

/** Microseconds of a second and a day. */
export const SECOND_US = 1_000_000;
export const DAY_US: number = 86_400 * SECOND_US;

/** Instants that a time on the command line may mean: one, or two where it is a local time that comes twice. */
export type Instants = readonly [number] | readonly [number, number];

/**
 * Reads a time: ISO 8601 with `Z` or an offset, or as the clock on the wall of a zone.
 * @param name - of the option, for the message
 * @param zone - IANA name; undefined where none was given
 * @returns microseconds since the epoch, in order
 * @throws {@link UsageError} when it is no time, has neither offset nor zone, or is one that the clocks of the zone leave out
 */
export function timeOption(name: string, text: string, zone: string | undefined): Instants {
  const hasOffset = /(?:Z|[+-]\d\d(?::?\d\d)?)$/i.test(text.slice(ISO_DAY_CHARS));
  // Seconds are what people leave out.
  const whole = text.replace(/^(.{10}[ Tt]\d\d:\d\d)(?![:\d])/, '$1:00');
  const read = clockOf(zone ?? 'utc').read(whole, 'iso-8601');
  if (read.status === 'rejected') throw notRead(name, read, zone);
  if (!hasOffset && zone === undefined) {
    throw new UsageError(`--${name} does not say in which zone the time is`, [
      'Write it with Z or an offset (2026-11-02T12:00:00Z, 2026-11-02T07:00:00-05:00), or name the zone: --zone America/New_York',
    ]);
  }
  if (read.otherUs === undefined) return [read.atUs];
  return read.atUs < read.otherUs ? [read.atUs, read.otherUs] : [read.otherUs, read.atUs];
}

/** `2026-11-02` */
const ISO_DAY_CHARS = 10;

function clockOf(zone: string): ReturnType<typeof rowClock> {
  try {
    return rowClock({ zone });
  } catch (error) {
    if (isHopbackError(error))
      throw new UsageError(`there is no time zone ${zone}`, ['Zones are named as America/New_York']);
    throw error;
  }
}

function notRead(
  name: string,
  read: RowTimeReading & { readonly status: 'rejected' },
  zone: string | undefined,
): UsageError {
  if (read.reason === 'time-does-not-exist') {
    return new UsageError(`--${name} does not exist in ${zone ?? 'UTC'}: the clocks were put forward over it`, [
      'Ask for the time before or after the change, or in UTC.',
    ]);
  }
  return new UsageError(`--${name} is no time`, [
    '2026-11-02T12:00:00Z, 2026-11-02T07:00:00-05:00, or 2026-11-02T07:00:00 with --zone America/New_York',
  ]);
}

/** @throws {@link UsageError} when there is no such zone */
export function checkZone(zone: string | undefined): void {
  if (zone !== undefined) clockOf(zone);
}

const UNITS_US: Readonly<Record<string, number>> = {
  s: SECOND_US,
  m: 60 * SECOND_US,
  h: 3_600 * SECOND_US,
  d: DAY_US,
};

/** Longest stretch that is counted in: a century. */
const MAX_DURATION_US = 36_525 * DAY_US;

/**
 * Reads a stretch of time: `90s`, `5m`, `1h`, `548d`.
 * @param name - of the option, for the message
 * @returns microseconds, more than 0
 * @throws {@link UsageError} when it is none
 */
export function durationOption(name: string, text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const us = Number(count) * (UNITS_US[unit] ?? Number.NaN);
  if (us > 0 && us <= MAX_DURATION_US) return us;
  throw new UsageError(`--${name} is no stretch of time`, ['90s, 5m, 1h or 548d']);
}

/** `2026-11-02T12:00:00.123456Z`: as many decimals as there are. */
export function utcText(us: number): string {
  const seconds = new Date(Math.floor(us / SECOND_US) * 1_000);
  if (Number.isNaN(seconds.getTime())) return String(us);
  const decimals = String(us - Math.floor(us / SECOND_US) * SECOND_US).padStart(6, '0');
  const shown = decimals === '000000' ? '' : `.${decimals.endsWith('000') ? decimals.slice(0, 3) : decimals}`;
  return `${seconds.toISOString().slice(0, 19)}${shown}Z`;
}

/** Makes texts of instants as a clock in a zone shows them: `2026-11-02 07:00:00 EST`. */
export function localTexts(zone: string): (us: number) => string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
  return (us) => {
    const parts = new Map(format.formatToParts(us / 1_000).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
    const day = `${part('year')}-${part('month')}-${part('day')}`;
    return `${day} ${part('hour')}:${part('minute')}:${part('second')} ${part('timeZoneName')}`;
  };
}

/** `2026-11-02T12:00:00Z to 2026-11-02T13:00:00Z` */
export function windowText({ fromUs, toUs }: { readonly fromUs: number; readonly toUs: number }): string {
  return `${utcText(fromUs)} to ${utcText(toUs)}`;
}
