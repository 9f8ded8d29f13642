import { expect, test } from 'vitest';
import {
  isAnonymousUri,
  MAX_LIST_VALUES,
  MAX_NAME_ADDR_LENGTH,
  parseNameAddr,
  splitHeaderList,
} from '../../sdk/src/core/sip-request.js';
import { parseSipUri } from '../../sdk/src/core/sip-uri.js';

const params = (entries: Record<string, string | true> = {}) => new Map(Object.entries(entries));

test('takes a quoted name, an address and parameters apart', () => {
  expect(parseNameAddr('"Operator" <sip:+12155551212@example.com;user=phone>;tag=a1;x="b;c"')).toEqual({
    status: 'parsed',
    displayName: 'Operator',
    uri: 'sip:+12155551212@example.com;user=phone',
    params: params({ tag: 'a1', x: 'b;c' }),
  });
});

test.each([
  ['Front Desk <sip:a@h>', 'Front Desk', 'sip:a@h', {}],
  ['Desk<sip:a@h>', 'Desk', 'sip:a@h', {}],
  ['"" <sip:a@h>', undefined, 'sip:a@h', {}],
  ['"<sip:x@y>" <sip:a@h>', '<sip:x@y>', 'sip:a@h', {}],
  ['"Büro" <sip:a@h>', 'Büro', 'sip:a@h', {}],
  ['"a"<sip:a@h>;tag=1', 'a', 'sip:a@h', { tag: '1' }],
  ['  <sip:a@h> ; TAG = 1 ; lr ', undefined, 'sip:a@h', { tag: '1', lr: true }],
  ['< sip:a@h >', undefined, 'sip:a@h', {}],
  ['<sip:a@h>;;tag=1', undefined, 'sip:a@h', { tag: '1' }],
  ['<sip:a@h>;tag=', undefined, 'sip:a@h', { tag: '' }],
  ['sip:a@h;tag=1', undefined, 'sip:a@h', { tag: '1' }],
  ['tel:+12155551212', undefined, 'tel:+12155551212', {}],
  [' sip:a@h ;tag=1', undefined, 'sip:a@h', { tag: '1' }],
  ['sip:a@h;x="<b>"', undefined, 'sip:a@h', { x: '<b>' }],
  ['"a"\r\n <sip:a@h>', 'a', 'sip:a@h', {}],
])('reads %j', (text, displayName, uri, entries) => {
  const expected = { status: 'parsed', uri, params: params(entries as Record<string, string | true>) };
  expect(parseNameAddr(text)).toEqual(displayName === undefined ? expected : { ...expected, displayName });
});

test.each([
  ['', 'address-empty'],
  ['<>', 'address-empty'],
  [';tag=1', 'address-empty'],
  [`<sip:${'a'.repeat(MAX_NAME_ADDR_LENGTH)}>`, 'address-too-long'],
  ['"Operator <sip:a@h>', 'address-unclosed-quote'],
  ['"a\\" <sip:a@h>', 'address-unclosed-quote'],
  ['<sip:a@h', 'address-unclosed-angle'],
  ['"a" sip:a@h', 'address-bad-character'],
  ['"a"', 'address-bad-character'],
  ['a "b" <sip:a@h>', 'address-bad-character'],
  ['<sip:a@h> x', 'address-bad-character'],
  ['<sip:a@h>, <sip:b@h>', 'address-bad-character'],
  ['sip:a@h?x=y', 'address-bad-character'],
  ['sip:a b@h', 'address-bad-character'],
  ['<sip:a@h>;x="1"2', 'address-bad-character'],
  ['<sip:a@h>;=1', 'address-bad-parameter'],
  ['<sip:a@h>;x="1', 'address-bad-parameter'],
  ['<sip:a@h>;tag=1;Tag=2', 'address-duplicate-parameter'],
  [`<sip:a@h>${Array.from({ length: 65 }, (_, index) => `;p${index}`).join('')}`, 'address-too-many-parameters'],
])('refuses %j with %s', (text, reason) => {
  expect(parseNameAddr(text)).toEqual({ status: 'malformed', reason });
});

test.each([
  [' ', []],
  [' , ,', []],
  [' a , b,c ', ['a', 'b', 'c']],
  ['"a, b" <sip:a@h>, <sip:b@h>', ['"a, b" <sip:a@h>', '<sip:b@h>']],
  ['"a\\", b" <sip:a@h>,c', ['"a\\", b" <sip:a@h>', 'c']],
  ['"<" <sip:a@h>,"," <sip:b@h>', ['"<" <sip:a@h>', '"," <sip:b@h>']],
  ['<sip:a@h>;x="1,2",b', ['<sip:a@h>;x="1,2"', 'b']],
  ['"a, b', ['"a', 'b']],
  ['<a, b', ['<a', 'b']],
  ['<a, <b,c>, d', ['<a', '<b,c>', 'd']],
  ['a", <b,c>', ['a"', '<b,c>']],
])('splits %j at the commas between values', (text, values) => {
  expect(splitHeaderList(text)).toEqual(values);
});

test('keeps the values beyond the limit together in the last one', () => {
  const values = splitHeaderList(Array.from({ length: MAX_LIST_VALUES + 10 }, (_, index) => `v${index}`).join(','));
  expect(values).toHaveLength(MAX_LIST_VALUES);
  expect(values.at(-1)).toMatch(/^v63,v64,.*,v73$/);
});

test.each([
  ['sip:anonymous@anonymous.invalid', true],
  ['sips:Anonymous@Anonymous.INVALID', true],
  ['sip:anonymous@example.com', true],
  ['sip:restricted@192.0.2.1:5060', true],
  ['sip:x@anonymous.invalid', true],
  ['sip:+12155551212@anonymous.invalid', true],
  ['sip:anonymous.invalid', true],
  ['sip:anonymously@example.com', false],
  ['sip:anonymous.invalid@example.com', false],
  ['sip:a@sub.anonymous.invalid', false],
  ['tel:+12155551212', false],
  ['urn:service:sos', false],
])('reports whether the caller %s is anonymous: %s', (text, expected) => {
  const result = parseSipUri(text);
  expect(result.status === 'parsed' && isAnonymousUri(result.uri)).toBe(expected);
});
