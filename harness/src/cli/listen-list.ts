import type { ListenAddress, TransportName } from '../drachtio/index.js';

/**
 * Reads `udp,tcp,ws:5060`: transports, each with the port behind it or behind the next that has one. Without any it is 5060, or 5061
 * where TLS comes first.
 * @returns the addresses, or what is wrong
 */
export function readListenList(text: string, host: string): readonly ListenAddress[] | string {
  const items = text.split(',').map((item) => item.trim());
  const listen: ListenAddress[] = [];
  let port: number | undefined;
  for (const item of items.toReversed()) {
    const [name = '', digits, more] = item.split(':');
    if (more !== undefined) return `${item} is no transport with a port`;
    if (!isTransport(name)) return `${name === '' ? 'nothing' : name} is no transport: it is udp, tcp, tls, ws or wss`;
    if (digits !== undefined) {
      port = /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN;
      if (!(port <= 65_535)) return `${digits} is no port`;
    }
    listen.unshift({ transport: name, host, port: port ?? usualPort(name) });
  }
  return listen;
}

function isTransport(name: string): name is TransportName {
  return ['udp', 'tcp', 'tls', 'ws', 'wss'].includes(name);
}

function usualPort(transport: TransportName): number {
  return transport === 'tls' || transport === 'wss' ? 5_061 : 5_060;
}
