import { createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { compactVerify } from 'jose';
import { createTestPki } from '@hopback/sdk/testing';
import type { TestKey } from '@hopback/sdk/testing';
import { beforeAll, expect, test } from 'vitest';
import { encodeBase64Url } from '../../sdk/src/core/base64url.js';
import type { JsonObject } from '../../sdk/src/core/json-text.js';
import { verifyEs256 } from '../../sdk/src/stir/es256.js';
import { formatIdentityHeader } from '../../sdk/src/stir/identity-header.js';
import { canonicalJson, parsePassport } from '../../sdk/src/stir/passport.js';
import type { ParsedPassport } from '../../sdk/src/stir/passport.js';
import { base } from '../../sdk/src/stir/passport-types/passport-type.js';
import { createVerificationService } from '../../sdk/src/stir/verification/verification-service.js';
import type { VerificationRequest } from '../../sdk/src/stir/verification/request.js';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import { createShelfRepository, trustStoreOf } from '../support/verification-lab.js';
import { VECTOR_FOLDER } from '../support/vectors.js';

interface PublishedPassport {
  readonly name: string;
  readonly token: string;
  readonly publicKeyPem: string;
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly signatureVerifies: boolean;
}

const PUBLISHED = JSON.parse(
  readFileSync(`${VECTOR_FOLDER}rfc/passports.json`, 'utf8'),
) as readonly PublishedPassport[];
const named = PUBLISHED.map((published) => [published.name, published] as const);
const X5U = 'https://www.example.com/cert.cer';
/** The `iat` of the examples of RFC 8946. */
const IAT_SECONDS = 1_443_208_345;

function published(name: string): PublishedPassport {
  const found = PUBLISHED.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no published PASSporT ${name}`);
  return found;
}

function passportIn(token: string): ParsedPassport {
  const parsed = parsePassport(token);
  if (parsed.status !== 'parsed') throw new Error(parsed.detail);
  return parsed.passport;
}

test.each(named)(
  'verifyEs256 says of %s what its publisher should have',
  (_name, { token, publicKeyPem, signatureVerifies }) => {
    const { signingInput, signature } = passportIn(token);
    expect(verifyEs256({ publicKey: createPublicKey(publicKeyPem), signingInput, signature })).toBe(signatureVerifies);
  },
);

test.each(named)('jose agrees about the signature of %s', async (_name, { token, publicKeyPem, signatureVerifies }) => {
  const verified = await compactVerify(token, createPublicKey(publicKeyPem)).then(
    () => true,
    () => false,
  );
  expect(verified).toBe(signatureVerifies);
});

test.each(named)(
  'canonicalJson writes header and payload of %s as they were printed',
  (_name, { token, header, payload }) => {
    const [headerSegment, payloadSegment] = token.split('.');
    expect(encodeBase64Url(canonicalJson(header))).toBe(headerSegment);
    expect(encodeBase64Url(canonicalJson(payload))).toBe(payloadSegment);
  },
);

test('canonicalJson brings the claims of RFC 8225 Appendix A into order, however they are given', () => {
  const { token, payload } = published('rfc8225-appendix-a');
  const reversed = Object.fromEntries(Object.entries(payload).toReversed());
  expect(encodeBase64Url(canonicalJson(reversed))).toBe(token.split('.')[1]);
});

test('refuses the dest.tn of the div-o example, which is a string', () => {
  const read = base.readClaims(passportIn(published('rfc8946-section-5-div-o').token).payload);
  expect(read.status === 'malformed' && read.problems.map(({ reason, claim }) => [reason, claim])).toEqual([
    ['claim-malformed', 'dest'],
  ]);
});

test('refuses the iat of the draft example, which is a string', () => {
  const read = base.readClaims(passportIn(published('draft-passport-string-iat').token).payload);
  expect(read.status === 'malformed' && read.problems.map(({ reason, claim }) => [reason, claim])).toEqual([
    ['claim-malformed', 'iat'],
  ]);
});

let verify: (request: VerificationRequest) => Promise<CallVerdict>;

/** A certificate over the published key, in a PKI of the examples' own time. */
beforeAll(async () => {
  const nowMs = IAT_SECONDS * 1000;
  const pki = await createTestPki({ nowMs });
  const publicKey = createPublicKey(published('rfc8946-section-5-opt').publicKeyPem);
  const provider = pki.issueServiceProvider({ spc: '1234', key: { type: 'P-256', publicKey } as TestKey });
  const certificates = createShelfRepository();
  certificates.put(X5U, provider.chainPem);
  const policy = { profile: 'rfc8224' } as const;
  const clock = { nowMs: () => nowMs };
  ({ verify } = createVerificationService({ certificates, trustStore: trustStoreOf(pki), clock, policy }));
});

const call = (identity: readonly string[], target: string): VerificationRequest => ({
  identity,
  from: '<sip:+12155551212@example.com>;tag=1',
  to: '<sip:+12155551213@example.com>',
  requestUri: `sip:+${target}@example.com`,
});

test('passes the PASSporT without ppt of RFC 8946 under a certificate over its published key', async () => {
  const { token } = published('rfc8946-section-5-opt');
  const verdict = await verify(call([formatIdentityHeader({ token, info: X5U })], '12155551213'));
  expect([verdict.status, verdict.reasons]).toEqual(['passed', []]);
});

test('finds no link below the div PASSporT of RFC 8946, whose div.tn has one digit too many', async () => {
  const inner = formatIdentityHeader({ token: published('rfc8946-section-5-opt').token, info: X5U });
  const outer = formatIdentityHeader({ token: published('rfc8946-section-3-div').token, info: X5U, ppt: 'div' });
  const verdict = await verify(call([inner, outer], '12155551214'));
  expect([verdict.status, verdict.reasons]).toEqual(['failed', ['retarget-without-div', 'div-chain-broken']]);
});

test('ignores the div-o PASSporT of RFC 8946, a type that is not verified here', async () => {
  const { token } = published('rfc8946-section-5-div-o');
  const verdict = await verify(call([formatIdentityHeader({ token, info: X5U, ppt: 'div-o' })], '12155551214'));
  expect([verdict.status, verdict.reasons]).toEqual(['indeterminate', ['identity-absent']]);
});

interface RandomJws {
  readonly token: string;
  readonly publicKey: KeyObject;
}

/** Half of them right; the rest with a flipped bit, an r or s of zero, another key, or another text. */
function randomJws(
  index: number,
  keys: readonly { readonly privateKey: KeyObject; readonly publicKey: KeyObject }[],
): RandomJws {
  const pair = keys[index % keys.length];
  const other = keys[(index + 1) % keys.length];
  if (pair === undefined || other === undefined) throw new Error('no keys');
  const header = encodeBase64Url(canonicalJson({ alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u: X5U }));
  const signingInput = `${header}.${encodeBase64Url(randomBytes(1 + (index % 300)))}`;
  const signature = sign('sha256', Buffer.from(signingInput), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
  const kind = index % 10;
  if (kind === 5) signature.writeUInt8(signature.readUInt8(index % 64) ^ (1 << (index % 8)), index % 64);
  if (kind === 6) signature.fill(0, 0, 32);
  if (kind === 7) signature.fill(0, 32, 64);
  const text = kind === 8 ? `${signingInput}A` : signingInput;
  const publicKey = kind === 9 ? other.publicKey : pair.publicKey;
  return { token: `${text}.${encodeBase64Url(signature)}`, publicKey };
}

test('jose agrees with verifyEs256 about 1,000 random tokens, right ones and wrong ones', async () => {
  const keys = Array.from({ length: 7 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  let valid = 0;
  for (let index = 0; index < 1000; index += 1) {
    const { token, publicKey } = randomJws(index, keys);
    const at = token.lastIndexOf('.');
    const signature = Buffer.from(token.slice(at + 1), 'base64url');
    const ours = verifyEs256({ publicKey, signingInput: token.slice(0, at), signature });
    const theirs = await compactVerify(token, publicKey).then(
      () => true,
      () => false,
    );
    expect([index, ours]).toEqual([index, theirs]);
    valid += Number(ours);
  }
  expect(valid).toBe(500);
});
