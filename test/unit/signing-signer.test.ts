import { createHash, sign } from 'node:crypto';
import { ManualClock, createTestKey } from '@hopback/sdk/testing';
import { compactVerify } from 'jose';
import { expect, test } from 'vitest';
import { createExternalSigner, createLocalSigner } from '../../sdk/src/stir/signing/signer.js';
import type { ExternalSignerOptions, LocalSignerOptions } from '../../sdk/src/stir/signing/signer.js';
import { derToRawSignature, rawToDerSignature } from '../../sdk/src/core/base64url.js';
import { codeOf, hopbackErrorOf } from '../support/code-of.js';

const key = createTestKey();
const INPUT = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.e30`;

const der = (message: Uint8Array): Uint8Array => sign('sha256', message, key.privateKey);
const raw = (message: Uint8Array): Uint8Array =>
  sign('sha256', message, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });

const options = (changes: Partial<ExternalSignerOptions> = {}): ExternalSignerOptions => ({
  sign: async (message) => der(message),
  publicKey: key.publicKey,
  format: 'der',
  inputKind: 'message',
  ...changes,
});

const toBeRetried = (reason: string) => ({ code: 'signer-failed', retryable: true, details: { reason } });

/** A signer whose first signature, the self-test, is right and whose later ones are whatever a test wants. */
async function signerThenBroken(
  later: ExternalSignerOptions['sign'],
  changes: Partial<ExternalSignerOptions> = {},
): Promise<{ sign: () => Promise<Uint8Array> }> {
  let isFirst = true;
  const signer = await createExternalSigner(
    options({
      sign: (message, signal) => {
        if (!isFirst) return later(message, signal);
        isFirst = false;
        return changes.format === 'raw' ? raw(message) : der(message);
      },
      ...changes,
    }),
  );
  return { sign: () => signer.sign(INPUT) };
}

test.each<[string, Partial<ExternalSignerOptions>]>([
  ['DER over the message', {}],
  ['a service that takes octets and no text', { sign: (message) => der(message.subarray()) }],
  ['raw signatures over the message', { sign: (message) => raw(message), format: 'raw' }],
  ['a public key in PEM', { publicKey: key.publicKeyPem }],
  ['a public key as JWK', { publicKey: key.publicKeyJwk }],
])('makes signatures that jose verifies out of %s', async (_what, changes) => {
  const signer = await createExternalSigner(options(changes));
  const token = `${INPUT}.${Buffer.from(await signer.sign(INPUT)).toString('base64url')}`;
  const { payload } = await compactVerify(token, key.publicKey, { algorithms: ['ES256'] });
  expect(Buffer.from(payload).toString('base64url')).toBe(INPUT.split('.')[1]);
});

test('hands a service that signs digests the SHA-256 of the message', async () => {
  const digests: Uint8Array[] = [];
  const messages = new Map([INPUT, 'hopback signer self-test'].map((text) => [sha256(text), text]));
  const digestSigner = await createExternalSigner(
    options({
      inputKind: 'sha256-digest',
      sign: (digest) => {
        digests.push(digest);
        return der(Buffer.from(messages.get(Buffer.from(digest).toString('hex')) ?? ''));
      },
    }),
  );
  await digestSigner.sign(INPUT);
  expect(digests.map((digest) => digest.length)).toEqual([32, 32]);
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test.each<[string, Partial<ExternalSignerOptions>]>([
  ['another key signs', { sign: (message) => sign('sha256', message, createTestKey().privateKey) }],
  ['the digest is signed once more as a message', { inputKind: 'sha256-digest' }],
  ['the public key is P-384', { publicKey: createTestKey('P-384').publicKey }],
  ['the public key is a private one', { publicKey: key.privateKey }],
  ['the public key is no key', { publicKey: 'nonsense' }],
  ['the public JWK is no key', { publicKey: { kty: 'EC' } }],
])('refuses to start as key-unusable when %s', async (_what, changes) => {
  expect(await hopbackErrorOf(createExternalSigner(options(changes)))).toMatchObject({
    code: 'key-unusable',
    retryable: false,
  });
});

const throwing = (): never => {
  throw new Error('not loaded');
};

test.each<[string, ExternalSignerOptions['sign']]>([
  ['rejects', () => Promise.reject(new Error('no session'))],
  ['throws', throwing],
])('reports a service that %s as signer-failed, to be tried again', async (_what, failing) => {
  expect(await hopbackErrorOf(createExternalSigner(options({ sign: failing })))).toMatchObject(toBeRetried('threw'));
  expect(await hopbackErrorOf((await signerThenBroken(failing)).sign())).toMatchObject(toBeRetried('threw'));
});

test.each<[string, unknown, Partial<ExternalSignerOptions>]>([
  ['nothing', undefined, {}],
  ['a text', 'signature', {}],
  ['no octets', new Uint8Array(), {}],
  ['octets that are not DER', new Uint8Array(70).fill(0x41), {}],
  ['a raw signature where DER was promised', raw(Buffer.from(INPUT)), {}],
  ['DER where a raw signature was promised', der(Buffer.from(INPUT)), { format: 'raw' }],
  ['a megabyte', new Uint8Array(1_000_000), {}],
])('takes %s for no signature', async (_what, answer, changes) => {
  const signer = await signerThenBroken(() => answer as Uint8Array, changes);
  expect(await hopbackErrorOf(signer.sign())).toMatchObject(toBeRetried('malformed-signature'));
});

test('does not hand out a signature of another key unless told not to look', async () => {
  const stranger = createTestKey();
  const wrong = (message: Uint8Array): Uint8Array => sign('sha256', message, stranger.privateKey);
  const careful = await signerThenBroken(wrong);
  expect(await hopbackErrorOf(careful.sign())).toMatchObject(toBeRetried('signature-invalid'));
  const careless = await signerThenBroken(wrong, { verifyEach: false });
  expect((await careless.sign()).length).toBe(64);
});

test('gives a service that hangs up after its time, and tells it so', async () => {
  const clock = new ManualClock();
  let aborted = false;
  const hanging: ExternalSignerOptions['sign'] = (_message, signal) => {
    signal.addEventListener('abort', () => (aborted = true));
    return new Promise(() => undefined);
  };
  const signer = await signerThenBroken(hanging, { timeoutMs: 200, schedule: clock.schedule });
  const failure = hopbackErrorOf(signer.sign());
  clock.advance(199);
  expect(aborted).toBe(false);
  clock.advance(1);
  expect(await failure).toMatchObject(toBeRetried('timeout'));
  expect(aborted).toBe(true);
  expect(clock.pendingTimers()).toBe(0);
});

test('does not start with a service that hangs', async () => {
  const clock = new ManualClock();
  const starting = hopbackErrorOf(
    createExternalSigner(options({ sign: () => new Promise(() => undefined), schedule: clock.schedule })),
  );
  clock.advance(500);
  expect(await starting).toMatchObject(toBeRetried('timeout'));
});

test('lets no more than its bound wait for a service, and recovers when they are answered', async () => {
  const waiting: ((signature: Uint8Array) => void)[] = [];
  const slow: ExternalSignerOptions['sign'] = () => new Promise((resolve) => waiting.push(resolve));
  const clock = new ManualClock();
  const signer = await signerThenBroken(slow, { maxInFlight: 2, schedule: clock.schedule });
  const first = [signer.sign(), signer.sign()];
  expect(await hopbackErrorOf(signer.sign())).toMatchObject(toBeRetried('overloaded'));
  for (const answer of waiting.splice(0)) answer(der(Buffer.from(INPUT)));
  await Promise.all(first);
  const again = signer.sign();
  for (const answer of waiting.splice(0)) answer(der(Buffer.from(INPUT)));
  expect((await again).length).toBe(64);
  expect(clock.pendingTimers()).toBe(0);
});

test.each([
  { timeoutMs: 0 },
  { timeoutMs: Number.NaN },
  { timeoutMs: 60_001 },
  // A timer of so long fires at once.
  { timeoutMs: 3_000_000_000 },
  { timeoutMs: Infinity },
  { maxInFlight: -1 },
  { maxInFlight: 1.5 },
  { maxInFlight: Infinity },
])('refuses a bound that is none: %o', async (changes) => {
  expect(await hopbackErrorOf(createExternalSigner(options(changes)))).toMatchObject({ code: 'invalid-argument' });
});

const SEC1 = key.privateKey.export({ type: 'sec1', format: 'pem' }).toString();
const PARAMETERS = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
const passphrase = 'open sesame';
const ENCRYPTED = key.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();

async function signsForJose(local: LocalSignerOptions): Promise<boolean> {
  const signer = await createLocalSigner(local);
  const signature = Buffer.from(signer.sign(INPUT)).toString('base64url');
  const verified = await compactVerify(`${INPUT}.${signature}`, key.publicKey, { algorithms: ['ES256'] });
  return verified.payload.length === 2 && signer.publicKey.equals(key.publicKey);
}

test.each<[string, LocalSignerOptions]>([
  ['a PKCS#8 PEM', { privateKeyPem: key.privateKeyPem }],
  ['a PKCS#8 PEM with space and CRLF', { privateKeyPem: `\r\n ${key.privateKeyPem.replaceAll('\n', '\r\n')} ` }],
  ['a SEC 1 PEM', { privateKeyPem: SEC1 }],
  ['a SEC 1 PEM behind its EC PARAMETERS, as openssl ecparam writes it', { privateKeyPem: PARAMETERS + SEC1 }],
  ['an encrypted PKCS#8 PEM', { privateKeyPem: ENCRYPTED, passphrase }],
  ['a JWK', { privateKeyJwk: key.privateKeyJwk }],
])('signs with %s so that jose verifies it', async (_what, given) => {
  await expect(signsForJose(given)).resolves.toBe(true);
});

test('signs octets and the text that they spell alike', async () => {
  const signer = await createLocalSigner({ privateKeyPem: key.privateKeyPem });
  const signatures = [signer.sign('a.b'), signer.sign(new TextEncoder().encode('a.b'))];
  expect(signatures.map((signature) => signature.length)).toEqual([64, 64]);
});

test.each<[string, LocalSignerOptions]>([
  ['no key at all', { privateKeyPem: 'not a key' }],
  ['an empty text', { privateKeyPem: '' }],
  ['a public key', { privateKeyPem: key.publicKeyPem }],
  ['the JWK of a public key', { privateKeyJwk: key.publicKeyJwk }],
  ['a P-384 key', { privateKeyPem: createTestKey('P-384').privateKeyPem }],
  ['a secp256k1 key', { privateKeyPem: createTestKey('secp256k1').privateKeyPem }],
  ['an RSA key', { privateKeyPem: createTestKey('RSA-2048').privateKeyPem }],
  ['an Ed25519 key', { privateKeyPem: createTestKey('Ed25519').privateKeyPem }],
  ['an Ed25519 JWK', { privateKeyJwk: createTestKey('Ed25519').privateKeyJwk }],
  ['a symmetric JWK', { privateKeyJwk: { kty: 'oct', k: 'AAAA' } }],
  ['an empty JWK', { privateKeyJwk: {} }],
  [
    'a JWK whose d belongs to another key',
    { privateKeyJwk: { ...key.privateKeyJwk, d: createTestKey().privateKeyJwk.d } },
  ],
  ['an encrypted PEM without its passphrase', { privateKeyPem: ENCRYPTED }],
  ['an encrypted PEM with a wrong passphrase', { privateKeyPem: ENCRYPTED, passphrase: 'x' }],
])('refuses %s as key-unusable', async (_what, given) => {
  expect(await codeOf(createLocalSigner(given))).toBe('key-unusable');
});

test('keeps key material out of the error', async () => {
  const secret = createTestKey('P-384').privateKeyPem;
  const error: unknown = await createLocalSigner({ privateKeyPem: secret }).catch((caught: unknown) => caught);
  expect(JSON.stringify([String(error), (error as Error).cause])).not.toContain(secret.split('\n')[1]);
});

const ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const scalar = (text: string): string => text.padStart(64, '0');
const reasonOfDer = (text: string): string => {
  const result = derToRawSignature(hex(text));
  return result.status === 'converted' ? result.status : result.reason;
};

test('takes the largest scalars there are and refuses the order itself', () => {
  const largest = `${ORDER.slice(0, -2)}50`;
  expect(derToRawSignature(hex(`30460221 00${largest} 0221 00${largest}`)).status).toBe('converted');
  expect(reasonOfDer(`3026 0221 00${ORDER} 020101`)).toBe('out-of-range');
  expect(rawToDerSignature(hex(scalar('1') + ORDER))).toEqual({ status: 'malformed', reason: 'out-of-range' });
});

test.each([
  ['no octets at all', '', 'not-a-sequence'],
  ['a tag alone', '30', 'length'],
  ['the indefinite length', '30 80 020101 020101 0000', 'length'],
  ['an octet behind the sequence', '30 06 020101 020101 00', 'trailing-octets'],
  ['an octet string in place of s', '30 06 020101 040101', 'not-an-integer'],
  ['an integer that runs past the end', '30 06 020101 020201', 'length'],
  ['a negative r', '30 06 020180 020101', 'integer-negative'],
  ['r of zero', '30 06 020100 020101', 'out-of-range'],
  ['more octets than any P-256 signature has', `30${'00'.repeat(72)}`, 'length'],
])('refuses %s', (_what, text, reason) => {
  expect(reasonOfDer(text)).toBe(reason);
});

test.each([
  ['63 octets', '01'.repeat(63), 'length'],
  ['65 octets', '01'.repeat(65), 'length'],
  ['an r of zero', scalar('0') + scalar('1'), 'out-of-range'],
])('refuses %s as a raw signature', (_what, text, reason) => {
  expect(rawToDerSignature(hex(text))).toEqual({ status: 'malformed', reason });
});
