import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallRecord } from '../../sdk/src/contract/call-record.js';
import { hepStream, parseHepPacket } from '../../sdk/src/records/ingest/hep-packet.js';
import { createHepReader } from '../../sdk/src/records/ingest/hep-reader.js';
import { shakenClaims } from '../../sdk/src/records/ingest/formats/leg.js';
import { readSipFacts } from '../../sdk/src/records/ingest/sip-call.js';
import type { RowReading } from '../../sdk/src/records/ingest/record-reader.js';
import {
  answeredCall,
  back,
  captured,
  ENDS,
  sipText,
  through,
  type CapturedMessage,
} from '../support/captured-call.js';
import { hepChunk, hepOfChunks } from '../support/hep-packets.js';
import { recordsOf as recordsIn } from '../support/record-samples.js';
import { forAll } from '../support/for-all.js';

const SOURCE = { id: 'proxy', format: 'hep', time: { zone: 'utc' }, ownAddresses: ['198.51.100.1'] } as const;

const bytes = fc.uint8Array({ maxLength: 400 });
const chunks = fc.array(
  fc.record({
    vendor: fc.constantFrom(0, 0, 0, 1),
    type: fc.integer({ min: 0, max: 20 }),
    value: fc.uint8Array({ maxLength: 40 }),
  }),
  { maxLength: 20 },
);

/** Bytes of a sound packet with some of them changed or cut off. */
const damaged = fc
  .tuple(
    fc.constantFrom(...answeredCall()),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
    fc.option(fc.nat()),
  )
  .map(([message, changes, cut]) => {
    const packet = captured(message);
    for (const [at, value] of changes) packet[at % packet.length] = value;
    return cut === null ? packet : packet.subarray(0, cut % packet.length);
  });

function expectSound(readings: readonly RowReading[]): void {
  for (const reading of readings) {
    if (reading.status === 'record') expect(CallRecord.parse(reading.record)).toEqual(reading.record);
    if (reading.status === 'rejected') expect(reading.detail).not.toMatch(/\d{7}/);
  }
}

test('any bytes are a HEP packet or none', () => {
  const any = fc.oneof(
    bytes,
    bytes.map((more) => Buffer.concat([Buffer.from('HEP3'), more])),
    chunks.map((list) => hepOfChunks(list.map(({ vendor, type, value }) => hepChunk(type, value, vendor)))),
    damaged,
  );
  forAll([any], 5_000, (packet) => {
    const result = parseHepPacket(packet);
    if (result.status === 'malformed') expect(result.offset).toBeLessThanOrEqual(packet.length);
    else expect(result.packet.payload.length).toBeLessThan(packet.length);
  });
});

test('a stream gives the same packets however it is cut', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 40 });
  forAll([fc.array(damaged, { maxLength: 4 }), cuts], 1_000, (packets, sizes) => {
    const all = Buffer.concat(packets);
    const whole = hepStream().take(all);
    const stream = hepStream();
    const pieces: Buffer[] = [];
    let isBroken = false;
    for (let at = 0, turn = 0; at < all.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      const taken = stream.take(all.subarray(at, at + size));
      pieces.push(...taken.packets.map((packet) => Buffer.from(packet)));
      isBroken ||= taken.isBroken;
      at += size;
    }
    expect(pieces).toEqual(whole.packets.map((packet) => Buffer.from(packet)));
    expect(isBroken).toBe(whole.isBroken);
  });
});

test('any bytes are a SIP message of a call or none', () => {
  const text = fc
    .tuple(fc.constantFrom(...answeredCall()), fc.nat(), fc.nat(60), fc.string({ maxLength: 20, unit: 'binary' }))
    .map(([message, at, cut, put]) => {
      const sip = sipText(message);
      const from = at % sip.length;
      return Buffer.from(sip.slice(0, from) + put + sip.slice(from + cut));
    });
  forAll([fc.oneof(text, bytes)], 5_000, (payload) => {
    expect(['read', 'malformed', 'empty']).toContain(readSipFacts(payload).status);
  });
});

test('any Identity header has claims or none', () => {
  const segment = fc.oneof(
    fc.string(),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
  );
  forAll([fc.array(segment, { maxLength: 5 })], 2_000, (segments) => {
    const claims = shakenClaims([segments.join('.')]);
    if (claims !== undefined)
      expect(Object.keys(claims).every((name) => ['attestation', 'origId', 'iatSeconds'].includes(name))).toBe(true);
  });
});

test('damaged packets make sound readings, and no record twice', () => {
  forAll([fc.array(damaged, { maxLength: 30 })], 300, (packets) => {
    const reader = createHepReader(SOURCE);
    const readings = packets.flatMap((packet) => reader.readPacket(packet, 0));
    const all = [...readings, ...reader.expire(Number.POSITIVE_INFINITY)];
    expectSound(all);
    const ids = recordsIn(all).map(({ recordId }) => recordId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(reader.waiting()).toBe(0);
  });
});

test('the packets of a call make the same records in any order, repeated or not', () => {
  const second = { branch: 'z9hG4bKtwo', behind: ENDS.second };
  const cancelled = { from: ENDS.second, to: ENDS.switchOut };
  const call: readonly CapturedMessage[] = [
    ...answeredCall(),
    { what: 'INVITE', atMs: 1, from: ENDS.switchOut, to: ENDS.second, via: [second.branch, 'z9hG4bKin'] },
    { what: 'CANCEL', atMs: 2_001, from: ENDS.switchOut, to: ENDS.second, via: [second.branch] },
    { ...cancelled, what: '487 INVITE', atMs: 2_050, via: [second.branch, 'z9hG4bKin'], toTag: 'o' },
    ...through({ what: 'INVITE', atMs: 0, callId: 'other' }, { branch: 'z9hG4bKout' }),
    ...back({ what: '486 INVITE', atMs: 90, callId: 'other', toTag: 'busy' }, { branch: 'z9hG4bKout' }),
  ];
  const recordsOf = (messages: readonly CapturedMessage[]): readonly unknown[] => {
    const reader = createHepReader(SOURCE);
    const readings = messages.flatMap((message) => reader.readPacket(captured(message), 0));
    const records = recordsIn([...readings, ...reader.expire(Number.POSITIVE_INFINITY)]);
    return records.toSorted((a, b) => (a.recordId < b.recordId ? -1 : 1));
  };
  const expected = recordsOf(call);
  expect(expected).toHaveLength(3);
  const shuffled = fc.shuffledSubarray([...call, ...call], { minLength: call.length * 2 });
  forAll([shuffled], 300, (messages) => {
    expect(recordsOf(messages)).toEqual(expected);
  });
});
