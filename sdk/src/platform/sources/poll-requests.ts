import { MACHINE_CLOCK, pause } from '../../core/runtime/clock.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { PlatformClient } from '../client/platform-client.js';
import type { PlatformLogger } from '../client/requester.js';
import { nodeRandom } from '../http/platform-fetch.js';
import type { TracebackRequestSource } from '../traceback-request-source.js';
import type { FccNotice } from '../../contract/alert.js';
import type { TracebackRequestStatus } from '../../contract/traceback-exchange.js';
import {
  askedWaitMs,
  codeOf,
  createArrivalQueue,
  createStateReport,
  httpStatusOf,
  isPassing,
  standstillMs,
} from './source-state.js';
import type { ArrivalQueue, ArrivingThing, RequestClient, RequestSourceOptions } from './source-state.js';

/** How often to ask, milliseconds: a minute is nothing beside 24 hours, and a thousand carriers make seventeen requests a second of it. */
export const POLL_INTERVAL_MS = 60_000;

/** Arrivals that may be open at once; the others come with the next round. */
export const MAX_OPEN_ARRIVALS = 64;

/** Requests that are remembered as taken in: what a carrier has open at a time, many times over. Past that one comes again. */
const MAX_REMEMBERED_REQUESTS = 100_000;

/** Requests in a row of which nothing can be learned, after which the others wait for the next round: it is the platform then, not they. */
const MAX_FAILED_LOOKS = 3;

/** Requests that are looked after in one round: a list that comes back empty by mistake must not make a flood of calls. */
export const MAX_LOOKS = 200;

/** What rounds are gone with. */
interface RoundParts {
  readonly client: RequestClient;
  readonly queue: ArrivalQueue;
  /** Ids of the requests that the carrier holds for open. */
  readonly open?: (() => readonly string[]) | undefined;
  /** Only those are handed on that the carrier does not hold for open. */
  readonly isMissingOnly?: boolean;
  readonly logger?: PlatformLogger | undefined;
}

/** Makes rounds that hand on what is open and is not known yet, and that look after what is not open any more. */
function createRequestRounds({ client, queue, open, isMissingOnly = false, logger }: RoundParts) {
  /** Taken in, and open when last looked. */
  const taken = new Set<string>();
  /** Needs nobody any more, as far as the platform knows it. */
  const settled = new Set<string>();
  const hands = createHands(queue);

  const lookAfter = async (requestId: string): Promise<void> => {
    const status = await stateOf(client, requestId, queue.signal);
    if (status === 'cancelled') {
      await hands.room();
      return hands.offer({ kind: 'cancelled', requestId }, () => {
        taken.delete(requestId);
        remember(settled, requestId);
      });
    }
    if (status === 'open' || status === 'acknowledged') return undefined;
    if (status === 'not-there')
      logger?.warn({ requestId }, 'the platform does not know a request that is held for open');
    taken.delete(requestId);
    return remember(settled, requestId);
  };
  /** A journal that is not open yet has nothing to say. */
  const held = (): readonly string[] => {
    try {
      return open?.() ?? [];
    } catch (error) {
      logger?.warn({ code: codeOf(error) }, 'what is held for open is not known');
      return [];
    }
  };
  const looks = createLooks(lookAfter, queue.signal, logger);

  const list = async (known: ReadonlySet<string>): Promise<ReadonlySet<string>> => {
    const seen = new Set<string>();
    // One that a later release writes in another way must not hide the others, whose clocks run.
    const onUnreadable = (place: string): void =>
      logger?.warn({ place }, 'a request cannot be read: look at it in the portal');
    for await (const status of client.tracebackRequests.iterate(
      { state: 'open' },
      { signal: queue.signal, onUnreadable },
    )) {
      const { request } = status;
      const { requestId } = request;
      seen.add(requestId);
      settled.delete(requestId);
      if (taken.has(requestId) || hands.has(requestId) || known.has(requestId)) continue;
      await hands.room();
      if (queue.signal.aborted) break;
      hands.offer({ kind: 'request', request }, () => remember(taken, requestId));
    }
    return seen;
  };

  return {
    /** Rejects where open requests cannot be listed; what is wrong with a single one is logged, and looked at again in the next round. */
    async go(): Promise<void> {
      const seen = await list(new Set(isMissingOnly ? held() : []));
      const doubtful = new Set([...taken, ...held()]);
      await looks([...doubtful].filter((id) => !seen.has(id) && !settled.has(id) && !hands.has(id)));
    },
  };
}

function remember(ids: Set<string>, requestId: string): void {
  ids.add(requestId);
  const [oldest] = ids;
  if (ids.size > MAX_REMEMBERED_REQUESTS && oldest !== undefined) ids.delete(oldest);
}

