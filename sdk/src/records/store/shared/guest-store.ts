import type { CallRecord } from '../../../core/call-record.js';
import { readBySchema } from '../../../core/schema-findings.js';
import { HopbackError, isHopbackError } from '../../../errors.js';
import { checkRecord, checkWindow, checkedLimit } from '../record-query.js';
import type { Inserted, RecordQuery, RecordStore, TimeWindow } from '../record-store.js';
import { MAX_REQUEST_BYTES, errorOf, pathOf } from './operations.js';
import type { OperationName } from './operations.js';
import type { SendRequest } from './socket-request.js';
import { ANSWERS, MAX_INSERT_RECORDS, answerSchema } from './wire.schema.js';

/** Octets of records from which on a batch is sent: of usual records there are a thousand before. */
const BATCH_BYTES: number = 4 * 1024 * 1024;

/** Longest record, so that one more than {@link BATCH_BYTES} stays a request. */
const MAX_RECORD_BYTES: number = MAX_REQUEST_BYTES - BATCH_BYTES - 1_024;

/** As much of a zod schema as is needed here. */
interface Answer<T> {
  readonly safeParse: (value: unknown) => { readonly success: true; readonly data: T } | { readonly success: false };
}

/** Asks the process that has the store open. */
type Ask = <T>(name: OperationName, body: unknown, answer: Answer<T>) => Promise<T>;

/**
 * The store that another process has open.
 * @param send - brings a request there
 * @returns a store; what fails at the other end fails here with the same code
 */
export function createGuestStore(send: SendRequest): RecordStore {
  const pending = new Set<Promise<unknown>>();
  let isClosed = false;

  const asked = async (name: OperationName, json: string): Promise<unknown> => {
    const made = send(pathOf(name), json);
    pending.add(made);
    try {
      return resultOf(await made);
    } finally {
      pending.delete(made);
    }
  };

  const ask: Ask = async (name, body, answer) => checked(answer, await asked(name, JSON.stringify(body)));

  const open = (): void => {
    if (isClosed) throw new HopbackError('closed', 'the record store is closed');
  };

  const close = async (): Promise<void> => {
    isClosed = true;
    await Promise.allSettled(pending);
  };

  return {
    insert: async (records) => {
      open();
      for (const record of records) checkRecord(record);
      // All of them before the first is sent: a record that is too long is found before any is there.
      const sum = { inserted: 0, repeated: 0, expired: 0 };
      for (const batch of batchesOf(records)) add(sum, checked(ANSWERS.inserted, await asked('insert', batch)));
      return sum;
    },
    find: async (query) => {
      open();
      checkedLimit(query);
      return ask('find', finiteQuery(query), ANSWERS.found);
    },
    cover: async (interval) => {
      open();
      await ask('cover', interval, ANSWERS.nothing);
    },
    uncover: async (interval) => {
      open();
      await ask('uncover', interval, ANSWERS.nothing);
    },
    scope: async () => {
      open();
      return ask('scope', {}, ANSWERS.scope);
    },
    coverage: async (window) => {
      open();
      checkWindow(window);
      return ask('coverage', finiteWindow(window), ANSWERS.coverage);
    },
    expire: async (beforeUs) => {
      open();
      return ask('expire', { beforeUs }, ANSWERS.count);
    },
    hold: async (order) => {
      open();
      checkedLimit(order.query);
      return ask('hold', { ...order, query: finiteQuery(order.query) }, ANSWERS.hold);
    },
    release: async (holdId, reason, by) => {
      open();
      return ask('release', { holdId, reason, by }, ANSWERS.isReleased);
    },
    holds: async () => {
      open();
      return ask('holds', {}, ANSWERS.holds);
    },
    holdAudit: async () => {
      open();
      return ask('hold-audit', {}, ANSWERS.audit);
    },
    statistics: async () => {
      open();
      return ask('statistics', {}, ANSWERS.statistics);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Asks whether a process that speaks this protocol has the store open.
 * @returns whether it has
 * @throws HopbackError `unavailable` where it speaks another version
 */
export async function isHosted(send: SendRequest): Promise<boolean> {
  let answer: Buffer;
  try {
    answer = await send(pathOf('hello'), '{}');
  } catch {
    return false;
  }
  try {
    resultOf(answer);
    return true;
  } catch (error) {
    // One that is closing the store is as good as gone; whoever comes next is to be asked.
    if (isHopbackError(error) && error.code === 'unavailable' && error.retryable) return false;
    throw error;
  }
}

/** @throws HopbackError that the other process answered with, or `storage-failed` where it answered with something else */
function resultOf(bytes: Buffer): unknown {
  const answer = readBySchema(answerSchema, parsed(bytes));
  if (!answer.success) throw notUnderstood();
  if ('error' in answer.data) throw errorOf(answer.data.error);
  return answer.data.result;
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function checked<T>(answer: Answer<T>, result: unknown): T {
  const read = readBySchema(answer, result);
  if (!read.success) throw notUnderstood();
  return read.data;
}

function notUnderstood(): HopbackError {
  return new HopbackError(
    'storage-failed',
    'the process at the socket of the record store does not answer in its form',
  );
}

/** Bodies that hold all records, each within the bounds of a request. */
function batchesOf(records: readonly CallRecord[]): readonly string[] {
  const batches: string[] = [];
  let batch: string[] = [];
  let sizeBytes = 0;
  const end = (): void => {
    if (batch.length > 0) batches.push(`{"records":[${batch.join(',')}]}`);
    batch = [];
    sizeBytes = 0;
  };
  for (const record of records) {
    const json = JSON.stringify(record);
    const bytes = Buffer.byteLength(json);
    if (bytes > MAX_RECORD_BYTES)
      throw new HopbackError('invalid-argument', `a record has at most ${MAX_RECORD_BYTES} octets as JSON`);
    batch.push(json);
    sizeBytes += bytes;
    if (batch.length === MAX_INSERT_RECORDS || sizeBytes >= BATCH_BYTES) end();
  }
  end();
  return batches;
}

function add(sum: { -readonly [Name in keyof Inserted]: Inserted[Name] }, more: Inserted): void {
  sum.inserted += more.inserted;
  sum.repeated += more.repeated;
  sum.expired += more.expired;
}

/** JSON knows no infinity; no record is beyond what is put in its place. */
function finiteWindow({ fromUs, toUs }: TimeWindow): TimeWindow {
  return {
    fromUs: Math.max(fromUs, Number.MIN_SAFE_INTEGER),
    toUs: Math.min(toUs, Number.MAX_SAFE_INTEGER),
  };
}

function finiteQuery(query: RecordQuery): RecordQuery {
  return { ...query, window: finiteWindow(query.window) };
}
