import { MAX_FORWARDS, TIMER_C_MS } from '../agent/agent-context.js';
import type { AgentContext } from '../agent/agent-context.js';
import { composeRequest } from '../message/app-message.js';
import { HEADER, headerValue, headerValues } from '../message/sip-message.js';
import type { SipMessage } from '../message/sip-message.js';
import { NO_MESSAGE_LIMITS, parseMessage } from '../message/parse-message.js';
import type { Received } from '../received.js';
import type { ClientTransaction } from '../transaction/transaction-layer.js';
import type { Flow } from '../transport/flow.js';

/** A proxied request on its way to one target. */
export interface ProxyBranch {
  readonly start: () => void;
  /**
   * Tells the target to stop ringing, as soon as it can be told.
   *
   * @param reasonLines - Reason fields to go along, each with its end
   */
  readonly cancel: (reasonLines: string) => void;
  /** Whether the target has answered anything. */
  readonly isHeard: () => boolean;
  /** A connection is over; where it is that of the target, the target is lost. */
  readonly onFlowClosed: (closed: Flow) => void;
}

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

/** Makes a branch that has not been sent. */
export function createProxyBranch(context: AgentContext, options: ProxyBranchOptions): ProxyBranch {
  const { clock, transactions, settings } = context;
  const { flow, branch, method, text, user } = options;
  let transaction: ClientTransaction | undefined;
  let isHeard = false;
  let isOver = false;
  let wantsCancel = false;
  /** Whether a CANCEL waits for the first response. */
  let cancelIsDue = false;
  /** Reason fields of the CANCEL. */
  let reasonLines = '';
  let cancelProvisional: (() => void) | undefined;
  let cancelFinal: (() => void) | undefined;
  let cancelC: (() => void) | undefined;
  let cancelEnd: (() => void) | undefined;

  const stopTimers = (): void => {
    cancelProvisional?.();
    cancelFinal?.();
    cancelC?.();
  };
  const over = (): boolean => {
    if (isOver) return false;
    isOver = true;
    stopTimers();
    return true;
  };
  const fail = (status: number, response?: Received): void => {
    if (over()) user.onFailure(status, response);
  };
  const sendCancel = (): void => {
    const silent = { onResponse: () => undefined, onFailure: () => undefined, acknowledgement: () => '' };
    const cancel = writeFromSent(context, options, { method: 'CANCEL', to: undefined, others: reasonLines });
    transactions.request({ branch, method: 'CANCEL', flow, text: cancel, user: silent });
    // @see RFC 3261 section 9.1: what brings no final response now never will. Others may have had their turn meanwhile.
    cancelEnd = clock.schedule(() => {
      transaction?.end();
      fail(408);
    }, 64 * settings.timers.t1Ms);
  };
  const restartC = (): void => {
    if (method !== 'INVITE' || wantsCancel) return;
    cancelC?.();
    cancelC = clock.schedule(giveUp, TIMER_C_MS);
  };
  /** Too slow: others get their turn; a target that rings is told. */
  const giveUp = (): void => {
    if (!isHeard) transaction?.end();
    else if (method === 'INVITE' && !wantsCancel) {
      wantsCancel = true;
      sendCancel();
    }
    fail(408);
  };

  return {
    isHeard: () => isHeard,
    onFlowClosed: (closed) => {
      if (closed !== flow || isOver) return;
      transaction?.end();
      fail(503);
    },
    start: () => {
      const { provisionalTimeoutMs, finalTimeoutMs } = options;
      if (provisionalTimeoutMs !== undefined) cancelProvisional = clock.schedule(giveUp, provisionalTimeoutMs);
      if (finalTimeoutMs !== undefined) cancelFinal = clock.schedule(giveUp, finalTimeoutMs);
      restartC();
      transaction = transactions.request({
        branch,
        method,
        flow,
        text,
        user: {
          onResponse: (response) => {
            const { status } = response.message;
            isHeard = true;
            cancelProvisional?.();
            if (status < 200) {
              restartC();
              if (wantsCancel && !isOver && cancelIsDue) sendCancel();
              cancelIsDue = false;
              if (status > 100 && !isOver) user.onProvisional(response);
              return;
            }
            cancelEnd?.();
            if (status < 300) {
              over();
              user.onSuccess(response);
            } else fail(status, response);
          },
          onFailure: (why) => {
            cancelEnd?.();
            fail(why === 'timeout' ? 408 : 503);
          },
          acknowledgement: ({ message }) => {
            const to = headerValue(message, HEADER.to);
            return writeFromSent(context, options, { method: 'ACK', to, others: '' });
          },
        },
      });
    },
    cancel: (lines) => {
      if (isOver || wantsCancel) return;
      if (method !== 'INVITE') {
        transaction?.end();
        fail(487);
        return;
      }
      wantsCancel = true;
      reasonLines = lines;
      if (isHeard) sendCancel();
      else cancelIsDue = true;
    },
  };
}

/** The ACK or CANCEL of a request that was sent: what identifies it is the request's. */
function writeFromSent(
  context: AgentContext,
  { flow, branch, text }: ProxyBranchOptions,
  {
    method,
    to,
    others,
  }: { readonly method: 'ACK' | 'CANCEL'; readonly to: string | undefined; readonly others: string },
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
