import { isAscii, isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import { MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '@hopback/sdk/platform';
import type { BatchEncoding, ProblemLocation, RecordRejection, SharedRecord } from '@hopback/sdk/platform';
import { nextTurn } from '@hopback/sdk/internal';
import { readRecordLine } from '../domain/records/index.js';
import type { TakenTimes } from '../domain/records/index.js';

/** Lines that are read before everything else has its turn: some milliseconds. */
const LINES_PER_TURN = 256;
/** Places that a refusal names. */
const MAX_LOCATIONS = 50;

/**
 * Octets that decompression has room for at once: a batch of 500 records, so that it goes through Node in one step and is not put together
 * from pieces of 16 KiB.
 */
const INFLATE_BYTES = 1_048_576;

/** What a batch holds. */
export interface ReadBatch {
  readonly status: 'read';
  readonly records: readonly SharedRecord[];
  readonly rejected: readonly RecordRejection[];
  /** Lines of those that are rejected, from 0, empty lines not counted. */
  readonly rejectedLines: readonly number[];
}

/** A batch, or why there is none in the octets. */
export type BatchReading =
  | ReadBatch
  | {
      readonly status: 'refused';
      readonly code: 'too-large' | 'invalid-body';
      readonly errors: readonly ProblemLocation[];
    };

const inflate = { gzip: promisify(gunzip), br: promisify(brotliDecompress) };

/**
 * Reads a batch. What it grows to is bounded by {@link MAX_BATCH_BYTES}: decompression stops there, beside JavaScript. Never rejects for
 * peer input.
 * @param body - compressed, bounded by whoever received it
 * @param encoding - `gzip` (RFC 1952) or `br` (RFC 7932)
 * @param times - which calls are taken
 * @returns its records, those that are not taken with the reason; refused as a whole where a line names no record
 */
export async function readBatch(body: Uint8Array, encoding: BatchEncoding, times: TakenTimes): Promise<BatchReading> {
  let bytes: Buffer;
  try {
    bytes = await inflate[encoding](body, { maxOutputLength: MAX_BATCH_BYTES, chunkSize: INFLATE_BYTES });
  } catch (error) {
    // The only RangeError is that of the output that is too long; all others are of the octets.
    const code = error instanceof RangeError ? 'too-large' : 'invalid-body';
    return {
      status: 'refused',
      code,
      errors: [{ pointer: '', code: error instanceof RangeError ? 'too_big' : encoding }],
    };
  }
  // Most batches have no other characters, and need not be decoded.
  if (isAscii(bytes)) return readLines(bytes.toString('latin1'), times);
  if (!isUtf8(bytes)) return { status: 'refused', code: 'invalid-body', errors: [{ pointer: '', code: 'not-utf8' }] };
  return readLines(bytes.toString('utf8'), times);
}

async function readLines(text: string, times: TakenTimes): Promise<BatchReading> {
  const records: SharedRecord[] = [];
  const rejected: RecordRejection[] = [];
  const rejectedLines: number[] = [];
  const errors: ProblemLocation[] = [];
  let index = 0;
  for (let from = 0; from < text.length;) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    const line = text.slice(from, to);
    from = to + 1;
    if (line === '') continue;
    if (index === MAX_BATCH_RECORDS)
      return { status: 'refused', code: 'too-large', errors: [{ pointer: `/${index}`, code: 'too_big' }] };
    const reading = readRecordLine(line, times);
    if (reading.status === 'read') records.push(reading.record);
    else if (reading.status === 'unreadable') errors.push({ pointer: `/${index}/recordId`, code: 'missing' });
    else {
      const { recordId, code, place } = reading;
      rejected.push({ recordId, code, ...(place !== undefined && { detail: place }) });
      rejectedLines.push(index);
    }
    if (errors.length === MAX_LOCATIONS) break;
    index += 1;
    if (index % LINES_PER_TURN === 0) await nextTurn();
  }
  if (errors.length > 0) return { status: 'refused', code: 'invalid-body', errors };
  return { status: 'read', records, rejected, rejectedLines };
}

/** Any time: of a batch that is read again it was decided what is taken when it came. */
const ANY_TIME: TakenTimes = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };

/**
 * Reads a batch that was taken once more, from the log.
 * @param rejectedLines - of the first reading
 * @returns the records that were taken then; undefined where the octets are not those of a batch that was taken
 */
export async function readTakenBatch(
  body: Uint8Array,
  { encoding, rejectedLines }: { readonly encoding: BatchEncoding; readonly rejectedLines: readonly number[] },
): Promise<readonly SharedRecord[] | undefined> {
  const reading = await readBatch(body, encoding, ANY_TIME);
  if (reading.status !== 'read') return undefined;
  const { records } = reading;
  if (rejectedLines.length === 0) return records;
  // Those that were refused for their time are read now; those that are no records are not.
  const still = new Set(reading.rejectedLines);
  const left = new Set(rejectedLines);
  const taken: SharedRecord[] = [];
  let line = 0;
  for (const record of records) {
    while (still.has(line)) line += 1;
    if (!left.has(line)) taken.push(record);
    line += 1;
  }
  return taken;
}
