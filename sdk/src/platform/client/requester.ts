import { fullJitterMs } from '../../core/backoff.js';
import type { Backoff } from '../../core/backoff.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError, isHopbackError } from '../../errors.js';
import type { RequestAuthorization } from '../auth.js';
import { attemptDeadline } from '../http/attempt-deadline.js';
import type { AttemptDeadline } from '../http/attempt-deadline.js';
import { readRefusalBody } from '../http/bounded-body.js';
import { connectionErrorCode } from '../http/connection-error.js';
import type { PlatformFetch } from '../http/platform-fetch.js';
import { retryClassOf } from '../retry.js';
import { errorOfFailure, failureOfReading, failureOfResponse, MAX_PROBLEM_BYTES } from './call-failure.js';
import type { CallFailure } from './call-failure.js';
import { callUrl } from './platform-call.js';
import type { PlatformCall } from './platform-call.js';
import type { PlatformLogger, PlatformRequestOptions } from './request-options.js';

/** How waits between attempts grow: a platform that restarts is back in some seconds. */
export const CLIENT_BACKOFF: Backoff = { baseMs: 500, capMs: 30_000 };

/**
 * Longest wait within a call that a platform may ask for. Where Retry-After says more, the call rejects at once and says so in
 * `details.retryAfterMs`: whoever called has other things to do meanwhile, and is not to ask before.
 */
export const MAX_RETRY_WAIT_MS = 60_000;

/** Longest idempotency key: what the platform has to take. */
export const MAX_IDEMPOTENCY_KEY_LENGTH = 128;

/** What calls are made with. */
export interface RequesterParts {
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
export interface Requester {
  readonly parts: RequesterParts;
  /**
   * Makes one call, as often as its failures allow.
   * @returns what was received; rejects with {@link HopbackError}
   */
  readonly send: <Result>(call: PlatformCall<Result>, options?: PlatformRequestOptions) => Promise<Result>;
}

/** Makes the loop that all calls go through. */
export function createRequester(parts: RequesterParts): Requester {
  return { parts, send: (call, options = {}) => sendWithRetries(parts, call, options) };
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
    parts.logger?.debug(loggedFailure(call, failure, { attempts, waitMs }), 'platform call is made again');
    await wait(waitMs, parts.clock, signal);
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
        ...(call.body === undefined ? {} : { body: call.body.bytes }),
        redirect: 'manual',
        signal: deadline.signal,
      });
      return await resultOf(parts, response, { call, deadline, credential });
    } catch (cause) {
      return { status: 'failed', failure: connectionFailure(cause, deadline) };
    }
  } catch (cause) {
    return { status: 'failed', failure: credentialFailure(cause, deadline) };
  } finally {
    deadline.end();
  }
}

async function resultOf<Result>(
  parts: RequesterParts,
  response: Response,
  {
    call,
    deadline,
    credential,
  }: {
    readonly call: PlatformCall<Result>;
    readonly deadline: AttemptDeadline;
    readonly credential: Readonly<Record<string, string>>;
  },
): Promise<AttemptResult<Result>> {
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
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(call.body === undefined ? {} : { 'content-type': call.body.contentType }),
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
  return { code: cause.code, isPassing: cause.retryable, reason: 'no-credential', cause, ...asked };
}

function throwIfAborted({ method, route }: PlatformCall<unknown>, signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new HopbackError('aborted', `${method} ${route}: given up by its caller`, {
    cause: signal.reason,
    details: { method, route },
  });
}

function loggedFailure(
  { method, route }: PlatformCall<unknown>,
  failure: CallFailure,
  { attempts, waitMs }: { readonly attempts: number; readonly waitMs: number },
): Readonly<Record<string, unknown>> {
  const { code, reason, httpStatus, requestId } = failure;
  return { method, route, code, reason, httpStatus, requestId, attempts, waitMs };
}

/** Resolves when the time is over, or when the signal aborts: whoever waits looks which. Never rejects. */
export function wait(waitMs: number, clock: TimerClock, signal: AbortSignal | undefined): Promise<void> {
  if (waitMs <= 0 || signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.schedule(done, waitMs);
    signal?.addEventListener('abort', done, { once: true });
  });
}

function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new HopbackError('invalid-argument', `${name} must be a whole number from ${least}, not ${value}`);
}
