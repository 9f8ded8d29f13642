import type { AppConnection, AppDirectory } from '../control/app-connection.js';
import { cdrPayload, createTimeOfDay, messagePayload, responsePayload } from '../control/frames.js';
import type { FrameMeta } from '../control/frames.js';
import type { DialogStore } from '../dialog/dialog-store.js';
import { requestTarget } from '../dialog/dialog.js';
import type { Dialog } from '../dialog/dialog.js';
import type { Identifiers } from '../identifiers.js';
import type { LocalAddress } from '../message/app-message.js';
import { composeRequest } from '../message/app-message.js';
import { writtenName } from '../message/sip-message.js';
import { targetOf } from '../message/via.js';
import type { SipTarget } from '../message/via.js';
import type { Timers } from '../timers.js';
import type { TransactionLayer } from '../transaction/transaction-layer.js';
import type { TimerBase } from '../transaction/transition.js';
import { bracketed, type Endpoint, type Flow, type TransportName } from '../transport/flow.js';
import type { FlowFailure, Transports } from '../transport/transports.js';

/** Which side of which kind of agent a call was answered by. */
type CdrRole = 'proxy-uac' | 'proxy-uas' | 'uac' | 'uas';

/** Why a call, or the attempt at one, ended. */
type CdrReason =
  'call-rejected' | 'call-canceled' | 'normal-release' | 'session-expired' | 'system-initiated-termination';

/** Where the message that a record is about came from. */
type CdrSource = 'network' | 'application';

/** Writes call detail records, each to one application, in turn, among those that asked for its kind; nothing where they are switched off. */
function createCdrWriter({
  isOn,
  apps,
  frameId,
  timeOfDay,
}: {
  readonly isOn: boolean;
  readonly apps: AppDirectory;
  readonly frameId: () => string;
  readonly timeOfDay: () => string;
}) {
  const write = (
    event: 'attempt' | 'start' | 'stop',
    source: CdrSource,
    record: { detail: string; text: string },
  ): void => {
    if (!isOn) return;
    const app = apps.next(`cdr:${event}`);
    app?.send(cdrPayload(frameId(), { event, source, time: timeOfDay(), ...record }));
  };
  return {
    attempt: (source: CdrSource, text: string) => write('attempt', source, { detail: '', text }),
    start: (source: CdrSource, role: CdrRole, text: string) => write('start', source, { detail: role, text }),
    stop: (source: CdrSource, reason: CdrReason, text: string) => write('stop', source, { detail: reason, text }),
  };
}

/** How a call that got this final status instead of an answer ended. */
export function rejectionOf(status: number): CdrReason {
  return status === 487 ? 'call-canceled' : 'call-rejected';
}

/** What agents do in the name of applications, and how patiently. */
export interface AgentSettings {
  readonly timers: TimerBase;
  /** How long an application may leave a request unanswered, milliseconds. */
  readonly appAnswerMs: number;
  /**
   * How long the first response to a request outside dialogs is held back after the application was told that it went out. The
   * promise form of `srf.request()` has no listener before its promise has resolved.
   */
  readonly firstResponseHoldMs: number;
  /** How long an INVITE goes without 100 Trying. */
  readonly tryingHoldMs: number;
  /**
   * How long requests within a call are held back after the application was told that it was answered. An application that hears of
   * a BYE in the turn in which it hears of the answer has no listener for it yet, and leaves the other leg standing.
   */
  readonly answerHoldMs: number;
  /** Requests larger than this leave by a stream transport; undefined for never. @see RFC 3261 section 18.1.1 */
  readonly mtuBytes: number | undefined;
}

/** What a context is made of. */
interface AgentParts {
  readonly clock: Timers;
  readonly identifiers: Identifiers;
  readonly settings: AgentSettings;
  /** In place of the listening address, where others know us by another. */
  readonly advertisedHost: string | undefined;
  /** Whether call detail records are written. */
  readonly writesCdrs: boolean;
  readonly transactions: TransactionLayer;
  readonly transports: Transports;
  readonly dialogs: DialogStore;
  readonly apps: AppDirectory;
  /** Sends beside the transactions: an ACK, a 2xx again. */
  readonly send: (flow: Flow, text: string) => void;
  readonly onRetransmission: () => void;
}

/** What all agents of one server share. */
export type AgentContext = ReturnType<typeof createAgentContext>;

