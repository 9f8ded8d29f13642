import { expect, test } from 'vitest';
import { PcapWriter, pcapOf, type TappedMessage } from '@hopback/harness/drachtio';

const SERVER = { address: '127.0.0.1', port: 5060 };
const PEER = { address: '127.0.0.2', port: 40_000 };
const TEXT = 'OPTIONS sip:a@example.com SIP/2.0\r\nSubject: \xe9\r\n\r\n';
const BASE: TappedMessage = {
  ...{ direction: 'in', transport: 'udp', local: SERVER, remote: PEER, text: TEXT },
  atMs: Date.UTC(2026, 10, 2, 12) + 123.456,
};

/** A record of a capture, read without the writer's code. */
interface Packet {
  readonly seconds: number;
  readonly microseconds: number;
  readonly version: number;
  readonly protocol: number;
  readonly from: string;
  readonly to: string;
  /** Octets of the packet. */
  readonly size: number;
  readonly identification: number;
  /** Octets before this fragment, and whether more come. */
  readonly offset: number;
  readonly more: boolean;
  /** What the IP packet carries. */
  readonly payload: Buffer;
  /** Pseudo header for whatever is carried with this length. */
  readonly pseudo: (length: number) => Buffer;
}

function packetsOf(capture: Uint8Array): readonly Packet[] {
  const file = Buffer.from(capture);
  const packets: Packet[] = [];
  let at = 24;
  while (at < file.length) {
    const [seconds, microseconds, kept, length] = [0, 4, 8, 12].map((place) => file.readUInt32LE(at + place));
    expect(kept).toBe(length);
    const octets = file.subarray(at + 16, at + 16 + length!);
    expect(octets.length).toBe(length);
    packets.push({ seconds: seconds!, microseconds: microseconds!, size: length!, ...ipOf(octets) });
    at += 16 + length!;
  }
  return packets;
}

function ipOf(octets: Buffer): Omit<Packet, 'seconds' | 'microseconds' | 'size'> {
  if (octets.readUInt8(0) >> 4 === 6) return ipv6Of(octets);
  expect(octets.readUInt8(0)).toBe(0x45);
  expect(octets.readUInt16BE(2)).toBe(octets.length);
  expect(onesSum(octets.subarray(0, 20))).toBe(0xffff);
  const flags = octets.readUInt16BE(6);
  const protocol = octets.readUInt8(9);
  return {
    ...{ version: 4, protocol, identification: octets.readUInt16BE(4) },
    ...{ from: [...octets.subarray(12, 16)].join('.'), to: [...octets.subarray(16, 20)].join('.') },
    ...{ offset: (flags & 0x1fff) * 8, more: (flags & 0x2000) !== 0, payload: octets.subarray(20) },
    pseudo: (length) => Buffer.from([...octets.subarray(12, 20), 0, protocol, length >> 8, length & 0xff]),
  };
}

function ipv6Of(octets: Buffer): Omit<Packet, 'seconds' | 'microseconds' | 'size'> {
  expect(octets.readUInt16BE(4)).toBe(octets.length - 40);
  const address = (start: number): string => octets.subarray(start, start + 16).toString('hex');
  const isFragment = octets.readUInt8(6) === 44;
  const protocol = octets.readUInt8(isFragment ? 40 : 6);
  const place = isFragment ? octets.readUInt16BE(42) : 0;
  const length = (count: number): Buffer => Buffer.from([0, count >> 16, (count >> 8) & 0xff, count & 0xff]);
  return {
    ...{ version: 6, protocol, identification: isFragment ? octets.readUInt32BE(44) : 0 },
    ...{ from: address(8), to: address(24), offset: place & ~7, more: (place & 1) === 1 },
    payload: octets.subarray(isFragment ? 48 : 40),
    pseudo: (count) => Buffer.concat([octets.subarray(8, 40), length(count), Buffer.from([0, 0, 0, protocol])]),
  };
}

/** 0xffff over octets whose checksum among them is right. @see RFC 1071 */
function onesSum(octets: Buffer): number {
  let sum = 0n;
  for (let at = 0; at < octets.length; at += 2) sum += BigInt(octets[at]! * 256 + (octets[at + 1] ?? 0));
  while (sum > 0xffffn) sum = (sum & 0xffffn) + (sum >> 16n);
  return Number(sum);
}

/** Puts the fragments of one datagram together again. */
function datagramOf(packets: readonly Packet[]): Buffer {
  let expected = 0;
  for (const { offset, more, payload, identification } of packets) {
    expect([offset, more, identification]).toEqual([
      expected,
      offset + payload.length < total(packets),
      packets[0]!.identification,
    ]);
    expected += payload.length;
  }
  return Buffer.concat(packets.map(({ payload }) => payload));
}

function total(packets: readonly Packet[]): number {
  return packets.reduce((sum, { payload }) => sum + payload.length, 0);
}

