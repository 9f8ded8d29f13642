import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { HopbackError } from '../../errors.js';
import type { TestPlatformOptions } from './assemble.js';
import { createTestPlatform } from './test-platform.js';
import type { TestPlatform } from './test-platform.js';

/** How the connection is secured. */
export interface TestPlatformTls {
  /** PEM of the certificate of the server, for 127.0.0.1, with those that lead to its root behind it. */
  readonly certificate: string;
  /** PEM of its key. */
  readonly privateKey: string;
  /** PEM of who may issue certificates of clients: one is then asked for, and a connection without is refused. RFC 8705 */
  readonly clientCa?: string;
}

/** Settings of {@link startTestPlatform}. */
export interface StartTestPlatformOptions extends Omit<TestPlatformOptions, 'baseUrl'> {
  /** Without it the platform is at `http:`, which clients take on this very machine alone. */
  readonly tls?: TestPlatformTls;
  /** Default 0, any free one. */
  readonly port?: number;
}

/** Octets of a request that are read at all. */
const MAX_REQUEST_BYTES = 32 * 1_048_576;

/**
 * Starts a test platform on a port of 127.0.0.1: the same as {@link createTestPlatform}, over real sockets.
 * @param options - those of the platform, and how the connection is secured
 * @returns the platform, listening; `baseUrl` has its port; close it, or take it with `await using`
 * @throws node's own error when the port cannot be opened, or a certificate cannot be read
 * @see RFC 9112, RFC 8705
 * @example
 * ```ts
 * await using platform = await startTestPlatform();
 * const { token } = platform.credentials('prv-birch');
 * const client = createPlatformClient({ baseUrl: platform.baseUrl, authorization: bearerToken(token) });
 * console.log((await client.tracebackRequests.list()).items); // []
 * ```
 */
export async function startTestPlatform(options: StartTestPlatformOptions = {}): Promise<TestPlatform> {
  const { tls, port = 0, ...rest } = options;
  const sockets = new Set<Socket>();
  // Whose address has the port in it, which is known once somebody listens.
  const behind: { platform?: TestPlatform } = {};
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (behind.platform !== undefined) void answer(behind.platform, request, response);
  };
  const server = tls === undefined ? createHttpServer(onRequest) : httpsServer(tls, onRequest);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  const opened = await listen(server, port);
  const baseUrl = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${opened}`;
  const made = createTestPlatform({ ...rest, baseUrl });
  behind.platform = made;
  let closing: Promise<void> | undefined;
  const shut = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => void server.close(() => resolve()));
    try {
      await made.close();
    } finally {
      for (const socket of sockets) socket.destroy();
      await ended;
    }
  };
  const close = (): Promise<void> => (closing ??= shut());
  return { ...made, close, [Symbol.asyncDispose]: close };
}

function httpsServer(
  { certificate, privateKey, clientCa }: TestPlatformTls,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const mutual = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const server = createHttpsServer({ cert: certificate, key: privateKey, ...mutual }, onRequest);
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

async function answer(platform: TestPlatform, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const leaving = new AbortController();
  response.on('close', () => leaving.abort());
  response.on('error', () => undefined);
  try {
    const answered = await platform.handle(await fetchRequest(platform, request, leaving.signal));
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

async function fetchRequest(platform: TestPlatform, request: IncomingMessage, signal: AbortSignal): Promise<Request> {
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
  return new Request(new URL(request.url ?? '/', platform.baseUrl), { method, headers, signal, ...body });
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

/** As much of `http` of msw as is needed: it is handed in, so that the kit loads where there is no msw. */
export interface MswHttp<Handler> {
  readonly all: (path: string, resolver: (info: { readonly request: Request }) => Promise<Response>) => Handler;
}

/**
 * Binds a test platform to msw: requests of this process to its address are answered by it. Never throws.
 * @param platform - who answers
 * @param options - `http` of msw; the address in place of the platform's own, without a slash at its end
 * @returns handlers for `setupServer`. Never throws
 * @see https://mswjs.io/docs/api/setup-server
 * @example
 * ```ts
 * // import { http } from 'msw'; import { setupServer } from 'msw/node';
 * const http = { all: (path: string) => path };
 * await using platform = createTestPlatform();
 * // setupServer(...platformHandlers(platform, { http })).listen();
 * console.log(platformHandlers(platform, { http })); // [ 'https://itg.example/*' ]
 * ```
 */
export function platformHandlers<Handler>(
  platform: TestPlatform,
  options: { readonly http: MswHttp<Handler>; readonly baseUrl?: string },
): readonly Handler[] {
  const { http, baseUrl = platform.baseUrl } = options;
  return [http.all(`${baseUrl}/*`, ({ request }) => platform.handle(request))];
}
