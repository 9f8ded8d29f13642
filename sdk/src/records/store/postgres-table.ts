import { HopbackError } from '../../errors.js';
import type { Disposition } from '../../core/call-record.js';
import type { SourceDescription } from '../ingest/record-reader.js';

/**
 * Columns of a carrier's own table, by what they mean here. Those that are looked up by need an index each, with the time behind:
 * `(dst, calldate)`.
 */
export interface PostgresColumns {
  /** The switch's own name of the leg: of its rows no two have the same. */
  readonly legId: string;
  /** When the INVITE came in, or the leg began. */
  readonly inviteAt: string;
  readonly answeredAt?: string;
  readonly endedAt?: string;
  /** What the legs of one call have in common. Without it a leg is a group of its own. */
  readonly callGroupId?: string;
  readonly calling?: string;
  readonly asserted?: string;
  readonly called?: string;
  /** Where the call was sent on to. */
  readonly translated?: string;
  /** Location routing number. */
  readonly lrn?: string;
  readonly ingressTrunk?: string;
  readonly ingressProvider?: string;
  readonly ingressAddress?: string;
  readonly ingressCallId?: string;
  readonly egressTrunk?: string;
  readonly egressProvider?: string;
  readonly egressAddress?: string;
  readonly egressCallId?: string;
  readonly disposition?: string;
  readonly sipStatus?: string;
  readonly q850Cause?: string;
  readonly cause?: string;
  readonly attestation?: string;
  readonly origId?: string;
  readonly spc?: string;
  readonly signedAttestation?: string;
  /** Looked up always; it is in the record where the attestation is. */
  readonly signedOrigId?: string;
  readonly customerId?: string;
  readonly blockedBy?: string;
}

/** How the times of a table are stored. `timestamp` has no zone of its own: it is read in that of the source. */
export type PostgresTime = 'timestamptz' | 'timestamp' | 'epoch-seconds' | 'epoch-milliseconds' | 'epoch-microseconds';

/** A table of call records that somebody else writes. */
export interface PostgresTable {
  /** Default that of the connection's `search_path`. */
  readonly schema?: string;
  /** A table or a view. */
  readonly table: string;
  readonly columns: PostgresColumns;
  /** Default `timestamptz`. */
  readonly time?: PostgresTime;
  /**
   * Name, zone, numbers and providers, as of files; its format is `columns`. With `keepRaw` a record has the row as it was selected, as
   * JSON: what the hash is of. The bytes that a switch wrote are not in the table.
   */
  readonly source: SourceDescription;
  /**
   * In which forms numbers are written, so that a look-up asks for those and finds them by the table's own indexes: `{e164}` stands for
   * country code and number, `{national}` for the number without the country code of the plan. Forms with a `+` or letters are not to be
   * given for columns that are numbers. Default `+{e164}`, `{e164}`, `{national}` and `011{e164}`.
   */
  readonly numberForms?: readonly string[];
  /**
   * What the words of the disposition column mean, in lower case. Default those of switches: `answered`, `busy`, `no answer`, `cancelled`,
   * `rejected`, `failed`, `congestion`, `blocked` and other spellings of them.
   */
  readonly dispositions?: Readonly<Record<string, Disposition>>;
}

/** `+12155550112`, `12155550112`, `2155550112`, `01112155550112`. */
export const NUMBER_FORMS: readonly string[] = ['+{e164}', '{e164}', '{national}', '011{e164}'];

/** Forms at most: each is one more look into an index. */
export const MAX_NUMBER_FORMS = 32;

/** Words that switches have for how a call went. */
export const DISPOSITIONS: Readonly<Record<string, Disposition>> = {
  answered: 'answered',
  busy: 'busy',
  'no answer': 'no-answer',
  'no-answer': 'no-answer',
  noanswer: 'no-answer',
  cancel: 'cancelled',
  cancelled: 'cancelled',
  canceled: 'cancelled',
  rejected: 'rejected',
  failed: 'failed',
  congestion: 'failed',
  blocked: 'blocked',
};

/** Octets of an identifier; PostgreSQL cuts longer ones off, and would find another column or none. */
const MAX_IDENTIFIER_BYTES = 63;

/**
 * An identifier as SQL text: whatever it holds, it names one thing.
 * @throws HopbackError `invalid-configuration` where it is none
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 * @example
 * ```ts
 * console.log(quotedIdentifier('my "cdr"')); // "my ""cdr"""
 * ```
 */
export function quotedIdentifier(name: string): string {
  if (name === '' || name.includes('\0') || Buffer.byteLength(name) > MAX_IDENTIFIER_BYTES) {
    throw new HopbackError('invalid-configuration', `A name in PostgreSQL has 1 to ${MAX_IDENTIFIER_BYTES} octets.`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Refuses a table that cannot be read.
 * @throws HopbackError `invalid-configuration`
 */
export function checkPostgresTable({ numberForms = NUMBER_FORMS }: PostgresTable): void {
  const isForm = (form: string): boolean =>
    form.length <= 64 && !form.includes('\0') && /\{(?:e164|national)\}/.test(form);
  if (numberForms.length === 0 || numberForms.length > MAX_NUMBER_FORMS || !numberForms.every(isForm)) {
    throw new HopbackError(
      'invalid-configuration',
      `numberForms are 1 to ${MAX_NUMBER_FORMS} texts with {e164} or {national} in them.`,
    );
  }
}
