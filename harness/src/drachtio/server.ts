import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns';
import type { Server } from 'node:net';
import { HopbackError } from '@hopback/sdk/errors';
import { createCdrWriter } from './agent/agent-context.js';
import { ownResponse } from './received.js';
import type { AgentContext } from './agent/agent-context.js';
import { createInboundAgent } from './agent/inbound.js';
import { createOutboundAgent } from './agent/outbound.js';
import { STEADY_CLOCK } from '@hopback/sdk/internal';
import type { AppConnection } from './control/app-connection.js';
import { createAppDirectory } from './control/app-connection.js';
import { createControlServer, type ControlServer } from './control/control-server.js';
import { createTimeOfDay, messagePayload, responsePayload, type FrameMeta } from './control/frames.js';
import { createDialogStore } from './dialog/dialog-store.js';
import { createIdentifiers } from './identifiers.js';
import type { MessageCounters, MessageTap } from './observe/tap.js';
import { createCounters, createTaps } from './observe/tap.js';
import { createFlowTokens } from './proxy/forwarding.js';
import { createProxyAgent } from './proxy/proxy-agent.js';
import { createStatelessProxy } from './proxy/stateless-proxy.js';
import { readDatagram, readParsed, refusal } from './received.js';
import type { Reading, Received } from './received.js';
import { isRequest } from './message/sip-message.js';
import { readEssentials } from './message/essentials.js';
import { MESSAGE_LIMITS } from './message/parse-message.js';
import {
  checkServerOptions,
  CUT_OFF_BACKLOGS,
  RETRY_AFTER_SECONDS,
  SERVER_LIMITS,
  type DrachtioServerOptions,
} from './server-options.js';
import { createTimers } from './timers.js';
import { createTransactionLayer } from './transaction/transaction-layer.js';
import { TIMER_BASE } from './transaction/transition.js';
import { CONNECTION_LIMITS } from './transport/connections.js';
import { bracketed, hostPort, type Endpoint, type Flow, type TransportName } from './transport/flow.js';
import { openTransports, type ListenAddress, type Transports, type TransportsUser } from './transport/transports.js';

/** The version of drachtio-server whose answers this one gives; applications read from it that they may ping. */
export const COMPATIBLE_VERSION = 'v0.9.10';

/** A running server. */
export interface DrachtioServer extends AsyncDisposable {
  /** What `srf.connect()` takes. */
  readonly control: { readonly host: string; readonly port: number; readonly secret: string };
  /**
   * Connects to an application of the same process, as a drachtio-server in its outbound mode does, with nothing between the two: it costs less than
   * loopback does. The application gets requests of all methods.
   * @param application - what it has given to `srf.listen({ server })`; it need not listen anywhere
   */
  readonly connectTo: (application: Server) => void;
  /** Where SIP is spoken, in the order asked for. */
  readonly listening: readonly { readonly transport: TransportName; readonly host: string; readonly port: number }[];
  /**
   * `sip:` URI of one of the listeners, without a user part.
   * @throws {@link HopbackError} `invalid-argument` where the server does not listen on the transport
   */
  readonly uri: (transport?: TransportName) => string;
  /** What was received and sent so far. */
  readonly counters: () => MessageCounters;
  /** What is in memory because of calls: all zero when every call is over and its timers have run out. */
  readonly inUse: () => InUse;
  /**
   * Sees every message that comes or goes.
   * @returns stops it
   */
  readonly tap: (tap: MessageTap) => () => void;
  /** Closes every socket, drops every call without a word, and leaves no timer. A second call waits for the first. */
  readonly close: () => Promise<void>;
}

/** What a server holds for calls, and for peers. */
export interface InUse {
  readonly serverTransactions: number;
  readonly clientTransactions: number;
  readonly dialogs: number;
  /** Requests that applications have not answered; INVITEs among them. */
  readonly pendingRequests: number;
  readonly pendingInvites: number;
  /** Calls whose ACK has not come. */
  readonly unacknowledged: number;
  /** Requests of applications that have no final response. */
  readonly outgoing: number;
  /** Calls whose 2xx came, and whose ACK the application has not sent. */
  readonly owedAcknowledgements: number;
  /** Requests that are being proxied for applications. */
  readonly proxied: number;
  readonly timers: number;
  readonly connections: number;
  readonly applications: number;
}

