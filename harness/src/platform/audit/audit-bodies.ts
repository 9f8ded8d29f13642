import type { Page } from '@hopback/sdk/platform';

/** Something that was done, as it was written down with it. */
export interface AuditRecord {
  /** Its place in the order of the audit, from 1; there are holes where a transaction was given up. */
  readonly position: number;
  readonly at: string;
  /** `demand.decided` */
  readonly action: string;
  readonly organizationId: string;
  /** Id of the client that did it; `platform` for what the platform does by itself. */
  readonly actor: string;
  /** What it was done to, `demand:d-1`. */
  readonly object: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Place of its leaf in the Merkle log, from 0; absent until it is there, which takes less than seconds. */
  readonly leafIndex?: number;
}

/** Some of them. */
export type AuditRecordPage = Page<AuditRecord>;

/** An entry with what a stranger needs to see that it is in the log. Hashes are SHA-256 in lower-case hex. */
export interface ProvedAuditRecord {
  readonly entry: AuditRecord;
  /** Absent while the entry is not in the log. */
  readonly proof?: {
    /** What the hash of the leaf is made of, UTF-8: canonical JSON of the entry. RFC 9162 section 2.1.1 */
    readonly leaf: string;
    readonly inclusion: { readonly leafIndex: number; readonly size: number; readonly hashes: readonly string[] };
    /** Signed note over the tree of the proof. c2sp.org/tlog-checkpoint */
    readonly checkpoint: string;
  };
}

/** How far the log goes, signed. */
export interface AuditCheckpoint {
  readonly logId: string;
  readonly size: number;
  /** Signed note; absent while there is no entry. Whoever keeps it can see later that nothing was changed or cut off since. */
  readonly checkpoint?: string;
}

/** That a log of some entries is the beginning of the log of more. RFC 9162 section 2.1.4 */
export interface AuditConsistency {
  readonly fromSize: number;
  readonly toSize: number;
  readonly hashes: readonly string[];
  /** Newest signed note, over `toSize` entries where that is all. */
  readonly checkpoint: string;
}
