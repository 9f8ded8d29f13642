import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isHopbackError } from '@hopback/sdk/errors';
import { createTestKey } from '@hopback/sdk/testing';
import { compactVerify } from 'jose';
import { expect, test } from 'vitest';
import { createLocalSigner } from '../../sdk/src/stir/signing/index.js';
import type { LocalSignerOptions } from '../../sdk/src/stir/signing/index.js';

const key = createTestKey();
const pemOf = (privateKey: KeyObject, type: 'pkcs8' | 'sec1', passphrase?: string): string =>
  (passphrase === undefined
    ? privateKey.export({ type, format: 'pem' })
    : privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
  ).toString();
const SEC1 = pemOf(key.privateKey, 'sec1');

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return isHopbackError(error) ? error.code : 'not ours';
  }
  return 'no error';
}

async function signsForJose(options: LocalSignerOptions): Promise<boolean> {
  const signer = await createLocalSigner(options);
  const input = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}`;
  const signature = Buffer.from(signer.sign(input)).toString('base64url');
  const verified = await compactVerify(`${input}.${signature}`, key.publicKey, { algorithms: ['ES256'] });
  return verified.payload.length === 2 && signer.publicKey.equals(key.publicKey);
}

test.each<[string, LocalSignerOptions]>([
  ['a PKCS#8 PEM', { privateKeyPem: key.privateKeyPem }],
  [
    'a PKCS#8 PEM with space around it and CRLF line ends',
    { privateKeyPem: `\r\n ${key.privateKeyPem.replaceAll('\n', '\r\n')} ` },
  ],
  ['a SEC 1 PEM', { privateKeyPem: SEC1 }],
  [
    'a SEC 1 PEM behind its EC PARAMETERS, as openssl ecparam writes it',
    { privateKeyPem: `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${SEC1}` },
  ],
  [
    'an encrypted PKCS#8 PEM',
    { privateKeyPem: pemOf(key.privateKey, 'pkcs8', 'open sesame'), passphrase: 'open sesame' },
  ],
  ['a JWK', { privateKeyJwk: key.privateKeyJwk }],
])('signs with %s so that jose verifies it', async (_what, options) => {
  await expect(signsForJose(options)).resolves.toBe(true);
});

test('signs octets and the text that they spell alike', async () => {
  const signer = await createLocalSigner({ privateKeyPem: key.privateKeyPem });
  const signatures = [signer.sign('a.b'), signer.sign(new TextEncoder().encode('a.b'))];
  expect(signatures.map((signature) => signature.length)).toEqual([64, 64]);
});

const other = createTestKey();

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
  ['a JWK whose d belongs to another key', { privateKeyJwk: { ...key.privateKeyJwk, d: other.privateKeyJwk.d } }],
  ['an encrypted PEM without its passphrase', { privateKeyPem: pemOf(key.privateKey, 'pkcs8', 'open sesame') }],
  [
    'an encrypted PEM with a wrong passphrase',
    { privateKeyPem: pemOf(key.privateKey, 'pkcs8', 'open sesame'), passphrase: 'x' },
  ],
])('refuses %s as key-unusable', async (_what, options) => {
  expect(await codeOf(createLocalSigner(options))).toBe('key-unusable');
});

test('keeps key material out of the error', async () => {
  const secret = pemOf(createPrivateKey(createTestKey('P-384').privateKeyPem), 'pkcs8');
  const error: unknown = await createLocalSigner({ privateKeyPem: secret }).catch((caught: unknown) => caught);
  expect(JSON.stringify([String(error), (error as Error).cause])).not.toContain(secret.split('\n')[1]);
});
