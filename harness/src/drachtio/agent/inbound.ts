import type { AppConnection } from '../control/app-connection.js';
import { newRequestPayload } from '../control/frames.js';
import { dialogId, refreshTarget, type Dialog, type Hold } from '../dialog/dialog.js';
import { HEADER, headerValue } from '../message/sip-message.js';
import { targetOf } from '../message/via.js';
import { stampedText, type Received } from '../received.js';
import { NOBODY, type ServerTransaction, type ServerTransactionUser } from '../transaction/transaction-layer.js';
import { createAcceptedInvites, createInboundResponder, createProvisionalRows } from './inbound-responses.js';
import type { PendingRequest, Refusal } from './inbound-responses.js';
import { hangUp, tellOver } from './agent-context.js';
import { ownResponse } from '../received.js';
import type { AgentContext } from './agent-context.js';
import type { SipCommand } from '../control/command.js';
import { PassingMap } from '../timers.js';

/** The side of the server that gets requests from the network and answers them in the name of applications. */
export interface InboundAgent {
  readonly onRequest: (received: Received, transaction: ServerTransaction) => void;
  readonly onCancel: (
    received: Received,
    transaction: ServerTransaction,
    invite: ServerTransaction | undefined,
  ) => void;
  readonly onAck: (received: Received) => void;
  /** An application answers. */
  readonly respond: (app: AppConnection, command: SipCommand) => void;
  /** Takes a request out of the application's hands, for proxying. */
  readonly take: (transactionId: string) => PendingRequest | undefined;
  /** An application is gone: what it has not answered is refused. */
  readonly onAppClosed: (app: AppConnection) => void;
  /** A dialog is over. */
  readonly onDialogRemoved: (dialog: Dialog) => void;
  /** INVITEs that wait for a final response. */
  readonly pendingInvites: () => number;
  readonly counts: () => {
    readonly pendingRequests: number;
    readonly pendingInvites: number;
    readonly unacknowledged: number;
  };
}

/** What becomes of the CANCEL of an INVITE that is being proxied. */
export type ProxyCancel = (invite: ServerTransaction, cancel: Received) => boolean;

/** Requests that make no sense without the dialog that they name. */
const NEED_DIALOG: ReadonlySet<string> = new Set(['INVITE', 'BYE', 'UPDATE', 'PRACK']);
/** Requests whose Contact is the other side's new target. @see RFC 3261 section 12.2, RFC 3311, RFC 6665 */
const REFRESH_TARGET: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);
/** Methods that drachtio-srf knows; no application can ask for others. */
const KNOWN_METHODS: ReadonlySet<string> = new Set([
  ...['INVITE', 'BYE', 'OPTIONS', 'REGISTER', 'INFO', 'PRACK', 'UPDATE', 'MESSAGE'],
  ...['SUBSCRIBE', 'NOTIFY', 'REFER', 'PUBLISH'],
]);

