import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { TimerClock } from '@hopback/sdk/internal/runtime';
import {
  createStreamFramer,
  type StreamEvent,
  type StreamFramer,
  type StreamLimits,
} from '../message/parse-message.js';
import type { Connection, ConnectionLimits, Connections, TlsFiles } from './connections.js';
import { createConnections } from './connections.js';
import type { Endpoint, ListenerAddress, TransportFault, TransportName, TransportUser } from './flow.js';

/** A listener for TCP or TLS, and the connections that it accepted or opened. */
export type StreamTransport = Awaited<ReturnType<typeof openStreamTransport>>;

/** What a stream transport is made with. */
export interface StreamTransportOptions {
  readonly listen: ListenerAddress;
  readonly clock: TimerClock;
  readonly streamLimits: StreamLimits;
  readonly connectionLimits: ConnectionLimits;
  /** Only for TLS. */
  readonly tls?: TlsFiles;
  /** Takes connections that begin as HTTP does, where WebSockets are awaited at the same port. */
  readonly onHttp?: ((socket: Socket) => void) | undefined;
}

/** What the stream transport hands up: messages come parsed, since the framing had to read them. */
export interface StreamUser extends Pick<TransportUser, 'onFault' | 'onClosed'> {
  readonly onStreamEvent: (event: StreamEvent, flow: Connection) => void;
}

/**
 * Listens for connections.
 * @throws Error of Node when the address cannot be bound, or the TLS files are unusable
 */