/**
 * Starts a server that drachtio-srf applications connect to, and that speaks SIP for them. It listens on loopback unless told
 * otherwise, and it is an instrument for tests: nothing here promises to carry other people's calls. What peers and applications
 * send never makes it throw.
 * @param options - where to listen, limits and timers; default one UDP socket and one for applications, both on free ports of 127.0.0.1
 * @returns the server, listening; close it, or take it with `await using`
 * @throws {@link HopbackError} `invalid-configuration` when an address cannot be bound (with the system's error as its cause) or a
 * setting makes no sense
 * @see RFC 3261, RFC 6026, RFC 3262, RFC 3311, RFC 6665, RFC 7118
 * @example
 * ```ts
 * import Srf from 'drachtio-srf';
 *
 * // An application that is busy.
 * const app = new Srf();
 * app.invite((_request, response) => response.send(486));
 *
 * await using server = await createDrachtioServer({ listen: [{ transport: 'ws', host: '127.0.0.1', port: 0 }] });
 * app.connect(server.control);
 * await new Promise((resolve) => app.on('connect', resolve));
 *
 * const address = `ws://127.0.0.1:${server.listening[0]?.port}`;
 * await using phone = await createPhone({ server: address, number: '12025550101', domain: 'a.example' });
 * const { by, status } = await phone.call('12025550199').ended;
 * console.log(by, status); // remote 486
 * app.disconnect();
 * ```
 */
