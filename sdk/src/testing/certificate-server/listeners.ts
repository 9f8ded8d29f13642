import { createServer as createHttpServer } from 'node:http';
import type { RequestListener, Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { TestCertificate } from '../test-certificate.js';
import type { TestPki } from '../test-pki.js';

/**
 * Doors of the certificate server; all lead to the same paths.
 * - `https`: a right TLS certificate. `http`: none. `https-wrong-name`: for another host. `https-untrusted`: self-signed.
 * - `https-expired`: out of date. `tls-silent`: accepts the connection and never says a word. `refused`: nobody listens.
 */
export type ServerListener =
  'https' | 'http' | 'https-wrong-name' | 'https-untrusted' | 'https-expired' | 'tls-silent' | 'refused';

/** Running listeners. */
export interface Listeners {
  readonly ports: Readonly<Record<ServerListener, number>>;
  /** TCP connections open now. */
  readonly openSockets: () => number;
  /** TCP connections accepted so far. */
  readonly connections: () => number;
  /** Resolves when no connection is open. */
  readonly idle: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What listeners are started with. */
export interface ListenerOptions {
  readonly pki: TestPki;
  readonly names: readonly string[];
  /** Of those that have to be the same each time; 0 for any that is free. */
  readonly ports: Readonly<Record<'https' | 'http', number>>;
  readonly address: string;
  readonly onRequest: (listener: ServerListener) => RequestListener;
}

/** tcpmux: nothing has listened there for decades, and unlike a port just closed nobody else can be given it. */
const REFUSED_PORT = 1;

/** Starts every listener, each on a port of its own. */
export async function startListeners(options: ListenerOptions): Promise<Listeners> {
  const { pki, names, address, onRequest } = options;
  const subject = { names, addresses: [address] };
  const sockets = createSocketRegister();
  const servers = {
    https: httpsServer(pki.issueTls(subject), onRequest('https')),
    http: createHttpServer(onRequest('http')),
    'https-wrong-name': httpsServer(pki.issueTls({ names: ['elsewhere.example'] }), onRequest('https-wrong-name')),
    'https-untrusted': httpsServer(pki.issueTls({ ...subject, issuer: 'self' }), onRequest('https-untrusted')),
    'https-expired': httpsServer(
      pki.issueTls({ ...subject, notAfterMs: Date.UTC(2021, 0, 1) }),
      onRequest('https-expired'),
    ),
    'tls-silent': createTcpServer((socket) => void socket.resume().on('error', () => undefined)),
  };
  const started = Object.entries(servers).map(async ([name, server]) => {
    server.on('connection', sockets.add);
    const port = name === 'https' || name === 'http' ? options.ports[name] : 0;
    return [name, await listen(server, { port, address })] as const;
  });
  const close = async (): Promise<void> => {
    const closed = Object.values(servers).map(closeServer);
    sockets.destroyAll();
    // A server is closed a moment before the plain sockets below TLS have said so.
    await Promise.all([...closed, sockets.idle()]);
  };
  // All or none: one listener left open would keep the process alive.
  const failed = (await Promise.allSettled(started)).find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  const ports = Object.fromEntries(await Promise.all(started)) as Record<keyof typeof servers, number>;
  return {
    ports: { ...ports, refused: REFUSED_PORT },
    openSockets: sockets.open,
    connections: sockets.accepted,
    idle: sockets.idle,
    close,
  };
}

function httpsServer(certificate: TestCertificate, onRequest: RequestListener): HttpServer {
  const server = createHttpsServer({ key: certificate.privateKeyPem, cert: certificate.chainPem }, onRequest);
  // A client that refuses the certificate is what several tests are about.
  server.on('tlsClientError', () => undefined);
  return server;
}

function listen(
  server: Server,
  { port, address }: { readonly port: number; readonly address: string },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}

interface SocketRegister {
  readonly add: (socket: Socket) => void;
  readonly open: () => number;
  readonly accepted: () => number;
  readonly idle: () => Promise<void>;
  readonly destroyAll: () => void;
}

function createSocketRegister(): SocketRegister {
  const open = new Set<Socket>();
  const waiting = new Set<() => void>();
  let accepted = 0;
  const remove = (socket: Socket): void => {
    open.delete(socket);
    if (open.size > 0) return;
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  return {
    // Both `connection` of https (the plain socket below TLS) and of http arrive here, so TLS in progress counts too.
    add: (socket) => {
      accepted += 1;
      open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => remove(socket));
    },
    open: () => open.size,
    accepted: () => accepted,
    idle: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.add(resolve))),
    destroyAll: () => {
      for (const socket of open) socket.destroy();
    },
  };
}
