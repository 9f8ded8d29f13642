import { isCanonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import type { CanonicalTn } from '../../core/terms.js';
import { HopbackError } from '../../errors.js';
import { NUMBER_FORMS, quotedIdentifier } from './postgres-table.js';
import type { PostgresColumns, PostgresTable, PostgresTime } from './postgres-table.js';
import { OTHER_INSTANT_US } from './record-query.js';
import type { RecordQuery, TimeWindow } from './record-store.js';

/** A statement, and the values that it is executed with: none of them ever stands in the text. */
export interface PostgresStatement {
  readonly text: string;
  readonly values: readonly (string | readonly string[])[];
}

/** Names of the columns that a table has, in the order in which they are selected. */
export type SelectedColumns = readonly (keyof PostgresColumns)[];

/** Which columns are selected. */
export function selectedColumns(table: PostgresTable): SelectedColumns {
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
export const EPOCH_UNIT_US: Readonly<Record<Exclude<PostgresTime, 'timestamptz' | 'timestamp'>, number>> = {
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
