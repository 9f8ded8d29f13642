import { expect, test } from 'vitest';
import { parseBoundedJson, PASSPORT_JSON_LIMITS } from '../../sdk/src/core/json-text.js';
import type { JsonFailure, JsonLimits, JsonValue } from '../../sdk/src/core/json-text.js';

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
  '0',
  '-0',
  '1',
  '-1',
  '10',
  '1.5',
  '-0.25',
  '1e3',
  '1E+3',
  '1e-3',
  '0e0',
  '0.0',
  '123456789012345',
  '-123456789012345',
  '1234567890123456',
  '9007199254740993',
  '1.7976931348623157e308',
  '5e-324',
  '1e-400',
  'true',
  'false',
  'null',
  '""',
  '[]',
  '{}',
  '"\u007f\u0080\u2028"',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
  '"\\u0041\\u00e9\\ud83d\\ude00"',
  '"a\\u0000b"',
  '"😀"',
  ' [ 1 , 2 ] ',
  '\t\r\n{ "a" : [ { } ] }\n',
  '{"":0}',
  '[[],[[]],{}]',
  '{"constructor":1,"toString":2,"hasOwnProperty":3}',
])('parses %s as JSON.parse does', (text) => {
  expect(valueOf(text)).toEqual(JSON.parse(text));
});

test.each([
  '',
  ' ',
  '{',
  '}',
  '[',
  ']',
  '"',
  '"a',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,',
  '{"a":1,}',
  '{,}',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '[1,',
  '[1,]',
  '[,]',
  '[1 2]',
  '{"a" 1}',
  '{"a":1 "b":2}',
  '1 2',
  '{}{}',
  '{} x',
  '01',
  '-01',
  '00',
  '-',
  '+1',
  '.5',
  '1.',
  '1.e1',
  '1e',
  '1e+',
  '0x10',
  '1_000',
  'NaN',
  'Infinity',
  '-Infinity',
  'undefined',
  'True',
  'tru',
  'nul',
  'truex',
  '"\\x41"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\',
  '"\\u',
  '"\n"',
  '"\u0000"',
  '"\t"',
  '[1]]',
  '\uFEFF{}',
  '\u00a01',
  '1\u00a0',
  '/* */1',
  '1//',
  '1e999',
  '-1e999',
  '"\\ud800"',
  '"\\udc00"',
  '"\\ud800x"',
  '"\\ude00\\ud83d"',
  '"\\ud83d"',
  '{"\\ud800":1}',
  '"\ud800"',
  '"\udc00\ud800"',
])('refuses %j as malformed', (text) => {
  expect(reasonOf(text)).toBe('json-malformed');
});

test.each([
  ['in a row', '{"iat":1,"iat":2}', 9],
  ['with the same value', '{"a":1,"a":1}', 7],
  ['after others', '{"a":1,"b":2,"c":3,"a":4}', 19],
  ['spelled with an escape', '{"iat":1,"\\u0069at":2}', 9],
  ['the empty one', '{"":1,"":2}', 6],
  ['on an inner level', '{"orig":{"tn":"1","tn":"2"}}', 18],
  ['with a name of Object.prototype', '{"toString":1,"toString":2}', 14],
])('refuses a key given twice: %s', (_what, text, offset) => {
  expect(parseBoundedJson(text)).toEqual({ status: 'malformed', reason: 'json-duplicate-key', offset });
});

test('accepts one key in two objects', () => {
  expect(reasonOf('{"a":{"tn":"1"},"b":{"tn":"1"}}')).toBeUndefined();
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

test('counts depth, not the number of objects beside each other', () => {
  expect(reasonOf(`[${'[],'.repeat(100)}{}]`)).toBeUndefined();
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
  ['{"a":1,"b":2}', true],
  ['{"b":1,"a":2}', false],
  ['{"a":1, "b":2}', false],
  [' {}', false],
  ['{}\n', false],
  ['{ }', false],
  ['[ ]', false],
  ['[1,2]', true],
  ['{"a" :1}', false],
  ['{"B":1,"a":2}', true],
  ['{"a":1,"B":2}', false],
  ['{"a":1,"aa":2,"b":3}', true],
  ['{"aa":1,"a":2}', false],
  ['{"a":{"d":1,"c":2}}', false],
  ['[{"d":1,"c":2}]', false],
  ['{"a":" x "}', true],
  // UTF-16 would put the pair before U+FFFD, code points put it behind.
  ['{"\uFFFD":1,"😀":2}', true],
  ['{"😀":1,"\uFFFD":2}', false],
  ['{"😀a":1,"😀b":2}', true],
  ['{"😀":1,"😁":2}', true],
])('tells whether %j is canonical: %s', (text, expected) => {
  expect(isCanonical(text)).toBe(expected);
});

test('says where reading stopped', () => {
  expect(parseBoundedJson('{"a":1,"b":tru}')).toMatchObject({ offset: 11 });
  expect(parseBoundedJson('[1,2,x]')).toMatchObject({ offset: 5 });
  expect(parseBoundedJson('[1,2] x')).toMatchObject({ offset: 6 });
});
