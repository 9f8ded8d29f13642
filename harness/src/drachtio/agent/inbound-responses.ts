import type { AppConnection } from '../control/app-connection.js';
import type { SipCommand } from '../control/command.js';
import { responseSent } from '../control/frames.js';
import { dialogId, dialogOfServer, type Dialog, withTag } from '../dialog/dialog.js';
import { parameterOf, addressOf } from '../message/address.js';
import { readAppMessage, type AppHeaders } from '../message/app-message.js';
import { composeResponse, contentTypeOf } from '../message/compose.js';
import { HEADER } from '../message/header-names.js';
import { namesOption } from '../message/sip-message.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { AcceptedInvites } from './accepted-invites.js';
import { maxMessageBytes } from '../transport/flow.js';
import type { AgentContext } from './agent-context.js';
import { rejectionOf } from './cdr.js';
import { copiedFields, type PendingRequest } from './pending-request.js';
import type { ProvisionalRows, ReliableProvisionals } from './reliable-provisionals.js';
import type { PassingMap } from '../passing-map.js';

/** State of the inbound agent that responses change. */
export interface InboundState {
  readonly accepted: AcceptedInvites;
  readonly provisionals: ProvisionalRows;
  readonly openInvites: PassingMap<Dialog, PendingRequest>;
  readonly held: PassingMap<ServerTransaction, PendingRequest>;
  readonly forget: (request: PendingRequest) => void;
  /** Ends a call in the server's own name, answered by its application or not. */
  readonly giveUp: (request: PendingRequest, refusal: Refusal) => void;
}

/** Sends what applications answer. */
export interface InboundResponder {
  readonly respond: (app: AppConnection, command: SipCommand, request: PendingRequest) => void;
}

