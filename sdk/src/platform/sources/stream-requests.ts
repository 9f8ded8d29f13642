import { fullJitterMs } from '../../core/runtime/deadline.js';
import type { Backoff } from '../../core/runtime/deadline.js';
import { MACHINE_CLOCK, pause } from '../../core/runtime/clock.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import type { PlatformClient } from '../client/platform-client.js';
import type { PlatformLogger } from '../client/requester.js';
import type { EventStreamConnection, StreamedEvent } from '../events/platform-events.js';
import { nodeRandom } from '../http/platform-fetch.js';
import type { TracebackRequestSource } from '../traceback-request-source.js';
import type { WebhookReceiverOptions } from '../webhooks/webhook-receiver.js';
import type { PlatformEvent } from '../../contract/event.js';
import { createCatchUp } from './poll-requests.js';
import type { CatchUp } from './poll-requests.js';
import {
  arrivalOfEvent,
  askedWaitMs,
  codeOf,
  createArrivalQueue,
  createStateReport,
  httpStatusOf,
  standstillMs,
} from './source-state.js';
import type { ArrivalQueue, RequestSourceOptions, StateReport } from './source-state.js';

/** How long after a release an arrival is handed out again at first, milliseconds. */
export const RELEASED_AGAIN_MS = 5_000;

/** Attempts to deal with an event until the stream goes on without it: half a minute to one and a half. */
export const STEP_OVER_ATTEMPTS = 5;

/** What waits longer and longer between attempts adds to {@link RELEASED_AGAIN_MS}. */
const AGAIN: Backoff = { baseMs: 10_000, capMs: 600_000 };

/**
 * Deals with what came over the stream, again and again until it is done.
 * @param stepOver - called once where it takes longer than what comes behind it can wait; false: there is no room for it any longer
 * @returns whether it was dealt with; false when the source closed before, or it was given up. Never rejects
 */
async function dealWithEvent(
  item: StreamedEvent,
  stepOver: () => boolean,
  { options, queue, clock, random }: StreamParts,
): Promise<boolean> {
  const { client, others, logger } = options;
  if (item.status !== 'event') {
    const why = item.status === 'unreadable' ? { reason: item.reason, place: item.place } : { type: item.type };
    logger?.warn({ status: item.status, ...why }, 'an event of the stream is gone past');
    return true;
  }
  const { type, id: eventId } = item.event;
  for (let attempts = 1; !queue.signal.aborted; attempts += 1) {
    try {
      const thing = await arrivalOfEvent(item.event, client, queue.signal);
      if (thing === 'other') await others?.(item.event);
      if (thing === 'other' || thing === 'settled' || (await queue.offer(thing))) return true;
    } catch (error) {
      logger?.warn({ type, eventId, code: codeOf(error) }, 'an event could not be dealt with and is tried again');
    }
    if (attempts === STEP_OVER_ATTEMPTS && !queue.signal.aborted) {
      const isKept = stepOver();
      logger?.warn({ type, eventId, isKept }, 'the stream goes on past an event that could not be dealt with');
      if (!isKept) return false;
    }
    const moreMs = attempts === 1 ? 0 : fullJitterMs(attempts - 1, AGAIN, random);
    await pause(RELEASED_AGAIN_MS + moreMs, clock, queue.signal);
  }
  return false;
}

/** Events that may wait to be dealt with; the stream is not read meanwhile. */
const MAX_OPEN_EVENTS = 64;

/** Events that are tried further beside the stream, which has gone on: beyond, one is given up to the lists of the platform. */
const MAX_STEPPED_OVER = 256;

/** What of the stream is under way, in its order; the position moves with what is done at its beginning. */
type StreamProgress = ReturnType<typeof createStreamProgress>;

interface OpenEvent {
  readonly lastEventId: string;
  /** Resolves when it is done or stepped over. */
  readonly gone: Promise<void>;
  isPast: boolean;
}

type StreamRequestsOptions = Parameters<typeof streamTracebackRequests>[0];

