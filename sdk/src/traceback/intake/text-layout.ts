import { csvFields } from '../../records/ingest/record-reader.js';
import { hasNumber, isCellRead, letterheadAt } from './field-values.js';
import type { Letterhead } from './field-values.js';
import { INTAKE_FIELDS, MAX_LABEL_CHARS } from './intake-fields.js';
import type { FieldForm, LabelIndex, LabelMeaning } from './intake-fields.js';
import type { StatedCell, UnreadField } from './intake-report.js';
import { zoneStatement } from './stated-time.js';
import { isHalfOfDay, withHalfOfDay } from './time-words.js';
import { visibleText } from './visible-text.js';
import type { VisibleLine } from './visible-text.js';

/** The head of a table in a text. */
interface TableHead {
  readonly separator: TableSeparator;
  /** By column; undefined where nobody knows what it means. */
  readonly columns: readonly (LabelMeaning | undefined)[];
  readonly labels: readonly string[];
}

/** What divides the columns. */
type TableSeparator = '\t' | '|' | 'spaces' | ',' | ';';

const SEPARATORS: readonly TableSeparator[] = ['\t', '|', 'spaces', ',', ';'];

/** Fewer columns than this are a label and its value. */
const LEAST_COLUMNS = 2;
/** More than half of the heads have to be known: a sentence with commas has two by chance. */
const LEAST_SHARE = 0.5;

/**
 * Whether a line is the head of a table: columns whose labels are known, one for a number or a time among them. Never throws for
 * peer input.
 */
function tableHead(text: string, labels: LabelIndex): TableHead | undefined {
  for (const separator of SEPARATORS) {
    const cells = rowCells(text, separator);
    if (cells === undefined || cells.length < LEAST_COLUMNS) continue;
    const columns = cells.map((cell) => labels.meaningOf(cell));
    const known = columns.filter((meaning) => meaning !== undefined);
    const isOfCalls = known.some(({ field }) => OF_CALLS.has(field));
    if (isOfCalls && known.length >= LEAST_COLUMNS && known.length > cells.length * LEAST_SHARE)
      return { separator, columns, labels: cells };
  }
  return undefined;
}

const OF_CALLS: ReadonlySet<string> = new Set(['called', 'calling', 'at', 'date']);

/** What a line below the head of a table is. */
type TableRow =
  | { readonly status: 'row'; readonly cells: readonly string[] }
  /** A row that does not fit the head: columns are missing, and which cannot be said. */
  | { readonly status: 'not-read' }
  /** Dashes that divide head and rows. */
  | { readonly status: 'rule' }
  /** The table has ended. */
  | { readonly status: 'other' };

/** Reads a line under the head of a table. Never throws for peer input. */
function tableRow(text: string, { separator, columns }: TableHead): TableRow {
  if (/^[-=|+:\s]{3,}$/.test(text)) return { status: 'rule' };
  const cells = rowCells(text, separator);
  if (cells === undefined) return { status: 'not-read' };
  const isRead = cells.some((cell, at) => {
    const field = columns[at]?.field;
    return field !== undefined && OF_CALLS.has(field) && isCellRead(field, cell);
  });
  const isMisfit = cells.length > columns.length || (separator === 'spaces' && cells.length !== columns.length);
  if (isRead && !isMisfit) return { status: 'row', cells };
  // With a number or a time somewhere it was meant as a row.
  const isMeant =
    cells.length >= LEAST_COLUMNS && cells.some((cell) => isCellRead('called', cell) || isCellRead('at', cell));
  return { status: isMeant ? 'not-read' : 'other' };
}

function rowCells(text: string, separator: TableSeparator): readonly string[] | undefined {
  if (separator === 'spaces') return text.split(/ {2,}/).map((cell) => cell.trim());
  if (separator === '|')
    return text
      .replace(/^\|/, '')
      .replace(/\|$/, '')
      .split('|')
      .map((cell) => cell.trim());
  if (separator === '\t' && !text.includes('"')) return text.split('\t').map((cell) => cell.trim());
  const read = csvFields(text, { separator });
  return read.status === 'fields' ? read.fields.map((cell) => cell.trim()) : undefined;
}

