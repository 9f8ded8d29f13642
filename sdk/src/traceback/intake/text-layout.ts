import { isCellRead, hasNumber } from './cell-reading.js';
import { INTAKE_FIELDS } from './intake-fields.js';
import { isHalfOfDay, withHalfOfDay } from './half-of-day.js';
import type { UnreadField, UnreadReason } from './intake-report.js';
import type { LabelIndex } from './label-index.js';
import { letterheadAt } from './letterhead.js';
import type { Letterhead } from './letterhead.js';
import { labelledLine, unknownLabel } from './line-labels.js';
import type { LabelledPart } from './line-labels.js';
import type { StatedCell } from './stated-cell.js';
import { tableHead, tableRow } from './text-table.js';
import type { TableHead } from './text-table.js';
import { visibleText } from './visible-text.js';
import type { VisibleLine } from './visible-text.js';
import { zoneStatement } from './zone-statement.js';

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
  | { readonly kind: 'letterhead'; readonly letterhead: Letterhead; readonly line: number }
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
  const walk: Walk = { lines, labels, part, items: [], at: 0 };
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

/** The cells of a row; a column that nobody knows is told of once. */
function cellsOf(
  walk: Walk,
  line: VisibleLine,
  { head, cells, seen }: { readonly head: TableHead; readonly cells: readonly string[]; readonly seen: Set<number> },
): readonly StatedCell[] {
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

function unread(
  { items, part }: Walk,
  { number }: VisibleLine,
  { reason, label, text }: { readonly reason: UnreadReason; readonly label?: string; readonly text: string },
): void {
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
