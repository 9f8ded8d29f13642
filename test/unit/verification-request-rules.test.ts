import { createPassport, sampleInvite, TEST_DEST_TN, TEST_ORIG_TN } from '@hopback/sdk/testing';
import type { PassportOptions } from '@hopback/sdk/testing';
import { beforeAll, expect, test } from 'vitest';
import { parseSipRequest } from '../../sdk/src/core/sip-request.js';
import {
  formatSipDate,
  readParties,
  readSipDate,
  verificationRequestOf,
} from '../../sdk/src/stir/verification/request.js';
import type { VerificationRequest } from '../../sdk/src/stir/verification/request.js';
import { DEFAULT_VERIFICATION_POLICY, verificationPolicy } from '../../sdk/src/stir/verification/policy.js';
import type { VerificationPolicy } from '../../sdk/src/stir/verification/policy.js';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import { createVerificationLab } from '../support/verification-lab.js';
import type { VerificationLab } from '../support/verification-lab.js';

let lab: VerificationLab;

beforeAll(async () => {
  lab = await createVerificationLab();
});

const CALLER = `<sip:+${TEST_ORIG_TN}@originating.example;user=phone>`;
const CALLEE = `<sip:+${TEST_DEST_TN}@terminating.example;user=phone>`;
const TARGET = `sip:+${TEST_DEST_TN}@terminating.example;user=phone`;
const SOMEBODY = '<sip:+12025550142@elsewhere.example;user=phone>';
const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1';

function verdictOn(
  request: Partial<VerificationRequest>,
  more: { readonly policy?: Partial<VerificationPolicy>; readonly passport?: Partial<PassportOptions> } = {},
): CallVerdict {
  const identity = createPassport({ signer: lab.provider, x5u: lab.x5u, ...more.passport }).identityHeader;
  const whole = { from: CALLER, to: CALLEE, requestUri: TARGET, identity, ...request };
  return lab.serviceWith({ policy: more.policy ?? {} }).verifyNow(whole);
}

const told = ({ status, reasons }: CallVerdict): readonly unknown[] => [status, ...reasons];

test.each<readonly [string, Partial<VerificationRequest>]>([
  ['From alone', {}],
  ['a P-Asserted-Identity that differs from From', { from: SOMEBODY, pAssertedIdentity: CALLER }],
  ['a sip and a tel URI of one number', { pAssertedIdentity: [CALLER, `<tel:+${TEST_ORIG_TN}>`] }],
  ['a sip and a tel URI of one number, in one field', { pAssertedIdentity: `${CALLER}, <tel:+${TEST_ORIG_TN}>` }],
  ['a sip number before a sip name', { pAssertedIdentity: ['<sip:alice@originating.example>', CALLER] }],
  ['From where the asserted identity has no number', { pAssertedIdentity: '<sip:alice@originating.example>' }],
  ['From where the asserted identity is anonymous', { pAssertedIdentity: '<sip:anonymous@anonymous.invalid>' }],
  ['two asserted identities of one number', { pAssertedIdentity: [CALLER, `<sip:+${TEST_ORIG_TN}@b.example>`] }],
  ['an anonymous From with an asserted identity', { from: ANONYMOUS, pAssertedIdentity: CALLER }],
  ['a bare addr-spec', { from: `sip:+${TEST_ORIG_TN}@originating.example;tag=1` }],
  ['a tel URI', { from: `<tel:+1-202-555-0101>;tag=1` }],
  ['a national number', { from: '<sip:2025550101@originating.example>;tag=1' }],
  [
    'a national number with a trunk group',
    { from: '<sip:2025550101;tgrp=T1;trunk-context=a.example@192.0.2.1>;tag=1' },
  ],
  ['a number with escapes', { from: '<sip:%2B12025550101@originating.example>' }],
])('takes the caller from %s', (_name, request) => {
  expect(told(verdictOn(request))).toEqual(['passed']);
});

test('the asserted identity wins over From also where it is the wrong one', () => {
  expect(told(verdictOn({ pAssertedIdentity: SOMEBODY }))).toEqual(['failed', 'orig-mismatch']);
});

