import { answered, BODY_PROBLEMS, IDEMPOTENCY_KEY, inPath, json, KEY_PROBLEMS, PAGING } from './route-parts.js';
import type { PlatformRoute } from './route.js';

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
  summary: 'Have no more events posted to an address',
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
