import { attemptDeadline, fullJitterMs } from '../../core/runtime/deadline.js';
import type { AttemptDeadline, Backoff } from '../../core/runtime/deadline.js';
import { isJsonObject, parseBoundedJson } from '../../core/json-text.js';
import type { JsonObject, JsonValue } from '../../core/json-text.js';
import { pause } from '../../core/runtime/clock.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { defined } from '../../core/text.js';
import { HopbackError, isHopbackError } from '../../errors.js';
import type { HopbackErrorCode } from '../../errors.js';
import type { RequestAuthorization } from '../retry.js';
import { connectionErrorCode, readRefusalBody } from '../http/bounded-body.js';
import type { PlatformFetch } from '../http/platform-fetch.js';
import { retryAfterMs, retryClassOf } from '../retry.js';

/** The octets of a body and what they are. The same in every attempt: under an idempotency key another body would be a conflict. */
export interface CallBody {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** One operation of the platform, ready to be sent. */
export interface PlatformCall<Result> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the names of its parameters, `/v1/tracebacks/{tracebackId}`: this is what errors and logs say, never the address itself. */
  readonly route: string;
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: CallBody;
  /** Media types that are understood. */
  readonly accept: string;
  /** Further fields, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes something of a response with a status of 2xx; may reject with what broke the connection. */
  readonly receive: (response: Response, deadline: AttemptDeadline) => Promise<CallReading<Result>>;
}

/** What was made of a response. */
export type CallReading<Result> =
  | { readonly status: 'read'; readonly value: Result }
  /** It is in no form of the contract; `reason` is a word, `place` where it is not. */
  | {
      readonly status: 'unreadable';
      readonly reason: UnreadableReason;
      readonly place?: string;
    };

/** In which way a response is in no form of the contract. */
export type UnreadableReason =
  'too-large' | 'not-utf8' | 'not-json' | 'schema-drift' | 'wrong-media-type' | 'cursor-loop' | 'wrong-hash';

/** Longest id or name that goes into an address. */
const MAX_PATH_PARAMETER_LENGTH = 256;

/**
 * The address of a call.
 * @param base - address of the platform, without a slash at its end
 * @param call - route, parameters, query
 * @throws {@link HopbackError} `invalid-argument` for a parameter that is empty, too long, or would name another route
 */
function callUrl(base: string, call: Pick<PlatformCall<unknown>, 'route' | 'path' | 'query'>): string {
  const path = call.route.replaceAll(/\{(\w{1,40})\}/g, (_whole, name: string) =>
    pathParameter(name, call.path?.[name]),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) query.set(name, String(value));
  }
  const search = query.toString();
  return `${base}${path}${search === '' ? '' : `?${search}`}`;
}

function pathParameter(name: string, value: string | undefined): string {
  // A dot or two would be taken out of the path by whoever parses the URL.
  if (
    value === undefined ||
    value === '' ||
    value === '.' ||
    value === '..' ||
    value.length > MAX_PATH_PARAMETER_LENGTH
  )
    throw new HopbackError(
      'invalid-argument',
      `${name} must be an id of 1 to ${MAX_PATH_PARAMETER_LENGTH} characters, and no dots alone`,
    );
  try {
    return encodeURIComponent(value);
  } catch (cause) {
    throw new HopbackError('invalid-argument', `${name} has half a surrogate pair in it`, { cause });
  }
}

