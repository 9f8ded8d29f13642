import type { CallRecord } from '../../../contract/call-record.js';
import { DAY_US, OTHER_INSTANT_US, isRecordId } from '../record-store.js';
import type { RecordPage, RecordQuery, TimeWindow } from '../record-store.js';
import type { RecordEncoder } from './record-encoder.js';
import { BodyWriter, PER_MILLISECOND, lookupKey, optionalKey } from './record-form.js';

/**
 * Columns by which records are looked up, in their order in the table: 32 bits of each text, 16 of the trunks (a carrier has some
 * hundreds), 0 for none. Numbers compress to their width and scan without being unpacked into strings.
 */
const KEY_COLUMNS: readonly string[] = [
  ...['id1', 'id2', 'id3', 'id4'],
  ...['called', 'translated', 'lrn', 'calling', 'asserted'],
  ...['call_in', 'call_out', 'orig_received', 'orig_signed', 'call_group', 'trunk_in', 'trunk_out'],
];

/** Place of the first of the columns with 16 bits. */
export const FIRST_TRUNK_COLUMN: number = KEY_COLUMNS.indexOf('trunk_in');

const KEY_DEFINITIONS = KEY_COLUMNS.map(
  (name, index) => `${name} ${index < FIRST_TRUNK_COLUMN ? 'UINTEGER' : 'USMALLINT'} NOT NULL`,
).join(', ');

/**
 * The tables of a day. `at_ms` is the time of day; rows lie in the order in which they came, which is nearly that of time, so that
 * the bounds that DuckDB keeps of every 122,880 rows leave most of a day unread. No index: it would cost more than all the rest.
 */
