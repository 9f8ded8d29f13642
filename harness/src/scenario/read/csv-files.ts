import type { Complaint } from '../check/complaint.js';
import { MAX_CSV_CHARS, MAX_CSV_FIELDS, MAX_CSV_ROWS } from '../scenario.js';
import type { Scenario, ScenarioCaller } from '../schema/scenario.schema.js';

/** What {@link readInjectionFile} found. */
export type InjectionFile =
  | {
      readonly status: 'read';
      readonly order: 'sequential' | 'random' | 'user';
      readonly rows: readonly (readonly string[])[];
      /** Line of the file that each row stands in, from 1. */
      readonly lines: readonly number[];
    }
  | {
      readonly status: 'faulty';
      readonly line: number;
      readonly message: string;
    };

/**
 * Reads a file for `-inf` of SIPp: `SEQUENTIAL`, `RANDOM` or `USER` in the first line, then lines of fields separated by `;`. Lines that begin with `#` and
 * empty ones are passed over. There are no quotes. Never throws.
 * @see https://sipp.readthedocs.io/en/latest/scenarios/inject_from_csv.html
 */
export function readInjectionFile(text: string): InjectionFile {
  if (text.length > MAX_CSV_CHARS) return faultyFile(1, `has more than ${String(MAX_CSV_CHARS)} characters`);
  const [head = '', ...rest] = text.replace(/^\uFEFF/u, '').split('\n');
  const order = head.trim().toLowerCase();
  if (order !== 'sequential' && order !== 'random' && order !== 'user')
    return faultyFile(1, 'must begin with SEQUENTIAL, RANDOM or USER, as files for SIPp do');
  const rows: string[][] = [];
  const lines: number[] = [];
  for (const [at, raw] of rest.entries()) {
    const line = raw.replace(/\r$/u, '');
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (rows.length === MAX_CSV_ROWS) return faultyFile(at + 2, `is one more than ${String(MAX_CSV_ROWS)} rows`);
    const fields = line.split(';', MAX_CSV_FIELDS + 1).map((field) => field.trim());
    if (fields.length > MAX_CSV_FIELDS) return faultyFile(at + 2, `has more than ${String(MAX_CSV_FIELDS)} fields`);
    rows.push(fields);
    lines.push(at + 2);
  }
  return rows.length === 0 ? faultyFile(1, 'has no rows') : { status: 'read', order, rows, lines };
}

const faultyFile = (line: number, message: string): InjectionFile => ({ status: 'faulty', line, message });

/** Reads a file as UTF-8; may reject. */
export type ReadFile = (path: string) => Promise<string>;

/** Reads the CSV files that callers name, one after the other; each file once. Never rejects. */
export async function readCsvFiles(scenario: Scenario, readFile: ReadFile | undefined) {
  const texts = new Map<string, string | undefined>();
  const complaints: Complaint[] = [];
  const linesOf = new Map<number, readonly number[]>();
  const callers: ScenarioCaller[] = [];
  for (const [at, caller] of scenario.callers.entries()) {
    const file = caller.csv?.file;
    callers.push(caller);
    if (file === undefined || caller.csv?.rows !== undefined) continue;
    if (!texts.has(file)) texts.set(file, await textOf(file, readFile));
    const text = texts.get(file);
    const read = text === undefined ? undefined : readInjectionFile(text);
    if (read?.status === 'read') {
      linesOf.set(at, read.lines);
      callers[at] = { ...caller, csv: { order: read.order, ...caller.csv, rows: read.rows } };
    } else {
      const message = read === undefined ? `${file} cannot be read` : `${file}:${String(read.line)}: ${read.message}`;
      complaints.push({ path: ['callers', at, 'csv', 'file'], message });
    }
  }
  const faulty = new Set(complaints.map(({ path }) => path[1]));
  return {
    scenario: { ...scenario, callers },
    complaints,
    /** Whether something about the file of this caller has been complained of already. */
    isFaulty: ([list, at, member]: Complaint['path']) => list === 'callers' && member === 'csv' && faulty.has(at ?? ''),
    /** File and line of a row that a complaint is about. */
    placeOf: ({ path: [, at], csvRow }: Complaint): { readonly file: string; readonly line: number } | undefined => {
      const line = linesOf.get(Number(at))?.[csvRow ?? -1];
      const file = scenario.callers[Number(at)]?.csv?.file;
      return line === undefined || file === undefined ? undefined : { file, line };
    },
  };
}

async function textOf(file: string, readFile: ReadFile | undefined): Promise<string | undefined> {
  try {
    return await readFile?.(file);
  } catch {
    return undefined;
  }
}
