import { ALDER, BIRCH, CALLED, CEDAR, example, ids, lastPage, RECORDING_SHA256, TRANSCRIPT } from './example.js';
import type { WireExamples } from './example.js';
import type { WireBodies } from '../bodies.js';

export const ProblemDetails: WireExamples<'ProblemDetails'> = [
  example('invalid-body', 'Two places are not in the form of the contract', {
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
  }),
  example('rate-limited', 'Too many calls', {
    type: 'tag:hopback.org,2026:problem/rate-limited',
    title: 'Too many calls',
    status: 429,
    code: 'rate-limited',
  }),
];

/** A JWS in its form: header and claims can be read, the signature is none. */
const ASSERTION =
  'eyJhbGciOiJFUzI1NiIsImtpZCI6ImJpcmNoLWNsaWVudC0yMDI2In0.eyJpc3MiOiJiaXJjaCIsInN1YiI6ImJpcmNoIiwiYXVkIjoiaHR0cHM6Ly9pdGcuZXhhbXBsZS9vYXV0aC90b2tlbiIsImp0aSI6IjAxamIwdjd4OWsiLCJpYXQiOjE3OTI3ODU5MDAsImV4cCI6MTc5Mjc4NTk2MH0.c2lnbmF0dXJl';

export const TokenRequest: WireExamples<'TokenRequest'> = [
  example('carrier', 'A carrier that signed its assertion', {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: ASSERTION,
    scope: 'carrier',
  }),
];

export const TokenAnswer: WireExamples<'TokenAnswer'> = [
  example('carrier', 'A token for five minutes', {
    access_token: 'example-token-2YotnFZFEjr1zCsicMWpAA',
    token_type: 'Bearer',
    expires_in: 300,
    scope: 'carrier',
  }),
];

export const TokenRefusal: WireExamples<'TokenRefusal'> = [
  example('invalid-client', 'The assertion does not verify', {
    error: 'invalid_client',
    error_description: 'The key that kid names is not registered.',
  }),
];

export const WebhookEndpointCreation: WireExamples<'WebhookEndpointCreation'> = [
  example('chosen', 'Two kinds of events', {
    url: 'https://traceback.birch.example/hooks/platform',
    eventTypes: ['org.hopback.traceback-request.created.1', 'org.hopback.traceback-request.cancelled.1'],
    description: 'Answering service, New York',
  }),
  example('all', 'All events', { url: 'https://traceback.birch.example/hooks/platform' }),
];

const ENDPOINT = {
  endpointId: ids.endpoint,
  url: 'https://traceback.birch.example/hooks/platform',
  eventTypes: ['org.hopback.traceback-request.created.1', 'org.hopback.traceback-request.cancelled.1'],
  description: 'Answering service, New York',
  state: 'active',
  createdAt: '2026-10-01T12:00:00Z',
} as const;

export const WebhookEndpoint: WireExamples<'WebhookEndpoint'> = [
  example('active', 'Events are posted', { ...ENDPOINT, lastDeliveredAt: '2026-10-23T20:05:11Z' }),
  example('disabled', 'It answered 410', {
    ...ENDPOINT,
    endpointId: 'whe-11d0c7',
    state: 'disabled',
    disabledReason: 'gone',
  }),
];

export const WebhookEndpointPage: WireExamples<'WebhookEndpointPage'> = [lastPage(WebhookEndpoint[0].value)];

export const CreatedWebhookEndpoint: WireExamples<'CreatedWebhookEndpoint'> = [
  example('created', 'With its secret', { ...ENDPOINT, secret: 'whsec_ZXhhbXBsZS1zZWNyZXQtb25lLW5vdC1pbi11c2U=' }),
];

export const RotatedWebhookSecret: WireExamples<'RotatedWebhookSecret'> = [
  example('rotated', 'Both sign for a day', {
    endpointId: ids.endpoint,
    secret: 'whsec_ZXhhbXBsZS1zZWNyZXQtdHdvLW5vdC1pbi11c2U=',
    previousSecretEndsAt: '2026-10-24T20:00:00Z',
  }),
];

export const WebhookReplayRequest: WireExamples<'WebhookReplayRequest'> = [
  example('an-hour', 'What came while the receiver was down', {
    since: '2026-10-23T19:00:00Z',
    until: '2026-10-23T20:00:00Z',
  }),
];

export const WebhookReplay: WireExamples<'WebhookReplay'> = [
  example('three', 'Three events', { endpointId: ids.endpoint, events: 3 }),
];

