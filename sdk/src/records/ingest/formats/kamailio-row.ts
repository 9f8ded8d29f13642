import type { Disposition, ReceivedVerification, Release } from '../../../contract/call-record.js';
import { isJsonObject, parseBoundedJson } from '../../../core/json-text.js';
import type { JsonLimits } from '../../../core/json-text.js';
import { splitHeaderList } from '../../../core/sip-request.js';
import { configurationError } from '../../configuration-error.schema.js';
import { sourceSha256 } from '../../record-id.js';
import { csvFields, rowText } from '../record-reader.js';
import type { RowReading, SourceRow } from '../record-reader.js';
import { blockedByStatus, dispositionOfStatus, shakenClaims, writtenVerstat } from './leg.js';
import type { LegParts, LegSide } from './leg.js';
import { isNoTime, instantNearest, instantNotBefore, leadsTo, startByDuration, startNotAfter } from './row-times.js';
import type { RowClock, RowTimeReading, RowInstant, RowTimeFault } from './row-times.js';
import { z } from 'zod';

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

function rejected(reason: Reject['reason'], detail: string, field?: string): Reject {
  return field === undefined
    ? { status: 'rejected', reason, detail }
    : {
        status: 'rejected',
        reason,
        field,
        detail,
      };
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

/** The rows that make one record. */
export interface AccLeg {
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
  /** What tells branches without a tag of their own apart. */
  readonly branch?: string;
  readonly invite?: TimedRow | undefined;
  readonly bye?: TimedRow | undefined;
  readonly cdr?: TimedRow | undefined;
  readonly cancel?: TimedRow | undefined;
}

/** Makes a record's parts of the rows of a leg, at least an INVITE, a CDR or a CANCEL. Never throws. */
export function accLegParts(leg: AccLeg, columns: AccColumns, clock: RowClock): LegParts {
  const { invite, cdr, cancel } = leg;
  const main = (invite ?? cdr ?? cancel) as TimedRow;
  const role: AccRow['role'] = (name) => main.row.role(name) || (cdr?.row.role(name) ?? '');
  const times = timesOf(leg, columns, clock);
  const isGivenUp = invite === undefined && cdr === undefined;
  const status = statusOf(main.row, isGivenUp);
  const disposition = isGivenUp ? 'cancelled' : dispositionOf(status, times);
  return {
    legId: [leg.callId, leg.fromTag, leg.toTag, leg.branch ?? ''].filter((part) => part !== '').join(' '),
    callGroupId: role('callGroup') || leg.callId,
    invite: times.invite,
    answeredAtUs: disposition === 'answered' ? times.answeredAtUs : undefined,
    endedAtUs: times.endedAtUs,
    calling: role('calling'),
    asserted: role('asserted'),
    called: role('called') || role('sentTo'),
    sentTo: role('sentTo'),
    lrn: role('lrn'),
    ingress: {
      trunk: role('ingressTrunk'),
      address: addressOf(role('sourceAddress'), role('sourcePort')),
      callId: leg.callId,
    },
    egress: egressOf(role, leg, disposition),
    disposition,
    release: releaseOf(leg, columns, disposition, status),
    received: receivedOf(role),
    customerId: role('customer'),
    blockedBy: role('blockedBy') || (disposition === 'blocked' ? blockedByStatus(status) : undefined),
  };
}

type LegTimes = ReturnType<typeof timesOf>;

function timesOf(leg: AccLeg, { cdrStart: startIs }: AccColumns, clock: RowClock) {
  const { invite, bye, cdr, cancel } = leg;
  const main = (invite ?? cdr ?? cancel) as TimedRow;
  const durationUs = durationOf((cdr ?? main).row);
  const lasted = durationUs !== undefined && durationUs > 0;
  const declared = accTime(main.row.role('inviteTime') || (cdr?.row.role('inviteTime') ?? ''), clock);
  const start = cdr?.at;
  const written =
    declared?.status === 'instant'
      ? declared
      : start !== undefined && startIs === 'invite'
        ? start
        : (invite ?? main).at;
  const begun = startNotAfter(written, [invite?.at, bye?.at]);
  const setup = Number(main.row.core('setuptime') || 'none');
  // OpenSIPS writes how long it took from there to the answer; without that, acc writes the row when the answer comes.
  const rowUs = invite === undefined ? undefined : instantNearest(invite.at, begun.atUs);
  const answeredAtUs =
    declared?.status === 'instant' && setup >= 0
      ? begun.atUs + setup * 1_000_000
      : (rowUs ?? (start !== undefined && startIs === 'answer' ? start.atUs : undefined));
  const code = Number((invite ?? main).row.core('sip_code'));
  const endedAtUs = endOf(leg, { answeredAtUs, durationUs, isFailure: code >= 300 }, clock);
  return {
    invite: begun,
    answeredAtUs,
    endedAtUs,
    /** Whether a CDR says that the call lasted. */ lasted,
  };
}

/** When the call of a CDR row began; or that its times contradict each other. Undefined where none is there. Never throws. */
export function cdrStart(
  row: AccRow,
  clock: RowClock,
): RowInstant | (RowTimeFault & { readonly of: string }) | undefined {
  const start = accTime(row.core('start_time'), clock);
  if (start === undefined) return undefined;
  if (start.status === 'rejected') return { ...start, of: 'start_time' };
  const end = accTime(row.core('end_time'), clock);
  if (end === undefined) return start;
  if (end.status === 'rejected') return { ...end, of: 'end_time' };
  const durationUs = durationOf(row);
  if (durationUs === undefined) return startNotAfter(start, [end]);
  const { atUs, otherUs = atUs } = start;
  const isSaid = leadsTo(end, atUs + durationUs) || leadsTo(end, otherUs + durationUs);
  return isSaid ? startByDuration(start, end, durationUs) : CONTRADICTS;
}

const CONTRADICTS: RowTimeFault & { readonly of: string } = {
  status: 'rejected',
  reason: 'bad-time',
  detail: 'the duration does not lead from start_time to end_time',
  of: 'duration',
};

interface AccEnd {
  readonly answeredAtUs: number | undefined;
  readonly durationUs: number | undefined;
  readonly isFailure: boolean;
}

function endOf(
  { invite, bye, cdr, cancel }: AccLeg,
  { answeredAtUs, durationUs, isFailure }: AccEnd,
  clock: RowClock,
): number | undefined {
  if (cdr !== undefined) {
    const end = accTime(cdr.row.core('end_time'), clock);
    if (durationUs !== undefined) return cdr.at.atUs + durationUs;
    if (end?.status === 'instant') return instantNotBefore(end, cdr.at.atUs);
  }
  if (bye !== undefined) return instantNotBefore(bye.at, answeredAtUs ?? bye.at.atUs);
  if (isFailure) return invite?.at.atUs;
  if (invite === undefined) return cancel?.at.atUs;
  return durationUs === undefined || answeredAtUs === undefined ? undefined : answeredAtUs + durationUs;
}

/** Ten days: dialogs that nobody ended are timed out before. */
const MAX_DURATION_SECONDS = 864_000;

/** Duration of a CDR or a row of OpenSIPS, microseconds: in milliseconds where OpenSIPS has them, else seconds with up to six decimals. */
export function durationOf({ core }: AccRow): number | undefined {
  const ms = core('ms_duration');
  const seconds = /^\d{1,12}$/.test(ms) && ms !== '0' ? Number(ms) / 1_000 : numberOf(core('duration'));
  return seconds === undefined || seconds > MAX_DURATION_SECONDS ? undefined : Math.round(seconds * 1_000_000);
}

function numberOf(text: string): number | undefined {
  return /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

function statusOf({ core }: AccRow, isCancel: boolean): number | undefined {
  // The code of a CANCEL is what it was answered with, whatever became of the INVITE.
  const code = isCancel ? '' : core('sip_code');
  return /^[1-6]\d\d$/.test(code) ? Number(code) : undefined;
}

function dispositionOf(status: number | undefined, { lasted, endedAtUs, answeredAtUs }: LegTimes): Disposition {
  if (lasted) return 'answered';
  if (status !== undefined) return dispositionOfStatus(status);
  return endedAtUs === undefined && answeredAtUs !== undefined ? 'answered' : 'failed';
}

function egressOf(role: AccRow['role'], { callId }: AccLeg, disposition: Disposition): LegSide {
  const address = addressOf(role('destinationAddress'), role('destinationPort'));
  const trunk = role('egressTrunk');
  const other = role('egressCallId');
  // A proxy leaves the Call-ID as it is; of a call that went nowhere there is no other side.
  const isSent = address !== '' || trunk !== '' || disposition === 'answered';
  return { trunk, address, callId: other === '' && isSent ? callId : other };
}

function releaseOf(
  { invite, bye, cancel }: AccLeg,
  { detectsDirection }: AccColumns,
  disposition: Disposition,
  status: number | undefined,
): Release | undefined {
  const release: { sipStatus?: number; cause?: string; party?: 'calling' | 'called' } = {};
  if (disposition !== 'answered') {
    const reason = invite?.row.core('sip_reason').slice(0, MAX_REASON_CHARS);
    if (status !== undefined) release.sipStatus = status;
    if (reason !== undefined && reason !== '') release.cause = reason;
    if (cancel !== undefined) release.party = 'calling';
  } else if (bye !== undefined && invite !== undefined && !detectsDirection) {
    release.party = bye.row.core('from_tag') === invite.row.core('from_tag') ? 'calling' : 'called';
  }
  return Object.keys(release).length === 0 ? undefined : release;
}

/** Reason phrases of real devices are shorter. */
const MAX_REASON_CHARS = 128;

function receivedOf(role: AccRow['role']): ReceivedVerification | undefined {
  const verstat = writtenVerstat(role('verstat'));
  const claims = shakenClaims(splitHeaderList(role('identity')));
  if (verstat === undefined && claims === undefined) return undefined;
  return verstat === undefined ? claims : { verstat, ...claims };
}

/** An address with its port out of `192.0.2.1`, `udp:192.0.2.1:5060`, `sip:12025550101@192.0.2.1:5060;transport=udp`; else as it is. */
function addressOf(text: string, port: string): string {
  let address = text.trim();
  const scheme = /^(?:sips?|udp|tcp|tls|sctp|wss?):/i.exec(address)?.[0] ?? '';
  address = address.slice(scheme.length);
  if (scheme !== '') {
    const end = address.search(/[;?]/);
    const host = end < 0 ? address : address.slice(0, end);
    address = host.slice(host.lastIndexOf('@') + 1);
  }
  if (!/^\d{1,5}$/.test(port) || address === '' || hasPort(address)) return address;
  return address.includes(':') && !address.startsWith('[') ? `[${address}]:${port}` : `${address}:${port}`;
}

function hasPort(address: string): boolean {
  const bracket = address.lastIndexOf(']');
  const colon = address.lastIndexOf(':');
  return bracket >= 0 ? colon > bracket : colon >= 0 && colon === address.indexOf(':');
}

/** Enough to tell the branches and crossings of one call apart. */
const WAY_DIGITS = 8;

/** Where a branch was sent, in a form that is fit for a name: without the number that was called. Never throws. */
export function placeOf({ role }: AccRow): string {
  const place = role('egressTrunk') || addressOf(role('destinationAddress'), role('destinationPort'));
  const sentTo = role('sentTo');
  return sentTo === '' ? place : `${place} ${digitsOf(`${place} ${sentTo}`)}`.trim();
}

/**
 * From where an INVITE came, by eight digits: a call that comes back to the proxy keeps its Call-ID and tags, and is told by this alone. Empty
 * where no column says it. Never throws.
 */
export function sourceOf({ role }: AccRow): string {
  const source = [role('ingressTrunk'), addressOf(role('sourceAddress'), role('sourcePort'))].join(' ').trim();
  return source === '' ? '' : digitsOf(source);
}

/** From where an INVITE came and where it went, in the same form. Never throws. */
export function wayOf(row: AccRow): string {
  const [source, place] = [sourceOf(row), placeOf(row)];
  return source === '' && place === '' ? '' : digitsOf(`${source} ${place}`);
}

function digitsOf(text: string): string {
  return sourceSha256(text).slice(0, WAY_DIGITS);
}