function expectUdp(packets: readonly Packet[], text: string): void {
  const datagram = datagramOf(packets);
  expect(packets[0]!.protocol).toBe(17);
  expect(datagram.readUInt16BE(4)).toBe(datagram.length);
  expect(onesSum(Buffer.concat([packets[0]!.pseudo(datagram.length), datagram]))).toBe(0xffff);
  expect(datagram.subarray(8).toString('latin1')).toBe(text);
}

interface Segment {
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: number;
  readonly text: string;
}

function segmentOf({ protocol, payload, pseudo }: Packet): Segment {
  expect(protocol).toBe(6);
  expect(payload.readUInt8(12)).toBe(0x50);
  expect(onesSum(Buffer.concat([pseudo(payload.length), payload]))).toBe(0xffff);
  return {
    ...{ sequence: payload.readUInt32BE(4), acknowledged: payload.readUInt32BE(8), flags: payload.readUInt8(13) },
    text: payload.subarray(20).toString('latin1'),
  };
}

const [ACK, PUSH_ACK] = [0x10, 0x18];

test('a capture without messages is a header: microseconds, version 2.4, LINKTYPE_RAW', () => {
  const header = Buffer.from(pcapOf([]));
  expect(header.toString('hex')).toBe('d4c3b2a10200040000000000000000000000040065000000');
});

test.each([
  ['in', ['127.0.0.2', 40_000], ['127.0.0.1', 5060]],
  ['out', ['127.0.0.1', 5060], ['127.0.0.2', 40_000]],
] as const)('a datagram that goes %s has both ends, its time and right checksums', (direction, from, to) => {
  const [packet, ...others] = packetsOf(pcapOf([{ ...BASE, direction }]));
  expect(others).toEqual([]);
  expect(packet).toMatchObject({
    ...{ version: 4, from: from[0], to: to[0], offset: 0, more: false },
    ...{ seconds: Date.UTC(2026, 10, 2, 12) / 1_000, microseconds: 123_456 },
  });
  expect([packet!.payload.readUInt16BE(0), packet!.payload.readUInt16BE(2)]).toEqual([from[1], to[1]]);
  expectUdp([packet!], TEXT);
});

test.each([
  [0, 0, 0],
  [999.9994, 0, 999_999],
  [999.9996, 1, 0],
  [1_793_620_800_000.5, 1_793_620_800, 500],
])('a message of the millisecond %d has %i s and %i µs', (atMs, seconds, microseconds) => {
  expect(packetsOf(pcapOf([{ ...BASE, atMs }]))[0]).toMatchObject({ seconds, microseconds });
});

test('a sum that comes out as zero is written as all ones', () => {
  const sumOf = (text: string): number => packetsOf(pcapOf([{ ...BASE, text }]))[0]!.payload.readUInt16BE(6);
  // What the others lack to a sum of zero is what is written over two octets of zero.
  const lacking = sumOf('\0\0');
  const text = String.fromCharCode(lacking >> 8, lacking & 0xff);
  expect(sumOf(text)).toBe(0xffff);
  expectUdp(packetsOf(pcapOf([{ ...BASE, text }])), text);
});

test('a datagram longer than UDP can carry is left out', () => {
  expect(pcapOf([{ ...BASE, text: octets(65_508) }])).toHaveLength(24);
  const ipv6 = { ...BASE, remote: { address: '::1', port: 1 } };
  expectUdp(packetsOf(pcapOf([{ ...ipv6, text: octets(65_527) }])), octets(65_527));
  expect(pcapOf([{ ...ipv6, text: octets(65_528) }])).toHaveLength(24);
});

test.each([
  ['127.0.0.2', 1472, 1],
  ['127.0.0.2', 1473, 2],
  ['127.0.0.2', 7_300, 5],
  ['127.0.0.2', 65_507, 45],
  ['2001:db8::9', 1452, 1],
  ['2001:db8::9', 1453, 2],
  ['2001:db8::9', 7_300, 6],
])('over an Ethernet a datagram between us and %s of %i octets is %i fragments', (address, size, count) => {
  const text = octets(size);
  const packets = packetsOf(pcapOf([{ ...BASE, remote: { address, port: 5 }, text }], { mtuBytes: 1_500 }));
  expect(packets).toHaveLength(count);
  for (const packet of packets) {
    expect(packet.size).toBeLessThanOrEqual(1_500);
    if (packet.more) expect(packet.payload.length % 8).toBe(0);
  }
  expectUdp(packets, text);
});

test.each(['tcp', 'tls', 'ws', 'wss'] as const)('messages over %s are segments of one connection', (transport) => {
  const texts = ['request', 'first answer', 'second answer', 'acknowledgement'];
  const directions = ['in', 'out', 'out', 'in'] as const;
  const messages = texts.map((text, index) => ({ ...BASE, transport, text, direction: directions[index]! }));
  const packets = packetsOf(pcapOf(messages));
  expect(packets.map(({ from }) => from)).toEqual(['127.0.0.2', '127.0.0.1', '127.0.0.1', '127.0.0.2']);
  expect(packets.map(segmentOf)).toEqual([
    { sequence: 1, acknowledged: 1, flags: PUSH_ACK, text: texts[0] },
    { sequence: 1, acknowledged: 8, flags: PUSH_ACK, text: texts[1] },
    { sequence: 13, acknowledged: 8, flags: PUSH_ACK, text: texts[2] },
    { sequence: 8, acknowledged: 26, flags: PUSH_ACK, text: texts[3] },
  ]);
});