export const ProviderEntry: WireExamples<'ProviderEntry'> = [
  example('gateway', 'A gateway provider that certified answers within 24 hours', {
    format: 'hopback.provider-entry.1',
    providerId: 'prv-cedar',
    businessName: 'Cedar Gateway Corp.',
    frn: '0000000103',
    previousBusinessNames: ['Cedar Long Distance Inc.'],
    otherDbaNames: ['CedarVoice'],
    businessAddress: '100 Example Street, Suite 4, New York, NY 10001',
    country: 'US',
    isForeignVoiceServiceProvider: false,
    isVoiceServiceProvider: false,
    isGatewayProvider: true,
    isNonGatewayIntermediateProvider: true,
    implementation: 'partial',
    robocallMitigationContact: {
      name: 'Traceback desk',
      title: 'Duty engineer',
      department: 'Network operations',
      businessAddress: '100 Example Street, Suite 4, New York, NY 10001',
      telephoneNumber: '+1 202 555 0155',
      email: 'traceback@cedar.example',
    },
    ocns: ['903C'],
    spcs: ['903C'],
    principals: [{ name: 'Cedar Holdings LP', role: 'owner' }],
    affiliates: [{ name: 'Cedar Messaging LLC', relation: 'common-owner' }],
    certified24HoursOn: '2026-02-27',
    filingUpdatedOn: '2026-09-14',
    updatedAt: '2026-09-15T04:00:00Z',
  }),
  example('removed', 'A provider whose calls nobody may take directly any longer', {
    format: 'hopback.provider-entry.1',
    providerId: 'prv-gorse',
    businessName: 'Gorse Telecom LLC',
    previousBusinessNames: [],
    otherDbaNames: [],
    isForeignVoiceServiceProvider: false,
    isVoiceServiceProvider: true,
    isGatewayProvider: false,
    isNonGatewayIntermediateProvider: false,
    implementation: 'none',
    ocns: [],
    spcs: [],
    principals: [],
    affiliates: [],
    removal: {
      removedOn: '2026-08-06',
      reason: 'Deficient filing; tracebacks unanswered.',
      orderUrl: 'https://www.fcc.example/orders/da-26-0001',
    },
    updatedAt: '2026-08-06T20:00:00Z',
  }),
];

export const ProviderEntryPage: WireExamples<'ProviderEntryPage'> = [
  example('first-page', 'There is more', { items: [ProviderEntry[0].value], nextCursor: 'Y2VkYXI' }),
];

const SCORECARD: WireBodies['ProviderScorecard'] = {
  format: 'hopback.provider-scorecard.1',
  providerId: 'prv-cedar',
  from: '2025-10-23T00:00:00Z',
  to: '2026-10-23T00:00:00Z',
  requests: {
    received: 48,
    answeredInTime: 40,
    answeredLate: 3,
    unanswered: 2,
    open: 1,
    cancelled: 2,
  },
  tracedCalls: 47,
  answers: [
    { arm: 'received-from', count: 9 },
    { arm: 'point-of-entry', count: 31 },
    { arm: 'not-found', count: 2 },
    { arm: 'refused', count: 1 },
  ],
  refusals: [{ reason: 'Counsel asks for a subpoena.', count: 1 }],
  medianAnswerSeconds: 96.5,
  slowestAnswerSeconds: 171_300,
  roles: { origin: 0, pointOfEntry: 31, transit: 9, terminating: 0 },
  disputed: 1,
  concerns: [{ concern: 'regular-point-of-entry', count: 31 }],
};

export const ProviderScorecard: WireExamples<'ProviderScorecard'> = [
  example('a-year', 'Answers mostly, and in time', SCORECARD),
  example(
    'with-rates',
    'The same with what the concerns rest on: one request is contested, one was late in an outage of the platform',
    {
      ...SCORECARD,
      excluded: [
        { reason: 'withdrawn', count: 2 },
        { reason: 'platform-outage', count: 1 },
      ],
      rates: [
        {
          concern: 'regular-point-of-entry',
          hits: 31,
          trials: 40,
          rate: 0.775,
          lower: 0.625,
          upper: 0.8769,
          campaigns: 6,
          threshold: 0.3,
          isTooFew: false,
          qValue: 0.000_000_2,
        },
        {
          concern: 'not-participating',
          hits: 3,
          trials: 44,
          rate: 0.0682,
          lower: 0.0235,
          upper: 0.1824,
          campaigns: 3,
          threshold: 0.2,
          isTooFew: false,
          qValue: 1,
        },
      ],
      answerTimes: {
        quantiles: [
          { share: 0.5, seconds: 96.5 },
          { share: 0.99, seconds: 171_300 },
        ],
        histogram: [{ upToSeconds: 86_400, count: 40 }, { count: 3 }],
      },
      contests: { pending: 1, upheld: 0, rejected: 0 },
    },
  ),
];

