import { setMaxListeners } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { HopbackError } from '../../errors.js';
import { createTestPki } from '../test-pki.js';
import type { TestPki } from '../test-pki.js';
import { answer } from './answer.js';
import type { PublishOptions, ServerAnswer, ServerFault } from './content.js';
import { startListeners } from './listeners.js';
import type { Listeners, ServerListener } from './listeners.js';
import { SERVER_FAULTS } from './named-faults.js';
import type { ServerFaultName } from './named-faults.js';

/** Settings of {@link startCertificateServer}. */
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
export interface ServedRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly listener: ServerListener;
}

/** A repository of certificates, CRLs and trust lists on loopback, right or misbehaving by path. */
export interface CertificateServer {
  /** Root of its TLS certificate, PEM: what a client must trust. */
  readonly tlsRootPem: string;
  readonly ports: Readonly<Record<ServerListener, number>>;
  /** URL of a path through a listener; default `https`. */
  readonly url: (path: string, listener?: ServerListener) => string;
  /** Serves a body from now on, in place of whatever the path did before. Returns its https URL. */
  readonly publish: (path: string, body: string | Uint8Array, options?: PublishOptions) => string;
  /** Makes a path misbehave from now on. Returns its https URL. */
  readonly fault: (path: string, fault: ServerFault) => string;
  /**
   * Sets up a fault of {@link SERVER_FAULTS} on a path of its own and returns the URL through which it is met.
   * @param chainPem - the right body that is spoilt, or that stands behind a wrong door
   */
  readonly namedFault: (name: ServerFaultName, chainPem: string) => string;
  /** The n-th request of the path gets the n-th answer, the last one repeats: rotation, recovery. Returns its https URL. */
  readonly sequence: (path: string, answers: readonly ServerAnswer[]) => string;
  /** Keeps every answer of a path back until the returned function is called. */
  readonly hold: (path: string) => () => void;
  /** Answers 404 again. */
  readonly withdraw: (path: string) => void;
  /** How many requests a path has had, or all paths together. */
  readonly requests: (path?: string) => number;
  /** The requests of a path, or all of them, oldest first. */
  readonly requestLog: (path?: string) => readonly ServedRequest[];
  /** Resolves when a path has had so many requests. */
  readonly requested: (path: string, count: number) => Promise<void>;
  /** Connections open now: all of them, or those on which a path was asked for. */
  readonly openSockets: (path?: string) => number;
  /** Connections accepted so far, those without a request included. */
  readonly connections: () => number;
  /** Resolves when no connection is open. */
  readonly idle: () => Promise<void>;
  /** Cuts every connection, stops every timer and listener. May be called twice. */
  readonly close: () => Promise<void>;
  /** As `close`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Starts an HTTPS server of certificates on 127.0.0.1 unless told otherwise, with further listeners that are wrong in one way each.
 * @param options - names, host, address and ports; without any, free ports of 127.0.0.1
 * @returns the server, listening; close it, or take it with `await using`
 * @throws node's own error when a port cannot be opened
 * @see RFC 8226 section 7, RFC 8225 section 4.3
 * @example
 * ```ts
 * const provider = (await createTestPki()).issueServiceProvider({ spc: '1234' });
 * await using server = await startCertificateServer();
 * const x5u = server.publish('/1234.pem', provider.chainPem);
 * ```
 */
export async function startCertificateServer(options: CertificateServerOptions = {}): Promise<CertificateServer> {
  const pki = options.pki ?? (await createTestPki({ label: 'Certificate Server' }));
  const host = options.host ?? '127.0.0.1';
  const closing = new AbortController();
  // Every slow answer listens for the end of the server, however many there are.
  setMaxListeners(0, closing.signal);
  const state = createState();
  const listeners = await startListeners({
    pki,
    names: ['localhost', ...(options.names ?? [])],
    ports: { https: options.port ?? 0, http: options.httpPort ?? 0 },
    address: options.address ?? '127.0.0.1',
    onRequest: (listener) => requestListener(state, listener, closing.signal),
  });
  const url = (path: string, listener: ServerListener = 'https'): string =>
    `${listener === 'http' ? 'http' : 'https'}://${host}:${listeners.ports[listener]}${checkedPath(path)}`;
  const answering = (path: string, answers: readonly ServerAnswer[]): string => {
    state.answers.set(checkedPath(path), { answers, served: 0 });
    return url(path);
  };
  const close = closeOnce(listeners, closing);
  return {
    tlsRootPem: pki.tlsRoot.certificatePem,
    ports: listeners.ports,
    url,
    publish: (path, body, content = {}) => answering(path, [{ kind: 'body', body, options: content }]),
    fault: (path, fault) => answering(path, [fault]),
    namedFault: (name, chainPem) => {
      const { fault, listener } = SERVER_FAULTS[name];
      // Where redirects lead there is a right chain, so that a client that follows them is found out.
      const elsewhere = answering('/faults/elsewhere', [{ kind: 'body', body: chainPem }]);
      answering(`/faults/${name}`, [fault(elsewhere, chainPem)]);
      return url(`/faults/${name}`, listener);
    },
    sequence: answering,
    hold: (path) => holdPath(state, path),
    withdraw: (path) => void state.answers.delete(path),
    requests: (path) => loggedRequests(state, path).length,
    requestLog: (path) => loggedRequests(state, path),
    requested: (path, count) => requestedTimes(state, path, count),
    openSockets: (path) => (path === undefined ? listeners.openSockets() : (state.socketsByPath.get(path)?.size ?? 0)),
    connections: listeners.connections,
    idle: listeners.idle,
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface ServerState {
  readonly answers: Map<string, { readonly answers: readonly ServerAnswer[]; served: number }>;
  readonly log: ServedRequest[];
  readonly socketsByPath: Map<string, Set<Socket>>;
  readonly held: Map<string, { readonly released: Promise<void>; readonly release: () => void }>;
  readonly waiting: Set<() => void>;
}

function createState(): ServerState {
  return { answers: new Map(), log: [], socketsByPath: new Map(), held: new Map(), waiting: new Set() };
}

function requestListener(state: ServerState, listener: ServerListener, closed: AbortSignal): RequestListener {
  return (request, response) => {
    const path = request.url ?? '/';
    rememberRequest(state, request, { path, method: request.method ?? '', headers: request.headers, listener });
    response.on('error', () => undefined);
    const what = nextAnswer(state, path);
    const ready = state.held.get(path)?.released ?? Promise.resolve();
    void ready.then(() => (response.destroyed ? undefined : answer({ request, response, closed }, what)));
  };
}

function nextAnswer(state: ServerState, path: string): ServerAnswer {
  const entry = state.answers.get(path);
  const what = entry?.answers[Math.min(entry.served, entry.answers.length - 1)];
  if (entry === undefined || what === undefined) return { kind: 'status', status: 404, body: 'not found' };
  entry.served += 1;
  return what;
}

function rememberRequest(state: ServerState, request: IncomingMessage, served: ServedRequest): void {
  const { socket } = request;
  const sockets = state.socketsByPath.get(served.path) ?? new Set();
  state.socketsByPath.set(served.path, sockets);
  if (!sockets.has(socket)) {
    sockets.add(socket);
    // A connection that stays open may ask for any number of paths.
    socket.setMaxListeners(0);
    socket.once('close', () => void sockets.delete(socket));
  }
  state.log.push(served);
  for (const check of [...state.waiting]) check();
}

function loggedRequests(state: ServerState, path: string | undefined): readonly ServedRequest[] {
  return path === undefined ? [...state.log] : state.log.filter((request) => request.path === path);
}

function requestedTimes(state: ServerState, path: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (loggedRequests(state, path).length < count) return;
      state.waiting.delete(check);
      resolve();
    };
    state.waiting.add(check);
    check();
  });
}

function holdPath(state: ServerState, path: string): () => void {
  const existing = state.held.get(path);
  if (existing !== undefined) return existing.release;
  let open: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (open = resolve));
  const release = (): void => {
    state.held.delete(path);
    open();
  };
  state.held.set(path, { released, release });
  return release;
}

function closeOnce(listeners: Listeners, closing: AbortController): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () => {
    closing.abort();
    closed ??= listeners.close();
    return closed;
  };
}

function checkedPath(path: string): string {
  if (path.startsWith('/')) return path;
  throw new HopbackError('invalid-argument', 'a path of the certificate server begins with "/"');
}
