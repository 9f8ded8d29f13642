import { isIP } from 'node:net';

/** A network or a single address; of IPv6 those that carry an IPv4 address (`::ffff:0:0/96`) are that. */
export interface IpPrefix {
  readonly family: 4 | 6;
  /** Of the network part, from the highest: `bits` of them. */
  readonly value: bigint;
  /** Length of the network part, bits. */
  readonly bits: number;
  /** Where only one is meant. */
  readonly port?: number;
}

/** `[2001:db8:ffff:ffff:ffff:ffff:255.255.255.255]:65535/128` and some more. */
const MAX_CHARS = 64;
const WIDTH = { 4: 32, 6: 128 } as const;

/**
 * Reads an address with or without a port, or a network. Never throws.
 * @param text - `192.0.2.1`, `192.0.2.1:5060`, `192.0.2.0/24`, `2001:db8::1`, `[2001:db8::1]:5060`, `2001:db8::/32`
 * @returns undefined where it is none, where host bits of a network are set, or a network has a port
 * @see RFC 4632 section 3.1, RFC 4291 section 2.3, RFC 3986 section 3.2.2
 */
export function readIpPrefix(text: string): IpPrefix | undefined {
  if (text.length > MAX_CHARS) return undefined;
  const slash = text.indexOf('/');
  if (slash < 0) return readEndpoint(text);
  const address = addressOf(text.slice(0, slash));
  const bits = /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : Number.NaN;
  // A mapped network is written in the other family, or is wider than all of it.
  if (address === undefined || address.isMapped || !(bits <= WIDTH[address.family])) return undefined;
  const hostBits = BigInt(WIDTH[address.family] - bits);
  const value = address.value >> hostBits;
  return value << hostBits === address.value ? { family: address.family, value, bits } : undefined;
}

/**
 * The prefix of an address, as a key to look it up by.
 * @param address - of one address
 * @param bits - length of the network part
 */
export function prefixKey({ family, value, bits: known }: IpPrefix, bits: number): string {
  return `${String(family)}/${String(bits)}/${(value >> BigInt(known - bits)).toString(16)}`;
}

function readEndpoint(text: string): IpPrefix | undefined {
  const [, inBrackets, portInBrackets] = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text) ?? [];
  const [, dotted, portDotted] = /^([\d.]+):(\d{1,5})$/.exec(text) ?? [];
  const host = inBrackets ?? dotted ?? text;
  const address = addressOf(host);
  const portText = portInBrackets ?? portDotted;
  const port = portText === undefined ? undefined : Number(portText);
  if (address === undefined || (inBrackets !== undefined && isIP(host) !== 6)) return undefined;
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const { family, value } = address;
  return { family, value, bits: WIDTH[family], ...(port === undefined ? {} : { port }) };
}

interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
  readonly isMapped: boolean;
}

function addressOf(text: string): Address | undefined {
  const family = isIP(text);
  if (family === 4) return { family, value: dottedValue(text), isMapped: false };
  // A zone names a link of the machine that wrote it: of no use on another.
  if (family !== 6 || text.includes('%')) return undefined;
  const value = colonValue(text);
  const isMapped = value >> 32n === 0xffffn;
  return isMapped ? { family: 4, value: value & 0xffff_ffffn, isMapped } : { family, value, isMapped };
}

function dottedValue(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** @param text - an IPv6 address that was found to be one */
function colonValue(text: string): bigint {
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  const dotted = tail.includes('.') ? dottedValue(tail) : undefined;
  const whole =
    dotted === undefined
      ? text
      : `${text.slice(0, lastColon + 1)}${(dotted >> 16n).toString(16)}:${(dotted & 0xffffn).toString(16)}`;
  const [head = '', rest] = whole.split('::');
  const before = groupsOf(head);
  const after = rest === undefined ? [] : groupsOf(rest);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | group, 0n);
}

function groupsOf(text: string): readonly bigint[] {
  return text === '' ? [] : text.split(':').map((group) => BigInt(`0x${group}`));
}
