import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { backoffBoundMs, pause } from '@hopback/sdk/internal/runtime';
import { sql } from 'kysely';
import type { CompiledQuery } from 'kysely';
import type { DomainEvent, PlatformArea, PlatformContext, PlatformTransaction } from '../core/index.js';
import { Acting } from './area-work.js';
import { compiledOnce, writeLater } from './transact.js';
import type { CoreWorkTables } from './migrate.js';
import { errorWord, isConnectionLost, isOutcomeUnknown } from './connection-pool.js';
import type { EventFeed } from './event-feed.js';
import type { Leadership } from './open-database.js';
import { SOLE_LEADER } from './open-database.js';

/** A reaction that fails so often is set aside: with the pauses between, within some seconds, so that others are not held up for long. */
export const REACTION_ATTEMPTS = 5;
const PAUSE = { baseMs: 100, capMs: 5_000 };
/** A process that does not lead looks again after this time. */
const LEADER_POLL_MS = 2_000;
/** Events of one area that are reacted to in one transaction at most, and for how long: it may have the only connection. */
const MAX_TOGETHER = 100;
const TOGETHER_MS = 25;
/** What nobody reacts to is read again after a crash, so many events at most. */
const NOTED_EVERY = 1_000;
/** After this time without events it is noted too: what was read can be removed. */
const NOTED_AFTER_MS = 1_000;

/**
 * Runs the reactions of areas: for each area in the order of events, each event once, since the note that it was reacted to is part of the
 * transaction in which it is; events that come together share one. A reaction that fails is tried again, and set aside with an entry in the audit after some attempts; the area
 * goes on with the next event, and other areas do not wait for it. An area that is new begins with the oldest event there is.
 */
export function startReactionRunner(options: {
  readonly context: PlatformContext;
  readonly feed: EventFeed;
  readonly areas: readonly Pick<PlatformArea, 'name' | 'reactions'>[];
  readonly leadership?: Leadership;
}) {
  const { context, feed, areas, leadership = SOLE_LEADER } = options;
  const ending = new AbortController();
  const runs = areas
    .filter(({ reactions }) => Object.keys(reactions).length > 0)
    .map(({ name, reactions }): AreaRun => ({
      area: name,
      reactions,
      context,
      feed,
      leadership,
      signal: ending.signal,
      counts: {
        area: name,
        position: 0,
        reacted: 0,
        failed: 0,
        setAside: 0,
      },
      notedPosition: 0,
      isSure: false,
      listeners: new Set(),
    }));
  const loops = runs.map((run) => reactOn(run));
  const close = async (): Promise<void> => {
    ending.abort();
    await Promise.all(loops);
  };
  return {
    /** Waits until every area has reacted to what was committed before. For tests and for an orderly end; ends early when it is closed. */
    caughtUp: async () => {
      // What committed, also where a transaction that still runs keeps it from being read.
      const { newest } = await context.database
        .selectFrom('core_events')
        .select(({ fn }) => fn.max('position').as('newest'))
        .executeTakeFirstOrThrow();
      const through = newest ?? 0;
      await Promise.all(runs.map((run) => reached(run, through)));
    },
    /** What became of events since this process began. */
    counts: () => runs.map(({ counts }) => ({ ...counts })),
    /** Waits for reactions that run. */
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface AreaRun {
  readonly area: string;
  readonly reactions: PlatformArea['reactions'];
  readonly context: PlatformContext;
  readonly feed: EventFeed;
  readonly leadership: Leadership;
  readonly signal: AbortSignal;
  readonly counts: {
    area: string;
    position: number;
    reacted: number;
    failed: number;
    setAside: number;
  };
  /** Position that the table has, as far as is known: behind that of the counts by what nobody reacted to. */
  notedPosition: number;
  /** Whether it is: nobody else leads, and nothing failed. */
  isSure: boolean;
  /** Hear of each step. */
  readonly listeners: Set<() => void>;
}

function reached(run: AreaRun, position: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (run.counts.position < position && !run.signal.aborted) return;
      run.listeners.delete(look);
      run.signal.removeEventListener('abort', look);
      resolve();
    };
    run.listeners.add(look);
    run.signal.addEventListener('abort', look);
    look();
  });
}

