import { sign, type KeyObject } from 'node:crypto';
import * as fc from 'fast-check';
import { CompactSign, compactVerify, importJWK } from 'jose';
import { expect, test } from 'vitest';
import {
  createJwsSigner,
  isSignedBy,
  readCompactJws,
  verifyingKey,
} from '../../harness/src/platform/tracebacks/compact-jws.js';
import { createTestKey } from '../../sdk/src/testing/test-key.js';
import { forAll, forAllAsync } from '../support/for-all.js';

// Signatures of answers are verified with node:crypto, since they are many; jose says whether that is right.

const KEYS = {
  ES256: createTestKey('P-256'),
  ES384: createTestKey('P-384'),
  EdDSA: createTestKey('Ed25519'),
  ES512: createTestKey('P-521'),
  RS256: createTestKey('RSA-2048'),
};
type Algorithm = keyof typeof KEYS;
const names = Object.keys(KEYS) as Algorithm[];
const ALLOWED = ['ES256', 'ES384', 'EdDSA', 'Ed25519'];

const jwkOf = (key: KeyObject): Readonly<Record<string, unknown>> => ({ ...key.export({ format: 'jwk' }) });

function isBelieved(jws: string, jwk: Readonly<Record<string, unknown>>): boolean {
  const [read, key] = [readCompactJws(jws), verifyingKey(jwk)];
  return read !== undefined && key !== undefined && isSignedBy(read, key);
}

async function isBelievedByJose(jws: string, jwk: Readonly<Record<string, unknown>>, alg: string): Promise<boolean> {
  try {
    const key = await importJWK(jwk, alg);
    await compactVerify(jws, key, { algorithms: ALLOWED });
    return true;
  } catch {
    return false;
  }
}

const signed = async (alg: Algorithm, header: object, payload: string): Promise<string> =>
  new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ alg, kid: 'k', typ: 't', ...header })
    .sign(KEYS[alg].privateKey);

test.each(names)(
  '%s: what jose signs is believed where its algorithm may be used, under its own key alone',
  async (alg) => {
    const jws = await signed(alg, {}, '{"a":1}');
    for (const other of names)
      expect(isBelieved(jws, jwkOf(KEYS[other].publicKey))).toBe(other === alg && ALLOWED.includes(alg));
    if (!ALLOWED.includes(alg)) return;
    const jwk = jwkOf(KEYS[alg].publicKey);
    expect(Buffer.from(readCompactJws(jws)?.payload ?? []).toString()).toBe('{"a":1}');
    expect(isBelieved(jws, { ...jwk, alg, use: 'sig', key_ops: ['verify'] })).toBe(true);
    expect(isBelieved(jws, { ...jwk, alg: 'RS256' })).toBe(false);
    expect(isBelieved(jws, { ...jwk, use: 'enc' })).toBe(false);
    expect(isBelieved(jws, { ...jwk, key_ops: ['sign'] })).toBe(false);
    expect(isBelieved(jws, { ...jwk, key_ops: 'verify' })).toBe(false);
  },
);

test.each(['ES256', 'EdDSA'] as const)('%s: jose believes what is signed here', async (alg) => {
  const signedAs = createJwsSigner({ alg, kid: 'k', typ: 't' }, KEYS[alg].privateKey);
  const { payload, protectedHeader } = await compactVerify(signedAs({ a: 'ü' }), KEYS[alg].publicKey);
  expect([Buffer.from(payload).toString(), protectedHeader]).toEqual(['{"a":"ü"}', { alg, kid: 'k', typ: 't' }]);
});

test('an Ed25519 key verifies under both names of its algorithm; no key signs by the algorithm of another', async () => {
  const jwk = jwkOf(KEYS.EdDSA.publicKey);
  const named = await new CompactSign(Buffer.from('{}'))
    .setProtectedHeader({ alg: 'Ed25519' })
    .sign(KEYS.EdDSA.privateKey);
  for (const alg of [undefined, 'EdDSA', 'Ed25519'])
    for (const jws of [named, await signed('EdDSA', {}, '{}')])
      expect(isBelieved(jws, { ...jwk, ...(alg !== undefined && { alg }) })).toBe(true);
  const header = { alg: 'ES256', kid: 'k', typ: 't' } as const;
  for (const name of ['ES384', 'EdDSA', 'RS256'] as const)
    expect(() => createJwsSigner(header, KEYS[name].privateKey)).toThrow('another algorithm');
});

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('headers that ask for another check than that of the key are refused, as jose refuses them', async () => {
  const [, payload = '', signature = ''] = (await signed('ES256', {}, '{}')).split('.');
  const jwk = jwkOf(KEYS.ES256.publicKey);
  const secret = Buffer.from(JSON.stringify(jwk));
  const hmac = await new CompactSign(Buffer.from('{}')).setProtectedHeader({ alg: 'HS256' }).sign(secret);
  const crit = await new CompactSign(Buffer.from('{}'))
    .setProtectedHeader({ alg: 'ES256', crit: ['b64'], b64: true })
    .sign(KEYS.ES256.privateKey);
  expect(isBelieved(crit, jwk)).toBe(false);
  const headers: unknown[] = [{ alg: 'none' }, { alg: 'ES384' }, { alg: 'EdDSA' }, { alg: 7 }, {}, [], null, 'ES256'];
  const { privateKey } = KEYS.ES256;
  // Signed with a character too many, of which no octet comes.
  const odd = ['payload', 'header'].map((which) => {
    const input = which === 'header' ? `${part({ alg: 'ES256', a: 'b' })}A.e30` : `${part({ alg: 'ES256' })}.e30AA`;
    return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  });
  const texts = [
    ...odd,
    ...[hmac, `${part({ alg: 'none' })}.${payload}.`, `${part({ alg: 'ES256' })}.${payload}`, '', '..', 'a.b.c'],
    ...headers.map((header) => `${part(header)}.${payload}.${signature}`),
    ...['__proto__', 'constructor', 'toString'].map((alg) => `${part({ alg })}.${payload}.${signature}`),
  ];
  for (const jws of texts) {
    expect(isBelieved(jws, jwk)).toBe(false);
    expect(await isBelievedByJose(jws, jwk, 'ES256')).toBe(false);
  }
});

test('whatever is done to a signed text, it is believed only where jose believes it', async () => {
  const texts = await Promise.all(
    (['ES256', 'ES384', 'EdDSA'] as const).map(async (alg) => ({ alg, jws: await signed(alg, {}, '{"a":"b"}') })),
  );
  const changed = fc.record({
    text: fc.constantFrom(...texts),
    at: fc.nat(),
    put: fc.string({ maxLength: 3 }),
    cut: fc.nat({ max: 3 }),
  });
  await forAllAsync([changed], 500, async ({ text: { alg, jws }, at, put, cut }) => {
    const from = at % jws.length;
    const other = `${jws.slice(0, from)}${put}${jws.slice(from + cut)}`;
    const jwk = jwkOf(KEYS[alg].publicKey);
    const believed = isBelieved(other, jwk);
    if (other === jws) expect(believed).toBe(true);
    if (believed) expect(await isBelievedByJose(other, jwk, alg)).toBe(true);
  });
});

test('no text and no key makes it throw', () => {
  forAll([fc.string(), fc.dictionary(fc.string(), fc.jsonValue())], 100, (text, jwk) => {
    readCompactJws(text);
    verifyingKey(jwk);
    verifyingKey({ kty: 'EC', crv: 'P-256', ...jwk });
  });
});
