import { BlockList, isIP } from 'node:net';
import { domainToUnicode } from 'node:url';
import { attempt } from '../../core/runtime/deadline.js';
import type { X5uRefusal } from './repository.js';

/**
 * Every network that a certificate repository, trust list or CRL may not be served from, IPv4 then IPv6. Blocks that are
 * globally reachable but special (AS112, AMT, 6to4 relays) are listed as well: no provider publishes certificates there. Of IPv6
 * everything beside 2000::/3 is listed, the only part that addresses of public hosts are given out from.
 * @see RFC 6890, IANA IPv4 and IPv6 Special-Purpose Address Registries
 */
export const SPECIAL_PURPOSE_NETWORKS: readonly { readonly cidr: string; readonly purpose: string }[] = [
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

/**
 * Whether an address is one that no public certificate repository can have: listed in the IANA special-purpose registries, multicast,
 * reserved, or not an IP address at all. IPv4-mapped and NAT64 addresses are answered for the IPv4 address inside; a zone (`%eth0`) is ignored.
 * @see RFC 6890, RFC 4291 section 2.5.5, RFC 6052
 */
export function isSpecialPurposeAddress(address: string): boolean {
  const bare = withoutZone(address);
  return isIP(bare) === 0 || listHas(SPECIAL_PURPOSE, bare);
}

/** Whether an IPv6 address carries an IPv4 address (mapped, compatible or NAT64): a way to spell an address that no honest x5u uses. */
export function embedsIpv4(address: string): boolean {
  const bare = withoutZone(address);
  return isIP(bare) === 6 && (IPV4_EMBEDDING.ipv6.check(bare, 'ipv6') || IPV4_COMPATIBLE.ipv6.check(bare, 'ipv6'));
}

/** Makes a set out of networks in CIDR form and single addresses, or tells the first text that is neither. */
export function parseNetworkSet(
  cidrs: readonly string[],
):
  | { readonly status: 'parsed'; readonly networks: { readonly has: (address: string) => boolean } }
  | { readonly status: 'malformed'; readonly cidr: string } {
  const lists: AddressLists = { ipv4: new BlockList(), ipv6: new BlockList() };
  const cidr = cidrs.find((text) => !addNetwork(lists, text));
  if (cidr !== undefined) return { status: 'malformed', cidr };
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

function listsOf(cidrs: readonly string[]): AddressLists {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
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

/** Longest x5u that is looked at, in characters: repositories in use stay below 200, and the text is a cache key of which many are kept. */
export const MAX_X5U_LENGTH = 1_024;

/** Ports of a certificate repository. @see ATIS-1000074 */
const X5U_PORTS: readonly number[] = [443, 8443];

/** Longest host name in text form. @see RFC 1035 section 2.3.4 */
const MAX_HOST_LENGTH = 253;

/** Longest label of a host name. @see RFC 1035 section 2.3.4 */
const MAX_LABEL_LENGTH = 63;

/**
 * Top-level labels (and `home.arpa`, by `arpa`) that never name a public host: names of the machine, of the local network or of
 * another naming system, and the strings that ICANN withholds because local networks use them. `.example` and `example.com` stay usable: they are documentation names that resolve to nothing
 * or to a public host, and published test vectors are written with them.
 * @see RFC 6761, RFC 6762, RFC 7686, RFC 9476, IANA Special-Use Domain Names
 */
const REFUSED_TOP_LEVEL_LABELS: ReadonlySet<string> = new Set(
  'alt arpa corp home internal intranet invalid lan local localdomain localhost mail onion private test'.split(' '),
);

/**
 * Exceptions for laboratories and tests; everything named here is permitted beside the defaults, nothing else changes.
 * Naming a loopback address lets whoever writes an Identity header make this machine connect to it: never in production.
 */
export interface X5uAllowList {
  /** Host names (exact, lower case, no wildcard) that the name rules do not apply to, for example `localhost`. */
  readonly hosts?: readonly string[];
  /** Networks (CIDR) that are permitted although special-purpose, for example `127.0.0.0/8`. */
  readonly addresses?: readonly string[];
  /** Ports beside 443 and 8443. */
  readonly ports?: readonly number[];
}

/** What a URL text may be, for the fetches that are not x5u (CRLs, trust lists). */
export interface UrlTextRules {
  /** Laboratory exceptions; default none. */
  readonly allow?: X5uAllowList;
  /** Default `['https']`. A CRL may come over http, since it is signed. */
  readonly schemes?: readonly ('https' | 'http')[];
}

/** A URL that may be connected to, in the parts that the connection is made of. */
export interface PermittedUrl {
  readonly status: 'permitted';
  readonly url: string;
  readonly scheme: 'https' | 'http';
  /** Lower case, without the brackets of an IPv6 literal. */
  readonly host: string;
  /** 0 for a name, 4 or 6 for an IP literal. */
  readonly literal: 0 | 4 | 6;
  /** As written, or that of the scheme: 1 to 65,535. */
  readonly port: number;
  /** Request target: path and, where permitted, query. */
  readonly target: string;
}

/** Result of {@link checkX5uUrl}. `detail` is for people. */
export type X5uUrlCheck =
  | PermittedUrl
  | {
      readonly status: 'refused';
      readonly url: string;
      readonly reason: X5uRefusal;
      readonly detail: string;
    };

/**
 * Checks the text of an x5u (or `info`) URL against the rules of ATIS-1000074, on the raw characters, and then makes sure
 * that the URL parser reads the same scheme, host, port and path out of it, so that nothing is approved that is not what
 * gets connected to. Permitted says nothing about the address behind a name: that is checked at the socket. Never throws.
 * @see RFC 8224 section 7.2, ATIS-1000074, RFC 3986
 */
export function checkX5uUrl(text: string, policy: Pick<UrlTextRules, 'allow'> = {}): X5uUrlCheck {
  return checkUrlText(text, policy.allow === undefined ? {} : { allow: policy.allow });
}

/** The same check with the schemes as a parameter, for CRLs and trust lists. @see RFC 3986, RFC 5280 section 4.2.1.13 */
export function checkUrlText(text: string, rules: UrlTextRules): X5uUrlCheck {
  const checked = readUrlText(text, rules);
  return 'reason' in checked ? { status: 'refused', url: text, ...checked } : checked;
}

interface Refusal {
  readonly reason: X5uRefusal;
  readonly detail: string;
}

function readUrlText(text: string, rules: UrlTextRules): PermittedUrl | Refusal {
  const refusal = refusalOfCharacters(text) ?? refusalOfMarks(text);
  if (refusal !== undefined) return refusal;
  const parts = splitUrl(text);
  if (parts === undefined) return { reason: 'not-a-url', detail: 'no scheme://host' };
  const scheme = (rules.schemes ?? ['https']).find((permitted) => permitted === parts.scheme);
  if (scheme === undefined) return { reason: 'scheme-not-https', detail: parts.scheme.slice(0, 20) };
  const port = portOf(parts.portText, scheme, rules);
  if (port === undefined) return { reason: 'port-not-permitted', detail: (parts.portText ?? '').slice(0, 20) };
  const checked = checkHost(parts.host, rules.allow);
  if ('reason' in checked) return checked;
  const { host, literal } = checked;
  const target = parts.target === '' ? '/' : parts.target;
  const permitted: PermittedUrl = {
    status: 'permitted',
    url: text,
    scheme,
    host,
    literal,
    port,
    target,
  };
  return parserDifference(permitted) ?? permitted;
}

/** RFC 3986 section 2: the characters a URI is made of; all else a parser would drop, fold or escape. */
const URI_CHARACTERS = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/;

function refusalOfCharacters(text: string): Refusal | undefined {
  if (text.length === 0) return { reason: 'not-a-url', detail: 'empty' };
  if (text.length > MAX_X5U_LENGTH) {
    return { reason: 'url-too-long', detail: `${text.length} characters, at most ${MAX_X5U_LENGTH}` };
  }
  if (URI_CHARACTERS.test(text)) return undefined;
  const index =
    Array.from({ length: text.length }, (_, at) => at).find((at) => !URI_CHARACTERS.test(text.charAt(at))) ?? 0;
  const code = text.charCodeAt(index).toString(16).padStart(4, '0').toUpperCase();
  return { reason: 'characters-not-permitted', detail: `U+${code} at ${index}` };
}

/** Marks that are refused wherever they stand, so that no reading of the text finds a userinfo, query or fragment. */
function refusalOfMarks(text: string): Refusal | undefined {
  if (text.includes('#')) return { reason: 'fragment-present', detail: 'the text holds #' };
  if (text.includes('?')) return { reason: 'query-present', detail: 'the text holds ?' };
  const authority = authorityOf(text);
  if (authority?.includes('@') === true) return { reason: 'userinfo-present', detail: 'the authority holds @' };
  return undefined;
}

function authorityOf(text: string): string | undefined {
  const start = text.indexOf('//');
  if (start < 0) return undefined;
  const rest = text.slice(start + 2);
  const end = rest.search(/[/?#]/);
  return end < 0 ? rest : rest.slice(0, end);
}

interface UrlParts {
  readonly scheme: string;
  /** As written, with the brackets of an IPv6 literal. */
  readonly host: string;
  readonly portText: string | undefined;
  readonly target: string;
}

/** scheme "://" host [":" port] target; RFC 3986 section 3, without what was refused before. */
function splitUrl(text: string): UrlParts | undefined {
  const colon = text.indexOf('://');
  if (colon <= 0) {
    const scheme = text.indexOf(':');
    return scheme > 0
      ? {
          scheme: text.slice(0, scheme).toLowerCase(),
          host: '',
          portText: undefined,
          target: '',
        }
      : undefined;
  }
  const authority = authorityOf(text) ?? '';
  const target = text.slice(colon + 3 + authority.length);
  const mark = authority.startsWith('[') ? authority.indexOf(']') + 1 || -1 : authority.indexOf(':');
  const host = mark < 0 ? authority : authority.slice(0, mark);
  const tail = authority.slice(host.length);
  if (tail !== '' && !tail.startsWith(':')) return undefined;
  return {
    scheme: text.slice(0, colon).toLowerCase(),
    host,
    portText: tail === '' ? undefined : tail.slice(1),
    target,
  };
}

/** Absent, or digits without a leading zero that name a permitted port; an empty port is refused. */
function portOf(portText: string | undefined, scheme: 'https' | 'http', rules: UrlTextRules): number | undefined {
  const own = scheme === 'https' ? 443 : 80;
  if (portText === undefined) return own;
  if (!/^[1-9]\d{0,4}$/.test(portText)) return undefined;
  const port = Number(portText);
  const permitted = port === own || X5U_PORTS.includes(port) || rules.allow?.ports?.includes(port) === true;
  return permitted ? port : undefined;
}

type HostCheck = Pick<PermittedUrl, 'host' | 'literal'> | Refusal;

const refusedHost = (detail: string): Refusal => ({ reason: 'host-not-permitted', detail });

function checkHost(written: string, allow: X5uAllowList | undefined): HostCheck {
  const host = written.toLowerCase();
  if (host === '') return { reason: 'not-a-url', detail: 'no host' };
  if (host.startsWith('[')) return checkIpv6Literal(host, allow);
  if (looksLikeIpv4(host)) return checkIpv4Literal(host, allow);
  const labels = host.split('.');
  if (allow?.hosts?.includes(host) === true && labels.every(isLabel)) return { host, literal: 0 };
  if (host.length > MAX_HOST_LENGTH) return refusedHost(`host of ${host.length} characters`);
  if (host.includes('%')) return refusedHost('percent-encoded host');
  const last = labels.at(-1) ?? '';
  if (last === '') return refusedHost('host ends with a dot');
  if (!labels.every(isLabel)) return refusedHost('a label is empty, too long or not letters, digits and hyphens');
  if (labels.length < 2) return refusedHost('host of one label');
  if (REFUSED_TOP_LEVEL_LABELS.has(last)) return refusedHost(`special-use name .${last}`);
  return { host, literal: 0 };
}

/** A host that the URL parser reads as IPv4: its last label is a number, be it decimal, octal or hexadecimal. */
function looksLikeIpv4(host: string): boolean {
  const labels = (host.endsWith('.') ? host.slice(0, -1) : host).split('.');
  return /^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '');
}

function checkIpv4Literal(host: string, allow: X5uAllowList | undefined): HostCheck {
  const address = attempt(() => new URL(`https://${host}/`))?.hostname;
  if (address === undefined) return refusedHost('host ends in a number but is no IPv4 address');
  if (isSpecialPurposeAddress(address) && !isAllowedAddress(address, allow))
    return { reason: 'address-special-purpose', detail: address };
  return address === host ? { host, literal: 4 } : refusedHost(`unusual spelling of ${address}`);
}

function checkIpv6Literal(host: string, allow: X5uAllowList | undefined): HostCheck {
  const bare = host.slice(1, -1);
  if (!host.endsWith(']') || bare.includes('%') || isIP(bare) !== 6)
    return refusedHost('no IPv6 address (without zone) in brackets');
  // A literal that wraps an IPv4 address has no honest use in a URL, whatever is inside.
  if (!isAllowedAddress(bare, allow) && (isSpecialPurposeAddress(bare) || embedsIpv4(bare)))
    return { reason: 'address-special-purpose', detail: bare };
  return { host: bare, literal: 6 };
}

export function isAllowedAddress(address: string, allow: X5uAllowList | undefined): boolean {
  if (allow?.addresses === undefined) return false;
  const parsed = parseNetworkSet(allow.addresses);
  return parsed.status === 'parsed' && parsed.networks.has(address);
}

/** Letters, digits, inner hyphens. @see RFC 1123 section 2.1 */
function isLabel(label: string): boolean {
  return (
    label.length <= MAX_LABEL_LENGTH && /^[a-z0-9-]+$/.test(label) && !label.startsWith('-') && !label.endsWith('-')
  );
}

/** An `xn--` label that stands for no name: the URL parser of Node 20 refuses it, newer ones let it through as it is. */
function isBrokenPunycode(host: string): boolean {
  if (!host.includes('xn--')) return false;
  const unicode = domainToUnicode(host);
  return unicode === '' || unicode.includes('xn--');
}

/** Where the URL parser reads something else out of the text than was approved. */
function parserDifference(permitted: PermittedUrl): Refusal | undefined {
  const parsed = attempt(() => new URL(permitted.url));
  if (parsed === undefined || isBrokenPunycode(parsed.hostname)) {
    return { reason: 'not-a-url', detail: 'the URL parser refuses it' };
  }
  const port = parsed.port === '' ? (permitted.scheme === 'https' ? 443 : 80) : Number(parsed.port);
  if (
    parsed.protocol !== `${permitted.scheme}:` ||
    port !== permitted.port ||
    parsed.username !== '' ||
    parsed.password !== ''
  ) {
    return { reason: 'not-a-url', detail: 'the URL parser reads another scheme, port or user' };
  }
  const host = permitted.literal === 6 ? parsed.hostname.slice(1, -1) : parsed.hostname;
  if (host !== permitted.host)
    return { reason: 'host-not-permitted', detail: `the URL parser connects to ${host.slice(0, MAX_HOST_LENGTH)}` };
  if (parsed.pathname + parsed.search !== permitted.target) {
    return { reason: 'characters-not-permitted', detail: 'dot segments or characters that the URL parser rewrites' };
  }
  return malformedEscape(permitted.target);
}

/** Every % is followed by two hexadecimal digits. @see RFC 3986 section 2.1 */
function malformedEscape(target: string): Refusal | undefined {
  for (let index = target.indexOf('%'); index >= 0; index = target.indexOf('%', index + 1)) {
    const code = target.slice(index + 1, index + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(code))
      return { reason: 'characters-not-permitted', detail: `malformed percent-encoding at ${index} of the path` };
    // An encoded control character has no place in a file name and is how logs and back ends get split.
    const value = Number.parseInt(code, 16);
    if (value < 0x20 || value === 0x7f || value === 0x5c)
      return { reason: 'characters-not-permitted', detail: `%${code} in the path` };
  }
  return undefined;
}
