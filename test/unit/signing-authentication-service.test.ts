import { sign } from 'node:crypto';
import { createPassport, createTestKey, TEST_DEST_TN, TEST_ORIG_TN, type PassportOptions } from '@hopback/sdk/testing';
import { TEST_ORIG_ID } from '../../sdk/src/testing/passport.js';
import { beforeEach, expect, test } from 'vitest';
import { withCode } from '../support/code-of.js';
import type { Certificate } from '../../sdk/src/stir/certificates/certificate.js';
import { AttestationPolicy, DEFAULT_ATTESTATION_POLICY } from '../../sdk/src/stir/signing/attestation-policy.js';
import {
  AuthenticationService,
  DEFAULT_SERVICE_SIGNER_TIMEOUT_MS,
} from '../../sdk/src/stir/signing/authentication-service.js';
import type { AuthenticationServiceOptions } from '../../sdk/src/stir/signing/signing-session.js';
import { createExternalSigner, createLocalSigner, type Signer } from '../../sdk/src/stir/signing/signer.js';
import { createStaticCertificateSource } from '../../sdk/src/stir/signing/certificate-source.js';
import type { SignatureRecord, SigningOutcome } from '../../sdk/src/stir/signing/signing-outcome.js';
import type { SigningRequest } from '../../sdk/src/stir/signing/signing-request.js';
import { parsedChain } from './certificates-parsed.js';
import {
  CALL,
  createSigningWorld,
  expectSigned,
  FULL_FACTS,
  NOW_SECONDS,
  reasonOf,
  verifiedByJose,
  X5U,
} from './signing-scenarios.js';
import type { SigningWorld } from './signing-scenarios.js';

const world = await createSigningWorld();
const DAY_MS = 86_400_000;
const BASIS = 'Decided by the ordering system, ticket 4711.';
const UUID = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';

beforeEach(() => world.clock.set(world.pki.nowMs));

const signNow = (request: unknown, changes: Partial<AuthenticationServiceOptions> = {}): SigningOutcome =>
  world.service(changes).signNow(request as SigningRequest);
const failing = (): never => {
  throw new Error('broken');
};
const policy = (explicitAttestation: 'refused' | 'at-most-rule' | 'permitted') =>
  new AttestationPolicy({ ...DEFAULT_ATTESTATION_POLICY, explicitAttestation });

test('signs a call so that jose verifies it, with exactly the header and claims of RFC 8588', async () => {
  const signed = expectSigned(await world.service().sign(CALL));
  const verified = await verifiedByJose(signed.token, world.provider.publicKeyPem);
  expect(verified.header).toEqual({ alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u: X5U });
  expect(verified.payloadText).toBe(
    `{"attest":"A","dest":{"tn":["${TEST_DEST_TN}"]},"iat":${String(NOW_SECONDS)},"orig":{"tn":"${TEST_ORIG_TN}"},"origid":"${TEST_ORIG_ID}"}`,
  );
  expect(Buffer.from(signed.token.split('.')[0] ?? '', 'base64url').toString()).toBe(
    `{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"${X5U}"}`,
  );
  expect(signed.identityHeaders).toEqual([`${signed.token};info=<${X5U}>;alg=ES256;ppt=shaken`]);
});

test('keeps the decision beside the signature as plain JSON', () => {
  const records: SignatureRecord[] = [];
  const signed = expectSigned(signNow(CALL, { onRecord: (record) => records.push(record) }));
  expect(records).toEqual([signed.record]);
  expect(signed.recordDelivery).toBe('delivered');
  expect(JSON.parse(JSON.stringify(signed.record))).toEqual({
    format: 'hopback.attestation-record.1',
    ppt: 'shaken',
    claims: signed.claims,
    decidedBy: 'policy',
    basis: DEFAULT_ATTESTATION_POLICY.rules[0]?.basis,
    decision: {
      attestation: 'A',
      policyId: 'hopback-default-1',
      ruleId: 'originating-full',
      basis: DEFAULT_ATTESTATION_POLICY.rules[0]?.basis,
      decidedOn: ['role', 'customerKnown', 'callerAuthenticated', 'numberOwnership'],
      facts: { ...FULL_FACTS },
    },
    signature: {
      spc: '1234',
      signedAtMs: world.pki.nowMs,
      signingInputSha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      certificateSha256: world.provider.sha256,
      x5u: X5U,
      signerKind: 'local',
    },
  });
});