async function stateOf(
  client: RequestClient,
  requestId: string,
  signal: AbortSignal,
): Promise<TracebackRequestStatus['state'] | 'not-there'> {
  try {
    // The next round is the next attempt.
    const { state } = await client.tracebackRequests.retrieve({ requestId }, { signal, maxRetries: 0 });
    return state;
  } catch (error) {
    if (httpStatusOf(error) === 404) return 'not-there';
    throw error;
  }
}

/** Looks at requests one by one; those that were looked at come last the next time, so that they hide no others. */
function createLooks(
  lookAfter: (requestId: string) => Promise<void>,
  signal: AbortSignal,
  logger: PlatformLogger | undefined,
): (ids: readonly string[]) => Promise<void> {
  const looked = new Set<string>();
  return async (ids) => {
    const inTurn = [...ids.filter((id) => !looked.has(id)), ...ids.filter((id) => looked.has(id))];
    // All of them had their turn: from the beginning.
    if (inTurn.length === 0 || looked.has(inTurn[MAX_LOOKS - 1] ?? inTurn.at(-1) ?? '')) looked.clear();
    let inRow = 0;
    for (const requestId of inTurn.slice(0, MAX_LOOKS)) {
      if (signal.aborted || inRow >= MAX_FAILED_LOOKS) return;
      looked.add(requestId);
      try {
        await lookAfter(requestId);
        inRow = 0;
      } catch (error) {
        inRow = isPassing(error) ? inRow + 1 : 0;
        logger?.warn({ requestId, code: codeOf(error) }, 'what became of a request could not be learned');
      }
    }
  };
}

/** What has been handed out, and is neither acknowledged nor released. */
function createHands(queue: ArrivalQueue) {
  const open = new Map<string, Promise<void>>();
  return {
    has: (requestId: string): boolean => open.has(requestId),
    room: async (): Promise<void> => {
      while (open.size >= MAX_OPEN_ARRIVALS && !queue.signal.aborted) await Promise.race(open.values());
    },
    offer: (thing: Extract<ArrivingThing, { readonly kind: 'request' | 'cancelled' }>, onTaken: () => void): void => {
      const requestId = thing.kind === 'request' ? thing.request.requestId : thing.requestId;
      const outcome = queue.offer(thing).then((isTaken) => {
        open.delete(requestId);
        if (isTaken) onTaken();
      });
      open.set(requestId, outcome);
    },
  };
}

/** Goes a round whenever something may have been missed. */
export type CatchUp = ReturnType<typeof createCatchUp>;

/** Makes it: one round at a time, and no more often than polling, however often a connection breaks. */
export function createCatchUp(parts: Omit<RoundParts, 'isMissingOnly'>, clock: TimerClock) {
  const { logger } = parts;
  const { signal } = parts.queue;
  const rounds = createRequestRounds({ ...parts, isMissingOnly: true });
  let isWanted = false;
  let isRunning = false;
  const run = async (): Promise<void> => {
    while (isWanted && !signal.aborted) {
      isWanted = false;
      await rounds.go().catch((error: unknown) => {
        isWanted = true;
        if (!signal.aborted)
          logger?.warn({ code: codeOf(error) }, 'what was missed could not be listed, and is asked for again');
      });
      await pause(POLL_INTERVAL_MS, clock, signal);
    }
    isRunning = false;
  };
  return {
    /** Begins a round, or says that one more is wanted. Never throws. */
    begin: () => {
      isWanted = true;
      if (isRunning) return;
      isRunning = true;
      void run();
    },
  };
}

/** How often notices are asked for, milliseconds: a quarter of an hour is nothing beside 48 hours. */
export const NOTICE_POLL_INTERVAL_MS = 900_000;

/** Closed notices that are older were dealt with by whoever answered before: twice the time that a report is due in. */
const MAX_CLOSED_AGE_MS: number = 28 * 86_400_000;

/** Notices that are remembered: a provider has some in a year. */
const MAX_REMEMBERED_NOTICES = 10_000;

