import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import type { Clock, TimerClock } from '@hopback/sdk/platform';
import type { AuditEntry, PlatformContext, PlatformDatabase, PlatformLog, PlatformTransaction } from '../core/index.js';
import { sqlStateOf } from './connection-pool.js';
import type { OpenedDatabase } from './open-database.js';
import type { KeyRing } from './sealed-values.js';
import { createRandomPool, createSealedValues } from './sealed-values.js';
import type { AuditWrite, EventWrite, TransactionCounts } from './transact.js';
import { addWrites, createTransactor, jsonbText, storableText } from './transact.js';

/** Twelve bits that count ids of one millisecond. RFC 9562 section 6.2, method 1 */
const COUNTER_LIMIT = 0x1000;

/**
 * Makes UUIDs of version 7, which sort by the time at which they were made; those of one millisecond by their order. A clock that is set
 * back does not make it give one that sorts before those it gave.
 * @see RFC 9562 sections 5.7 and 6.2
 */
function createUuidV7(clock: Clock): () => string {
  const random = createRandomPool();
  let lastMs = -1;
  let counter = 0;
  return () => {
    const nowMs = clock.nowMs();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      // A quarter of the range, so that there is room to count in.
      counter = ((random(2)[0] ?? 0) << 2) | 0;
    } else {
      counter += 1;
      if (counter === COUNTER_LIMIT) {
        lastMs += 1;
        counter = 0;
      }
    }
    const time = lastMs.toString(16).padStart(12, '0');
    const tail = Buffer.from(random(8));
    tail[0] = ((tail[0] ?? 0) & 0x3f) | 0x80;
    const hex = tail.toString('hex');
    const middle = (0x7000 | counter).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-${middle}-${hex.slice(0, 4)}-${hex.slice(4)}`;
  };
}

/** Details of an audit entry, characters of JSON: with all octets of UTF-8 it still fits in a leaf of the log. */
export const AUDIT_DETAILS_CHARS = 16_384;

/** What a context is made of. */
export interface PlatformContextOptions {
  readonly database: OpenedDatabase;
  readonly clock: TimerClock;
  /** The keys of the platform: {@link openKeyRing}. */
  readonly masterKey: KeyRing;
  readonly log: PlatformLog;
  /** Waits between attempts of a transaction, milliseconds. Default a timer of Node. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** A context, and what can be counted of it. */
export interface CountedPlatformContext extends PlatformContext {
  readonly transactionCounts: () => TransactionCounts;
}

/**
 * Makes what every area stands on. A database that was migrated is taken for granted.
 * @returns the context; never throws
 */
export function createPlatformContext(options: PlatformContextOptions): CountedPlatformContext {
  const { database, clock, masterKey, log, pause } = options;
  const uuid = createUuidV7(clock);
  const newId = (kind: string): string => `${kind}-${uuid()}`;
  const audit = auditTo(clock);
  const { transact, counts } = createTransactor(database, pause);
  const append = async (
    transaction: PlatformTransaction,
    {
      type,
      subject,
      data,
    }: {
      readonly type: string;
      readonly subject: string;
      readonly data: unknown;
    },
    audience: readonly string[],
  ): Promise<void> => {
    const written: EventWrite = {
      event_id: newId('evt'),
      at_ms: clock.nowMs(),
      type,
      subject: storableText(subject),
      dataJson: jsonbText(data),
      audience: audience.map(storableText),
    };
    const flushed = addWrites(transaction, ({ events }) => void events.push(written));
    if (flushed !== undefined) await flushed;
  };
  return {
    database: database.database satisfies PlatformDatabase,
    clock,
    newId,
    log,
    transact,
    audit,
    transactionCounts: counts,
    sealed: createSealedValues({ keyRing: masterKey, clock, audit }),
    tell: (transaction, { to, ...event }) => append(transaction, event, [...new Set(to)]),
    announce: (transaction, event) => append(transaction, event, []),
  };
}

const auditTo =
  (clock: TimerClock) =>
  async (transaction: PlatformTransaction, entry: AuditEntry): Promise<void> => {
    const { details = {} } = entry;
    const text = jsonbText(details);
    if (text.length > AUDIT_DETAILS_CHARS) {
      const facts = { action: entry.action, characters: text.length };
      throw new HopbackError('invalid-argument', 'details of an audit entry are facts, no documents', {
        details: facts,
      });
    }
    const written: AuditWrite = {
      at_ms: clock.nowMs(),
      action: storableText(entry.action),
      organization_id: storableText(entry.organizationId),
      actor: storableText(entry.actor),
      object: storableText(entry.object),
      detailsJson: text,
    };
    const flushed = addWrites(transaction, ({ audit }) => void audit.push(written));
    if (flushed !== undefined) await flushed;
  };

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
