import { z } from 'zod';
import { CallRecord } from '../../../contract/call-record.js';
import type { CoverageInterval } from '../../../contract/call-record.js';
import { readBySchema } from '../../../core/schema-findings.js';
import { HopbackError, isHopbackError } from '../../../errors.js';
import type { HopbackErrorCode } from '../../../errors.js';
import { checkRecord, checkWindow, checkedLimit } from '../record-store.js';
import type {
  FoundRecords,
  HoldAuditEntry,
  HoldOrder,
  Inserted,
  LegalHold,
  RecordQuery,
  RecordStore,
  StoreScope,
  StoreStatistics,
  TimeWindow,
} from '../record-store.js';

// What crosses the socket between two processes of one user. Requests are checked member by member, for whoever is at the other end may
// be another release. Answers are checked in their outline: the records in them come out of the store as they were put in.

/** Sends one request to the process that has a store open, and gives back its answer. */
export type SendRequest = (path: string, body: string) => Promise<Buffer>;

/** Longest text that is looked up by; no record has one as long, and then nothing is found. */
const MAX_TEXT_CHARS = 262_144;

const text = z.string().max(MAX_TEXT_CHARS);
const count = z.int().min(0);
const finite = z.number();

const windowSchema: z.ZodType<TimeWindow> = z.object({ fromUs: finite, toUs: finite });

const querySchema: z.ZodType<RecordQuery> = z.object({
  window: windowSchema,
  calledTn: z.exactOptional(text),
  callingTn: z.exactOptional(text),
  callId: z.exactOptional(text),
  origId: z.exactOptional(text),
  callGroupId: z.exactOptional(text),
  trunk: z.exactOptional(text),
  recordId: z.exactOptional(text),
  limit: z.exactOptional(finite),
});

const intervalSchema: z.ZodType<CoverageInterval> = z.object({ sourceId: text, fromUs: finite, toUs: finite });

const orderSchema: z.ZodType<HoldOrder> = z.object({
  query: querySchema,
  reason: text,
  untilUs: z.exactOptional(finite),
  by: z.exactOptional(text),
});

/** What ends a hold. */
interface ReleaseOrder {
  readonly holdId: string;
  readonly reason: string;
  readonly by?: string;
}

const releaseOrder: z.ZodType<ReleaseOrder> = z.object({ holdId: text, reason: text, by: z.exactOptional(text) });

/** Most records of one request. */
const MAX_INSERT_RECORDS = 1_000;

/** Whether a record is one; it is kept as it came, also members that this release does not know. */
const wholeRecord = z.custom<CallRecord>((value) => readBySchema(CallRecord, value).success);

/** Bodies of requests, by what is asked for. */
const REQUESTS: {
  readonly nothing: z.ZodType<object>;
  readonly records: z.ZodType<{ readonly records: readonly CallRecord[] }>;
  readonly query: z.ZodType<RecordQuery>;
  readonly interval: z.ZodType<CoverageInterval>;
  readonly window: z.ZodType<TimeWindow>;
  readonly before: z.ZodType<{ readonly beforeUs: number }>;
  readonly order: z.ZodType<HoldOrder>;
  readonly release: z.ZodType<ReleaseOrder>;
} = {
  nothing: z.object({}),
  records: z.object({ records: z.array(wholeRecord).max(MAX_INSERT_RECORDS) }),
  query: querySchema,
  interval: intervalSchema,
  window: windowSchema,
  before: z.object({ beforeUs: finite }),
  order: orderSchema,
  release: releaseOrder,
};

const hold: z.ZodType<LegalHold> = z.object({
  holdId: text,
  reason: text,
  query: querySchema,
  placedAtUs: finite,
  untilUs: z.exactOptional(finite),
  count,
});

const auditEntry: z.ZodType<HoldAuditEntry> = z.object({
  action: z.enum(['held', 'released', 'ended']),
  holdId: text,
  atUs: finite,
  by: z.exactOptional(text),
  reason: text,
  count,
});

const inserted: z.ZodType<Inserted> = z.object({ inserted: count, repeated: count, expired: count });

const outlinedRecord = z.custom<CallRecord>(
  (value) => typeof value === 'object' && value !== null && 'recordId' in value && 'inviteAtUs' in value,
);

const statistics: z.ZodType<StoreStatistics> = z.object({
  records: count,
  sizeBytes: count,
  partitions: count,
  oldestUs: z.exactOptional(finite),
  newestUs: z.exactOptional(finite),
});

/** What is answered, by what was asked for. */
const ANSWERS: {
  readonly nothing: z.ZodType;
  readonly inserted: z.ZodType<Inserted>;
  readonly found: z.ZodType<FoundRecords>;
  readonly scope: z.ZodType<StoreScope>;
  readonly coverage: z.ZodType<readonly CoverageInterval[]>;
  readonly count: z.ZodType<number>;
  readonly hold: z.ZodType<LegalHold>;
  readonly isReleased: z.ZodType<boolean>;
  readonly holds: z.ZodType<readonly LegalHold[]>;
  readonly audit: z.ZodType<readonly HoldAuditEntry[]>;
  readonly statistics: z.ZodType<StoreStatistics>;
} = {
  nothing: z.unknown(),
  inserted,
  found: z.object({ records: z.array(outlinedRecord), isCut: z.boolean() }),
  scope: z.object({ sources: z.array(text), retainedFromUs: z.exactOptional(finite) }),
  coverage: z.array(intervalSchema),
  count,
  hold,
  isReleased: z.boolean(),
  holds: z.array(hold),
  audit: z.array(auditEntry),
  statistics,
};

