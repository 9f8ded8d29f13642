import { printableText } from '../core/printable-text.js';
import type { CliIo, CliOutput } from './io.js';

/** Writes lines; where the output is a terminal that wants them, marks and headings get their colours. */
export function printLines(io: CliIo, lines: readonly string[], output: CliOutput = io.stdout): void {
  if (lines.length === 0) return;
  const shown = wantsColor(io, output) ? lines.map(painted) : lines;
  output.write(`${shown.join('\n')}\n`);
}

/** Writes one JSON document, indented, with a line end. */
export function printJson(io: CliIo, value: unknown): void {
  io.stdout.write(
    `${JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? String(member) : member), 2)}\n`,
  );
}

/** `label: value` lines with the values below each other. */
export function factLines(facts: readonly (readonly [string, string])[], indent = '  '): readonly string[] {
  const width = Math.max(...facts.map(([label]) => label.length));
  return facts.map(([label, value]) => `${indent}${label.padEnd(width)}  ${printableText(value, MAX_VALUE_CHARS)}`);
}

/** An Identity header is 8 KiB at most. */
const MAX_VALUE_CHARS = 8192;

/** @see https://no-color.org */
function wantsColor({ env }: CliIo, output: CliOutput): boolean {
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

/** `2026-11-02T12:00:00Z`; an instant beyond what dates hold as it is. */
export function instantText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : `${date.toISOString().slice(0, 19)}Z`;
}

/** `5 s ago`, `in 3 days`. */
export function distanceText(ms: number, nowMs: number): string {
  const seconds = Math.round((ms - nowMs) / 1000);
  const text = durationText(Math.abs(seconds));
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}

/** `90 s`, `5 min`, `3 h`, `12 days`. */
export function durationText(seconds: number): string {
  if (seconds < 120) return `${String(seconds)} s`;
  if (seconds < 7200) return `${String(Math.floor(seconds / 60))} min`;
  return seconds < 172_800 ? `${String(Math.floor(seconds / 3600))} h` : `${String(Math.floor(seconds / 86_400))} days`;
}

/** `1 certificate`, `3 certificates`. */
export function countText(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}
