import { isIPv4, isIPv6 } from 'node:net';
import { HopbackError } from '@hopback/sdk/errors';
import type { Endpoint } from '../transport/flow.js';
import type { TappedMessage } from './tap.js';

/** Settings of {@link pcapOf} and {@link PcapWriter}. */
export interface PcapOptions {
  /**
   * Length that no packet exceeds, octets, IP header and all: 576 to 65,535. Default 65,535, which on loopback is what it is: every
   * datagram is whole. 1,500 shows the fragments and segments that an Ethernet would have carried.
   */
  readonly mtuBytes?: number;
}

/**
 * Turns what a server's tap saw into a pcap file for Wireshark, tshark and sngrep: IP packets without a link layer (LINKTYPE_RAW),
 * times in microseconds. The messages are what came and went, octet by octet, in their order; addresses and ports are the peer's and those of our
 * listener, also on a connection that we opened from another port. All else about the packets is made up. A message of TCP, TLS or a
 * WebSocket is one or more TCP segments that begin with it, numbered as those of one connection without handshake and end: TLS is shown decrypted, and
 * WebSocket frames are taken off, since without the HTTP handshake no dissector would look for SIP in them. Two servers that call each other show
 * the same message twice: one file per server. Never throws for peer input.
 * @param messages - what a tap was given, one server's
 * @param options - the longest packet, octets; default as long as packets can be
 * @returns the whole file, about 44 octets more than each message
 * @throws {@link HopbackError} `invalid-argument` when `mtuBytes` is out of bounds
 * @see https://www.tcpdump.org/linktypes.html LINKTYPE_RAW; RFC 791, RFC 8200, RFC 768, RFC 9293
 * @example
 * ```ts
 * const at = (port: number): Endpoint => ({ address: '127.0.0.1', port });
 * const text = 'OPTIONS sip:127.0.0.1 SIP/2.0\r\n\r\n';
 * const asked: TappedMessage = { direction: 'in', transport: 'udp', local: at(5060), remote: at(5080), atMs: 1_700_000_000_000, text };
 * const capture = pcapOf([asked]);
 * console.log(capture.length - text.length); // 68
 * ```
 */
export function pcapOf(messages: readonly TappedMessage[], options: PcapOptions = {}): Uint8Array {
  const writer = new PcapWriter(options);
  return joined([writer.header, ...messages.map((message) => writer.records(message))]);
}

/**
 * Writes {@link pcapOf}'s file piece by piece, while calls go on. It keeps two numbers per connection, and no message.
 * @see https://www.tcpdump.org/linktypes.html LINKTYPE_RAW
 * @example
 * ```ts
 * const capture = new PcapWriter();
 * const chunks: Uint8Array[] = [capture.header];
 * await using server = await DrachtioServer.open({ onMessage: (message) => void chunks.push(capture.records(message)) });
 * console.log(chunks[0]?.length); // 24
 * ```
 */
export class PcapWriter {
  /** The 24 octets that a file begins with. */
  readonly header: Uint8Array = fileHeader();
  readonly #mtuBytes: number;
  readonly #streams = new Map<string, Stream>();
  #packets = 0;

  /**
   * @param options - the longest packet, octets; default as long as packets can be
   * @throws {@link HopbackError} `invalid-argument` when `mtuBytes` is out of bounds
   */
  constructor({ mtuBytes = LONGEST_PACKET }: PcapOptions = {}) {
    if (!Number.isInteger(mtuBytes) || mtuBytes < SHORTEST_MTU || mtuBytes > LONGEST_PACKET) {
      throw new HopbackError(
        'invalid-argument',
        `mtuBytes must be an integer from ${SHORTEST_MTU} to ${LONGEST_PACKET}, not ${mtuBytes}`,
      );
    }
    this.#mtuBytes = mtuBytes;
  }

