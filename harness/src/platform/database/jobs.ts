import { HopbackError } from '@hopback/sdk/errors';
import { sql } from 'kysely';
import type { DomainEventData, PlatformContext, PlatformJob, PlatformTransaction } from '../core/index.js';
import { Acting } from './area-work.js';
import { errorWord } from './connection-pool.js';
import type { CoreWorkTables } from './migrate.js';
import type { Leadership } from './open-database.js';
import { SOLE_LEADER } from './open-database.js';
import { isAmong } from './transact.js';

/** An item that fails so often is set aside: with the waits between, after three quarters of an hour. */
export const ITEM_ATTEMPTS = 10;
/** Wait after the first failure; it doubles with each, up to an hour. */
const FIRST_WAIT_MS = 5_000;
export const LONGEST_WAIT_MS = 3_600_000;
/** An item that was set aside is tried once a day: a disk that was repaired or a newer release may have helped it. */
const SET_ASIDE_WAIT_MS = 86_400_000;

/** Who is told that an item was set aside, and in which words. */
type ItemAlarm = Pick<DomainEventData['platform.fault'], 'subject' | 'title' | 'summary' | 'organizationId'>;

/** The items of one run of a job. */
interface JobItems<Item> {
  readonly context: PlatformContext;
  /** Name of the job: failures are kept under it. */
  readonly job: string;
  readonly nowMs: number;
  /** Items that are due, in an order that stays, behind one of them. The job has seen all when a page is empty. */
  readonly page: (after: Item | undefined) => Promise<readonly Item[]>;
  readonly idOf: (item: Item) => string;
  readonly work: (item: Item) => Promise<void>;
  /** Does several at once, where that is cheaper. When it rejects, each of them is done alone by `work`. */
  readonly together?: (items: readonly Item[]) => Promise<void>;
  readonly alarm?: (item: Item) => ItemAlarm;
  /** Items of one run; the next run begins anew. Default all that are due. */
  readonly most?: number;
}

/**
 * Works through the items of a job so that one that fails keeps no other waiting: the others are done in the same run, the failing one waits for
 * twice as long after each attempt, and is set aside after {@link ITEM_ATTEMPTS}, with one entry in the audit, and staff are told. From then on it
 * is tried once a day, without a trace in the audit.
 * @throws the first failure, when all items had their turn; at once where the database cannot even note a failure
 */
export async function workThrough<Item>(items: JobItems<Item>): Promise<void> {
  const { context, job, nowMs, page, idOf, most = Infinity } = items;
  const failures: unknown[] = [];
  let [after, seen]: [Item | undefined, number] = [undefined, 0];
  while (seen < most) {
    const found = await page(after);
    if (found.length === 0) break;
    after = found.at(-1);
    const failed = await failedBefore(context, job, found.map(idOf));
    const due = found
      .filter((item) => (failed.get(idOf(item)) ?? 0) <= nowMs)
      .slice(0, Math.min(found.length, most - seen));
    seen += due.length;
    failures.push(...(await workOnPage(items, due, failed)));
  }
  if (failures.length > 0) throw failures[0];
}

/** When each item that failed before is tried again. */
async function failedBefore(
  { database }: Pick<PlatformContext, 'database'>,
  job: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await database
    .withTables<CoreWorkTables>()
    .selectFrom('core_job_failures')
    .select(['item', 'next_try_ms'])
    .where('job', '=', job)
    .where(isAmong('item', ids))
    .execute();
  return new Map(rows.map((row) => [row.item, row.next_try_ms]));
}

async function workOnPage<Item>(
  items: JobItems<Item>,
  due: readonly Item[],
  failed: ReadonlyMap<string, number>,
): Promise<readonly unknown[]> {
  const { together, idOf, work, context, job } = items;
  const sound = together === undefined ? [] : due.filter((item) => !failed.has(idOf(item)));
  const isDone = sound.length > 0 && (await succeeded(together?.(sound)));
  const failures: unknown[] = [];
  for (const item of isDone ? due.filter((one) => failed.has(idOf(one))) : due) {
    const id = idOf(item);
    try {
      await work(item);
      if (failed.has(id)) await forgetFailure(context, job, id);
    } catch (error) {
      failures.push(error);
      await noteFailure(context, {
        job,
        item: id,
        nowMs: items.nowMs,
        error,
        alarm: items.alarm?.(item),
      });
    }
  }
  return failures;
}

const succeeded = (work: Promise<void> | undefined): Promise<boolean> =>
  Promise.resolve(work).then(
    () => true,
    () => false,
  );

/** A failure of one item. */
interface ItemFailure {
  readonly job: string;
  readonly item: string;
  readonly nowMs: number;
  readonly error: unknown;
  readonly alarm?: ItemAlarm | undefined;
}

