import type { WireSchema } from '@hopback/sdk/platform';
import { z } from 'zod';
import type {
  AuditCheckpoint,
  AuditConsistency,
  AuditRecord,
  AuditRecordPage,
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
});
const page: z.ZodType<AuditRecordPage> = z.object({
  items: z.array(record).max(MAX_ITEMS),
  nextCursor: z.exactOptional(z.string().max(1_024)),
});
const proved: z.ZodType<ProvedAuditRecord> = z.object({
  entry: record,
  proof: z.exactOptional(
    z.object({
      leaf: z.string().max(MAX_LEAF_CHARS),
      inclusion: z.object({ leafIndex: count, size: count, hashes: z.array(hash).max(MAX_HASHES) }),
      checkpoint: note,
    }),
  ),
});
const checkpoint: z.ZodType<AuditCheckpoint> = z.object({
  logId: z.string().max(256),
  size: count,
  checkpoint: z.exactOptional(note),
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
};
