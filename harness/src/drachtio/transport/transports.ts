import { isIP, type LookupFunction } from 'node:net';
import type { TimerClock } from '@hopback/sdk/internal/runtime';
import { STREAM_LIMITS } from '../message/parse-message.js';
import type { MessageLimits, StreamEvent } from '../message/parse-message.js';
import type { ConnectionLimits, TlsFiles } from './connections.js';
import { openStreamTransport, type StreamTransport } from './stream-transport.js';
import type { Endpoint, Flow, ListenerAddress, TransportFault, TransportName } from './flow.js';
import {
  familyOf,
  isLoopback,
  isOwnAddress,
  isWildcard,
  openRouteProbe,
  outwardAddress,
  type AddressFamily,
  type RouteProbe,
} from './own-addresses.js';
import { openUdpTransport, type UdpTransport } from './udp-transport.js';
import { openWsTransport, type WsTransport } from './ws-transport.js';

/** One address to listen at. */
export interface ListenAddress {
  readonly transport: TransportName;
  /**
   * An address of this machine, IPv6 without brackets. `0.0.0.0` takes IPv4 at all of its addresses, and `::` takes IPv6: for both, listen at
   * both. What peers read in Via and Contact is then the address that routes to each of them.
   */
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

/** Why there is no flow to a target. `no-family`: we listen on the transport, but not with the IP version of the address. */
export type FlowFailure = 'no-transport' | 'no-family' | 'unknown-host' | 'no-connection';

/** Answers with a flow, or why there is none. */
export type FlowCallback = (found: Flow | FlowFailure) => void;

/** All listeners of one server. */
export type Transports = Awaited<ReturnType<typeof openTransports>>;

/** What listeners are opened with. */
export interface TransportsOptions {
  readonly messageLimits: MessageLimits;
  readonly listen: readonly ListenAddress[];
  readonly clock: TimerClock;
  readonly connectionLimits: ConnectionLimits;
  readonly lookup: LookupFunction;
  readonly tls?: TlsFiles;
}

type AnyTransport = UdpTransport | StreamTransport | WsTransport;

/**
 * Opens every listener, or none.
 * @throws Error of Node when an address cannot be bound
 */
export async function openTransports(options: TransportsOptions, user: TransportsUser) {
  const { opened, probes, close } = await openAll(options, user);
  const byName = new Map<TransportName, AnyTransport[]>();
  for (const transport of opened) {
    const named = byName.get(transport.transport);
    if (named === undefined) byName.set(transport.transport, [transport]);
    else named.push(transport);
  }
  const isListener = (address: string, port: number, name?: TransportName): boolean =>
    opened.some(
      ({ local, transport }) =>
        local.port === port &&
        (name === undefined || (name === 'udp') === (transport === 'udp')) &&
        isAt(local.address, address),
    );
  const resolve = createResolver(options.lookup);
  const openFlow = (name: TransportName, remote: Endpoint): Flow | undefined => {
    const named = byName.get(name) ?? [];
    const transport = senderTo(named, remote.address);
    if (transport?.transport === 'udp') return transport.flowTo(remote);
    for (const each of named) {
      const flow = each.transport === 'udp' ? undefined : each.openFlow(remote);
      if (flow !== undefined) return flow;
    }
    return undefined;
  };

  return {
    /** In the order in which they were asked for. */
    listening: opened.map(({ transport, local }) => ({ transport, local: reachable(local), host: local.address })),
    /** Where a peer reaches us on a transport: a listener that can send to it, or else the first. Undefined where we do not listen on it. */
    localOf: (name: TransportName, peer?: string): Endpoint | undefined => {
      const named = byName.get(name) ?? [];
      const local = ((peer === undefined ? undefined : senderTo(named, peer)) ?? named[0])?.local;
      if (local === undefined) return undefined;
      const probe = peer === undefined || isIP(peer) === 0 ? undefined : probes.get(familyOf(local.address));
      if (probe === undefined || !isWildcard(local.address) || peer === undefined) return reachable(local);
      return { address: probe.addressTowards(peer), port: local.port };
    },
    /** An open connection, or for UDP a flow; never opens one. */
    openFlow,
    /**
     * Finds a way to an address. Calls back at once where nothing has to be looked up; for a connection that is yet to be opened the
     * flow is there and errors come when sending.
     */
    flowTo: (
      name: TransportName,
      { host, port }: { readonly host: string; readonly port: number },
      found: FlowCallback,
    ): void => {
      const named = byName.get(name) ?? [];
      if (named.length === 0) {
        found('no-transport');
        return;
      }
      const connect = (address: string): void => {
        const remote = { address, port };
        const transport = senderTo(named, address);
        if (transport === undefined) found('no-family');
        else if (transport.transport === 'udp') found(transport.flowTo(remote));
        else found(openFlow(name, remote) ?? ('flowTo' in transport ? transport.flowTo(remote) : 'no-connection'));
      };
      if (isIP(host) !== 0) connect(host);
      else {
        const families = new Set(named.map(({ local }) => familyOf(local.address)));
        resolve(host, families, (address) => (address === undefined ? found('unknown-host') : connect(address)));
      }
    },
    /**
     * Whether an address is one that we listen at.
     * @param transport - where it is known: a port of UDP and one of TCP may have the same number, and belong to two elements
     */
    isLocal: (host: string, port: number, name?: TransportName) =>
      isListener(host === 'localhost' ? '127.0.0.1' : host, port, name),
    connectionCount: () =>
      opened.reduce((sum, each) => sum + ('connectionCount' in each ? each.connectionCount() : 0), 0),
    close,
  };
}

async function openAll(options: TransportsOptions, user: TransportsUser) {
  const opened: AnyTransport[] = [];
  const probes = new Map<AddressFamily, RouteProbe>();
  const close = async (): Promise<void> => {
    await Promise.all([...opened, ...probes.values()].map((each) => each.close()));
  };
  try {
    for (const listen of options.listen) {
      const family = familyOf(listen.host);
      if (isWildcard(listen.host) && !probes.has(family)) probes.set(family, await openRouteProbe(family));
      opened.push(await open(listen, options, { user, probes, sharing: () => sharing(opened, listen) }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { opened, probes, close };
}

/**
 * The listener that can send to an address: one of its IP version, and of these one that is on loopback where the address is, as no packet
 * gets from there to elsewhere.
 */
function senderTo(named: readonly AnyTransport[], address: string): AnyTransport | undefined {
  const [first, ...others] = named;
  // With one listener there is nothing to choose.
  const isOfFamily = ({ local }: AnyTransport): boolean => familyOf(local.address) === familyOf(address);
  if (first === undefined || others.length === 0) return first === undefined || !isOfFamily(first) ? undefined : first;
  const able = named.filter(isOfFamily);
  return (
    able.find(({ local }) => isWildcard(local.address) || isLoopback(local.address) === isLoopback(address)) ?? able[0]
  );
}

function isAt(listening: string, address: string): boolean {
  if (listening === address) return true;
  return isWildcard(listening) && familyOf(listening) === familyOf(address) && isOwnAddress(address);
}

function reachable({ address, port }: Endpoint): Endpoint {
  return { address: isWildcard(address) ? outwardAddress(familyOf(address)) : address, port };
}

interface Opening {
  readonly user: TransportsUser;
  readonly probes: ReadonlyMap<AddressFamily, RouteProbe>;
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
  { user, probes, sharing: other }: Opening,
): Promise<AnyTransport> {
  const { host: address } = listen;
  const probe = isWildcard(address) ? probes.get(familyOf(address)) : undefined;
  const at: ListenerAddress = { address, port: listen.port, addressTowards: probe?.addressTowards ?? (() => address) };
  const { clock, connectionLimits, messageLimits } = options;
  const streamLimits = { ...STREAM_LIMITS, maxHeaderBytes: messageLimits.maxHeaderBytes };
  const shared = {
    listen: at,
    clock,
    connectionLimits,
    streamLimits,
  };
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
function createResolver(
  lookup: LookupFunction,
): (host: string, families: ReadonlySet<AddressFamily>, found: AddressFound) => void {
  const asked = new Map<string, AddressFound[]>();
  return (host, families, found) => {
    const key = `${[...families].join(' ')} ${host}`;
    const waiting = asked.get(key);
    if (waiting !== undefined) {
      waiting.push(found);
      return;
    }
    const all = [found];
    asked.set(key, all);
    const [preferred = 4] = families;
    lookup(host, { family: families.size > 1 ? 0 : preferred, all: true }, (error, answer) => {
      asked.delete(key);
      const addresses = typeof answer === 'string' ? [{ address: answer }] : answer;
      const usable = error === null ? addresses.filter(({ address }) => families.has(familyOf(address))) : [];
      const chosen = usable.find(({ address }) => familyOf(address) === preferred) ?? usable[0];
      for (const one of all) one(chosen?.address);
    });
  };
}
