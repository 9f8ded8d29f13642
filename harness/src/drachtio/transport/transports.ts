import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { ServerClock } from '../clock.js';
import type { StreamEvent } from '../message/stream-framer.js';
import type { ConnectionLimits } from './connection-limits.js';
import { openStreamTransport, type StreamTransport } from './stream-transport.js';
import type { TlsFiles } from './tls-options.js';
import type { Endpoint, Flow, TransportFault, TransportName } from './flow.js';
import { openUdpTransport, type UdpTransport } from './udp-transport.js';
import { openWsTransport, type WsTransport } from './ws-transport.js';

/** One address to listen at. */
export interface ListenAddress {
  readonly transport: TransportName;
  /** An address of this machine, IPv6 without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** What the listeners hand up. */
export interface TransportsUser {
  /** Octets of one datagram or WebSocket frame. */
  readonly onMessage: (text: string, flow: Flow) => void;
  readonly onStreamEvent: (event: StreamEvent, flow: Flow) => void;
  readonly onFault: (fault: TransportFault, flow: Flow) => void;
  readonly onClosed: (flow: Flow) => void;
}

/** Why there is no flow to a target. */
export type FlowFailure = 'no-transport' | 'unknown-host' | 'no-connection';

/** Answers with a flow, or why there is none. */
export type FlowCallback = (found: Flow | FlowFailure) => void;

/** All listeners of one server. */
export interface Transports {
  /** In the order in which they were asked for. */
  readonly listening: readonly { readonly transport: TransportName; readonly local: Endpoint }[];
  /** Our address on a transport, or undefined where we do not listen on it. */
  readonly localOf: (transport: TransportName) => Endpoint | undefined;
  /**
   * Finds a way to an address. Calls back at once where nothing has to be looked up; for a connection that is yet to be opened the
   * flow is there and errors come when sending.
   */
  readonly flowTo: (
    transport: TransportName,
    to: { readonly host: string; readonly port: number },
    found: FlowCallback,
  ) => void;
  /** An open connection, or for UDP a flow; never opens one. */
  readonly openFlow: (transport: TransportName, remote: Endpoint) => Flow | undefined;
  /**
   * Whether an address is one that we listen at.
   * @param transport - where it is known: a port of UDP and one of TCP may have the same number, and belong to two elements
   */
  readonly isLocal: (host: string, port: number, transport?: TransportName) => boolean;
  readonly connectionCount: () => number;
  readonly close: () => Promise<void>;
}

/** What listeners are opened with. */
export interface TransportsOptions {
  readonly listen: readonly ListenAddress[];
  readonly clock: ServerClock;
  readonly connectionLimits: ConnectionLimits;
  readonly tls?: TlsFiles;
}

type AnyTransport = UdpTransport | StreamTransport | WsTransport;

/**
 * Opens every listener, or none.
 * @throws Error of Node when an address cannot be bound
 */
export async function openTransports(options: TransportsOptions, user: TransportsUser): Promise<Transports> {
  const opened: AnyTransport[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((transport) => transport.close()));
  };
  try {
    for (const listen of options.listen)
      opened.push(await open(listen, options, { user, sharing: () => sharing(opened, listen) }));
  } catch (error) {
    await close();
    throw error;
  }
  const byName = new Map<TransportName, AnyTransport>();
  for (const transport of opened) if (!byName.has(transport.transport)) byName.set(transport.transport, transport);
  const isListener = (address: string, port: number, name?: TransportName): boolean =>
    opened.some(
      ({ local, transport }) =>
        local.address === address &&
        local.port === port &&
        (name === undefined || (name === 'udp') === (transport === 'udp')),
    );
  const resolve = createResolver();
  const openFlow = (name: TransportName, remote: Endpoint): Flow | undefined => {
    const transport = byName.get(name);
    if (transport === undefined) return undefined;
    return transport.transport === 'udp' ? transport.flowTo(remote) : transport.openFlow(remote);
  };

  return {
    listening: opened.map(({ transport, local }) => ({ transport, local })),
    localOf: (name) => byName.get(name)?.local,
    openFlow,
    flowTo: (name, { host, port }, found) => {
      const transport = byName.get(name);
      if (transport === undefined) {
        found('no-transport');
        return;
      }
      const connect = (address: string): void => {
        const remote = { address, port };
        if ('flowTo' in transport) found(transport.flowTo(remote));
        else found(transport.openFlow(remote) ?? 'no-connection');
      };
      if (isIP(host) !== 0) connect(host);
      else
        resolve(host, transport.local, (address) => (address === undefined ? found('unknown-host') : connect(address)));
    },
    isLocal: (host, port, name) => isListener(host === 'localhost' ? '127.0.0.1' : host, port, name),
    connectionCount: () =>
      opened.reduce((sum, each) => sum + ('connectionCount' in each ? each.connectionCount() : 0), 0),
    close,
  };
}

interface Opening {
  readonly user: TransportsUser;
  /** The WebSocket transport whose port a TCP listener shares, once both are open. */
  readonly sharing: () => WsTransport | undefined;
}

/** A TCP listener and one for WebSockets may have the same port: the first octets of a connection tell which it is for. */
function sharing(opened: readonly AnyTransport[], { host, port }: ListenAddress): WsTransport | undefined {
  const found = opened.find(
    ({ transport, local }) => transport === 'ws' && local.address === host && local.port === port,
  );
  return found?.transport === 'ws' ? found : undefined;
}

function open(
  listen: ListenAddress,
  options: TransportsOptions,
  { user, sharing: other }: Opening,
): Promise<AnyTransport> {
  const at: Endpoint = { address: listen.host, port: listen.port };
  const { clock, connectionLimits } = options;
  const shared = { listen: at, clock, connectionLimits };
  const secure = options.tls === undefined ? shared : { ...shared, tls: options.tls };
  if (listen.transport === 'udp') return openUdpTransport(at, user);
  if (listen.transport === 'tls') return openStreamTransport(secure, user);
  if (listen.transport === 'wss') return openWsTransport(secure, user);
  const isSame = ({ transport, host, port }: ListenAddress, wanted: TransportName): boolean =>
    transport === wanted && host === listen.host && port === listen.port && port !== 0;
  if (listen.transport === 'ws') {
    return openWsTransport({ ...shared, isShared: options.listen.some((each) => isSame(each, 'tcp')) }, user);
  }
  const isShared = options.listen.some((each) => isSame(each, 'ws'));
  return openStreamTransport({ ...shared, onHttp: isShared ? (socket) => other()?.adopt(socket) : undefined }, user);
}

type AddressFound = (address: string | undefined) => void;

/** Asks for addresses of names. Who asks while the same is being asked gets the same answer, in turn: an ACK stays before its BYE. */
function createResolver(): (host: string, local: Endpoint, found: AddressFound) => void {
  const asked = new Map<string, AddressFound[]>();
  return (host, local, found) => {
    // Of the family that we listen with.
    const family = local.address.includes(':') ? 6 : 4;
    const key = `${family} ${host}`;
    const waiting = asked.get(key);
    if (waiting !== undefined) {
      waiting.push(found);
      return;
    }
    const all = [found];
    asked.set(key, all);
    lookup(host, { family }, (error, address) => {
      asked.delete(key);
      for (const one of all) one(error === null ? address : undefined);
    });
  };
}
