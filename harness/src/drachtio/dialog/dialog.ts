import { flat } from '../identifiers.js';
import { HEADER, headerValue, headerValues, unfolded } from '../message/sip-message.js';
import type { SipMessage } from '../message/sip-message.js';
import { routesOf, targetOf, uriOf } from '../message/via.js';
import type { Received } from '../received.js';
import type { AppConnection } from '../control/app-connection.js';
import type { Flow } from '../transport/flow.js';
import { withTag } from '../message/app-message.js';

/**
 * A dialog: what in-dialog requests are made of, and found by.
 * @see RFC 3261 section 12
 */
export interface Dialog {
  /** `<Call-ID>;from-tag=<From tag of the request that made it>`: the name that applications know it by. */
  readonly id: string;
  /** Whether we sent the request that made it. */
  readonly isCaller: boolean;
  readonly method: 'INVITE' | 'SUBSCRIBE';
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** Values of From and To in requests that we send, tags included. */
  readonly localParty: string;
  readonly remoteParty: string;
  /** Route values, in the order in which requests name them. */
  readonly routes: readonly string[];
  /** URI of the other side's Contact; target refreshes change it. */
  remoteTarget: string;
  /** The application that owns it: it gets what arrives. */
  app: AppConnection;
  /** Value of our Contact, as it was when the dialog was made. */
  localContact: string;
  localCseq: number;
  /** -1 until the other side has sent a request. */
  remoteCseq: number;
  state: 'early' | 'confirmed';
  /** Whether an INVITE of ours in this dialog is unanswered. */
  isInviting: boolean;
  /**
   * The flow by which the other side was last heard without anybody between, where it is a connection; or the flow of the request that made
   * the dialog, until the other side gives a Contact.
   */
  flow: Flow | undefined;
  /** INVITE's transaction as the application knows it: its ACK is delivered under it. */
  transactionId: string;
  /** Set where the response that made it is held back from the application: what comes in the dialog waits behind it. */
  hold: Hold | undefined;
  /** When the application was told that it stands, by the clock; 0 until then. */
  toldAtMs: number;
}

/** What is held back from an application, in its order. */
export interface Hold {
  isOver: boolean;
  readonly waiting: (() => void)[];
}

/** How applications know a dialog. drachtio-srf looks dialogs up by this form. */
export function dialogId(callId: string, fromTag: string): string {
  return flat(`${callId};from-tag=${fromTag}`);
}

/** What a dialog is made of beside the messages. */
export interface DialogParts {
  readonly app: AppConnection;
  readonly transactionId: string;
  readonly localContact: string;
}

/** The request that a client's dialog began with. */
export interface SentRequest {
  readonly from: string;
  readonly requestUri: string;
  readonly flow: Flow;
}

/**
 * The dialog of one who answers.
 * @param localTag - the To tag of the response
 * @see RFC 3261 section 12.1.1
 */
export function dialogOfServer(received: Received, localTag: string, parts: DialogParts): Dialog {
  const { message, essentials, flow } = received;
  return {
    app: parts.app,
    transactionId: parts.transactionId,
    localContact: parts.localContact,
    id: dialogId(essentials.callId, essentials.fromTag),
    isCaller: false,
    method: message.method === 'SUBSCRIBE' ? 'SUBSCRIBE' : 'INVITE',
    callId: essentials.callId,
    localTag,
    remoteTag: essentials.fromTag,
    localParty: withTag(unfolded(headerValue(message, HEADER.to) ?? ''), localTag),
    remoteParty: unfolded(headerValue(message, HEADER.from) ?? ''),
    routes: routesOf(headerValues(message, HEADER.recordRoute)),
    remoteTarget: uriOf(unfolded(headerValue(message, HEADER.contact) ?? '')),
    localCseq: FIRST_CSEQ,
    remoteCseq: essentials.cseq,
    state: 'early',
    isInviting: false,
    flow: flow.isReliable && isDirect(received) ? flow : undefined,
    hold: undefined,
    toldAtMs: 0,
  };
}

/**
 * The dialog of one who called.
 * @param response - a response with a To tag
 * @param sent - a provisional response may lack a Contact: requests then go where this request went
 * @see RFC 3261 section 12.1.2
 */
export function dialogOfClient(response: Received, sent: SentRequest, parts: DialogParts): Dialog {
  const { message, essentials, flow } = response;
  const contact = uriOf(unfolded(headerValue(message, HEADER.contact) ?? ''));
  const isWithoutTarget = contact === '' && message.status < 200;
  return {
    app: parts.app,
    transactionId: parts.transactionId,
    localContact: parts.localContact,
    id: dialogId(essentials.callId, essentials.fromTag),
    isCaller: true,
    method: essentials.method === 'SUBSCRIBE' ? 'SUBSCRIBE' : 'INVITE',
    callId: essentials.callId,
    localTag: essentials.fromTag,
    remoteTag: essentials.toTag,
    localParty: sent.from,
    remoteParty: unfolded(headerValue(message, HEADER.to) ?? ''),
    routes: routesOf(headerValues(message, HEADER.recordRoute)).toReversed(),
    remoteTarget: isWithoutTarget ? sent.requestUri : contact,
    localCseq: essentials.cseq,
    remoteCseq: -1,
    state: 'early',
    isInviting: false,
    flow: isWithoutTarget ? sent.flow : flow.isReliable && isBehind(flow, contact) ? flow : undefined,
    hold: undefined,
    toldAtMs: 0,
  };
}

/** Takes a new Contact of the other side over. @see RFC 3261 section 12.2.1.2, RFC 3311 section 5.1 */
export function refreshTarget(dialog: Dialog, message: SipMessage): void {
  const contact = headerValue(message, HEADER.contact);
  const uri = contact === undefined ? '' : uriOf(unfolded(contact));
  if (uri === '') return;
  dialog.remoteTarget = uri;
  // It stood in for the Contact that was missing.
  if (dialog.flow?.isReliable === false) dialog.flow = undefined;
}

/** What an in-dialog request names as its target and route. @see RFC 3261 section 12.2.1.1 */
export function requestTarget(dialog: Dialog): {
  readonly requestUri: string;
  readonly routes: readonly string[];
  /** Where it is sent. */
  readonly nextHop: string;
} {
  const [first] = dialog.routes;
  if (first === undefined) return { requestUri: dialog.remoteTarget, routes: [], nextHop: dialog.remoteTarget };
  const firstUri = uriOf(first);
  if (targetOf(firstUri)?.isLoose === true) {
    return { requestUri: dialog.remoteTarget, routes: dialog.routes, nextHop: firstUri };
  }
  // A strict router finds itself in the Request-URI, and the target at the end of the route.
  const routes = [...dialog.routes.slice(1), `<${dialog.remoteTarget}>`];
  return { requestUri: firstUri, routes, nextHop: firstUri };
}

/** Whether nobody stands between us and who sent a request. */
function isDirect({ message, essentials }: Received): boolean {
  const { via, value } = essentials.via;
  return via.end === value.length && headerValues(message, HEADER.via).length === 1;
}

/**
 * Whether a Contact leads to the other end of a connection, or nowhere but there. Behind a proxy that has left the path it does not,
 * and requests take the Contact's own way.
 */
function isBehind({ transport, remote }: Flow, contact: string): boolean {
  if (transport === 'ws' || transport === 'wss') return true;
  const target = targetOf(contact);
  return target === undefined || (target.host === remote.address && target.port === remote.port);
}

/** Any start below 2^31 will do. @see RFC 3261 section 8.1.1.5 */
const FIRST_CSEQ = 1;
