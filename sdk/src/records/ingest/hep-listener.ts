import { createSocket } from 'node:dgram';
import type { Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIP } from 'node:net';
import type { Server, Socket } from 'node:net';
import { everyInBackground } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { ipAddress } from './hep-reader.js';
import type { HepReader } from './hep-reader.js';
import { hepStream } from './hep-packet.js';
import type { RowReading } from './record-reader.js';

/** Where a listener listens. */
export interface HepEndpointOptions {
  /** Address of this machine, of IPv4 or IPv6. */
  readonly host: string;
  /** 0 takes one that is free; 9060 is usual. */
  readonly port: number;
}

/** How captured signalling is taken in. */
export interface HepListenerOptions {
  /** UDP socket; none where it is left out. */
  readonly udp?: HepEndpointOptions;
  /** TCP server; none where it is left out. */
  readonly tcp?: HepEndpointOptions;
  /** Assembles calls of the packets. */
  readonly reader: HepReader;
  /** Is given what packets and time bring, in their order. It must not throw. */
  readonly onReadings: (readings: readonly RowReading[]) => void;
  /**
   * Addresses of the agents; packets and connections of others are refused. HEP has no signature: where anybody can send to the port
   * and no agents are named, anybody can write call records. Default all, for ports that only agents reach.
   */
  readonly agents?: readonly string[];
  /** Connections at a time. Default {@link MAX_HEP_CONNECTIONS}. */
  readonly maxConnections?: number;
  /** How long a connection may be silent. Default {@link HEP_IDLE_TIMEOUT_MS}. */
  readonly idleTimeoutMs?: number;
  /** How old a call may become that never ends. Default {@link MAX_HEP_CALL_AGE_MS}. */
  readonly maxCallAgeMs?: number;
}

/** A carrier has some dozens of proxies; each holds one or two connections. */
const MAX_HEP_CONNECTIONS = 256;
/** Agents send all the time; two minutes of silence is a peer that went away without a word. */
const HEP_IDLE_TIMEOUT_MS = 120_000;
/** Longer calls than a day are nobody's any more: their BYE was lost. */
const MAX_HEP_CALL_AGE_MS = 86_400_000;
/** How often calls that are over are looked for, which are few. */
const SWEEP_MS = 1_000;
/** How often calls that are too old are looked for, among all. */
const EXPIRY_MS = 60_000;
/** What the system holds of a burst of UDP before packets are lost: 4 MiB are 5,000 messages. */
const RECEIVE_BUFFER_BYTES = 4 * 1_024 * 1_024;

/** Takes captured signalling in. */
export type HepListener = Awaited<ReturnType<typeof createHepListener>>;

/**
 * Listens for HEP3 over UDP and TCP and hands packets to a reader. Sizes and connections are bounded, what is refused is counted, and
 * nothing that a peer sends throws.
 * @param options - where to listen, agents, reader, and bounds: connections by number, silence and age of calls in milliseconds
 * @returns the listener, which has begun; to be closed
 * @throws {@link HopbackError} `invalid-configuration` when neither UDP nor TCP is asked for or an agent is not an address; `unavailable` when
 * an address cannot be bound
 * @see HEPv3
 */
