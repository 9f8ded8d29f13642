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
export { openSegmentLog } from './segment-log.js';
export type {
  LogRecord,
  SegmentLog,
  SegmentLogOptions,
  Appended,
  RecordVisitor,
  SegmentLogState,
  LogError,
  LogLosses,
} from './segment-log.js';
export type { LogFiles, FolderLock, LogOperation } from './log-files.js';
export { lockFolder } from './log-files.js';
export { openValueJournal } from './value-journal.js';
export type { ValueJournal, ValueJournalOptions } from './value-journal.js';

// The Merkle log.
export {
  verifyCheckpoint,
  createLogSigner,
  merkleLeafHash,
  verifyConsistency,
  verifyInclusion,
  merkleRoot,
  signCheckpoint,
} from './merkle-tree.js';
export type { Checkpoint, CheckpointVerdict, LogSigner, ConsistencyProof, InclusionProof } from './merkle-tree.js';
export { openMerkleLog, openSignedPart } from './merkle-log.js';
export type { MerkleEntry, MerkleLog, MerkleLogOptions, ProvedEntry } from './merkle-log.js';
export { verifyMerkleLog } from './verify-merkle-log.js';
export type { MerkleLogFinding, MerkleLogVerification, SignedEntries, MerkleLogTrust } from './verify-merkle-log.js';
