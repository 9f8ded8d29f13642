import { HopbackError } from '@hopback/sdk/errors';
import { EmitterImpl, TransportState, UserAgent } from 'sip.js';
import type { Core, Invitation, SessionDescriptionHandler, Transport } from 'sip.js';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import { schedule } from '@hopback/sdk/internal/runtime';
import type { PhoneSettings } from './phone-settings.js';
import { deferred, headerTexts, secondWord } from './phone-call.js';
import type { Deferred, Registration } from './phone-call.js';

/**
 * Writes the description of a session without media: one audio stream towards the discard port, or what fits an offer that was
 * received: as many streams, the first that is audio taken as offered, all others declined. Never throws for peer input.
 * @param version - counts up with each description of one call
 * @param remote - what the other side described last
 * @see RFC 8866 section 5, RFC 3264 sections 5 and 6
 */
export function sessionDescription(version: number, remote?: string): string {
  const streams = remote === undefined ? OWN_STREAM : answeredStreams(remote);
  const lines = ['v=0', `o=- 1 ${version} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...streams];
  return `${lines.join('\r\n')}\r\n`;
}

const OWN_STREAM: readonly string[] = ['m=audio 9 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000', 'a=sendrecv'];

/** Streams of a description that are looked at; telephones offer one, conferences a handful. */
const MAX_STREAMS = 32;

/** What may be said to a direction that was offered. @see RFC 3264 section 6.1 */
const OPPOSITE: ReadonlyMap<string, string> = new Map([
  ['a=sendonly', 'a=recvonly'],
  ['a=recvonly', 'a=sendonly'],
  ['a=inactive', 'a=inactive'],
]);

function answeredStreams(remote: string): readonly string[] {
  const lines = remote.split(/\r\n|\r|\n/);
  const starts = lines.flatMap((line, index) => (line.startsWith('m=') ? [index] : [])).slice(0, MAX_STREAMS);
  if (starts.length === 0) return OWN_STREAM;
  const session = lines.slice(0, starts[0]);
  const streams = starts.map((start, index) => lines.slice(start, starts[index + 1]));
  const taken = streams.findIndex(([line = '']) => line.startsWith('m=audio ') && line.split(' ')[1] !== '0');
  return streams.flatMap((stream, index) => (index === taken ? acceptedStream(stream, session) : declined(stream)));
}

/** With the first format that was offered: that one the other side likes best. */
function acceptedStream(stream: readonly string[], session: readonly string[]): readonly string[] {
  const [, , protocol = 'RTP/AVP', format = '0'] = (stream[0] ?? '').split(' ');
  const mapping = stream.find((line) => line.startsWith(`a=rtpmap:${format} `));
  const offered = stream.find(isDirection) ?? session.find(isDirection) ?? '';
  return [
    `m=audio 9 ${protocol} ${format}`,
    ...(mapping === undefined ? [] : [mapping]),
    OPPOSITE.get(offered) ?? 'a=sendrecv',
  ];
}

function declined([line = '']: readonly string[]): readonly string[] {
  const [medium = 'm=audio', , protocol = 'RTP/AVP', format = '0'] = line.split(' ');
  return [`${medium} 0 ${protocol} ${format}`];
}

function isDirection(line: string): boolean {
  return OPPOSITE.has(line) || line === 'a=sendrecv';
}

const CONTENT_TYPE = 'application/sdp';

/** What stands in sip.js where a browser has its media: descriptions are exchanged as the protocol wants it, no sound is. */
function createSessionDescriptionHandler(): SessionDescriptionHandler {
  let version = 0;
  let remote: string | undefined;
  return {
    close: () => undefined,
    getDescription: () => {
      version += 1;
      return Promise.resolve({ body: sessionDescription(version, remote), contentType: CONTENT_TYPE });
    },
    hasDescription: (contentType) => contentType.toLowerCase().split(';')[0]?.trim() === CONTENT_TYPE,
    setDescription: (sdp) => {
      remote = sdp;
      return Promise.resolve();
    },
    sendDtmf: () => false,
  };
}

/** What a transport is made with. */
interface WebSocketTransportOptions {
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
class WebSocketTransport implements Transport {
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
    socket.once(
      'close',
      schedule(() => socket.terminate(), CLOSE_MS),
    );
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

/** What a user agent reports. */
interface UserAgentUser {
  readonly onInvite: (invitation: Invitation) => void;
  /** A provisional response to an INVITE of this phone, other than 100. */
  readonly onProgress: (callId: string) => void;
  /** The connection broke; not when it was ended from here. */
  readonly onLost: (cause: Error) => void;
  readonly onMessageFault: (cause: unknown) => void;
}

/**
 * sip.js would answer every call that rings for a minute with 480, by Node's clock. How long it rings is the caller's business and
 * the policy's; this is 23 days in seconds, nearly the longest that its timer takes.
 */
const NO_ANSWER_SECONDS = 2_000_000;

/** Makes a user agent of sip.js that is silent, has no media and serves one connection. */
export function createUserAgent(settings: PhoneSettings, user: UserAgentUser): UserAgent {
  const { address, number, displayName, credentials, server } = settings;
  const transportOptions: WebSocketTransportOptions = {
    server,
    onMessageFault: user.onMessageFault,
    onText: (text) => {
      const callId = progressOf(text);
      if (callId !== undefined) user.onProgress(callId);
    },
  };
  return new UserAgent({
    uri: address,
    // sip.js takes requests for the user of its address and for that of its contact: one of them is the number with +.
    contactName: number.startsWith('+') ? number.slice(1) : `+${number}`,
    ...(displayName === undefined ? undefined : { displayName }),
    ...(credentials === undefined
      ? undefined
      : { authorizationUsername: credentials.username, authorizationPassword: credentials.password }),
    delegate: {
      onInvite: user.onInvite,
      onDisconnect: (cause) => {
        if (cause !== undefined) user.onLost(cause);
      },
    },
    gracefulShutdown: false,
    logBuiltinEnabled: false,
    logConfiguration: false,
    noAnswerTimeout: NO_ANSWER_SECONDS,
    sendInitialProvisionalResponse: false,
    sessionDescriptionHandlerFactory: createSessionDescriptionHandler,
    transportConstructor: WebSocketTransport,
    transportOptions,
    userAgentString: 'Hopback phone',
  });
}

/**
 * The Call-ID of a provisional response to an INVITE. sip.js keeps those to itself that have no Contact, which RFC 3261 section 12.1.1
 * asks for and drachtio does not write.
 */
function progressOf(text: string): string | undefined {
  if (!text.startsWith('SIP/2.0 1') || secondWord(text) === '100') return undefined;
  const [cseq = ''] = headerTexts(text, 'CSeq');
  return cseq.endsWith('INVITE') ? headerTexts(text, 'Call-ID', 'i')[0] : undefined;
}

/** When a registration is renewed, of the time that was granted: early enough for an answer, and a second try by hand. */
const RENEWAL_SHARE = 0.9;

/** Longest lifetime that is believed: a day, which also keeps the timer within Node's. */
const MAX_GRANTED_SECONDS = 86_400;

/**
 * Registers one phone, by requests of its own: the registerer of sip.js starts anew at once, and again and again, where a registrar leaves
 * `expires` out of Contact, and never ends where it leaves Contact out.
 * @see RFC 3261 section 10.2
 */
export class PhoneRegistration {
  readonly #settings: PhoneSettings;
  readonly #userAgent: () => UserAgent;
  #series:
    | {
        readonly agent: UserAgent;
        readonly callId: string;
        readonly cseq: number;
      }
    | undefined;
  #isRegistered = false;
  #cancelRenewal: (() => void) | undefined;
  #pending: Deferred<Core.IncomingResponseMessage> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param userAgent - the one in use, or an error where there is none */
  constructor(settings: PhoneSettings, userAgent: () => UserAgent) {
    this.#settings = settings;
    this.#userAgent = userAgent;
  }

  /** @throws HopbackError as {@link Phone.register} */
  register(): Promise<Registration> {
    return this.#inTurn(() => this.#register());
  }

  unregister(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isRegistered) return;
      this.#stopRenewal();
      this.#isRegistered = false;
      await this.#request(0);
      this.#settings.tell({ event: 'unregistered' });
    });
  }

  isRegistered(): boolean {
    return this.#isRegistered;
  }

  /** The connection is gone: what was asked is not answered any more. Returns whether the phone was registered. */
  lost(why: HopbackError): boolean {
    const wasRegistered = this.#isRegistered;
    this.#isRegistered = false;
    this.#stopRenewal();
    this.#pending?.reject(why);
    return wasRegistered;
  }

  #stopRenewal(): void {
    this.#cancelRenewal?.();
    this.#cancelRenewal = undefined;
  }

  async #request(seconds: number): Promise<Registration> {
    const { registrar, address } = this.#settings;
    const agent = this.#userAgent();
    const contactUri = agent.contact.uri.toString();
    const { callId, cseq } = this.#series?.agent === agent ? this.#series : { callId: '', cseq: 0 };
    const message = agent.userAgentCore.makeOutgoingRequestMessage(
      'REGISTER',
      registrar,
      address,
      address,
      { callId, cseq: cseq + 1 },
      [`Contact: <${contactUri}>;expires=${seconds}`, `Expires: ${seconds}`],
    );
    const answer = deferred<Core.IncomingResponseMessage>();
    this.#pending = answer;
    const onFinal = (response: Core.IncomingResponse): void => answer.resolve(response.message);
    agent.userAgentCore.register(message, { onAccept: onFinal, onReject: onFinal, onRedirect: onFinal });
    const response = await answer.promise.finally(() => {
      this.#pending = undefined;
      // Counted up by sip.js where it answered a challenge.
      this.#series = { agent, callId: message.callId, cseq: message.cseq };
    });
    const status = response.statusCode ?? 0;
    if (status >= 300) throw refused(response);
    return { contactUri, expiresSeconds: grantedSeconds(response, contactUri) ?? seconds };
  }

  /** A second request has to wait for the answer to the first. @see RFC 3261 section 10.2 */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(() => task());
    this.#last = run.catch(() => undefined);
    return run;
  }

  #failed(cause: unknown): void {
    if (this.#isRegistered) this.#stopRenewal();
    this.#isRegistered = false;
    const status = cause instanceof HopbackError ? cause.details['status'] : undefined;
    const details = typeof status === 'number' ? { status } : undefined;
    this.#settings.tell({ event: 'registration-failed', cause, ...details });
  }

  async #register(): Promise<Registration> {
    this.#stopRenewal();
    try {
      const granted = await this.#request(this.#settings.registrationSeconds);
      this.#isRegistered = true;
      const renewMs = granted.expiresSeconds * 1_000 * RENEWAL_SHARE;
      this.#cancelRenewal = this.#settings.clock.schedule(() => {
        this.register().catch(() => undefined);
      }, renewMs);
      this.#settings.tell({ event: 'registered' });
      return granted;
    } catch (cause) {
      this.#failed(cause);
      throw cause;
    }
  }
}

/** Seconds that the registrar grants the contact: by its Contact, else by Expires; undefined where it says neither. */
function grantedSeconds(response: Core.IncomingResponseMessage, contactUri: string): number | undefined {
  const own = response.getHeaders('contact').find((contact) => contact.includes(`<${contactUri}>`));
  const ofContact = own === undefined ? undefined : /;\s?expires\s?=\s?"?(\d{1,10})/i.exec(own)?.[1];
  const text = ofContact ?? /^\d{1,10}$/.exec(response.getHeader('expires') ?? '')?.[0];
  return text === undefined ? undefined : Math.min(Math.max(Number(text), 1), MAX_GRANTED_SECONDS);
}

function refused(response: Core.IncomingResponseMessage): HopbackError {
  const { statusCode = 0, reasonPhrase = '' } = response;
  const details = { status: statusCode };
  // sip.js makes up a response where none came: it has no text.
  if ((response.data as string | undefined) === undefined) {
    return new HopbackError('network-failed', 'the registrar did not answer', { retryable: true, details });
  }
  const message = `the registrar answered ${statusCode} ${reasonPhrase}`;
  return new HopbackError('unavailable', message, { retryable: statusCode >= 500, details });
}
