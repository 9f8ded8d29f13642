import { createHash } from 'node:crypto';
import { HopbackError, isHopbackError } from '../../../errors.js';
import { bodyChunks, readBoundedBody } from '../../http/bounded-body.js';
import { Alert, FccNotice } from '../../../contract/alert.js';
import type { AlertAcknowledgement, NoticeResponse } from '../../../contract/alert.js';
import type { WireSchema } from '../../../contract/bodies.js';
import { AppReportReceipt, Campaign } from '../../../contract/campaign.js';
import type { AppReport } from '../../../contract/campaign.js';
import { pageOf } from '../../../contract/common.js';
import type { Page } from '../../../contract/common.js';
import { Demand, Production } from '../../../contract/demand.js';
import type { DemandDecisionRequest, DemandState, DemandSubmission, ProductionFile } from '../../../contract/demand.js';
import {
  CreatedWebhookEndpoint,
  RotatedWebhookSecret,
  WebhookEndpoint,
  WebhookReplay,
} from '../../../contract/event.js';
import type { WebhookEndpointCreation, WebhookReplayRequest } from '../../../contract/event.js';
import { DoNotOriginateEntry, ProviderEntry, ProviderScorecard } from '../../../contract/provider.js';
import { Traceback } from '../../../contract/traceback.js';
import type { TracebackOpening, TracebackState } from '../../../contract/traceback.js';
import { SignedReceipt, TracebackRequestStatus } from '../../../contract/traceback-exchange.js';
import type { AnswerSubmission, RequestAcknowledgement } from '../../../contract/traceback-exchange.js';
import type { CallBody, PlatformCall, PlatformRequestOptions, Requester } from '../requester.js';
import {
  ACCEPT_JSON,
  MAX_RESPONSE_BYTES,
  itemsOfPages,
  jsonAndPdfBody,
  jsonBody,
  readPageLeniently,
  receivingJson,
  receivingNothing,
} from '../route-call.js';
import type { ItemSchema, LenientPage } from '../route-call.js';

/** Where a call goes, beside its route. */
type Place = Pick<PlatformCall<unknown>, 'path' | 'query'>;

/** A call that fetches one thing. */
function fetching<Value>(route: string, schema: WireSchema<Value>, place: Place = {}): PlatformCall<Value> {
  return { method: 'GET', route, ...place, accept: ACCEPT_JSON, receive: receivingJson(schema) };
}

/** A call that posts JSON, and is answered with what has become of it. */
function posting<Value>(
  route: string,
  schema: WireSchema<Value>,
  { body, ...place }: Place & { readonly body?: unknown },
): PlatformCall<Value> {
  return {
    method: 'POST',
    route,
    ...place,
    ...(body === undefined ? {} : { body: jsonBody(body) }),
    accept: ACCEPT_JSON,
    receive: receivingJson(schema),
  };
}

/** What every list takes. */
export interface PageParams {
  /** `nextCursor` of the page before; the first page where absent. */
  readonly cursor?: string;
  /** Items of a page at most, 1 to {@link MAX_PAGE_ITEMS}. Default {@link DEFAULT_PAGE_ITEMS}. */
  readonly limit?: number;
}

/** What the iteration of a list takes beside its parameters. */
export interface IterateOptions extends PlatformRequestOptions {
  /**
   * Told of items in no form of the contract, be it their schema, JSON or UTF-8, which are left out then: where in the page, and what is
   * wrong. Without it such an item ends the iteration.
   */
  readonly onUnreadable?: (place: string) => void;
}

/** A list of the platform. */
export interface PagedList<Item, Params extends PageParams> {
  /** One page. Rejects with {@link HopbackError}. */
  readonly list: (params?: Params, options?: PlatformRequestOptions) => Promise<Page<Item>>;
  /**
   * All items from `cursor` on, page by page. Rejects with {@link HopbackError}; with `response-unreadable` where the pages go round in a
   * circle, or an item is in no form of the contract.
   */
  readonly iterate: (params?: Params, options?: IterateOptions) => AsyncGenerator<Item, void, undefined>;
}

