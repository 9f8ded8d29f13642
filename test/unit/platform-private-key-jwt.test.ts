import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { jwtVerify, type CryptoKey } from 'jose';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import { privateKeyJwt, type PrivateKeyJwtOptions } from '../../sdk/src/platform/client/private-key-jwt.js';
import type { PlatformFetch } from '../../sdk/src/platform/http/platform-fetch.js';
import { WIRE_SCHEMAS } from '../../sdk/src/contract/bodies.js';
import { createLocalSigner } from '../../sdk/src/stir/signing/signer.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createTestKey } from '../../sdk/src/testing/test-key.js';
import { failureOf } from '../support/code-of.js';

const TOKEN_URL = 'https://itg.example/oauth/token';
const { privateKeyPem, publicKeyPem, privateKeyJwk } = createTestKey();
const REQUEST = { method: 'GET', url: 'https://itg.example/v1/alerts' };
const never = new AbortController().signal;

/** A token endpoint that gives `token-1`, `token-2` and so on, or what is scripted. */
function lab(options: Partial<PrivateKeyJwtOptions> = {}, answer?: (count: number) => Response | Promise<Response>) {
  const clock = new ManualClock();
  const forms: URLSearchParams[] = [];
  const fetch: PlatformFetch = async (url, { method, headers, body, redirect }) => {
    expect({ url, method, redirect, type: headers['content-type'] }).toEqual({
      ...{ url: TOKEN_URL, method: 'POST', redirect: 'manual', type: 'application/x-www-form-urlencoded' },
    });
    const form = new URLSearchParams(Buffer.from(body!).toString());
    expect(WIRE_SCHEMAS.TokenRequest.safeParse(Object.fromEntries(form)).success).toBe(true);
    forms.push(form);
    return answer?.(forms.length) ?? token(forms.length);
  };
  const authorization = privateKeyJwt({
    ...{ tokenUrl: TOKEN_URL, clientId: 'carrier-b', key: privateKeyPem, keyId: 'k1', clock, fetch },
    ...options,
  });
  const bearer = async (signal = never): Promise<string | undefined> =>
    (await (await authorization).fields(REQUEST, signal))['authorization'];
  return { authorization, clock, forms, bearer };
}

const token = (count: number, seconds = 3_600): Response =>
  Response.json({ access_token: `token-${count}`, token_type: 'Bearer', expires_in: seconds });

test('gets a token for an assertion that says who asks, for whom, and for how long', async () => {
  const { bearer, forms, clock } = lab({ scope: 'carrier' });
  expect(await bearer()).toBe('Bearer token-1');
  const form = Object.fromEntries(forms[0]!);
  expect(form).toMatchObject({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    scope: 'carrier',
  });
  const { payload, protectedHeader } = await jwtVerify(form['client_assertion']!, createPublicKey(publicKeyPem), {
    currentDate: new Date(clock.nowMs()),
    audience: TOKEN_URL,
    issuer: 'carrier-b',
    subject: 'carrier-b',
  });
  expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'k1', typ: 'JWT' });
  expect(payload.exp! - payload.iat!).toBe(60);
  expect(payload.iat).toBe(clock.nowMs() / 1_000);
  expect(payload.jti).toMatch(/^[0-9a-f-]{36}$/);
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ed25519 = generateKeyPairSync('ed25519');
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const webKey = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);

type Key = PrivateKeyJwtOptions['key'];
type Algorithm = NonNullable<PrivateKeyJwtOptions['algorithm']>;

test.each<readonly [string, Key, KeyObject | CryptoKey, Algorithm]>([
  ['PEM as PKCS#8', privateKeyPem, createPublicKey(publicKeyPem), 'ES256'],
  ['PEM as SEC 1', p384.privateKey.export({ format: 'pem', type: 'sec1' }).toString(), p384.publicKey, 'ES384'],
  ['a JWK', privateKeyJwk, createPublicKey(publicKeyPem), 'ES256'],
  ['a key of Node', rsa.privateKey, rsa.publicKey, 'PS256'],
  ['a key of Web Crypto that does not leave', webKey.privateKey, webKey.publicKey, 'ES256'],
  ['Ed25519', ed25519.privateKey, ed25519.publicKey, 'EdDSA'],
  ['the signer of the stir folder', await createLocalSigner({ privateKeyPem }), createPublicKey(publicKeyPem), 'ES256'],
  [
    'a signer that is elsewhere',
    { algorithm: 'EdDSA', sign: async (input) => sign(null, Buffer.from(input), ed25519.privateKey) },
    ed25519.publicKey,
    'EdDSA',
  ],
])('signs with %s', async (_name, key, publicKey, algorithm) => {
  const { bearer, forms, clock } = lab({ key, algorithm });
  await bearer();
  const assertion = forms[0]!.get('client_assertion')!;
  const { protectedHeader } = await jwtVerify(assertion, publicKey, { currentDate: new Date(clock.nowMs()) });
  expect(protectedHeader.alg).toBe(algorithm);
});

test.each<readonly [string, Partial<PrivateKeyJwtOptions>, string]>([
  ['a key that is none', { key: 'PRIVATE KEY' }, 'key-unusable'],
  ['a public key', { key: publicKeyPem }, 'key-unusable'],
  ['a key of another algorithm', { algorithm: 'PS256' }, 'key-unusable'],
  ['a signer of another algorithm', { key: { algorithm: 'ES384', sign: () => new Uint8Array() } }, 'key-unusable'],
  ['an address in the clear', { tokenUrl: 'http://itg.example/token' }, 'invalid-configuration'],
])('finds out about %s when it is made', async (_name, options, code) => {
  expect(await failureOf(lab(options).authorization)).toMatchObject({ code, retryable: false });
});

