import { setMaxListeners } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  RequestListener,
  Server as HttpServer,
  ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { HopbackError } from '../../errors.js';
import type { X5uFailure } from '../../stir/index.js';
import type { TestCertificate } from '../test-key.js';
import { TestPki } from '../test-pki.js';
import { answer } from './answer.js';
import type { PublishOptions, ServerAnswer, ServerFault } from './answer.js';

/**
 * Doors of the certificate server; all lead to the same paths.
 * - `https`: a right TLS certificate. `http`: none. `https-wrong-name`: for another host. `https-untrusted`: self-signed.
 * - `https-expired`: out of date. `tls-silent`: accepts the connection and never says a word. `refused`: nobody listens.
 */
export type ServerListener =
  'https' | 'http' | 'https-wrong-name' | 'https-untrusted' | 'https-expired' | 'tls-silent' | 'refused';

/** Running listeners. */
type Listeners = Awaited<ReturnType<typeof startListeners>>;

/** What listeners are started with. */
interface ListenerOptions {
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
async function startListeners(options: ListenerOptions) {
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
    /** TCP connections open now. */
    openSockets: sockets.open,
    /** TCP connections accepted so far. */
    connections: sockets.accepted,
    /** Resolves when no connection is open. */
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

function createSocketRegister() {
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
    add: (socket: Socket) => {
      accepted += 1;
      open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => remove(socket));
    },
    open: () => open.size,
    accepted: () => accepted,
    idle: (): Promise<void> =>
      open.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.add(resolve)),
    destroyAll: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

/** One way in which a certificate cannot be had. */
export interface NamedServerFault {
  readonly description: string;
  /** Makes the answer. @param elsewhere - where redirects lead @param chainPem - a right body, to be spoilt */
  readonly fault: (
    elsewhere: string,
    chainPem: string,
  ) => ServerFault | { readonly kind: 'body'; readonly body: string };
  /** The listener through which it is met; default `https`. */
  readonly listener: ServerListener;
  /** The reason that a certificate repository gives; absent where several fit. */
  readonly expectedReasonHint?: X5uFailure;
}

/** The catalogue of repositories that fail, for tests that go through all of them. */
export const SERVER_FAULTS = faultTable({
  'status-204': status(204),
  'status-400': status(400),
  'status-401': status(401),
  'status-403': status(403),
  'status-404': status(404),
  'status-410': status(410),
  'status-429': status(429),
  'status-500': status(500),
  'status-503': status(503),
  'redirect-301': redirect(301),
  'redirect-302': redirect(302),
  'redirect-303': redirect(303),
  'redirect-307': redirect(307),
  'redirect-308': redirect(308),
  'meta-refresh': named('body-malformed', 'a page that sends browsers elsewhere', (location) => ({
    kind: 'meta-refresh',
    location,
  })),
  'refresh-header': named('body-malformed', 'a header that sends browsers elsewhere', (location) => ({
    kind: 'refresh-header',
    location,
  })),
  stall: named('timeout', 'never answers', () => ({ kind: 'stall' })),
  'stall-after-headers': named('timeout', 'goes silent after the headers', () => ({ kind: 'stall-after-headers' })),
  'stall-in-body': named('timeout', 'goes silent inside the body', (_, body) => ({
    kind: 'stall-after',
    body,
    octets: 100,
  })),
  drip: named('timeout', 'one octet a second', (_, body) => ({ kind: 'drip', body })),
  oversized: named('body-too-large', 'a body of 1 MiB', () => ({ kind: 'oversized', sizeBytes: 1_048_576 })),
  'oversized-chunked': named('body-too-large', 'a body of 1 MiB that does not say so', () => ({
    kind: 'oversized',
    sizeBytes: 1_048_576,
    chunked: true,
  })),
  endless: named('body-too-large', 'a body without end', () => ({ kind: 'endless' })),
  'gzip-bomb': bomb('gzip'),
  'brotli-bomb': bomb('br'),
  'deflate-bomb': bomb('deflate'),
  truncated: named(undefined, 'half of the body, then the end of the connection', (_, body) => ({
    kind: 'truncated',
    body,
  })),
  reset: named('connect-failed', 'cuts the connection instead of an answer', () => ({ kind: 'reset' })),
  'reset-in-body': named(undefined, 'cuts the connection inside the body', (_, body) => ({
    kind: 'reset',
    body,
    afterOctets: 100,
  })),
  'hang-up': named(undefined, 'closes the connection instead of an answer', () => ({ kind: 'hang-up' })),
  'not-http': named(undefined, 'speaks another protocol', () => ({ kind: 'not-http' })),
  'huge-headers': named(undefined, 'headers of 1 MiB', () => ({ kind: 'huge-headers', sizeBytes: 1_048_576 })),
  'false-encoding': named('body-encoding', 'says gzip and sends text', (_, body) => ({ kind: 'false-encoding', body })),
  'unknown-encoding': named('body-encoding', 'a content coding that nobody knows', (_, body) => ({
    kind: 'unknown-encoding',
    body,
  })),
  'not-pem': named('body-malformed', 'a body that is no certificate', () => ({
    kind: 'body',
    body: 'not a certificate\n',
  })),
  'empty-body': named('body-malformed', 'an empty body', () => ({ kind: 'body', body: '' })),
  'wrong-name': listenerFault('tls-failed', 'a TLS certificate for another host', 'https-wrong-name'),
  untrusted: listenerFault('tls-failed', 'a TLS certificate that nobody vouches for', 'https-untrusted'),
  expired: listenerFault('tls-failed', 'a TLS certificate that is out of date', 'https-expired'),
  'tls-silent': listenerFault('timeout', 'accepts the connection and never speaks', 'tls-silent'),
  refused: listenerFault('connect-failed', 'nobody listens', 'refused'),
});

/** Names of {@link SERVER_FAULTS}. */
export const SERVER_FAULT_NAMES = Object.keys(SERVER_FAULTS) as readonly ServerFaultName[];

/** Names of {@link SERVER_FAULTS}. */
export type ServerFaultName = keyof typeof SERVER_FAULTS;

function faultTable<Name extends string>(faults: Readonly<Record<Name, NamedServerFault>>): typeof faults {
  return faults;
}

/** Inside the bomb: 16 MiB, a thousand times the most that a client should accept, and still made in a tenth of a second. */
const BOMB_BYTES = 16_777_216;

function named(
  reason: X5uFailure | undefined,
  description: string,
  fault: NamedServerFault['fault'],
): NamedServerFault {
  return { description, fault, listener: 'https', ...(reason === undefined ? {} : { expectedReasonHint: reason }) };
}

function status(code: number): NamedServerFault {
  return named('http-status', `status ${code}`, () => ({ kind: 'status', status: code }));
}

function redirect(code: 301 | 302 | 303 | 307 | 308): NamedServerFault {
  return named('redirect', `redirect ${code}`, (location) => ({ kind: 'redirect', status: code, location }));
}

function bomb(encoding: 'gzip' | 'br' | 'deflate'): NamedServerFault {
  return named('body-too-large', `16 MiB behind ${encoding}`, () => ({
    kind: 'compression-bomb',
    sizeBytes: BOMB_BYTES,
    encoding,
  }));
}

function listenerFault(reason: X5uFailure, description: string, door: ServerListener): NamedServerFault {
  return { description, fault: (_, body) => ({ kind: 'body', body }), listener: door, expectedReasonHint: reason };
}

/** Settings of {@link CertificateServer.start}. */
export interface CertificateServerOptions {
  /** Issues the TLS certificates; default a PKI of its own, so that a server can be there before the PKI under test. */
  readonly pki?: TestPki;
  /** DNS names in the TLS certificate, beside `localhost`; the address that it is at is always in it. */
  readonly names?: readonly string[];
  /** Host written into URLs. Default `127.0.0.1`. */
  readonly host?: string;
  /** Port of the `https` listener; default 0, any free one. */
  readonly port?: number;
  /** Port of the `http` listener; default 0, any free one. */
  readonly httpPort?: number;
  /** Address that all doors are at, for clients on other machines. Default `127.0.0.1`, which none of them reaches. */
  readonly address?: string;
}

/** One request as it arrived. */
type ServedRequest = ReturnType<CertificateServer['requestLog']>[number];

/**
 * A repository of certificates, CRLs and trust lists on loopback, right or misbehaving by path: an HTTPS server, with further listeners that are wrong
 * in one way each. Close it, or take it with `await using`.
 * @see RFC 8226 section 7, RFC 8225 section 4.3
 * @example
 * ```ts
 * const provider = new TestPki().issueServiceProvider({ spc: '1234' });
 * await using server = await CertificateServer.start();
 * const x5u = server.publish('/1234.pem', provider.chainPem);
 * ```
 */
export class CertificateServer implements AsyncDisposable {
  /** Root of its TLS certificate, PEM: what a client must trust. */
  readonly tlsRootPem: string;
  readonly #host: string;
  readonly #closing = new AbortController();
  readonly #answers = new Map<string, { readonly answers: readonly ServerAnswer[]; served: number }>();
  readonly #log: ServedRequest[] = [];
  readonly #socketsByPath = new Map<string, Set<Socket>>();
  readonly #held = new Map<string, { readonly released: Promise<void>; readonly release: () => void }>();
  readonly #waiting = new Set<() => void>();
  #listeners!: Listeners;
  #closed: Promise<void> | undefined;

