import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  deflateSync,
  gzipSync,
} from 'node:zlib';
import { schedule } from '../../core/runtime/clock.js';

/** How a body is served. */
export interface PublishOptions {
  /** Default `application/pem-certificate-chain`; `'absent'` sends none. */
  readonly contentType?: string;
  /** Value of Cache-Control; none by default. */
  readonly cacheControl?: string;
  /** Entity tag with its quotes, or `'hash'` for one made of the body. With one, `If-None-Match` is answered 304. */
  readonly etag?: string;
  /** Milliseconds since the epoch. With it, `If-Modified-Since` is answered 304. */
  readonly lastModifiedMs?: number;
  /** Default 200. */
  readonly status?: number;
  /** Applied whether or not the client accepts it; `'identity'` is said aloud. Default none. @see RFC 9110 section 8.4.1 */
  readonly contentEncoding?: 'identity' | 'gzip' | 'br' | 'deflate';
  /** Sends no Content-Length. */
  readonly chunked?: boolean;
  /** Further header fields. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A way for a server to misbehave.
 * - `status`: an error status. `redirect`, `meta-refresh`, `refresh-header`: sends the client elsewhere.
 * - `stall`: never answers. `stall-after-headers`, `stall-after`: goes silent later. `drip`: a few octets at a time.
 * - `oversized`: a body of that size. `endless`: a body without end. `compression-bomb`: small on the wire, huge inside.
 * - `truncated`: ends before Content-Length. `reset`: RST after so many octets of the body, before any answer where not
 *   given. `hang-up`: closes without an answer. `not-http`: other octets. `huge-headers`: a header section of that size.
 * - `false-encoding`: says gzip and sends plain text. `unknown-encoding`: a coding that nobody knows.
 */
export type ServerFault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly retryAfterSeconds?: number;
    }
  | {
      readonly kind: 'redirect';
      readonly status: 301 | 302 | 303 | 307 | 308;
      readonly location: string;
    }
  | { readonly kind: 'meta-refresh' | 'refresh-header'; readonly location: string }
  | { readonly kind: 'stall' | 'stall-after-headers' }
  | {
      readonly kind: 'stall-after';
      readonly body: string;
      readonly octets: number;
    }
  | {
      readonly kind: 'drip';
      readonly body?: string;
      readonly octets?: number;
      readonly intervalMs?: number;
    }
  | {
      readonly kind: 'oversized';
      readonly sizeBytes: number;
      readonly chunked?: boolean;
    }
  | { readonly kind: 'endless' }
  | {
      readonly kind: 'compression-bomb';
      readonly sizeBytes: number;
      readonly encoding?: 'gzip' | 'br' | 'deflate';
    }
  | {
      readonly kind: 'truncated';
      readonly body: string;
      readonly octets?: number;
    }
  | {
      readonly kind: 'reset';
      readonly body?: string;
      readonly afterOctets?: number;
    }
  | { readonly kind: 'hang-up' | 'not-http' }
  | { readonly kind: 'huge-headers'; readonly sizeBytes: number }
  | { readonly kind: 'false-encoding' | 'unknown-encoding'; readonly body: string };

/** One answer of a path: a body, or a fault. */
export type ServerAnswer =
  | {
      readonly kind: 'body';
      readonly body: string | Uint8Array;
      readonly options?: PublishOptions;
    }
  | ServerFault;

/** The media type of an x5u body. @see RFC 8226 section 7, RFC 8555 section 9.1 */
export const CERTIFICATE_CHAIN_TYPE = 'application/pem-certificate-chain';

/** Header fields and octets of a published body. */
function preparedBody(
  body: string | Uint8Array,
  options: PublishOptions,
): { readonly octets: Buffer; readonly headers: Readonly<Record<string, string>> } {
  const plain = Buffer.from(body as string);
  const octets = encode(plain, options.contentEncoding);
  const contentType = options.contentType ?? CERTIFICATE_CHAIN_TYPE;
  const etag = options.etag === 'hash' ? hashTag(plain) : options.etag;
  return {
    octets,
    headers: {
      ...(contentType === 'absent' ? {} : { 'content-type': contentType }),
      ...(options.cacheControl === undefined ? {} : { 'cache-control': options.cacheControl }),
      ...(etag === undefined ? {} : { etag }),
      ...(options.lastModifiedMs === undefined
        ? {}
        : { 'last-modified': new Date(options.lastModifiedMs).toUTCString() }),
      ...(options.contentEncoding === undefined ? {} : { 'content-encoding': options.contentEncoding }),
      ...(options.chunked === true ? {} : { 'content-length': String(octets.length) }),
      ...options.headers,
    },
  };
}

