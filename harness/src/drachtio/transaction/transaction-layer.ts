import { flat } from '../identifiers.js';
import { HEADER, headerValue } from '../message/sip-message.js';
import { isMagic } from '../message/via.js';
import type { Received } from '../received.js';
import type { Timer, TimerTarget, Timers } from '../timers.js';
import type { Flow } from '../transport/flow.js';
import { INVITE_CLIENT, INVITE_SERVER, NON_INVITE_CLIENT, NON_INVITE_SERVER } from './machines.js';
import type { TransactionEvent, TransactionState } from './machines.js';
import { lifetimeMs } from './transition.js';
import type { LifetimeTimer, TimerBase, TransactionAction, TransactionTimer } from './transition.js';

/** What transactions reach of the world around them. */
interface TransactionContext<Transaction> {
  readonly timers: Timers;
  readonly base: TimerBase;
  /** Sends and counts. */
  readonly send: (flow: Flow, text: string, onError: () => void) => void;
  /** Where the responses to a request go. @see RFC 3261 section 18.2.2, RFC 3581 section 4 */
  readonly responseFlow: (received: Received) => Flow;
  /** Something was sent again: by a timer, or because the other side repeated itself. */
  readonly onRetransmission: () => void;
  /** The transaction is over and to be dropped. */
  readonly onEnd: (transaction: Transaction) => void;
}

/**
 * The key under which a request and its repeats, its ACK (other than to a 2xx) and, for `INVITE`, its CANCEL meet.
 * @param method - of the transaction that is looked for: `INVITE` for an ACK or CANCEL
 * @see RFC 3261 section 17.2.3
 */
export function serverKey({ essentials, message }: Received, method: string): string {
  const { via, value } = essentials.via;
  if (isMagic(via.branch)) return flat(`${via.branch}|${via.host}:${via.port}|${method}`);
  // Elements of RFC 2543 make no branches of their own; the To tag is left out, since an ACK has one that its INVITE had not.
  const { callId, cseq, fromTag } = essentials;
  const top = value.slice(0, via.end);
  return flat(
    `${message.requestUri}|${fromTag}|${callId}|${cseq}|${top}|${headerValue(message, HEADER.from)}|${method}`,
  );
}

/** The key under which a response meets its request. @see RFC 3261 section 17.1.3 */
export function clientKey(branch: string, method: string): string {
  return flat(`${branch}|${method}`);
}

/** Who sent a request and is told what comes of it. */
export interface ClientTransactionUser {
  /** A response, each once; of 2xx to an INVITE every one, repeats included. */
  readonly onResponse: (received: Received) => void;
  /** Nothing came in time, or the transport failed; then nothing more comes. */
  readonly onFailure: (why: 'timeout' | 'transport-error') => void;
  /** The ACK for a final response other than 2xx. @see RFC 3261 section 17.1.1.3 */
  readonly acknowledgement: (received: Received) => string;
  /** The transaction is over. */
  readonly onEnd?: () => void;
}

/** A request on its way out. */
interface ClientRequest {
  readonly key: string;
  readonly isInvite: boolean;
  readonly flow: Flow;
  readonly text: string;
  readonly user: ClientTransactionUser;
}

/** Sockets and timers around the machines of client transactions. @see RFC 3261 section 17.1 */
export class ClientTransaction implements TimerTarget<TransactionTimer> {
  readonly key: string;
  readonly isInvite: boolean;
  readonly flow: Flow;
  readonly #context: TransactionContext<ClientTransaction>;
  #user: ClientTransactionUser | undefined;
  #onEnd: (() => void) | undefined;
  #text: string;
  #acknowledgement = '';
  #state: TransactionState;
  #retransmitTimer: Timer | undefined;
  #lifetimeTimer: Timer | undefined;
  #intervalMs = 0;

  constructor(request: ClientRequest, context: TransactionContext<ClientTransaction>) {
    this.key = request.key;
    this.isInvite = request.isInvite;
    this.flow = request.flow;
    this.#text = request.text;
    this.#user = request.user;
    this.#onEnd = request.user.onEnd;
    this.#context = context;
    this.#state = this.isInvite ? 'calling' : 'trying';
  }

  get state(): TransactionState {
    return this.#state;
  }

  /** Sends the request. Apart from the constructor, so that the transaction can be found when an answer is quick. */
  start(): void {
    this.#step('start');
  }

  /** A response with this transaction's branch came. */
  receive(received: Received): void {
    const { status } = received.message;
    if (status < 200) this.#step('provisional', received);
    else if (!this.isInvite) this.#step('final', received);
    else this.#step(status < 300 ? 'success' : 'failure', received);
  }

