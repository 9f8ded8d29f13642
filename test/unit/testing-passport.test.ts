import { createHmac, verify } from 'node:crypto';
import {
  createPassport,
  createPassportFaultContext,
  createTestPki,
  divertedCall,
  divertedTn,
  GOOD_PASSPORT_NAMES,
  GOOD_PASSPORTS,
  PASSPORT_FAULT_NAMES,
  PASSPORT_FAULTS,
  TEST_NOW_MS,
  twinSignature,
} from '@hopback/sdk/testing';
import type { PassportFaultContext, PassportFaultName } from '@hopback/sdk/testing';
import { compactVerify, importSPKI } from 'jose';
import { beforeAll, expect, test } from 'vitest';

const X5U = 'https://certificates.example/1234.pem';
let context: PassportFaultContext;

beforeAll(async () => {
  const pki = await createTestPki();
  context = createPassportFaultContext({ signer: pki.issueServiceProvider({ spc: '1234' }), x5u: X5U });
});

const decode = (segment = ''): unknown => JSON.parse(Buffer.from(segment, 'base64url').toString()) as unknown;
const header = (name: PassportFaultName): string => PASSPORT_FAULTS[name].build(context).identityHeader;
const token = (identityHeader: string): string => identityHeader.split(';', 1)[0] ?? '';
const claims = (identityHeader: string): Record<string, unknown> =>
  decode(token(identityHeader).split('.')[1]) as Record<string, unknown>;
const signatureOf = (identityHeader: string): Buffer =>
  Buffer.from(token(identityHeader).split('.')[2] ?? '', 'base64url');

function verifies(identityHeader: string, publicKeyPem: string = context.signer.publicKeyPem): boolean {
  const [head = '', payload = '', signature = ''] = token(identityHeader).split('.');
  const key = { key: publicKeyPem, dsaEncoding: 'ieee-p1363' as const };
  return verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'));
}

test('a shaken PASSporT has the keys in lexicographic order and no whitespace', () => {
  const passport = createPassport({ signer: context.signer, x5u: X5U });
  expect(passport.headerText).toBe(`{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"${X5U}"}`);
  expect(passport.payloadText).toBe(
    `{"attest":"A","dest":{"tn":["12025550199"]},"iat":${TEST_NOW_MS / 1000},"orig":{"tn":"12025550101"},"origid":"123e4567-e89b-12d3-a456-426655440000"}`,
  );
  expect(passport.identityHeader).toBe(`${passport.token};info=<${X5U}>;alg=ES256;ppt=shaken`);
});

test('the header and payload segments of RFC 8225 Appendix A come out letter for letter', () => {
  const passport = createPassport({
    signer: context.signer,
    x5u: 'https://cert.example.org/passport.cer',
    ppt: 'absent',
    claims: { dest: { uri: ['sip:alice@example.com'] }, iat: 1471375418, orig: { tn: '12155551212' } },
  });
  expect(passport.signingInput).toBe(
    'eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3J0LmNlciJ9' +
      '.eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6MTQ3MTM3NTQxOCwib3JpZyI6eyJ0biI6IjEyMTU1NTUxMjEyIn19',
  );
});

test('jose verifies what node:crypto signed', async () => {
  const passport = createPassport({ signer: context.signer, x5u: X5U });
  const { payload } = await compactVerify(passport.token, await importSPKI(context.signer.publicKeyPem, 'ES256'));
  expect(new TextDecoder().decode(payload)).toBe(passport.payloadText);
  expect(passport.signature).toHaveLength(64);
});

test('a claim or header parameter set to undefined is left out', () => {
  const passport = createPassport({
    signer: context.signer,
    x5u: X5U,
    claims: { attest: undefined },
    header: { ppt: undefined },
  });
  expect(claims(passport.identityHeader)).not.toHaveProperty('attest');
  expect(passport.headerText).not.toContain('ppt');
});