/** Makes it. */
export function createInboundResponder(context: AgentContext, state: InboundState): InboundResponder {
  const { dialogs, cdr } = context;

  const write = (request: PendingRequest, status: number, more: Written): string => {
    const { reason, headers, contact, rseq } = more;
    const { vias, recordRoutes, from, to, cseq } = copiedFields(request);
    const method = request.received.message.method;
    let { others } = headers;
    if (rseq !== undefined) {
      others += `RSeq: ${rseq}\r\n`;
      if (!headers.requires100rel) others = `Require: 100rel\r\n${others}`;
    }
    return composeResponse({
      status,
      reason,
      vias,
      from,
      cseq,
      contact,
      others,
      recordRoutes: status > 100 && status < 300 && makesDialog(method) ? recordRoutes : '',
      to: status === 100 || request.isInDialog ? to : withTag(to, request.localTag),
      callId: request.received.essentials.callId,
      contentType: contentTypeOf(headers.contentType, headers.body),
      body: headers.body,
    });
  };
  const dialogFor = (request: PendingRequest, contact: string | undefined): Dialog => {
    const { transactionId, app, received } = request;
    const parts = { app, transactionId, localContact: contact ?? context.contactOf(received.flow) };
    const dialog = dialogOfServer(received, request.localTag, parts);
    request.dialog = dialog;
    dialogs.add(dialog);
    if (received.message.method === 'INVITE') state.openInvites.set(dialog, request);
    return dialog;
  };
  const rowOf = (dialog: Dialog, request: PendingRequest): ReliableProvisionals =>
    state.provisionals.of(dialog, request, () => {
      // @see RFC 3262 section 3: a 5xx; the words are those of drachtio-server
      const reason = 'Reliable Response Time-Out';
      state.giveUp(request, { status: 503, reason });
    });
  const confirm = (app: AppConnection, command: SipCommand, request: PendingRequest, text: string): void => {
    const { transactionId, transaction, received, dialog } = request;
    const { callId, fromTag } = received.essentials;
    const isKnown = dialog !== undefined && dialogs.byTags(dialog.callId, dialog.localTag, dialog.remoteTag) === dialog;
    const method = received.message.method;
    const id = isKnown ? dialog.id : !request.isInDialog && makesDialog(method) ? dialogId(callId, fromTag) : '';
    const meta = context.sent(text.length, transaction.flow);
    context.answer(app, command.messageId, responseSent(meta, { transactionId, dialogId: id }, text));
  };

  /** What no datagram carries would never arrive: the application is told, and may answer otherwise. */
  const refusesLong = ({ app, command, request }: Reply, text: string): boolean => {
    if (text.length <= maxMessageBytes(request.transaction.flow.transport)) return false;
    context.answer(app, command.messageId, `NOK|a response of ${text.length} octets is more than a datagram carries`);
    return true;
  };
  const respondProvisional = (reply: Reply): void => {
    const { app, command, request, status, written } = reply;
    const { received, transaction } = request;
    request.hasResponded = true;
    const isInvite = transaction.isInvite;
    const isReliable = isInvite && status > 100 && (written.headers.requires100rel || asks100rel(request));
    if (isReliable && !takes100rel(request)) {
      context.answer(app, command.messageId, 'NOK|Remote endpoint does not support 100rel');
      return;
    }
    const contact =
      isReliable || (request.isInDialog && isInvite) ? (written.contact ?? ownContact(request)) : written.contact;
    if (isInvite && status > 100 && request.dialog === undefined) dialogFor(request, contact);
    if (!isReliable || request.dialog === undefined) {
      const text = write(request, status, { ...written, contact });
      if (refusesLong(reply, text)) return;
      // One 100 has gone out already.
      if (status > 100 || received.message.method !== 'INVITE') transaction.respond(status, text);
      confirm(app, command, request, text);
      return;
    }
    const row = rowOf(request.dialog, request);
    const rseq = row.takeRseq();
    const text = write(request, status, { ...written, contact, rseq });
    if (refusesLong(reply, text)) return;
    const send = (): void => void transaction.respond(status, text);
    confirm(app, command, request, text);
    row.send({ rseq, hasBody: written.headers.body !== '', send });
  };
  const ownContact = (request: PendingRequest): string =>
    request.isInDialog ? (request.dialog?.localContact ?? '') : context.contactOf(request.received.flow);

  /** Whether the same call has come another way too and was answered there: applications know both by one name. */
  const isTaken = ({ received: { essentials } }: PendingRequest): boolean =>
    dialogs.answered(dialogId(essentials.callId, essentials.fromTag)) !== undefined;

  const respondFinal = (reply: Reply): void => {
    const { app, command, request, status, written } = reply;
    const { transaction, received } = request;
    const method = received.message.method;
    const isSuccess = status < 300;
    const takesContact = isSuccess && makesDialog(method);
    if (takesContact && !request.isInDialog && isTaken(request)) {
      state.giveUp(request, { status: 480 });
      context.answer(app, command.messageId, 'NOK|dialog already exists, rejecting this request');
      return;
    }
    const contact = written.contact ?? (takesContact ? ownContact(request) : undefined);
    if (takesContact && request.dialog === undefined && !request.isInDialog) dialogFor(request, contact);
    const { dialog } = request;
    const text = write(request, status, { ...written, contact });
    if (refusesLong(reply, text)) return;
    const isMaking = dialog !== undefined && !request.isInDialog;
    if (isMaking && isSuccess) {
      dialog.state = 'confirmed';
      dialog.toldAtMs = context.clock.nowMs();
      dialog.localContact = contact ?? dialog.localContact;
    }
    state.forget(request);
    const send = (): void => {
      state.held.delete(transaction);
      transaction.respond(status, text);
      if (!transaction.isInvite || dialog === undefined || !isSuccess) return;
      const { transactionId } = request;
      state.accepted.add(dialog, { cseq: received.essentials.cseq, transactionId, flow: transaction.flow, text });
    };
    const row = dialog === undefined ? undefined : state.provisionals.find(dialog, request);
    if (row?.holdsSuccess() === true && isSuccess) state.held.set(transaction, request);
    if (row !== undefined && isSuccess) row.sendFinal(send);
    else {
      row?.stop();
      send();
    }
    if (transaction.isInvite && !request.isInDialog) {
      if (isSuccess) cdr.start('application', 'uas', text);
      else cdr.stop('application', rejectionOfAnswer(status), text);
    }
    if (isMaking && !isSuccess) {
      dialogs.remove(dialog);
    }
    confirm(app, command, request, text);
  };

  return {
    respond: (app, command, request) => {
      const read = readAppMessage(command.text, context.namesOf(request.received.flow));
      if (read === undefined || read.message.status === 0) {
        context.answer(app, command.messageId, 'NOK|Unknown server error sending response');
        return;
      }
      if (!request.transaction.flow.isOpen()) {
        state.forget(request);
        request.transaction.end();
        context.answer(app, command.messageId, 'NOK|transport for response has been shutdown or closed');
        return;
      }
      const { message, headers } = read;
      if (!request.hasResponded && !request.isInDialog) request.localTag = chosenTag(headers) ?? request.localTag;
      const written: Written = { reason: message.reason, headers, contact: headers.contact };
      const reply = { app, command, request, status: message.status, written };
      if (message.status < 200) respondProvisional(reply);
      else respondFinal(reply);
    },
  };
}

/** How the server itself refuses. */
export interface Refusal {
  readonly status: number;
  /** In place of the usual phrase. */
  readonly reason?: string;
  /** Further lines, each with its end. */
  readonly others?: string;
  readonly toTag?: string;
}

interface Written {
  readonly reason: string;
  readonly headers: AppHeaders;
  readonly contact: string | undefined;
  readonly rseq?: number;
}

interface Reply {
  readonly app: AppConnection;
  readonly command: SipCommand;
  readonly request: PendingRequest;
  readonly status: number;
  readonly written: Written;
}

/** @see RFC 3261 section 12.1, RFC 6665 section 4.4.1 */
function makesDialog(method: string): boolean {
  return method === 'INVITE' || method === 'SUBSCRIBE';
}

/** Once an application has refused, drachtio-server calls it a rejection whatever the status. */
function rejectionOfAnswer(status: number): ReturnType<typeof rejectionOf> {
  return status === 487 ? 'call-rejected' : rejectionOf(status);
}

function chosenTag(headers: AppHeaders): string | undefined {
  const address = headers.to === undefined ? undefined : addressOf(headers.to);
  const tag = address === undefined ? undefined : parameterOf(address.params, 'tag');
  return tag === '' ? undefined : tag;
}

function asks100rel({ received }: PendingRequest): boolean {
  return namesOption(received.message, HEADER.require, '100rel');
}

function takes100rel(request: PendingRequest): boolean {
  return asks100rel(request) || namesOption(request.received.message, HEADER.supported, '100rel');
}
