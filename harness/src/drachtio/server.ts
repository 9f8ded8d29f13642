import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns';
import type { Server } from 'node:net';
import { HopbackError } from '@hopback/sdk/errors';
import { STEADY_CLOCK } from '@hopback/sdk/internal/runtime';
import { createCdrWriter, type AgentContext } from './agent/agent-context.js';
import { InboundAgent } from './agent/inbound.js';
import { OutboundAgent } from './agent/outbound.js';
import { createAppDirectory, type AppConnection } from './control/app-connection.js';
import type { ProxyCommand, SipCommand } from './control/command.js';
import { createControlServer, type ControlServer, type ControlUser } from './control/control-server.js';
import { createTimeOfDay, messagePayload, responsePayload, type FrameMeta } from './control/frames.js';
import { createDialogStore } from './dialog/dialog-store.js';
import { createIdentifiers, type Identifiers } from './identifiers.js';
import { readEssentials } from './message/essentials.js';
import { MESSAGE_LIMITS, type MessageLimits, type StreamEvent } from './message/parse-message.js';
import { isRequest } from './message/sip-message.js';
import { createCounters, createTaps, type MessageCounters, type MessageTap } from './observe/tap.js';
import { createFlowTokens } from './proxy/forwarding.js';
import { ProxyAgent } from './proxy/proxy-agent.js';
import { createStatelessProxy, type StatelessProxy } from './proxy/stateless-proxy.js';
import { ownResponse, readDatagram, readParsed, refusal } from './received.js';
import type { Arrival, Reading, Received } from './received.js';
import { checkServerOptions, CUT_OFF_BACKLOGS, RETRY_AFTER_SECONDS, SERVER_LIMITS } from './server-options.js';
import type { DrachtioServerOptions, ServerLimits } from './server-options.js';
import { createTimers, type Timers } from './timers.js';
import { createTransactionLayer } from './transaction/transaction-layer.js';
import { TIMER_BASE, type TimerBase } from './transaction/transition.js';
import { CONNECTION_LIMITS } from './transport/connections.js';
import { bracketed, hostPort } from './transport/flow.js';
import type { Endpoint, Flow, TransportFault, TransportName } from './transport/flow.js';
import { openTransports, type ListenAddress, type Transports, type TransportsUser } from './transport/transports.js';

/** The version of drachtio-server whose answers this one gives; applications read from it that they may ping. */
export const COMPATIBLE_VERSION = 'v0.9.10';

