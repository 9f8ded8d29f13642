import type { WireBodyName } from '../../wire/wire-bodies.js';
import {
  answerReceipts,
  answerSubmissions,
  evidencePackSummaries,
  signedReceipts,
  tracebackAnswers,
} from './answer-examples.js';
import {
  createdWebhookEndpoints,
  problems,
  rotatedWebhookSecrets,
  tokenAnswers,
  tokenRefusals,
  tokenRequests,
  webhookEndpointCreations,
  webhookEndpointPages,
  webhookEndpoints,
  webhookReplayRequests,
  webhookReplays,
} from './connection-examples.js';
import {
  demandDecisionRequests,
  demandPages,
  demandSubmissions,
  demands,
  fccNoticePages,
  fccNotices,
  noticeResponses,
  productions,
} from './demand-examples.js';
import { platformEventEnvelopes, platformEvents } from './event-examples.js';
import { recordBatchAnswers, sharedRecords } from './record-examples.js';
import {
  alertAcknowledgements,
  alertPages,
  alerts,
  campaignPages,
  campaigns,
  doNotOriginateEntries,
  doNotOriginateEntryPages,
  providerEntries,
  providerEntryPages,
  providerScorecards,
} from './registry-examples.js';
import {
  requestAcknowledgements,
  tracebackRequestStatusPages,
  tracebackRequestStatuses,
  tracebackRequests,
} from './request-examples.js';
import { appReportReceipts, appReports, tracebackOpenings, tracebackPages, tracebacks } from './traceback-examples.js';
import type { WireExamples } from './example.js';

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
