import { parse } from 'csv-parse/sync';
import type { RecordReader } from '../../sdk/src/records/ingest/record-reader.js';
import { sourceSha256 } from '../../sdk/src/records/record-id.js';
import { interleave, sized } from './bench.js';
import type { BenchContext, Figure } from './bench.js';

/** Rows of one file, in its order, without line ends. */
export type FileRows = readonly Buffer[];

/** Rows that are read between two looks at the clock. */
const BATCH_ROWS = 1_000;

/**
 * Measures a reader on rows as they stand in a file: hash of the raw bytes, text, fields, times, numbers, record id, record. csv-parse
 * beside it does the fields alone.
 * @param rows - whole batches of 1,000, each of which must make a record
 */
export async function measureReader(
  figure: string,
  { reader, rows, context }: { readonly reader: RecordReader; readonly rows: FileRows; readonly context: BenchContext },
): Promise<Figure> {
  const batches = batchesOf(rows);
  const files = batches.map((batch) => batch.map((row) => row.toString('latin1')).join('\n'));
  const rounds = sized(context, { quick: 5, short: 15, full: 45 });
  let next = 0;
  const turn = (): number => (next = (next + 1) % batches.length);
  const rates = await interleave(
    {
      reader: () => readBatch(reader, batches[turn()] ?? []),
      csvParse: () => (parse(files[turn()] ?? '', { relax_column_count: true }) as readonly unknown[]).length,
    },
    { rounds, ms: 150, steadyBy: 'csvParse' },
  );
  const bytes = rows.reduce((sum, row) => sum + row.length, 0) / rows.length;
  return {
    ...{ figure, value: rates.reader.median, unit: 'rows/s' },
    baseline: 'csv-parse/sync, fields only',
    baselineValue: rates.csvParse.median,
    bar: { valueAtLeast: 150_000 },
    note: `one core, medians of the steadiest ${rounds} of ${rates.csvParse.made} rounds over ${rows.length} distinct rows of ${bytes.toFixed(0)} bytes, two SHA-256 a row`,
  };
}

function batchesOf(rows: FileRows): readonly FileRows[] {
  return Array.from({ length: Math.floor(rows.length / BATCH_ROWS) }, (_, index) =>
    rows.slice(index * BATCH_ROWS, (index + 1) * BATCH_ROWS),
  );
}

/** @returns how many records were made */
function readBatch(reader: RecordReader, rows: FileRows): number {
  let records = 0;
  let line = 0;
  for (const bytes of rows) {
    line += 1;
    const readings = reader.read({ text: bytes.toString('latin1'), sha256: sourceSha256(bytes), line });
    for (const { status } of readings) if (status === 'record') records += 1;
  }
  if (records !== rows.length) throw new Error(`${rows.length} rows made ${records} records`);
  return records;
}

/** Distinct rows as Asterisk's cdr_csv writes them with `loguniqueid` and `loguserfield`, 25 calls a second from a given one on. */
export function asteriskRows(count: number, startMs: number): FileRows {
  return Array.from({ length: count }, (_, index) => {
    const offsetMs = index * 40;
    const at = (seconds: number): string =>
      new Date(startMs + offsetMs + seconds * 1_000).toISOString().slice(0, 19).replace('T', ' ');
    const src = `${AREAS[index % AREAS.length]}55501${twoDigits(index)}`;
    const dst = `1${AREAS[(index >> 2) % AREAS.length]}55501${twoDigits(index * 7)}`;
    const counter = (index + 16).toString(16).padStart(8, '0');
    const isAnswered = index % 3 !== 0;
    return Buffer.from(
      `"","${src}","${dst}","from-carrier","""Caller ${index % 50}"" <${src}>","PJSIP/carrier-${index % 9}-${counter}",` +
        `"PJSIP/carrier-out-${counter}","Dial","PJSIP/+${dst}@carrier-out,60","${at(0)}",${isAnswered ? `"${at(6)}"` : ''},` +
        `"${at(31)}",31,${isAnswered ? 25 : 0},"${isAnswered ? 'ANSWERED' : 'NO ANSWER'}","DOCUMENTATION",` +
        `"${Math.floor((startMs + offsetMs) / 1_000)}.${index}",""`,
    );
  });
}

const AREAS = ['202', '212', '312', '415'];

function twoDigits(number: number): string {
  return String(number % 100).padStart(2, '0');
}