test.each<[string, AuthenticationServiceOptions['onRecord'], string]>([
  ['throws', failing, 'failed'],
  ['rejects later', () => Promise.reject(new Error('disk full')), 'delivered'],
  ['is not there', undefined, 'no-sink'],
])('signs although the sink of its records %s', (_what, onRecord, recordDelivery) => {
  const changes = onRecord === undefined ? {} : { onRecord };
  expect(expectSigned(signNow(CALL, changes)).recordDelivery).toBe(recordDelivery);
});

const sip = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  facts: FULL_FACTS,
  from: '"A" <sip:+12025550101@example.com>;tag=1',
  to: '<sip:+12025550199@example.com>',
  requestUri: 'sip:+12025550199@gateway.example.net',
  ...changes,
});

test.each<[string, Record<string, unknown>, string, Record<string, unknown>?]>([
  ['From and To', {}, '12025550101'],
  [
    'a tel before a sip identity',
    { pAssertedIdentity: '<sip:+12025550111@example.com>, <tel:+12025550122>' },
    '12025550122',
  ],
  [
    'several P-Asserted-Identity fields',
    { pAssertedIdentity: ['<sip:alice@example.com>', '<tel:+1-202-555-0133>'] },
    '12025550133',
  ],
  ['a number that is not global, as dialled', { from: '<sip:00000000000@example.com>' }, '00000000000'],
  ['a short code as caller', { from: '<sip:54321@example.com>' }, '54321'],
  ['the Request-URI where To is unusable', { to: 'nonsense' }, '12025550101'],
  [
    'a called party without number',
    { to: '<sip:Bob@Example.COM;user=ip>' },
    '12025550101',
    { uri: ['sip:Bob@example.com'] },
  ],
])('reads the parties from %s', async (_what, changes, origTn, dest = { tn: ['12025550199'] }) => {
  const signed = expectSigned(signNow(sip(changes)));
  const { claims } = await verifiedByJose(signed.token, world.provider.publicKeyPem);
  expect(claims).toMatchObject({ orig: { tn: origTn }, dest });
});

test('signs for the Request-URI where it is set to', () => {
  const request = sip({ requestUri: 'sip:+12025550177@example.com' });
  expect(expectSigned(signNow(request, { destination: 'request-uri' })).claims.destTn).toEqual(['12025550177']);
});

test('signs several called parties, numbers before URIs', async () => {
  const request = {
    ...CALL,
    destTn: ['+1 (202) 555-0198', '12025550197'],
    destUri: ['sip:bob@example.com', 'tel:+12025550196'],
  };
  const signed = expectSigned(signNow(request));
  const { claims } = await verifiedByJose(signed.token, world.provider.publicKeyPem);
  expect(claims).toMatchObject({
    dest: { tn: ['12025550198', '12025550197', '12025550196'], uri: ['sip:bob@example.com'] },
  });
});

test.each<[string, Record<string, unknown>]>([
  ['an anonymous caller without asserted number', sip({ from: '<sip:anonymous@anonymous.invalid>;tag=1' })],
  ['a caller with a name only', sip({ from: '<sip:alice@example.com>' })],
  ['no caller at all', { facts: FULL_FACTS, to: '<sip:+12025550199@example.com>' }],
  ['a From that cannot be read', sip({ from: '<<<' })],
  ['a From that is no text', sip({ from: 42, to: { toString: 1 }, pAssertedIdentity: [7] })],
  ['no called party', { facts: FULL_FACTS, from: '<tel:+12025550101>' }],
  ['a caller given by something that is no number', { ...CALL, origTn: 'alice' }],
  ['an undefined caller', { ...CALL, origTn: undefined }],
  ['an empty list of called numbers', { ...CALL, destTn: [] }],
  ['one called number among several that is none', { ...CALL, destTn: [TEST_DEST_TN, 'bob'] }],
  [
    'a called URI longer than verifiers look at',
    { ...CALL, destTn: [], destUri: `sip:${'b'.repeat(300)}@example.com` },
  ],
])('leaves a call with %s unsigned', (_what, request) => {
  expect(reasonOf(signNow(request))).toBe('not-signed: no-usable-number');
});

test('leaves a call unsigned that is switched off, whatever else it says', () => {
  expect(reasonOf(signNow({ ...CALL, sign: false }))).toBe('not-signed: switched-off');
  expect(reasonOf(signNow({ ...CALL, sign: true }))).toBe('signed');
});

test('tells the decision with a call that the policy leaves unsigned', () => {
  const outcome = signNow({ ...CALL, facts: { role: 'intermediate', receivedFrom: 'intermediate-provider' } });
  expect(outcome).toMatchObject({ status: 'not-signed', reason: 'policy', decision: { ruleId: 'intermediate-other' } });
});