test.each([1, 2, 3, 4, 5])(
  'in a chain of %i diversions each div names the dest below it and the last the target',
  (count) => {
    const call = divertedCall(context, count);
    const [shaken, ...divs] = call.identityHeaders;
    expect(divs).toHaveLength(count);
    let below = claims(shaken ?? '');
    for (const div of divs) {
      const current = claims(div);
      expect(Object.keys(current)).toEqual(['dest', 'div', 'iat', 'orig']);
      expect([(current['div'] as { readonly tn: string }).tn]).toEqual((below['dest'] as { readonly tn: string[] }).tn);
      expect(current['orig']).toEqual(below['orig']);
      below = current;
    }
    expect(below['dest']).toEqual({ tn: [call.targetTn] });
    expect(call.toTn).toBe(context.destTn);
    expect(call.targetTn).toBe(divertedTn(context, count));
  },
);

test.each(GOOD_PASSPORT_NAMES.filter((name) => name !== 'baseline-compact' && name !== 'junk-beside-shaken'))(
  'every PASSporT of the good call "%s" verifies',
  (name) => {
    for (const value of GOOD_PASSPORTS[name].build(context).identityHeaders) expect(verifies(value)).toBe(true);
  },
);

test('the compact form verifies over header and payload rebuilt from the request', () => {
  const [value = ''] = GOOD_PASSPORTS['baseline-compact'].build(context).identityHeaders;
  const segments = [
    `{"alg":"ES256","typ":"passport","x5u":"${X5U}"}`,
    `{"dest":{"tn":["${context.destTn}"]},"iat":${context.nowSeconds},"orig":{"tn":"${context.origTn}"}}`,
  ].map((text) => Buffer.from(text).toString('base64url'));
  expect(value).toMatch(/^\.\.[\w-]{86};info=/);
  expect(verifies(`${segments.join('.')}.${value.slice(2)}`)).toBe(true);
});

/** Faults in which the signature itself is wrong, or there is nothing that could be verified. */
const UNVERIFIABLE: ReadonlySet<PassportFaultName> = new Set([
  'alg-none-empty-signature',
  'alg-hs256-with-public-key',
  'alg-hs256-with-certificate',
  'signature-by-other-key',
  'signature-corrupted',
  'signature-of-other-payload',
  'signature-empty',
  'signature-zero',
  'signature-s-is-order',
  'signature-one-octet-short',
  'signature-one-octet-long',
  'signature-der',
  'signature-by-sha384',
  'jwk-embedded',
  'jku-injected',
  'kid-injected',
  'x5c-embedded',
  'b64-false',
  'b64-false-without-crit',
  'segment-missing',
  'token-empty',
  'standard-base64-alphabet',
  'non-ascii-in-token',
  'nul-in-token',
  'no-semicolon',
  'empty-value',
  'compact-form',
]);

test.each(PASSPORT_FAULT_NAMES.filter((name) => !UNVERIFIABLE.has(name)))(
  'the fault "%s" is properly signed, so that nothing but the fault can refuse it',
  (name) => {
    expect(verifies(header(name))).toBe(true);
  },
);

test.each([...UNVERIFIABLE].filter((name) => name !== 'no-semicolon'))(
  'the signature of the fault "%s" does not verify',
  (name) => {
    const [head, payload, signature, ...more] = token(header(name)).split('.');
    const isStrict =
      [head, payload, signature].every((segment) => /^[\w-]*$/.test(segment ?? ' ')) && more.length === 0;
    expect(isStrict && verifies(header(name))).toBe(false);
  },
);

test.each(PASSPORT_FAULT_NAMES)('the fault "%s" says what it is and whether it is to be refused', (name) => {
  const fault = PASSPORT_FAULTS[name];
  const { expectedReasonHint } = fault.build(context);
  expect(fault.description).not.toBe('');
  expect(fault.refusedBy.filter((profile) => fault.acceptedBy.includes(profile))).toEqual([]);
  expect(expectedReasonHint ?? 'none').toMatch(/^[a-z0-9-]+$/);
  expect(expectedReasonHint === undefined && fault.refusedBy.length > 0).toBe(false);
});