const VICTIM = '+12025550142';

test.each<readonly [string, string | readonly string[]]>([
  ['a parameter of the number twice', `<sip:${VICTIM};cpc=ordinary;cpc=ordinary@x.example>`],
  ['a parameter of the URI twice', `<sip:${VICTIM}@x.example;user=phone;user=phone>`],
  ['a parameter of the header twice', `<sip:${VICTIM}@x.example>;a;a`],
  ['no end of the angle brackets', `<sip:${VICTIM}@x.example`],
  ['an escape that is none', `<tel:${VICTIM};a=%zz>`],
  ['a host of other letters', `<sip:${VICTIM}@\u00e4.example>`],
  ['two display names', `"a" "b" <sip:${VICTIM}@x.example>`],
  ['a number behind more identities than are looked at', `${'<sip:a@b.example>,'.repeat(64)}<tel:${VICTIM}>`],
  ['two sip numbers', [CALLER, SOMEBODY]],
  ['two sip numbers in one field', `${CALLER}, ${SOMEBODY}`],
  ['two tel numbers', [`<tel:+${TEST_ORIG_TN}>`, `<tel:${VICTIM}>`]],
  ['a tel number and another sip number', [`<tel:+${TEST_ORIG_TN}>`, SOMEBODY]],
  ['a sip number and another tel number', `${SOMEBODY}, <tel:+${TEST_ORIG_TN}>`],
  ['a sound identity beside one that cannot be read', [CALLER, '<<<']],
  ['no text', [7 as unknown as string]],
  ['a tel URI of digits and something else', '<tel:12025550142x5>'],
  ['a tel URI of too many digits', '<tel:1202555014222222222>'],
  ['a telephone number that is none', '<sip:12025550142x5@x.example;user=phone>'],
  ['a control character in the number', '<sip:12025550142%00@x.example;user=phone>'],
  ['a space in front of the number', '<sip:%20+12025550142x@x.example>'],
  ['digits and letters that a switch may take for a number', '<sip:12025550142x@x.example>'],
  ['a number beside another one that is none', ['<sip:12025550142x5@x.example;user=phone>', CALLER]],
])('an asserted identity with %s is nobody: From does not stand in for it', (_name, pAssertedIdentity) => {
  expect(told(verdictOn({ pAssertedIdentity }))).toEqual(['indeterminate', 'orig-unusable']);
});

test.each([
  ['a list', `${CALLER};tag=1, ${SOMEBODY}`],
  ['two fields', `${CALLER}, ${SOMEBODY}`],
])('a From of %s is nobody', (_name, from) => {
  expect(told(verdictOn({ from }))).toEqual(['indeterminate', 'orig-unusable']);
});

test.each(['From', 'f', 'To'])('a request with a second %s header is not taken by its first', (name) => {
  const identity = createPassport({ signer: lab.provider, x5u: lab.x5u }).identityHeader;
  const invite = sampleInvite({ identityHeaders: [identity], dateMs: lab.clock.nowMs() });
  const parsed = parseSipRequest(invite.replace('\r\nCall-ID:', `\r\n${name}: ${SOMEBODY}\r\nCall-ID:`));
  if (parsed.status === 'malformed') throw new Error(parsed.reason);
  const request = verificationRequestOf(parsed.request);
  expect(name === 'To' ? request.to : request.from).toContain(`, ${SOMEBODY}`);
  const { origSource, destSource } = lab.service.verifyNow(request).evidence.request;
  expect([origSource, destSource]).toEqual(name === 'To' ? ['from', 'request-uri'] : [undefined, 'to']);
});

test('what JavaScript gives for a header that is not there counts as not there', () => {
  const nothing = { identity: undefined, from: null, pAssertedIdentity: null, to: 7, date: null, requestUri: null };
  const verdict = lab.service.verifyNow(nothing as unknown as VerificationRequest);
  expect(told(verdict)).toEqual(['indeterminate', 'identity-absent']);
});

