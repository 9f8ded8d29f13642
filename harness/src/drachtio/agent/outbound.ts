import type { AppConnection } from '../control/app-connection.js';
import type { SipCommand } from '../control/command.js';
import { requestSent } from '../control/frames.js';
import { dialogId, type Dialog, withTag } from '../dialog/dialog.js';
import { addressOf, parameterOf } from '../message/address.js';
import { readAppMessage, type AppHeaders } from '../message/app-message.js';
import { composeRequest, contentTypeOf } from '../message/compose.js';
import { targetOf } from '../message/sip-target.js';
import { valuesByName, type SipMessage } from '../message/sip-message.js';
import { localOf, type Flow } from '../transport/flow.js';
import type { AgentContext } from './agent-context.js';
import { cancelOf, fallbackFlow } from './cancel-request.js';
import { hangUp, MAX_FORWARDS, prepareDialogRequest, type DialogRequestParts } from './dialog-request.js';
import { flowToUri, portOf, streamFlow, type NextHopFailure } from './next-hop.js';
import { createOutboundResponses, TIMED_OUT } from './outbound-responses.js';
import type { OutgoingRequest } from './outgoing-request.js';

/** The side of the server that sends the requests of applications. */
export interface OutboundAgent {
  readonly send: (app: AppConnection, command: SipCommand) => void;
  /** An application is gone: what it called is cancelled. */
  readonly onAppClosed: (app: AppConnection) => void;
  /** A dialog is over. */
  readonly onDialogRemoved: (dialog: Dialog) => void;
  readonly counts: () => { readonly outgoing: number; readonly owedAcknowledgements: number };
}

const METHODS: ReadonlySet<string> = new Set([
  ...['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER', 'INFO', 'PRACK', 'UPDATE', 'MESSAGE'],
  ...['SUBSCRIBE', 'NOTIFY', 'REFER', 'PUBLISH'],
]);
const IN_DIALOG_CONTACT: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);

