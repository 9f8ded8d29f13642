import type { AppConnection } from '../control/app-connection.js';
import type { SipCommand } from '../control/command.js';
import { requestSent } from '../control/frames.js';
import type { Dialog, Hold } from '../dialog/dialog.js';
import { composeRequest, linesWithout } from '../message/app-message.js';
import { HEADER } from '../message/sip-message.js';
import { targetOf } from '../message/via.js';
import type { ClientTransaction } from '../transaction/transaction-layer.js';
import { isReliable } from '../transport/flow.js';
import type { Flow } from '../transport/flow.js';
import type { Transports } from '../transport/transports.js';
import { MAX_FORWARDS, portOf } from './agent-context.js';
import type { AgentContext } from './agent-context.js';

/** A request that an application sent and that has not ended. */
export interface OutgoingRequest {
  /** As the application knows it. */
  readonly transactionId: string;
  readonly app: AppConnection;
  readonly method: string;
  readonly callId: string;
  readonly cseq: number;
  /** Values of From and To as sent. */
  readonly from: string;
  readonly to: string;
  readonly fromTag: string;
  readonly requestUri: string;
  readonly routes: readonly string[];
  /** Name of the dialog that it belongs to or may make; empty for others. */
  readonly dialogId: string;
  /** The dialog that it was sent in; undefined outside dialogs. */
  readonly dialog: Dialog | undefined;
  /** Whether it says that a subscription is over. */
  readonly isTerminating: boolean;
  /** Set while sending; a request that moves to another transport gets new ones. */
  flow: Flow;
  branch: string;
  transaction: ClientTransaction | undefined;
  /** Whether a provisional response has come: without one nothing can be cancelled. */
  hasProvisional: boolean;
  /** Whether the application has a final response: what comes later is not for it. */
  isAnswered: boolean;
  /** A CANCEL was asked for. */
  isCancelled: boolean;
  /** Sends the CANCEL that waits for a provisional response. */
  sendCancel: (() => void) | undefined;
  /** Ends the waiting for a final response after a CANCEL. */
  cancelWait: (() => void) | undefined;
  /** Ends the watch over a peer that rings and falls silent, and when it was heard last. */
  cancelWatch: (() => void) | undefined;
  lastHeardMs: number;
  /** To tag of the 2xx that made the dialog, and its status. */
  answeredTag: string | undefined;
  answeredStatus: number;
  /** The ACK for the 2xx, to be sent again with each of its repeats. */
  sentAck: SentAck | undefined;
  /** The same for branches of a fork that answered as well and were left, by To tag: undefined until it can be written. */
  leftBranches: Map<string, SentAck | undefined> | undefined;
  /** RSeq of the last reliable provisional response, per To tag. */
  lastRseq: Map<string, number> | undefined;
  /** Reliable provisional responses whose PRACK the application owes, in their order; undefined where there were none. */
  unpracked: { readonly rseq: number; readonly dialog: Dialog }[] | undefined;
  /** Responses that are held back; undefined where none are. */
  hold: Hold | undefined;
  /** Value of the Contact that was sent; undefined where there was none. */
  contact: string | undefined;
}

/** An ACK as it was sent. */
export interface SentAck {
  readonly flow: Flow;
  readonly text: string;
}

/** What further 2xx to an INVITE are met with. */
export type AnsweredInvite = Pick<
  OutgoingRequest,
  'transactionId' | 'app' | 'cseq' | 'from' | 'flow' | 'answeredTag' | 'sentAck' | 'leftBranches'
>;

/** What is known of a request when it is made; the rest comes while it is under way. */
type NamedRequest = Pick<
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

/** How a request goes out, and what it belongs to. */
interface SendingParts {
  readonly flow: Flow;
  readonly branch?: string;
  readonly dialog?: Dialog;
  readonly isTerminating?: boolean;
}