test.each(['urn:service:sos', 'urn:service:sos.fire', 'sip:911@example.com', 'tel:911;phone-context=+1'])(
  'does not hold up an emergency call to %s, nor one that was routed there',
  (uri) => {
    for (const request of [sip({ to: `<${uri}>`, requestUri: uri }), sip({ requestUri: uri })]) {
      expect(reasonOf(signNow(request))).toBe('not-signed: emergency');
      expect(reasonOf(signNow(request, { destination: 'request-uri' }))).toBe('not-signed: emergency');
      expect(reasonOf(signNow(request, { emergencyCalls: 'sign' }))).toBe('signed');
    }
    expect(reasonOf(signNow({ ...CALL, destTn: [], destUri: uri }))).toBe('not-signed: emergency');
    expect(expectSigned(signNow(sip({ to: `<${uri}>` }), { emergencyCalls: 'sign' })).claims.destTn).toEqual(['911']);
  },
);

test.each([null, undefined, 5, 'INVITE'])('refuses a request that is %s', async (request) => {
  const service = world.service();
  expect(reasonOf(signNow(request))).toBe('refused: request-invalid');
  expect(reasonOf(await service.sign(request as never))).toBe('refused: request-invalid');
});

test.each<[string, Record<string, unknown>]>([
  ['caller', { origTn: '2025550101' }],
  ['called party', { destTn: '2025550199' }],
  ['called party among several', { destTn: [TEST_DEST_TN, '2025550199'] }],
  ['caller, dialled with an international prefix', { origTn: '011442079460000' }],
])('refuses a number that the plan reads otherwise as %s', (_what, changes) => {
  const outcome = signNow({ ...CALL, ...changes });
  expect(reasonOf(outcome)).toBe('refused: request-invalid');
  expect(JSON.stringify(outcome)).not.toMatch(/202555|442079/);
});

test('signs a foreign number of ten digits that is written with its plus', () => {
  expect(expectSigned(signNow({ ...CALL, origTn: '+4930123456' })).claims.origTn).toBe('4930123456');
  expect(expectSigned(signNow({ ...CALL, origTn: '(202) 555-0101' })).claims.origTn).toBe('12025550101');
});

/** 64 octets that are nobody's signature. */
const SIGNATURE = 'A'.repeat(86);

const header = (identityHeader: PassportOptions['identityHeader']): Record<string, unknown> => ({ identityHeader });

const passport = (ppt: string, more: Record<string, unknown> = {}): string =>
  createPassport({ signer: world.provider, x5u: X5U, ppt, ...more }).identityHeader;

test.each<[string, isSigned: boolean, () => string | readonly string[]]>([
  ['a shaken PASSporT', true, () => passport('shaken')],
  ['a shaken PASSporT of last year', true, () => passport('shaken', { iatSeconds: NOW_SECONDS - 31_536_000 })],
  ['a plain PASSporT', true, () => [passport('absent')]],
  ['a compact one', true, () => `..${SIGNATURE};info=<${X5U}>;alg=ES256`],
  ['one of a laboratory', true, () => passport('shaken', { x5u: 'https://localhost:9443/x' })],
  ['one without ppt parameter', true, () => passport('shaken', header({ ppt: 'absent' }))],
  ['one without info', true, () => passport('shaken', header({ info: 'absent' }))],
  ['a div without its original', true, () => passport('div')],
  [
    'a div with its original inside',
    true,
    () => passport('div-o', { divTn: TEST_DEST_TN, claims: { div: { tn: TEST_DEST_TN }, opt: 'a.b.c' } }),
  ],
  ['a div-o that diverts nothing', false, () => passport('div-o', { claims: { div: undefined, opt: 'a.b.c' } })],
  ['a shaken PASSporT behind junk', true, () => ['junk', passport('shaken')]],
  ['a shaken PASSporT in a joined field', true, () => `junk, ${passport('shaken')}`],
  ['a statement of another kind', false, () => passport('rph', { claims: { rph: {} } })],
  ['junk alone', false, () => ['junk', ';;;', 'a.b.c;ppt=shaken']],
  ['empty objects and every parameter', false, () => `e30.e30.${SIGNATURE};info=<${X5U}>;alg=ES256;ppt=shaken`],
  ['two dots and info', false, () => `..c2ln;info=<${X5U}>`],
  ['a compact signature and no URL', false, () => `..${SIGNATURE};info=<x>`],
  ['a compact signature of other length', false, () => `..${SIGNATURE}AAAA;info=<${X5U}>`],
  ['a compact form that shaken does not have', false, () => `..${SIGNATURE};info=<${X5U}>;ppt=shaken`],
  ['a compact form under another algorithm', false, () => `..${SIGNATURE};info=<${X5U}>;alg=none`],
  ['an empty list', false, () => []],
  ['something that is no text', false, () => 42 as never],
])('a request with %s is signed already: %s', (_what, isSigned, identity) => {
  const expected = isSigned ? 'not-signed: already-signed' : 'signed';
  expect(reasonOf(signNow({ ...CALL, identity: identity() }))).toBe(expected);
});

