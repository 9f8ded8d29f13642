import { EmitterImpl, TransportState } from 'sip.js';
import type { Core, Transport } from 'sip.js';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import { deferred, type Deferred } from './deferred.js';

/** What a transport is made with. */
export interface WebSocketTransportOptions {
  /** `ws://…`. */
  readonly server: string;
  /** Sees each message before sip.js does. */
  readonly onText: (text: string) => void;
  /** A message on which sip.js stumbled. */
  readonly onMessageFault: (cause: unknown) => void;
}

/** How long a server may take to accept a connection: three retransmissions of a TCP SYN. */
const CONNECT_MS = 10_000;

/** How long a server may take to say goodbye: it need only echo a frame. */
const CLOSE_MS = 1_000;

/** Largest message that is taken: as large as the embedded server takes one. */
const MAX_MESSAGE_BYTES = 1_048_576;

/** Normal closure. @see RFC 6455 section 7.4.1 */
const NORMAL_CLOSURE = 1_000;

/**
 * SIP over a WebSocket of `ws`, for sip.js: its own transport wants the `WebSocket` of a browser as a global. One message a frame.
 *
 * ```txt
 * Disconnected ──► Connecting ──► Connected ──► Disconnecting
 *      ▲                │             │               │
 *      └────────────────┴─────────────┴───────────────┘
 * ```
 *
 * @see RFC 7118
 */
export class WebSocketTransport implements Transport {
  readonly protocol = 'WS';
  readonly stateChange: EmitterImpl<TransportState> = new EmitterImpl<TransportState>();
  onConnect: (() => void) | undefined;
  onDisconnect: ((error?: Error) => void) | undefined;
  onMessage: ((message: string) => void) | undefined;
  readonly #options: WebSocketTransportOptions;
  #state = TransportState.Disconnected;
  #socket: WebSocket | undefined;
  #connecting: Deferred<void> | undefined;
  #disconnecting: Deferred<void> | undefined;

  constructor(_logger: Core.Logger, options: WebSocketTransportOptions) {
    this.#options = options;
  }

  get state(): TransportState {
    return this.#state;
  }

  isConnected(): boolean {
    return this.#state === TransportState.Connected;
  }

  connect(): Promise<void> {
    if (this.#state === TransportState.Connected) return Promise.resolve();
    if (this.#connecting !== undefined) return this.#connecting.promise;
    const connecting = deferred<void>();
    this.#connecting = connecting;
    this.#socket = this.#open();
    this.#enter(TransportState.Connecting);
    return connecting.promise;
  }

  disconnect(): Promise<void> {
    const socket = this.#socket;
    if (this.#state === TransportState.Disconnected || socket === undefined) return Promise.resolve();
    if (this.#disconnecting !== undefined) return this.#disconnecting.promise;
    const disconnecting = deferred<void>();
    this.#disconnecting = disconnecting;
    this.#enter(TransportState.Disconnecting);
    const timer = setTimeout(() => socket.terminate(), CLOSE_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.close(NORMAL_CLOSURE);
    return disconnecting.promise;
  }

  dispose(): Promise<void> {
    return this.disconnect();
  }

  send(message: string): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined || this.#state !== TransportState.Connected) {
      return Promise.reject(new Error('not connected'));
    }
    return new Promise((resolve, reject) => {
      socket.send(message, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
  }

  #open(): WebSocket {
    const socket = new WebSocket(this.#options.server, 'sip', {
      handshakeTimeout: CONNECT_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      // One message a turn, as in browsers: sip.js answers an INVITE in steps, and drops a BYE that comes between two of them.
      allowSynchronousEvents: false,
    });
    let failure: Error | undefined;
    socket.on('open', () => {
      if (this.#state !== TransportState.Connecting) return;
      this.#enter(TransportState.Connected);
      this.onConnect?.();
      this.#connecting?.resolve();
      this.#connecting = undefined;
    });
    socket.on('message', (data, isBinary) => this.#read(data, isBinary));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', (code) => this.#closed(failure ?? new Error(`the server closed the WebSocket with ${code}`)));
    return socket;
  }

  #read(data: RawData, isBinary: boolean): void {
    const text = textOf(data, isBinary);
    // Answers to keep-alives. @see RFC 7118 section 6
    if (this.#state !== TransportState.Connected || text.trim() === '') return;
    try {
      this.#options.onText(text);
      this.onMessage?.(text);
    } catch (cause) {
      this.#options.onMessageFault(cause);
    }
  }

  #closed(error: Error): void {
    const wasConnected = this.#state !== TransportState.Connecting;
    const [connecting, disconnecting] = [this.#connecting, this.#disconnecting];
    this.#connecting = undefined;
    this.#disconnecting = undefined;
    this.#socket = undefined;
    this.#enter(TransportState.Disconnected);
    if (wasConnected) this.onDisconnect?.(disconnecting === undefined ? error : undefined);
    connecting?.reject(error);
    disconnecting?.resolve();
  }

  #enter(state: TransportState): void {
    this.#state = state;
    this.stateChange.emit(state);
  }
}

/** A frame with octets that are no UTF-8 is binary; read by octets, nothing of it is lost. */
function textOf(data: RawData, isBinary: boolean): string {
  const octets = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
  return octets.toString(isBinary ? 'latin1' : 'utf8');
}
