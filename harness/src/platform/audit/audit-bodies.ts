import type { Page, WireSchema } from '@hopback/sdk/platform';
import { z } from 'zod';

/**
 * How an entry of the table compares with the log that signed it:
 * - `signed`: it is what was signed
 * - `waiting`: it is not in the log yet, which takes less than seconds
 * - `changed`: somebody changed it after it was signed
 * - `inserted`: somebody put it in: it was never signed, and later entries were
 * - `deleted`: somebody deleted it; what is shown is what was signed
 * - `unproved`: the log has lost what it had of it, or is damaged there
 */
export type AuditIntegrity = 'signed' | 'waiting' | 'changed' | 'inserted' | 'deleted' | 'unproved';

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
  /** Object, such as `demand:d-1`. */
  readonly object: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Place of its leaf in its segment of the Merkle log, from 0; absent where the log has none. */
  readonly leafIndex?: number;
  readonly integrity: AuditIntegrity;
}

/** Some of them. */
export type AuditRecordPage = Page<AuditRecord>;

/** An entry with what a stranger needs to see that it is in the log. Hashes are SHA-256 in lower-case hex. */
export interface ProvedAuditRecord {
  readonly entry: AuditRecord;
  /** Of an entry that was changed: what was signed. */
  readonly signed?: AuditRecord;
  /** There where the entry is what was signed. */
  readonly proof?: {
    /** What the hash of the leaf is made of, UTF-8: canonical JSON of the entry. RFC 9162 section 2.1.1 */
    readonly leaf: string;
    readonly inclusion: { readonly leafIndex: number; readonly size: number; readonly hashes: readonly string[] };
    /** Signed note over the tree of the proof. c2sp.org/tlog-checkpoint */
    readonly checkpoint: string;
  };
}

/** A part of the log. A new one is begun where the audit was found to be tampered with. */
export interface AuditSegmentRecord {
  /** From 1. */
  readonly segment: number;
  readonly logId: string;
  /** Entries that it proves; of a segment behind the first one more, its link. */
  readonly size: number;
  /** Signed note over them. */
  readonly checkpoint?: string;
  /** Entries up to this position are in segments before. */
  readonly afterPosition: number;
  /** Why the segment was begun, and what it goes on from: its first entry. */
  readonly link?: {
    readonly at: string;
    /** Position of the first entry that was not as it was signed. */
    readonly brokenAt: number;
    readonly kind: string;
    /** The last checkpoint before it that is good. */
    readonly previous: { readonly logId: string; readonly size: number; readonly checkpoint?: string };
  };
}

/** How far the log goes, signed: its last segment, and all of them. */
export interface AuditCheckpoint {
  readonly logId: string;
  readonly segment: number;
  readonly size: number;
  /** Signed note; absent while there is no entry. Keep it elsewhere: it shows later that nothing was changed or cut off since. */
  readonly checkpoint?: string;
  readonly segments: readonly AuditSegmentRecord[];
}

/** That a log of some entries is the beginning of the log of more. RFC 9162 section 2.1.4 */
export interface AuditConsistency {
  readonly fromSize: number;
  readonly toSize: number;
  readonly hashes: readonly string[];
  /** Newest signed note, over `toSize` entries where that is all. */
  readonly checkpoint: string;
}

/** Something of the audit that is not as it was signed. */
export interface AuditFaultRecord {
  readonly segment: number;
  /** Of the entry, where it is known. */
  readonly position?: number;
  readonly leafIndex?: number;
  /** `changed`, `deleted`, `inserted`, `cut` and others. */
  readonly kind: string;
}

/** The result of a look through the whole audit. */
export interface AuditVerificationRecord {
  /** `running`: it goes on; ask again. */
  readonly status: 'intact' | 'broken' | 'running';
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Entries of the log that are as they were signed. */
  readonly entries?: number;
  /** Entries of the table that were compared with them. */
  readonly rows?: number;
  /** Entries of the table that are not in the log yet. */
  readonly waiting?: number;
  readonly segments?: number;
  /** Position of the first entry that is not as it was signed. */
  readonly firstBadEntry?: number;
  readonly findingCount?: number;
  /** The first of them. */
  readonly findings?: readonly AuditFaultRecord[];
}

