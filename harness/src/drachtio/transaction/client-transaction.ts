import type { Received } from '../received.js';
import type { Timer, TimerTarget } from '../timers.js';
import type { Flow } from '../transport/flow.js';
import { stepInviteClient, type InviteClientEvent, type InviteClientState } from './invite-client-machine.js';
import {
  stepNonInviteClient,
  type NonInviteClientEvent,
  type NonInviteClientState,
} from './non-invite-client-machine.js';
import type { TransactionContext } from './transaction-context.js';
import { lifetimeMs, type LifetimeTimer, type TransactionAction, type TransactionTimer } from './transition.js';

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
export interface ClientRequest {
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
  #state: InviteClientState | NonInviteClientState;
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

  get state(): InviteClientState | NonInviteClientState {
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
    this.#step(event as InviteClientEvent);
    // An answer may have come while the request went out again, where nothing but memory lies between.
    const isUnanswered = this.#state === 'calling' || this.#state === 'trying' || this.#state === 'proceeding';
    if (event !== 'retransmit-due' || !isUnanswered || (this.isInvite && this.#state === 'proceeding')) return;
    const { t2Ms } = this.#context.base;
    if (this.isInvite) this.#retransmitIn(2 * this.#intervalMs);
    else this.#retransmitIn(this.#state === 'proceeding' ? t2Ms : Math.min(2 * this.#intervalMs, t2Ms));
  }

  #step(event: InviteClientEvent | NonInviteClientEvent, received?: Received): void {
    const { state, actions } = this.isInvite
      ? stepInviteClient(this.#state as InviteClientState, event as InviteClientEvent)
      : stepNonInviteClient(this.#state as NonInviteClientState, event as NonInviteClientEvent);
    this.#state = state;
    let due: LifetimeTimer | undefined;
    for (const action of actions) due = this.#act(action, received) ?? due;
    // From here on there is nothing to tell: the user need not linger with the transaction.
    if (state === 'completed') this.#user = undefined;
    // Only now: a timer of no length must not end the transaction before its response was handed up.
    if (due !== undefined) this.#step(due as InviteClientEvent);
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
