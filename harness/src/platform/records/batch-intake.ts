import { isAscii, isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { jsonAnswer, MAX_BATCH_BYTES, MAX_BATCH_RECORDS, problemAnswer } from '@hopback/sdk/internal';
import { nextTurn } from '@hopback/sdk/internal/runtime';
import { SegmentLog, ValueJournal } from '@hopback/sdk/log';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import type { ProblemDetails, RecordBatchAnswer, TimerClock } from '@hopback/sdk/platform';
import type { BatchEncoding, SharedRecord } from '@hopback/sdk/records';
import type { OperationCall, PlatformContext, PlatformLog } from '../core/index.js';
import type { TakenTimes } from '../domain/records/read-record-line.js';
import { MAX_AHEAD_MS, readRecordLine } from '../domain/records/read-record-line.js';

type ProblemLocation = NonNullable<ProblemDetails['errors']>[number];
type RecordRejection = RecordBatchAnswer['rejected'][number];

/** What is kept of a batch beside its octets. */
interface BatchHeader {
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
interface BatchFrame {
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

/** Longest compressed batch: octets that cannot be compressed become some hundreds more. */
const MAX_COMPRESSED_BYTES: number = MAX_BATCH_BYTES + 65_536;
/** Header of a frame: ten thousand lines that are rejected, seven characters each, and names. */
const MAX_FRAME_BYTES = MAX_COMPRESSED_BYTES + 131_072;
/** Batches that wait for the disk at once: eight of the longest. */
const MAX_PENDING_BYTES = 8 * MAX_FRAME_BYTES;
/** Records that are kept parsed for the followers, some 3 KB each. */
const MAX_PARSED_RECORDS = 8_192;
/**
 * How long a batch waits for room among the parsed records. Waiting costs less than parsing the batch a second time from the log. After this time
 * without room, batches no longer wait, and are parsed again.
 */
const ROOM_PATIENCE_MS = 1_000;
/** Batches that a follower is given at once. */
const READ_BATCHES = 8;

/** A batch that is durable, or about to be. */
export interface JournalEntry extends Pick<BatchHeader, 'providerId' | 'receivedAtMs'> {
  readonly sequence: number;
  readonly records: readonly SharedRecord[];
}

/** Batches in the order in which they came, and how far each of those who follow has got. */
export type RecordJournal = ReturnType<typeof journalOf>;

/** Opens the journal of a folder. @throws HopbackError as `SegmentLog.open` */
export async function openRecordJournal(
  directory: string,
  context: Pick<PlatformContext, 'clock' | 'log'>,
): Promise<RecordJournal> {
  const cursors = await ValueJournal.open({ directory: join(directory, 'cursors') });
  const kept = cursors.entries().map(([, value]) => Number(value));
  const batches = await SegmentLog.open({
    directory: join(directory, 'batches'),
    maxRecordBytes: MAX_FRAME_BYTES,
    maxPendingBytes: MAX_PENDING_BYTES,
    // Numbers that somebody has passed are not given again, whatever became of the files.
    afterSequence: Math.max(0, ...kept),
  });
  return journalOf(batches, cursors, context);
}

/** Batches kept parsed until all followers have passed them, as far as there is room. */
class ParsedBatches {
  readonly #clock: TimerClock;
  readonly #entries = new Map<number, JournalEntry>();
  #records = 0;
  /** There was no room for {@link ROOM_PATIENCE_MS}: batches do not wait until there is some again. */
  #isStuck = false;
  readonly #waiting = new Set<() => void>();

  constructor(clock: TimerClock) {
    this.#clock = clock;
  }

  /** Whether a batch has to wait for {@link room}. Asked again after it: of those that waited, others may have been first. */
  mustWait(): boolean {
    return !this.#hasRoom() && !this.#isStuck;
  }

  /** Resolves when there was room for a batch, or when none waits any more. */
  async room(): Promise<void> {
    const cancel = this.#clock.schedule(() => {
      this.#isStuck = true;
      this.#wake();
    }, ROOM_PATIENCE_MS);
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
    cancel();
  }

  /** Keeps a batch, where there is room for it. */
  add(entry: JournalEntry): void {
    if (!this.#hasRoom()) return;
    this.#entries.set(entry.sequence, entry);
    this.#records += entry.records.length;
  }

  /** A few batches that follow a place without a gap; empty where the next one is not kept parsed. */
  behind(place: number, upTo: number): readonly JournalEntry[] {
    const entries: JournalEntry[] = [];
    for (let at = place + 1; at <= upTo && entries.length < READ_BATCHES; at += 1) {
      const entry = this.#entries.get(at);
      if (entry === undefined) break;
      entries.push(entry);
    }
    return entries;
  }

  /** Every follower has passed what is at or below. */
  passed(through: number): void {
    for (const [sequence, { records }] of this.#entries) {
      if (sequence > through) break;
      this.#entries.delete(sequence);
      this.#records -= records.length;
    }
    if (!this.#hasRoom()) return;
    this.#isStuck = false;
    this.#wake();
  }

  /** No batch waits any more. */
  end(): void {
    this.#isStuck = true;
    this.#wake();
  }

  #hasRoom(): boolean {
    return this.#records < MAX_PARSED_RECORDS;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

function journalOf(batches: SegmentLog, cursors: ValueJournal, { clock, log }: Pick<PlatformContext, 'clock' | 'log'>) {
  const parsed = new ParsedBatches(clock);
  const readLog = async (behind: number, upTo: number): Promise<readonly JournalEntry[]> => {
    const found = await batches.read(behind + 1, { maxRecords: READ_BATCHES });
    const entries: JournalEntry[] = [];
    for (const { sequence, payload } of found) {
      if (sequence > upTo) break;
      const { header, body } = decodeBatchFrame(payload);
      const records = await readTakenBatch(body, header);
      if (records?.length !== header.count)
        log.error('a batch of the log is read otherwise than when it came', { sequence, count: header.count });
      entries.push({
        sequence,
        providerId: header.providerId,
        receivedAtMs: header.receivedAtMs,
        records: records ?? [],
      });
    }
    return entries;
  };

  return {
    /**
     * Makes a batch durable.
     * @param mayWait - whether the batch may wait for room among the parsed records
     * @returns its place
     * @throws HopbackError `storage-failed` when the disk refuses, or more waits for it than may: nothing is to be acknowledged
     */
    take: async (frame: BatchFrame, records: readonly SharedRecord[], mayWait: () => boolean): Promise<number> => {
      while (mayWait() && parsed.mustWait()) await parsed.room();
      const appended = batches.append(encodeBatchFrame(frame));
      if (!appended.accepted)
        throw new HopbackError('storage-failed', `the log of live records takes no more: ${appended.reason}`);
      const { sequence } = appended;
      const { providerId, receivedAtMs } = frame.header;
      parsed.add({ sequence, providerId, receivedAtMs, records });
      while (batches.durableSequence < sequence) await batches.flush();
      return sequence;
    },
    /** Place of the first batch that is kept. */
    first: () => batches.firstSequence,
    /** Place of the last batch that is durable. */
    durable: () => batches.durableSequence,
    /** The next few batches after a position; empty if there are none yet. */
    read: async (behind: number, upTo: number): Promise<readonly JournalEntry[]> => {
      const entries = parsed.behind(behind, upTo);
      return entries.length > 0 || behind >= upTo ? entries : readLog(behind, upTo);
    },
    /** How far somebody had got when it was kept last; undefined for whom there is no mark. */
    cursor: (name: string): number | undefined => {
      const value = cursors.get(name);
      return value === undefined ? undefined : Number(value);
    },
    keepCursor: (name: string, sequence: number) => cursors.set(name, String(sequence)),
    /** Everybody has passed what is at or below: it is not kept parsed any longer. */
    passed: (sequence: number) => parsed.passed(sequence),
    /** Nobody needs what is at or below any more, also after a crash. */
    trim: (sequence: number) => batches.trim(sequence),
    /** Calls back when something has become durable. @returns ends it */
    onDurable: (listener: () => void): (() => void) => batches.onDurable(listener),
    sizeBytes: () => batches.state().sizeBytes,
    close: async () => {
      parsed.end();
      try {
        await batches.close();
      } finally {
        await cursors.close();
      }
    },
  };
}

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
  /** Where many wait already, one that holds its turn would have others refused. */
  const mayWait = (): boolean => turns.waiting() < MAX_WAITING / 2;

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
      taken(
        options,
        {
          providerId: caller.organizationId,
          batchId,
          encoding,
          receivedAtMs: atMs,
          bytes,
        },
        mayWait,
      ),
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
async function taken(
  { journal, log, keptMs }: BatchIntakeOptions,
  { bytes, ...batch }: GivenBatch,
  mayWait: () => boolean,
): Promise<Taken> {
  const { batchId, encoding, receivedAtMs } = batch;
  try {
    const times = { fromUs: (receivedAtMs - keptMs) * 1_000, toUs: (receivedAtMs + MAX_AHEAD_MS) * 1_000 };
    const reading = await readBatch(bytes, encoding, times);
    if (reading.status === 'refused')
      return { answer: problemAnswer(reading.code, { errors: reading.errors }), isLasting: false };
    const { records, rejected, rejectedLines } = reading;
    if (records.length > 0) {
      const header = { ...batch, count: records.length, rejectedLines };
      await journal.take({ header, body: bytes }, records, mayWait);
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
