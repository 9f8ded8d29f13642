import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { SharedRecord } from '../../core/call-record.js';
import {
  jsonAnswer,
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  problemAnswer,
  readWireBody,
  WIRE_SCHEMAS,
} from '../../platform/index.js';
import type { PlatformAnswer, ReadPlatformRequest, RecordBatchAnswer, RecordRejection } from '../../platform/index.js';

/** A batch as it came. */
export interface ReceivedBatch {
  readonly batchId: string;
  readonly clientId: string;
  readonly records: number;
  /** Of those the ones that were there before. */
  readonly repeats: number;
  readonly rejected: number;
}

/** Takes batches of records in. */
export interface RecordDesk {
  readonly take: (request: ReadPlatformRequest, clientId: string) => PlatformAnswer;
  /** Different records by their ids, the first one first. */
  readonly records: () => readonly SharedRecord[];
  /** Batches, the same one again among them. */
  readonly batches: () => readonly ReceivedBatch[];
}

/**
 * Makes the desk.
 * @param refuse - why a record is not wanted, as a word; undefined where it is
 */
export function createRecordDesk(refuse: (record: SharedRecord) => string | undefined): RecordDesk {
  const records = new Map<string, SharedRecord>();
  const batches: ReceivedBatch[] = [];
  return {
    take: ({ parameters, bytes }, clientId) => {
      const batchId = parameters['ce-id'] ?? '';
      if (parameters['Idempotency-Key'] !== batchId)
        return problemAnswer('invalid-parameter', { errors: [{ pointer: 'Idempotency-Key', code: 'not-ce-id' }] });
      const lines = linesOf(bytes, parameters['Content-Encoding'] ?? '');
      if (lines === 'too-large' || lines === 'invalid-body') return problemAnswer(lines);
      const readings = lines.map(readLine);
      const wrong = readings.findIndex(({ recordId }) => recordId === undefined);
      if (wrong >= 0)
        return problemAnswer('invalid-body', { errors: [{ pointer: `/${wrong}/recordId`, code: 'missing' }] });
      const rejected: RecordRejection[] = [];
      let repeats = 0;
      for (const { recordId = '', record, place } of readings) {
        const code = record === undefined ? 'invalid-record' : refuse(record);
        if (code !== undefined || record === undefined) {
          rejected.push({ recordId, code: code ?? 'invalid-record', ...(place !== undefined && { detail: place }) });
        } else if (records.has(recordId)) repeats += 1;
        else records.set(recordId, record);
      }
      batches.push({ batchId, clientId, records: readings.length, repeats, rejected: rejected.length });
      const answer: RecordBatchAnswer = { batchId, accepted: readings.length - rejected.length, rejected };
      return jsonAnswer(answer);
    },
    records: () => [...records.values()],
    batches: () => [...batches],
  };
}

function linesOf(bytes: Uint8Array, encoding: string): readonly string[] | 'too-large' | 'invalid-body' {
  const limits = { maxOutputLength: MAX_BATCH_BYTES };
  let text: string;
  try {
    text = (encoding === 'br' ? brotliDecompressSync(bytes, limits) : gunzipSync(bytes, limits)).toString('utf8');
  } catch (error) {
    return error instanceof RangeError ? 'too-large' : 'invalid-body';
  }
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.length > MAX_BATCH_RECORDS ? 'too-large' : lines;
}

function readLine(line: string): {
  readonly recordId?: string;
  readonly record?: SharedRecord;
  readonly place?: string;
} {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    return {};
  }
  const { value, errors, surplus } = readWireBody(WIRE_SCHEMAS.SharedRecord, given);
  const recordId = typeof given === 'object' && given !== null && 'recordId' in given ? given.recordId : undefined;
  if (typeof recordId !== 'string') return {};
  const [wrong] = [...errors, ...surplus];
  if (wrong !== undefined) return { recordId, place: wrong.pointer };
  return { recordId, record: value as SharedRecord };
}