export async function openStreamTransport(options: StreamTransportOptions, user: StreamUser) {
  const { tls } = options;
  const connections = createConnections(options.clock, options.connectionLimits);
  const server: Server =
    tls === undefined ? createTcpServer() : createTlsServer({ key: tls.keyPem, cert: tls.certificatePem });
  const { port: wanted, address: host } = options.listen;
  server.listen({ host, port: wanted, ipv6Only: host.includes(':') });
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : wanted;
  const local: Endpoint = { address: host, port };
  const transport: Shared['transport'] = tls === undefined ? 'tcp' : 'tls';
  const shared: Shared = { transport, local, connections, user, options };
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) socket.destroy();
    else adopt(socket, { address: remoteAddress.replace(/^::ffff:/, ''), port: remotePort }, shared);
  });
  server.on('tlsClientError', (_error: Error, socket: Socket) => void socket.destroy());
  const openFlow = (remote: Endpoint): Connection | undefined => {
    const connection = connections.find(remote);
    return connection?.isOpen() === true ? connection : undefined;
  };
  return {
    transport,
    local,
    /** An open connection, or undefined. */
    openFlow,
    /** The connection to a peer: an open one, or one that is being opened and takes messages meanwhile. */
    flowTo: (remote: Endpoint): Connection => openFlow(remote) ?? adopt(dial(remote, tls), remote, shared),
    connectionCount: connections.size,
    close: async () => {
      connections.close();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Shared {
  readonly transport: Extract<TransportName, 'tcp' | 'tls'>;
  readonly local: Endpoint;
  readonly connections: Connections;
  readonly user: StreamUser;
  readonly options: StreamTransportOptions;
}

function dial(remote: Endpoint, tls: TlsFiles | undefined): Socket {
  const to = { host: remote.address, port: remote.port };
  if (tls === undefined) return connectTcp(to);
  return connectTls({
    ...to,
    ...(tls.caPem === undefined ? {} : { ca: tls.caPem }),
    rejectUnauthorized: tls.caPem !== undefined,
  });
}

function adopt(socket: Socket, remote: Endpoint, shared: Shared): Connection {
  const connection = new StreamConnection(socket, remote, shared);
  if (shared.connections.add(connection)) connection.start();
  return connection;
}

class StreamConnection implements Connection {
  readonly transport: Extract<TransportName, 'tcp' | 'tls'>;
  readonly isReliable = true;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #socket: Socket;
  readonly #shared: Shared;
  readonly #framer: StreamFramer;
  readonly #unsent = new Set<(error: Error) => void>();
  #lastHeardMs: number;
  #incompleteSinceMs: number | undefined;
  #failure: Error | undefined;
  /** Whether nothing has come yet. */
  #isFresh = true;

  constructor(socket: Socket, remote: Endpoint, shared: Shared) {
    this.#socket = socket;
    this.#shared = shared;
    this.remote = remote;
    this.local = { address: shared.options.listen.addressTowards(remote.address), port: shared.local.port };
    this.#framer = createStreamFramer(shared.options.streamLimits);
    this.transport = shared.transport;
    this.#lastHeardMs = shared.options.clock.nowMs();
  }

  start(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on('data', (octets: Buffer) => this.#read(octets.toString('latin1')));
    socket.on('error', (error) => {
      this.#failure = error;
    });
    // A peer that has no more to say gets no more from us: half-open connections are of no use to SIP.
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#closed());
  }

  readonly isOpen = (): boolean => !this.#socket.destroyed && this.#socket.writable;
  readonly lastHeardMs = (): number => this.#lastHeardMs;
  readonly incompleteSinceMs = (): number | undefined => this.#incompleteSinceMs;

  readonly send = (text: string, onError?: (error: Error) => void): void => {
    if (!this.isOpen()) {
      if (onError !== undefined) queueMicrotask(() => onError(this.#failure ?? new Error('the connection is closed')));
      return;
    }
    if (this.#socket.writableLength > this.#shared.options.connectionLimits.maxBacklogBytes) {
      this.drop('send-backlog');
      if (onError !== undefined) queueMicrotask(() => onError(new Error('the peer does not read')));
      return;
    }
    if (onError === undefined) {
      this.#socket.write(text, 'latin1');
      return;
    }
    this.#unsent.add(onError);
    // An error closes the connection, and closing tells those who wait.
    this.#socket.write(text, 'latin1', () => void (this.#failure === undefined && this.#unsent.delete(onError)));
  };

  readonly end = (): void => {
    this.#socket.destroy();
  };

  readonly drop = (fault: TransportFault): void => {
    this.#shared.user.onFault(fault, this);
    // After a fault of framing the answer that says so still has to leave; who does not read or speak is not waited for.
    if (fault === 'bad-content-length' || fault === 'message-too-large') this.#socket.destroySoon();
    else this.#socket.destroy();
  };

  #read(chunk: string): void {
    const { onHttp } = this.#shared.options;
    if (this.#isFresh && onHttp !== undefined && chunk.startsWith('GET ')) {
      this.#handOver(chunk, onHttp);
      return;
    }
    this.#isFresh = false;
    const nowMs = this.#shared.options.clock.nowMs();
    this.#lastHeardMs = nowMs;
    for (const event of this.#framer.push(chunk)) {
      if (event.kind === 'ping') this.send('\r\n');
      else this.#shared.user.onStreamEvent(event, this);
      if (event.kind === 'fault') this.drop(event.fault);
    }
    if (!this.#framer.isInMessage()) this.#incompleteSinceMs = undefined;
    else this.#incompleteSinceMs ??= nowMs;
  }

  #handOver(chunk: string, onHttp: (socket: Socket) => void): void {
    const socket = this.#socket;
    for (const event of ['data', 'error', 'end', 'close']) socket.removeAllListeners(event);
    this.#shared.connections.remove(this);
    socket.pause();
    socket.unshift(Buffer.from(chunk, 'latin1'));
    onHttp(socket);
    socket.resume();
  }

  #closed(): void {
    this.#shared.connections.remove(this);
    const error = this.#failure ?? new Error('the connection was closed');
    const waiting = [...this.#unsent];
    this.#unsent.clear();
    for (const tell of waiting) tell(error);
    this.#shared.user.onClosed(this);
  }
}
