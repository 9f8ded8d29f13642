import type {
  CalledNumber,
  CallRecord,
  Disposition,
  HopSide,
  ReceivedVerification,
} from '../../contract/call-record.js';
import { NORTH_AMERICAN_PLAN, isCanonicalTelephoneNumber } from '../../core/telephone-number.js';
import type { Attestation, CanonicalTn } from '../../core/terms.js';
import { HopbackError } from '../../errors.js';
import { rawRowsOf, withRaw, writtenCalled, writtenCaller } from '../ingest/record-reader.js';
import type { SourceDescription } from '../ingest/record-reader.js';
import { isWallTime, zoneClock } from '../ingest/formats/row-times.js';
import type { LocalInstant, WallTime, ZoneClock } from '../ingest/formats/row-times.js';
import { recordIdOf, sourceSha256 } from '../record-id.js';
import { OTHER_INSTANT_US } from './record-store.js';
import type { RecordQuery, TimeWindow } from './record-store.js';

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

/** Names of the columns that a table has, in the order in which they are selected. */
type SelectedColumns = readonly (keyof PostgresColumns)[];

/** Which columns are selected. */
function selectedColumns(table: PostgresTable): SelectedColumns {
  return (Object.keys(table.columns) as (keyof PostgresColumns)[]).filter((name) => table.columns[name] !== undefined);
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
  const list = selectedColumns(table).map((name) => selectedText(table, name));
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
const EPOCH_UNIT_US: Readonly<Record<Exclude<PostgresTime, 'timestamptz' | 'timestamp'>, number>> = {
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
function timeText(column: string, time: PostgresTime = 'timestamptz'): string {
  if (time === 'timestamptz') return `to_char(${column} AT TIME ZONE 'UTC', '${TIME_LAYOUT}')`;
  return time === 'timestamp' ? `to_char(${column}, '${TIME_LAYOUT}')` : `${column}::text`;
}

const TIME_LAYOUT = 'YYYY-MM-DD HH24:MI:SS.US';

/** A row as it is selected: every value as text. */
export type PostgresRow = Readonly<Partial<Record<keyof PostgresColumns, string | null>>>;

/** Goes up when the same row would make another record. */
const READER_VERSION = 1;

/** Makes records of the rows of one table. Never throws. */
export interface PostgresRows {
  /** @returns undefined for a row without a leg or a time */
  readonly recordOf: (row: PostgresRow) => CallRecord | undefined;
  /** Instant of a time as it is selected, microseconds since the epoch. */
  readonly instantOf: (text: string | null | undefined) => number | undefined;
}

/**
 * Makes the reader of the rows of one table.
 * @returns undefined where the zone of the source is none
 */
export function createPostgresRows(table: PostgresTable): PostgresRows | undefined {
  const { time = 'timestamptz', source } = table;
  const clock = zoneClock(time === 'timestamp' ? source.time.zone : 'utc');
  if (clock === undefined) return undefined;
  const place = (text: string | null | undefined): PlacedTime | undefined => {
    if (text === null || text === undefined) return undefined;
    if (time !== 'timestamptz' && time !== 'timestamp') return epochTime(text, EPOCH_UNIT_US[time]);
    const wall = wallTimeIn(text);
    return wall === undefined ? undefined : wallInstant(wall, clock, source.time.repeatedHour);
  };
  return {
    instantOf: (text) => place(text)?.atUs,
    recordOf(row) {
      const invited = place(row.inviteAt);
      const legId = row.legId ?? '';
      if (invited === undefined || legId === '') return undefined;
      const answeredAtUs = place(row.answeredAt)?.atUs;
      const endedAtUs = place(row.endedAt)?.atUs;
      const calling = writtenCaller(row.calling ?? '', source.numbers);
      const asserted = writtenCaller(row.asserted ?? '', source.numbers);
      const called = calledOf(row, table);
      const received = receivedOf(row);
      const signed = attestationIn(row.signedAttestation);
      const text = JSON.stringify(row);
      const sha256 = sourceSha256(text);
      const record: CallRecord = {
        format: 'hopback.call-record.1',
        recordId: recordIdOf({ sourceId: source.id, legId, inviteAtUs: invited.atUs }),
        source: {
          id: source.id,
          format: 'columns',
          readerVersion: READER_VERSION,
          sha256,
        },
        legId,
        callGroupId: present(row.callGroupId) ?? legId,
        inviteAtUs: invited.atUs,
        ...(answeredAtUs === undefined ? {} : { answeredAtUs }),
        ...(endedAtUs === undefined ? {} : { endedAtUs }),
        time: {
          written: time === 'timestamp' && clock.zone !== 'UTC' ? 'local' : 'utc',
          ...(time === 'timestamp' && clock.zone !== 'UTC' ? { zone: clock.zone } : {}),
          resolutionUs: time === 'epoch-seconds' || time === 'epoch-milliseconds' ? EPOCH_UNIT_US[time] : 1,
          ...(invited.otherUs === undefined ? {} : { otherInviteAtUs: invited.otherUs }),
        },
        ...(calling === undefined ? {} : { calling }),
        ...(asserted === undefined ? {} : { asserted }),
        ...(called === undefined ? {} : { called }),
        ingress: sideOf(row, 'ingress', table),
        egress: sideOf(row, 'egress', table),
        disposition: dispositionOf(row, { table, isAnswered: answeredAtUs !== undefined }),
        ...releaseOf(row),
        ...(received === undefined ? {} : { received }),
        ...(signed === undefined ? {} : { signed: { attestation: signed, ...named('origId', row.signedOrigId) } }),
        ...named('customerId', row.customerId),
        ...named('blockedBy', row.blockedBy),
      };
      return source.keepRaw === true ? withRaw(record, rawRowsOf([{ text, sha256 }])) : record;
    },
  };
}

interface PlacedTime {
  readonly atUs: number;
  /** What else the local time may mean. */
  readonly otherUs?: number;
}

function epochTime(text: string, unitUs: number): PlacedTime | undefined {
  const atUs = Math.round(Number(text) * unitUs);
  return text.trim() !== '' && Number.isSafeInteger(atUs) ? { atUs } : undefined;
}

const WALL_TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6})$/;

