export type { Compress } from './batch.js';
export type { BatchEncoding } from '../../platform/wire/record-batch.js';
export { CURSOR_INTERVAL_MS } from './acknowledged-cursor.js';
export type { BreakerState } from './breaker.js';
export type {
  DeadLetter,
  DeadLetterCause,
  DeadLetterDecision,
  DeadLetterReason,
  DeadLettersSettled,
} from './dead-letters.js';
export { ACKNOWLEDGED_KEY, DEAD_LETTERS_KEY, keptSequence } from './kept-sequence.js';
export type { DurableValues } from '../durable-values.js';
export { MACHINE_CLOCK as NODE_STREAM_CLOCK } from '../../core/runtime/clock.js';
export type { Backoff } from '../../core/backoff.js';
export { openRecordStream } from './open-record-stream.js';
export type { OpenRecordStream, OpenRecordStreamOptions } from './open-record-stream.js';
export { createRecordStream } from './record-stream.js';
export type { Drained, RecordAcceptance, RecordRefusal, RecordStream, RecordStreamOptions } from './record-stream.js';
export type { StreamedRecord } from './spool-frame.js';
export type { StreamClock } from './stream-clock.js';
export { DEFAULT_STREAM_POLICY, streamPolicy } from './stream-policy.js';
export type { DropPolicy, StreamPolicy } from './stream-policy.js';
export { STATUS_INTERVAL_MS } from './stream-status.js';
export type { StreamStatus, StreamTrouble } from './stream-status.js';
export { createJetStreamRecordTransport, DEFAULT_PUBLISH_TIMEOUT_MS } from './jetstream-transport.js';
export type { JetStreamRecordTransportOptions } from './jetstream-transport.js';