test.each<[string, Partial<PassportOptions>]>([
  ['another algorithm', { header: { alg: 'none' } }],
  ['another typ', { header: { typ: 'JWT' } }],
  ['no typ', { header: { typ: undefined } }],
  ['no x5u', { header: { x5u: undefined } }],
  ['an x5u that is no text', { header: { x5u: 1 } }],
  ['an x5u that info contradicts', { identityHeader: { info: `${X5U}x` } }],
  ['an info that is no URL in brackets', { identityHeader: { parametersText: `;info=${X5U}` } }],
  ['an x5u by http', { x5u: X5U.replace('https', 'http') }],
  ['an extension that must be understood', { header: { crit: ['x'] } }],
  ['an alg parameter of another algorithm', { identityHeader: { alg: 'ES384' } }],
  ['a ppt parameter that it contradicts', { identityHeader: { ppt: 'div' } }],
  ['a ppt that is no text', { header: { ppt: ['shaken'] }, identityHeader: { ppt: 'absent' } }],
  ['a ppt that nobody verifies here', { ppt: 'tomorrow' }],
  ['no orig', { claims: { orig: undefined } }],
  ['a signature of 63 octets', { alterSignature: (signature) => signature.subarray(1) }],
  ['no signature', { alterSignature: () => new Uint8Array() }],
])('signs a call that came with a PASSporT with %s, which speaks for no caller', (_what, changes) => {
  const right = createPassport({ signer: world.provider, x5u: X5U }).identityHeader;
  const wrong = createPassport({ signer: world.provider, x5u: X5U, ...changes }).identityHeader;
  expect(reasonOf(signNow({ ...CALL, identity: wrong }))).toBe('signed');
  expect(reasonOf(signNow({ ...CALL, identity: [wrong, right] }))).toBe('not-signed: already-signed');
});

test('an Identity is not verified: a PASSporT with any signature keeps the call from being signed', () => {
  const forged = passport('shaken', { alterSignature: (signature: Uint8Array) => signature.toReversed() });
  expect(reasonOf(signNow({ ...CALL, identity: forged }))).toBe('not-signed: already-signed');
});

test.each<['refused' | 'at-most-rule' | 'permitted', string, string]>([
  ['refused', 'A', 'refused: attestation-not-permitted'],
  ['refused', 'C', 'refused: attestation-not-permitted'],
  ['at-most-rule', 'A', 'refused: attestation-not-permitted'],
  ['at-most-rule', 'B', 'signed'],
  ['at-most-rule', 'C', 'signed'],
  ['permitted', 'A', 'signed'],
  ['permitted', 'D', 'refused: request-invalid'],
  ['permitted', 'Abc', 'refused: request-invalid'],
])('with explicit attestation %s and B by rule, a request for %s is %s', (explicit, attestation, expected) => {
  const facts = { ...FULL_FACTS, numberOwnership: 'unknown' };
  const outcome = signNow({ ...CALL, facts, attestation, attestationBasis: BASIS }, { policy: policy(explicit) });
  expect(reasonOf(outcome)).toBe(expected);
  if (outcome.status === 'signed') {
    expect(outcome.claims.attestation).toBe(attestation);
    expect(outcome.record).toMatchObject({ decidedBy: 'request', basis: BASIS, decision: { attestation: 'B' } });
  }
});

test.each([undefined, '', '  ', 'x'.repeat(513), 7])('signs no attestation of a request whose basis is %j', (basis) => {
  for (const explicit of ['at-most-rule', 'permitted'] as const) {
    const request = { ...CALL, attestation: 'B', attestationBasis: basis };
    expect(reasonOf(signNow(request, { policy: policy(explicit) }))).toBe('refused: attestation-basis-missing');
  }
});