/** Makes it, of one stream. */
function createStreamProgress(position: StreamRequestsOptions['position'], logger: PlatformLogger | undefined) {
  const open: OpenEvent[] = [];
  const running = new Set<Promise<unknown>>();
  let steppedOver = 0;
  let saving: Promise<void> = Promise.resolve();

  const save = (lastEventId: string): void => {
    if (position === undefined || lastEventId === '') return;
    // One after the other: the last one is to stay.
    saving = saving
      .then(() => position.save(lastEventId))
      .catch(() => logger?.warn({}, 'the position in the event stream could not be kept'));
  };

  const moveOn = (): void => {
    let last: string | undefined;
    while (open[0]?.isPast === true) last = open.shift()?.lastEventId;
    if (last !== undefined) save(last);
  };

  return {
    /** Resolves when one more may be begun. */
    room: async (signal: AbortSignal) => {
      while (open.length >= MAX_OPEN_EVENTS && !signal.aborted) await open[0]?.gone;
    },
    /** @param deal - resolves to whether it was dealt with; what it is given says that the others shall not wait for it */
    begin(lastEventId: string, deal: (stepOver: () => boolean) => Promise<boolean>): void {
      let leave = (): void => {};
      const entry: OpenEvent = { lastEventId, gone: new Promise((resolve) => (leave = resolve)), isPast: false };
      const goPast = (isPast: boolean): void => {
        entry.isPast = isPast;
        moveOn();
        leave();
      };
      let isBeside = false;
      const dealing = deal(() => {
        isBeside = steppedOver < MAX_STEPPED_OVER;
        if (isBeside) steppedOver += 1;
        goPast(true);
        return isBeside;
      })
        .then((isDone) => {
          if (isBeside) steppedOver -= 1;
          else if (!entry.isPast) goPast(isDone);
        })
        .finally(() => running.delete(dealing));
      open.push(entry);
      running.add(dealing);
    },
    /** Resolves when nothing is under way, and the position is kept. */
    allDone: async () => {
      await Promise.all(running);
      await saving;
    },
  };
}

/**
 * Makes a source of traceback requests out of the event stream. Where it goes on after a restart moves past what was acknowledged, and past
 * what could not be dealt with in five attempts, which is reported, and tried further beside the stream. Without a
 * position kept, what happened during a standstill is for `open` or for {@link pollTracebackRequests} to find. Where the platform does not
 * answer, refuses, or ends the stream, it is asked again, more and more seldom up to every ten minutes, and `onState` is told. Never throws.
 * @param options - client of the platform, position
 * @returns the source, which begins with its iteration; to be closed
 * @see {@link mergeTracebackRequestSources}; https://html.spec.whatwg.org/multipage/server-sent-events.html
 * @example
 * ```ts
 * const client = new PlatformClient({ baseUrl: 'https://itg.example', authorization: bearerToken('c2VjcmV0') });
 * await using source = mergeTracebackRequestSources([streamTracebackRequests({ client }), pollTracebackRequests({ client })]);
 * // for await (const arrival of source) …
 * console.log(typeof source.close); // function
 * ```
 */
export function streamTracebackRequests(
  options: RequestSourceOptions & {
    readonly client: Pick<PlatformClient, 'events' | 'tracebackRequests'>;
    /** Keeps where the stream goes on after a restart. Without it: with what happens from then on. */
    readonly position?: {
      /** Id of the last event of which everything up to it was dealt with; undefined where there is none yet. */
      readonly load: () => Promise<string | undefined>;
      readonly save: (lastEventId: string) => Promise<void>;
    };
    /**
     * Takes in events that are not about requests and notices to this carrier; when it rejects it is given the same again, in the end beside
     * what comes after it. Default nobody does.
     */
    readonly others?: (event: PlatformEvent) => Promise<void> | void;
  },
): TracebackRequestSource {
  const { client, position, open, clock = MACHINE_CLOCK, random = nodeRandom, logger, onState } = options;
  const queue = createArrivalQueue('event-stream', client, clock, logger);
  const parts: StreamParts = {
    options,
    queue,
    clock,
    random,
    progress: createStreamProgress(position, logger),
    report: createStateReport('event-stream', clock, onState, logger),
    catchUp: createCatchUp({ client, queue, open, logger }, clock),
  };
  const close = async (): Promise<void> => {
    queue.close();
    await parts.progress.allDone();
  };
  return {
    close,
    [Symbol.asyncIterator]: () => {
      void run(parts).catch((error: unknown) => queue.close(error));
      return queue.arrivals();
    },
    [Symbol.asyncDispose]: close,
  };
}

interface StreamParts {
  readonly options: StreamRequestsOptions;
  readonly queue: ArrivalQueue;
  readonly clock: TimerClock;
  readonly random: () => number;
  readonly progress: StreamProgress;
  readonly report: StateReport;
  readonly catchUp: CatchUp;
}

/** Where the stream goes on, once that is known. */
interface Place {
  isKnown: boolean;
  lastEventId: string | undefined;
  /** Attempts in a row that came to nothing. */
  failures: number;
}

