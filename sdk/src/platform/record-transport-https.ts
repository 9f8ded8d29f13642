import { cloudEventFields } from '../core/cloud-event.js';
import { defined } from '../core/text.js';
import { HopbackError } from '../errors.js';
import type { RequestAuthorization } from './retry.js';
import { connectionErrorCode, readBoundedBody, readRefusalBody } from './http/bounded-body.js';
import type { BoundedBody } from './http/bounded-body.js';
import { MACHINE_CLOCK } from '../core/runtime/clock.js';
import { attemptDeadline } from '../core/runtime/deadline.js';
import { createTlsFetch, nodeFetch, platformUrl } from './http/platform-fetch.js';
import type { PlatformFetch } from './http/platform-fetch.js';
import { retryAfterMs, retryClassOf } from './retry.js';
import { readRecordBatchAnswer, RECORD_BATCH_MEDIA_TYPE } from '../contract/record-batch.js';
import type { BatchEncoding, DeliveryResult, RecordBatch, RecordTransport } from '../contract/record-batch.js';

/** Most octets of a response that are read: the rejections of a whole batch of 10,000 records fit. */
const MAX_ANSWER_BYTES: number = 2 * 1_048_576;

/** How long an attempt may take until the whole answer is here: a batch takes a receiver milliseconds, a slow line some seconds. */
const DEFAULT_DELIVERY_TIMEOUT_MS = 30_000;

/** Octets of the body of an error that are kept for people. */
const MAX_DETAIL_LENGTH = 200;

/**
 * Makes the way to the platform over HTTPS: one POST a batch, its attributes in `ce-` fields, its id the `Idempotency-Key`. Redirects
 * are not followed, since they would carry the credential elsewhere.
 * @param options - address, credential, limits
 * @returns the transport; `deliver` never rejects
 * @throws {@link HopbackError} `invalid-configuration` when the URL is none, holds a credential, or would send records in the clear,
 * or `ca` is no certificate
 * @see CloudEvents HTTP Protocol Binding 1.0.2 section 3.1, draft-ietf-httpapi-idempotency-key-header
 * @example
 * ```ts
 * const transport = createHttpsRecordTransport({
 *   url: 'https://itg.example/v1/records',
 *   authorization: bearerToken('c2VjcmV0'),
 * });
 * await transport.close();
 * ```
 */
export function createHttpsRecordTransport(options: {
  /** Where batches are posted: `https:`, or `http:` to an address of this very machine. */
  readonly url: string;
  readonly authorization: RequestAuthorization;
  /** Default `globalThis.fetch`, which keeps connections alive. For mutual TLS: {@link createTlsFetch}, or one with an agent of its own. */
  readonly fetch?: PlatformFetch;
  /** PEM certificates, in place of those that Node brings along, that vouch for the receiver: one of a private CA. Not beside `fetch`. */
  readonly ca?: string | readonly string[];
  /** Milliseconds of one attempt, 1 or more. Default 30 s. */
  readonly timeoutMs?: number;
  /** How bodies are compressed. Default `br`, which costs the sender least; a receiver of the contract takes both. */
  readonly encoding?: BatchEncoding;
  /** Milliseconds since the epoch, which a Retry-After date is held against. Default `Date.now`. */
  readonly nowMs?: () => number;
}): RecordTransport {
  const url = platformUrl(options.url).href;
  const timeoutMs = options.timeoutMs ?? DEFAULT_DELIVERY_TIMEOUT_MS;
  if (!Number.isFinite(timeoutMs) || timeoutMs < 1)
    throw new HopbackError('invalid-configuration', `timeoutMs must be 1 or more, not ${timeoutMs}`);
  if (options.ca !== undefined && options.fetch !== undefined)
    throw new HopbackError('invalid-configuration', 'ca is for the fetch of Node: give one of ca and fetch');
  const trusting = options.ca === undefined ? undefined : createTlsFetch({ ca: options.ca });
  const post: PlatformFetch = trusting?.fetch ?? options.fetch ?? nodeFetch;
  const nowMs = options.nowMs ?? Date.now;
  const deliver = async (batch: RecordBatch, signal: AbortSignal): Promise<DeliveryResult> => {
    const deadline = attemptDeadline(timeoutMs, signal, MACHINE_CLOCK.schedule);
    try {
      const credential = await credentialOf(options.authorization, url, deadline.signal);
      if (credential === undefined)
        return { status: 'barred', reason: 'unauthorized', detail: 'no credential could be had' };
      const response = await post(url, {
        method: 'POST',
        headers: { ...batchFields(batch), ...credential },
        body: batch.body,
        redirect: 'manual',
        signal: deadline.signal,
      });
      // Before its body, which may never end.
      if (retryClassOf(response.status) === 'unauthorized') options.authorization.refused?.();
      const body = await (response.ok
        ? readBoundedBody(response, MAX_ANSWER_BYTES)
        : readRefusalBody(response, MAX_DETAIL_LENGTH));
      return resultOf(response, body, batch, nowMs());
    } catch (error) {
      if (deadline.isOver())
        return { status: 'unavailable', reason: 'timeout', detail: `no answer in ${timeoutMs} ms` };
      return { status: 'unavailable', reason: 'connection-failed', detail: connectionErrorCode(error) };
    } finally {
      deadline.end();
    }
  };
  return { encoding: options.encoding ?? 'br', deliver, close: async () => trusting?.close() };
}

function batchFields(batch: RecordBatch): Record<string, string> {
  return {
    ...cloudEventFields(batch),
    'idempotency-key': batch.id,
    'content-type': RECORD_BATCH_MEDIA_TYPE,
    'content-encoding': batch.encoding,
    accept: 'application/json, application/problem+json',
  };
}

/** A credential that cannot be had is no reason to reject: what carries it may be back in a minute. */
async function credentialOf(
  authorization: RequestAuthorization,
  url: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    return await authorization.fields({ method: 'POST', url }, signal);
  } catch {
    return undefined;
  }
}

function resultOf(response: Response, body: BoundedBody, batch: RecordBatch, nowMs: number): DeliveryResult {
  const httpStatus = response.status;
  const kind = retryClassOf(httpStatus);
  const text = body.bytes.toString('utf8');
  if (kind === 'done') {
    const reading = body.isCut
      ? ({ status: 'unreadable', detail: `the answer has more than ${MAX_ANSWER_BYTES} octets` } as const)
      : readRecordBatchAnswer(text, batch);
    if (reading.status === 'read') return { status: 'acknowledged', rejected: reading.answer.rejected };
    return { status: 'unavailable', reason: 'answer-unreadable', httpStatus, detail: reading.detail };
  }
  const detail = text.slice(0, MAX_DETAIL_LENGTH);
  if (kind === 'refused')
    return { status: 'refused', reason: httpStatus === 409 ? 'conflict' : 'content', httpStatus, detail };
  if (kind === 'too-large') return { status: 'refused', reason: 'too-large', httpStatus, detail };
  if (kind === 'unauthorized') return { status: 'barred', reason: 'unauthorized', httpStatus, detail };
  if (kind === 'misdirected') return { status: 'barred', reason: 'no-such-receiver', httpStatus, detail };
  const waitMs = retryAfterMs(response.headers.get('retry-after'), nowMs);
  const reason = httpStatus === 429 ? 'receiver-busy' : 'receiver-failed';
  return {
    status: 'unavailable',
    reason,
    httpStatus,
    detail,
    ...defined({ retryAfterMs: waitMs }),
  };
}