test.each([
  ['127.0.0.2', 1_460, 1],
  ['127.0.0.2', 1_461, 2],
  ['2001:db8::9', 1_440, 1],
  ['2001:db8::9', 10_000, 7],
])('over an Ethernet a message of a stream between us and %s of %i octets is %i segments', (address, size, count) => {
  const message: TappedMessage = { ...BASE, transport: 'tcp', remote: { address, port: 5 }, text: octets(size) };
  const packets = packetsOf(pcapOf([message, message], { mtuBytes: 1_500 }));
  expect(packets).toHaveLength(2 * count);
  const segments = packets.map(segmentOf);
  let next = 1;
  for (const [index, { sequence, flags, text }] of segments.entries()) {
    expect([sequence, flags]).toEqual([next, (index + 1) % count === 0 ? PUSH_ACK : ACK]);
    expect(packets[index]!.size).toBeLessThanOrEqual(1_500);
    next += text.length;
  }
  expect(segments.map(({ text }) => text).join('')).toBe(octets(size).repeat(2));
});

test('a megabyte over a stream is cut into segments even where packets may be as long as they can be', () => {
  const text = octets(1_048_576);
  const packets = packetsOf(pcapOf([{ ...BASE, transport: 'tcp', text }]));
  expect(packets).toHaveLength(17);
  expect(packets.map((packet) => segmentOf(packet).text).join('')).toBe(text);
});

test.each([
  ['127.0.0.1', '10.1.2.3', 4, { from: '10.1.2.3', to: '127.0.0.1' }],
  ['0.0.0.0', '10.1.2.3', 4, { from: '10.1.2.3', to: '0.0.0.0' }],
  ['localhost', '10.1.2.3', 4, { from: '10.1.2.3', to: '127.0.0.1' }],
  ['sip.example.com', '10.1.2.3', 4, { from: '10.1.2.3', to: '0.0.0.0' }],
  ['::', '10.1.2.3', 4, { from: '10.1.2.3', to: '0.0.0.0' }],
  ['::', '::ffff:10.1.2.3', 4, { from: '10.1.2.3', to: '0.0.0.0' }],
  ['::1', '::1', 6, { from: hex(0, 0, 0, 0, 0, 0, 0, 1), to: hex(0, 0, 0, 0, 0, 0, 0, 1) }],
  ['localhost', '::1', 6, { from: hex(0, 0, 0, 0, 0, 0, 0, 1), to: hex(0, 0, 0, 0, 0, 0, 0, 1) }],
  ['::', '2001:db8:1::2:3', 6, { from: hex(0x2001, 0xdb8, 1, 0, 0, 0, 2, 3), to: hex(0, 0, 0, 0, 0, 0, 0, 0) }],
  ['::', 'fe80::1%eth0', 6, { from: hex(0xfe80, 0, 0, 0, 0, 0, 0, 1), to: hex(0, 0, 0, 0, 0, 0, 0, 0) }],
  ['127.0.0.1', '1:2:3:4:5:6:7:8', 6, { from: hex(1, 2, 3, 4, 5, 6, 7, 8), to: hex(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1) }],
  [
    '::',
    '64:ff9b::192.0.2.33',
    6,
    { from: hex(0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x221), to: hex(0, 0, 0, 0, 0, 0, 0, 0) },
  ],
  ['::', 'fe80::', 6, { from: hex(0xfe80, 0, 0, 0, 0, 0, 0, 0), to: hex(0, 0, 0, 0, 0, 0, 0, 0) }],
])('a listener at %s and a peer at %s meet in IPv%i', (local, remote, version, ends) => {
  const message = { ...BASE, local: { ...SERVER, address: local }, remote: { ...PEER, address: remote } };
  const packets = packetsOf(pcapOf([message]));
  expect(packets[0]).toMatchObject({ version, ...ends });
  expectUdp(packets, TEXT);
});

test.each([0, 575, 65_536, 1_500.5, Number.NaN])('refuses packets of at most %d octets', (mtuBytes) => {
  expect(() => new PcapWriter({ mtuBytes })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect(() => pcapOf([], { mtuBytes })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test('a capture written piece by piece is the same', () => {
  const messages: readonly TappedMessage[] = [BASE, { ...BASE, transport: 'tcp' }, { ...BASE, direction: 'out' }];
  const writer = new PcapWriter();
  const pieces = [writer.header, ...messages.map((message) => writer.records(message))];
  expect(Buffer.concat(pieces).equals(pcapOf(messages))).toBe(true);
});

/** Octets without a pattern that a wrong order would leave. */
function octets(count: number): string {
  let text = '';
  for (let index = 0; text.length < count; index += 1) text += `${index}\xff`;
  return text.slice(0, count);
}

function hex(...groups: readonly number[]): string {
  return groups.map((group) => group.toString(16).padStart(4, '0')).join('');
}
