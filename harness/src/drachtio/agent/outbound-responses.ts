import { dialogOfClient, refreshTarget, type Dialog } from '../dialog/dialog.js';
import { HEADER } from '../message/header-names.js';
import { composeRequest, composeResponse } from '../message/compose.js';
import { headerValue, namesOption } from '../message/sip-message.js';
import { withTag } from '../dialog/dialog.js';
import type { Received } from '../received.js';
import type { ClientTransactionUser } from '../transaction/client-transaction.js';
import type { AgentContext } from './agent-context.js';
import { rejectionOf } from './cdr.js';
import { hangUp, leave, MAX_FORWARDS, prepareDialogRequest } from './dialog-request.js';
import type { OutgoingRequest } from './outgoing-request.js';

/** Handles what comes back to requests of applications. */
export interface OutboundResponses {
  readonly userOf: (outgoing: OutgoingRequest, retry: (() => boolean) | undefined) => ClientTransactionUser;
  /** Gives the application a response that nobody sent. */
  readonly synthesise: (outgoing: OutgoingRequest, status: number, reason: string) => void;
}

/** State of the outbound agent that responses change. */
export interface OutboundState {
  /** By the transaction id that applications know. */
  readonly outgoing: Map<string, OutgoingRequest>;
  /** Calls that were answered and whose ACK the application owes. */
  readonly unacknowledged: Map<Dialog, OutgoingRequest>;
}

/** Makes it. */
export function createOutboundResponses(context: AgentContext, state: OutboundState): OutboundResponses {
  const { dialogs, cdr, clock } = context;

  const settle = (outgoing: OutgoingRequest): void => {
    outgoing.isAnswered = true;
    outgoing.cancelWait?.();
    outgoing.cancelWait = undefined;
    outgoing.sendCancel = undefined;
    state.outgoing.delete(outgoing.transactionId);
    if (outgoing.dialog !== undefined && outgoing.method === 'INVITE') outgoing.dialog.isInviting = false;
  };
  const pass = (outgoing: OutgoingRequest, deliver: () => void): void => {
    if (outgoing.held === undefined) deliver();
    else outgoing.held.push(deliver);
  };
  const deliver = (outgoing: OutgoingRequest, received: Received): void => {
    const { text } = received.message;
    const meta = context.received(text.length, received.flow, received.atMs);
    const { transactionId, dialogId } = outgoing;
    pass(outgoing, () => context.deliver(outgoing.app, meta, { transactionId, dialogId, text }));
  };

  const onProvisional = (outgoing: OutgoingRequest, received: Received): void => {
    outgoing.hasProvisional = true;
    outgoing.sendCancel?.();
    outgoing.sendCancel = undefined;
    const { message, essentials } = received;
    if (message.status === 100) return;
    if (outgoing.method === 'INVITE' && outgoing.dialog === undefined && essentials.toTag !== '') {
      if (isRepeatedReliable(outgoing, received)) return;
      if (dialogs.byTags(essentials.callId, essentials.fromTag, essentials.toTag) === undefined)
        makeDialog(outgoing, received);
    }
    deliver(outgoing, received);
  };
  const makeDialog = (outgoing: OutgoingRequest, received: Received): Dialog => {
    const { app, transactionId } = outgoing;
    const localContact = context.contactOf(outgoing.flow);
    const dialog = dialogOfClient(received, outgoing.from, { app, transactionId, localContact });
    dialogs.add(dialog);
    return dialog;
  };

  const onInviteSuccess = (outgoing: OutgoingRequest, received: Received): void => {
    const { essentials, message } = received;
    if (outgoing.answeredTag !== undefined) {
      onMoreSuccess(outgoing, received);
      return;
    }
    outgoing.answeredTag = essentials.toTag;
    settle(outgoing);
    if (outgoing.dialog !== undefined) {
      refreshTarget(outgoing.dialog, message);
      state.unacknowledged.set(outgoing.dialog, outgoing);
      deliver(outgoing, received);
      return;
    }
    const early = dialogs.byTags(essentials.callId, essentials.fromTag, essentials.toTag);
    if (early !== undefined) dialogs.remove(early);
    // The route set of a confirmed dialog is that of the 2xx. @see RFC 3261 section 13.2.2.4
    const dialog = makeDialog(outgoing, received);
    if (early !== undefined) {
      dialog.localCseq = Math.max(early.localCseq, dialog.localCseq);
      dialog.remoteCseq = early.remoteCseq;
    }
    dialog.state = 'confirmed';
    dialogs.removeEarly(dialog.id);
    state.unacknowledged.set(dialog, outgoing);
    cdr.start('network', 'uac', message.text);
    deliver(outgoing, received);
    if (!outgoing.app.isOpen()) acknowledgeAndLeave(dialog, outgoing.cseq, 'application is gone');
  };
  /** A 2xx again wants its ACK again; one from another branch of a fork is a call that nobody wants. */
  const onMoreSuccess = (outgoing: OutgoingRequest, received: Received): void => {
    const { essentials } = received;
    if (essentials.toTag === outgoing.answeredTag) {
      if (outgoing.acknowledgement === undefined) return;
      context.onRetransmission();
      context.send(outgoing.acknowledgement.flow, outgoing.acknowledgement.text);
      return;
    }
    if (dialogs.byTags(essentials.callId, essentials.fromTag, essentials.toTag) !== undefined) return;
    const { app, transactionId } = outgoing;
    const localContact = context.contactOf(outgoing.flow);
    const branch = dialogOfClient(received, outgoing.from, { app, transactionId, localContact });
    acknowledgeAndLeave(branch, outgoing.cseq, undefined);
  };
  const acknowledgeAndLeave = (dialog: Dialog, cseq: number, reason: string | undefined): void => {
    const bare = { contact: undefined, others: '', contentType: undefined, body: '' };
    prepareDialogRequest(context, dialog, {
      parts: { ...bare, method: 'ACK', cseq },
      ready: (made) => {
        if (typeof made === 'string') return;
        context.send(made.flow, made.text);
        if (reason === undefined) leave(context, dialog);
        else hangUp(context, dialog, reason);
      },
    });
  };

  const onFinal = (outgoing: OutgoingRequest, received: Received): void => {
    const { message } = received;
    const isChallenge = message.status === 401 || message.status === 407;
    settle(outgoing);
    if (outgoing.method === 'INVITE' && outgoing.dialog === undefined) {
      dialogs.removeEarly(outgoing.dialogId);
      cdr.stop('network', rejectionOf(message.status), message.text);
    }
    if (outgoing.method === 'SUBSCRIBE' && outgoing.dialog === undefined && message.status < 300) {
      makeDialog(outgoing, received).state = 'confirmed';
    }
    if (outgoing.method === 'SUBSCRIBE' && outgoing.dialog !== undefined && message.status < 300) {
      refreshTarget(outgoing.dialog, message);
    }
    deliver(outgoing, received);
    if (outgoing.dialog !== undefined && !isChallenge && endsDialog(outgoing)) dialogs.remove(outgoing.dialog);
  };

  const synthesise = (outgoing: OutgoingRequest, status: number, reason: string): void => {
    settle(outgoing);
    const { callId, cseq, method, from, to, flow, branch } = outgoing;
    const text = composeResponse({
      ...{ status, reason, vias: `Via: ${context.viaOf(flow, branch)}\r\n`, recordRoutes: '', from, callId },
      ...{ to: withTag(to, context.identifiers.tag()), cseq: `${cseq} ${method}` },
      ...{ contact: undefined, others: '', contentType: undefined, body: '' },
    });
    if (method === 'INVITE' && outgoing.dialog === undefined) {
      dialogs.removeEarly(outgoing.dialogId);
      cdr.stop('network', 'call-rejected', text);
    }
    const meta = context.received(text.length, flow, clock.nowMs());
    const { transactionId, dialogId } = outgoing;
    pass(outgoing, () => context.deliver(outgoing.app, meta, { transactionId, dialogId, text }));
    if (outgoing.dialog !== undefined && endsDialog(outgoing)) dialogs.remove(outgoing.dialog);
  };

  return {
    synthesise,
    userOf: (outgoing, retry) => ({
      onResponse: (received) => {
        const { status } = received.message;
        if (status < 200) onProvisional(outgoing, received);
        else if (status < 300 && outgoing.method === 'INVITE') onInviteSuccess(outgoing, received);
        else onFinal(outgoing, received);
      },
      onFailure: (why) => {
        if (why === 'transport-error' && retry?.() === true) return;
        synthesise(outgoing, ...(why === 'timeout' ? TIMED_OUT : UNREACHABLE));
      },
      acknowledgement: (received) => acknowledgementOf(context, outgoing, received),
    }),
  };
}

