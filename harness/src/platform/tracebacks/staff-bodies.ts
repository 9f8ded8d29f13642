import type { FccNotice, WireSchema } from '@hopback/sdk/platform';
import { WIRE_SCHEMAS } from '@hopback/sdk/platform';
import type { DisputeRuling, ProviderReference, RequestedCall } from '@hopback/sdk/traceback';
import { z } from 'zod';
import type { WaitingItem } from '../domain/tracebacks/waiting-items.js';

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

/** As long as ids of requests, answers and outcomes get, which are made of each other. */
const id = z.string().min(1).max(1_000);
/** What people write into a form. */
const text = z.string().min(1).max(4_000);
/** As the contract has it for notices. */
const MAX_NAMED = 500;
/** More than wait in one traceback. */
const MAX_ITEMS = 500;

const providerReference: z.ZodType<ProviderReference> = z.object({
  providerId: z.exactOptional(id),
  name: z.string().min(1).max(256),
  ocn: z.exactOptional(z.string().min(1).max(16)),
  spc: z.exactOptional(z.string().min(1).max(16)),
  frn: z.exactOptional(z.string().min(1).max(16)),
});

/** A call, as the contract has it in what opens a traceback. */
const requestedCall = z.custom<RequestedCall>(
  (call) => WIRE_SCHEMAS.TracebackOpening.safeParse({ direction: 'back', call }).success,
);

const utcTime = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z$/);

const waitingItem: z.ZodType<WaitingItem> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('stalled'),
    outcome: id,
    outcomeKey: id,
    requestId: id,
    provider: z.exactOptional(providerReference),
  }),
  z.object({
    kind: z.literal('dispute'),
    disputeId: id,
    requestId: id,
    parties: z.array(providerReference).max(3),
    statements: z.array(id).max(MAX_ITEMS),
    differsIn: z.exactOptional(z.array(z.enum(['called', 'time'])).max(2)),
  }),
  z.object({ kind: z.literal('unidentified'), requestId: id, name: z.string().max(4_000) }),
  z.object({ kind: z.literal('neighbours'), requestId: id }),
  z.object({ kind: z.literal('overdue'), requestId: id, provider: z.exactOptional(providerReference) }),
]);

const reasoned = z.object({ reason: text });

const waitingTraceback: z.ZodType<WaitingTraceback> = z.object({
  tracebackId: id,
  campaignId: z.exactOptional(id),
  updatedAt: utcTime,
  items: z.array(waitingItem).max(MAX_ITEMS),
});

const schemas: { readonly [Name in Exclude<keyof StaffBodies, 'IssuedNotice'>]: z.ZodType<StaffBodies[Name]> } = {
  TracebackWithdrawal: reasoned,
  NoticeWithdrawal: reasoned,
  NeighbourReport: z.object({ reportId: id, provider: providerReference, sentTo: providerReference }),
  NeighbourChoice: z.object({ requestId: id, reportId: id }),
  DisputeDecision: z.object({
    disputeId: id,
    ruling: z.enum(['downstream-stands', 'upstream-stands', 'undecided']),
    reason: text,
  }),
  ProviderIdentification: z.object({ requestId: id, providerId: id }),
  OutcomeAcceptance: z.object({ outcomeKey: id }),
  ForwardTrace: z.object({
    forwardId: z.string().min(1).max(200),
    number: z.string().min(1).max(64),
    firstProvider: providerReference,
  }),
  ForwardOpened: z.object({ tracebackId: id }),
  NoticeIssue: z.object({
    providerId: id,
    reference: z.string().min(1).max(256),
    description: text,
    reportDueAt: z.exactOptional(utcTime),
    campaignId: z.exactOptional(id),
    calls: z.array(requestedCall).max(MAX_NAMED),
    tracebackIds: z.array(id).max(MAX_NAMED),
  }),
  WaitingPage: z.object({ items: z.array(waitingTraceback).max(500), nextCursor: z.exactOptional(id) }),
  NeighbourHints: z.object({
    items: z
      .array(z.object({ tracebackId: id, requestId: id, silent: providerReference, upstream: providerReference }))
      .max(MAX_ITEMS),
  }),
};

/** Schemas of the bodies of the staff's routes, by their names. */
export const STAFF_SCHEMAS: { readonly [Name in keyof StaffBodies]: WireSchema<StaffBodies[Name]> } = {
  ...schemas,
  IssuedNotice: WIRE_SCHEMAS.FccNotice,
};