/** A running server. */
export interface DrachtioServer extends AsyncDisposable {
  /** What `srf.connect()` takes. */
  readonly control: {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
  };
  /**
   * Connects to an application of the same process, as a drachtio-server in its outbound mode does, with nothing between the two: it costs less than
   * loopback does. The application gets requests of all methods.
   * @param application - what it has given to `srf.listen({ server })`; it need not listen anywhere
   */
  readonly connectTo: (application: Server) => void;
  /** Where SIP is spoken, in the order asked for. */
  readonly listening: readonly {
    readonly transport: TransportName;
    readonly host: string;
    readonly port: number;
  }[];
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
  const listen = options.listen ?? DEFAULT_LISTEN;
  checkServerOptions(options, listen);
  const wire = new Wire(options);
  const transports = await openTransports(
    {
      listen,
      clock: wire.clock,
      messageLimits: wire.messageLimits,
      lookup: options.lookup ?? lookup,
      connectionLimits: { ...CONNECTION_LIMITS, ...options.connectionLimits },
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    },
    wire,
  ).catch((cause: unknown) => {
    throw unusable(cause);
  });
  const secret = options.control?.secret ?? 'cymru';
  const agents = new Agents(options, wire, transports);
  const control = await agents.openControl(secret);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= agents.close(control));
  return {
    control: { host: control.host, port: control.port, secret },
    connectTo: control.connectTo,
    listening: transports.listening.map(({ transport, local, host }) => ({ transport, host, port: local.port })),
    uri: (transport = listen[0]?.transport ?? 'udp') => {
      const local = transports.localOf(transport);
      if (local === undefined) throw new HopbackError('invalid-argument', `the server does not listen on ${transport}`);
      return `sip:${hostOf(options, local)}:${local.port}${TRANSPORT_PARAMETER[transport]}`;
    },
    counters: wire.counters.snapshot,
    inUse: () => agents.inUse(),
    tap: wire.taps.add,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Reads, counts and shows the messages of a server. */
class Wire implements TransportsUser {
  readonly clock: Timers;
  readonly identifiers: Identifiers;
  readonly timers: TimerBase;
  readonly messageLimits: MessageLimits;
  readonly counters = createCounters();
  readonly taps = createTaps();
  /** Undefined before the agents exist and after the server begins to close. Messages that come in then are dropped. */
  agents: Pick<Agents, 'take' | 'lose'> | undefined;

  constructor(options: DrachtioServerOptions) {
    this.clock = createTimers(options.clock ?? STEADY_CLOCK);
    this.identifiers = createIdentifiers(options.randomUuid ?? randomUUID);
    this.timers = { ...TIMER_BASE, ...options.timers };
    this.messageLimits = {
      ...MESSAGE_LIMITS,
      maxHeaderBytes: options.limits?.maxHeaderBytes ?? SERVER_LIMITS.maxHeaderBytes,
    };
    if (options.onMessage !== undefined) this.taps.add(options.onMessage);
  }

  transmit(flow: Flow, text: string, onError?: () => void): void {
    this.counters.countSent(text);
    this.#show('out', text, flow);
    flow.send(text, onError);
  }

  onMessage(text: string, flow: Flow): void {
    this.#show('in', text, flow);
    this.agents?.take(readDatagram(text, this.#arrival(flow), this.messageLimits), flow);
  }

  onStreamEvent(event: StreamEvent, flow: Flow): void {
    if (event.kind === 'ping') return;
    if (event.kind === 'message') {
      this.#show('in', event.parsed.message.text, flow);
      this.agents?.take(readParsed(event.parsed, this.#arrival(flow)), flow);
      return;
    }
    const { message, fault } = event;
    const read = message === undefined ? undefined : readEssentials(message);
    const via = read === undefined ? undefined : read.status === 'read' ? read.essentials.via : read.via;
    if (message === undefined || via === undefined) return;
    const status = fault === 'message-too-large' ? 413 : 400;
    const response = refusal(message, { via, status, arrival: this.#arrival(flow) });
    if (response !== undefined) this.transmit(flow, response);
  }

  onFault(fault: TransportFault): void {
    this.counters.countFault(fault);
  }

  onClosed(flow: Flow): void {
    this.agents?.lose(flow);
  }

  #arrival(flow: Flow): Arrival {
    return { flow, atMs: this.clock.nowMs(), tag: this.identifiers.tag };
  }

  #show(direction: 'in' | 'out', text: string, flow: Flow): void {
    if (this.taps.isEmpty()) return;
    const { transport, local, remote } = flow;
    this.taps.show({
      direction,
      transport,
      local,
      remote,
      atMs: this.clock.nowMs(),
      text,
    });
  }
}

/** The agents of a server, between its sockets and its applications. */
class Agents implements ControlUser {
  readonly #options: DrachtioServerOptions;
  readonly #limits: ServerLimits;
  readonly #wire: Wire;
  readonly #context: AgentContext;
  readonly #inbound: InboundAgent;
  readonly #outbound: OutboundAgent;
  readonly #proxy: ProxyAgent;
  readonly #stateless: StatelessProxy;
  #control: ControlServer | undefined;
  #isClosing = false;

  constructor(options: DrachtioServerOptions, wire: Wire, transports: Transports) {
    const { identifiers } = wire;
    this.#options = options;
    this.#limits = { ...SERVER_LIMITS, ...options.limits };
    this.#wire = wire;
    const apps = createAppDirectory();
    const transactions = createTransactionLayer(
      {
        timers: wire.clock,
        base: wire.timers,
        responseFlow,
        onRetransmission: wire.counters.countRetransmission,
        send: (flow, text, onError) => wire.transmit(flow, text, onError),
      },
      {
        onRequest: (received, transaction) => this.#inbound.onRequest(received, transaction),
        onCancel: (received, transaction, invite) => this.#inbound.onCancel(received, transaction, invite),
        onAck: (received) => this.#inbound.onAck(received),
        onStrayResponse: (received) => void this.#stateless.takesResponse(received),
      },
    );
    const dialogs = createDialogStore((dialog) => {
      this.#inbound.onDialogRemoved(dialog);
      this.#outbound.onDialogRemoved(dialog);
    });
    const context = agentContext(options, wire, { transports, transactions, dialogs, apps });
    const tokens = createFlowTokens(identifiers.callId());
    this.#context = context;
    this.#inbound = new InboundAgent(context, (invite, cancel) => this.#proxy.cancel(invite, cancel));
    this.#outbound = new OutboundAgent(context);
    this.#proxy = new ProxyAgent(context, { inbound: this.#inbound, tokens });
    this.#stateless = createStatelessProxy(context, {
      secret: identifiers.callId(),
      dialogs,
      tokens,
      respond: (received, text) => wire.transmit(responseFlow(received), text),
    });
    wire.agents = this;
  }

  /** Listens for applications. Where that fails, closes the transports. */
  async openControl(secret: string): Promise<ControlServer> {
    const { host = LOOPBACK, port = 0 } = this.#options.control ?? {};
    const options = {
      host,
      port,
      secret,
      apps: this.#context.apps,
      frameId: this.#wire.identifiers.frameId,
      greeting: () => greeting(this.#options, this.#context.transports),
      maxBacklogBytes: CUT_OFF_BACKLOGS * this.#limits.maxAppBacklogBytes,
    };
    try {
      this.#control = await createControlServer(options, this);
      return this.#control;
    } catch (cause) {
      await this.#context.transports.close();
      throw unusable(cause);
    }
  }

  take(reading: Reading, flow: Flow): void {
    const { counters } = this.#wire;
    const { transactions, identifiers } = this.#context;
    if (reading.status === 'nothing') return;
    if (reading.status === 'refused') {
      counters.countFault(reading.fault);
      if (reading.response !== undefined) this.#wire.transmit(flow, reading.response);
      return;
    }
    const { received } = reading;
    if (!isRequest(received.message)) {
      counters.countReceived(String(received.message.status));
      transactions.receiveResponse(received);
      return;
    }
    counters.countReceived(received.message.method);
    if (this.#stateless.takesRequest(received)) return;
    if (this.#isOverloaded(received) && !transactions.isKnown(received)) {
      counters.countOverload();
      const others = `Retry-After: ${RETRY_AFTER_SECONDS}\r\n`;
      const text = ownResponse(received, { status: 503, toTag: identifiers.tag(), others });
      this.#wire.transmit(responseFlow(received), text);
    } else transactions.receiveRequest(received);
  }

  lose(flow: Flow): void {
    this.#outbound.onFlowClosed(flow);
    this.#proxy.onFlowClosed(flow);
  }

  onSip(app: AppConnection, command: SipCommand): void {
    if (command.text.startsWith('SIP/2.0')) this.#inbound.respond(app, command);
    else this.#outbound.send(app, command);
  }

  onProxy(app: AppConnection, command: ProxyCommand): void {
    this.#proxy.proxy(app, command);
  }

  onClosed(app: AppConnection): void {
    // Of applications that a closing server sends away nothing is cleaned up: all of it goes.
    if (this.#isClosing) return;
    this.#inbound.onAppClosed(app);
    this.#outbound.onAppClosed(app);
  }

  inUse(): InUse {
    const { clock, transactions, dialogs, transports, apps } = this.#context;
    const { server, client } = transactions.counts();
    return {
      serverTransactions: server,
      clientTransactions: client,
      dialogs: dialogs.size(),
      ...this.#inbound.counts(),
      ...this.#outbound.counts(),
      proxied: this.#proxy.count(),
      timers: clock.pendingTimers(),
      connections: transports.connectionCount(),
      applications: apps.all().length,
    };
  }

  async close(control: ControlServer): Promise<void> {
    const { clock, transactions, dialogs, transports } = this.#context;
    this.#isClosing = true;
    this.#wire.agents = undefined;
    await control.close();
    transactions.close();
    dialogs.clear();
    clock.cancelAll();
    await transports.close();
    clock.cancelAll();
  }

  /** Refuses what begins when there are too many calls, or an application does not read, before anything is kept for it. */
  #isOverloaded({ message, essentials }: Received): boolean {
    const { maxPendingInvites, maxAppBacklogBytes } = this.#limits;
    if (essentials.toTag !== '' || message.method === 'ACK' || message.method === 'CANCEL') return false;
    if (message.method === 'INVITE' && this.#inbound.pendingInvites() >= maxPendingInvites) return true;
    return this.#control !== undefined && this.#control.backlogBytes() > maxAppBacklogBytes;
  }
}

function agentContext(
  options: DrachtioServerOptions,
  wire: Wire,
  parts: Pick<AgentContext, 'apps' | 'dialogs' | 'transactions' | 'transports'>,
): AgentContext {
  const { advertisedHost, cdrs = false, firstResponseHoldMs = FIRST_RESPONSE_HOLD_MS } = options;
  const { clock, identifiers, timers, counters } = wire;
  const { apps, transports } = parts;
  const timeOfDay = createTimeOfDay();
  const time = (): string => timeOfDay(clock.nowMs());
  const meta = (source: FrameMeta['source'], bytes: number, flow: Flow): FrameMeta => ({
    source,
    bytes,
    protocol: PROTOCOL[flow.transport],
    remote: flow.remote,
    time: time(),
  });
  return {
    ...parts,
    clock,
    identifiers,
    onRetransmission: counters.countRetransmission,
    settings: {
      timers,
      mtuBytes: options.mtuBytes,
      firstResponseHoldMs,
      appAnswerMs: options.limits?.appAnswerMs ?? SERVER_LIMITS.appAnswerMs,
      tryingHoldMs: options.tryingHoldMs ?? 0,
      answerHoldMs: options.answerHoldMs ?? FIRST_RESPONSE_HOLD_MS,
    },
    cdr: createCdrWriter({ isOn: cdrs, apps, frameId: identifiers.frameId, timeOfDay: time }),
    send: (flow, text) => wire.transmit(flow, text),
    isLocal: (host, port, transport) =>
      transports.isLocal(host, port, transport) ||
      (host === advertisedHost &&
        transports.listening.some(({ local }) => transports.isLocal(local.address, port, transport))),
    viaOf: ({ transport, local }, branch) =>
      `SIP/2.0/${transport.toUpperCase()} ${hostOf(options, local)}:${local.port};rport;branch=${branch}`,
    namesOf: ({ transport, local: { address, port } }) => ({ transport, address: advertisedHost ?? address, port }),
    contactOf: ({ transport, local }) =>
      `<sip:${hostOf(options, local)}:${local.port}${TRANSPORT_PARAMETER[transport]}>`,
    received: (bytes, flow, _atMs) => meta('network', bytes, flow),
    sent: (bytes, flow) => meta('application', bytes, flow),
    answer: (app, messageId, rest) => app.send(responsePayload(identifiers.frameId(), messageId, rest)),
    deliver: (app, frameMeta, message) => {
      if (app.isOpen()) app.send(messagePayload(identifiers.frameId(), frameMeta, message));
    },
  };
}

function hostOf({ advertisedHost }: DrachtioServerOptions, { address }: Endpoint): string {
  return advertisedHost ?? bracketed(address);
}

const LOOPBACK = '127.0.0.1';
const DEFAULT_LISTEN: readonly ListenAddress[] = [{ transport: 'udp', host: LOOPBACK, port: 0 }];

/** With 5 ms every one of a hundred awaited requests saw its response; one more, since timers count whole milliseconds. */
const FIRST_RESPONSE_HOLD_MS = 6;

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

/** @see RFC 3261 section 18.2.2, RFC 3581 section 4 */
function responseFlow({ essentials, flow }: Received): Flow {
  if (flow.isReliable || essentials.via.via.rportEnd >= 0) return flow;
  const port = essentials.via.via.port === 0 ? 5_060 : essentials.via.via.port;
  if (port === flow.remote.port) return flow;
  return flow.atPort?.(port) ?? flow;
}

function greeting(options: DrachtioServerOptions, { listening }: Transports): string {
  const list = (at: (local: Endpoint) => string): string =>
    listening.map(({ transport, local }) => `${transport}/${at(local)}`).join(',');
  const advertised = list((local) => `${hostOf(options, local)}:${local.port}`);
  return `${advertised}|${COMPATIBLE_VERSION}|${list(hostPort)}`;
}

function unusable(cause: unknown): HopbackError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HopbackError('invalid-configuration', `the server cannot listen: ${why}`, { cause });
}