/** Makes the list of a route; parameters go into the query under their names. */
function pagedList<Item, Params extends PageParams>(
  requester: Requester,
  { route, item }: { readonly route: string; readonly item: ItemSchema<Item> },
): PagedList<Item, Params> {
  const strict = receivingJson(pageOf(item));
  const lenient =
    (onUnreadable: (place: string) => void): PlatformCall<LenientPage<Item>>['receive'] =>
    async (response) => {
      const body = await readBoundedBody(response, MAX_RESPONSE_BYTES);
      if (body.isCut) return { status: 'unreadable', reason: 'too-large' };
      return readPageLeniently(body.bytes, item, onUnreadable);
    };
  const fetchPage = <Result extends Page<Item>>(
    params: Params | undefined,
    options: PlatformRequestOptions | undefined,
    receive: PlatformCall<Result>['receive'],
  ): Promise<Result> => {
    const query = { ...params } as PlatformCall<unknown>['query'] & {};
    return requester.send({ method: 'GET', route, query, accept: ACCEPT_JSON, receive }, options);
  };
  return {
    list: (params, options) => fetchPage(params, options, strict),
    iterate: (params, options) => {
      const receive = options?.onUnreadable === undefined ? strict : lenient(options.onUnreadable);
      return itemsOfPages((cursor) => {
        const from = cursor === undefined ? params : ({ ...params, cursor } as Params);
        return fetchPage<LenientPage<Item>>(from, options, receive);
      });
    },
  };
}

/** Which campaigns. */
export interface CampaignListParams extends PageParams {
  readonly state?: Campaign['state'];
}

/** Campaigns of robocalls. Everything rejects with {@link HopbackError}. */
export interface CampaignCalls extends PagedList<Campaign, CampaignListParams> {
  readonly retrieve: (params: { readonly campaignId: string }, options?: PlatformRequestOptions) => Promise<Campaign>;
}

/** Which alerts. */
export interface AlertListParams extends PageParams {
  readonly state?: 'unacknowledged' | 'acknowledged';
}

/** Alerts to the calling organization. Everything rejects with {@link HopbackError}. */
export interface AlertCalls extends PagedList<Alert, AlertListParams> {
  /** The first acknowledgement counts, further ones change nothing. */
  readonly acknowledge: (
    params: { readonly alertId: string } & AlertAcknowledgement,
    options?: PlatformRequestOptions,
  ) => Promise<Alert>;
}

/** Calls that applications took for robocalls. Everything rejects with {@link HopbackError}. */
export interface AppReportCalls {
  /** Sends a report; `reportId` tells repeats. */
  readonly create: (params: AppReport, options?: PlatformRequestOptions) => Promise<AppReportReceipt>;
}

const CAMPAIGNS = '/v1/campaigns';
const ALERTS = '/v1/alerts';

/** Makes the calls of this group. */
export function campaignCalls(requester: Requester): CampaignCalls {
  return {
    ...pagedList(requester, { route: CAMPAIGNS, item: Campaign }),
    retrieve: (path, options) =>
      requester.send(fetching(`${CAMPAIGNS}/{campaignId}`, Campaign, { path: { ...path } }), options),
  };
}

/** Makes the calls of this group. */
export function alertCalls(requester: Requester): AlertCalls {
  return {
    ...pagedList(requester, { route: ALERTS, item: Alert }),
    acknowledge: ({ alertId, ...body }, options) =>
      requester.send(posting(`${ALERTS}/{alertId}/acknowledgement`, Alert, { path: { alertId }, body }), options),
  };
}

/** Makes the calls of this group. */
export function appReportCalls(requester: Requester): AppReportCalls {
  return {
    create: (body, options) => requester.send(posting('/v1/app-reports', AppReportReceipt, { body }), options),
  };
}

