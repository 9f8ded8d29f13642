import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wellFormedText, wellFormedValue } from '../../sdk/src/core/text.js';

/** Any sequence of UTF-16 code units, halves of pairs among them. */
const text = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7f }), fc.integer({ min: 0xd7f0, max: 0xe00f })))
  .map((units) => String.fromCharCode(...units));
/** UTF-8 has no half of a pair: what is written in it and read back has U+FFFD in its place. */
const throughUtf8 = (value: string): string => Buffer.from(value, 'utf8').toString('utf8');

test('a text is what UTF-8 gives back of it', () => {
  fc.assert(
    fc.property(text, (value) => {
      expect(wellFormedText(value)).toBe(throughUtf8(value));
    }),
  );
});

test('of plain data every text and every name is well-formed, and nothing else is changed', () => {
  const data = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(data, (value) => {
      const made = wellFormedValue(value);
      const written = JSON.stringify(made);
      expect(written).not.toMatch(/\\ud[89a-f]/);
      const isSame = JSON.stringify(value) === written;
      if (isSame) expect(made).toBe(value);
      expect(wellFormedValue(made)).toBe(made);
    }),
  );
});

test('octets stay as they are', () => {
  const octets = new Uint8Array([0xff]);
  const made = wellFormedValue({ octets, name: '\ud83d' });
  expect(made.octets).toBe(octets);
  expect(made.name).toBe('\ufffd');
});
