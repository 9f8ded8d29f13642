import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { maxMessageBytes, type Endpoint, type Flow, type ListenerAddress, type TransportUser } from './flow.js';

/** A UDP socket that SIP is spoken on. */
export type UdpTransport = Awaited<ReturnType<typeof openUdpTransport>>;

/**
 * Room for datagrams that wait for us or for the network, octets: at 5,000 calls a second and 2 kB a message, a pause of the garbage
 * collector of 200 ms fits. Linux grants what `net.core.rmem_max` allows.
 */
export const UDP_BUFFER_BYTES: number = 4 * 1_048_576;

/**
 * Opens a UDP socket.
 * @throws Error of Node when the address cannot be bound
 */
export async function openUdpTransport(listen: ListenerAddress, user: TransportUser) {
  const socket = createSocket({
    type: listen.address.includes(':') ? 'udp6' : 'udp4',
    // A listener has one family: 0.0.0.0 and :: may then have the same port.
    ipv6Only: listen.address.includes(':'),
    recvBufferSize: UDP_BUFFER_BYTES,
    sendBufferSize: UDP_BUFFER_BYTES,
    // Addresses are resolved before they come here; Node's own resolver would cost a turn of the event loop per datagram.
    lookup: (address, _options, callback) => callback(null, address, address.includes(':') ? 6 : 4),
  });
  // Asked for first: with a look-up that answers at once, binding does too.
  const listening = once(socket, 'listening');
  socket.bind(listen.port, listen.address);
  await listening;
  const bound = socket.address();
  const local: Endpoint = { address: listen.address, port: bound.port };
  // A peer that was heard before has its flow already: calls keep it, and most come from few.
  const flows = new Map<number, UdpFlow>();
  const flowTo = (address: string, port: number): UdpFlow => {
    const known = flows.get(port);
    if (known !== undefined && known.remote.address === address) return known;
    if (flows.size >= MAX_KNOWN_FLOWS) flows.clear();
    const from = { address: listen.addressTowards(address), port: local.port };
    const flow = new UdpFlow(socket, from, { address, port }, (other) => flowTo(address, other));
    flows.set(port, flow);
    return flow;
  };
  socket.on('message', (octets, { address, port }) => user.onMessage(octets.toString('latin1'), flowTo(address, port)));
  // What the kernel learns about one peer is no concern of the others; the timers of a transaction notice a peer that is gone.
  socket.on('error', () => undefined);
  return {
    transport: 'udp' as const,
    local,
    /** The flow to a peer. Costs nothing and is always open. */
    flowTo: ({ address, port }: Endpoint): Flow => flowTo(address, port),
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Peers whose flow is kept; then they are found anew. */
const MAX_KNOWN_FLOWS = 4_096;

class UdpFlow implements Flow {
  readonly transport = 'udp';
  readonly isReliable = false;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly atPort: (port: number) => Flow;
  readonly #socket: Socket;

  constructor(socket: Socket, local: Endpoint, remote: Endpoint, atPort: (port: number) => Flow) {
    this.#socket = socket;
    this.atPort = atPort;
    this.local = local;
    this.remote = remote;
  }

  isOpen(): boolean {
    return true;
  }

  send(text: string, onError?: (error: Error) => void): void {
    if (text.length > maxMessageBytes('udp')) {
      const error = new Error(`${text.length} octets are more than a datagram carries`);
      if (onError !== undefined) queueMicrotask(() => onError(error));
      return;
    }
    const sent =
      onError === undefined
        ? ignore
        : (error: NodeJS.ErrnoException | null): void => {
            if (error !== null && NO_WAY.has(error.code ?? '')) onError(error);
          };
    try {
      this.#socket.send(Buffer.from(text, 'latin1'), this.remote.port, this.remote.address, sent);
    } catch {
      // The socket was closed, or the address is none: to the peer the datagram is lost, as datagrams may be.
    }
  }
}

/** Without a callback Node reports a failed send as an error of the whole socket. */
function ignore(): void {
  // Lost.
}

/** Errors of this machine that sending again does not mend; after others a datagram counts as lost. @see RFC 3261 section 18.4 */
const NO_WAY: ReadonlySet<string> = new Set([
  'EACCES',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EHOSTUNREACH',
  'EINVAL',
  'ENETDOWN',
  'ENETUNREACH',
  'EPERM',
]);
