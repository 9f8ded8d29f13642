import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { maskTelephoneNumber } from '../../sdk/src/core/text.js';
import { canonicalTelephoneNumber, isCanonicalTelephoneNumber } from '../../sdk/src/core/telephone-number.js';
import { forAll } from '../support/for-all.js';

const digit = fc.constantFrom(...Array.from('0123456789'));
const digits = (minLength: number, maxLength: number) => fc.string({ unit: digit, minLength, maxLength });
const nearly = fc.string({
  unit: fc.constantFrom(
    ...Array.from('0123456789+-.() *#%;=,aF\u0000１'),
    ...[';phone-context=', '%2B', '+1', '+44', '215'],
  ),
  maxLength: 24,
});

test('returns a canonical number or a reason for any text', () => {
  forAll([fc.oneof(nearly, fc.string({ unit: 'binary', maxLength: 200 }))], 20_000, (text) => {
    const result = canonicalTelephoneNumber(text);
    return result.kind === 'none' ? REASONS.includes(result.reason) : isCanonicalTelephoneNumber(result.tn);
  });
});

const REASONS = ['empty', 'not-a-number', 'too-long'];

test('drops visual separators and escapes without changing the number', () => {
  const separator = fc.constantFrom('', '', '-', '.', '(', ')', ' ', '%20', '%2D');
  const key = fc.record({ digit, separator, isEscaped: fc.boolean() });
  forAll([fc.constantFrom('', '+'), fc.array(key, { minLength: 1, maxLength: 15 })], 5_000, (plus, keys) => {
    const spelled = keys.map((one) => one.separator + (one.isEscaped ? `%3${one.digit}` : one.digit)).join('');
    const number = keys.map((one) => one.digit).join('');
    expect(canonicalTelephoneNumber(plus + spelled)).toEqual(canonicalTelephoneNumber(plus + number));
  });
});

test('gives global numbers back digit for digit, and reads them alike behind an international prefix', () => {
  forAll([fc.constantFrom(...Array.from('123456789')), digits(6, 14)], 100, (first, rest) => {
    const expected = { kind: 'number', tn: first + rest };
    expect(canonicalTelephoneNumber(`+${first}${rest}`)).toEqual(expected);
    expect(canonicalTelephoneNumber(`011${first}${rest}`)).toEqual(expected);
    expect(canonicalTelephoneNumber(`00${first}${rest}`)).toEqual(expected);
  });
});

test('never makes two dialled numbers the same unless one is the other with its prefix', () => {
  const prefixes = ['', '1', '011', '00', '0111', '001'];
  forAll([digits(1, 18), digits(1, 18), fc.constantFrom(...prefixes)], 5_000, (left, right, prefix) => {
    for (const other of [right, prefix + left]) {
      const [a, b] = [canonicalTelephoneNumber(left), canonicalTelephoneNumber(other)];
      if (a.kind === 'none' || b.kind === 'none' || a.tn !== b.tn) continue;
      const [longer, shorter] = left.length > other.length ? [left, other] : [other, left];
      expect(prefixes.map((one) => one + shorter).concat(longer === shorter ? [longer] : [])).toContain(longer);
    }
  });
});

test('never shows the last four digits of a number, nor anything of other texts', () => {
  forAll([fc.oneof(digits(4, 20), fc.string({ unit: 'binary', maxLength: 60 }))], 3_000, (text) => {
    const masked = maskTelephoneNumber(text);
    expect(masked).toMatch(/^\+?[0-9*#]{0,7}X*$/);
    expect(masked.length).toBeLessThanOrEqual(34);
    expect(text.length < 4 || /X{4}$|^\+[0-9*#]{3}$/.test(masked)).toBe(true);
  });
});