/** Counts a failure of an item, and sets the item aside after the last attempt. @returns when it is tried again */
export async function noteFailure(context: PlatformContext, failure: ItemFailure): Promise<number> {
  const { job, item, nowMs, error } = failure;
  const reason = errorWord(error);
  const { attempts, nextTryMs } = await context.transact(async (transaction) => {
    const tables = transaction.withTables<CoreWorkTables>();
    const before = await tables
      .selectFrom('core_job_failures')
      .select('attempts')
      .where('job', '=', job)
      .where('item', '=', item)
      .executeTakeFirst();
    const count = (before?.attempts ?? 0) + 1;
    const row = { attempts: count, next_try_ms: nowMs + waitAfter(count), reason };
    await tables
      .insertInto('core_job_failures')
      .values({ job, item, ...row })
      .onConflict((conflict) => conflict.columns(['job', 'item']).doUpdateSet(row))
      .execute();
    // Those that nobody has tried since are of items that are gone.
    await tables
      .deleteFrom('core_job_failures')
      .where('job', '=', job)
      .where('next_try_ms', '<', nowMs - 2 * SET_ASIDE_WAIT_MS)
      .execute();
    if (count === ITEM_ATTEMPTS)
      await new Acting(context, transaction).audit('job.set-aside', `job:${job}`, { item, reason, attempts: count });
    if (count >= ITEM_ATTEMPTS) {
      const data = { fault: job, ...(failure.alarm ?? plainAlarm(failure)) };
      await context.announce(transaction, { type: 'platform.fault', subject: data.subject, data });
    }
    return { attempts: count, nextTryMs: row.next_try_ms };
  });
  const details = {
    job,
    item,
    attempts,
    nextTry: new Date(nextTryMs).toISOString(),
    error,
  };
  if (attempts < ITEM_ATTEMPTS) context.log.warn('an item of a job failed', details);
  else context.log.error('an item of a job was set aside: it failed too often', details);
  return nextTryMs;
}

/** Forgets the failures of an item that was done after all. */
export async function forgetFailure(
  context: Pick<PlatformContext, 'transact'>,
  job: string,
  item: string,
): Promise<void> {
  await context.transact((transaction) =>
    sql`delete from core_job_failures where job = ${job} and item = ${item}`.execute(transaction),
  );
}

function waitAfter(attempts: number): number {
  if (attempts >= ITEM_ATTEMPTS) return SET_ASIDE_WAIT_MS;
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1));
}

function plainAlarm({ job, item, error }: ItemFailure): ItemAlarm {
  return {
    subject: `job:${job}:${item}`,
    title: `The platform cannot finish ${job} for one item`,
    summary: `The job ${job} failed ${ITEM_ATTEMPTS} times for ${item}, the last time with ${errorWord(error)}, and set it aside. It is tried once a day. The log of the platform has the cause.`,
  };
}

/** A process that does not lead asks again after this time; so long nobody does what is due when a leader dies. */
export const LEADER_POLL_MS = 5_000;
/** A job that fails comes round after its ordinary time, but at most after this. */
const RETRY_MS = 60_000;

/**
 * Runs jobs: each from the end of one run its time to the start of the next, across restarts, never twice at once; of processes that share a
 * database in the one that leads. A run that fails is counted and logged, and comes round again.
 * @throws HopbackError `invalid-configuration` for two jobs of one name
 */