test.each<[string, string, unknown, string]>([
  ['A', 'no facts', undefined, 'signed'],
  ['A', 'nothing in the facts', {}, 'signed'],
  ['A', 'a number that is not theirs', { role: 'originating', numberOwnership: 'not-owned' }, 'refused'],
  ['A', 'a misspelled ownership', { role: 'originating', numberOwnership: 'not-ownd' }, 'refused'],
  ['B', 'a number that is not theirs', { role: 'originating', numberOwnership: 'not-owned' }, 'signed'],
  ['A', 'the gateway', { role: 'gateway', numberOwnership: 'owned' }, 'refused'],
  ['B', 'the gateway', { role: 'gateway' }, 'refused'],
  ['C', 'the gateway', { role: 'gateway' }, 'signed'],
  ['A', 'a misspelled role', { role: 'terminatng' }, 'refused'],
])('with everything permitted a request for %s with %s (%j) is %s', (attestation, _what, facts, expected) => {
  const request = { ...CALL, facts, attestation, attestationBasis: BASIS };
  const outcome = signNow(request, { policy: policy('permitted') });
  expect(reasonOf(outcome)).toBe(expected === 'signed' ? 'signed' : 'refused: attestation-not-permitted');
});

test('lets no request override a rule that signs nothing', () => {
  for (const attestation of ['A', 'B', 'C']) {
    const request = { ...CALL, facts: { role: 'terminating' }, attestation, attestationBasis: BASIS };
    expect(reasonOf(signNow(request, { policy: policy('at-most-rule') }))).toBe('refused: attestation-not-permitted');
    expect(signNow(request, { policy: policy('permitted') })).toMatchObject({
      status: 'not-signed',
      reason: 'policy',
      decision: { ruleId: 'terminating' },
    });
  }
});

test('adds a Date where there is none or a wrong one, and leaves a right one', () => {
  const date = 'Mon, 02 Nov 2026 12:00:00 GMT';
  expect(expectSigned(signNow(CALL)).date).toBe(date);
  expect(expectSigned(signNow({ ...CALL, date: 'yesterday' })).date).toBe(date);
  expect(expectSigned(signNow({ ...CALL, date: 'Mon, 02 Nov 2026 11:58:59 GMT' })).date).toBe(date);
  expect(expectSigned(signNow({ ...CALL, date: 'Mon, 02 Nov 2026 11:59:00 GMT' })).date).toBeUndefined();
  expect(expectSigned(signNow({ ...CALL, date: 42 })).date).toBe(date);
});

test.each([
  [NOW_SECONDS - 30, 'signed'],
  [NOW_SECONDS + 30, 'signed'],
  // Verifiers would find it stale before the call has arrived.
  [NOW_SECONDS - 31, 'refused: iat-not-current'],
  [NOW_SECONDS - 60, 'refused: iat-not-current'],
  [NOW_SECONDS + 31, 'refused: iat-not-current'],
  [{ toString: 1 }, 'refused: iat-not-current'],
  [NOW_SECONDS + 0.5, 'refused: iat-not-current'],
  [Number.NaN, 'refused: iat-not-current'],
  [String(NOW_SECONDS), 'refused: iat-not-current'],
])('with a time of issue of %s the call is %s', (iatSeconds, expected) => {
  expect(reasonOf(signNow({ ...CALL, iatSeconds }))).toBe(expected);
});

test('takes an origid that is a UUID and no other', () => {
  expect(expectSigned(signNow({ ...CALL, origId: UUID })).claims.origId).toBe(UUID);
  for (const origId of ['', 'customer-7', `${UUID}"`, 7]) {
    expect(reasonOf(signNow({ ...CALL, origId }))).toBe('refused: request-invalid');
  }
});

test.each<[string, () => unknown]>([
  ['makes no UUID any more', () => `not"uuid\\`],
  ['returns nothing', () => undefined],
  ['throws', failing],
])('signs nothing with a generator of ids that %s', (_what, later) => {
  let calls = 0;
  const randomUuid = (): string => ((calls += 1) === 1 ? UUID : (later() as string));
  const service = world.service({ randomUuid });
  expect(reasonOf(service.signNow(CALL))).toBe('refused: orig-id-unusable');
  expect(reasonOf(service.signNow({ ...CALL, origId: UUID }))).toBe('signed');
});

test('refuses more destinations than one PASSporT may have', () => {
  const destTn = Array.from({ length: 33 }, (_, at) => `120255501${String(at).padStart(2, '0')}`);
  expect(reasonOf(signNow({ ...CALL, destTn }))).toBe('refused: request-invalid');
  expect(reasonOf(signNow({ ...CALL, destTn: destTn.slice(1) }))).toBe('signed');
});

test('refuses an Identity header that no verifier would look at', () => {
  const destUri = Array.from({ length: 32 }, (_, at) => `sip:${String(at).padEnd(230, 'x')}@example.com`);
  expect(reasonOf(signNow({ ...CALL, destTn: [], destUri }))).toBe('refused: identity-header-too-long');
});

