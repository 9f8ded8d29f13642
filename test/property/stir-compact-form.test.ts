import { createPassport, TEST_NOW_MS, type PassportOptions } from '@hopback/sdk/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compactIdentityHeader, type CompactFormRefusal } from '../../sdk/src/stir/compact-form.js';
import { isCompactForm } from '../../sdk/src/stir/passport.js';
import { formatSipDate, type VerificationRequest } from '../../sdk/src/stir/verification/request.js';
import { createVerificationLab, LAB_X5U } from '../support/verification-lab.js';
import { forAll } from '../support/for-all.js';

const lab = await createVerificationLab();
const verifier = lab.serviceWith({ policy: { profile: 'rfc8224' } });

const NOW_SECONDS = TEST_NOW_MS / 1000;

const number = fc.constantFrom('12025550101', '12025550199', '442079460000', '4930123456');
const uri = fc.constantFrom('sip:alice@a.example', 'sips:bob@b.example');
const offset = fc.integer({ min: -30, max: 30 });

/** One call, and a plain PASSporT for it that is right. */
const call = fc
  .record({ caller: number, called: fc.oneof({ weight: 4, arbitrary: number }, uri), offset, isNumber: fc.boolean() })
  .map(({ caller, called, offset: seconds, isNumber }) => {
    const isUri = called.includes('@');
    const iatSeconds = NOW_SECONDS + seconds;
    const passport: Partial<PassportOptions> = {
      ppt: 'absent',
      origTn: caller,
      iatSeconds,
      claims: { dest: isUri ? { uri: [called] } : { tn: [called] } },
    };
    const to = isUri ? `<${called}>` : isNumber ? `<tel:+${called}>` : `"B" <sip:+${called}@b.example;user=phone>`;
    const from = `<sip:+${caller}@a.example>;tag=1`;
    const request: Omit<VerificationRequest, 'identity'> = { from, to, date: formatSipDate(iatSeconds) };
    return { passport, request, iatSeconds, dest: passport.claims?.['dest'] };
  });

type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;
type Change = (call: Call) => {
  readonly passport?: Partial<PassportOptions>;
  readonly request?: Partial<VerificationRequest>;
};

/** What a compact form does not survive, each with the reason. */
const CHANGES: readonly (readonly [CompactFormRefusal, Change])[] = [
  ['date-differs', ({ iatSeconds }) => ({ request: { date: formatSipDate(iatSeconds + 1) } })],
  ['date-differs', () => ({ request: { date: 'yesterday' } })],
  ['orig-differs', ({ passport }) => ({ passport: { claims: { ...passport.claims, orig: { tn: '+12025550107' } } } })],
  ['orig-differs', () => ({ request: { pAssertedIdentity: '<tel:+12025550108>' } })],
  ['dest-differs', ({ passport }) => ({ passport: { claims: { ...passport.claims, dest: { tn: ['12025550107'] } } } })],
  ['dest-differs', ({ passport, dest }) => ({ passport: { claims: { ...passport.claims, dest: more(dest) } } })],
  ['claims-differ', ({ passport }) => ({ passport: { claims: { ...passport.claims, crn: 'reason' } } })],
  ['claims-differ', ({ passport }) => ({ passport: { claims: { ...passport.claims, constructor: 1 } } })],
  ['header-differs', () => ({ passport: { header: { kid: '1' } } })],
  ['header-differs', () => ({ passport: { header: { typ: 'JWT' } } })],
  ['header-differs', () => ({ passport: { identityHeader: { info: `${LAB_X5U}x` } } })],
  ['header-differs', () => ({ passport: { identityHeader: { alg: 'ES384' } } })],
  ['info-unusable', () => ({ passport: { identityHeader: { info: 'absent' } } })],
  ['type-needs-full-form', () => ({ passport: { ppt: 'shaken' } })],
  ['type-needs-full-form', () => ({ passport: { ppt: 'tomorrow' } })],
  ['spelling-differs', (one) => ({ passport: { payloadText: spaced(one) } })],
  ['signature-malformed', () => ({ passport: { alterSignature: (signature) => signature.subarray(1) } })],
];

/** An empty list more: the same called parties, another text. */
const more = (dest: unknown): object => ({ tn: [], uri: [], ...(dest as object) });

const spaced = ({ passport, iatSeconds, dest }: Call): string =>
  `{"dest":${JSON.stringify(dest)},"iat":${String(iatSeconds)}, "orig":{"tn":"${passport.origTn ?? ''}"}}`;

const written = (passport: Partial<PassportOptions>): string =>
  createPassport({ signer: lab.provider, x5u: LAB_X5U, ...passport }).identityHeader;

/** The value with its PASSporT cut down to the signature, whatever becomes of it. */
const cut = (identity: string): string => `.${identity.slice(identity.lastIndexOf('.', identity.indexOf(';')))}`;

test('a plain PASSporT of any call has a compact form that says the same to a verifier of profile rfc8224', () => {
  forAll([call, fc.boolean()], 500, ({ passport, request }, spacedOut) => {
    const full = written({ ...passport, identityHeader: { spaced: spacedOut, quoted: spacedOut } });
    const result = compactIdentityHeader(full, request);
    expect(result).toEqual({ status: 'compact', identityHeader: cut(full) });
    if (result.status !== 'compact') return;
    expect(isCompactForm(result.identityHeader.split(/ ?;/)[0] ?? '')).toBe(true);
    const verdict = verifier.verifyNow({ ...request, identity: result.identityHeader });
    const told = verifier.verifyNow({ ...request, identity: full });
    expect([verdict.status, verdict.verstat, verdict.reasons]).toEqual(['passed', 'TN-Validation-Passed', []]);
    expect([told.status, told.signer]).toEqual(['passed', verdict.signer]);
    expect(compactIdentityHeader(result.identityHeader, request)).toMatchObject({ reason: 'already-compact' });
  });
});

test('whatever cannot be rebuilt is refused with its reason, and would not have verified in compact form', () => {
  forAll([call, fc.constantFrom(...CHANGES)], 1_000, (one, [reason, change]) => {
    const changed = change(one);
    const full = written({ ...one.passport, ...changed.passport });
    const request = { ...one.request, ...changed.request };
    expect(compactIdentityHeader(full, request)).toMatchObject({ status: 'refused', reason });
    expect(verifier.verifyNow({ ...request, identity: cut(full) }).status).not.toBe('passed');
  });
});

test('returns and never throws for any text and any request', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('..x', 'e30.e30.AA', `e30.e30.AA;info=<${LAB_X5U}>`));
  const field = fc.option(fc.string(), { nil: undefined });
  forAll([text, field, field, field], 5_000, (value, from, to, date) => {
    const request = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const result = compactIdentityHeader(value, date === undefined ? request : { ...request, date });
    expect(result.status).toBe('refused');
  });
});