/** Makes the context of a server. */
export function createAgentContext(parts: AgentParts) {
  const { clock, identifiers, advertisedHost, writesCdrs, apps, transports } = parts;
  const timeOfDay = createTimeOfDay();
  const time = (): string => timeOfDay(clock.nowMs());
  const meta = (source: FrameMeta['source'], bytes: number, flow: Flow): FrameMeta => ({
    source,
    bytes,
    protocol: PROTOCOL[flow.transport],
    remote: flow.remote,
    time: time(),
  });
  const uriOf = ({ transport, local }: Pick<Flow, 'transport' | 'local'>): string =>
    `sip:${hostOf(parts, local)}:${local.port}${TRANSPORT_PARAMETER[transport]}`;
  return {
    ...parts,
    cdr: createCdrWriter({ isOn: writesCdrs, apps, frameId: identifiers.frameId, timeOfDay: time }),
    /**
     * Whether an address is ours, by what we listen at or by the name that we tell others.
     * @param transport - where it is known, as for `Transports.isLocal`
     */
    isLocal: (host: string, port: number, transport?: TransportName) =>
      transports.isLocal(host, port, transport) ||
      (host === advertisedHost &&
        transports.listening.some(({ local }) => transports.isLocal(local.address, port, transport))),
    /** Via value of our hop on a flow. */
    viaOf: ({ transport, local }: Flow, branch: string) =>
      `SIP/2.0/${transport.toUpperCase()} ${hostOf(parts, local)}:${local.port};rport;branch=${branch}`,
    /** What `localhost` stands for in the messages of applications that take a flow. */
    namesOf: ({ transport, local: { address, port } }: Pick<Flow, 'transport' | 'local'>): LocalAddress => ({
      transport,
      address: advertisedHost ?? address,
      port,
    }),
    /** URI of ours on a flow. */
    uriOf,
    /** Contact value of ours on a flow, in angle brackets. */
    contactOf: (flow: Flow) => `<${uriOf(flow)}>`,
    received: (bytes: number, flow: Flow) => meta('network', bytes, flow),
    sent: (bytes: number, flow: Flow) => meta('application', bytes, flow),
    /** Answers a command with `OK…` or `NOK…`. */
    answer: (app: AppConnection, messageId: string, rest: string) =>
      app.send(responsePayload(identifiers.frameId(), messageId, rest)),
    /** Hands a message to an application. */
    deliver: (app: AppConnection, frameMeta: FrameMeta, message: Parameters<typeof messagePayload>[2]) => {
      if (app.isOpen()) app.send(messagePayload(identifiers.frameId(), frameMeta, message));
    },
  };
}

/** The host that we give in messages to others. */
export function hostOf(
  { advertisedHost }: { readonly advertisedHost?: string | undefined },
  { address }: Endpoint,
): string {
  return advertisedHost ?? bracketed(address);
}

/** How frames name transports; drachtio-server has no word of its own for WebSockets. */
const PROTOCOL: Readonly<Record<TransportName, string>> = {
  udp: 'udp',
  tcp: 'tcp',
  tls: 'tls',
  ws: 'tcp',
  wss: 'tls',
};

const TRANSPORT_PARAMETER: Readonly<Record<TransportName, string>> = {
  udp: '',
  tcp: ';transport=tcp',
  tls: ';transport=tls',
  ws: ';transport=ws',
  wss: ';transport=wss',
};

/** Why a request has nowhere to go. */
export type NextHopFailure = FlowFailure | 'unroutable';

/** Why a request cannot leave by any listener; undefined for failures that the network may cause, which are told as a response. */
export function unsendable(failure: NextHopFailure, uri: string): string | undefined {
  if (failure === 'unroutable' || failure === 'no-transport') return NO_TRANSPORT;
  if (failure !== 'no-family') return undefined;
  const version = targetOf(uri)?.host.includes(':') === true ? 'IPv6' : 'IPv4';
  return `${NO_TRANSPORT}: no listener of this transport has an ${version} address`;
}

/** As drachtio-server words it. */
const NO_TRANSPORT = 'requested protocol/transport not available';

/** Answers with the way to the next hop, or why there is none. */
type NextHopCallback = (found: Flow | NextHopFailure) => void;

/** Finds the way to where a URI leads. @see RFC 3263 section 4, without NAPTR and SRV */
export function flowToUri(transports: Transports, uri: string, found: NextHopCallback): void {
  const target = targetOf(uri);
  if (target === undefined) found('unroutable');
  else flowToTarget(transports, target, found);
}

