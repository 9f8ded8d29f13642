import { expect, test } from 'vitest';
import type { TnAuthEntry } from '../../sdk/src/stir/certificates/certificate.js';
import { encompasses, tnAuthListCovers, tnAuthListText } from '../../sdk/src/stir/certificates/tn-auth-list.js';

const range = (start: string, count: number): TnAuthEntry => ({ kind: 'range', start, count });
const one = (tn: string): TnAuthEntry => ({ kind: 'one', tn });
const spc = (code: string): TnAuthEntry => ({ kind: 'spc', spc: code });

test('a range covers its first and its last number and neither neighbour', () => {
  const list = [range('12025550100', 100)];
  expect(['12025550099', '12025550100', '12025550199', '12025550200'].map((tn) => tnAuthListCovers(list, tn))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

test('a range keeps its number of digits and its leading zeros', () => {
  const list = [range('0098', 10)];
  expect(['0098', '0107', '98', '00098', '0108'].map((tn) => tnAuthListCovers(list, tn))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(tnAuthListCovers([range('98', 10)], '99')).toBe(true);
  expect(tnAuthListCovers([range('98', 10)], '100')).toBe(false);
});

test('a range of fifteen digits and a count beyond them is exact', () => {
  const list = [range('999999999999990', Number.MAX_SAFE_INTEGER)];
  expect(tnAuthListCovers(list, '999999999999999')).toBe(true);
  expect(tnAuthListCovers(list, '999999999999989')).toBe(false);
});

test('a number with * or # is covered by its own text only', () => {
  expect(tnAuthListCovers([one('*67')], '*67')).toBe(true);
  expect(tnAuthListCovers([range('*67', 5)], '*67')).toBe(true);
  expect(tnAuthListCovers([range('*67', 5)], '*68')).toBe(false);
  expect(tnAuthListCovers([range('*67', 5)], '168')).toBe(false);
  expect(tnAuthListCovers([range('100', 5)], '1*3')).toBe(false);
});

test('an SPC names no number', () => {
  expect(tnAuthListCovers([spc('709J')], '12025550100')).toBe(false);
});

test.each<[string, TnAuthEntry[], TnAuthEntry[], boolean]>([
  ['the same SPC', [spc('709J')], [spc('709J')], true],
  ['another SPC', [spc('709J')], [spc('709K')], false],
  ['one of two SPCs', [spc('709J'), spc('888X')], [spc('888X')], true],
  ['numbers under an SPC', [spc('709J')], [range('12025550100', 100), one('911')], true],
  ['an SPC under numbers', [range('12025550100', 100)], [spc('709J')], false],
  ['a number in a range', [range('12025550100', 100)], [one('12025550150')], true],
  ['a range in a range', [range('12025550100', 100)], [range('12025550110', 90)], true],
  ['a range one number too long', [range('12025550100', 100)], [range('12025550110', 91)], false],
  ['a range over two adjoining ranges', [range('2010', 10), range('2000', 10)], [range('2005', 10)], true],
  ['a range over two ranges with a gap', [range('2000', 10), range('2011', 10)], [range('2005', 10)], false],
  ['a range made of a range and a number', [range('2000', 10), one('2010')], [range('2000', 11)], true],
  ['a range inside one of two overlapping ranges', [range('2000', 100), range('2001', 2)], [range('2050', 50)], true],
  ['a number of another length', [range('2000', 100)], [one('02000')], false],
  ['a range under single numbers', [one('2000'), one('2001')], [range('2000', 2)], true],
  ['the same starred number', [one('*67')], [one('*67')], true],
  ['a starred number that only counts on', [range('*67', 5)], [one('*68')], false],
  ['no entries', [one('2000')], [], true],
  ['some inside and one outside', [range('2000', 10)], [one('2000'), one('2010')], false],
])('encompassing: %s', (_, parent, child, expected) => {
  expect(encompasses(parent, child)).toBe(expected);
});

test('a text names eight entries and counts the rest', () => {
  expect(tnAuthListText([spc('709J'), one('911'), range('2000', 10)])).toBe('spc 709J, 911, 2000 and the 9 after it');
  expect(tnAuthListText(Array.from({ length: 11 }, () => one('911')))).toMatch(/ and 3 more$/);
});

test('finds each number among hundreds of ranges in any order, and none between them', () => {
  const starts = Array.from({ length: 400 }, (_, index) => 2000 + ((index * 37) % 400) * 10);
  const parent = starts.map((start) => range(String(start), 5));
  expect(
    encompasses(
      parent,
      starts.map((start) => one(String(start + 4))),
    ),
  ).toBe(true);
  for (const start of starts) expect(encompasses(parent, [one(String(start + 5))])).toBe(false);
  expect(encompasses(parent, [one('1999')])).toBe(false);
});

test('compares ranges of fifteen digits exactly', () => {
  const parent = [range('999999999999000', 999)];
  expect(encompasses(parent, [range('999999999999000', 999)])).toBe(true);
  expect(encompasses(parent, [range('999999999999000', 1000)])).toBe(false);
  expect(encompasses([range('999999999999000', Number.MAX_SAFE_INTEGER)], [one('999999999999999')])).toBe(true);
});
