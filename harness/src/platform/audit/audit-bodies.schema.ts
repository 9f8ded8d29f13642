import type { WireSchema } from '@hopback/sdk/platform';
import { z } from 'zod';
import type {
  AuditCheckpoint,
  AuditConsistency,
  AuditFaultRecord,
  AuditRecord,
  AuditRecordPage,
  AuditSegmentRecord,
  AuditVerificationRecord,
  ProvedAuditRecord,
} from './audit-bodies.js';

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