export function createPartitionSql(schema: string): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${schema}.records (at_ms INTEGER NOT NULL, at_us SMALLINT NOT NULL, ${KEY_DEFINITIONS}, form INTEGER NOT NULL, body BLOB NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS ${schema}.forms (number INTEGER NOT NULL, text VARCHAR NOT NULL)`,
  ];
}

/** The tables of what is not of one day: coverage, holds and their audit, and how far retention went. */
export const CREATE_STATE_SQL: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS state.settings (name VARCHAR NOT NULL, value BIGINT NOT NULL)',
  'CREATE TABLE IF NOT EXISTS state.coverage (source_id VARCHAR NOT NULL, from_us BIGINT NOT NULL, to_us BIGINT NOT NULL)',
  'CREATE TABLE IF NOT EXISTS state.sources (source_id VARCHAR NOT NULL)',
  'CREATE TABLE IF NOT EXISTS state.days (day INTEGER NOT NULL)',
  'CREATE TABLE IF NOT EXISTS state.holds (hold_id VARCHAR NOT NULL, hold VARCHAR NOT NULL, released BOOLEAN NOT NULL)',
  'CREATE TABLE IF NOT EXISTS state.audit (place INTEGER NOT NULL, entry VARCHAR NOT NULL)',
  'CREATE TABLE IF NOT EXISTS state.day_sums (day INTEGER NOT NULL, mark VARCHAR NOT NULL, records BIGINT NOT NULL, oldest_us BIGINT, newest_us BIGINT)',
  `CREATE TABLE IF NOT EXISTS state.held (hold_id VARCHAR NOT NULL, at_us BIGINT NOT NULL, ${KEY_DEFINITIONS}, record VARCHAR NOT NULL)`,
];

/** The key of a trunk: 16 bits, never 0. */
function trunkKey(trunk: string): number {
  return (lookupKey(trunk) % 0xffff) + 1;
}

/** The four numbers of a record id. */
function idKeys(recordId: string): readonly [number, number, number, number] {
  const part = (from: number): number => Number.parseInt(recordId.slice(from, from + 8), 16);
  return [part(0), part(8), part(16), part(24)];
}

/** The record id of four numbers. */
export function recordIdOfKeys(keys: readonly number[]): string {
  return keys.map((key) => key.toString(16).padStart(8, '0')).join('');
}

/** The condition on the key columns; what it finds is compared in full afterwards. Numbers only: nothing of a query is quoted. */
export function keyCondition(query: RecordQuery): string {
  return keyConditions(query)
    .map((one) => (one.length === 1 ? one.join('') : `(${one.join(' OR ')})`))
    .join(' AND ');
}

/** What each key of a query asks for: one of these conditions, the key that fewest records share first. */
function keyConditions(query: RecordQuery): readonly (readonly string[])[] {
  const { calledTn, callingTn, callId, origId, callGroupId, trunk, recordId } = query;
  const conditions: (readonly string[])[] = [];
  const oneOf = (columns: readonly string[], key: number): void => {
    conditions.push(columns.map((column) => `${column} = ${key}`));
  };
  if (recordId !== undefined && !isRecordId(recordId)) conditions.push(['FALSE']);
  else if (recordId !== undefined)
    conditions.push([
      idKeys(recordId)
        .map((key, at) => `id${at + 1} = ${key}`)
        .join(' AND '),
    ]);
  if (callId !== undefined) oneOf(['call_in', 'call_out'], lookupKey(callId));
  if (origId !== undefined) oneOf(['orig_received', 'orig_signed'], lookupKey(origId));
  if (callGroupId !== undefined) oneOf(['call_group'], lookupKey(callGroupId));
  if (calledTn !== undefined) oneOf(['called', 'translated', 'lrn'], lookupKey(calledTn));
  if (callingTn !== undefined) oneOf(['calling', 'asserted'], lookupKey(callingTn));
  if (trunk !== undefined) oneOf(['trunk_in', 'trunk_out'], trunkKey(trunk));
  return conditions;
}

/** `2026-11-02` of days since 1970. */
export function dateOf(day: number): string {
  return new Date((day * DAY_US) / 1_000).toISOString().slice(0, 10);
}

/** Days since 1970 of a time. */
export function dayOf(atUs: number): number {
  return Math.floor(atUs / DAY_US);
}

/** The part of a window in a day, as milliseconds of the day, both included. */
export function millisecondsWithin(day: number, { fromUs, toUs }: TimeWindow): { from: number; to: number } {
  const startUs = day * DAY_US;
  return {
    from: Math.floor((Math.max(fromUs, startUs) - startUs) / PER_MILLISECOND),
    to: Math.floor((Math.min(toUs, startUs + DAY_US - 1) - startUs) / PER_MILLISECOND),
  };
}

/** What is looked through of a day. */
interface DaySearch {
  readonly schema: string;
  /** Since 1970. */
  readonly day: number;
  /** Forms of records that may have begun at another instant too; none where the day has no such record. */
  readonly ofOtherInstants: readonly number[];
}

const ID_COLUMNS = 'id1, id2, id3, id4';

/**
 * How many rows of a day a query may mean, and between which milliseconds the first of them lie.
 * @param limit - rows at most that are counted, earliest first
 */
export function extentSql(search: DaySearch, query: RecordQuery, limit: number): string {
  const scans = scansOf(search, query, { columns: 'rowid, at_ms', within: timeCondition(search, query.window) });
  return `SELECT count(*), min(at_ms), max(at_ms) FROM (${scans.join(' UNION ')} ORDER BY at_ms LIMIT ${limit})`;
}

/** Which of the rows of a day are read. */
export interface RowsRead {
  /** Between these milliseconds of the day, both included; all of the window where it is absent. */
  readonly between?: { readonly from: number; readonly to: number };
  /** So many at most, whichever is met first. */
  readonly most?: number;
}

/** The rows that a query may mean, earliest first; one that matches in two columns is there twice. */
export function rowsSql(search: DaySearch, query: RecordQuery, { between, most }: RowsRead): string {
  const inWindow = timeCondition(search, query.window);
  const within = between === undefined ? inWindow : `${inWindow} AND at_ms BETWEEN ${between.from} AND ${between.to}`;
  const scans = scansOf(search, query, { columns: `at_ms, at_us, ${ID_COLUMNS}, form, body`, within });
  const limit = most === undefined ? '' : ` LIMIT ${most}`;
  return `SELECT * FROM (${scans.join(' UNION ALL ')}${limit}) ORDER BY at_ms, at_us, ${ID_COLUMNS}`;
}

/**
 * A scan for each column that the first key of a query may stand in. The equality of one column is tried while it is scanned, and the
 * others are read where it holds; a disjunction of several columns is tried after all of them were unpacked.
 */
function scansOf(
  { schema }: DaySearch,
  query: RecordQuery,
  { columns, within }: { readonly columns: string; readonly within: string },
): readonly string[] {
  const [first = [], ...rest] = keyConditions(query);
  const others = rest.map((one) => ` AND (${one.join(' OR ')})`).join('');
  return first.map((condition) => `SELECT ${columns} FROM ${schema}.records WHERE ${within} AND ${condition}${others}`);
}

/** Which rows of a day are behind a record. */
function pageCondition(day: number, { window, after }: RecordPage): string {
  const { from, to } = millisecondsWithin(day, { ...window, fromUs: Math.max(window.fromUs, after.inviteAtUs) });
  const atUs = `CAST(at_ms AS BIGINT) * ${PER_MILLISECOND} + at_us`;
  const ofDay = (us: number): number => Math.min(Math.max(us - day * DAY_US, -1), DAY_US);
  const place = [ofDay(after.inviteAtUs), ...idKeys(after.recordId)].join(', ');
  const within = `${atUs} BETWEEN ${ofDay(window.fromUs)} AND ${ofDay(window.toUs)}`;
  return `at_ms BETWEEN ${from} AND ${to} AND ${within} AND (${atUs}, ${ID_COLUMNS}) > (${place})`;
}

/** In which millisecond of a day a page ends; no row where it takes all that is left. */
export function pageEndSql({ schema, day }: Omit<DaySearch, 'ofOtherInstants'>, page: RecordPage): string {
  const condition = pageCondition(day, page);
  return `SELECT at_ms FROM ${schema}.records WHERE ${condition} ORDER BY at_ms LIMIT 1 OFFSET ${page.limit - 1}`;
}

/** Rows of a day behind a record, in the order of time and id. @param endMs - the last millisecond of the day that is read */
export function pageSql({ schema, day }: Omit<DaySearch, 'ofOtherInstants'>, page: RecordPage, endMs: number): string {
  return `SELECT at_ms, at_us, ${ID_COLUMNS}, form, body FROM ${schema}.records
    WHERE ${pageCondition(day, page)} AND at_ms <= ${endMs}
    ORDER BY at_ms, at_us, ${ID_COLUMNS} LIMIT ${page.limit}`;
}

/** Held records behind a record, in the order of time and id, and one more than fit on a page. */
export function heldPageSql({ window, after, limit }: RecordPage): string {
  const from = Math.max(window.fromUs, after.inviteAtUs);
  const to = Math.min(window.toUs, Number.MAX_SAFE_INTEGER);
  const place = [after.inviteAtUs, ...idKeys(after.recordId)].join(', ');
  return `SELECT any_value(record) FROM state.held
    WHERE at_us BETWEEN ${from} AND ${to} AND (at_us, ${ID_COLUMNS}) > (${place})
    GROUP BY at_us, ${ID_COLUMNS} ORDER BY at_us, ${ID_COLUMNS} LIMIT ${limit + 1}`;
}

/** Records of the window; of those that may have begun at another instant too, the ones around it as well. */
function timeCondition({ day, ofOtherInstants }: DaySearch, window: TimeWindow): string {
  const { from, to } = millisecondsWithin(day, window);
  const within = `at_ms BETWEEN ${from} AND ${to}`;
  if (ofOtherInstants.length === 0) return within;
  const around = millisecondsWithin(day, aroundOtherInstants(window));
  // 0: a form without a number may be one of them.
  const forms = [0, ...ofOtherInstants].join(', ');
  return `(${within} OR (at_ms BETWEEN ${around.from} AND ${around.to} AND form IN (${forms})))`;
}

/** The times that records may have which another instant puts into a window. */
export function aroundOtherInstants({ fromUs, toUs }: TimeWindow): TimeWindow {
  return { fromUs: fromUs - OTHER_INSTANT_US, toUs: toUs + OTHER_INSTANT_US };
}

/** Rows of one day, as columns. */
export type RowBatch = ReturnType<typeof createRowBatch>;

/** Columns of numbers before `body`. */
const NUMBER_COLUMNS = 19;

/** Bodies with raw rows, of so many, from which on they count. */
const RAW_ONE_OF = 8;

/** Makes an empty batch. Its memory stays, so that batch after batch is laid down in the same place. */
export function createRowBatch(capacity: number) {
  const bodies = new BodyWriter();
  const ends = new Uint32Array(capacity);
  const columns = Array.from({ length: NUMBER_COLUMNS }, () => new Uint32Array(capacity));
  const [atMs, atUs, id1, id2, id3, id4, called, translated, lrn, calling, asserted, ...others] = columns as Columns;
  const [callIn, callOut, origReceived, origSigned, callGroup, trunkIn, trunkOut, form] = others;
  let length = 0;
  let raw = 0;

  /** No more than it was made for. */
  const add = (record: CallRecord, encoder: Pick<RecordEncoder, 'encode'>): void => {
    const { recordId, ingress, egress, called: to, received, signed } = record;
    const ofDayUs = record.inviteAtUs % DAY_US;
    const row = length;
    form[row] = encoder.encode(record, bodies);
    ends[row] = bodies.length();
    atMs[row] = Math.floor(ofDayUs / PER_MILLISECOND);
    atUs[row] = ofDayUs % PER_MILLISECOND;
    id1[row] = hexNumber(recordId, 0);
    id2[row] = hexNumber(recordId, 8);
    id3[row] = hexNumber(recordId, 16);
    id4[row] = hexNumber(recordId, 24);
    called[row] = optionalKey(to?.tn);
    translated[row] = optionalKey(to?.translatedTn);
    lrn[row] = optionalKey(to?.lrn);
    calling[row] = optionalKey(record.calling?.tn);
    asserted[row] = optionalKey(record.asserted?.tn);
    callIn[row] = optionalKey(ingress.callId);
    callOut[row] = optionalKey(egress.callId);
    origReceived[row] = optionalKey(received?.origId);
    origSigned[row] = optionalKey(signed?.origId);
    callGroup[row] = optionalKey(record.callGroupId);
    trunkIn[row] = ingress.trunk === undefined ? 0 : trunkKey(ingress.trunk);
    trunkOut[row] = egress.trunk === undefined ? 0 : trunkKey(egress.trunk);
    if (record.source.raw !== undefined) raw += 1;
    length += 1;
  };

  return {
    length: () => length,
    /** Whether rows that switches wrote are in many of its bodies. */
    isRaw: () => raw * RAW_ONE_OF > length,
    /** `at_ms`, `at_us`, the key columns, `form`: as `createPartitionSql` has them. */
    columns: (): readonly Uint32Array[] => columns.map((column) => column.subarray(0, length)),
    /** The octets of a row. Not to be kept: they are overwritten after `reset`. */
    bodyOf: (row: number): Uint8Array => bodies.bytes().subarray(row === 0 ? 0 : ends[row - 1], ends[row]),
    add,
    reset: () => {
      bodies.reset();
      length = 0;
      raw = 0;
    },
  };
}

type C = Uint32Array;
type Columns = [C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C];

/** Eight hexadecimal digits, lower case. */
function hexNumber(text: string, from: number): number {
  let value = 0;
  for (let at = from; at < from + 8; at += 1) {
    const code = text.charCodeAt(at);
    value = (value << 4) | (code < 58 ? code - 48 : code - 87);
  }
  return value >>> 0;
}
