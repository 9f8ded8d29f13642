/**
 * Durable state: an append-only log of checksummed records, a journal of small values on it, and a log that proves what it holds.
 *
 * - {@link SegmentLog}: `append` takes a record without waiting, `durableSequence` tells how far records have been synced to the disk,
 *   `read` gives them back, `trim` removes what nobody needs any more.
 * - {@link ValueJournal}: the latest value of each key, durable when `set` resolves.
 * - {@link MerkleLog}: entries that cannot be changed unnoticed, with signed checkpoints and proofs. `MerkleLog.openSignedPart` opens what
 *   a damaged one still proves. {@link verifyMerkleLog} names the first bad entry of its files; {@link verifyCheckpoint},
 *   {@link verifyInclusion} and {@link verifyConsistency} need no files.
 *
 * Mistakes of the caller and refusals of the disk are a {@link HopbackError} with a `code`; `append` never throws.
 * @packageDocumentation
 */
export { SegmentLog } from './segment-log.js';
export type { LogRecord, SegmentLogOptions, Appended, SegmentLogState } from './segment-log.js';
export type { LogFiles } from './log-files.js';
export { FolderLock } from './log-files.js';
export { ValueJournal } from './value-journal.js';
export type { ValueJournalOptions } from './value-journal.js';

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
export { MerkleLog } from './merkle-log.js';
export type { MerkleEntry, MerkleLogOptions, ProvedEntry } from './merkle-log.js';
export { verifyMerkleLog } from './verify-merkle-log.js';
export type { MerkleLogFinding, MerkleLogVerification } from './verify-merkle-log.js';
