import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { errorText } from './bounded-connection.js';
import type { X5uFailure } from './repository.js';
import type { PermittedUrl } from './x5u-url-policy.js';

/** Most bytes of a response's header section: twice what a repository behind a content network sends. */
export const MAX_RESPONSE_HEADER_BYTES = 8_192;

/** Most 1xx responses before the final one: one is usual (103), a flood of them is a way to keep us reading. */
export const MAX_INFORMATIONAL_RESPONSES = 4;

/** What is asked for. */
export interface HttpGet {
  readonly url: PermittedUrl;
  readonly headers: Readonly<Record<string, string>>;
  /** Most bytes of the body, both as sent and after decompression. */
  readonly maxBytes: number;
}

/** A final response with status 200 or 304, its body bounded and decoded; or why there is none. */
export type HttpGetResult =
  | {
      readonly status: 'response';
      readonly httpStatus: 200 | 304;
      readonly headers: IncomingHttpHeaders;
      readonly body: Uint8Array;
    }
  | {
      readonly status: 'failed';
      readonly reason: X5uFailure;
      readonly detail: string;
      readonly httpStatus?: number;
      readonly retryAfter?: string;
    };

/**
 * One HTTP/1.1 GET over a connected socket, which is destroyed afterwards: no agent, no redirects, no cookies, no proxy.
 * @param socket - connected (and secured) socket
 * @param get - target, headers and bound
 * @param signal - the one deadline
 * @returns the response, or why there is none. Never rejects.
 * @see RFC 9110 section 15, RFC 9112
 */
export async function getOverSocket(socket: Socket, get: HttpGet, signal: AbortSignal): Promise<HttpGetResult> {
  try {
    return await exchange(socket, get, signal);
  } finally {
    socket.destroy();
  }
}

function exchange(socket: Socket, get: HttpGet, signal: AbortSignal): Promise<HttpGetResult> {
  return new Promise((resolve) => {
    const onAbort = (): void => finish(failed('timeout', 'deadline reached'));
    const finish = (result: HttpGetResult): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(result);
      outgoing.destroy();
    };
    const outgoing = request({
      createConnection: () => socket,
      method: 'GET',
      host: get.url.host,
      port: get.url.port,
      path: get.url.target,
      setHost: false,
      headers: { host: hostHeader(get.url), connection: 'close', 'accept-encoding': 'identity', ...get.headers },
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      insecureHTTPParser: false,
    });
    let informational = 0;
    let responded = false;
    outgoing.on('information', () => {
      informational += 1;
      if (informational > MAX_INFORMATIONAL_RESPONSES)
        finish(failed('http-status', 'too many informational responses'));
    });
    outgoing.on('error', (error) => finish(failureOf(error, responded)));
    outgoing.on('close', () => {
      if (!responded) finish(failed('connect-failed', 'connection closed before a response'));
    });
    outgoing.on('response', (incoming) => {
      responded = true;
      // Whoever is first resolves: the body, an error of the exchange, or the deadline.
      readResponse(incoming, get.maxBytes).then(finish, (error: unknown) =>
        finish(failed('body-malformed', errorText(error))),
      );
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else outgoing.end();
  });
}

function hostHeader(url: PermittedUrl): string {
  const host = url.literal === 6 ? `[${url.host}]` : url.host;
  return url.port === (url.scheme === 'https' ? 443 : 80) ? host : `${host}:${url.port}`;
}

/** An error of the HTTP parser speaks of the head or of the body, every other one of the connection. */
function failureOf(error: Error, responded: boolean): HttpGetResult {
  const text = errorText(error);
  if (responded) return failed('body-malformed', `body cut short: ${text}`);
  return text.startsWith('HPE_')
    ? failed('http-status', `no acceptable HTTP response: ${text}`)
    : failed('connect-failed', text);
}

function failed(reason: X5uFailure, detail: string): HttpGetResult {
  return { status: 'failed', reason, detail };
}

async function readResponse(incoming: IncomingMessage, maxBytes: number): Promise<HttpGetResult> {
  const status = incoming.statusCode ?? 0;
  if (status === 304) return { status: 'response', httpStatus: 304, headers: incoming.headers, body: new Uint8Array() };
  if (status >= 300 && status < 400)
    return { status: 'failed', reason: 'redirect', detail: `HTTP ${status}`, httpStatus: status };
  if (status !== 200) {
    const retryAfter = incoming.headers['retry-after'];
    return {
      status: 'failed',
      reason: 'http-status',
      detail: `HTTP ${status}`,
      httpStatus: status,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    };
  }
  const sent = await readBytes(incoming, maxBytes);
  if (!('bytes' in sent)) return sent;
  return decode(sent.bytes, incoming, maxBytes);
}

type Bytes = { readonly bytes: Uint8Array };

/** Reads until the end or until one byte too many. */
async function readBytes(
  incoming: IncomingMessage,
  maxBytes: number,
): Promise<Bytes | (HttpGetResult & { readonly status: 'failed' })> {
  const tooLarge = { status: 'failed', reason: 'body-too-large', detail: `more than ${maxBytes} bytes` } as const;
  const announced = Number(incoming.headers['content-length'] ?? '0');
  if (announced > maxBytes) return tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) return tooLarge;
      chunks.push(chunk);
    }
  } catch (error) {
    return { status: 'failed', reason: 'body-malformed', detail: `body cut short: ${errorText(error)}` };
  }
  return { bytes: Buffer.concat(chunks) };
}

type Inflate = (
  bytes: Uint8Array,
  options: { readonly maxOutputLength: number },
  done: (error: Error | null, output: Buffer) => void,
) => void;

/** Content codings a server may use although identity was asked for. @see RFC 9110 section 8.4.1 */
function inflaterOf(coding: string, bytes: Uint8Array): Inflate | undefined {
  if (coding === 'gzip' || coding === 'x-gzip') return gunzip;
  if (coding === 'br') return brotliDecompress;
  // "deflate" is zlib format by the RFC, raw by the habit of some servers: a zlib header has method 8 in its low four bits.
  if (coding === 'deflate') return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflate : inflateRaw;
  return undefined;
}

function decode(bytes: Uint8Array, incoming: IncomingMessage, maxBytes: number): Promise<HttpGetResult> {
  const headers = incoming.headers;
  const coding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (coding === 'identity' || coding === '')
    return Promise.resolve({ status: 'response', httpStatus: 200, headers, body: bytes });
  const decompress = inflaterOf(coding, bytes);
  if (decompress === undefined)
    return Promise.resolve(failed('body-encoding', `content-encoding ${coding.slice(0, 40)}`));
  return new Promise((resolve) => {
    decompress(bytes, { maxOutputLength: maxBytes }, (error, body) => {
      if (error === null) resolve({ status: 'response', httpStatus: 200, headers, body });
      else if (errorText(error) === 'ERR_BUFFER_TOO_LARGE')
        resolve(failed('body-too-large', `more than ${maxBytes} bytes after ${coding}`));
      else resolve(failed('body-encoding', errorText(error)));
    });
  });
}