test('policy has From win over the asserted identity, or leaves it out', () => {
  for (const originatingIdentity of [['from', 'p-asserted-identity'], ['from']] as const) {
    expect(told(verdictOn({ pAssertedIdentity: SOMEBODY }, { policy: { originatingIdentity } }))).toEqual(['passed']);
  }
  const policy = { originatingIdentity: ['p-asserted-identity'] as const };
  expect(told(verdictOn({}, { policy }))).toEqual(['indeterminate', 'orig-unusable']);
});

test.each(['anonymous@anonymous.invalid', 'Restricted@10.0.0.1', 'unavailable@unknown.invalid'])(
  'an anonymous caller sip:%s whom nobody asserts is undecided: no number to validate, and nothing to refuse for',
  (uri) => {
    const verdict = verdictOn({ from: `<sip:${uri}>;tag=1` });
    expect(told(verdict)).toEqual(['indeterminate', 'orig-unusable']);
    expect([verdict.verstat, verdict.sipResponse, verdict.reasonHeaders]).toEqual(['No-TN-Validation', undefined, []]);
  },
);

test('a request without From and asserted identity is undecided', () => {
  const { from: _from, ...request } = { from: CALLER, to: CALLEE, requestUri: TARGET };
  const identity = createPassport({ signer: lab.provider, x5u: lab.x5u }).identityHeader;
  expect(told(lab.service.verifyNow({ ...request, identity }))).toEqual(['indeterminate', 'orig-unusable']);
});

test('the evidence says which header the caller and the callee were taken from', () => {
  const source = (request: Partial<VerificationRequest>): unknown => verdictOn(request).evidence.request;
  expect(source({})).toMatchObject({ orig: TEST_ORIG_TN, origSource: 'from', dest: TEST_DEST_TN, destSource: 'to' });
  expect(source({ pAssertedIdentity: CALLER })).toMatchObject({ origSource: 'p-asserted-identity' });
  expect(source({ to: '???' })).toMatchObject({ dest: TEST_DEST_TN, destSource: 'request-uri' });
  const given = { orig: { kind: 'tn', value: TEST_ORIG_TN }, dest: [{ kind: 'tn', value: TEST_DEST_TN }] } as const;
  expect(source(given)).toMatchObject({ origSource: 'given', destSource: 'given' });
});

test('a caller without a number is compared as a URI', () => {
  const passport = { claims: { orig: { uri: 'sip:alice@originating.example' } } };
  const from = '"Alice" <sip:alice@Originating.EXAMPLE;transport=tcp>;tag=1';
  expect(told(verdictOn({ from }, { passport }))).toEqual(['passed']);
  expect(told(verdictOn({ from: '<sip:bob@originating.example>' }, { passport }))).toEqual(['failed', 'orig-mismatch']);
});

test('any number of dest may be the callee', () => {
  const passport = { claims: { dest: { tn: ['12025550142', TEST_DEST_TN], uri: ['sip:x@example'] } } };
  expect(told(verdictOn({}, { passport }))).toEqual(['passed']);
});

test('a foreign number of ten digits is not taken for a national one', () => {
  const passport = { origTn: '4930123456' };
  expect(told(verdictOn({ from: '<sip:+4930123456@gateway.example>' }, { passport }))).toEqual(['passed']);
  expect(told(verdictOn({ from: '<sip:4930123456@gateway.example>' }, { passport }))).toEqual([
    'failed',
    'orig-mismatch',
  ]);
});

test('a delegate for a North American number has no authority over the foreign number with the same last digits', () => {
  const parent = lab.pki.issueServiceProvider({ spc: '9999', canDelegate: true, issuer: lab.pki.issueCa() });
  const signer = lab.pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn: '14930123456' }] });
  const x5u = 'https://certs.delegate.example/one.pem';
  lab.repository.put(x5u, signer.chainPem);
  const from = '<sip:+4930123456@gateway.example>';
  expect(told(verdictOn({ from }, { passport: { signer, x5u, origTn: '4930123456' } }))).toEqual([
    'failed',
    'tn-not-authorized',
  ]);
  const national = { signer, x5u, origTn: '14930123456' };
  expect(told(verdictOn({ from: '<sip:+14930123456@a.example>' }, { passport: national }))).toEqual(['passed']);
});