/** A {@link HopbackError} on its way from one process to the other. */
interface WireError {
  readonly code: HopbackErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

const wireError: z.ZodType<WireError> = z.object({
  code: z.enum([
    'invalid-argument',
    'invalid-configuration',
    'key-unusable',
    'certificate-unusable',
    'signer-failed',
    'storage-failed',
    'network-failed',
    'trust-list-rejected',
    'unavailable',
    'unauthorized',
    'request-refused',
    'response-unreadable',
    'aborted',
    'closed',
    'internal',
  ]),
  message: text,
  retryable: z.boolean(),
  details: z.exactOptional(z.record(text, z.union([text, finite, z.boolean()]))),
});

/** Every answer: what was asked for, or why it is not there. */
const answerSchema: z.ZodType<{ readonly result?: unknown } | { readonly error: WireError }> = z.union([
  z.object({ error: wireError }),
  z.object({ result: z.unknown() }),
]);

/** Version of what is spoken on the socket. It stands in the path of every request and changes when a request or an answer does. */
const PROTOCOL_VERSION = 1;

/** Longest body of a request: a batch of records, each of which may have its raw rows with it. */
export const MAX_REQUEST_BYTES: number = 16 * 1024 * 1024;

/** What can be asked of a store. `hello` asks whether anybody is there. */
type OperationName =
  | 'hello'
  | 'insert'
  | 'find'
  | 'cover'
  | 'uncover'
  | 'scope'
  | 'coverage'
  | 'expire'
  | 'hold'
  | 'release'
  | 'holds'
  | 'hold-audit'
  | 'statistics';

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

/** Reads the body of one operation. */
interface Operation {
  readonly kind: 'operation';
  readonly read: (body: unknown) => Work | Refusal;
}

/** As much of a zod schema as is needed here. */
interface Reader<T> {
  readonly safeParse: (value: unknown) =>
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false;
        readonly error: { readonly issues: readonly { readonly path: readonly PropertyKey[] }[] };
      };
}

function operation<T>(reader: Reader<T>, run: (store: RecordStore, asked: T) => Promise<unknown>): Operation {
  return {
    kind: 'operation',
    read: (body) => {
      const read = readBySchema(reader, body);
      if (read.success) return { kind: 'work', run: (store) => run(store, read.data) };
      const path = read.error.issues[0]?.path.map(String).join('.') ?? '';
      // Where it is wrong, never what stands there: it may be a number.
      return refusal(400, 'invalid-argument', `the request is not in its form at ${path === '' ? 'its root' : path}`);
    },
  };
}

const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  hello: operation(REQUESTS.nothing, () => Promise.resolve(null)),
  insert: operation(REQUESTS.records, (store, { records }) => store.insert(records)),
  find: operation(REQUESTS.query, (store, query) => store.find(query)),
  cover: operation(REQUESTS.interval, (store, interval) => store.cover(interval)),
  uncover: operation(REQUESTS.interval, (store, interval) => store.uncover(interval)),
  scope: operation(REQUESTS.nothing, (store) => store.scope()),
  coverage: operation(REQUESTS.window, (store, window) => store.coverage(window)),
  expire: operation(REQUESTS.before, (store, { beforeUs }) => store.expire(beforeUs)),
  hold: operation(REQUESTS.order, (store, order) => store.hold(order)),
  release: operation(REQUESTS.release, (store, { holdId, reason, by }) => store.release(holdId, reason, by)),
  holds: operation(REQUESTS.nothing, (store) => store.holds()),
  'hold-audit': operation(REQUESTS.nothing, (store) => store.holdAudit()),
  statistics: operation(REQUESTS.nothing, (store) => store.statistics()),
};

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
      'the process that has the record store open does not know what it was asked for: bring both to the same release of hopback',
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
  if (!isHopbackError(error))
    return refusal(500, 'storage-failed', 'the record store could not do what it was asked for');
  // Whoever asked has closed nothing: the other process has.
  const code = error.code === 'closed' ? 'unavailable' : error.code;
  const { message, details } = error;
  const status = code === 'invalid-argument' ? 400 : code === 'unavailable' ? 503 : 500;
  return { kind: 'refused', status, error: { code, message, retryable: error.retryable, details } };
}

/** What is answered where the store is being closed. */
export const CLOSING: Refusal = refusal(503, 'unavailable', 'the process that has the record store open is closing it');

/** The error that a {@link WireError} was. */
function errorOf({ code, message, retryable, details = {} }: WireError): HopbackError {
  return new HopbackError(code, message, { retryable, details });
}

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

  const open = (): void => {
    if (isClosed) throw new HopbackError('closed', 'the record store is closed');
  };

  const ask: Ask = async (name, body, answer) => {
    open();
    return checked(answer, await asked(name, JSON.stringify(body)));
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
    cover: async (interval) => void (await ask('cover', interval, ANSWERS.nothing)),
    uncover: async (interval) => void (await ask('uncover', interval, ANSWERS.nothing)),
    scope: () => ask('scope', {}, ANSWERS.scope),
    coverage: async (window) => {
      open();
      checkWindow(window);
      return ask('coverage', finiteWindow(window), ANSWERS.coverage);
    },
    expire: (beforeUs) => ask('expire', { beforeUs }, ANSWERS.count),
    hold: async (order) => {
      open();
      checkedLimit(order.query);
      return ask('hold', { ...order, query: finiteQuery(order.query) }, ANSWERS.hold);
    },
    release: (holdId, reason, by) => ask('release', { holdId, reason, by }, ANSWERS.isReleased),
    holds: () => ask('holds', {}, ANSWERS.holds),
    holdAudit: () => ask('hold-audit', {}, ANSWERS.audit),
    statistics: () => ask('statistics', {}, ANSWERS.statistics),
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
