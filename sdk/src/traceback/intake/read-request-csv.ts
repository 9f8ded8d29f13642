import { hash } from 'node:crypto';
import { defined } from '../../core/text.js';
import { csvFields } from '../../records/ingest/record-reader.js';
import { createRowSplitter } from '../../records/ingest/row-splitter.js';
import type { SplitRow } from '../../records/ingest/row-splitter.js';
import { readWrittenTime } from '../../records/ingest/formats/row-times.js';
import type { TimeLayout } from '../../records/ingest/formats/row-times.js';
import { assembleRequest } from './assemble-request.js';
import type { MessageKnowledge } from './assemble-request.js';
import { groupCalls, MAX_INTAKE_CALLS } from './call-reading.js';
import { isCellRead } from './field-values.js';
import { INTAKE_FIELDS } from './intake-fields.js';
import type { IntakeField, LabelMeaning } from './intake-fields.js';
import { intakeKnowledge, reportOf, unreadableReport } from './intake-options.js';
import type { IntakeKnowledge, IntakeOptions, RequestCsvMap } from './intake-options.js';
import type { IntakeReport, StatedCell, UnreadField } from './intake-report.js';
import { distinctRequests, timesIn, withLent } from './read-pasted-text.js';
import type { PartReading } from './read-pasted-text.js';
import { textLayout } from './text-layout.js';
import { countsTo24, isHalfOfDay, withHalfOfDay } from './time-words.js';
import { isReordered, utf8Of, visibleText } from './visible-text.js';
import type { VisibleLine } from './visible-text.js';

/** Octets of a file that are read: {@link MAX_INTAKE_CALLS} rows of a thousand. */
export const MAX_INTAKE_CSV_BYTES = 16_777_216;

/**
 * Reads a CSV file with one call in each row, by a declared map of its columns, or by their heads where none is declared. Understands
 * UTF-8 with or without a byte order mark, UTF-16, Windows-1252, all line ends, and what spreadsheets do to numbers: where they have
 * rounded one the row is in doubt. Never throws for peer input.
 * @param bytes - of the file, 16 MiB at most
 * @param options - the map, and what the reader knows beside the file
 * @returns a report with a request for each row, 10,000 at most
 * @throws {@link HopbackError} `invalid-argument` when a zone, a label or `receivedAtMs` of the options cannot be
 * @see RFC 4180 section 2
 * @example
 * ```ts
 * const file = new TextEncoder().encode('TN,When\r\n12025550101,20261023154107\r\n');
 * const map = { columns: { called: 'TN', at: 'When' }, timeLayout: 'compact', zone: 'America/New_York' } as const;
 * const report = readRequestCsv(file, { map, receivedAtMs: Date.UTC(2026, 9, 24) });
 * console.log(report.status, report.requests.length); // clear 1
 * ```
 */
export function readRequestCsv(bytes: Uint8Array, options: IntakeOptions): IntakeReport {
  const { map } = options;
  const known = intakeKnowledge(mapped(options));
  const sha256 = hash('sha256', bytes, 'hex');
  if (bytes.length === 0) return unreadableReport({ kind: 'csv', sha256, because: 'empty' });
  if (bytes.length > MAX_INTAKE_CSV_BYTES) return unreadableReport({ kind: 'csv', sha256, because: 'too-large' });
  const { requests, unread } = readCsvPart(bytes, { known, map, part: 'file' });
  return reportOf({ kind: 'csv', sha256, requests: distinctRequests(requests), unread }, known);
}

/** What a map says goes before what the reader says in general. */
export function mapped(options: IntakeOptions): IntakeOptions {
  const { zone = options.zone, dateOrder = options.dateOrder } = options.map ?? {};
  return { ...options, ...defined({ zone, dateOrder }) };
}

/** A file with rows. */
interface CsvFile {
  readonly known: IntakeKnowledge;
  readonly map: RequestCsvMap | undefined;
  readonly part: string;
}

