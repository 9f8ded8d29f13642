export { bearerToken, MAX_BEARER_TOKEN_LENGTH, MAX_RETRY_AFTER_MS, retryAfterMs, retryClassOf } from './retry.js';
export type { RequestAuthorization, RequestToAuthorize, RetryClass } from './retry.js';
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
export { Alert, AlertAcknowledgement, FccNotice, NoticeResponse } from '../contract/alert.js';
export type { AlertKind, NoticeState } from '../contract/alert.js';
export { asyncApiDocument } from '../contract/async-api-document.js';
export { WIRE_SCHEMAS } from '../contract/bodies.js';
export type { WireBodies, WireBodyName, WireIssue, WireReading, WireSchema } from '../contract/bodies.js';
export {
  CalledNumber,
  CallRecord,
  CoverageInterval,
  Disposition,
  HopSide,
  OwnSigning,
  PartyNumber,
  RawRow,
  ReceivedVerification,
  RecordFormat,
  Release,
  SharedCalledNumber,
  SharedCallingNumber,
  SharedEvidence,
  SharedRecord,
  TimeBasis,
  VerdictEvidence,
} from '../contract/call-record.js';
export type { RecordSource, SharingMark } from '../contract/call-record.js';
export { AppReport, AppReportReceipt, Campaign, CampaignProvider } from '../contract/campaign.js';
export type { AudioFingerprint, CampaignEntryPoint, CampaignRole, CampaignVolume } from '../contract/campaign.js';
export {
  CLIENT_ASSERTION_TYPE,
  ContactDetails,
  DEFAULT_PAGE_ITEMS,
  MAX_PAGE_ITEMS,
  ProblemDetails,
  ProviderReference,
  TokenAnswer,
  TokenRefusal,
  TokenRequest,
} from '../contract/common.js';
export type { BodyOf, Page, PlatformScope, ProblemCode, ProblemLocation, ReadonlyDeep } from '../contract/common.js';
export { isParameterInForm } from '../contract/component-schemas.js';
export {
  Demand,
  DemandDecision,
  DemandDecisionRequest,
  DemandRecordClass,
  DemandScope,
  DemandSubmission,
  Production,
  ProductionFile,
} from '../contract/demand.js';
export type { DemandKind, DemandState, ProductionState } from '../contract/demand.js';
export {
  CreatedWebhookEndpoint,
  PLATFORM_EVENT_DATA,
  PlatformEvent,
  PlatformEventEnvelope,
  RotatedWebhookSecret,
  WebhookEndpoint,
  WebhookEndpointCreation,
  WebhookReplay,
  WebhookReplayRequest,
} from '../contract/event.js';
export type {
  DemandDecidedData,
  PlatformEventData,
  PlatformEventType,
  WebhookDisabledReason,
} from '../contract/event.js';
export { PLATFORM_EVENT_KINDS } from '../contract/event-table.js';
export type { PlatformEventKind } from '../contract/event-table.js';
export type { WireExample, WireExamples } from '../contract/examples/example.js';
export { WIRE_EXAMPLES } from '../contract/examples/wire-examples.js';
export { openApiDocument, WEBHOOK_FIELDS } from '../contract/open-api-document.js';
export { COMMON_PROBLEMS, PROBLEM_KINDS, problemType } from '../contract/problem-table.js';
export type { ProblemKind } from '../contract/problem-table.js';
export {
  CooperationConcern,
  DoNotOriginateEntry,
  ProviderAffiliate,
  ProviderEntry,
  ProviderPrincipal,
  ProviderRemoval,
  ProviderScorecard,
  RobocallMitigationContact,
} from '../contract/provider.js';
export type { ImplementationStatus } from '../contract/provider.js';
export {
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  readRecordBatchAnswer,
  RECORD_BATCH_MEDIA_TYPE,
  RECORD_BATCH_TYPE,
  RecordBatchAnswer,
} from '../contract/record-batch.js';
export type {
  BarredReason,
  BatchEncoding,
  DeliveryResult,
  RecordBatch,
  RecordBatchAnswerReading,
  RecordRejection,
  RecordTransport,
  UnavailableReason,
} from '../contract/record-batch.js';
export type {
  ParameterForm,
  PlatformRoute,
  RouteIdempotency,
  RouteParameter,
  RouteRequest,
  RouteResponse,
  RouteTag,
} from '../contract/route.js';
export { CONTRACT_VERSION, PLATFORM_ROUTES, ROUTE_TAGS } from '../contract/routes.js';
export { Traceback, TracebackConclusion, TracebackHop, TracebackOpening } from '../contract/traceback.js';
export type { TracebackHopState, TracebackState } from '../contract/traceback.js';
export {
  ANSWER_RECEIPT_JWS_TYPE,
  AnsweredCall,
  Answerer,
  AnswerReceipt,
  AnswerSubmission,
  CustomerAction,
  CustomerStatement,
  EvidenceFile,
  EvidencePackSummary,
  EvidenceReference,
  FINDING_ARMS,
  LogCheckpoint,
  MAX_ANSWER_JWS_CHARS,
  RequestAcknowledgement,
  RequestedCall,
  RequestedCampaign,
  Requester,
  SearchStatement,
  SignedReceipt,
  StatedTime,
  TRACEBACK_ANSWER_JWS_TYPE,
  TracebackAnswer,
  TracebackFinding,
  TracebackRequest,
  TracebackRequestStatus,
} from '../contract/traceback-exchange.js';
export type { FindingArm, ReceivedAnswer, RequesterKind, TimePrecision } from '../contract/traceback-exchange.js';
export type { CloudEventAttributes } from '../core/cloud-event.js';
export type { EvidenceException, PassportEvidence } from '../core/verdict-evidence.js';

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