export const DoNotOriginateEntry: WireExamples<'DoNotOriginateEntry'> = [
  example('number', 'A number that only takes calls', {
    entryId: 'dno-000812',
    numbers: { tn: CALLED },
    reason: 'subscriber-request',
    subscriber: 'Example Federal Credit Union',
    validFrom: '2025-12-15T05:00:00Z',
    updatedAt: '2025-12-15T05:00:00Z',
  }),
  example('block', 'A block that no provider had, and one has now', {
    entryId: 'dno-104377',
    numbers: { prefix: '120255501' },
    reason: 'unallocated',
    validFrom: '2025-12-15T05:00:00Z',
    validTo: '2026-10-01T04:00:00Z',
    updatedAt: '2026-10-01T04:00:00Z',
  }),
];

export const DoNotOriginateEntryPage: WireExamples<'DoNotOriginateEntryPage'> = [
  example('last-page', 'There is no more', { items: DoNotOriginateEntry.map(({ value }) => value) }),
];

export const Campaign: WireExamples<'Campaign'> = [
  example('live', 'Calls still come', {
    format: 'hopback.campaign.1',
    campaignId: ids.campaign,
    name: 'SSA-Suspended-P2',
    description: 'Recorded message in the name of the Social Security Administration; press one.',
    state: 'live',
    firstSeenAt: '2026-10-19T13:02:11Z',
    lastSeenAt: '2026-10-23T20:04:55Z',
    updatedAt: '2026-10-23T20:05:21Z',
    observedCalls: 41_208,
    carrierRecords: 63_871,
    appReports: 5_112,
    callingNumbers: 39_771,
    transcript: TRANSCRIPT,
    recordingSha256: [RECORDING_SHA256],
    signals: ['same-script', 'same-recording', 'neighbour-spoofing'],
    providers: [
      { provider: CEDAR, role: 'point-of-entry', tracebacks: 6 },
      { provider: BIRCH, role: 'transit', tracebacks: 4 },
      { provider: ALDER, role: 'terminating', tracebacks: 3 },
    ],
    tracebackIds: [ids.traceback],
    class: 'government-impersonation',
    stateReason: 'calls-came',
    stateSince: '2026-10-19T13:02:11Z',
    callsPerHour: 912,
    estimatedVolume: {
      calls: 402_117,
      basis: 'capture-recapture',
      recorded: 40_105,
      reported: 1_223,
      both: 120,
    },
    reasons: [
      { reason: 'neighbour-spoofing', calls: 40_105 },
      { reason: 'same-script', calls: 1_223 },
      { reason: 'same-recording', calls: 1_190 },
    ],
    signers: [{ spc: '903C', calls: 31_870 }],
    attestations: [
      { attestation: 'C', calls: 31_870 },
      { attestation: 'none', calls: 8_235 },
    ],
    entryPoints: [{ provider: CEDAR, basis: 'traceback', count: 6 }],
    calledAreas: [
      { areaCode: '202', calls: 25_300 },
      { areaCode: '312', calls: 15_908 },
    ],
  }),
];

export const CampaignPage: WireExamples<'CampaignPage'> = [lastPage(Campaign[0].value)];

export const Alert: WireExamples<'Alert'> = [
  example('live-campaign', 'A campaign that calls now, with the provider that lets it in', {
    format: 'hopback.alert.1',
    alertId: ids.alert,
    kind: 'live-campaign',
    severity: 'urgent',
    raisedAt: '2026-10-23T20:06:00Z',
    title: 'SSA-Suspended-P2 calls at 180 calls a minute',
    summary: 'Six of six tracebacks end at one gateway provider. Calls began on Monday and go on.',
    campaignId: ids.campaign,
    tracebackIds: [ids.traceback],
    providers: [CEDAR],
    figures: [
      { name: 'observed-calls', value: 41_208 },
      { name: 'rate', value: 180, unit: 'calls/min' },
    ],
  }),
  example('acknowledged', 'Somebody has seen it', {
    format: 'hopback.alert.1',
    alertId: 'alr-2026-1191',
    kind: 'provider-non-responsive',
    severity: 'warning',
    raisedAt: '2026-10-23T20:10:00Z',
    title: 'Gorse Telecom LLC has not answered five requests',
    summary: 'Five requests since 1 September are due and unanswered.',
    tracebackIds: [],
    providers: [{ providerId: 'prv-gorse', name: 'Gorse Telecom LLC' }],
    figures: [{ name: 'unanswered', value: 5 }],
    acknowledged: {
      acknowledgedBy: 'Consumer protection division',
      intends: 'investigate',
      acknowledgedAt: '2026-10-23T20:31:00Z',
    },
  }),
];

export const AlertPage: WireExamples<'AlertPage'> = [lastPage(Alert[0].value)];

export const AlertAcknowledgement: WireExamples<'AlertAcknowledgement'> = [
  example('plain', 'An agency opens an investigation', {
    acknowledgedBy: 'Consumer protection division',
    intends: 'investigate',
    note: 'A temporary restraining order is being drafted.',
  }),
];
