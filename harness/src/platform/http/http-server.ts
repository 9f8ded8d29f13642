import { createHash } from 'node:crypto';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { HopbackError } from '@hopback/sdk/errors';
import { createRouteMatcher, problemAnswer } from '@hopback/sdk/internal';
import { every, schedule } from '@hopback/sdk/internal/runtime';
import type { MatchedRoute, PlatformAnswer } from '@hopback/sdk/internal';
import { Hono } from 'hono';
import type { Caller, PlatformNotice, ServedRoute } from '../core/index.js';
import type { ExchangeParts } from './exchange.js';
import { carryOut, methodNotAllowed, SECURITY_FIELDS, tooOften, writeAnswer } from './exchange.js';

/** What the application is made of. */
export interface PlatformAppParts extends ExchangeParts {
  readonly routes: readonly ServedRoute[];
  readonly newId: (kind: string) => string;
  /** Path of the address that the platform is known by, without a slash at its end. */
  readonly basePath: string;
  /** Whether the platform can do its work: its database answers. */
  readonly isReady: () => Promise<boolean>;
  /** What operators have to know though the platform works. */
  readonly notices: () => readonly PlatformNotice[];
  /** Every route that is served, as an OpenAPI document. */
  readonly openApi: () => unknown;
}

/** What the server knows of a connection. */
interface ConnectionFacts {
  readonly address: string;
  /** Whether whoever asks is on this very machine: counts are for operators. */
  readonly isLocal: boolean;
  readonly certificateSha256?: string;
  readonly isSecure: boolean;
  /** Ends with the connection. */
  readonly signal: AbortSignal;
}

/** Answers requests. */
export type PlatformApp = (request: Request, connection: ConnectionFacts) => Promise<Response>;

/** What operators have to act on, in each answer to staff. */
const WARNING_FIELD = 'platform-warning';
const METHODS = ['GET', 'POST', 'DELETE'] as const;
/** Half a megabyte, for anybody: as much as ten ordinary requests. */
const OPEN_API_COST = 10;
/** RFC 6797: a year, as browsers want it; whoever calls the platform is none, mostly. */
const HSTS = 'max-age=31536000';

/** Makes the application: routes of the contract and of areas, and what operators look at. */
export function createPlatformApp(parts: PlatformAppParts): PlatformApp {
  const app = new Hono<{ Bindings: ConnectionFacts }>({ strict: true });
  const match = createRouteMatcher(parts.routes);
  const open = { requests: 0 };
  parts.metrics.gauge('hopback_http_requests_open', () => open.requests);
  parts.metrics.gauge('hopback_rate_buckets', () => parts.perAddress.size() + parts.perClient.size());

  app.on(['GET', 'HEAD'], '/livez', (context) => context.text('alive\n', 200, { ...SECURITY_FIELDS }));
  app.on(['GET', 'HEAD'], '/readyz', async (context) =>
    (await parts.isReady())
      ? context.text(['ready', ...parts.notices().map(({ text }) => text), ''].join('\n'), 200, { ...SECURITY_FIELDS })
      : context.text('not ready\n', 503, { ...SECURITY_FIELDS }),
  );
  app.on(['GET', 'HEAD'], '/metrics', (context) =>
    context.env.isLocal
      ? context.text(parts.metrics.text(), 200, { ...SECURITY_FIELDS, 'content-type': 'text/plain; version=0.0.4' })
      : writeAnswer(problemAnswer('not-found'), parts.newId('req')),
  );
  let document: string | undefined;
  app.on(['GET', 'HEAD'], ['/openapi.json', `${parts.basePath}/openapi.json`], (context) => {
    const refusal = tooOften(parts, context.env.address, OPEN_API_COST);
    if (refusal !== undefined) return writeAnswer(refusal, parts.newId('req'));
    document ??= JSON.stringify(parts.openApi());
    return context.body(document, 200, { ...SECURITY_FIELDS, 'content-type': 'application/json' });
  });
  app.all('*', (context) => respond(parts, match, context.req.raw, context.env));
  app.onError(() => writeAnswer(problemAnswer('internal'), parts.newId('req')));

  return async (request, connection) => {
    open.requests += 1;
    try {
      const response = await app.fetch(request, connection);
      if (connection.isSecure) response.headers.set('strict-transport-security', HSTS);
      return response;
    } finally {
      open.requests -= 1;
    }
  };
}

type Match = (method: string, pathname: string) => MatchedRoute<ServedRoute> | undefined;