async function reactOn(run: AreaRun): Promise<void> {
  const { context, feed, leadership, signal } = run;
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (!(await leadership.isLeader())) {
        run.isSure = false;
        await pause(LEADER_POLL_MS, context.clock, signal);
        continue;
      }
      if (!run.isSure) stepped(run, (run.notedPosition = await positionOf(run)));
      run.isSure = true;
      const { events, throughPosition } = await feed.read(run.counts.position);
      if (throughPosition === run.counts.position) {
        await (run.notedPosition < throughPosition ? noteIdle(run) : feed.wait(throughPosition, { signal }));
        continue;
      }
      await reactToAll(run, events);
      if (!signal.aborted) await moveOn(run, throughPosition);
      failures = 0;
    } catch (error) {
      run.isSure = false;
      if (isHopbackError(error) && error.code === 'closed') return;
      // The database is away, or a reaction failed and will be tried again.
      failures += 1;
      if (!(error instanceof TriedAgain))
        context.log.warn('reactions of an area are held up', { area: run.area, error });
      await pause(backoffBoundMs(failures, PAUSE), context.clock, signal);
    }
  }
}

/** A reaction failed, and comes round again. */
class TriedAgain extends Error {}

function stepped(run: AreaRun, position: number): void {
  run.counts.position = Math.max(run.counts.position, position);
  for (const listener of run.listeners) listener();
}

async function positionOf({ context, area }: AreaRun): Promise<number> {
  const database = context.database.withTables<CoreWorkTables>();
  const row = await database
    .insertInto('core_reactions')
    .values({ area, position: 0, failing_position: null })
    // As it is, so that it is given back.
    .onConflict((conflict) => conflict.column('area').doUpdateSet({ area }))
    .returning('position')
    .executeTakeFirstOrThrow();
  return row.position;
}

async function reactToAll(run: AreaRun, events: readonly DomainEvent[]): Promise<void> {
  const due = events.filter(({ type }) => run.reactions[type] !== undefined);
  for (let at = 0; at < due.length && !run.signal.aborted;)
    at += await reactToSome(run, due.slice(at, at + MAX_TOGETHER));
}

/**
 * Reacts to some events in one transaction, as many as there is time for. Where a reaction fails the ones before it are done again without it.
 * @returns how many are done
 */
async function reactToSome(run: AreaRun, events: readonly DomainEvent[]): Promise<number> {
  let failing: DomainEvent | undefined;
  try {
    const { done, reacted } = await run.context.transact(async (transaction) => {
      failing = undefined;
      const together = await reactedTogether(run, transaction, events, (event) => (failing = event));
      failing = undefined;
      return together;
    });
    run.counts.reacted += reacted;
    noted(run, events[done - 1]?.position ?? 0);
    return done;
  } catch (error) {
    if (isConnectionLost(error) || isOutcomeUnknown(error)) throw error;
    if (isHopbackError(error) && (error.code === 'unavailable' || error.code === 'closed')) throw error;
    // What fails when all is written may be of any of them: the first one alone shows whether it is its own.
    if (failing === undefined && events.length > 1) return reactToSome(run, events.slice(0, 1));
    failing ??= events[0];
    if (failing === undefined) throw error;
    const before = events.slice(0, events.indexOf(failing));
    const done = before.length === 0 ? 0 : await reactToSome(run, before);
    if (done < before.length) return done;
    run.counts.failed += 1;
    if (!(await failedForGood(run, failing, error))) throw new TriedAgain();
    noted(run, failing.position);
    return done + 1;
  }
}

