import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textWithoutNumbers } from '../../harness/src/platform/domain/records/mask-numbers.js';
import { forAll } from '../support/for-all.js';

test.each([
  ['call +1 (512) 684-1041 now', 'call +[number] now'],
  ['five one two six eight four one oh four one', '[number]'],
  ['cinco uno dos seis ocho cuatro uno cero cuatro uno', '[number]'],
  ['late on 2026-11-17, see 2026-11-17T10:30:00Z', 'late on 2026-11-17, see 2026-11-17T10:30:00Z'],
  ['2026-11-17 5126841041', '2026-11-17 [number]'],
  ['press 1, then 2, for 900 dollars', 'press 1, then 2, for 900 dollars'],
])('of %j there is left %j', (text, left) => {
  expect(textWithoutNumbers(text)).toBe(left);
});

test('ten digits in a row are in no text that is kept, whatever stands around them', () => {
  forAll([fc.string(), fc.stringMatching(/^[2-9]\d{9}$/), fc.string()], 100, (before, number, after) => {
    expect(textWithoutNumbers(`${before}${number}${after}`)).not.toContain(number);
  });
});
