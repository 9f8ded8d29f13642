import type { z } from 'zod';
import { Alert, AlertAcknowledgement, FccNotice, NoticeResponse } from './alert.js';
import { SharedRecord } from './call-record.js';
import { AppReport, AppReportReceipt, Campaign } from './campaign.js';
import { pageOf, ProblemDetails, TokenAnswer, TokenRefusal, TokenRequest } from './common.js';
import type { Page } from './common.js';
import { Demand, DemandDecisionRequest, DemandSubmission, Production } from './demand.js';
import {
  CreatedWebhookEndpoint,
  PlatformEvent,
  PlatformEventEnvelope,
  RotatedWebhookSecret,
  WebhookEndpoint,
  WebhookEndpointCreation,
  WebhookReplay,
  WebhookReplayRequest,
} from './event.js';
import { DoNotOriginateEntry, ProviderEntry, ProviderScorecard } from './provider.js';
import { RecordBatchAnswer } from './record-batch.js';
import {
  AnswerReceipt,
  AnswerSubmission,
  EvidencePackSummary,
  RequestAcknowledgement,
  SignedReceipt,
  TracebackAnswer,
  TracebackRequest,
  TracebackRequestStatus,
} from './traceback-exchange.js';
import { Traceback, TracebackOpening } from './traceback.js';

/** Every body that crosses the wire, and every payload that is signed in one, by its name in the OpenAPI document. */
export interface WireBodies {
  readonly ProblemDetails: ProblemDetails;
  readonly TokenRequest: TokenRequest;
  readonly TokenAnswer: TokenAnswer;
  readonly TokenRefusal: TokenRefusal;
  /** One line of a batch. */
  readonly SharedRecord: SharedRecord;
  readonly RecordBatchAnswer: RecordBatchAnswer;
  readonly TracebackRequest: TracebackRequest;
  readonly TracebackRequestStatus: TracebackRequestStatus;
  readonly TracebackRequestStatusPage: Page<TracebackRequestStatus>;
  readonly RequestAcknowledgement: RequestAcknowledgement;
  /** Payload of the JWS in an `AnswerSubmission`. */
  readonly TracebackAnswer: TracebackAnswer;
  readonly AnswerSubmission: AnswerSubmission;
  readonly EvidencePackSummary: EvidencePackSummary;
  /** Payload of the JWS in a `SignedReceipt`. */
  readonly AnswerReceipt: AnswerReceipt;
  readonly SignedReceipt: SignedReceipt;
  readonly TracebackOpening: TracebackOpening;
  readonly Traceback: Traceback;
  readonly TracebackPage: Page<Traceback>;
  readonly AppReport: AppReport;
  readonly AppReportReceipt: AppReportReceipt;
  readonly ProviderEntry: ProviderEntry;
  readonly ProviderEntryPage: Page<ProviderEntry>;
  readonly ProviderScorecard: ProviderScorecard;
  readonly DoNotOriginateEntry: DoNotOriginateEntry;
  readonly DoNotOriginateEntryPage: Page<DoNotOriginateEntry>;
  readonly Campaign: Campaign;
  readonly CampaignPage: Page<Campaign>;
  readonly Alert: Alert;
  readonly AlertPage: Page<Alert>;
  readonly AlertAcknowledgement: AlertAcknowledgement;
  readonly FccNotice: FccNotice;
  readonly FccNoticePage: Page<FccNotice>;
  readonly NoticeResponse: NoticeResponse;
  readonly DemandSubmission: DemandSubmission;
  readonly Demand: Demand;
  readonly DemandPage: Page<Demand>;
  readonly DemandDecisionRequest: DemandDecisionRequest;
  readonly Production: Production;
  readonly WebhookEndpointCreation: WebhookEndpointCreation;
  readonly WebhookEndpoint: WebhookEndpoint;
  readonly WebhookEndpointPage: Page<WebhookEndpoint>;
  readonly CreatedWebhookEndpoint: CreatedWebhookEndpoint;
  readonly RotatedWebhookSecret: RotatedWebhookSecret;
  readonly WebhookReplayRequest: WebhookReplayRequest;
  readonly WebhookReplay: WebhookReplay;
  /** An event of a kind that is known. */
  readonly PlatformEvent: PlatformEvent;
  /** An event of any kind, its data unread. */
  readonly PlatformEventEnvelope: PlatformEventEnvelope;
}

/** Name of a body. */
export type WireBodyName = keyof WireBodies;

/**
 * The schema of every body of the contract by its name, every string and list bounded. Unknown members are left out, so that a later release
 * may send more; a word that a closed vocabulary does not have is refused.
 * @see {@link WireBodies} for what each reads; docs/guides/platform-contract.md
 * @example
 * ```ts
 * const reading = WIRE_SCHEMAS.SignedReceipt.safeParse({ answerId: 'a-1', receipt: 'no JWS' });
 * console.log(reading.success || reading.error.issues[0]?.path); // [ 'receipt' ]
 * ```
 */
export const WIRE_SCHEMAS: { readonly [Name in WireBodyName]: z.ZodType<WireBodies[Name]> } = {
  ProblemDetails,
  TokenRequest,
  TokenAnswer,
  TokenRefusal,
  SharedRecord,
  RecordBatchAnswer,
  TracebackRequest,
  TracebackRequestStatus,
  TracebackRequestStatusPage: pageOf(TracebackRequestStatus),
  RequestAcknowledgement,
  TracebackAnswer,
  AnswerSubmission,
  EvidencePackSummary,
  AnswerReceipt,
  SignedReceipt,
  TracebackOpening,
  Traceback,
  TracebackPage: pageOf(Traceback),
  AppReport,
  AppReportReceipt,
  ProviderEntry,
  ProviderEntryPage: pageOf(ProviderEntry),
  ProviderScorecard,
  DoNotOriginateEntry,
  DoNotOriginateEntryPage: pageOf(DoNotOriginateEntry),
  Campaign,
  CampaignPage: pageOf(Campaign),
  Alert,
  AlertPage: pageOf(Alert),
  AlertAcknowledgement,
  FccNotice,
  FccNoticePage: pageOf(FccNotice),
  NoticeResponse,
  DemandSubmission,
  Demand,
  DemandPage: pageOf(Demand),
  DemandDecisionRequest,
  Production,
  WebhookEndpointCreation,
  WebhookEndpoint,
  WebhookEndpointPage: pageOf(WebhookEndpoint),
  CreatedWebhookEndpoint,
  RotatedWebhookSecret,
  WebhookReplayRequest,
  WebhookReplay,
  PlatformEvent,
  PlatformEventEnvelope,
};

/** Reads a body of the wire: `unknown` in, a value that is in its form and its bounds out. */
export interface WireSchema<Value> {
  /**
   * Never throws, whatever the value.
   * @returns the value without unknown members, or where it is not in the form
   */
  readonly safeParse: (value: unknown) => WireReading<Value>;
}

/** A value that was read, or what is wrong with it. */
export type WireReading<Value> =
  | { readonly success: true; readonly data: Value }
  | { readonly success: false; readonly error: { readonly issues: readonly WireIssue[] } };

/** One thing that is wrong. */
export interface WireIssue {
  /** The broken rule, as a word: `invalid_type`, `too_big`, `invalid_format` and others. */
  readonly code?: string | undefined;
  /** Names of members and places in lists, from the outside in. */
  readonly path: readonly PropertyKey[];
}