type CertificateChange = Partial<Parameters<SigningWorld['pki']['issueServiceProvider']>[0]>;

/** As a source of one's own would hand the chain over, past the checks of `readSigningCertificate`. */
async function outcomeUnder(change: CertificateChange): Promise<SigningOutcome> {
  const provider = world.pki.issueServiceProvider({ spc: '1234', ...change });
  const chain = parsedChain(provider.chainPem);
  const signingCertificate = { certificate: chain[0] as Certificate, chain, x5u: X5U };
  const signer = await createLocalSigner({ privateKeyPem: provider.privateKeyPem });
  const service = world.service({ certificateSource: { current: () => signingCertificate }, signer });
  const outcome = service.signNow(CALL);
  if (outcome.status === 'refused' && outcome.reason === 'certificate-unsuitable')
    expect(service.obstacle()).toEqual(outcome);
  return outcome;
}

test('refuses without certificate, and would try again', () => {
  const outcome = signNow(CALL, { certificateSource: { current: () => undefined } });
  expect(outcome).toMatchObject({ status: 'refused', reason: 'no-certificate', retryable: true });
});

test('refuses under an expired certificate, from the first millisecond on', () => {
  world.clock.set(world.provider.notAfterMs);
  expect(reasonOf(signNow(CALL))).toBe('signed');
  world.clock.advance(1);
  expect(signNow(CALL)).toMatchObject({
    status: 'refused',
    reason: 'certificate-expired',
    expected: `not after ${new Date(world.provider.notAfterMs).toISOString()}`,
    actual: new Date(world.provider.notAfterMs + 1).toISOString(),
  });
});

test('refuses under a certificate that is not valid yet', () => {
  world.clock.set(world.provider.notBeforeMs - 1);
  expect(reasonOf(signNow(CALL))).toBe('refused: certificate-not-yet-valid');
  world.clock.advance(1);
  expect(reasonOf(signNow(CALL))).toBe('signed');
});

test('refuses when a certificate above has expired', async () => {
  const issuer = world.pki.issueCa({ notAfterMs: world.pki.nowMs - DAY_MS });
  expect(reasonOf(await outcomeUnder({ issuer }))).toBe('refused: certificate-expired');
});

test.each<[string, () => unknown]>([
  ['NaN', () => Number.NaN],
  ['nothing', () => undefined],
  ['0', () => 0],
  ['a time before the epoch', () => -1],
  ['infinity', () => Infinity],
  ['a text', () => '1793620800000'],
  ['an error', failing],
])('signs nothing by a clock that gives %s', (_what, nowMs) => {
  expect(reasonOf(signNow(CALL, { clock: { nowMs: nowMs as () => number } }))).toBe('refused: clock-invalid');
});

test('refuses when the source of certificates throws, and would try again', async () => {
  const service = world.service({ certificateSource: { current: failing } });
  expect(service.signNow(CALL)).toMatchObject({ status: 'refused', reason: 'no-certificate', retryable: true });
  expect(await service.sign(CALL)).toMatchObject({ status: 'refused', reason: 'no-certificate' });
  expect(service.obstacle()).toMatchObject({ reason: 'no-certificate' });
  expect(reasonOf(signNow(CALL, { certificateSource: { current: () => null as never } }))).toBe(
    'refused: no-certificate',
  );
});

test.each<[string, () => CertificateChange]>([
  ['has another key usage', () => ({ keyUsage: { usages: ['keyCertSign'] } })],
  ['has no key usage', () => ({ keyUsage: 'absent' })],
  ['has a critical extension that nobody knows', () => ({ unknownCriticalExtension: true })],
  ['is self-signed', () => ({ issuer: 'self' })],
  ['has a corrupt signature', () => ({ corruptSignature: true })],
  ['was signed by another key than that of its issuer', () => ({ signedBy: createTestKey() })],
  [
    'was issued by a CA that must not issue',
    () => ({ issuer: world.pki.issueCa({ keyUsage: { usages: ['cRLSign'] } }) }),
  ],
  ['was issued by no CA at all', () => ({ issuer: world.provider })],
])('signs nothing under a certificate that %s', async (_what, change) => {
  expect(await outcomeUnder(change())).toMatchObject({ status: 'refused', reason: 'certificate-unsuitable' });
});

test('signs nothing under a certificate that is not the first of its chain', async () => {
  const current = world.options.certificateSource.current();
  if (current === undefined) throw new Error('no certificate');
  const without = { ...current, chain: current.chain.slice(1) };
  expect(reasonOf(signNow(CALL, { certificateSource: { current: () => without } }))).toBe(
    'refused: certificate-unsuitable',
  );
});