export async function createHepListener(options: HepListenerOptions) {
  const state: ListenerState = {
    options,
    agents: agentsOf(options.agents),
    counters: { ...NONE_YET },
    connections: new Set(),
  };
  if (options.udp === undefined && options.tcp === undefined) {
    throw new HopbackError('invalid-configuration', 'Say where to listen: udp, tcp or both.');
  }
  const udp = options.udp === undefined ? undefined : await listenUdp(state, options.udp);
  let tcp: Server | undefined;
  try {
    tcp = options.tcp === undefined ? undefined : await listenTcp(state, options.tcp);
  } catch (error) {
    udp?.close();
    throw error;
  }
  const timers = [
    everyInBackground(() => deliver(state, state.options.reader.finished(Date.now() * 1_000)), SWEEP_MS),
    everyInBackground(() => expireCalls(state), EXPIRY_MS),
  ];
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeAll(state, { udp, tcp, timers }));
  return {
    listening: [...placeOf('udp', udp?.address()), ...placeOf('tcp', tcp?.address())],
    counters: () => ({ ...state.counters }),
    /** Ends sockets and connections. Calls that are up stay with the reader, whose `expire` gives them out. */
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface ListenerState {
  readonly options: HepListenerOptions;
  /** Undefined where anybody may send. */
  readonly agents: ReadonlySet<string> | undefined;
  readonly counters: typeof NONE_YET;
  readonly connections: Set<Socket>;
}

/** What a listener has seen since it began. */
const NONE_YET = {
  udpPackets: 0,
  tcpPackets: 0,
  records: 0,
  /** Packets that the reader could not read. */
  rejected: 0,
  /** Packets and connections of who is no agent. */
  refusedSources: 0,
  /** Connections beyond the most that there may be. */
  refusedConnections: 0,
  /** Connections that were ended: what they sent was no HEP3. */
  brokenStreams: 0,
  /** Connections that ended within a packet. */
  cutPackets: 0,
  /** Connections that were ended because they were silent. */
  idleConnections: 0,
  socketErrors: 0,
};

function agentsOf(agents: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return agents === undefined ? undefined : new Set(agents.map(canonicalAddress));
}

function canonicalAddress(address: string): string {
  return plainAddress(ipAddress(address));
}

/** A socket of IPv6 sees peers of IPv4 under addresses of its own. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}

function isAgent({ agents }: ListenerState, address: string | undefined): boolean {
  return agents === undefined || (address !== undefined && agents.has(plainAddress(address)));
}

function placeOf(transport: 'udp' | 'tcp', address: ReturnType<Server['address']> | undefined) {
  if (address === undefined || address === null || typeof address === 'string') return [];
  return [{ transport, host: address.address, port: address.port }];
}

async function listenUdp(state: ListenerState, { host, port }: HepEndpointOptions): Promise<DatagramSocket> {
  const socket = createSocket({ type: isIP(host) === 6 ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
  socket.on('message', (packet, { address }) => {
    if (!isAgent(state, address)) {
      state.counters.refusedSources += 1;
      return;
    }
    state.counters.udpPackets += 1;
    deliver(state, state.options.reader.readPacket(packet, Date.now() * 1_000));
  });
  socket.bind(port, host);
  await listening(socket, host, port);
  socket.on('error', () => void (state.counters.socketErrors += 1));
  return socket;
}

async function listenTcp(state: ListenerState, { host, port }: HepEndpointOptions): Promise<Server> {
  const server = createServer((connection) => accept(state, connection));
  server.listen(port, host);
  await listening(server, host, port);
  server.on('error', () => void (state.counters.socketErrors += 1));
  return server;
}

async function listening(socket: DatagramSocket | Server, host: string, port: number): Promise<void> {
  try {
    await once(socket, 'listening');
  } catch (cause) {
    socket.close();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HopbackError('unavailable', `Cannot listen on ${host} port ${port}: ${why}`, { cause, retryable: true });
  }
}

function accept(state: ListenerState, connection: Socket): void {
  const { counters, connections, options } = state;
  connection.on('error', () => void (counters.socketErrors += 1));
  if (!isAgent(state, connection.remoteAddress)) {
    counters.refusedSources += 1;
    connection.destroy();
    return;
  }
  if (connections.size >= (options.maxConnections ?? MAX_HEP_CONNECTIONS)) {
    counters.refusedConnections += 1;
    connection.destroy();
    return;
  }
  connections.add(connection);
  const stream = hepStream();
  connection.on('data', (bytes) => {
    const { packets, isBroken } = stream.take(bytes);
    for (const packet of packets) {
      counters.tcpPackets += 1;
      deliver(state, options.reader.readPacket(packet, Date.now() * 1_000));
    }
    if (!isBroken) return;
    counters.brokenStreams += 1;
    connection.destroy();
  });
  connection.setTimeout(options.idleTimeoutMs ?? HEP_IDLE_TIMEOUT_MS, () => {
    counters.idleConnections += 1;
    connection.destroy();
  });
  // Agents only send: what ends on their side ends on ours.
  connection.on('end', () => connection.end());
  connection.on('close', () => {
    connections.delete(connection);
    if (stream.pending() > 0) counters.cutPackets += 1;
  });
}

function deliver({ counters, options }: ListenerState, readings: readonly RowReading[]): void {
  if (readings.length === 0) return;
  for (const { status } of readings) {
    if (status === 'record') counters.records += 1;
    else if (status === 'rejected') counters.rejected += 1;
  }
  options.onReadings(readings);
}

function expireCalls(state: ListenerState): void {
  const { reader, maxCallAgeMs = MAX_HEP_CALL_AGE_MS } = state.options;
  deliver(state, reader.expire((Date.now() - maxCallAgeMs) * 1_000));
}

interface Open {
  readonly udp: DatagramSocket | undefined;
  readonly tcp: Server | undefined;
  readonly timers: readonly (() => void)[];
}

async function closeAll({ connections }: ListenerState, { udp, tcp, timers }: Open): Promise<void> {
  for (const stop of timers) stop();
  const closed = [udp, tcp].flatMap((one) => (one === undefined ? [] : [once(one, 'close')]));
  udp?.close();
  tcp?.close();
  for (const connection of connections) connection.destroy();
  await Promise.all(closed);
}
