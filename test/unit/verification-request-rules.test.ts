import { createPassport, sampleInvite, TEST_DEST_TN, TEST_ORIG_TN, type PassportOptions } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { withCode } from '../support/code-of.js';
import { parseSipRequest } from '../../sdk/src/core/sip-request.js';
import {
  formatSipDate,
  readSipDate,
  verificationRequestOf,
  type VerificationRequest,
} from '../../sdk/src/stir/verification/request.js';
import {
  DEFAULT_VERIFICATION_POLICY,
  verificationPolicy,
  type VerificationPolicy,
} from '../../sdk/src/stir/verification/policy.js';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import { createVerificationLab } from '../support/verification-lab.js';

const lab = await createVerificationLab();

const CALLER = `<sip:+${TEST_ORIG_TN}@originating.example;user=phone>`;
const CALLEE = `<sip:+${TEST_DEST_TN}@terminating.example;user=phone>`;
const TARGET = `sip:+${TEST_DEST_TN}@terminating.example;user=phone`;
const SOMEBODY = '<sip:+12025550142@elsewhere.example;user=phone>';

function verdictOn(
  request: Partial<VerificationRequest>,
  more: { readonly policy?: Partial<VerificationPolicy>; readonly passport?: Partial<PassportOptions> } = {},
): CallVerdict {
  const identity = createPassport({ signer: lab.provider, x5u: lab.x5u, ...more.passport }).identityHeader;
  const whole = { from: CALLER, to: CALLEE, requestUri: TARGET, identity, ...request };
  return lab.serviceWith({ policy: more.policy ?? {} }).verifyNow(whole);
}

const outcomeOf = ({ status, reasons }: CallVerdict): string => [status, ...reasons].join(' ');

test.each<readonly [string, Partial<VerificationRequest>]>([
  ['From alone', {}],
  ['a P-Asserted-Identity that differs from From', { from: SOMEBODY, pAssertedIdentity: CALLER }],
  ['a sip and a tel URI of one number, in one field', { pAssertedIdentity: `${CALLER}, <tel:+${TEST_ORIG_TN}>` }],
  ['a sip number before a sip name', { pAssertedIdentity: ['<sip:alice@originating.example>', CALLER] }],
  ['From where the asserted identity has no number', { pAssertedIdentity: '<sip:alice@originating.example>' }],
  ['From where the asserted identity is anonymous', { pAssertedIdentity: '<sip:anonymous@anonymous.invalid>' }],
  ['two asserted identities of one number', { pAssertedIdentity: [CALLER, `<sip:+${TEST_ORIG_TN}@b.example>`] }],
  ['a tel URI', { from: `<tel:+1-202-555-0101>;tag=1` }],
  [
    'a national number with a trunk group',
    { from: '<sip:2025550101;tgrp=T1;trunk-context=a.example@192.0.2.1>;tag=1' },
  ],
])('takes the caller from %s', (_name, request) => {
  expect(outcomeOf(verdictOn(request))).toBe('passed');
});

test('the asserted identity wins over From also where it is the wrong one', () => {
  expect(outcomeOf(verdictOn({ pAssertedIdentity: SOMEBODY }))).toBe('failed orig-mismatch');
});

const VICTIM = '+12025550142';

test.each<readonly [string, string | readonly string[]]>([
  ['a parameter of the number twice', `<sip:${VICTIM};cpc=ordinary;cpc=ordinary@x.example>`],
  ['no end of the angle brackets', `<sip:${VICTIM}@x.example`],
  ['an escape that is none', `<tel:${VICTIM};a=%zz>`],
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
])('an asserted identity with %s names no caller, and From does not stand in for it', (_name, pAssertedIdentity) => {
  expect(outcomeOf(verdictOn({ pAssertedIdentity }))).toBe('indeterminate orig-unusable');
});

test.each([
  ['a list', `${CALLER};tag=1, ${SOMEBODY}`],
  ['two fields', `${CALLER}, ${SOMEBODY}`],
])('a From of %s names no caller', (_name, from) => {
  expect(outcomeOf(verdictOn({ from }))).toBe('indeterminate orig-unusable');
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
  expect(outcomeOf(verdict)).toBe('indeterminate identity-absent');
});

