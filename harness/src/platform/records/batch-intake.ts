import { hash } from 'node:crypto';
import { isHopbackError } from '@hopback/sdk/errors';
import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { BatchEncoding, PlatformAnswer, RecordBatchAnswer, TimerClock } from '@hopback/sdk/platform';
import type { OperationCall, PlatformLog } from '../core/index.js';
import { MAX_AHEAD_MS } from '../domain/records/index.js';
import { readBatch } from './read-batch.js';
import { MAX_COMPRESSED_BYTES } from './record-journal.js';
import type { RecordJournal } from './record-journal.js';

/**
 * Batches whose answers are remembered: some minutes of all carriers, which is when a batch is sent again. One that comes again later is
 * known by the ids of its records.
 */
export const MAX_REMEMBERED_BATCHES = 10_000;
/** Rejections of an answer that is remembered: with more of them it is worked out anew. */
const MAX_REMEMBERED_REJECTIONS = 100;
/** Batches that are read at once: 64 MiB of decompressed octets at most. */
const MAX_READ_AT_ONCE = 8;
/** Batches that wait to be read: their octets are in memory. */
const MAX_WAITING = 64;
/** Seconds after which a batch that could not be taken may be sent again. */
const RETRY_AFTER_SECONDS = 1;

/** What batches are taken in with. */
export interface BatchIntakeOptions {
  readonly journal: RecordJournal;
  readonly clock: TimerClock;
  readonly log: PlatformLog;
  /** How long live records are kept, milliseconds: older ones are not taken. */
  readonly keptMs: number;
  /** Whether more waits to be stored than may. */
  readonly isBehind: () => boolean;
}

/** Takes batches of records in. */
export type BatchIntake = (call: Pick<OperationCall, 'caller' | 'request' | 'atMs'>) => Promise<PlatformAnswer>;

interface Remembered {
  readonly sha256: string;
  readonly answer: Promise<PlatformAnswer>;
}

/** Makes the intake. */
export function createBatchIntake(options: BatchIntakeOptions): BatchIntake {
  const { isBehind } = options;
  const remembered = new Map<string, Remembered>();
  const turns = createTurns(MAX_READ_AT_ONCE);

  const remember = (key: string, entry: Remembered): void => {
    remembered.set(key, entry);
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED_BATCHES && oldest !== undefined) remembered.delete(oldest);
  };

  return async ({ caller, request, atMs }) => {
    const { parameters, bytes } = request;
    const batchId = parameters['ce-id'] ?? '';
    if (!BATCH_ID.test(batchId)) return wrong('ce-id', 'invalid_format');
    if (parameters['Idempotency-Key'] !== batchId) return wrong('Idempotency-Key', 'not-ce-id');
    if (bytes.length > MAX_COMPRESSED_BYTES) return problemAnswer('too-large');
    const key = `${batchId} ${caller.organizationId}`;
    const sha256 = hash('sha256', bytes, 'hex');
    const known = remembered.get(key);
    if (known !== undefined) return known.sha256 === sha256 ? known.answer : problemAnswer('idempotency-key-reused');
    if (turns.waiting() >= MAX_WAITING || isBehind())
      return problemAnswer('unavailable', { retryAfterSeconds: RETRY_AFTER_SECONDS });
    const encoding: BatchEncoding = parameters['Content-Encoding'] === 'br' ? 'br' : 'gzip';
    const answer = turns.run(() =>
      taken(options, { providerId: caller.organizationId, batchId, encoding, receivedAtMs: atMs, bytes }),
    );
    remember(key, { sha256, answer: answer.then(({ answer: given }) => given) });
    const { answer: given, isLasting } = await answer;
    if (!isLasting) remembered.delete(key);
    return given;
  };
}

/** As `RecordBatchAnswer` has it. */
const BATCH_ID = /^[0-9a-f]{32}$/;

const wrong = (pointer: string, code: string): PlatformAnswer =>
  problemAnswer('invalid-parameter', { errors: [{ pointer, code }] });

interface GivenBatch {
  readonly providerId: string;
  readonly batchId: string;
  readonly encoding: BatchEncoding;
  readonly receivedAtMs: number;
  readonly bytes: Uint8Array;
}

interface Taken {
  readonly answer: PlatformAnswer;
  /** Whether the same batch is answered the same again without being looked at. */
  readonly isLasting: boolean;
}

/** Reads a batch and makes it durable; only then it is acknowledged. Never rejects. */
async function taken({ journal, log, keptMs }: BatchIntakeOptions, { bytes, ...batch }: GivenBatch): Promise<Taken> {
  const { batchId, encoding, receivedAtMs } = batch;
  try {
    const times = { fromUs: (receivedAtMs - keptMs) * 1_000, toUs: (receivedAtMs + MAX_AHEAD_MS) * 1_000 };
    const reading = await readBatch(bytes, encoding, times);
    if (reading.status === 'refused')
      return { answer: problemAnswer(reading.code, { errors: reading.errors }), isLasting: false };
    const { records, rejected, rejectedLines } = reading;
    if (records.length > 0) {
      const header = { ...batch, count: records.length, rejectedLines };
      await journal.take({ header, body: bytes }, records);
    }
    const answer: RecordBatchAnswer = { batchId, accepted: records.length, rejected };
    return { answer: jsonAnswer(answer), isLasting: rejected.length <= MAX_REMEMBERED_REJECTIONS };
  } catch (error) {
    // The disk; with it nothing is acknowledged, and the carrier keeps the batch.
    log.error('a batch of live records was not taken', { code: isHopbackError(error) ? error.code : 'unexpected' });
    return { answer: problemAnswer('unavailable', { retryAfterSeconds: RETRY_AFTER_SECONDS }), isLasting: false };
  }
}

interface Turns {
  readonly run: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly waiting: () => number;
}

/** Some at a time, the others in their order. */
function createTurns(most: number): Turns {
  let running = 0;
  const queue: (() => void)[] = [];
  return {
    waiting: () => queue.length,
    run: async (work) => {
      if (running >= most) await new Promise<void>((resolve) => queue.push(resolve));
      else running += 1;
      try {
        return await work();
      } finally {
        // Handed on where somebody waits, so that nobody comes between.
        const next = queue.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}