/** What applications get where nobody answered, as drachtio-server words it. */
export const TIMED_OUT: readonly [number, string] = [408, 'Request Timeout'];
const UNREACHABLE = [503, 'Service Unavailable'] as const;

/** A call or subscription that ends with the response to a request, whatever it says. */
function endsDialog({ method, dialog, isTerminating }: OutgoingRequest): boolean {
  return method === 'BYE' || (method === 'NOTIFY' && dialog?.method === 'SUBSCRIBE' && isTerminating);
}

/** The same reliable response again, or one before which another is missing. @see RFC 3262 section 4 */
function isRepeatedReliable(outgoing: OutgoingRequest, { message, essentials }: Received): boolean {
  if (!namesOption(message, HEADER.require, '100rel')) return false;
  const rseq = Number(headerValue(message, HEADER.rseq) ?? Number.NaN);
  if (!Number.isSafeInteger(rseq)) return false;
  outgoing.lastRseq ??= new Map();
  const last = outgoing.lastRseq.get(essentials.toTag);
  if (last !== undefined && rseq !== last + 1) return true;
  outgoing.lastRseq.set(essentials.toTag, rseq);
  return false;
}

/** @see RFC 3261 section 17.1.1.3 */
function acknowledgementOf(context: AgentContext, outgoing: OutgoingRequest, { message }: Received): string {
  return composeRequest({
    method: 'ACK',
    requestUri: outgoing.requestUri,
    via: context.viaOf(outgoing.flow, outgoing.branch),
    maxForwards: MAX_FORWARDS,
    routes: outgoing.routes,
    from: outgoing.from,
    to: headerValue(message, HEADER.to) ?? outgoing.to,
    callId: outgoing.callId,
    cseq: outgoing.cseq,
    ...{ contact: undefined, others: '', contentType: undefined, body: '' },
  });
}
