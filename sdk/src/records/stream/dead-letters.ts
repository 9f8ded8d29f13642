import { HopbackError } from '../../errors.js';
import type { LogRecord, SegmentLog } from '../../log/index.js';
import type { RecordRejection } from '../../contract/record-batch.js';
import { lineRecordId, lineText } from './packed-spool.js';
import type { StreamedRecord } from './packed-spool.js';
import type { RecordRun } from './record-chunk.js';

/** Under which the stream keeps how far the receiver has acknowledged. */
export const ACKNOWLEDGED_KEY = 'stream.acknowledged';
/** Under which it keeps how far dead letters have been dealt with. */
export const DEAD_LETTERS_KEY = 'stream.dead-letters';

/**
 * Reads a sequence number that was kept. Never throws for what is kept: what cannot be read counts as lost, and a lost one only makes
 * the stream repeat itself.
 * @param values - where it is kept
 * @param key - its name
 * @returns 0 or more; 0 where there is none
 * @see {@link ACKNOWLEDGED_KEY}
 * @example
 * ```ts
 * const values = { get: () => '17', set: async () => {} };
 * console.log(keptSequence(values, ACKNOWLEDGED_KEY)); // 17
 * ```
 */
export function keptSequence(values: DurableValues, key: string): number {
  return knownSequence(values, key) ?? 0;
}

