import { z } from 'zod';
import { isJsonObject, parseBoundedJson } from '../../../core/json-text.js';
import type { JsonLimits } from '../../../core/json-text.js';
import { passingMap } from '../../../core/memo.js';
import type { PassingMap } from '../../../core/memo.js';
import { configurationError } from '../../configuration-error.schema.js';
import { sourceSha256 } from '../../record-id.js';
import { csvFields, rowText } from '../record-reader.js';
import type { RowReading, SourceRow } from '../record-reader.js';
import { isNoTime } from './row-times.js';
import type { RowClock, RowInstant, RowTimeReading } from './row-times.js';

/** What an extra column of an accounting row can tell. */
const ACC_ROLES = [
  /** Who calls, as it came in: `$fU`, `$fu`. */
  'calling',
  /** P-Asserted-Identity: `$ai`. */
  'asserted',
  /** Who is called, as it came in: `$oU`, `$tU`. */
  'called',
  /** What the call was sent on to: `$rU`, `$ru`. */
  'sentTo',
  'lrn',
  /** `$si`, or with port and protocol as in `$su`. */
  'sourceAddress',
  'sourcePort',
  /** `$dd`, `$du`, `$nh(d)`. */
  'destinationAddress',
  'destinationPort',
  /** The switch's name of who sent the call, and of whom it went to. */
  'ingressTrunk',
  'egressTrunk',
  /** Call-ID of the other side, where the switch is no proxy. */
  'egressCallId',
  /** What several Call-IDs of one call have in common: where upstream tries one route after another. */
  'callGroup',
  /** When the INVITE came in; save in log lines `created`, as OpenSIPS names it, has this role without being declared. */
  'inviteTime',
  'customer',
  'blockedBy',
  /** The verdict of the switch's own verification. */
  'verstat',
  /** Identity header that came in: what it claims is taken, unverified. */
  'identity',
] as const;

/** One of {@link ACC_ROLES}. */
export type AccRole = (typeof ACC_ROLES)[number];

/** Columns that acc itself writes, by their default names in the database; the names in log lines stand behind them. */
const CORE_NAMES = {
  method: ['method'],
  from_tag: ['from_tag'],
  to_tag: ['to_tag'],
  callid: ['callid', 'call_id'],
  sip_code: ['sip_code', 'code'],
  sip_reason: ['sip_reason', 'reason'],
  time: ['time', 'timestamp'],
  time_attr: ['time_attr'],
  time_exten: ['time_exten'],
  start_time: ['start_time'],
  end_time: ['end_time'],
  duration: ['duration'],
  ms_duration: ['ms_duration'],
  setuptime: ['setuptime'],
} as const;

/** One of the columns that acc itself writes. */
export type AccColumn = keyof typeof CORE_NAMES;

const ACC_COLUMNS: readonly AccColumn[] = Object.keys(CORE_NAMES) as AccColumn[];

const columnName = z.string().min(1).max(256);

