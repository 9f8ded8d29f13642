import type { TimerClock } from '@hopback/sdk/platform';
import { sql } from 'kysely';
import type { DomainEvent, DomainEventType, PlatformDatabase, Reading } from '../core/index.js';
import type { OpenedDatabase } from './open-database.js';
import { compiledOnce } from './transact.js';

/** Events that are remembered at most: some megabytes. */
const MAX_EVENTS = 2_000;
/** What is older than this, by the time at which it happened, is not kept in memory: readers of what is new have long had it. */
const KEPT_MS = 60_000;

/** The newest events as they were read last: what comes in is read by a dozen readers, and from the database once. */
class RecentEvents {
  readonly #database: PlatformDatabase;
  readonly #clock: TimerClock;
  #events: StoredEvent[] = [];
  /** All events behind `from` and up to `through` are there. */
  #from = 0;
  #through = 0;
  /** Pages that are being read, by where they begin: who wants the same has the same. */
  readonly #reading = new Map<number, Promise<EventsRead>>();

  constructor(database: PlatformDatabase, clock: TimerClock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Up to where they are remembered without a gap from a position on; the position itself where nothing is. */
  reachesFrom(afterPosition: number): number {
    return this.#covers(afterPosition) ? this.#through : afterPosition;
  }

  /** Events after a position: from memory, topped up from the database, or else one page from the database. */
  read(afterPosition: number, through: number): Promise<EventsRead> {
    const isRemembered = this.reachesFrom(afterPosition) > afterPosition;
    return isRemembered ? this.#kept(afterPosition, through) : this.#page(afterPosition, through);
  }

  async #kept(afterPosition: number, through: number): Promise<EventsRead> {
    const reached = this.reachesFrom(afterPosition);
    if (reached < through) await this.#page(reached, through);
    const throughPosition = Math.min(through, this.reachesFrom(afterPosition));
    const events = this.#between(afterPosition, throughPosition);
    return events === undefined ? this.#page(afterPosition, through) : { events, throughPosition };
  }

