import { createHash } from 'node:crypto';
import type { TimerClock } from '../../core/runtime/clock.js';
import { Alert, FccNotice } from '../../contract/alert.js';
import type { NoticeResponse } from '../../contract/alert.js';
import type { WireBodies, WireSchema } from '../../contract/bodies.js';
import { AppReportReceipt, Campaign } from '../../contract/campaign.js';
import type { AppReport } from '../../contract/campaign.js';
import { Demand, Production } from '../../contract/demand.js';
import type { DemandSubmission } from '../../contract/demand.js';
import { CreatedWebhookEndpoint, RotatedWebhookSecret, WebhookEndpoint, WebhookReplay } from '../../contract/event.js';
import { DoNotOriginateEntry, ProviderEntry, ProviderScorecard } from '../../contract/provider.js';
import type { PlatformRoute } from '../../contract/route.js';
import { SignedReceipt, TracebackRequestStatus } from '../../contract/traceback-exchange.js';
import { Traceback } from '../../contract/traceback.js';
import type { TracebackOpening } from '../../contract/traceback.js';
import { HopbackError, isHopbackError } from '../../errors.js';
import type { RequestAuthorization } from '../retry.js';
import { streamEvents } from '../events/platform-events.js';
import type { EventStreamOptions, StreamedEvent } from '../events/platform-events.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { nodeFetch, nodeId, nodeRandom, platformUrl } from '../http/platform-fetch.js';
import type { PlatformFetch } from '../http/platform-fetch.js';
import type { PlatformLogger, PlatformRequestOptions, Requester } from './requester.js';
import { createRequester } from './requester.js';
import { demandCall, fileChunks, operationCall, pagedList, plainCall } from './operations.js';
import type { PagedList, PlatformOperation } from './operations.js';
import { routeCall } from './route-call.js';
import type { ItemSchema, RouteCallParams, RouteCallResult } from './route-call.js';

/** Milliseconds of one attempt: the platform takes milliseconds, a slow line some seconds. */
const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;

/** Attempts after the first: with waits of up to 0.5, 1, 2 and 4 s a platform that restarts is back. */
const DEFAULT_MAX_RETRIES = 4;

