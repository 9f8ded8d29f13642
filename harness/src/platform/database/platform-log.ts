import type { Clock } from '@hopback/sdk/platform';
import { isHopbackError } from '@hopback/sdk/errors';
import type { PlatformLog } from '../core/index.js';
import { sqlStateOf } from './database-errors.js';

/** Characters of a text in a line: what a person reads of it. */
const TEXT_CHARS = 2_000;
/** Members and items of a value, and how deep they go: a line is no place for a document. */
const MEMBERS = 50;
const DEPTH = 4;

const MASK = '[number]';

/**
 * What looks like a telephone number: seven digits or more, with the signs that people put between them. Ids, hashes and times are let
 * through: UUIDs, 32 hexadecimal digits with a letter among the first 31, times of RFC 3339.
 */
const NUMBERS =
  /([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z|(?<![0-9a-f])[0-9a-f]{32,64}(?![0-9a-f]))|\+?\(?\d(?:[\s().\-/]{0,3}\d){6,}/g;

/** Masks what looks like a telephone number. Never throws. */
export function withoutNumbers(text: string): string {
  return text.replaceAll(NUMBERS, (found, kept: string | undefined) =>
    kept === undefined || /^\d+$/.test(kept) ? MASK : found,
  );
}

/** Integers that are numbers of North America when they are no counts: 10 digits, or 11 with a 1 before. */
function isNumberLike(value: number): boolean {
  return Number.isInteger(value) && ((value >= 2e9 && value < 1e10) || (value >= 1.2e10 && value < 2e10));
}

/**
 * Makes a log of lines of JSON: time, level, message, details. As a last net whatever looks like a telephone number is masked; who logs one has
 * made a mistake nevertheless.
 * @param options - `write` takes a line with its line feed; what it throws is let go
 * @returns the log; it never throws
 */
export function createPlatformLog(options: {
  readonly clock: Clock;
  readonly write: (line: string) => void;
}): PlatformLog {
  const { clock, write } = options;
  const line =
    (level: string) =>
    (message: string, details: Readonly<Record<string, unknown>> = {}): void => {
      try {
        const entry = { at: new Date(clock.nowMs()).toISOString(), level, message: cleaned(message, 0) };
        const rest = cleaned(details, 0);
        write(
          `${JSON.stringify({ ...entry, ...(typeof rest === 'object' && rest !== null ? { details: rest } : {}) })}\n`,
        );
      } catch {
        // A log that fails must not take with it what it was told of.
      }
    };
  return { info: line('info'), warn: line('warn'), error: line('error') };
}

/** A log that keeps nothing. */
export const SILENT_LOG: PlatformLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

function cleaned(value: unknown, depth: number): unknown {
  if (typeof value === 'string')
    return withoutNumbers(value.length > TEXT_CHARS ? `${value.slice(0, TEXT_CHARS)}…` : value);
  if (typeof value === 'number') return isNumberLike(value) ? MASK : value;
  if (typeof value === 'bigint') return withoutNumbers(String(value));
  if (value instanceof Error) return errorWords(value, depth);
  if (typeof value !== 'object' || value === null)
    return typeof value === 'boolean' || value === null ? value : undefined;
  if (depth >= DEPTH) return '…';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} octets]`;
  if (Array.isArray(value)) return value.slice(0, MEMBERS).map((item) => cleaned(item, depth + 1));
  const members = Object.entries(value).slice(0, MEMBERS);
  return Object.fromEntries(members.map(([name, member]) => [withoutNumbers(name), cleaned(member, depth + 1)]));
}

/** Of an error of the database neither its values nor its statement: they may hold what a row holds. */
function errorWords(error: Error, depth: number): unknown {
  if (depth >= DEPTH) return '…';
  const sqlState = sqlStateOf(error);
  return cleaned(
    {
      name: error.name,
      ...(isHopbackError(error) && { code: error.code, facts: error.details }),
      ...(sqlState !== undefined && { sqlState }),
      message: error.message,
      // Where it was thrown; its first lines say the message again.
      at: error.stack
        ?.split('\n')
        .filter((line) => line.startsWith('    at '))
        .slice(0, 5)
        .map((line) => line.slice(7)),
      ...(error.cause !== undefined && { cause: error.cause }),
    },
    depth,
  );
}