/** Octets of the PDF of a demand at most. */
export const MAX_DEMAND_DOCUMENT_BYTES: number = 20 * 1_048_576;

/** Milliseconds without an octet of a file of a production after which the connection is taken for dead. */
const FILE_SILENCE_MS = 30_000;

/** Which demands. */
export interface DemandListParams extends PageParams {
  readonly state?: DemandState;
}

/** A demand, and the PDF that it is in. Its hash is stated by the client. */
export type DemandParams = Omit<DemandSubmission, 'documentSha256'> & {
  /** The PDF, at most {@link MAX_DEMAND_DOCUMENT_BYTES} octets. */
  readonly document: Uint8Array;
};

/** Subpoenas, civil investigative demands and court orders. Everything rejects with {@link HopbackError}. */
export interface DemandCalls extends PagedList<Demand, DemandListParams> {
  /** Submits a demand for review. */
  readonly create: (params: DemandParams, options?: PlatformRequestOptions) => Promise<Demand>;
  readonly retrieve: (params: { readonly demandId: string }, options?: PlatformRequestOptions) => Promise<Demand>;
  /** Approves, narrows or rejects a demand. */
  readonly decide: (
    params: { readonly demandId: string } & DemandDecisionRequest,
    options?: PlatformRequestOptions,
  ) => Promise<Demand>;
}

/** One file of a production, as the production lists it. */
export interface ProductionFileParams {
  readonly productionId: string;
  readonly file: Pick<ProductionFile, 'name' | 'sizeBytes' | 'sha256'>;
}

/** What is handed over under a reviewed demand. Everything rejects with {@link HopbackError}. */
export interface ProductionCalls {
  readonly retrieve: (
    params: { readonly productionId: string },
    options?: PlatformRequestOptions,
  ) => Promise<Production>;
  /**
   * The octets of a file as they come; only when the iteration has come to its end they are those that the production lists. It rejects
   * with `response-unreadable` where they are not. Retries are for the beginning: a connection that breaks off later is `network-failed`.
   */
  readonly file: (
    params: ProductionFileParams,
    options?: PlatformRequestOptions,
  ) => AsyncGenerator<Uint8Array, void, undefined>;
}

const DEMANDS = '/v1/demands';
const PRODUCTIONS = '/v1/productions';

/** Makes the calls of this group. */
export function demandCalls(requester: Requester): DemandCalls {
  const { send } = requester;
  return {
    ...pagedList(requester, { route: DEMANDS, item: Demand }),
    create: async ({ document, ...submission }, options) => {
      const body = demandBody(submission, document);
      return send(
        { method: 'POST', route: DEMANDS, body, accept: ACCEPT_JSON, receive: receivingJson(Demand) },
        options,
      );
    },
    retrieve: (path, options) => send(fetching(`${DEMANDS}/{demandId}`, Demand, { path: { ...path } }), options),
    decide: ({ demandId, ...body }, options) =>
      send(posting(`${DEMANDS}/{demandId}/decisions`, Demand, { path: { demandId }, body }), options),
  };
}

/** Makes the calls of this group. */
export function productionCalls(requester: Requester): ProductionCalls {
  return {
    retrieve: (path, options) =>
      requester.send(fetching(`${PRODUCTIONS}/{productionId}`, Production, { path: { ...path } }), options),
    file: (params, options) => fileChunks(requester, params, options),
  };
}

/** The two parts of a demand. */
function demandBody(submission: Omit<DemandSubmission, 'documentSha256'>, document: Uint8Array): CallBody {
  if (document.length === 0 || document.length > MAX_DEMAND_DOCUMENT_BYTES)
    throw new HopbackError('invalid-argument', `document must have 1 to ${MAX_DEMAND_DOCUMENT_BYTES} octets`);
  const documentSha256 = createHash('sha256').update(document).digest('hex');
  return jsonAndPdfBody({
    ...{ jsonPart: 'demand', json: { ...submission, documentSha256 } },
    ...{ pdfPart: 'document', document },
  });
}

