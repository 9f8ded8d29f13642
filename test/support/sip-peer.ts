import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { DrachtioServer } from '@hopback/harness/drachtio';
import { createInbox } from './drachtio-inbox.js';
import { onMessages, readSip, tagIn, uriIn, writeSip, type SipText } from './drachtio-sip-text.js';

/** Transports that the tests speak. */
export type PeerTransport = 'udp' | 'tcp' | 'ws';
export const TRANSPORTS: readonly PeerTransport[] = ['udp', 'tcp', 'ws'];

/** A message that came, and the way back. */
export interface Came extends SipText {
  readonly reply: (text: string) => void;
}

/** Parts of a response in which it differs from the plain one. */
export interface ReplyParts {
  readonly reason?: string;
  /** To tag where the request has none; default `peer`. Empty for none. */
  readonly tag?: string;
  /** Contact value; default the peer's own for 2xx and reliable responses to INVITE and SUBSCRIBE. Null for none. */
  readonly contact?: string | null;
  /** Further lines. */
  readonly lines?: readonly string[];
  readonly body?: string;
}

/** Parts of a request in which it differs from the plain one. */
export interface RequestParts {
  readonly uri?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly lines?: readonly string[];
  readonly body?: string;
  readonly maxForwards?: number | null;
  /** Contact value; null for none. Default the peer's own for INVITE, SUBSCRIBE, UPDATE, REFER, NOTIFY and REGISTER. */
  readonly contact?: string | null;
  /** In place of the known To tag. */
  readonly toTag?: string;
}

/** Parts of a request that makes no use of a dialog. */
export interface CallParts extends RequestParts {
  readonly callId?: string;
  readonly fromTag?: string;
  /** Value of To, without a tag. */
  readonly to?: string;
  /** Value of From, without a tag. */
  readonly from?: string;
  /** Written in place of the Via of the peer. */
  readonly vias?: readonly string[];
}

export type SipPeer = Awaited<ReturnType<typeof createSipPeer>>;
/** A call seen from the peer, whichever side began it. */
export type PeerCall = ReturnType<typeof callOf>;

let count = 0;
/** A name that nothing else in this run has. */
export function unique(prefix: string): string {
  count += 1;
  return `${prefix}${process.pid}x${count}`;
}

/** A branch that nothing else in this run has. */
export function newBranch(): string {
  return unique('z9hG4bK');
}

interface Wire {
  readonly host: string;
  readonly port: number;
  readonly send: (text: string) => void;
  readonly close: () => Promise<void>;
}

type Heard = (text: string, reply: (text: string) => void) => void;

/** Opens a SIP element that sends only what the test sends. */
export async function createSipPeer(server: DrachtioServer, transport: PeerTransport) {
  const at = server.listening.find((one) => one.transport === transport);
  if (at === undefined) throw new Error(`the server does not listen on ${transport}`);
  const all: Came[] = [];
  // Whether what is missed was sent at all.
  const around = (): string => `; at the server ${JSON.stringify([server.counters(), server.inUse()])}`;
  const inbox = createInbox<Came>(({ startLine }) => startLine, around);
  const onMessage: Heard = (text, reply) => {
    const came = { ...readSip(text), reply };
    all.push(came);
    inbox.push(came);
  };
  const wire = await OPEN[transport](at, onMessage);
  const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
  const isWs = transport === 'ws';
  const uri = `sip:peer@${wire.host}:${wire.port}${parameter}`;
  // A browser knows no address of its own. @see RFC 7118 section 7
  const contact = isWs ? '<sip:peer@df7jal23ls0d.invalid;transport=ws>' : `<${uri}>`;
  const sentBy = isWs ? 'df7jal23ls0d.invalid' : `${wire.host}:${wire.port}`;
  // Nor does it ask for the port that it is seen with.
  const via = (branch: string): string =>
    `SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=${branch}${isWs ? '' : ';rport'}`;
  const base: PeerBase = { contact, via, inbox, send: wire.send, serverUri: server.uri(transport), uri };
  return {
    ...{ transport, host: wire.host, port: wire.port, uri, contact, via, send: wire.send, close: wire.close },
    /** Every message that came, in order. */
    all: all as readonly Came[],
    /** The next message of a kind: a method, a status, or status and method as in `200 BYE`. */
    next: (what: string | number, callId?: string): Promise<Came> =>
      inbox.next(String(what), (came) => isKind(came, what) && isOf(came, callId)),
    untaken: inbox.untaken,
    /** Answers a request over the connection that it came by; returns the text. */
    reply: (request: Came, status: number, parts?: ReplyParts): string => {
      const text = replyTo(request, status, { contact, ...parts });
      request.reply(text);
      return text;
    },
    /** A request without To tag, which may become a dialog. It is sent at once. */
    call: (method: string, parts: CallParts = {}): PeerCall => startCall(base, method, parts),
    /** The dialog that an answered request has made, for requests in the other direction. */
    dialog: (request: Came, tag = 'peer'): PeerCall => dialogOf(base, request, tag),
    [Symbol.asyncDispose]: wire.close,
  };
}

