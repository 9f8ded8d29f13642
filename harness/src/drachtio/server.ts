import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns';
import type { Server } from 'node:net';
import { HopbackError } from '@hopback/sdk/errors';
import { STEADY_CLOCK } from '@hopback/sdk/internal/runtime';
import { createAgentContext, hostOf, type AgentContext, type AgentSettings } from './agent/agent-context.js';
import { InboundAgent } from './agent/inbound.js';
import { OutboundAgent } from './agent/outbound.js';
import { createAppDirectory } from './control/app-connection.js';
import { createControlServer, type ControlServer } from './control/control-server.js';
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
import { hostPort } from './transport/flow.js';
import type { Endpoint, Flow, TransportFault, TransportName } from './transport/flow.js';
import { openTransports, type ListenAddress, type Transports, type TransportsUser } from './transport/transports.js';

/** The version of drachtio-server whose answers this one gives; applications read from it that they may ping. */
export const COMPATIBLE_VERSION = 'v0.9.10';

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

/** A running server, which drachtio-srf applications connect to. */
export class DrachtioServer implements AsyncDisposable {
  /** Where SIP is spoken, in the order asked for. */
  readonly listening: readonly {
    readonly transport: TransportName;
    readonly host: string;
    readonly port: number;
  }[];
  readonly #options: DrachtioServerOptions;
  readonly #limits: ServerLimits;
  readonly #wire: Wire;
  readonly #context: AgentContext;
  readonly #inbound: InboundAgent;
  readonly #outbound: OutboundAgent;
  readonly #proxy: ProxyAgent;
  readonly #stateless: StatelessProxy;
  #control: ControlServer | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: DrachtioServerOptions, wire: Wire, transports: Transports) {
    const { identifiers } = wire;
    this.#options = options;
    this.#limits = { ...SERVER_LIMITS, ...options.limits };
    this.#wire = wire;
    this.listening = transports.listening.map(({ transport, local, host }) => ({ transport, host, port: local.port }));
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
    const context = createAgentContext({
      transports,
      transactions,
      dialogs,
      identifiers,
      settings: agentSettings(options, wire),
      advertisedHost: options.advertisedHost,
      writesCdrs: options.cdrs ?? false,
      clock: wire.clock,
      apps: createAppDirectory(),
      onRetransmission: wire.counters.countRetransmission,
      send: (flow, text) => wire.transmit(flow, text),
    });
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
    wire.agents = {
      take: (reading, flow) => this.#take(reading, flow),
      lose: (flow) => {
        this.#outbound.onFlowClosed(flow);
        this.#proxy.onFlowClosed(flow);
      },
    };
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
   * await using server = await DrachtioServer.open({ listen: [{ transport: 'ws', host: '127.0.0.1', port: 0 }] });
   * app.connect(server.control);
   * await new Promise((resolve) => app.on('connect', resolve));
   *
   * const address = `ws://127.0.0.1:${server.listening[0]?.port}`;
   * await using phone = await Phone.open({ server: address, number: '12025550101', domain: 'a.example' });
   * const { by, status } = await phone.call('12025550199').ended;
   * console.log(by, status); // remote 486
   * app.disconnect();
   * ```
   */
  static async open(options: DrachtioServerOptions = {}): Promise<DrachtioServer> {
    const { listen = DEFAULT_LISTEN } = options;
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
    const server = new DrachtioServer(options, wire, transports);
    await server.#openControl();
    return server;
  }

  /** What `srf.connect()` takes. */
  get control(): { readonly host: string; readonly port: number; readonly secret: string } {
    const { host = LOOPBACK, secret = SECRET } = this.#options.control ?? {};
    return { host, port: this.#control?.port ?? 0, secret };
  }

  /**
   * Connects to an application of the same process, as a drachtio-server in its outbound mode does, with nothing between the two: it costs less than
   * loopback does. The application gets requests of all methods.
   * @param application - what it has given to `srf.listen({ server })`; it need not listen anywhere
   */
  connectTo(application: Server): void {
    this.#control?.connectTo(application);
  }

  /**
   * `sip:` URI of one of the listeners, without a user part.
   * @throws {@link HopbackError} `invalid-argument` where the server does not listen on the transport
   */
  uri(transport: TransportName = this.listening[0]?.transport ?? 'udp'): string {
    const local = this.#context.transports.localOf(transport);
    if (local === undefined) throw new HopbackError('invalid-argument', `the server does not listen on ${transport}`);
    return this.#context.uriOf({ transport, local });
  }

  /** What was received and sent so far. */
  counters(): MessageCounters {
    return this.#wire.counters.snapshot();
  }

  /** What is in memory because of calls: all zero when every call is over and its timers have run out. */
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

  /**
   * Sees every message that comes or goes.
   * @returns stops it
   */
  tap(tap: MessageTap): () => void {
    return this.#wire.taps.add(tap);
  }

  /** Closes every socket, drops every call without a word, and leaves no timer. A second call waits for the first. */
  close(): Promise<void> {
    return (this.#closing ??= this.#end());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    const { clock, transactions, dialogs, transports } = this.#context;
    this.#wire.agents = undefined;
    await this.#control?.close();
    transactions.close();
    dialogs.clear();
    clock.cancelAll();
    await transports.close();
    clock.cancelAll();
  }

  /** Listens for applications. Where that fails, closes the transports. */
  async #openControl(): Promise<void> {
    const { apps, transports } = this.#context;
    const { host = LOOPBACK, port = 0, secret = SECRET } = this.#options.control ?? {};
    const settings = {
      host,
      port,
      secret,
      apps,
      frameId: this.#wire.identifiers.frameId,
      greeting: () => greeting(this.#options, transports),
      maxBacklogBytes: CUT_OFF_BACKLOGS * this.#limits.maxAppBacklogBytes,
    };
    try {
      this.#control = await createControlServer(settings, {
        onProxy: (app, command) => this.#proxy.proxy(app, command),
        onSip: (app, command) => {
          if (command.text.startsWith('SIP/2.0')) this.#inbound.respond(app, command);
          else this.#outbound.send(app, command);
        },
        onClosed: (app) => {
          // Of applications that a closing server sends away nothing is cleaned up: all of it goes.
          if (this.#closing !== undefined) return;
          this.#inbound.onAppClosed(app);
          this.#outbound.onAppClosed(app);
        },
      });
    } catch (cause) {
      await transports.close();
      throw unusable(cause);
    }
  }

  #take(reading: Reading, flow: Flow): void {
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

  /** Refuses what begins when there are too many calls, or an application does not read, before anything is kept for it. */
  #isOverloaded({ message, essentials }: Received): boolean {
    const { maxPendingInvites, maxAppBacklogBytes } = this.#limits;
    if (essentials.toTag !== '' || message.method === 'ACK' || message.method === 'CANCEL') return false;
    if (message.method === 'INVITE' && this.#inbound.pendingInvites() >= maxPendingInvites) return true;
    return this.#control !== undefined && this.#control.backlogBytes() > maxAppBacklogBytes;
  }
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
  agents: { readonly take: (reading: Reading, flow: Flow) => void; readonly lose: (flow: Flow) => void } | undefined;

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
    return { flow, tag: this.identifiers.tag };
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

function agentSettings(options: DrachtioServerOptions, { timers }: Wire): AgentSettings {
  const { firstResponseHoldMs = FIRST_RESPONSE_HOLD_MS, answerHoldMs = FIRST_RESPONSE_HOLD_MS } = options;
  return {
    timers,
    mtuBytes: options.mtuBytes,
    firstResponseHoldMs,
    answerHoldMs,
    appAnswerMs: options.limits?.appAnswerMs ?? SERVER_LIMITS.appAnswerMs,
    tryingHoldMs: options.tryingHoldMs ?? 0,
  };
}

/** With 5 ms every one of a hundred awaited requests saw its response; one more, since timers count whole milliseconds. */
const FIRST_RESPONSE_HOLD_MS = 6;

const LOOPBACK = '127.0.0.1';
/** In drachtio-server's own configuration. */
const SECRET = 'cymru';
const DEFAULT_LISTEN: readonly ListenAddress[] = [{ transport: 'udp', host: LOOPBACK, port: 0 }];

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