function encode(octets: Buffer, coding: PublishOptions['contentEncoding']): Buffer {
  if (coding === 'gzip') return gzipSync(octets);
  if (coding === 'br') return brotliCompressSync(octets);
  return coding === 'deflate' ? deflateSync(octets) : octets;
}

function hashTag(octets: Buffer): string {
  return `"${createHash('sha256').update(octets).digest('hex').slice(0, 32)}"`;
}

/** What an answer may need of the server around it. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborted when the server closes: nothing may outlive it. */
  readonly closed: AbortSignal;
}

/** Answers one request; resolves when nothing more is going to be sent. Never rejects. */
export async function answer(exchange: Exchange, what: ServerAnswer): Promise<void> {
  if (what.kind === 'body') return sendBody(exchange, what.body, what.options ?? {});
  await FAULTS[what.kind](exchange, what as never);
}

/** The member of the union that has this kind, also where it shares its shape with other kinds. */
type FaultOf<Kind extends ServerFault['kind'], Fault = ServerFault> = Fault extends { readonly kind: infer Kinds }
  ? Kind extends Kinds
    ? Fault
    : never
  : never;

const FAULTS: {
  readonly [Kind in ServerFault['kind']]: (exchange: Exchange, fault: FaultOf<Kind>) => void | Promise<void>;
} = {
  status: ({ response }, { status, body, retryAfterSeconds }) => {
    const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
    response.writeHead(status, { 'content-type': 'text/plain', ...retry }).end(body ?? '');
  },
  redirect: ({ response }, { status, location }) => void response.writeHead(status, { location }).end(),
  'meta-refresh': ({ response }, { location }) => {
    const page = `<html><head><meta http-equiv="refresh" content="0;url=${location}"></head></html>`;
    response.writeHead(200, { 'content-type': 'text/html' }).end(page);
  },
  'refresh-header': ({ response }, { location }) =>
    void response.writeHead(200, { 'content-type': 'text/plain', refresh: `0;url=${location}` }).end('moved'),
  stall: () => undefined,
  'stall-after-headers': ({ response }) => {
    response.writeHead(200, { 'content-type': CERTIFICATE_CHAIN_TYPE });
    response.flushHeaders();
  },
  'stall-after': ({ response }, { body, octets }) => {
    response.writeHead(200, {
      'content-type': CERTIFICATE_CHAIN_TYPE,
      'content-length': String(Buffer.byteLength(body)),
    });
    response.write(Buffer.from(body).subarray(0, octets));
  },
  drip,
  oversized: (exchange, { sizeBytes, chunked }) => {
    const length = chunked === true ? {} : { 'content-length': String(sizeBytes) };
    exchange.response.writeHead(200, { 'content-type': CERTIFICATE_CHAIN_TYPE, ...length });
    return stream(exchange, filler(sizeBytes));
  },
  endless: (exchange) => {
    exchange.response.writeHead(200, { 'content-type': CERTIFICATE_CHAIN_TYPE });
    return stream(exchange, filler(Number.POSITIVE_INFINITY));
  },
  'compression-bomb': (exchange, { sizeBytes, encoding }) => {
    const coding = encoding ?? 'gzip';
    exchange.response.writeHead(200, { 'content-type': CERTIFICATE_CHAIN_TYPE, 'content-encoding': coding });
    // The default brotli quality takes seconds for what a low one does as well on a single repeated octet.
    const compress = {
      gzip: createGzip,
      br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }),
      deflate: createDeflate,
    }[coding];
    return stream(exchange, filler(sizeBytes), compress());
  },
  truncated: ({ request, response }, { body, octets }) => {
    const whole = Buffer.from(body);
    response.writeHead(200, { 'content-type': CERTIFICATE_CHAIN_TYPE, 'content-length': String(whole.length) });
    // The octets must have left before the socket is closed, or the client would see an empty answer.
    response.write(whole.subarray(0, octets ?? Math.floor(whole.length / 2)), () => request.socket.end());
  },
  reset: ({ request, response }, { body, afterOctets }) => {
    if (afterOctets === undefined) return reset(request);
    const whole = Buffer.from(body ?? 'A'.repeat(afterOctets * 2));
    response.writeHead(200, { 'content-type': CERTIFICATE_CHAIN_TYPE, 'content-length': String(whole.length) });
    response.write(whole.subarray(0, afterOctets), () => reset(request));
  },
  'hang-up': ({ request }) => void request.socket.end(),
  'not-http': ({ request }) => void request.socket.end('220 mail.example ESMTP\r\n'),
  'huge-headers': ({ request }, { sizeBytes }) => {
    const field = `x-filler: ${'a'.repeat(1000)}\r\n`;
    const count = Math.ceil(sizeBytes / field.length);
    request.socket.end(`HTTP/1.1 200 OK\r\n${field.repeat(count)}content-length: 0\r\n\r\n`);
  },
  'false-encoding': ({ response }, { body }) => {
    response.writeHead(200, { 'content-type': CERTIFICATE_CHAIN_TYPE, 'content-encoding': 'gzip' }).end(body);
  },
  'unknown-encoding': ({ response }, { body }) => {
    response.writeHead(200, { 'content-type': CERTIFICATE_CHAIN_TYPE, 'content-encoding': 'x-unheard-of' }).end(body);
  },
};

