import { z } from 'zod';
import type { BatchEncoding, RecordBatchAnswer, RecordRejection } from './record-batch.js';

/** Longest reason of a rejection for people: longer ones are cut by whoever sends them. */
export const MAX_REJECTION_DETAIL_LENGTH = 500;

/** Most rejections of one answer: a receiver that refuses more of a batch refuses the batch. */
export const MAX_REJECTIONS = 10_000;

const recordId = z.string().regex(/^[0-9a-f]{32}$/);

/** A record that the receiver will not have. */
export const recordRejectionSchema: z.ZodType<RecordRejection> = z.object({
  recordId,
  code: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  detail: z.exactOptional(z.string().max(MAX_REJECTION_DETAIL_LENGTH)),
});

/** What the receiver says about a batch; keys that it does not know are let pass. */
export const recordBatchAnswerSchema: z.ZodType<RecordBatchAnswer> = z.object({
  batchId: recordId,
  accepted: z.int().min(0).max(MAX_REJECTIONS),
  rejected: z.array(recordRejectionSchema).max(MAX_REJECTIONS),
});

/** The header fields of a batch, as a receiver reads them. */
export interface RecordBatchFields {
  readonly 'ce-specversion': '1.0';
  readonly 'ce-id': string;
  readonly 'ce-source': string;
  readonly 'ce-type': 'org.hopback.call-records.1';
  readonly 'ce-time': string;
  readonly 'idempotency-key': string;
  readonly 'content-type': string;
  readonly 'content-encoding': BatchEncoding;
}

const MAX_SOURCE_LENGTH = 256;

/** Header fields of a batch by lower-case name; others are let pass. */
export const recordBatchFieldsSchema: z.ZodType<RecordBatchFields> = z.object({
  'ce-specversion': z.literal('1.0'),
  'ce-id': recordId,
  'ce-source': z.string().min(1).max(MAX_SOURCE_LENGTH),
  'ce-type': z.literal('org.hopback.call-records.1'),
  'ce-time': z.iso.datetime().max(40),
  'idempotency-key': recordId,
  'content-type': z.string().regex(/^application\/x-ndjson(?:;[\x20-\x7e]{0,100})?$/),
  'content-encoding': z.enum(['gzip', 'br']),
});