async function respond(
  parts: PlatformAppParts,
  match: Match,
  request: Request,
  connection: ConnectionFacts,
): Promise<Response> {
  const httpRequestId = parts.newId('req');
  const startedMs = parts.context.clock.nowMs();
  const url = new URL(request.url);
  const pathname = belowBase(url.pathname, parts.basePath);
  const matched = match(request.method === 'HEAD' ? 'GET' : request.method, pathname);
  if (matched === undefined) return unmatched(parts, match, request, { pathname, httpRequestId });
  const { route } = matched;
  let isStaff = false;
  const onCaller = ({ kind }: Caller): void => void (isStaff = kind === 'staff');
  const answer = await carryOut(parts, {
    ...matched,
    ...connection,
    request,
    url,
    httpRequestId,
    onCaller,
  });
  const response = written(parts, answer, httpRequestId, route);
  for (const { text, isWarning } of isStaff ? parts.notices() : [])
    if (isWarning) response.headers.append(WARNING_FIELD, text);
  const labels = { operation: route.operationId };
  parts.metrics.count('hopback_http_requests_total', { ...labels, status: String(response.status) });
  parts.metrics.observe('hopback_http_request_seconds', (parts.context.clock.nowMs() - startedMs) / 1_000, labels);
  return request.method === 'HEAD' ? withoutBody(response) : response;
}

function written(parts: PlatformAppParts, answer: PlatformAnswer, httpRequestId: string, route: ServedRoute): Response {
  try {
    return writeAnswer(answer, httpRequestId, route);
  } catch {
    // A header field or value that cannot be written: of ours, since what peers sent is in neither.
    parts.context.log.error('an answer could not be written', { operation: route.operationId, httpRequestId });
    return writeAnswer(problemAnswer('internal'), httpRequestId);
  }
}

/** RFC 9110 sections 9.3.7 and 15.5.6 */
function unmatched(
  parts: PlatformAppParts,
  match: Match,
  request: Request,
  { pathname, httpRequestId }: { readonly pathname: string; readonly httpRequestId: string },
): Response {
  const there = METHODS.filter((method) => match(method, pathname) !== undefined);
  if (there.length === 0) {
    parts.metrics.count('hopback_http_requests_total', { operation: 'none', status: '404' });
    return writeAnswer(problemAnswer('not-found'), httpRequestId);
  }
  const allow = [...there, ...(there.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  if (request.method === 'OPTIONS')
    return new Response(null, { status: 204, headers: { ...SECURITY_FIELDS, 'request-id': httpRequestId, allow } });
  return methodNotAllowed(httpRequestId, allow);
}

const belowBase = (pathname: string, basePath: string): string =>
  basePath !== '' && pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : pathname;

function withoutBody(response: Response): Response {
  void response.body?.cancel().catch(() => undefined);
  return new Response(null, { status: response.status, headers: response.headers });
}

/** How the connection is secured. */
export interface PlatformTls {
  /** PEM of the certificate of the server, with those that lead to its root behind it. */
  readonly certificate: string;
  /** PEM of its key. */
  readonly privateKey: string;
  /** PEM of who may issue certificates of clients; one is then asked for. RFC 8705 */
  readonly clientCa?: string;
  /** Whether a connection without one is refused. Default true. */
  readonly requiresClientCertificate?: boolean;
}

/** Where and how is listened. */
export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: PlatformTls;
  /**
   * Proxies in front that write `X-Forwarded-For`: so many from the right are believed. Default 0: the field says nothing, since anybody
   * can send it.
   */
  readonly trustedProxies?: number;
  readonly drainMs?: number;
}

/** How long the head of a request may take, milliseconds: one packet, and a line that loses some. */
const HEADERS_TIMEOUT_MS = 15_000;
/** And the whole of it: longer than its body may take by itself. */
const REQUEST_TIMEOUT_MS = 90_000;
/** How long a connection is kept without a request, milliseconds: longer than load balancers keep theirs, which are 60 s by default. */
const KEEP_ALIVE_MS = 65_000;
/** How often is looked for connections that take too long. */
const CHECKING_MS = 5_000;
/** Connections at once: event streams of 7,000 providers, and others. */
const MAX_CONNECTIONS = 20_000;
/** Octets of the head of a request: a token and some fields. */
const MAX_HEADER_BYTES = 16_384;
/** How often a server that closes looks for connections that have become idle, milliseconds. */
const SWEEPING_MS = 50;
/** How long calls that are worked on may take when the server closes, milliseconds. */
const DRAIN_MS = 10_000;

/**
 * Listens.
 * @throws HopbackError `invalid-configuration` where the port cannot be opened or the certificate not be read
 */
export async function startHttpServer(options: HttpServerOptions, app: () => PlatformApp) {
  const { host, port, drainMs = DRAIN_MS } = options;
  const listener = getRequestListener(
    (request, { incoming, outgoing }) =>
      app()(request, connectionOf(incoming as IncomingMessage, outgoing as ServerResponse, options)),
    { overrideGlobalObjects: false, errorHandler: () => new Response(null, { status: 400 }) },
  );
  const connections = new Map<Socket, Connection>();
  const server = serverOf(options, (incoming, outgoing) => {
    const connection = connections.get(incoming.socket);
    if (connection !== undefined) {
      connection.calls += 1;
      outgoing.once('close', () => (connection.answered += 1));
    }
    void listener(incoming, outgoing);
  });
  server.maxConnections = MAX_CONNECTIONS;
  // Of one under TLS both: calls come over the one, and the other is there before it is agreed on.
  for (const event of ['connection', 'secureConnection'])
    server.on(event, (socket: Socket) => {
      connections.set(socket, { calls: 0, answered: 0 });
      socket.once('close', () => connections.delete(socket));
    });
  await listening(server, host, port);
  let closing: Promise<void> | undefined;
  const shut = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => void server.close(() => resolve()));
    const cancel = schedule(() => {
      for (const socket of connections.keys()) socket.destroy();
    }, drainMs);
    // The server knows as idle only what has ended a call of its own accord: not what was opened in advance, nor what a caller broke off.
    const endSweeping = every(() => {
      server.closeIdleConnections();
      for (const [socket, connection] of connections) if (isIdle(socket, connection)) socket.destroy();
    }, SWEEPING_MS);
    await ended;
    cancel();
    endSweeping();
  };
  return {
    port: (server.address() as AddressInfo).port,
    /** Takes no more connections, waits for what is worked on, and ends what is left. */
    close: () => (closing ??= shut()),
  };
}

