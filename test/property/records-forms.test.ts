import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { BodyWriter } from '../../sdk/src/records/store/duckdb/record-form.js';
import { createFormTable, decodeRecord } from '../../sdk/src/records/store/duckdb/record-decoder.js';
import { RecordEncoder } from '../../sdk/src/records/store/duckdb/record-encoder.js';
import { NOON_US, sampleRecord, sparseRecord } from '../support/stored-records.js';
import { forAll } from '../support/for-all.js';

const hex = fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), maxLength: 70 });
const digits = fc.string({ unit: fc.constantFrom(...Array.from('0123456789')), maxLength: 20 });
/** Texts that look like what is packed, and are nearly it. */
const text = fc.oneof(
  hex,
  digits,
  digits.map((number) => `+${number}`),
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc.tuple(hex, fc.domain()).map(([name, host]) => `${name}@${host}`),
  fc.tuple(fc.ipV4(), fc.nat({ max: 70_000 })).map(([host, port]) => `${host}:${port}`),
  fc.tuple(fc.ipV4(), digits).map(([host, port]) => `${host}:${port}`),
  fc.ipV6().map((host) => `[${host}]:5060`),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.base64String({ maxLength: 40 }),
  // Halves of surrogate pairs, control characters, quotes.
  fc.string({
    unit: fc.constantFrom('\ud800', '\udc00', '\u0000', '\u0001', '\u0015', '"', '\\', '@', '+', 'a'),
    maxLength: 12,
  }),
);
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
  fc.integer({ min: -100, max: 100 }).map((seconds) => NOON_US + seconds * 1_000_000),
);
const NAMES = 'trunk address callId ingress passports passed endedAtUs checkedAtMs iatSeconds'.split(' ');
const name = fc.oneof(
  fc.constantFrom(...NAMES, 'sha256', 'recordId', 'tn', 'cause', 'raw', 'text', 'base64', '__proto__'),
  fc.string({ maxLength: 6 }),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 6 }),
  ),
}));

/** Any JSON where a record has optional members: what is kept is not bound to the members of this release. */
const record = fc
  .tuple(fc.dictionary(name, value, { maxKeys: 8 }), fc.nat({ max: 4_000_000_000 }))
  .map(([parts, offsetUs]) => {
    const { recordId: _recordId, inviteAtUs: _inviteAtUs, ...rest } = parts;
    return { ...sparseRecord(`leg ${offsetUs}`, NOON_US + offsetUs), ...rest };
  });

/** Through JSON, as a record comes: nothing but what it can say. */
const plain = (value_: CallRecord): CallRecord => JSON.parse(JSON.stringify(value_)) as CallRecord;

test('a record comes out exactly as it went in, whatever it holds, when its forms are new and when they are known', () => {
  forAll([fc.array(record, { minLength: 1, maxLength: 4 })], 1_000, (records) => {
    const forms = createFormTable([]);
    const encoder = new RecordEncoder(forms);
    // Three times: written out, numbered at second sight, by its number.
    for (const one of [...records, ...records, ...records].map(plain)) {
      const writer = new BodyWriter(16);
      const form = encoder.encode(one, writer);
      const body = writer.bytes().subarray(0, writer.length());
      const known = createFormTable(forms.unsaved());
      const out = decodeRecord(body, form, one, known);
      expect(JSON.stringify(out)).toBe(JSON.stringify(one));
      expect(out).toEqual(one);
    }
  });
});

test('texts of every length and script are written as Buffer writes them', () => {
  const unit = fc.constantFrom('a', '~', '\u0000', '\u007f', '\u0080', 'é', '水', '😀');
  forAll([fc.string({ unit, minLength: 0, maxLength: 300 }), fc.nat({ max: 300 })], 100, (long, cut) => {
    const written = new BodyWriter(1);
    const expected: Buffer[] = [];
    for (const one of [long, 'a'.repeat(cut), `${'a'.repeat(cut)}é`]) {
      const octets = Buffer.from(one);
      const { length } = octets;
      expected.push(Buffer.from(length < 128 ? [length] : [(length & 127) | 128, length >> 7]), octets);
      written.text(one);
    }
    expect(written.bytes().subarray(0, written.length()).equals(Buffer.concat(expected))).toBe(true);
  });
});

test('usual records take less than 160 octets beside their columns', () => {
  const forms = createFormTable([]);
  const encoder = new RecordEncoder(forms);
  const writer = new BodyWriter();
  for (let index = 0; index < 6_000; index += 1) {
    if (index === 3_000) writer.reset();
    encoder.encode(sampleRecord(index, NOON_US + index * 1_000), writer);
  }
  expect(writer.length() / 3_000).toBeLessThan(160);
  expect(forms.unsaved().length).toBeLessThan(1_000);
});

test('what is no port of an address moves nothing that is repeated behind it', () => {
  const callId = 'e3b0c44298fc1c14@192.0.2.10';
  for (const port of ['12345', '123456', '12345678', '123456789012345678']) {
    const sides = { ingress: { address: `198.51.100.7:${port}`, callId }, egress: { callId } };
    const one = plain(sparseRecord('leg', NOON_US, sides));
    const forms = createFormTable([]);
    const writer = new BodyWriter();
    const form = new RecordEncoder(forms).encode(one, writer);
    expect(decodeRecord(writer.bytes().subarray(0, writer.length()), form, one, forms)).toEqual(one);
  }
});

test('forms are as deep as they like, and repeat as much as they like', () => {
  const place = { recordId: '0'.repeat(32), inviteAtUs: 0 };
  const forms = createFormTable([]);
  const decoded = (writer: BodyWriter): unknown =>
    decodeRecord(writer.bytes().subarray(0, writer.length()), 0, place, forms);
  const nested = new BodyWriter();
  nested.text('\u0001');
  for (let depth = 1; depth < 20_000; depth += 1) {
    nested.unsigned(0);
    nested.text('\u0001');
  }
  nested.unsigned(0);
  nested.text('{}');
  expect(decoded(nested)).toEqual({});
  const wholes = new BodyWriter();
  wholes.text(`"${'a\u0015'.repeat(20_000)}"`);
  expect(decoded(wholes)).toBe('a'.repeat(20_000));
});

test('octets that no encoder wrote make an error, and no endless work', () => {
  const forms = createFormTable([{ number: 1, text: '{"a":\u000e,"b":"\u0006","c":\u0001}' }]);
  forAll([fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 2 })], 5_000, (body, form) => {
    try {
      decodeRecord(body, form, { recordId: '0'.repeat(32), inviteAtUs: 0 }, forms);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  });
});
