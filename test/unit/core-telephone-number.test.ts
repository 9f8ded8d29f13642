import { expect, test } from 'vitest';
import {
  canonicalTelephoneNumber,
  isCanonicalTelephoneNumber,
  type NumberingPlan,
} from '../../sdk/src/core/telephone-number.js';
import { maskTelephoneNumber } from '../../sdk/src/core/text.js';

const BRITISH_PLAN: NumberingPlan = {
  countryCode: '44',
  nationalPrefixes: ['0'],
  internationalPrefixes: ['00'],
  emergencyNumbers: ['999', '112'],
  shortNumberDigits: 6,
};

test.each([
  ['+12155551212', '12155551212'],
  ['12155551212', '12155551212'],
  ['2155551212', '12155551212'],
  ['+1 (215) 555-1212', '12155551212'],
  ['%2B12155551212', '12155551212'],
  ['%2b1%32155551212', '12155551212'],
  ['011-44-20-7946-0000', '442079460000'],
  ['0012155551212', '12155551212'],
  ['+442079460000', '442079460000'],
  ['+2905123', '2905123'],
  ['2155551212;phone-context=+1', '12155551212'],
  ['2155551212;Phone-Context=%2B1', '12155551212'],
  ['555-1212;phone-context=+1-215', '12155551212'],
  ['2079460000;phone-context=+44', '442079460000'],
  ['2155551212;phone-context=example.com', '12155551212'],
  ['+12155551212;phone-context=+44', '12155551212'],
  ['12155551212;phone-context=+1234567890', '12155551212'],
  ['+12155551212;ext=12;isub=3', '12155551212'],
  ['2155551212;tgrp=a;npdi;rn=+12155550000', '12155551212'],
])('canonicalises %s to %s', (text, tn) => {
  expect(canonicalTelephoneNumber(text)).toEqual({ kind: 'number', tn });
});

test.each([
  ['seven digits without area code', '5551212', '5551212'],
  ['seven digits in a context that they do not complete', '863-1234;phone-context=+1-914-555', '8631234'],
  ['ten digits that cannot be a national number', '0155551212', '0155551212'],
  ['ten digits that start with 1', '1155551212', '1155551212'],
  ['eleven digits whose area code starts with 0', '10155551212', '10155551212'],
  ['a foreign trunk prefix', '02079460000', '02079460000'],
  ['an international prefix with 0 behind it', '01101234567', '01101234567'],
])('leaves %s as they are', (_what, text, tn) => {
  expect(canonicalTelephoneNumber(text)).toEqual({ kind: 'number', tn });
});

test.each(['911', '112', '+911', '9-1-1', '%39%31%31', '911;phone-context=+1'])(
  'knows %s as an emergency number',
  (text) => {
    expect(canonicalTelephoneNumber(text).kind).toBe('emergency');
  },
);

test.each([
  ['211', '211'],
  ['0', '0'],
  ['12345', '12345'],
  ['123-456', '123456'],
  ['*672155551212', '*672155551212'],
  ['#31#', '#31#'],
  ['%2367', '#67'],
  ['1234;phone-context=example.com', '1234'],
  ['1234;phone-context=+1914555', '1234'],
  ['911;phone-context=+44', '911'],
])('takes %s for a short number', (text, tn) => {
  expect(canonicalTelephoneNumber(text)).toEqual({ kind: 'short', tn });
});

const NO_NUMBERS = `
  alice 1800FLOWERS + ++12155551212 1+2155551212 12155551212+ +1215555121x +02079460000 +0 +1 +123456 +*67
  +1#2155551212 12155551212% 12155551212%3 %zz %3-12155551212 1%002 １２１５５５５１２１２ ٢١٥٥٥٥١٢١٢ 2155551212/3
  2155551212,3 2155551212@h tel:+12155551212 2155551212;phone-context=+1;phone-context=+44 2155551212;phone-context=+
  02079460000;phone-context=+44 442079460000;phone-context=+44 79460000;phone-context=+4420 2155551212;phone-context=+*1`;

