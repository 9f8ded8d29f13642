import { INTAKE_FIELDS } from './intake-fields.js';
import type { FieldForm } from './intake-fields.js';
import { MAX_LABEL_CHARS } from './label-index.js';
import type { LabelIndex, LabelMeaning } from './label-index.js';

/** A known label with what stands behind it up to the next one. */
export interface LabelledPart extends LabelMeaning {
  readonly label: string;
  /** Empty where nothing stands there. */
  readonly value: string;
}

/** What a line says by labels. */
export interface LabelledLine {
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
export function labelledLine(text: string, labels: LabelIndex): LabelledLine | undefined {
  return withMarks(text, labels) ?? inColumns(text, labels) ?? withDash(text, labels) ?? labelAlone(text, labels);
}

/** Whether a text could be the beginning of a field: a few words before a colon. @returns the label and what stands behind it */
export function unknownLabel(text: string): { readonly label: string; readonly value: string } | undefined {
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
