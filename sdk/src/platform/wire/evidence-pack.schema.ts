import { z } from 'zod';
import type { EvidenceFile, EvidencePackSummary, LogCheckpoint } from './evidence-pack.js';
import { count, sha256 } from './verdict-evidence.schema.js';
import { identifier, logId, mediaType, utcTime } from './wire-words.schema.js';

/** Files of a pack: a dozen, and one for each row that a record was made of. */
const MAX_FILES = 1_024;

const evidenceFile: z.ZodType<EvidenceFile> = z.object({
  // Parts of letters and digits, so that no name leads out of the folder that it is unpacked into.
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,7}$/),
  role: z.enum([
    'manifest',
    'source-record',
    'search',
    'coverage',
    'decision',
    'verdict',
    'request',
    'answer',
    'log-proof',
    'certificate-of-custodian',
    'rendering',
    'other',
  ]),
  mediaType,
  sizeBytes: count,
  sha256,
});

/** What stands in a log at some size of it. */
export const logCheckpointSchema: z.ZodType<LogCheckpoint> = z.object({
  logId,
  treeSize: count,
  rootSha256: sha256,
  signedAt: utcTime,
});

/** What an evidence pack holds. */
export const evidencePackSummarySchema: z.ZodType<EvidencePackSummary> = z.object({
  format: z.literal('hopback.evidence-pack-summary.1'),
  packId: identifier,
  requestId: identifier,
  answerId: identifier,
  createdAt: utcTime,
  manifestSha256: sha256,
  logId,
  leafIndex: count,
  checkpoint: z.exactOptional(logCheckpointSchema),
  files: z.array(evidenceFile).min(1).max(MAX_FILES),
});
