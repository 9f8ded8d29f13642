import type { AppConnection } from '../control/app-connection.js';
import type { SipCommand } from '../control/command.js';
import { dialogOfClient, refreshTarget, type Dialog } from '../dialog/dialog.js';
import { withTag, composeRequest, composeResponse, readAppMessage } from '../message/app-message.js';
import { copied } from '../identifiers.js';
import { HEADER, headerValue, namesOption } from '../message/sip-message.js';
import type { PassingMap } from '../timers.js';
import type { Received } from '../received.js';
import type { ClientTransactionUser } from '../transaction/transaction-layer.js';
import type { Flow } from '../transport/flow.js';
import { MAX_FORWARDS, TIMER_C_MS, hangUp, leave, prepareDialogRequest, rejectionOf } from './agent-context.js';
import type { AgentContext } from './agent-context.js';
import { cancelOf, refuse, tellSent } from './outgoing-request.js';
import type { AnsweredInvite, OutgoingRequest, SentAck } from './outgoing-request.js';

/** State of the outbound agent that responses change. */
export interface OutboundState {
  /** By the transaction id that applications know. */
  readonly outgoing: PassingMap<string, OutgoingRequest>;
  /** Calls that were answered and whose ACK the application owes. */
  readonly unacknowledged: PassingMap<Dialog, OutgoingRequest>;
  /** A peer rings and has not been heard for longer than a call may ring without a word. */
  readonly onSilence: (invite: OutgoingRequest) => void;
}

/** Handles what comes back to requests of applications. */
export class OutboundResponses {
  readonly #context: AgentContext;
  readonly #state: OutboundState;

  constructor(context: AgentContext, state: OutboundState) {
    this.#context = context;
    this.#state = state;
  }

  /** Gives the application a response that nobody sent. */
  synthesise(outgoing: OutgoingRequest, status: number, reason: string): void {
    const { dialogs, cdr } = this.#context;
    this.#settle(outgoing);
    const { callId, cseq, method, from, to, flow, branch } = outgoing;
    const text = composeResponse({
      status,
      reason,
      vias: `Via: ${this.#context.viaOf(flow, branch)}\r\n`,
      recordRoutes: '',
      from,
      callId,
      to: withTag(to, this.#context.identifiers.tag()),
      cseq: `${cseq} ${method}`,
      contact: undefined,
      others: '',
      contentType: undefined,
      body: '',
    });
    if (method === 'INVITE' && outgoing.dialog === undefined) {
      dialogs.removeEarly(outgoing.dialogId);
      cdr.stop('network', 'call-rejected', text);
    }
    const meta = this.#context.received(text.length, flow);
    const { transactionId, dialogId } = outgoing;
    this.#pass(outgoing, () => this.#context.deliver(outgoing.app, meta, { transactionId, dialogId, text }));
    if (outgoing.dialog !== undefined && endsDialog(outgoing)) dialogs.remove(outgoing.dialog);
  }

  /** The application is gone: nobody else acknowledges the call. One that nobody knew yet is hung up. */
  onAppGone(dialog: Dialog, invite: OutgoingRequest): void {
    this.#state.unacknowledged.delete(dialog);
    this.#acknowledge(dialog, invite, () => {
      if (invite.dialog === undefined) hangUp(this.#context, dialog, 'application is gone');
    });
  }

  /** The application's ACK has gone out. */
  onAcknowledged(invite: OutgoingRequest, sentAck: SentAck): void {
    invite.sentAck = sentAck;
    invite.transaction?.handOver(new AcknowledgedInvite(invite, this));
  }

  /** A 2xx again wants its ACK again; one from another branch of a fork is a call that nobody wants. */
  onMoreSuccess(outgoing: AnsweredInvite, received: Received): void {
    const { essentials } = received;
    const isAnswer = essentials.toTag === outgoing.answeredTag;
    const known = isAnswer ? outgoing.sentAck : outgoing.leftBranches?.get(essentials.toTag);
    if (known !== undefined) {
      this.#context.onRetransmission();
      this.#context.send(known.flow, known.text);
    }
    if (isAnswer || outgoing.leftBranches?.has(essentials.toTag) === true) return;
    const { app, transactionId } = outgoing;
    const localContact = this.#context.contactOf(outgoing.flow);
    const sent = { from: outgoing.from, flow: outgoing.flow, requestUri: '' };
    const branch = dialogOfClient(received, sent, { app, transactionId, localContact });
    this.#acknowledge(branch, outgoing, () => leave(this.#context, branch));
  }

