export { bearerToken, MAX_BEARER_TOKEN_LENGTH } from './auth.js';
export type { RequestAuthorization, RequestToAuthorize } from './auth.js';
export type { Clock, TimerClock } from '../core/runtime/clock.js';
export { printableText } from '../core/text.js';
export { createPlatformClient, DEFAULT_MAX_RETRIES, DEFAULT_REQUEST_TIMEOUT_MS } from './client/platform-client.js';
export type { PlatformClient, PlatformClientOptions } from './client/platform-client.js';
export {
  ASSERTION_LIFETIME_SECONDS,
  TOKEN_RENEWAL_MARGIN_MS,
  TOKEN_TIMEOUT_MS,
  privateKeyJwt,
  readPublicKeyJwk,
} from './client/private-key-jwt.js';
export type {
  AssertionAlgorithm,
  AssertionKey,
  AssertionSigner,
  PrivateKeyJwtOptions,
  PublicKeyJwk,
  PublicKeyJwkOptions,
  PublicKeyReading,
} from './client/private-key-jwt.js';
export type { PlatformLogger, PlatformRequestOptions, UnreadableReason } from './client/requester.js';
export { MAX_RESPONSE_BYTES, MAX_ROUTE_FILE_BYTES } from './client/route-call.js';
export { MAX_RETRY_WAIT_MS } from './client/requester.js';
export type { RouteCallParams, RouteCallResult } from './client/route-call.js';
export type {
  AcknowledgeParams,
  AlertCalls,
  AlertListParams,
  AnswerParams,
  AppReportCalls,
  CampaignCalls,
  CampaignListParams,
  DemandCalls,
  DemandListParams,
  DemandParams,
  DoNotOriginateCalls,
  DoNotOriginateListParams,
  IterateOptions,
  NoticeCalls,
  PageParams,
  PagedList,
  ProductionCalls,
  ProductionFileParams,
  ProviderCalls,
  ProviderListParams,
  ScorecardParams,
  TracebackCalls,
  TracebackListParams,
  TracebackRequestCalls,
  TracebackRequestListParams,
  TracebackRequestParams,
  WebhookEndpointCalls,
  WebhookEndpointParams,
} from './client/resources/resources.js';
export { MAX_DEMAND_DOCUMENT_BYTES } from './client/resources/resources.js';
export {
  EVENT_STREAM_LEAST_RETRY_MS,
  EVENT_STREAM_SILENCE_MS,
  MAX_EVENT_CHARS,
  MAX_EVENT_ID_LENGTH,
  MAX_STREAM_RETRY_MS,
  createEventStreamParser,
} from './events/platform-events.js';
export type {
  EventStreamConnection,
  EventStreamItem,
  EventStreamOptions,
  EventStreamParser,
  StreamedEvent,
} from './events/platform-events.js';
export type { PlatformFetch, PlatformFetchRequest, TlsFetch, TlsFetchOptions } from './http/platform-fetch.js';
export { createTlsFetch } from './http/platform-fetch.js';
export type {
  MergeSourcesOptions,
  RequestClient,
  RequestSourceState,
  SourceReporting,
} from './sources/source-state.js';
export { mergeTracebackRequestSources } from './sources/source-state.js';
export { NOTICE_POLL_INTERVAL_MS, POLL_INTERVAL_MS, pollTracebackRequests } from './sources/poll-requests.js';
export type { PollOptions } from './sources/poll-requests.js';
export { STEP_OVER_ATTEMPTS, createWebhookRequestSource, streamTracebackRequests } from './sources/stream-requests.js';
export type {
  EventPosition,
  StreamRequestsOptions,
  WebhookRequestSource,
  WebhookRequestSourceOptions,
} from './sources/stream-requests.js';
export type {
  AcknowledgementDetails,
  ArrivalReceipt,
  ArrivalWay,
  TracebackRequestArrival,
  TracebackRequestSource,
} from './traceback-request-source.js';
export { MAX_WEBHOOK_BYTES, WEBHOOK_TOLERANCE_SECONDS, signWebhook, verifyWebhook } from './webhooks/verify-webhook.js';
export type {
  ReceivedWebhook,
  WebhookFailure,
  WebhookFailureReason,
  WebhookFieldName,
  WebhookFields,
  WebhookHeaders,
  WebhookToSign,
  WebhookToVerify,
  WebhookVerification,
} from './webhooks/verify-webhook.js';
export {
  WEBHOOK_DELIVERY_TIMEOUT_MS,
  createWebhookReceiver,
  expressWebhookHandler,
  honoWebhookHandler,
  nodeWebhookHandler,
} from './webhooks/webhook-receiver.js';
export type {
  ExpressRequestLike,
  HonoContextLike,
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
export { demandScopeRefusal, jsonAnswer, problemAnswer, problemDocument } from './server/platform-answer.js';
export {
  createRouteMatcher,
  matchPlatformRoute,
  readPlatformRequest,
  readWireBody,
} from './server/read-platform-request.js';
export type {
  BodySchemas,
  MatchedRoute,
  PlatformRequestReading,
  ReadPlatformRequest,
  RequestReadingOptions,
} from './server/read-platform-request.js';
export type { PlatformAnswer, PlatformProblem } from './server/platform-answer.js';