test('policy has From win over the asserted identity, or leaves it out', () => {
  for (const originatingIdentity of [['from', 'p-asserted-identity'], ['from']] as const) {
    expect(outcomeOf(verdictOn({ pAssertedIdentity: SOMEBODY }, { policy: { originatingIdentity } }))).toBe('passed');
  }
  const policy = { originatingIdentity: ['p-asserted-identity'] as const };
  expect(outcomeOf(verdictOn({}, { policy }))).toBe('indeterminate orig-unusable');
});

test.each(['anonymous@anonymous.invalid', 'Restricted@10.0.0.1', 'unavailable@unknown.invalid'])(
  'an anonymous caller sip:%s without an asserted identity is undecided, which is no reason to refuse the call',
  (uri) => {
    const verdict = verdictOn({ from: `<sip:${uri}>;tag=1` });
    expect(outcomeOf(verdict)).toBe('indeterminate orig-unusable');
    expect([verdict.verstat, verdict.sipResponse, verdict.reasonHeaders]).toEqual(['No-TN-Validation', undefined, []]);
  },
);

test('a request without From and asserted identity is undecided', () => {
  const { from: _from, ...request } = { from: CALLER, to: CALLEE, requestUri: TARGET };
  const identity = createPassport({ signer: lab.provider, x5u: lab.x5u }).identityHeader;
  expect(outcomeOf(lab.service.verifyNow({ ...request, identity }))).toBe('indeterminate orig-unusable');
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
  expect(outcomeOf(verdictOn({ from }, { passport }))).toBe('passed');
  expect(outcomeOf(verdictOn({ from: '<sip:bob@originating.example>' }, { passport }))).toBe('failed orig-mismatch');
});

test('a foreign number of ten digits is not taken for a national one', () => {
  const passport = { origTn: '4930123456' };
  expect(outcomeOf(verdictOn({ from: '<sip:+4930123456@gateway.example>' }, { passport }))).toBe('passed');
  expect(outcomeOf(verdictOn({ from: '<sip:4930123456@gateway.example>' }, { passport }))).toBe('failed orig-mismatch');
});

test('canonical numbers that are given are not read as dialled', () => {
  const dest = [{ kind: 'tn', value: TEST_DEST_TN }] as const;
  const statusWith = (value: string) =>
    outcomeOf(verdictOn({ orig: { kind: 'tn', value }, dest }, { passport: { origTn: '14930123456' } }));
  expect(statusWith('4930123456')).toBe('failed orig-mismatch');
  expect(statusWith('14930123456')).toBe('passed');
});

test('a delegate for a North American number has no authority over the foreign number with the same last digits', () => {
  const parent = lab.pki.issueServiceProvider({ spc: '9999', canDelegate: true, issuer: lab.pki.issueCa() });
  const signer = lab.pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn: '14930123456' }] });
  const x5u = 'https://certs.delegate.example/one.pem';
  lab.repository.put(x5u, signer.chainPem);
  const from = '<sip:+4930123456@gateway.example>';
  expect(outcomeOf(verdictOn({ from }, { passport: { signer, x5u, origTn: '4930123456' } }))).toBe(
    'failed tn-not-authorized',
  );
  const national = { signer, x5u, origTn: '14930123456' };
  expect(outcomeOf(verdictOn({ from: '<sip:+14930123456@a.example>' }, { passport: national }))).toBe('passed');
});

test.each([
  ['a routing number in the URI parameters', `sip:+${TEST_DEST_TN}@terminating.example;npdi;rn=+13035550000`],
  ['a trunk group', `sip:+${TEST_DEST_TN};tgrp=TG7;trunk-context=x.example@192.0.2.1`],
  ['a user name', 'sip:alice@pbx.example'],
  ['a host alone', 'sip:192.0.2.1'],
])('a Request-URI with %s does not retarget the call', (_name, requestUri) => {
  expect(outcomeOf(verdictOn({ requestUri }))).toBe('passed');
});

test.each([
  ['no scheme', `+${TEST_DEST_TN}@terminating.example`],
  ['a broken escape', 'sip:+1303%5@terminating.example'],
  ['a second @', 'sip:+13035550101@x@terminating.example'],
  ['a number with escaped syntax behind it', 'sip:+13035550101%3Bx@terminating.example'],
  ['a plus sign and no number', 'sip:+1-303-call-now@terminating.example'],
])('a Request-URI with %s is unreadable, so the call may have been retargeted', (_name, requestUri) => {
  expect(outcomeOf(verdictOn({ requestUri }))).toBe('indeterminate dest-unusable');
  expect(outcomeOf(verdictOn({ requestUri }, { policy: { retargeting: 'accept' } }))).toBe('passed');
});