/** Where the platform is, and how to speak to it. */
export interface PlatformClientOptions {
  /** Address in front of `/v1`: `https:`, or `http:` on this very machine. */
  readonly baseUrl: string;
  /** {@link privateKeyJwt}, or {@link bearerToken}. */
  readonly authorization: RequestAuthorization;
  /** Milliseconds of one attempt, 1 or more. Default 30 s. */
  readonly timeoutMs?: number;
  /** Attempts after the first, 0 or more. Default 4. */
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
 * Its `details` have `httpStatus`, `requestId`, `problemCode`, `attempts` and others, as far as they are known. It holds no connections and
 * no timers of its own between calls.
 * @see RFC 9457 for what errors are made of, draft-ietf-httpapi-idempotency-key-header-07
 * @example
 * ```ts
 * const client = new PlatformClient({ baseUrl: 'http://127.0.0.1:9', authorization: bearerToken('c2VjcmV0'), maxRetries: 0 });
 * try {
 *   for await (const { request, dueAt } of client.tracebackRequests.iterate({ state: 'open' })) console.log(request.requestId, dueAt);
 * } catch (error) {
 *   if (!isHopbackError(error)) throw error;
 *   console.log(error.code, error.retryable); // network-failed true
 * }
 * ```
 */
export class PlatformClient {
  /** Traceback requests to the calling provider. `open`: without an answer, acknowledged or not; default `open`. */
  readonly tracebackRequests: PagedList<TracebackRequestStatus, { readonly state?: 'open' | 'answered' | 'all' }> & {
    readonly retrieve: PlatformOperation<{ readonly requestId: string }, TracebackRequestStatus>;
    /** The first acknowledgement counts, further ones change nothing. */
    readonly acknowledge: PlatformOperation<
      { readonly requestId: string } & Omit<WireBodies['RequestAcknowledgement'], 'format'>,
      TracebackRequestStatus
    >;
    /**
     * Sends a signed answer. Its idempotency key is the SHA-256 of what is sent unless another is given: the same answer sent once more, by
     * another process too, gets the same receipt.
     */
    readonly answer: PlatformOperation<
      { readonly requestId: string } & WireBodies['AnswerSubmission'],
      WireBodies['SignedReceipt']
    >;
    /** The receipt of an answer once more; `request-refused` with `httpStatus` 404 says that the platform does not have the answer. */
    readonly receipt: PlatformOperation<
      { readonly requestId: string } & { readonly answerId: string },
      WireBodies['SignedReceipt']
    >;
  };
  /** Whole tracebacks, as far as the caller may see them. */
  readonly tracebacks: PagedList<Traceback, { readonly state?: Traceback['state']; readonly campaignId?: string }> & {
    /** Opens a traceback of one call. */
    readonly create: PlatformOperation<TracebackOpening, Traceback>;
    readonly retrieve: PlatformOperation<{ readonly tracebackId: string }, Traceback>;
  };
  /** Calls that applications took for robocalls. */
  readonly appReports: {
    /** Sends a report; `reportId` tells repeats. */
    readonly create: PlatformOperation<AppReport, WireBodies['AppReportReceipt']>;
  };
  /**
   * The registry of voice service providers. What is asked for in several members has to hold together: a part of a name, without regard to
   * case; codes; `changedSince`, RFC 3339 in UTC.
   */
  readonly providers: PagedList<
    ProviderEntry,
    { readonly [Name in 'name' | 'frn' | 'ocn' | 'spc' | 'changedSince']?: string }
  > & {
    readonly retrieve: PlatformOperation<{ readonly providerId: string }, ProviderEntry>;
    /** RFC 3339 in UTC; `from` is in the time, `to` is not. Default the 365 days up to now. */
    readonly scorecard: PlatformOperation<
      {
        readonly providerId: string;
        readonly from?: string;
        readonly to?: string;
      },
      ProviderScorecard
    >;
  };
  /** Do-not-originate numbers: with `changedSince` (RFC 3339 in UTC) only what was changed then or later, withdrawn entries among it. */
  readonly doNotOriginate: PagedList<DoNotOriginateEntry, { readonly changedSince?: string }>;
  /** Campaigns of robocalls. */
  readonly campaigns: PagedList<Campaign, { readonly state?: Campaign['state'] }> & {
    readonly retrieve: PlatformOperation<{ readonly campaignId: string }, Campaign>;
  };
  /** Alerts to the calling organization. */
  readonly alerts: PagedList<Alert, { readonly state?: 'unacknowledged' | 'acknowledged' }> & {
    /** The first acknowledgement counts, further ones change nothing. */
    readonly acknowledge: PlatformOperation<{ readonly alertId: string } & WireBodies['AlertAcknowledgement'], Alert>;
  };
  /** Notices of suspected illegal traffic to the calling provider. 47 CFR 64.1200(n)(2) */
  readonly notices: PagedList<FccNotice> & {
    /** States what was done, or what was found; `responseId` tells repeats. */
    readonly respond: PlatformOperation<{ readonly noticeId: string } & Omit<NoticeResponse, 'format'>, FccNotice>;
  };
  /** Subpoenas, civil investigative demands and court orders. */
  readonly demands: PagedList<Demand, { readonly state?: Demand['state'] }> & {
    /** Submits a demand for review. */
    readonly create: PlatformOperation<
      Omit<DemandSubmission, 'documentSha256'> & {
        /** The PDF, at most 20 MiB. Its hash is stated by the client. */
        readonly document: Uint8Array;
      },
      Demand
    >;
    readonly retrieve: PlatformOperation<{ readonly demandId: string }, Demand>;
    /** Approves, narrows or rejects a demand. */
    readonly decide: PlatformOperation<{ readonly demandId: string } & WireBodies['DemandDecisionRequest'], Demand>;
  };
  /** What is handed over under a reviewed demand. */
  readonly productions: {
    readonly retrieve: PlatformOperation<{ readonly productionId: string }, Production>;
    /**
     * The octets of a file as they come; only when the iteration has come to its end they are those that the production lists. It rejects
     * with `response-unreadable` where they are not. Retries are for the beginning: a connection that breaks off later is `network-failed`.
     */
    readonly file: (
      params: {
        readonly productionId: string;
        /** As the production lists it. */
        readonly file: Pick<Production['files'][number], 'name' | 'sizeBytes' | 'sha256'>;
      },
      options?: PlatformRequestOptions,
    ) => AsyncGenerator<Uint8Array, void, undefined>;
  };
  /** Where the platform posts events. */
  readonly webhookEndpoints: PagedList<WireBodies['WebhookEndpoint']> & {
    /** The secret is in the answer and never again: keep it before anything else. */
    readonly create: PlatformOperation<WireBodies['WebhookEndpointCreation'], WireBodies['CreatedWebhookEndpoint']>;
    readonly delete: PlatformOperation<{ readonly endpointId: string }, void>;
    /** Until the old secret ends, events carry a signature of each: verify with both. */
    readonly rotateSecret: PlatformOperation<{ readonly endpointId: string }, WireBodies['RotatedWebhookSecret']>;
    /** Has events posted once more, under their old ids. */
    readonly replay: PlatformOperation<
      { readonly endpointId: string } & WireBodies['WebhookReplayRequest'],
      WireBodies['WebhookReplay']
    >;
  };
  readonly #requester: Requester;

