import { answered, BODY_PROBLEMS, IDEMPOTENCY_KEY, inPath, inQuery, json, KEY_PROBLEMS, PAGING } from './route.js';
import type { PlatformRoute } from './route.js';

const REQUEST_ID = inPath('requestId', 'Of the request to the calling provider.');

const TOKEN: PlatformRoute = {
  operationId: 'issueToken',
  method: 'POST',
  path: '/oauth/token',
  tag: 'Tokens',
  summary: 'Get a token for calls to the platform',
  description:
    'Client credentials, with a JWT that the client signed in place of a password (RFC 6749 section 4.4, RFC 7523). An assertion is used once: the platform remembers its `jti`. Errors are those of RFC 6749 section 5.2, not problem documents.',
  allowed: [],
  parameters: [],
  request: { kind: 'form', body: 'TokenRequest' },
  response: answered(200, 'TokenAnswer', 'A token.'),
  refusals: [
    {
      status: 400,
      body: 'TokenRefusal',
      description: 'The request is not in its form, or asks for what the client may not have.',
    },
    { status: 401, body: 'TokenRefusal', description: 'The assertion is not believed.' },
  ],
  problems: [],
  idempotency: 'by-content',
};

const RECORD_BATCHES: PlatformRoute = {
  operationId: 'sendRecordBatch',
  method: 'POST',
  path: '/v1/record-batches',
  tag: 'Call records',
  summary: 'Stream call records',
  description:
    'One shared record of JSON a line, compressed, with the attributes of a CloudEvent in `ce-` fields (binary mode); `Idempotency-Key` is `ce-id`. Records are told apart by `recordId`: what the platform has already counts as accepted. What it will not have is named in the answer, and the rest is stored.',
  allowed: ['carrier'],
  parameters: [
    IDEMPOTENCY_KEY,
    {
      name: 'Content-Encoding',
      in: 'header',
      form: ['gzip', 'br'],
      description: 'How the body is compressed.',
      isRequired: true,
    },
    { name: 'ce-specversion', in: 'header', form: ['1.0'], description: 'Version of CloudEvents.', isRequired: true },
    {
      name: 'ce-id',
      in: 'header',
      form: 'identifier',
      description: 'Of the batch: the same octets have the same id.',
      isRequired: true,
    },
    { name: 'ce-source', in: 'header', form: 'line', description: 'URI reference of whoever sends.', isRequired: true },
    {
      name: 'ce-type',
      in: 'header',
      form: ['org.hopback.call-records.1'],
      description: 'Kind of event.',
      isRequired: true,
    },
    { name: 'ce-time', in: 'header', form: 'utc-time', description: 'When the batch was made.', isRequired: true },
  ],
  request: { kind: 'lines', line: 'SharedRecord' },
  response: answered(200, 'RecordBatchAnswer', 'What was stored, and what will not be.'),
  problems: [...BODY_PROBLEMS, ...KEY_PROBLEMS],
  idempotency: 'by-content',
};

const LIST_REQUESTS: PlatformRoute = {
  operationId: 'listTracebackRequests',
  method: 'GET',
  path: '/v1/traceback-requests',
  tag: 'Traceback requests',
  summary: 'List requests to the calling provider',
  description:
    'Oldest first. Polling with `state=open` needs no inbound port and returns every open request, including acknowledged ones. It does not report cancellations.',
  allowed: ['carrier'],
  parameters: [
    inQuery('state', 'Only in this state; default `open`, requests without an answer.', ['open', 'answered', 'all']),
    ...PAGING,
  ],
  response: answered(200, 'TracebackRequestStatusPage', 'Requests with what has been said to them.'),
  problems: ['invalid-parameter'],
  idempotency: 'safe',
};

const FETCH_REQUEST: PlatformRoute = {
  operationId: 'fetchTracebackRequest',
  method: 'GET',
  path: '/v1/traceback-requests/{requestId}',
  tag: 'Traceback requests',
  summary: 'Fetch one request to the calling provider',
  description: 'What is here is true, whatever events said and in which order they came.',
  allowed: ['carrier'],
  parameters: [REQUEST_ID],
  response: answered(200, 'TracebackRequestStatus', 'The request with what has been said to it.'),
  problems: ['invalid-parameter', 'not-found'],
  idempotency: 'safe',
};

