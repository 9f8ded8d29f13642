import { flat } from '../identifiers.js';
import { HEADER, headerValue } from '../message/sip-message.js';
import { isMagic } from '../message/via.js';
import type { Received } from '../received.js';
import type { Timer, TimerTarget, Timers } from '../timers.js';
import type { Flow } from '../transport/flow.js';
import { INVITE_CLIENT, INVITE_SERVER, NON_INVITE_CLIENT, NON_INVITE_SERVER } from './machines.js';
import type { Machine, TransactionEvent, TransactionState } from './machines.js';
import { lifetimeMs } from './transition.js';
import type { LifetimeTimer, TimerBase, TransactionAction, TransactionTimer } from './transition.js';

/** What transactions reach of the world around them. */
interface TransactionContext {
  readonly timers: Timers;
  readonly base: TimerBase;
  /** Sends and counts. */
  readonly send: (flow: Flow, text: string, onError: () => void) => void;
  /** Where the responses to a request go. @see RFC 3261 section 18.2.2, RFC 3581 section 4 */
  readonly responseFlow: (received: Received) => Flow;
  /** Something was sent again: by a timer, or because the other side repeated itself. */
  readonly onRetransmission: () => void;
  /** The transaction is over and to be dropped. */
  readonly onEnd: (transaction: { readonly key: string }) => void;
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

/** What a transaction begins with. */
interface TransactionStart {
  readonly key: string;
  readonly isInvite: boolean;
  readonly flow: Flow;
  readonly text: string;
  readonly machine: Machine;
  readonly state: TransactionState;
}

/** Sockets and timers around the machine of a transaction, whose events come with something. @see RFC 3261 section 17 */
abstract class Transaction<Given> implements TimerTarget<TransactionTimer> {
  readonly key: string;
  readonly isInvite: boolean;
  /** Where it sends: of a server transaction the flow of the request, or where its Via points. */
  readonly flow: Flow;
  protected readonly context: TransactionContext;
  /** What may have to be sent again. */
  protected text: string;
  protected intervalMs = 0;
  readonly #machine: Machine;
  #state: TransactionState;
  #retransmitTimer: Timer | undefined;
  #lifetimeTimer: Timer | undefined;

  constructor({ key, isInvite, flow, text, machine, state }: TransactionStart, context: TransactionContext) {
    this.key = key;
    this.isInvite = isInvite;
    this.flow = flow;
    this.text = text;
    this.context = context;
    this.#machine = machine;
    this.#state = state;
  }

  get state(): TransactionState {
    return this.#state;
  }

  /** Ends it silently: it takes no further part. */
  end(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#forget();
  }

  /** @internal */
  abstract onTimer(event: TransactionTimer): void;

  /** Carries out what the two sides do in their own ways. */
  protected abstract act(action: OwnAction, given: Given | undefined): void;
  protected abstract onForgotten(): void;

  /** After its final response. */
  protected onCompleted(): void {
    // The user of a server transaction hears of failures until the end.
  }

  /** @returns whether something was sent or handed up */
  protected step(event: TransactionEvent, given?: Given): boolean {
    const step = this.#machine[this.#state]?.[event];
    if (step === undefined) return false;
    const { state, actions } = step;
    this.#state = state;
    let isDone = false;
    let due: LifetimeTimer | undefined;
    for (const action of actions) {
      if (action === 'send' || action === 'deliver') isDone = true;
      due = this.#act(action, given) ?? due;
    }
    if (state === 'completed') this.onCompleted();
    // Only now: a timer of no length must not end the transaction before its response was handed up.
    if (due !== undefined) this.step(due);
    return isDone;
  }

  protected send(text: string = this.text): void {
    this.context.send(this.flow, text, () => this.step('transport-error'));
  }

  protected retransmitIn(ms: number): void {
    this.intervalMs = ms;
    this.#retransmitTimer = this.context.timers.start(ms, this, 'retransmit-due');
  }

