import { Server } from 'node:net';
import type { Socket } from 'node:net';
import { HopbackError } from '@hopback/sdk/errors';
import { OWN_REASONS } from '../received.js';
import { createFrameReader, framed, MAX_FRAME_BYTES } from '../control/frames.js';
import { NO_MESSAGE_LIMITS, parseMessage } from '../message/parse-message.js';
import { isRequest } from '../message/sip-message.js';
import type { SipMessage } from '../message/sip-message.js';
import { PassingMap } from '../timers.js';
import type { DrachtioServer } from '../server.js';

/** A call that is up at one of its ends. */
export interface ExchangeCall {
  readonly isOver: boolean;
  /** Told once, when it is over: the other side has hung up, or {@link ExchangeCall.hangUp} was called. */
  readonly onOver: (told: () => void) => void;
  /** Hangs up. Resolves when the BYE was answered, or could not be sent; never rejects. */
  readonly hangUp: () => Promise<void>;
}

/** How a call that was placed ended up. */
export interface PlacedOutcome {
  /** The final response; undefined where the server could not send the INVITE, or the exchange was closed. */
  readonly response?: SipMessage;
  /** Present where it was answered. */
  readonly call?: ExchangeCall;
}

/** A call that was placed. */
export interface PlacedCall {
  /** Never rejects. */
  readonly outcome: Promise<PlacedOutcome>;
  /** Gives up. The final response comes in any case. */
  readonly cancel: () => void;
}

/** What a call is placed with. */
export interface PlacedInvite {
  readonly uri: string;
  /** Header fields by name, such as From and To. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sdp: string;
  /** Gets each provisional response. */
  readonly onProvisional: (response: SipMessage) => void;
}

/** An INVITE that has come, and the ways to answer it. */
export interface ArrivedInvite {
  readonly request: SipMessage;
  /** Sends a response without a body. */
  readonly respond: (status: number) => void;
  /** Sends 200. */
  readonly answer: (sdp: string) => ExchangeCall;
}

/** A request that the server was told to send, until its final response. */
interface Sent {
  readonly onResponse: (response: SipMessage | undefined, dialogId: string) => void;
}

/** Places of tokens in the first line of a frame, as `control/frames.ts` writes it. */
const TOKEN = {
  type: 1,
  source: 2,
  messageId: 2,
  outcome: 3,
  transactionId: 8,
  dialogId: 9,
  sentTransactionId: 10,
  answeredDialogId: 11,
} as const;

/**
 * An application of a server of the same process that has nothing to do but to place and to take calls, by the thousand. It does what callers and called
 * need and nothing else, without an object for each header field: a flood is to cost those who carry it, not those who make it. Close it before
 * its server.
 * @see RFC 3261 sections 12 to 15
 * @example
 * ```ts
 * await using here = await DrachtioServer.open();
 * await using there = await DrachtioServer.open();
 * const called = new Exchange(there, ({ answer }) => void answer('v=0\r\n'));
 * const caller = new Exchange(here);
 *
 * const invite = { uri: there.uri(), headers: {}, sdp: 'v=0\r\n', onProvisional: () => undefined };
 * const { response, call } = await caller.place(invite).outcome;
 * console.log(response?.status); // 200
 * await call?.hangUp();
 * for (const exchange of [caller, called]) exchange.close();
 * ```
 */
export class Exchange {
  readonly #socket: Socket;
  readonly #onInvite: (invite: ArrivedInvite) => void;
  /** What was asked of the server and has no answer yet, by id of the frame. */
  readonly #asked = new PassingMap<string, (tokens: readonly string[]) => void>();
  readonly #sent = new PassingMap<string, Sent>();
  readonly #calls = new PassingMap<string, Leg>();
  #frames = 0;