/** Reads the rows of a file: one of its own, or an attachment. Never throws for peer input. */
export function readCsvPart(
  bytes: Uint8Array,
  file: CsvFile,
  { shared = [], doubts = [], ...message }: Partial<Omit<MessageKnowledge, 'calls'>> = {},
): PartReading {
  const { known, part } = file;
  const { rows, head } = readRows(bytes, file);
  if (head.columns.size === 0) return { requests: [], unread: rowsLeft(rows, part), shared: [] };
  const unread: UnreadField[] = [...unknownColumns(rows, head, part)];
  const lines: VisibleLine[] = rows.slice(0, Math.max(0, head.rows - 1)).flatMap(lineOf);
  const calls: (readonly StatedCell[])[] = [];
  for (const row of rows.slice(head.rows)) {
    if (row.status === 'unread') unread.push(row.unread);
    else if (isBesideTable(row, head)) lines.push(...lineOf(row));
    else if (isTooWide(row, head)) unread.push(unreadRow(row.fields.join(' '), { part, line: row.line }).unread);
    else if (row.fields.some((field) => field.trim() !== '')) calls.push(cellsOf(row, head, file));
  }
  const beside = besideTable(lines, file);
  const isCut = calls.length > MAX_INTAKE_CALLS;
  const context: MessageKnowledge = {
    ...message,
    known,
    shared: withLent(beside.shared, shared),
    countsTo24: countsTo24(timesIn(calls.flat())),
    doubts: isCut ? [...doubts, { kind: 'cut', asWritten: '', readings: [] }] : doubts,
    // Each row states its own.
    calls: 1,
  };
  const requests = calls.slice(0, MAX_INTAKE_CALLS).map((cells) => assembleRequest({ cells, unread: [] }, context));
  return { requests, unread: [...unread, ...beside.unread], shared: [] };
}

interface ReadFile {
  readonly rows: readonly ReadRow[];
  readonly head: CsvHead;
}

/** By the separator that the first row has most of, else by whichever shows a head: above the table may stand a sentence with commas. */
function readRows(bytes: Uint8Array, file: CsvFile): ReadFile {
  const { map, part } = file;
  const split = rowsOf(bytes);
  const readBy = (separator: string): ReadFile => {
    const rows = split.map((row) => fieldsOf(row, part, separator));
    return { rows, head: headOf(rows, file) };
  };
  const likely = readBy(map?.separator ?? likelySeparator(split));
  if (map !== undefined || likely.head.columns.size > 0) return likely;
  const start = split.slice(0, MOST_ROWS_BEFORE_HEAD);
  const other = SEPARATORS.find((separator) => {
    const rows = start.map((row) => fieldsOf(row, part, separator));
    return headOf(rows, file).columns.size > 0;
  });
  return other === undefined ? likely : readBy(other);
}

/** Rows of a file without a head that is known: told of as far as a person looks at them. */
function rowsLeft(rows: readonly ReadRow[], part: string): readonly UnreadField[] {
  return rows.slice(0, MOST_ROWS_LEFT).flatMap((row): readonly UnreadField[] => {
    if (row.status === 'unread') return [row.unread];
    const text = row.fields
      .map((field) => field.trim())
      .join(' ')
      .trim();
    return text === '' ? [] : [unreadRow(text, { part, line: row.line }).unread];
  });
}

const MOST_ROWS_LEFT = 20;

/** A row with one text alone that is neither a number nor a time: a title, `All times are UTC`. */
function isBesideTable({ fields }: ReadRow & { readonly status: 'row' }, { columns }: CsvHead): boolean {
  const stated = fields.filter((field) => field.trim() !== '');
  const [only, ...others] = stated;
  if (only === undefined || others.length > 0 || columns.size < 2) return false;
  return !isCellRead('called', visibleText(only)) && !isCellRead('at', visibleText(only));
}

/** More fields than the head: a comma that no quotes are around has shifted those behind it. */
function isTooWide({ fields }: ReadRow & { readonly status: 'row' }, { labels }: CsvHead): boolean {
  return labels.length > 0 && fields.slice(labels.length).some((field) => field.trim() !== '');
}

function lineOf(row: ReadRow): readonly VisibleLine[] {
  if (row.status !== 'row') return [];
  const texts = row.fields.map(visibleText);
  while (texts.at(-1) === '') texts.pop();
  const text = texts.join('\t');
  return text === '' ? [] : [{ text, number: row.line, isReordered: row.fields.some(isReordered) }];
}

