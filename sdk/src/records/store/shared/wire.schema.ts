import { z } from 'zod';
import type { CallRecord } from '../../../core/call-record.js';
import type { CoverageInterval } from '../../../core/call-record.js';
import { readBySchema } from '../../../core/schema-findings.js';
import type { HopbackErrorCode } from '../../../errors.js';
import { callRecordSchema } from '../../../platform/wire/call-record.schema.js';
import type {
  FoundRecords,
  HoldAuditEntry,
  HoldOrder,
  Inserted,
  LegalHold,
  RecordQuery,
  StoreScope,
  StoreStatistics,
  TimeWindow,
} from '../record-store.js';

// What crosses the socket between two processes of one user. Requests are checked member by member, for whoever is at the other end may
// be another release. Answers are checked in their outline: the records in them come out of the store as they were put in.

/** Longest text that is looked up by; no record has one as long, and then nothing is found. */
const MAX_TEXT_CHARS = 262_144;

const text = z.string().max(MAX_TEXT_CHARS);
const count = z.int().min(0);
const finite = z.number();

const window: z.ZodType<TimeWindow> = z.object({ fromUs: finite, toUs: finite });

const query: z.ZodType<RecordQuery> = z.object({
  window,
  calledTn: z.exactOptional(text),
  callingTn: z.exactOptional(text),
  callId: z.exactOptional(text),
  origId: z.exactOptional(text),
  callGroupId: z.exactOptional(text),
  trunk: z.exactOptional(text),
  recordId: z.exactOptional(text),
  limit: z.exactOptional(finite),
});

const interval: z.ZodType<CoverageInterval> = z.object({ sourceId: text, fromUs: finite, toUs: finite });

const order: z.ZodType<HoldOrder> = z.object({
  query,
  reason: text,
  untilUs: z.exactOptional(finite),
  by: z.exactOptional(text),
});

/** What ends a hold. */
export interface ReleaseOrder {
  readonly holdId: string;
  readonly reason: string;
  readonly by?: string;
}

const releaseOrder: z.ZodType<ReleaseOrder> = z.object({ holdId: text, reason: text, by: z.exactOptional(text) });

/** Most records of one request. */
export const MAX_INSERT_RECORDS = 1_000;

/** Whether a record is one; it is kept as it came, also members that this release does not know. */
const wholeRecord = z.custom<CallRecord>((value) => readBySchema(callRecordSchema, value).success);

/** Bodies of requests, by what is asked for. */
export const REQUESTS: {
  readonly nothing: z.ZodType<object>;
  readonly records: z.ZodType<{ readonly records: readonly CallRecord[] }>;
  readonly query: z.ZodType<RecordQuery>;
  readonly interval: z.ZodType<CoverageInterval>;
  readonly window: z.ZodType<TimeWindow>;
  readonly before: z.ZodType<{ readonly beforeUs: number }>;
  readonly order: z.ZodType<HoldOrder>;
  readonly release: z.ZodType<ReleaseOrder>;
} = {
  nothing: z.object({}),
  records: z.object({ records: z.array(wholeRecord).max(MAX_INSERT_RECORDS) }),
  query,
  interval,
  window,
  before: z.object({ beforeUs: finite }),
  order,
  release: releaseOrder,
};

const hold: z.ZodType<LegalHold> = z.object({
  holdId: text,
  reason: text,
  query,
  placedAtUs: finite,
  untilUs: z.exactOptional(finite),
  count,
});

const auditEntry: z.ZodType<HoldAuditEntry> = z.object({
  action: z.enum(['held', 'released', 'ended']),
  holdId: text,
  atUs: finite,
  by: z.exactOptional(text),
  reason: text,
  count,
});

const inserted: z.ZodType<Inserted> = z.object({ inserted: count, repeated: count, expired: count });

const outlinedRecord = z.custom<CallRecord>(
  (value) => typeof value === 'object' && value !== null && 'recordId' in value && 'inviteAtUs' in value,
);

const statistics: z.ZodType<StoreStatistics> = z.object({
  records: count,
  sizeBytes: count,
  partitions: count,
  oldestUs: z.exactOptional(finite),
  newestUs: z.exactOptional(finite),
});

/** What is answered, by what was asked for. */
export const ANSWERS: {
  readonly nothing: z.ZodType;
  readonly inserted: z.ZodType<Inserted>;
  readonly found: z.ZodType<FoundRecords>;
  readonly scope: z.ZodType<StoreScope>;
  readonly coverage: z.ZodType<readonly CoverageInterval[]>;
  readonly count: z.ZodType<number>;
  readonly hold: z.ZodType<LegalHold>;
  readonly isReleased: z.ZodType<boolean>;
  readonly holds: z.ZodType<readonly LegalHold[]>;
  readonly audit: z.ZodType<readonly HoldAuditEntry[]>;
  readonly statistics: z.ZodType<StoreStatistics>;
} = {
  nothing: z.unknown(),
  inserted,
  found: z.object({ records: z.array(outlinedRecord), isCut: z.boolean() }),
  scope: z.object({ sources: z.array(text), retainedFromUs: z.exactOptional(finite) }),
  coverage: z.array(interval),
  count,
  hold,
  isReleased: z.boolean(),
  holds: z.array(hold),
  audit: z.array(auditEntry),
  statistics,
};

/** A {@link HopbackError} on its way from one process to the other. */
export interface WireError {
  readonly code: HopbackErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

const wireError: z.ZodType<WireError> = z.object({
  code: z.enum([
    'invalid-argument',
    'invalid-configuration',
    'key-unusable',
    'certificate-unusable',
    'signer-failed',
    'storage-failed',
    'network-failed',
    'trust-list-rejected',
    'unavailable',
    'unauthorized',
    'request-refused',
    'response-unreadable',
    'aborted',
    'closed',
    'internal',
  ]),
  message: text,
  retryable: z.boolean(),
  details: z.exactOptional(z.record(text, z.union([text, finite, z.boolean()]))),
});

/** Every answer: what was asked for, or why it is not there. */
export const answerSchema: z.ZodType<{ readonly result?: unknown } | { readonly error: WireError }> = z.union([
  z.object({ error: wireError }),
  z.object({ result: z.unknown() }),
]);