  /** Tells somebody else from now on, unless nobody is told any more. */
  handOver(user: ClientTransactionUser): void {
    if (this.#user === undefined) return;
    this.#user = user;
    this.#onEnd = user.onEnd;
  }

  /** Ends it without a word. */
  end(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#forget();
  }

  /** INVITEs double without end, until timer B; others stay at T2, and go there at once after a provisional response. @internal */
  onTimer(event: TransactionTimer): void {
    this.#step(event);
    // An answer may have come while the request went out again, where nothing but memory lies between.
    const isUnanswered = this.#state === 'calling' || this.#state === 'trying' || this.#state === 'proceeding';
    if (event !== 'retransmit-due' || !isUnanswered || (this.isInvite && this.#state === 'proceeding')) return;
    const { t2Ms } = this.#context.base;
    if (this.isInvite) this.#retransmitIn(2 * this.#intervalMs);
    else this.#retransmitIn(this.#state === 'proceeding' ? t2Ms : Math.min(2 * this.#intervalMs, t2Ms));
  }

  #step(event: TransactionEvent, received?: Received): void {
    const machine = this.isInvite ? INVITE_CLIENT : NON_INVITE_CLIENT;
    const step = machine[this.#state]?.[event];
    if (step === undefined) return;
    const { state, actions } = step;
    this.#state = state;
    let due: LifetimeTimer | undefined;
    for (const action of actions) due = this.#act(action, received) ?? due;
    // From here on there is nothing to tell: the user need not linger with the transaction.
    if (state === 'completed') this.#user = undefined;
    // Only now: a timer of no length must not end the transaction before its response was handed up.
    if (due !== undefined) this.#step(due);
  }

  #act(action: TransactionAction, received: Received | undefined): LifetimeTimer | undefined {
    switch (action) {
      case 'send':
        this.#send(this.#text);
        return undefined;
      case 'resend':
        this.#context.onRetransmission();
        this.#send(this.#text);
        return undefined;
      case 'acknowledge':
        this.#acknowledge(received);
        return undefined;
      case 'deliver':
        if (received !== undefined) this.#user?.onResponse(received);
        return undefined;
      case 'retransmit':
        if (!this.flow.isReliable) this.#retransmitIn(this.#context.base.t1Ms);
        return undefined;
      case 'stop-retransmit':
        this.#retransmitTimer?.cancel();
        this.#retransmitTimer = undefined;
        return undefined;
      case 'report-timeout':
        this.#user?.onFailure('timeout');
        return undefined;
      case 'report-transport-error':
        this.#user?.onFailure('transport-error');
        return undefined;
      case 'forget':
        this.#forget();
        return undefined;
      default:
        return this.#live(action);
    }
  }

  #send(text: string): void {
    this.#context.send(this.flow, text, () => this.#step('transport-error'));
  }

  #acknowledge(received: Received | undefined): void {
    if (received !== undefined && this.#acknowledgement === '') {
      this.#acknowledgement = this.#user?.acknowledgement(received) ?? '';
      // The INVITE is not sent again.
      this.#text = '';
    } else {
      this.#context.onRetransmission();
    }
    this.#send(this.#acknowledgement);
  }

  #retransmitIn(ms: number): void {
    this.#intervalMs = ms;
    this.#retransmitTimer = this.#context.timers.start(ms, this, 'retransmit-due');
  }

  #live(timer: LifetimeTimer): LifetimeTimer | undefined {
    this.#lifetimeTimer?.cancel();
    this.#lifetimeTimer = undefined;
    const ms = lifetimeMs(timer, this.#context.base, this.flow.isReliable);
    if (ms === 0) return timer;
    this.#lifetimeTimer = this.#context.timers.start(ms, this, timer);
    // An INVITE that was answered with 2xx, like anything that was answered, is not sent again.
    if (timer === 'timer-m' || timer === 'timer-k') this.#text = '';
    return undefined;
  }

  #forget(): void {
    this.#retransmitTimer?.cancel();
    this.#retransmitTimer = undefined;
    this.#lifetimeTimer?.cancel();
    this.#lifetimeTimer = undefined;
    this.#text = '';
    this.#acknowledgement = '';
    this.#user = undefined;
    this.#context.onEnd(this);
    this.#onEnd?.();
    this.#onEnd = undefined;
  }
}

/** Who is told what becomes of a response that was sent. */
export interface ServerTransactionUser {
  /** No ACK came for a final response other than 2xx, or the transport failed. */
  readonly onFailure?: (transaction: ServerTransaction, why: 'timeout' | 'transport-error') => void;
  /** The transaction is over. */
  readonly onEnd?: (transaction: ServerTransaction) => void;
}