  /**
   * The records of one message, to be appended in the order of the calls. Never throws for peer input.
   * @returns nothing for a message of UDP that is longer than a datagram can be: no socket has sent it
   */
  records(message: TappedMessage): Uint8Array {
    const { direction, local, remote, atMs } = message;
    const route = routeOf(message);
    const octets = Buffer.from(message.text, 'latin1');
    if (message.transport === 'udp') {
      if (octets.length > LONGEST_DATAGRAM[route.version]) return new Uint8Array();
      return recordsOf(this.#pack({ protocol: UDP, octets: udpDatagram(octets, route) }, route), atMs);
    }
    const key = `${hostText(local)} ${hostText(remote)}`;
    const stream = this.#streams.get(key) ?? { in: FIRST_SEQUENCE, out: FIRST_SEQUENCE };
    this.#streams.set(key, stream);
    const segmentBytes = this.#mtuBytes - IP_HEADER[route.version] - TCP_HEADER;
    const packets = pieces(octets, segmentBytes).flatMap((piece, index, { length }) => {
      const acknowledged = stream[direction === 'in' ? 'out' : 'in'];
      const numbers = { sequence: stream[direction], acknowledged, isLast: index === length - 1 };
      stream[direction] = (stream[direction] + piece.length) % SEQUENCE_NUMBERS;
      return this.#pack({ protocol: TCP, octets: tcpSegment(piece, route, numbers) }, route);
    });
    return recordsOf(packets, atMs);
  }

  #pack(payload: Payload, route: Route): readonly Uint8Array[] {
    this.#packets += 1;
    return ipPackets(payload, { route, mtuBytes: this.#mtuBytes, identification: this.#packets });
  }
}

/** What an IPv4 packet's length field can say. */
const LONGEST_PACKET = 65_535;
/** What every host takes. @see RFC 791 section 3.1 */
const SHORTEST_MTU = 576;
const IP_HEADER = { 4: 20, 6: 40 } as const;
const FRAGMENT_HEADER = 8;
const UDP_HEADER = 8;
const TCP_HEADER = 20;
/** Of what UDP can carry; IPv4 counts its own header into the length, IPv6 does not. */
const LONGEST_DATAGRAM = {
  4: LONGEST_PACKET - IP_HEADER[4] - UDP_HEADER,
  6: LONGEST_PACKET - UDP_HEADER,
} as const;
const UDP = 17;
const TCP = 6;
const FRAGMENT = 44;
const HOPS = 64;
const SEQUENCE_NUMBERS = 2 ** 32;
/** Any would do; with this one the numbers that Wireshark shows relative to the first are those of the file. */
const FIRST_SEQUENCE = 1;

/** Next sequence number of what came and of what went. */
interface Stream {
  in: number;
  out: number;
}

interface Route {
  readonly version: 4 | 6;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly fromPort: number;
  readonly toPort: number;
}

interface Payload {
  readonly protocol: typeof UDP | typeof TCP;
  readonly octets: Uint8Array;
}

/** Magic number of microseconds, version 2.4, UTC, no snap length that anything here could exceed, LINKTYPE_RAW. */
function fileHeader(): Uint8Array {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1_b2_c3_d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(101, 20);
  return header;
}

function recordsOf(packets: readonly Uint8Array[], atMs: number): Uint8Array {
  const microseconds = Math.round(atMs * 1_000);
  const record = (packet: Uint8Array): Uint8Array => {
    const header = Buffer.alloc(16);
    header.writeUInt32LE(unsigned(Math.floor(microseconds / 1_000_000)), 0);
    header.writeUInt32LE(unsigned(((microseconds % 1_000_000) + 1_000_000) % 1_000_000), 4);
    header.writeUInt32LE(packet.length, 8);
    header.writeUInt32LE(packet.length, 12);
    return joined([header, packet]);
  };
  return joined(packets.map(record));
}

/** @see RFC 768 */
function udpDatagram(octets: Uint8Array, route: Route): Uint8Array {
  const datagram = Buffer.alloc(UDP_HEADER + octets.length);
  writePorts(datagram, route);
  datagram.writeUInt16BE(datagram.length, 4);
  datagram.set(octets, UDP_HEADER);
  // A sum of zero would mean that there is none.
  datagram.writeUInt16BE(checksum([pseudoHeader(route, UDP, datagram.length), datagram]) || 0xff_ff, 6);
  return datagram;
}

interface Numbers {
  readonly sequence: number;
  readonly acknowledged: number;
  /** Whether the message ends with this segment, which is then pushed. */
  readonly isLast: boolean;
}

/** @see RFC 9293 section 3.1 */
function tcpSegment(octets: Uint8Array, route: Route, { sequence, acknowledged, isLast }: Numbers): Uint8Array {
  const segment = Buffer.alloc(TCP_HEADER + octets.length);
  writePorts(segment, route);
  segment.writeUInt32BE(sequence, 4);
  segment.writeUInt32BE(acknowledged, 8);
  segment.writeUInt8((TCP_HEADER / 4) << 4, 12);
  segment.writeUInt8(isLast ? 0b1_1000 : 0b1_0000, 13);
  segment.writeUInt16BE(0xff_ff, 14);
  segment.set(octets, TCP_HEADER);
  segment.writeUInt16BE(checksum([pseudoHeader(route, TCP, segment.length), segment]), 16);
  return segment;
}

function writePorts(header: Buffer, { fromPort, toPort }: Route): void {
  header.writeUInt16BE(fromPort & 0xff_ff, 0);
  header.writeUInt16BE(toPort & 0xff_ff, 2);
}

interface Packing {
  readonly route: Route;
  readonly mtuBytes: number;
  readonly identification: number;
}

/** One packet, or the fragments of it: all but the last are a multiple of eight octets. */
function ipPackets({ protocol, octets }: Payload, { route, mtuBytes, identification }: Packing): readonly Uint8Array[] {
  const { version } = route;
  const room = mtuBytes - IP_HEADER[version];
  const write = version === 4 ? ipv4Packet : ipv6Packet;
  if (octets.length <= room) return [write(octets, { protocol, route, identification })];
  const largest = Math.floor((version === 4 ? room : room - FRAGMENT_HEADER) / 8) * 8;
  return pieces(octets, largest).map((piece, index, { length }) =>
    write(piece, {
      protocol,
      route,
      identification,
      fragment: { offset: index * largest, isLast: index === length - 1 },
    }),
  );
}

interface IpHeader {
  readonly protocol: number;
  readonly route: Route;
  readonly identification: number;
  readonly fragment?: { readonly offset: number; readonly isLast: boolean };
}

/** @see RFC 791 section 3.1 */
function ipv4Packet(octets: Uint8Array, { protocol, route, identification, fragment }: IpHeader): Uint8Array {
  const header = Buffer.alloc(IP_HEADER[4]);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(header.length + octets.length, 2);
  header.writeUInt16BE(identification & 0xff_ff, 4);
  // Do not fragment; or the place of the fragment, and whether more come.
  header.writeUInt16BE(fragment === undefined ? 0x40_00 : fragment.offset / 8 + (fragment.isLast ? 0 : 0x20_00), 6);
  header.writeUInt8(HOPS, 8);
  header.writeUInt8(protocol, 9);
  header.set(route.from, 12);
  header.set(route.to, 16);
  header.writeUInt16BE(checksum([header]), 10);
  return joined([header, octets]);
}

/** @see RFC 8200 sections 3 and 4.5 */
function ipv6Packet(octets: Uint8Array, { protocol, route, identification, fragment }: IpHeader): Uint8Array {
  const extension = Buffer.alloc(fragment === undefined ? 0 : FRAGMENT_HEADER);
  if (fragment !== undefined) {
    extension.writeUInt8(protocol, 0);
    extension.writeUInt16BE(fragment.offset + (fragment.isLast ? 0 : 1), 2);
    extension.writeUInt32BE(unsigned(identification), 4);
  }
  const header = Buffer.alloc(IP_HEADER[6]);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(extension.length + octets.length, 4);
  header.writeUInt8(fragment === undefined ? protocol : FRAGMENT, 6);
  header.writeUInt8(HOPS, 7);
  header.set(route.from, 8);
  header.set(route.to, 24);
  return joined([header, extension, octets]);
}

/** What a transport's checksum covers of the packet around it. @see RFC 9293 section 3.1, RFC 8200 section 8.1 */
function pseudoHeader({ version, from, to }: Route, protocol: number, length: number): Uint8Array {
  const rest = Buffer.alloc(version === 4 ? 4 : 8);
  rest.writeUInt8(protocol, version === 4 ? 1 : 7);
  if (version === 4) rest.writeUInt16BE(length, 2);
  else rest.writeUInt32BE(length, 0);
  return joined([from, to, rest]);
}

/** Of parts of which all but the last have an even number of octets. @see RFC 1071 */
function checksum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += ((part[at] ?? 0) << 8) | (part[at + 1] ?? 0);
  }
  while (sum > 0xff_ff) sum = (sum % 0x1_00_00) + Math.floor(sum / 0x1_00_00);
  return ~sum & 0xff_ff;
}

