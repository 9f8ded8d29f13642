import { createHash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { HopbackError } from '@hopback/sdk/errors';
import { every, schedule } from '@hopback/sdk/internal';
import type { ConnectionFacts, PlatformApp } from './platform-app.js';

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

/** A server that listens. */
export interface HttpServer {
  readonly port: number;
  /** Takes no more connections, waits for what is worked on, and ends what is left. */
  readonly close: () => Promise<void>;
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
export async function startHttpServer(options: HttpServerOptions, app: () => PlatformApp): Promise<HttpServer> {
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
  return { port: (server.address() as AddressInfo).port, close: () => (closing ??= shut()) };
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
