import { createHmac, verify } from 'node:crypto';
import { createRequire } from 'node:module';
import {
  createPassport,
  createPassportFaultContext,
  TestPki,
  PASSPORT_FAULTS,
  sampleInvite,
  type PassportFaultName,
} from '@hopback/sdk/testing';
import { PASSPORT_FAULT_NAMES } from '../../sdk/src/testing/passport-faults/passport-faults.js';
import { twinSignature } from '../../sdk/src/testing/passport-faults/encoding-faults.js';
import { expect, test } from 'vitest';

const X5U = 'https://certificates.example/1234.pem';
const pki = new TestPki();
const context = createPassportFaultContext({ signer: pki.issueServiceProvider({ spc: '1234' }), x5u: X5U });

const header = (name: PassportFaultName): string => PASSPORT_FAULTS[name].build(context).identityHeader;
const token = (identityHeader: string): string => identityHeader.split(';', 1)[0] ?? '';
const signatureOf = (identityHeader: string): Buffer =>
  Buffer.from(token(identityHeader).split('.')[2] ?? '', 'base64url');

function verifies(identityHeader: string, publicKeyPem: string = context.signer.publicKeyPem): boolean {
  const [head = '', payload = '', signature = ''] = token(identityHeader).split('.');
  const key = { key: publicKeyPem, dsaEncoding: 'ieee-p1363' as const };
  return verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'));
}

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

/** Faults in which the signature itself is wrong, or nothing is left that could be verified. */
const UNVERIFIABLE = new Set(
  `alg-none-empty-signature alg-hs256-with-public-key alg-hs256-with-certificate signature-by-other-key
  signature-corrupted signature-of-other-payload signature-empty signature-zero signature-s-is-order
  signature-one-octet-short signature-one-octet-long signature-der signature-by-sha384 jwk-embedded jku-injected
  kid-injected x5c-embedded b64-false b64-false-without-crit segment-missing token-empty standard-base64-alphabet
  non-ascii-in-token nul-in-token no-semicolon empty-value compact-form`.split(/\s+/),
);

test.each(PASSPORT_FAULT_NAMES.filter((name) => !UNVERIFIABLE.has(name)))(
  'the fault "%s" is properly signed, so that nothing but the fault can refuse it',
  (name) => {
    expect(verifies(header(name))).toBe(true);
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

test('header forms are written as named', () => {
  expect(header('folded')).toMatch(/\r\n info=</);
  expect(header('parameters-quoted')).toMatch(/;alg="ES256";ppt="shaken"$/);
  expect(header('no-semicolon')).not.toContain(';');
  expect(header('compact-form')).toMatch(/^\.\.[\w-]{86};/);
  expect(header('info-missing')).not.toContain('info');
});

interface ParsedMessage {
  readonly method: string;
  readonly uri: string;
  readonly body: string;
  readonly get: (name: string) => string;
}
const SipMessage = (
  createRequire(import.meta.url)('drachtio-srf') as { readonly SipMessage: new (text: string) => ParsedMessage }
).SipMessage;

test('an INVITE is what drachtio reads back: request line, numbers, identity and body', () => {
  const text = sampleInvite({ identityHeaders: ['a.b.c;info=<https://x.example/c.pem>;alg=ES256;ppt=shaken'] });
  const message = new SipMessage(text);
  expect(message.method).toBe('INVITE');
  expect(message.uri).toBe('sip:+12025550199@terminating.example;user=phone');
  expect(message.get('From')).toContain('sip:+12025550101@originating.example');
  expect(message.get('Identity')).toBe('a.b.c;info=<https://x.example/c.pem>;alg=ES256;ppt=shaken');
  expect(Number(message.get('Content-Length'))).toBe(Buffer.byteLength(message.body));
  expect(message.get('Date')).toBe('Mon, 02 Nov 2026 12:00:00 GMT');
});

test('every line ends with CRLF and an empty one precedes the body', () => {
  const text = sampleInvite({ identityHeaders: ['one', 'two;\r\n info=<x>'], headers: ['Privacy: id'], body: '' });
  expect(text.endsWith('Privacy: id\r\nContent-Length: 0\r\n\r\n')).toBe(true);
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(text.match(/^Identity: /gm)).toHaveLength(2);
});

test('caller, callee, asserted identity and date can be set', () => {
  const text = sampleInvite({
    from: '"Anonymous" <sip:anonymous@anonymous.invalid>',
    assertedIdentities: ['<tel:+12025550101>'],
    to: '<tel:+12025550199>',
    requestUri: 'tel:+13035550101',
    dateMs: 'absent',
    identityHeaderName: 'y',
    identityHeaders: ['t'],
  });
  expect(text.startsWith('INVITE tel:+13035550101 SIP/2.0\r\n')).toBe(true);
  expect(text).toContain('From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1928301774\r\n');
  expect(text).toContain('P-Asserted-Identity: <tel:+12025550101>\r\n');
  expect(text).toContain('\r\ny: t\r\n');
  expect(text).not.toContain('Date:');
});