test('every fault changes something beside the signature, but for those of the signature segment', () => {
  const signatureFree = PASSPORT_FAULT_NAMES.map((name) => header(name).replace(/\.[\w-]{86}(?=;)/, ''));
  const plain = createPassport({ signer: context.signer, x5u: X5U }).identityHeader.replace(/\.[\w-]{86}(?=;)/, '');
  const changed = PASSPORT_FAULT_NAMES.filter((_, index) => signatureFree[index] !== plain);
  const bySignatureAlone = PASSPORT_FAULT_NAMES.filter((name) => !changed.includes(name));
  expect(bySignatureAlone.toSorted()).toEqual([
    'segment-missing',
    'signature-by-other-key',
    'signature-by-sha384',
    'signature-corrupted',
    'signature-of-other-payload',
    'signature-s-is-order',
    'signature-twin',
    'signature-zero',
    'trailing-bits-in-signature',
  ]);
});

test('the twin of a signature verifies, differs, and is its own inverse', () => {
  const passport = createPassport({ signer: context.signer, x5u: X5U });
  const twin = twinSignature(passport.signature);
  expect(Buffer.from(twin).equals(passport.signature)).toBe(false);
  expect(verifies(`${passport.signingInput}.${Buffer.from(twin).toString('base64url')}`)).toBe(true);
  expect(Buffer.from(twinSignature(twin)).equals(passport.signature)).toBe(true);
});

test('the HS256 confusion is a right HMAC of the public key', () => {
  const value = header('alg-hs256-with-public-key');
  const input = token(value).split('.').slice(0, 2).join('.');
  const expected = createHmac('sha256', context.signer.publicKeyPem).update(input).digest();
  expect(signatureOf(value).equals(expected)).toBe(true);
});

test('embedded keys are those that signed', () => {
  for (const name of ['jwk-embedded', 'jku-injected', 'kid-injected', 'x5c-embedded'] as const) {
    expect(verifies(header(name), context.attacker.publicKeyPem)).toBe(true);
  }
});

test('the DER signature begins with a SEQUENCE', () => {
  expect(signatureOf(header('signature-der'))[0]).toBe(0x30);
});

test('segments with padding and trailing bits decode to the same octets as the strict spelling', () => {
  const payload = token(header('trailing-bits-in-payload')).split('.')[1] ?? '';
  expect(Buffer.from(payload, 'base64url').toString('base64url')).not.toBe(payload);
  expect(header('padding-on-signature')).toContain('==;');
  expect(header('standard-base64-alphabet')).toMatch(/\.\+\//);
});

test('values that only JSON text can hold are in the text', () => {
  const text = (name: PassportFaultName): string =>
    Buffer.from(token(header(name)).split('.')[1] ?? '', 'base64url').toString('latin1');
  expect(text('iat-infinite')).toContain('"iat":1e999');
  expect(text('duplicate-claim')).toMatch(/^\{"attest":"C","attest":"A"/);
  expect(text('duplicate-claim-escaped')).toContain(String.raw`"\u0061ttest":"C","attest":"A"`);
  expect(text('proto-key-in-claims')).toContain('"__proto__"');
  expect(text('json-invalid-utf8')).toContain('\xff');
  expect(text('iat-2-to-the-53')).toContain('"iat":9007199254740992');
  expect(text('json-deep')).toContain('['.repeat(1500));
  expect(text('json-deep-10000')).toContain('['.repeat(10_000));
});

test('the deep JSON that is meant to be read fits into 8 KiB, the other does not', () => {
  expect(header('json-deep').length).toBeLessThan(8192);
  expect(header('json-deep-10000').length).toBeGreaterThan(8192);
  expect(header('value-too-long').length).toBeGreaterThan(8192);
});

test('header forms are written as named', () => {
  expect(header('folded')).toMatch(/\r\n info=</);
  expect(header('parameters-quoted')).toMatch(/;alg="ES256";ppt="shaken"$/);
  expect(header('no-semicolon')).not.toContain(';');
  expect(header('compact-form')).toMatch(/^\.\.[\w-]{86};/);
  expect(header('info-missing')).not.toContain('info');
});
