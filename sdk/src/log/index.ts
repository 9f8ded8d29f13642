/**
 * Durable state: an append-only log of checksummed records, a journal of small values on it, and a log that proves what it holds.
 *
 * - {@link openSegmentLog} opens a {@link SegmentLog}: `append` takes a record without waiting, `durableSequence` tells how far records
 *   have been synced to the disk, `read` gives them back, `trim` removes what nobody needs any more.
 * - {@link openValueJournal} opens a {@link ValueJournal}: the latest value of each key, durable when `set` resolves.
 * - {@link openMerkleLog} opens a {@link MerkleLog}: entries that cannot be changed unnoticed, with signed checkpoints and proofs.
 *   {@link openSignedPart} opens what a damaged one still proves. {@link verifyMerkleLog} names the first bad entry of its files; {@link verifyCheckpoint}, {@link verifyInclusion} and
 *   {@link verifyConsistency} need no files.
 *
 * Mistakes of the caller and refusals of the disk are a {@link HopbackError} with a `code`; `append` never throws.
 * @packageDocumentation
 */
export { HopbackError, isHopbackError } from '../errors.js';
export type { HopbackErrorCode, HopbackErrorOptions } from '../errors.js';
export type { Clock } from '../core/runtime/clock.js';
export { openSegmentLog, PENDING_BYTES, READ_BYTES, READ_RECORDS, RECORD_BYTES, SEGMENT_BYTES } from './segment-log.js';
export type {
  Appended,
  LogError,
  LogLosses,
  LogRecord,
  ReadOptions,
  RecordVisitor,
  SegmentLog,
  SegmentLogOptions,
  SegmentLogState,
} from './segment-log.js';
export type { ListedFile, LogFile, LogFiles, LogOperation, FolderLock } from './log-files.js';
export { NODE_LOG_FILES, lockFolder } from './log-files.js';
export { JOURNAL_KEY_BYTES, JOURNAL_KEYS, JOURNAL_VALUE_BYTES, openValueJournal } from './value-journal.js';
export type { ValueJournal, ValueJournalOptions } from './value-journal.js';
export { readValueJournal } from './value-journal.js';

// The Merkle log.
export {
  signatureFor,
  signCheckpoint,
  verifyCheckpoint,
  createLogSigner,
  merkleLeafHash,
  merkleRoot,
  verifyConsistency,
  verifyInclusion,
} from './merkle-tree.js';
export type {
  Checkpoint,
  CheckpointFailure,
  CheckpointTrust,
  CheckpointVerdict,
  LogSigner,
  ConsistencyProof,
  InclusionProof,
} from './merkle-tree.js';
export { ENTRY_BYTES, openMerkleLog, openSignedPart } from './merkle-log.js';
export type { MerkleAppended, MerkleEntry, MerkleLog, MerkleLogOptions, ProvedEntry } from './merkle-log.js';
export { verifyMerkleLog } from './verify-merkle-log.js';
export type { MerkleLogFinding, MerkleLogTrust, MerkleLogVerification, SignedEntries } from './verify-merkle-log.js';
