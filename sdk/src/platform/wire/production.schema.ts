import { z } from 'zod';
import { demandRecordClass } from './demand.schema.js';
import type { Production, ProductionFile } from './production.js';
import { count, sha256 } from './verdict-evidence.schema.js';
import { fileName, identifier, mediaType, utcTime } from './wire-words.schema.js';

/** Files of one production: one a day and class for years. */
const MAX_FILES = 10_000;

const productionFile: z.ZodType<ProductionFile> = z.object({
  name: fileName,
  mediaType,
  sizeBytes: count,
  sha256,
  recordClass: z.exactOptional(demandRecordClass),
  records: z.exactOptional(count),
});

/** What is handed over to an agency. */
export const productionSchema: z.ZodType<Production> = z.object({
  format: z.literal('hopback.production.1'),
  productionId: identifier,
  demandId: identifier,
  decisionId: identifier,
  state: z.enum(['in-preparation', 'ready', 'expired']),
  createdAt: utcTime,
  readyAt: z.exactOptional(utcTime),
  expiresAt: z.exactOptional(utcTime),
  manifestName: z.exactOptional(fileName),
  certificateName: z.exactOptional(fileName),
  files: z.array(productionFile).max(MAX_FILES),
});