async function reactedTogether(
  run: AreaRun,
  transaction: PlatformTransaction,
  ...[events, begins]: [readonly DomainEvent[], (event: DomainEvent) => void]
): Promise<{ readonly done: number; readonly reacted: number }> {
  const { area, reactions } = run;
  // Another process may have reacted to some of them.
  const through = await reactedThrough(transaction, area);
  const startMs = performance.now();
  let [done, reacted] = [0, 0];
  for (const event of events) {
    begins(event);
    if (event.position > through) {
      await reactions[event.type]?.(transaction, event);
      reacted += 1;
    }
    done += 1;
    if (performance.now() - startMs > TOGETHER_MS) break;
  }
  // Behind all that the reactions read.
  await writeLater(transaction, [markQuery(transaction, events[done - 1]?.position ?? 0, area)]);
  return { done, reacted };
}

async function reactedThrough(transaction: PlatformTransaction, area: string): Promise<number> {
  const { rows } = await transaction.executeQuery(positionQuery(transaction, area));
  const [row] = rows;
  if (row === undefined) throw new HopbackError('internal', 'an area has no position', { details: { area } });
  return row.position;
}

const positionQuery = compiledOnce((reading, area: string) =>
  reading
    .withTables<CoreWorkTables>()
    .selectFrom('core_reactions')
    .select('position')
    .where('area', '=', area)
    .compile(),
);

function noted(run: AreaRun, position: number): void {
  run.notedPosition = Math.max(run.notedPosition, position);
  stepped(run, position);
}

/** Notes that events are done. @returns false where they were already */
async function marked(transaction: PlatformTransaction, area: string, position: number): Promise<boolean> {
  const { numAffectedRows = 0n } = await transaction.executeQuery(markQuery(transaction, position, area));
  return numAffectedRows > 0n;
}

const markQuery = compiledOnce((reading, position: number, area: string): CompiledQuery =>
  sql`
    update core_reactions as known set position = reached.position, failing_position = null, failures = 0
    from (select ${position}::bigint as position) as reached
    where known.area = ${area} and known.position < reached.position`.compile(reading),
);

/** What nobody reacts to is done when it was read; that is noted when there is more of it, or time. */
async function moveOn(run: AreaRun, position: number): Promise<void> {
  stepped(run, position);
  if (position - run.notedPosition >= NOTED_EVERY) await note(run);
}

/** Waits for events, and notes how far it is where none come for a while. */
async function noteIdle(run: AreaRun): Promise<void> {
  const { feed, signal, counts } = run;
  if (!(await feed.wait(counts.position, { signal, timeoutMs: NOTED_AFTER_MS })) && !signal.aborted) await note(run);
}

async function note(run: AreaRun): Promise<void> {
  const { position } = run.counts;
  await run.context.transact((transaction) => marked(transaction, run.area, position));
  run.notedPosition = position;
}

/** Counts a failure, for longer than this process lives; sets the event aside after the last. */
async function failedForGood(run: AreaRun, event: DomainEvent, error: unknown): Promise<boolean> {
  const { area, context } = run;
  const { position, eventId, type } = event;
  const reason = errorWord(error);
  const isSetAside = await context.transact(async (transaction) => {
    const tables = transaction.withTables<CoreWorkTables>();
    const { failing_position: before, failures } = await tables
      .selectFrom('core_reactions')
      .select(['failing_position', 'failures'])
      .where('area', '=', area)
      .executeTakeFirstOrThrow();
    const count = before === position ? failures + 1 : 1;
    if (count < REACTION_ATTEMPTS) {
      const failing = { failing_position: position, failures: count };
      await tables.updateTable('core_reactions').set(failing).where('area', '=', area).execute();
      return false;
    }
    if (!(await marked(transaction, area, position))) return true;
    const setAside = {
      area,
      position,
      event_id: eventId,
      type,
      at_ms: context.clock.nowMs(),
      reason,
    };
    await tables.insertInto('core_set_aside').values(setAside).execute();
    const details = {
      area,
      type,
      reason,
      attempts: count,
    };
    await new Acting(context, transaction).audit('reaction.set-aside', `event:${eventId}`, details);
    return true;
  });
  if (isSetAside) {
    run.counts.setAside += 1;
    context.log.error('an event was set aside: its reaction failed too often', { area, eventId, type, error });
  } else context.log.warn('a reaction failed', { area, eventId, type, error });
  return isSetAside;
}
