import type { WireSchema } from '@hopback/sdk/internal';
import { z } from 'zod';

/** Longest reason: a page. */
const MAX_REASON_CHARS = 8_192;
/** Longest interval between supplements, hours: a month. */
const MAX_EVERY_HOURS = 744;

const reason = z.string().min(1).max(MAX_REASON_CHARS);
const utcTime = z.iso.datetime().max(40);
const id = z.string().min(1).max(128);
const text = z.string().max(MAX_REASON_CHARS);
const count = z.int().min(0);

const reasonBody = z.object({ reason });
const extensionBody = z.object({ until: utcTime, reason });
const continuingBody = z.object({
  until: utcTime,
  everyHours: z.number().min(1).max(MAX_EVERY_HOURS),
});

/** Why something is done. */
export type ReasonBody = z.infer<typeof reasonBody>;
/** Until when a production can be fetched, and why. */
export type ExtensionBody = z.infer<typeof extensionBody>;
/** Until when a court order goes on, within the scope that was approved, and how often its production is supplemented. */
export type ContinuingBody = z.infer<typeof continuingBody>;

const clock = z.object({
  priority: z.enum(['expedited', 'urgent', 'ordinary']),
  waitedMs: count,
  targetMs: count,
  dueAtMs: count,
  isLate: z.boolean(),
  daysToReturn: z.int(),
});

const queue = z.object({
  items: z
    .array(
      z.object({
        demandId: id,
        organizationId: id,
        kind: id,
        clock,
        claimedBy: z.exactOptional(text),
      }),
    )
    .max(200),
});

const finding = z.object({
  step: z.enum([
    'document',
    'signature',
    'authority',
    'jurisdiction',
    'return-date',
    'period',
    'scope',
    'named',
    'process',
    'breadth',
  ]),
  result: z.enum(['met', 'look', 'bars']),
  reason: id,
  detail: text,
});

const checklist = z.object({
  demandId: id,
  clock,
  findings: z.array(finding).max(20),
  reach: z.record(z.string().max(40), z.object({ items: count, isAtLeast: z.boolean() })),
  /** Calls of the records and reports that it reaches, each once; absent where it demands neither. */
  calls: z.exactOptional(z.object({ calls: count, carrierRecords: count, appReports: count, isAtLeast: z.boolean() })),
  claimedBy: z.exactOptional(text),
});

const progress = z.object({
  productionId: id,
  state: z.enum(['in-preparation', 'ready', 'expired']),
  phase: z.enum(['building', 'sealed', 'done', 'withdrawn']),
  kind: z.enum(['first', 'supplement', 're-issue']),
  items: count,
  attempts: count,
  asOf: z.exactOptional(utcTime),
  failure: z.exactOptional(id),
});

const receipt = z.object({
  retrievalId: id,
  name: id,
  sha256: z.string().length(64),
  sizeBytes: count,
  retrievedAt: utcTime,
  organizationId: id,
  clientId: z.string().min(1).max(256),
  httpRequestId: z.string().max(256),
});

const receipts = z.object({
  format: z.literal('hopback.retrieval-receipts.1'),
  productionId: id,
  statedAt: utcTime,
  receipts: z.array(receipt).max(500),
  /** The octets that are signed, and their signature as OpenSSL takes it, in base64. */
  signed: z.object({
    statement: z.string().max(1_048_576),
    algorithm: z.enum(['Ed25519', 'ES256']),
    signature: z.base64().max(256),
    publicKeySha256: z.string().length(64),
  }),
  nextCursor: z.exactOptional(z.string().max(32)),
});

/** Bodies of the routes of operators and agencies by their names. */
export const DEMAND_BODY_SCHEMAS: Readonly<Record<string, WireSchema<unknown>>> = {
  DemandReason: reasonBody,
  ProductionExtension: extensionBody,
  ContinuingDemand: continuingBody,
  ReviewQueue: queue,
  DemandChecklist: checklist,
  DemandClaim: z.object({ demandId: id, claimedBy: text, claimedAt: utcTime }),
  ContinuedDemand: z.object({ demandId: id, until: utcTime, everyHours: z.number() }),
  TracedCall: z.object({ demandId: id, tracebackId: id }),
  ProductionProgress: progress,
  RetrievalReceipts: receipts,
};
