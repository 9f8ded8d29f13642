import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib';
import { CERTIFICATE_CHAIN_TYPE, preparedBody } from './content.js';
import type { PublishOptions, ServerAnswer, ServerFault } from './content.js';

/** What an answer may need of the server around it. */
export interface Exchange {
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
      clearTimeout(timer);
      response.off('close', done);
      closed.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
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