async function* fileChunks(
  requester: Requester,
  { productionId, file: { name, sizeBytes, sha256 } }: ProductionFileParams,
  options: PlatformRequestOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const call: PlatformCall<ReadableStream<Uint8Array> | null> = {
    method: 'GET',
    route: `${PRODUCTIONS}/{productionId}/files/{name}`,
    path: { productionId, name },
    accept: '*/*',
    receive: async (response) => ({ status: 'read', value: response.body }),
  };
  const body = await requester.send(call, options);
  const hash = createHash('sha256');
  let size = 0;
  const { signal } = options;
  for await (const chunk of body === null
    ? []
    : bodyChunks(body, { silenceMs: FILE_SILENCE_MS, schedule: requester.parts.clock.schedule, signal })) {
    size += chunk.length;
    if (size > sizeBytes) throw otherFile('too-large');
    hash.update(chunk);
    yield chunk;
  }
  if (signal?.aborted === true)
    throw new HopbackError('aborted', 'the file was given up by its caller', { cause: signal.reason });
  if (size !== sizeBytes || hash.digest('hex') !== sha256) throw otherFile('wrong-hash');
}

const otherFile = (reason: string): HopbackError =>
  new HopbackError('response-unreadable', 'the file is not the one that the production lists', { details: { reason } });

/**
 * Notices of suspected illegal traffic to the calling provider. Everything rejects with {@link HopbackError}.
 * @see 47 CFR 64.1200(n)(2)
 */
export interface NoticeCalls extends PagedList<FccNotice, PageParams> {
  /** States what was done, or what was found; `responseId` tells repeats. */
  readonly respond: (
    params: { readonly noticeId: string } & Omit<NoticeResponse, 'format'>,
    options?: PlatformRequestOptions,
  ) => Promise<FccNotice>;
}

const NOTICES = '/v1/notices';

/** Makes the calls of this group. */
export function noticeCalls(requester: Requester): NoticeCalls {
  return {
    ...pagedList(requester, { route: NOTICES, item: FccNotice }),
    respond: ({ noticeId, ...response }, options) =>
      requester.send(
        posting(`${NOTICES}/{noticeId}/responses`, FccNotice, {
          path: { noticeId },
          body: { format: 'hopback.notice-response.1', ...response },
        }),
        options,
      ),
  };
}

/** Which providers: what is asked for in several members has to hold together. */
export interface ProviderListParams extends PageParams {
  /** Part of a name, without regard to case. */
  readonly name?: string;
  readonly frn?: string;
  readonly ocn?: string;
  readonly spc?: string;
  /** RFC 3339 in UTC. */
  readonly changedSince?: string;
}

/** A provider, and the time that its scorecard is about. */
export interface ScorecardParams {
  readonly providerId: string;
  /** RFC 3339 in UTC; `from` is in it, `to` is not. Default the 365 days up to now. */
  readonly from?: string;
  readonly to?: string;
}

/** The registry of voice service providers. Everything rejects with {@link HopbackError}. */
export interface ProviderCalls extends PagedList<ProviderEntry, ProviderListParams> {
  readonly retrieve: (
    params: { readonly providerId: string },
    options?: PlatformRequestOptions,
  ) => Promise<ProviderEntry>;
  readonly scorecard: (params: ScorecardParams, options?: PlatformRequestOptions) => Promise<ProviderScorecard>;
}

/** Which entries of the list of numbers that no call comes from. */
export interface DoNotOriginateListParams extends PageParams {
  /** RFC 3339 in UTC: only what was changed then or later, entries that were taken back among it. */
  readonly changedSince?: string;
}

