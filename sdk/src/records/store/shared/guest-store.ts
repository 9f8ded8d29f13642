import { z } from 'zod';
import { CallRecord } from '../../../contract/call-record.js';
import { readBySchema } from '../../../core/schema-findings.js';
import { HopbackError, isHopbackError } from '../../../errors.js';
import type { HopbackErrorCode } from '../../../errors.js';
import {
  addInserted,
  checkRecord,
  checkWindow,
  checkedLimit,
  checkedPage,
  HoldAuditEntry,
  HoldOrder,
  Inserted,
  LegalHold,
  RecordPageQuery,
  RecordQuery,
  StoreScope,
  StoreStatistics,
  TimeWindow,
} from '../record-store.js';
import type { FoundRecords, RecordStore } from '../record-store.js';

// What crosses the socket between two processes of one user. Requests are checked member by member, for whoever is at the other end may
// be another release. Answers are checked in their outline: the records in them come out of the store as they were put in.

/** Sends one request to the process that has a store open, and gives back its answer. */
export type SendRequest = (path: string, body: string) => Promise<Buffer>;

/** Longest text of a request. */
const text = z.string().max(262_144);

/** Most records of one request. */
const MAX_INSERT_RECORDS = 1_000;

/** Whether a record is one; it is kept as it came, also members that this release does not know. */
const wholeRecord = z.custom<CallRecord>((value) => readBySchema(CallRecord, value).success);

const outlinedRecord = z.custom<CallRecord>(
  (value) => typeof value === 'object' && value !== null && 'recordId' in value && 'inviteAtUs' in value,
);
const foundRecords: z.ZodType<FoundRecords> = z.object({ records: z.array(outlinedRecord), isCut: z.boolean() });

const interval = z.object({ sourceId: text, fromUs: z.number(), toUs: z.number() });
const nothing = z.object({});
const done = z.unknown();

/** A {@link HopbackError} on its way from one process to the other. */
const wireError = z.object({
  code: z.custom<HopbackErrorCode>((code) => typeof code === 'string'),
  message: text,
  retryable: z.boolean(),
  details: z.exactOptional(z.record(text, z.union([text, z.number(), z.boolean()]))),
});
type WireError = z.infer<typeof wireError>;

/** Every answer: what was asked for, or why it is not there. */
const answerSchema = z.union([z.object({ error: wireError }), z.object({ result: z.unknown() })]);

/** Version of what is spoken on the socket. It stands in the path of every request and changes when a request or an answer does. */
const PROTOCOL_VERSION = 1;

/** Longest body of a request: a batch of records, each of which may have its raw rows with it. */
export const MAX_REQUEST_BYTES: number = 16 * 1024 * 1024;

/** A request that is not carried out. */
export interface Refusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly error: WireError;
}

/** A request that was understood. */
export interface Work {
  readonly kind: 'work';
  readonly run: (store: RecordStore) => Promise<unknown>;
}

/** What is asked, what is answered, and what is done for it. */
function operation<Asked, Answered>(
  asks: z.ZodType<Asked>,
  answers: z.ZodType<Answered>,
  run: (store: RecordStore, asked: Asked) => Promise<unknown>,
) {
  const read = (body: unknown): Work | Refusal => {
    const asked = readBySchema(asks, body);
    if (asked.success) return { kind: 'work', run: (store) => run(store, asked.data) };
    const path = asked.error.issues[0]?.path.map(String).join('.') ?? '';
    // Where it is wrong, never what stands there: it may be a number.
    return refusal(400, 'invalid-argument', `the request is not in its form at ${path === '' ? 'its root' : path}`);
  };
  return { kind: 'operation', read, answers } as const;
}

/** What can be asked of a store. `hello` asks whether anybody is there. */
const OPERATIONS = {
  hello: operation(nothing, done, () => Promise.resolve(null)),
  insert: operation(
    z.object({ records: z.array(wholeRecord).max(MAX_INSERT_RECORDS) }),
    Inserted,
    (store, { records }) => store.insert(records),
  ),
  find: operation(RecordQuery, foundRecords, (store, query) => store.find(query)),
  page: operation(RecordPageQuery, foundRecords, (store, query) => store.page(query)),
  cover: operation(interval, done, (store, covered) => store.cover(covered)),
  uncover: operation(interval, done, (store, uncovered) => store.uncover(uncovered)),
  scope: operation(nothing, StoreScope, (store) => store.scope()),
  coverage: operation(TimeWindow, z.array(interval), (store, window) => store.coverage(window)),
  expire: operation(z.object({ beforeUs: z.number() }), z.int().min(0), (store, { beforeUs }) =>
    store.expire(beforeUs),
  ),
  hold: operation(HoldOrder, LegalHold, (store, order) => store.hold(order)),
  release: operation(
    z.object({ holdId: text, reason: text, by: z.exactOptional(text) }),
    z.boolean(),
    (store, { holdId, reason, by }) => store.release(holdId, reason, by),
  ),
  holds: operation(nothing, z.array(LegalHold), (store) => store.holds()),
  'hold-audit': operation(nothing, z.array(HoldAuditEntry), (store) => store.holdAudit()),
  statistics: operation(nothing, StoreStatistics, (store) => store.statistics()),
};
type OperationName = keyof typeof OPERATIONS;
type Operation = Pick<(typeof OPERATIONS)[OperationName], 'kind' | 'read'>;

/** The path of an operation: `/v1/find`. */
function pathOf(name: OperationName): string {
  return `/v${PROTOCOL_VERSION}/${name}`;
}

