import type { Received } from '../received.js';
import type { Timer, TimerTarget } from '../timers.js';
import type { Flow } from '../transport/flow.js';
import { stepInviteServer, type InviteServerEvent, type InviteServerState } from './invite-server-machine.js';
import {
  stepNonInviteServer,
  type NonInviteServerEvent,
  type NonInviteServerState,
} from './non-invite-server-machine.js';
import type { TransactionContext } from './transaction-context.js';
import { lifetimeMs, type LifetimeTimer, type TransactionAction, type TransactionTimer } from './transition.js';

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
  #state: InviteServerState | NonInviteServerState;
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

  get state(): InviteServerState | NonInviteServerState {
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
    this.#step(event as InviteServerEvent);
    if (event !== 'retransmit-due' || this.#state !== 'completed') return;
    this.#retransmitIn(Math.min(2 * this.#intervalMs, this.#context.base.t2Ms));
  }

  #step(event: InviteServerEvent | NonInviteServerEvent, text = ''): boolean {
    const { state, actions } = this.isInvite
      ? stepInviteServer(this.#state as InviteServerState, event as InviteServerEvent)
      : stepNonInviteServer(this.#state as NonInviteServerState, event as NonInviteServerEvent);
    this.#state = state;
    let isDone = false;
    let due: LifetimeTimer | undefined;
    for (const action of actions) {
      if (action === 'send' || action === 'deliver') isDone = true;
      due = this.#act(action, text) ?? due;
    }
    if (due !== undefined) this.#step(due as InviteServerEvent);
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