/** Do-not-originate numbers. Everything rejects with {@link HopbackError}. */
export type DoNotOriginateCalls = PagedList<DoNotOriginateEntry, DoNotOriginateListParams>;

const PROVIDERS = '/v1/providers';

/** Makes the calls of this group. */
export function providerCalls(requester: Requester): ProviderCalls {
  return {
    ...pagedList(requester, { route: PROVIDERS, item: ProviderEntry }),
    retrieve: (path, options) =>
      requester.send(fetching(`${PROVIDERS}/{providerId}`, ProviderEntry, { path: { ...path } }), options),
    scorecard: ({ providerId, ...query }, options) =>
      requester.send(
        fetching(`${PROVIDERS}/{providerId}/scorecard`, ProviderScorecard, { path: { providerId }, query }),
        options,
      ),
  };
}

/** Makes the calls of this group. */
export function doNotOriginateCalls(requester: Requester): DoNotOriginateCalls {
  return pagedList(requester, { route: '/v1/do-not-originate', item: DoNotOriginateEntry });
}

/** Which requests to the calling provider. */
export interface TracebackRequestListParams extends PageParams {
  /** `open`: without an answer, acknowledged or not. Default `open`. */
  readonly state?: 'open' | 'answered' | 'all';
}

/** One request. */
export interface TracebackRequestParams {
  readonly requestId: string;
}

/** That a request has arrived. */
export type AcknowledgeParams = TracebackRequestParams & Omit<RequestAcknowledgement, 'format'>;

/** An answer to a request. */
export type AnswerParams = TracebackRequestParams & AnswerSubmission;

/** Traceback requests to the calling provider. Everything rejects with {@link HopbackError}. */
export interface TracebackRequestCalls extends PagedList<TracebackRequestStatus, TracebackRequestListParams> {
  readonly retrieve: (
    params: TracebackRequestParams,
    options?: PlatformRequestOptions,
  ) => Promise<TracebackRequestStatus>;
  /** The first acknowledgement counts, further ones change nothing. */
  readonly acknowledge: (
    params: AcknowledgeParams,
    options?: PlatformRequestOptions,
  ) => Promise<TracebackRequestStatus>;
  /**
   * Sends a signed answer. Its idempotency key is the SHA-256 of what is sent unless another is given: the same answer sent once more, by
   * another process too, gets the same receipt.
   */
  readonly answer: (params: AnswerParams, options?: PlatformRequestOptions) => Promise<SignedReceipt>;
  /** The receipt of an answer once more; `request-refused` with `httpStatus` 404 says that the platform does not have the answer. */
  readonly receipt: (
    params: TracebackRequestParams & { readonly answerId: string },
    options?: PlatformRequestOptions,
  ) => Promise<SignedReceipt>;
}

const REQUESTS = '/v1/traceback-requests';

/** Makes the calls of this group. */
export function tracebackRequestCalls(requester: Requester): TracebackRequestCalls {
  const { send } = requester;
  return {
    ...pagedList(requester, { route: REQUESTS, item: TracebackRequestStatus }),
    retrieve: ({ requestId }, options) =>
      send(fetching(`${REQUESTS}/{requestId}`, TracebackRequestStatus, { path: { requestId } }), options),
    acknowledge: ({ requestId, ...said }, options) =>
      send(
        posting(`${REQUESTS}/{requestId}/acknowledgement`, TracebackRequestStatus, {
          path: { requestId },
          body: { format: 'hopback.request-acknowledgement.1', ...said },
        }),
        options,
      ),
    answer: ({ requestId, ...submission }, options) => {
      const call = posting(`${REQUESTS}/{requestId}/answers`, SignedReceipt, {
        path: { requestId },
        body: submission,
      });
      const idempotencyKey = createHash('sha256')
        .update(`${requestId}\n`)
        .update(call.body?.bytes ?? '')
        .digest('hex');
      return send(call, { idempotencyKey, ...options });
    },
    receipt: ({ requestId, answerId }, options) =>
      send(
        fetching(`${REQUESTS}/{requestId}/answers/{answerId}/receipt`, SignedReceipt, {
          path: { requestId, answerId },
        }),
        options,
      ),
  };
}

