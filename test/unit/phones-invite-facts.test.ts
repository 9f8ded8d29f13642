import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headerTexts, secondWord, unfolded } from '../../harness/src/phones/phone-call.js';
import { inviteFacts, verstatOf } from '../../harness/src/phones/index.js';
import { forAll } from '../support/for-all.js';

const message = (...lines: readonly string[]): string =>
  ['INVITE sip:12025550199@b.example SIP/2.0', ...lines, '', ''].join('\r\n');

test('header texts are found by long and compact name in any case, lists and folds as they stand', () => {
  const text = message('Identity: a.b.c;info=<x>', 'y : d,\r\n  e', 'IDENTITY:f ', 'X-Identity: no', 'X:y: no');
  expect(headerTexts(text, 'Identity', 'y')).toEqual(['a.b.c;info=<x>', 'd,\r\n  e', 'f']);
  expect(unfolded('d,\r\n  e\r\n\tf')).toBe('d, e f');
});

test('nothing of the body is taken for a header field', () => {
  expect(headerTexts(`${message('From: a')}Identity: b\r\n`, 'Identity', 'From')).toEqual(['a']);
});

test.each([
  ['', '', []],
  ['OPTIONS', '', []],
  ['SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE', '180', ['1 INVITE']],
  ['\r\nCSeq: 1', '', ['1']],
])('%j has second word %j and CSeq %j', (text, word, cseq) => {
  expect([secondWord(text), headerTexts(text, 'cseq')]).toEqual([word, cseq]);
});

test('the facts of an INVITE are what stands in it', () => {
  const text = message(
    'From: "Desk" <sip:+12025550101@a.example>;tag=1',
    't: <sip:+12025550142@b.example>',
    'i: abc@a.example',
    'Identity: one',
    'Identity: two',
  );
  expect(inviteFacts(text)).toEqual({
    callId: 'abc@a.example',
    requestUri: 'sip:12025550199@b.example',
    from: '"Desk" <sip:+12025550101@a.example>;tag=1',
    to: '<sip:+12025550142@b.example>',
    callingNumber: '12025550101',
    calledNumber: '12025550199',
    isAnonymous: false,
    assertedIdentities: [],
    identityHeaders: ['one', 'two'],
    text,
  });
});

test('the asserted identity names the caller, and says what became of the number', () => {
  const facts = inviteFacts(
    message(
      'From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1',
      'P-Asserted-Identity: "Bank" <sip:+18005550100;verstat=No-TN-Validation@a.example;user=phone>',
      'P-Asserted-Identity: <tel:+18005550100>',
    ),
  );
  expect(facts).toMatchObject({ callingNumber: '18005550100', verstat: 'No-TN-Validation', isAnonymous: true });
  expect(facts.assertedIdentities).toHaveLength(2);
});

test.each([
  ['<sip:alice@a.example>', undefined, false],
  ['<sip:anonymous@anonymous.invalid>', undefined, true],
  ['garbage', undefined, true],
  ['<tel:+442079460000>', '442079460000', false],
])('From %j names %j, anonymous: %j', (from, callingNumber, isAnonymous) => {
  const facts = inviteFacts(message(`From: ${from}`));
  expect([facts.callingNumber, facts.isAnonymous]).toEqual([callingNumber, isAnonymous]);
});

test.each([
  ['<sip:+12025550101;verstat=TN-Validation-Passed@a.example;user=phone>', 'TN-Validation-Passed'],
  ['<tel:+12025550101;verstat=TN-Validation-Failed>', 'TN-Validation-Failed'],
  ['tel:+12025550101;verstat=no-tn-validation', 'No-TN-Validation'],
  ['sip:+12025550101;VERSTAT=TN-Validation-Passed@a.example', 'TN-Validation-Passed'],
  ['<sip:+12025550101@a.example;verstat=TN-Validation-Passed>', 'TN-Validation-Passed'],
  ['<sip:+1;verstat=TN-Validation-Passed@a>, <tel:+1;verstat=TN-Validation-Failed>', 'TN-Validation-Failed'],
  ['<sip:+1;verstat=TN-Validation-Passed;verstat=No-TN-Validation@a>', 'No-TN-Validation'],
  ['"\\";verstat=TN-Validation-Passed" <sip:+12025550101@a.example>', undefined],
  ['"<sip:+1;verstat=TN-Validation-Passed@a>" <sip:+1@a.example>', undefined],
  ['"open ;verstat=TN-Validation-Passed', undefined],
  ['<sip:+12025550101@a.example>;verstat=TN-Validation-Passed', undefined],
  ['<sip:+12025550101;verstat=TN-Validation-Passed-A@a.example>', undefined],
  ['<sip:+12025550101;xverstat=TN-Validation-Passed@a.example>', undefined],
  ['<sip:+12025550101;verstat@a.example>', undefined],
  ['', undefined],
])('verstat of %j is %j', (value, verstat) => {
  expect(verstatOf(value)).toBe(verstat);
});

test('facts and verstat come of any text', () => {
  const part = fc.constantFrom(
    '<',
    '>',
    '"',
    '\\',
    ';',
    ';verstat=',
    'TN-Validation-Failed',
    '@',
    ',',
    'sip:+1',
    '\r\n',
    ' ',
  );
  const line = fc.array(fc.oneof(part, fc.string()), { maxLength: 12 }).map((parts) => parts.join(''));
  const name = fc.constantFrom('From', 'P-Asserted-Identity', 'To', 'Identity', 'Call-ID', 'y', '');
  const lines = fc.array(fc.tuple(name, line).map(([key, value]) => `${key}: ${value}`));
  forAll([lines, line], 100, (headers, rest) => {
    const text = message(...headers) + rest;
    expect(inviteFacts(text).text).toBe(text);
    expect(inviteFacts(rest).text).toBe(rest);
    expect([undefined, 'TN-Validation-Failed']).toContain(verstatOf(rest));
  });
});
