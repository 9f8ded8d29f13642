export type { Compress } from './record-chunk.js';
export type { BatchEncoding } from '../../contract/record-batch.js';
export { CURSOR_INTERVAL_MS } from './acknowledged-cursor.js';
export type {
  BreakerState,
  StreamClock,
  DropPolicy,
  StreamPolicy,
  StreamStatus,
  StreamTrouble,
} from './stream-policy.js';
export type {
  DeadLetter,
  DeadLetterCause,
  DeadLetterDecision,
  DeadLetterReason,
  DeadLettersSettled,
} from './dead-letters.js';
export { ACKNOWLEDGED_KEY, DEAD_LETTERS_KEY, keptSequence } from './dead-letters.js';
export type { DurableValues } from '../durable-values.js';
export { MACHINE_CLOCK as NODE_STREAM_CLOCK } from '../../core/runtime/clock.js';
export type { Backoff } from '../../core/runtime/deadline.js';
export { openRecordStream, createRecordStream } from './record-stream.js';
export type {
  OpenRecordStream,
  OpenRecordStreamOptions,
  Drained,
  RecordAcceptance,
  RecordRefusal,
  RecordStream,
  RecordStreamOptions,
} from './record-stream.js';
export type { StreamedRecord } from './packed-spool.js';
export { DEFAULT_STREAM_POLICY, streamPolicy, STATUS_INTERVAL_MS } from './stream-policy.js';
export { createJetStreamRecordTransport, DEFAULT_PUBLISH_TIMEOUT_MS } from './jetstream-transport.js';
export type { JetStreamRecordTransportOptions } from './jetstream-transport.js';
