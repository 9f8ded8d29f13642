import { createPassport, GOOD_PASSPORTS, TEST_DEST_TN, TEST_NOW_MS, TEST_ORIG_TN } from '@hopback/sdk/testing';
import type { PassportOptions } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { compactIdentityHeader, NORTH_AMERICAN_PLAN } from '../../sdk/src/stir/index.js';
import { formatSipDate } from '../../sdk/src/stir/verification/request.js';
import { parseIdentityHeader } from '../../sdk/src/stir/identity-header.js';
import { LAB_X5U, createVerificationLab } from '../support/verification-lab.js';

const lab = await createVerificationLab();

const REQUEST = {
  from: `<sip:+${TEST_ORIG_TN}@a.example>;tag=1`,
  to: `<sip:+${TEST_DEST_TN}@b.example>`,
  date: formatSipDate(TEST_NOW_MS / 1000),
};

const plain = (changes: Partial<PassportOptions> = {}): string =>
  createPassport({ signer: lab.provider, x5u: LAB_X5U, ppt: 'absent', ...changes }).identityHeader;

test('leaves the two dots, the signature and the parameters as they were written', () => {
  const full = plain({ identityHeader: { parametersText: `;\r\n info=<${LAB_X5U}>;alg="ES256";x=1` } });
  const result = compactIdentityHeader(full, REQUEST);
  expect(result.status === 'compact' && result.identityHeader).toMatch(
    /^\.\.[\w-]{86};\r\n info=<https:\/\/[^>]+>;alg="ES256";x=1$/,
  );
});

test('writes what the catalogue of good calls has in compact form', () => {
  const [expected = ''] = GOOD_PASSPORTS['baseline-compact'].build(lab.faults).identityHeaders;
  const [full = ''] = GOOD_PASSPORTS['baseline'].build(lab.faults).identityHeaders;
  const result = compactIdentityHeader(full, REQUEST);
  const parametersOf = (value: string): string => value.slice(value.indexOf(';'));
  expect(result.status === 'compact' && parametersOf(result.identityHeader)).toBe(parametersOf(expected));
});

test.each(['shaken', 'div'])('a %s PASSporT has no compact form: the request does not state its claims', (ppt) => {
  expect(compactIdentityHeader(plain({ ppt }), REQUEST)).toEqual({
    status: 'refused',
    reason: 'type-needs-full-form',
    detail: expect.any(String),
    expected: 'no ppt',
    actual: ppt,
  });
});

test('a PASSporT whose ppt is in its own header alone has no compact form either', () => {
  const hidden = plain({ ppt: 'shaken', identityHeader: { ppt: 'absent' } });
  expect(compactIdentityHeader(hidden, REQUEST)).toMatchObject({ reason: 'header-differs', actual: '"shaken"' });
});

test('says both values of what differs', () => {
  const later = plain({ iatSeconds: TEST_NOW_MS / 1000 + 1 });
  const seconds = TEST_NOW_MS / 1000;
  expect(compactIdentityHeader(later, REQUEST)).toMatchObject({
    reason: 'date-differs',
    expected: String(seconds),
    actual: String(seconds + 1),
  });
  const { date: _date, ...undated } = REQUEST;
  expect(compactIdentityHeader(plain(), undated)).toMatchObject({ reason: 'date-differs', expected: 'absent' });
});

test('a claim that neither request nor PASSporT has is not taken for the same', () => {
  const nobody = plain({ claims: { orig: undefined } });
  const { from: _from, ...anonymous } = REQUEST;
  expect(compactIdentityHeader(nobody, anonymous)).toMatchObject({ reason: 'orig-differs', actual: 'absent' });
  const { to: _to, ...undirected } = REQUEST;
  const toNobody = compactIdentityHeader(plain({ claims: { dest: {} } }), undirected);
  expect(toNobody).toMatchObject({ reason: 'dest-differs', expected: 'absent', actual: '{}' });
});

test('reads the parties as the options say', () => {
  const request = { ...REQUEST, pAssertedIdentity: '<tel:+12025550142>' };
  expect(compactIdentityHeader(plain(), request)).toMatchObject({ reason: 'orig-differs' });
  const options = { originatingIdentity: ['from'], destination: 'to', numberingPlan: NORTH_AMERICAN_PLAN } as const;
  expect(compactIdentityHeader(plain(), request, options).status).toBe('compact');
});

test.each([
  ['', 'identity-header-malformed'],
  ['x'.repeat(8193), 'identity-header-too-long'],
  ['e30.e30.=', 'base64url-invalid'],
  ['W10.e30.AA', 'json-malformed'],
  ['..AA', 'already-compact'],
])('refuses %j', (value, reason) => {
  expect(compactIdentityHeader(value, REQUEST)).toMatchObject({ status: 'refused', reason });
});

test('an info that is no URL in brackets has nothing to rebuild the x5u from', () => {
  const value = plain({ identityHeader: { parametersText: `;info=${LAB_X5U}` } });
  expect(parseIdentityHeader(value).status).toBe('parsed');
  expect(compactIdentityHeader(value, REQUEST)).toMatchObject({ reason: 'info-unusable' });
});