test.each([
  [3_600, 3_540],
  [60, 30],
])('uses a token of %i s for %i s, and asks once for all who wait', async (lifetime, usedFor) => {
  const { bearer, clock, forms } = lab({}, (count) => token(count, lifetime));
  expect(await Promise.all([bearer(), bearer(), bearer()])).toEqual(Array(3).fill('Bearer token-1'));
  clock.advance(usedFor * 1_000 - 1);
  expect(await bearer()).toBe('Bearer token-1');
  clock.advance(1);
  expect(await Promise.all([bearer(), bearer()])).toEqual(Array(2).fill('Bearer token-2'));
  expect(new Set(forms.map((form) => form.get('client_assertion'))).size).toBe(2);
});

test('goes on with the old token while no other can be had, until its very end', async () => {
  const { bearer, clock } = lab({}, (count) => (count === 1 ? token(1) : new Response(null, { status: 503 })));
  await bearer();
  clock.advance(3_599_999);
  expect(await bearer()).toBe('Bearer token-1');
  clock.advance(1);
  expect(await failureOf(bearer())).toMatchObject({ code: 'unavailable', retryable: true });
});

test('never uses a token again that was refused, and keeps one that came after it', async () => {
  const { authorization, bearer, forms } = lab();
  const { refused } = await authorization;
  const old = { authorization: (await bearer())! };
  refused!(old);
  expect(await bearer()).toBe('Bearer token-2');
  // Many requests were under way with the old one; each of them says so.
  refused!(old);
  expect(await bearer()).toBe('Bearer token-2');
  refused!();
  expect(await bearer()).toBe('Bearer token-3');
  expect(forms).toHaveLength(3);
});

const unreadable = { code: 'response-unreadable', retryable: false };
const unauthorized = { code: 'unauthorized', retryable: false };
const unavailable = { code: 'unavailable', retryable: true };
const grant = (fields: object): Response =>
  Response.json({ access_token: 'x', token_type: 'Bearer', expires_in: 60, ...fields });

test.each<readonly [string, () => Response, object]>([
  ['400 invalid_client', () => Response.json({ error: 'invalid_client' }, { status: 400 }), unauthorized],
  ['404', () => new Response(null, { status: 404 }), unauthorized],
  ['a redirect', () => new Response(null, { status: 302, headers: { location: '/' } }), unauthorized],
  ['429', () => new Response(null, { status: 429 }), unavailable],
  ['502', () => new Response('<p>bad gateway</p>', { status: 502 }), unavailable],
  ['text', () => new Response('token'), unreadable],
  ['no token', () => grant({ access_token: undefined }), unreadable],
  ['a token of another type', () => grant({ token_type: 'mac' }), unreadable],
  ['a token with a line end in it', () => grant({ access_token: 'x\r\nx: y' }), unreadable],
  ['a token that is too long for a header field', () => grant({ access_token: 'x'.repeat(8_000) }), unreadable],
  ['a body beyond the limit', () => new Response(' '.repeat(100_000)), unreadable],
])('an answer of %s is a typed error, and the next call asks again', async (_name, answer, expected) => {
  const { bearer, forms } = lab({}, (count) => (count === 1 ? answer() : token(count)));
  expect(await failureOf(bearer())).toMatchObject(expected);
  expect(await bearer()).toBe('Bearer token-2');
  expect(forms).toHaveLength(2);
});

test('an error repeats the OAuth error and Retry-After, and nothing of the assertion', async () => {
  const { bearer } = lab({}, () =>
    Response.json({ error: 'temporarily_unavailable' }, { status: 503, headers: { 'retry-after': '9' } }),
  );
  const error = await bearer().catch((caught: unknown) => caught);
  if (!isHopbackError(error)) throw error;
  expect(error.details).toEqual({ httpStatus: 503, oauthError: 'temporarily_unavailable', retryAfterMs: 9_000 });
  expect(error.message).toBe('the platform gives no token: 503 temporarily_unavailable');
});

test('a connection that fails and one that takes too long pass', async () => {
  const broken = lab({ fetch: () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNRESET' })) });
  expect(await failureOf(broken.bearer())).toMatchObject({ code: 'network-failed', retryable: true });
  const clock = new ManualClock();
  const silent: PlatformFetch = (_url, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  const slow = lab({ clock, fetch: silent });
  const waiting = failureOf(slow.bearer());
  while (clock.pendingTimers() === 0) await new Promise(setImmediate);
  clock.advance(10_000);
  expect(await waiting).toMatchObject({ code: 'network-failed', retryable: true });
});

test('an aborted caller does not abort the token request that others wait for', async () => {
  let finish: (response: Response) => void = () => {};
  const { bearer, forms } = lab({}, () => new Promise((resolve) => (finish = resolve)));
  const impatient = new AbortController();
  const [first, second] = [failureOf(bearer(impatient.signal)), bearer()];
  while (forms.length === 0) await new Promise(setImmediate);
  impatient.abort();
  expect(await first).toMatchObject({ code: 'aborted', retryable: false });
  finish(token(1));
  expect(await second).toBe('Bearer token-1');
  expect(await failureOf(bearer(AbortSignal.abort()))).toMatchObject({ code: 'aborted', retryable: false });
});
