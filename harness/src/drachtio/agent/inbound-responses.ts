import type { TimerClock } from '@hopback/sdk/internal/runtime';
import type { AppConnection } from '../control/app-connection.js';
import type { SipCommand } from '../control/command.js';
import { responseSent } from '../control/frames.js';
import { dialogId, dialogOfServer, type Dialog } from '../dialog/dialog.js';
import { withTag, composeResponse, contentTypeOf, readAppMessage, type AppHeaders } from '../message/app-message.js';
import { HEADER, addressOf, headerLines, headerValue, namesOption, parameterOf } from '../message/sip-message.js';
import { PassingMap, type Timer, type TimerTarget, type Timers } from '../timers.js';
import { viaLines, type Received } from '../received.js';
import type { ServerTransaction } from '../transaction/transaction-layer.js';
import type { TimerBase } from '../transaction/transition.js';
import { maxMessageBytes, type Flow } from '../transport/flow.js';
import { rejectionOf, type AgentContext } from './agent-context.js';

/** A request that an application has been handed and has not answered finally. */
export interface PendingRequest {
  readonly transactionId: string;
  readonly received: Received;
  readonly transaction: ServerTransaction;
  readonly app: AppConnection;
  /** The To tag of its responses; the application may choose it with its first one. */
  localTag: string;
  /** The dialog that it arrived in, or that its responses have made. */
  dialog: Dialog | undefined;
  /** Whether it came with a To tag, and so can make no dialog. */
  readonly isInDialog: boolean;
  /** Whether the application has sent a response. */
  hasResponded: boolean;
  /** Parts of every response, written once. */
  copied: CopiedFields | undefined;
  /** Until when the application is waited for. */
  expiry: Timer | undefined;
}

/** What responses repeat of their request. */
interface CopiedFields {
  readonly vias: string;
  readonly recordRoutes: string;
  readonly from: string;
  readonly to: string;
  readonly cseq: string;
}

/** The fields of a request that its responses repeat; read once a request. @see RFC 3261 section 8.2.6.2 */
function copiedFields(pending: PendingRequest): CopiedFields {
  pending.copied ??= {
    vias: viaLines(pending.received),
    recordRoutes: headerLines(pending.received.message, HEADER.recordRoute),
    from: headerValue(pending.received.message, HEADER.from) ?? '',
    to: headerValue(pending.received.message, HEADER.to) ?? '',
    cseq: headerValue(pending.received.message, HEADER.cseq) ?? '',
  };
  return pending.copied;
}

/** One of them, written already. */
interface ReliableProvisional {
  readonly rseq: number;
  readonly hasBody: boolean;
  readonly send: () => void;
}

/** What they need. */
interface ReliableProvisionalsOptions {
  readonly clock: TimerClock;
  readonly timers: TimerBase;
  readonly firstRseq: number;
  /** Something was sent again. */
  readonly onRetransmission: () => void;
  /** One was not acknowledged for 64 times T1. */
  readonly onTimeout: () => void;
}

/** The reliable provisional responses of one INVITE. @see RFC 3262 section 3 */
class ReliableProvisionals {
  readonly #options: ReliableProvisionalsOptions;
  readonly #queue: ReliableProvisional[] = [];
  #nextRseq: number;
  #outstanding: ReliableProvisional | undefined;
  #heldFinal: (() => void) | undefined;
  #cancelRetransmit: (() => void) | undefined;
  #cancelTimeout: (() => void) | undefined;

  constructor(options: ReliableProvisionalsOptions) {
    this.#options = options;
    this.#nextRseq = options.firstRseq;
  }

  takeRseq(): number {
    return this.#nextRseq++;
  }

