import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import type { PlatformLogger } from '../client/request-options.js';
import type { TracebackRequestSource } from '../traceback-request-source.js';
import type { WebhookConsumer } from '../webhooks/webhook-receiver.js';
import { createArrivalDesk } from './arrival-desk.js';
import type { RequestClient } from './arrival-desk.js';
import { arrivalOfEvent } from './arrival-of-event.js';
import { createCatchUp, createRequestRounds } from './request-rounds.js';

/** Settings of {@link createWebhookRequestSource}. */
export interface WebhookRequestSourceOptions {
  /** Acknowledges requests, and fetches those that a reminder names. */
  readonly client: RequestClient;
  /**
   * Ids of the requests that the carrier holds for open, from its journal. With it open requests are listed when the iteration begins: those
   * that are not among them are handed on, those of them that the platform lists no longer are asked for by their ids, so that what happened
   * during a standstill is known. Where it throws there are none. Default what was missed is not looked for.
   */
  readonly open?: () => readonly string[];
  /** Takes in events that are not about requests and notices to this carrier: alerts, campaigns. Default nobody does. */
  readonly others?: WebhookConsumer;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
  readonly logger?: PlatformLogger;
}

/** A source of requests, and what feeds it. */
export interface WebhookRequestSource extends TracebackRequestSource {
  /** `consume` of {@link createWebhookReceiver}: a webhook is acknowledged when its arrival is. */
  readonly consume: WebhookConsumer;
}

/**
 * Makes a source of traceback requests out of webhooks. Never throws.
 * @param options - client of the platform, who takes other events in
 * @returns the source; to be closed
 * @see {@link streamTracebackRequests} and {@link pollTracebackRequests}, which need no port to the outside; https://www.standardwebhooks.com
 * @example
 * ```ts
 * const client = createPlatformClient({ baseUrl: 'https://itg.example', authorization: bearerToken('c2VjcmV0') });
 * await using source = createWebhookRequestSource({ client });
 * const receiver = createWebhookReceiver({ secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], consume: source.consume });
 * // createServer(nodeWebhookHandler(receiver)), and then: for await (const arrival of source) …
 * console.log(receiver.maxBytes); // 1048576
 * ```
 */
export function createWebhookRequestSource(options: WebhookRequestSourceOptions): WebhookRequestSource {
  const { client, open, others, clock = MACHINE_CLOCK, logger } = options;
  const desk = createArrivalDesk({ via: 'webhook', client, clock, logger });
  const consume: WebhookConsumer = async (event, delivery) => {
    const thing = await arrivalOfEvent(event, client, desk.signal);
    if (thing === 'other') return others?.(event, delivery);
    if (thing !== 'settled' && !(await desk.offer(thing)))
      throw new HopbackError('unavailable', 'the request was not taken in', { retryable: true });
  };
  const rounds = createRequestRounds({ client, desk, open, isMissingOnly: true, logger });
  const catchUp = createCatchUp(rounds, { clock, signal: desk.signal, logger });
  const close = async (): Promise<void> => desk.close();
  return {
    consume,
    close,
    [Symbol.asyncIterator]: () => {
      if (open !== undefined) catchUp.begin();
      return desk.arrivals();
    },
    [Symbol.asyncDispose]: close,
  };
}