/** A known label with what stands behind it up to the next one. */
interface LabelledPart extends LabelMeaning {
  readonly label: string;
  /** Empty where nothing stands there. */
  readonly value: string;
}

/** What a line says by labels. */
interface LabelledLine {
  readonly parts: readonly LabelledPart[];
  /** What stands before the first known label. */
  readonly before: string;
}

/** Labels of one line at most: a call with all its fields has twelve. */
const MOST_PARTS = 32;

/**
 * Finds the known labels of a line: `Called: 1; Calling: 2`, `Called Number = 1`, `Called Number<tab>1`, `Called Number - 1`. Behind a label
 * stands a colon, an equals sign, or what divides columns; before one that is not the first stands a comma, a semicolon, a bar, a tab,
 * two spaces, or one space behind a number, a time or a code. Takes time in proportion to the line. Never throws for peer input.
 * @returns undefined where there is none
 */
function labelledLine(text: string, labels: LabelIndex): LabelledLine | undefined {
  return withMarks(text, labels) ?? inColumns(text, labels) ?? withDash(text, labels) ?? labelAlone(text, labels);
}

/** Whether a text could be the beginning of a field: a few words before a colon. @returns the label and what stands behind it */
function unknownLabel(text: string): { readonly label: string; readonly value: string } | undefined {
  const mark = text.search(/[:=\uff1a\t]/);
  if (mark <= 0 || mark > MAX_LABEL_CHARS) return undefined;
  const label = text.slice(0, mark).trim();
  const value = text.slice(mark + 1).trim();
  if (!/^\p{L}/u.test(label) || /^(?:https?|sips?|tel|mailto)$/i.test(label)) return undefined;
  const words = label.split(/\s+/).length;
  return words <= (value === '' ? MOST_WORDS_ALONE : MOST_LABEL_WORDS) ? { label, value } : undefined;
}

/** More words before a colon are a sentence. */
const MOST_LABEL_WORDS = 6;
/** With nothing behind it: `Network reference:` is a label, `Please find the details below:` is none. */
const MOST_WORDS_ALONE = 3;

interface Mark {
  readonly start: number;
  readonly end: number;
  readonly meaning: LabelMeaning;
}

function withMarks(text: string, labels: LabelIndex): LabelledLine | undefined {
  const marks: Mark[] = [];
  for (const start of starts(text)) {
    if (marks.length === MOST_PARTS) break;
    const [last] = marks.slice(-1);
    if (last !== undefined && start < last.end) continue;
    // After one space only behind a value that has no words of its own: `CALLED: 1 202 555 0101 CALLING: 1 202 555 0142`.
    if (!isDivided(text, start) && (last === undefined || !isBehindTerse(text, last, start))) continue;
    const window = text.slice(start, start + MAX_LABEL_CHARS + 1);
    const length = labelLength(window);
    if (length <= 0) continue;
    const label = window.slice(0, length);
    const meaning = /[;|\t]/.test(label) ? undefined : labels.meaningOf(label);
    if (meaning !== undefined) marks.push({ start, end: start + length, meaning });
  }
  const [first] = marks;
  if (first === undefined) return undefined;
  const parts = marks.map(({ start, end, meaning }, at): LabelledPart => {
    const value = text.slice(end + 1, marks[at + 1]?.start ?? text.length);
    return Object.assign({ label: tidy(text.slice(start, end)), value: tidyValue(value) }, meaning);
  });
  return { parts, before: tidy(text.slice(0, first.start)) };
}

/** Up to the mark behind a label, less than 1 where there is none; one in brackets is of the label: `Time (hh:mm): 3:41`. */
function labelLength(window: string): number {
  const first = window.search(MARK);
  const open = window.lastIndexOf('(', first);
  const close = open < 0 ? -1 : window.indexOf(')', open);
  if (first < 0 || close < first) return first;
  const behind = window.slice(close).search(MARK);
  return behind < 0 ? first : close + behind;
}

