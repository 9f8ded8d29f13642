import type { StatedCell } from './stated-cell.js';
import { readTimeWords } from './time-words.js';

/** `PM` in a field or a column of its own. */
export function isHalfOfDay(text: string): boolean {
  return /^[ap]\.?\s?m\.?$/i.test(text.trim());
}

/**
 * Puts the half of the day that stands in a field of its own behind the time that it belongs to: `3:41` and `PM`. Never throws for peer input.
 * @returns the cells with that one changed; undefined where there is not exactly one that it could belong to
 */
export function withHalfOfDay(cells: readonly StatedCell[], half: string): readonly StatedCell[] | undefined {
  const clocks = cells.filter(({ field, text }) => (field === 'at' || field === 'timeOfDay') && isClock(text));
  const [clock, ...others] = clocks;
  if (clock === undefined || others.length > 0) return undefined;
  return cells.map((cell) => (cell === clock ? { ...cell, text: withHalf(cell.text, half.trim()) } : cell));
}

function isClock(text: string): boolean {
  return readTimeWords(text)?.clock !== undefined;
}

/** Right behind the figures: what follows them may be a zone. */
function withHalf(text: string, half: string): string {
  const figures = /\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?/.exec(text);
  if (figures === null) return `${text} ${half}`;
  const end = figures.index + figures[0].length;
  return `${text.slice(0, end)} ${half}${text.slice(end)}`;
}
