import { setMaxListeners } from 'node:events';
import { backoffBoundMs } from '../../core/runtime/deadline.js';
import type { Backoff } from '../../core/runtime/deadline.js';
import { MACHINE_CLOCK, pause } from '../../core/runtime/clock.js';
import type { Clock, TimerClock } from '../../core/runtime/clock.js';
import type { FccNotice } from '../../contract/alert.js';
import type { PlatformEvent } from '../../contract/event.js';
import type { TracebackRequest } from '../../contract/traceback-exchange.js';
import { defined } from '../../core/text.js';
import { isHopbackError } from '../../errors.js';
import type { HopbackErrorCode } from '../../errors.js';
import type { PlatformClient } from '../client/platform-client.js';
import type { PlatformLogger } from '../client/requester.js';
import { nodeRandom } from '../http/platform-fetch.js';
import type {
  AcknowledgementDetails,
  ArrivalWay,
  TracebackRequestArrival,
  TracebackRequestSource,
} from '../traceback-request-source.js';

/** Makes a channel without a bound: whoever puts looks at what waits. */
export function createChannel<Value>() {
  const queue: Value[] = [];
  let ended: { readonly error?: unknown } | undefined;
  let wake: (() => void) | undefined;
  const isEnded = (): boolean => ended !== undefined;
  const stir = (): void => {
    wake?.();
    wake = undefined;
  };
  const end = (...error: readonly unknown[]): void => {
    ended ??= error.length === 0 || error[0] === undefined ? {} : { error: error[0] };
    stir();
  };

  async function* values(onLeft: () => void): AsyncGenerator<Value, void, undefined> {
    try {
      while (!isEnded()) {
        const value = queue.shift();
        if (value === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else yield value;
      }
      if (ended !== undefined && 'error' in ended) throw ended.error;
    } finally {
      end();
      onLeft();
    }
  }

  return {
    /** Puts a value at the end. Without effect once the channel has ended. */
    put: (value: Value) => {
      if (isEnded()) return;
      queue.push(value);
      stir();
    },
    /** How many wait to be taken. */
    waiting: () => queue.length,
    /** Ends the iteration: what waits is not handed out any more. With an error it rejects. The first end counts. */
    end: (error?: unknown) => end(error),
    isEnded,
    /** Takes values until the end; leaving it ends the channel. */
    values,
  };
}

/**
 * Whether a source hears the platform.
 * - `hearing`: it was answered the last time.
 * - `unavailable`: it was not, which passes by itself.
 * - `refused`: credential, address or form of the answers are wrong, which a person has to look at. It goes on asking all the same.
 */
export interface RequestSourceState {
  readonly via: 'webhook' | 'event-stream' | 'poll';
  readonly status: 'hearing' | 'unavailable' | 'refused';
  /** Since when, milliseconds since the epoch. */
  readonly atMs: number;
  /** Of the failure, where there is one. */
  readonly code?: HopbackErrorCode;
  /** Of the answer that said no, where there is one. */
  readonly httpStatus?: number;
  /** When the platform is asked once more, milliseconds since the epoch. */
  readonly nextAttemptAtMs?: number;
}

/** What every source of requests is made with. */
export interface RequestSourceOptions {
  /** Acknowledges requests, and fetches those that are named. */
  readonly client: Pick<PlatformClient, 'tracebackRequests'>;
  /**
   * Ids of the requests that the carrier holds for open, from its journal: one that the platform lists no longer is asked for by its id, so
   * that a cancellation during a standstill is known. Where it throws there are none. Polling calls it in every round; its default are those
   * that it has handed on. The stream and webhooks list open requests with it, whenever a connection has been made or the iteration begins,
   * once a minute at most, and hand on those that are not among them; without it what was missed is not looked for.
   */
  readonly open?: () => readonly string[];
  /** Told when a source begins to hear the platform, and when it hears it no longer or for another reason. May not throw. Default nobody. */
  readonly onState?: (state: RequestSourceState) => void;
  readonly logger?: PlatformLogger;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
  /** A number from 0 up to, not including, 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** Tells whoever wants to know, of changes alone. */
export type StateReport = ReturnType<typeof createStateReport>;

/** Ten minutes at most: who mends a credential at night is heard of before the office opens. */
const STANDSTILL: Backoff = { baseMs: 10_000, capMs: 600_000 };

/** Half of a wait is chance, so that carriers that were refused together do not come back together. */
export function standstillMs(failures: number, random: () => number): number {
  return Math.ceil((backoffBoundMs(failures, STANDSTILL) * (1 + random())) / 2);
}

/** Whether it passes without anybody doing something. */
export function isPassing(error: unknown): boolean {
  return isHopbackError(error) && (error.retryable || error.code === 'aborted');
}

/** How long the platform asks to be left alone, milliseconds. */
export function askedWaitMs(error: unknown): number {
  const asked = isHopbackError(error) ? Number(error.details['retryAfterMs'] ?? 0) : 0;
  return Number.isFinite(asked) ? asked : 0;
}

/** The code of an error, for logs. */
export function codeOf(error: unknown): HopbackErrorCode {
  return isHopbackError(error) ? error.code : 'internal';
}

/** The status of the answer that an error is about; undefined where there was none. */
export function httpStatusOf(error: unknown): number | undefined {
  const status = isHopbackError(error) ? error.details['httpStatus'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** Makes the report of one source. */
export function createStateReport(
  via: ArrivalWay,
  clock: Clock,
  onState: RequestSourceOptions['onState'],
  logger: PlatformLogger | undefined,
) {
  let last: string | undefined;
  const tell = (state: RequestSourceState): void => {
    const { status, code, httpStatus } = state;
    const name = [status, code, httpStatus].join(' ');
    if (name === last) return;
    const isNews = status !== 'hearing' || last !== undefined;
    last = name;
    if (isNews)
      logger?.warn({ ...state }, status === 'hearing' ? 'the platform answers again' : 'the platform is not heard');
    try {
      onState?.(state);
    } catch {
      logger?.warn({ via }, 'whoever is told of the state of a source has thrown');
    }
  };
  return {
    heard: () => tell({ via, status: 'hearing', atMs: clock.nowMs() }),
    /** @param waitMs - how long until the next attempt */
    failed: (error: unknown, waitMs: number) => {
      const [atMs, httpStatus] = [clock.nowMs(), httpStatusOf(error)];
      tell({
        via,
        status: isPassing(error) ? 'unavailable' : 'refused',
        atMs,
        code: codeOf(error),
        ...defined({ httpStatus }),
        nextAttemptAtMs: atMs + waitMs,
      });
    },
  };
}

/** As much of a client as sources need. */
export type RequestClient = RequestSourceOptions['client'];

/** Something to hand on. */
export type ArrivingThing =
  | { readonly kind: 'request'; readonly request: TracebackRequest }
  | { readonly kind: 'cancelled'; readonly requestId: string }
  | { readonly kind: 'notice'; readonly notice: FccNotice };

/** Hands arrivals on, and hears what became of each. */
export type ArrivalQueue = ReturnType<typeof createArrivalQueue>;

/** What a source that has closed may still be told or tell, milliseconds: an acknowledgement takes some hundred. */
const LAST_WORDS_MS = 2_000;

/** Makes the queue of one source. */
export function createArrivalQueue(
  via: ArrivalWay,
  client: RequestClient,
  clock: TimerClock,
  logger: PlatformLogger | undefined,
) {
  const channel = createChannel<TracebackRequestArrival>();
  const closing = new AbortController();
  const signal: AbortSignal = closing.signal;
  // Every arrival that waits to be handed out again listens, and every call that is under way.
  setMaxListeners(0, closing.signal);
  /** Aborts what the platform is being told, a while after the queue has closed. */
  const hangUp = new AbortController();
  setMaxListeners(0, hangUp.signal);
  const telling = new Set<Promise<void>>();
  /** Releases what is open. */
  const open = new Set<() => void>();

  const close = (error?: unknown): void => {
    channel.end(error);
    for (const release of open) release();
    open.clear();
    if (closing.signal.aborted) return;
    closing.abort();
    if (telling.size > 0) void hangUpSoon();
  };
  const hangUpSoon = async (): Promise<void> => {
    const cancel = clock.schedule(() => hangUp.abort(), LAST_WORDS_MS);
    await Promise.all(telling);
    cancel();
  };

  const tellPlatform = async (
    requestId: string,
    receivedAtMs: number,
    details: AcknowledgementDetails,
  ): Promise<void> => {
    const receivedAt = new Date(receivedAtMs).toISOString();
    // Also while the source closes: what was taken in is to be known. It holds up no end for long: a request that is known comes again.
    await client.tracebackRequests
      .acknowledge({ requestId, receivedAt, ...details }, { signal: hangUp.signal })
      .catch((error: unknown) => {
        const code = isHopbackError(error) ? error.code : 'internal';
        logger?.warn({ via, code }, 'the platform could not be told that a request has arrived');
      });
  };
  const tell: typeof tellPlatform = (...arrival) => {
    const told = tellPlatform(...arrival).finally(() => telling.delete(told));
    telling.add(told);
    return told;
  };

  const offer = (thing: ArrivingThing): Promise<boolean> =>
    new Promise((resolve) => {
      if (channel.isEnded()) return resolve(false);
      const receivedAtMs = clock.nowMs();
      let told: Promise<void> | undefined;
      const settle = (isTaken: boolean): void => {
        open.delete(release);
        resolve(isTaken);
      };
      const release = (): void => settle(false);
      const acknowledge = async (details: AcknowledgementDetails): Promise<void> => {
        settle(true);
        if (thing.kind === 'request') await (told ??= tell(thing.request.requestId, receivedAtMs, details));
      };
      open.add(release);
      channel.put({ ...thing, receivedAtMs, via, acknowledge, release });
    });

  return {
    /** Resolves to whether it was acknowledged; to false when it was released, or the queue has closed. Never rejects. */
    offer,
    /** Ends the iteration, with an error where there is one; what is open is released. */
    close,
    signal,
    /** One iteration at a time. */
    arrivals: () => channel.values(() => close()),
  };
}

/**
 * What an event says of requests and notices to this carrier. A reminder does not carry its request, which is asked for: whoever missed the first
 * event has it then.
 * @returns what is to be handed on; `other` for events that are about something else; `settled` for a request that needs
 * nobody any more. Rejects with {@link HopbackError} where the platform cannot be asked
 */
export async function arrivalOfEvent(
  event: PlatformEvent,
  client: RequestClient,
  signal: AbortSignal,
): Promise<ArrivingThing | 'other' | 'settled'> {
  switch (event.type) {
    case 'org.hopback.traceback-request.created.1':
      return { kind: 'request', request: event.data.request };
    case 'org.hopback.traceback-request.cancelled.1':
      return { kind: 'cancelled', requestId: event.data.requestId };
    case 'org.hopback.traceback-request.reminded.1':
    case 'org.hopback.traceback-request.overdue.1':
      return askedFor(event.data.requestId, client, signal);
    case 'org.hopback.notice.issued.1':
      return { kind: 'notice', notice: event.data.notice };
    default:
      return 'other';
  }
}

async function askedFor(
  requestId: string,
  client: RequestClient,
  signal: AbortSignal,
): Promise<ArrivingThing | 'settled'> {
  try {
    const { request, state } = await client.tracebackRequests.retrieve({ requestId }, { signal });
    if (state === 'cancelled') return { kind: 'cancelled', requestId };
    return state === 'answered' ? 'settled' : { kind: 'request', request };
  } catch (error) {
    if (isHopbackError(error) && error.details['httpStatus'] === 404) return 'settled';
    throw error;
  }
}

/**
 * Makes one source out of several: webhooks or the event stream for what happens now, polling for what they missed. The same request comes
 * by each of them; whoever answers knows it by its `requestId`.
 *
 * A source that fails leaves the others at work: it is told to `onFailed`, and the source iterated again after ten seconds to ten minutes.
 * The iteration ends when all have ended, with the error of one that ended after it had failed.
 * @param sources - those that are iterated; they belong to the merged one now, and are closed with it
 * @param options - who is told of failures
 * @returns the source; to be closed
 * @see {@link TracebackRequestSource} for what its iteration promises, and never throws
 * @example
 * ```ts
 * const client = new PlatformClient({ baseUrl: 'https://itg.example', authorization: bearerToken('c2VjcmV0') });
 * await using source = mergeTracebackRequestSources([streamTracebackRequests({ client }), pollTracebackRequests({ client })]);
 * console.log(typeof source[Symbol.asyncIterator]); // function
 * ```
 */
export function mergeTracebackRequestSources(
  sources: readonly TracebackRequestSource[],
  options: Pick<RequestSourceOptions, 'logger' | 'clock' | 'random'> & {
    /** Told what a source has failed with; it is iterated again after a while. May not throw. Default nobody. */
    readonly onFailed?: (error: unknown) => void;
  } = {},
): TracebackRequestSource {
  const { onFailed, logger, clock = MACHINE_CLOCK, random = nodeRandom } = options;
  const channel = createChannel<TracebackRequestArrival>();
  const closing = new AbortController();
  const closeAll = async (): Promise<void> => {
    channel.end();
    closing.abort();
    await Promise.all(sources.map((source) => source.close()));
  };

  /** Resolves, when the source has ended, to what it failed with the last time it was iterated before. */
  const pump = async (source: TracebackRequestSource): Promise<unknown> => {
    let last: unknown;
    for (let failures = 0; !channel.isEnded();) {
      try {
        for await (const arrival of source) {
          failures = 0;
          last = undefined;
          channel.put(arrival);
        }
        return last;
      } catch (error) {
        last = error;
        failures += 1;
        logger?.warn({ code: codeOf(error), failures }, 'a source of requests has failed and is iterated again');
        onFailed?.(error);
        await pause(standstillMs(failures, random), clock, closing.signal);
      }
    }
    return last;
  };

  const run = async (): Promise<void> => {
    const failures = await Promise.all(sources.map(pump));
    channel.end(failures.find((failure) => failure !== undefined));
  };

  return {
    close: closeAll,
    [Symbol.asyncIterator]: () => {
      void run().catch((error: unknown) => channel.end(error));
      return channel.values(() => void closeAll());
    },
    [Symbol.asyncDispose]: closeAll,
  };
}
