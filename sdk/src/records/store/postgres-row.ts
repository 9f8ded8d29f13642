import type { CallRecord, Disposition, ReceivedVerification, Release } from '../../contract/call-record.js';
import { NORTH_AMERICAN_PLAN, isCanonicalTelephoneNumber } from '../../core/telephone-number.js';
import type { Attestation, CanonicalTn } from '../../core/telephone-number.js';
import { HopbackError } from '../../errors.js';
import { callRecord, legSource } from '../ingest/formats/leg.js';
import type { LegParts, LegSide } from '../ingest/formats/leg.js';
import { rawRowsOf, withRaw } from '../ingest/record-reader.js';
import type { SourceDescription } from '../ingest/record-reader.js';
import type { RowClock, RowInstant } from '../ingest/formats/row-times.js';
import { sourceSha256 } from '../record-id.js';
import { OTHER_INSTANT_US } from './record-store.js';
import type { RecordQuery, TimeWindow } from './record-store.js';

/** A table of call records that somebody else writes. */
export interface PostgresTable {
  /** Default that of the connection's `search_path`. */
  readonly schema?: string;
  /** A table or a view. */
  readonly table: string;
  /**
   * Columns of a carrier's own table, by what they mean here. Those that are looked up by need an index each, with the time behind:
   * `(dst, calldate)`.
   */
  readonly columns: {
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
  };
  /** How times are stored. `timestamp` has no zone of its own: it is read in that of the source. Default `timestamptz`. */
  readonly time?: 'timestamptz' | 'timestamp' | 'epoch-seconds' | 'epoch-milliseconds' | 'epoch-microseconds';
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

/** What the columns of a table mean. */
export type PostgresColumns = PostgresTable['columns'];

/** `+12155550112`, `12155550112`, `2155550112`, `01112155550112`. */
const NUMBER_FORMS: readonly string[] = ['+{e164}', '{e164}', '{national}', '011{e164}'];

/** Forms at most: each is one more look into an index. */
const MAX_NUMBER_FORMS = 32;

/** Words that switches have for how a call went. */
const DISPOSITIONS: Readonly<Record<string, Disposition>> = {
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

/** A statement, and the values that it is executed with: none of them ever stands in the text. */
export interface PostgresStatement {
  readonly text: string;
  readonly values: readonly (string | readonly string[])[];
}

/**
 * The statement that finds what a query asks for, and perhaps more: numbers that are written alike are told apart when they are read.
 * @returns undefined where no row can match: a number that is none, text that PostgreSQL cannot hold
 * @throws HopbackError `invalid-argument` where the table has no column for what the query names: "not found" would be a lie;
 * `invalid-configuration` for names that are none
 */
export function findStatement(table: PostgresTable, query: RecordQuery): PostgresStatement | undefined {
  const values: (string | readonly string[])[] = [];
  const bound = (value: string | readonly string[]): string => `$${values.push(value)}`;
  const conditions: string[] = windowConditions(table, query.window, bound);
  for (const [name, columns] of PLACES) {
    const value = query[name];
    if (value === undefined) continue;
    const present = columns.map((column) => table.columns[column]).filter((column) => column !== undefined);
    if (present.length === 0) throw new HopbackError('invalid-argument', `The table has no column for ${name}.`);
    const isNumber = name === 'calledTn' || name === 'callingTn';
    if (value.includes('\0') || (isNumber && !isCanonicalTelephoneNumber(value))) return undefined;
    const wanted = isNumber ? bound(numberForms(table, value)) : bound(value);
    const condition = isNumber ? ` = ANY(${wanted})` : ` = ${wanted}`;
    conditions.push(`(${present.map((column) => `${quotedIdentifier(column)}${condition}`).join(' OR ')})`);
  }
  const names = (Object.keys(table.columns) as (keyof PostgresColumns)[]).filter((name) => table.columns[name]);
  const list = names.map((name) => selectedText(table, name));
  const { inviteAt, legId } = table.columns;
  return {
    text:
      `SELECT ${list.join(', ')} FROM ${tableName(table)} WHERE ${conditions.join(' AND ')}` +
      ` ORDER BY ${quotedIdentifier(inviteAt)}, ${quotedIdentifier(legId)}`,
    values,
  };
}

/** The statement that counts the rows of a table and finds its ends. */
export function countStatement(table: PostgresTable): PostgresStatement {
  const at = quotedIdentifier(table.columns.inviteAt);
  const [oldest, newest] = [`min(${at})`, `max(${at})`].map((value) => timeText(value, table.time));
  return {
    text: `SELECT count(*)::text AS records, ${oldest} AS oldest, ${newest} AS newest FROM ${tableName(table)}`,
    values: [],
  };
}

/** The statement that asks how much room a table and its indexes take. */
export function sizeStatement(table: PostgresTable): PostgresStatement {
  return { text: 'SELECT pg_total_relation_size(to_regclass($1))::text AS size', values: [tableName(table)] };
}

/** A canonical number in the forms in which a table may have it. */
export function numberForms(
  { numberForms: forms = NUMBER_FORMS, source }: Pick<PostgresTable, 'numberForms' | 'source'>,
  tn: CanonicalTn,
): readonly string[] {
  const { countryCode, nationalLength } = source.numbers?.plan ?? NORTH_AMERICAN_PLAN;
  const rest = tn.startsWith(countryCode) ? tn.slice(countryCode.length) : undefined;
  const national = rest !== undefined && (nationalLength ?? rest.length) === rest.length ? rest : undefined;
  const written = forms.flatMap((form) => {
    const global = form.replaceAll('{e164}', tn);
    if (!global.includes('{national}')) return [global];
    return national === undefined ? [] : [global.replaceAll('{national}', national)];
  });
  return [...new Set(written)];
}

const PLACES: readonly (readonly [
  'calledTn' | 'callingTn' | 'callId' | 'origId' | 'callGroupId' | 'trunk',
  readonly (keyof PostgresColumns)[],
])[] = [
  ['calledTn', ['called', 'translated', 'lrn']],
  ['callingTn', ['calling', 'asserted']],
  ['callId', ['ingressCallId', 'egressCallId']],
  ['origId', ['origId', 'signedOrigId']],
  // A row that names no group is one by itself, under the name of its leg.
  ['callGroupId', ['callGroupId', 'legId']],
  ['trunk', ['ingressTrunk', 'egressTrunk']],
];

const TIMES: ReadonlySet<keyof PostgresColumns> = new Set(['inviteAt', 'answeredAt', 'endedAt']);

function windowConditions(
  { columns, time = 'timestamptz', source }: PostgresTable,
  { fromUs, toUs }: TimeWindow,
  bound: (value: string) => string,
): string[] {
  const at = quotedIdentifier(columns.inviteAt);
  if (time === 'timestamptz') {
    return [`${at} >= ${bound(isoText(fromUs))}::timestamptz`, `${at} <= ${bound(isoText(toUs))}::timestamptz`];
  }
  if (time === 'timestamp') {
    const local = (us: number): string =>
      `(${bound(isoText(us))}::timestamptz AT TIME ZONE ${bound(source.time.zone)})`;
    return [`${at} >= ${local(fromUs - OTHER_INSTANT_US)}`, `${at} <= ${local(toUs + OTHER_INSTANT_US)}`];
  }
  // The window is widened to whole units where the column may have fractions, and narrowed again by what is read.
  const unitUs = EPOCH_UNIT_US[time];
  const units = (us: number): string => `${bound(String(us))}::numeric`;
  return [
    `${at} >= ${units(Math.floor(clamped(fromUs) / unitUs))}`,
    `${at} <= ${units(Math.ceil(clamped(toUs) / unitUs))}`,
  ];
}

/** Microseconds of the units of epoch times. */
const EPOCH_UNIT_US: Readonly<
  Record<Exclude<NonNullable<PostgresTable['time']>, 'timestamptz' | 'timestamp'>, number>
> = {
  'epoch-seconds': 1_000_000,
  'epoch-milliseconds': 1_000,
  'epoch-microseconds': 1,
};

/** Years 1 to 9999: what both sides can write; a window beyond it is one without an end. */
const EARLIEST_US = -62_135_596_800_000_000;
const LATEST_US = 253_402_300_799_000_000;

function clamped(us: number): number {
  return Math.min(LATEST_US, Math.max(EARLIEST_US, us));
}

/** An instant in full, to the microsecond: through a floating-point number it would lose the last. */
function isoText(us: number): string {
  const whole = clamped(Math.trunc(us));
  const ms = Math.floor(whole / 1_000);
  const micro = String(whole - ms * 1_000).padStart(3, '0');
  return new Date(ms).toISOString().replace('Z', `${micro}Z`);
}

function tableName({ schema, table }: PostgresTable): string {
  return schema === undefined ? quotedIdentifier(table) : `${quotedIdentifier(schema)}.${quotedIdentifier(table)}`;
}

function selectedText(table: PostgresTable, name: keyof PostgresColumns): string {
  const column = quotedIdentifier(table.columns[name] ?? '');
  const text = TIMES.has(name) ? timeText(column, table.time) : `${column}::text`;
  return `${text} AS ${quotedIdentifier(name)}`;
}

/** A time as text of one form, whatever the session's settings: wall time in UTC or the column's own, or the number. */
function timeText(column: string, time: PostgresTable['time'] = 'timestamptz'): string {
  if (time === 'timestamptz') return `to_char(${column} AT TIME ZONE 'UTC', '${TIME_LAYOUT}')`;
  return time === 'timestamp' ? `to_char(${column}, '${TIME_LAYOUT}')` : `${column}::text`;
}

const TIME_LAYOUT = 'YYYY-MM-DD HH24:MI:SS.US';

/** A row as it is selected: every value as text. */
export type PostgresRow = Readonly<Partial<Record<keyof PostgresColumns, string | null>>>;

/** Goes up when the same row would make another record. */
const READER_VERSION = 2;

/** Makes records of the rows of one table. Never throws. */
export type PostgresRows = ReturnType<typeof createPostgresRows>;

/**
 * Makes the reader of the rows of one table.
 * @throws HopbackError `invalid-configuration` where the zone of the source is none
 */
export function createPostgresRows(table: PostgresTable) {
  const { time = 'timestamptz', source } = table;
  const legs = legSource(
    { ...source, format: 'columns', time: time === 'timestamp' ? source.time : { zone: 'utc' } },
    READER_VERSION,
  );
  const instantOf = (text: string | null | undefined): RowInstant | undefined => {
    if (text === null || text === undefined) return undefined;
    return time === 'timestamptz' || time === 'timestamp' ? wallInstant(text, legs.clock) : epochInstant(text, time);
  };
  return {
    /** Instant of a time as it is selected, microseconds since the epoch. */
    instantOf: (text: string | null | undefined) => instantOf(text)?.atUs,
    /** @returns undefined for a row without a leg or a time */
    recordOf(row: PostgresRow): CallRecord | undefined {
      const value = (name: keyof PostgresColumns): string => row[name] ?? '';
      const invite = instantOf(row.inviteAt);
      const legId = value('legId');
      if (invite === undefined || legId === '') return undefined;
      const answeredAtUs = instantOf(row.answeredAt)?.atUs;
      const text = JSON.stringify(row);
      const hashed = { text, sha256: sourceSha256(text), line: 0 };
      const signed = attestationIn(row.signedAttestation);
      const leg: LegParts = {
        legId,
        callGroupId: value('callGroupId') || legId,
        invite,
        answeredAtUs,
        endedAtUs: instantOf(row.endedAt)?.atUs,
        calling: value('calling'),
        asserted: value('asserted'),
        called: value('called') || value('translated'),
        sentTo: value('translated'),
        lrn: value('lrn'),
        isLrnFirst: true,
        ingress: sideOf(value, 'ingress'),
        egress: sideOf(value, 'egress'),
        disposition: dispositionOf(value, table, answeredAtUs !== undefined),
        release: releaseOf(row),
        received: receivedOf(row),
        signed: signed === undefined ? undefined : { attestation: signed, ...named('origId', row.signedOrigId) },
        customerId: value('customerId'),
        blockedBy: value('blockedBy'),
      };
      const record = callRecord(hashed, legs, leg, leg);
      return legs.keepsRaw ? withRaw(record, rawRowsOf([hashed])) : record;
    },
  };
}

function epochInstant(text: string, time: keyof typeof EPOCH_UNIT_US): RowInstant | undefined {
  const unitUs = EPOCH_UNIT_US[time];
  const atUs = Math.round(Number(text) * unitUs);
  if (text.trim() === '' || !Number.isSafeInteger(atUs)) return undefined;
  return { status: 'instant', atUs, basis: { written: 'utc', resolutionUs: unitUs } };
}

const HOUR_US = 3_600_000_000;

function wallInstant(text: string, clock: RowClock): RowInstant | undefined {
  const read = clock.read(text, 'date-time');
  if (read.status === 'instant') return read;
  if (read.reason !== 'time-does-not-exist') return undefined;
  // A time that is left out when clocks go forward: that of a clock that was not put forward. The row is not hidden for it.
  const hour = String(Math.max(0, Number(text.slice(11, 13)) - 1)).padStart(2, '0');
  const before = clock.read(`${text.slice(0, 11)}${hour}${text.slice(13)}`, 'date-time');
  if (before.status === 'rejected' || before.otherUs !== undefined) return undefined;
  return { status: 'instant', atUs: before.atUs + HOUR_US, basis: before.basis };
}

type Value = (name: keyof PostgresColumns) => string;

function sideOf(value: Value, side: 'ingress' | 'egress'): LegSide {
  return {
    trunk: value(`${side}Trunk`),
    provider: value(`${side}Provider`),
    address: value(`${side}Address`),
    callId: value(`${side}CallId`),
  };
}

function dispositionOf(value: Value, table: PostgresTable, isAnswered: boolean): Disposition {
  const words = table.dispositions ?? DISPOSITIONS;
  const word = value('disposition').trim().toLowerCase();
  const known = Object.hasOwn(words, word) ? words[word] : undefined;
  if (known !== undefined) return known;
  if (value('blockedBy') !== '') return 'blocked';
  return isAnswered ? 'answered' : 'failed';
}

function releaseOf(row: PostgresRow): Release | undefined {
  const sipStatus = wholeNumber(row.sipStatus);
  const q850Cause = wholeNumber(row.q850Cause);
  const release = {
    ...(sipStatus === undefined ? {} : { sipStatus }),
    ...(q850Cause === undefined ? {} : { q850Cause }),
    ...named('cause', row.cause),
  };
  return Object.keys(release).length === 0 ? undefined : release;
}

function receivedOf(row: PostgresRow): ReceivedVerification | undefined {
  const attestation = attestationIn(row.attestation);
  const received = {
    ...(attestation === undefined ? {} : { attestation }),
    ...named('origId', row.origId),
    ...named('spc', row.spc),
  };
  return Object.keys(received).length === 0 ? undefined : received;
}

function attestationIn(text: string | null | undefined): Attestation | undefined {
  return text === 'A' || text === 'B' || text === 'C' ? text : undefined;
}

function wholeNumber(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function named<Name extends string>(name: Name, text: string | null | undefined): { readonly [Key in Name]?: string } {
  const isThere = text !== null && text !== undefined && text !== '';
  return (isThere ? { [name]: text } : {}) as { readonly [Key in Name]?: string };
}
