import { expect, test } from 'vitest';
import {
  parseBoundedJson,
  PASSPORT_JSON_LIMITS,
  type JsonFailure,
  type JsonLimits,
  type JsonValue,
} from '../../sdk/src/core/json-text.js';
import { decodeBase64UrlText, encodeBase64Url } from '../../sdk/src/core/base64url.js';

const SHAKEN =
  '{"attest":"A","dest":{"tn":["12155551213"]},"iat":1443208345,"orig":{"tn":"12155551212"},"origid":"123e4567-e89b-12d3-a456-426655440000"}';

const WIDE: JsonLimits = { maxChars: 1_000_000, maxDepth: 100_000, maxEntries: 1_000_000 };

const valueOf = (text: string, limits?: JsonLimits): JsonValue => {
  const result = parseBoundedJson(text, limits);
  if (result.status === 'malformed') throw new Error(`${result.reason} at ${result.offset}`);
  return result.value;
};

const reasonOf = (text: string, limits?: JsonLimits): JsonFailure | undefined => {
  const result = parseBoundedJson(text, limits);
  return result.status === 'malformed' ? result.reason : undefined;
};

const isCanonical = (text: string): boolean => {
  const result = parseBoundedJson(text);
  return result.status === 'parsed' && result.isCanonical;
};

test('parses a SHAKEN payload as JSON.parse does', () => {
  expect(valueOf(SHAKEN)).toEqual(JSON.parse(SHAKEN));
  expect(isCanonical(SHAKEN)).toBe(true);
});

test('gives objects without prototype at every level', () => {
  const value = valueOf('{"a":{"b":{}}}') as { readonly a: { readonly b: object } };
  for (const object of [value, value.a, value.a.b]) expect(Object.getPrototypeOf(object)).toBeNull();
});

test.each([
  '-0',
  '1E+3',
  '1e-400',
  '9007199254740993',
  '1.7976931348623157e308',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
  '\t\r\n{ "a" : [ { } ] }\n',
  '{"constructor":1,"toString":2,"hasOwnProperty":3}',
])('parses %s as JSON.parse does', (text) => {
  expect(valueOf(text)).toEqual(JSON.parse(text));
});

test.each([
  '',
  '{"a":1,}',
  '01',
  '0x10',
  'NaN',
  '"\t"',
  '\uFEFF{}',
  '\u00a01',
  '/* */1',
  '1e999',
  '-1e999',
  '"\\ud800"',
  '"\\ud800x"',
  '"\\ude00\\ud83d"',
  '{"\\ud800":1}',
  '"\ud800"',
  '"\udc00\ud800"',
])('refuses %j as malformed', (text) => {
  expect(reasonOf(text)).toBe('json-malformed');
});

test.each([
  ['in a row', '{"iat":1,"iat":2}', 9],
  ['spelled with an escape', '{"iat":1,"\\u0069at":2}', 9],
  ['on an inner level', '{"orig":{"tn":"1","tn":"2"}}', 18],
])('refuses a key given twice: %s', (_what, text, offset) => {
  expect(parseBoundedJson(text)).toEqual({ status: 'malformed', reason: 'json-duplicate-key', offset });
});

test.each([
  '{"__proto__":{"a":1}}',
  '{"a":[{"__proto__":null}]}',
  '{"\\u005f_proto__":1}',
  '{"__proto\\u005f\\u005F":1}',
])('refuses the key __proto__ in %s', (text) => {
  expect(reasonOf(text)).toBe('json-forbidden-key');
  expect(({} as { a?: number }).a).toBeUndefined();
});

test('takes depth to the limit and refuses one more', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  expect(reasonOf(nested(PASSPORT_JSON_LIMITS.maxDepth))).toBeUndefined();
  expect(reasonOf(nested(PASSPORT_JSON_LIMITS.maxDepth + 1))).toBe('json-too-deep');
  expect(reasonOf('['.repeat(4_000))).toBe('json-too-deep');
});

test.each(['[', '{"a":', '[{"a":'])('refuses %j repeated 10,000 times instead of running out of stack', (open) => {
  expect(reasonOf(open.repeat(10_000), WIDE)).toBe('json-too-deep');
});

test('counts members and elements of the whole text', () => {
  const limits: JsonLimits = { maxChars: 100, maxDepth: 4, maxEntries: 4 };
  expect(reasonOf('{"a":[1,2],"b":3}', limits)).toBeUndefined();
  expect(reasonOf('{"a":[1,2],"b":[3]}', limits)).toBe('json-too-large');
});

test('measures the text before reading it', () => {
  const limits: JsonLimits = { maxChars: 4, maxDepth: 4, maxEntries: 4 };
  expect(reasonOf('[12]', limits)).toBeUndefined();
  expect(parseBoundedJson('[123]', limits)).toEqual({ status: 'malformed', reason: 'json-too-large', offset: 4 });
});

test.each([
  ['[1,2]', true],
  ['{"a":" x "}', true],
  ['{"a":1, "b":2}', false],
  ['{"a" :1}', false],
  [' {}', false],
  ['{}\n', false],
  ['[ ]', false],
  ['{"a":{"d":1,"c":2}}', false],
  ['[{"d":1,"c":2}]', false],
])('reports whether %j is canonical: %s', (text, expected) => {
  expect(isCanonical(text)).toBe(expected);
});

test('reports where parsing stopped', () => {
  expect(parseBoundedJson('{"a":1,"b":tru}')).toMatchObject({ offset: 11 });
  expect(parseBoundedJson('[1,2,x]')).toMatchObject({ offset: 5 });
  expect(parseBoundedJson('[1,2] x')).toMatchObject({ offset: 6 });
});

test('decodes the vectors of RFC 4648 section 10 without their padding', () => {
  const vectors = { '': '', Zg: 'f', Zm8: 'fo', Zm9v: 'foo', Zm9vYg: 'foob', Zm9vYmE: 'fooba', Zm9vYmFy: 'foobar' };
  for (const [encoded, text] of Object.entries(vectors)) {
    expect(decodeBase64UrlText(encoded)).toBe(text);
    expect(encodeBase64Url(text)).toBe(encoded);
  }
});

test('encodes only the window of a view, not the buffer under it', () => {
  expect(encodeBase64Url(new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 4))).toBe(encodeBase64Url(Uint8Array.of(2, 3, 4)));
});

test('keeps a written U+FFFD and a byte order mark', () => {
  expect(decodeBase64UrlText(encodeBase64Url('a\uFFFDb'))).toBe('a\uFFFDb');
  expect(decodeBase64UrlText(encodeBase64Url('\uFEFF{}'))).toBe('\uFEFF{}');
});
