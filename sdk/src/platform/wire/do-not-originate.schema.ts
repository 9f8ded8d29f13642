import { z } from 'zod';
import { canonicalTn } from './call-record.schema.js';
import type { DoNotOriginateEntry } from './do-not-originate.js';
import { identifier, line, utcTime } from './wire-words.schema.js';

/** An entry is about one number or about one block. */
const nothing = z.exactOptional(z.never());

/** Numbers from which no call is to be let through. */
export const doNotOriginateEntrySchema: z.ZodType<DoNotOriginateEntry> = z.object({
  entryId: identifier,
  numbers: z.union([
    z.object({ tn: canonicalTn, prefix: nothing }),
    z.object({ prefix: z.string().regex(/^\d{1,15}$/), tn: nothing }),
  ]),
  reason: z.enum(['subscriber-request', 'invalid', 'unallocated', 'unused']),
  subscriber: z.exactOptional(line),
  validFrom: utcTime,
  validTo: z.exactOptional(utcTime),
  updatedAt: utcTime,
});
