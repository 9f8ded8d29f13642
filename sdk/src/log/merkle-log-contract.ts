import type { KeyObject } from 'node:crypto';
import type { LogSigner } from './checkpoint.js';
import type { SegmentLogOptions, SegmentLogState } from './log-contract.js';
import type { ConsistencyProof, InclusionProof } from './merkle-proof.js';

/** How a Merkle log is opened. */
export interface MerkleLogOptions extends Pick<
  SegmentLogOptions,
  'directory' | 'segmentBytes' | 'files' | 'clock' | 'schedule'
> {
  /** Name of the log, which no other has and which stands in its checkpoints: `example.com/evidence`. 1 to 256 characters. */
  readonly logId: string;
  readonly signer: LogSigner;
  /** Keys that signed for the log before the signer of now. */
  readonly formerPublicKeys?: readonly KeyObject[];
  /** Checkpoints that were kept elsewhere: the log has to go at least so far, and to have been that. */
  readonly heldCheckpoints?: readonly string[];
  /** Is told of each new checkpoint, so that it can be sent elsewhere: one that never leaves the machine shows no cut tail. */
  readonly onCheckpoint?: (note: string) => void;
}

/** An entry that counts: it is durable, and signed for. */
export interface MerkleAppended {
  /** Its place, from 0. */
  readonly leafIndex: number;
  /** Signed note over everything up to it, or up to some that were appended at the same time. */
  readonly checkpoint: string;
}

/** An entry as it was appended. */
export interface MerkleEntry {
  readonly leafIndex: number;
  readonly octets: Uint8Array;
}

/** An entry with all that a stranger needs to see that it is in the log. */
export interface ProvedEntry {
  readonly octets: Uint8Array;
  readonly inclusion: InclusionProof;
  /** Signed note over the tree that the proof is for. */
  readonly checkpoint: string;
}

/** A log of entries that cannot be changed unnoticed. Hashes are SHA-256 in lower-case hex. */
export interface MerkleLog extends AsyncDisposable {
  readonly logId: string;
  /** Entries that count. */
  readonly size: number;
  /** The newest signed checkpoint; absent while there is no entry. */
  readonly checkpoint: string | undefined;
  /**
   * Appends an entry. Those that are appended at the same time are signed for and synced together.
   * @param entry - at most {@link ENTRY_BYTES}; text becomes UTF-8. No personal data: it stays forever
   * @returns once it is durable
   * @throws HopbackError `signer-failed`: it is not in the log; `storage-failed` (retryable): it may come to be in the log nevertheless when
   * the disk takes it later, so that who tries again may have it there twice; `invalid-argument`; `closed`
   */
  readonly append: (entry: Uint8Array | string) => Promise<MerkleAppended>;
  /**
   * Reads entries in order, each held against its hash.
   * @param fromIndex - 0 to `size`
   * @throws HopbackError `log-inconsistent` when somebody has changed the files since; `storage-failed`; `invalid-argument`; `closed`
   */
  readonly read: (fromIndex: number, options?: { readonly maxEntries?: number }) => Promise<readonly MerkleEntry[]>;
  /** Hash of an entry, from memory. RFC 9162 section 2.1.1. @throws HopbackError `invalid-argument` for an entry that is not there */
  readonly leafHash: (leafIndex: number) => string;
  /** Root of the first entries. @throws HopbackError `invalid-argument` for more than there are */
  readonly rootHash: (size?: number) => string;
  /** @throws HopbackError `invalid-argument` for an entry that is not there */
  readonly inclusionProof: (leafIndex: number, size?: number) => InclusionProof;
  /** @throws HopbackError `invalid-argument` for more entries than there are */
  readonly consistencyProof: (fromSize: number, toSize?: number) => ConsistencyProof;
  /** An entry with its proof and the newest checkpoint. @throws HopbackError as `read` */
  readonly prove: (leafIndex: number) => Promise<ProvedEntry>;
  /** The checkpoint that was signed when an entry was appended. @throws HopbackError as `read` */
  readonly checkpointOver: (leafIndex: number) => Promise<string>;
  /** Of the segments below. Never throws. */
  readonly state: () => SegmentLogState;
  /** Waits for entries that were appended, and closes the files. May be called again. @throws HopbackError `storage-failed` */
  readonly close: () => Promise<void>;
}

/** Longest entry, octets: evidence and audit entries are hashes and references. */
export const ENTRY_BYTES: number = 64 * 1_024;
/** Entries that may wait for the disk: some seconds of a busy audit. */
export const WAITING_ENTRIES = 10_000;