const permitting = (claim: string, ...permitted: readonly string[]): CertificateChange => ({
  jwtClaimConstraints: { permittedValues: [{ claim, permitted }] },
});

test.each<[string, CertificateChange, string]>([
  ['B only', permitting('attest', 'B'), 'claim-constraint'],
  ['A and B', permitting('attest', 'A', 'B'), 'signed'],
  ['one caller', permitting('orig', `{"tn":"${TEST_ORIG_TN}"}`), 'signed'],
  ['another caller', permitting('orig', '{"tn":"12025550102"}'), 'claim-constraint'],
  ['calls with rcd', { jwtClaimConstraints: { mustInclude: ['rcd'] } }, 'claim-constraint'],
  ['calls with origid', { jwtClaimConstraints: { mustInclude: ['origid'] } }, 'signed'],
  ['no attestation', { enhancedJwtClaimConstraints: { mustExclude: ['attest'] } }, 'claim-constraint'],
  ['no rcd', { enhancedJwtClaimConstraints: { mustExclude: ['rcd'] } }, 'signed'],
  ['certain values of a claim that no call has', permitting('rcd', 'x'), 'signed'],
])('under a certificate that permits %s a call with A is %s', async (_what, change, expected) => {
  const outcome = await outcomeUnder(change);
  expect(outcome.status === 'signed' ? 'signed' : outcome.reason).toBe(expected);
  expect(JSON.stringify(outcome.status === 'refused' ? outcome : {})).not.toMatch(/1202555/);
});

test('tells before any call that the certificate permits none, and divs all the same', async () => {
  const provider = world.pki.issueServiceProvider({ spc: '1234', jwtClaimConstraints: { mustInclude: ['div'] } });
  const certificateSource = createStaticCertificateSource({ chainPem: provider.chainPem, x5u: X5U });
  const signer = await createLocalSigner({ privateKeyPem: provider.privateKeyPem });
  const service = world.service({ certificateSource, signer });
  expect(service.obstacle()).toMatchObject({ reason: 'claim-constraint', expected: 'div present' });
  const diversion = { identity: passport('shaken'), divertingTn: TEST_DEST_TN, newTargetTn: '12025550150' };
  expect(service.signDiversionNow(diversion).status).toBe('signed');
});

test('refuses with a key that is not the one of the certificate, and reports that before any call', async () => {
  expect(world.service().obstacle()).toBeUndefined();
  const signer = await createLocalSigner({ privateKeyPem: createTestKey().privateKeyPem });
  expect(reasonOf(signNow(CALL, { signer }))).toBe('refused: key-mismatch');
  expect(world.service({ signer }).obstacle()).toMatchObject({ reason: 'key-mismatch' });
});

test('refuses under the certificate of another provider, not under one that names its SPC among others', async () => {
  expect(await outcomeUnder({ spc: '9999' })).toMatchObject({
    reason: 'spc-mismatch',
    expected: '1234',
    actual: '9999',
  });
  expect(await outcomeUnder({ tnAuthList: [{ kind: 'one', tn: TEST_ORIG_TN }] })).toMatchObject({
    reason: 'spc-mismatch',
    actual: 'no SPC',
  });
  expect(await outcomeUnder({ tnAuthList: 'absent' })).toMatchObject({ reason: 'spc-mismatch' });
  const tnAuthList = ['9999', '1234'].map((spc) => ({ kind: 'spc', spc }) as const);
  expect(reasonOf(await outcomeUnder({ tnAuthList }))).toBe('signed');
});

test('takes up a new certificate at the next call, and says so in the record', async () => {
  let current = world.options.certificateSource.current();
  const service = world.service({ certificateSource: { current: () => current } });
  const next = world.pki.issueServiceProvider({ spc: '1234', key: world.provider.key });
  const first = expectSigned(service.signNow(CALL));
  current = createStaticCertificateSource({
    chainPem: next.chainPem,
    x5u: 'https://certificates.example.com/2.pem',
  }).current();
  const second = expectSigned(service.signNow(CALL));
  expect(first.record.signature.certificateSha256).toBe(world.provider.sha256);
  expect(second.record.signature.certificateSha256).toBe(next.sha256);
  expect((await verifiedByJose(second.token, next.publicKeyPem)).header).toMatchObject({
    x5u: 'https://certificates.example.com/2.pem',
  });
});