/** A response to a request. */
export function replyTo(request: SipText, status: number, parts: ReplyParts & { readonly contact: string | null }) {
  const { tag = 'peer', lines = [], body = '' } = parts;
  const method = request.value('CSeq').split(' ')[1] ?? '';
  const to = request.value('To');
  const makesDialog = (method === 'INVITE' || method === 'SUBSCRIBE') && status < 300 && status > 100;
  return writeSip(
    `SIP/2.0 ${status} ${parts.reason ?? REASONS[status] ?? 'Whatever'}`,
    [
      ...request.values('Via').map((value) => `Via: ${value}`),
      ...(status < 300 ? request.values('Record-Route').map((value) => `Record-Route: ${value}`) : []),
      `From: ${request.value('From')}`,
      `To: ${to}${status === 100 || tagIn(to) !== '' || tag === '' ? '' : `;tag=${tag}`}`,
      `Call-ID: ${request.value('Call-ID')}`,
      `CSeq: ${request.value('CSeq')}`,
      ...(makesDialog && parts.contact !== null ? [`Contact: ${parts.contact}`] : []),
      ...lines,
      ...(body.startsWith('v=0') ? ['Content-Type: application/sdp'] : []),
    ],
    body,
  );
}

const REASONS: Readonly<Record<number, string>> = {
  ...{ 100: 'Trying', 180: 'Ringing', 183: 'Session Progress', 200: 'OK', 202: 'Accepted', 302: 'Moved Temporarily' },
  ...{ 401: 'Unauthorized', 404: 'Not Found', 407: 'Proxy Authentication Required', 486: 'Busy Here' },
  ...{
    487: 'Request Terminated',
    488: 'Not Acceptable Here',
    489: 'Bad Event',
    503: 'Service Unavailable',
    603: 'Decline',
  },
};
const HAS_CONTACT: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'UPDATE', 'REFER', 'NOTIFY', 'REGISTER']);

interface PeerBase {
  readonly uri: string;
  readonly contact: string;
  readonly via: (branch: string) => string;
  readonly inbox: ReturnType<typeof createInbox<Came>>;
  readonly send: (text: string) => void;
  readonly serverUri: string;
}

function isKind(came: SipText, what: string | number): boolean {
  const method = came.value('CSeq').split(' ')[1];
  const name = String(what);
  return name === came.method || name === String(came.status) || name === `${came.status} ${method}`;
}

function isOf(came: SipText, callId: string | undefined): boolean {
  return callId === undefined || came.value('Call-ID') === callId;
}

interface CallState {
  readonly callId: string;
  readonly from: string;
  readonly to: string;
  readonly localTag: string;
  remoteTag: string;
  remoteTarget: string;
  routes: readonly string[];
  cseq: number;
  /** Number and branch of the first request. */
  readonly firstCseq: number;
  readonly branch: string;
  readonly isCaller: boolean;
}

