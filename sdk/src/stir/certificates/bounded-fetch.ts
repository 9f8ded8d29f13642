import type { IncomingHttpHeaders } from 'node:http';
import { openConnection, type ConnectionOptions } from './bounded-connection.js';
import { getOverSocket, type HttpGetResult } from './bounded-response.js';
import type { X5uFailure, X5uRefusal } from './repository.js';
import { checkUrlText, type PermittedUrl, type UrlTextRules } from './x5u-url-policy.js';

/**
 * One deadline for name, connection, TLS, headers and body, milliseconds. A call waits for its certificate during post-dial
 * delay, of which two seconds is what callers take for a dead line.
 */
export const DEFAULT_FETCH_DEADLINE_MS = 2_000;

/** What a cached copy is compared by. @see RFC 9110 section 8.8 */
export interface CacheValidators {
  /** Entity tag as sent, with its quotes. */
  readonly etag?: string;
  /** `Last-Modified` as sent. */
  readonly lastModified?: string;
}

/** How {@link fetchBounded} fetches. */
export interface BoundedFetchOptions extends ConnectionOptions, UrlTextRules {
  /** Most bytes of the body, as sent and after decompression. */
  readonly maxBytes: number;
  /** From the look-up of the name to the last octet of the body, milliseconds. Default {@link DEFAULT_FETCH_DEADLINE_MS}. */
  readonly deadlineMs?: number;
  /** `Accept` header; default any type. */
  readonly accept?: string;
  /** Ask only for what differs from the copy with these validators. */
  readonly validators?: CacheValidators;
  /** Ask caches on the way to check with the origin. */
  readonly noCache?: boolean;
  /** Ends the fetch early, as the deadline does. */
  readonly signal?: AbortSignal;
}

/**
 * A fetch that brought a body, found nothing newer, was refused by policy, or failed. `headers` are those of the response by lower-case
 * name, `body` is decompressed, `remoteAddress` is the IP address of the connected socket, `detail` is for people.
 */
export type BoundedFetchResult =
  | {
      readonly status: 'fetched';
      readonly url: string;
      readonly body: Uint8Array;
      readonly headers: IncomingHttpHeaders;
      readonly remoteAddress: string;
    }
  | {
      readonly status: 'not-modified';
      readonly url: string;
      readonly headers: IncomingHttpHeaders;
      readonly remoteAddress: string;
    }
  | { readonly status: 'refused'; readonly url: string; readonly reason: X5uRefusal; readonly detail: string }
  | {
      readonly status: 'failed';
      readonly url: string;
      readonly reason: X5uFailure;
      readonly detail: string;
      readonly httpStatus?: number;
      /** `Retry-After` of the response, as sent. */
      readonly retryAfter?: string;
    };

/**
 * Fetches one URL under the text policy, the address policy, one deadline and one size limit: the way that certificates,
 * trust lists and CRLs come in. No redirects, no proxy, no cookies, no connection kept.
 * @param url - the URL text; checked here again
 * @param options - limits and policy
 * @returns the body, unparsed and untrusted, or why there is none. Never rejects and never throws for peer input.
 * @see ATIS-1000074, RFC 9110
 * @example
 * ```ts
 * const pki = await createTestPki();
 * await using server = await startCertificateServer();
 * const url = server.publish('/sti-pa.crl', pki.crl().der);
 * const fetched = await fetchBounded(url, {
 *   maxBytes: CRL_MAX_BYTES,
 *   // For a server on loopback; servers out there need neither.
 *   allow: { addresses: ['127.0.0.1'], ports: [server.ports.https] },
 *   ca: server.tlsRootPem,
 * });
 * if (fetched.status === 'fetched') console.log(parseCrl(fetched.body).status); // parsed
 * else console.log(fetched.status);
 * ```
 */
export async function fetchBounded(url: string, options: BoundedFetchOptions): Promise<BoundedFetchResult> {
  const checked = checkUrlText(url, options);
  if (checked.status === 'refused') return checked;
  const deadline = startDeadline(options.deadlineMs ?? DEFAULT_FETCH_DEADLINE_MS, options.signal);
  try {
    return await fetchPermitted(checked, options, deadline.signal);
  } catch (error) {
    return {
      status: 'failed',
      url,
      reason: 'connect-failed',
      detail: error instanceof Error ? error.message.slice(0, 200) : 'unknown error',
    };
  } finally {
    deadline.stop();
  }
}

async function fetchPermitted(
  url: PermittedUrl,
  options: BoundedFetchOptions,
  signal: AbortSignal,
): Promise<BoundedFetchResult> {
  const connection = await openConnection(url, options, signal);
  if (signal.aborted && connection.status !== 'refused') {
    if (connection.status === 'connected') connection.socket.destroy();
    return { status: 'failed', url: url.url, reason: 'timeout', detail: 'deadline reached' };
  }
  if (connection.status !== 'connected') return { ...connection, url: url.url };
  const headers = requestHeaders(options);
  const response = await getOverSocket(connection.socket, { url, headers, maxBytes: options.maxBytes }, signal);
  return resultOf(url.url, response, options.validators !== undefined, connection.remoteAddress);
}

function resultOf(
  url: string,
  response: HttpGetResult,
  conditional: boolean,
  remoteAddress: string,
): BoundedFetchResult {
  if (response.status === 'failed') return { ...response, url };
  if (response.httpStatus === 200)
    return { status: 'fetched', url, body: response.body, headers: response.headers, remoteAddress };
  if (conditional) return { status: 'not-modified', url, headers: response.headers, remoteAddress };
  return {
    status: 'failed',
    url,
    reason: 'http-status',
    detail: 'HTTP 304 to an unconditional request',
    httpStatus: 304,
  };
}

function requestHeaders(options: BoundedFetchOptions): Record<string, string> {
  const headers: Record<string, string> = { accept: options.accept ?? '*/*' };
  if (options.validators?.etag !== undefined) headers['if-none-match'] = options.validators.etag;
  if (options.validators?.lastModified !== undefined) headers['if-modified-since'] = options.validators.lastModified;
  if (options.noCache === true) headers['cache-control'] = 'no-cache';
  return headers;
}

/** A signal that aborts at the deadline or when the outer signal does; `stop` ends the timer. */
export function startDeadline(
  deadlineMs: number,
  outer: AbortSignal | undefined,
): { readonly signal: AbortSignal; readonly stop: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, deadlineMs);
  timer.unref();
  if (outer?.aborted === true) abort();
  outer?.addEventListener('abort', abort, { once: true });
  const stop = (): void => {
    clearTimeout(timer);
    outer?.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, stop };
}