/** Nobody is told. */
export const NOBODY: ServerTransactionUser = {};

/** Sockets and timers around the machines of server transactions. @see RFC 3261 section 17.2 */
export class ServerTransaction implements TimerTarget<TransactionTimer> {
  readonly key: string;
  readonly isInvite: boolean;
  /** How the client can be reached: the flow of the request, or where its Via points. */
  readonly flow: Flow;
  /** Told about failures; set by whoever answers. */
  user: ServerTransactionUser = NOBODY;
  readonly #context: TransactionContext<ServerTransaction>;
  #state: TransactionState;
  #lastText = '';
  #retransmitTimer: Timer | undefined;
  #lifetimeTimer: Timer | undefined;
  #tryingTimer: Timer | undefined;
  #intervalMs = 0;

  constructor(received: Received, key: string, context: TransactionContext<ServerTransaction>) {
    this.key = key;
    this.isInvite = received.message.method === 'INVITE';
    this.flow = context.responseFlow(received);
    this.#context = context;
    this.#state = this.isInvite ? 'proceeding' : 'trying';
  }

  get state(): TransactionState {
    return this.#state;
  }

  /** Whether a final response has been handed in. */
  get isAnswered(): boolean {
    return this.#state !== 'proceeding' && this.#state !== 'trying';
  }

  /**
   * Sends a response through the machine.
   * @returns false where the transaction takes none any more
   */
  respond(status: number, text: string): boolean {
    if (status < 200) return this.#step('provisional', text);
    if (!this.isInvite) return this.#step('final', text);
    return this.#step(status < 300 ? 'success' : 'failure', text);
  }

  /**
   * Sends 100 Trying unless something else has been sent by then.
   * @param text - writes it
   * @see RFC 3261 section 17.2.1
   */
  tryWithin(ms: number, text: () => string): void {
    const onTimer = (): void => {
      this.#tryingTimer = undefined;
      if (this.#state === 'proceeding' && this.#lastText === '') this.#step('provisional', text());
    };
    if (ms === 0) onTimer();
    else this.#tryingTimer = this.#context.timers.start(ms, { onTimer }, '');
  }

  /** The request came again. */
  repeat(): void {
    this.#step('request');
  }

  /**
   * An ACK matched.
   * @returns true where it belongs to a 2xx, so that the dialog has to see it
   */
  acknowledge(): boolean {
    return this.#step('ack');
  }

  /** Ends it without a word: what follows is none of its business. */
  end(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#forget();
  }

  /** @internal */
  onTimer(event: TransactionTimer): void {
    this.#step(event);
    if (event !== 'retransmit-due' || this.#state !== 'completed') return;
    this.#retransmitIn(Math.min(2 * this.#intervalMs, this.#context.base.t2Ms));
  }

  #step(event: TransactionEvent, text = ''): boolean {
    const machine = this.isInvite ? INVITE_SERVER : NON_INVITE_SERVER;
    const step = machine[this.#state]?.[event];
    if (step === undefined) return false;
    const { state, actions } = step;
    this.#state = state;
    let isDone = false;
    let due: LifetimeTimer | undefined;
    for (const action of actions) {
      if (action === 'send' || action === 'deliver') isDone = true;
      due = this.#act(action, text) ?? due;
    }
    if (due !== undefined) this.#step(due);
    return isDone;
  }

  /** Carries one action out; returns a timer that runs out at once. */
  #act(action: TransactionAction, text: string): LifetimeTimer | undefined {
    switch (action) {
      case 'send':
        this.#lastText = text;
        this.#stopTrying();
        this.#send();
        return undefined;
      case 'resend':
        if (this.#lastText === '') return undefined;
        this.#context.onRetransmission();
        this.#send();
        return undefined;
      case 'retransmit':
        if (!this.flow.isReliable) this.#retransmitIn(this.#context.base.t1Ms);
        return undefined;
      case 'stop-retransmit':
        this.#stopRetransmit();
        return undefined;
      case 'report-timeout':
        this.user.onFailure?.(this, 'timeout');
        return undefined;
      case 'report-transport-error':
        this.user.onFailure?.(this, 'transport-error');
        return undefined;
      case 'forget':
        this.#forget();
        return undefined;
      case 'deliver':
      case 'acknowledge':
        return undefined;
      default:
        return this.#live(action);
    }
  }

  #send(): void {
    this.#context.send(this.flow, this.#lastText, () => this.#step('transport-error'));
  }

  #retransmitIn(ms: number): void {
    this.#intervalMs = ms;
    this.#retransmitTimer = this.#context.timers.start(ms, this, 'retransmit-due');
  }

