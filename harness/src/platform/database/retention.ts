import type { PlatformContext, PlatformJob, PlatformTransaction } from '../core/index.js';
import type { CoreWorkTables } from './core-work-tables.js';
import { workThrough } from './job-items.js';

/** How often retention looks. */
const RETENTION_EVERY_MS = 3_600_000;
/** Things that are removed in one transaction: it holds their rows for some milliseconds. */
const REMOVED_AT_ONCE = 500;
/** Things of one run for each class: what is left is removed by the next run, and other jobs get their turn. */
const REMOVED_OF_A_RUN = 1_000_000;

/** Says what is not to be removed although its time is over: legal process asks for it. */
export interface LegalHolds {
  /** Of some things those that are held. Within the transaction that removes the others, so that a hold is not missed by a moment. */
  readonly held: (
    transaction: PlatformTransaction,
    retentionClass: string,
    ids: readonly string[],
  ) => Promise<ReadonlySet<string>>;
}

/** Nobody holds anything. */
export const NO_HOLDS: LegalHolds = { held: async () => new Set() };

/** A class of data, how long it is kept, and how it is removed. */
export interface RetentionClass {
  /** Unique, `tracebacks.closed`: stands in the audit. */
  readonly name: string;
  /** How long it is kept from when it is over, milliseconds. */
  readonly keepMs: number;
  /**
   * Ids of what was over before a time, in an order that stays, behind `after`; at most `limit`.
   */
  readonly due: (
    transaction: PlatformTransaction,
    query: { readonly beforeMs: number; readonly after: string | undefined; readonly limit: number },
  ) => Promise<readonly string[]>;
  /** Removes things with all that belongs to them, sealed values as well. */
  readonly remove: (transaction: PlatformTransaction, ids: readonly string[]) => Promise<void>;
}

/** What one run did with a class. */
export interface RetentionReport {
  readonly name: string;
  readonly removed: number;
  readonly held: number;
}

/** The job that removes what is over. */
export function retentionJob(options: {
  readonly context: PlatformContext;
  readonly classes: readonly RetentionClass[];
  readonly holds?: LegalHolds;
}): PlatformJob {
  return {
    name: 'core.retention',
    everyMs: RETENTION_EVERY_MS,
    run: async (nowMs) => {
      await removeOverdue(options, nowMs);
    },
  };
}

/**
 * Removes of each class what is over and nobody holds, some things in a transaction, with an entry in the audit that says how many. Begun
 * anew, it goes on. Neither a class nor a thing that fails keeps the others.
 * @throws AggregateError of what classes threw, when all had their turn
 */
export async function removeOverdue(
  options: Parameters<typeof retentionJob>[0],
  nowMs: number,
): Promise<readonly RetentionReport[]> {
  const { context, classes, holds = NO_HOLDS } = options;
  const reports: RetentionReport[] = [];
  const errors: unknown[] = [];
  for (const one of classes) {
    try {
      reports.push(await removedOf({ context, holds, of: one, beforeMs: nowMs - one.keepMs, nowMs }));
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'retention of some classes failed');
  return reports;
}

interface Removal {
  readonly context: PlatformContext;
  readonly holds: LegalHolds;
  readonly of: RetentionClass;
  readonly beforeMs: number;
  readonly nowMs: number;
}

async function removedOf({ context, holds, of, beforeMs, nowMs }: Removal): Promise<RetentionReport> {
  const counts = { removed: 0, held: 0 };
  const remove = async (ids: readonly string[]): Promise<void> => {
    const gone = await context.transact(async (transaction) => {
      const kept = await holds.held(transaction, of.name, ids);
      const going = ids.filter((id) => !kept.has(id));
      if (going.length === 0) return 0;
      await of.remove(transaction, going);
      await context.audit(transaction, {
        ...{ action: 'retention.removed', organizationId: 'platform', actor: 'platform', object: `class:${of.name}` },
        details: { removed: going.length, held: ids.length - going.length, before: new Date(beforeMs).toISOString() },
      });
      return going.length;
    });
    counts.removed += gone;
    counts.held += ids.length - gone;
  };
  await workThrough<string>({
    ...{ context, job: `core.retention ${of.name}`, nowMs, idOf: (id) => id, most: REMOVED_OF_A_RUN },
    page: (after) =>
      context.transact((transaction) => of.due(transaction, { beforeMs, after, limit: REMOVED_AT_ONCE })),
    together: remove,
    work: (id) => remove([id]),
  });
  return { name: of.name, ...counts };
}

/** How long events can be read again: a client that was away for a month has to fetch what is there instead. */
export const EVENTS_KEPT_MS: number = 30 * 86_400_000;
/** Events that go in one statement. */
const EVENTS_AT_ONCE = 5_000;

/**
 * The job that removes old events, as far as areas have reacted to them and others have read them. The audit stays: it is the record of what was
 * done with data that is gone, and holds none of it.
 * @param options - `readThrough` says how far those have read who keep positions of their own, webhooks above all
 */
export function eventsRetentionJob(options: {
  readonly context: PlatformContext;
  readonly readThrough: (transaction: PlatformTransaction) => Promise<number>;
}): PlatformJob {
  const { context, readThrough } = options;
  return {
    name: 'core.events-retention',
    everyMs: RETENTION_EVERY_MS,
    run: async (nowMs) => {
      for (;;) {
        const count = await context.transact(async (transaction) =>
          removedEvents(transaction, nowMs - EVENTS_KEPT_MS, await readThrough(transaction)),
        );
        if (count < EVENTS_AT_ONCE) return;
      }
    },
  };
}

async function removedEvents(transaction: PlatformTransaction, beforeMs: number, others: number): Promise<number> {
  const { slowest } = await transaction
    .withTables<CoreWorkTables>()
    .selectFrom('core_reactions')
    .select(({ fn }) => fn.min('position').as('slowest'))
    .executeTakeFirstOrThrow();
  const through = Math.min(others, slowest ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const { numDeletedRows } = await transaction
    .deleteFrom('core_events')
    .where('position', 'in', (events) =>
      events
        .selectFrom('core_events')
        .select('position')
        .where('at_ms', '<', beforeMs)
        .where('position', '<=', through)
        .limit(EVENTS_AT_ONCE),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
