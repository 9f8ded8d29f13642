import {
  CALLED,
  CAMPAIGN_ID,
  CEDAR,
  ALDER,
  BIRCH,
  RECORDING_SHA256,
  TRACEBACK_ID,
  TRANSCRIPT,
  ALERT_ID,
} from './cast.js';
import type { WireExamples } from './example.js';

export const providerEntries: WireExamples<'ProviderEntry'> = [
  {
    name: 'gateway',
    summary: 'A gateway provider that certified answers within 24 hours',
    value: {
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
    },
  },
  {
    name: 'removed',
    summary: 'A provider whose calls nobody may take directly any longer',
    value: {
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
    },
  },
];

export const providerEntryPages: WireExamples<'ProviderEntryPage'> = [
  {
    name: 'first-page',
    summary: 'There is more',
    value: { items: [providerEntries[0].value], nextCursor: 'Y2VkYXI' },
  },
];

export const providerScorecards: WireExamples<'ProviderScorecard'> = [
  {
    name: 'a-year',
    summary: 'Answers mostly, and in time',
    value: {
      format: 'hopback.provider-scorecard.1',
      providerId: 'prv-cedar',
      from: '2025-10-23T00:00:00Z',
      to: '2026-10-23T00:00:00Z',
      requests: { received: 48, answeredInTime: 40, answeredLate: 3, unanswered: 2, open: 1, cancelled: 2 },
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
    },
  },
  {
    name: 'with-rates',
    summary:
      'The same with what the concerns rest on: one request is contested, one was late in an outage of the platform',
    value: {
      format: 'hopback.provider-scorecard.1',
      providerId: 'prv-cedar',
      from: '2025-10-23T00:00:00Z',
      to: '2026-10-23T00:00:00Z',
      requests: { received: 48, answeredInTime: 40, answeredLate: 3, unanswered: 2, open: 1, cancelled: 2 },
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
  },
];

export const doNotOriginateEntries: WireExamples<'DoNotOriginateEntry'> = [
  {
    name: 'number',
    summary: 'A number that only takes calls',
    value: {
      entryId: 'dno-000812',
      numbers: { tn: CALLED },
      reason: 'subscriber-request',
      subscriber: 'Example Federal Credit Union',
      validFrom: '2025-12-15T05:00:00Z',
      updatedAt: '2025-12-15T05:00:00Z',
    },
  },
  {
    name: 'block',
    summary: 'A block that no provider had, and one has now',
    value: {
      entryId: 'dno-104377',
      numbers: { prefix: '120255501' },
      reason: 'unallocated',
      validFrom: '2025-12-15T05:00:00Z',
      validTo: '2026-10-01T04:00:00Z',
      updatedAt: '2026-10-01T04:00:00Z',
    },
  },
];

export const doNotOriginateEntryPages: WireExamples<'DoNotOriginateEntryPage'> = [
  {
    name: 'last-page',
    summary: 'There is no more',
    value: { items: doNotOriginateEntries.map(({ value }) => value) },
  },
];

export const campaigns: WireExamples<'Campaign'> = [
  {
    name: 'live',
    summary: 'Calls still come',
    value: {
      format: 'hopback.campaign.1',
      campaignId: CAMPAIGN_ID,
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
      tracebackIds: [TRACEBACK_ID],
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
    },
  },
];

export const campaignPages: WireExamples<'CampaignPage'> = [
  { name: 'last-page', summary: 'There is no more', value: { items: [campaigns[0].value] } },
];

export const alerts: WireExamples<'Alert'> = [
  {
    name: 'live-campaign',
    summary: 'A campaign that calls now, with the provider that lets it in',
    value: {
      format: 'hopback.alert.1',
      alertId: ALERT_ID,
      kind: 'live-campaign',
      severity: 'urgent',
      raisedAt: '2026-10-23T20:06:00Z',
      title: 'SSA-Suspended-P2 calls at 180 calls a minute',
      summary: 'Six of six tracebacks end at one gateway provider. Calls began on Monday and go on.',
      campaignId: CAMPAIGN_ID,
      tracebackIds: [TRACEBACK_ID],
      providers: [CEDAR],
      figures: [
        { name: 'observed-calls', value: 41_208 },
        { name: 'rate', value: 180, unit: 'calls/min' },
      ],
    },
  },
  {
    name: 'acknowledged',
    summary: 'Somebody has seen it',
    value: {
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
    },
  },
];

export const alertPages: WireExamples<'AlertPage'> = [
  { name: 'last-page', summary: 'There is no more', value: { items: [alerts[0].value] } },
];

export const alertAcknowledgements: WireExamples<'AlertAcknowledgement'> = [
  {
    name: 'plain',
    summary: 'An agency opens an investigation',
    value: {
      acknowledgedBy: 'Consumer protection division',
      intends: 'investigate',
      note: 'A temporary restraining order is being drafted.',
    },
  },
];