function startCall(base: PeerBase, method: string, parts: CallParts): PeerCall {
  const uri = parts.uri ?? base.serverUri.replace('sip:', 'sip:app@');
  const branch = parts.branch ?? newBranch();
  const cseq = parts.cseq ?? 1;
  const state: CallState = {
    callId: parts.callId ?? unique('call'),
    from: parts.from ?? '"Peer" <sip:peer@example.com>',
    to: parts.to ?? `<${uri.split(';')[0]}>`,
    localTag: parts.fromTag ?? unique('from'),
    ...{ remoteTag: '', remoteTarget: uri, routes: [], cseq, firstCseq: cseq, branch, isCaller: true },
  };
  const text = requestText(base, state, { ...parts, method, cseq, branch, uri });
  base.send(text);
  return callOf(base, state, text);
}

function dialogOf(base: PeerBase, request: SipText, tag: string): PeerCall {
  const to = request.value('To');
  const state: CallState = {
    callId: request.value('Call-ID'),
    from: to.replace(/;tag=[^;]*/, ''),
    to: request.value('From').replace(/;tag=[^;]*/, ''),
    localTag: tagIn(to) || tag,
    remoteTag: tagIn(request.value('From')),
    remoteTarget: uriIn(request.value('Contact')),
    routes: listOf(request.values('Record-Route')),
    ...{ cseq: 100, firstCseq: Number.parseInt(request.value('CSeq'), 10), branch: '', isCaller: false },
  };
  return callOf(base, state, '');
}

function callOf(base: PeerBase, state: CallState, sent: string) {
  const learn = (came: Came): void => {
    if (!state.isCaller) return;
    state.remoteTag = tagIn(came.value('To')) || state.remoteTag;
    if (came.status >= 300) return;
    if (came.value('Contact') !== '') state.remoteTarget = uriIn(came.value('Contact'));
    const routes = listOf(came.values('Record-Route')).toReversed();
    if (routes.length > 0) state.routes = routes;
  };
  const send = (text: string): string => {
    base.send(text);
    return text;
  };
  const first = readSip(sent);
  /** The next response: status, or status and method. From each the dialog learns tag, target and route set. */
  const response = async (what: string | number): Promise<Came> => {
    const came = await base.inbox.next(
      `${what} in ${state.callId}`,
      (one) => one.status > 0 && isKind(one, what) && isOf(one, state.callId),
    );
    learn(came);
    return came;
  };
  const request = (method: string, parts: RequestParts = {}): string => {
    state.cseq = parts.cseq ?? state.cseq + 1;
    return send(requestText(base, state, { ...parts, method, cseq: state.cseq }));
  };
  /** ACK for the INVITE with this number, by default the first, on a branch of its own. */
  const ack = (parts: RequestParts = {}): string =>
    send(requestText(base, state, { cseq: state.firstCseq, ...parts, method: 'ACK', contact: parts.contact ?? null }));
  return {
    ...{ callId: state.callId, localTag: state.localTag, sent },
    ...{ response, request, ack },
    /** Sends a request within the call, and waits for this response to it, as in `200 BYE`. */
    exchange: (what: `${number} ${string}`, parts?: RequestParts): Promise<Came> => {
      request(what.slice(4), parts);
      return response(what);
    },
    /** Waits for the 200 to the INVITE, and sends its ACK. */
    answered: async (): Promise<void> => {
      await response('200 INVITE');
      ack();
    },
    cancel: (lines: readonly string[] = []): string =>
      send(
        writeSip(`CANCEL ${first.uri} SIP/2.0`, [
          `Via: ${first.value('Via')}`,
          ...['Max-Forwards', 'From', 'To', 'Call-ID'].map((name) => `${name}: ${first.value(name)}`),
          ...first.values('Route').map((value) => `Route: ${value}`),
          `CSeq: ${state.firstCseq} CANCEL`,
          ...lines,
        ]),
      ),
    /** ACK of a final response other than 2xx to the first request. */
    ackFailure: (refusal: SipText): string =>
      send(
        writeSip(`ACK ${first.uri} SIP/2.0`, [
          `Via: ${first.value('Via')}`,
          ...['Max-Forwards', 'From', 'Call-ID'].map((name) => `${name}: ${first.value(name)}`),
          ...first.values('Route').map((value) => `Route: ${value}`),
          `To: ${refusal.value('To')}`,
          `CSeq: ${state.firstCseq} ACK`,
        ]),
      ),
    next: (method: string): Promise<Came> =>
      base.inbox.next(`${method} in ${state.callId}`, (one) => one.method === method && isOf(one, state.callId)),
  };
}

