import { csvFields } from '../../records/ingest/csv-fields.js';
import { isCellRead } from './cell-reading.js';
import type { LabelIndex, LabelMeaning } from './label-index.js';

/** The head of a table in a text. */
export interface TableHead {
  readonly separator: TableSeparator;
  /** By column; undefined where nobody knows what it means. */
  readonly columns: readonly (LabelMeaning | undefined)[];
  readonly labels: readonly string[];
}

/** What divides the columns. */
export type TableSeparator = '\t' | '|' | 'spaces' | ',' | ';';

const SEPARATORS: readonly TableSeparator[] = ['\t', '|', 'spaces', ',', ';'];

/** Fewer columns than this are a label and its value. */
const LEAST_COLUMNS = 2;
/** More than half of the heads have to be known: a sentence with commas has two by chance. */
const LEAST_SHARE = 0.5;

/**
 * Whether a line is the head of a table: columns whose labels are known, one for a number or a time among them. Never throws for
 * peer input.
 */
export function tableHead(text: string, labels: LabelIndex): TableHead | undefined {
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
export type TableRow =
  | { readonly status: 'row'; readonly cells: readonly string[] }
  /** A row that does not fit the head: columns are missing, and which cannot be said. */
  | { readonly status: 'not-read' }
  /** Dashes that divide head and rows. */
  | { readonly status: 'rule' }
  /** The table has ended. */
  | { readonly status: 'other' };

/** Reads a line under the head of a table. Never throws for peer input. */
export function tableRow(text: string, { separator, columns }: TableHead): TableRow {
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
