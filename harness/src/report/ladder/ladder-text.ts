import type { Ladder, LadderArrow } from './ladder.js';
import { oneLine } from './one-line.js';

/** Columns between two lines. */
const WIDTH = 26;
/** Columns of the times at the left. */
const TIMES = 18;

/** A ladder in plain text, for terminals, tickets and mails. */
export function ladderText(title: string, ladder: Ladder): string {
  const { lifelines, rows, left } = ladder;
  const columns = lifelines.map((_, index) => TIMES + index * WIDTH + 6);
  const bars = (): string[] => {
    const line = [...' '.repeat((columns.at(-1) ?? 0) + 1)];
    for (const column of columns) line[column] = '|';
    return line;
  };
  const lines = [oneLine(title), '', heads(ladder, columns), bars().join('')];
  for (const row of rows) {
    const line = bars();
    if (row.kind === 'note') {
      lines.push(`${line.join('').slice(0, columns[row.at])}${row.isTrue ? '= ' : '! '}${oneLine(row.text)}`);
      continue;
    }
    put(line, timesText(row), 0);
    drawArrow(line, row, columns);
    lines.push(line.join('').trimEnd());
  }
  if (left > 0) lines.push('', `${left} more messages are not shown.`);
  return `${lines.join('\n')}\n`;
}

/** When a message left and came: `12.0>12.4 ms`. */
export function timesText({ sentMs, receivedMs }: LadderArrow): string {
  const shown = (ms: number | undefined): string => (ms === undefined ? '' : String(Math.round(ms * 10) / 10));
  return `${shown(sentMs)}>${shown(receivedMs)} ms`;
}

function heads({ lifelines }: Ladder, columns: readonly number[]): string {
  const line: string[] = [];
  for (const [index, { id }] of lifelines.entries()) {
    const name = oneLine(id).slice(0, WIDTH - 2);
    put(line, name, Math.max(0, (columns[index] ?? 0) - Math.floor(name.length / 2)));
  }
  return line.join('');
}

function drawArrow(line: string[], row: LadderArrow, columns: readonly number[]): void {
  const [left, right] = [Math.min(row.from, row.to), Math.max(row.from, row.to)].map((index) => columns[index] ?? 0);
  if (left === undefined || right === undefined || left === right) return;
  for (let column = left + 1; column < right; column += 1) line[column] = '-';
  if (row.isLost) line[row.from < row.to ? right - 1 : left + 1] = 'x';
  else line[row.from < row.to ? right - 1 : left + 1] = row.from < row.to ? '>' : '<';
  const label = ` ${oneLine(row.label)} `.slice(0, right - left - 4);
  put(line, label, left + Math.max(2, Math.floor((right - left - label.length) / 2)));
}

function put(line: string[], text: string, at: number): void {
  while (line.length < at) line.push(' ');
  for (const [offset, character] of [...text].entries()) line[at + offset] = character;
}
