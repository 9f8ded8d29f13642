import { Buffer } from 'node:buffer';

/** What a stream has to know of a record; the rest goes through unread. Call records are such, whole or under pseudonyms. */
export interface StreamedRecord {
  /** What the receiver knows repetitions by: 32 lower-case hexadecimal digits. */
  readonly recordId: string;
  /** Records that share it are delivered in the order in which they were handed in. */
  readonly callGroupId: string;
}

/**
 * Octets before the line: version (1), hash of the call group (4), when it was accepted in milliseconds (6). With them a record is
 * sent on without its JSON being read again.
 */
export const FRAME_HEADER_BYTES = 11;

/** Form of the header; a spool that a later release wrote may hold others. */
const FRAME_VERSION = 1;

const NEW_LINE = 0x0a;

/** Latest time that a header holds: in the year 10889. */
const LATEST_MS = 2 ** 48 - 1;

/**
 * Writes a record as it is spooled: the header and the line of NDJSON as it will be sent.
 * @throws TypeError as `JSON.stringify` does, for a record that is no plain JSON
 */
export function encodeFrame(record: StreamedRecord, acceptedAtMs: number): Buffer {
  return encodeFrameOfLine(JSON.stringify(record), record.callGroupId, acceptedAtMs);
}

/** As {@link encodeFrame}, of the JSON text of a record. */
export function encodeFrameOfLine(json: string, callGroupId: string, acceptedAtMs: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + Buffer.byteLength(json) + 1);
  frame[0] = FRAME_VERSION;
  frame.writeUInt32LE(laneHash(callGroupId), 1);
  frame.writeUIntLE(Math.min(Math.max(Math.floor(acceptedAtMs), 0), LATEST_MS), 5, 6);
  frame.write(json, FRAME_HEADER_BYTES);
  frame[frame.length - 1] = NEW_LINE;
  return frame;
}

/** Whether what `bytes` has from `start` to before `end` is a frame of this version. Never throws. */
export function isFrame(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start > FRAME_HEADER_BYTES && bytes[start] === FRAME_VERSION && bytes[end - 1] === NEW_LINE;
}

/** Spreads call groups over lanes: of a frame that begins at `start`, an unsigned number of 32 bits. */
export function frameLaneHash(bytes: Uint8Array, start: number): number {
  return uint16(bytes, start + 1) + uint16(bytes, start + 3) * 2 ** 16;
}

/** When the record of a frame that begins at `start` was accepted, milliseconds since the epoch. */
export function frameAcceptedAtMs(bytes: Uint8Array, start: number): number {
  return uint48(bytes, start + 5);
}

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 2 ** 8;

/** By hand: a view for every record would cost more than all else that is done with it. */
const uint48 = (bytes: Uint8Array, at: number): number =>
  uint16(bytes, at) + uint16(bytes, at + 2) * 2 ** 16 + uint16(bytes, at + 4) * 2 ** 32;

/** The JSON text of a line as it is sent, without its end. */
export function lineText(line: Uint8Array): string {
  return Buffer.from(line.buffer, line.byteOffset, line.length - 1).toString();
}

/** The record id of a line as it is sent; undefined where there is none. Never throws. */
export function lineRecordId(line: Uint8Array): string | undefined {
  return lineMember(line, 'recordId');
}

/** The call group of a line as it is sent; empty where there is none. Never throws. */
export function lineCallGroup(line: Uint8Array): string {
  return lineMember(line, 'callGroupId') ?? '';
}

function lineMember(line: Uint8Array, name: keyof StreamedRecord): string | undefined {
  try {
    const record: unknown = JSON.parse(lineText(line));
    const value = typeof record === 'object' && record !== null ? (record as Partial<StreamedRecord>)[name] : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** FNV-1a over the code units: spreads call groups over lanes; nothing hangs on it but balance. */
function laneHash(callGroupId: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < callGroupId.length; index += 1) {
    hash = Math.imul(hash ^ callGroupId.charCodeAt(index), 0x0100_0193);
  }
  return hash >>> 0;
}