/** What a carrier declares about the accounting rows of its proxy. */
export const kamailioAccLayout = z
  .strictObject({
    /**
     * How rows are written: `json` objects (acc_json, events, {@link accDatabaseRow}), also behind a syslog prefix; `csv` lines in
     * the order of `columns`, as databases export them; `flat`: lines of db_flatstore, which knows no quotes and writes a separator inside a
     * value as `%7C`; `log`: lines of `name=value` with semicolons, as acc writes them to syslog.
     */
    form: z.enum(['json', 'csv', 'flat', 'log']),
    /** Names of all columns of a CSV or flat line in their order: core columns by their default names, extra ones by their own. */
    columns: z.exactOptional(z.array(columnName).max(1_024).readonly()),
    /** Default the comma, and of flat lines `|`. */
    separator: z.exactOptional(z.string().regex(/^[^"]$/s, 'must be one character, and no quote')),
    /** Core columns that have other names (`acc_method_column`, `cdr_start_id` and so on), by default name. */
    names: z.exactOptional(z.partialRecord(z.enum(ACC_COLUMNS), columnName)),
    /**
     * What the columns of db_extra, log_extra, acc_json's acc_extra and cdr_extra tell, by their names. Default `USUAL_EXTRA`; of log
     * lines none, since there a line that lacks a declared column is refused.
     */
    extra: z.exactOptional(z.record(columnName, z.enum(ACC_ROLES))),
    /**
     * Where CDR rows of the dialog module (start_time, end_time, duration) come from: `alone`, and each is a call of its own; or
     * `beside` transaction rows, and each is joined with the INVITE of its call. Default `alone`.
     */
    cdrs: z.exactOptional(z.enum(['alone', 'beside'])),
    /** What start_time is: the INVITE, or with `cdr_start_on_confirmed=1` the answer. Default `invite`, as Kamailio's. */
    cdrStart: z.exactOptional(z.enum(['invite', 'answer'])),
    /** Whether `detect_direction=1` puts the tags of every BYE in the order of the INVITE: then rows do not tell who hung up. Default false. */
    detectsDirection: z.exactOptional(z.boolean()),
  })
  .superRefine(({ form, columns = [], extra = {} }, context) => {
    const refuse = (member: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [member], message });
    };
    if ((form === 'csv' || form === 'flat') && columns.length === 0)
      refuse('columns', 'must be the names of all columns of the lines, in their order');
    if (new Set(columns).size !== columns.length) refuse('columns', 'must not name a column twice');
    const roles = Object.values(extra);
    if (new Set(roles).size !== roles.length) refuse('extra', 'must not declare two columns to hold the same');
  });

/** What a carrier declares about the accounting rows of its proxy. */
export type KamailioAccLayout = Readonly<z.infer<typeof kamailioAccLayout>>;

/** Extra columns as Kamailio's and OpenSIPS's own sample configurations name them. */
export const USUAL_EXTRA: Readonly<Record<string, AccRole>> = {
  src_user: 'calling',
  src_ip: 'sourceAddress',
  dst_ouser: 'called',
  dst_user: 'sentTo',
  dst_domain: 'destinationAddress',
  created: 'inviteTime',
};

/** A layout as the reader works with it. */
export type AccColumns = ReturnType<typeof accColumns>;

/**
 * Checks a layout and makes what a reader looks things up in.
 * @throws {@link HopbackError} `invalid-configuration` where CSV lines have no columns, two columns have one name or one role, or the
 * separator is not one character
 */
export function accColumns(layout: KamailioAccLayout) {
  const read = kamailioAccLayout.safeParse(layout);
  if (!read.success) throw configurationError('layout', { error: read.error, value: layout });
  const { form, columns = [], names = {} } = layout;
  const extra = layout.extra ?? (form === 'log' ? {} : USUAL_EXTRA);
  const separator = layout.separator ?? (form === 'flat' ? '|' : ',');
  const roles = new Map<AccRole, string>(Object.entries(extra).map(([column, role]) => [role, column]));
  if (form !== 'log' && !roles.has('inviteTime')) roles.set('inviteTime', 'created');
  const named = Object.fromEntries(Object.entries(names).map(([column, name]) => [column, [name]]));
  const core: Readonly<Record<AccColumn, readonly string[]>> = { ...CORE_NAMES, ...named };
  return {
    form,
    separator,
    /** Of CSV and flat lines: what each place holds. */
    order: columns,
    roles,
    /** Names that a row may have for a core column, the first found counts. */
    core,
    cdrs: layout.cdrs ?? 'alone',
    cdrStart: layout.cdrStart ?? 'invite',
    detectsDirection: layout.detectsDirection ?? false,
  };
}

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
const ROW_LIMITS: JsonLimits = { maxChars: 65_536, maxDepth: 4, maxEntries: 512 };
const MAX_COLUMNS = 512;

/**
 * Makes a row that the reader understands (form `json`) of one that a database driver hands out. Dates become UTC with an offset, so that the
 * zone that is declared does not apply to them: a driver that read local times as UTC must be told the zone of the server first.
 * The hash is that of the JSON text, members in the order of the object.
 * @param row - values by column; members that are undefined become null
 * @returns the row, of line 0; never throws for values of these types
 * @see https://www.kamailio.org/docs/modules/stable/modules/acc.html
 * @example
 * ```ts
 * const row = accDatabaseRow({ method: 'INVITE', callid: 'a84b4c76', time: new Date(1_795_615_200_000) });
 * console.log(row.text); // {"method":"INVITE","callid":"a84b4c76","time":"2026-11-25T14:00:00Z"}
 * ```
 */
export function accDatabaseRow(
  row: Readonly<Record<string, string | number | bigint | boolean | Date | null | undefined>>,
): SourceRow {
  const members = Object.entries(row).map(([name, value]) => [name, columnValue(value)] as const);
  const text = JSON.stringify(Object.fromEntries(members));
  return { text, sha256: sourceSha256(text), line: 0 };
}

/** DATETIME columns know whole seconds: decimals that the column did not have would claim a precision that is not there. */
function columnValue(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return String(value);
  if (!(value instanceof Date)) return value;
  return Number.isNaN(value.getTime()) ? null : value.toISOString().replace('.000Z', 'Z');
}

/** Takes a row apart. Never throws for what it holds. */
export function readAccRow(row: SourceRow, columns: AccColumns): AccRow | Reject | Skip {
  const text = rowText(row);
  if (text.trim() === '') return { status: 'skipped', why: 'not-a-call' };
  if (text.length > ROW_LIMITS.maxChars)
    return rejected('too-long', `a row of more than ${ROW_LIMITS.maxChars} characters`);
  const values = FORMS[columns.form](text, columns);
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

const FORMS: Readonly<Record<KamailioAccLayout['form'], (text: string, columns: AccColumns) => Values>> = {
  json: jsonValues,
  csv: csvValues,
  flat: flatValues,
  log: logValues,
};

/** A JSON object, also behind what syslog puts before it. */
function jsonValues(text: string): Values {
  const open = text.indexOf('{');
  const parsed = parseBoundedJson(open < 0 ? text : text.slice(open).trimEnd(), ROW_LIMITS);
  if (parsed.status === 'malformed') return rejected('bad-json', `${parsed.reason} at ${parsed.offset}`);
  if (!isJsonObject(parsed.value)) return rejected('bad-json', 'not an object');
  const values = new Map<string, string>();
  for (const [name, member] of Object.entries(parsed.value)) {
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

/** A row, and when it says that something happened. */
export interface TimedRow {
  readonly row: AccRow;
  readonly at: RowInstant;
}

/** A dialog of which rows wait for the others. */
export interface WaitingDialog {
  readonly fromTag: string;
  readonly toTag: string;
  invite?: TimedRow;
  /** Of a call that came back to the proxy: its INVITE each time that it passed again, with the same tags. */
  crossings?: TimedRow[];
  bye?: TimedRow;
}

/** What waits under one Call-ID. */
export interface WaitingCall {
  readonly callId: string;
  readonly firstUs: number;
  readonly dialogs: WaitingDialog[];
  /** CDR rows that wait for their INVITE. */
  readonly cdrs: TimedRow[];
  cancel?: TimedRow;
}

/** Calls that wait, and what has been made of those that do not. */
export type AccCalls = ReturnType<typeof accCalls>;

/** Rows that are remembered, so that one that comes again is known: some hours of a busy proxy, at 200 bytes each. */
const MAX_REMEMBERED_ROWS = 500_000;
/** Calls that wait: a hundred a second of an hour each. */
export const MAX_WAITING_CALLS = 360_000;
/** Rows that wait under one Call-ID. A call with more is no call, or somebody's Call-ID is always the same. */
export const MAX_ROWS_OF_CALL = 256;
/** Times that one call passes the proxy: Max-Forwards of 70 ends a loop. */
export const MAX_CROSSINGS = 70;

/** Begins with nothing. */
export function accCalls() {
  return {
    waiting: passingMap<WaitingCall>(),
    /** When the rows that were used were written, by what makes them the same row. */
    used: passingMap<number>(),
    /** Call-IDs of which there is a record, by the time of the last. */
    recorded: passingMap<number>(),
  };
}

/** Remembers that a row has been used; the oldest are forgotten where there are too many. */
export function remember(rows: PassingMap<number>, key: string, atUs: number): void {
  if (rows.size() >= MAX_REMEMBERED_ROWS) {
    const oldest = rows.oldest();
    if (oldest !== undefined) rows.delete(oldest[0]);
  }
  rows.set(key, atUs);
}

/** Forgets what was written before a time. */
export function forgetBefore(rows: PassingMap<number>, beforeUs: number): void {
  for (const [key, atUs] of rows.entries()) if (atUs < beforeUs) rows.delete(key);
}

/** What waits under a Call-ID, made where there is nothing yet. */
export function waitingCall({ waiting }: AccCalls, callId: string, atUs: number): WaitingCall {
  const known = waiting.get(callId);
  if (known !== undefined) return known;
  const call: WaitingCall = { callId, firstUs: atUs, dialogs: [], cdrs: [] };
  waiting.set(callId, call);
  return call;
}

/** The dialog of two tags, in either order; made where there is none yet. Undefined where the call has too many already. */
export function dialogOf(call: WaitingCall, fromTag: string, toTag: string): WaitingDialog | undefined {
  const known = call.dialogs.find(
    (one) => (one.fromTag === fromTag && one.toTag === toTag) || (one.fromTag === toTag && one.toTag === fromTag),
  );
  if (known !== undefined || call.dialogs.length >= MAX_ROWS_OF_CALL) return known;
  const dialog: WaitingDialog = { fromTag, toTag };
  call.dialogs.push(dialog);
  return dialog;
}

/** Takes a dialog out of what waits, and the call with its last part. */
export function endDialog({ waiting }: AccCalls, call: WaitingCall, dialog: WaitingDialog): void {
  call.dialogs.splice(call.dialogs.indexOf(dialog), 1);
  if (isEmpty(call)) waiting.delete(call.callId);
}

/** Whether nothing waits in a call any more. */
export function isEmpty({ dialogs, cdrs, cancel }: WaitingCall): boolean {
  return dialogs.length === 0 && cdrs.length === 0 && cancel === undefined;
}

/** First line of what is saved: rows that were written by another version are not gone on from. */
const FORMAT = 'hopback.kamailio-acc.1';
/** As long as a row may be, written as JSON within JSON. */
const SAVED_LIMITS = { maxChars: 200_000, maxDepth: 2, maxEntries: 8 };
const SHA256 = /^[0-9a-f]{64}$/;

/** Writes the rows that wait as text, one a line: read again, they wait as they did. */
export function saveAccRows(calls: readonly WaitingCall[]): string {
  const lines = [FORMAT];
  for (const { dialogs, cdrs, cancel } of calls) {
    const rows = [
      ...dialogs.flatMap(({ invite, crossings = [], bye }) => [invite, ...crossings, bye]),
      ...cdrs,
      cancel,
    ];
    for (const timed of rows) {
      if (timed === undefined) continue;
      const { text, sha256, line } = timed.row.source;
      lines.push(JSON.stringify([text, sha256, line]));
    }
  }
  return lines.join('\n');
}

/** Reads what {@link saveAccRows} wrote. Never throws. @returns undefined where it is anything else */
export function savedAccRows(saved: string): readonly SourceRow[] | undefined {
  const [format, ...lines] = saved.split('\n');
  if (format !== FORMAT) return undefined;
  const rows: SourceRow[] = [];
  for (const written of lines) {
    const parsed = parseBoundedJson(written, SAVED_LIMITS);
    if (parsed.status === 'malformed' || !Array.isArray(parsed.value)) return undefined;
    const [text, sha256, line] = parsed.value as readonly unknown[];
    if (typeof text !== 'string' || typeof sha256 !== 'string' || !SHA256.test(sha256)) return undefined;
    if (typeof line !== 'number') return undefined;
    rows.push({ text, sha256, line });
  }
  return rows;
}
