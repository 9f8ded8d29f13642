import { readdirSync, readFileSync } from 'node:fs';
import type { CallRecord } from '../../sdk/src/core/call-record.js';
import { createRowSplitter } from '../../sdk/src/records/ingest/row-splitter.js';
import type {
  RecordReader,
  RowReading,
  SourceDescription,
  SourceRow,
} from '../../sdk/src/records/ingest/record-reader.js';
import { sourceSha256 } from '../../sdk/src/records/record-id.js';

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

/** The rows of a sample, as a follower hands them to a reader of that framing. */
export function rowsOf(format: string, file: string, framing: RecordReader['framing']): readonly SourceRow[] {
  const text = readFileSync(new URL(`${format}/${file}`, folder), 'utf8');
  if (framing === 'json') return [{ text, sha256: sourceSha256(text), line: 1 }];
  const rows: SourceRow[] = [];
  let row = '';
  let line = 0;
  let first = 1;
  for (const part of text.split(/\r?\n/)) {
    line += 1;
    row = row === '' ? part : `${row}\n${part}`;
    // A line end inside quotes belongs to the row.
    if (framing === 'csv' && row.split('"').length % 2 === 0) continue;
    if (row !== '') rows.push({ text: row, sha256: sourceSha256(row), line: first });
    row = '';
    first = line + 1;
  }
  // What a crash has cut off closes none of its quotes.
  const rest = row.trimEnd();
  if (rest !== '') rows.push({ text: rest, sha256: sourceSha256(rest), line: first });
  return rows;
}

/** The records that all samples of all formats are expected to make. */
export function sampleRecords(): readonly CallRecord[] {
  const formats = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return formats.flatMap(({ name: format }) =>
    sampleNames(format)
      .flatMap((name) => Object.values(sampleOf(format, name).readings).flat())
      .flatMap((reading) => (reading.status === 'record' ? [reading.record] : [])),
  );
}

/** The rows of a sample and their bytes, as the splitter finds them. */
export function foundRows(
  format: string,
  file: string,
  framing: RecordReader['framing'],
): readonly { readonly row: SourceRow; readonly bytes: Uint8Array }[] {
  const splitter = createRowSplitter({ framing });
  return [...splitter.push(readFileSync(new URL(`${format}/${file}`, folder))), ...splitter.end()].flatMap((found) =>
    found.status === 'row' ? [{ row: found.row, bytes: Uint8Array.from(found.bytes) }] : [],
  );
}

/** Reads a sample from beginning to end. */
export function readSample(
  reader: RecordReader,
  rows: readonly SourceRow[],
): Pick<RecordSample, 'readings' | 'waiting'> {
  const readings: Record<string, readonly RowReading[]> = {};
  for (const row of rows) {
    const made = reader.read(row).filter(({ status }) => status !== 'waiting');
    if (made.length > 0) readings[String(row.line)] = made;
  }
  return { readings, waiting: reader.waiting() };
}
