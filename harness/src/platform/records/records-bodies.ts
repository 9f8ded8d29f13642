import type { DoNotOriginateEntry, WireSchema } from '@hopback/sdk/platform';
import { z } from 'zod';

/** Entries of the list of numbers from which no call can rightly come, as operators bring them in. */
export interface DoNotOriginateImport {
  readonly entries: readonly Omit<DoNotOriginateEntry, 'updatedAt'>[];
}

/** What became of them. */
export interface DoNotOriginateImported {
  /** New, or other than before. */
  readonly changed: number;
  readonly unchanged: number;
}

/** The names of the columns of a file of complaints. */
export interface ComplaintColumns {
  /** Date, or date and time, of the call: ISO 8601 or month/day/year. */
  readonly date: string;
  /** Time of day, where it has a column of its own. */
  readonly time?: string;
  /** The number that called, or was shown. */
  readonly callerNumber?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly state?: string;
  readonly comment?: string;
  /** The source's own id of the complaint. */
  readonly id?: string;
}

/** A file of complaints. */
export interface ComplaintImport {
  /** Whose file it is, `ftc-dnc`: the same complaint of two sources is two. */
  readonly source: string;
  readonly columns: ComplaintColumns;
  /** CSV (RFC 4180) with a line of names. */
  readonly text: string;
}

/** Why a row of a file is no complaint. */
export interface RejectedComplaint {
  /** From 1, that of the names. */
  readonly line: number;
  readonly code:
    'no-date' | 'invalid-date' | 'invalid-number' | 'too-long' | 'too-old' | 'in-the-future' | 'invalid-csv';
}

/** What became of a file. */
export interface ComplaintsImported {
  readonly importId: string;
  readonly stored: number;
  /** Those that were there already. */
  readonly repeated: number;
  readonly rejectedCount: number;
  /** The first of them. */
  readonly rejected: readonly RejectedComplaint[];
}

/** Entries of one import: one transaction writes them, in some seconds. */
const MAX_ENTRIES = 2_000;
/** Longest text of a file of complaints in a request: some 40,000 rows. Larger ones are brought in by the command. */
const MAX_FILE_CHARS = 8 * 1_048_576;
/** Rejected rows that are named in an answer. */
export const MAX_NAMED_REJECTIONS = 1_000;

const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/);
const line = z.string().min(1).max(256);
const utcTime = z.iso.datetime().max(40);
const nothing = z.exactOptional(z.never());
const count = z.int().min(0);

const doNotOriginateImport: z.ZodType<DoNotOriginateImport> = z.object({
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

const doNotOriginateImported: z.ZodType<DoNotOriginateImported> = z.object({ changed: count, unchanged: count });

const columns: z.ZodType<ComplaintColumns> = z.object({
  date: line,
  time: z.exactOptional(line),
  callerNumber: z.exactOptional(line),
  type: z.exactOptional(line),
  subject: z.exactOptional(line),
  state: z.exactOptional(line),
  comment: z.exactOptional(line),
  id: z.exactOptional(line),
});

const complaintImport: z.ZodType<ComplaintImport> = z.object({
  source: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  columns,
  text: z.string().min(1).max(MAX_FILE_CHARS),
});

const complaintsImported: z.ZodType<ComplaintsImported> = z.object({
  importId: identifier,
  stored: count,
  repeated: count,
  rejectedCount: count,
  rejected: z
    .array(
      z.object({
        line: z.int().min(1),
        code: z.enum([
          ...(['no-date', 'invalid-date', 'invalid-number', 'too-long', 'too-old', 'in-the-future'] as const),
          'invalid-csv',
        ]),
      }),
    )
    .max(MAX_NAMED_REJECTIONS),
});

/** Bodies of the routes of operators. */
export const RECORDS_SCHEMAS: Readonly<Record<string, WireSchema<unknown>>> = {
  DoNotOriginateImport: doNotOriginateImport,
  DoNotOriginateImported: doNotOriginateImported,
  ComplaintImport: complaintImport,
  ComplaintsImported: complaintsImported,
};
