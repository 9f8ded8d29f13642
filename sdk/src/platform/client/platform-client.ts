import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { RequestAuthorization } from '../retry.js';
import { streamEvents } from '../events/platform-events.js';
import type { EventStreamOptions, StreamedEvent } from '../events/platform-events.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { nodeFetch, nodeId, nodeRandom, platformUrl } from '../http/platform-fetch.js';
import type { PlatformFetch } from '../http/platform-fetch.js';
import type { PlatformRoute } from '../../contract/route.js';
import type { PlatformLogger, PlatformRequestOptions } from './requester.js';
import { createRequester } from './requester.js';
import {
  alertCalls,
  appReportCalls,
  campaignCalls,
  demandCalls,
  doNotOriginateCalls,
  noticeCalls,
  productionCalls,
  providerCalls,
  tracebackCalls,
  tracebackRequestCalls,
  webhookEndpointCalls,
} from './resources/resources.js';
import type {
  AlertCalls,
  AppReportCalls,
  CampaignCalls,
  DemandCalls,
  DoNotOriginateCalls,
  NoticeCalls,
  ProductionCalls,
  ProviderCalls,
  TracebackCalls,
  TracebackRequestCalls,
  WebhookEndpointCalls,
} from './resources/resources.js';
import { routeCall } from './route-call.js';
import type { RouteCallParams, RouteCallResult } from './route-call.js';

/** Milliseconds of one attempt: the platform takes milliseconds, a slow line some seconds. */
export const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;

/** Attempts after the first: with waits of up to 0.5, 1, 2 and 4 s a platform that restarts is back. */
export const DEFAULT_MAX_RETRIES = 4;

/** Where the platform is, and how to speak to it. */
export interface PlatformClientOptions {
  /** Address in front of `/v1`: `https:`, or `http:` on this very machine. */
  readonly baseUrl: string;
  /** {@link privateKeyJwt}, or {@link bearerToken}. */
  readonly authorization: RequestAuthorization;
  /** Milliseconds of one attempt, 1 or more. Default {@link DEFAULT_REQUEST_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** Attempts after the first, 0 or more. Default {@link DEFAULT_MAX_RETRIES}. */
  readonly maxRetries?: number;
  /** Default `globalThis.fetch`, which keeps connections alive. For mutual TLS: {@link createTlsFetch}. */
  readonly fetch?: PlatformFetch;
  /** Told of attempts that are made again. Default nobody. */
  readonly logger?: PlatformLogger;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
  /** A number from 0 up to, not including, 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Makes an id that nobody else makes, for idempotency keys. Default `crypto.randomUUID`. */
  readonly newId?: () => string;
}

/**
 * The platform of the traceback group, as carriers, applications and agencies call it. Every call is `(params, options)`; it is made again
 * after connections that broke, attempts that took too long, 408, 425, 429 and everything from 500 except 501, and rejects with
 * {@link HopbackError}: `network-failed`, `unavailable` (retryable), `unauthorized`, `request-refused`, `response-unreadable`, `aborted`.
 * Its `details` have `httpStatus`, `requestId`, `problemCode`, `attempts` and others, as far as they are known.
 */
export interface PlatformClient {
  readonly tracebackRequests: TracebackRequestCalls;
  readonly tracebacks: TracebackCalls;
  readonly appReports: AppReportCalls;
  readonly providers: ProviderCalls;
  readonly doNotOriginate: DoNotOriginateCalls;
  readonly campaigns: CampaignCalls;
  readonly alerts: AlertCalls;
  readonly notices: NoticeCalls;
  readonly demands: DemandCalls;
  readonly productions: ProductionCalls;
  readonly webhookEndpoints: WebhookEndpointCalls;
  /**
   * Calls a route that this client has no words of its own for: those that a platform has for its operators beside the contract. What comes back
   * is not held against a schema. Rejects with {@link HopbackError} as every call does, and with `invalid-argument` where a parameter or
   * body is missing, or the route is a stream.
   */
  readonly call: (
    route: PlatformRoute<string, string>,
    params?: RouteCallParams,
    options?: PlatformRequestOptions,
  ) => Promise<RouteCallResult>;
  /**
   * What happens at the platform, as it happens; connected anew where the connection breaks off. Ends when the platform ends the stream or
   * the signal aborts; rejects with {@link HopbackError} where the platform refuses it.
   */
  readonly events: (options?: EventStreamOptions) => AsyncGenerator<StreamedEvent, void, undefined>;
}

/**
 * Makes a client of the platform. It holds no connections and no timers of its own between calls.
 * @param options - address, credential, limits
 * @returns the client
 * @throws {@link HopbackError} `invalid-configuration` when the address is none, holds a credential, or would send answers in the clear, or
 * a limit is out of bounds
 * @see RFC 9457 for what errors are made of, draft-ietf-httpapi-idempotency-key-header-07
 * @example
 * ```ts
 * const client = createPlatformClient({ baseUrl: 'http://127.0.0.1:9', authorization: bearerToken('c2VjcmV0'), maxRetries: 0 });
 * try {
 *   for await (const { request, dueAt } of client.tracebackRequests.iterate({ state: 'open' })) console.log(request.requestId, dueAt);
 * } catch (error) {
 *   if (!isHopbackError(error)) throw error;
 *   console.log(error.code, error.retryable); // network-failed true
 * }
 * ```
 */
export function createPlatformClient(options: PlatformClientOptions): PlatformClient {
  const requester = createRequester({
    baseUrl: baseUrlOf(options.baseUrl),
    authorization: options.authorization,
    fetch: options.fetch ?? nodeFetch,
    clock: options.clock ?? MACHINE_CLOCK,
    random: options.random ?? nodeRandom,
    newId: options.newId ?? nodeId,
    timeoutMs: atLeast(1, 'timeoutMs', options.timeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS),
    maxRetries: atLeast(0, 'maxRetries', options.maxRetries ?? DEFAULT_MAX_RETRIES),
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  return {
    tracebackRequests: tracebackRequestCalls(requester),
    tracebacks: tracebackCalls(requester),
    appReports: appReportCalls(requester),
    providers: providerCalls(requester),
    doNotOriginate: doNotOriginateCalls(requester),
    campaigns: campaignCalls(requester),
    alerts: alertCalls(requester),
    notices: noticeCalls(requester),
    demands: demandCalls(requester),
    productions: productionCalls(requester),
    webhookEndpoints: webhookEndpointCalls(requester),
    call: async (route, params = {}, callOptions = {}) => requester.send(routeCall(route, params), callOptions),
    events: (streamOptions) => streamEvents(requester, streamOptions),
  };
}

function baseUrlOf(text: string): string {
  const url = platformUrl(text);
  if (url.search !== '') throw new HopbackError('invalid-configuration', 'baseUrl has no query');
  return url.href.replace(/\/$/, '');
}

function atLeast(least: number, name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new HopbackError('invalid-configuration', `${name} must be a whole number from ${least}, not ${value}`);
}