  #page(afterPosition: number, through: number): Promise<EventsRead> {
    const known = this.#reading.get(afterPosition);
    if (known !== undefined) return known;
    const begun = readRows(this.#database, { afterPosition, through, limit: READ_EVENTS })
      .then((found) => {
        this.#add(afterPosition, found.throughPosition, found.events);
        return found;
      })
      .finally(() => this.#reading.delete(afterPosition));
    this.#reading.set(afterPosition, begun);
    return begun;
  }

  #between(afterPosition: number, throughPosition: number): readonly StoredEvent[] | undefined {
    this.#forget();
    if (!this.#covers(afterPosition) || throughPosition > this.#through) return undefined;
    return this.#events.filter(({ position }) => position > afterPosition && position <= throughPosition);
  }

  #add(afterPosition: number, throughPosition: number, added: readonly StoredEvent[]): void {
    if (throughPosition <= this.#through) return;
    if (!this.#covers(afterPosition)) {
      this.#events = [];
      this.#from = afterPosition;
      this.#through = afterPosition;
    }
    this.#events.push(...added.filter(({ position }) => position > this.#through));
    this.#through = throughPosition;
    this.#forget();
  }

  #forget(): void {
    const oldestMs = this.#clock.nowMs() - KEPT_MS;
    let count = Math.max(0, this.#events.length - MAX_EVENTS);
    while (count < this.#events.length && (this.#events[count]?.atMs ?? 0) < oldestMs) count += 1;
    if (count === 0) return;
    this.#from = this.#events[count - 1]?.position ?? this.#from;
    this.#events = this.#events.slice(count);
  }

  #covers(afterPosition: number): boolean {
    return afterPosition >= this.#from && afterPosition <= this.#through;
  }
}

/** Tells how far a table of positions can be read without stepping over what has not yet committed. */
type PositionCeiling = ReturnType<typeof createPositionCeiling>;

/** Sequences that `core_next_position` gives positions of. */
export type PositionSequence = 'core_event_positions' | 'core_audit_positions';

/**
 * Positions are given before the commit, so that a lower one may appear after a higher one: a reader that goes by the highest it saw steps over
 * it. So the newest position is looked at first, and then which transactions that have positions still run (`core_settled_position`): each
 * holds a lock that names the position before its first, and lets go of it when what it wrote can be seen. What a transaction holds back is
 * what comes after that position, and no other transaction holds back anything. Writers do not wait for each other as they would with a lock
 * over appending: that makes commits wait in line for the disk.
 */
export function createPositionCeiling(opened: OpenedDatabase, sequence: PositionSequence) {
  const { database, engine } = opened;
  // With one connection nothing runs while it is looked.
  const positionNow = engine === 'pglite' ? lastPosition : settledPosition;
  let through = 0;
  let isHeld = false;
  const look = async (): Promise<number> => {
    const { newest, settled } = await positionNow(database, sequence);
    // A transaction names the position that it saw before its first, which may have been settled long ago.
    through = Math.max(through, settled);
    isHeld = newest > through;
    return through;
  };
  return {
    /** Every position up to it is there for good, or never will be. It only grows. */
    through: shared(look),
    /** Whether transactions that still run hold it back. */
    isHeld: () => isHeld,
  };
}

interface SettledPosition {
  /** The last position that was given; 0 where none was. */
  readonly newest: number;
  readonly settled: number;
}

async function settledPosition(database: PlatformDatabase, sequence: PositionSequence): Promise<SettledPosition> {
  const { rows } = await database.executeQuery(settledQuery(database, sequence));
  return rows[0] ?? { newest: 0, settled: 0 };
}

const settledQuery = compiledOnce((reading, sequence: PositionSequence) =>
  sql<SettledPosition>`
    select newest, settled from core_settled_position(${sequence}::regclass)`.compile(reading),
);

async function lastPosition(database: PlatformDatabase, sequence: PositionSequence): Promise<SettledPosition> {
  const { rows } = await sql<{ readonly last: number }>`
    select coalesce(pg_sequence_last_value(${sequence}::regclass), 0) as last`.execute(database);
  const last = rows[0]?.last ?? 0;
  return { newest: last, settled: last };
}

/** One look at a time: who comes while one is under way gets the one after it, which saw all that he knows of. */
function shared(look: () => Promise<number>): () => Promise<number> {
  let current: Promise<number> | undefined;
  let following: Promise<number> | undefined;
  const begin = (): Promise<number> => {
    const begun = look().finally(() => {
      if (current === begun) current = undefined;
    });
    current = begun;
    return begun;
  };
  return () => {
    if (current === undefined) return begin();
    following ??= current
      .catch(() => 0)
      .then(() => {
        following = undefined;
        return begin();
      });
    return following;
  };
}

/** Events that are read at once: half a megabyte of ordinary ones. */
export const READ_EVENTS = 500;
/** Without a signal a reader looks again after this time: signals of processes that died get lost. */
export const EVENT_POLL_MS = 1_000;
/** Without a signal what is known is good for this time: half of that after which a reader looks again. */
const LOOK_EVERY_MS = EVENT_POLL_MS / 2;
/** Where transactions that still run hold events back, a reader looks again after this time. */
const HELD_POLL_MS = 20;
/** Then what is known is good for half of that: a dozen readers that look again do so with one question. */
const HELD_LOOK_MS = HELD_POLL_MS / 2;

/** An event with whom it is for. */
export interface StoredEvent extends DomainEvent {
  /** Ids of organizations; empty for what only areas hear. */
  readonly audience: readonly string[];
}

/** Some events, and how far one has read with them. */
export interface EventsRead {
  readonly events: readonly StoredEvent[];
  /** Where to read on: at the last event, or behind all that were looked at and not asked for. */
  readonly throughPosition: number;
}

/** Reads events in order, and none is stepped over: for webhooks, streams, and reactions. Readers keep their positions themselves. */
export class EventFeed implements AsyncDisposable {
  readonly #opened: OpenedDatabase;
  readonly #clock: TimerClock;
  readonly #ceiling: PositionCeiling;
  readonly #looked: () => Promise<number>;
  readonly #closing = new AbortController();
  readonly #recent: RecentEvents;

  /** @param opened - migrated */
  constructor(opened: OpenedDatabase, { clock }: { readonly clock: TimerClock }) {
    this.#opened = opened;
    this.#clock = clock;
    this.#ceiling = createPositionCeiling(opened, 'core_event_positions');
    this.#looked = createLook(opened, this.#ceiling);
    this.#recent = new RecentEvents(opened.database, clock);
  }

