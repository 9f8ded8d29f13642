export { bearerToken, MAX_BEARER_TOKEN_LENGTH } from './auth.js';
export type { RequestAuthorization, RequestToAuthorize } from './auth.js';
export { createHttpsRecordTransport, DEFAULT_DELIVERY_TIMEOUT_MS, MAX_ANSWER_BYTES } from './record-transport-https.js';
export type { HttpsRecordTransportOptions } from './record-transport-https.js';
export { MAX_RETRY_AFTER_MS, retryAfterMs, retryClassOf } from './retry.js';
export type { RetryClass } from './retry.js';
export { readRecordBatchAnswer } from './wire/record-batch-answer.js';
export type { RecordBatchAnswerReading } from './wire/record-batch-answer.js';
export { MAX_BATCH_BYTES, MAX_BATCH_RECORDS, RECORD_BATCH_MEDIA_TYPE, RECORD_BATCH_TYPE } from './wire/record-batch.js';
export type {
  BarredReason,
  BatchEncoding,
  DeliveryResult,
  RecordBatch,
  RecordBatchAnswer,
  RecordRejection,
  RecordTransport,
  UnavailableReason,
} from './wire/record-batch.js';
export type { CloudEventAttributes } from '../core/cloud-event.js';
export { callRecordSchema, sharedRecordSchema, verdictEvidenceSchema } from './wire/wire-schemas.js';
export type { WireIssue, WireReading, WireSchema } from './wire/wire-schemas.js';
export type * from '../core/call-record.js';
export type * from '../core/shared-record.js';
export type * from '../core/verdict-evidence.js';
