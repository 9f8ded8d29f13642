import type { WireBodyName } from '../bodies.js';
import type { PlatformEventData, PlatformEventEnvelope, PlatformEventType } from '../event.js';
import {
  DECIDED,
  demandDecisionRequests,
  demandPages,
  demands,
  demandSubmissions,
  fccNoticePages,
  fccNotices,
  noticeResponses,
  productions,
} from './demand-examples.js';
import {
  ALERT_ID,
  ANSWER_ID,
  BIRCH_REQUEST_ID,
  CAMPAIGN_ID,
  DEMAND_ID,
  DUE_AT,
  NOTICE_ID,
  PRODUCTION_ID,
  TRACEBACK_ID,
} from './example.js';
import type { WireExample, WireExamples } from './example.js';
import {
  alertAcknowledgements,
  alertPages,
  alerts,
  campaignPages,
  campaigns,
  createdWebhookEndpoints,
  doNotOriginateEntries,
  doNotOriginateEntryPages,
  problems,
  providerEntries,
  providerEntryPages,
  providerScorecards,
  rotatedWebhookSecrets,
  tokenAnswers,
  tokenRefusals,
  tokenRequests,
  webhookEndpointCreations,
  webhookEndpointPages,
  webhookEndpoints,
  webhookReplayRequests,
  webhookReplays,
} from './registry-examples.js';
import {
  answerReceipts,
  answerSubmissions,
  BIRCH_REQUEST,
  evidencePackSummaries,
  requestAcknowledgements,
  signedReceipts,
  tracebackAnswers,
  tracebackRequests,
  tracebackRequestStatuses,
  tracebackRequestStatusPages,
} from './request-examples.js';
import {
  appReportReceipts,
  appReports,
  recordBatchAnswers,
  sharedRecords,
  tracebackOpenings,
  tracebackPages,
  tracebacks,
} from './traceback-examples.js';

const NAMES = { requestId: BIRCH_REQUEST_ID, tracebackId: TRACEBACK_ID } as const;

/** Subject and time of an event of each kind. */
type EventParts = {
  readonly [Type in PlatformEventType]: {
    readonly id: string;
    readonly subject: string;
    readonly time: string;
    readonly data: PlatformEventData[Type];
  };
};

const PARTS: EventParts = {
  'org.hopback.traceback-request.created.1': {
    id: 'evt-000001',
    subject: BIRCH_REQUEST_ID,
    time: '2026-10-23T20:05:10.020Z',
    data: { request: BIRCH_REQUEST },
  },
  'org.hopback.traceback-request.reminded.1': {
    id: 'evt-000002',
    subject: BIRCH_REQUEST_ID,
    time: '2026-10-26T16:05:10Z',
    data: { ...NAMES, dueAt: DUE_AT, reminder: 1 },
  },
  'org.hopback.traceback-request.cancelled.1': {
    id: 'evt-000003',
    subject: BIRCH_REQUEST_ID,
    time: '2026-10-23T21:00:00Z',
    data: { ...NAMES, cancelledAt: '2026-10-23T21:00:00Z', reason: 'Another request covers the same call.' },
  },
  'org.hopback.traceback-request.overdue.1': {
    id: 'evt-000004',
    subject: BIRCH_REQUEST_ID,
    time: DUE_AT,
    data: { ...NAMES, dueAt: DUE_AT },
  },
  'org.hopback.traceback-answer.received.1': {
    id: 'evt-000005',
    subject: ANSWER_ID,
    time: '2026-10-23T20:05:12.500Z',
    data: answerReceipts[0].value,
  },
  'org.hopback.traceback.updated.1': {
    id: 'evt-000006',
    subject: TRACEBACK_ID,
    time: '2026-10-23T20:05:21Z',
    data: { traceback: tracebacks[0].value },
  },
  'org.hopback.notice.issued.1': {
    id: 'evt-000007',
    subject: NOTICE_ID,
    time: '2026-10-23T21:30:01Z',
    data: { notice: fccNotices[0].value },
  },
  'org.hopback.alert.raised.1': {
    id: 'evt-000008',
    subject: ALERT_ID,
    time: '2026-10-23T20:06:00Z',
    data: { alert: alerts[0].value },
  },
  'org.hopback.campaign.updated.1': {
    id: 'evt-000009',
    subject: CAMPAIGN_ID,
    time: '2026-10-23T20:05:21Z',
    data: { campaign: campaigns[0].value },
  },
  'org.hopback.demand.decided.1': {
    id: 'evt-000010',
    subject: DEMAND_ID,
    time: '2026-10-23T22:15:00Z',
    data: DECIDED,
  },
  'org.hopback.production.ready.1': {
    id: 'evt-000011',
    subject: PRODUCTION_ID,
    time: '2026-10-23T22:15:09Z',
    data: { production: productions[0].value },
  },
  'org.hopback.platform.fault.1': {
    id: 'evt-000012',
    subject: `demand:${DEMAND_ID}`,
    time: '2026-10-23T23:05:00Z',
    data: {
      subject: `demand:${DEMAND_ID}`,
      fault: 'demands.holds',
      title: `The legal hold of demand ${DEMAND_ID} is not in place`,
      summary: 'The platform tried 10 times to place the hold, and tries once a day from now on.',
    },
  },
};