  /** Events behind a position, from the lowest. Those of one organization where it is given. @throws what the database throws */
  async read(
    afterPosition: number,
    { limit = READ_EVENTS, organizationId }: { readonly limit?: number; readonly organizationId?: string } = {},
  ): Promise<EventsRead> {
    const through = await this.#looked();
    if (through <= afterPosition) return { events: [], throughPosition: afterPosition };
    const count = Math.min(limit, READ_EVENTS);
    // Who is far behind reads what is his; who is near what all others read too.
    if (organizationId !== undefined && through - this.#recent.reachesFrom(afterPosition) > READ_EVENTS)
      return readRows(this.#opened.database, { afterPosition, through, limit: count, organizationId });
    const found = await this.#recent.read(afterPosition, through);
    const isFor = ({ audience }: StoredEvent): boolean =>
      organizationId === undefined || audience.includes(organizationId);
    const events = found.events.filter(isFor).slice(0, count);
    const last = events.at(-1)?.position;
    return { events, throughPosition: last !== undefined && events.length === count ? last : found.throughPosition };
  }

  /**
   * Waits until there is something behind a position.
   * @returns whether there is; false when `signal` ends, `timeoutMs` pass by the clock, or the feed is closed. Never rejects
   */
  async wait(
    afterPosition: number,
    { signal, timeoutMs }: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
  ): Promise<boolean> {
    const closing = this.#closing.signal;
    const signals = signal === undefined ? [closing] : [signal, closing];
    const turn = createTurn(this.#opened, { clock: this.#clock, signals, timeoutMs });
    try {
      while (!turn.isOver()) {
        // Before it looks, so that what comes in meanwhile makes it look again.
        const next = turn.next(() => (this.#ceiling.isHeld() ? HELD_POLL_MS : EVENT_POLL_MS));
        const through = await this.#looked().catch(() => 0);
        if (through > afterPosition) return true;
        await next();
      }
      return false;
    } finally {
      turn.end();
    }
  }

  /** Of the newest readable event; 0 if there are no events. @throws what the database throws */
  newestPosition(): Promise<number> {
    return this.#ceiling.through();
  }

  /** Ends those who wait. The database stays open. */
  async close(): Promise<void> {
    this.#closing.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** How far events can be read, asked of the database only where something may have come. */
function createLook(opened: OpenedDatabase, ceiling: PositionCeiling): () => Promise<number> {
  let known:
    | {
        readonly signals: number;
        readonly atMs: number;
        readonly through: number;
        readonly isHeld: boolean;
      }
    | undefined;
  /** A look that is under way: who has heard of nothing since it began shares it. */
  let looking: { readonly signals: number; readonly through: Promise<number> } | undefined;
  const look = async (signals: number, atMs: number): Promise<number> => {
    const through = await ceiling.through();
    known = { signals, atMs, through, isHeld: ceiling.isHeld() };
    return through;
  };
  return () => {
    // Before it looks, so that what comes in meanwhile makes it look again.
    const [signals, atMs] = [opened.signalCount(), performance.now()];
    const goodForMs = known?.isHeld === true ? HELD_LOOK_MS : LOOK_EVERY_MS;
    const isKnown = known?.signals === signals && atMs - known.atMs < goodForMs;
    if (known !== undefined && isKnown) return Promise.resolve(known.through);
    if (looking?.signals === signals) return looking.through;
    const through = look(signals, atMs).finally(() => {
      if (looking?.through === through) looking = undefined;
    });
    looking = { signals, through };
    return through;
  };
}

interface RowsToRead {
  readonly afterPosition: number;
  readonly through: number;
  readonly limit: number;
  readonly organizationId?: string | undefined;
}

async function readRows(
  database: PlatformDatabase,
  { afterPosition, through, limit, organizationId }: RowsToRead,
): Promise<EventsRead> {
  const query =
    organizationId === undefined
      ? allRows(database, afterPosition, through, limit)
      : rowsFor(database, afterPosition, through, JSON.stringify([organizationId]), limit);
  const { rows } = await database.executeQuery(query);
  const events = rows.map(({ event_id: eventId, at_ms: atMs, position, type, subject, data, audience }) => {
    const event: StoredEvent = {
      eventId,
      position,
      atMs,
      type: type as DomainEventType,
      subject,
      data,
      audience,
    };
    return event;
  });
  const last = events.at(-1)?.position;
  return { events, throughPosition: last !== undefined && events.length === limit ? last : through };
}

const allRows = compiledOnce((reading, afterPosition: number, through: number, limit: number) =>
  eventsBetween(reading, afterPosition, through).orderBy('position').limit(limit).compile(),
);

/** The same of those that are for an organization, whose id is the one element of an array. */
const rowsFor = compiledOnce(
  (reading, ...[afterPosition, through, audience, limit]: [number, number, string, number]) =>
    eventsBetween(reading, afterPosition, through)
      .where(sql<boolean>`audience @> ${audience}::jsonb`)
      .orderBy('position')
      .limit(limit)
      .compile(),
);

const eventsBetween = (reading: Reading, afterPosition: number, through: number) =>
  reading.selectFrom('core_events').selectAll().where('position', '>', afterPosition).where('position', '<=', through);

function createTurn(
  opened: OpenedDatabase,
  options: {
    readonly clock: TimerClock;
    readonly signals: readonly AbortSignal[];
    readonly timeoutMs: number | undefined;
  },
) {
  const { clock, signals, timeoutMs } = options;
  let isOver = signals.some(({ aborted }) => aborted);
  let wasWoken = false;
  let wake: (() => void) | undefined;
  const woken = (): void => {
    wasWoken = true;
    wake?.();
  };
  const over = (): void => {
    isOver = true;
    woken();
  };
  const stopListening = opened.onSignal(woken);
  const stopTimeout = timeoutMs === undefined ? undefined : clock.schedule(over, timeoutMs);
  for (const signal of signals) signal.addEventListener('abort', over);
  return {
    isOver: () => isOver,
    /** Begins to listen; what it gives resolves at a signal, after a pause, or when it is over. */
    next: (pauseMs: () => number): (() => Promise<void>) => {
      wasWoken = isOver;
      return () =>
        new Promise((resolve) => {
          if (wasWoken) return resolve();
          const stopPause = clock.schedule(woken, pauseMs());
          wake = () => {
            wake = undefined;
            stopPause();
            resolve();
          };
        });
    },
    end: () => {
      stopListening();
      stopTimeout?.();
      for (const signal of signals) signal.removeEventListener('abort', over);
    },
  };
}
