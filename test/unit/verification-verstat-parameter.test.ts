import { withVerstat } from '@hopback/sdk/stir';
import { expect, test } from 'vitest';

const PASSED = 'TN-Validation-Passed';

test.each([
  ['a SIP URI', '<sip:+12025550101@a.example>', `<sip:+12025550101;verstat=${PASSED}@a.example;user=phone>`],
  [
    'a SIP URI that says user=phone',
    '<sip:+12025550101@a.example:5061;user=phone>;tag=1',
    `<sip:+12025550101;verstat=${PASSED}@a.example:5061;user=phone>;tag=1`,
  ],
  ['a tel URI', 'tel:+12025550101', `<tel:+12025550101;verstat=${PASSED}>`],
  [
    'a tel URI with parameters',
    '<tel:555-0101;phone-context=+1202>',
    `<tel:555-0101;phone-context=+1202;verstat=${PASSED}>`,
  ],
  [
    'a URI without brackets, whose parameters are those of the header',
    'sip:+12025550101@a.example;tag=1',
    `<sip:+12025550101;verstat=${PASSED}@a.example;user=phone>;tag=1`,
  ],
  [
    'a display name with all that ends a URI in it',
    '"<sip:x@y>;\\"" <sip:+12025550101@a.example>',
    `"<sip:x@y>;\\"" <sip:+12025550101;verstat=${PASSED}@a.example;user=phone>`,
  ],
  [
    'trunk group and password, and headers behind the URI',
    '<sip:+12025550101;tgrp=7:pw@a.example?Subject=x>',
    `<sip:+12025550101;tgrp=7;verstat=${PASSED}:pw@a.example;user=phone?Subject=x>`,
  ],
  [
    'each of two asserted identities',
    '<sip:+12025550101@a.example>, <tel:+12025550101>',
    `<sip:+12025550101;verstat=${PASSED}@a.example;user=phone>, <tel:+12025550101;verstat=${PASSED}>`,
  ],
])('verstat goes into %s where a telephone number has its parameters', (_what, value, expected) => {
  expect(withVerstat(value, PASSED)).toBe(expected);
});

test.each([
  ['the user part', '<sip:+12025550101;verstat=TN-Validation-Passed@a.example>'],
  ['the user part, twice', '<sip:+12025550101;verstat=a;verstat=TN-Validation-Passed@a.example>'],
  ['the user part, in capitals and escaped', '<sip:+12025550101;%76ERSTAT=TN-Validation-Passed@a.example>'],
  ['the user part, without a value', '<sip:+12025550101;verstat@a.example>'],
  ['the parameters of the URI', '<sip:+12025550101@a.example;verstat=TN-Validation-Passed>'],
  ['the parameters of the header', '<sip:+12025550101@a.example>; verstat = TN-Validation-Passed'],
  ['what follows a URI without brackets', 'sip:+12025550101@a.example;verstat=TN-Validation-Passed'],
])('a verstat that the caller brought in %s does not survive', (_where, value) => {
  expect(withVerstat(value, 'No-TN-Validation')).toBe(
    '<sip:+12025550101;verstat=No-TN-Validation@a.example;user=phone>',
  );
});

test.each([
  ['a name', '<sip:alice;verstat=TN-Validation-Passed@a.example>', '<sip:alice@a.example>'],
  [
    'an anonymous caller',
    '<sip:anonymous@anonymous.invalid;verstat=TN-Validation-Passed>',
    '<sip:anonymous@anonymous.invalid>',
  ],
  ['a host', '<sip:a.example;verstat=TN-Validation-Passed>', '<sip:a.example>'],
])('%s is no number: it gets no verstat and keeps none', (_what, value, expected) => {
  expect(withVerstat(value, PASSED)).toBe(expected);
});

test.each([
  ['nothing', ''],
  ['a bracket that never closes', '<sip:+12025550101@a.example'],
  ['two @', '<sip:+12025550101@a@b>'],
  ['no URI', '<hello>'],
  ['a second value that is none', '<tel:+12025550101>, <'],
])('%s cannot be read, and is not to be sent on', (_what, value) => {
  expect(withVerstat(value, PASSED)).toBeUndefined();
});

test('a quoted parameter of the header is left whole', () => {
  expect(withVerstat('<tel:+12025550101>;x=";verstat=a"', PASSED)).toBe(
    `<tel:+12025550101;verstat=${PASSED}>;x=";verstat=a"`,
  );
});
