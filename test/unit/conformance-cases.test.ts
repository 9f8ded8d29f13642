import { CASE_GROUPS, CONFORMANCE_CASES, selectCases } from '@hopback/harness/conformance';
import { expect, test } from 'vitest';

const numbers = CONFORMANCE_CASES.map(({ number }) => number);

test('every case has a number of its own, V for verification and S for signing, in order', () => {
  expect(new Set(numbers).size).toBe(numbers.length);
  for (const { kind, number } of CONFORMANCE_CASES)
    expect(number).toMatch(kind === 'signing' ? /^S-\d{3}$/ : /^V-\d{3}$/);
  const verification = numbers.filter((number) => number.startsWith('V'));
  expect(verification).toEqual([...verification].sort());
  expect(numbers.slice(0, verification.length)).toEqual(verification);
});

test('there are at least a hundred cases of verification and fifteen of signing, some in each group', () => {
  const count = (kind: string): number => CONFORMANCE_CASES.filter((one) => one.kind === kind).length;
  expect(count('verification')).toBeGreaterThanOrEqual(100);
  expect(count('signing')).toBeGreaterThanOrEqual(15);
  expect(new Set(CONFORMANCE_CASES.map(({ group }) => group))).toEqual(new Set(CASE_GROUPS));
});

test('every case names the text that decides it, and says what a conforming service does', () => {
  for (const { source, title } of CONFORMANCE_CASES) {
    expect(source).toMatch(/RFC|ATIS|3GPP|FIPS|SHAKEN|deployed/);
    expect(title).toMatch(
      /^(?:passes|refuses|answers|never|does not|says|tells|takes|finds|keeps|writes|signs|holds) \S/,
    );
  }
});

test('a selection takes numbers, their beginnings and groups', () => {
  const selected = (...args: readonly [Parameters<typeof selectCases>[1]]): readonly string[] =>
    selectCases(CONFORMANCE_CASES, ...args).map(({ number }) => number);
  expect(selected({})).toEqual(numbers);
  expect(selected({ only: ['V-451', 'V-00*'] })).toEqual([...numbers.filter((one) => one.startsWith('V-00')), 'V-451']);
  expect(selected({ groups: ['revocation'] })).toEqual(['V-451', 'V-452', 'V-453']);
  expect(selected({ groups: ['revocation'], only: ['V-452', 'V-001'] })).toEqual(['V-452']);
  expect(selected({ only: ['V-999'] })).toEqual([]);
});