test('signs with a key behind a service, but not at once', async () => {
  const { privateKey, publicKey } = world.provider.key;
  const signWith = async (message: Uint8Array) => sign('sha256', message, privateKey);
  const signer = await createExternalSigner({ sign: signWith, publicKey, format: 'der', inputKind: 'message' });
  const service = world.service({ signer });
  expect(service.signNow(CALL)).toMatchObject({ status: 'refused', reason: 'signer-is-asynchronous' });
  const signed = expectSigned(await service.sign(CALL));
  expect(signed.record.signature.signerKind).toBe('external');
  const { claims } = await verifiedByJose(signed.token, world.provider.publicKeyPem);
  const { attestation, origId, origTn, iatSeconds } = signed.claims;
  expect(claims).toMatchObject({ attest: attestation, origid: origId, orig: { tn: origTn }, iat: iatSeconds });
});

const brokenSigner = (answer: () => unknown): Signer => ({
  algorithm: 'ES256',
  kind: 'external',
  synchronous: false,
  publicKey: world.provider.key.publicKey,
  sign: async () => answer() as Uint8Array,
});

test.each<[string, () => unknown]>([
  ['throws', failing],
  ['returns nothing', () => undefined],
  ['returns 63 octets', () => new Uint8Array(63)],
  ['returns 64 octets that are no signature', () => new Uint8Array(64)],
  ['returns a text of 64 characters', () => 'x'.repeat(64)],
  ['returns a list of 64 numbers', () => Array.from({ length: 64 }, () => 1)],
  [
    'returns a signature of something else',
    () => sign('sha256', Buffer.from('x'), { key: world.provider.key.privateKey, dsaEncoding: 'ieee-p1363' }),
  ],
  ['returns DER', () => sign('sha256', Buffer.from('x'), world.provider.key.privateKey)],
])('refuses as signer-failed when the signer %s', async (_what, answer) => {
  expect(reasonOf(await world.service({ signer: brokenSigner(answer) }).sign(CALL))).toBe('refused: signer-failed');
  const synchronous = { ...brokenSigner(answer), synchronous: true, sign: answer } as Signer;
  expect(reasonOf(world.service({ signer: synchronous }).signNow(CALL))).toBe('refused: signer-failed');
});

test('refuses as signer-failed when the signer rejects with nothing', async () => {
  const signer = brokenSigner(() => Promise.reject(undefined));
  expect(await world.service({ signer }).sign(CALL)).toMatchObject({ reason: 'signer-failed', retryable: true });
});

test('gives a signer that never answers up after its time, and leaves no timer behind', async () => {
  const signer = brokenSigner(() => new Promise(() => undefined));
  const service = world.service({ signer, schedule: world.clock.schedule });
  const outcomes = [
    service.sign(CALL),
    service.signDiversion({ identity: passport('shaken'), divertingTn: TEST_DEST_TN, newTargetTn: '12025550150' }),
  ];
  world.clock.advance(DEFAULT_SERVICE_SIGNER_TIMEOUT_MS);
  for (const outcome of await Promise.all(outcomes)) {
    expect(outcome).toMatchObject({ reason: 'signer-failed', actual: 'timeout', retryable: true });
  }
  expect(world.clock.pendingTimers()).toBe(0);
});

test.each([0, -1, Number.NaN, 60_001, 3_000_000_000])('waits no %s ms for a signer', (signerTimeoutMs) => {
  expect(() => world.service({ signerTimeoutMs })).toThrow(withCode('invalid-argument'));
});

test('is not changed by what happens to its options later', () => {
  const options = { ...world.options, spc: '1234' };
  const service = new AuthenticationService(options);
  options.spc = '9999';
  expect(expectSigned(service.signNow(CALL)).record.signature.spc).toBe('1234');
});

test('keeps telephone numbers out of what it says of calls that it does not sign', () => {
  const outcomes = [
    signNow({ ...CALL, sign: false }),
    signNow({ ...CALL, destTn: '911' }),
    signNow({ ...CALL, origId: TEST_ORIG_TN }),
    signNow({ ...CALL, attestation: 'A' }),
    signNow({ ...CALL, facts: { role: 'terminating' } }),
  ];
  expect(JSON.stringify(outcomes)).not.toMatch(/1202555/);
});

test.each<[string, Partial<AuthenticationServiceOptions>]>([
  ['an empty SPC', { spc: '' }],
  ['an SPC in lower case', { spc: '12ab' }],
  ['an SPC of 16 characters', { spc: '1234567890123456' }],
  ['ids that are no UUIDs', { randomUuid: () => 'id-1' }],
])('is not made with %s', (_what, changes) => {
  expect(() => world.service(changes)).toThrow(withCode('invalid-configuration'));
});