  userOf(outgoing: OutgoingRequest, retry: (() => boolean) | undefined): ClientTransactionUser {
    return {
      onResponse: (received) => {
        const { status } = received.message;
        if (status >= 200 && status < 300 && outgoing.method === 'INVITE') this.#onInviteSuccess(outgoing, received);
        // What was given up has had its final response.
        else if (outgoing.isAnswered) return;
        else if (status < 200) this.#onProvisional(outgoing, received);
        else this.#onFinal(outgoing, received);
      },
      onFailure: (why) => {
        if (why === 'transport-error' && retry?.() === true) return;
        this.synthesise(outgoing, ...(why === 'timeout' ? TIMED_OUT : UNREACHABLE));
      },
      acknowledgement: (received) => acknowledgementOf(this.#context, outgoing, received),
    };
  }

  #settle(outgoing: OutgoingRequest): void {
    outgoing.isAnswered = true;
    outgoing.cancelWait?.();
    outgoing.cancelWait = undefined;
    outgoing.sendCancel = undefined;
    outgoing.cancelWatch?.();
    outgoing.cancelWatch = undefined;
    this.#state.outgoing.delete(outgoing.transactionId);
    if (outgoing.dialog !== undefined && outgoing.method === 'INVITE') outgoing.dialog.isInviting = false;
  }

  #pass(outgoing: OutgoingRequest, deliver: () => void): void {
    if (outgoing.hold === undefined) deliver();
    else outgoing.hold.waiting.push(deliver);
  }

  #deliver(outgoing: OutgoingRequest, received: Received): void {
    const { text } = received.message;
    const meta = this.#context.received(text.length, received.flow);
    const { transactionId, dialogId } = outgoing;
    this.#pass(outgoing, () => this.#context.deliver(outgoing.app, meta, { transactionId, dialogId, text }));
  }

  /** No timer of the transaction runs while a peer rings. One of ours does, set again only when it has run out. */
  #watch(outgoing: OutgoingRequest): void {
    outgoing.lastHeardMs = this.#context.clock.nowMs();
    outgoing.cancelWatch ??= this.#watchFor(outgoing, TIMER_C_MS);
  }

  #watchFor(outgoing: OutgoingRequest, ms: number): () => void {
    const { clock } = this.#context;
    return clock.schedule(() => {
      const leftMs = outgoing.lastHeardMs + TIMER_C_MS - clock.nowMs();
      outgoing.cancelWatch = leftMs > 0 ? this.#watchFor(outgoing, leftMs) : undefined;
      if (leftMs <= 0) this.#state.onSilence(outgoing);
    }, ms);
  }

  #onProvisional(outgoing: OutgoingRequest, received: Received): void {
    outgoing.hasProvisional = true;
    outgoing.sendCancel?.();
    outgoing.sendCancel = undefined;
    const { message, essentials } = received;
    if (outgoing.method === 'INVITE') this.#watch(outgoing);
    if (message.status === 100) return;
    if (outgoing.method === 'INVITE' && essentials.toTag !== '') {
      const rseq = reliableNumber(received);
      if (rseq !== undefined && isOutOfOrder(outgoing, essentials.toTag, rseq)) return;
      const dialog =
        outgoing.dialog ??
        this.#context.dialogs.byTags(essentials.callId, essentials.fromTag, essentials.toTag) ??
        this.#makeDialog(outgoing, received);
      if (rseq !== undefined) (outgoing.unpracked ??= []).push({ rseq, dialog });
    }
    this.#deliver(outgoing, received);
  }

  #makeDialog(outgoing: OutgoingRequest, received: Received): Dialog {
    const { app, transactionId } = outgoing;
    const localContact = outgoing.contact ?? this.#context.contactOf(outgoing.flow);
    const dialog = dialogOfClient(received, outgoing, { app, transactionId, localContact });
    dialog.hold = outgoing.hold;
    this.#context.dialogs.add(dialog);
    return dialog;
  }

  #onInviteSuccess(outgoing: OutgoingRequest, received: Received): void {
    const { dialogs, clock, cdr } = this.#context;
    const { essentials, message } = received;
    if (outgoing.isAnswered) {
      // A re-INVITE that was given up does not end its call.
      if (outgoing.dialog !== undefined && outgoing.answeredTag === undefined) {
        outgoing.answeredTag = copied(essentials.toTag);
        refreshTarget(outgoing.dialog, message);
        this.#acknowledge(outgoing.dialog, outgoing, () => undefined);
      } else this.onMoreSuccess(outgoing, received);
      return;
    }
    outgoing.answeredTag = copied(essentials.toTag);
    outgoing.answeredStatus = message.status;
    this.#settle(outgoing);
    if (outgoing.dialog !== undefined) {
      refreshTarget(outgoing.dialog, message);
      this.#state.unacknowledged.set(outgoing.dialog, outgoing);
      this.#deliver(outgoing, received);
      return;
    }
    const early = dialogs.byTags(essentials.callId, essentials.fromTag, essentials.toTag);
    if (early !== undefined) dialogs.remove(early);
    // The route set of a confirmed dialog is that of the 2xx. @see RFC 3261 section 13.2.2.4
    const dialog = this.#makeDialog(outgoing, received);
    if (early !== undefined) {
      dialog.localCseq = Math.max(early.localCseq, dialog.localCseq);
      dialog.remoteCseq = early.remoteCseq;
    }
    dialog.state = 'confirmed';
    dialog.toldAtMs = clock.nowMs();
    dialogs.removeEarly(dialog.id);
    this.#state.unacknowledged.set(dialog, outgoing);
    cdr.start('network', 'uac', message.text);
    this.#deliver(outgoing, received);
    if (!outgoing.app.isOpen()) this.onAppGone(dialog, outgoing);
  }

  /** Sends an ACK in the server's own name. That a branch gets one is known at once: its 200 may come again before the way is found. */
  #acknowledge(dialog: Dialog, outgoing: AnsweredInvite, then: () => void): void {
    const isAnswer = dialog.remoteTag === outgoing.answeredTag;
    outgoing.leftBranches ??= new Map();
    if (!isAnswer) outgoing.leftBranches.set(dialog.remoteTag, undefined);
    const bare = {
      contact: undefined,
      others: '',
      contentType: undefined,
      body: '',
    };
    prepareDialogRequest(this.#context, dialog, {
      parts: { ...bare, method: 'ACK', cseq: outgoing.cseq },
      ready: (made) => {
        if (typeof made === 'string') {
          this.#context.dialogs.remove(dialog);
          return;
        }
        const { flow, text } = made;
        if (isAnswer) outgoing.sentAck = { flow, text };
        else outgoing.leftBranches?.set(dialog.remoteTag, { flow, text });
        this.#context.send(flow, text);
        then();
      },
    });
  }

  #onFinal(outgoing: OutgoingRequest, received: Received): void {
    const { dialogs, cdr } = this.#context;
    const { message } = received;
    const isChallenge = message.status === 401 || message.status === 407;
    this.#settle(outgoing);
    if (outgoing.method === 'INVITE' && outgoing.dialog === undefined) {
      dialogs.removeEarly(outgoing.dialogId);
      cdr.stop('network', rejectionOf(message.status), message.text);
    }
    if (outgoing.method === 'SUBSCRIBE' && outgoing.dialog === undefined && message.status < 300) {
      this.#makeDialog(outgoing, received).state = 'confirmed';
    }
    if (outgoing.method === 'SUBSCRIBE' && outgoing.dialog !== undefined && message.status < 300) {
      refreshTarget(outgoing.dialog, message);
    }
    this.#deliver(outgoing, received);
    if (outgoing.dialog !== undefined && !isChallenge && endsDialog(outgoing)) dialogs.remove(outgoing.dialog);
  }
}