  /** Sends one, or queues it until the one before has been acknowledged. */
  send(provisional: ReliableProvisional): void {
    if (this.#outstanding === undefined) this.#begin(provisional);
    else this.#queue.push(provisional);
  }

  /** A PRACK came; false where it acknowledges none that waits. */
  acknowledge(rseq: number): boolean {
    if (this.#outstanding?.rseq !== rseq) return false;
    this.#stopTimers();
    this.#outstanding = undefined;
    const next = this.#queue.shift();
    if (next !== undefined) this.#begin(next);
    if (this.#heldFinal !== undefined && !this.holdsSuccess()) {
      const send = this.#heldFinal;
      this.stop();
      send();
    }
    return true;
  }

  /** Whether a final response of success has to wait: a reliable one with a session description is not acknowledged. */
  holdsSuccess(): boolean {
    return this.#outstanding?.hasBody === true || this.#queue.some(({ hasBody }) => hasBody);
  }

  /** Sends a final response when nothing holds it any more. */
  sendFinal(send: () => void): void {
    if (this.holdsSuccess()) this.#heldFinal = send;
    else {
      // What is not acknowledged by now is overtaken, but its PRACK may still come.
      this.#stopTimers();
      this.#queue.length = 0;
      send();
    }
  }

  stop(): void {
    this.#stopTimers();
    this.#outstanding = undefined;
    this.#queue.length = 0;
    this.#heldFinal = undefined;
  }

  #stopTimers(): void {
    this.#cancelRetransmit?.();
    this.#cancelTimeout?.();
    this.#cancelRetransmit = undefined;
    this.#cancelTimeout = undefined;
  }

  #repeat(ms: number): void {
    this.#cancelRetransmit = this.#options.clock.schedule(() => {
      this.#options.onRetransmission();
      this.#outstanding?.send();
      this.#repeat(2 * ms);
    }, ms);
  }

  #begin(provisional: ReliableProvisional): void {
    this.#outstanding = provisional;
    provisional.send();
    this.#repeat(this.#options.timers.t1Ms);
    this.#cancelTimeout = this.#options.clock.schedule(() => {
      this.stop();
      this.#options.onTimeout();
    }, 64 * this.#options.timers.t1Ms);
  }
}

type ProvisionalRowsOptions = Omit<ReliableProvisionalsOptions, 'firstRseq' | 'onTimeout'> & {
  readonly rseq: () => number;
};

/** The rows of all INVITEs that have one; at most one a dialog, since one INVITE at a time is open in it. */
export class ProvisionalRows {
  readonly #options: ProvisionalRowsOptions;
  readonly #rows = new PassingMap<Dialog, { readonly invite: PendingRequest; readonly row: ReliableProvisionals }>();

  constructor(options: ProvisionalRowsOptions) {
    this.#options = options;
  }

  /** The row of an INVITE, made where it has none; one of an INVITE before it is over. */
  of(dialog: Dialog, invite: PendingRequest, onTimeout: () => void): ReliableProvisionals {
    const known = this.find(dialog, invite);
    if (known !== undefined) return known;
    this.drop(dialog);
    const row = new ReliableProvisionals({ ...this.#options, firstRseq: this.#options.rseq(), onTimeout });
    this.#rows.set(dialog, { invite, row });
    return row;
  }

  find(dialog: Dialog, invite: PendingRequest): ReliableProvisionals | undefined {
    const found = this.#rows.get(dialog);
    return found?.invite === invite ? found.row : undefined;
  }

  /** A PRACK came, with the value of its RAck; false where it acknowledges none that waits. @see RFC 3262 section 7.2 */
  acknowledge(dialog: Dialog, rack: string): boolean {
    const found = this.#rows.get(dialog);
    // Text behind the method is ignored, as drachtio-server does: a SIPp scenario of drachtio-srf writes the method twice.
    const read = /^(\d{1,10})\s+(\d{1,10})\s+INVITE(?:\s|$)/.exec(rack);
    if (found === undefined || read === null) return false;
    return Number(read[2]) === found.invite.received.essentials.cseq && found.row.acknowledge(Number(read[1]));
  }

  drop(dialog: Dialog): void {
    this.#rows.get(dialog)?.row.stop();
    this.#rows.delete(dialog);
  }
}

/** One of them. */
interface AcceptedInvite {
  readonly cseq: number;
  /** As the application knows it: the ACK is delivered under it. */
  readonly transactionId: string;
  readonly flow: Flow;
  readonly text: string;
}

/** What the waiting needs. */
interface AcceptedInvitesOptions {
  readonly clock: Timers;
  readonly timers: TimerBase;
  readonly resend: (flow: Flow, text: string) => void;
  /** 64 times T1 went by without an ACK. */
  readonly onTimeout: (dialog: Dialog) => void;
}

/** INVITEs that were answered with 2xx and whose ACK has not come. @see RFC 3261 section 13.3.1.4 */
export class AcceptedInvites {
  readonly #options: AcceptedInvitesOptions;
  readonly #waiting = new PassingMap<Dialog, Waiting>();
  readonly #timeOut = (dialog: Dialog): void => {
    this.drop(dialog);
    this.#options.onTimeout(dialog);
  };

  constructor(options: AcceptedInvitesOptions) {
    this.#options = options;
  }

  add(dialog: Dialog, accepted: AcceptedInvite): void {
    this.drop(dialog);
    this.#waiting.set(dialog, new Waiting({ dialog, accepted, options: this.#options, timeOut: this.#timeOut }));
  }

  /**
   * An ACK came.
   * @returns the transaction that it ends the waiting of; undefined where nothing waited for it, as for its repeats
   */
  acknowledge(dialog: Dialog, cseq: number): string | undefined {
    const found = this.#waiting.get(dialog);
    if (found?.accepted.cseq !== cseq) return undefined;
    this.drop(dialog);
    return found.accepted.transactionId;
  }

  /** Stops, for a dialog that is over. */
  drop(dialog: Dialog): void {
    const found = this.#waiting.get(dialog);
    if (found === undefined) return;
    this.#waiting.delete(dialog);
    found.stop();
  }

  get size(): number {
    return this.#waiting.size;
  }
}

interface WaitingParts {
  readonly dialog: Dialog;
  readonly accepted: AcceptedInvite;
  readonly options: AcceptedInvitesOptions;
  readonly timeOut: (dialog: Dialog) => void;
}

class Waiting implements TimerTarget<'repeat' | 'timeout'> {
  readonly accepted: AcceptedInvite;
  readonly #parts: WaitingParts;
  readonly #timeout: Timer;
  #repeat: Timer;
  #intervalMs: number;

