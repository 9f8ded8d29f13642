import { MAX_CSV_CHARS, MAX_CSV_FIELDS, MAX_CSV_ROWS } from '../scenario.js';

/** What {@link readInjectionFile} found. */
export type InjectionFile =
  | {
      readonly status: 'read';
      readonly order: 'sequential' | 'random' | 'user';
      readonly rows: readonly (readonly string[])[];
      /** Line of the file that each row stands in, from 1. */
      readonly lines: readonly number[];
    }
  | { readonly status: 'faulty'; readonly line: number; readonly message: string };

/**
 * Reads a file for `-inf` of SIPp: `SEQUENTIAL`, `RANDOM` or `USER` in the first line, then lines of fields separated by `;`. Lines that begin with `#` and
 * empty ones are passed over. There are no quotes. Never throws.
 * @see https://sipp.readthedocs.io/en/latest/scenarios/inject_from_csv.html
 */
export function readInjectionFile(text: string): InjectionFile {
  if (text.length > MAX_CSV_CHARS) return faulty(1, `has more than ${String(MAX_CSV_CHARS)} characters`);
  const [head = '', ...rest] = text.replace(/^\uFEFF/u, '').split('\n');
  const order = head.trim().toLowerCase();
  if (order !== 'sequential' && order !== 'random' && order !== 'user')
    return faulty(1, 'must begin with SEQUENTIAL, RANDOM or USER, as files for SIPp do');
  const rows: string[][] = [];
  const lines: number[] = [];
  for (const [at, raw] of rest.entries()) {
    const line = raw.replace(/\r$/u, '');
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (rows.length === MAX_CSV_ROWS) return faulty(at + 2, `is one more than ${String(MAX_CSV_ROWS)} rows`);
    const fields = line.split(';', MAX_CSV_FIELDS + 1).map((field) => field.trim());
    if (fields.length > MAX_CSV_FIELDS) return faulty(at + 2, `has more than ${String(MAX_CSV_FIELDS)} fields`);
    rows.push(fields);
    lines.push(at + 2);
  }
  return rows.length === 0 ? faulty(1, 'has no rows') : { status: 'read', order, rows, lines };
}

const faulty = (line: number, message: string): InjectionFile => ({ status: 'faulty', line, message });