/** What lingers with the transaction of an INVITE once its ACK has gone out: as little as further 2xx need, since all calls of 32 s have one. */
class AcknowledgedInvite implements AnsweredInvite, ClientTransactionUser {
  readonly transactionId: string;
  readonly app: AppConnection;
  readonly cseq: number;
  readonly from: string;
  readonly flow: Flow;
  readonly answeredTag: string | undefined;
  sentAck: SentAck | undefined;
  leftBranches: Map<string, SentAck | undefined> | undefined;
  readonly #responses: OutboundResponses;

  constructor(invite: OutgoingRequest, responses: OutboundResponses) {
    this.transactionId = invite.transactionId;
    this.app = invite.app;
    this.cseq = invite.cseq;
    this.from = invite.from;
    this.flow = invite.flow;
    this.answeredTag = invite.answeredTag;
    this.sentAck = invite.sentAck;
    this.leftBranches = invite.leftBranches;
    this.#responses = responses;
  }

  onResponse(received: Received): void {
    this.#responses.onMoreSuccess(this, received);
  }

  onFailure(): void {
    // It was answered: nothing more is waited for.
  }

  acknowledgement(): string {
    return this.sentAck?.text ?? '';
  }
}

/** What applications get where nobody answered, or nobody can be reached, as drachtio-server words it. */
const TIMED_OUT: readonly [number, string] = [408, 'Request Timeout'];
export const UNREACHABLE: readonly [number, string] = [503, 'Service Unavailable'];

