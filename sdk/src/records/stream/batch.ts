import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants, gunzip, gzip } from 'node:zlib';
import type { BatchEncoding, RecordBatch } from '../../platform/wire/record-batch.js';
import type { RecordRun } from './record-chunk.js';

/** Digits of the id of a batch: 128 bits. */
const BATCH_ID_DIGITS = 32;

/** Kind of event of a batch; the platform's wire has the same, which this folder knows by type only. */
const BATCH_TYPE = 'org.hopback.call-records.1';

/**
 * Records are alike: the fastest level makes a tenth of them, the default one hardly less in four times the time. A window of 8 KiB holds
 * the records before, which is where repetitions are, and stays in the processor's nearest cache.
 */
const GZIP = { level: constants.Z_BEST_SPEED, windowBits: 13 };

/** Of brotli the fastest level that looks back at all: an eleventh, in a third of the time of gzip; the levels above take twice as long each. */
const BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 18 };

/** Part of the lines that the output is expected to take, so that zlib fills one buffer and comes back once: a power of two. */
const OUTPUT_SHIFT = 3;
/** Smallest buffer of zlib's output, its own default. */
const LEAST_OUTPUT_BYTES = 16_384;

/** Who sends, and when the batch was made. */
export interface BatchOrigin {
  /** CloudEvents source: names the carrier's stream. */
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly encoding: BatchEncoding;
  readonly compress: Compress;
}

/** Compresses the lines of a batch, into memory of its own: that of the lines is written over when the batch is settled. */
export type Compress = (lines: Uint8Array, encoding: BatchEncoding) => Promise<Uint8Array>;

/**
 * Puts records together as they are sent. The same records make the same octets under the same id.
 * @param records - one at least, in order
 * @param origin - who sends
 * @returns the batch
 * @throws Error when there is no memory for it
 */
export async function makeBatch(records: RecordRun, origin: BatchOrigin): Promise<RecordBatch> {
  const { encoding } = origin;
  const { packed } = records;
  const body = packed?.encoding === encoding ? packed.body : await origin.compress(records.lines(), encoding);
  // Of the octets as they are sent: the key of a request and its body cannot come apart, and there are fewer of them.
  const id = createHash('sha256')
    .update(`${records.firstSequence}:${records.lastSequence}:`)
    .update(body)
    .digest('hex')
    .slice(0, BATCH_ID_DIGITS);
  return { id, source: origin.source, type: BATCH_TYPE, timeMs: origin.timeMs, count: records.count, encoding, body };
}

/**
 * Compresses fast, off the main thread.
 * @param bytes - lines of a batch
 * @throws Error when there is no memory for it
 */
export function compressFast(bytes: Uint8Array, encoding: BatchEncoding): Promise<Uint8Array> {
  const chunkSize = Math.max(LEAST_OUTPUT_BYTES, bytes.length >> OUTPUT_SHIFT);
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, compressed: Uint8Array): void => {
      if (error === null) resolve(compressed);
      else reject(error);
    };
    if (encoding === 'gzip') gzip(bytes, { ...GZIP, chunkSize }, done);
    else brotliCompress(bytes, { params: BROTLI, chunkSize }, done);
  });
}

const unpackers = { gzip: promisify(gunzip), br: promisify(brotliDecompress) };

/**
 * Gives back what {@link Compress} made.
 * @param mostBytes - of the lines
 * @throws Error when it is something else, or there is no memory for it
 */
export function decompress(body: Uint8Array, encoding: BatchEncoding, mostBytes: number): Promise<Uint8Array> {
  return unpackers[encoding](body, { maxOutputLength: mostBytes });
}