test.each([
  ['a routing number', `sip:+${TEST_DEST_TN};npdi;rn=+13035550000@terminating.example`],
  ['a routing number in the URI parameters', `sip:+${TEST_DEST_TN}@terminating.example;npdi;rn=+13035550000`],
  ['npdi alone', `sip:+${TEST_DEST_TN};npdi@terminating.example`],
  ['a trunk group', `sip:+${TEST_DEST_TN};tgrp=TG7;trunk-context=x.example@192.0.2.1`],
  ['a national number', 'sip:2025550199@192.0.2.1:5070'],
  ['a tel URI with a routing number', `tel:+${TEST_DEST_TN};npdi;rn=+13035550000`],
  ['a user name', 'sip:alice@pbx.example'],
  ['a host alone', 'sip:192.0.2.1'],
])('a Request-URI with %s is no retargeting', (_name, requestUri) => {
  expect(told(verdictOn({ requestUri }))).toEqual(['passed']);
});

test('a Request-URI with another number needs a div', () => {
  expect(told(verdictOn({ requestUri: 'sip:+13035550101@terminating.example' }))).toEqual([
    'failed',
    'retarget-without-div',
  ]);
});

test.each([
  ['no scheme', `+${TEST_DEST_TN}@terminating.example`],
  ['a broken escape', 'sip:+1303%5@terminating.example'],
  ['a second @', 'sip:+13035550101@x@terminating.example'],
  ['a number with escaped syntax behind it', 'sip:+13035550101%3Bx@terminating.example'],
  ['a plus sign and no number', 'sip:+1-303-call-now@terminating.example'],
])('a Request-URI with %s may lead anywhere: nobody can say that the call was not retargeted', (_name, requestUri) => {
  expect(told(verdictOn({ requestUri }))).toEqual(['indeterminate', 'dest-unusable']);
  expect(told(verdictOn({ requestUri }, { policy: { retargeting: 'accept' } }))).toEqual(['passed']);
});

test('policy accepts a retargeted Request-URI without a div', () => {
  const policy = { retargeting: 'accept' } as const;
  expect(told(verdictOn({ requestUri: 'sip:+13035550101@terminating.example' }, { policy }))).toEqual(['passed']);
});

test('policy has dest compared with the Request-URI', () => {
  const policy = { destination: 'request-uri' } as const;
  expect(told(verdictOn({ to: SOMEBODY }))).toEqual(['failed', 'dest-mismatch']);
  expect(told(verdictOn({ to: SOMEBODY }, { policy }))).toEqual(['passed']);
});

test('an unreadable To falls back to the Request-URI, and without either dest cannot be compared', () => {
  expect(told(verdictOn({ to: 'nobody' }))).toEqual(['passed']);
  expect(told(verdictOn({ to: 'nobody', requestUri: 'nowhere' }))).toEqual(['indeterminate', 'dest-unusable']);
});

const now = (): number => lab.faults.nowSeconds;
const dated = (offsetSeconds: number): Partial<VerificationRequest> => ({ date: formatSipDate(now() + offsetSeconds) });
const issued = (offsetSeconds: number): { readonly passport: Partial<PassportOptions> } => ({
  passport: { iatSeconds: now() + offsetSeconds },
});

test.each<readonly [string, number, number, readonly string[]]>([
  ['a Date 60 s old', -60, 0, ['passed']],
  ['a Date 60 s ahead', 60, 0, ['passed']],
  ['a Date 61 s old and a fresh iat: iat wins', -61, 0, ['passed']],
  ['a Date a year ahead and a fresh iat: iat wins', 31_536_000, -60, ['passed']],
  ['a fresh Date and an iat 61 s old', 0, -61, ['failed', 'iat-stale']],
  ['a fresh Date and an iat 61 s ahead', 0, 61, ['failed', 'iat-in-future']],
  ['Date and iat both stale', -61, -61, ['failed', 'date-stale', 'iat-stale']],
])('%s', (_name, date, iat, expected) => {
  expect(told(verdictOn(dated(date), issued(iat)))).toEqual(expected);
});

