import type { DemandRecordClass } from '@hopback/sdk/platform';
import { COLUMNS } from './data-dictionary.js';
import type { Cell } from './produced-rows.js';

/**
 * A line of a CSV file of a class, with its end. Text that a spreadsheet would compute has an apostrophe in front. Never throws.
 * @see RFC 4180 section 2
 */
export function csvLine(recordClass: DemandRecordClass, cells: Readonly<Record<string, Cell>>): string {
  return `${COLUMNS[recordClass].map(({ name }) => csvField(cells[name])).join(',')}\r\n`;
}

/** The line of names. Never throws. */
export function csvHead(recordClass: DemandRecordClass): string {
  return `${COLUMNS[recordClass].map(({ name }) => name).join(',')}\r\n`;
}

/** One field. Never throws. @see RFC 4180 section 2 */
export function csvField(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell !== 'string') return String(cell);
  // What others wrote is opened by whoever investigates it.
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