/** Reads the stream for as long as the source is open, whatever becomes of it. */
async function run(parts: StreamParts): Promise<void> {
  const { queue, clock, random, report } = parts;
  const place: Place = { isKnown: false, lastEventId: undefined, failures: 0 };
  const isOver = (): boolean => queue.signal.aborted;
  while (!isOver()) {
    let failure: unknown;
    try {
      await readOn(parts, place);
      failure = new HopbackError('request-refused', 'the platform has ended the stream', {
        details: { httpStatus: 204 },
      });
    } catch (error) {
      failure = error;
    }
    if (isOver()) return;
    place.failures += 1;
    const isLost = place.lastEventId !== undefined && isPlaceRefused(failure);
    if (isLost) losePlace(parts, place);
    // Without the place that was refused there is nothing to wait for.
    const waitMs = isLost ? 0 : Math.max(askedWaitMs(failure), standstillMs(place.failures, random));
    if (!isLost) report.failed(failure, waitMs);
    await pause(waitMs, clock, queue.signal);
  }
}

async function readOn(parts: StreamParts, place: Place): Promise<void> {
  const { options, queue, progress, report, catchUp } = parts;
  const { client, position, open } = options;
  if (!place.isKnown) place.lastEventId = await position?.load();
  place.isKnown = true;
  const onConnection = (connection: EventStreamConnection): void => {
    // One that breaks off and is made anew is nothing to speak of.
    if (connection.status === 'failed' && connection.failures > 1) report.failed(connection.error, connection.waitMs);
    if (connection.status !== 'open') return;
    report.heard();
    place.failures = 0;
    if (open !== undefined) catchUp.begin();
  };
  const { signal } = queue;
  const { lastEventId } = place;
  for await (const item of client.events({
    signal,
    onConnection,
    ...defined({ lastEventId }),
  })) {
    await progress.room(signal);
    if (item.lastEventId !== '') place.lastEventId = item.lastEventId;
    // It may have been a request, which the list has all the same.
    if (item.status === 'unreadable') catchUp.begin();
    progress.begin(item.lastEventId, (stepOver) => dealWithEvent(item, stepOver, parts));
  }
}

/** Whether it is the place that the platform does not want: it keeps it no longer (410), or it is none to it. */
function isPlaceRefused(error: unknown): boolean {
  const status = httpStatusOf(error);
  return status === 410 || status === 400 || status === 422 || codeOf(error) === 'invalid-argument';
}

/** What came in between is looked for in the list of what is open. */
function losePlace({ options, catchUp }: StreamParts, place: Place): void {
  place.lastEventId = undefined;
  options.logger?.warn(
    {},
    'the platform no longer knows this position in the event stream: missed requests are listed',
  );
  catchUp.begin();
}

/**
 * Makes a source of traceback requests out of webhooks. Never throws.
 * @param options - client of the platform, who takes other events in
 * @returns the source; to be closed
 * @see {@link streamTracebackRequests} and {@link pollTracebackRequests}, which need no port to the outside; https://www.standardwebhooks.com
 * @example
 * ```ts
 * const client = new PlatformClient({ baseUrl: 'https://itg.example', authorization: bearerToken('c2VjcmV0') });
 * await using source = createWebhookRequestSource({ client });
 * const receiver = new WebhookReceiver({ secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], consume: source.consume });
 * // createServer(receiver.nodeHandler), and then: for await (const arrival of source) …
 * console.log(receiver.maxBytes); // 1048576
 * ```
 */
export function createWebhookRequestSource(
  options: RequestSourceOptions & {
    /** Takes in events that are not about requests and notices to this carrier: alerts, campaigns. Default nobody does. */
    readonly others?: WebhookReceiverOptions['consume'];
  },
): TracebackRequestSource & {
  /** `consume` of a {@link WebhookReceiver}: a webhook is acknowledged when its arrival is. */
  readonly consume: WebhookReceiverOptions['consume'];
} {
  const { client, open, others, clock = MACHINE_CLOCK, logger } = options;
  const queue = createArrivalQueue('webhook', client, clock, logger);
  const consume: WebhookReceiverOptions['consume'] = async (event, delivery) => {
    const thing = await arrivalOfEvent(event, client, queue.signal);
    if (thing === 'other') return others?.(event, delivery);
    if (thing !== 'settled' && !(await queue.offer(thing)))
      throw new HopbackError('unavailable', 'the request was not taken in', { retryable: true });
  };
  const catchUp = createCatchUp({ client, queue, open, logger }, clock);
  const close = async (): Promise<void> => queue.close();
  return {
    consume,
    close,
    [Symbol.asyncIterator]: () => {
      if (open !== undefined) catchUp.begin();
      return queue.arrivals();
    },
    [Symbol.asyncDispose]: close,
  };
}
