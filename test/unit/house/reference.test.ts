import { expect, test } from 'vitest';
import { docstringGaps } from '../../house/reference.js';

const complete = `/**
 * Doubles a number. Never throws.
 * @param n - any number
 * @returns twice as much
 * @see RFC 1
 * @example
 * \`\`\`ts
 * double(2);
 * \`\`\`
 */
export function double(n: number): number { return 2 * n; }`;

test('a docstring that says everything has no gaps', () => {
  expect(docstringGaps(complete)).toEqual([]);
});

test('a tag behind a sentence on its line counts, one inside a code block does not', () => {
  expect(
    docstringGaps(complete.replace('Doubles a number.', 'Doubles. @see RFC 2').replace(' * @see RFC 1\n', '')),
  ).toEqual([]);
  expect(docstringGaps(complete.replace(' * @see RFC 1\n', '').replace('double(2);', 'x; @see RFC 1'))).toEqual([
    'double lacks @see',
  ]);
});

test.each([
  ['a parameter', ' * @param n - any number\n', '@param n - what it is, its unit and its bounds'],
  ['what it returns', ' * @returns twice as much\n', '@returns'],
  ['whether it throws', ' Never throws.', '@throws, or the words "never throws" or "never rejects"'],
  ['the section', ' * @see RFC 1\n', '@see'],
  ['an example', ' * @example\n', '@example with a ts block'],
])('a docstring without %s has a gap', (_what, part, gap) => {
  expect(docstringGaps(complete.replace(part, ''))).toContain(`double lacks ${gap}`);
});

test('a parameter that is named without a text is a gap', () => {
  expect(docstringGaps(complete.replace('@param n - any number', '@param n'))).toHaveLength(1);
});
