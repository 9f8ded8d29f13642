import { WIRE_SCHEMAS } from '@hopback/sdk/platform';
import { z } from 'zod';

/** As long as ids of requests, answers and outcomes get, which are made of each other. */
const id = z.string().min(1).max(1_000);
/** What people write into a form. */
const text = z.string().min(1).max(4_000);
/** As the contract has it for notices. */
const MAX_NAMED = 500;
/** More than wait in one traceback. */
const MAX_ITEMS = 500;

const providerReference = z.object({
  providerId: z.exactOptional(id),
  name: z.string().min(1).max(256),
  ocn: z.exactOptional(z.string().min(1).max(16)),
  spc: z.exactOptional(z.string().min(1).max(16)),
  frn: z.exactOptional(z.string().min(1).max(16)),
});

/** A call, as the contract has it in what opens a traceback. */
const requestedCall = WIRE_SCHEMAS.TracebackOpening.shape.call;

const utcTime = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z$/);

const waitingItem = z.discriminatedUnion('kind', [
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

const reasoned = { reason: text };

const waitingTraceback = z.object({
  tracebackId: id,
  campaignId: z.exactOptional(id),
  updatedAt: utcTime,
  items: z.array(waitingItem).max(MAX_ITEMS),
});

/** What a silent provider said of other calls of the campaign: a hint for people, and no statement about this call. */
const neighbourHint = z.object({
  tracebackId: id,
  requestId: id,
  silent: providerReference,
  upstream: providerReference,
});

/** Schemas of the bodies of the staff's routes, by their names. */
export const STAFF_SCHEMAS = {
  TracebackWithdrawal: z.object(reasoned),
  NoticeWithdrawal: z.object(reasoned),
  NeighbourReport: z.object({ reportId: id, provider: providerReference, sentTo: providerReference }),
  NeighbourChoice: z.object({ requestId: id, reportId: id }),
  DisputeDecision: z.object({
    disputeId: id,
    ruling: z.enum(['downstream-stands', 'upstream-stands', 'undecided']),
    reason: text,
  }),
  /** Who was meant by a name that no registry has. */
  ProviderIdentification: z.object({ requestId: id, providerId: id }),
  OutcomeAcceptance: z.object({ outcomeKey: id }),
  /** A call-back number, and who may serve it and is asked first; `forwardId` is the asker's own, so that the same is asked once. */
  ForwardTrace: z.object({
    forwardId: z.string().min(1).max(200),
    number: z.string().min(1).max(64),
    firstProvider: providerReference,
  }),
  ForwardOpened: z.object({ tracebackId: id }),
  /** A notice that the Commission issued under a number of its own, to be handed to its provider. */
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
  NeighbourHints: z.object({ items: z.array(neighbourHint).max(MAX_ITEMS) }),
};

/** A body of JSON by the name of its schema. */
export type StaffBody<Name extends keyof typeof STAFF_SCHEMAS> = z.infer<(typeof STAFF_SCHEMAS)[Name]>;
