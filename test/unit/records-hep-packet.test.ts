import { expect, test } from 'vitest';
import {
  hepStream,
  MAX_HEP_CHUNKS,
  MAX_HEP_PACKET_BYTES,
  parseHepPacket,
} from '../../sdk/src/records/ingest/hep-packet.js';
import { hepChunk, hepChunks, hepOfChunks, hepPacket } from '../support/hep-packets.js';

const PARTS = {
  source: { address: '192.0.2.10', port: 5060 },
  destination: { address: '198.51.100.1', port: 5080 },
  atUs: 1_795_615_200_123_456,
  payload: 'INVITE',
};

function reasonOf(bytes: Uint8Array): string {
  const result = parseHepPacket(bytes);
  return result.status === 'parsed' ? 'parsed' : result.reason;
}

test('reads what an agent writes', () => {
  const result = parseHepPacket(hepPacket({ ...PARTS, correlationId: 'a84b4c76@192.0.2.10\0', key: 'secret' }));
  expect(result).toEqual({
    status: 'parsed',
    packet: {
      ...PARTS,
      ...{ payloadType: 1, key: 'secret', correlationId: 'a84b4c76@192.0.2.10' },
      payload: Buffer.from('INVITE'),
    },
  });
});

test.each([
  ['2001:db8::10', '2001:db8::10'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['::1', '::1'],
  ['fe80::', 'fe80::'],
  ['0:0:0:0:0:ffff:c000:20a', '192.0.2.10'],
])('writes %s as %s', (address, written) => {
  const result = parseHepPacket(
    hepPacket({ ...PARTS, source: { address, port: 1 }, destination: { address: '::2', port: 2 } }),
  );
  expect(result.status === 'parsed' && result.packet.source.address).toBe(written);
});

test('passes over chunks of other vendors, of unknown types, and those that nobody asks for', () => {
  const more = [
    hepChunk(1, Buffer.from('own'), 5),
    hepChunk(15, Buffer.from('x'), 1),
    hepChunk(900, Buffer.from('new')),
    hepChunk(19, Buffer.from('node')),
  ];
  expect(reasonOf(hepPacket({ ...PARTS, more }))).toBe('parsed');
});

const BAD_LENGTH = 'hep-bad-chunk-length';
const OTHER_FAMILY = hepChunk(1, Uint8Array.of(10));
const COMPRESSED = hepChunk(16, Buffer.from('x'));
const MILLION_US = hepChunk(10, Buffer.from([0, 15, 66, 64]));
const chunks = hepChunks(PARTS);
const withMore = (...more: readonly Buffer[]): Buffer => hepPacket({ ...PARTS, more });
const octets = (...bytes: readonly number[]): Buffer => hepOfChunks([Buffer.from(bytes)]);

test.each([
  ['no octets', Buffer.alloc(0), 'hep-too-short'],
  ['HEP2', Buffer.from('HEP2\0\x06'), 'hep-no-magic'],
  ['a length below that of its header', Buffer.from('HEP3\0\x05'), 'hep-no-magic'],
  ['a length beyond its end', Buffer.from('HEP3\0\x07'), 'hep-length-mismatch'],
  ['a packet that is cut off', hepPacket(PARTS).subarray(0, 40), 'hep-length-mismatch'],
  ['a chunk of length 0', octets(0, 0, 0, 1, 0, 0), BAD_LENGTH],
  ['a chunk that is longer than the packet', octets(0, 0, 0, 15, 0, 200, 1), BAD_LENGTH],
  ['half a chunk header', octets(0, 0, 0), BAD_LENGTH],
  ['a port of four bytes', hepOfChunks([hepChunk(7, Buffer.alloc(4))]), BAD_LENGTH],
  ['a repeated chunk', withMore(hepChunk(15, Buffer.from('BYE'))), 'hep-duplicate-chunk'],
  ['too many chunks', withMore(...Array(MAX_HEP_CHUNKS).fill(hepChunk(99, Buffer.alloc(0)))), 'hep-too-many-chunks'],
  ['no chunks', hepOfChunks([]), 'hep-missing-chunk'],
  ['no time', hepOfChunks(chunks.toSpliced(6, 1)), 'hep-missing-chunk'],
  ['a compressed payload', hepOfChunks([...chunks.slice(0, -1), COMPRESSED]), 'hep-compressed'],
  ['addresses of another family', hepOfChunks(chunks.with(0, OTHER_FAMILY)), 'hep-family-mismatch'],
  ['a million microseconds', hepOfChunks(chunks.with(7, MILLION_US)), 'hep-bad-time'],
  ['time 0', hepPacket({ ...PARTS, atUs: 0 }), 'hep-bad-time'],
  ['more octets than a length can express', Buffer.alloc(MAX_HEP_PACKET_BYTES + 1), 'hep-too-long'],
])('refuses %s', (_what, bytes, reason) => {
  expect(reasonOf(bytes)).toBe(reason);
});

test.each([1, 2, 5, 7, 64, 1_000, 100_000])('splits a stream in pieces of %i bytes', (size) => {
  const long = hepPacket({ ...PARTS, payload: 'x'.repeat(60_000) });
  const sent = [hepPacket(PARTS), hepOfChunks([]), long, hepPacket(PARTS)];
  const bytes = Buffer.concat(sent);
  const stream = hepStream();
  const received: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    for (const packet of stream.take(bytes.subarray(at, at + size)).packets) received.push(Buffer.from(packet));
  }
  expect(received).toEqual(sent);
  expect(stream.pending()).toBe(0);
});

test('gives up a stream at the first bytes that begin no packet', () => {
  const stream = hepStream();
  const { packets, isBroken } = stream.take(Buffer.concat([hepPacket(PARTS), Buffer.from('GET / HTTP/1.1\r\n')]));
  expect([packets.length, isBroken]).toEqual([1, true]);
  expect(stream.take(hepPacket(PARTS))).toEqual({ packets: [], isBroken: true });
});
