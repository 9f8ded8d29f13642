import { z } from 'zod';
import { readBySchema } from '../core/schema-findings.js';
import { parsedJson } from '../core/text.js';
import type { BodyOf } from './common.js';
import { recordId } from './call-record.js';
import { listOf, object, pattern } from './common.js';

/** Kind of event of a batch of call records. */
export const RECORD_BATCH_TYPE = 'org.hopback.call-records.1';

/** Media type of the body: one record a line, as JSON. @see https://github.com/ndjson/ndjson-spec */
export const RECORD_BATCH_MEDIA_TYPE = 'application/x-ndjson';

/** Most records of a batch that a receiver has to take. */
export const MAX_BATCH_RECORDS = 10_000;

/** Most octets of a batch before compression that a receiver has to take: what bounds the memory a compressed body can claim. */
export const MAX_BATCH_BYTES: number = 8 * 1_048_576;

/**
 * How a body is compressed, as in Content-Encoding: `gzip` (RFC 1952), which everything reads, or `br` (RFC 7932), which at its fastest setting
 * packs call records smaller, in a third of the time.
 */
export type BatchEncoding = 'gzip' | 'br';

/** Records on their way to the platform. The same batch sent again is the same octets under the same id. */
export interface RecordBatch {
  /** 32 lower-case hexadecimal digits of a hash over first and last sequence and content; also the Idempotency-Key. */
  readonly id: string;
  /** URI reference of the sender. CloudEvents 1.0.2 section 3 */
  readonly source: string;
  /** Kind of event, in reverse DNS notation. */
  readonly type: string;
  /** When it was made, milliseconds since the epoch. */
  readonly timeMs: number;
  /** Records in the body. */
  readonly count: number;
  readonly encoding: BatchEncoding;
  /** The records as lines of JSON, compressed. */
  readonly body: Uint8Array;
}

/** What became of one attempt. */
export type DeliveryResult =
  /** Stored, but for these. */
  | { readonly status: 'acknowledged'; readonly rejected: RecordBatchAnswer['rejected'] }
  /** Refused for what it holds: the same batch is never sent again, parts of it may be. */
  | {
      readonly status: 'refused';
      readonly reason: 'content' | 'conflict' | 'too-large';
      readonly httpStatus?: number;
      readonly detail?: string;
    }
  /** To be sent again, the same batch. */
  | {
      readonly status: 'unavailable';
      readonly reason:
        /** No connection, or one that broke: nobody knows whether the batch arrived. */
        | 'connection-failed'
        /** No answer in time: nobody knows either. */
        | 'timeout'
        /** The receiver said that it is not able to, or too busy. */
        | 'receiver-failed'
        | 'receiver-busy'
        /** The receiver said yes in a form that cannot be believed. */
        | 'answer-unreadable';
      readonly httpStatus?: number;
      /** How long the receiver asks to be left alone, milliseconds. */
      readonly retryAfterMs?: number;
      readonly detail?: string;
    }
  /** Kept until a person has put right what is wrong between us and the receiver; tried seldom. */
  | {
      readonly status: 'barred';
      readonly reason:
        /** The credential was refused, or none could be had. */
        | 'unauthorized'
        /** Nobody takes batches at that address: wrong URL, a redirect, a receiver that does not know the request. */
        | 'no-such-receiver';
      readonly httpStatus?: number;
      readonly detail?: string;
    };

/** The way to the platform. */
export interface RecordTransport {
  /** What the receiver at the other end takes. Default `gzip`. */
  readonly encoding?: BatchEncoding;
  /**
   * Makes one attempt. Never rejects: whatever goes wrong is a result.
   * @param batch - what is to be delivered
   * @param signal - gives the attempt up, which then is `unavailable`
   */
  readonly deliver: (batch: RecordBatch, signal: AbortSignal) => Promise<DeliveryResult>;
  readonly close: () => Promise<void>;
}

/** Longest reason of a rejection for people: longer ones are cut by whoever sends them. */
const MAX_REJECTION_DETAIL_LENGTH = 500;

/** Most rejections of one answer: a receiver that refuses more of a batch refuses the batch. */
const MAX_REJECTIONS = 10_000;

const batchId = pattern(/^[0-9a-f]{32}$/);

/**
 * The receiver's answer once it has stored the accepted records: partial success as in OTLP. Records it already had count as accepted.
 * Unknown members are left out.
 * @see https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 */
export const RecordBatchAnswer = object(
  "The receiver's answer once it has stored the accepted records: partial success as in OTLP. Records it already had count as accepted.\n\nSee https://opentelemetry.io/docs/specs/otlp/#partial-success-1.",
  {
    /** Id of the answered batch, so that a stray response from a proxy is not taken for an answer. */
    batchId: batchId.describe(
      'Id of the answered batch, so that a stray response from a proxy is not taken for an answer.',
    ),
    /** Records that were taken. */
    accepted: z.int().min(0).max(MAX_REJECTIONS).describe('Records that were taken.'),
    /** Records that the receiver refuses. `accepted` and these together are the records of the batch. */
    rejected: listOf(
      'Records that the receiver refuses. `accepted` and these together are the records of the batch.',
      MAX_REJECTIONS,
      {
        recordId,
        /** Why, as a word. */
        code: pattern(/^[a-z0-9][a-z0-9-]{0,63}$/).describe('Why, as a word.'),
        /** Why, for people; no telephone numbers. */
        detail: z
          .string()
          .max(MAX_REJECTION_DETAIL_LENGTH)
          .exactOptional()
          .describe('Why, for people; no telephone numbers.'),
      },
    ),
  },
);
export type RecordBatchAnswer = BodyOf<typeof RecordBatchAnswer>;
/** A record that the receiver refuses, while it takes the others of its batch. */
export type RecordRejection = RecordBatchAnswer['rejected'][number];

/**
 * Reads what a receiver says about a batch. Records would be lost if anything else were taken for a yes: an answer has to name the batch and
 * account for every record of it. Never throws, whatever the text.
 * @param text - body of the response, bounded by whoever read it
 * @param batch - the batch that was sent
 * @returns the answer, or what is wrong with it
 * @see RFC 8259
 * @example
 * ```ts
 * const batch = { id: '0'.repeat(32), count: 2 };
 * const reading = readRecordBatchAnswer(JSON.stringify({ batchId: batch.id, accepted: 2, rejected: [] }), batch);
 * console.log(reading.status); // read
 * ```
 */
export function readRecordBatchAnswer(
  text: string,
  batch: { readonly id: string; readonly count: number },
):
  | { readonly status: 'read'; readonly answer: RecordBatchAnswer }
  | { readonly status: 'unreadable'; readonly detail: string } {
  const value = parsedJson(text);
  if (value === undefined) return { status: 'unreadable', detail: 'the answer is not JSON' };
  const parsed = readBySchema(RecordBatchAnswer, value);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    return { status: 'unreadable', detail: `the answer does not have the form of one at "${path.slice(0, 100)}"` };
  }
  const answer = parsed.data;
  if (answer.batchId !== batch.id) return { status: 'unreadable', detail: 'the answer is of another batch' };
  const answered = answer.accepted + answer.rejected.length;
  if (answered !== batch.count)
    return { status: 'unreadable', detail: `the answer accounts for ${answered} of ${batch.count} records` };
  return { status: 'read', answer };
}
