import { CONFORMANCE_CASES, type SigningAnswer, type SigningContext } from '@hopback/harness/conformance';
import { createPassport, createTestKey, TestPki, type PassportOptions } from '@hopback/sdk/testing';
import { canonicalJson } from '../../sdk/src/testing/passport.js';
import { expect, test } from 'vitest';

const X5U = 'https://certs.example/signing.pem';
const ORIG_ID = '0d6f4b6e-4f0c-4d0e-9a5e-5b3f9a1c7d21';
const NOW = 1_793_620_800;
const pki = new TestPki();
const signer = pki.issueServiceProvider({ spc: '9999' });
const CALL = { origTn: '12025550101', destTn: ['12025550199'] };
const ABOUT: SigningContext = {
  ask: { ...CALL, attestation: 'A', origId: ORIG_ID, iatSeconds: NOW },
  ...{ nowSeconds: NOW, x5u: X5U, publicKeyPem: signer.publicKeyPem },
};

const signed = (changes: Partial<PassportOptions> = {}): SigningAnswer => ({
  ...{ kind: 'signed', said: 'signed' },
  identity: [createPassport({ signer, x5u: X5U, iatSeconds: NOW, origId: ORIG_ID, ...changes }).identityHeader],
});
const NOT_SIGNED: SigningAnswer = { kind: 'not-signed', status: 400, said: 'HTTP 400' };

/** What a case says of an answer, undefined where it conforms. */
function judged(number: string, answer: SigningAnswer, about: Partial<SigningContext> = {}): string | undefined {
  const one = CONFORMANCE_CASES.find((candidate) => candidate.number === number);
  if (one?.kind !== 'signing') throw new Error(`there is no case ${number}`);
  return one.judges(answer, { ...ABOUT, ...about });
}

/** Cases about the usual request. */
const USUAL = [
  ...['S-101', 'S-105', 'S-106', 'S-107', 'S-109', 'S-110', 'S-111', 'S-112', 'S-113', 'S-114', 'S-115', 'S-116'],
  ...['S-117', 'S-124'],
];

test('a right signature conforms in every case about one, and none at all in no such case', () => {
  for (const number of USUAL) expect([number, judged(number, signed())]).toEqual([number, undefined]);
  for (const number of USUAL) expect(judged(number, NOT_SIGNED)).toContain('not signed');
});

const claims = (change: Readonly<Record<string, unknown>>): Partial<PassportOptions> => ({ claims: change });
const rightClaims = { attest: 'A', dest: { tn: CALL.destTn }, iat: NOW, orig: { tn: CALL.origTn }, origid: ORIG_ID };

test.each<[string, string, Partial<PassportOptions>]>([
  ['another attestation', 'S-101', { attest: 'B' }],
  ['another origid', 'S-105', { origId: '1d6f4b6e-4f0c-4d0e-9a5e-5b3f9a1c7d21' }],
  ['an origid that is no UUID', 'S-106', { origId: 'trunk-7' }],
  ['no origid', 'S-106', claims({ origid: undefined })],
  ['an iat of an hour ago', 'S-107', { iatSeconds: NOW - 3600 }],
  ['an iat that is text', 'S-107', { iatSeconds: String(NOW) }],
  ['an iat with a fraction', 'S-107', { iatSeconds: NOW + 0.5 }],
  ['another info', 'S-109', { identityHeader: { info: `${X5U}x` } }],
  ['an info without brackets', 'S-109', { identityHeader: { parametersText: `;info=${X5U};alg=ES256;ppt=shaken` } }],
  ['another x5u', 'S-110', { x5u: `${X5U}x` }],
  ['another alg', 'S-111', { header: { alg: 'ES384' } }],
  ['another alg parameter', 'S-111', { identityHeader: { alg: 'ES384' } }],
  ['no ppt parameter', 'S-112', { identityHeader: { ppt: 'absent' } }],
  ['another ppt', 'S-112', { header: { ppt: 'div' } }],
  ['another typ', 'S-113', { header: { typ: 'JWT' } }],
  [
    'claims in another order',
    'S-114',
    { payloadText: JSON.stringify(Object.fromEntries(Object.entries(rightClaims).reverse())) },
  ],
  ['white space in the claims', 'S-114', { payloadText: JSON.stringify(rightClaims, undefined, 1) }],
  [
    'white space in the header',
    'S-114',
    { headerText: canonicalJson({ alg: 'ES256', ppt: 'shaken' }).replace(',', ', ') },
  ],
  ['another key', 'S-115', { signer: { key: createTestKey() } }],
  ['a signature that is cut', 'S-115', { alterSignature: (signature) => signature.subarray(0, 63) }],
  ['a claim too many', 'S-116', claims({ rcd: {} })],
  ['another caller', 'S-117', { origTn: '12025550102' }],
  ['a + in front of the caller', 'S-117', { origTn: '+12025550101' }],
  ['a dest that is text', 'S-117', claims({ dest: { tn: '12025550199' } })],
  ['quotes', 'S-124', { identityHeader: { quoted: true } }],
])('a signature with %s is found out by %s', (_what, number, changes) => {
  expect(judged(number, signed(changes))).toEqual(expect.any(String));
});

test('several Identity header values, and an invalid one, conform in no case about a signature', () => {
  const answer = signed();
  if (answer.kind !== 'signed') throw new Error('not signed');
  const [value = ''] = answer.identity;
  const padded = value.replace(';', '=;');
  for (const identity of [[], [value, value], ['junk'], ['a.b'], ['..'], [padded], ['a.b.c']])
    expect(judged('S-113', { ...answer, identity })).toEqual(expect.any(String));
});

test('what must not be signed is found out where it is, and the old iat where it was kept', () => {
  for (const number of ['S-104', 'S-121', 'S-122', 'S-123', 'S-155']) {
    expect(judged(number, NOT_SIGNED)).toBeUndefined();
    expect(judged(number, signed())).toBe('it was signed');
  }
  const ask = { ...ABOUT.ask, iatSeconds: NOW - 3600 };
  expect(judged('S-108', signed({ iatSeconds: NOW - 3600 }), { ask })).toBe('it signed the old iat');
  expect(judged('S-108', signed(), { ask })).toBeUndefined();
  expect(judged('S-108', NOT_SIGNED, { ask })).toBeUndefined();
});

test('a div is held against who diverted, where to and whose call it is', () => {
  const ask = { origTn: CALL.origTn, destTn: ['13035550101'], div: { divertingTn: '12025550199', identity: [] } };
  const div = (changes: Partial<PassportOptions> = {}): SigningAnswer =>
    signed({ ppt: 'div', divTn: '12025550199', destTn: '13035550101', ...changes });
  for (const number of ['S-151', 'S-152', 'S-153', 'S-154']) expect(judged(number, div(), { ask })).toBeUndefined();
  expect(judged('S-151', div({ header: { ppt: 'shaken' } }), { ask })).toContain('ppt');
  expect(judged('S-152', div({ divTn: '12025550198' }), { ask })).toContain('div.tn');
  expect(judged('S-152', div({ destTn: '12025550199' }), { ask })).toContain('dest');
  expect(judged('S-153', div(claims({ attest: 'A' })), { ask })).toContain('claims');
  expect(judged('S-154', div({ signer: { key: createTestKey() } }), { ask })).toContain('verify');
});
