export { bearerToken } from './retry.js';
export type { RequestAuthorization } from './retry.js';
export type { Clock, TimerClock } from '../core/runtime/clock.js';
export { createPlatformClient } from './client/platform-client.js';
export type { PlatformClient, PlatformClientOptions } from './client/platform-client.js';
export type { PagedList, PlatformOperation } from './client/operations.js';
export { privateKeyJwt } from './client/private-key-jwt.js';
export type { PrivateKeyJwtOptions } from './client/private-key-jwt.js';
export type { PlatformLogger, PlatformRequestOptions } from './client/requester.js';
export type { RouteCallParams, RouteCallResult } from './client/route-call.js';
export type { EventStreamOptions, StreamedEvent } from './events/platform-events.js';
export { createTlsFetch } from './http/platform-fetch.js';
export type { PlatformFetch } from './http/platform-fetch.js';
export { createHttpsRecordTransport } from './record-transport-https.js';
export { mergeTracebackRequestSources } from './sources/source-state.js';
export type { RequestSourceOptions, RequestSourceState } from './sources/source-state.js';
export { pollTracebackRequests } from './sources/poll-requests.js';
export { createWebhookRequestSource, streamTracebackRequests } from './sources/stream-requests.js';
export type { StreamRequestsOptions } from './sources/stream-requests.js';
export type { TracebackRequestArrival, TracebackRequestSource } from './traceback-request-source.js';
export { signWebhook, verifyWebhook } from './webhooks/verify-webhook.js';
export type { ReceivedWebhook, WebhookVerification } from './webhooks/verify-webhook.js';
export {
  createWebhookReceiver,
  expressWebhookHandler,
  honoWebhookHandler,
  nodeWebhookHandler,
} from './webhooks/webhook-receiver.js';
export type { WebhookConsumer, WebhookReceiver, WebhookReceiverOptions } from './webhooks/webhook-receiver.js';

// The contract: its documents, the tables and schemas that they are made of, and the bodies.
export { asyncApiDocument } from '../contract/async-api-document.js';
export { openApiDocument } from '../contract/open-api-document.js';
export { WIRE_SCHEMAS } from '../contract/bodies.js';
export type { WireBodies, WireBodyName, WireSchema } from '../contract/bodies.js';
export { WIRE_EXAMPLES } from '../contract/examples/wire-examples.js';
export type { WireExample } from '../contract/examples/example.js';
export type { PlatformRoute, RouteParameter } from '../contract/route.js';
export { PLATFORM_ROUTES } from '../contract/routes.js';
export type { BodyOf, Page, PlatformScope, ProblemCode, ReadonlyDeep } from '../contract/common.js';
export { ProblemDetails } from '../contract/common.js';
export { Alert, FccNotice, NoticeResponse } from '../contract/alert.js';
export { AppReport, Campaign } from '../contract/campaign.js';
export { Demand, DemandRecordClass, DemandScope, DemandSubmission, Production } from '../contract/demand.js';
export { PlatformEvent, PLATFORM_EVENT_DATA } from '../contract/event.js';
export type { PlatformEventType, PlatformEventData } from '../contract/event.js';
export { DoNotOriginateEntry, ProviderEntry, ProviderScorecard } from '../contract/provider.js';
export { RecordBatchAnswer } from '../contract/record-batch.js';
export type { DeliveryResult, RecordBatch, RecordTransport } from '../contract/record-batch.js';
export type { CloudEventAttributes } from '../core/cloud-event.js';
export { Traceback, TracebackOpening } from '../contract/traceback.js';
export { TracebackRequestStatus } from '../contract/traceback-exchange.js';