/** Which operation a request asks for. Never throws. */
export function operationOf(method: string | undefined, path: string | undefined): Operation | Refusal {
  const [, version, name = ''] = /^\/v(\d{1,4})\/([a-z-]{1,32})$/.exec(path ?? '') ?? [];
  if (version === undefined) return refusal(404, 'invalid-argument', 'there is nothing under this path');
  if (Number(version) !== PROTOCOL_VERSION) {
    return refusal(
      404,
      'unavailable',
      `the process that has the record store open speaks version ${PROTOCOL_VERSION} of its protocol, and was asked in version ` +
        `${version}: bring both to the same release of hopback`,
    );
  }
  if (!Object.hasOwn(OPERATIONS, name)) {
    return refusal(
      404,
      'unavailable',
      'the process that has the record store open does not know this request: run the same release of hopback in both',
    );
  }
  if (method !== 'POST') return refusal(405, 'invalid-argument', 'everything is asked for by POST');
  return OPERATIONS[name as OperationName];
}

/**
 * What a body asks for. Never throws.
 * @param body - undefined where it is longer than {@link MAX_REQUEST_BYTES}
 */
export function workOf({ read }: Operation, body: Uint8Array | undefined): Work | Refusal {
  if (body === undefined) return refusal(413, 'invalid-argument', `a request has at most ${MAX_REQUEST_BYTES} octets`);
  try {
    return read(JSON.parse(Buffer.from(body).toString('utf8')) as unknown);
  } catch {
    return refusal(400, 'invalid-argument', 'the request is not JSON');
  }
}

/** What is answered where the work failed. */
export function failureOf(error: unknown): Refusal {
  if (!isHopbackError(error)) return refusal(500, 'storage-failed', 'the record store could not carry out the request');
  // Whoever asked has closed nothing: the other process has.
  const code = error.code === 'closed' ? 'unavailable' : error.code;
  const { message, details } = error;
  const status = code === 'invalid-argument' ? 400 : code === 'unavailable' ? 503 : 500;
  return { kind: 'refused', status, error: { code, message, retryable: error.retryable, details: { ...details } } };
}

/** What is answered where the store is being closed. */
export const CLOSING: Refusal = refusal(503, 'unavailable', 'the process that has the record store open is closing it');

/** Records of one piece of an answer: some 100 KiB, so that others get their turn between two. */
const RECORDS_PER_PIECE = 50;

/** An answer as JSON, in pieces. */
export function* answerPieces(result: unknown): Generator<string> {
  if (typeof result !== 'object' || result === null || !('records' in result) || !Array.isArray(result.records)) {
    yield JSON.stringify({ result: result ?? null });
    return;
  }
  const { records, ...rest } = result as { readonly records: readonly unknown[] };
  const head = JSON.stringify({ result: rest });
  // `{"result":{"isCut":false` and the list behind it.
  yield `${head.slice(0, -2)}${head.endsWith('{}}') ? '' : ','}"records":[`;
  for (let from = 0; from < records.length; from += RECORDS_PER_PIECE) {
    const piece = JSON.stringify(records.slice(from, from + RECORDS_PER_PIECE));
    yield `${from === 0 ? '' : ','}${piece.slice(1, -1)}`;
  }
  yield ']}}';
}

function refusal(status: number, code: WireError['code'], message: string): Refusal {
  return { kind: 'refused', status, error: { code, message, retryable: status >= 500 } };
}

/** Octets of records from which on a batch is sent: of usual records there are a thousand before. */
const BATCH_BYTES: number = 4 * 1024 * 1024;

/** Longest record, so that one more than {@link BATCH_BYTES} stays a request. */
const MAX_RECORD_BYTES: number = MAX_REQUEST_BYTES - BATCH_BYTES - 1_024;

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

  const open = (): void => {
    if (isClosed) throw new HopbackError('closed', 'the record store is closed');
  };

  const ask = async <T>(name: OperationName, body: unknown, answers: z.ZodType<T>): Promise<T> => {
    open();
    return checked(answers, await asked(name, JSON.stringify(body)));
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
      for (const batch of batchesOf(records)) addInserted(sum, checked(Inserted, await asked('insert', batch)));
      return sum;
    },
    find: async (query) => {
      open();
      checkedLimit(query);
      return ask('find', finiteQuery(query), OPERATIONS.find.answers);
    },
    page: async (query) => {
      open();
      checkedPage(query);
      return ask('page', { ...query, window: finiteWindow(query.window) }, OPERATIONS.page.answers);
    },
    cover: async (covered) => void (await ask('cover', covered, done)),
    uncover: async (uncovered) => void (await ask('uncover', uncovered, done)),
    scope: () => ask('scope', {}, OPERATIONS.scope.answers),
    coverage: async (window) => {
      open();
      checkWindow(window);
      return ask('coverage', finiteWindow(window), OPERATIONS.coverage.answers);
    },
    expire: (beforeUs) => ask('expire', { beforeUs }, OPERATIONS.expire.answers),
    hold: async (order) => {
      open();
      checkedLimit(order.query);
      return ask('hold', { ...order, query: finiteQuery(order.query) }, OPERATIONS.hold.answers);
    },
    release: (holdId, reason, by) => ask('release', { holdId, reason, by }, OPERATIONS.release.answers),
    holds: () => ask('holds', {}, OPERATIONS.holds.answers),
    holdAudit: () => ask('hold-audit', {}, OPERATIONS['hold-audit'].answers),
    statistics: () => ask('statistics', {}, OPERATIONS.statistics.answers),
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
  if (!('error' in answer.data)) return answer.data.result;
  const { code, message, retryable, details = {} } = answer.data.error;
  throw new HopbackError(code, message, { retryable, details });
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function checked<T>(answer: z.ZodType<T>, result: unknown): T {
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