const MARK = /[:=\uff1a]/;

/** Where a label may begin: behind a space or what divides fields. */
function starts(text: string): readonly number[] {
  const found = [0];
  for (let at = 1; at < text.length; at += 1) {
    const before = text.charAt(at - 1);
    if (before === ' ' || DIVIDERS.includes(before)) found.push(at);
  }
  return found;
}

/** Behind more than a single space. */
function isDivided(text: string, start: number): boolean {
  const before = text.charAt(start - 1);
  return start === 0 || before !== ' ' || ` ${DIVIDERS}`.includes(text.charAt(start - 2));
}

/** Right behind the mark stands the value itself, also where it begins like a label: `Provider ID: to:A`. */
function isBehindTerse(text: string, { end, meaning: { field } }: Mark, start: number): boolean {
  return TERSE.has(INTAKE_FIELDS[field].form) && text.slice(end + 1, start).trim() !== '';
}

const TERSE: ReadonlySet<FieldForm> = new Set<FieldForm>([
  ...(['number', 'time', 'zone', 'uuid', 'token', 'attestation', 'code', 'duration'] as const),
]);

const DIVIDERS = ',;|\t';

/** `Called Number<tab>2025550101<tab>Calling Number<tab>2025550102`, and the same with bars or wide spaces. */
function inColumns(text: string, labels: LabelIndex): LabelledLine | undefined {
  const cells = text
    .split(/\t|\|| {2,}/)
    .map(tidy)
    .filter((cell) => cell !== '');
  if (cells.length < 2) return undefined;
  const parts: LabelledPart[] = [];
  for (const cell of cells) {
    const meaning = parts.length < MOST_PARTS ? labels.meaningOf(cell) : undefined;
    const [last] = parts.slice(-1);
    if (meaning !== undefined) parts.push(Object.assign({ label: cell, value: '' }, meaning));
    else if (last === undefined) return undefined;
    else parts[parts.length - 1] = { ...last, value: last.value === '' ? cell : `${last.value} ${cell}` };
  }
  return { parts, before: '' };
}

function withDash(text: string, labels: LabelIndex): LabelledLine | undefined {
  const found = /^([^:=]{1,64}?) [-\u2013\u2014] /.exec(text);
  const meaning = found === null ? undefined : labels.meaningOf(found[1] ?? '');
  if (found === null || meaning === undefined) return undefined;
  const label = tidy(found[1] ?? '');
  return { parts: [Object.assign({ label, value: tidyValue(text.slice(found[0].length)) }, meaning)], before: '' };
}

function labelAlone(text: string, labels: LabelIndex): LabelledLine | undefined {
  const meaning = labels.meaningOf(text);
  return meaning === undefined
    ? undefined
    : { parts: [Object.assign({ label: tidy(text), value: '' }, meaning)], before: '' };
}

/** Without the emphasis of plain-text mail, bullets and bars around it. */
function tidy(text: string): string {
  return text.replace(/^[\s*_|,;\u2022-]{1,20}/, '').replace(/[\s*_|,;]{1,20}$/, '');
}

/** The same of a value, whose own signs stay: `+1…`, `-0400`. */
function tidyValue(text: string): string {
  return text.replace(/^[\s*_|]{1,20}/, '').replace(/[\s*_|,;]{1,20}$/, '');
}

/** What a text consists of, in its order. */
export type LayoutItem =
  | { readonly kind: 'cell'; readonly cell: StatedCell }
  /** A row of a table: one call. */
  | { readonly kind: 'row'; readonly cells: readonly StatedCell[] }
  /** `All times are Eastern`: a zone that holds for all calls of the message. */
  | { readonly kind: 'zone'; readonly cell: StatedCell }
  | { readonly kind: 'blank' }
  /** `Call 2 of 3`, a line of dashes. */
  | { readonly kind: 'heading' }
  | {
      readonly kind: 'letterhead';
      readonly letterhead: Letterhead;
      readonly line: number;
    }
  | { readonly kind: 'unread'; readonly unread: UnreadField };

