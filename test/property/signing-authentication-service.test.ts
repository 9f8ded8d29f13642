import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { createPassport } from '@hopback/sdk/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIdentityHeader } from '../../sdk/src/stir/identity-header.js';
import { canonicalJson, parsePassport } from '../../sdk/src/stir/passport.js';
import { div } from '../../sdk/src/stir/passport-types/div.js';
import { shaken, shakenPayload } from '../../sdk/src/stir/passport-types/shaken.js';
import { derToRawSignature, rawToDerSignature } from '../../sdk/src/core/base64url.js';
import type { DiversionRequest } from '../../sdk/src/stir/signing/authentication-service.js';
import type { SigningRequest } from '../../sdk/src/stir/signing/signing-request.js';
import { createSigningWorld, FULL_FACTS, verifiedByJose, X5U } from '../unit/signing-scenarios.js';
import { forAll, forAllAsync } from '../support/for-all.js';

const world = await createSigningWorld();
const service = world.service();

const numberish = fc.oneof(
  fc.stringMatching(/^\+?[0-9*#(). -]{0,24}$/),
  fc.stringMatching(/^[1-9][0-9]{6,14}$/),
  fc.constantFrom(
    '911',
    '112',
    '2025550101',
    '+12025550199',
    '01144207946000',
    '00',
    '',
    'alice',
    '%2B12025550101',
    '"\\',
  ),
  fc.string(),
);
const dialled = fc.oneof(
  fc.stringMatching(/^\+?[1-9][0-9]{9,14}$/),
  fc.stringMatching(/^\+1-[2-9][0-9]{2}-[0-9]{3}-[0-9]{4}$/),
);
const callable = fc.oneof({ weight: 3, arbitrary: dialled }, { weight: 1, arbitrary: numberish });
const uriish = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('sip:', 'sips:', 'tel:', 'urn:', ''),
      numberish,
      fc.constantFrom('', '@example.com', '@[::1]', '@anonymous.invalid', ';x=y'),
    )
    .map((parts) => parts.join('')),
  fc.string(),
);
const headerish = fc.oneof(
  uriish,
  uriish.map((uri) => `"A \\" B" <${uri}>;tag=1`),
  uriish.map((uri) => `<${uri}>, <${uri}>`),
);
const list = (value: fc.Arbitrary<string>): fc.Arbitrary<string | string[]> =>
  fc.oneof(value, fc.array(value, { maxLength: 4 }));

const addressed = fc
  .tuple(
    fc.constantFrom('<sip:', '"A" <sip:', '<tel:', 'sip:', '<sips:'),
    callable,
    fc.constantFrom('@example.com', ''),
  )
  .map(([before, tn, after]) => `${before}${tn}${after}${before.includes('<') ? '>' : ''};tag=1`);
const usual = fc.oneof({ weight: 4, arbitrary: addressed }, { weight: 1, arbitrary: headerish });

const byNumber = fc.record(
  { origTn: callable, destTn: list(callable), destUri: list(uriish) },
  { requiredKeys: ['origTn', 'destTn'] },
);
const bySip = fc.record(
  {
    from: usual,
    pAssertedIdentity: list(usual),
    to: usual,
    requestUri: uriish,
    date: fc.string(),
    identity: list(fc.string()),
  },
  { requiredKeys: ['from', 'to'] },
);

test('signs numbers of any kind so that the result parses, is canonical and verifies with jose, or says why not', async () => {
  let signed = 0;
  await forAllAsync([fc.oneof(byNumber, bySip)], 3_000, async (parties) => {
    const outcome = service.signNow({ facts: FULL_FACTS, ...parties });
    if (outcome.status !== 'signed') {
      expect(outcome.reason).not.toBe('');
      return;
    }
    signed += 1;
    const [value = ''] = outcome.identityHeaders;
    const header = parseIdentityHeader(value);
    expect(header).toMatchObject({
      status: 'parsed',
      identityHeader: { info: X5U, alg: 'ES256', ppt: 'shaken', token: outcome.token },
    });
    const passport = parsePassport(outcome.token);
    if (passport.status === 'malformed') throw new Error(passport.detail);
    const claims = shaken.readClaims(passport.passport.payload);
    expect(claims).toMatchObject({ status: 'read', claims: { attestation: outcome.claims.attestation } });
    const verified = await verifiedByJose(outcome.token, world.provider.publicKeyPem);
    expect(verified.payloadText).toBe(canonicalJson(shakenPayload(outcome.claims)));
    // A URI may hold a backslash, which JSON has to escape: the short cut for canonical texts then leaves it to the full reader.
    expect(passport.passport.isCanonical || verified.payloadText.includes('\\')).toBe(true);
  });
  // A generator that never hits anything would prove nothing.
  expect(signed).toBeGreaterThan(300);
});