  constructor(parts: WaitingParts) {
    const { clock, timers } = parts.options;
    this.accepted = parts.accepted;
    this.#parts = parts;
    this.#intervalMs = timers.t1Ms;
    this.#repeat = clock.start(this.#intervalMs, this, 'repeat');
    this.#timeout = clock.start(64 * timers.t1Ms, this, 'timeout');
  }

  stop(): void {
    this.#repeat.cancel();
    this.#timeout.cancel();
  }

  onTimer(event: 'repeat' | 'timeout'): void {
    const { dialog, options, timeOut } = this.#parts;
    if (event === 'timeout') {
      timeOut(dialog);
      return;
    }
    options.resend(this.accepted.flow, this.accepted.text);
    this.#intervalMs = Math.min(2 * this.#intervalMs, options.timers.t2Ms);
    this.#repeat = options.clock.start(this.#intervalMs, this, 'repeat');
  }
}

/** State of the inbound agent that responses change. */
interface InboundState {
  readonly accepted: AcceptedInvites;
  readonly provisionals: ProvisionalRows;
  readonly openInvites: PassingMap<Dialog, PendingRequest>;
  readonly held: PassingMap<ServerTransaction, PendingRequest>;
  readonly forget: (request: PendingRequest) => void;
  /** Ends a call in the server's own name, answered by its application or not. */
  readonly giveUp: (request: PendingRequest, refusal: Refusal) => void;
}

/** Sends what applications answer. */
export class InboundResponder {
  readonly #context: AgentContext;
  readonly #state: InboundState;

  constructor(context: AgentContext, state: InboundState) {
    this.#context = context;
    this.#state = state;
  }

  respond(app: AppConnection, command: SipCommand, request: PendingRequest): void {
    const read = readAppMessage(command.text, this.#context.namesOf(request.received.flow));
    if (read === undefined || read.message.status === 0) {
      this.#context.answer(app, command.messageId, 'NOK|Unknown server error sending response');
      return;
    }
    if (!request.transaction.flow.isOpen()) {
      this.#state.forget(request);
      request.transaction.end();
      this.#context.answer(app, command.messageId, 'NOK|transport for response has been shutdown or closed');
      return;
    }
    const { message, headers } = read;
    if (!request.hasResponded && !request.isInDialog) request.localTag = chosenTag(headers) ?? request.localTag;
    const written: Written = { reason: message.reason, headers, contact: headers.contact };
    const reply = {
      app,
      command,
      request,
      status: message.status,
      written,
    };
    if (message.status < 200) this.#respondProvisional(reply);
    else this.#respondFinal(reply);
  }

  #write(request: PendingRequest, status: number, more: Written): string {
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
  }

  #dialogFor(request: PendingRequest, contact: string | undefined): Dialog {
    const { transactionId, app, received } = request;
    const parts = { app, transactionId, localContact: contact ?? this.#context.contactOf(received.flow) };
    const dialog = dialogOfServer(received, request.localTag, parts);
    request.dialog = dialog;
    this.#context.dialogs.add(dialog);
    if (received.message.method === 'INVITE') this.#state.openInvites.set(dialog, request);
    return dialog;
  }