const ACKNOWLEDGE_REQUEST: PlatformRoute = {
  operationId: 'acknowledgeTracebackRequest',
  method: 'POST',
  path: '/v1/traceback-requests/{requestId}/acknowledgement',
  tag: 'Traceback requests',
  summary: 'Say that a request has arrived',
  description: 'The first acknowledgement counts; further ones change nothing. It is no answer, and stops no clock.',
  allowed: ['carrier'],
  parameters: [REQUEST_ID],
  request: json('RequestAcknowledgement'),
  response: answered(200, 'TracebackRequestStatus', 'The request as it stands now.'),
  problems: [...BODY_PROBLEMS, 'invalid-parameter', 'not-found', 'request-cancelled'],
  idempotency: 'by-content',
};

const ANSWER_REQUEST: PlatformRoute = {
  operationId: 'answerTracebackRequest',
  method: 'POST',
  path: '/v1/traceback-requests/{requestId}/answers',
  tag: 'Traceback requests',
  summary: 'Answer a request',
  description:
    'The answer is a compact JWS over a `TracebackAnswer`, so that it cannot be denied. The platform stores it and answers with a receipt that it signed itself. The same JWS sent again gets the same receipt; another one for the same `answerId` is refused with `conflict`. What was wrong in an answer is amended by one with the next `revision`.',
  allowed: ['carrier'],
  parameters: [REQUEST_ID, IDEMPOTENCY_KEY],
  request: json('AnswerSubmission'),
  response: answered(201, 'SignedReceipt', 'The answer is stored.'),
  problems: [
    ...BODY_PROBLEMS,
    ...KEY_PROBLEMS,
    'not-found',
    'conflict',
    'request-cancelled',
    'answer-signature-invalid',
    'answer-mismatch',
    'answer-out-of-sequence',
  ],
  idempotency: 'key',
};

const FETCH_RECEIPT: PlatformRoute = {
  operationId: 'fetchAnswerReceipt',
  method: 'GET',
  path: '/v1/traceback-requests/{requestId}/answers/{answerId}/receipt',
  tag: 'Traceback requests',
  summary: 'Fetch the receipt of an answer once more',
  description:
    'For whoever sent an answer and did not live to read the response: `not-found` says that the answer is not stored.',
  allowed: ['carrier'],
  parameters: [REQUEST_ID, inPath('answerId', 'Of the answer.')],
  response: answered(200, 'SignedReceipt', 'The receipt, the same as at first.'),
  problems: ['invalid-parameter', 'not-found'],
  idempotency: 'safe',
};

const LIST_NOTICES: PlatformRoute = {
  operationId: 'listNotices',
  method: 'GET',
  path: '/v1/notices',
  tag: 'Notices',
  summary: "List the Commission's notices to the calling provider",
  description:
    'Notices of suspected illegal traffic (47 CFR 64.1200(n)), newest first, with the responses that were given.',
  allowed: ['carrier', 'staff'],
  parameters: PAGING,
  response: answered(200, 'FccNoticePage', 'Notices.'),
  problems: ['invalid-parameter'],
  idempotency: 'safe',
};

const RESPOND_TO_NOTICE: PlatformRoute = {
  operationId: 'respondToNotice',
  method: 'POST',
  path: '/v1/notices/{noticeId}/responses',
  tag: 'Notices',
  summary: 'Respond to a notice',
  description: 'First what was done, within 48 hours; then what was found, within 14 days. `responseId` tells repeats.',
  allowed: ['carrier'],
  parameters: [inPath('noticeId', 'Of the notice.')],
  request: json('NoticeResponse'),
  response: answered(201, 'FccNotice', 'The notice with the response.'),
  problems: [...BODY_PROBLEMS, 'invalid-parameter', 'not-found', 'conflict'],
  idempotency: 'by-content',
};

/** What a carrier calls. */
export const CARRIER_ROUTES: readonly PlatformRoute[] = [
  TOKEN,
  RECORD_BATCHES,
  LIST_REQUESTS,
  FETCH_REQUEST,
  ACKNOWLEDGE_REQUEST,
  ANSWER_REQUEST,
  FETCH_RECEIPT,
  LIST_NOTICES,
  RESPOND_TO_NOTICE,
];

const ENDPOINT_ID = inPath('endpointId', 'Of the endpoint.');
const EVERYBODY = ['carrier', 'app', 'agency', 'staff'] as const;

