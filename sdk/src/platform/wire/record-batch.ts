import type { CloudEventAttributes } from '../../core/cloud-event.js';

/** Kind of event of a batch of call records. */
export const RECORD_BATCH_TYPE = 'org.hopback.call-records.1';

/** Media type of the body: one record of JSON a line. @see https://github.com/ndjson/ndjson-spec */
export const RECORD_BATCH_MEDIA_TYPE = 'application/x-ndjson';

/** Most records of a batch that a receiver has to take. */
export const MAX_BATCH_RECORDS = 10_000;

/** Most octets of a batch before compression that a receiver has to take: what bounds the memory a compressed body can claim. */
export const MAX_BATCH_BYTES: number = 8 * 1_048_576;

/**
 * How a body is compressed, as in Content-Encoding: `gzip` (RFC 1952), which everything reads, or `br` (RFC 7932), which at its fastest
 * makes less of call records in a third of the time.
 */
export type BatchEncoding = 'gzip' | 'br';

/** Records on their way to the platform. The same batch sent again is the same octets under the same id. */
export interface RecordBatch extends CloudEventAttributes {
  /** 32 lower-case hexadecimal digits of a hash over first and last sequence and content; also the Idempotency-Key. */
  readonly id: string;
  /** Records in the body. */
  readonly count: number;
  readonly encoding: BatchEncoding;
  /** The records as lines of JSON, compressed. */
  readonly body: Uint8Array;
}

/** A record that the receiver will not have, the others of its batch notwithstanding. */
export interface RecordRejection {
  readonly recordId: string;
  /** Why, as a word. */
  readonly code: string;
  /** Why, for people; no telephone numbers. */
  readonly detail?: string;
}

/**
 * What the receiver says once it has stored what it took: partial success as in OTLP. What it had already counts as accepted.
 * @see https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 */
export interface RecordBatchAnswer {
  /** The id of the batch that is answered, so that no stray answer of a proxy is taken for one. */
  readonly batchId: string;
  readonly accepted: number;
  /** `accepted` and these together are the records of the batch. */
  readonly rejected: readonly RecordRejection[];
}

/** Why a batch could not be delivered although nothing is wrong with it. */
export type UnavailableReason =
  /** No connection, or one that broke: nobody knows whether the batch arrived. */
  | 'connection-failed'
  /** No answer in time: nobody knows either. */
  | 'timeout'
  /** The receiver said that it is not able to, or too busy. */
  | 'receiver-failed'
  | 'receiver-busy'
  /** The receiver said yes in a form that cannot be believed. */
  | 'answer-unreadable';

/** Why the receiver will have nothing from us, whatever is in the batch. */
export type BarredReason =
  /** The credential was refused, or none could be had. */
  | 'unauthorized'
  /** Nobody takes batches at that address: wrong URL, a redirect, a receiver that does not know the request. */
  | 'no-such-receiver';

/** What became of one attempt. */
export type DeliveryResult =
  /** Stored, but for these. */
  | { readonly status: 'acknowledged'; readonly rejected: readonly RecordRejection[] }
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
      readonly reason: UnavailableReason;
      readonly httpStatus?: number;
      /** How long the receiver asks to be left alone, milliseconds. */
      readonly retryAfterMs?: number;
      readonly detail?: string;
    }
  /** Kept until a person has put right what is wrong between us and the receiver; tried seldom. */
  | {
      readonly status: 'barred';
      readonly reason: BarredReason;
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
