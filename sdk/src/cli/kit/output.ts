import { durationText, printableText } from '../../core/text.js';
import { EXIT } from './command.js';
import type { ExitCode, Options } from './command.js';
import type { ProgramIo, CliOutput } from './node-io.js';
import { shownText } from './node-io.js';

/**
 * Writes lines; where the output is a terminal that wants them, marks and headings get their colours. Whatever of a peer is in a
 * line, it neither moves the cursor nor begins another one.
 */
export function printLines(io: ProgramIo, lines: readonly string[], output: CliOutput = io.stdout): void {
  if (lines.length === 0) return;
  const printable = lines.map((line) => printableText(line, line.length));
  const shown = wantsColor(io, output) ? printable.map(painted) : printable;
  output.write(`${shown.join('\n')}\n`);
}

/** Writes one JSON document, indented, with a line end. */
export function printJson(io: ProgramIo, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, plain, 2).replace(INVISIBLE, escaped)}\n`);
}

/** The same in one line, of commands that go on: one document after the other. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, plain).replace(INVISIBLE, escaped)}\n`;
}

/** What a command found: as one document with `--json`, else as lines. @returns its exit code, that of the document */
export function report(
  options: Pick<Options<'json'>, 'isOn'>,
  io: ProgramIo,
  document: {
    readonly format?: string;
    readonly exitCode?: ExitCode;
    readonly [member: string]: unknown;
  },
  lines: readonly string[],
): ExitCode {
  const { format, exitCode = EXIT.ok, ...members } = document;
  if (options.isOn('json')) printJson(io, { format, exitCode, ...members });
  else printLines(io, lines);
  return exitCode;
}

const plain = (_key: string, member: unknown): unknown => (typeof member === 'bigint' ? String(member) : member);

/** What JSON lets stand and a terminal may obey: DEL, C1, line separators and marks of the bidirectional algorithm. */
const INVISIBLE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** `label: value` lines with the values below each other. Labels of a peer, such as the names of claims, are cut. */
export function factLines(facts: readonly (readonly [string, string])[], indent = '  '): readonly string[] {
  const shown = facts.map(([label, value]) => [printableText(label, MAX_LABEL_CHARS), value] as const);
  const width = Math.max(...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `${indent}${label.padEnd(width)}  ${printableText(value, MAX_VALUE_CHARS)}`);
}

/** Claims and parameters that are registered have shorter names. */
const MAX_LABEL_CHARS = 64;

/** An Identity header is 8 KiB at most. */
const MAX_VALUE_CHARS = 8192;

/** @see https://no-color.org */
function wantsColor({ env }: ProgramIo, output: CliOutput): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return output.isTty && env['TERM'] !== 'dumb';
}

const RESET = '\u001b[0m';
const BOLD = '\u001b[1m';
const DIM = '\u001b[2m';

/** By the mark that a line begins with. */
const COLORS: Readonly<Record<string, string>> = {
  '✓': '\u001b[32m',
  '✗': '\u001b[31m',
  '?': '\u001b[33m',
  '!': '\u001b[33m',
};

function painted(line: string): string {
  const start = line.length - line.trimStart().length;
  const mark = line.charAt(start);
  const rest = line.slice(start + 1);
  if (mark === '·') return `${DIM}${line}${RESET}`;
  const color = COLORS[mark];
  if (color === undefined || !(rest.startsWith(' ') || rest === '')) return line;
  const indent = line.slice(0, start);
  // Without an indent it is the answer itself, or the heading of what follows.
  return start === 0 ? `${color}${BOLD}${mark}${rest}${RESET}` : `${indent}${color}${mark}${RESET}${rest}`;
}

/** `5 s ago`, `in 3 days`. */
export function distanceText(ms: number, nowMs: number): string {
  const seconds = Math.round((ms - nowMs) / 1000);
  const text = durationText(Math.abs(seconds));
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}

/** `1 certificate`, `3 certificates`. */
export function countText(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Items that are counted by a word, and the last of them. */
export interface Tally<Item> {
  readonly count: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly last: readonly Item[];
}

/** Counts items by a word, and keeps the last ones. */
export async function tallied<Item>(
  items: AsyncIterable<Item>,
  limit: number,
  wordOf: (item: Item) => string,
): Promise<Tally<Item>> {
  const reasons: Record<string, number> = {};
  let last: Item[] = [];
  let count = 0;
  for await (const item of items) {
    count += 1;
    const word = wordOf(item);
    reasons[word] = (reasons[word] ?? 0) + 1;
    last.push(item);
    if (last.length >= 2 * limit) last = last.slice(-limit);
  }
  return { count, reasons, last: last.slice(-limit) };
}

/** Counts by a word, the largest first. */
export function reasonLines(reasons: Readonly<Partial<Record<string, number>>>, before = ''): readonly string[] {
  return Object.entries(reasons)
    .toSorted(([, one = 0], [, other = 0]) => other - one)
    .map(([reason, count]) => `  ${before}${shownText(reason).padEnd(REASON_CHARS)} ${String(count)}`);
}

/** Room for most of them. */
const REASON_CHARS = 24;

/** A column: its heading, and where its text is taken from. */
export interface Column {
  readonly heading: string;
  readonly of: (item: unknown) => string;
}

/** Between two columns. */
const GAP = '  ';
/** A column is not made narrower: nobody could tell its values apart. */
const LEAST_WIDTH = 8;
/** What stands where there is nothing. */
export const NOTHING = '-';

/**
 * A table whose last columns are cut where the terminal ends.
 * @param columns - from left to right
 * @param items - one a row
 * @param widthChars - of the terminal; undefined where it is none: nothing is cut then
 */
export function tableLines(
  columns: readonly Column[],
  items: readonly unknown[],
  widthChars: number | undefined,
): readonly string[] {
  const rows = [
    columns.map(({ heading }) => heading),
    ...items.map((item) => columns.map(({ of }) => printableText(of(item)) || NOTHING)),
  ];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const fitting = widthChars === undefined ? widths : narrowed(widths, widthChars);
  return rows.map((row) =>
    row
      .map((cell, at) => fitted(cell, fitting[at] ?? cell.length, at === row.length - 1))
      .join(GAP)
      .trimEnd(),
  );
}

/** A table of rows that are texts already, in the order of the headings. */
export function textTable(headings: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const columns = headings.map((heading, at) => ({
    heading,
    of: (row: unknown) => (row as typeof headings)[at] ?? '',
  }));
  return tableLines(columns, rows, undefined).map((line) => `  ${line}`);
}

/** The widest column gives way first. */
function narrowed(widths: readonly number[], widthChars: number): readonly number[] {
  const narrow = [...widths];
  let surplus = narrow.reduce((sum, width) => sum + width, 0) + GAP.length * (narrow.length - 1) - widthChars;
  while (surplus > 0) {
    const widest = narrow.indexOf(Math.max(...narrow));
    const width = narrow[widest] ?? 0;
    if (width <= LEAST_WIDTH) break;
    narrow[widest] = width - 1;
    surplus -= 1;
  }
  return narrow;
}

function fitted(cell: string, width: number, isLast: boolean): string {
  if (cell.length > width) return `${cell.slice(0, Math.max(0, width - 1))}…`;
  return isLast ? cell : cell.padEnd(width);
}
