import { BlockList, isIP } from 'node:net';

/**
 * One network of the IANA special-purpose address registries (or a block outside them that is no host's public address),
 * with the reason it is named there.
 */
export interface SpecialPurposeNetwork {
  /** Network in CIDR form, for example `198.18.0.0/15`. */
  readonly cidr: string;
  /** What the network is for. */
  readonly purpose: string;
}

/**
 * Every network that a certificate repository, trust list or CRL may not be served from, IPv4 then IPv6. Blocks that are
 * globally reachable but special (AS112, AMT, 6to4 relays) are listed as well: no provider publishes certificates there. Of IPv6
 * everything beside 2000::/3 is listed, the only part that addresses of public hosts are given out from.
 * @see RFC 6890, IANA IPv4 and IPv6 Special-Purpose Address Registries
 */
export const SPECIAL_PURPOSE_NETWORKS: readonly SpecialPurposeNetwork[] = [
  { cidr: '0.0.0.0/8', purpose: 'this network (RFC 791)' },
  { cidr: '10.0.0.0/8', purpose: 'private use (RFC 1918)' },
  { cidr: '100.64.0.0/10', purpose: 'shared address space (RFC 6598)' },
  { cidr: '127.0.0.0/8', purpose: 'loopback (RFC 1122)' },
  { cidr: '169.254.0.0/16', purpose: 'link local (RFC 3927)' },
  { cidr: '168.63.129.16/32', purpose: 'platform services inside a cloud (Azure), though a public address' },
  { cidr: '172.16.0.0/12', purpose: 'private use (RFC 1918)' },
  { cidr: '192.0.0.0/24', purpose: 'IETF protocol assignments (RFC 6890)' },
  { cidr: '192.0.2.0/24', purpose: 'documentation (RFC 5737)' },
  { cidr: '192.31.196.0/24', purpose: 'AS112 (RFC 7535)' },
  { cidr: '192.52.193.0/24', purpose: 'automatic multicast tunnelling (RFC 7450)' },
  { cidr: '192.88.99.0/24', purpose: '6to4 relay anycast, deprecated (RFC 7526)' },
  { cidr: '192.168.0.0/16', purpose: 'private use (RFC 1918)' },
  { cidr: '192.175.48.0/24', purpose: 'AS112 (RFC 7534)' },
  { cidr: '198.18.0.0/15', purpose: 'benchmarking (RFC 2544)' },
  { cidr: '198.51.100.0/24', purpose: 'documentation (RFC 5737)' },
  { cidr: '203.0.113.0/24', purpose: 'documentation (RFC 5737)' },
  { cidr: '224.0.0.0/4', purpose: 'multicast (RFC 5771)' },
  { cidr: '240.0.0.0/4', purpose: 'reserved and limited broadcast (RFC 1112, RFC 8190)' },
  { cidr: '::/128', purpose: 'unspecified (RFC 4291)' },
  { cidr: '::1/128', purpose: 'loopback (RFC 4291)' },
  {
    cidr: '::/3',
    purpose: 'not global unicast, holds IPv4-compatible and IPv4-translated addresses (RFC 4291, RFC 2765)',
  },
  { cidr: '64:ff9b:1::/48', purpose: 'local-use IPv4/IPv6 translation (RFC 8215)' },
  { cidr: '100::/64', purpose: 'discard only (RFC 6666)' },
  { cidr: '100:0:0:1::/64', purpose: 'dummy prefix (RFC 9780)' },
  { cidr: '2001::/23', purpose: 'IETF protocol assignments: Teredo, benchmarking, ORCHID, AMT, AS112 (RFC 2928)' },
  { cidr: '2001:2::/48', purpose: 'benchmarking (RFC 5180)' },
  { cidr: '2001:db8::/32', purpose: 'documentation (RFC 3849)' },
  { cidr: '2002::/16', purpose: '6to4: embeds an IPv4 address of the caller’s choice (RFC 3056)' },
  { cidr: '2620:4f:8000::/48', purpose: 'AS112 (RFC 7534)' },
  { cidr: '3fff::/20', purpose: 'documentation (RFC 9637)' },
  { cidr: '4000::/2', purpose: 'not global unicast, unassigned (RFC 4291)' },
  { cidr: '5f00::/16', purpose: 'segment routing identifiers (RFC 9602)' },
  { cidr: '8000::/1', purpose: 'not global unicast (RFC 4291)' },
  { cidr: 'fc00::/7', purpose: 'unique local (RFC 4193)' },
  { cidr: 'fe80::/10', purpose: 'link local (RFC 4291)' },
  { cidr: 'fec0::/10', purpose: 'site local, deprecated (RFC 3879)' },
  { cidr: 'ff00::/8', purpose: 'multicast (RFC 4291)' },
];

