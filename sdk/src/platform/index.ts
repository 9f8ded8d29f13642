export { bearerToken, MAX_BEARER_TOKEN_LENGTH } from './auth.js';
export type { RequestAuthorization, RequestToAuthorize } from './auth.js';
export type { Clock, TimerClock } from '../core/runtime/clock.js';
export { printableText } from '../core/text.js';
export { createPlatformClient, DEFAULT_MAX_RETRIES, DEFAULT_REQUEST_TIMEOUT_MS } from './client/platform-client.js';
export type { PlatformClient, PlatformClientOptions } from './client/platform-client.js';
export {
  ASSERTION_LIFETIME_SECONDS,
  privateKeyJwt,
  TOKEN_RENEWAL_MARGIN_MS,
  TOKEN_TIMEOUT_MS,
} from './client/private-key-jwt.js';
export type { PrivateKeyJwtOptions } from './client/private-key-jwt.js';
export type { AssertionAlgorithm, AssertionKey, AssertionSigner } from './client/assertion-key.js';
export { readPublicKeyJwk } from './client/public-key-jwk.js';
export type { PublicKeyJwk, PublicKeyJwkOptions, PublicKeyReading } from './client/public-key-jwk.js';
export type { PlatformLogger, PlatformRequestOptions } from './client/request-options.js';
export type { UnreadableReason } from './client/platform-call.js';
export { MAX_RESPONSE_BYTES } from './client/read-json.js';
export { MAX_RETRY_WAIT_MS } from './client/requester.js';
export { MAX_ROUTE_FILE_BYTES } from './client/route-call.js';
export type { RouteCallParams, RouteCallResult } from './client/route-call.js';
export type {
  AlertCalls,
  AlertListParams,
  AppReportCalls,
  CampaignCalls,
  CampaignListParams,
} from './client/resources/campaigns.js';
export { MAX_DEMAND_DOCUMENT_BYTES } from './client/resources/demands.js';
export type {
  DemandCalls,
  DemandListParams,
  DemandParams,
  ProductionCalls,
  ProductionFileParams,
} from './client/resources/demands.js';
export type { NoticeCalls } from './client/resources/notices.js';
export type { IterateOptions, PagedList, PageParams } from './client/resources/paged-list.js';
export type {
  DoNotOriginateCalls,
  DoNotOriginateListParams,
  ProviderCalls,
  ProviderListParams,
  ScorecardParams,
} from './client/resources/registry.js';
export type {
  AcknowledgeParams,
  AnswerParams,
  TracebackRequestCalls,
  TracebackRequestListParams,
  TracebackRequestParams,
} from './client/resources/traceback-requests.js';
export type { TracebackCalls, TracebackListParams } from './client/resources/tracebacks.js';
export type { WebhookEndpointCalls, WebhookEndpointParams } from './client/resources/webhook-endpoints.js';
export {
  createEventStreamParser,
  MAX_EVENT_CHARS,
  MAX_EVENT_ID_LENGTH,
  MAX_STREAM_RETRY_MS,
} from './events/event-stream-parser.js';
export type { EventStreamItem, EventStreamParser } from './events/event-stream-parser.js';
export { EVENT_STREAM_LEAST_RETRY_MS, EVENT_STREAM_SILENCE_MS } from './events/platform-events.js';
export type { EventStreamConnection, EventStreamOptions, StreamedEvent } from './events/platform-events.js';
export type { PlatformFetch, PlatformFetchRequest } from './http/platform-fetch.js';
export { createTlsFetch } from './http/tls-fetch.js';
export type { TlsFetch, TlsFetchOptions } from './http/tls-fetch.js';
export type { RequestClient } from './sources/arrival-desk.js';
export { mergeTracebackRequestSources } from './sources/merge-sources.js';
export type { MergeSourcesOptions } from './sources/merge-sources.js';
export { NOTICE_POLL_INTERVAL_MS } from './sources/notice-rounds.js';
export { pollTracebackRequests } from './sources/poll-requests.js';
export type { PollOptions } from './sources/poll-requests.js';
export { POLL_INTERVAL_MS } from './sources/request-rounds.js';
export type { RequestSourceState, SourceReporting } from './sources/source-state.js';
export { STEP_OVER_ATTEMPTS } from './sources/stream-event.js';
export type { EventPosition } from './sources/stream-progress.js';
export { streamTracebackRequests } from './sources/stream-requests.js';
export type { StreamRequestsOptions } from './sources/stream-requests.js';
export { createWebhookRequestSource } from './sources/webhook-requests.js';
export type { WebhookRequestSource, WebhookRequestSourceOptions } from './sources/webhook-requests.js';
export type {
  AcknowledgementDetails,
  ArrivalReceipt,
  ArrivalWay,
  TracebackRequestArrival,
  TracebackRequestSource,
} from './traceback-request-source.js';
export { signWebhook } from './webhooks/sign-webhook.js';
export type { WebhookFields, WebhookToSign } from './webhooks/sign-webhook.js';
export { MAX_WEBHOOK_BYTES, verifyWebhook, WEBHOOK_TOLERANCE_SECONDS } from './webhooks/verify-webhook.js';
export type {
  ReceivedWebhook,
  WebhookFailure,
  WebhookFailureReason,
  WebhookFieldName,
  WebhookHeaders,
  WebhookToVerify,
  WebhookVerification,
} from './webhooks/verify-webhook.js';
export { expressWebhookHandler, honoWebhookHandler, nodeWebhookHandler } from './webhooks/webhook-handlers.js';
export type { ExpressRequestLike, HonoContextLike } from './webhooks/webhook-handlers.js';
export { createWebhookReceiver, WEBHOOK_DELIVERY_TIMEOUT_MS } from './webhooks/webhook-receiver.js';
export type {
  WebhookAnswer,
  WebhookConsumer,
  WebhookDelivery,
  WebhookReceiver,
  WebhookReceiverOptions,
} from './webhooks/webhook-receiver.js';
export { createHttpsRecordTransport, DEFAULT_DELIVERY_TIMEOUT_MS, MAX_ANSWER_BYTES } from './record-transport-https.js';
export type { HttpsRecordTransportOptions } from './record-transport-https.js';
export { MAX_RETRY_AFTER_MS, retryAfterMs, retryClassOf } from './retry.js';
export type { RetryClass } from './retry.js';
export { readRecordBatchAnswer } from './wire/record-batch-answer.js';
export type { RecordBatchAnswerReading } from './wire/record-batch-answer.js';
export { MAX_BATCH_BYTES, MAX_BATCH_RECORDS, RECORD_BATCH_MEDIA_TYPE, RECORD_BATCH_TYPE } from './wire/record-batch.js';
export type {
  BarredReason,
  BatchEncoding,
  DeliveryResult,
  RecordBatch,
  RecordBatchAnswer,
  RecordRejection,
  RecordTransport,
  UnavailableReason,
} from './wire/record-batch.js';
export type { CloudEventAttributes } from '../core/cloud-event.js';
export { callRecordSchema, sharedRecordSchema, verdictEvidenceSchema, WIRE_SCHEMAS } from './wire/wire-schemas.js';
export type { WireIssue, WireReading, WireSchema } from './wire/wire-schemas.js';
export type * from '../core/call-record.js';
export type * from '../core/call-record.js';
export type * from '../core/call-record.js';
export { DEFAULT_PAGE_ITEMS, MAX_PAGE_ITEMS } from './wire/page.js';
export { CLIENT_ASSERTION_TYPE } from './wire/token.js';
export { ANSWER_RECEIPT_JWS_TYPE, MAX_ANSWER_JWS_CHARS, TRACEBACK_ANSWER_JWS_TYPE } from './wire/traceback-exchange.js';
export type * from './wire/alert.js';
export type * from './wire/app-report.js';
export type * from './wire/campaign.js';
export type * from './wire/demand.js';
export type * from './wire/do-not-originate.js';
export type * from './wire/event.js';
export type * from './wire/evidence-pack.js';
export type * from './wire/notice.js';
export type { Page } from './wire/page.js';
export type * from './wire/problem.js';
export type * from './wire/production.js';
export type * from './wire/provider-entry.js';
export type * from './wire/provider-scorecard.js';
export type { PlatformScope, TokenAnswer, TokenRefusal, TokenRequest } from './wire/token.js';
export type * from './wire/traceback.js';
export type {
  AnswerReceipt,
  AnswerSubmission,
  ReceivedAnswer,
  RequestAcknowledgement,
  RequestCancellation,
  SignedReceipt,
  TracebackRequestState,
  TracebackRequestStatus,
} from './wire/traceback-exchange.js';
export type * from './wire/webhook-endpoint.js';
export type { WireBodies, WireBodyName } from './wire/wire-bodies.js';
export { asyncApiDocument } from './contract/async-api-document.js';
export { isParameterInForm } from './contract/component-schemas.schema.js';
export { PLATFORM_EVENT_KINDS } from './contract/event-table.js';
export type { PlatformEventKind } from './contract/event-table.js';
export type { WireExample, WireExamples } from './contract/examples/example.js';
export { WIRE_EXAMPLES } from './contract/examples/wire-examples.js';
export { openApiDocument } from './contract/open-api-document.js';
export { COMMON_PROBLEMS, PROBLEM_KINDS, problemType } from './contract/problem-table.js';
export type { ProblemKind } from './contract/problem-table.js';
export type * from './contract/route.js';
export { CONTRACT_VERSION, PLATFORM_ROUTES, ROUTE_TAGS } from './contract/routes.js';
export { WEBHOOK_FIELDS } from './contract/webhook-fields.js';

// The platform's side of an exchange: what reads a request by its route, and what answers it.
export { demandScopeRefusal } from './server/demand-scope-refusal.js';
export { createRouteMatcher, matchPlatformRoute } from './server/match-route.js';
export type { MatchedRoute } from './server/match-route.js';
export { jsonAnswer, problemAnswer, problemDocument } from './server/platform-answer.js';
export type { PlatformAnswer, PlatformProblem } from './server/platform-answer.js';
export { readPlatformRequest, readWireBody } from './server/read-platform-request.js';
export type {
  BodySchemas,
  PlatformRequestReading,
  ReadPlatformRequest,
  RequestReadingOptions,
} from './server/read-platform-request.js';
