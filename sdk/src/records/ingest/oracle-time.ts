import { instantAt } from './written-instant.js';
import type { RowClock, RowTimeReading } from './row-time.js';

/**
 * Reads a time as Oracle SBCs write it, `15:54:56.868 PST DEC 18 2017`, also with the day of the week before the month. UTC and GMT
 * are taken at their word; what another abbreviation says decides which of two instants is meant in the hour that comes twice. A
 * time whose abbreviation contradicts the declared zone is refused: one of the two is wrong, and the call would be an hour
 * away. Never throws.
 */
export function oracleTime(text: string, clock: RowClock): RowTimeReading {
  const found = WRITTEN.exec(text);
  const month = MONTHS.indexOf((found?.[3] ?? '').toUpperCase()) + 1;
  if (found === null || month === 0) return NOT_A_TIME;
  const [, time = '', abbreviation = '', , day = '', year = ''] = found;
  const written = `${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')} ${time}`;
  const zone = abbreviation.toUpperCase();
  if (zone === 'UTC' || zone === 'GMT') return clock.read(`${written}Z`, 'iso-8601');
  const offset = OFFSETS.get(zone);
  return offset === undefined ? clock.read(written, 'date-time') : instantAt(written, offset, clock);
}

const WRITTEN =
  /^[*.]?(\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?) ([A-Za-z]{1,5}) (?:[A-Za-z]{3} )?([A-Za-z]{3}) (\d{1,2}) (\d{4})$/;
const MONTHS: readonly string[] = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** Offsets of the zones of North America, as they stand behind a time. */
const OFFSETS: ReadonlyMap<string, string> = new Map([
  ['NST', '-03:30'],
  ['NDT', '-02:30'],
  ['AST', '-04:00'],
  ['ADT', '-03:00'],
  ['EST', '-05:00'],
  ['EDT', '-04:00'],
  ['CST', '-06:00'],
  ['CDT', '-05:00'],
  ['MST', '-07:00'],
  ['MDT', '-06:00'],
  ['PST', '-08:00'],
  ['PDT', '-07:00'],
  ['AKST', '-09:00'],
  ['AKDT', '-08:00'],
  ['HST', '-10:00'],
]);

const NOT_A_TIME: RowTimeReading = Object.freeze({
  status: 'rejected',
  reason: 'bad-time',
  detail: 'not a time such as 15:54:56.868 PST DEC 18 2017',
});
