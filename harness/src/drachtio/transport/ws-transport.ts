import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { isUtf8 } from 'node:buffer';
import type { TimerClock } from '@hopback/sdk/internal/runtime';
import { STREAM_LIMITS } from '../message/parse-message.js';
import type { Connection, ConnectionLimits, Connections, TlsFiles } from './connections.js';
import { createConnections } from './connections.js';
import type { Endpoint, ListenerAddress, TransportFault, TransportUser } from './flow.js';

/** A listener for SIP over WebSocket. Peers connect to us; a WebSocket is never opened from here. */
export type WsTransport = Awaited<ReturnType<typeof openWsTransport>>;

/** What a WebSocket transport is made with. */
export interface WsTransportOptions {
  readonly listen: ListenerAddress;
  readonly clock: TimerClock;
  readonly connectionLimits: ConnectionLimits;
  /** Only for secure WebSockets. */
  readonly tls?: TlsFiles;
  /** Whether the port is that of a TCP listener, which hands connections over. */
  readonly isShared?: boolean;
}

/**
 * Listens for WebSockets with the subprotocol `sip`. Each frame is one message.
 * @throws Error of Node when the address cannot be bound, or the TLS files are unusable
 * @see RFC 7118
 */
export async function openWsTransport(options: WsTransportOptions, user: TransportUser) {
  const { tls, listen } = options;
  const connections = createConnections(options.clock, options.connectionLimits);
  const http: Server =
    tls === undefined ? createHttpServer() : createHttpsServer({ key: tls.keyPem, cert: tls.certificatePem });
  // Before there is a WebSocketServer: it would rethrow the error of a port that is taken, and end the process.
  if (options.isShared !== true) {
    http.listen({ host: listen.address, port: listen.port, ipv6Only: listen.address.includes(':') });
    await once(http, 'listening');
  }
  const server = new WebSocketServer({
    server: http,
    maxPayload: STREAM_LIMITS.maxMessageBytes,
    perMessageDeflate: false,
    handleProtocols: (protocols) => (protocols.has('sip') ? 'sip' : false),
    verifyClient: ({ req }: { readonly req: { readonly headers: NodeJS.Dict<string | string[]> } }) =>
      String(req.headers['sec-websocket-protocol'] ?? '')
        .split(',')
        .some((protocol) => protocol.trim() === 'sip'),
  });
  const bound = http.address();
  const local = {
    address: listen.address,
    port: typeof bound === 'object' && bound !== null ? bound.port : listen.port,
  };
  const transport: ConnectionParts['transport'] = tls === undefined ? 'ws' : 'wss';
  server.on('connection', (socket, request) => {
    const { remoteAddress = '', remotePort = 0 } = request.socket;
    const remote = { address: remoteAddress.replace(/^::ffff:/, ''), port: remotePort };
    const reached = { address: listen.addressTowards(remote.address), port: local.port };
    const connection = new WsConnection(socket, {
      transport,
      remote,
      local: reached,
      connections,
      user,
      options,
    });
    if (connections.add(connection)) connection.start();
  });
  return {
    transport,
    local,
    /** The connection of a peer, or undefined. */
    openFlow: (remote: Endpoint): Connection | undefined => {
      const connection = connections.find(remote);
      return connection?.isOpen() === true ? connection : undefined;
    },
    connectionCount: connections.size,
    /** Takes a connection that somebody else accepted and that begins as HTTP does. */
    adopt: (socket: Socket) => void http.emit('connection', socket),
    close: async () => {
      connections.close();
      server.close();
      http.closeAllConnections();
      if (!http.listening) return;
      http.close();
      await once(http, 'close');
    },
  };
}

interface ConnectionParts {
  readonly transport: 'ws' | 'wss';
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly connections: Connections;
  readonly user: TransportUser;
  readonly options: WsTransportOptions;
}

class WsConnection implements Connection {
  readonly transport: 'ws' | 'wss';
  readonly isReliable = true;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly #socket: WebSocket;
  readonly #parts: ConnectionParts;
  #lastHeardMs: number;

  constructor(socket: WebSocket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.transport = parts.transport;
    this.remote = parts.remote;
    this.local = parts.local;
    this.#lastHeardMs = parts.options.clock.nowMs();
  }

  start(): void {
    const { clock } = this.#parts.options;
    const heard = (): void => {
      this.#lastHeardMs = clock.nowMs();
    };
    this.#socket.on('message', (data) => {
      heard();
      this.#read(latin1(data));
    });
    this.#socket.on('ping', heard);
    this.#socket.on('pong', heard);
    this.#socket.on('error', () => this.#parts.user.onFault('bad-frame', this));
    this.#socket.on('close', () => {
      this.#parts.connections.remove(this);
      this.#parts.user.onClosed(this);
    });
  }

  readonly isOpen = (): boolean => this.#socket.readyState === this.#socket.OPEN;
  readonly lastHeardMs = (): number => this.#lastHeardMs;
  /** A frame comes whole or not at all, as far as we see. */
  readonly incompleteSinceMs = (): undefined => undefined;

  readonly send = (text: string, onError?: (error: Error) => void): void => {
    if (this.#socket.bufferedAmount > this.#parts.options.connectionLimits.maxBacklogBytes) this.drop('send-backlog');
    const octets = Buffer.from(text, 'latin1');
    // A text frame has to be UTF-8. @see RFC 6455 section 5.6
    this.#socket.send(octets, { binary: !isUtf8(octets) }, (error) => {
      if (error !== null && error !== undefined) onError?.(error);
    });
  };

  readonly end = (): void => {
    this.#socket.terminate();
  };

  readonly drop = (fault: TransportFault): void => {
    this.#parts.user.onFault(fault, this);
    this.#socket.terminate();
  };

  #read(text: string): void {
    // Keep-alives of RFC 7118 section 6 and RFC 5626 section 4.4.1.
    if (text === '\r\n\r\n') this.send('\r\n');
    else if (text !== '\r\n') this.#parts.user.onMessage(text, this);
  }
}

function latin1(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('latin1');
  return (data instanceof ArrayBuffer ? Buffer.from(data) : data).toString('latin1');
}
