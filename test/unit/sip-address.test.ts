import { expect, test } from 'vitest';
import {
  addressOf,
  endOfQuoted,
  listValues,
  parameterOf,
  tagOf,
} from '../../harness/src/drachtio/message/sip-message.js';

test.each([
  ['<sip:bob@example.com>;tag=1', 'sip:bob@example.com', ';tag=1'],
  ['"Bob"<sip:bob@example.com;transport=tcp>;tag=1', 'sip:bob@example.com;transport=tcp', ';tag=1'],
  ['Bob <sip:bob@example.com>  ;tag=1', 'sip:bob@example.com', ';tag=1'],
  ['"a <sip:no@example.net>;tag=no" <sip:bob@example.com>;tag=1', 'sip:bob@example.com', ';tag=1'],
  [String.raw`"a \" <sip:no@example.net>" <sip:bob@example.com>;tag=1`, 'sip:bob@example.com', ';tag=1'],
  [String.raw`"ends in \\" <sip:bob@example.com>`, 'sip:bob@example.com', ''],
  ['< sip:bob@example.com >', 'sip:bob@example.com', ''],
  ['sip:bob@example.com;tag=1', 'sip:bob@example.com', ';tag=1'],
  ['sip:bob@example.com ; tag=1', 'sip:bob@example.com', '; tag=1'],
  ['<sip:a;b?c@example.com>;x', 'sip:a;b?c@example.com', ';x'],
  ['tel:+12025550101;tag=1', 'tel:+12025550101', ';tag=1'],
  ['<urn:service:sos>', 'urn:service:sos', ''],
  ['*', '*', ''],
])('%s has the URI %s and the parameters "%s"', (value, uri, params) => {
  expect(addressOf(value)).toEqual({ uri, params });
});

test.each([
  ['a quotation that is never closed', '"Bob <sip:bob@example.com>;tag=1'],
  ['a quotation whose end is escaped', String.raw`"Bob\" <sip:bob@example.com>`],
  ['a bracket that is never closed', '<sip:bob@example.com;tag=1'],
  ['nothing in the brackets', '"Bob" <>;tag=1'],
  ['white space in the brackets', '"Bob" < >;tag=1'],
  ['nothing in the brackets, nor in front of them', '<>;tag=1'],
  ['white space in the brackets, and nothing in front of them', '< >;tag=1'],
  ['a quotation behind the start', 'Bob "B" <sip:bob@example.com>'],
  ['a quotation in a bare URI', 'sip:bob"@example.com'],
  ['nothing but parameters', ';tag=1'],
  ['nothing', ''],
])('no address can be read where there is %s, and no tag', (_what, value) => {
  expect(addressOf(value)).toBeUndefined();
  expect(tagOf(value)).toBeUndefined();
});

test.each([
  ["Bob <sip:bob@example.com>;tag=a-b.c!%*_+`'~", "a-b.c!%*_+`'~"],
  ['"Bob <sip:x>;tag=no" <sip:bob@example.com>;tag=yes', 'yes'],
  ['<sip:bob@example.com;tag=no>;TAG=yes', 'yes'],
  ['<sip:bob@example.com>;x=1;tag=2;tag=3', '2'],
  ['<sip:bob@example.com> ; tag = 2 ; x', '2'],
  ['<sip:bob@example.com>;x=";tag=no";tag=yes', 'yes'],
  ['<sip:bob@example.com>;tag=', ''],
  ['<sip:bob@example.com>;tag', ''],
  // These look plain to a quick reader.
  ['<sip:a>;tag=1>;tag=2', '1>'],
  ['x>;tag=1 <sip:a>', ''],
  ['<sip:a>;tag=1 ', '1'],
])('the tag of %s is "%s"', (value, tag) => {
  expect(tagOf(value)).toBe(tag);
  expect(parameterOf(addressOf(value)?.params ?? '', 'tag') ?? '').toBe(tag);
});

test.each([
  [';lr', 'lr', ''],
  [';LR=on', 'lr', 'on'],
  [';transport="t;lr"', 'transport', '"t;lr"'],
  [';x="a;transport=no";transport=yes', 'transport', 'yes'],
  [';;transport=tcp', 'transport', 'tcp'],
  [';x=transport=no', 'transport', undefined],
  [';transports=tcp', 'transport', undefined],
  ['transport=tcp', 'transport', undefined],
  ['', 'transport', undefined],
])('of %s the parameter %s is %s', (params, name, value) => {
  expect(parameterOf(params, name)).toBe(value);
});

test.each([
  ['', []],
  [String.raw`"a\", b" <sip:a>,<sip:b>`, [String.raw`"a\", b" <sip:a>`, '<sip:b>']],
  ['<sip:a,b@x>,<sip:b>;x="1,2"', ['<sip:a,b@x>', '<sip:b>;x="1,2"']],
  [' , ,<sip:a>,, ', ['<sip:a>']],
  ['<sip:a"b>,<sip:c"d>', ['<sip:a"b>', '<sip:c"d>']],
  ['<sip:a>, "b, <sip:c>', ['<sip:a>', '"b, <sip:c>']],
  ['<sip:a, <sip:b>', ['<sip:a, <sip:b>']],
])('%s is the list %j', (value, values) => {
  expect(listValues(value)).toEqual(values);
});

test('a quoted string ends at the quote that no backslash takes the meaning from', () => {
  expect(endOfQuoted(String.raw`x"a\"b"y`, 1)).toBe(7);
  expect(endOfQuoted('""', 0)).toBe(2);
  expect(endOfQuoted('"', 0)).toBe(-1);
  expect(endOfQuoted('"\\', 0)).toBe(-1);
  expect(endOfQuoted(String.raw`"\"`, 0)).toBe(-1);
});
