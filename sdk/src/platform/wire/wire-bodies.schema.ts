import type { z } from 'zod';
import { alertAcknowledgementSchema, alertSchema } from './alert.schema.js';
import { appReportReceiptSchema, appReportSchema } from './app-report.schema.js';
import { campaignSchema } from './campaign.schema.js';
import { demandDecisionRequestSchema, demandSchema, demandSubmissionSchema } from './demand.schema.js';
import { doNotOriginateEntrySchema } from './do-not-originate.schema.js';
import { platformEventEnvelopeSchema, platformEventSchema } from './event.schema.js';
import { evidencePackSummarySchema } from './evidence-pack.schema.js';
import { fccNoticeSchema, noticeResponseSchema } from './notice.schema.js';
import { pageSchema } from './page.schema.js';
import { problemDetailsSchema } from './problem.schema.js';
import { productionSchema } from './production.schema.js';
import { providerEntrySchema } from './provider-entry.schema.js';
import { providerScorecardSchema } from './provider-scorecard.schema.js';
import { recordBatchAnswerSchema } from './record-batch.schema.js';
import { sharedRecordSchema } from './shared-record.schema.js';
import { tokenAnswerSchema, tokenRefusalSchema, tokenRequestSchema } from './token.schema.js';
import { tracebackAnswerSchema } from './traceback-answer.schema.js';
import {
  answerReceiptSchema,
  answerSubmissionSchema,
  requestAcknowledgementSchema,
  signedReceiptSchema,
  tracebackRequestStatusSchema,
} from './traceback-exchange.schema.js';
import { tracebackRequestSchema } from './traceback-request.schema.js';
import { tracebackOpeningSchema, tracebackSchema } from './traceback.schema.js';
import {
  createdWebhookEndpointSchema,
  rotatedWebhookSecretSchema,
  webhookEndpointCreationSchema,
  webhookEndpointSchema,
  webhookReplayRequestSchema,
  webhookReplaySchema,
} from './webhook-endpoint.schema.js';
import type { WireBodies } from './wire-bodies.js';

/** The schema of every body by its name. */
export const wireBodySchemas: { readonly [Name in keyof WireBodies]: z.ZodType<WireBodies[Name]> } = {
  ProblemDetails: problemDetailsSchema,
  TokenRequest: tokenRequestSchema,
  TokenAnswer: tokenAnswerSchema,
  TokenRefusal: tokenRefusalSchema,
  SharedRecord: sharedRecordSchema,
  RecordBatchAnswer: recordBatchAnswerSchema,
  TracebackRequest: tracebackRequestSchema,
  TracebackRequestStatus: tracebackRequestStatusSchema,
  TracebackRequestStatusPage: pageSchema(tracebackRequestStatusSchema),
  RequestAcknowledgement: requestAcknowledgementSchema,
  TracebackAnswer: tracebackAnswerSchema,
  AnswerSubmission: answerSubmissionSchema,
  EvidencePackSummary: evidencePackSummarySchema,
  AnswerReceipt: answerReceiptSchema,
  SignedReceipt: signedReceiptSchema,
  TracebackOpening: tracebackOpeningSchema,
  Traceback: tracebackSchema,
  TracebackPage: pageSchema(tracebackSchema),
  AppReport: appReportSchema,
  AppReportReceipt: appReportReceiptSchema,
  ProviderEntry: providerEntrySchema,
  ProviderEntryPage: pageSchema(providerEntrySchema),
  ProviderScorecard: providerScorecardSchema,
  DoNotOriginateEntry: doNotOriginateEntrySchema,
  DoNotOriginateEntryPage: pageSchema(doNotOriginateEntrySchema),
  Campaign: campaignSchema,
  CampaignPage: pageSchema(campaignSchema),
  Alert: alertSchema,
  AlertPage: pageSchema(alertSchema),
  AlertAcknowledgement: alertAcknowledgementSchema,
  FccNotice: fccNoticeSchema,
  FccNoticePage: pageSchema(fccNoticeSchema),
  NoticeResponse: noticeResponseSchema,
  DemandSubmission: demandSubmissionSchema,
  Demand: demandSchema,
  DemandPage: pageSchema(demandSchema),
  DemandDecisionRequest: demandDecisionRequestSchema,
  Production: productionSchema,
  WebhookEndpointCreation: webhookEndpointCreationSchema,
  WebhookEndpoint: webhookEndpointSchema,
  WebhookEndpointPage: pageSchema(webhookEndpointSchema),
  CreatedWebhookEndpoint: createdWebhookEndpointSchema,
  RotatedWebhookSecret: rotatedWebhookSecretSchema,
  WebhookReplayRequest: webhookReplayRequestSchema,
  WebhookReplay: webhookReplaySchema,
  PlatformEvent: platformEventSchema,
  PlatformEventEnvelope: platformEventEnvelopeSchema,
};