/** What came over a connection. */
interface Connection {
  calls: number;
  answered: number;
}

/** Whether nothing is under way: all calls have been answered, or there was none yet. */
const isIdle = ({ bytesRead }: Socket, { calls, answered }: Connection): boolean =>
  calls === 0 ? bytesRead === 0 : calls === answered;

function serverOf(
  { tls }: HttpServerOptions,
  onRequest: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): Server {
  const limits: ServerOptions = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CHECKING_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    noDelay: true,
  };
  if (tls === undefined) return createHttpServer(limits, onRequest);
  const { certificate, privateKey, clientCa, requiresClientCertificate = true } = tls;
  try {
    return createHttpsServer(
      {
        ...limits,
        cert: certificate,
        key: privateKey,
        minVersion: 'TLSv1.2',
        ...(clientCa !== undefined && {
          ca: clientCa,
          requestCert: true,
          rejectUnauthorized: requiresClientCertificate,
        }),
      },
      onRequest,
    );
  } catch (cause) {
    throw new HopbackError('invalid-configuration', 'certificate and key of the server cannot be read', { cause });
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void =>
      reject(new HopbackError('invalid-configuration', 'the port of the platform cannot be opened', { cause }));
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      resolve();
    });
  });
}

function connectionOf(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { trustedProxies = 0 }: HttpServerOptions,
): ConnectionFacts {
  const { socket } = incoming;
  const direct = socket.remoteAddress ?? '';
  const address = forwardedAddress(incoming, trustedProxies) ?? direct;
  const certificateSha256 = certificateOf(socket);
  const leaving = new AbortController();
  outgoing.once('close', () => leaving.abort());
  return {
    address,
    // Behind a proxy of this machine everybody would be local.
    isLocal: isLoopback(direct) && incoming.headers['x-forwarded-for'] === undefined,
    isSecure: socket instanceof TLSSocket,
    signal: leaving.signal,
    ...(certificateSha256 !== undefined && { certificateSha256 }),
  };
}

function forwardedAddress({ headers }: IncomingMessage, trustedProxies: number): string | undefined {
  if (trustedProxies === 0) return undefined;
  const field = headers['x-forwarded-for'];
  const hops = (Array.isArray(field) ? field.join(',') : (field ?? '')).split(',').map((hop) => hop.trim());
  const found = hops.at(-trustedProxies);
  return found !== undefined && /^[0-9A-Fa-f.:]{2,45}$/.test(found) ? found : undefined;
}

const isLoopback = (address: string): boolean => /^(?:127\.|::1$|::ffff:127\.)/.test(address);

/** RFC 8705 section 3.1 */
function certificateOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { raw } = socket.getPeerCertificate();
  return raw === undefined ? undefined : createHash('sha256').update(raw).digest('base64url');
}
