import { createPassport, createTestKey, TEST_DEST_TN, TEST_ORIG_TN, type PassportOptions } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { createLocalSigner } from '../../sdk/src/stir/signing/signer.js';
import type { DiversionOutcome, SignatureRecord } from '../../sdk/src/stir/signing/signing-outcome.js';
import type { DiversionRequest } from '../../sdk/src/stir/signing/authentication-service.js';
import {
  CALL,
  createSigningWorld,
  expectSigned,
  NOW_SECONDS,
  reasonOf,
  verifiedByJose,
  X5U,
} from './signing-scenarios.js';

const SECOND_TN = '12025550150';
const THIRD_TN = '12025550151';
const world = await createSigningWorld();

const passport = (options: Partial<PassportOptions> = {}): string =>
  createPassport({ signer: world.provider, x5u: X5U, ...options }).identityHeader;
const divert = (request: Partial<Record<keyof DiversionRequest, unknown>>): DiversionOutcome => {
  const whole = { identity: passport(), ...REQUEST, ...request };
  return world.service().signDiversionNow(whole as DiversionRequest);
};
const REQUEST = { divertingTn: TEST_DEST_TN, newTargetTn: SECOND_TN };

test('adds a div with exactly dest, div, iat and orig, which jose verifies, behind the original', async () => {
  const { identityHeaders } = expectSigned(world.service().signNow(CALL));
  const diverted = expectSigned(divert({ identity: identityHeaders }));
  const verified = await verifiedByJose(diverted.token, world.provider.publicKeyPem);
  expect(verified.header).toEqual({ alg: 'ES256', ppt: 'div', typ: 'passport', x5u: X5U });
  expect(verified.payloadText).toBe(
    `{"dest":{"tn":["${SECOND_TN}"]},"div":{"tn":"${TEST_DEST_TN}"},"iat":${String(NOW_SECONDS)},"orig":{"tn":"${TEST_ORIG_TN}"}}`,
  );
  expect(diverted.identityHeaders).toEqual([...identityHeaders, diverted.identityHeader]);
  expect(diverted.identityHeader).toBe(`${diverted.token};info=<${X5U}>;alg=ES256;ppt=div`);
});

test('goes on from the div that came last', async () => {
  const first = expectSigned(divert({}));
  const second = expectSigned(
    divert({ identity: first.identityHeaders, divertingTn: SECOND_TN, newTargetTn: THIRD_TN }),
  );
  expect(second.identityHeaders).toHaveLength(3);
  const { claims } = await verifiedByJose(second.token, world.provider.publicKeyPem);
  expect(claims).toMatchObject({ div: { tn: SECOND_TN }, dest: { tn: [THIRD_TN] }, orig: { tn: TEST_ORIG_TN } });
});

test('signs a call that comes back to a number and is diverted again', () => {
  const first = expectSigned(divert({}));
  const back = expectSigned(
    divert({ identity: first.identityHeaders, divertingTn: SECOND_TN, newTargetTn: TEST_DEST_TN }),
  );
  expect(reasonOf(divert({ identity: back.identityHeaders }))).toBe('signed');
});

test('copies orig to the letter, however it is spelled, and a URI too', async () => {
  const spelled = expectSigned(divert({ identity: passport({ origTn: '+1-202-555-0101' }) }));
  expect(spelled.claims.orig).toEqual({ kind: 'tn', value: '+1-202-555-0101' });
  const named = passport({ ppt: 'absent', claims: { orig: { uri: 'sip:"alice"\\@example.com' } } });
  const diverted = expectSigned(divert({ identity: named }));
  const { claims } = await verifiedByJose(diverted.token, world.provider.publicKeyPem);
  expect(claims).toMatchObject({ orig: { uri: 'sip:"alice"\\@example.com' } });
});

test('diverts to a URI without number, and finds the diverting number among several, however it is spelled', async () => {
  const identity = passport({ claims: { dest: { tn: ['12025550188', `+${TEST_DEST_TN}`] } } });
  const request = {
    identity,
    divertingTn: '+1 202 555 0199',
    newTargetTn: undefined,
    newTargetUri: 'sip:voicemail@Example.com;x=1',
  };
  const diverted = expectSigned(divert(request));
  const { claims } = await verifiedByJose(diverted.token, world.provider.publicKeyPem);
  expect(claims).toMatchObject({ div: { tn: TEST_DEST_TN }, dest: { uri: ['sip:voicemail@example.com'] } });
});

