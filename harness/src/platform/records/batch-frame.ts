import { HopbackError } from '@hopback/sdk/errors';
import type { BatchEncoding } from '@hopback/sdk/platform';

/** What is kept of a batch beside its octets. */
export interface BatchHeader {
  readonly providerId: string;
  readonly batchId: string;
  readonly receivedAtMs: number;
  readonly encoding: BatchEncoding;
  /** Records that were accepted. */
  readonly count: number;
  /** Lines that were not, from 0, empty lines not counted: they are left out again when the batch is read again. */
  readonly rejectedLines: readonly number[];
}

/** A batch as it is made durable: as it came, compressed. */
export interface BatchFrame {
  readonly header: BatchHeader;
  readonly body: Uint8Array;
}

/** Octets of the length in front. */
const LENGTH_BYTES = 4;

/** Writes a frame: the length of the header, the header as JSON, the body. */
export function encodeBatchFrame({ header, body }: BatchFrame): Uint8Array {
  const head = Buffer.from(JSON.stringify(header));
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + head.length + body.length);
  frame.writeUInt32LE(head.length, 0);
  frame.set(head, LENGTH_BYTES);
  frame.set(body, LENGTH_BYTES + head.length);
  return frame;
}

/**
 * Reads a frame that the log gave back; the log has checked its checksum.
 * @throws HopbackError `storage-failed` for what is none
 */
export function decodeBatchFrame(payload: Uint8Array): BatchFrame {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  try {
    const from = LENGTH_BYTES + bytes.readUInt32LE(0);
    const header = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, from)) as BatchHeader;
    return { header, body: bytes.subarray(from) };
  } catch (error) {
    throw new HopbackError('storage-failed', 'an entry of the log of live records is no batch', { cause: error });
  }
}