  /**
   * @param options - address, credential, limits
   * @throws {@link HopbackError} `invalid-configuration` when the address is none, holds a credential, or would send answers in the clear,
   * or a limit is out of bounds
   */
  constructor(options: PlatformClientOptions) {
    const requester = requesterOf(options);
    const list = <Item, Filter>(operationId: string, item: ItemSchema<Item>): PagedList<Item, Filter> =>
      pagedList(requester, operationId, item);
    /** @param members - what the client adds to every body of it */
    const operation =
      <Result>(operationId: string, schema: WireSchema<Result>, members = {}): PlatformOperation<object, Result> =>
      async (params, callOptions) =>
        requester.send(operationCall(operationId, schema, { ...members, ...params }), callOptions);
    this.#requester = requester;
    this.tracebackRequests = {
      ...list('listTracebackRequests', TracebackRequestStatus),
      retrieve: operation('fetchTracebackRequest', TracebackRequestStatus),
      acknowledge: operation('acknowledgeTracebackRequest', TracebackRequestStatus, {
        format: 'hopback.request-acknowledgement.1',
      }),
      answer: async (params, callOptions) => {
        const call = operationCall('answerTracebackRequest', SignedReceipt, params);
        const hash = createHash('sha256').update(`${params.requestId}\n`);
        const idempotencyKey = hash.update(call.body?.bytes ?? '').digest('hex');
        return requester.send(call, { idempotencyKey, ...callOptions });
      },
      receipt: operation('fetchAnswerReceipt', SignedReceipt),
    };
    this.tracebacks = {
      ...list('listTracebacks', Traceback),
      create: operation('openTraceback', Traceback),
      retrieve: operation('fetchTraceback', Traceback),
    };
    this.appReports = { create: operation('reportCall', AppReportReceipt) };
    this.providers = {
      ...list('listProviders', ProviderEntry),
      retrieve: operation('fetchProvider', ProviderEntry),
      scorecard: operation('fetchProviderScorecard', ProviderScorecard),
    };
    this.doNotOriginate = list('listDoNotOriginate', DoNotOriginateEntry);
    this.campaigns = { ...list('listCampaigns', Campaign), retrieve: operation('fetchCampaign', Campaign) };
    this.alerts = { ...list('listAlerts', Alert), acknowledge: operation('acknowledgeAlert', Alert) };
    this.notices = {
      ...list('listNotices', FccNotice),
      respond: operation('respondToNotice', FccNotice, { format: 'hopback.notice-response.1' }),
    };
    this.demands = {
      ...list('listDemands', Demand),
      create: async (params, callOptions) => requester.send(demandCall(params, Demand), callOptions),
      retrieve: operation('fetchDemand', Demand),
      decide: operation('decideDemand', Demand),
    };
    this.productions = {
      retrieve: operation('fetchProduction', Production),
      file: (params, callOptions) => fileChunks(requester, params, callOptions),
    };
    this.webhookEndpoints = {
      ...list('listWebhookEndpoints', WebhookEndpoint),
      create: operation('createWebhookEndpoint', CreatedWebhookEndpoint),
      delete: (params, callOptions) => deleteEndpoint(requester, params, callOptions),
      rotateSecret: operation('rotateWebhookSecret', RotatedWebhookSecret),
      replay: operation('replayWebhookEvents', WebhookReplay),
    };
  }

  /**
   * Calls a route that this client has no words of its own for: those that a platform has for its operators beside the contract. What comes back
   * is not held against a schema. Rejects with {@link HopbackError} as every call does, and with `invalid-argument` where a parameter or
   * body is missing, or the route is a stream.
   */
  async call(
    route: PlatformRoute<string>,
    params: RouteCallParams = {},
    options: PlatformRequestOptions = {},
  ): Promise<RouteCallResult> {
    return this.#requester.send(routeCall(route, params), options);
  }

  /**
   * What happens at the platform, as it happens; connected anew where the connection breaks off. Ends when the platform ends the stream or
   * the signal aborts; rejects with {@link HopbackError} where the platform refuses it.
   */
  events(options?: EventStreamOptions): AsyncGenerator<StreamedEvent, void, undefined> {
    return streamEvents(this.#requester, options);
  }
}

function requesterOf(options: PlatformClientOptions): Requester {
  return createRequester({
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
}

async function deleteEndpoint(
  requester: Requester,
  params: { readonly endpointId: string },
  options?: PlatformRequestOptions,
): Promise<void> {
  await requester.send(plainCall('deleteWebhookEndpoint', params), options).catch((error: unknown) => {
    // Not found at a repetition: an attempt before was carried out, and its answer got lost.
    const isRepeat =
      isHopbackError(error) && error.details['httpStatus'] === 404 && Number(error.details['attempts']) > 1;
    if (!isRepeat) throw error;
  });
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