  /**
   * Connects to a server.
   * @param server - the server that speaks SIP for it
   * @param onInvite - gets each INVITE that begins a call, and answers it; default nobody does
   * @throws {@link HopbackError} `unavailable` where the server does not take it
   */
  constructor(
    server: Pick<DrachtioServer, 'connectTo' | 'control'>,
    onInvite: (invite: ArrivedInvite) => void = () => undefined,
  ) {
    const applications = new Server();
    let socket: Socket | undefined;
    applications.once('connection', (link: Socket) => {
      socket = link;
    });
    server.connectTo(applications);
    if (socket === undefined) throw new HopbackError('unavailable', 'the server did not connect');
    this.#socket = socket;
    this.#onInvite = onInvite;
    const reader = createFrameReader();
    this.#socket.on('data', (octets: Buffer) => {
      const payloads = reader.push(octets.toString('latin1'));
      if (payloads === undefined) this.#socket.destroy();
      else for (const payload of payloads) this.#take(payload);
    });
    this.#socket.once('close', () => this.#lose());
    this.#ask(`authenticate|${server.control.secret}|`);
  }

  /** @throws {@link HopbackError} `invalid-argument` where the URI or a header field has a line end */
  place({ uri, headers, sdp, onProvisional }: PlacedInvite): PlacedCall {
    if ([uri, ...Object.entries(headers).flat()].some((text) => /[\r\n]/.test(text)))
      throw new HopbackError('invalid-argument', 'neither the URI nor a header field may have a line end');
    let transactionId = '';
    let isCancelled = false;
    const body = bodied(sdp);
    const cancel = (): void => {
      isCancelled = true;
      if (transactionId !== '') this.#ask(`sip|${transactionId}|\r\nCANCEL ${uri} SIP/2.0\r\n\r\n`);
    };
    const outcome = new Promise<PlacedOutcome>((resolve) => {
      const onResponse: Sent['onResponse'] = (response, dialogId) => {
        if (response === undefined) resolve({});
        else if (response.status < 200) onProvisional(response);
        else if (response.status < 300) {
          this.#ask(`sip||${dialogId}\r\nACK ${uri} SIP/2.0\r\n\r\n`);
          resolve({ response, call: this.#join(this.#leg(body), dialogId) });
        } else resolve({ response });
      };
      let text = `INVITE ${uri} SIP/2.0\r\n`;
      for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`;
      this.#send(`sip||\r\n${text}${body}`, { onResponse }, (id) => {
        transactionId = id;
        if (isCancelled) cancel();
      });
    });
    return { outcome, cancel };
  }

  /** Lets go of the server: what is up is over, without a word to the other side. */
  close(): void {
    this.#socket.destroy();
  }

  /** A call whose dialog is known, or will be. */
  #leg(body: string): Leg {
    return new Leg(body, (dialogId) => {
      this.#calls.delete(dialogId);
      return new Promise((resolve) => {
        const onResponse: Sent['onResponse'] = (response) => {
          if (response === undefined || response.status >= 200) resolve();
        };
        this.#send(`sip||${dialogId}\r\nBYE sip:localhost SIP/2.0\r\n\r\n`, { onResponse });
      });
    });
  }

  #join(leg: Leg, dialogId: string): Leg {
    this.#calls.set(dialogId, leg);
    leg.join(dialogId);
    return leg;
  }

  /** Has the server send a request; `onSent` gets the transaction. */
  #send(command: string, sent: Sent, onSent?: (transactionId: string) => void): void {
    this.#ask(command, (tokens) => {
      const transactionId = tokens[TOKEN.sentTransactionId] ?? '';
      if (tokens[TOKEN.outcome] !== 'OK' || transactionId === '') {
        sent.onResponse(undefined, '');
        return;
      }
      this.#sent.set(transactionId, sent);
      onSent?.(transactionId);
    });
  }

  #ask(command: string, onAnswer?: (tokens: readonly string[]) => void): void {
    this.#frames += 1;
    const id = String(this.#frames);
    const octets = Buffer.from(`${id}|${command}`, 'utf8').toString('latin1');
    if (this.#socket.destroyed || octets.length > MAX_FRAME_BYTES) {
      onAnswer?.([]);
      return;
    }
    if (onAnswer !== undefined) this.#asked.set(id, onAnswer);
    this.#socket.write(framed(octets), 'latin1');
  }

  #take(payload: string): void {
    const lineEnd = payload.indexOf('\r\n');
    const tokens = (lineEnd < 0 ? payload : payload.slice(0, lineEnd)).split('|');
    if (tokens[TOKEN.type] === 'response') {
      const id = tokens[TOKEN.messageId] ?? '';
      const answer = this.#asked.get(id);
      this.#asked.delete(id);
      answer?.(tokens);
      return;
    }
    if (tokens[TOKEN.type] !== 'sip' || lineEnd < 0) return;
    const parsed = parseMessage(payload.slice(lineEnd + 2), NO_MESSAGE_LIMITS);
    if (parsed.status !== 'parsed') return;
    const transactionId = tokens[TOKEN.transactionId] ?? '';
    const dialogId = tokens[TOKEN.dialogId] ?? '';
    const { message } = parsed;
    if (isRequest(message))
      this.#request(message, { transactionId, dialogId, isTold: tokens[TOKEN.source] !== 'network' });
    else {
      const sent = this.#sent.get(transactionId);
      if (message.status >= 200) this.#sent.delete(transactionId);
      sent?.onResponse(message, dialogId);
    }
  }

  #request(request: SipMessage, { transactionId, dialogId, isTold }: Arrival): void {
    const respond = (status: number, rest = '\r\n', onAnswer?: (tokens: readonly string[]) => void): void =>
      this.#ask(`sip|${transactionId}|\r\nSIP/2.0 ${String(status)} ${OWN_REASONS[status] ?? ''}\r\n${rest}`, onAnswer);
    const call = dialogId === '' ? undefined : this.#calls.get(dialogId);
    switch (request.method) {
      case 'ACK':
      case 'CANCEL':
        return;
      case 'INVITE':
        if (dialogId === '') this.#invited(request, respond);
        else respond(ANSWERED, call?.body ?? '\r\n');
        return;
      case 'BYE':
        this.#calls.delete(dialogId);
        // The server has hung up by itself where nothing came of its 200, and tells so.
        if (!isTold) respond(ANSWERED);
        call?.end();
        return;
      default:
        respond(ANSWERED);
    }
  }

  #invited(
    request: SipMessage,
    respond: (status: number, rest?: string, onAnswer?: (tokens: readonly string[]) => void) => void,
  ): void {
    this.#onInvite({
      request,
      respond: (status) => respond(status),
      answer: (sdp) => {
        const leg = this.#leg(bodied(sdp));
        respond(ANSWERED, leg.body, (tokens) => {
          const dialogId = tokens[TOKEN.answeredDialogId] ?? '';
          if (tokens[TOKEN.outcome] === 'OK' && dialogId !== '') this.#join(leg, dialogId);
          else leg.fail();
        });
        return leg;
      },
    });
  }

  #lose(): void {
    for (const onAnswer of [...this.#asked.values()]) onAnswer([]);
    for (const { onResponse } of [...this.#sent.values()]) onResponse(undefined, '');
    for (const call of [...this.#calls.values()]) call.end();
    this.#asked.clear();
    this.#sent.clear();
    this.#calls.clear();
  }
}

/** A request of the server, and how the exchange answers it. */
interface Arrival {
  readonly transactionId: string;
  readonly dialogId: string;
  /** The server only tells of it: nobody is waiting for an answer. */
  readonly isTold: boolean;
}

class Leg implements ExchangeCall {
  /** What is offered and answered with, whenever somebody asks. */
  readonly body: string;
  readonly #sendBye: (dialogId: string) => Promise<void>;
  #dialogId = '';
  /** It was hung up before it had a name: told when the goodbye was said. */
  #said: (() => void) | undefined;
  #isOver = false;
  #told: (() => void)[] = [];
  #goodbye: Promise<void> = Promise.resolve();

  constructor(body: string, sendBye: (dialogId: string) => Promise<void>) {
    this.body = body;
    this.#sendBye = sendBye;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  onOver(told: () => void): void {
    if (this.#isOver) told();
    else this.#told.push(told);
  }

  hangUp(): Promise<void> {
    if (this.#isOver) return this.#goodbye;
    // What was answered in this turn of the event loop has no name yet.
    this.#goodbye =
      this.#dialogId === ''
        ? new Promise((resolve) => {
            this.#said = resolve;
          })
        : this.#sendBye(this.#dialogId);
    this.end();
    return this.#goodbye;
  }

  join(dialogId: string): void {
    this.#dialogId = dialogId;
    const said = this.#said;
    if (said !== undefined) void this.#sendBye(dialogId).then(said);
  }

  /** It never came to be: nobody is to be told goodbye. */
  fail(): void {
    this.#said?.();
    this.end();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const listeners = this.#told;
    this.#told = [];
    for (const told of listeners) told();
  }
}

const ANSWERED = 200;

/** The end of a message with a session description. */
const bodied = (sdp: string): string => `Content-Type: application/sdp\r\n\r\n${sdp}`;
