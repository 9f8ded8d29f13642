/** What a file of an evidence pack is for. */
export type EvidenceFileRole =
  | 'manifest'
  | 'source-record'
  | 'search'
  | 'coverage'
  | 'decision'
  | 'verdict'
  | 'request'
  | 'answer'
  | 'log-proof'
  | 'certificate-of-custodian'
  | 'rendering'
  | 'other';

/** One file of an evidence pack. */
export interface EvidenceFile {
  /** Path within the pack, `/` between its parts. */
  readonly name: string;
  readonly role: EvidenceFileRole;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** SHA-256 of the bytes, lower-case hex. */
  readonly sha256: string;
}

/** What stands in a provider's tamper-evident log at some size of it. @see RFC 9162 section 2.1 */
export interface LogCheckpoint {
  readonly logId: string;
  readonly treeSize: number;
  /** Merkle tree hash, lower-case hex. */
  readonly rootSha256: string;
  /** RFC 3339 in UTC. */
  readonly signedAt: string;
}

/**
 * What an evidence pack holds, without the files themselves: enough for whoever gets the pack later to see that nothing in it has changed
 * since the answer.
 */
export interface EvidencePackSummary {
  readonly format: 'hopback.evidence-pack-summary.1';
  readonly packId: string;
  readonly requestId: string;
  readonly answerId: string;
  /** RFC 3339 in UTC. */
  readonly createdAt: string;
  /** SHA-256 of the manifest of the pack, lower-case hex. */
  readonly manifestSha256: string;
  readonly logId: string;
  /** Place of the pack in the log, from 0. */
  readonly leafIndex: number;
  /** The latest checkpoint that covers it. */
  readonly checkpoint?: LogCheckpoint;
  readonly files: readonly EvidenceFile[];
}