/** Makes the agent. */
export function createInboundAgent(context: AgentContext, cancelProxy: ProxyCancel): InboundAgent {
  const { clock, identifiers, dialogs, apps, cdr, settings } = context;
  const pending = new PassingMap<string, PendingRequest>();
  const byTransaction = new PassingMap<ServerTransaction, PendingRequest>();
  /** To tags of INVITEs that were answered: they may still be cancelled, in vain. */
  const answeredTags = new PassingMap<ServerTransaction, string>();
  /** INVITEs whose 2xx waits for a PRACK. */
  const held = new PassingMap<ServerTransaction, PendingRequest>();
  const provisionals = createProvisionalRows({
    ...{ clock, timers: settings.timers, rseq: identifiers.rseq, onRetransmission: context.onRetransmission },
  });
  const openInvites = new PassingMap<Dialog, PendingRequest>();
  const accepted = createAcceptedInvites({
    clock,
    timers: settings.timers,
    resend: (flow, text) => {
      context.onRetransmission();
      context.send(flow, text);
    },
    onTimeout: (dialog) => hangUp(context, dialog, 'ACK timeout'),
  });

  let pendingInvites = 0;
  const forget = (request: PendingRequest): void => {
    request.expiry?.cancel();
    if (pending.delete(request.transactionId) && request.transaction.isInvite) pendingInvites -= 1;
    const { transaction, dialog } = request;
    byTransaction.delete(transaction);
    if (dialog !== undefined && openInvites.get(dialog) === request) openInvites.delete(dialog);
    // The transaction lingers for its timers' sake; the request and its application need not.
    transaction.user = transaction.isInvite ? answeredUser : NOBODY;
    if (transaction.isInvite) answeredTags.set(transaction, request.localTag);
  };
  const answeredUser: ServerTransactionUser = { onEnd: (transaction) => void answeredTags.delete(transaction) };
  const answerSelf = (received: Received, transaction: ServerTransaction, refusal: Refusal): void => {
    const toTag = received.essentials.toTag === '' ? (refusal.toTag ?? identifiers.tag()) : '';
    const text = ownResponse(received, { ...refusal, toTag });
    transaction.respond(refusal.status, text);
    if (received.message.method === 'INVITE' && received.essentials.toTag === '') {
      cdr.stop('application', refusal.status === 487 ? 'call-canceled' : 'call-rejected', text);
    }
  };
  /** Forgets a request that the server itself answers; an application that has accepted a call that way hears that it is over. */
  const drop = (request: PendingRequest, reason: string): void => {
    forget(request);
    const { dialog, transaction } = request;
    const wasAccepted = held.delete(transaction);
    if (dialog === undefined) return;
    if (request.isInDialog) provisionals.drop(dialog);
    else {
      dialogs.remove(dialog);
      if (wasAccepted) tellOver(context, dialog, reason);
    }
  };
  /** Ends a request in the server's own name. */
  const giveUp = (request: PendingRequest, refusal: Refusal): void => {
    drop(request, refusal.reason ?? '');
    const { transaction, received, localTag } = request;
    // A late final response to anything but an INVITE helps nobody. @see RFC 4320 section 4.2
    if (transaction.isInvite) answerSelf(received, transaction, { toTag: localTag, ...refusal });
    else transaction.end();
  };
  const hold = (request: PendingRequest): void => {
    pending.set(request.transactionId, request);
    if (request.transaction.isInvite) pendingInvites += 1;
    byTransaction.set(request.transaction, request);
    request.expiry = clock.start(settings.appAnswerMs, expiry, request.transactionId);
    request.transaction.user = requestUser;
  };
  const forgetTransaction = (transaction: ServerTransaction): void => {
    const request = byTransaction.get(transaction);
    if (request !== undefined) forget(request);
    answeredTags.delete(transaction);
  };
  const requestUser: ServerTransactionUser = { onFailure: forgetTransaction, onEnd: forgetTransaction };
  const expiry = {
    onTimer: (transactionId: string): void => {
      const request = pending.get(transactionId);
      // What rings may ring: only an application that has said nothing at all is given up.
      if (request !== undefined && !(request.transaction.isInvite && request.hasResponded))
        giveUp(request, { status: 408 });
    },
  };
  const makePending = (received: Received, transaction: ServerTransaction, owner: Owner): PendingRequest => ({
    transactionId: identifiers.transactionId(),
    received,
    transaction,
    app: owner.app,
    dialog: owner.dialog,
    localTag: owner.dialog?.localTag ?? identifiers.tag(),
    isInDialog: received.essentials.toTag !== '',
    hasResponded: false,
    copied: undefined,
    expiry: undefined,
  });

  const offer = (received: Received, transaction: ServerTransaction): void => {
    const { method } = received.message;
    const text = stampedText(received);
    if (method === 'INVITE') cdr.attempt('network', text);
    const app = apps.next(method.toLowerCase());
    if (app === undefined) {
      answerSelf(received, transaction, { status: KNOWN_METHODS.has(method) ? 503 : 501 });
      return;
    }
    const request = makePending(received, transaction, { app, dialog: undefined });
    hold(request);
    const meta = context.received(received.message.text.length, received.flow, received.atMs);
    const { transactionId } = request;
    app.send(newRequestPayload(identifiers.frameId(), meta, { transactionId, local: received.flow.local, text }));
  };

  const inDialog = (received: Received, transaction: ServerTransaction, dialog: Dialog): void => {
    const { message, essentials } = received;
    const refusal = refusalOf(received, dialog);
    if (refusal !== undefined) {
      answerSelf(received, transaction, refusal);
      return;
    }
    dialog.remoteCseq = essentials.cseq;
    if (REFRESH_TARGET.has(message.method)) refreshTarget(dialog, message);
    const request = makePending(received, transaction, { app: dialog.app, dialog });
    if (message.method === 'BYE') endByBye(dialog, received);
    else if (endsSubscription(dialog, received)) dialogs.remove(dialog);
    if (!dialog.app.isOpen()) {
      dialogs.remove(dialog);
      answerSelf(received, transaction, { status: 481 });
      return;
    }
    if (message.method === 'INVITE') openInvites.set(dialog, request);
    hold(request);
    const meta = context.received(message.text.length, received.flow, received.atMs);
    const frame = { transactionId: request.transactionId, dialogId: dialog.id, text: stampedText(received) };
    const waiting = holdOf(dialog);
    if (waiting === undefined) context.deliver(dialog.app, meta, frame);
    else waiting.waiting.push(() => context.deliver(dialog.app, meta, frame));
  };
  /** What requests of a dialog wait behind, where its application has only just been told of it. */
  const holdOf = (dialog: Dialog): Hold | undefined => {
    if (dialog.hold !== undefined && !dialog.hold.isOver) return dialog.hold;
    if (clock.nowMs() - dialog.toldAtMs >= settings.answerHoldMs) return undefined;
    const made: Hold = { isOver: false, waiting: [] };
    dialog.hold = made;
    clock.schedule(() => {
      made.isOver = true;
      for (const deliver of made.waiting) deliver();
    }, settings.answerHoldMs);
    return made;
  };
  const refusalOf = (received: Received, dialog: Dialog): Refusal | undefined => {
    const { message, essentials } = received;
    if (dialog.remoteCseq >= 0 && essentials.cseq < dialog.remoteCseq) return { status: 500 };
    if (message.method === 'PRACK' && !provisionals.acknowledge(dialog, headerValue(message, HEADER.rack) ?? '')) {
      return { status: 481 };
    }
    if (message.method !== 'INVITE') return undefined;
    // Two offers at a time cannot be told apart. @see RFC 3261 section 14.2
    if (openInvites.has(dialog)) return { status: 500, others: 'Retry-After: 1\r\n' };
    return dialog.isInviting ? { status: 491 } : undefined;
  };
  const endByBye = (dialog: Dialog, received: Received): void => {
    const invite = openInvites.get(dialog);
    const isEarly = invite !== undefined && !invite.isInDialog;
    cdr.stop('network', isEarly ? 'call-canceled' : 'normal-release', stampedText(received));
    dialogs.remove(dialog);
  };
  const terminate = ({ received, transaction, localTag }: PendingRequest): void => {
    transaction.respond(487, ownResponse(received, { status: 487, toTag: localTag }));
  };

  const responder = createInboundResponder(context, { accepted, provisionals, openInvites, held, forget, giveUp });

  return {
    onRequest: (received, transaction) => {
      const { message, essentials } = received;
      const isInvite = message.method === 'INVITE';
      if (isInvite)
        transaction.tryWithin(settings.tryingHoldMs, () => ownResponse(received, { status: 100, toTag: '' }));
      if (essentials.toTag !== '') {
        const dialog = dialogs.ofRequest(essentials);
        if (dialog !== undefined) inDialog(received, transaction, dialog);
        else if (NEED_DIALOG.has(message.method)) answerSelf(received, transaction, { status: 481 });
        else offer(received, transaction);
        return;
      }
      const answered = isInvite ? dialogs.answered(dialogId(essentials.callId, essentials.fromTag)) : undefined;
      if (answered !== undefined) {
        // What was answered already came by another way as well, or comes where a call is. @see RFC 3261 section 8.2.2.2
        answerSelf(received, transaction, { status: essentials.cseq <= answered.remoteCseq ? 482 : 491 });
      } else if (message.method === 'BYE' || message.method === 'UPDATE' || message.method === 'PRACK') {
        answerSelf(received, transaction, { status: 481 });
      } else if (hasUnknownScheme(message.requestUri)) answerSelf(received, transaction, { status: 416 });
      else offer(received, transaction);
    },
    onCancel: (received, transaction, invite) => {
      const request = invite === undefined ? undefined : (byTransaction.get(invite) ?? held.get(invite));
      if (invite === undefined || (request === undefined && !invite.isAnswered && !cancelProxy(invite, received))) {
        answerSelf(received, transaction, { status: 481 });
        return;
      }
      const toTag = request?.localTag ?? answeredTags.get(invite) ?? identifiers.tag();
      transaction.respond(200, ownResponse(received, { status: 200, toTag }));
      if (request !== undefined) cancelInvite(request, received);
    },
    onAck: (received) => {
      const dialog = dialogs.ofRequest(received.essentials);
      const transactionId = dialog === undefined ? undefined : accepted.acknowledge(dialog, received.essentials.cseq);
      if (dialog === undefined || transactionId === undefined) return;
      provisionals.drop(dialog);
      const meta = context.received(received.message.text.length, received.flow, received.atMs);
      context.deliver(dialog.app, meta, { transactionId, dialogId: dialog.id, text: stampedText(received) });
    },
    respond: (app, command) => {
      const request = pending.get(command.transactionId);
      if (request === undefined)
        context.answer(app, command.messageId, 'NOK|Response not sent due to unknown transaction');
      else responder.respond(app, command, request);
    },
    take: (transactionId) => {
      const request = pending.get(transactionId);
      if (request === undefined) return undefined;
      forget(request);
      answeredTags.delete(request.transaction);
      return request;
    },
    onAppClosed: (app) => {
      for (const request of pending.values()) if (request.app === app) giveUp(request, { status: 503 });
    },
    onDialogRemoved: (dialog) => {
      accepted.drop(dialog);
      provisionals.drop(dialog);
      const open = openInvites.get(dialog);
      if (open !== undefined) {
        // What waits for an answer in a call that is over still has to get one. @see RFC 3261 section 15.1.2
        forget(open);
        terminate(open);
      }
      for (const request of held.values()) {
        if (request.dialog !== dialog) continue;
        held.delete(request.transaction);
        terminate(request);
      }
    },
    pendingInvites: () => pendingInvites,
    counts: () => ({
      pendingRequests: pending.size,
      pendingInvites,
      unacknowledged: accepted.size(),
    }),
  };

  /** The application hears of it and is not asked: its INVITE has had its answer. @see RFC 3261 section 9.2 */
  function cancelInvite(request: PendingRequest, cancel: Received): void {
    const { received, app, transactionId } = request;
    const text = stampedText(cancel);
    if (request.hasResponded) cdr.stop('network', 'call-canceled', text);
    const meta = context.received(cancel.message.text.length, cancel.flow, cancel.atMs);
    const { callId, fromTag } = received.essentials;
    const id = request.hasResponded ? dialogId(callId, fromTag) : '';
    const tell = (): void => context.deliver(app, meta, { transactionId, dialogId: id, text });
    // A re-INVITE that waits behind the answer of its call has not been told yet, and comes first.
    const waiting = request.dialog?.hold;
    if (waiting === undefined || waiting.isOver) tell();
    else waiting.waiting.push(tell);
    drop(request, 'CANCEL after 200 OK');
    terminate(request);
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
