import { expect, test } from 'vitest';
import { createSiteFairCache } from '../../sdk/src/stir/certificates/certificate-cache.js';

const place = (site: string, sizeBytes = 1): { readonly site: string; readonly sizeBytes: number } => ({
  site,
  sizeBytes,
});

test('of sites with equally many entries, the one that was used least recently gives one up', () => {
  const cache = createSiteFairCache<number>({ maxEntries: 3, maxBytes: 100 });
  for (const [value, key] of ['a', 'b', 'c'].entries()) cache.set(key, value, place(key));
  cache.get('a');
  cache.set('d', 3, place('d'));
  expect(['a', 'b', 'c', 'd'].map(cache.get)).toEqual([0, undefined, 2, 3]);
});

test('within a site what was used is spared once for each use', () => {
  const cache = createSiteFairCache<number>({ maxEntries: 2, maxBytes: 100 });
  cache.set('1', 1, place('a'));
  cache.set('2', 2, place('a'));
  cache.get('1');
  cache.set('3', 3, place('a'));
  expect(cache.values()).toEqual([1, 3]);
  cache.set('4', 4, place('a'));
  expect(cache.values()).toHaveLength(2);
  for (const key of ['1', '2', '3', '4']) cache.get(key);
  cache.set('5', 5, place('a'));
  expect(cache.size()).toEqual({ entries: 2, sizeBytes: 2 });
  expect(cache.get('5')).toBe(5);
});

test('bytes are counted through replacement, removal and what is too large to be taken', () => {
  const cache = createSiteFairCache<string>({ maxEntries: 10, maxBytes: 10 });
  cache.set('1', 'one', place('a', 4));
  cache.set('1', 'two', place('a', 6));
  expect(cache.size()).toEqual({ entries: 1, sizeBytes: 6 });
  cache.set('2', 'three', place('b', 5));
  expect([cache.get('1'), cache.get('2')]).toEqual([undefined, 'three']);
  cache.set('2', 'four', place('b', 11));
  expect(cache.get('2')).toBeUndefined();
  expect(cache.size()).toEqual({ entries: 0, sizeBytes: 0 });
});