  /** Carries one action out; returns a timer that runs out at once. */
  #act(action: TransactionAction, given: Given | undefined): LifetimeTimer | undefined {
    switch (action) {
      case 'resend':
        if (this.text === '') return undefined;
        this.context.onRetransmission();
        this.send();
        return undefined;
      case 'retransmit':
        if (!this.flow.isReliable) this.retransmitIn(this.context.base.t1Ms);
        return undefined;
      case 'stop-retransmit':
        this.#stopRetransmit();
        return undefined;
      case 'forget':
        this.#forget();
        return undefined;
      case 'send':
      case 'acknowledge':
      case 'deliver':
      case 'report-timeout':
      case 'report-transport-error':
        this.act(action, given);
        return undefined;
      default:
        return this.#live(action);
    }
  }

  #live(timer: LifetimeTimer): LifetimeTimer | undefined {
    this.#lifetimeTimer?.cancel();
    this.#lifetimeTimer = undefined;
    const ms = lifetimeMs(timer, this.context.base, this.flow.isReliable);
    if (ms === 0) return timer;
    this.#lifetimeTimer = this.context.timers.start(ms, this, timer);
    // A request that was answered is not sent again, and a 2xx to an INVITE is repeated by the dialog.
    if (timer === 'timer-m' || timer === 'timer-k' || timer === 'timer-l') this.text = '';
    return undefined;
  }

  #stopRetransmit(): void {
    this.#retransmitTimer?.cancel();
    this.#retransmitTimer = undefined;
  }

  #forget(): void {
    this.#stopRetransmit();
    this.#lifetimeTimer?.cancel();
    this.#lifetimeTimer = undefined;
    this.text = '';
    this.context.onEnd(this);
    this.onForgotten();
  }
}

type OwnAction = Extract<
  TransactionAction,
  'send' | 'acknowledge' | 'deliver' | 'report-timeout' | 'report-transport-error'
>;

/** A request that was sent. @see RFC 3261 section 17.1 */
export class ClientTransaction extends Transaction<Received> {
  #user: ClientTransactionUser | undefined;
  #onEnd: (() => void) | undefined;
  #acknowledgement = '';

  constructor(request: ClientRequest, context: TransactionContext) {
    const { isInvite, user } = request;
    const [machine, state] = isInvite
      ? ([INVITE_CLIENT, 'calling'] as const)
      : ([NON_INVITE_CLIENT, 'trying'] as const);
    super({ ...request, machine, state }, context);
    this.#user = user;
    this.#onEnd = user.onEnd;
  }

  /** Sends the request. Apart from the constructor, so that the transaction can be found when an answer is quick. */
  start(): void {
    this.step('start');
  }

  /** A response with this transaction's branch came. */
  receive(received: Received): void {
    const { status } = received.message;
    if (status < 200) this.step('provisional', received);
    else if (!this.isInvite) this.step('final', received);
    else this.step(status < 300 ? 'success' : 'failure', received);
  }