test('chooses by caller where PASSporTs speak for several', () => {
  const identity = [passport(), passport({ origTn: '12025550102' })];
  expect(reasonOf(divert({ identity }))).toBe('refused: orig-ambiguous');
  expect(expectSigned(divert({ identity, origTn: '+12025550102' })).claims.orig.value).toBe('12025550102');
  expect(reasonOf(divert({ identity, origTn: '12025550103' }))).toBe('refused: orig-mismatch');
  expect(reasonOf(divert({ identity, origTn: 'nobody' }))).toBe('refused: orig-mismatch');
});

test.each<[string, Partial<Record<keyof DiversionRequest, unknown>>, string]>([
  ['there is no Identity', { identity: [] }, 'not-signed: no-identity'],
  ['Identity is empty', { identity: ' , ' }, 'not-signed: no-identity'],
  ['Identity is no text', { identity: 7 }, 'not-signed: no-identity'],
  ['the call is switched off', { sign: false }, 'not-signed: switched-off'],
  ['the target did not change', { newTargetTn: `+${TEST_DEST_TN}` }, 'not-signed: not-retargeted'],
  ['the target did not change, spelled as dialled', { newTargetTn: '202-555-0199' }, 'not-signed: not-retargeted'],
  [
    'the target did not change, spelled as a URI',
    { newTargetTn: undefined, newTargetUri: 'sip:2025550199@example.com' },
    'not-signed: not-retargeted',
  ],
  ['the target is the diverting number in national form', { newTargetTn: '2025550199' }, 'refused: request-invalid'],
  ['the target has no country code', { newTargetTn: '2025550150' }, 'refused: request-invalid'],
  ['the diverting number has no country code', { divertingTn: '2025550199' }, 'refused: request-invalid'],
  ['the caller has no country code', { origTn: '2025550101' }, 'refused: request-invalid'],
  ['the target has an international prefix', { newTargetTn: '011442079460000' }, 'refused: request-invalid'],
  ['the diverting number is none', { divertingTn: 'alice' }, 'not-signed: no-usable-number'],
  ['there is no new target', { newTargetTn: undefined }, 'not-signed: no-usable-number'],
  ['the target is no URI', { newTargetTn: undefined, newTargetUri: 'mailto:a@b' }, 'not-signed: no-usable-number'],
  ['no PASSporT has the diverting number as dest', { divertingTn: THIRD_TN }, 'refused: diverted-passport-missing'],
  [
    'Identity is junk',
    { identity: ['junk', 'a.b.c;info=<x>', '..x;ppt=shaken'] },
    'refused: diverted-passport-missing',
  ],
])('adds nothing when %s', (_what, request, expected) => {
  expect(reasonOf(divert(request))).toBe(expected);
});

test.each([null, undefined, 5, 'INVITE'])('refuses a request that is %s', async (request) => {
  const service = world.service();
  expect(reasonOf(service.signDiversionNow(request as never))).toBe('refused: request-invalid');
  expect(reasonOf(await service.signDiversion(request as never))).toBe('refused: request-invalid');
});

test.each([Number.NaN, undefined, null, 0, -1, Infinity, 'now'])('signs no div at the time %s', (nowMs) => {
  const service = world.service({ clock: { nowMs: () => nowMs as number } });
  expect(reasonOf(service.signDiversionNow({ identity: passport(), ...REQUEST }))).toBe('refused: clock-invalid');
});

test('adds nothing to a PASSporT of another type', () => {
  const identity = passport({ ppt: 'rph', claims: { rph: {} } });
  expect(reasonOf(divert({ identity }))).toBe('refused: diverted-passport-missing');
});

test('adds no header that verifiers would not look at any more', () => {
  const identity = Array.from({ length: 16 }, () => passport());
  expect(reasonOf(divert({ identity }))).toBe('refused: too-many-identity-headers');
  expect(reasonOf(divert({ identity: identity.slice(1) }))).toBe('signed');
});

test('keeps a record without attestation', () => {
  const records: SignatureRecord[] = [];
  const service = world.service({ onRecord: (record) => records.push(record) });
  const diverted = expectSigned(service.signDiversionNow({ identity: passport(), ...REQUEST }));
  expect(records).toEqual([diverted.record]);
  expect(diverted.record).toMatchObject({ ppt: 'div', claims: { divTn: TEST_DEST_TN }, signature: { spc: '1234' } });
});

test('refuses a div under a certificate that must not be used', async () => {
  const signer = await createLocalSigner({ privateKeyPem: createTestKey().privateKeyPem });
  const request = { identity: passport(), ...REQUEST };
  expect(reasonOf(await world.service({ signer }).signDiversion(request))).toBe('refused: key-mismatch');
  expect(reasonOf(await world.service().signDiversion(request))).toBe('signed');
});
