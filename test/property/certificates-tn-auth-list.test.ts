import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TnAuthEntry } from '../../sdk/src/stir/certificates/certificate.js';
import { encompasses, tnAuthListCovers } from '../../sdk/src/stir/certificates/tn-auth-list.js';

// Numbers of one to three digits, so that every one there is can be counted through.
const number = fc
  .integer({ min: 1, max: 3 })
  .chain((length) => fc.nat({ max: 10 ** length - 1 }).map((value) => String(value).padStart(length, '0')));
const numberEntry: fc.Arbitrary<TnAuthEntry> = fc.oneof(
  number.map((tn) => ({ kind: 'one' as const, tn })),
  fc.record({ kind: fc.constant('range' as const), start: number, count: fc.integer({ min: 2, max: 60 }) }),
);
const numberList = fc.array(numberEntry, { maxLength: 8 });

/** The numbers of a list, one by one. */
function enumerate(list: readonly TnAuthEntry[]): Set<string> {
  const numbers = new Set<string>();
  for (const entry of list) {
    if (entry.kind === 'one') numbers.add(entry.tn);
    if (entry.kind !== 'range') continue;
    for (let index = 0; index < entry.count; index += 1) {
      const next = String(Number(entry.start) + index);
      if (next.length <= entry.start.length) numbers.add(next.padStart(entry.start.length, '0'));
    }
  }
  return numbers;
}

test('a list covers exactly the numbers that counting finds', () => {
  fc.assert(
    fc.property(numberList, number, (list, tn) => {
      expect(tnAuthListCovers(list, tn)).toBe(enumerate(list).has(tn));
    }),
    { numRuns: 2_000 },
  );
});

test('a list encompasses another exactly when counting finds every number of it', () => {
  let yes = 0;
  fc.assert(
    fc.property(numberList, fc.array(numberEntry, { minLength: 1, maxLength: 2 }), (parent, child) => {
      const all = enumerate(parent);
      const expected = [...enumerate(child)].every((tn) => all.has(tn));
      expect(encompasses(parent, child)).toBe(expected);
      yes += expected ? 1 : 0;
    }),
    { numRuns: 5_000 },
  );
  expect(yes).toBeGreaterThan(20);
});

test('a list encompasses itself and every part of itself', () => {
  const spcEntry = fc.constantFrom('709J', '888X').map((spc) => ({ kind: 'spc' as const, spc }));
  fc.assert(
    fc.property(fc.array(fc.oneof(numberEntry, spcEntry), { maxLength: 6 }), fc.nat({ max: 63 }), (list, mask) => {
      expect(
        encompasses(
          list,
          list.filter((_, index) => (mask >> index) & 1),
        ),
      ).toBe(true);
    }),
  );
});