  #stopRetransmit(): void {
    this.#retransmitTimer?.cancel();
    this.#retransmitTimer = undefined;
  }

  #stopTrying(): void {
    this.#tryingTimer?.cancel();
    this.#tryingTimer = undefined;
  }

  #live(timer: LifetimeTimer): LifetimeTimer | undefined {
    this.#lifetimeTimer?.cancel();
    this.#lifetimeTimer = undefined;
    const ms = lifetimeMs(timer, this.#context.base, this.flow.isReliable);
    if (ms === 0) return timer;
    this.#lifetimeTimer = this.#context.timers.start(ms, this, timer);
    // A 2xx is repeated by the dialog; nothing here sends it again.
    if (timer === 'timer-l') this.#lastText = '';
    return undefined;
  }

  #forget(): void {
    this.#stopRetransmit();
    this.#stopTrying();
    this.#lifetimeTimer?.cancel();
    this.#lifetimeTimer = undefined;
    this.#lastText = '';
    this.#context.onEnd(this);
    this.user.onEnd?.(this);
    this.user = NOBODY;
  }
}

/** The user of the transaction layer: dialogs, applications, proxying. */
interface TransactionLayerUser {
  /** A request that is not the repeat of one. */
  readonly onRequest: (received: Received, transaction: ServerTransaction) => void;
  /** A CANCEL, beside the INVITE's transaction where there is one. */
  readonly onCancel: (
    received: Received,
    transaction: ServerTransaction,
    invite: ServerTransaction | undefined,
  ) => void;
  /** An ACK that belongs to no transaction, or to one that answered with 2xx. */
  readonly onAck: (received: Received) => void;
  /** A response without a transaction. */
  readonly onStrayResponse: (received: Received) => void;
}

/** A request to be sent in a new client transaction. */
type OutgoingRequest = Omit<ClientRequest, 'key' | 'isInvite'> & { readonly branch: string; readonly method: string };

/** All transactions of one server. */
export type TransactionLayer = ReturnType<typeof createTransactionLayer>;

/** Makes a transaction layer without transactions. @see RFC 3261 section 17, RFC 6026 */
export function createTransactionLayer(
  options: Omit<TransactionContext<unknown>, 'onEnd'>,
  user: TransactionLayerUser,
) {
  const servers = new Map<string, ServerTransaction>();
  const clients = new Map<string, ClientTransaction>();
  const serverContext = { ...options, onEnd: (ended: ServerTransaction) => void servers.delete(ended.key) };
  const clientContext = { ...options, onEnd: (ended: ClientTransaction) => void clients.delete(ended.key) };

  const open = (received: Received, key: string): ServerTransaction => {
    const transaction = new ServerTransaction(received, key, serverContext);
    servers.set(key, transaction);
    return transaction;
  };

  return {
    receiveRequest: (received: Received) => {
      const { method } = received.message;
      if (method === 'ACK') {
        const invite = servers.get(serverKey(received, 'INVITE'));
        if (invite === undefined || invite.acknowledge()) user.onAck(received);
        return;
      }
      const key = serverKey(received, method);
      const known = servers.get(key);
      if (known !== undefined) known.repeat();
      else if (method === 'CANCEL')
        user.onCancel(received, open(received, key), servers.get(serverKey(received, 'INVITE')));
      else user.onRequest(received, open(received, key));
    },
    receiveResponse: (received: Received) => {
      const { via, method } = received.essentials;
      const transaction = clients.get(clientKey(via.via.branch, method));
      if (transaction === undefined) user.onStrayResponse(received);
      else transaction.receive(received);
    },
    /** Whether a request belongs to a transaction that is there: repeats it, or is the CANCEL or ACK of its INVITE. */
    isKnown: (received: Received) => {
      const { method } = received.message;
      if (method !== 'ACK' && servers.has(serverKey(received, method))) return true;
      return (method === 'ACK' || method === 'CANCEL') && servers.has(serverKey(received, 'INVITE'));
    },
    /** Sends a request and keeps it until it is answered. */
    request: ({ branch, method, flow, text, user: sender }: OutgoingRequest) => {
      const key = clientKey(branch, method);
      const transaction = new ClientTransaction(
        {
          key,
          isInvite: method === 'INVITE',
          flow,
          text,
          user: sender,
        },
        clientContext,
      );
      clients.set(key, transaction);
      transaction.start();
      return transaction;
    },
    counts: () => ({ server: servers.size, client: clients.size }),
    /** Ends all without a word. */
    close: () => {
      for (const transaction of servers.values()) transaction.end();
      for (const transaction of clients.values()) transaction.end();
    },
  };
}
