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
  ['a verstat given twice', '<sip:+12025550101;verstat=a;verstat=TN-Validation-Passed@a.example>'],
  ['a second @ that goes once verstat is taken out', '<sip:+12025550101;ph=a@b;verstat=x@a.example>'],
  ['a second @ in a parameter of the host', '<sip:+12025550101@a.example;verstat=x@b>'],
  ['a host that is behind a semicolon without brackets', 'sip:12025550101;x=1@a.example'],
  ['a host that is behind a verstat without brackets', 'sip:12025550101;verstat=x@a.example'],
  ['as many parameters as are read, so that ours is one too many', `<tel:+12025550101${parameters(64)}>`],
  ['a list of more values than are read', `${'tel:+12025550101;x=a,'.repeat(64)}<tel:+12025550102>`],
  ['a comma that comes free when verstat is taken out', '<tel:+12025550101>;<,;verstat=">"'],
  ['a comma that is hidden when verstat is taken out', '<tel:+12025550101>;<;verstat=>, "a>b" <tel:+12025550102>'],
  ['a second value that is none', '<tel:+12025550101>, <'],
])('%s cannot be read, and is not to be sent on', (_what, value) => {
  expect(withVerstat(value, PASSED)).toBeUndefined();
});

test.each([
  ['a password', '<sip:12025550101:55;verstat=TN-Validation-Passed@a.example>'],
  ['a user part behind an escaped semicolon', 'sip:+12025550101%3Bverstat=TN-Validation-Passed@a.example'],
  ['a user part behind an ampersand', 'sip:+12025550101&verstat=TN-Validation-Passed@a.example'],
  ['a user part behind a question mark', '<sip:+12025550101?verstat=TN-Validation-Passed@a.example>'],
  ['a user part, escaped and in capitals', 'sip:+12025550101&%56ERS%54at=TN-Validation-Passed@a.example'],
  ['the value of a parameter', '<sip:+12025550101;x=%3Bverstat=TN-Validation-Passed@a.example>'],
  ['the value of a parameter of a tel URI', '<tel:+12025550101;x=verstat>'],
  ['a parameter, escaped twice', '<sip:+12025550101;ver%2573tat=TN-Validation-Passed@a.example>'],
  ['a parameter, with an escape made of escapes', '<sip:+12025550101@a.example>;%25%37%36erstat=x;y=%%37%36erstat'],
  ['the headers of the URI', '<sip:+12025550101@a.example?verstat=TN-Validation-Passed>'],
  ['the display name', '"a;verstat=TN-Validation-Passed" <sip:+12025550101@a.example>'],
  ['a quoted parameter of the header', '<tel:+12025550101>;x=";verstat=a"'],
  ['a parameter behind a quote that is never closed', '<tel:+12025550101>;x=a"b;verstat=TN-Validation-Passed'],
  ['the name of someone without a number', '<sip:verstat@a.example>'],
  ['a URI of another scheme', '<urn:a:b;verstat=TN-Validation-Passed@a.example>'],
])('a value with the word verstat in %s is not to be sent on', (_where, value) => {
  expect(withVerstat(value, PASSED)).toBeUndefined();
});

test.each([
  ['a quoted parameter of the header', '<tel:+12025550101>;x=";y=a"', `<tel:+12025550101;verstat=${PASSED}>;x=";y=a"`],
  [
    'a password with a semicolon',
    '<sip:12025550101:55;x=1@a.example>',
    `<sip:12025550101;verstat=${PASSED}:55;x=1@a.example;user=phone>`,
  ],
  ['a URI of another scheme', '<https://a.example/b;c=1@d>', '<https://a.example/b;c=1@d>'],
  ['a broken escape in a display name', '"100%" <tel:911>', `"100%" <tel:911;verstat=${PASSED}>`],
])('%s is left whole', (_what, value, expected) => {
  expect(withVerstat(value, PASSED)).toBe(expected);
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
