import { ENDPOINT_ID } from './cast.js';
import type { WireExamples } from './example.js';

export const problems: WireExamples<'ProblemDetails'> = [
  {
    name: 'invalid-body',
    summary: 'Two places are not in the form of the contract',
    value: {
      type: 'tag:hopback.org,2026:problem/invalid-body',
      title: 'The body is not in the form of the contract',
      status: 400,
      code: 'invalid-body',
      detail: 'The call that is asked about lacks a time.',
      httpRequestId: 'req-01jb0v7x9k',
      errors: [
        { pointer: '/call/at', code: 'invalid_type' },
        { pointer: '/direction', code: 'invalid_value' },
      ],
    },
  },
  {
    name: 'rate-limited',
    summary: 'Too many calls',
    value: {
      type: 'tag:hopback.org,2026:problem/rate-limited',
      title: 'Too many calls',
      status: 429,
      code: 'rate-limited',
    },
  },
];

/** A JWS in its form: header and claims can be read, the signature is none. */
const ASSERTION =
  'eyJhbGciOiJFUzI1NiIsImtpZCI6ImJpcmNoLWNsaWVudC0yMDI2In0.eyJpc3MiOiJiaXJjaCIsInN1YiI6ImJpcmNoIiwiYXVkIjoiaHR0cHM6Ly9pdGcuZXhhbXBsZS9vYXV0aC90b2tlbiIsImp0aSI6IjAxamIwdjd4OWsiLCJpYXQiOjE3OTI3ODU5MDAsImV4cCI6MTc5Mjc4NTk2MH0.c2lnbmF0dXJl';

export const tokenRequests: WireExamples<'TokenRequest'> = [
  {
    name: 'carrier',
    summary: 'A carrier that signed its assertion',
    value: {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: ASSERTION,
      scope: 'carrier',
    },
  },
];

export const tokenAnswers: WireExamples<'TokenAnswer'> = [
  {
    name: 'carrier',
    summary: 'A token for five minutes',
    value: {
      access_token: 'example-token-2YotnFZFEjr1zCsicMWpAA',
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'carrier',
    },
  },
];

export const tokenRefusals: WireExamples<'TokenRefusal'> = [
  {
    name: 'invalid-client',
    summary: 'The assertion does not verify',
    value: { error: 'invalid_client', error_description: 'The key that kid names is not registered.' },
  },
];

export const webhookEndpointCreations: WireExamples<'WebhookEndpointCreation'> = [
  {
    name: 'chosen',
    summary: 'Two kinds of events',
    value: {
      url: 'https://traceback.birch.example/hooks/platform',
      eventTypes: ['org.hopback.traceback-request.created.1', 'org.hopback.traceback-request.cancelled.1'],
      description: 'Answering service, New York',
    },
  },
  { name: 'all', summary: 'All events', value: { url: 'https://traceback.birch.example/hooks/platform' } },
];

const ENDPOINT = {
  endpointId: ENDPOINT_ID,
  url: 'https://traceback.birch.example/hooks/platform',
  eventTypes: ['org.hopback.traceback-request.created.1', 'org.hopback.traceback-request.cancelled.1'],
  description: 'Answering service, New York',
  state: 'active',
  createdAt: '2026-10-01T12:00:00Z',
} as const;

export const webhookEndpoints: WireExamples<'WebhookEndpoint'> = [
  { name: 'active', summary: 'Events are posted', value: { ...ENDPOINT, lastDeliveredAt: '2026-10-23T20:05:11Z' } },
  {
    name: 'disabled',
    summary: 'It answered 410',
    value: { ...ENDPOINT, endpointId: 'whe-11d0c7', state: 'disabled', disabledReason: 'gone' },
  },
];

export const webhookEndpointPages: WireExamples<'WebhookEndpointPage'> = [
  { name: 'last-page', summary: 'There is no more', value: { items: [webhookEndpoints[0].value] } },
];

export const createdWebhookEndpoints: WireExamples<'CreatedWebhookEndpoint'> = [
  {
    name: 'created',
    summary: 'With its secret',
    value: { ...ENDPOINT, secret: 'whsec_ZXhhbXBsZS1zZWNyZXQtb25lLW5vdC1pbi11c2U=' },
  },
];

export const rotatedWebhookSecrets: WireExamples<'RotatedWebhookSecret'> = [
  {
    name: 'rotated',
    summary: 'Both sign for a day',
    value: {
      endpointId: ENDPOINT_ID,
      secret: 'whsec_ZXhhbXBsZS1zZWNyZXQtdHdvLW5vdC1pbi11c2U=',
      previousSecretEndsAt: '2026-10-24T20:00:00Z',
    },
  },
];

export const webhookReplayRequests: WireExamples<'WebhookReplayRequest'> = [
  {
    name: 'an-hour',
    summary: 'What came while the receiver was down',
    value: { since: '2026-10-23T19:00:00Z', until: '2026-10-23T20:00:00Z' },
  },
];

export const webhookReplays: WireExamples<'WebhookReplay'> = [
  { name: 'three', summary: 'Three events', value: { endpointId: ENDPOINT_ID, events: 3 } },
];