export async function createDrachtioServer(options: DrachtioServerOptions = {}): Promise<DrachtioServer> {
  const clock = createTimers(options.clock ?? STEADY_CLOCK);
  const identifiers = createIdentifiers(options.randomUuid ?? randomUUID);
  const limits = { ...SERVER_LIMITS, ...options.limits };
  const messageLimits = { ...MESSAGE_LIMITS, maxHeaderBytes: limits.maxHeaderBytes };
  const timers = { ...TIMER_BASE, ...options.timers };
  const counters = createCounters();
  const taps = createTaps();
  if (options.onMessage !== undefined) taps.add(options.onMessage);
  const apps = createAppDirectory();
  const timeOfDay = createTimeOfDay();
  const secret = options.control?.secret ?? 'cymru';

  const show = (direction: 'in' | 'out', text: string, flow: Flow): void => {
    if (taps.isEmpty()) return;
    const { transport, local, remote } = flow;
    taps.show({ direction, transport, local, remote, atMs: clock.nowMs(), text });
  };
  const transmit = (flow: Flow, text: string, onError?: () => void): void => {
    counters.countSent(text);
    show('out', text, flow);
    flow.send(text, onError);
  };

  // Sockets may hear before everything behind them is made: until then nobody is there to take a call.
  let take: (reading: Reading, flow: Flow) => void = () => undefined;
  let lose: (flow: Flow) => void = () => undefined;
  const arrival = (flow: Flow): Parameters<typeof readDatagram>[1] => ({
    flow,
    atMs: clock.nowMs(),
    tag: identifiers.tag,
  });
  const user: TransportsUser = {
    onMessage: (text, flow) => {
      show('in', text, flow);
      take(readDatagram(text, arrival(flow), messageLimits), flow);
    },
    onStreamEvent: (event, flow) => {
      if (event.kind === 'ping') return;
      if (event.kind === 'message') {
        show('in', event.parsed.message.text, flow);
        take(readParsed(event.parsed, arrival(flow)), flow);
        return;
      }
      const { message, fault } = event;
      const read = message === undefined ? undefined : readEssentials(message);
      const via = read === undefined ? undefined : read.status === 'read' ? read.essentials.via : read.via;
      if (message === undefined || via === undefined) return;
      const status = fault === 'message-too-large' ? 413 : 400;
      const response = refusal(message, { via, status, arrival: arrival(flow) });
      if (response !== undefined) transmit(flow, response);
    },
    onFault: (fault) => counters.countFault(fault),
    onClosed: (flow) => lose(flow),
  };
  const listen = options.listen ?? DEFAULT_LISTEN;
  checkServerOptions(options, listen);
  const transports = await openTransports(
    {
      ...{ listen, clock, messageLimits, lookup: options.lookup ?? lookup },
      ...{ connectionLimits: { ...CONNECTION_LIMITS, ...options.connectionLimits } },
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    },
    user,
  ).catch((cause: unknown) => {
    throw unusable(cause);
  });

  const hostOf = (local: Endpoint): string => options.advertisedHost ?? bracketed(local.address);
  const meta = (source: FrameMeta['source'], bytes: number, flow: Flow): FrameMeta => ({
    source,
    bytes,
    protocol: PROTOCOL[flow.transport],
    remote: flow.remote,
    time: timeOfDay(clock.nowMs()),
  });
  const transactions = createTransactionLayer(
    {
      ...{ timers: clock, base: timers, onRetransmission: counters.countRetransmission },
      send: (flow, text, onError) => transmit(flow, text, onError),
      responseFlow,
    },
    {
      onRequest: (received, transaction) => inbound.onRequest(received, transaction),
      onCancel: (received, transaction, invite) => inbound.onCancel(received, transaction, invite),
      onAck: (received) => inbound.onAck(received),
      onStrayResponse: (received) => void stateless.takesResponse(received),
    },
  );
  const dialogs = createDialogStore((dialog) => {
    inbound.onDialogRemoved(dialog);
    outbound.onDialogRemoved(dialog);
  });
  const context: AgentContext = {
    ...{ clock, identifiers, transactions, transports, dialogs, apps },
    settings: {
      ...{ timers, appAnswerMs: limits.appAnswerMs, mtuBytes: options.mtuBytes },
      tryingHoldMs: options.tryingHoldMs ?? 0,
      firstResponseHoldMs: options.firstResponseHoldMs ?? FIRST_RESPONSE_HOLD_MS,
      answerHoldMs: options.answerHoldMs ?? FIRST_RESPONSE_HOLD_MS,
    },
    cdr: createCdrWriter({
      ...{ isOn: options.cdrs ?? false, apps, frameId: identifiers.frameId },
      timeOfDay: () => timeOfDay(clock.nowMs()),
    }),
    send: (flow, text) => transmit(flow, text),
    isLocal: (host, port, transport) =>
      transports.isLocal(host, port, transport) ||
      (host === options.advertisedHost &&
        transports.listening.some(({ local }) => transports.isLocal(local.address, port, transport))),
    viaOf: (flow, branch) =>
      `SIP/2.0/${flow.transport.toUpperCase()} ${hostOf(flow.local)}:${flow.local.port};rport;branch=${branch}`,
    namesOf: ({ transport, local: { address, port } }) => ({
      transport,
      address: options.advertisedHost ?? address,
      port,
    }),
    contactOf: (flow) => `<sip:${hostOf(flow.local)}:${flow.local.port}${TRANSPORT_PARAMETER[flow.transport]}>`,
    received: (bytes, flow, _atMs) => meta('network', bytes, flow),
    sent: (bytes, flow) => meta('application', bytes, flow),
    answer: (app, messageId, rest) => app.send(responsePayload(identifiers.frameId(), messageId, rest)),
    deliver: (app, frameMeta, message) => {
      if (app.isOpen()) app.send(messagePayload(identifiers.frameId(), frameMeta, message));
    },
    onRetransmission: counters.countRetransmission,
  };
  const tokens = createFlowTokens(identifiers.callId());
  const inbound = createInboundAgent(context, (invite, cancel) => proxy.cancel(invite, cancel));
  const outbound = createOutboundAgent(context);
  const proxy = createProxyAgent(context, { inbound, tokens });
  lose = (flow) => {
    outbound.onFlowClosed(flow);
    proxy.onFlowClosed(flow);
  };
  const stateless = createStatelessProxy(context, {
    ...{ secret: identifiers.callId(), dialogs, tokens },
    respond: (received, text) => transmit(responseFlow(received), text),
  });

  /** Refuses what begins when there are too many calls, or an application does not read, before anything is kept for it. */
  const isOverloaded = ({ message, essentials }: Received): boolean => {
    if (essentials.toTag !== '' || message.method === 'ACK' || message.method === 'CANCEL') return false;
    if (message.method === 'INVITE' && inbound.pendingInvites() >= limits.maxPendingInvites) return true;
    return control.backlogBytes() > limits.maxAppBacklogBytes;
  };
  take = (reading, flow) => {
    if (reading.status === 'nothing') return;
    if (reading.status === 'refused') {
      counters.countFault(reading.fault);
      if (reading.response !== undefined) transmit(flow, reading.response);
      return;
    }
    const { received } = reading;
    if (!isRequest(received.message)) {
      counters.countReceived(String(received.message.status));
      transactions.receiveResponse(received);
      return;
    }
    counters.countReceived(received.message.method);
    if (stateless.takesRequest(received)) return;
    if (isOverloaded(received) && !transactions.isKnown(received)) {
      counters.countOverload();
      const others = `Retry-After: ${RETRY_AFTER_SECONDS}\r\n`;
      transmit(responseFlow(received), ownResponse(received, { status: 503, toTag: identifiers.tag(), others }));
    } else transactions.receiveRequest(received);
  };

  // Of applications that a closing server sends away nothing is cleaned up: all of it goes.
  let forgetApp = (app: AppConnection): void => {
    inbound.onAppClosed(app);
    outbound.onAppClosed(app);
  };
  let control: ControlServer;
  try {
    control = await createControlServer(
      {
        ...{ host: options.control?.host ?? LOOPBACK, port: options.control?.port ?? 0, secret, apps },
        greeting: () => greeting(transports, hostOf),
        frameId: identifiers.frameId,
        maxBacklogBytes: CUT_OFF_BACKLOGS * limits.maxAppBacklogBytes,
      },
      {
        onSip: (app, command) => {
          if (command.text.startsWith('SIP/2.0')) inbound.respond(app, command);
          else outbound.send(app, command);
        },
        onProxy: (app, command) => proxy.proxy(app, command),
        onClosed: (app) => forgetApp(app),
      },
    );
  } catch (cause) {
    await transports.close();
    throw unusable(cause);
  }

  const closeAll = async (): Promise<void> => {
    take = () => undefined;
    lose = () => undefined;
    forgetApp = () => undefined;
    await control.close();
    transactions.close();
    dialogs.clear();
    clock.cancelAll();
    await transports.close();
    clock.cancelAll();
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeAll());
  return {
    control: { host: control.host, port: control.port, secret },
    connectTo: control.connectTo,
    listening: transports.listening.map(({ transport, local, host }) => ({ transport, host, port: local.port })),
    uri: (transport = listen[0]?.transport ?? 'udp') => {
      const local = transports.localOf(transport);
      if (local === undefined) throw new HopbackError('invalid-argument', `the server does not listen on ${transport}`);
      return `sip:${hostOf(local)}:${local.port}${TRANSPORT_PARAMETER[transport]}`;
    },
    counters: counters.snapshot,
    inUse: () => {
      const { server, client } = transactions.counts();
      return {
        ...{ serverTransactions: server, clientTransactions: client, dialogs: dialogs.size(), ...inbound.counts() },
        ...{ ...outbound.counts(), proxied: proxy.count(), timers: clock.pendingTimers() },
        ...{ connections: transports.connectionCount(), applications: apps.all().length },
      };
    },
    tap: taps.add,
    close,
    [Symbol.asyncDispose]: close,
  };
}