/** Which tracebacks. */
export interface TracebackListParams extends PageParams {
  readonly state?: TracebackState;
  readonly campaignId?: string;
}

/** Whole tracebacks, as far as the caller may see them. Everything rejects with {@link HopbackError}. */
export interface TracebackCalls extends PagedList<Traceback, TracebackListParams> {
  /** Opens a traceback of one call. */
  readonly create: (params: TracebackOpening, options?: PlatformRequestOptions) => Promise<Traceback>;
  readonly retrieve: (params: { readonly tracebackId: string }, options?: PlatformRequestOptions) => Promise<Traceback>;
}

const TRACEBACKS = '/v1/tracebacks';

/** Makes the calls of this group. */
export function tracebackCalls(requester: Requester): TracebackCalls {
  return {
    ...pagedList(requester, { route: TRACEBACKS, item: Traceback }),
    create: (body, options) => requester.send(posting(TRACEBACKS, Traceback, { body }), options),
    retrieve: (path, options) =>
      requester.send(fetching(`${TRACEBACKS}/{tracebackId}`, Traceback, { path: { ...path } }), options),
  };
}

/** One endpoint. */
export interface WebhookEndpointParams {
  readonly endpointId: string;
}

/** Where the platform posts events. Everything rejects with {@link HopbackError}. */
export interface WebhookEndpointCalls extends PagedList<WebhookEndpoint, PageParams> {
  /** The secret is in the answer and never again: keep it before anything else. */
  readonly create: (
    params: WebhookEndpointCreation,
    options?: PlatformRequestOptions,
  ) => Promise<CreatedWebhookEndpoint>;
  readonly delete: (params: WebhookEndpointParams, options?: PlatformRequestOptions) => Promise<void>;
  /** Until the old secret ends, events carry a signature of each: verify with both. */
  readonly rotateSecret: (
    params: WebhookEndpointParams,
    options?: PlatformRequestOptions,
  ) => Promise<RotatedWebhookSecret>;
  /** Has events posted once more, under their old ids. */
  readonly replay: (
    params: WebhookEndpointParams & WebhookReplayRequest,
    options?: PlatformRequestOptions,
  ) => Promise<WebhookReplay>;
}

const ENDPOINTS = '/v1/webhook-endpoints';

/** Makes the calls of this group. */
export function webhookEndpointCalls(requester: Requester): WebhookEndpointCalls {
  const { send } = requester;
  return {
    ...pagedList(requester, { route: ENDPOINTS, item: WebhookEndpoint }),
    create: (body, options) => send(posting(ENDPOINTS, CreatedWebhookEndpoint, { body }), options),
    delete: async ({ endpointId }, options) => {
      const call: PlatformCall<void> = {
        ...{ method: 'DELETE', route: `${ENDPOINTS}/{endpointId}`, path: { endpointId } },
        ...{ accept: ACCEPT_JSON, receive: receivingNothing },
      };
      await send(call, options).catch((error: unknown) => {
        // Not found at a repetition: an attempt before was carried out, and its answer got lost.
        const isRepeat =
          isHopbackError(error) && error.details['httpStatus'] === 404 && Number(error.details['attempts']) > 1;
        if (!isRepeat) throw error;
      });
    },
    rotateSecret: ({ endpointId }, options) =>
      send(posting(`${ENDPOINTS}/{endpointId}/rotate-secret`, RotatedWebhookSecret, { path: { endpointId } }), options),
    replay: ({ endpointId, ...body }, options) =>
      send(posting(`${ENDPOINTS}/{endpointId}/replay`, WebhookReplay, { path: { endpointId }, body }), options),
  };
}
