import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';

/** One end of a captured message. */
export interface HepEnd {
  readonly address: string;
  readonly port: number;
}

/** What a packet is made of. */
export interface HepPacketParts {
  readonly source: HepEnd;
  readonly destination: HepEnd;
  /** Microseconds since the epoch. */
  readonly atUs: number;
  readonly payload: string | Uint8Array;
  readonly payloadType?: number;
  readonly correlationId?: string;
  readonly key?: string;
  /** Chunks behind all others, whole. */
  readonly more?: readonly Buffer[];
}

/** A chunk: vendor, type, length, value. */
export function hepChunk(type: number, value: Uint8Array, vendor: number = 0): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt16BE(vendor, 0);
  header.writeUInt16BE(type, 2);
  header.writeUInt16BE(value.length + 6, 4);
  return Buffer.concat([header, value]);
}

/** A packet of chunks, as they are. */
export function hepOfChunks(chunks: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(chunks);
  const header = Buffer.from('HEP3\0\0', 'latin1');
  header.writeUInt16BE(body.length + 6, 4);
  return Buffer.concat([header, body]);
}

/** The chunks that an agent writes. */
export function hepChunks(parts: HepPacketParts): readonly Buffer[] {
  const { source, destination, atUs, payload, payloadType = 1, correlationId, key, more = [] } = parts;
  const isIpv6 = source.address.includes(':');
  return [
    hepChunk(1, Uint8Array.of(isIpv6 ? 10 : 2)),
    hepChunk(2, Uint8Array.of(17)),
    hepChunk(isIpv6 ? 5 : 3, addressBytes(source.address)),
    hepChunk(isIpv6 ? 6 : 4, addressBytes(destination.address)),
    hepChunk(7, uint(source.port, 2)),
    hepChunk(8, uint(destination.port, 2)),
    hepChunk(9, uint(Math.floor(atUs / 1_000_000), 4)),
    hepChunk(10, uint(atUs % 1_000_000, 4)),
    hepChunk(11, Uint8Array.of(payloadType)),
    hepChunk(12, uint(2001, 4)),
    ...(key === undefined ? [] : [hepChunk(14, Buffer.from(key))]),
    ...(correlationId === undefined ? [] : [hepChunk(17, Buffer.from(correlationId))]),
    hepChunk(15, typeof payload === 'string' ? Buffer.from(payload) : payload),
    ...more,
  ];
}

/** A packet as an agent sends it. */
export function hepPacket(parts: HepPacketParts): Buffer {
  return hepOfChunks(hepChunks(parts));
}

function uint(value: number, octets: 2 | 4): Buffer {
  const bytes = Buffer.alloc(octets);
  bytes.writeUIntBE(value, 0, octets);
  return bytes;
}

function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  return Buffer.concat(all.map((group) => uint(group, 2)));
}

/** The source of `test/vectors/records/hep/proxy`, and its packets. */
export function proxySample(): { readonly source: object; readonly packets: readonly Buffer[] } {
  const read = (name: string): string => readFileSync(`test/vectors/records/hep/${name}`, 'utf8');
  const { source } = JSON.parse(read('proxy.expected.json')) as { readonly source: object };
  return { source, packets: Array.from(read('proxy.hex').trim().split('\n'), (line) => Buffer.from(line, 'hex')) };
}

/** Sends packets to a port of this machine. */
export async function sendPackets(port: number, packets: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const packet of packets)
    await new Promise<void>((resolve) => socket.send(packet, port, '127.0.0.1', () => resolve()));
  socket.close();
}
