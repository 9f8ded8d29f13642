import { isIP } from 'node:net';

/**
 * Labels under which the registries of countries sell names (`co.uk`, `com.au`, `or.jp`, `gob.mx`). Taken for one under every
 * country code: where such a label is an ordinary name instead, its owner gains sites, of which a domain buys him one as well.
 */
const REGISTRY_LABELS: ReadonlySet<string> = new Set(
  'ac ad co com edu go gob gouv gov govt ltd mil ne net nom or org plc'.split(' '),
);

/**
 * Which site a host belongs to, for the sharing of sockets, memory and disk: the domain that its owner had to register, since names
 * below it cost nothing; an IPv4 literal itself; of an IPv6 literal its /64, of which one machine has every address.
 * Domains that many providers share (cloud storage) share their part, too.
 * @param host - lower-case host name or IP literal without brackets
 */
export function siteOf(host: string): string {
  const version = isIP(host);
  if (version === 4) return host;
  if (version === 6) return networkOf(host);
  const labels = host.split('.');
  const isCountry = labels.at(-1)?.length === 2;
  return labels.slice(isCountry && REGISTRY_LABELS.has(labels.at(-2) ?? '') ? -3 : -2).join('.');
}

/** The site of a URL that passed the text policy; a text that is no URL is its own site. */
export function siteOfUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const { hostname } = new URL(url);
  return siteOf(hostname.startsWith('[') ? hostname.slice(1, -1) : hostname);
}

/** The first 64 bits of an IPv6 address. */
function networkOf(address: string): string {
  // The URL parser writes the canonical form: hexadecimal groups, of which a run of zeros may be swallowed by '::'.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - groups.length - last.length }, () => '0');
  return `${[...groups, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}