function wallTimeIn(text: string): WallTime | undefined {
  const digits = WALL_TIME.exec(text)?.slice(1).map(Number);
  if (digits === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, microsecond = 0] = digits;
  const wall = { year, month, day, hour, minute, second, microsecond };
  return isWallTime(wall) ? wall : undefined;
}

const HOUR_US = 3_600_000_000;

function wallInstant(
  wall: WallTime,
  clock: ZoneClock,
  repeatedHour: 'earlier' | 'later' = 'earlier',
): PlacedTime | undefined {
  const local = clock.instantOf(wall);
  if (local.kind === 'one') return { atUs: local.atUs };
  if (local.kind === 'two') {
    const { earlierUs, laterUs } = local;
    return repeatedHour === 'later' ? { atUs: laterUs, otherUs: earlierUs } : { atUs: earlierUs, otherUs: laterUs };
  }
  // A time that is left out when clocks go forward: that of a clock that was not put forward. The row is not hidden for it.
  const before: LocalInstant = clock.instantOf({ ...wall, hour: wall.hour === 0 ? 0 : wall.hour - 1 });
  return before.kind === 'one' ? { atUs: before.atUs + HOUR_US } : undefined;
}

function calledOf(row: PostgresRow, { source }: PostgresTable): CalledNumber | undefined {
  const called = writtenCalled(row.called ?? row.translated ?? '', source.numbers);
  if (called === undefined) return undefined;
  const translatedTn = writtenCaller(row.translated ?? '', source.numbers)?.tn;
  const lrn = writtenCaller(row.lrn ?? '', source.numbers)?.tn ?? called.lrn;
  return {
    ...called,
    ...(translatedTn === undefined || translatedTn === called.tn ? {} : { translatedTn }),
    ...(lrn === undefined ? {} : { lrn }),
  };
}

function sideOf(row: PostgresRow, side: 'ingress' | 'egress', { source }: PostgresTable): HopSide {
  const trunk = present(row[`${side}Trunk`]);
  const address = present(row[`${side}Address`]);
  const host = address === undefined ? undefined : /^\[?([^\]]*?)\]?(?::\d+)?$/.exec(address)?.[1];
  const provider =
    present(row[`${side}Provider`]) ??
    (trunk === undefined ? undefined : providerIn(source.providers, trunk)) ??
    (host === undefined ? undefined : providerIn(source.providers, host));
  return {
    ...named('trunk', trunk),
    ...named('provider', provider),
    ...named('address', address),
    ...named('callId', row[`${side}CallId`]),
  };
}

function providerIn(providers: PostgresTable['source']['providers'], name: string): string | undefined {
  return providers !== undefined && Object.hasOwn(providers, name) ? providers[name] : undefined;
}

function dispositionOf(
  row: PostgresRow,
  { table, isAnswered }: { readonly table: PostgresTable; readonly isAnswered: boolean },
): Disposition {
  const words = table.dispositions ?? DISPOSITIONS;
  const word = (row.disposition ?? '').trim().toLowerCase();
  const known = Object.hasOwn(words, word) ? words[word] : undefined;
  if (known !== undefined) return known;
  if (present(row.blockedBy) !== undefined) return 'blocked';
  return isAnswered ? 'answered' : 'failed';
}

function releaseOf(row: PostgresRow): Pick<CallRecord, 'release'> {
  const sipStatus = wholeNumber(row.sipStatus);
  const q850Cause = wholeNumber(row.q850Cause);
  const cause = present(row.cause);
  if (sipStatus === undefined && q850Cause === undefined && cause === undefined) return {};
  return {
    release: {
      ...(sipStatus === undefined ? {} : { sipStatus }),
      ...(q850Cause === undefined ? {} : { q850Cause }),
      ...(cause === undefined ? {} : { cause }),
    },
  };
}

function receivedOf(row: PostgresRow): ReceivedVerification | undefined {
  const attestation = attestationIn(row.attestation);
  const [origId, spc] = [present(row.origId), present(row.spc)];
  if (attestation === undefined && origId === undefined && spc === undefined) return undefined;
  return {
    ...(attestation === undefined ? {} : { attestation }),
    ...named('origId', origId),
    ...named('spc', spc),
  };
}

function attestationIn(text: string | null | undefined): Attestation | undefined {
  return text === 'A' || text === 'B' || text === 'C' ? text : undefined;
}

function wholeNumber(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function present(text: string | null | undefined): string | undefined {
  return text === null || text === '' ? undefined : text;
}

function named<Name extends string>(name: Name, text: string | null | undefined): { readonly [Key in Name]?: string } {
  const value = present(text);
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: string };
}
