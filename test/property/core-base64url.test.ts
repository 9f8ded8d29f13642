import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64Url, decodeBase64UrlText, encodeBase64Url, isBase64Url } from '../../sdk/src/core/base64url.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The definition, letter by letter. */
const isStrict = (text: string): boolean => {
  const values = Array.from(text).map((letter) => ALPHABET.indexOf(letter));
  if (values.includes(-1) || text.length % 4 === 1) return false;
  const unused = [0, 0, 15, 3][text.length % 4] ?? 0;
  return ((values.at(-1) ?? 0) & unused) === 0;
};

test('gives back the bytes that were encoded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const encoded = encodeBase64Url(bytes);
      expect(isBase64Url(encoded)).toBe(true);
      expect([...(decodeBase64Url(encoded) ?? [])]).toEqual([...bytes]);
    }),
  );
});

test('gives back the text that was encoded', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(decodeBase64UrlText(encodeBase64Url(text))).toBe(text);
    }),
  );
});

test('agrees with the definition of strict base64url on any text', () => {
  const nearly = fc.string({
    unit: fc.constantFrom(...Array.from(ALPHABET), '+', '/', '=', '\n', '\u0141'),
    maxLength: 12,
  });
  const inAlphabet = fc.string({ unit: fc.constantFrom(...Array.from(ALPHABET)), maxLength: 12 });
  fc.assert(
    fc.property(fc.oneof(nearly, inAlphabet, fc.string({ unit: 'binary' })), (text) => {
      expect(isBase64Url(text)).toBe(isStrict(text));
      expect(decodeBase64Url(text) !== undefined).toBe(isStrict(text));
    }),
    { numRuns: 5_000 },
  );
});

test('decodes text exactly where a fatal decoder does', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const oracle = (bytes: Uint8Array): string | undefined => {
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined;
    }
  };
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0xef, 0xbf, 0xbd, 0xed, 0xa0, 0xc0, 0xf4));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 12 }), (list) => {
      const bytes = Uint8Array.from(list);
      expect(decodeBase64UrlText(encodeBase64Url(bytes))).toBe(oracle(bytes));
    }),
    { numRuns: 5_000 },
  );
});