const CREATE_ENDPOINT: PlatformRoute = {
  operationId: 'createWebhookEndpoint',
  method: 'POST',
  path: '/v1/webhook-endpoints',
  tag: 'Events',
  summary: 'Have events posted to an address',
  description:
    'Signed after Standard Webhooks. The secret is shown in this response and never again. Redirects are not followed; 410 disables the endpoint.',
  allowed: EVERYBODY,
  parameters: [IDEMPOTENCY_KEY],
  request: json('WebhookEndpointCreation'),
  response: answered(201, 'CreatedWebhookEndpoint', 'The endpoint with its secret.'),
  problems: [...BODY_PROBLEMS, ...KEY_PROBLEMS, 'webhook-url-refused'],
  idempotency: 'key',
};

const LIST_ENDPOINTS: PlatformRoute = {
  operationId: 'listWebhookEndpoints',
  method: 'GET',
  path: '/v1/webhook-endpoints',
  tag: 'Events',
  summary: 'List addresses that events are posted to',
  description: 'Those of the calling organization, without their secrets.',
  allowed: EVERYBODY,
  parameters: PAGING,
  response: answered(200, 'WebhookEndpointPage', 'Endpoints.'),
  problems: ['invalid-parameter'],
  idempotency: 'safe',
};

const DELETE_ENDPOINT: PlatformRoute = {
  operationId: 'deleteWebhookEndpoint',
  method: 'DELETE',
  path: '/v1/webhook-endpoints/{endpointId}',
  tag: 'Events',
  summary: 'Delete a webhook endpoint',
  description: 'One that is not there any longer is `not-found`, which for a repeat means that it worked.',
  allowed: EVERYBODY,
  parameters: [ENDPOINT_ID],
  response: { kind: 'nothing', status: 204, description: 'There is no such endpoint any longer.' },
  problems: ['invalid-parameter', 'not-found'],
  idempotency: 'by-content',
};

const ROTATE_SECRET: PlatformRoute = {
  operationId: 'rotateWebhookSecret',
  method: 'POST',
  path: '/v1/webhook-endpoints/{endpointId}/rotate-secret',
  tag: 'Events',
  summary: 'Get a new secret for an endpoint',
  description: 'Until the old one ends every event carries a signature of each.',
  allowed: EVERYBODY,
  parameters: [ENDPOINT_ID, IDEMPOTENCY_KEY],
  response: answered(200, 'RotatedWebhookSecret', 'The new secret.'),
  problems: [...KEY_PROBLEMS, 'not-found'],
  idempotency: 'key',
};

const REPLAY: PlatformRoute = {
  operationId: 'replayWebhookEvents',
  method: 'POST',
  path: '/v1/webhook-endpoints/{endpointId}/replay',
  tag: 'Events',
  summary: 'Have events posted once more',
  description: 'In their order and under their old ids, so that whoever has one knows it. Events are kept for 30 days.',
  allowed: EVERYBODY,
  parameters: [ENDPOINT_ID, IDEMPOTENCY_KEY],
  request: json('WebhookReplayRequest'),
  response: answered(202, 'WebhookReplay', 'They will be posted.'),
  problems: [...BODY_PROBLEMS, ...KEY_PROBLEMS, 'not-found', 'gone'],
  idempotency: 'key',
};

const STREAM_EVENTS: PlatformRoute = {
  operationId: 'streamEvents',
  method: 'GET',
  path: '/v1/events',
  tag: 'Events',
  summary: 'Read events as they come',
  description:
    'Server-sent events: `id` is the id of the event, `event` its type, `data` the whole event in one line of JSON, the same as a webhook has. A comment comes every 15 seconds at least. With `Last-Event-ID` it goes on behind that event; `gone` says that it is not kept any longer, so that what was missed has to be listed.',
  allowed: EVERYBODY,
  parameters: [
    {
      name: 'Last-Event-ID',
      in: 'header',
      form: 'identifier',
      description: 'The last event that was read; only what comes from now on where it is absent.',
      isRequired: false,
    },
  ],
  response: {
    kind: 'event-stream',
    status: 200,
    description: 'Events, without an end. Each `data` is an event as the AsyncAPI document of the contract has it.',
  },
  problems: ['invalid-parameter', 'gone'],
  idempotency: 'safe',
};

/** Events by webhook and stream. */
export const EVENT_ROUTES: readonly PlatformRoute[] = [
  CREATE_ENDPOINT,
  LIST_ENDPOINTS,
  DELETE_ENDPOINT,
  ROTATE_SECRET,
  REPLAY,
  STREAM_EVENTS,
];
