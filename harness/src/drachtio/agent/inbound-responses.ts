import type { TimerClock } from '@hopback/sdk/internal';
import type { AppConnection } from '../control/app-connection.js';
import type { SipCommand } from '../control/command.js';
import { responseSent } from '../control/frames.js';
import { dialogId, dialogOfServer } from '../dialog/dialog.js';
import { withTag } from '../message/app-message.js';
import type { Dialog } from '../dialog/dialog.js';
import { HEADER, addressOf, headerLines, headerValue, namesOption, parameterOf } from '../message/sip-message.js';
import { composeResponse, contentTypeOf, readAppMessage } from '../message/app-message.js';
import type { AppHeaders } from '../message/app-message.js';
import { PassingMap } from '../timers.js';
import { viaLines } from '../received.js';
import type { Received } from '../received.js';
import type { Timer, TimerTarget, Timers } from '../timers.js';
import type { ServerTransaction } from '../transaction/transaction-layer.js';
import type { TimerBase } from '../transaction/transition.js';
import { maxMessageBytes } from '../transport/flow.js';
import type { Flow } from '../transport/flow.js';
import { rejectionOf } from './agent-context.js';
import type { AgentContext } from './agent-context.js';

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

/** The reliable provisional responses of one INVITE. @see RFC 3262 section 3 */
interface ReliableProvisionals {
  /** The number for the next one. */
  readonly takeRseq: () => number;
  /** Sends one, or queues it until the one before has been acknowledged. */
  readonly send: (provisional: ReliableProvisional) => void;
  /** A PRACK came; false where it acknowledges none that waits. */
  readonly acknowledge: (rseq: number) => boolean;
  /** Whether a final response of success has to wait: a reliable one with a session description is not acknowledged. */
  readonly holdsSuccess: () => boolean;
  /** Sends a final response when nothing holds it any more. */
  readonly sendFinal: (send: () => void) => void;
  readonly stop: () => void;
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

/** Makes an empty row. */
function createReliableProvisionals(options: ReliableProvisionalsOptions): ReliableProvisionals {
  const { clock, timers } = options;
  let nextRseq = options.firstRseq;
  let outstanding: ReliableProvisional | undefined;
  const queue: ReliableProvisional[] = [];
  let heldFinal: (() => void) | undefined;
  let cancelRetransmit: (() => void) | undefined;
  let cancelTimeout: (() => void) | undefined;

  const stopTimers = (): void => {
    cancelRetransmit?.();
    cancelTimeout?.();
    cancelRetransmit = undefined;
    cancelTimeout = undefined;
  };
  const repeat = (ms: number): void => {
    cancelRetransmit = clock.schedule(() => {
      options.onRetransmission();
      outstanding?.send();
      repeat(2 * ms);
    }, ms);
  };
  const begin = (provisional: ReliableProvisional): void => {
    outstanding = provisional;
    provisional.send();
    repeat(timers.t1Ms);
    cancelTimeout = clock.schedule(() => {
      stop();
      options.onTimeout();
    }, 64 * timers.t1Ms);
  };
  const stop = (): void => {
    stopTimers();
    outstanding = undefined;
    queue.length = 0;
    heldFinal = undefined;
  };
  const holdsSuccess = (): boolean => outstanding?.hasBody === true || queue.some(({ hasBody }) => hasBody);

  return {
    takeRseq: () => nextRseq++,
    send: (provisional) => {
      if (outstanding === undefined) begin(provisional);
      else queue.push(provisional);
    },
    acknowledge: (rseq) => {
      if (outstanding?.rseq !== rseq) return false;
      stopTimers();
      outstanding = undefined;
      const next = queue.shift();
      if (next !== undefined) begin(next);
      if (heldFinal !== undefined && !holdsSuccess()) {
        const send = heldFinal;
        stop();
        send();
      }
      return true;
    },
    holdsSuccess,
    sendFinal: (send) => {
      if (holdsSuccess()) heldFinal = send;
      else {
        // What is not acknowledged by now is overtaken, but its PRACK may still come.
        stopTimers();
        queue.length = 0;
        send();
      }
    },
    stop,
  };
}

/** The rows of all INVITEs that have one; at most one a dialog, since one INVITE at a time is open in it. */
interface ProvisionalRows {
  /** The row of an INVITE, made where it has none; one of an INVITE before it is over. */
  readonly of: (dialog: Dialog, invite: PendingRequest, onTimeout: () => void) => ReliableProvisionals;
  readonly find: (dialog: Dialog, invite: PendingRequest) => ReliableProvisionals | undefined;
  /** A PRACK came, with the value of its RAck; false where it acknowledges none that waits. @see RFC 3262 section 7.2 */
  readonly acknowledge: (dialog: Dialog, rack: string) => boolean;
  /** Stops and forgets. */
  readonly drop: (dialog: Dialog) => void;
}

/** Makes an empty list. */
export function createProvisionalRows(
  options: Omit<ReliableProvisionalsOptions, 'firstRseq' | 'onTimeout'> & { readonly rseq: () => number },
): ProvisionalRows {
  const rows = new PassingMap<Dialog, { readonly invite: PendingRequest; readonly row: ReliableProvisionals }>();
  const drop = (dialog: Dialog): void => {
    rows.get(dialog)?.row.stop();
    rows.delete(dialog);
  };
  const find = (dialog: Dialog, invite: PendingRequest): ReliableProvisionals | undefined => {
    const found = rows.get(dialog);
    return found?.invite === invite ? found.row : undefined;
  };
  return {
    of: (dialog, invite, onTimeout) => {
      const known = find(dialog, invite);
      if (known !== undefined) return known;
      drop(dialog);
      const row = createReliableProvisionals({ ...options, firstRseq: options.rseq(), onTimeout });
      rows.set(dialog, { invite, row });
      return row;
    },
    find,
    acknowledge: (dialog, rack) => {
      const found = rows.get(dialog);
      // Text behind the method is ignored, as drachtio-server does: a SIPp scenario of drachtio-srf writes the method twice.
      const read = /^(\d{1,10})\s+(\d{1,10})\s+INVITE(?:\s|$)/.exec(rack);
      if (found === undefined || read === null) return false;
      return Number(read[2]) === found.invite.received.essentials.cseq && found.row.acknowledge(Number(read[1]));
    },
    drop,
  };
}

/** INVITEs that were answered with 2xx and whose ACK has not come. @see RFC 3261 section 13.3.1.4 */
interface AcceptedInvites {
  /** Begins to repeat a 2xx. */
  readonly add: (dialog: Dialog, accepted: AcceptedInvite) => void;
  /**
   * An ACK came.
   * @returns the transaction that it ends the waiting of; undefined where nothing waited for it, as for its repeats
   */
  readonly acknowledge: (dialog: Dialog, cseq: number) => string | undefined;
  /** Stops, for a dialog that is over. */
  readonly drop: (dialog: Dialog) => void;
  readonly size: () => number;
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

/** Makes an empty list. */
export function createAcceptedInvites(options: AcceptedInvitesOptions): AcceptedInvites {
  const waiting = new PassingMap<Dialog, Waiting>();
  const drop = (dialog: Dialog): void => {
    const found = waiting.get(dialog);
    if (found === undefined) return;
    waiting.delete(dialog);
    found.stop();
  };
  const timeOut = (dialog: Dialog): void => {
    drop(dialog);
    options.onTimeout(dialog);
  };
  return {
    add: (dialog, accepted) => {
      drop(dialog);
      waiting.set(dialog, new Waiting({ dialog, accepted, options, timeOut }));
    },
    acknowledge: (dialog, cseq) => {
      const found = waiting.get(dialog);
      if (found?.accepted.cseq !== cseq) return undefined;
      drop(dialog);
      return found.accepted.transactionId;
    },
    drop,
    size: () => waiting.size,
  };
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
interface InboundResponder {
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
