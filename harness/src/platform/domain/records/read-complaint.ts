import { MAX_AHEAD_MS } from './read-record-line.js';

/** Longest fields: agencies publish a subject of some words and a comment of some pages. */
const MAX_FIELD_CHARS = 256;
const MAX_COMMENT_CHARS = 16_384;

/** The fields of a row by their meaning, as they were written; empty where there is none. */
export interface ComplaintFields {
  readonly date: string;
  readonly time: string;
  readonly callerNumber: string;
  readonly type: string;
  readonly subject: string;
  readonly state: string;
  readonly comment: string;
  readonly id: string;
}

/** A complaint of a consumer. */
export interface Complaint {
  /** When the call was, as it was written; agencies leave the zone out, so that it is read as UTC and may be 12 hours off. */
  readonly atMs: number;
  /** Canonical; absent where the consumer saw none. */
  readonly calling?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly state?: string;
  readonly comment?: string;
}

/** What was made of a row. */
export type ComplaintReading =
  | { readonly status: 'read'; readonly complaint: Complaint }
  | {
      readonly status: 'rejected';
      readonly code: 'no-date' | 'invalid-date' | 'invalid-number' | 'too-long' | 'too-old' | 'in-the-future';
    };

/** What agencies write where the consumer saw no number. */
const NO_NUMBER =
  /^(?:|none|n\/?a|unknown|anonymous|private|restricted|blocked|unavailable|not available|not provided)$/i;

/**
 * Reads a row of a file of complaints. Never throws.
 * @param times - which calls are taken, milliseconds since the epoch; a day is allowed for zones
 */
export function readComplaint(
  fields: ComplaintFields,
  times: { readonly fromMs: number; readonly nowMs: number },
): ComplaintReading {
  const { type, subject, state, comment, id } = fields;
  if (fields.date.trim() === '') return { status: 'rejected', code: 'no-date' };
  const short = [fields.date, fields.time, fields.callerNumber, type, subject, state, id];
  if (short.some(({ length }) => length > MAX_FIELD_CHARS) || comment.length > MAX_COMMENT_CHARS)
    return { status: 'rejected', code: 'too-long' };
  const atMs = writtenMs(fields.date.trim(), fields.time.trim());
  if (atMs === undefined) return { status: 'rejected', code: 'invalid-date' };
  if (atMs < times.fromMs) return { status: 'rejected', code: 'too-old' };
  if (atMs > times.nowMs + DAY_MS + MAX_AHEAD_MS) return { status: 'rejected', code: 'in-the-future' };
  const calling = NO_NUMBER.test(fields.callerNumber.trim()) ? undefined : canonicalNumber(fields.callerNumber);
  if (calling === null) return { status: 'rejected', code: 'invalid-number' };
  const complaint: Complaint = {
    atMs,
    ...(calling !== undefined && { calling }),
    ...(type !== '' && { type }),
    ...(subject !== '' && { subject }),
    ...(state !== '' && { state }),
    ...(comment !== '' && { comment }),
  };
  return { status: 'read', complaint };
}

const DAY_MS = 86_400_000;

/** `+1 (202) 555-0123`, `202-555-0123`, `2025550123`; null for what is no number. */
function canonicalNumber(written: string): string | null {
  const digits = written.replaceAll(/[\s().+-]/g, '');
  if (!/^\d{7,15}$/.test(digits)) return null;
  return digits.length === 10 ? `1${digits}` : digits;
}

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](.{1,32}))?$/;
const AMERICAN = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?:[T ](.{1,32}))?$/;
const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?: ?([AaPp])\.?[Mm]\.?)?Z?$/;

/** @returns undefined for what is no date, or none of the calendar */
function writtenMs(date: string, time: string): number | undefined {
  const iso = ISO.exec(date);
  const american = AMERICAN.exec(date);
  const [, year, month, day, rest] =
    iso ?? (american === null ? [] : [undefined, american[3], american[1], american[2], american[4]]);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const ofDayMs = writtenTimeMs(time === '' ? (rest ?? '') : time);
  const atMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const made = new Date(atMs);
  if (made.getUTCMonth() + 1 !== Number(month) || made.getUTCDate() !== Number(day)) return undefined;
  return ofDayMs === undefined ? undefined : atMs + ofDayMs;
}

/** Milliseconds of the day; noon where no time is written, which no zone makes another day. */
function writtenTimeMs(time: string): number | undefined {
  if (time === '') return DAY_MS / 2;
  const [whole, hour = '', minute = '', second = '0', half] = TIME.exec(time) ?? [];
  if (whole === undefined || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (half === undefined) return Number(hour) > 23 ? undefined : clockMs(Number(hour), minute, second);
  if (Number(hour) < 1 || Number(hour) > 12) return undefined;
  return clockMs((Number(hour) % 12) + (half.toLowerCase() === 'p' ? 12 : 0), minute, second);
}

function clockMs(hour: number, minute: string, second: string): number {
  return ((hour * 60 + Number(minute)) * 60 + Number(second)) * 1_000;
}
