/**
 * Durable state: an append-only log of checksummed records, and a journal of small values on it.
 *
 * - {@link openSegmentLog} opens a {@link SegmentLog}: `append` takes a record without waiting, `durableSequence` tells how far records
 *   have been synced to the disk, `read` gives them back, `trim` removes what nobody needs any more.
 * - {@link openValueJournal} opens a {@link ValueJournal}: the latest value of each key, durable when `set` resolves.
 *
 * Mistakes of the caller and refusals of the disk are a {@link HopbackError} with a `code`; `append` never throws.
 * @packageDocumentation
 */
export { HopbackError, isHopbackError } from '../errors.js';
export type { HopbackErrorCode, HopbackErrorOptions } from '../errors.js';
export type { Clock } from '../core/clock.js';
export { openSegmentLog, PENDING_BYTES, READ_BYTES, READ_RECORDS, RECORD_BYTES, SEGMENT_BYTES } from './segment-log.js';
export type {
  Appended,
  LogError,
  LogLosses,
  LogRecord,
  ReadOptions,
  SegmentLog,
  SegmentLogOptions,
  SegmentLogState,
} from './segment-log.js';
export type { ListedFile, LogFile, LogFiles } from './log-files.js';
export { NODE_LOG_FILES } from './node-log-files.js';
export type { LogOperation } from './storage-failure.js';
export { JOURNAL_KEY_BYTES, JOURNAL_KEYS, JOURNAL_VALUE_BYTES, openValueJournal } from './value-journal.js';
export type { ValueJournal, ValueJournalOptions } from './value-journal.js';
