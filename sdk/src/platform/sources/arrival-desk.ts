import { setMaxListeners } from 'node:events';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { isHopbackError } from '../../errors.js';
import type { PlatformClient } from '../client/platform-client.js';
import type { PlatformLogger } from '../client/request-options.js';
import type { AcknowledgementDetails, ArrivalWay, TracebackRequestArrival } from '../traceback-request-source.js';
import type { FccNotice } from '../wire/notice.js';
import { createChannel } from './channel.js';

/** As much of a client as sources need. */
export type RequestClient = Pick<PlatformClient, 'tracebackRequests'>;

/** Something to hand on. */
export type ArrivingThing =
  | { readonly kind: 'request'; readonly request: TracebackRequest }
  | { readonly kind: 'cancelled'; readonly requestId: string }
  | { readonly kind: 'notice'; readonly notice: FccNotice };

/** What a source hands on with. */
export interface ArrivalDeskOptions {
  readonly via: ArrivalWay;
  readonly client: RequestClient;
  readonly clock: TimerClock;
  readonly logger?: PlatformLogger | undefined;
}

/** Hands arrivals on, and hears what became of each. */
export interface ArrivalDesk {
  /** Resolves to whether it was acknowledged; to false when it was released, or the desk has closed. Never rejects. */
  readonly offer: (thing: ArrivingThing) => Promise<boolean>;
  /** Aborted when the desk closes. */
  readonly signal: AbortSignal;
  /** Ends the iteration, with an error where there is one; what is open is released. */
  readonly close: (error?: unknown) => void;
  /** One iteration at a time. */
  readonly arrivals: () => AsyncGenerator<TracebackRequestArrival, void, undefined>;
}

/** What a source that has closed may still be told or tell, milliseconds: an acknowledgement takes some hundred. */
const LAST_WORDS_MS = 2_000;

/** Makes the desk of one source. */
export function createArrivalDesk({ via, client, clock, logger }: ArrivalDeskOptions): ArrivalDesk {
  const channel = createChannel<TracebackRequestArrival>();
  const closing = new AbortController();
  // Every arrival that waits to be handed out again listens, and every call that is under way.
  setMaxListeners(0, closing.signal);
  /** Aborts what the platform is being told, a while after the desk has closed. */
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
    details?: AcknowledgementDetails,
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
      const acknowledge = async (details?: AcknowledgementDetails): Promise<void> => {
        settle(true);
        if (thing.kind === 'request') await (told ??= tell(thing.request.requestId, receivedAtMs, details));
      };
      open.add(release);
      channel.put({ ...thing, receivedAtMs, via, acknowledge, release });
    });

  return { offer, close, signal: closing.signal, arrivals: () => channel.values(() => close()) };
}
