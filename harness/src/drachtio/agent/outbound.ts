import type { AppConnection } from '../control/app-connection.js';
import type { SipCommand } from '../control/command.js';
import { dialogId, type Dialog, type Hold, withTag } from '../dialog/dialog.js';
import { addressOf, parameterOf } from '../message/address.js';
import { readAppMessage, type AppHeaders } from '../message/app-message.js';
import { composeRequest, contentTypeOf } from '../message/compose.js';
import { copied, flat } from '../flat-text.js';
import { targetOf } from '../message/sip-target.js';
import type { Flow } from '../transport/flow.js';
import type { AgentContext } from './agent-context.js';
import { fallbackFlow } from './cancel-request.js';
import { MAX_FORWARDS } from './dialog-request.js';
import { flowToUri, portOf, streamFlow, transportOf, unsendable, type NextHopFailure } from './next-hop.js';
import { createCanceller } from './outbound-cancel.js';
import { createDialogSender } from './outbound-dialog.js';
import { createOutboundResponses, UNREACHABLE, type OutboundState } from './outbound-responses.js';
import { plainRequestUri } from './request-uri.js';
import {
  outgoingRequest,
  lineOf,
  refuse,
  startLineOf,
  tellSent,
  type OutgoingRequest,
  type StartLine,
} from './outgoing-request.js';
import { PassingMap } from '../passing-map.js';

/** The side of the server that sends the requests of applications. */
export interface OutboundAgent {
  readonly send: (app: AppConnection, command: SipCommand) => void;
  /** An application is gone: what it called is cancelled. */
  readonly onAppClosed: (app: AppConnection) => void;
  /** A dialog is over. */
  readonly onDialogRemoved: (dialog: Dialog) => void;
  /** A connection is over: what was asked by it stays without an answer. */
  readonly onFlowClosed: (flow: Flow) => void;
  readonly counts: () => { readonly outgoing: number; readonly owedAcknowledgements: number };
}

