import { parseBoundedJson } from '../../core/json-text.js';
import type { JsonLimits } from '../../core/json-text.js';
import { sourceSha256 } from '../record-id.js';
import { csvFields, rowText } from './csv-fields.js';
import type { AccColumn, AccColumns, AccRole } from './kamailio-layout.js';
import type { RowReading, SourceRow } from './record-reader.js';
import { isNoTime } from './row-time.js';
import type { RowClock, RowInstant, RowTimeReading } from './row-time.js';

/** A row taken apart: values by the names of their columns. */
export interface AccRow {
  readonly status: 'row';
  /** Value of a core column; empty where it has none. */
  readonly core: (column: AccColumn) => string;
  /** Value of what a role was declared for; empty where it has none. */
  readonly role: (role: AccRole) => string;
  readonly source: SourceRow;
}

type Reject = Extract<RowReading, { status: 'rejected' }>;
type Skip = Extract<RowReading, { status: 'skipped' }>;

/** An accounting row with all extra columns, an Identity header among them. */
const LIMITS: JsonLimits = { maxChars: 65_536, maxDepth: 4, maxEntries: 512 };
const MAX_COLUMNS = 512;

/** A value as drivers of databases hand it out. */
export type DatabaseValue = string | number | bigint | boolean | Date | null | undefined;

/**
 * Makes a row that the reader understands (form `json`) of one that a database driver hands out. Dates become UTC with an offset, so that the
 * zone that is declared does not apply to them: a driver that read local times as UTC must be told the zone of the server first.
 * The hash is that of the JSON text, members in the order of the object.
 * @param row - values by column; members that are undefined become null
 * @returns the row, of line 0; never throws for values that are a {@link DatabaseValue}
 * @see https://www.kamailio.org/docs/modules/stable/modules/acc.html
 * @example
 * ```ts
 * const row = accDatabaseRow({ method: 'INVITE', callid: 'a84b4c76', time: new Date(1_795_615_200_000) });
 * console.log(row.text); // {"method":"INVITE","callid":"a84b4c76","time":"2026-11-25T14:00:00Z"}
 * ```
 */
export function accDatabaseRow(row: Readonly<Record<string, DatabaseValue>>): SourceRow {
  const members = Object.entries(row).map(([name, value]) => [name, columnValue(value)] as const);
  const text = JSON.stringify(Object.fromEntries(members));
  return { text, sha256: sourceSha256(text), line: 0 };
}

/** DATETIME columns know whole seconds: decimals that the column did not have would claim a precision that is not there. */
function columnValue(value: DatabaseValue): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return String(value);
  if (!(value instanceof Date)) return value;
  return Number.isNaN(value.getTime()) ? null : value.toISOString().replace('.000Z', 'Z');
}

/** Takes a row apart. Never throws for what it holds. */
export function readAccRow(row: SourceRow, columns: AccColumns): AccRow | Reject | Skip {
  const text = rowText(row);
  if (text.trim() === '') return { status: 'skipped', why: 'not-a-call' };
  if (text.length > LIMITS.maxChars) return rejected('too-long', `a row of more than ${LIMITS.maxChars} characters`);
  const values = valuesOf(text, columns);
  if ('status' in values) return values;
  return {
    status: 'row',
    source: row,
    core: (column) => {
      for (const name of columns.core[column]) {
        const value = values.get(name);
        if (value !== undefined) return value;
      }
      return '';
    },
    role: (role) => values.get(columns.roles.get(role) ?? '') ?? '',
  };
}

/**
 * Reads a time of a row: seconds since the epoch with or without decimals, or a date and time, local unless an offset is there. The two
 * cannot be taken for each other. Never throws.
 */
export function accTime(text: string, clock: RowClock): RowTimeReading | undefined {
  if (isNoTime(text)) return undefined;
  return clock.read(text, /^\d{9,11}(?:\.\d{1,9})?$/.test(text) ? 'epoch-seconds' : 'iso-8601');
}

/** The time of a transaction row, as finely as `time_mode` has it. */
export function transactionTime({ core }: AccRow, clock: RowClock): RowTimeReading | undefined {
  const whole = core('time');
  const attribute = core('time_attr');
  const microseconds = core('time_exten');
  if (/^\d{1,6}$/.test(microseconds)) {
    const seconds = /^\d{9,11}$/.test(attribute) ? attribute : whole;
    if (/^\d{9,11}$/.test(seconds)) return accTime(`${seconds}.${microseconds.padStart(6, '0')}`, clock);
  }
  // Mode 2 has seconds with decimals, 3 and 4 whatever format somebody gave.
  return /^\d{9,11}\.\d{1,9}$/.test(attribute) ? accTime(attribute, clock) : accTime(whole, clock);
}

/** An instant that lies a time behind another one, by the same basis. */
export function laterBy({ atUs, basis }: RowInstant, us: number): RowInstant {
  return { status: 'instant', atUs: atUs + us, basis };
}

function rejected(reason: Reject['reason'], detail: string, field?: string): Reject {
  return field === undefined ? { status: 'rejected', reason, detail } : { status: 'rejected', reason, field, detail };
}

type Values = ReadonlyMap<string, string> | Reject | Skip;

function valuesOf(text: string, columns: AccColumns): Values {
  switch (columns.form) {
    case 'json':
      return jsonValues(text);
    case 'csv':
      return csvValues(text, columns);
    case 'flat':
      return flatValues(text, columns);
    default:
      return logValues(text, columns);
  }
}

