import { BlockList, isIP } from 'node:net';
import { HopbackError } from '../../errors.js';

/** Proxies in front of the page, and the field in which they say where a request comes from. */
export interface ReviewProxy {
  /** Addresses and networks of the proxies: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`. The field is believed from these alone. */
  readonly addresses: readonly string[];
  /** Field with one address, or several with commas between, the nearest last. Default `x-forwarded-for`. */
  readonly header?: string;
}

/**
 * Finds where a request comes from: the address of its connection, or what a named proxy says in its field.
 * @returns finds the address; undefined where not even that of the connection is known
 * @throws HopbackError `invalid-configuration` for a proxy without addresses, or one that is not an address or network
 */
export function createRequestSource(
  proxy: ReviewProxy | undefined,
): (headers: Headers, connection: string | undefined) => string | undefined {
  if (proxy === undefined) return (_headers, connection) => connection;
  const { addresses, header = 'x-forwarded-for' } = proxy;
  const proxies = listOf(addresses);
  if (!/^[A-Za-z0-9-]{1,64}$/.test(header)) throw unusable(`"${header}" is not the name of a header field`);
  return (headers, connection) => {
    if (connection === undefined || !isIn(proxies, connection)) return connection;
    const hops = (headers.get(header) ?? '').split(',').map((hop) => hop.trim());
    // From the right: whoever sends a request can write anything in front of what the proxies add.
    for (const hop of hops.toReversed()) {
      if (isIP(hop) === 0) return connection;
      if (!isIn(proxies, hop)) return hop;
    }
    return connection;
  };
}

/** What counts as one source: an address of IPv4, or the network of 64 bits that a subscriber of IPv6 has. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: gap }, () => '0'), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function listOf(addresses: readonly string[]): BlockList {
  if (addresses.length === 0) throw unusable('it names no address');
  const list = new BlockList();
  for (const address of addresses) {
    const [ip = '', bits, ...rest] = address.split('/');
    const version = isIP(ip);
    const most = version === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (version === 0 || rest.length > 0 || !(prefix >= 0 && prefix <= most))
      throw unusable(`"${address}" is not an address or network, such as 127.0.0.1 or 10.0.0.0/8`);
    list.addSubnet(ip, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

const unusable = (why: string): HopbackError =>
  new HopbackError('invalid-configuration', `The proxy of the review page cannot be used: ${why}.`);