/** As {@link flowToUri}, for a target that was read already. */
function flowToTarget(transports: Transports, target: SipTarget, found: NextHopCallback): void {
  const transport = transportOf(transports, target);
  if (transport === undefined) found('no-transport');
  else transports.flowTo(transport, { host: target.host, port: portOf(target) }, found);
}

/**
 * Finds the way for a request within a dialog: the connection that the other side is behind, or the URI.
 * @param nextHop - first route, or remote target
 */
function flowOfDialog(transports: Transports, dialog: Dialog, nextHop: string, found: NextHopCallback): void {
  const { flow } = dialog;
  if (flow !== undefined && dialog.routes.length === 0 && flow.isOpen()) found(flow);
  else flowToUri(transports, nextHop, found);
}

/** The port that a target means. @see RFC 3261 section 19.1.2 */
export function portOf(target: SipTarget): number {
  if (target.port !== 0) return target.port;
  return target.isSecure || target.transport === 'tls' ? 5_061 : 5_060;
}

/** A stream transport to the same place, for requests that are too large for a datagram. @see RFC 3261 section 18.1.1 */
export function streamFlow(transports: Transports, flow: Flow, found: NextHopCallback): void {
  transports.flowTo('tcp', { host: flow.remote.address, port: flow.remote.port }, found);
}

const NAMES: ReadonlySet<string> = new Set(['udp', 'tcp', 'tls', 'ws', 'wss'] satisfies readonly TransportName[]);
const SECURE: Readonly<Record<TransportName, TransportName>> = {
  udp: 'tls',
  tcp: 'tls',
  tls: 'tls',
  ws: 'wss',
  wss: 'wss',
};

/** The transport that a target means; undefined for one that we do not speak. @see RFC 3263 section 4.1, without NAPTR and SRV */
export function transportOf(transports: Transports, { transport, isSecure }: SipTarget): TransportName | undefined {
  if (transport === '') {
    if (isSecure) return 'tls';
    return transports.localOf('udp') === undefined ? transports.listening[0]?.transport : 'udp';
  }
  if (!NAMES.has(transport)) return undefined;
  const name = transport as TransportName;
  return isSecure ? SECURE[name] : name;
}

/** What a request within a dialog carries beyond what the dialog knows. */
export interface DialogRequestParts {
  readonly method: string;
  /** Undefined takes the next number; an ACK has that of its INVITE. */
  readonly cseq?: number | undefined;
  readonly contact: string | undefined;
  readonly others: string;
  readonly contentType: string | undefined;
  readonly body: string;
  readonly maxForwards?: string | undefined;
}

/** A request that is written and knows its way. */
export interface ReadyRequest {
  readonly flow: Flow;
  readonly branch: string;
  readonly cseq: number;
  readonly requestUri: string;
  readonly routes: readonly string[];
  readonly text: string;
}

/** Writes a request within a dialog, as soon as its way is known. @see RFC 3261 section 12.2.1.1 */
export function prepareDialogRequest(
  context: AgentContext,
  dialog: Dialog,
  {
    parts,
    ready,
  }: { readonly parts: DialogRequestParts; readonly ready: (made: ReadyRequest | NextHopFailure) => void },
): void {
  const { requestUri, routes, nextHop } = requestTarget(dialog);
  if (requestUri === '') {
    ready('unroutable');
    return;
  }
  let { cseq } = parts;
  if (cseq === undefined) {
    dialog.localCseq += 1;
    cseq = dialog.localCseq;
  }
  flowOfDialog(context.transports, dialog, nextHop, (flow) => {
    if (typeof flow === 'string') {
      ready(flow);
      return;
    }
    const branch = context.identifiers.branch();
    const text = composeRequest({
      method: parts.method,
      requestUri,
      via: context.viaOf(flow, branch),
      routes,
      cseq,
      maxForwards: parts.maxForwards ?? MAX_FORWARDS,
      from: dialog.localParty,
      to: dialog.remoteParty,
      callId: dialog.callId,
      contact: parts.contact,
      others: parts.others,
      contentType: parts.contentType,
      body: parts.body,
    });
    ready({
      flow,
      branch,
      cseq,
      requestUri,
      routes,
      text,
    });
  });
}

/** @see RFC 3261 section 8.1.1.6 */
export const MAX_FORWARDS = '70';