/** A call or subscription that ends with the response to a request, whatever it says. */
function endsDialog({ method, dialog, isTerminating }: OutgoingRequest): boolean {
  return method === 'BYE' || (method === 'NOTIFY' && dialog?.method === 'SUBSCRIBE' && isTerminating);
}

/** The number of a provisional response that wants a PRACK; undefined where it wants none. @see RFC 3262 section 4 */
function reliableNumber({ message }: Received): number | undefined {
  if (!namesOption(message, HEADER.require, '100rel')) return undefined;
  const rseq = headerValue(message, HEADER.rseq) ?? '';
  return /^\d{1,10}$/.test(rseq) ? Number(rseq) : undefined;
}

/** The same reliable response again, or one before which another is missing. @see RFC 3262 section 4 */
function isOutOfOrder(outgoing: OutgoingRequest, toTag: string, rseq: number): boolean {
  outgoing.lastRseq ??= new Map();
  const last = outgoing.lastRseq.get(toTag);
  if (last !== undefined && rseq !== last + 1) return true;
  outgoing.lastRseq.set(toTag, rseq);
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
    contact: undefined,
    others: '',
    contentType: undefined,
    body: '',
  });
}

/** Cancels INVITEs of applications. */
export class Canceller {
  readonly #context: AgentContext;
  readonly #state: OutboundState;
  readonly #responses: OutboundResponses;

  constructor(context: AgentContext, state: OutboundState, responses: OutboundResponses) {
    this.#context = context;
    this.#state = state;
    this.#responses = responses;
  }

  /** An application cancels. */
  cancel(app: AppConnection, command: SipCommand): void {
    const { transactionId } = command;
    const invite = this.#state.outgoing.get(transactionId);
    const isTooLate = invite === undefined && isAnswered(this.#state, transactionId);
    if (isTooLate || invite?.isCancelled === true) {
      refuse(this.#context, app, command, `internal server error canceling transaction id: ${transactionId}`);
    } else if (invite === undefined || invite.method !== 'INVITE') {
      refuse(this.#context, app, command, `unable to cancel unknown transaction id: ${transactionId}`);
    } else {
      const { flow } = invite;
      const read = readAppMessage(command.text, this.#context.namesOf(flow));
      const text = cancelOf(this.#context, invite, read?.headers.others ?? '');
      const ownId = this.#context.identifiers.transactionId();
      tellSent(this.#context, app, command, { transactionId: ownId, flow, text });
      this.#begin(invite, text);
    }
  }

  /** The server cancels in its own name; nothing where that was done already. */
  giveUp(invite: OutgoingRequest): void {
    if (!invite.isCancelled) this.#begin(invite, cancelOf(this.#context, invite, ''));
  }

  /** The server cancels, and the application has its final response at once. */
  fail(invite: OutgoingRequest): void {
    const { clock, settings } = this.#context;
    this.giveUp(invite);
    this.#responses.synthesise(invite, ...UNREACHABLE);
    // Whatever final response the CANCEL brings is acknowledged. Where it brings none, nothing is left either.
    clock.schedule(() => invite.transaction?.end(), 64 * settings.timers.t1Ms);
  }

  /** The call that a re-INVITE belongs to is over: what brings no final response now never will. */
  abandon(invite: OutgoingRequest): void {
    const { clock, settings } = this.#context;
    invite.cancelWait ??= clock.schedule(() => {
      invite.transaction?.end();
      this.#responses.synthesise(invite, ...TIMED_OUT);
    }, 64 * settings.timers.t1Ms);
  }

  /** A CANCEL waits for a provisional response, and the INVITE is given up when it brings no final one. @see RFC 3261 section 9.1 */
  #begin(invite: OutgoingRequest, text: string): void {
    invite.isCancelled = true;
    const send = (): void => {
      const { branch, flow } = invite;
      const user = { onResponse: () => undefined, onFailure: () => undefined, acknowledgement: () => '' };
      this.#context.transactions.request({
        branch,
        method: 'CANCEL',
        flow,
        text,
        user,
      });
      this.abandon(invite);
    };
    if (invite.hasProvisional) send();
    else invite.sendCancel = send;
  }
}

/** Whether an INVITE has been answered, and only its ACK is missing. */
function isAnswered({ unacknowledged }: OutboundState, transactionId: string): boolean {
  for (const invite of unacknowledged.values()) if (invite.transactionId === transactionId) return true;
  return false;
}