test('strict policy does not let iat make up for a stale Date', () => {
  const verdict = verdictOn(dated(-61), { policy: { dateFreshness: 'strict' } });
  expect([...told(verdict), verdict.sipResponse?.status]).toEqual(['failed', 'date-stale', 403]);
});

test('a missing Date is no failure, nor is one that cannot be read', () => {
  expect(told(verdictOn({}))).toEqual(['passed']);
  expect(told(verdictOn({ date: 'yesterday' }, { policy: { dateFreshness: 'strict' } }))).toEqual(['passed']);
});

test('policy sets how long a PASSporT is fresh', () => {
  const policy = { freshnessSeconds: 15 };
  expect(told(verdictOn({}, { ...issued(-15), policy }))).toEqual(['passed']);
  expect(told(verdictOn({}, { ...issued(-16), policy }))).toEqual(['failed', 'iat-stale']);
});

test.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 86_401])(
  '%s s of freshness is refused',
  (freshnessSeconds) => {
    expect(() => verificationPolicy({ freshnessSeconds })).toThrow(
      expect.objectContaining({ code: 'invalid-configuration' }),
    );
  },
);

test.each([
  { profile: 'SHAKEN' },
  { rejectReplay: 'false' },
  { revocationUnknown: 'ignore' },
  { innerFreshness: null },
  { verstatPriority: '' },
  { originatingIdentity: ['From'] },
  { originatingIdentity: 'from' },
  { freshnesSeconds: 30 },
  { numberingPlan: null },
  { numberingPlan: 'nanp' },
  { numberingPlan: {} },
])('a policy with %o is refused instead of meaning something else', (policy) => {
  expect(() => verificationPolicy(policy as object)).toThrow(
    expect.objectContaining({ code: 'invalid-configuration' }),
  );
});

test('a policy member that is undefined is the default', () => {
  const nothing = { profile: undefined, rejectReplay: undefined } as object;
  expect(verificationPolicy(nothing)).toEqual(DEFAULT_VERIFICATION_POLICY);
});

test('a policy that names no header for the caller is refused', () => {
  expect(() => verificationPolicy({ originatingIdentity: [] })).toThrow(
    expect.objectContaining({ code: 'invalid-configuration' }),
  );
});

test('a Date is read back as it was written, for every month and a leap day', () => {
  for (let month = 0; month < 12; month += 1) {
    const seconds = Date.UTC(2028, month, 29 - (month % 2), 23, 59, month) / 1000;
    expect(readSipDate(formatSipDate(seconds))).toBe(seconds);
  }
});

test.each([
  'Sat, 31 Feb 2026 10:00:00 GMT',
  'Sat, 13 Nov 2010 24:00:00 GMT',
  'Sat, 13 Nov 2010 23:60:00 GMT',
  'Sat, 13 Foo 2010 23:29:00 GMT',
  '2010-11-13T23:29:00Z',
  'Sat, 13 Nov 2010 23:29:00 +0100',
  'Sat, 13 Nov 10 23:29:00 GMT',
  '',
  '1289690940',
])('%j is no SIP Date', (text) => {
  expect(readSipDate(text)).toBeUndefined();
});

test('the parties of a request are read in canonical form', () => {
  const request = { identity: '', from: CALLER, to: '<tel:+44-20-7946-0000>', requestUri: 'sip:2025550199@x.example' };
  expect(readParties(request, DEFAULT_VERIFICATION_POLICY)).toMatchObject({
    orig: { kind: 'tn', value: TEST_ORIG_TN },
    dest: [{ kind: 'tn', value: '442079460000' }],
    target: { kind: 'tn', value: TEST_DEST_TN },
  });
});
