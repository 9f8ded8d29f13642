import { expect, test } from 'vitest';
import { screenCall, type ScreenedCall, type ScreeningRule } from '../../harness/src/phones/index.js';

const call = (facts: Partial<ScreenedCall> = {}): ScreenedCall => ({
  ...{ callingNumber: '12025550123', isAnonymous: false, ownNumber: '+12025550199' },
  ...facts,
});

test('a rule of nothing lets all calls through but those whose number was proven false', () => {
  expect(screenCall(call(), {})).toEqual({ action: 'allow', reason: 'nothing-against-it' });
  expect(screenCall({ isAnonymous: true, ownNumber: '12025550199' }, {}).action).toBe('allow');
  expect(screenCall(call({ verstat: 'No-TN-Validation' }), {}).action).toBe('allow');
  expect(screenCall(call({ verstat: 'TN-Validation-Failed' }), {})).toEqual({
    action: 'block',
    reason: 'verstat-failed',
  });
  expect(screenCall(call({ verstat: 'TN-Validation-Failed' }), { blockedVerstats: [] }).action).toBe('allow');
});

test.each<[string, Partial<ScreenedCall>, ScreeningRule, string]>([
  ['a number on the list', {}, { blockedNumbers: ['+1 (202) 555-0123'] }, 'blocked-number'],
  ['a prefix on the list', { callingNumber: '19005550100' }, { blockedPrefixes: ['', '1900'] }, 'blocked-prefix'],
  [
    'a number that nobody vouches for',
    { verstat: 'No-TN-Validation' },
    { blockedVerstats: ['No-TN-Validation'] },
    'verstat-not-validated',
  ],
  [
    'a passed number where even those are not wanted',
    { verstat: 'TN-Validation-Passed' },
    { blockedVerstats: ['TN-Validation-Passed'] },
    'verstat-passed',
  ],
  ['an unnamed caller', { isAnonymous: true }, { blockAnonymous: true }, 'anonymous'],
  ['a neighbour', {}, { neighbourDigits: 7 }, 'neighbour-spoofing'],
])('blocks %s', (_what, facts, rule, reason) => {
  expect(screenCall(call(facts), rule)).toEqual({ action: 'block', reason });
  expect(screenCall(call(facts), { ...rule, knownContacts: ['(202) 555-0123', '9005550100'] })).toEqual({
    ...{ action: 'allow', reason: 'known-contact' },
  });
});

test('lets through who shares fewer digits than a neighbour, and who has no number at all', () => {
  expect(screenCall(call({ callingNumber: '12025560123' }), { neighbourDigits: 7 }).action).toBe('allow');
  const rule: ScreeningRule = { neighbourDigits: 7, blockedNumbers: [''], blockedPrefixes: [''], knownContacts: [''] };
  expect(screenCall({ isAnonymous: true, ownNumber: '12025550199' }, rule).reason).toBe('nothing-against-it');
});

test('tells the strongest reason first', () => {
  const rule: ScreeningRule = { blockedNumbers: ['12025550123'], blockedPrefixes: ['1202'], neighbourDigits: 4 };
  expect(screenCall(call({ verstat: 'TN-Validation-Failed' }), rule).reason).toBe('blocked-number');
  expect(screenCall(call({ verstat: 'TN-Validation-Failed', callingNumber: '12025550100' }), rule).reason).toBe(
    'blocked-prefix',
  );
  expect(screenCall(call({ verstat: 'TN-Validation-Failed' }), { neighbourDigits: 4 }).reason).toBe('verstat-failed');
});
