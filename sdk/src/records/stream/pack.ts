import { Buffer } from 'node:buffer';
import type { BatchEncoding } from '../../platform/wire/record-batch.js';

/**
 * Records of one lane, compressed as they will be sent. What waits while the receiver is away is packed so: it takes a tenth of the room,
 * and goes out as it lies there.
 *
 * Packs are made from a stretch of the spool, a group of them at a time. A group has every record of its stretch, each once, those of a call in
 * their order; of which sequence number each was is not kept.
 */
export interface PackHead {
  /** Undefined where the pack is a single record as spooled, which no release so far can read. */
  readonly encoding: BatchEncoding | undefined;
  /** Which lane of how many its records belong to. */
  readonly lane: number;
  readonly lanes: number;
  /** Whether it is the last one of its group. */
  readonly isLast: boolean;
  /** When its oldest record was accepted, milliseconds since the epoch. */
  readonly acceptedAtMs: number;
  readonly count: number;
  /** Octets of its lines before they were compressed. */
  readonly lineBytes: number;
  /** Place of its first record in the group, counted from `groupFirst`: the records of a group are numbered through, pack by pack. */
  readonly first: number;
  /** First and last sequence number of the stretch of the spool. */
  readonly groupFirst: number;
  readonly groupLast: number;
  /** Records in all packs before it, by which it is known how many a lost one had. */
  readonly before: number;
}

/** A pack as it was read. */
export interface Pack extends PackHead {
  readonly body: Uint8Array;
}

/** Form of the head, unlike that of any record as spooled; a log that a later release wrote may hold others. */
const VERSION = 129;
/** Octets before the body. */
const HEAD_BYTES = 52;
/** Numbers of encodings; 0 is a record as spooled. */
const ENCODINGS = [undefined, 'gzip', 'br'] as const;

/** Writes a pack as it lies in its log. */
export function encodePack(head: PackHead, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  bytes[0] = VERSION;
  bytes[1] = ENCODINGS.indexOf(head.encoding);
  bytes[2] = head.lane;
  bytes[3] = head.lanes;
  bytes[4] = head.isLast ? 1 : 0;
  bytes[5] = 0;
  bytes.writeUIntLE(head.acceptedAtMs, 6, 6);
  bytes.writeUInt32LE(head.count, 12);
  bytes.writeUInt32LE(head.lineBytes, 16);
  bytes.writeDoubleLE(head.first, 20);
  bytes.writeDoubleLE(head.groupFirst, 28);
  bytes.writeDoubleLE(head.groupLast, 36);
  bytes.writeDoubleLE(head.before, 44);
  bytes.set(body, HEAD_BYTES);
  return bytes;
}

/**
 * Reads a pack; its body is a copy.
 * @returns undefined where a later release wrote it. Never throws.
 */
export function decodePack(payload: Uint8Array): Pack | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION || (bytes[1] ?? 0) >= ENCODINGS.length) return undefined;
  return {
    encoding: ENCODINGS[bytes[1] ?? 0],
    lane: bytes[2] ?? 0,
    lanes: bytes[3] ?? 0,
    isLast: bytes[4] === 1,
    acceptedAtMs: bytes.readUIntLE(6, 6),
    count: bytes.readUInt32LE(12),
    lineBytes: bytes.readUInt32LE(16),
    first: bytes.readDoubleLE(20),
    groupFirst: bytes.readDoubleLE(28),
    groupLast: bytes.readDoubleLE(36),
    before: bytes.readDoubleLE(44),
    body: new Uint8Array(bytes.subarray(HEAD_BYTES)),
  };
}