function sendBody({ request, response }: Exchange, body: string | Uint8Array, options: PublishOptions): void {
  const { octets, headers } = preparedBody(body, options);
  if (isUnchanged(request, headers)) {
    const { etag, 'cache-control': cacheControl } = headers;
    const kept = {
      ...(etag === undefined ? {} : { etag }),
      ...(cacheControl === undefined ? {} : { 'cache-control': cacheControl }),
    };
    response.writeHead(304, kept).end();
    return;
  }
  response.writeHead(options.status ?? 200, headers);
  if (options.chunked === true) response.write(octets.subarray(0, octets.length >> 1));
  response.end(options.chunked === true ? octets.subarray(octets.length >> 1) : octets);
}

/** @see RFC 9110 section 13.2.2 */
function isUnchanged(request: IncomingMessage, headers: Readonly<Record<string, string>>): boolean {
  const tags = request.headers['if-none-match'];
  if (tags !== undefined && headers['etag'] !== undefined) {
    return tags.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === headers['etag']);
  }
  const since = request.headers['if-modified-since'];
  const modified = headers['last-modified'];
  return since !== undefined && modified !== undefined && Date.parse(modified) <= Date.parse(since);
}

async function drip(exchange: Exchange, fault: FaultOf<'drip'>): Promise<void> {
  const { response, closed } = exchange;
  const body = Buffer.from(fault.body ?? 'A'.repeat(1024));
  const step = fault.octets ?? 1;
  response.writeHead(200, { 'content-type': CERTIFICATE_CHAIN_TYPE, 'content-length': String(body.length) });
  for (let sent = 0; sent < body.length; sent += step) {
    response.write(body.subarray(sent, sent + step));
    await pause(fault.intervalMs ?? 1000, response, closed);
    if (response.destroyed || closed.aborted) return;
  }
  response.end();
}

/** Waits, but no longer than the client and the server live. */
function pause(ms: number, response: ServerResponse, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      response.off('close', done);
      closed.removeEventListener('abort', done);
      resolve();
    };
    const cancel = schedule(done, ms);
    response.once('close', done);
    closed.addEventListener('abort', done);
  });
}

/** Sends as fast as the client reads; a client that goes away ends it without an error. */
async function stream(exchange: Exchange, source: Readable, through?: NodeJS.ReadWriteStream): Promise<void> {
  const { response, closed } = exchange;
  const sent =
    through === undefined
      ? pipeline(source, response, { signal: closed })
      : pipeline(source, through, response, { signal: closed });
  await sent.catch(() => undefined);
}

function filler(sizeBytes: number): Readable {
  const block = Buffer.alloc(65_536, 'A');
  let left = sizeBytes;
  return new Readable({
    read() {
      const size = Math.min(left, block.length);
      left -= size;
      this.push(size === 0 ? null : block.subarray(0, size));
    },
  });
}

/** RST where there is a plain socket; under TLS the socket below is not reachable, so it is destroyed, which cuts it off. */
function reset(request: IncomingMessage): void {
  const { socket } = request;
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}
