import type { CallRecord } from '../../core/call-record.js';
import type { RecordReader, RowReading } from './record-reader.js';
import type { RejectSink } from './reject.js';
import type { RowCoverage } from './row-coverage.js';
import { MAX_REJECTED_BYTES, type SplitRow } from './row-splitter.js';

/** What became of the rows of a source. */
export interface IntakeCounts {
  readonly rows: number;
  readonly records: number;
  readonly skipped: number;
  readonly rejected: number;
}

/** Rows of a source on their way to be records. */
export interface RowIntake {
  /** Reads a row; `file` names where it was found. */
  readonly take: (row: SplitRow, file: string) => void;
  /** Makes records of legs begun before a time that still wait for rows, microseconds. */
  readonly expire: (beforeUs: number) => void;
  /** Records that are not in the store yet, oldest first. */
  readonly pending: () => readonly CallRecord[];
  /** Gives them away. */
  readonly handOver: () => readonly CallRecord[];
  readonly counts: () => IntakeCounts;
}

/** What an intake brings together. */
export interface RowIntakeOptions {
  readonly sourceId: string;
  readonly reader: RecordReader;
  readonly rejects: RejectSink;
  readonly coverage: RowCoverage;
}

/** Makes the intake of one source: rows to its reader, legs to be stored, what cannot be read to the reject sink. Never throws. */
export function createRowIntake({ sourceId, reader, rejects, coverage }: RowIntakeOptions): RowIntake {
  let records: CallRecord[] = [];
  const counts = { rows: 0, records: 0, skipped: 0, rejected: 0 };

  const settle = (reading: RowReading, row: SplitRow | undefined, file: string): void => {
    if (reading.status === 'record') {
      counts.records += 1;
      records.push(reading.record);
      // A leg that was given up is of long ago: it says nothing about how far the source has come.
      if (row !== undefined) coverage.saw(reading.record);
    } else if (reading.status === 'skipped') counts.skipped += 1;
    else if (reading.status === 'rejected') {
      counts.rejected += 1;
      coverage.broke();
      const { reason, field, detail } = reading;
      const place = row === undefined ? NOWHERE : placeOf(row);
      rejects.reject({ sourceId, file, ...place, reason, ...(field === undefined ? {} : { field }), detail });
    }
  };

  return {
    take(row, file) {
      counts.rows += 1;
      if (row.status === 'broken') settle({ status: 'rejected', reason: row.reason, detail: row.detail }, row, file);
      else for (const reading of reader.read(row.row)) settle(reading, row, file);
    },
    expire(beforeUs) {
      for (const reading of reader.expire(beforeUs)) settle(reading, undefined, '');
    },
    pending: () => records,
    handOver() {
      const handed = records;
      records = [];
      return handed;
    },
    counts: () => ({ ...counts }),
  };
}

type RowPlace = Pick<Parameters<RejectSink['reject']>[0], 'line' | 'sha256' | 'bytes' | 'sizeBytes'>;

/** Of a leg that was given up with what it had: its rows were taken long ago. */
const NOWHERE: RowPlace = { line: 0, sha256: '', bytes: new Uint8Array(0), sizeBytes: 0 };

function placeOf(row: SplitRow): RowPlace {
  const { bytes } = row;
  return row.status === 'row'
    ? {
        line: row.row.line,
        sha256: row.row.sha256,
        bytes: bytes.subarray(0, MAX_REJECTED_BYTES),
        sizeBytes: bytes.length,
      }
    : { line: row.line, sha256: row.sha256, bytes, sizeBytes: row.sizeBytes };
}