export function startJobRunner(options: {
  readonly context: PlatformContext;
  readonly jobs: readonly PlatformJob[];
  readonly leadership?: Leadership;
}) {
  const { context, jobs, leadership = SOLE_LEADER } = options;
  const names = new Set(jobs.map(({ name }) => name));
  if (names.size < jobs.length) throw new HopbackError('invalid-configuration', 'two jobs have one name');
  const rounds = jobs.map((job): JobRound => ({
    job,
    context,
    leadership,
    runs: 0,
    failures: 0,
    isEnded: false,
  }));
  for (const round of rounds) beginRound(round, firstDue);
  const settled = async (): Promise<void> => {
    await Promise.all(rounds.map(async ({ running }) => running));
  };
  const close = async (): Promise<void> => {
    for (const round of rounds) {
      round.isEnded = true;
      round.stop?.();
    }
    await settled();
  };
  return {
    counts: () => rounds.map(({ job: { name }, runs, failures }) => ({ name, runs, failures })),
    /** Waits until no job runs, and each has its next time. */
    settled,
    /** Begins no more, and waits for those that run. */
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface JobRound {
  readonly job: PlatformJob;
  readonly context: PlatformContext;
  readonly leadership: Leadership;
  runs: number;
  failures: number;
  isEnded: boolean;
  /** What goes on. Never rejects. */
  running?: Promise<void>;
  /** Takes back the timer. */
  stop?: () => void;
}

/** Does something, and sets the time of the next round to what it gives, milliseconds from then. */
function beginRound(round: JobRound, work: (round: JobRound) => Promise<number>): void {
  if (round.isEnded) return;
  const { job, context } = round;
  round.running = work(round)
    .catch((error: unknown) => {
      context.log.warn('a job could not begin', { job: job.name, error });
      return LEADER_POLL_MS;
    })
    .then((delayMs) => {
      if (!round.isEnded) round.stop = context.clock.schedule(() => beginRound(round, runDue), delayMs);
    });
}

async function firstDue({ job, context }: JobRound): Promise<number> {
  const ended = await endedMs(context, job.name);
  return ended === undefined ? 0 : untilDue(job, ended, context.clock.nowMs());
}

/** A clock that was set back must not make a job wait for longer than its time. */
const untilDue = (job: PlatformJob, endedAtMs: number, nowMs: number): number =>
  Math.min(job.everyMs, Math.max(0, endedAtMs + job.everyMs - nowMs));

async function endedMs(context: PlatformContext, name: string): Promise<number | undefined> {
  const row = await context.database
    .withTables<CoreWorkTables>()
    .selectFrom('core_jobs')
    .select('ended_ms')
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.ended_ms ?? undefined;
}

async function runDue(round: JobRound): Promise<number> {
  const { job, context, leadership } = round;
  if (!(await leadership.isLeader())) return LEADER_POLL_MS;
  // Another process may have led, and done it.
  const ended = await endedMs(context, job.name);
  const startedMs = context.clock.nowMs();
  if (ended !== undefined && untilDue(job, ended, startedMs) > 0) return untilDue(job, ended, startedMs);
  let hasFailed = false;
  try {
    await job.run(startedMs);
  } catch (error) {
    hasFailed = true;
    context.log.error('a job failed', { job: job.name, error });
  }
  round.runs += 1;
  if (hasFailed) round.failures += 1;
  await noted(context, job.name, startedMs, hasFailed);
  return hasFailed ? Math.min(RETRY_MS, job.everyMs) : job.everyMs;
}

async function noted(context: PlatformContext, name: string, startedMs: number, hasFailed: boolean): Promise<void> {
  const failed = hasFailed ? 1 : 0;
  // A run that failed has no end: after a restart it is due at once.
  const end = hasFailed ? null : context.clock.nowMs();
  await context.transact((transaction) =>
    sql`insert into core_jobs (name, started_ms, ended_ms, runs, failures, consecutive_failures)
      values (${name}, ${startedMs}, ${end}, 1, ${failed}, ${failed})
      on conflict (name) do update set
        started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, runs = core_jobs.runs + 1,
        failures = core_jobs.failures + excluded.failures,
        consecutive_failures = case when excluded.failures = 0 then 0 else core_jobs.consecutive_failures + 1 end`.execute(
      transaction,
    ),
  );
}

/** How often retention looks. */
const RETENTION_EVERY_MS = 3_600_000;
/** Things that are removed in one transaction: it holds their rows for some milliseconds. */
const REMOVED_AT_ONCE = 500;
/** Things of one run for each class: what is left is removed by the next run, and other jobs get their turn. */
const REMOVED_OF_A_RUN = 1_000_000;

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
    query: {
      readonly beforeMs: number;
      readonly after: string | undefined;
      readonly limit: number;
    },
  ) => Promise<readonly string[]>;
  /** Of some things those that legal process asks for. Within the transaction that removes the others, so that a hold is not missed by a moment. */
  readonly held: (transaction: PlatformTransaction, ids: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Removes things with all that belongs to them, sealed values as well. */
  readonly remove: (transaction: PlatformTransaction, ids: readonly string[]) => Promise<void>;
}

/**
 * Removes of a class what is over and nobody holds, some things in a transaction, with an entry in the audit that says how many. Begun
 * anew, it goes on. A thing that fails keeps no other.
 * @returns what one run did
 */
export async function removeOverdue(
  context: PlatformContext,
  { name, keepMs, due, held, remove }: RetentionClass,
  nowMs: number,
): Promise<{ readonly removed: number; readonly held: number }> {
  const beforeMs = nowMs - keepMs;
  const counts = { removed: 0, held: 0 };
  const removeSome = async (ids: readonly string[]): Promise<void> => {
    const gone = await context.transact(async (transaction) => {
      const kept = await held(transaction, ids);
      const going = ids.filter((id) => !kept.has(id));
      if (going.length === 0) return 0;
      await remove(transaction, going);
      await new Acting(context, transaction).audit('retention.removed', `class:${name}`, {
        removed: going.length,
        held: ids.length - going.length,
        before: new Date(beforeMs).toISOString(),
      });
      return going.length;
    });
    counts.removed += gone;
    counts.held += ids.length - gone;
  };
  await workThrough<string>({
    context,
    job: `core.retention ${name}`,
    nowMs,
    idOf: (id) => id,
    most: REMOVED_OF_A_RUN,
    page: (after) => context.transact((transaction) => due(transaction, { beforeMs, after, limit: REMOVED_AT_ONCE })),
    together: removeSome,
    work: (id) => removeSome([id]),
  });
  return counts;
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