/** A JSON object, also behind what syslog puts before it. */
function jsonValues(text: string): Values {
  const open = text.indexOf('{');
  const parsed = parseBoundedJson(open < 0 ? text : text.slice(open).trimEnd(), LIMITS);
  if (parsed.status === 'malformed') return rejected('bad-json', `${parsed.reason} at ${parsed.offset}`);
  const { value } = parsed;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return rejected('bad-json', 'not an object');
  const values = new Map<string, string>();
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'string') values.set(name, member);
    else if (typeof member === 'number' || typeof member === 'boolean') values.set(name, String(member));
  }
  return values;
}

function csvValues(text: string, columns: AccColumns): Values {
  const split = csvFields(text, { separator: columns.separator });
  return split.status === 'rejected' ? split : orderedValues(split.fields, columns);
}

/** db_flatstore writes a separator inside a value percent-encoded, and nothing else. */
function flatValues(text: string, columns: AccColumns): Values {
  const { separator } = columns;
  if (text.includes('\0')) return rejected('not-text', 'a zero character');
  const fields = text.split(separator, MAX_COLUMNS + 1);
  const code = `%${separator.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  return orderedValues(
    text.includes(code) ? fields.map((field) => field.replaceAll(code, separator)) : fields,
    columns,
  );
}

function orderedValues(fields: readonly string[], { order }: AccColumns): Values {
  if (fields[0] === order[0] && fields[1] === order[1]) return { status: 'skipped', why: 'header' };
  if (fields.length !== order.length) {
    const reason = fields.length < order.length ? 'too-few-fields' : 'bad-field';
    return rejected(reason, `${fields.length} fields where ${order.length} are declared`);
  }
  return new Map(order.map((name, place) => [name, fields[place] ?? '']));
}

/** Where the values of a transaction row, and those of a CDR, begin in a log line. */
const TRANSACTION_MARK = /\bACC: [a-z ]{1,32}: (?=timestamp=)/;
const CDR_MARK = /(?:^|[ >])(?=[A-Za-z_]{1,32}=\d{9,11}\.\d{1,6}; [A-Za-z_]{1,32}=\d)/;

/**
 * Values of log lines are not escaped: whoever writes a semicolon into a name or a reason phrase can write columns of his own. Hence columns
 * that acc writes itself count only at their places, and each that is declared must be there, and once.
 */
function logValues(text: string, columns: AccColumns): Values {
  const transaction = TRANSACTION_MARK.exec(text);
  const mark = transaction ?? CDR_MARK.exec(text);
  // The log of a proxy has other lines.
  if (mark === null) return { status: 'skipped', why: 'not-a-call' };
  const isCdr = transaction === null;
  const parts = text
    .slice(mark.index + mark[0].length)
    .trimEnd()
    .split(isCdr ? '; ' : ';', MAX_COLUMNS + 1);
  if (parts.length > MAX_COLUMNS) return rejected('too-long', `more than ${MAX_COLUMNS} values`);
  const values = new Map<string, string>();
  const fault = isCdr ? takeCdr(parts, columns, values) : takeTransaction(parts, columns, values);
  return fault ?? values;
}

/** Columns of a transaction in a log line, in their order; the second is there or not, by `time_mode`. */
const TRANSACTION_COLUMNS = [
  ['timestamp'],
  ['time_exten', 'time_attr', ''],
  ['method'],
  ['from_tag'],
  ['to_tag'],
  ['call_id'],
  ['code'],
  ['reason'],
] as const;

function takeTransaction(
  parts: readonly string[],
  columns: AccColumns,
  values: Map<string, string>,
): Reject | undefined {
  let at = 0;
  for (const names of TRANSACTION_COLUMNS) {
    const [name, value] = namedValue(parts[at] ?? '');
    const wanted = names.find((one) => one === name || one === '');
    if (wanted === undefined) return rejected('bad-field', 'columns in another order than acc writes them', names[0]);
    if (wanted === '') continue;
    values.set(name, value);
    at += 1;
  }
  return takeDeclared(parts.slice(at), new Set(columns.roles.values()), values);
}

function takeCdr(parts: readonly string[], columns: AccColumns, values: Map<string, string>): Reject | undefined {
  const { core, roles, cdrs } = columns;
  const own = [...core.start_time, ...core.end_time, ...core.duration];
  for (const [at, wanted] of own.entries()) {
    const [name, value] = namedValue(parts[at] ?? '');
    if (name !== wanted) return rejected('bad-field', 'columns in another order than acc writes them', wanted);
    values.set(name, value);
  }
  // Beside transactions a CDR adds its times alone; what else it may say, the INVITE has said.
  const declared = new Set(cdrs === 'alone' ? roles.values() : []);
  const keys = new Set([...core.callid, ...core.from_tag, ...core.to_tag]);
  return takeDeclared(parts.slice(own.length), declared, values, keys);
}

/** Takes the columns that are declared, all of which must be there, and others that may. */
function takeDeclared(
  parts: readonly string[],
  declared: ReadonlySet<string>,
  values: Map<string, string>,
  others: ReadonlySet<string> = new Set(),
): Reject | undefined {
  for (const part of parts) {
    const [name, value] = namedValue(part);
    if (!declared.has(name) && !others.has(name)) continue;
    if (values.has(name)) return rejected('bad-field', 'a name that comes twice: a value may hold a semicolon', name);
    values.set(name, value);
  }
  for (const name of declared) {
    if (!values.has(name)) return rejected('missing-field', 'a column that is declared is not in the line', name);
  }
  return undefined;
}

function namedValue(part: string): readonly [string, string] {
  const equals = part.indexOf('=');
  return equals < 0 ? ['', part] : [part.slice(0, equals), part.slice(equals + 1)];
}