/** Makes the agent. */
export function createOutboundAgent(context: AgentContext): OutboundAgent {
  const { transports, dialogs, identifiers, cdr, clock, settings, transactions } = context;
  const outgoing = new Map<string, OutgoingRequest>();
  const unacknowledged = new Map<Dialog, OutgoingRequest>();
  const responses = createOutboundResponses(context, { outgoing, unacknowledged });

  const refuse = (app: AppConnection, command: SipCommand, reason: string): void => {
    context.answer(app, command.messageId, `NOK|${reason}`);
  };
  const tellSent = (app: AppConnection, command: SipCommand, sent: Sent): void => {
    const meta = context.sent(sent.text.length, sent.flow);
    context.answer(app, command.messageId, requestSent(meta, sent.transactionId, sent.text));
  };

  const outsideDialog = (app: AppConnection, command: SipCommand): void => {
    const start = startLineOf(command.text);
    if (start === undefined || !METHODS.has(start.method)) {
      refuse(app, command, `invalid request-uri: ${lineOf(command.text)}`);
      return;
    }
    const isTel = /^tel:/i.test(start.requestUri);
    const target = targetOf(start.requestUri);
    if (target === undefined && !isTel) {
      refuse(app, command, `invalid request-uri: ${lineOf(command.text)}`);
      return;
    }
    const nextHop = command.routeUrl === '' ? start.requestUri : command.routeUrl;
    if (isTel && command.routeUrl === '') {
      refuse(app, command, 'Error creating sip transaction for uac request');
      return;
    }
    flowToUri(transports, nextHop, (flow) => {
      if (flow === 'no-transport' || flow === 'unroutable') {
        refuse(app, command, 'requested protocol/transport not available');
        return;
      }
      const way = typeof flow === 'string' ? fallbackFlow(transports, nextHop) : flow;
      const request = way === undefined ? undefined : readRequest(command, way);
      if (way === undefined || request === undefined) {
        refuse(app, command, `invalid request-uri: ${lineOf(command.text)}`);
        return;
      }
      if (
        request.headers.body !== '' &&
        contentTypeOf(request.headers.contentType, request.headers.body) === undefined
      ) {
        refuse(app, command, 'missing content-type');
      } else if (target !== undefined && transports.isLocal(target.host, portOf(target))) {
        refuse(app, command, 'can not send request to myself');
      } else launch(app, command, { ...request, ...start, way, failure: typeof flow === 'string' ? flow : undefined });
    });
  };

  const launch = (app: AppConnection, command: SipCommand, request: Launch): void => {
    const { method, requestUri, way, headers, failure } = request;
    const from = withTag(headers.from ?? context.contactOf(way), identifiers.tag());
    const fromTag = parameterOf(addressOf(from)?.params ?? '', 'tag') ?? '';
    const callId = headers.callId ?? identifiers.callId();
    const made: OutgoingRequest = {
      ...{ transactionId: identifiers.transactionId(), app, method, callId, fromTag, from, requestUri, routes: [] },
      to: headers.to ?? `<${requestUri}>`,
      cseq: cseqOf(headers) ?? Math.floor(clock.nowMs() / 2_000) % 2 ** 31,
      dialogId: method === 'INVITE' || method === 'SUBSCRIBE' ? dialogId(callId, fromTag) : '',
      ...blank(way),
    };
    if (made.method !== 'CANCEL') outgoing.set(made.transactionId, made);
    attempt(made, headers, {
      flow: way,
      isAlone: false,
      failure,
      sent: (text, flow) => {
        if (method === 'INVITE') cdr.attempt('application', text);
        tellSent(app, command, { transactionId: made.transactionId, flow, text });
        if (method !== 'INVITE') holdFirst(made);
      },
    });
  };
  /** Sends it by a flow; one that is too large for a datagram by a stream, and by the datagram after all where that fails. */
  const attempt = (made: OutgoingRequest, headers: AppHeaders, way: Attempt): void => {
    const { flow } = way;
    made.flow = flow;
    made.branch = identifiers.branch();
    const text = writeRequest(context, made, headers);
    const { mtuBytes } = settings;
    if (mtuBytes !== undefined && text.length > mtuBytes && flow.transport === 'udp' && !way.isAlone) {
      streamFlow(transports, flow, (stream) => {
        if (typeof stream === 'string') attempt(made, headers, { ...way, isAlone: true });
        else attempt(made, headers, { ...way, flow: stream, datagram: flow });
      });
      return;
    }
    way.sent?.(text, flow);
    if (way.failure !== undefined) {
      responses.synthesise(made, 503, way.failure === 'unknown-host' ? 'DNS Error' : 'Service Unavailable');
      return;
    }
    const { datagram } = way;
    const retry =
      datagram === undefined
        ? undefined
        : (): boolean => {
            attempt(made, headers, { flow: datagram, isAlone: true });
            return true;
          };
    const user = responses.userOf(made, retry);
    made.transaction = transactions.request({ branch: made.branch, method: made.method, flow, text, user });
  };
  const holdFirst = (made: OutgoingRequest): void => {
    if (settings.firstResponseHoldMs === 0) return;
    made.held = [];
    clock.schedule(() => {
      const held = made.held ?? [];
      made.held = undefined;
      for (const deliver of held) deliver();
    }, settings.firstResponseHoldMs);
  };

  const insideDialog = (app: AppConnection, command: SipCommand): void => {
    const start = startLineOf(command.text);
    if (start === undefined || !METHODS.has(start.method)) {
      refuse(app, command, `Server error: invalid or missing method supplied on start line: ${lineOf(command.text)}`);
      return;
    }
    const dialog = dialogs.byId(command.dialogId);
    if (dialog === undefined) {
      refuse(
        app,
        command,
        start.method === 'ACK'
          ? 'Server error: ACK for non-success final response is automatically generated by server'
          : 'Server error: unable to find dialog for dialog id provided',
      );
      return;
    }
    const flow = dialog.flow ?? transports.listening[0];
    const read = flow === undefined ? undefined : readAppMessage(command.text, localOf(flow));
    if (read === undefined) {
      refuse(app, command, `Server error: invalid or missing method supplied on start line: ${lineOf(command.text)}`);
      return;
    }
    const { headers, message } = read;
    const contentType = contentTypeOf(headers.contentType, headers.body);
    if (headers.body !== '' && contentType === undefined) refuse(app, command, 'Server error: missing content-type');
    else if (start.method === 'ACK') acknowledge(app, command, { dialog, headers });
    else requestInDialog(app, command, { dialog, headers, message, method: start.method });
  };
  const acknowledge = (app: AppConnection, command: SipCommand, { dialog, headers }: DialogCommand): void => {
    const invite = unacknowledged.get(dialog);
    if (invite === undefined) {
      refuse(app, command, 'ACK for non-success responses is automatically generated by the stack');
      return;
    }
    const parts: DialogRequestParts = {
      ...partsOf(headers),
      method: 'ACK',
      cseq: invite.cseq,
      contact: headers.contact,
    };
    prepareDialogRequest(context, dialog, {
      parts,
      ready: (made) => {
        if (typeof made === 'string') {
          refuse(app, command, noRoute(dialog));
          return;
        }
        unacknowledged.delete(dialog);
        invite.acknowledgement = { flow: made.flow, text: made.text };
        context.send(made.flow, made.text);
        tellSent(app, command, { transactionId: identifiers.transactionId(), flow: made.flow, text: made.text });
        if (!invite.isCancelled || invite.dialog !== undefined) return;
        // The answer crossed the CANCEL: nobody wants this call any more.
        hangUp(context, dialog, 'ACK-BYE due to cancel race condition');
        cdr.stop('application', 'system-initiated-termination', made.text);
      },
    });
  };
  const requestInDialog = (app: AppConnection, command: SipCommand, request: InDialog): void => {
    const { dialog, headers, method, message } = request;
    const contact = headers.contact ?? (IN_DIALOG_CONTACT.has(method) ? dialog.localContact : undefined);
    prepareDialogRequest(context, dialog, {
      parts: { ...partsOf(headers), method, contact },
      ready: (ready) => {
        if (typeof ready === 'string') {
          refuse(app, command, noRoute(dialog));
          return;
        }
        const made: OutgoingRequest = {
          ...{ transactionId: identifiers.transactionId(), app, method, callId: dialog.callId, cseq: ready.cseq },
          ...{ from: dialog.localParty, to: dialog.remoteParty, fromTag: dialog.localTag, dialogId: dialog.id },
          ...{ requestUri: ready.requestUri, routes: ready.routes },
          ...blank(ready.flow),
          ...{ branch: ready.branch, dialog, isTerminating: saysTerminated(message) },
        };
        outgoing.set(made.transactionId, made);
        if (method === 'INVITE') dialog.isInviting = true;
        if (method === 'BYE') cdr.stop('application', 'normal-release', ready.text);
        tellSent(app, command, { transactionId: made.transactionId, flow: ready.flow, text: ready.text });
        const { branch, flow, text } = ready;
        made.transaction = transactions.request({
          branch,
          method,
          flow,
          text,
          user: responses.userOf(made, undefined),
        });
      },
    });
  };

  const cancel = (app: AppConnection, command: SipCommand): void => {
    const { transactionId } = command;
    const invite = outgoing.get(transactionId);
    if (invite === undefined || invite.method !== 'INVITE') {
      refuse(app, command, `unable to cancel unknown transaction id: ${transactionId}`);
      return;
    }
    if (invite.isCancelled) {
      refuse(app, command, `internal server error canceling transaction id: ${transactionId}`);
      return;
    }
    const read = readAppMessage(command.text, localOf(invite.flow));
    const text = cancelOf(context, invite, read?.headers.others ?? '');
    invite.isCancelled = true;
    tellSent(app, command, { transactionId: identifiers.transactionId(), flow: invite.flow, text });
    sendCancel(invite, text);
  };
  /** A CANCEL waits for a provisional response, and the INVITE is given up when it brings no final one. @see RFC 3261 section 9.1 */
  const sendCancel = (invite: OutgoingRequest, text: string): void => {
    const send = (): void => {
      const { branch, flow } = invite;
      const user = { onResponse: () => undefined, onFailure: () => undefined, acknowledgement: () => '' };
      transactions.request({ branch, method: 'CANCEL', flow, text, user });
      invite.cancelWait = clock.schedule(() => {
        invite.transaction?.end();
        responses.synthesise(invite, ...TIMED_OUT);
      }, 64 * settings.timers.t1Ms);
    };
    if (invite.hasProvisional) send();
    else invite.sendCancel = send;
  };

  return {
    send: (app, command) => {
      if (command.dialogId !== '') insideDialog(app, command);
      else if (command.transactionId !== '') cancel(app, command);
      else outsideDialog(app, command);
    },
    onAppClosed: (app) => {
      for (const request of outgoing.values()) {
        if (request.app !== app || request.method !== 'INVITE' || request.isCancelled) continue;
        request.isCancelled = true;
        sendCancel(request, cancelOf(context, request, ''));
      }
    },
    onDialogRemoved: (dialog) => void unacknowledged.delete(dialog),
    counts: () => ({ outgoing: outgoing.size, owedAcknowledgements: unacknowledged.size }),
  };
}