  #rowOf(dialog: Dialog, request: PendingRequest): ReliableProvisionals {
    return this.#state.provisionals.of(dialog, request, () => {
      // @see RFC 3262 section 3: a 5xx; the words are those of drachtio-server
      this.#state.giveUp(request, { status: 503, reason: 'Reliable Response Time-Out' });
    });
  }

  #confirm(app: AppConnection, command: SipCommand, request: PendingRequest, text: string): void {
    const { dialogs } = this.#context;
    const { transactionId, transaction, received, dialog } = request;
    const { callId, fromTag } = received.essentials;
    const isKnown = dialog !== undefined && dialogs.byTags(dialog.callId, dialog.localTag, dialog.remoteTag) === dialog;
    const method = received.message.method;
    const id = isKnown ? dialog.id : !request.isInDialog && makesDialog(method) ? dialogId(callId, fromTag) : '';
    const meta = this.#context.sent(text.length, transaction.flow);
    this.#context.answer(app, command.messageId, responseSent(meta, { transactionId, dialogId: id }, text));
  }

  /** What no datagram carries would never arrive: the application is told, and may answer otherwise. */
  #refusesLong({ app, command, request }: Reply, text: string): boolean {
    if (text.length <= maxMessageBytes(request.transaction.flow.transport)) return false;
    this.#context.answer(
      app,
      command.messageId,
      `NOK|a response of ${text.length} octets is more than a datagram carries`,
    );
    return true;
  }

  #respondProvisional(reply: Reply): void {
    const { app, command, request, status, written } = reply;
    const { received, transaction } = request;
    request.hasResponded = true;
    const isInvite = transaction.isInvite;
    const isReliable = isInvite && status > 100 && (written.headers.requires100rel || asks100rel(request));
    if (isReliable && !takes100rel(request)) {
      this.#context.answer(app, command.messageId, 'NOK|Remote endpoint does not support 100rel');
      return;
    }
    const contact =
      isReliable || (request.isInDialog && isInvite) ? (written.contact ?? this.#ownContact(request)) : written.contact;
    if (isInvite && status > 100 && request.dialog === undefined) this.#dialogFor(request, contact);
    if (!isReliable || request.dialog === undefined) {
      const text = this.#write(request, status, { ...written, contact });
      if (this.#refusesLong(reply, text)) return;
      // One 100 has gone out already.
      if (status > 100 || received.message.method !== 'INVITE') transaction.respond(status, text);
      this.#confirm(app, command, request, text);
      return;
    }
    const row = this.#rowOf(request.dialog, request);
    const rseq = row.takeRseq();
    const text = this.#write(request, status, { ...written, contact, rseq });
    if (this.#refusesLong(reply, text)) return;
    const send = (): void => void transaction.respond(status, text);
    this.#confirm(app, command, request, text);
    row.send({ rseq, hasBody: written.headers.body !== '', send });
  }

  #ownContact(request: PendingRequest): string {
    return request.isInDialog ? (request.dialog?.localContact ?? '') : this.#context.contactOf(request.received.flow);
  }

  /** Whether the same call has come another way too and was answered there: applications know both by one name. */
  #isTaken({ received: { essentials } }: PendingRequest): boolean {
    return this.#context.dialogs.answered(dialogId(essentials.callId, essentials.fromTag)) !== undefined;
  }

  #respondFinal(reply: Reply): void {
    const { clock, dialogs, cdr } = this.#context;
    const { app, command, request, status, written } = reply;
    const { transaction, received } = request;
    const method = received.message.method;
    const isSuccess = status < 300;
    const takesContact = isSuccess && makesDialog(method);
    if (takesContact && !request.isInDialog && this.#isTaken(request)) {
      this.#state.giveUp(request, { status: 480 });
      this.#context.answer(app, command.messageId, 'NOK|dialog already exists, rejecting this request');
      return;
    }
    const contact = written.contact ?? (takesContact ? this.#ownContact(request) : undefined);
    if (takesContact && request.dialog === undefined && !request.isInDialog) this.#dialogFor(request, contact);
    const { dialog } = request;
    const text = this.#write(request, status, { ...written, contact });
    if (this.#refusesLong(reply, text)) return;
    const isMaking = dialog !== undefined && !request.isInDialog;
    if (isMaking && isSuccess) {
      dialog.state = 'confirmed';
      dialog.toldAtMs = clock.nowMs();
      dialog.localContact = contact ?? dialog.localContact;
    }
    this.#state.forget(request);
    const send = (): void => {
      this.#state.held.delete(transaction);
      transaction.respond(status, text);
      if (!transaction.isInvite || dialog === undefined || !isSuccess) return;
      const { transactionId } = request;
      this.#state.accepted.add(dialog, { cseq: received.essentials.cseq, transactionId, flow: transaction.flow, text });
    };
    const row = dialog === undefined ? undefined : this.#state.provisionals.find(dialog, request);
    if (row?.holdsSuccess() === true && isSuccess) this.#state.held.set(transaction, request);
    if (row !== undefined && isSuccess) row.sendFinal(send);
    else {
      row?.stop();
      send();
    }
    if (transaction.isInvite && !request.isInDialog) {
      if (isSuccess) cdr.start('application', 'uas', text);
      else cdr.stop('application', rejectionOfAnswer(status), text);
    }
    if (isMaking && !isSuccess) dialogs.remove(dialog);
    this.#confirm(app, command, request, text);
  }
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
