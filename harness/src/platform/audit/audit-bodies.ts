import type { WireSchema } from '@hopback/sdk/internal';
import type { BodyOf } from '@hopback/sdk/platform';
import { z } from 'zod';
import { count, MAX_ITEMS, pageOf, utcTime } from '../domain/wire/routes.js';

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
const hashes = z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(MAX_HASHES);
const logId = z.string().max(256);
/** Signed note over a tree. c2sp.org/tlog-checkpoint */
const note = z.string().max(MAX_NOTE_CHARS);

/** Something that was done, as it was written down with it. */
const AuditRecord = z.object({
  /** Its place in the order of the audit, from 1; there are holes where a transaction was given up. */
  position: count,
  at: utcTime,
  /** `demand.decided` */
  action: text,
  organizationId: text,
  /** Id of the client that did it; `platform` for what the platform does by itself. */
  actor: text,
  /** Object, such as `demand:d-1`. */
  object: text,
  details: z.record(text, z.unknown()).refine((value) => Object.keys(value).length <= MAX_DETAILS),
  /** Place of its leaf in its segment of the Merkle log, from 0; absent where the log has none. */
  leafIndex: z.exactOptional(count),
  /**
   * How the entry of the table compares with the log that signed it:
   * - `signed`: it is what was signed
   * - `waiting`: it is not in the log yet; this normally takes about a second. If it stays, look in the log of the platform
   * - `changed`: somebody changed it after it was signed
   * - `inserted`: somebody put it in: it was never signed, and later entries were
   * - `deleted`: somebody deleted it; what is shown is what was signed
   * - `unproved`: the log has lost what it had of it, or is damaged there
   */
  integrity: z.enum(['signed', 'waiting', 'changed', 'inserted', 'deleted', 'unproved']),
});
export type AuditRecord = BodyOf<typeof AuditRecord>;

/** An entry with what a stranger needs to see that it is in the log. Hashes are SHA-256 in lower-case hex. */
const ProvedAuditRecord = z.object({
  entry: AuditRecord,
  /** Of an entry that was changed: what was signed. */
  signed: z.exactOptional(AuditRecord),
  /** There where the entry is what was signed. */
  proof: z.exactOptional(
    z.object({
      /** What the hash of the leaf is made of, UTF-8: canonical JSON of the entry. RFC 9162 section 2.1.1 */
      leaf: z.string().max(MAX_LEAF_CHARS),
      inclusion: z.object({ leafIndex: count, size: count, hashes }),
      checkpoint: note,
    }),
  ),
});
export type ProvedAuditRecord = BodyOf<typeof ProvedAuditRecord>;

/** A part of the log. A new one is begun where the audit was found to be tampered with. */
const AuditSegment = z.object({
  /** From 1. */
  segment: count,
  logId,
  /** Entries that it proves; of a segment behind the first one more, its link. */
  size: count,
  checkpoint: z.exactOptional(note),
  /** Entries up to this position are in segments before. */
  afterPosition: count,
  /** Why the segment was begun, and what it goes on from: its first entry. */
  link: z.exactOptional(
    z.object({
      at: utcTime,
      /** Position of the first entry that was not as it was signed. */
      brokenAt: count,
      kind: text,
      /** The last checkpoint before it that is good. */
      previous: z.object({ logId, size: count, checkpoint: z.exactOptional(note) }),
    }),
  ),
});
export type AuditSegmentRecord = BodyOf<typeof AuditSegment>;

/** How far the log goes, signed: its last segment, and all of them. */
const AuditCheckpoint = z.object({
  logId,
  segment: count,
  size: count,
  /** Absent while there is no entry. Keep it elsewhere: it shows later that nothing was changed or cut off since. */
  checkpoint: z.exactOptional(note),
  segments: z.array(AuditSegment).max(MAX_SEGMENTS),
});
export type AuditCheckpoint = BodyOf<typeof AuditCheckpoint>;

/** That a log of some entries is the beginning of the log of more; its note is the newest. RFC 9162 section 2.1.4 */
const AuditConsistency = z.object({ fromSize: count, toSize: count, hashes, checkpoint: note });
export type AuditConsistency = BodyOf<typeof AuditConsistency>;

/** The result of a look through the whole audit. */
const AuditVerification = z.object({
  /** `running`: it goes on; ask again. */
  status: z.enum(['intact', 'broken', 'running']),
  startedAt: utcTime,
  endedAt: z.exactOptional(utcTime),
  /** Entries of the log that are as they were signed. */
  entries: z.exactOptional(count),
  /** Entries of the table that were compared with them, and those that are not in the log yet. */
  rows: z.exactOptional(count),
  waiting: z.exactOptional(count),
  segments: z.exactOptional(count),
  /** Position of the first entry that is not as it was signed. */
  firstBadEntry: z.exactOptional(count),
  findingCount: z.exactOptional(count),
  /** The first of them. */
  findings: z.exactOptional(
    z
      .array(
        z.object({
          segment: count,
          /** Of the entry, where it is known. */
          position: z.exactOptional(count),
          leafIndex: z.exactOptional(count),
          /** `changed`, `deleted`, `inserted`, `cut` and others. */
          kind: text,
        }),
      )
      .max(MAX_ITEMS),
  ),
});
export type AuditVerificationRecord = BodyOf<typeof AuditVerification>;

/** Schemas of the bodies of operators' routes of the audit, by name. */
export const AUDIT_SCHEMAS: Readonly<Record<string, WireSchema<unknown>>> = {
  AuditRecord,
  AuditRecordPage: pageOf(AuditRecord),
  ProvedAuditRecord,
  AuditCheckpoint,
  AuditConsistency,
  AuditVerification,
};
