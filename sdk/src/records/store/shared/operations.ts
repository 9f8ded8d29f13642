import { readBySchema } from '../../../core/schema-findings.js';
import { HopbackError, isHopbackError } from '../../../errors.js';
import type { RecordStore } from '../record-store.js';
import { REQUESTS } from './wire.schema.js';
import type { WireError } from './wire.schema.js';

/** Version of what is spoken on the socket. It stands in the path of every request and changes when a request or an answer does. */
export const PROTOCOL_VERSION = 1;

/** Longest body of a request: a batch of records, each of which may have its raw rows with it. */
export const MAX_REQUEST_BYTES: number = 16 * 1024 * 1024;

/** What can be asked of a store. `hello` asks whether anybody is there. */
export type OperationName =
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
export interface Operation {
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
export function pathOf(name: OperationName): string {
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
export function errorOf({ code, message, retryable, details = {} }: WireError): HopbackError {
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