  /** Reports to another user from now on, unless it has stopped reporting. */
  handOver(user: ClientTransactionUser): void {
    if (this.#user === undefined) return;
    this.#user = user;
    this.#onEnd = user.onEnd;
  }

  /** INVITEs double without end, until timer B; others stay at T2, and go there at once after a provisional response. @internal */
  override onTimer(event: TransactionTimer): void {
    this.step(event);
    // An answer may have come while the request went out again, where nothing but memory lies between.
    const { state } = this;
    const isUnanswered = state === 'calling' || state === 'trying' || state === 'proceeding';
    if (event !== 'retransmit-due' || !isUnanswered || (this.isInvite && state === 'proceeding')) return;
    const { t2Ms } = this.context.base;
    if (this.isInvite) this.retransmitIn(2 * this.intervalMs);
    else this.retransmitIn(state === 'proceeding' ? t2Ms : Math.min(2 * this.intervalMs, t2Ms));
  }

  protected override act(action: OwnAction, received: Received | undefined): void {
    if (action === 'send') this.send();
    else if (action === 'acknowledge') this.#acknowledge(received);
    else if (action === 'report-timeout') this.#user?.onFailure('timeout');
    else if (action === 'report-transport-error') this.#user?.onFailure('transport-error');
    else if (received !== undefined) this.#user?.onResponse(received);
  }

  /** From here on there is nothing to tell: the user need not linger with the transaction. */
  protected override onCompleted(): void {
    this.#user = undefined;
  }

  protected override onForgotten(): void {
    this.#acknowledgement = '';
    this.#user = undefined;
    this.#onEnd?.();
    this.#onEnd = undefined;
  }

  #acknowledge(received: Received | undefined): void {
    if (received !== undefined && this.#acknowledgement === '') {
      this.#acknowledgement = this.#user?.acknowledgement(received) ?? '';
      // The INVITE is not sent again.
      this.text = '';
    } else {
      this.context.onRetransmission();
    }
    this.send(this.#acknowledgement);
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

/** A request that came. @see RFC 3261 section 17.2 */
export class ServerTransaction extends Transaction<string> {
  /** Told about failures; set by whoever answers. */
  user: ServerTransactionUser = NOBODY;
  #tryingTimer: Timer | undefined;

  constructor(received: Received, key: string, context: TransactionContext) {
    const isInvite = received.message.method === 'INVITE';
    const [machine, state] = isInvite
      ? ([INVITE_SERVER, 'proceeding'] as const)
      : ([NON_INVITE_SERVER, 'trying'] as const);
    super({ key, isInvite, flow: context.responseFlow(received), text: '', machine, state }, context);
  }

  /** Whether a final response has been handed in. */
  get isAnswered(): boolean {
    return this.state !== 'proceeding' && this.state !== 'trying';
  }

  /**
   * Sends a response through the machine.
   * @returns false where the transaction takes none any more
   */
  respond(status: number, text: string): boolean {
    if (status < 200) return this.step('provisional', text);
    if (!this.isInvite) return this.step('final', text);
    return this.step(status < 300 ? 'success' : 'failure', text);
  }

  /**
   * Sends 100 Trying unless something else has been sent by then.
   * @param text - writes it
   * @see RFC 3261 section 17.2.1
   */
  tryWithin(ms: number, text: () => string): void {
    const onTimer = (): void => {
      this.#tryingTimer = undefined;
      if (this.state === 'proceeding' && this.text === '') this.step('provisional', text());
    };
    if (ms === 0) onTimer();
    else this.#tryingTimer = this.context.timers.start(ms, { onTimer }, '');
  }

  /** The request came again. */
  repeat(): void {
    this.step('request');
  }

  /**
   * An ACK matched.
   * @returns true where it belongs to a 2xx, so that the dialog has to see it
   */
  acknowledge(): boolean {
    return this.step('ack');
  }

  /** @internal */
  override onTimer(event: TransactionTimer): void {
    this.step(event);
    if (event !== 'retransmit-due' || this.state !== 'completed') return;
    this.retransmitIn(Math.min(2 * this.intervalMs, this.context.base.t2Ms));
  }

  protected override act(action: OwnAction, text: string = ''): void {
    if (action === 'send') {
      this.text = text;
      this.#stopTrying();
      this.send();
    } else if (action === 'report-timeout') this.user.onFailure?.(this, 'timeout');
    else if (action === 'report-transport-error') this.user.onFailure?.(this, 'transport-error');
  }

  protected override onForgotten(): void {
    this.#stopTrying();
    this.user.onEnd?.(this);
    this.user = NOBODY;
  }

  #stopTrying(): void {
    this.#tryingTimer?.cancel();
    this.#tryingTimer = undefined;
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
export function createTransactionLayer(options: Omit<TransactionContext, 'onEnd'>, user: TransactionLayerUser) {
  const servers = new Map<string, ServerTransaction>();
  const clients = new Map<string, ClientTransaction>();
  const serverContext: TransactionContext = { ...options, onEnd: ({ key }) => void servers.delete(key) };
  const clientContext: TransactionContext = { ...options, onEnd: ({ key }) => void clients.delete(key) };

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
