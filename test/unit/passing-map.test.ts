import { expect, test } from 'vitest';
import fc from 'fast-check';
import { PassingMap } from '../../harness/src/drachtio/timers.js';
import { forAll } from '../support/for-all.js';

test('holds what a Map holds, whatever is set and removed', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ what: fc.constant('set' as const), key: fc.nat(40), value: fc.nat() }),
      fc.record({ what: fc.constant('delete' as const), key: fc.nat(40), value: fc.constant(0) }),
      fc.record({ what: fc.constant('clear' as const), key: fc.constant(0), value: fc.constant(0) }),
    ),
    { maxLength: 400, size: 'max' },
  );
  forAll([steps], 100, (all) => {
    const passing = new PassingMap<number, number>();
    const plain = new Map<number, number>();
    for (const { what, key, value } of all) {
      if (what === 'set') {
        passing.set(key, value);
        plain.set(key, value);
      } else if (what === 'delete') expect(passing.delete(key)).toBe(plain.delete(key));
      else {
        passing.clear();
        plain.clear();
      }
      expect([passing.size, passing.has(key), passing.get(key)]).toEqual([plain.size, plain.has(key), plain.get(key)]);
    }
    expect([...passing.values()]).toEqual([...plain.values()]);
  });
});

test('what is removed while the values are walked over is not walked over any more', () => {
  const passing = new PassingMap<string, string>();
  for (const name of ['a', 'b', 'c']) passing.set(name, name);
  const seen: string[] = [];
  for (const name of passing.values()) {
    seen.push(name);
    passing.delete('b');
    passing.set('d', 'd');
  }
  expect(seen).toEqual(['a', 'c']);
});