/**
 * Ends a call in the server's own name: a BYE goes out, the application is told with a frame that nobody answers, and the
 * dialog is gone.
 * @param reason - text of the Reason header
 */
export function hangUp(context: AgentContext, dialog: Dialog, reason: string): void {
  context.dialogs.remove(dialog);
  prepareDialogRequest(context, dialog, {
    parts: byeParts(`Reason: SIP ;cause=200 ;text="${reason}"\r\n`),
    ready: (made) => {
      if (typeof made === 'string') return;
      tellUnsolicited(context, dialog, made);
      sendAlone(context, made);
    },
  });
}

/** Tells an application that a call is over which nobody else takes for one; only the application hears of that BYE. */
export function tellOver(context: AgentContext, dialog: Dialog, reason: string): void {
  prepareDialogRequest(context, dialog, {
    parts: byeParts(`Reason: SIP ;cause=200 ;text="${reason}"\r\n`),
    ready: (made) => {
      if (typeof made !== 'string') tellUnsolicited(context, dialog, made);
    },
  });
}

/** Ends a call of which no application knows. */
export function leave(context: AgentContext, dialog: Dialog): void {
  prepareDialogRequest(context, dialog, {
    parts: byeParts(''),
    ready: (made) => {
      if (typeof made !== 'string') sendAlone(context, made);
    },
  });
}

function byeParts(others: string): DialogRequestParts {
  return {
    method: 'BYE',
    contact: undefined,
    others,
    contentType: undefined,
    body: '',
  };
}

function tellUnsolicited(context: AgentContext, dialog: Dialog, { flow, text }: ReadyRequest): void {
  const meta = context.sent(text.length, flow);
  context.deliver(dialog.app, meta, { transactionId: 'unsolicited', dialogId: dialog.id, text });
}

/** Sends a BYE whose answer nobody waits for. */
function sendAlone(context: AgentContext, { flow, branch, text }: ReadyRequest): void {
  const user = { onResponse: () => undefined, onFailure: () => undefined, acknowledgement: () => '' };
  context.transactions.request({
    branch,
    method: 'BYE',
    flow,
    text,
    user,
  });
}

/** A Request-URI as it may go out, and the header fields that it held, each as a line with its end. */
interface PlainRequestUri {
  readonly requestUri: string;
  readonly lines: string;
}

/**
 * Takes out of a URI what has no place in a Request-URI: the method, and header fields, which become fields of the request. Those that
 * route a request or name a call are left out, since whoever wrote the URI has no say in them. Never throws.
 * @see RFC 3261 sections 19.1.1 table 1 and 19.1.5
 */
export function plainRequestUri(uri: string): PlainRequestUri {
  const question = uri.indexOf('?');
  const hasMethod = /;method=/i.test(uri);
  if ((question < 0 && !hasMethod) || !/^sips?:/i.test(uri)) return { requestUri: uri, lines: '' };
  const bare = question < 0 ? uri : uri.slice(0, question);
  const requestUri = hasMethod ? bare.replace(/;method=[^;]*/gi, '') : bare;
  let lines = '';
  for (const field of question < 0 ? [] : uri.slice(question + 1).split('&')) {
    const equals = field.indexOf('=');
    const name = unescaped(field.slice(0, Math.max(0, equals)));
    const value = unescaped(field.slice(equals + 1));
    if (isFieldOfOthers(name) && !hasControl(value)) lines += `${writtenName(name)}: ${value}\r\n`;
  }
  return { requestUri, lines };
}

/** Fields that are not for a URI to write; `body` stands for the body. */
const OWN: ReadonlySet<string> = new Set(
  (
    'via v route record-route max-forwards from f to t call-id i cseq contact m ' +
    'content-length l content-type c rseq rack body'
  ).split(' '),
);

function isFieldOfOthers(name: string): boolean {
  return /^[\w.!%*+`'~-]{1,64}$/.test(name) && !OWN.has(name.toLowerCase());
}

/** Octets for their escapes. @see RFC 3261 section 25.1, escaped */
function unescaped(text: string): string {
  return text.replace(/%([\dA-Fa-f]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function hasControl(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) if (value.charCodeAt(at) < 0x20) return true;
  return false;
}

/** How long a target may ring without a word, milliseconds: more than three minutes. @see RFC 3261 section 16.6 step 11, timer C */
export const TIMER_C_MS = 185_000;