/** What stands above and below a table and holds for all its calls: fields of the request, and the zone. */
function besideTable(
  lines: readonly VisibleLine[],
  { known, part }: CsvFile,
): { readonly shared: readonly StatedCell[]; readonly unread: readonly UnreadField[] } {
  const grouped = groupCalls(textLayout(lines, { labels: known.labels, part }));
  const cells = grouped.flatMap(({ shared, calls }) => [...shared, ...calls.flatMap((call) => call.cells)]);
  const isLent = ({ field }: StatedCell): boolean => field === 'zone' || INTAKE_FIELDS[field].scope === 'request';
  const left = cells.filter((cell) => !isLent(cell));
  const told = left.map(({ label, text, place }): UnreadField => {
    return { reason: 'without-call', label, asWritten: text.slice(0, 256), place };
  });
  return { shared: cells.filter(isLent), unread: [...grouped.flatMap(({ unread }) => unread), ...told] };
}

/** As many rows as calls, those before and between them, and one more by which it is seen that there are more. */
const MOST_ROWS = MAX_INTAKE_CALLS + 1_000;

type ReadRow =
  | {
      readonly status: 'row';
      readonly fields: readonly string[];
      readonly line: number;
    }
  | { readonly status: 'unread'; readonly unread: UnreadField };

function rowsOf(bytes: Uint8Array): readonly SplitRow[] {
  const splitter = createRowSplitter({ framing: 'csv' });
  // What a splitter gives out holds the piece only until the next: one piece, then nothing more.
  return [...splitter.push(utf8Of(bytes)), ...splitter.end()].slice(0, MOST_ROWS);
}

function fieldsOf(row: SplitRow, part: string, separator: string): ReadRow {
  if (row.status === 'row') {
    const fields = csvFields(row.row.text, { separator, spacesBeforeQuotes: true });
    if (fields.status === 'fields') return { status: 'row', fields: fields.fields, line: row.row.line };
    return unreadRow(row.row.text, { part, line: row.row.line }, fields.reason === 'too-long');
  }
  const text = Buffer.from(row.bytes.subarray(0, 256)).toString('latin1');
  return unreadRow(text, { part, line: row.line }, row.reason === 'too-long');
}

function unreadRow(text: string, place: UnreadField['place'], isLong = false): ReadRow & { readonly status: 'unread' } {
  const reason = isLong ? 'too-long' : 'row-not-read';
  return { status: 'unread', unread: { reason, asWritten: visibleText(text.slice(0, 256)), place } };
}

const SEPARATORS: readonly string[] = [',', ';', '\t', '|'];

/** Whichever divides the first row into most columns. */
function likelySeparator(rows: readonly SplitRow[]): string {
  const [first] = rows;
  const text = first?.status === 'row' ? first.row.text : '';
  const counts = SEPARATORS.map((separator) => ({ separator, count: text.split(separator, 1_024).length }));
  return counts.toSorted((one, other) => other.count - one.count)[0]?.separator ?? ',';
}

/** Which columns mean something. */
interface CsvHead {
  readonly columns: ReadonlyMap<number, LabelMeaning>;
  readonly labels: readonly string[];
  /** Rows that it takes. */
  readonly rows: number;
}

const NO_HEAD: CsvHead = { columns: new Map(), labels: [], rows: 0 };

/** Titles and empty rows before the head of a file that a person has made. */
const MOST_ROWS_BEFORE_HEAD = 10;

function headOf(rows: readonly ReadRow[], { known, map }: CsvFile): CsvHead {
  if (map === undefined) return headByLabels(rows, known);
  const entries = Object.entries(map.columns) as readonly [IntakeField, string | number][];
  const hasNames = entries.some(([, place]) => typeof place === 'string');
  const headerRows = map.headerRows ?? (hasNames ? 1 : 0);
  const header = headerRows === 0 ? undefined : rows[headerRows - 1];
  const labels = header?.status === 'row' ? header.fields.map(visibleText) : [];
  const names = labels.map((label) => label.toLowerCase());
  const columns = new Map<number, LabelMeaning>();
  for (const [field, place] of entries) {
    const column = typeof place === 'number' ? place : names.indexOf(place.trim().toLowerCase());
    if (column >= 0) columns.set(column, { field });
  }
  return { columns, labels, rows: headerRows };
}

