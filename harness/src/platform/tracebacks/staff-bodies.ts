import type { FccNotice } from '@hopback/sdk/platform';
import type { DisputeRuling, ProviderReference, RequestedCall } from '@hopback/sdk/traceback';
import type { WaitingItem } from '../domain/tracebacks/index.js';

/** Why a traceback is withdrawn. */
export interface TracebackWithdrawal {
  readonly reason: string;
}

/** A provider states, to staff, that it sent the call to another. */
export interface NeighbourReport {
  /** Of whoever reports, so that the same report is none more. */
  readonly reportId: string;
  readonly provider: ProviderReference;
  readonly sentTo: ProviderReference;
}

/** Which of several reports is followed. */
export interface NeighbourChoice {
  readonly requestId: string;
  readonly reportId: string;
}

/** Whose statement stands. */
export interface DisputeDecision {
  readonly disputeId: string;
  readonly ruling: DisputeRuling;
  readonly reason: string;
}

/** Who was meant by a name that no registry has. */
export interface ProviderIdentification {
  readonly requestId: string;
  readonly providerId: string;
}

/** An outcome is taken for good that is none. */
export interface OutcomeAcceptance {
  readonly outcomeKey: string;
}

/** A call-back number is traced forward. */
export interface ForwardTrace {
  /** The asker's own, so that the same is asked once. */
  readonly forwardId: string;
  readonly number: string;
  /** Who may serve the number, and is asked first. */
  readonly firstProvider: ProviderReference;
}

/** A traceback that was opened to trace forward. */
export interface ForwardOpened {
  readonly tracebackId: string;
}

/** A notice that the Commission issued, to be handed to its provider. */
export interface NoticeIssue {
  readonly providerId: string;
  /** The Commission's own number of it. */
  readonly reference: string;
  readonly description: string;
  /** Until when the report is due in the words of the notice, RFC 3339 in UTC. */
  readonly reportDueAt?: string;
  readonly campaignId?: string;
  readonly calls: readonly RequestedCall[];
  readonly tracebackIds: readonly string[];
}

/** What waits for a person in one traceback. */
export interface WaitingTraceback {
  readonly tracebackId: string;
  readonly campaignId?: string;
  /** RFC 3339 in UTC. */
  readonly updatedAt: string;
  readonly items: readonly WaitingItem[];
}

/** A page of those. */
export interface WaitingPage {
  readonly items: readonly WaitingTraceback[];
  readonly nextCursor?: string;
}

/** What a silent provider said of other calls of the campaign: a hint for people, and no statement about this call. */
export interface NeighbourHint {
  readonly tracebackId: string;
  readonly requestId: string;
  readonly silent: ProviderReference;
  readonly upstream: ProviderReference;
}

/** Hints about one traceback. */
export interface NeighbourHints {
  readonly items: readonly NeighbourHint[];
}

/** Bodies of the staff's routes by their names. */
export interface StaffBodies {
  readonly TracebackWithdrawal: TracebackWithdrawal;
  readonly NeighbourReport: NeighbourReport;
  readonly NeighbourChoice: NeighbourChoice;
  readonly DisputeDecision: DisputeDecision;
  readonly ProviderIdentification: ProviderIdentification;
  readonly OutcomeAcceptance: OutcomeAcceptance;
  readonly ForwardTrace: ForwardTrace;
  readonly ForwardOpened: ForwardOpened;
  readonly NoticeIssue: NoticeIssue;
  readonly NoticeWithdrawal: TracebackWithdrawal;
  readonly IssuedNotice: FccNotice;
  readonly WaitingPage: WaitingPage;
  readonly NeighbourHints: NeighbourHints;
}