/** Characters of something not understood that are shown. */
const MAX_UNREAD_CHARS = 256;

/** What a line of its own divides one call from the next by. */
const HEADING =
  /^[#*\s]{0,8}(?:(?:call|request|record|item|traceback|example)\s{0,2}(?:#|no\.?|number)?\s{0,2}\d{1,4}(?:\s?(?:of|\/)\s?\d{1,4})?|[-=*_~]{3,200})\s{0,2}[:.)*-]{0,3}(?:\s|$)/i;

/** One text on its way of being taken apart. */
interface Walk {
  readonly lines: readonly VisibleLine[];
  readonly labels: LabelIndex;
  readonly part: string;
  readonly items: LayoutItem[];
  at: number;
}

/**
 * Finds what looks like a field in the lines of a text: labels with their values, tables, heads of messages, and what divides one call from
 * the next. Takes time in proportion to the text. Never throws for peer input.
 * @param part - how the text is named in places
 */
export function textLayout(
  lines: readonly VisibleLine[],
  { labels, part }: { readonly labels: LabelIndex; readonly part: string },
): readonly LayoutItem[] {
  const walk: Walk = {
    lines,
    labels,
    part,
    items: [],
    at: 0,
  };
  while (walk.at < lines.length) takeLine(walk);
  return walk.items;
}

function takeLine(walk: Walk): void {
  const line = lineAt(walk, 0);
  if (line === undefined) return;
  if (line.text === '') {
    walk.items.push({ kind: 'blank' });
    walk.at += 1;
    return;
  }
  const letterhead = letterheadAt(walk.lines, walk.at);
  if (letterhead !== undefined) {
    walk.items.push({ kind: 'letterhead', letterhead, line: line.number });
    walk.at += letterhead.length;
    return;
  }
  const heading = HEADING.exec(line.text)?.[0];
  const text = heading === undefined ? line.text : line.text.slice(heading.length).trim();
  if (heading !== undefined) walk.items.push({ kind: 'heading' });
  if (text === '') {
    walk.at += 1;
    return;
  }
  const head = tableHead(text, walk.labels);
  if (head !== undefined && isFollowed(walk, head)) takeTable(walk, head);
  else takeLabels(walk, { ...line, text: withoutBullet(text) });
}

function lineAt({ lines, at }: Walk, ahead: number): VisibleLine | undefined {
  return lines[at + ahead];
}

/** `- `, `* `, `1. `, `(2) ` before a field. */
function withoutBullet(text: string): string {
  return text.replace(/^(?:[-*\u2022\u25aa\u25cf]\s{1,4}|\(?\d{1,2}[.)]\s{1,4})/, '');
}

/** A head without a row below it is a line of words: `Called, Calling`. */
function isFollowed({ lines, at }: Walk, head: TableHead): boolean {
  const next = lines.slice(at + 1, at + 4).filter(({ text }) => text !== '');
  return next.some(({ text }) => ['row', 'not-read'].includes(tableRow(text, head).status));
}

function takeTable(walk: Walk, head: TableHead): void {
  const seen = new Set<number>();
  let rows = 0;
  walk.at += 1;
  for (; walk.at < walk.lines.length; walk.at += 1) {
    const line = lineAt(walk, 0);
    if (line === undefined) return;
    if (line.text === '') {
      // One empty line may follow the head.
      if (rows > 0) return;
      continue;
    }
    const row = tableRow(line.text, head);
    if (row.status === 'other') return;
    if (row.status === 'rule') continue;
    rows += 1;
    if (row.status === 'not-read') unread(walk, line, { reason: 'row-not-read', text: line.text });
    else walk.items.push({ kind: 'row', cells: cellsOf(walk, line, { head, cells: row.cells, seen }) });
  }
}

interface RowCells {
  readonly head: TableHead;
  readonly cells: readonly string[];
  readonly seen: Set<number>;
}

/** The cells of a row; a column that nobody knows is told of once. */
function cellsOf(walk: Walk, line: VisibleLine, { head, cells, seen }: RowCells): readonly StatedCell[] {
  const halves: string[] = [];
  const stated = cells.flatMap((text, column): readonly StatedCell[] => {
    const meaning = head.columns[column];
    const label = visibleText(head.labels[column] ?? '');
    if (text === '') return [];
    if (meaning !== undefined) return [cellOf(walk, line, Object.assign({ label, value: text }, meaning))];
    if (isHalfOfDay(text)) halves.push(text);
    if (isHalfOfDay(text) || seen.has(column)) return [];
    unread(walk, line, { reason: 'unknown-label', label, text });
    seen.add(column);
    return [];
  });
  const [half] = halves;
  if (half === undefined) return stated;
  const whole = halves.length > 1 ? undefined : withHalfOfDay(stated, half);
  if (whole === undefined) unread(walk, line, { reason: 'value-not-understood', text: halves.join(' ') });
  return whole ?? stated;
}

function takeLabels(walk: Walk, line: VisibleLine): void {
  const labelled = labelledLine(line.text, walk.labels) ?? withoutMark(line.text, walk.labels);
  if (labelled === undefined) {
    takeText(walk, line);
    return;
  }
  walk.at += 1;
  if (labelled.before !== '') takeRest(walk, line, labelled.before);
  for (const [at, part] of labelled.parts.entries()) {
    const isLast = at === labelled.parts.length - 1;
    const isBarred = isLast && part.value === '' && lineAt(walk, 0)?.text.startsWith('|') === true;
    if (isLast && (isBarred || INTAKE_FIELDS[part.field].form === 'prose')) takeProse(walk, line, { part, isBarred });
    else if (part.value !== '') walk.items.push({ kind: 'cell', cell: cellOf(walk, line, part) });
    else if (!isLast || !takeNextLine(walk, part))
      unread(walk, line, { reason: 'no-value', label: part.label, text: '' });
  }
}

/** `Called Number 202-555-0101`: a label without a mark behind it counts where what follows can be nothing else. */
function withoutMark(
  text: string,
  labels: LabelIndex,
): { readonly parts: readonly LabelledPart[]; readonly before: '' } | undefined {
  const words = text.slice(0, 160).split(' ');
  for (let count = Math.min(words.length - 1, 6); count > 0; count -= 1) {
    const label = words.slice(0, count).join(' ');
    const meaning = labels.meaningOf(label);
    if (meaning === undefined) continue;
    const value = text.slice(label.length).trim();
    const { form } = INTAKE_FIELDS[meaning.field];
    const isTelling = form === 'number' || form === 'time' || form === 'uuid';
    return isTelling && isCellRead(meaning.field, value)
      ? { parts: [Object.assign({ label, value }, meaning)], before: '' }
      : undefined;
  }
  return undefined;
}

/** The value in the line below its label, or below an empty one. */
function takeNextLine(walk: Walk, part: LabelledPart): boolean {
  const skipped = lineAt(walk, 0)?.text === '' ? 1 : 0;
  const next = lineAt(walk, skipped);
  if (next === undefined || next.text === '' || labelledLine(next.text, walk.labels) !== undefined) return false;
  if (HEADING.test(next.text) || (skipped > 0 && !isCellRead(part.field, next.text))) return false;
  walk.items.push({ kind: 'cell', cell: cellOf(walk, next, { ...part, value: next.text }) });
  walk.at += skipped + 1;
  return true;
}

/** A text of several lines: those behind bars where it begins with one, else up to an empty line or the next field. */
function takeProse(
  walk: Walk,
  line: VisibleLine,
  { part, isBarred }: { readonly part: LabelledPart; readonly isBarred: boolean },
): void {
  const texts = part.value === '' ? [] : [part.value];
  for (; walk.at < walk.lines.length; walk.at += 1) {
    const text = lineAt(walk, 0)?.text ?? '';
    if (isBarred ? !text.startsWith('|') : text === '' || isField(walk, text)) break;
    texts.push(isBarred ? text.slice(1).replace(/^ /, '') : text);
  }
  // What a robocall says is no word of the requester.
  if (part.field !== 'transcript') for (const text of texts) takeZoneStatement(walk, line, text);
  const value = texts.join('\n');
  if (value === '') unread(walk, line, { reason: 'no-value', label: part.label, text: '' });
  else walk.items.push({ kind: 'cell', cell: cellOf(walk, line, { ...part, value }) });
}

function isField({ labels }: Walk, text: string): boolean {
  return labelledLine(text, labels) !== undefined || HEADING.test(text) || unknownLabel(text) !== undefined;
}

function takeText(walk: Walk, line: VisibleLine): void {
  walk.at += 1;
  const reference = referenceIn(line.text);
  if (reference?.isAtStart !== true) takeRest(walk, line, line.text);
  else walk.items.push({ kind: 'cell', cell: cellOf(walk, line, reference) });
}

/** A number that names the traceback without a colon: `Traceback Request #4711`. */
interface Reference extends LabelledPart {
  readonly isAtStart: boolean;
}

/** Finds the number of a traceback in a line, or in the subject of a mail. Never throws for peer input. */
export function referenceIn(text: string): Reference | undefined {
  const found =
    /(?:^|[\s([])((?:traceback(?: request)?|case|ticket)(?: number| no\.?| id)?) ?#\s?([A-Za-z0-9][A-Za-z0-9-]{0,31})(?![A-Za-z0-9-])/i.exec(
      text.slice(0, 512),
    );
  if (found === null) return undefined;
  const [all, label = '', value = ''] = found;
  return { field: 'tracebackId', label, value, isAtStart: found.index === 0 && !/^[\s([]/.test(all) };
}

/** What no label explains: told of where it looks like a field or holds a number. */
function takeRest(walk: Walk, line: VisibleLine, text: string): void {
  const isZone = takeZoneStatement(walk, line, text);
  const found = unknownLabel(text);
  if (found !== undefined && isHalfOfDay(found.value) && takeHalfOfDay(walk, found.value)) return;
  if (found !== undefined && !isZone) {
    unread(walk, line, { reason: 'unknown-label', label: found.label, text: found.value });
  } else if (hasNumber(text)) {
    unread(walk, line, { reason: 'number-in-text', text });
  }
}

function takeZoneStatement(walk: Walk, line: VisibleLine, text: string): boolean {
  const zone = zoneStatement(text);
  if (zone === undefined) return false;
  const label = visibleText(text).slice(0, MAX_UNREAD_CHARS);
  walk.items.push({ kind: 'zone', cell: cellOf(walk, line, { field: 'zone', label, value: zone }) });
  return true;
}

/** The half of the day belongs to the time right before it. */
function takeHalfOfDay({ items }: Walk, half: string): boolean {
  const at = items.findLastIndex(({ kind }) => kind === 'cell');
  const item = items[at];
  const [whole] = item?.kind === 'cell' ? (withHalfOfDay([item.cell], half) ?? []) : [];
  if (whole === undefined) return false;
  items[at] = { kind: 'cell', cell: whole };
  return true;
}

interface UnreadText {
  readonly reason: UnreadField['reason'];
  readonly label?: string;
  readonly text: string;
}

function unread({ items, part }: Walk, { number }: VisibleLine, { reason, label, text }: UnreadText): void {
  const place = { part, line: number };
  const named = label === undefined ? {} : { label };
  items.push({ kind: 'unread', unread: { reason, ...named, asWritten: text.slice(0, MAX_UNREAD_CHARS), place } });
}

function cellOf({ part }: Walk, line: VisibleLine, { field, hint, label, value }: LabelledPart): StatedCell {
  return {
    field,
    ...(hint === undefined ? {} : { hint }),
    label,
    text: value,
    place: { part, line: line.number },
    isReordered: line.isReordered,
  };
}