/**
 * An event of a kind as the examples have it. Never throws.
 * @param type - of the event
 * @returns the whole event
 */
export function exampleEvent<Type extends PlatformEventType>(
  type: Type,
): PlatformEventEnvelope<Type, PlatformEventData[Type]> {
  const { id, subject, time, data } = PARTS[type];
  return {
    specversion: '1.0',
    id,
    source: 'https://itg.example/',
    type,
    subject,
    time,
    datacontenttype: 'application/json',
    data,
  };
}

/** `org.hopback.alert.raised.1` is called `alert-raised`. */
const nameOf = (type: PlatformEventType): string => type.slice('org.hopback.'.length, -2).replaceAll('.', '-');

const event = (type: PlatformEventType, summary: string): WireExample<'PlatformEvent'> => ({
  name: nameOf(type),
  summary,
  // The compiler does not carry the pairing of type and data through the union.
  value: exampleEvent(type) as WireExample<'PlatformEvent'>['value'],
});

const platformEvents: WireExamples<'PlatformEvent'> = [
  event('org.hopback.traceback-request.created.1', 'A provider is asked'),
  event('org.hopback.traceback-request.reminded.1', 'An answer is still wanted'),
  event('org.hopback.traceback-request.cancelled.1', 'No answer is wanted any longer'),
  event('org.hopback.traceback-request.overdue.1', 'An answer was due'),
  event('org.hopback.traceback-answer.received.1', 'An answer is stored'),
  event('org.hopback.traceback.updated.1', 'A traceback ended'),
  event('org.hopback.notice.issued.1', 'A notice of suspected illegal traffic'),
  event('org.hopback.alert.raised.1', 'A live campaign'),
  event('org.hopback.campaign.updated.1', 'A campaign changed'),
  event('org.hopback.demand.decided.1', 'A demand was approved'),
  event('org.hopback.production.ready.1', 'A production can be fetched'),
  event('org.hopback.platform.fault.1', 'A legal hold is not in place'),
];

const platformEventEnvelopes: WireExamples<'PlatformEventEnvelope'> = [
  {
    name: 'unknown-kind',
    summary: 'A kind of a later release, which is let pass',
    value: {
      specversion: '1.0',
      id: 'evt-000012',
      source: 'https://itg.example/',
      type: 'org.hopback.scorecard.updated.1',
      time: '2026-10-24T00:00:00Z',
      datacontenttype: 'application/json',
      data: { providerId: 'prv-cedar' },
    },
  },
];

/**
 * Examples of every body, all of the same afternoon: ids, numbers and hashes fit together. Numbers are those set aside for fiction.
 * @see RFC 2606 for the names of hosts, RFC 5737 for addresses, NANPA for 555-0100 to 555-0199
 * @example
 * ```ts
 * const request = WIRE_EXAMPLES.TracebackRequest[0].value;
 * console.log(request.requestId, WIRE_SCHEMAS.TracebackRequest.safeParse(request).success); // trq-20261023-0017-2 true
 * ```
 */
export const WIRE_EXAMPLES: { readonly [Name in WireBodyName]: WireExamples<Name> } = {
  ProblemDetails: problems,
  TokenRequest: tokenRequests,
  TokenAnswer: tokenAnswers,
  TokenRefusal: tokenRefusals,
  SharedRecord: sharedRecords,
  RecordBatchAnswer: recordBatchAnswers,
  TracebackRequest: tracebackRequests,
  TracebackRequestStatus: tracebackRequestStatuses,
  TracebackRequestStatusPage: tracebackRequestStatusPages,
  RequestAcknowledgement: requestAcknowledgements,
  TracebackAnswer: tracebackAnswers,
  AnswerSubmission: answerSubmissions,
  EvidencePackSummary: evidencePackSummaries,
  AnswerReceipt: answerReceipts,
  SignedReceipt: signedReceipts,
  TracebackOpening: tracebackOpenings,
  Traceback: tracebacks,
  TracebackPage: tracebackPages,
  AppReport: appReports,
  AppReportReceipt: appReportReceipts,
  ProviderEntry: providerEntries,
  ProviderEntryPage: providerEntryPages,
  ProviderScorecard: providerScorecards,
  DoNotOriginateEntry: doNotOriginateEntries,
  DoNotOriginateEntryPage: doNotOriginateEntryPages,
  Campaign: campaigns,
  CampaignPage: campaignPages,
  Alert: alerts,
  AlertPage: alertPages,
  AlertAcknowledgement: alertAcknowledgements,
  FccNotice: fccNotices,
  FccNoticePage: fccNoticePages,
  NoticeResponse: noticeResponses,
  DemandSubmission: demandSubmissions,
  Demand: demands,
  DemandPage: demandPages,
  DemandDecisionRequest: demandDecisionRequests,
  Production: productions,
  WebhookEndpointCreation: webhookEndpointCreations,
  WebhookEndpoint: webhookEndpoints,
  WebhookEndpointPage: webhookEndpointPages,
  CreatedWebhookEndpoint: createdWebhookEndpoints,
  RotatedWebhookSecret: rotatedWebhookSecrets,
  WebhookReplayRequest: webhookReplayRequests,
  WebhookReplay: webhookReplays,
  PlatformEvent: platformEvents,
  PlatformEventEnvelope: platformEventEnvelopes,
};