/** The first row that names a number or a time. */
function headByLabels(rows: readonly ReadRow[], { labels }: IntakeKnowledge): CsvHead {
  for (const [at, row] of rows.slice(0, MOST_ROWS_BEFORE_HEAD).entries()) {
    if (row.status !== 'row') continue;
    const heads = row.fields.map(visibleText);
    const columns = new Map<number, LabelMeaning>();
    for (const [column, head] of heads.entries()) {
      const meaning = head === '' ? undefined : labels.meaningOf(head);
      if (meaning !== undefined) columns.set(column, meaning);
    }
    const fields = [...columns.values()].map(({ field }) => field);
    if (
      fields.includes('called') &&
      fields.some((field) => field === 'at' || field === 'date' || field === 'timeOfDay')
    )
      return { columns, labels: heads, rows: at + 1 };
  }
  return NO_HEAD;
}

/** Columns that nobody knows, told of once, with the first value that stands in them. */
function unknownColumns(
  rows: readonly ReadRow[],
  { columns, labels, rows: from }: CsvHead,
  part: string,
): readonly UnreadField[] {
  if (columns.size === 0) return [];
  return labels.flatMap((label, column): readonly UnreadField[] => {
    if (columns.has(column)) return [];
    for (const row of rows.slice(from)) {
      const text = row.status === 'row' ? visibleText(row.fields[column] ?? '') : '';
      if (row.status === 'row' && text !== '')
        return [{ reason: 'unknown-label', label, asWritten: text.slice(0, 256), place: { part, line: row.line } }];
    }
    return [];
  });
}

function cellsOf(
  { fields, line }: ReadRow & { readonly status: 'row' },
  head: CsvHead,
  { map, part }: CsvFile,
): readonly StatedCell[] {
  const cells: StatedCell[] = [];
  for (const [column, meaning] of head.columns) {
    const written = fields[column] ?? '';
    const text = visibleText(written);
    if (text === '') continue;
    const label = head.labels[column] ?? `column ${String(column)}`;
    cells.push({
      ...meaning,
      label,
      text,
      place: { part, line },
      isReordered: isReordered(written),
    });
  }
  if (map?.timeLayout !== undefined) return laidOut(cells, map.timeLayout);
  // `PM` in a column of its own.
  const halves = fields.filter((text, column) => !head.columns.has(column) && isHalfOfDay(text));
  return halves.length === 1 ? (withHalfOfDay(cells, halves[0] ?? '') ?? cells) : cells;
}

/** Times in a declared layout, brought into the one form that has no other reading. */
function laidOut(cells: readonly StatedCell[], layout: TimeLayout): readonly StatedCell[] {
  const [date] = cells.filter(({ field }) => field === 'date');
  const [time] = cells.filter(({ field }) => field === 'timeOfDay');
  const [at] = cells.filter(({ field }) => field === 'at');
  const whole =
    at ?? (date === undefined || time === undefined ? undefined : { ...date, text: `${date.text} ${time.text}` });
  if (whole === undefined) return cells;
  const others = cells.filter(({ field }) => field !== 'at' && field !== 'date' && field !== 'timeOfDay');
  const plain = plainTime(whole.text, layout);
  // What is not in its layout stays unread, whatever else it may be.
  if (plain === undefined) return [...others, { ...whole, field: 'at', text: `${whole.text} (not ${layout})` }];
  return [...others, { ...whole, field: 'at', text: plain }, { ...whole, field: 'asWritten' }];
}

function plainTime(text: string, layout: TimeLayout): string | undefined {
  const read = readWrittenTime(text, layout);
  if (read === undefined) return undefined;
  if (read.kind === 'epoch') {
    const ms = Math.floor(read.atUs / 1_000);
    const at = new Date(ms);
    if (Number.isNaN(at.getTime())) return undefined;
    const fraction = String(read.atUs % 1_000_000)
      .padStart(6, '0')
      .slice(0, read.decimals);
    return `${at.toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`} UTC`;
  }
  const { year, month, day, hour, minute, second, microsecond } = read.wall;
  const two = (value: number): string => String(value).padStart(2, '0');
  const fraction = String(microsecond).padStart(6, '0').slice(0, read.decimals);
  const wall = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
  return `${wall}${fraction === '' ? '' : `.${fraction}`}${offsetOf(read.offsetMinutes)}`;
}

function offsetOf(minutes: number | undefined): string {
  if (minutes === undefined) return '';
  const size = Math.abs(minutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