/** Items of a page, as of every list of the contract. */
const MAX_ITEMS = 500;
/** Hashes of a proof: one for each level of a tree of 2^53 leaves, and one. */
const MAX_HASHES = 54;
/** Characters of a leaf, 64 KiB at most. */
const MAX_LEAF_CHARS = 65_536;
/** Characters of a signed note: sixteen signatures of five kilobytes, and a text. */
const MAX_NOTE_CHARS = 98_304;
const MAX_DETAILS = 256;
/** Segments that are listed, the newest: each stands for a tampering. */
export const MAX_SEGMENTS = 100;

const text = z.string().max(1_024);
const count = z.number().int().nonnegative();
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const note = z.string().max(MAX_NOTE_CHARS);

const record: z.ZodType<AuditRecord> = z.object({
  position: count,
  at: z.iso.datetime().max(40),
  action: text,
  organizationId: text,
  actor: text,
  object: text,
  details: z.record(text, z.unknown()).refine((value) => Object.keys(value).length <= MAX_DETAILS),
  leafIndex: z.exactOptional(count),
  integrity: z.enum(['signed', 'waiting', 'changed', 'inserted', 'deleted', 'unproved']),
});
const page: z.ZodType<AuditRecordPage> = z.object({
  items: z.array(record).max(MAX_ITEMS),
  nextCursor: z.exactOptional(z.string().max(1_024)),
});
const proved: z.ZodType<ProvedAuditRecord> = z.object({
  entry: record,
  signed: z.exactOptional(record),
  proof: z.exactOptional(
    z.object({
      leaf: z.string().max(MAX_LEAF_CHARS),
      inclusion: z.object({ leafIndex: count, size: count, hashes: z.array(hash).max(MAX_HASHES) }),
      checkpoint: note,
    }),
  ),
});
const logId = z.string().max(256);
const segment: z.ZodType<AuditSegmentRecord> = z.object({
  segment: count,
  logId,
  size: count,
  checkpoint: z.exactOptional(note),
  afterPosition: count,
  link: z.exactOptional(
    z.object({
      at: z.iso.datetime().max(40),
      brokenAt: count,
      kind: text,
      previous: z.object({ logId, size: count, checkpoint: z.exactOptional(note) }),
    }),
  ),
});
const checkpoint: z.ZodType<AuditCheckpoint> = z.object({
  logId,
  segment: count,
  size: count,
  checkpoint: z.exactOptional(note),
  segments: z.array(segment).max(MAX_SEGMENTS),
});
const fault: z.ZodType<AuditFaultRecord> = z.object({
  segment: count,
  position: z.exactOptional(count),
  leafIndex: z.exactOptional(count),
  kind: text,
});
const verification: z.ZodType<AuditVerificationRecord> = z.object({
  status: z.enum(['intact', 'broken', 'running']),
  startedAt: z.iso.datetime().max(40),
  endedAt: z.exactOptional(z.iso.datetime().max(40)),
  entries: z.exactOptional(count),
  rows: z.exactOptional(count),
  waiting: z.exactOptional(count),
  segments: z.exactOptional(count),
  firstBadEntry: z.exactOptional(count),
  findingCount: z.exactOptional(count),
  findings: z.exactOptional(z.array(fault).max(MAX_ITEMS)),
});
const consistency: z.ZodType<AuditConsistency> = z.object({
  fromSize: count,
  toSize: count,
  hashes: z.array(hash).max(MAX_HASHES),
  checkpoint: note,
});

/** Schemas of the bodies of operators' routes of the audit, by name. */
export const AUDIT_SCHEMAS: Readonly<Record<string, WireSchema<unknown>>> = {
  AuditRecord: record,
  AuditRecordPage: page,
  ProvedAuditRecord: proved,
  AuditCheckpoint: checkpoint,
  AuditConsistency: consistency,
  AuditVerification: verification,
};