/**
 * Addresses that carry an IPv4 address a packet really goes to (or came from): the answer for them is that of the IPv4
 * address inside. A dual-stack socket shows every IPv4 peer as `::ffff:…`; behind DNS64 every peer is `64:ff9b::…`.
 */
const IPV4_EMBEDDING_NETWORKS = ['::ffff:0:0/96', '64:ff9b::/96'] as const;

/** A set of networks that addresses are tested against. */
export interface NetworkSet {
  /** Whether the address is in one of the networks; `false` for text that is no IP address. */
  readonly has: (address: string) => boolean;
}

/**
 * Tells whether an address is one that no public certificate repository can have: listed in the IANA special-purpose
 * registries, multicast, reserved, or not an IP address at all. IPv4-mapped (`::ffff:0:0/96`) and NAT64 (`64:ff9b::/96`)
 * addresses are answered for the IPv4 address inside; a zone (`%eth0`) is ignored. Never throws.
 * @param address - IPv4 dotted quad or IPv6 text, without brackets
 * @see RFC 6890, RFC 4291 section 2.5.5, RFC 6052
 */
export function isSpecialPurposeAddress(address: string): boolean {
  const bare = withoutZone(address);
  return isIP(bare) === 0 || listHas(SPECIAL_PURPOSE, bare);
}

/**
 * Tells whether an IPv6 address carries an IPv4 address (mapped, compatible or NAT64): a way to spell an address that no
 * honest x5u uses. Never throws.
 * @param address - IPv6 text without brackets
 */
export function embedsIpv4(address: string): boolean {
  const bare = withoutZone(address);
  return isIP(bare) === 6 && (IPV4_EMBEDDING.ipv6.check(bare, 'ipv6') || IPV4_COMPATIBLE.ipv6.check(bare, 'ipv6'));
}

/**
 * Makes a set of networks out of CIDR texts (or single addresses).
 * @param cidrs - for example `['127.0.0.0/8', '::1']`
 * @returns the set, or the first text that is no network
 */
export function parseNetworkSet(
  cidrs: readonly string[],
):
  | { readonly status: 'parsed'; readonly networks: NetworkSet }
  | { readonly status: 'malformed'; readonly cidr: string } {
  const lists = emptyLists();
  for (const cidr of cidrs) {
    if (!addNetwork(lists, cidr)) return { status: 'malformed', cidr };
  }
  return { status: 'parsed', networks: { has: (address) => listHas(lists, withoutZone(address)) } };
}

/** One list a family: a BlockList takes IPv4 for mapped IPv6, so that an IPv6 rule such as `::/8` would hold all of IPv4. */
interface AddressLists {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

const SPECIAL_PURPOSE: AddressLists = listsOf(SPECIAL_PURPOSE_NETWORKS.map((network) => network.cidr));
const IPV4_EMBEDDING: AddressLists = listsOf(IPV4_EMBEDDING_NETWORKS);
const IPV4_COMPATIBLE: AddressLists = listsOf(['::/96']);

function emptyLists(): AddressLists {
  return { ipv4: new BlockList(), ipv6: new BlockList() };
}

function listsOf(cidrs: readonly string[]): AddressLists {
  const lists = emptyLists();
  for (const cidr of cidrs) addNetwork(lists, cidr);
  return lists;
}

function addNetwork(lists: AddressLists, cidr: string): boolean {
  const slash = cidr.indexOf('/');
  const address = slash < 0 ? cidr : cidr.slice(0, slash);
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const widest = version === 4 ? 32 : 128;
  const prefixText = slash < 0 ? String(widest) : cidr.slice(slash + 1);
  const prefix = Number(prefixText);
  if (!/^\d{1,3}$/.test(prefixText) || prefix > widest) return false;
  lists[family].addSubnet(address, prefix, family);
  return true;
}

/** Whether an address without zone is in the lists, seen through an IPv4 address it may embed. */
function listHas(lists: AddressLists, bare: string): boolean {
  const version = isIP(bare);
  if (version === 0) return false;
  if (version === 4) return lists.ipv4.check(bare, 'ipv4');
  if (!IPV4_EMBEDDING.ipv6.check(bare, 'ipv6')) return lists.ipv6.check(bare, 'ipv6');
  return lists.ipv4.check(embeddedIpv4(bare), 'ipv4');
}

function withoutZone(address: string): string {
  const percent = address.indexOf('%');
  return percent < 0 ? address : address.slice(0, percent);
}

/** The last 32 bits of an IPv6 address as a dotted quad. */
function embeddedIpv4(address: string): string {
  // The URL parser writes the canonical form: hexadecimal groups, of which the last two may be swallowed by '::'.
  const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1).split(':');
  const low = Number.parseInt(groups.at(-1) || '0', 16);
  const high = Number.parseInt(groups.at(-2) || '0', 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