/** Why one attempt came to nothing. */
interface CallFailure {
  readonly code: HopbackErrorCode;
  /** The same call may succeed if it is made again. */
  readonly isPassing: boolean;
  /** More closely than `code`, as a word. */
  readonly reason: string;
  readonly httpStatus?: number;
  /** What the platform calls the exchange in its logs. */
  readonly requestId?: string;
  /** Of the problem document. */
  readonly problemCode?: string;
  /** Of the problem document, for people. */
  readonly detail?: string;
  /** Where in the body that was sent, or in the answer, something is not in its form. */
  readonly place?: string;
  /** How long the platform asks to be left alone. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** Octets of a problem document that are read: more than it takes to name fifty places. */
export const MAX_PROBLEM_BYTES = 16_384;

/** Characters of a detail, of an id or of a place that go into an error. */
const MAX_TEXT_LENGTH = 200;

const PROBLEM_JSON_LIMITS = { maxChars: MAX_PROBLEM_BYTES, maxDepth: 8, maxEntries: 1_024 };

/**
 * What a response that says no means. Never throws: a problem document that is none takes nothing from the status.
 * @param response - status and fields
 * @param body - its body, cut at {@link MAX_PROBLEM_BYTES}
 * @param nowMs - milliseconds since the epoch, which a Retry-After date is held against
 * @see RFC 9457, RFC 9110 section 15
 */
export function failureOfResponse(response: Response, body: Uint8Array, nowMs: number): CallFailure {
  const { status: httpStatus, headers } = response;
  const problem = problemOf(body);
  const requestId = requestIdOf(response) ?? wordIn(problem, 'httpRequestId', /^[!-~]{1,200}$/);
  const waitMs = retryAfterMs(headers.get('retry-after'), nowMs);
  const detail = textIn(problem, 'detail');
  const place = placeOf(problem);
  const problemCode = wordIn(problem, 'code', /^[a-z0-9][a-z0-9-]{0,63}$/);
  return {
    ...CLASSES[retryClassOf(httpStatus)],
    ...defined({
      httpStatus,
      requestId,
      problemCode,
      detail,
      place,
      retryAfterMs: waitMs,
    }),
  };
}

/** What the platform calls the exchange; undefined where it does not say, or says what no log should hold. Never throws. */
function requestIdOf(response: Response): string | undefined {
  const value = response.headers.get('request-id');
  return value !== null && /^[!-~]{1,200}$/.test(value) ? value : undefined;
}

/** A response that says yes in no form of the contract. It is not asked again: the next answer would be in the same. */
function failureOfReading(
  response: Response,
  reading: { readonly reason: UnreadableReason; readonly place?: string },
): CallFailure {
  const place = reading.place === undefined ? undefined : maskedDigits(reading.place);
  const { reason } = reading;
  const told = { reason, httpStatus: response.status, ...defined({ requestId: requestIdOf(response), place }) };
  return { code: 'response-unreadable', isPassing: false, ...told };
}

interface FailedCall {
  readonly method: string;
  readonly route: string;
  readonly attempts: number;
}

/** The error that a caller gets for the last failure of a call. */
export function errorOfFailure(failure: CallFailure, { method, route, attempts }: FailedCall): HopbackError {
  const { code, isPassing, reason, httpStatus, requestId, problemCode, detail, place, cause } = failure;
  const what = [httpStatus, problemCode ?? reason].filter((part) => part !== undefined).join(' ');
  const where = place === undefined ? '' : ` at "${place}"`;
  const which = requestId === undefined ? '' : ` (request ${requestId})`;
  return new HopbackError(code, `${method} ${route}: ${SAYINGS[code] ?? code}: ${what}${where}${which}`, {
    retryable: isPassing,
    cause,
    details: defined({
      method,
      route,
      attempts,
      reason,
      httpStatus,
      requestId,
      problemCode,
      detail,
      place,
      retryAfterMs: failure.retryAfterMs,
    }),
  });
}

const SAYINGS: Readonly<Partial<Record<HopbackErrorCode, string>>> = {
  'network-failed': 'no answer of the platform',
  unavailable: 'the platform cannot answer now',
  unauthorized: 'the platform refuses the credential',
  'request-refused': 'the platform refuses the request',
  'response-unreadable': 'the answer is in no form of the contract',
};

type ClassOfFailure = Pick<CallFailure, 'code' | 'isPassing' | 'reason'>;

/** `done` among them: a status of 2xx that nobody asked for comes to the same as an answer that cannot be read. */
const CLASSES: Readonly<Record<ReturnType<typeof retryClassOf>, ClassOfFailure>> = {
  done: { code: 'response-unreadable', isPassing: false, reason: 'schema-drift' },
  retry: { code: 'unavailable', isPassing: true, reason: 'unavailable' },
  refused: { code: 'request-refused', isPassing: false, reason: 'refused' },
  'too-large': { code: 'request-refused', isPassing: false, reason: 'too-large' },
  unauthorized: { code: 'unauthorized', isPassing: false, reason: 'credential-refused' },
  misdirected: { code: 'request-refused', isPassing: false, reason: 'misdirected' },
};

function problemOf(body: Uint8Array): JsonObject | undefined {
  const reading = parseBoundedJson(Buffer.from(body).toString('utf8'), PROBLEM_JSON_LIMITS);
  return reading.status === 'parsed' && isJsonObject(reading.value) ? reading.value : undefined;
}

function wordIn(object: JsonObject | undefined, name: string, form: RegExp): string | undefined {
  const value = object?.[name];
  return typeof value === 'string' && form.test(value) ? value : undefined;
}

function textIn(object: JsonObject | undefined, name: string): string | undefined {
  const value = object?.[name];
  if (typeof value !== 'string' || value === '') return undefined;
  return maskedDigits(value.slice(0, MAX_TEXT_LENGTH).replaceAll(/[\p{Cc}\p{Cf}]/gu, ' '));
}

function placeOf(problem: JsonObject | undefined): string | undefined {
  const errors = problem?.['errors'];
  const [first] = Array.isArray(errors) ? (errors as readonly JsonValue[]) : [];
  return isJsonObject(first) ? textIn(first, 'pointer') : undefined;
}

/** The contract keeps telephone numbers out of problems; a platform that does not must not get them into our logs. */
function maskedDigits(text: string): string {
  return text.replaceAll(/\d{7,}/g, (digits) => 'X'.repeat(digits.length));
}

/** What every call of the client takes beside its parameters. */
export interface PlatformRequestOptions {
  /** Gives the call up, in an attempt or between two; it then rejects with `aborted`. */
  readonly signal?: AbortSignal;
  /** Milliseconds of one attempt, up to the last octet of the answer. Default that of the client. */
  readonly timeoutMs?: number;
  /** Attempts after the first, 0 or more. Default that of the client. */
  readonly maxRetries?: number;
  /**
   * Tells the platform that a call is the same as one before, of another process or another day, so that it is carried out once. Default a
   * new one for each call, kept through its retries. Calls that only read have none.
   * @see draft-ietf-httpapi-idempotency-key-header-07 section 2
   */
  readonly idempotencyKey?: string;
}

/** Told of what happens on the way, for logs: no numbers, no tokens, no bodies. A pino logger is one. */
export interface PlatformLogger {
  readonly debug: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

/** How waits between attempts grow: a platform that restarts is back in some seconds. */
export const CLIENT_BACKOFF: Backoff = { baseMs: 500, capMs: 30_000 };

/**
 * Longest wait within a call that a platform may ask for. Where Retry-After says more, the call rejects at once and says so in
 * `details.retryAfterMs`: whoever called has other things to do meanwhile, and is not to ask before.
 */
export const MAX_RETRY_WAIT_MS = 60_000;

/** Longest idempotency key: what the platform has to take. */
const MAX_IDEMPOTENCY_KEY_LENGTH = 128;

/** What calls are made with. */
interface RequesterParts {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly authorization: RequestAuthorization;
  readonly fetch: PlatformFetch;
  readonly clock: TimerClock;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  /** An id that nobody else makes. */
  readonly newId: () => string;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly logger?: PlatformLogger;
}

/** Makes calls. */
export type Requester = ReturnType<typeof createRequester>;

/** Makes the loop that all calls go through. */
export function createRequester(parts: RequesterParts) {
  return {
    parts,
    /**
     * Makes one call, as often as its failures allow.
     * @returns what was received; rejects with {@link HopbackError}
     */
    send: <Result>(call: PlatformCall<Result>, options: PlatformRequestOptions = {}): Promise<Result> =>
      sendWithRetries(parts, call, options),
  };
}

async function sendWithRetries<Result>(
  parts: RequesterParts,
  call: PlatformCall<Result>,
  options: PlatformRequestOptions,
): Promise<Result> {
  const { signal } = options;
  const maxRetries = wholeNumber('maxRetries', options.maxRetries ?? parts.maxRetries, 0);
  const sending: Sending<Result> = {
    call,
    url: callUrl(parts.baseUrl, call),
    timeoutMs: wholeNumber('timeoutMs', options.timeoutMs ?? parts.timeoutMs, 1),
    headers: headersOf(parts, call, options),
    signal,
  };
  let isTokenRenewed = false;
  for (let failures = 0, attempts = 1; ; attempts += 1) {
    throwIfAborted(call, signal);
    const result = await attempt(parts, sending);
    if (result.status === 'done') return result.value;
    throwIfAborted(call, signal);
    const { failure } = result;
    // Another token is no repetition of the call, which was not looked at.
    if (failure.httpStatus === 401 && !isTokenRenewed && parts.authorization.refused !== undefined) {
      isTokenRenewed = true;
      continue;
    }
    failures += 1;
    const askedMs = failure.retryAfterMs ?? 0;
    if (!failure.isPassing || failures > maxRetries || askedMs > MAX_RETRY_WAIT_MS)
      throw errorOfFailure(failure, { method: call.method, route: call.route, attempts });
    const waitMs = askedMs + fullJitterMs(failures, CLIENT_BACKOFF, parts.random);
    const { code, reason, httpStatus, requestId } = failure;
    const told = {
      method: call.method,
      route: call.route,
      code,
      reason,
      httpStatus,
      requestId,
      attempts,
      waitMs,
    };
    parts.logger?.debug(told, 'platform call is made again');
    await pause(waitMs, parts.clock, signal);
  }
}

/** What all attempts of a call have in common. */
interface Sending<Result> {
  readonly call: PlatformCall<Result>;
  readonly url: string;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

type AttemptResult<Result> =
  { readonly status: 'done'; readonly value: Result } | { readonly status: 'failed'; readonly failure: CallFailure };

async function attempt<Result>(parts: RequesterParts, sending: Sending<Result>): Promise<AttemptResult<Result>> {
  const { call, url, headers } = sending;
  const deadline = attemptDeadline(sending.timeoutMs, sending.signal, parts.clock.schedule);
  try {
    const credential = await parts.authorization.fields({ method: call.method, url }, deadline.signal);
    try {
      const response = await parts.fetch(url, {
        method: call.method,
        headers: { ...headers, ...credential },
        ...defined({ body: call.body?.bytes }),
        redirect: 'manual',
        signal: deadline.signal,
      });
      const kind = retryClassOf(response.status);
      if (kind !== 'done') {
        // Before its body, which may never end.
        if (kind === 'unauthorized') parts.authorization.refused?.(credential);
        const body = await readRefusalBody(response, MAX_PROBLEM_BYTES);
        return { status: 'failed', failure: failureOfResponse(response, body.bytes, parts.clock.nowMs()) };
      }
      const reading = await call.receive(response, deadline);
      if (reading.status === 'read') return { status: 'done', value: reading.value };
      return { status: 'failed', failure: failureOfReading(response, reading) };
    } catch (cause) {
      return { status: 'failed', failure: connectionFailure(cause, deadline) };
    }
  } catch (cause) {
    return { status: 'failed', failure: credentialFailure(cause, deadline) };
  } finally {
    deadline.end();
  }
}

function headersOf(
  parts: RequesterParts,
  call: PlatformCall<unknown>,
  { idempotencyKey }: PlatformRequestOptions,
): Readonly<Record<string, string>> {
  const key = call.method === 'GET' ? undefined : (idempotencyKey ?? parts.newId());
  // What a header field cannot hold would be refused by fetch as if the connection had failed.
  if (key !== undefined && (key.length > MAX_IDEMPOTENCY_KEY_LENGTH || !/^[!-~]+$/.test(key)))
    throw new HopbackError(
      'invalid-argument',
      `an idempotency key has 1 to ${MAX_IDEMPOTENCY_KEY_LENGTH} visible characters of ASCII`,
    );
  return {
    accept: call.accept,
    ...defined({ 'idempotency-key': key, 'content-type': call.body?.contentType }),
    ...call.headers,
  };
}

function connectionFailure(cause: unknown, deadline: AttemptDeadline): CallFailure {
  if (deadline.isOver()) return { code: 'network-failed', isPassing: true, reason: 'timeout' };
  return { code: 'network-failed', isPassing: true, reason: connectionErrorCode(cause), cause };
}

function credentialFailure(cause: unknown, deadline: AttemptDeadline): CallFailure {
  if (deadline.isOver()) return { code: 'network-failed', isPassing: true, reason: 'timeout' };
  if (!isHopbackError(cause)) return { code: 'unauthorized', isPassing: false, reason: 'no-credential', cause };
  // Whoever gives tokens may ask to be left alone, too.
  const waitMs = Number(cause.details['retryAfterMs'] ?? 0);
  const asked = waitMs > 0 ? { retryAfterMs: waitMs } : {};
  return {
    code: cause.code,
    isPassing: cause.retryable,
    reason: 'no-credential',
    cause,
    ...asked,
  };
}

function throwIfAborted({ method, route }: PlatformCall<unknown>, signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new HopbackError('aborted', `${method} ${route}: given up by its caller`, {
    cause: signal.reason,
    details: { method, route },
  });
}

function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new HopbackError('invalid-argument', `${name} must be a whole number from ${least}, not ${value}`);
}
