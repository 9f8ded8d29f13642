import { expect, test } from 'vitest';
import { createHeaderCache, type PassportHeader } from '../../sdk/src/stir/passport.js';

test('a full cache of headers is emptied, and goes on', () => {
  const cache = createHeaderCache();
  const header = { members: { alg: 'ES256' } } as unknown as PassportHeader;
  for (let index = 0; index < 10_000; index += 1) cache.set(`segment-${String(index)}`, header);
  expect(cache.get('segment-0')).toBe(header);
  cache.set('one-more', header);
  expect(cache.get('segment-0')).toBeUndefined();
  expect(cache.get('one-more')).toBe(header);
});