test('never throws for a request, whatever it is made of', () => {
  const members = fc.constantFrom(
    ...['from', 'pAssertedIdentity', 'to', 'requestUri', 'date', 'identity', 'facts', 'attestation', 'origId'],
    ...['origTn', 'destTn', 'destUri', 'iatSeconds'],
  );
  const anything = fc.dictionary(members, fc.anything(), { maxKeys: 13 });
  forAll([fc.oneof({ weight: 9, arbitrary: anything }, fc.anything())], 5_000, (request) => {
    expect(['signed', 'not-signed', 'refused']).toContain(service.signNow(request as SigningRequest).status);
  });
});

test('adds a div that names what it diverts, verifies with jose and leaves the rest alone, or says why not', async () => {
  const destination = fc.oneof(fc.stringMatching(/^1[2-9][0-9]{9}$/), numberish);
  await forAllAsync(
    [destination, destination, fc.array(fc.string()), fc.boolean()],
    1_500,
    async (diverting, target, junk, isDirect) => {
      const passport = createPassport({ signer: world.provider, x5u: X5U, destTn: diverting }).identityHeader;
      const identity = isDirect ? [passport] : [...junk, passport];
      const outcome = service.signDiversionNow({ identity, divertingTn: diverting, newTargetTn: target });
      if (outcome.status !== 'signed') {
        expect(outcome.reason).not.toBe('');
        return;
      }
      expect(outcome.identityHeaders).toContain(passport);
      expect(outcome.identityHeaders.at(-1)).toBe(outcome.identityHeader);
      const parsed = parsePassport(outcome.token);
      if (parsed.status === 'malformed') throw new Error(parsed.detail);
      expect(div.readClaims(parsed.passport.payload).status).toBe('read');
      await verifiedByJose(outcome.token, world.provider.publicKeyPem);
    },
  );
});

test('signs a number that is named in one reading of the plan only, and never another number than was named', () => {
  const digits = fc.stringMatching(/^[0-9]{7,15}$/);
  forAll([digits, fc.boolean()], 3_000, (number, isGlobal) => {
    const origTn = isGlobal ? `+${number}` : number;
    const outcome = service.signNow({ origTn, destTn: '12025550199', facts: FULL_FACTS });
    if (outcome.status === 'signed') expect(outcome.claims.origTn).toBe(number);
    else expect(outcome.reason).toBe(isGlobal ? 'no-usable-number' : 'request-invalid');
    // The national form is what the plan reads otherwise.
    if (!isGlobal && /^[2-9][0-9]{9}$/.test(number)) expect(outcome.status).toBe('refused');
  });
});

test('never throws for a diversion, whatever it is made of', () => {
  const members = fc.constantFrom('identity', 'divertingTn', 'newTargetTn', 'newTargetUri', 'origTn');
  const value = fc.oneof(fc.string(), fc.array(fc.string()), fc.anything());
  const anything = fc.dictionary(members, value, { maxKeys: 5 });
  forAll([fc.oneof({ weight: 9, arbitrary: anything }, fc.anything())], 5_000, (request) => {
    expect(['signed', 'not-signed', 'refused']).toContain(service.signDiversionNow(request as DiversionRequest).status);
  });
});

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKey = createPublicKey(privateKey);

/** Octets that look like a signature more often than chance would have it. */
const derLike = fc
  .tuple(
    fc.uint8Array({ minLength: 0, maxLength: 36 }),
    fc.uint8Array({ minLength: 0, maxLength: 36 }),
    fc.integer({ min: -2, max: 2 }),
  )
  .map(([r, s, off]) =>
    Uint8Array.of(0x30, (r.length + s.length + 4 + off) & 0xff, 0x02, r.length, ...r, 0x02, s.length, ...s),
  );

test('never throws, and takes one spelling of a DER signature only', () => {
  forAll([fc.oneof(fc.uint8Array({ maxLength: 100 }), derLike)], 20_000, (octets) => {
    const raw = derToRawSignature(octets);
    if (raw.status === 'malformed') return;
    const again = rawToDerSignature(raw.signature);
    expect(again).toEqual({ status: 'converted', signature: octets });
  });
});

test('never throws, whatever is to be a raw signature', () => {
  forAll([fc.uint8Array({ minLength: 60, maxLength: 68 })], 5_000, (octets) => {
    const der = rawToDerSignature(octets);
    if (der.status === 'converted')
      expect(derToRawSignature(der.signature)).toEqual({ status: 'converted', signature: octets });
  });
});

test('converts what OpenSSL signs, both ways, into what OpenSSL verifies', () => {
  forAll([fc.uint8Array({ maxLength: 64 })], 2_000, (message) => {
    const raw = derToRawSignature(sign('sha256', message, privateKey));
    expect(
      raw.status === 'converted' &&
        verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw.signature),
    ).toBe(true);
    const der = rawToDerSignature(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    expect(der.status === 'converted' && verify('sha256', message, publicKey, der.signature)).toBe(true);
  });
});
