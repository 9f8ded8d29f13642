import { fullJitterMs } from '../../core/backoff.js';
import type { Backoff } from '../../core/backoff.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import type { PlatformLogger } from '../client/request-options.js';
import { wait } from '../client/requester.js';
import type { StreamedEvent } from '../events/platform-events.js';
import type { PlatformEvent } from '../wire/event.js';
import type { ArrivalDesk, RequestClient } from './arrival-desk.js';
import { arrivalOfEvent } from './arrival-of-event.js';
import { codeOf } from './source-state.js';

/** How long after a release an arrival is handed out again at first, milliseconds. */
export const RELEASED_AGAIN_MS = 5_000;

/** Attempts to deal with an event until the stream goes on without it: half a minute to one and a half. */
export const STEP_OVER_ATTEMPTS = 5;

/** What waits longer and longer between attempts adds to {@link RELEASED_AGAIN_MS}. */
const AGAIN: Backoff = { baseMs: 10_000, capMs: 600_000 };

/** What events are dealt with by. */
export interface EventDealing {
  readonly client: RequestClient;
  readonly desk: ArrivalDesk;
  readonly clock: TimerClock;
  readonly random: () => number;
  readonly others: ((event: PlatformEvent) => Promise<void> | void) | undefined;
  readonly logger: PlatformLogger | undefined;
}

/**
 * Deals with what came over the stream, again and again until it is done.
 * @param stepOver - called once where it takes longer than what comes behind it can wait; false: there is no room for it any longer
 * @returns whether it was dealt with; false when the source closed before, or it was given up. Never rejects
 */
export async function dealWithEvent(
  item: StreamedEvent,
  stepOver: () => boolean,
  { client, desk, clock, random, others, logger }: EventDealing,
): Promise<boolean> {
  if (item.status !== 'event') {
    const why = item.status === 'unreadable' ? { reason: item.reason, place: item.place } : { type: item.type };
    logger?.warn({ status: item.status, ...why }, 'an event of the stream is gone past');
    return true;
  }
  const { type, id: eventId } = item.event;
  for (let attempts = 1; !desk.signal.aborted; attempts += 1) {
    try {
      const thing = await arrivalOfEvent(item.event, client, desk.signal);
      if (thing === 'other') await others?.(item.event);
      if (thing === 'other' || thing === 'settled' || (await desk.offer(thing))) return true;
    } catch (error) {
      logger?.warn({ type, eventId, code: codeOf(error) }, 'an event could not be dealt with and is tried again');
    }
    if (attempts === STEP_OVER_ATTEMPTS && !desk.signal.aborted) {
      const isKept = stepOver();
      logger?.warn({ type, eventId, isKept }, 'the stream goes on past an event that could not be dealt with');
      if (!isKept) return false;
    }
    const moreMs = attempts === 1 ? 0 : fullJitterMs(attempts - 1, AGAIN, random);
    await wait(RELEASED_AGAIN_MS + moreMs, clock, desk.signal);
  }
  return false;
}
