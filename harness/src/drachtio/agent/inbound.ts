import type { AppConnection } from '../control/app-connection.js';
import { newRequestPayload } from '../control/frames.js';
import { dialogId, refreshTarget, type Dialog, type Hold } from '../dialog/dialog.js';
import { HEADER, headerValue } from '../message/sip-message.js';
import { targetOf } from '../message/via.js';
import { ownResponse, stampedText, type Received } from '../received.js';
import { NOBODY, type ServerTransaction, type ServerTransactionUser } from '../transaction/transaction-layer.js';
import { AcceptedInvites, InboundResponder, ProvisionalRows } from './inbound-responses.js';
import type { PendingRequest, Refusal } from './inbound-responses.js';
import { hangUp, tellOver, type AgentContext } from './agent-context.js';
import type { SipCommand } from '../control/command.js';
import { PassingMap, type TimerTarget } from '../timers.js';

/** What becomes of the CANCEL of an INVITE that is being proxied. */
export type ProxyCancel = (invite: ServerTransaction, cancel: Received) => boolean;

/** Requests that make no sense without the dialog that they name. */
const NEED_DIALOG: ReadonlySet<string> = new Set(['INVITE', 'BYE', 'UPDATE', 'PRACK']);
/** Requests whose Contact is the other side's new target. @see RFC 3261 section 12.2, RFC 3311, RFC 6665 */
const REFRESH_TARGET: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);
/** Methods that drachtio-srf knows; no application can ask for others. */
const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'INVITE',
  'BYE',
  'OPTIONS',
  'REGISTER',
  'INFO',
  'PRACK',
  'UPDATE',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'PUBLISH',
]);

