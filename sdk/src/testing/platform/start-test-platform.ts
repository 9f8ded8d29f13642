import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { HopbackError } from '../../errors.js';
import type { TestPlatformOptions } from './assemble.js';

/** Settings of {@link TestPlatform.start}. */
export interface StartTestPlatformOptions extends Omit<TestPlatformOptions, 'baseUrl'> {
  /** How the connection is secured. Without it the platform is at `http:`, which clients take on this very machine alone. */
  readonly tls?: {
    /** PEM of the certificate of the server, for 127.0.0.1, with those that lead to its root behind it. */
    readonly certificate: string;
    /** PEM of its key. */
    readonly privateKey: string;
    /** PEM of who may issue certificates of clients: one is then asked for, and a connection without is refused. RFC 8705 */
    readonly clientCa?: string;
  };
  /** Default 0, any free one. */
  readonly port?: number;
}

/** Octets of a request that are read at all. */
const MAX_REQUEST_BYTES = 32 * 1_048_576;

/** Listens on a port of 127.0.0.1. */
export async function listenLocally({ tls, port = 0 }: Pick<StartTestPlatformOptions, 'tls' | 'port'>) {
  const sockets = new Set<Socket>();
  const server = tls === undefined ? createHttpServer() : httpsServer(tls);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  const opened = await listen(server, port);
  const baseUrl = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${opened}`;
  return {
    baseUrl,
    /** From here on requests are answered. */
    serve: (handle: Listener['handle']): void => {
      server.on('request', (request: IncomingMessage, response: ServerResponse) => {
        void answer(request, response, { baseUrl, handle });
      });
    },
    /** Takes no more connections. @returns cuts those that are open, and resolves when none is */
    stop: (): (() => Promise<void>) => {
      const ended = new Promise<void>((resolve) => void server.close(() => resolve()));
      return () => {
        for (const socket of sockets) socket.destroy();
        return ended;
      };
    },
  };
}

function httpsServer({ certificate, privateKey, clientCa }: NonNullable<StartTestPlatformOptions['tls']>): Server {
  const mutual = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const server = createHttpsServer({ cert: certificate, key: privateKey, ...mutual });
  // A client without a certificate is what some tests are about.
  server.on('tlsClientError', () => undefined);
  return server;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

interface Listener {
  readonly baseUrl: string;
  readonly handle: (request: Request) => Promise<Response>;
}

async function answer(request: IncomingMessage, response: ServerResponse, listener: Listener): Promise<void> {
  const leaving = new AbortController();
  response.on('close', () => leaving.abort());
  response.on('error', () => undefined);
  try {
    const answered = await listener.handle(await fetchRequest(request, listener.baseUrl, leaving.signal));
    if (answered.type === 'error') {
      request.socket.resetAndDestroy();
      return;
    }
    await write(answered, response);
  } catch {
    // Whatever broke within a body breaks the connection: what came is no answer.
    request.socket.destroy();
  }
}

async function fetchRequest(request: IncomingMessage, baseUrl: string, signal: AbortSignal): Promise<Request> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_REQUEST_BYTES) throw new HopbackError('invalid-argument', 'a request is too large');
    chunks.push(chunk);
  }
  const headers = new Headers();
  for (const [name, values] of Object.entries(request.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const method = request.method ?? 'GET';
  const body = sizeBytes === 0 ? {} : { body: Buffer.concat(chunks) };
  return new Request(new URL(request.url ?? '/', baseUrl), { method, headers, signal, ...body });
}

async function write(answered: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  if (answered.body === null) {
    response.end();
    return;
  }
  response.flushHeaders();
  const reader = answered.body.getReader();
  const leave = (): void => void reader.cancel().catch(() => undefined);
  response.on('close', leave);
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) response.write(chunk.value);
  response.off('close', leave);
  response.end();
}