interface Sent {
  readonly transactionId: string;
  readonly flow: Flow;
  readonly text: string;
}

interface StartLine {
  readonly method: string;
  readonly requestUri: string;
}

interface Launch extends StartLine {
  readonly headers: AppHeaders;
  readonly way: Flow;
  /** Where there is no way at all: told to the application as a response, after it was told that the request went out. */
  readonly failure: NextHopFailure | undefined;
}

interface Attempt {
  readonly flow: Flow;
  /** Whether the datagram is the last resort. */
  readonly isAlone: boolean;
  readonly failure?: NextHopFailure | undefined;
  readonly sent?: (text: string, flow: Flow) => void;
  /** Where to go back to when the stream fails. */
  readonly datagram?: Flow;
}

interface DialogCommand {
  readonly dialog: Dialog;
  readonly headers: AppHeaders;
}

interface InDialog extends DialogCommand {
  readonly message: SipMessage;
  readonly method: string;
}

function readRequest(command: SipCommand, way: Flow): { readonly headers: AppHeaders } | undefined {
  const read = readAppMessage(command.text, localOf(way));
  return read === undefined ? undefined : { headers: read.headers };
}

function startLineOf(text: string): StartLine | undefined {
  const [method, requestUri, version] = lineOf(text).split(' ');
  if (method === undefined || requestUri === undefined || version !== 'SIP/2.0') return undefined;
  return { method, requestUri };
}

