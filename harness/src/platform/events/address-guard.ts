import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** Where something is posted to: an address that was looked at, so that no later answer of a name server leads elsewhere. */
export type GuardedAddress =
  | { readonly status: 'allowed'; readonly address: string; readonly family: 4 | 6 }
  | { readonly status: 'refused'; readonly reason: 'not-https' | 'credentials' | 'not-public' | 'unreadable' }
  /** The name has no address now. */
  | { readonly status: 'unresolved' };

/** Gives the addresses of a name. */
export type ResolveAddresses = (
  hostname: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

const resolveByName: ResolveAddresses = (hostname) => lookup(hostname, { all: true });

/** Networks that are not the open Internet. @see RFC 6890, and the IANA registries of special-purpose addresses */
const NOT_PUBLIC = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv4');
/** Of IPv6 only this is in use as addresses of hosts. RFC 4291 section 2.5.4 */
const PUBLIC_V6 = new BlockList();
PUBLIC_V6.addSubnet('2000::', 3, 'ipv6');
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  // An address of IPv4 within, which could be any: 6to4.
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv6');

/** Whether an address is one of the open Internet. What is mapped from IPv4 is not: nobody needs it. Never throws. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !NOT_PUBLIC.check(address, 'ipv4');
  return family === 6 && PUBLIC_V6.check(address, 'ipv6') && !NOT_PUBLIC.check(address, 'ipv6');
}

/** How addresses are looked at. */
export interface AddressGuardOptions {
  /** Lets private, loopback and link-local addresses through: for laboratories. Whoever may register an endpoint reaches them then. */
  readonly dangerouslyAllowPrivateAddresses?: boolean;
  /** Default the resolver of the machine. */
  readonly resolve?: ResolveAddresses;
}

/**
 * Finds the address to post to. One of several that is not public refuses the name: whoever mixes them means no good.
 * @returns the address, or why nothing is posted; never rejects
 */
export async function guardAddress(
  address: string,
  { dangerouslyAllowPrivateAddresses = false, resolve = resolveByName }: AddressGuardOptions = {},
): Promise<GuardedAddress> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) return { status: 'refused', reason: 'unreadable' };
  if (url.protocol !== 'https:') return { status: 'refused', reason: 'not-https' };
  if (url.username !== '' || url.password !== '') return { status: 'refused', reason: 'credentials' };
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const literal = isIP(hostname);
  const found = literal === 0 ? await resolve(hostname).catch(() => []) : [{ address: hostname, family: literal }];
  const [first] = found;
  if (first === undefined) return { status: 'unresolved' };
  if (!dangerouslyAllowPrivateAddresses && !found.every((one) => isPublicAddress(one.address)))
    return { status: 'refused', reason: 'not-public' };
  return { status: 'allowed', address: first.address, family: first.family === 6 ? 6 : 4 };
}
