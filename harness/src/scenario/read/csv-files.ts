import type { Complaint } from '../check/complaint.js';
import type { Scenario, ScenarioCaller } from '../scenario.js';
import { readInjectionFile } from './csv.js';

/** Reads a file as UTF-8; may reject. */
export type ReadFile = (path: string) => Promise<string>;

/** A scenario with the lines of its CSV files in it. */
export interface WithCsvFiles {
  readonly scenario: Scenario;
  readonly complaints: readonly Complaint[];
  /** Whether something about the file of this caller has been complained of already. */
  readonly isFaulty: (path: Complaint['path']) => boolean;
  /** File and line of what a complaint is about, where it is about a row. */
  readonly placeOf: (complaint: Complaint) => { readonly file: string; readonly line: number } | undefined;
}

/** Reads the CSV files that callers name, one after the other; each file once. Never rejects. */
export async function readCsvFiles(scenario: Scenario, readFile: ReadFile | undefined): Promise<WithCsvFiles> {
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
    isFaulty: ([list, at, member]) => list === 'callers' && member === 'csv' && faulty.has(at ?? ''),
    placeOf: ({ path: [, at], csvRow }) => {
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