test.each([...NO_NUMBERS.trim().split(/\s+/), '215555\u00a01212', '12155551212\n', '\t2155551212'])(
  'finds no number in %s',
  (text) => {
    expect(canonicalTelephoneNumber(text)).toEqual({ kind: 'none', reason: 'not-a-number' });
  },
);

test.each(['', '-', '()', ' ', ';phone-context=+1', '%20'])('finds nothing in %j', (text) => {
  expect(canonicalTelephoneNumber(text)).toEqual({ kind: 'none', reason: 'empty' });
});

test.each([
  '+1234567890123456',
  '1234567890123456',
  '12155551212'.repeat(12),
  `*${'1'.repeat(32)}`,
  `+1${'-'.repeat(127)}`,
  '1.'.repeat(16),
])('refuses %s as too long', (text) => {
  expect(canonicalTelephoneNumber(text)).toEqual({ kind: 'none', reason: 'too-long' });
});

test('accepts a dial string of 32 keys', () => {
  expect(canonicalTelephoneNumber(`*${'1'.repeat(31)}`)).toEqual({ kind: 'short', tn: `*${'1'.repeat(31)}` });
});

test('keeps a service code before a number apart from the number', () => {
  const dialled = canonicalTelephoneNumber('*6712155551212');
  const plain = canonicalTelephoneNumber('12155551212');
  expect(dialled).not.toEqual(plain);
});

test('keeps a foreign number of ten digits apart from the national one with the same digits', () => {
  expect(canonicalTelephoneNumber('+4930123456')).not.toEqual(canonicalTelephoneNumber('4930123456'));
});

test.each([
  ['02079460000', '442079460000'],
  ['+442079460000', '442079460000'],
  ['0012155551212', '12155551212'],
  ['020 7946 0000;phone-context=+44', '442079460000'],
  ['2155551212', '2155551212'],
])('reads %s under a plan with trunk prefix 0', (text, tn) => {
  expect(canonicalTelephoneNumber(text, BRITISH_PLAN)).toEqual({ kind: 'number', tn });
});

test('takes emergency numbers from the plan', () => {
  expect(canonicalTelephoneNumber('999', BRITISH_PLAN)).toEqual({ kind: 'emergency', tn: '999' });
  expect(canonicalTelephoneNumber('911', BRITISH_PLAN)).toEqual({ kind: 'short', tn: '911' });
  expect(canonicalTelephoneNumber('911', { countryCode: '1' })).toEqual({ kind: 'short', tn: '911' });
});

test.each([
  ['12155551212', true],
  ['*67', true],
  ['1234567890123456', false],
  ['*12345678901234567', true],
  [`#${'1'.repeat(32)}`, false],
  ['', false],
  ['+12155551212', false],
  ['１２１５', false],
])('tells whether %j is canonical already: %s', (text, expected) => {
  expect(isCanonicalTelephoneNumber(text)).toBe(expected);
});

test.each([
  ['12155551212', '1215555XXXX'],
  ['+12155551212', '+1215555XXXX'],
  ['2155551212', '215555XXXX'],
  ['442079460000', '442079XXXXXX'],
  ['123456789012345', '123456XXXXXXXXX'],
  ['5551212', '555XXXX'],
  ['12345', '1XXXX'],
  ['1234', 'XXXX'],
  ['*672155551212', '*67215XXXXXXX'],
  ['911', '911'],
  ['*67', '*67'],
  ['', ''],
  ['alice', 'XXXXX'],
  ['1215555\n1212', 'X'.repeat(12)],
  ['+1 (215) 555-1212', 'X'.repeat(17)],
  ['1'.repeat(1_000), `111111${'X'.repeat(27)}`],
  ['a'.repeat(1_000), 'X'.repeat(33)],
])('masks %j as %s', (tn, masked) => {
  expect(maskTelephoneNumber(tn)).toBe(masked);
});
