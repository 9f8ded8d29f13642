import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** IP version of an address; of a host name, that of IPv4. */
export type AddressFamily = 4 | 6;

export function familyOf(address: string): AddressFamily {
  return address.includes(':') ? 6 : 4;
}

/** Whether a listener takes what comes to any address of the machine. Peers cannot send to such an address. */
export function isWildcard(address: string): boolean {
  return isIP(address) !== 0 && /^[0:.]+$/.test(address);
}

/** Whether an address is one of this machine. */
export function isOwnAddress(address: string): boolean {
  return address.startsWith('127.') || interfaceAddresses(familyOf(address)).includes(address);
}

/** The address that other machines reach this one at: the first that is neither loopback nor link-local. Without a network it is loopback. */
export function outwardAddress(family: AddressFamily): string {
  const reachable = interfaceAddresses(family).find((address) => !isLoopback(address) && !/^fe80:/i.test(address));
  return reachable ?? LOOPBACK[family];
}

/** Whether an address leads to this machine alone. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === LOOPBACK[6];
}

/** Tells from which of its addresses the machine reaches a peer. */
export type RouteProbe = Awaited<ReturnType<typeof openRouteProbe>>;

/** Opens a socket for such questions. */
export async function openRouteProbe(family: AddressFamily) {
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // With a look-up that answers at once, connect() does too.
    lookup: (address, _options, callback) => callback(null, address, family),
  });
  const listening = once(socket, 'listening');
  socket.bind(0, WILDCARD[family]);
  await listening;
  // A peer without a route is found by its address, below.
  socket.on('error', () => undefined);
  const known = new Map<string, string>();
  return {
    /** Asks the routing table of the system; nothing is sent. Where there is no route, {@link outwardAddress}. */
    addressTowards: (remote: string) => {
      const found = known.get(remote);
      if (found !== undefined) return found;
      if (known.size >= MAX_KNOWN_ROUTES) known.clear();
      const address = askRoute(socket, remote) ?? outwardAddress(family);
      known.set(remote, address);
      return address;
    },
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

const WILDCARD: Readonly<Record<AddressFamily, string>> = { 4: '0.0.0.0', 6: '::' };
const LOOPBACK: Readonly<Record<AddressFamily, string>> = { 4: '127.0.0.1', 6: '::1' };
/** The discard port: a UDP socket that is connected has sent nothing. */
const ANY_PORT = 9;
/** Peers whose route is remembered; then they are asked for anew. */
const MAX_KNOWN_ROUTES = 4_096;

function askRoute(socket: Socket, remote: string): string | undefined {
  try {
    socket.connect(ANY_PORT, remote);
    const { address } = socket.address();
    socket.disconnect();
    return isWildcard(address) ? undefined : address;
  } catch {
    return undefined;
  }
}

function interfaceAddresses(family: AddressFamily): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => familyOf(address) === family);
}