/** As {@link keptSequence}, undefined where there is none. */
export function knownSequence(values: DurableValues, key: string): number | undefined {
  const text = values.get(key);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A record that could not be delivered, and why. */
export interface DeadLetter {
  /**
   * Why it was put aside: the receiver took its batch, but not this record; the receiver refuses any batch with this record in it; it is too
   * large for the receiver even alone; or it was spooled in a form that this release does not know.
   */
  readonly reason: 'rejected' | 'refused' | 'too-large' | 'unreadable';
  /** The receiver's own word for it. */
  readonly code?: string;
  readonly httpStatus?: number;
  /** For people. */
  readonly detail?: string;
  /** Number of the letter, not of the record. */
  readonly sequence: number;
  /** When it was put aside, milliseconds since the epoch. */
  readonly deadAtMs: number;
  /** The JSON text of the record; for `unreadable` what was spooled, in base64. */
  readonly line: string;
}

/** What is known of why a record was put aside. */
export type DeadLetterCause = Omit<DeadLetter, 'sequence' | 'deadAtMs' | 'line'>;

/** Where records are put aside that cannot be delivered. */
export type DeadLetters = ReturnType<typeof createDeadLetters>;

interface LetterHead extends DeadLetterCause {
  readonly format: 'hopback.dead-letter.1';
  readonly deadAtMs: number;
}

/** Letters that are dealt with between two syncs of the disk. */
const SETTLE_LETTERS = 1_000;

/** Puts the letters of a stream into a log of their own. */
export function createDeadLetters(parts: {
  readonly log: SegmentLog;
  readonly values: DurableValues;
  readonly nowMs: () => number;
  /** Octets of the log: at that size nothing more is put aside, and what should be stays in the spool. */
  readonly maxBytes: number;
}) {
  const { log, values, nowMs, maxBytes } = parts;
  // A position past the end is that of a log that is no more.
  const kept = keptSequence(values, DEAD_LETTERS_KEY);
  let settledThrough = kept > log.lastSequence ? 0 : kept;
  const next = (): number => Math.max(settledThrough + 1, log.firstSequence);

  const read = async function* (through: number): AsyncGenerator<DeadLetter> {
    for (let from = next(); from <= through;) {
      const records = await log.read(from, { maxRecords: SETTLE_LETTERS });
      const last = records.at(-1);
      if (last === undefined) return;
      for (const record of records) if (record.sequence <= through) yield letterOf(record);
      from = last.sequence + 1;
    }
  };

  /**
   * Puts records aside, each with its line as it is sent, `unreadable` ones as they were spooled; resolved means durable.
   * @throws HopbackError `storage-failed` when the disk refuses, or there are too many: then none counts as put aside
   */
  const bury = async (letters: readonly RejectedRecord[]): Promise<void> => {
    if (log.state().sizeBytes >= maxBytes)
      throw new HopbackError('storage-failed', `dead letters take ${maxBytes} octets: settle them`, {
        retryable: true,
      });
    for (const { line, cause } of letters) appendOrThrow(log, letterText(line, cause, nowMs()));
    await log.flush();
  };

  /** Deals with all letters there are. A process that dies in between has some of them twice, as the same record ids. */
  const settle = async (
    decide: (letter: DeadLetter) => 'requeue' | 'keep' | 'discard',
    requeue: (line: string, callGroupId: string) => boolean,
    whenDurable: () => Promise<unknown>,
  ) => {
    const through = log.durableSequence;
    const settled = { requeue: 0, keep: 0, discard: 0 };
    let at = settledThrough;
    for await (const letter of read(through)) {
      const decided = decide(letter);
      // What no release could read would only come back.
      const decision = letter.reason === 'unreadable' && decided === 'requeue' ? 'keep' : decided;
      if (decision === 'requeue' && !requeue(letter.line, callGroupOf(letter.line))) break;
      if (decision === 'keep') appendOrThrow(log, letterText(letter.line, causeOf(letter), letter.deadAtMs));
      settled[decision] += 1;
      at = letter.sequence;
    }
    await Promise.all([whenDurable(), log.flush()]);
    settledThrough = Math.max(settledThrough, at);
    await values.set(DEAD_LETTERS_KEY, String(settledThrough));
    await log.trim(settledThrough);
    const { requeue: requeued, keep: keptCount, discard: discarded } = settled;
    return { requeued, kept: keptCount, discarded, remaining: Math.max(0, through - at) };
  };

  return {
    /** Letters that nobody has dealt with. */
    count: () => Math.max(0, log.lastSequence - next() + 1),
    bury,
    /** All letters that nobody has dealt with, oldest first. */
    read: (): AsyncIterable<DeadLetter> => read(log.durableSequence),
    settle,
  };
}

function appendOrThrow(log: SegmentLog, text: string): void {
  const appended = log.append(text);
  if (!appended.accepted)
    throw new HopbackError('storage-failed', `dead letters: the log is ${appended.reason}`, { retryable: true });
}

/** A line of what is known of why, and the record as it would have been sent. */
function letterText(record: Uint8Array | string, cause: DeadLetterCause, deadAtMs: number): string {
  const { reason, code, httpStatus, detail } = cause;
  const head = {
    format: 'hopback.dead-letter.1',
    reason,
    deadAtMs,
    code,
    httpStatus,
    detail,
  };
  const text = typeof record === 'string' ? record : reason === 'unreadable' ? base64(record) : lineText(record);
  return `${JSON.stringify(head)}\n${text}`;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** The log gives back what `letterText` wrote, or nothing: its checksums see to that. */
function letterOf({ sequence, payload }: LogRecord): DeadLetter {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
  const end = text.indexOf('\n');
  const { format: _format, ...head } = JSON.parse(text.slice(0, end)) as LetterHead;
  return { ...head, sequence, line: text.slice(end + 1) };
}

function causeOf(letter: DeadLetter): DeadLetterCause {
  const { sequence: _sequence, deadAtMs: _deadAtMs, line: _line, ...cause } = letter;
  return cause;
}

function callGroupOf(line: string): string {
  return (JSON.parse(line) as StreamedRecord).callGroupId;
}

/** A record that the receiver will not have, and why. */
export interface RejectedRecord {
  /** As it was sent. */
  readonly line: Uint8Array;
  readonly cause: DeadLetterCause;
}

/**
 * Finds the records of a batch that an answer rejects.
 * @param records - of the batch; one may be there twice, and is rejected twice then
 * @param rejected - what the answer says
 * @returns undefined where it rejects what is not in the batch, or more often than it is there: the numbers may add up, and yet a
 * record that the receiver does not have would count as taken
 */
export function rejectedRecords(
  records: RecordRun,
  rejected: readonly RecordRejection[],
): readonly RejectedRecord[] | undefined {
  if (rejected.length === 0) return [];
  const byId = new Map(rejected.map((rejection) => [rejection.recordId, rejection]));
  const unmatched = new Map<string, number>();
  for (const { recordId } of rejected) unmatched.set(recordId, (unmatched.get(recordId) ?? 0) + 1);
  const found: RejectedRecord[] = [];
  for (let index = 0; index < records.count; index += 1) {
    const line = records.line(index);
    const recordId = lineRecordId(line) ?? '';
    const rejection = byId.get(recordId);
    if (rejection === undefined) continue;
    unmatched.set(recordId, (unmatched.get(recordId) ?? 0) - 1);
    const { code, detail } = rejection;
    const cause: DeadLetterCause = { reason: 'rejected', code, ...(detail === undefined ? {} : { detail }) };
    found.push({ line, cause });
  }
  return [...unmatched.values()].some((count) => count > 0) ? undefined : found;
}

/** Small values that survive the process, such as the journal of `@hopback/sdk/log`: what is set is durable when the promise resolves. */
export interface DurableValues {
  readonly get: (key: string) => string | undefined;
  /** Resolves once the value is durable. */
  readonly set: (key: string, value: string) => Promise<void>;
}
