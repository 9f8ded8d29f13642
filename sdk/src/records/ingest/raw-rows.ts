import { isUtf8 } from 'node:buffer';
import type { CallRecord, RawRow } from '../../core/call-record.js';
import { MAX_RAW_BYTES, MAX_RAW_ROWS } from '../../core/raw-limits.js';
import { sourceSha256 } from '../record-id.js';
import type { RowReading, SourceRow } from './record-reader.js';

/**
 * Octets of rows that one reader keeps while they wait for others, 128 MiB: the channels of forty thousand calls of Asterisk, the packets
 * of eight thousand captured ones. A leg whose row finds no room any more gives all its rows up and is recorded with the hash alone.
 */
export const MAX_WAITING_RAW_BYTES = 134_217_728;

/** A row with its hash, which tells how its text was made of its bytes. */
type HashedRow = Pick<SourceRow, 'text' | 'sha256'>;

/**
 * The bytes of rows as a record keeps them. Never throws.
 * @returns undefined where they are more than a record may keep
 */
export function rawRowsOf(rows: readonly HashedRow[]): readonly RawRow[] | undefined {
  let sizeBytes = 0;
  for (const { text } of rows) sizeBytes += Buffer.byteLength(text);
  // Of Latin-1 the UTF-8 is longer than the row, twice as long at most: in base64 it is longer too.
  return isKept(rows.length, sizeBytes) ? rows.map(rawRowOf) : undefined;
}

/**
 * The bytes of packets as a record keeps them. Never throws.
 * @returns undefined where they are more than a record may keep
 */
export function rawPacketsOf(packets: readonly Uint8Array[]): readonly RawRow[] | undefined {
  const sizeBytes = packets.reduce((sum, { length }) => sum + length, 0);
  return isKept(packets.length, sizeBytes) ? packets.map(rawRowOfBytes) : undefined;
}

/** Adds the bytes that it was read from to a record that was just made. Without any the record stays as it is. */
export function withRaw(record: CallRecord, raw: readonly RawRow[] | undefined): CallRecord {
  if (raw === undefined || raw.length === 0) return record;
  const { id, format, readerVersion, sha256 } = record.source;
  return Object.assign(record, { source: { id, format, readerVersion, sha256, raw } });
}

/** Adds them to the records among readings. */
export function readingsWithRaw(
  readings: readonly RowReading[],
  raw: readonly RawRow[] | undefined,
): readonly RowReading[] {
  for (const reading of readings) if (reading.status === 'record') withRaw(reading.record, raw);
  return readings;
}

/** Rows, or packets, of a leg that waits for more of them. */
export interface WaitingRaw<Row> {
  readonly rows: Row[];
  sizeBytes: number;
}

/** Keeps the rows of legs that wait, within bounds. Undefined stands for a leg whose rows are not kept, or were given up. */
export interface RawKeeper<Row> {
  readonly begin: () => WaitingRaw<Row> | undefined;
  /** @returns what is kept of the leg from now on: all its rows, or none */
  readonly add: (waiting: WaitingRaw<Row> | undefined, row: Row, sizeBytes: number) => WaitingRaw<Row> | undefined;
  /** The leg does not wait any more, or its rows are of no use. */
  readonly end: (waiting: WaitingRaw<Row> | undefined) => undefined;
}

/**
 * Makes the keeper of one reader. Never throws.
 * @param keepsRaw - where it is false nothing is kept
 * @param maxBytes - octets of all rows that wait
 */
export function rawKeeper<Row>(keepsRaw: boolean, maxBytes: number = MAX_WAITING_RAW_BYTES): RawKeeper<Row> {
  let takenBytes = 0;
  const end: RawKeeper<Row>['end'] = (waiting) => {
    takenBytes -= waiting?.sizeBytes ?? 0;
    return undefined;
  };
  return {
    begin: () => (keepsRaw ? { rows: [], sizeBytes: 0 } : undefined),
    add: (waiting, row, sizeBytes) => {
      if (waiting === undefined) return undefined;
      const isRoom = takenBytes + sizeBytes <= maxBytes;
      if (!isRoom || !isKept(waiting.rows.length + 1, waiting.sizeBytes + sizeBytes)) return end(waiting);
      takenBytes += sizeBytes;
      waiting.sizeBytes += sizeBytes;
      waiting.rows.push(row);
      return waiting;
    },
    end,
  };
}

function isKept(rows: number, sizeBytes: number): boolean {
  return rows <= MAX_RAW_ROWS && sizeBytes <= MAX_RAW_BYTES;
}

/**
 * A text was made of its bytes as UTF-8, or one character a byte where they were none; where both would give it, the hash tells which. A text
 * of which it says neither is kept as it is: that it does not match, whoever reads it finds out.
 */
function rawRowOf({ text, sha256 }: HashedRow): RawRow {
  if (!mayBeLatin1(text) || sourceSha256(text) === sha256) return { text };
  const bytes = Buffer.from(text, 'latin1');
  return sourceSha256(bytes) === sha256 ? { base64: bytes.toString('base64') } : { text };
}

/** No character above U+00FF, and one above U+007F: of others there is only one way to their bytes. */
function mayBeLatin1(text: string): boolean {
  return /[\u0080-\u00ff]/.test(text) && !/[^\u0000-\u00ff]/.test(text);
}

function rawRowOfBytes(bytes: Uint8Array): RawRow {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(view) ? { text: view.toString('utf8') } : { base64: view.toString('base64') };
}
