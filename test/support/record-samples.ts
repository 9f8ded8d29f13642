import { readdirSync, readFileSync } from 'node:fs';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type {
  RecordReader,
  RowReading,
  SourceDescription,
  SourceRow,
} from '../../sdk/src/records/ingest/record-reader.js';
import { createRowSplitter, type SplitRow } from '../../sdk/src/records/ingest/row-splitter.js';

/** What `test/vectors/records/FORMAT/NAME.expected.json` says. */
export interface RecordSample {
  /** Name of the file with the rows, beside the expectations. */
  readonly file: string;
  readonly source: SourceDescription;
  /** What each row makes, by the number of its first line. */
  readonly readings: Readonly<Record<string, readonly RowReading[]>>;
  /** Legs that still wait at the end of the file. */
  readonly waiting: number;
}

const folder = new URL('../vectors/records/', import.meta.url);

/** Names of the samples of a format. */
export function sampleNames(format: string): readonly string[] {
  const suffix = '.expected.json';
  const files = readdirSync(new URL(`${format}/`, folder)).filter((file) => file.endsWith(suffix));
  return files.map((file) => file.slice(0, -suffix.length)).toSorted();
}

/** The expectations of a sample. */
export function sampleOf(format: string, name: string): RecordSample {
  return JSON.parse(readFileSync(new URL(`${format}/${name}.expected.json`, folder), 'utf8')) as RecordSample;
}

/** What a file of a sample falls into, as an import reads it. */
export function splitSample(
  format: string,
  file: string,
  { framing, pieceBytes = 65_536 }: { readonly framing: RecordReader['framing']; readonly pieceBytes?: number },
): readonly SplitRow[] {
  const octets = readFileSync(new URL(`${format}/${file}`, folder));
  const splitter = createRowSplitter({ framing });
  const rows: SplitRow[] = [];
  for (let at = 0; at < octets.length; at += pieceBytes) {
    rows.push(...splitter.push(octets.subarray(at, at + pieceBytes)));
  }
  return [...rows, ...splitter.end()];
}

/** The rows of a sample, and as text what is none. */
export function rowsOf(format: string, file: string, framing: RecordReader['framing']): readonly SourceRow[] {
  return splitSample(format, file, { framing }).map((found) => {
    if (found.status === 'row') return found.row;
    return { text: Buffer.from(found.bytes).toString('utf8'), sha256: found.sha256, line: found.line };
  });
}

/** The records that all samples of all formats are expected to make. */
export function sampleRecords(): readonly CallRecord[] {
  const formats = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return formats.flatMap(({ name: format }) =>
    recordsOf(sampleNames(format).flatMap((name) => Object.values(sampleOf(format, name).readings).flat())),
  );
}

/** The records among readings. */
export function recordsOf(readings: readonly RowReading[]): readonly CallRecord[] {
  return readings.flatMap((reading) => (reading.status === 'record' ? [reading.record] : []));
}

/** Reads a sample from beginning to end. */
export function readSample(
  reader: RecordReader,
  rows: readonly SplitRow[],
): Pick<RecordSample, 'readings' | 'waiting'> {
  const readings: Record<string, readonly RowReading[]> = {};
  for (const found of rows) {
    const made = readingsOf(reader, found).filter(({ status }) => status !== 'waiting');
    if (made.length > 0) readings[String(found.status === 'row' ? found.row.line : found.line)] = made;
  }
  return { readings, waiting: reader.waiting() };
}

function readingsOf(reader: RecordReader, found: SplitRow): readonly RowReading[] {
  return found.status === 'row'
    ? reader.read(found.row)
    : [{ status: 'rejected', reason: found.reason, detail: found.detail }];
}

/** Each row as its line and text, broken ones as line and `!reason`. */
export const shownRows = (rows: readonly SplitRow[]): readonly string[] =>
  rows.map((row) => (row.status === 'row' ? `${row.row.line} ${row.row.text}` : `${row.line} !${row.reason}`));

/** Items in every order. */
export function permutations<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}
