import type { Dialog } from '../dialog/dialog.js';
import { targetOf, type SipTarget } from '../message/sip-target.js';
import type { Flow, TransportName } from '../transport/flow.js';
import type { FlowFailure, Transports } from '../transport/transports.js';

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
export type NextHopCallback = (found: Flow | NextHopFailure) => void;

/** Finds the way to where a URI leads. @see RFC 3263 section 4, without NAPTR and SRV */
export function flowToUri(transports: Transports, uri: string, found: NextHopCallback): void {
  const target = targetOf(uri);
  if (target === undefined) found('unroutable');
  else flowToTarget(transports, target, found);
}

/** As {@link flowToUri}, for a target that was read already. */
export function flowToTarget(transports: Transports, target: SipTarget, found: NextHopCallback): void {
  const transport = transportOf(transports, target);
  if (transport === undefined) found('no-transport');
  else transports.flowTo(transport, { host: target.host, port: portOf(target) }, found);
}

/**
 * Finds the way for a request within a dialog: the connection that the other side is behind, or the URI.
 * @param nextHop - first route, or remote target
 */
export function flowOfDialog(transports: Transports, dialog: Dialog, nextHop: string, found: NextHopCallback): void {
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