const LOOPBACK = '127.0.0.1';
const DEFAULT_LISTEN: readonly ListenAddress[] = [{ transport: 'udp', host: LOOPBACK, port: 0 }];

/** With 5 ms every one of a hundred awaited requests saw its response; one more, since timers count whole milliseconds. */
const FIRST_RESPONSE_HOLD_MS = 6;

/** How frames name transports; drachtio-server has no word of its own for WebSockets. */
const PROTOCOL: Readonly<Record<TransportName, string>> = { udp: 'udp', tcp: 'tcp', tls: 'tls', ws: 'tcp', wss: 'tls' };

const TRANSPORT_PARAMETER: Readonly<Record<TransportName, string>> = {
  udp: '',
  tcp: ';transport=tcp',
  tls: ';transport=tls',
  ws: ';transport=ws',
  wss: ';transport=wss',
};

/** @see RFC 3261 section 18.2.2, RFC 3581 section 4 */
function responseFlow({ essentials, flow }: Received): Flow {
  if (flow.isReliable || essentials.via.via.rportEnd >= 0) return flow;
  const port = essentials.via.via.port === 0 ? 5_060 : essentials.via.via.port;
  if (port === flow.remote.port) return flow;
  return flow.atPort?.(port) ?? flow;
}

function greeting(transports: Transports, hostOf: (local: Endpoint) => string): string {
  const list = (at: (local: Endpoint) => string): string =>
    transports.listening.map(({ transport, local }) => `${transport}/${at(local)}`).join(',');
  const advertised = list((local) => `${hostOf(local)}:${local.port}`);
  return `${advertised}|${COMPATIBLE_VERSION}|${list(hostPort)}`;
}

function unusable(cause: unknown): HopbackError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HopbackError('invalid-configuration', `the server cannot listen: ${why}`, { cause });
}
