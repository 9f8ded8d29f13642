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
      source: PARTS.source,
      destination: PARTS.destination,
      protocol: 17,
      atUs: PARTS.atUs,
      payloadType: 1,
      captureId: 2001,
      key: 'secret',
      correlationId: 'a84b4c76@192.0.2.10',
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

test.each([
  ['nothing', Buffer.alloc(0), 'hep-too-short'],
  ['HEP2', Buffer.from('HEP2\0\x06'), 'hep-no-magic'],
  ['a length below that of its header', Buffer.from('HEP3\0\x05'), 'hep-no-magic'],
  ['a length beyond its end', Buffer.from('HEP3\0\x07'), 'hep-length-mismatch'],
  ['a packet that is cut off', hepPacket(PARTS).subarray(0, 40), 'hep-length-mismatch'],
  ['a chunk of length 0', hepOfChunks([Buffer.from([0, 0, 0, 1, 0, 0])]), 'hep-bad-chunk-length'],
  [
    'a chunk that is longer than the packet',
    hepOfChunks([Buffer.from([0, 0, 0, 15, 0, 200, 1])]),
    'hep-bad-chunk-length',
  ],
  ['half a chunk header', hepOfChunks([Buffer.from([0, 0, 0])]), 'hep-bad-chunk-length'],
  ['a port of four bytes', hepOfChunks([hepChunk(7, Buffer.alloc(4))]), 'hep-bad-chunk-length'],
  ['a chunk twice', hepPacket({ ...PARTS, more: [hepChunk(15, Buffer.from('BYE'))] }), 'hep-duplicate-chunk'],
  [
    'too many chunks',
    hepPacket({ ...PARTS, more: Array.from({ length: MAX_HEP_CHUNKS }, () => hepChunk(99, Buffer.alloc(0))) }),
    'hep-too-many-chunks',
  ],
  ['no chunks', hepOfChunks([]), 'hep-missing-chunk'],
  ['no time', hepOfChunks(hepChunks(PARTS).filter((_, index) => index !== 6)), 'hep-missing-chunk'],
  [
    'a compressed payload',
    hepOfChunks([...hepChunks(PARTS).slice(0, -1), hepChunk(16, Buffer.from('x'))]),
    'hep-compressed',
  ],
  [
    'addresses of another family than it says',
    hepOfChunks([hepChunk(1, Uint8Array.of(10)), ...hepChunks(PARTS).slice(1)]),
    'hep-family-mismatch',
  ],
  [
    'a million microseconds',
    hepOfChunks(
      hepChunks(PARTS).map((chunk, index) => (index === 7 ? hepChunk(10, Buffer.from([0, 15, 66, 64])) : chunk)),
    ),
    'hep-bad-time',
  ],
  ['time 0', hepPacket({ ...PARTS, atUs: 0 }), 'hep-bad-time'],
  ['more than a length can say', Buffer.alloc(MAX_HEP_PACKET_BYTES + 1), 'hep-too-long'],
])('refuses %s', (_what, bytes, reason) => {
  expect(reasonOf(bytes)).toBe(reason);
});

test.each([1, 2, 5, 7, 64, 1_000, 100_000])(
  'cuts a stream that comes in pieces of %i bytes into its packets',
  (size) => {
    const sent = [
      hepPacket(PARTS),
      hepOfChunks([]),
      hepPacket({ ...PARTS, payload: 'x'.repeat(60_000) }),
      hepPacket(PARTS),
    ];
    const bytes = Buffer.concat(sent);
    const stream = hepStream();
    const received: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const packet of stream.take(bytes.subarray(at, at + size)).packets) received.push(Buffer.from(packet));
    }
    expect(received).toEqual(sent);
    expect(stream.pending()).toBe(0);
  },
);

test('gives up a stream at the first bytes that begin no packet', () => {
  const stream = hepStream();
  const { packets, isBroken } = stream.take(Buffer.concat([hepPacket(PARTS), Buffer.from('GET / HTTP/1.1\r\n')]));
  expect([packets.length, isBroken]).toEqual([1, true]);
  expect(stream.take(hepPacket(PARTS))).toEqual({ packets: [], isBroken: true });
});