function requestText(
  base: PeerBase,
  state: CallState,
  parts: CallParts & { readonly method: string; readonly cseq: number },
): string {
  const { method, lines = [], body = '', maxForwards = 70 } = parts;
  const toTag = parts.toTag ?? state.remoteTag;
  const contact = parts.contact === undefined ? (HAS_CONTACT.has(method) ? base.contact : null) : parts.contact;
  return writeSip(
    `${method} ${parts.uri ?? state.remoteTarget} SIP/2.0`,
    [
      ...(parts.vias ?? [base.via(parts.branch ?? newBranch())]).map((value) => `Via: ${value}`),
      ...state.routes.map((route) => `Route: ${route}`),
      ...(maxForwards === null ? [] : [`Max-Forwards: ${maxForwards}`]),
      `From: ${state.from};tag=${state.localTag}`,
      `To: ${state.to}${toTag === '' ? '' : `;tag=${toTag}`}`,
      `Call-ID: ${state.callId}`,
      `CSeq: ${parts.cseq} ${method}`,
      ...(contact === null ? [] : [`Contact: ${contact}`]),
      ...lines,
      ...(body.startsWith('v=0') ? ['Content-Type: application/sdp'] : []),
    ],
    body,
  );
}

function listOf(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(/,\s*(?=<)/));
}

type Address = { readonly host: string; readonly port: number };
const HOST = '127.0.0.1';

const OPEN: Readonly<Record<PeerTransport, (server: Address, onMessage: Heard) => Promise<Wire>>> = {
  udp: openUdp,
  tcp: openTcp,
  ws: openWs,
};

async function openUdp(server: Address, onMessage: Heard): Promise<Wire> {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const sendTo = (text: string, port: number): void => {
    socket.send(Buffer.from(text, 'latin1'), port, HOST);
  };
  socket.on('message', (octets, from) => onMessage(octets.toString('latin1'), (text) => sendTo(text, from.port)));
  let isOpen = true;
  return {
    host: HOST,
    port: socket.address().port,
    send: (text) => sendTo(text, server.port),
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      socket.close();
      await once(socket, 'close');
    },
  };
}

async function openTcp(server: Address, onMessage: Heard): Promise<Wire> {
  const sockets = new Set<Socket>();
  const adopt = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    onMessages(socket, (text) => onMessage(text, (answer) => void socket.write(answer, 'latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const listener = createServer(adopt);
  listener.listen(0, HOST);
  await once(listener, 'listening');
  const address = listener.address();
  let toServer: Socket | undefined;
  return {
    host: HOST,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    send: (text) => {
      if (toServer === undefined || toServer.destroyed) toServer = adopt(connect(server.port, HOST));
      toServer.write(text, 'latin1');
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      if (!listener.listening) return;
      listener.close();
      await once(listener, 'close');
    },
  };
}

async function openWs(server: Address, onMessage: Heard): Promise<Wire> {
  const socket = new WebSocket(`ws://${server.host}:${server.port}`, 'sip');
  let port = 0;
  // The server reaches a browser by the connection alone, which it knows by the port that it came from.
  socket.on('upgrade', (response) => {
    port = response.socket.localPort ?? 0;
  });
  await once(socket, 'open');
  socket.on('message', (data: Buffer) =>
    onMessage(data.toString('latin1'), (text) => socket.send(Buffer.from(text, 'latin1'), { binary: false })),
  );
  socket.on('error', () => undefined);
  return {
    host: HOST,
    port,
    send: (text) => socket.send(Buffer.from(text, 'latin1'), { binary: false }),
    close: async () => {
      if (socket.readyState === socket.CLOSED) return;
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}
