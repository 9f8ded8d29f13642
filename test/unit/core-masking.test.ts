import { expect, test } from 'vitest';
import { maskTelephoneNumber } from '../../sdk/src/core/text.js';

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