/** The side of the server that gets requests from the network and answers them in the name of applications. */
export class InboundAgent {
  readonly #context: AgentContext;
  readonly #cancelProxy: ProxyCancel;
  readonly #responder: InboundResponder;
  readonly #accepted: AcceptedInvites;
  readonly #provisionals: ProvisionalRows;
  readonly #pending = new PassingMap<string, PendingRequest>();
  #pendingInvites = 0;
  readonly #byTransaction = new PassingMap<ServerTransaction, PendingRequest>();
  /** To tags of INVITEs that were answered: they may still be cancelled, in vain. */
  readonly #answeredTags = new PassingMap<ServerTransaction, string>();
  readonly #openInvites = new PassingMap<Dialog, PendingRequest>();
  /** INVITEs whose 2xx waits for a PRACK. */
  readonly #held = new PassingMap<ServerTransaction, PendingRequest>();
  readonly #requestUser: ServerTransactionUser = {
    onFailure: (transaction) => this.#forgetTransaction(transaction),
    onEnd: (transaction) => this.#forgetTransaction(transaction),
  };
  readonly #answeredUser: ServerTransactionUser = {
    onEnd: (transaction) => void this.#answeredTags.delete(transaction),
  };
  readonly #expiry: TimerTarget = { onTimer: (transactionId) => this.#expire(transactionId) };

  constructor(context: AgentContext, cancelProxy: ProxyCancel) {
    const { clock, identifiers, settings, onRetransmission } = context;
    const { timers } = settings;
    this.#context = context;
    this.#cancelProxy = cancelProxy;
    this.#provisionals = new ProvisionalRows({ clock, timers, rseq: identifiers.rseq, onRetransmission });
    this.#accepted = new AcceptedInvites({
      clock,
      timers,
      resend: (flow, text) => {
        onRetransmission();
        context.send(flow, text);
      },
      onTimeout: (dialog) => hangUp(context, dialog, 'ACK timeout'),
    });
    this.#responder = new InboundResponder(context, {
      accepted: this.#accepted,
      provisionals: this.#provisionals,
      openInvites: this.#openInvites,
      held: this.#held,
      forget: (request) => this.#forget(request),
      giveUp: (request, refusal) => this.#giveUp(request, refusal),
    });
  }

  onRequest(received: Received, transaction: ServerTransaction): void {
    const { settings, dialogs } = this.#context;
    const { message, essentials } = received;
    const isInvite = message.method === 'INVITE';
    if (isInvite) transaction.tryWithin(settings.tryingHoldMs, () => ownResponse(received, { status: 100, toTag: '' }));
    if (essentials.toTag !== '') {
      const dialog = dialogs.ofRequest(essentials);
      if (dialog !== undefined) this.#inDialog(received, transaction, dialog);
      else if (NEED_DIALOG.has(message.method)) this.#answerSelf(received, transaction, { status: 481 });
      else this.#offer(received, transaction);
      return;
    }
    const answered = isInvite ? dialogs.answered(dialogId(essentials.callId, essentials.fromTag)) : undefined;
    if (answered !== undefined) {
      // What was answered already came by another way as well, or comes where a call is. @see RFC 3261 section 8.2.2.2
      this.#answerSelf(received, transaction, { status: essentials.cseq <= answered.remoteCseq ? 482 : 491 });
    } else if (message.method === 'BYE' || message.method === 'UPDATE' || message.method === 'PRACK') {
      this.#answerSelf(received, transaction, { status: 481 });
    } else if (hasUnknownScheme(message.requestUri)) this.#answerSelf(received, transaction, { status: 416 });
    else this.#offer(received, transaction);
  }

  onCancel(received: Received, transaction: ServerTransaction, invite: ServerTransaction | undefined): void {
    const request = invite === undefined ? undefined : (this.#byTransaction.get(invite) ?? this.#held.get(invite));
    if (invite === undefined || (request === undefined && !invite.isAnswered && !this.#cancelProxy(invite, received))) {
      this.#answerSelf(received, transaction, { status: 481 });
      return;
    }
    const toTag = request?.localTag ?? this.#answeredTags.get(invite) ?? this.#context.identifiers.tag();
    transaction.respond(200, ownResponse(received, { status: 200, toTag }));
    if (request !== undefined) this.#cancelInvite(request, received);
  }

  onAck(received: Received): void {
    const dialog = this.#context.dialogs.ofRequest(received.essentials);
    const transactionId = dialog && this.#accepted.acknowledge(dialog, received.essentials.cseq);
    if (dialog === undefined || transactionId === undefined) return;
    this.#provisionals.drop(dialog);
    const meta = this.#context.received(received.message.text.length, received.flow);
    this.#context.deliver(dialog.app, meta, { transactionId, dialogId: dialog.id, text: stampedText(received) });
  }

  /** An application answers. */
  respond(app: AppConnection, command: SipCommand): void {
    const request = this.#pending.get(command.transactionId);
    if (request === undefined)
      this.#context.answer(app, command.messageId, 'NOK|Response not sent due to unknown transaction');
    else this.#responder.respond(app, command, request);
  }

  /** Takes a request out of the application's hands, for proxying. */
  take(transactionId: string): PendingRequest | undefined {
    const request = this.#pending.get(transactionId);
    if (request === undefined) return undefined;
    this.#forget(request);
    this.#answeredTags.delete(request.transaction);
    return request;
  }

  /** An application is gone: what it has not answered is refused. */
  onAppClosed(app: AppConnection): void {
    for (const request of this.#pending.values()) if (request.app === app) this.#giveUp(request, { status: 503 });
  }

  onDialogRemoved(dialog: Dialog): void {
    this.#accepted.drop(dialog);
    this.#provisionals.drop(dialog);
    const open = this.#openInvites.get(dialog);
    if (open !== undefined) {
      // What waits for an answer in a call that is over still has to get one. @see RFC 3261 section 15.1.2
      this.#forget(open);
      this.#terminate(open);
    }
    for (const request of this.#held.values()) {
      if (request.dialog !== dialog) continue;
      this.#held.delete(request.transaction);
      this.#terminate(request);
    }
  }

  /** INVITEs that wait for a final response. */
  pendingInvites(): number {
    return this.#pendingInvites;
  }

  counts(): {
    readonly pendingRequests: number;
    readonly pendingInvites: number;
    readonly unacknowledged: number;
  } {
    const { size: pendingRequests } = this.#pending;
    return { pendingRequests, pendingInvites: this.#pendingInvites, unacknowledged: this.#accepted.size };
  }

  #forget(request: PendingRequest): void {
    request.expiry?.cancel();
    if (this.#pending.delete(request.transactionId) && request.transaction.isInvite) this.#pendingInvites -= 1;
    const { transaction, dialog } = request;
    this.#byTransaction.delete(transaction);
    if (dialog !== undefined && this.#openInvites.get(dialog) === request) this.#openInvites.delete(dialog);
    // The transaction lingers for its timers' sake; the request and its application need not.
    transaction.user = transaction.isInvite ? this.#answeredUser : NOBODY;
    if (transaction.isInvite) this.#answeredTags.set(transaction, request.localTag);
  }

  #answerSelf(received: Received, transaction: ServerTransaction, refusal: Refusal): void {
    const toTag = received.essentials.toTag === '' ? (refusal.toTag ?? this.#context.identifiers.tag()) : '';
    const text = ownResponse(received, { ...refusal, toTag });
    transaction.respond(refusal.status, text);
    if (received.message.method === 'INVITE' && received.essentials.toTag === '') {
      this.#context.cdr.stop('application', refusal.status === 487 ? 'call-canceled' : 'call-rejected', text);
    }
  }

  /** Forgets a request that the server itself answers; an application that has accepted a call that way hears that it is over. */
  #drop(request: PendingRequest, reason: string): void {
    this.#forget(request);
    const { dialog, transaction } = request;
    const wasAccepted = this.#held.delete(transaction);
    if (dialog === undefined) return;
    if (request.isInDialog) this.#provisionals.drop(dialog);
    else {
      this.#context.dialogs.remove(dialog);
      if (wasAccepted) tellOver(this.#context, dialog, reason);
    }
  }

  /** Ends a request in the server's own name. */
  #giveUp(request: PendingRequest, refusal: Refusal): void {
    this.#drop(request, refusal.reason ?? '');
    const { transaction, received, localTag } = request;
    // A late final response to anything but an INVITE helps nobody. @see RFC 4320 section 4.2
    if (transaction.isInvite) this.#answerSelf(received, transaction, { toTag: localTag, ...refusal });
    else transaction.end();
  }

  #hold(request: PendingRequest): void {
    const { clock, settings } = this.#context;
    this.#pending.set(request.transactionId, request);
    if (request.transaction.isInvite) this.#pendingInvites += 1;
    this.#byTransaction.set(request.transaction, request);
    request.expiry = clock.start(settings.appAnswerMs, this.#expiry, request.transactionId);
    request.transaction.user = this.#requestUser;
  }

  #expire(transactionId: string): void {
    const request = this.#pending.get(transactionId);
    // What rings may ring: only an application that has said nothing at all is given up.
    if (request !== undefined && !(request.transaction.isInvite && request.hasResponded))
      this.#giveUp(request, { status: 408 });
  }

  #forgetTransaction(transaction: ServerTransaction): void {
    const request = this.#byTransaction.get(transaction);
    if (request !== undefined) this.#forget(request);
    this.#answeredTags.delete(transaction);
  }

  #makePending(received: Received, transaction: ServerTransaction, owner: Owner): PendingRequest {
    return {
      transactionId: this.#context.identifiers.transactionId(),
      received,
      transaction,
      app: owner.app,
      dialog: owner.dialog,
      localTag: owner.dialog?.localTag ?? this.#context.identifiers.tag(),
      isInDialog: received.essentials.toTag !== '',
      hasResponded: false,
      copied: undefined,
      expiry: undefined,
    };
  }

  #offer(received: Received, transaction: ServerTransaction): void {
    const { apps, cdr, identifiers } = this.#context;
    const { method } = received.message;
    const text = stampedText(received);
    if (method === 'INVITE') cdr.attempt('network', text);
    const app = apps.next(method.toLowerCase());
    if (app === undefined) {
      this.#answerSelf(received, transaction, { status: KNOWN_METHODS.has(method) ? 503 : 501 });
      return;
    }
    const request = this.#makePending(received, transaction, { app, dialog: undefined });
    this.#hold(request);
    const meta = this.#context.received(received.message.text.length, received.flow);
    const { transactionId } = request;
    app.send(newRequestPayload(identifiers.frameId(), meta, { transactionId, local: received.flow.local, text }));
  }

  #inDialog(received: Received, transaction: ServerTransaction, dialog: Dialog): void {
    const { message, essentials } = received;
    const refusal = this.#refusalOf(received, dialog);
    if (refusal !== undefined) {
      this.#answerSelf(received, transaction, refusal);
      return;
    }
    dialog.remoteCseq = essentials.cseq;
    if (REFRESH_TARGET.has(message.method)) refreshTarget(dialog, message);
    const request = this.#makePending(received, transaction, { app: dialog.app, dialog });
    if (message.method === 'BYE') this.#endByBye(dialog, received);
    else if (endsSubscription(dialog, received)) this.#context.dialogs.remove(dialog);
    if (!dialog.app.isOpen()) {
      this.#context.dialogs.remove(dialog);
      this.#answerSelf(received, transaction, { status: 481 });
      return;
    }
    if (message.method === 'INVITE') this.#openInvites.set(dialog, request);
    this.#hold(request);
    const meta = this.#context.received(message.text.length, received.flow);
    const frame = { transactionId: request.transactionId, dialogId: dialog.id, text: stampedText(received) };
    const waiting = this.#holdOf(dialog);
    if (waiting === undefined) this.#context.deliver(dialog.app, meta, frame);
    else waiting.waiting.push(() => this.#context.deliver(dialog.app, meta, frame));
  }

  /** What requests of a dialog wait behind, where its application has only just been told of it. */
  #holdOf(dialog: Dialog): Hold | undefined {
    const { clock, settings } = this.#context;
    if (dialog.hold !== undefined && !dialog.hold.isOver) return dialog.hold;
    if (clock.nowMs() - dialog.toldAtMs >= settings.answerHoldMs) return undefined;
    const made: Hold = { isOver: false, waiting: [] };
    dialog.hold = made;
    clock.schedule(() => {
      made.isOver = true;
      for (const deliver of made.waiting) deliver();
    }, settings.answerHoldMs);
    return made;
  }

  #refusalOf(received: Received, dialog: Dialog): Refusal | undefined {
    const { message, essentials } = received;
    if (dialog.remoteCseq >= 0 && essentials.cseq < dialog.remoteCseq) return { status: 500 };
    const rack = headerValue(message, HEADER.rack) ?? '';
    if (message.method === 'PRACK' && !this.#provisionals.acknowledge(dialog, rack)) return { status: 481 };
    if (message.method !== 'INVITE') return undefined;
    // Two offers at a time cannot be told apart. @see RFC 3261 section 14.2
    if (this.#openInvites.has(dialog)) return { status: 500, others: 'Retry-After: 1\r\n' };
    return dialog.isInviting ? { status: 491 } : undefined;
  }

  #endByBye(dialog: Dialog, received: Received): void {
    const invite = this.#openInvites.get(dialog);
    const isEarly = invite !== undefined && !invite.isInDialog;
    this.#context.cdr.stop('network', isEarly ? 'call-canceled' : 'normal-release', stampedText(received));
    this.#context.dialogs.remove(dialog);
  }

  #terminate({ received, transaction, localTag }: PendingRequest): void {
    transaction.respond(487, ownResponse(received, { status: 487, toTag: localTag }));
  }

  /** The application hears of it and is not asked: its INVITE has had its answer. @see RFC 3261 section 9.2 */
  #cancelInvite(request: PendingRequest, cancel: Received): void {
    const { received, app, transactionId } = request;
    const text = stampedText(cancel);
    if (request.hasResponded) this.#context.cdr.stop('network', 'call-canceled', text);
    const meta = this.#context.received(cancel.message.text.length, cancel.flow);
    const { callId, fromTag } = received.essentials;
    const id = request.hasResponded ? dialogId(callId, fromTag) : '';
    const tell = (): void => this.#context.deliver(app, meta, { transactionId, dialogId: id, text });
    // A re-INVITE that waits behind the answer of its call has not been told yet, and comes first.
    const waiting = request.dialog?.hold;
    if (waiting === undefined || waiting.isOver) tell();
    else waiting.waiting.push(tell);
    this.#drop(request, 'CANCEL after 200 OK');
    this.#terminate(request);
  }
}

interface Owner {
  readonly app: AppConnection;
  readonly dialog: Dialog | undefined;
}

function hasUnknownScheme(requestUri: string): boolean {
  return targetOf(requestUri) === undefined && !/^(?:sips?|tel|urn):/i.test(requestUri);
}

/** A subscription ends with the NOTIFY that says so. @see RFC 6665 section 4.1.3 */
function endsSubscription(dialog: Dialog, { message }: Received): boolean {
  if (dialog.method !== 'SUBSCRIBE' || message.method !== 'NOTIFY') return false;
  return /terminated/i.test(headerValue(message, HEADER.subscriptionState) ?? '');
}
