import { CASE_GROUPS, CONFORMANCE_CASES, selectCases } from '@hopback/harness/conformance';
import { expect, test } from 'vitest';
import type {
  Observed,
  SentCall,
  VerificationCase,
  VerificationExpectation,
} from '../../harness/src/conformance/case.js';
import { readVerstat } from '../../harness/src/conformance/case.js';
import { applicability, judgeVerification } from '../../harness/src/conformance/conformance-run.js';

const call: SentCall = { identity: ['a.b.c;info=<x>'], origTn: '12025550101', destTn: '12025550199', dateSeconds: 1 };

const judged = (expects: VerificationExpectation, observed: Observed): string => {
  const conformanceCase: VerificationCase = {
    ...{ kind: 'verification', number: 'V-001', title: 'passes', group: 'good-calls', source: 'RFC 8224' },
    ...{ level: 'must', needs: ['verify'], sends: () => call, expects },
  };
  return judgeVerification({ conformanceCase, call }, observed).status;
};

type Verified = Extract<Observed, { readonly kind: 'verified' }>;
const verified = (isPassed: boolean, more: Partial<Verified> = {}): Observed => ({
  ...{ kind: 'verified', isPassed, codes: [], reasons: [], said: 'said' },
  ...more,
});

test('a call that should pass and does not fails, and the other way round', () => {
  expect(judged({ outcome: 'passed' }, verified(true))).toBe('pass');
  expect(judged({ outcome: 'passed' }, verified(false))).toBe('fail');
  expect(judged({ outcome: 'refused' }, verified(false))).toBe('pass');
  expect(judged({ outcome: 'refused' }, verified(true))).toBe('fail');
});

test('where the standards leave it open any answer conforms, but silence and nonsense do not', () => {
  expect(judged({ outcome: 'answered' }, verified(true))).toBe('pass');
  expect(judged({ outcome: 'answered' }, verified(false))).toBe('pass');
  expect(judged({ outcome: 'answered' }, { kind: 'no-answer', why: 'timeout', said: 'nothing' })).toBe('fail');
  expect(judged({ outcome: 'answered' }, { kind: 'not-understood', said: '<html>' })).toBe('fail');
});

test('one of several codes conforms, another or none does not', () => {
  const expects: VerificationExpectation = { outcome: 'refused', codes: [437, 438] };
  expect(judged(expects, verified(false, { codes: [438] }))).toBe('pass');
  expect(judged(expects, verified(false, { codes: [403, 437] }))).toBe('pass');
  expect(judged(expects, verified(false, { codes: [403] }))).toBe('fail');
  expect(judged(expects, verified(false))).toBe('fail');
});

test('an answer without the verstat that is asked for does not conform, and a SIP refusal is not judged by it', () => {
  const expects: VerificationExpectation = { outcome: 'refused', verstat: ['TN-Validation-Failed'] };
  expect(judged(expects, verified(false))).toBe('fail');
  expect(judged(expects, verified(false, { isFinalResponse: true }))).toBe('not-applicable');
  expect(judged({ ...expects, outcome: 'passed' }, verified(false, { isFinalResponse: true }))).toBe('fail');
});

test('verstat and attestation are judged where the interface shows them', () => {
  const expects: VerificationExpectation = { outcome: 'passed', verstat: ['TN-Validation-Passed'], attestation: 'A' };
  expect(judged(expects, verified(true, { verstat: 'TN-Validation-Passed' }))).toBe('pass');
  expect(judged(expects, verified(true, { attestation: 'A', verstat: 'TN-Validation-Passed' }))).toBe('pass');
  expect(judged(expects, verified(true, { verstat: 'TN-Validation-Passed', attestation: 'B' }))).toBe('fail');
  expect(judged(expects, verified(true, { verstat: 'No-TN-Validation' }))).toBe('fail');
});

test('causes in Reason have to be the right ones in any order, and a ppi has to name the token', () => {
  const expects: VerificationExpectation = { outcome: 'refused', reasonCauses: [438, 403] };
  expect(judged(expects, verified(false, { reasons: [{ cause: 403 }, { cause: 438 }] }))).toBe('pass');
  expect(judged(expects, verified(false, { reasons: [{ cause: 438 }] }))).toBe('fail');
  const named: VerificationExpectation = { outcome: 'passed', reasonCauses: [438], ppiOf: ['a.b.c', '..c'] };
  expect(judged(named, verified(true, { reasons: [{ cause: 438, ppi: '..c' }] }))).toBe('pass');
  expect(judged(named, verified(true, { reasons: [{ cause: 438, ppi: 'x.y.z' }] }))).toBe('fail');
  expect(judged(named, verified(true, { reasons: [{ cause: 438 }] }))).toBe('fail');
});

test('a case is not applicable to an interface that lacks what it needs, and says what that is', () => {
  const needs = ['verify', 'target'] as const;
  expect(applicability({ needs }, new Set(needs))).toBeUndefined();
  expect(applicability({ needs }, new Set(['verify'] as const))).toEqual({
    status: 'not-applicable',
    reason: 'the interface knows no Request-URI apart from To',
  });
});

test('a verstat is read with and without the attestation that vendors append', () => {
  expect(readVerstat('TN-Validation-Passed-B')).toEqual({ verstat: 'TN-Validation-Passed', attestation: 'B' });
  expect(readVerstat('No-TN-Validation')).toEqual({ verstat: 'No-TN-Validation' });
  for (const value of ['Passed', 'TN-Validation-Passed-D', '', undefined, 1])
    expect(readVerstat(value)).toBeUndefined();
});

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