/** The peer's family is that of the packet: its address came from a socket, ours may be a name or stand for all addresses. */
function routeOf({ direction, local, remote }: TappedMessage): Route {
  const version = isIPv6(withoutMapping(remote.address)) ? 6 : 4;
  const [from, to] = direction === 'in' ? [remote, local] : [local, remote];
  return {
    version,
    from: addressOctets(from.address, version),
    to: addressOctets(to.address, version),
    fromPort: from.port,
    toPort: to.port,
  };
}

/** Octets of an address in a family; all zero where it has none there. */
function addressOctets(address: string, version: 4 | 6): Uint8Array {
  const text = address === 'localhost' ? (version === 4 ? '127.0.0.1' : '::1') : withoutMapping(address);
  if (isIPv4(text)) {
    const octets = text.split('.').map(Number);
    return Uint8Array.from(version === 4 ? octets : [...MAPPED, ...octets]);
  }
  return version === 6 && isIPv6(text) ? ipv6Octets(text) : new Uint8Array(version === 4 ? 4 : 16);
}

/** Begins an IPv6 address that stands for one of IPv4. @see RFC 4291 section 2.5.5.2 */
const MAPPED: readonly number[] = [...Array.from<number>({ length: 10 }).fill(0), 0xff, 0xff];

function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** @see RFC 4291 section 2.2 */
function ipv6Octets(address: string): Uint8Array {
  const [text = ''] = address.split('%');
  const groups = (part: string): readonly number[] =>
    part
      .split(':')
      .filter((group) => group !== '')
      .flatMap((group) => (group.includes('.') ? pairs(group.split('.').map(Number)) : [Number.parseInt(group, 16)]));
  const [before = '', after] = text.split('::');
  const head = groups(before);
  const tail = after === undefined ? [] : groups(after);
  const octets = Buffer.alloc(16);
  head.forEach((group, index) => octets.writeUInt16BE(group, index * 2));
  tail.forEach((group, index) => octets.writeUInt16BE(group, 16 - (tail.length - index) * 2));
  return octets;
}

function pairs([a = 0, b = 0, c = 0, d = 0]: readonly number[]): readonly number[] {
  return [a * 256 + b, c * 256 + d];
}

function hostText({ address, port }: Endpoint): string {
  return `${address}:${port}`;
}

/** Parts no longer than `largest`; one where there is nothing to part. */
function pieces(octets: Uint8Array, largest: number): readonly Uint8Array[] {
  const parts: Uint8Array[] = [octets.subarray(0, largest)];
  for (let at = largest; at < octets.length; at += largest) parts.push(octets.subarray(at, at + largest));
  return parts;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** As many bits as a field of 32 holds. */
function unsigned(value: number): number {
  return value >>> 0;
}