function lineOf(text: string): string {
  const end = text.indexOf('\r\n');
  return end < 0 ? text : text.slice(0, end);
}

function blank(flow: Flow): Omit<OutgoingRequest, keyof Named> {
  return {
    dialog: undefined,
    isTerminating: false,
    flow,
    branch: '',
    transaction: undefined,
    hasProvisional: false,
    isAnswered: false,
    isCancelled: false,
    sendCancel: undefined,
    cancelWait: undefined,
    answeredTag: undefined,
    acknowledgement: undefined,
    lastRseq: undefined,
    held: undefined,
  };
}

type Named = Pick<
  OutgoingRequest,
  | 'transactionId'
  | 'app'
  | 'method'
  | 'callId'
  | 'cseq'
  | 'from'
  | 'to'
  | 'fromTag'
  | 'requestUri'
  | 'routes'
  | 'dialogId'
>;

function partsOf(headers: AppHeaders): Pick<DialogRequestParts, 'others' | 'contentType' | 'body' | 'maxForwards'> {
  const { others, body, maxForwards } = headers;
  return { others, body, maxForwards, contentType: contentTypeOf(headers.contentType, body) };
}

function writeRequest(context: AgentContext, made: OutgoingRequest, headers: AppHeaders): string {
  const { method, requestUri, from, to, callId, cseq, flow, branch } = made;
  const needsContact = method === 'INVITE' || method === 'SUBSCRIBE';
  return composeRequest({
    method,
    requestUri,
    via: context.viaOf(flow, branch),
    routes: [],
    from,
    to,
    callId,
    cseq,
    maxForwards: headers.maxForwards ?? MAX_FORWARDS,
    contact: headers.contact ?? (needsContact ? context.contactOf(flow) : undefined),
    others: headers.others,
    contentType: contentTypeOf(headers.contentType, headers.body),
    body: headers.body,
  });
}

/** The number that an application gives, as it does when it sends a request again with credentials. */
function cseqOf({ cseq }: AppHeaders): number | undefined {
  const read = cseq === undefined ? null : /^(\d{1,10})(?:\s|$)/.exec(cseq);
  const number = Number(read?.[1] ?? Number.NaN);
  return Number.isSafeInteger(number) && number < 2 ** 31 ? number : undefined;
}

function saysTerminated(message: SipMessage): boolean {
  return /terminated/i.test(valuesByName(message, 'subscription-state')[0] ?? '');
}

function noRoute(dialog: Dialog): string {
  return `Server error: unable to find route when sending request inside dialog for dialog id ${dialog.id}`;
}
