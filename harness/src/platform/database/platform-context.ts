import { HopbackError } from '@hopback/sdk/errors';
import type { TimerClock } from '@hopback/sdk/platform';
import type {
  AuditEntry,
  EventBetweenAreas,
  PlatformContext,
  PlatformDatabase,
  PlatformLog,
  PlatformTransaction,
} from '../core/index.js';
import type { AuditWrite, EventWrite } from './core-writes.js';
import { jsonbText, storableText } from './json-text.js';
import type { KeyRing } from './key-ring.js';
import type { OpenedDatabase } from './open-database.js';
import { createSealedValues } from './sealed-values.js';
import { addWrites, createTransactor, type TransactionCounts } from './transact.js';
import { createUuidV7 } from './uuid-v7.js';

/** Details of an audit entry, characters of JSON: with all octets of UTF-8 it still fits in a leaf of the log. */
export const AUDIT_DETAILS_CHARS = 16_384;

/** What a context is made of. */
export interface PlatformContextOptions {
  readonly database: OpenedDatabase;
  readonly clock: TimerClock;
  /** The keys of the platform: {@link openKeyRing}. A function where they are changed while it runs. */
  readonly masterKey: KeyRing | (() => KeyRing);
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
  const keyRing = typeof masterKey === 'function' ? masterKey : (): KeyRing => masterKey;
  const uuid = createUuidV7(clock);
  const newId = (kind: string): string => `${kind}-${uuid()}`;
  const audit = auditTo(clock);
  const { transact, counts } = createTransactor(database, pause);
  return {
    database: database.database satisfies PlatformDatabase,
    clock,
    newId,
    log,
    transact,
    audit,
    transactionCounts: counts,
    sealed: createSealedValues({ keyRing, clock, audit }),
    tell: (transaction, { type, subject, data, to }) =>
      appendEvent(transaction, {
        id: newId('evt'),
        atMs: clock.nowMs(),
        type,
        subject,
        data,
        audience: [...new Set(to)],
      }),
    announce: (transaction, { type, subject, data }: EventBetweenAreas) =>
      appendEvent(transaction, { id: newId('evt'), atMs: clock.nowMs(), type, subject, data, audience: [] }),
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

interface EventRow {
  readonly id: string;
  readonly atMs: number;
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
  readonly audience: readonly string[];
}

async function appendEvent(transaction: PlatformTransaction, event: EventRow): Promise<void> {
  const written: EventWrite = {
    event_id: event.id,
    at_ms: event.atMs,
    type: event.type,
    subject: storableText(event.subject),
    dataJson: jsonbText(event.data),
    audience: event.audience.map(storableText),
  };
  const flushed = addWrites(transaction, ({ events }) => void events.push(written));
  if (flushed !== undefined) await flushed;
}