/** A request of which nothing has happened yet. Written member by member: all of them then have one shape for the compiler. */
export function outgoingRequest(named: NamedRequest, sending: SendingParts): OutgoingRequest {
  return {
    transactionId: named.transactionId,
    app: named.app,
    method: named.method,
    callId: named.callId,
    cseq: named.cseq,
    from: named.from,
    to: named.to,
    fromTag: named.fromTag,
    requestUri: named.requestUri,
    routes: named.routes,
    dialogId: named.dialogId,
    dialog: sending.dialog,
    isTerminating: sending.isTerminating ?? false,
    flow: sending.flow,
    branch: sending.branch ?? '',
    transaction: undefined,
    hasProvisional: false,
    isAnswered: false,
    isCancelled: false,
    sendCancel: undefined,
    cancelWait: undefined,
    cancelWatch: undefined,
    lastHeardMs: 0,
    answeredTag: undefined,
    answeredStatus: 0,
    sentAck: undefined,
    leftBranches: undefined,
    lastRseq: undefined,
    unpracked: undefined,
    hold: undefined,
    contact: undefined,
  };
}

/** Tells an application that its request did not go out, and why. */
export function refuse(context: AgentContext, app: AppConnection, command: SipCommand, reason: string): void {
  context.answer(app, command.messageId, `NOK|${reason}`);
}

/** Tells an application that its request went out, and how it looked. */
export function tellSent(
  context: AgentContext,
  app: AppConnection,
  command: SipCommand,
  sent: {
    readonly transactionId: string;
    readonly flow: Flow;
    readonly text: string;
  },
): void {
  const meta = context.sent(sent.text.length, sent.flow);
  context.answer(app, command.messageId, requestSent(meta, sent.transactionId, sent.text));
}

/** Method and URI of a request line. */
export interface StartLine {
  readonly method: string;
  readonly requestUri: string;
}

/** The request line of an application's message; undefined where it is none, or names a method that is not known to SIP. */
export function startLineOf(text: string): StartLine | undefined {
  const [method, requestUri, version] = lineOf(text).split(' ');
  if (method === undefined || requestUri === undefined || version !== 'SIP/2.0') return undefined;
  return METHODS.has(method) ? { method, requestUri } : undefined;
}

/** The first line of a message. */
export function lineOf(text: string): string {
  const end = text.indexOf('\r\n');
  return end < 0 ? text : text.slice(0, end);
}

const METHODS: ReadonlySet<string> = new Set([
  'INVITE',
  'ACK',
  'CANCEL',
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

/**
 * Writes the CANCEL of an INVITE: everything that identifies it is the INVITE's, and of what an application adds, Reason and headers
 * of its own go along.
 * @see RFC 3261 section 9.1
 */
export function cancelOf(context: AgentContext, invite: OutgoingRequest, others: string): string {
  const { requestUri, flow, branch, routes, from, to, callId, cseq } = invite;
  return composeRequest({
    method: 'CANCEL',
    requestUri,
    via: context.viaOf(flow, branch),
    maxForwards: MAX_FORWARDS,
    routes,
    from,
    to,
    callId,
    cseq,
    contact: undefined,
    contentType: undefined,
    body: '',
    others: linesWithout(others, NOT_IN_CANCEL),
  });
}

const NOT_IN_CANCEL: ReadonlySet<number> = new Set([HEADER.pAssertedIdentity]);

/** Stands for the way to a host that could not be found, so that the request can be written and its failure be told. */
export function fallbackFlow(transports: Transports, uri: string): Flow | undefined {
  const target = targetOf(uri);
  const listening =
    transports.listening.find(({ transport }) => transport === target?.transport) ?? transports.listening[0];
  if (target === undefined || listening === undefined) return undefined;
  const { transport, local } = listening;
  return {
    transport,
    local,
    isReliable: isReliable(transport),
    remote: { address: target.host, port: portOf(target) },
    isOpen: () => false,
    send: () => undefined,
  };
}