  private constructor(pki: TestPki, host: string) {
    this.tlsRootPem = pki.tlsRoot.certificatePem;
    this.#host = host;
    // Every slow answer listens for the end of the server, however many there are.
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * Starts a server, on 127.0.0.1 unless told otherwise.
   * @param options - names, host, address and ports; without any, free ports of 127.0.0.1
   * @returns the server, listening
   * @throws node's own error when a port cannot be opened
   */
  static async start(options: CertificateServerOptions = {}): Promise<CertificateServer> {
    const { pki = new TestPki({ label: 'Certificate Server' }), host = '127.0.0.1' } = options;
    const server = new CertificateServer(pki, host);
    server.#listeners = await startListeners({
      pki,
      names: ['localhost', ...(options.names ?? [])],
      ports: { https: options.port ?? 0, http: options.httpPort ?? 0 },
      address: options.address ?? '127.0.0.1',
      onRequest: (listener) => (request, response) => server.#take(request, response, listener),
    });
    return server;
  }

  /** Port of each listener. */
  get ports(): Readonly<Record<ServerListener, number>> {
    return this.#listeners.ports;
  }

  /** URL of a path through a listener; default `https`. */
  url(path: string, listener: ServerListener = 'https'): string {
    return `${listener === 'http' ? 'http' : 'https'}://${this.#host}:${this.ports[listener]}${checkedPath(path)}`;
  }

