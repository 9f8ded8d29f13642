import { expect, test } from 'vitest';
import { decodeBase64Url, decodeBase64UrlText, encodeBase64Url, isBase64Url } from '../../sdk/src/core/base64url.js';

const bytesOf = (text: string): number[] | undefined => {
  const bytes = decodeBase64Url(text);
  return bytes === undefined ? undefined : [...bytes];
};

test('decodes the vectors of RFC 4648 section 10 without their padding', () => {
  const vectors = { '': '', Zg: 'f', Zm8: 'fo', Zm9v: 'foo', Zm9vYg: 'foob', Zm9vYmE: 'fooba', Zm9vYmFy: 'foobar' };
  for (const [encoded, text] of Object.entries(vectors)) {
    expect(decodeBase64UrlText(encoded)).toBe(text);
    expect(encodeBase64Url(text)).toBe(encoded);
  }
});

test('decodes both characters that base64 spells differently', () => {
  expect(bytesOf('-_-_')).toEqual([0xfb, 0xff, 0xbf]);
  expect(encodeBase64Url(Uint8Array.of(0xfb, 0xff, 0xbf))).toBe('-_-_');
});

test('encodes only the window of a view, not the buffer under it', () => {
  expect(encodeBase64Url(new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 4))).toBe(encodeBase64Url(Uint8Array.of(2, 3, 4)));
});

test.each([
  ['padding', 'Zg=='],
  ['one padding sign', 'Zm8='],
  ['a padding sign alone', '='],
  ['text behind padding', 'Zg==Zg'],
  ['the plus sign of base64', '+_-_'],
  ['the slash of base64', '-/-_'],
  ['a space inside', 'Zm 9v'],
  ['a line end behind', 'Zm9v\n'],
  ['a tab before', '\tZm9v'],
  ['a length of 4n+1', 'Zm9vY'],
  ['a single character', 'Z'],
  ['set bits behind one byte', 'Zh'],
  ['set bits behind two bytes', 'Zm9'],
  ['a dot', 'Zm.v'],
  ['a NUL', 'Zm\u0000v'],
  ['a letter whose low byte is in the alphabet', 'Zm\u0139v'],
  ['letters beyond Latin-1 only', '\u0141\u0141\u0141\u0141'],
  ['fullwidth letters', '\uFF3A\uFF4D'],
])('refuses %s', (_what, text) => {
  expect(decodeBase64Url(text)).toBeUndefined();
  expect(decodeBase64UrlText(text)).toBeUndefined();
  expect(isBase64Url(text)).toBe(false);
});

test('refuses all 15 spellings of one byte that differ in the unused bits only', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const accepted = Array.from(alphabet).filter((letter) => isBase64Url(`Z${letter}`));
  expect(accepted).toEqual(['A', 'Q', 'g', 'w']);
});

test.each([
  ['a continuation byte alone', [0x80]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['half a surrogate pair', [0xed, 0xa0, 0x80]],
  ['a sequence that is cut off', [0x61, 0xe2, 0x82]],
  ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['a broken byte beside a written U+FFFD', [0xef, 0xbf, 0xbd, 0xff]],
])('decodes bytes but no text of %s', (_what, bytes) => {
  const encoded = encodeBase64Url(Uint8Array.from(bytes));
  expect(bytesOf(encoded)).toEqual(bytes);
  expect(decodeBase64UrlText(encoded)).toBeUndefined();
});

test('keeps a written U+FFFD and a byte order mark', () => {
  expect(decodeBase64UrlText(encodeBase64Url('a\uFFFDb'))).toBe('a\uFFFDb');
  expect(decodeBase64UrlText(encodeBase64Url('\uFEFF{}'))).toBe('\uFEFF{}');
});

test('decodes the header of the token in RFC 8225 appendix A', () => {
  const header =
    'eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3J0LmNlciJ9';
  expect(decodeBase64UrlText(header)).toBe(
    '{"alg":"ES256","typ":"passport","x5u":"https://cert.example.org/passport.cer"}',
  );
});
