import type { CallRecord } from '../../../core/call-record.js';
import { DAY_US } from '../record-query.js';
import { createBodyWriter } from './body-writer.js';
import { optionalKey } from './lookup-key.js';
import { trunkKey } from './partition-sql.js';
import type { RecordEncoder } from './record-encoder.js';
import { PER_MILLISECOND } from './record-form.js';

/** Rows of one day, as columns. */
export interface RowBatch {
  readonly length: () => number;
  /** Whether rows that switches wrote are in many of its bodies. */
  readonly isRaw: () => boolean;
  /** `at_ms`, `at_us`, the key columns, `form`: as `createPartitionSql` has them. */
  readonly columns: () => readonly Uint32Array[];
  /** The octets of a row. Not to be kept: they are overwritten after `reset`. */
  readonly bodyOf: (row: number) => Uint8Array;
  /** No more than it was made for. */
  readonly add: (record: CallRecord, encoder: RecordEncoder) => void;
  readonly reset: () => void;
}

/** Columns of numbers before `body`. */
export const NUMBER_COLUMNS = 19;

/** Bodies with raw rows, of so many, from which on they count. */
const RAW_ONE_OF = 8;

/** Makes an empty batch. Its memory stays, so that batch after batch is laid down in the same place. */
export function createRowBatch(capacity: number): RowBatch {
  const bodies = createBodyWriter();
  const ends = new Uint32Array(capacity);
  const columns = Array.from({ length: NUMBER_COLUMNS }, () => new Uint32Array(capacity));
  const [atMs, atUs, id1, id2, id3, id4, called, translated, lrn, calling, asserted, ...others] = columns as Columns;
  const [callIn, callOut, origReceived, origSigned, callGroup, trunkIn, trunkOut, form] = others;
  let length = 0;
  let raw = 0;

  const add = (record: CallRecord, encoder: RecordEncoder): void => {
    const { recordId, ingress, egress, called: to, received, signed } = record;
    const ofDayUs = record.inviteAtUs % DAY_US;
    const row = length;
    form[row] = encoder.encode(record, bodies);
    ends[row] = bodies.length();
    atMs[row] = Math.floor(ofDayUs / PER_MILLISECOND);
    atUs[row] = ofDayUs % PER_MILLISECOND;
    id1[row] = hexNumber(recordId, 0);
    id2[row] = hexNumber(recordId, 8);
    id3[row] = hexNumber(recordId, 16);
    id4[row] = hexNumber(recordId, 24);
    called[row] = optionalKey(to?.tn);
    translated[row] = optionalKey(to?.translatedTn);
    lrn[row] = optionalKey(to?.lrn);
    calling[row] = optionalKey(record.calling?.tn);
    asserted[row] = optionalKey(record.asserted?.tn);
    callIn[row] = optionalKey(ingress.callId);
    callOut[row] = optionalKey(egress.callId);
    origReceived[row] = optionalKey(received?.origId);
    origSigned[row] = optionalKey(signed?.origId);
    callGroup[row] = optionalKey(record.callGroupId);
    trunkIn[row] = ingress.trunk === undefined ? 0 : trunkKey(ingress.trunk);
    trunkOut[row] = egress.trunk === undefined ? 0 : trunkKey(egress.trunk);
    if (record.source.raw !== undefined) raw += 1;
    length += 1;
  };

  return {
    length: () => length,
    isRaw: () => raw * RAW_ONE_OF > length,
    columns: () => columns.map((column) => column.subarray(0, length)),
    bodyOf: (row) => bodies.bytes().subarray(row === 0 ? 0 : ends[row - 1], ends[row]),
    add,
    reset: () => {
      bodies.reset();
      length = 0;
      raw = 0;
    },
  };
}

type C = Uint32Array;
type Columns = [C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C];

/** Eight hexadecimal digits, lower case. */
function hexNumber(text: string, from: number): number {
  let value = 0;
  for (let at = from; at < from + 8; at += 1) {
    const code = text.charCodeAt(at);
    value = (value << 4) | (code < 58 ? code - 48 : code - 87);
  }
  return value >>> 0;
}
