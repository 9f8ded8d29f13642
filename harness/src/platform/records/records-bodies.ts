import type { WireSchema } from '@hopback/sdk/internal';
import type { BodyOf } from '@hopback/sdk/platform';
import { z } from 'zod';
import { count, identifier, utcTime } from '../domain/wire/routes.js';

/** Entries of one import: one transaction writes them, in some seconds. */
const MAX_ENTRIES = 2_000;
/** Longest text of a file of complaints in a request: some 40,000 rows. Larger ones are brought in by the command. */
const MAX_FILE_CHARS = 8 * 1_048_576;
/** Rejected rows that are named in an answer. */
export const MAX_NAMED_REJECTIONS = 1_000;

const line = z.string().min(1).max(256);
const nothing = z.exactOptional(z.never());

/** Entries of the list of numbers from which no call can rightly come, as operators bring them in. */
const DoNotOriginateImport = z.object({
  entries: z
    .array(
      z.object({
        entryId: identifier,
        numbers: z.union([
          z.object({ tn: z.string().regex(/^[0-9*#]{1,32}$/), prefix: nothing }),
          z.object({ prefix: z.string().regex(/^\d{1,15}$/), tn: nothing }),
        ]),
        reason: z.enum(['subscriber-request', 'invalid', 'unallocated', 'unused']),
        subscriber: z.exactOptional(line),
        validFrom: utcTime,
        validTo: z.exactOptional(utcTime),
      }),
    )
    .min(1)
    .max(MAX_ENTRIES),
});
export type DoNotOriginateImport = BodyOf<typeof DoNotOriginateImport>;

/** The names of the columns of a file of complaints. */
const ComplaintColumns = z.object({
  /** Date, or date and time, of the call: ISO 8601 or month/day/year. */
  date: line,
  /** Time of day, where it has a column of its own. */
  time: z.exactOptional(line),
  /** The number that called, or was shown. */
  callerNumber: z.exactOptional(line),
  type: z.exactOptional(line),
  subject: z.exactOptional(line),
  state: z.exactOptional(line),
  comment: z.exactOptional(line),
  /** The source's own id of the complaint. */
  id: z.exactOptional(line),
});
export type ComplaintColumns = BodyOf<typeof ComplaintColumns>;

/** A file of complaints. */
const ComplaintImport = z.object({
  /** Whose file it is, `ftc-dnc`: the same complaint of two sources is two. */
  source: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  columns: ComplaintColumns,
  /** CSV (RFC 4180) with a line of names. */
  text: z.string().min(1).max(MAX_FILE_CHARS),
});
export type ComplaintImport = BodyOf<typeof ComplaintImport>;

const RejectedComplaint = z.object({
  /** From 1, that of the names. */
  line: z.int().min(1),
  code: z.enum([
    ...(['no-date', 'invalid-date', 'invalid-number', 'too-long', 'too-old', 'in-the-future'] as const),
    'invalid-csv',
  ]),
});

/** What became of a file. */
const ComplaintsImported = z.object({
  importId: identifier,
  stored: count,
  /** Those that were there already. */
  repeated: count,
  rejectedCount: count,
  /** The first of them. */
  rejected: z.array(RejectedComplaint).max(MAX_NAMED_REJECTIONS),
});
export type ComplaintsImported = BodyOf<typeof ComplaintsImported>;

/** Bodies of the routes of operators. */
export const RECORDS_SCHEMAS: Readonly<Record<string, WireSchema<unknown>>> = {
  DoNotOriginateImport,
  DoNotOriginateImported: z.object({ changed: count, unchanged: count }),
  ComplaintImport,
  ComplaintsImported,
};
