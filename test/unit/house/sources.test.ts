import { expect, test } from 'vitest';
import { regularExpressions } from '../../house/sources.js';

test('finds literals with their flags and what is handed to RegExp', () => {
  const text = ['const a = /x\\/[/]y/giu;', "const b = new RegExp('z+', 'u');", 'const c = RegExp(`w`);'].join('\n');
  expect(regularExpressions('file.ts', text)).toEqual([
    { line: 1, pattern: 'x\\/[/]y', flags: 'giu' },
    { line: 2, pattern: 'z+', flags: 'u' },
    { line: 3, pattern: 'w', flags: '' },
  ]);
});

test('a string that a method makes an expression of is one', () => {
  const text = ["'x'.match('^(a+)+$');", "'x'.matchAll(`b`);", "'x'.search('c');"].join('\n');
  expect(regularExpressions('file.ts', text).map(({ pattern }) => pattern)).toEqual(['^(a+)+$', 'b', 'c']);
});

test('RegExp under another name is found without a pattern, as a type it is nothing', () => {
  expect(regularExpressions('file.ts', 'const R = RegExp;')).toEqual([{ line: 1, pattern: undefined, flags: '' }]);
  expect(regularExpressions('file.ts', 'const f = (r: RegExp): boolean => r instanceof RegExp;')).toEqual([]);
});

test('an expression put together at run time is found without a pattern', () => {
  expect(regularExpressions('file.ts', 'export const f = (s: string) => new RegExp(`^${s}$`);')).toEqual([
    { line: 1, pattern: undefined, flags: '' },
  ]);
});