/** Makes the agent. */
export function createOutboundAgent(context: AgentContext): OutboundAgent {
  const { transports, identifiers, cdr, clock, settings, transactions } = context;
  const outgoing = new PassingMap<string, OutgoingRequest>();
  const unacknowledged = new PassingMap<Dialog, OutgoingRequest>();
  const state: OutboundState = { outgoing, unacknowledged, onSilence: (invite) => canceller.giveUp(invite) };
  const responses = createOutboundResponses(context, state);
  const canceller = createCanceller(context, state, responses);
  const inDialog = createDialogSender(context, { state, responses, canceller });

  const outsideDialog = (app: AppConnection, command: SipCommand): void => {
    const start = startLineOf(command.text);
    const refusal = start === undefined ? invalid(command) : refusalOf(start, command);
    if (start === undefined || refusal !== undefined) {
      refuse(context, app, command, refusal ?? invalid(command));
      return;
    }
    const nextHop = command.routeUrl === '' ? start.requestUri : command.routeUrl;
    flowToUri(transports, nextHop, (flow) => {
      // It may have gone while the host was looked up.
      if (!app.isOpen()) return;
      const never = typeof flow === 'string' ? unsendable(flow, nextHop) : undefined;
      if (never !== undefined) {
        refuse(context, app, command, never);
        return;
      }
      const way = typeof flow === 'string' ? fallbackFlow(transports, nextHop) : flow;
      const read = way === undefined ? undefined : readAppMessage(command.text, context.namesOf(way));
      if (way === undefined || read === undefined) {
        refuse(context, app, command, invalid(command));
        return;
      }
      const { headers } = read;
      if (headers.body !== '' && contentTypeOf(headers.contentType, headers.body) === undefined) {
        refuse(context, app, command, 'missing content-type');
      } else launch(app, command, { headers, ...start, way, failure: typeof flow === 'string' ? flow : undefined });
    });
  };
  /** Why a request cannot go out, whatever the way; asked before there is a connection to anybody. */
  const refusalOf = ({ requestUri }: StartLine, command: SipCommand): string | undefined => {
    const target = targetOf(requestUri);
    if (target !== undefined) {
      const isOurs = context.isLocal(target.host, portOf(target), transportOf(transports, target));
      return isOurs ? 'can not send request to myself' : undefined;
    }
    if (!/^tel:/i.test(requestUri)) return invalid(command);
    return command.routeUrl === '' ? 'Error creating sip transaction for uac request' : undefined;
  };

  const launch = (app: AppConnection, command: SipCommand, request: Launch): void => {
    const { method, way, failure } = request;
    const { requestUri, lines } = plainRequestUri(request.requestUri);
    const headers = lines === '' ? request.headers : { ...request.headers, others: request.headers.others + lines };
    const from = flat(withTag(headers.from ?? context.contactOf(way), identifiers.tag()));
    const fromTag = parameterOf(addressOf(from)?.params ?? '', 'tag') ?? '';
    const callId = headers.callId === undefined ? identifiers.callId() : copied(headers.callId);
    const named = {
      transactionId: identifiers.transactionId(),
      app,
      method,
      callId,
      fromTag,
      from,
      requestUri: copied(requestUri),
      routes: NO_ROUTES,
      to: headers.to === undefined ? flat(`<${requestUri}>`) : copied(headers.to),
      cseq: cseqOf(headers) ?? Math.floor(clock.nowMs() / 2_000) % 2 ** 31,
      dialogId: method === 'INVITE' || method === 'SUBSCRIBE' ? dialogId(callId, fromTag) : '',
    };
    const made = outgoingRequest(named, { flow: way });
    if (made.method !== 'CANCEL') outgoing.set(made.transactionId, made);
    attempt(made, headers, {
      flow: way,
      isAlone: false,
      failure,
      sent: (text, flow) => {
        if (method === 'INVITE') cdr.attempt('application', text);
        tellSent(context, app, command, { transactionId: made.transactionId, flow, text });
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
    const hold: Hold = { isOver: false, waiting: [] };
    made.hold = hold;
    clock.schedule(() => {
      made.hold = undefined;
      hold.isOver = true;
      for (const deliver of hold.waiting) deliver();
    }, settings.firstResponseHoldMs);
  };

  return {
    send: (app, command) => {
      if (command.dialogId !== '') inDialog.send(app, command);
      else if (command.transactionId !== '') canceller.cancel(app, command);
      else outsideDialog(app, command);
    },
    onAppClosed: (app) => {
      for (const request of outgoing.values()) {
        if (request.app === app && request.method === 'INVITE') canceller.giveUp(request);
      }
      for (const [dialog, request] of unacknowledged.entries())
        if (request.app === app) responses.onAppGone(dialog, request);
    },
    onDialogRemoved: (dialog) => {
      unacknowledged.delete(dialog);
      if (!dialog.isInviting) return;
      for (const request of outgoing.values()) {
        if (request.dialog === dialog && request.method === 'INVITE') canceller.abandon(request);
      }
    },
    onFlowClosed: (flow) => {
      if (!flow.isReliable) return;
      for (const request of outgoing.values()) {
        if (request.flow !== flow || request.transaction === undefined) continue;
        request.transaction.end();
        responses.synthesise(request, ...UNREACHABLE);
      }
    },
    counts: () => ({ outgoing: outgoing.size, owedAcknowledgements: unacknowledged.size }),
  };
}

const NO_ROUTES: readonly string[] = [];

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

function invalid({ text }: SipCommand): string {
  return `invalid request-uri: ${lineOf(text)}`;
}

function writeRequest(context: AgentContext, made: OutgoingRequest, headers: AppHeaders): string {
  const { method, requestUri, from, to, callId, cseq, flow, branch } = made;
  const needsContact = method === 'INVITE' || method === 'SUBSCRIBE';
  const contact = headers.contact ?? (needsContact ? context.contactOf(flow) : undefined);
  made.contact = contact === undefined ? undefined : copied(contact);
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
    contact,
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
