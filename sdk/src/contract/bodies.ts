import { Alert, AlertAcknowledgement, FccNotice, NoticeResponse } from './alert.js';
import { SharedRecord } from './call-record.js';
import { AppReport, AppReportReceipt, Campaign } from './campaign.js';
import { pageOf, ProblemDetails, TokenAnswer, TokenRefusal, TokenRequest } from './common.js';
import type { BodyOf } from './common.js';
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

/**
 * The schema of every body of the contract by its name, every string and list bounded. Unknown members are left out, so that a later release
 * may send more; a word that a closed vocabulary does not have is refused.
 * @see docs/guides/platform-contract.md
 * @example
 * ```ts
 * const reading = WIRE_SCHEMAS.SignedReceipt.safeParse({ answerId: 'a-1', receipt: 'no JWS' });
 * console.log(reading.success || reading.error.issues[0]?.path); // [ 'receipt' ]
 * ```
 */
export const WIRE_SCHEMAS = {
  ProblemDetails,
  TokenRequest,
  TokenAnswer,
  TokenRefusal,
  /** One line of a batch. */
  SharedRecord,
  RecordBatchAnswer,
  TracebackRequest,
  TracebackRequestStatus,
  TracebackRequestStatusPage: pageOf(TracebackRequestStatus),
  RequestAcknowledgement,
  /** Payload of the JWS in an `AnswerSubmission`. */
  TracebackAnswer,
  AnswerSubmission,
  EvidencePackSummary,
  /** Payload of the JWS in a `SignedReceipt`. */
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
  /** An event of a kind that is known. */
  PlatformEvent,
  /** An event of any kind, its data unread. */
  PlatformEventEnvelope,
};

/** Name of a body. */
export type WireBodyName = keyof typeof WIRE_SCHEMAS;

/** Every body that crosses the wire, and every payload that is signed in one, by its name in the OpenAPI document. */
export type WireBodies = { readonly [Name in keyof typeof WIRE_SCHEMAS]: BodyOf<(typeof WIRE_SCHEMAS)[Name]> };

/** Reads a body of the wire: `unknown` in, a value that is in its form and its bounds out. */
export interface WireSchema<Value> {
  /**
   * Never throws, whatever the value.
   * @returns the value without unknown members, or what is wrong with it: the broken rule, as a word (`invalid_type`, `too_big`,
   * `invalid_format` and others), and names of members and places in lists, from the outside in
   */
  readonly safeParse: (value: unknown) =>
    | { readonly success: true; readonly data: Value }
    | {
        readonly success: false;
        readonly error: {
          readonly issues: readonly { readonly code?: string | undefined; readonly path: readonly PropertyKey[] }[];
        };
      };
}
