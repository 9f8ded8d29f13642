import { withVerstat } from '@hopback/sdk/stir';
import { expect, test } from 'vitest';

const PASSED = 'TN-Validation-Passed';

/** The value with a verstat at `^`, and with the user=phone that goes with it at `~`. */
const marked = (value: string, verstat: string): string =>
  value.replaceAll('^', verstat).replaceAll('~', verstat === '' ? '' : ';user=phone');

test.each([
  ['a SIP URI', '<sip:+12025550101^@a.example~>'],
  ['a SIP URI that says user=phone', '<sip:+12025550101^@a.example:5061;user=phone>;tag=1'],
  ['a tel URI with parameters', '<tel:555-0101;phone-context=+1202^>'],
  ['a display name with all that ends a URI in it', '"<sip:x@y>;\\"" <sip:+12025550101^@a.example~>'],
  ['a URI with trunk group, password and headers', '<sip:+12025550101;tgrp=7^:pw@a.example~?Subject=x>'],
  ['each of two asserted identities', '<sip:+12025550101^@a.example~>, <tel:+12025550101^>'],
  ['a value with a quoted parameter, which stays whole', '<tel:+12025550101^>;x=";y=a"'],
  ['a URI with a semicolon in its password, which stays whole', '<sip:12025550101^:55;x=1@a.example~>'],
  ['a value with a broken escape in its display name', '"100%" <tel:911^>'],
])('verstat goes into %s where a telephone number has its parameters', (_what, value) => {
  expect(withVerstat(marked(value, ''), PASSED)).toBe(marked(value, `;verstat=${PASSED}`));
});

test('a URI without brackets gets them, since its parameters are those of the header', () => {
  expect(withVerstat('tel:+12025550101', PASSED)).toBe(`<tel:+12025550101;verstat=${PASSED}>`);
  expect(withVerstat('sip:+12025550101@a.example;tag=1', PASSED)).toBe(
    `<sip:+12025550101;verstat=${PASSED}@a.example;user=phone>;tag=1`,
  );
});

test.each([
  ['the user part', '<sip:+12025550101;verstat=TN-Validation-Passed@a.example>'],
  ['the user part, in capitals and escaped', '<sip:+12025550101;%76ERSTAT=TN-Validation-Passed@a.example>'],
  ['the user part, without a value', '<sip:+12025550101;verstat@a.example>'],
  ['the parameters of the URI', '<sip:+12025550101@a.example;verstat=TN-Validation-Passed>'],
  ['the parameters of the header', '<sip:+12025550101@a.example>; verstat = TN-Validation-Passed'],
  ['the parameters of the header, with a space before it', '<sip:+12025550101@a.example> ;verstat'],
  ['what follows a URI without brackets', 'sip:+12025550101@a.example;verstat=TN-Validation-Passed'],
])('a verstat that the caller brought in %s does not survive', (_where, value) => {
  expect(withVerstat(value, 'No-TN-Validation')).toBe(
    '<sip:+12025550101;verstat=No-TN-Validation@a.example;user=phone>',
  );
});

test.each([
  ['a name', '<sip:alice;verstat=TN-Validation-Passed@a.example>', '<sip:alice@a.example>'],
  ['a host', '<sip:a.example;verstat=TN-Validation-Passed>', '<sip:a.example>'],
])('%s without a number gets no verstat and keeps none', (_what, value, expected) => {
  expect(withVerstat(value, PASSED)).toBe(expected);
});

test.each([
  ['nothing', ''],
  ['a bracket that never closes', '<sip:+12025550101@a.example'],
  ['a verstat given twice', '<sip:+12025550101;verstat=a;verstat=TN-Validation-Passed@a.example>'],
  ['a second @ that goes once verstat is taken out', '<sip:+12025550101;ph=a@b;verstat=x@a.example>'],
  ['a host that is behind a semicolon without brackets', 'sip:12025550101;x=1@a.example'],
  ['as many parameters as are read, so that ours is one too many', `<tel:+12025550101${parameters(64)}>`],
  ['a list of more values than are read', `${'tel:+12025550101;x=a,'.repeat(64)}<tel:+12025550102>`],
  ['a comma that comes free when verstat is taken out', '<tel:+12025550101>;<,;verstat=">"'],
  ['a comma that is hidden when verstat is taken out', '<tel:+12025550101>;<;verstat=>, "a>b" <tel:+12025550102>'],
  ['a second value that is none', '<tel:+12025550101>, <'],
])('%s cannot be read, and is not sent on', (_what, value) => {
  expect(withVerstat(value, PASSED)).toBeUndefined();
});

test.each([
  ['a password', '<sip:12025550101:55;verstat=TN-Validation-Passed@a.example>'],
  ['a user part behind an escaped semicolon', 'sip:+12025550101%3Bverstat=TN-Validation-Passed@a.example'],
  ['a user part behind an ampersand', 'sip:+12025550101&verstat=TN-Validation-Passed@a.example'],
  ['the value of a parameter', '<sip:+12025550101;x=%3Bverstat=TN-Validation-Passed@a.example>'],
  ['a parameter, escaped twice', '<sip:+12025550101;ver%2573tat=TN-Validation-Passed@a.example>'],
  ['the display name', '"a;verstat=TN-Validation-Passed" <sip:+12025550101@a.example>'],
  ['a parameter behind a quote that is never closed', '<tel:+12025550101>;x=a"b;verstat=TN-Validation-Passed'],
])('a value with the word verstat in %s is not sent on', (_where, value) => {
  expect(withVerstat(value, PASSED)).toBeUndefined();
});

test('a URI of another scheme is left whole', () => {
  const value = '<https://a.example/b;c=1@d>';
  expect(withVerstat(value, PASSED)).toBe(value);
});

function parameters(count: number): string {
  return Array.from({ length: count }, (_, index) => `;p${String(index)}`).join('');
}

test.each([
  ['nothing to take out', '"Desk" <sip:+12025550101@a.example>;tag=1', '"Desk" <sip:+12025550101@a.example>;tag=1'],
  ['a SIP URI', `<sip:+12025550101;verstat=${PASSED}@a.example>;tag=1`, '<sip:+12025550101@a.example>;tag=1'],
  ['a tel URI', `<tel:+12025550101;Verst%61t=${PASSED}>`, '<tel:+12025550101>'],
  ['a name', `"verstat=${PASSED}" <sip:+12025550101@a.example>`, undefined],
])('without a verdict a verstat is taken out: %s', (_where, value, without) => {
  expect(withVerstat(value)).toBe(without);
});
