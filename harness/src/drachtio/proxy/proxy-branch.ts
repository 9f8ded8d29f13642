import { MAX_FORWARDS, TIMER_C_MS, type AgentContext } from '../agent/agent-context.js';
import { composeRequest } from '../message/app-message.js';
import { HEADER, headerValue, headerValues, type SipMessage } from '../message/sip-message.js';
import { NO_MESSAGE_LIMITS, parseMessage } from '../message/parse-message.js';
import type { Received } from '../received.js';
import type { ClientTransaction, ClientTransactionUser } from '../transaction/transaction-layer.js';
import type { Flow } from '../transport/flow.js';

/** Who is told what the target says. */
export interface ProxyBranchUser {
  /** 101 to 199. */
  readonly onProvisional: (response: Received) => void;
  /** 2xx, repeats and other forks included. */
  readonly onSuccess: (response: Received) => void;
  /** 3xx to 6xx, or a status in their place where the target gave none. */
  readonly onFailure: (status: number, response: Received | undefined) => void;
}

/** What a branch is made of. */
export interface ProxyBranchOptions {
  readonly flow: Flow;
  readonly branch: string;
  readonly method: string;
  readonly text: string;
  readonly provisionalTimeoutMs: number | undefined;
  readonly finalTimeoutMs: number | undefined;
  readonly user: ProxyBranchUser;
}

/** A proxied request on its way to one target. */
export class ProxyBranch implements ClientTransactionUser {
  readonly #context: AgentContext;
  readonly #options: ProxyBranchOptions;
  #transaction: ClientTransaction | undefined;
  #isHeard = false;
  #isOver = false;
  #wantsCancel = false;
  /** Whether a CANCEL waits for the first response. */
  #cancelIsDue = false;
  /** Reason fields of the CANCEL. */
  #reasonLines = '';
  #cancelProvisional: (() => void) | undefined;
  #cancelFinal: (() => void) | undefined;
  #cancelC: (() => void) | undefined;
  #cancelEnd: (() => void) | undefined;

  /** A branch that has not been sent. */
  constructor(context: AgentContext, options: ProxyBranchOptions) {
    this.#context = context;
    this.#options = options;
  }

  start(): void {
    const { clock, transactions } = this.#context;
    const { flow, branch, method, text, provisionalTimeoutMs, finalTimeoutMs } = this.#options;
    const giveUp = (): void => this.#giveUp();
    if (provisionalTimeoutMs !== undefined) this.#cancelProvisional = clock.schedule(giveUp, provisionalTimeoutMs);
    if (finalTimeoutMs !== undefined) this.#cancelFinal = clock.schedule(giveUp, finalTimeoutMs);
    this.#restartC();
    this.#transaction = transactions.request({
      branch,
      method,
      flow,
      text,
      user: this,
    });
  }

  /**
   * Tells the target to stop ringing, as soon as it can be told.
   * @param reasonLines - Reason fields to go along, each with its end
   */
  cancel(reasonLines: string): void {
    if (this.#isOver || this.#wantsCancel) return;
    if (this.#options.method !== 'INVITE') {
      this.#transaction?.end();
      this.#fail(487);
      return;
    }
    this.#wantsCancel = true;
    this.#reasonLines = reasonLines;
    if (this.#isHeard) this.#sendCancel();
    else this.#cancelIsDue = true;
  }

  /** Whether the target has answered anything. */
  isHeard(): boolean {
    return this.#isHeard;
  }

  /** A connection is over; where it is that of the target, the target is lost. */
  onFlowClosed(closed: Flow): void {
    if (closed !== this.#options.flow || this.#isOver) return;
    this.#transaction?.end();
    this.#fail(503);
  }

  onResponse(response: Received): void {
    const { user } = this.#options;
    const { status } = response.message;
    this.#isHeard = true;
    this.#cancelProvisional?.();
    if (status < 200) {
      this.#restartC();
      if (this.#wantsCancel && !this.#isOver && this.#cancelIsDue) this.#sendCancel();
      this.#cancelIsDue = false;
      if (status > 100 && !this.#isOver) user.onProvisional(response);
      return;
    }
    this.#cancelEnd?.();
    if (status < 300) {
      this.#end();
      user.onSuccess(response);
    } else this.#fail(status, response);
  }

  onFailure(why: 'timeout' | 'transport-error'): void {
    this.#cancelEnd?.();
    this.#fail(why === 'timeout' ? 408 : 503);
  }

  acknowledgement({ message }: Received): string {
    const to = headerValue(message, HEADER.to);
    return writeFromSent(this.#context, this.#options, { method: 'ACK', to, others: '' });
  }

  #sendCancel(): void {
    const { clock, transactions, settings } = this.#context;
    const { branch, flow } = this.#options;
    const user = { onResponse: () => undefined, onFailure: () => undefined, acknowledgement: () => '' };
    const parts = { method: 'CANCEL', to: undefined, others: this.#reasonLines } as const;
    const text = writeFromSent(this.#context, this.#options, parts);
    transactions.request({
      branch,
      method: 'CANCEL',
      flow,
      text,
      user,
    });
    // @see RFC 3261 section 9.1: what brings no final response now never will. Others may have had their turn meanwhile.
    this.#cancelEnd = clock.schedule(() => {
      this.#transaction?.end();
      this.#fail(408);
    }, 64 * settings.timers.t1Ms);
  }

  #restartC(): void {
    if (this.#options.method !== 'INVITE' || this.#wantsCancel) return;
    this.#cancelC?.();
    this.#cancelC = this.#context.clock.schedule(() => this.#giveUp(), TIMER_C_MS);
  }

  /** Too slow: others get their turn; a target that rings is told. */
  #giveUp(): void {
    if (!this.#isHeard) this.#transaction?.end();
    else if (this.#options.method === 'INVITE' && !this.#wantsCancel) {
      this.#wantsCancel = true;
      this.#sendCancel();
    }
    this.#fail(408);
  }

  #fail(status: number, response?: Received): void {
    if (this.#end()) this.#options.user.onFailure(status, response);
  }

  /** @returns whether it was still under way */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#cancelProvisional?.();
    this.#cancelFinal?.();
    this.#cancelC?.();
    return true;
  }
}

/** The ACK or CANCEL of a request that was sent: what identifies it is the request's. */
function writeFromSent(
  context: AgentContext,
  { flow, branch, text }: ProxyBranchOptions,
  {
    method,
    to,
    others,
  }: {
    readonly method: 'ACK' | 'CANCEL';
    readonly to: string | undefined;
    readonly others: string;
  },
): string {
  const parsed = parseMessage(text, NO_MESSAGE_LIMITS);
  const sent: SipMessage | undefined = parsed.status === 'unreadable' ? undefined : parsed.message;
  if (sent === undefined) return '';
  const cseq = Number.parseInt(headerValue(sent, HEADER.cseq) ?? '0', 10);
  return composeRequest({
    method,
    requestUri: sent.requestUri,
    via: context.viaOf(flow, branch),
    maxForwards: MAX_FORWARDS,
    cseq,
    routes: headerValues(sent, HEADER.route),
    from: headerValue(sent, HEADER.from) ?? '',
    to: to ?? headerValue(sent, HEADER.to) ?? '',
    callId: headerValue(sent, HEADER.callId) ?? '',
    contact: undefined,
    others,
    contentType: undefined,
    body: '',
  });
}
