import type { StoredEvent } from './event-feed.js';

/** Events that are remembered at most: some megabytes. */
const MAX_EVENTS = 2_000;
/** What is older than this, by the time at which it happened, is not kept in memory: readers of what is new have long had it. */
const KEPT_MS = 60_000;

/** The newest events as they were read last: what comes in is read by a dozen readers, and from the database once. */
export interface RecentEvents {
  /** Events behind a position and up to another; undefined where not all of them are remembered. */
  readonly between: (afterPosition: number, throughPosition: number) => readonly StoredEvent[] | undefined;
  /** Up to where they are remembered without a gap from a position on; the position itself where nothing is. */
  readonly reachesFrom: (afterPosition: number) => number;
  /** Remembers all events behind a position and up to another. */
  readonly add: (afterPosition: number, throughPosition: number, events: readonly StoredEvent[]) => void;
}

/** Makes an empty one. */
export function createRecentEvents(nowMs: () => number): RecentEvents {
  let events: StoredEvent[] = [];
  /** All events behind `from` and up to `through` are there. */
  let from = 0;
  let through = 0;
  const forget = (): void => {
    const oldestMs = nowMs() - KEPT_MS;
    let count = Math.max(0, events.length - MAX_EVENTS);
    while (count < events.length && (events[count]?.atMs ?? 0) < oldestMs) count += 1;
    if (count === 0) return;
    from = events[count - 1]?.position ?? from;
    events = events.slice(count);
  };
  const covers = (afterPosition: number): boolean => afterPosition >= from && afterPosition <= through;
  return {
    between: (afterPosition, throughPosition) => {
      forget();
      if (!covers(afterPosition) || throughPosition > through) return undefined;
      return events.filter(({ position }) => position > afterPosition && position <= throughPosition);
    },
    reachesFrom: (afterPosition) => (covers(afterPosition) ? through : afterPosition),
    add: (afterPosition, throughPosition, added) => {
      if (throughPosition <= through) return;
      if (!covers(afterPosition)) {
        events = [];
        from = afterPosition;
        through = afterPosition;
      }
      events.push(...added.filter(({ position }) => position > through));
      through = throughPosition;
      forget();
    },
  };
}
