import type { DoNotOriginateEntry } from '@hopback/sdk/platform';

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
