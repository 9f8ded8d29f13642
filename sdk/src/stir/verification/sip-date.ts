/**
 * Reads a SIP Date, such as `Sat, 13 Nov 2010 23:29:00 GMT`. The day of the week is not held against the date. Never throws for
 * peer input.
 * @param text - value of a Date header; white space around it is passed over
 * @returns whole seconds since the epoch; undefined when it is no SIP date
 * @see RFC 3261 section 20.17
 * @example
 * ```ts
 * console.log(readSipDate('Sat, 13 Nov 2010 23:29:00 GMT')); // 1289690940
 * ```
 */
export function readSipDate(text: string): number | undefined {
  const date = text.length === SIP_DATE_CHARS ? text : text.trim();
  // Every part has its place: read by column.
  if (date.length !== SIP_DATE_CHARS || !date.endsWith(' GMT') || !hasSeparators(date)) return undefined;
  const day = digits(date, 5, 2);
  const month = monthAt(date, 8);
  const year = digits(date, 12, 4);
  const hours = digits(date, 17, 2);
  const minutes = digits(date, 20, 2);
  const seconds = digits(date, 23, 2);
  // Second 60 is a leap second, which no clock here counts. Comparisons with NaN are false.
  if (!(hours < 24 && minutes < 60 && seconds < 60 && year >= 0)) return undefined;
  if (month < 0 || !(day >= 1 && day <= daysOf(month, year))) return undefined;
  return Date.UTC(year, month, day, hours, minutes, seconds) / 1000;
}

/** 0 for `Jan`; -1 for what is no month. */
const monthAt = (text: string, at: number): number => MONTHS.indexOf(threeLetters(text, at));

const threeLetters = (text: string, at: number): number =>
  (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2);

const SIP_DATE_CHARS = 29;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map((name) =>
  threeLetters(name, 0),
);

const hasSeparators = (text: string): boolean =>
  text.startsWith(', ', 3) &&
  text.charCodeAt(7) === SPACE &&
  text.charCodeAt(11) === SPACE &&
  text.charCodeAt(16) === SPACE &&
  text.charCodeAt(19) === COLON &&
  text.charCodeAt(22) === COLON;

const SPACE = 0x20;
const COLON = 0x3a;

function daysOf(month: number, year: number): number {
  if (month !== 1) return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

const ZERO = 0x30;

/**
 * Writes the value of a Date header for an instant: what {@link readSipDate} reads. Never throws.
 * @param epochSeconds - seconds since the epoch, up to 8,640,000,000,000; beyond it `Invalid Date` is written
 * @returns the date in GMT, 29 characters for the years 0 to 9999
 * @see RFC 3261 section 20.17
 * @example
 * ```ts
 * console.log(formatSipDate(1289690940)); // Sat, 13 Nov 2010 23:29:00 GMT
 * ```
 */
export function formatSipDate(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toUTCString();
}
