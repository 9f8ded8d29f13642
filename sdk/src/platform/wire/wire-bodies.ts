import type { SharedRecord } from '../../core/call-record.js';
import type { TracebackAnswer } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { Alert, AlertAcknowledgement } from './alert.js';
import type { AppReport, AppReportReceipt } from './app-report.js';
import type { Campaign } from './campaign.js';
import type { Demand, DemandDecisionRequest, DemandSubmission } from './demand.js';
import type { DoNotOriginateEntry } from './do-not-originate.js';
import type { PlatformEvent, PlatformEventEnvelope } from './event.js';
import type { EvidencePackSummary } from './evidence-pack.js';
import type { FccNotice, NoticeResponse } from './notice.js';
import type { Page } from './page.js';
import type { ProblemDetails } from './problem.js';
import type { Production } from './production.js';
import type { ProviderEntry } from './provider-entry.js';
import type { ProviderScorecard } from './provider-scorecard.js';
import type { RecordBatchAnswer } from './record-batch.js';
import type { TokenAnswer, TokenRefusal, TokenRequest } from './token.js';
import type {
  AnswerReceipt,
  AnswerSubmission,
  RequestAcknowledgement,
  SignedReceipt,
  TracebackRequestStatus,
} from './traceback-exchange.js';
import type { Traceback, TracebackOpening } from './traceback.js';
import type {
  CreatedWebhookEndpoint,
  RotatedWebhookSecret,
  WebhookEndpoint,
  WebhookEndpointCreation,
  WebhookReplay,
  WebhookReplayRequest,
} from './webhook-endpoint.js';

/** Every body that crosses the wire, and every payload that is signed in one, by the name that it has in the OpenAPI document. */
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