test('policy accepts a retargeted Request-URI without a div, or has dest compared with it', () => {
  const requestUri = 'sip:+13035550101@terminating.example';
  expect(outcomeOf(verdictOn({ requestUri }, { policy: { retargeting: 'accept' } }))).toBe('passed');
  expect(outcomeOf(verdictOn({ to: SOMEBODY }))).toBe('failed dest-mismatch');
  expect(outcomeOf(verdictOn({ to: SOMEBODY }, { policy: { destination: 'request-uri' } }))).toBe('passed');
});

const now = (): number => lab.faults.nowSeconds;
const dated = (offsetSeconds: number): Partial<VerificationRequest> => ({ date: formatSipDate(now() + offsetSeconds) });
const issued = (offsetSeconds: number): { readonly passport: Partial<PassportOptions> } => ({
  passport: { iatSeconds: now() + offsetSeconds },
});

test.each([
  ['a Date 60 s old', -60, 0],
  ['a Date 60 s ahead', 60, 0],
  ['a Date 61 s old and a fresh iat', -61, 0],
  ['a Date a year ahead and a fresh iat', 31_536_000, -60],
])('passes %s, since iat decides', (_name, date, iat) => {
  expect(outcomeOf(verdictOn(dated(date), issued(iat)))).toBe('passed');
});

test('a missing Date is no failure, nor is one that cannot be read', () => {
  expect(outcomeOf(verdictOn({}))).toBe('passed');
  expect(outcomeOf(verdictOn({ date: 'yesterday' }, { policy: { dateFreshness: 'strict' } }))).toBe('passed');
});

test('policy sets how long a PASSporT is fresh', () => {
  const policy = { freshnessSeconds: 15 };
  expect(outcomeOf(verdictOn({}, { ...issued(-15), policy }))).toBe('passed');
  expect(outcomeOf(verdictOn({}, { ...issued(-16), policy }))).toBe('failed iat-stale');
});

test.each<object>([
  ...[0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 86_401].map((freshnessSeconds) => ({ freshnessSeconds })),
  { profile: 'SHAKEN' },
  { rejectReplay: 'false' },
  { revocationUnknown: 'ignore' },
  { innerFreshness: null },
  { verstatPriority: '' },
  { originatingIdentity: ['From'] },
  { originatingIdentity: 'from' },
  { originatingIdentity: [] },
  { freshnesSeconds: 30 },
  { numberingPlan: null },
  { numberingPlan: 'nanp' },
  { numberingPlan: {} },
])('a policy with %o is refused instead of meaning something else', (policy) => {
  expect(() => verificationPolicy(policy)).toThrow(withCode('invalid-configuration'));
});

test('a policy member that is undefined is the default', () => {
  const nothing = { profile: undefined, rejectReplay: undefined } as object;
  expect(verificationPolicy(nothing)).toEqual(DEFAULT_VERIFICATION_POLICY);
});

test('a Date is read back as it was written, for the last day of every month', () => {
  for (let month = 0; month < 12; month += 1) {
    const seconds = Date.UTC(2028, month + 1, 0, 23, 59, month) / 1000;
    expect(readSipDate(formatSipDate(seconds))).toBe(seconds);
  }
});

test.each([
  'Sat, 31 Feb 2026 10:00:00 GMT',
  ...['Apr', 'Jun', 'Sep', 'Nov'].map((month) => `Sat, 31 ${month} 2026 10:00:00 GMT`),
  'Sat, 13 Nov 2010 24:00:00 GMT',
  'Sat, 13 Nov 2010 23:60:00 GMT',
  'Sat, 13 Foo 2010 23:29:00 GMT',
  '2010-11-13T23:29:00Z',
  'Sat, 13 Nov 2010 23:29:00 +0100',
  'Sat, 13 Nov 10 23:29:00 GMT',
  '',
  '1289690940',
])('%j is not a SIP Date', (text) => {
  expect(readSipDate(text)).toBeUndefined();
});
