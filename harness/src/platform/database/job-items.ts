import { sql } from 'kysely';
import type { DomainEventData, PlatformContext } from '../core/index.js';
import type { CoreWorkTables } from './core-work-tables.js';
import { errorWord } from './database-errors.js';
import { isAmong } from './is-among.js';

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
  const isDone = sound.length > 0 && (await isDoneTogether(() => together?.(sound)));
  const failures: unknown[] = [];
  for (const item of isDone ? due.filter((one) => failed.has(idOf(one))) : due) {
    const id = idOf(item);
    try {
      await work(item);
      if (failed.has(id)) await forgetFailure(context, job, id);
    } catch (error) {
      failures.push(error);
      await noteFailure(context, { job, item: id, nowMs: items.nowMs, error, alarm: items.alarm?.(item) });
    }
  }
  return failures;
}

async function isDoneTogether(work: () => Promise<void> | undefined): Promise<boolean> {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
}

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
      await context.audit(transaction, {
        ...{ action: 'job.set-aside', organizationId: 'platform', actor: 'platform', object: `job:${job}` },
        details: { item, reason, attempts: count },
      });
    if (count >= ITEM_ATTEMPTS) {
      const data = { fault: job, ...(failure.alarm ?? plainAlarm(failure)) };
      await context.announce(transaction, { type: 'platform.fault', subject: data.subject, data });
    }
    return { attempts: count, nextTryMs: row.next_try_ms };
  });
  const details = { job, item, attempts, nextTry: new Date(nextTryMs).toISOString(), error };
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