  /** Serves a body from now on, in place of whatever the path did before. Returns its https URL. */
  publish(path: string, body: string | Uint8Array, options: PublishOptions = {}): string {
    return this.sequence(path, [{ kind: 'body', body, options }]);
  }

  /** Makes a path misbehave from now on. Returns its https URL. */
  fault(path: string, fault: ServerFault): string {
    return this.sequence(path, [fault]);
  }

  /**
   * Sets up a fault of {@link SERVER_FAULTS} on a path of its own and returns the URL through which it is met.
   * @param chainPem - the right body that is spoilt, or that stands behind a wrong door
   */
  namedFault(name: ServerFaultName, chainPem: string): string {
    const { fault, listener } = SERVER_FAULTS[name];
    // Where redirects lead there is a right chain, so that a client that follows them is found out.
    const elsewhere = this.publish('/faults/elsewhere', chainPem);
    this.sequence(`/faults/${name}`, [fault(elsewhere, chainPem)]);
    return this.url(`/faults/${name}`, listener);
  }

  /** The n-th request of the path gets the n-th answer, the last one repeats: rotation, recovery. Returns its https URL. */
  sequence(path: string, answers: readonly ServerAnswer[]): string {
    this.#answers.set(checkedPath(path), { answers, served: 0 });
    return this.url(path);
  }

  /** Keeps every answer of a path back until the returned function is called. */
  hold(path: string): () => void {
    const existing = this.#held.get(path);
    if (existing !== undefined) return existing.release;
    let open: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (open = resolve));
    const release = (): void => {
      this.#held.delete(path);
      open();
    };
    this.#held.set(path, { released, release });
    return release;
  }

  /** Answers 404 again. */
  withdraw(path: string): void {
    this.#answers.delete(path);
  }

  /** How many requests a path has had, or all paths together. */
  requests(path?: string): number {
    return this.requestLog(path).length;
  }

  /** The requests of a path, or all of them, oldest first. */
  requestLog(path?: string): readonly {
    readonly path: string;
    readonly method: string;
    readonly headers: IncomingHttpHeaders;
    readonly listener: ServerListener;
  }[] {
    return path === undefined ? [...this.#log] : this.#log.filter((request) => request.path === path);
  }

  /** Resolves when a path has had so many requests. */
  requested(path: string, count: number): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.requests(path) < count) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Connections open now: all of them, or those on which a path was asked for. */
  openSockets(path?: string): number {
    return path === undefined ? this.#listeners.openSockets() : (this.#socketsByPath.get(path)?.size ?? 0);
  }

  /** Connections accepted so far, those without a request included. */
  connections(): number {
    return this.#listeners.connections();
  }

  /** Resolves when no connection is open. */
  idle(): Promise<void> {
    return this.#listeners.idle();
  }

  /** Cuts every connection, stops every timer and listener. May be called twice. */
  close(): Promise<void> {
    this.#closing.abort();
    this.#closed ??= this.#listeners.close();
    return this.#closed;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(request: IncomingMessage, response: ServerResponse, listener: ServerListener): void {
    const path = request.url ?? '/';
    this.#remember(request, { path, method: request.method ?? '', headers: request.headers, listener });
    response.on('error', () => undefined);
    const what = this.#nextAnswer(path);
    const ready = this.#held.get(path)?.released ?? Promise.resolve();
    const closed = this.#closing.signal;
    void ready.then(() => (response.destroyed ? undefined : answer({ request, response, closed }, what)));
  }

  #nextAnswer(path: string): ServerAnswer {
    const entry = this.#answers.get(path);
    const what = entry?.answers[Math.min(entry.served, entry.answers.length - 1)];
    if (entry === undefined || what === undefined) return { kind: 'status', status: 404, body: 'not found' };
    entry.served += 1;
    return what;
  }

  #remember({ socket }: IncomingMessage, served: ServedRequest): void {
    const sockets = this.#socketsByPath.get(served.path) ?? new Set();
    this.#socketsByPath.set(served.path, sockets);
    if (!sockets.has(socket)) {
      sockets.add(socket);
      // A connection that stays open may ask for any number of paths.
      socket.setMaxListeners(0);
      socket.once('close', () => void sockets.delete(socket));
    }
    this.#log.push(served);
    for (const check of [...this.#waiting]) check();
  }
}

function checkedPath(path: string): string {
  if (path.startsWith('/')) return path;
  throw new HopbackError('invalid-argument', 'a path of the certificate server begins with "/"');
}