/** Makes rounds that hand on notices that are new, or stand otherwise than they did. */
function createNoticeRounds(
  notices: PlatformClient['notices'],
  queue: ArrivalQueue,
  clock: TimerClock,
  logger: PlatformLogger | undefined,
) {
  /** How each stood when it was taken in. */
  const taken = new Map<string, string>();
  /** Handed out, and neither acknowledged nor released. */
  const open = new Set<string>();
  let nextMs = -Infinity;

  const hand = (notice: FccNotice): void => {
    const { noticeId } = notice;
    open.add(noticeId);
    void queue.offer({ kind: 'notice', notice }).then((isTaken) => {
      open.delete(noticeId);
      if (!isTaken) return;
      taken.delete(noticeId);
      taken.set(noticeId, standing(notice));
      const [oldest] = taken.keys();
      if (taken.size > MAX_REMEMBERED_NOTICES && oldest !== undefined) taken.delete(oldest);
    });
  };

  const list = async (): Promise<void> => {
    const onUnreadable = (place: string): void =>
      logger?.warn({ place }, 'a notice cannot be read: look at it in the portal');
    for await (const notice of notices.iterate({}, { signal: queue.signal, onUnreadable })) {
      // The others come with the next round, which does not wait as long.
      if (open.size >= MAX_OPEN_ARRIVALS) return;
      const before = taken.get(notice.noticeId);
      if (open.has(notice.noticeId) || before === standing(notice)) continue;
      if (before !== undefined || isOfInterest(notice, clock.nowMs())) hand(notice);
    }
  };

  return {
    /** Asks, where it is time to. Never rejects: requests do not wait for notices. */
    async go(): Promise<void> {
      if (clock.nowMs() < nextMs) return;
      try {
        await list();
        if (open.size < MAX_OPEN_ARRIVALS) nextMs = clock.nowMs() + NOTICE_POLL_INTERVAL_MS;
      } catch (error) {
        if (!queue.signal.aborted) logger?.warn({ code: codeOf(error) }, 'notices could not be asked for');
      }
    },
  };
}

const standing = ({ state, responses }: FccNotice): string => `${state}/${responses.length}`;

/** One that was closed while nobody listened is of interest too: whoever tracks it is to know. */
function isOfInterest({ state, issuedAt }: FccNotice, nowMs: number): boolean {
  return state === 'open' || state === 'mitigation-stated' || nowMs - Date.parse(issuedAt) < MAX_CLOSED_AGE_MS;
}

/**
 * Makes a source of traceback requests that asks for open ones again and again: no port to the outside, no connection that has to last, and
 * after any standstill it finds everything that is still open. A request that disappears from the list is asked for once, so that a
 * cancellation is known too. Where the platform does not answer, or refuses, it goes on asking, more and more seldom up to every ten
 * minutes, and tells `onState`.
 * @param options - client of the platform, how often
 * @returns the source, which begins with its iteration; to be closed
 * @throws {@link HopbackError} `invalid-argument` when `intervalMs` is out of bounds
 * @see {@link mergeTracebackRequestSources}, with which it stands behind webhooks or the stream; 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const client = new PlatformClient({ baseUrl: 'https://itg.example', authorization: bearerToken('c2VjcmV0') });
 * await using source = pollTracebackRequests({ client, intervalMs: 30_000 });
 * // for await (const arrival of source) …
 * console.log(typeof source.close); // function
 * ```
 */
export function pollTracebackRequests(
  options: RequestSourceOptions & {
    /** Where it has `notices`, those are asked for too, every quarter of an hour. */
    readonly client: Partial<Pick<PlatformClient, 'notices'>>;
    /** Milliseconds from the end of one round to the next, 1 or more; a tenth more or less by chance. Default a minute. */
    readonly intervalMs?: number;
  },
): TracebackRequestSource {
  const { client, intervalMs = POLL_INTERVAL_MS, clock = MACHINE_CLOCK, random = nodeRandom, logger, open } = options;
  if (!Number.isFinite(intervalMs) || intervalMs < 1)
    throw new HopbackError('invalid-argument', `intervalMs must be 1 or more, not ${intervalMs}`);
  const queue = createArrivalQueue('poll', client, clock, logger);
  const report = createStateReport('poll', clock, options.onState, logger);
  const rounds = createRequestRounds({ client, queue, open, logger });
  const notices = client.notices === undefined ? undefined : createNoticeRounds(client.notices, queue, clock, logger);

  const run = async (): Promise<void> => {
    for (let failures = 0; !queue.signal.aborted;) {
      let waitMs = intervalMs * (0.9 + 0.2 * random());
      try {
        await rounds.go();
        failures = 0;
        report.heard();
      } catch (error) {
        if (queue.signal.aborted) return;
        failures += 1;
        waitMs = Math.max(askedWaitMs(error), waitMs, isPassing(error) ? 0 : standstillMs(failures, random));
        report.failed(error, waitMs);
      }
      await notices?.go();
      await pause(waitMs, clock, queue.signal);
    }
  };

  const close = async (): Promise<void> => queue.close();
  return {
    close,
    [Symbol.asyncIterator]: () => {
      void run().catch((error: unknown) => queue.close(error));
      return queue.arrivals();
    },
    [Symbol.asyncDispose]: close,
  };
}
