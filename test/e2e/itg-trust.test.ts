import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeyRing } from '../../harness/src/platform/database/index.js';
import { CLIENT_ASSERTION_TYPE } from '../../sdk/src/contract/common.js';
import { clientTestKey, startPlatformLab, type PlatformLab, type TestMember } from '../support/itg-platform.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

let lab: PlatformLab;
let carrier: TestMember;
let operatorToken: string;

beforeAll(async () => {
  lab = await startPlatformLab();
  carrier = await lab.join('carrier', 'prv-birch');
  operatorToken = await lab.token(lab.operator);
});
afterAll(async () => lab[Symbol.asyncDispose]());

const asOperator = (method: string, path: string, body?: unknown) => lab.call(operatorToken, method, path, { body });
const statusAsOperator = async (method: string, path: string, body?: unknown): Promise<number> =>
  (await asOperator(method, path, body)).status;
/** The status of a call that any member may make. */
const statusWith = async (token: string): Promise<number> =>
  (await lab.call(token, 'GET', '/v1/webhook-endpoints')).status;

let made = 0;
async function assertion(
  member: TestMember,
  change: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  made += 1;
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: member.clientId, sub: member.clientId, aud: lab.platform.tokenUrl, jti: `j-${made}`, iat: now };
  return new SignJWT({ ...claims, exp: now + 60, ...change })
    .setProtectedHeader({ alg: member.key.algorithm, kid: member.key.keyId, ...header })
    .sign(member.key.privateKey);
}

async function ask(client_assertion: string, scope?: string, url = lab.platform.tokenUrl) {
  const form = { grant_type: 'client_credentials', client_assertion_type: CLIENT_ASSERTION_TYPE, client_assertion };
  const body = new URLSearchParams({ ...form, ...(scope !== undefined && { scope }) });
  const response = await fetch(url, { method: 'POST', body });
  return { status: response.status, value: (await response.json()) as Record<string, unknown> };
}

test('an assertion gets a token for the scope of its organization', async () => {
  const { status, value } = await ask(await assertion(carrier));
  expect({ status, value }).toMatchObject({
    status: 200,
    value: { token_type: 'Bearer', scope: 'carrier', expires_in: 600 },
  });
});

test.each([
  ['another audience', { aud: 'https://other.example/oauth/token' }],
  ['several audiences', { aud: ['https://other.example', 'replaced'] }],
  ['no audience', { aud: undefined }],
  ['an end in the past', { exp: Math.floor(Date.now() / 1_000) - 60 }],
  ['an end an hour away', { exp: Math.floor(Date.now() / 1_000) + 3_600 }],
  ['no end', { exp: undefined }],
  ['no jti', { jti: undefined }],
  ['an empty jti', { jti: '' }],
  ['another subject', { sub: 'itg-operator' }],
  ['another issuer', { iss: 'itg-operator' }],
  ['a start that is to come', { nbf: Math.floor(Date.now() / 1_000) + 120 }],
])('refuses an assertion with %s', async (name, change) => {
  const stated = name === 'several audiences' ? { aud: ['https://other.example', lab.platform.tokenUrl] } : change;
  expect(await ask(await assertion(carrier, stated))).toMatchObject({
    status: 401,
    value: { error: 'invalid_client' },
  });
});

test('refuses an assertion of a key that is not registered, under a name that is', async () => {
  const stranger = { ...carrier, key: { ...clientTestKey(carrier.key.keyId) } };
  expect((await ask(await assertion(stranger))).status).toBe(401);
});

test('refuses an assertion without a signature, and one of an HMAC over the public key', async () => {
  const { clientId, key } = carrier;
  const exp = Math.floor(Date.now() / 1_000) + 60;
  const claims = { iss: clientId, sub: clientId, aud: lab.platform.tokenUrl, jti: 'forged', exp };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  expect((await ask(`${part({ alg: 'none', kid: key.keyId })}.${part(claims)}.x`)).status).toBe(401);
  const forged = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: key.keyId });
  expect((await ask(await forged.sign(Buffer.from(JSON.stringify(key.jwk))))).status).toBe(401);
});

test('an assertion is used once, also of ten that come at once', async () => {
  const stated = await assertion(carrier);
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(stated)));
  const statuses = answers.map(({ status }) => status).toSorted((one, other) => one - other);
  expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 401)]);
});

test('refuses a scope that the client does not have', async () => {
  expect(await ask(await assertion(carrier), 'staff')).toMatchObject({
    status: 400,
    value: { error: 'invalid_scope' },
  });
});

test.each(['ES384', 'PS256', 'EdDSA'] as const)(
  'a second key of %s works beside the first until it is taken away',
  async (algorithm) => {
    const key = clientTestKey(`second-${algorithm}`, algorithm);
    const path = `/v1/clients/${carrier.clientId}/keys`;
    expect(await statusAsOperator('POST', path, { jwk: key.jwk })).toBe(201);
    const rotated = { ...carrier, key };
    const token = String((await ask(await assertion(rotated))).value['access_token']);
    expect(await statusWith(token)).toBe(200);
    expect((await ask(await assertion(carrier))).status).toBe(200);
    expect(await statusAsOperator('DELETE', `${path}/${key.keyId}`)).toBe(204);
    expect((await ask(await assertion(rotated))).status).toBe(401);
    expect(await statusWith(token)).toBe(401);
  },
);

test('a private key and one on an unknown curve are refused, and nothing of them is told', async () => {
  const path = `/v1/clients/${carrier.clientId}/keys`;
  const jwk = { ...carrier.key.privateKey.export({ format: 'jwk' }), kid: 'private' };
  const refused = await asOperator('POST', path, { jwk });
  expect(refused).toMatchObject({ status: 400, value: { errors: [{ pointer: '/jwk', code: 'private-key' }] } });
  expect(JSON.stringify(refused.value)).not.toContain(String(jwk['d']));
  const odd = await asOperator('POST', path, { jwk: { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA', kid: 'odd' } });
  expect(odd).toMatchObject({ status: 400, value: { errors: [{ code: 'unsupported-key' }] } });
});

test('a client that is revoked is out with its next call, and an organization with all its clients', async () => {
  const member = await lab.join('app', 'app-elm');
  const token = await lab.token(member);
  expect(await statusWith(token)).toBe(200);
  expect(await statusAsOperator('DELETE', `/v1/clients/${member.clientId}`)).toBe(204);
  expect(await statusWith(token)).toBe(401);
  expect((await ask(await assertion(member))).status).toBe(401);
  const agency = await lab.join('agency', 'ag-ohio');
  const agencyToken = await lab.token(agency);
  expect(await statusAsOperator('DELETE', '/v1/organizations/ag-ohio')).toBe(204);
  expect(await statusWith(agencyToken)).toBe(401);
  const again = await asOperator('POST', '/v1/organizations/ag-ohio', { state: 'active' });
  expect(again.status).toBe(200);
  expect(await statusWith(agencyToken)).toBe(401);
});

test('the last operator cannot be revoked, and staff without the role changes nothing', async () => {
  expect(await statusAsOperator('DELETE', `/v1/clients/${lab.operator.clientId}`)).toBe(409);
  expect(await statusAsOperator('DELETE', '/v1/organizations/itg')).toBe(409);
  const key = clientTestKey('reviewer-key');
  const reviewer = {
    ...{ clientId: 'itg-reviewer', organizationId: 'itg', name: 'Reviewer', roles: ['reviewer'] },
    keys: [{ jwk: key.jwk }],
  };
  expect(await statusAsOperator('POST', '/v1/clients', reviewer)).toBe(201);
  const token = await lab.token({ organizationId: 'itg', clientId: 'itg-reviewer', key });
  expect((await lab.call(token, 'GET', '/v1/clients')).status).toBe(200);
  expect((await lab.call(token, 'DELETE', `/v1/clients/${carrier.clientId}`)).status).toBe(403);
});

test('an organization and a client that are registered again stay as they are, and others under their ids are refused', async () => {
  const body = { organizationId: 'prv-cedar', kind: 'carrier', name: 'Cedar' };
  const first = await asOperator('POST', '/v1/organizations', body);
  const second = await asOperator('POST', '/v1/organizations', body);
  expect([second.status, second.value]).toEqual([201, first.value]);
  expect(await statusAsOperator('POST', '/v1/organizations', { ...body, name: 'Other' })).toBe(409);
  const pageAt = async (cursor: string) =>
    (await asOperator('GET', `/v1/organizations?limit=1${cursor}`)).value as {
      readonly items: readonly [{ readonly organizationId: string }];
      readonly nextCursor: string;
    };
  const page = await pageAt('');
  const next = await pageAt(`&cursor=${page.nextCursor}`);
  expect(next.items[0].organizationId > page.items[0].organizationId).toBe(true);
  expect(await statusAsOperator('GET', '/v1/organizations?cursor=bm9uZQ')).toBe(400);
});

test('an agency has a jurisdiction, and is in the directory while it is let in', async () => {
  const body = { organizationId: 'ag-none', kind: 'agency', name: 'None' };
  expect((await asOperator('POST', '/v1/organizations', body)).status).toBe(400);
  await lab.join('agency', 'ag-texas');
  const { trust, context } = lab.platform;
  expect(await trust.agency(context.database, 'ag-texas')).toEqual({
    ...{ agencyId: 'ag-texas', name: 'ag-texas', jurisdiction: 'US-TX', contactEmail: 'cases@agency.example' },
  });
  expect(await trust.staff(context.database)).toEqual(['itg']);
  await asOperator('DELETE', '/v1/organizations/ag-texas');
  expect(await trust.agency(context.database, 'ag-texas')).toBeUndefined();
});

test('a jti that was used before a restart stays used, and tokens and clients are there behind it', async () => {
  await using folder = await createTemporaryDirectory();
  const directory = folder.path;
  const keyRing = createKeyRing();
  const key = clientTestKey('kept');
  const publicUrl = 'https://itg.example/base';
  const member = { organizationId: 'itg', clientId: 'itg-kept', key };
  const firstOperator = { clientId: 'itg-kept', jwk: key.jwk };
  const options = { database: { directory }, keyRing, publicUrl, firstOperator };
  const one = await assertion(member, { aud: `${publicUrl}/oauth/token` });
  let token = '';
  {
    await using first = await startPlatformLab(options);
    const answer = await ask(one, undefined, `http://127.0.0.1:${first.platform.port}/oauth/token`);
    token = String(answer.value['access_token']);
    expect(answer.status).toBe(200);
  }
  await using second = await startPlatformLab(options);
  const local = `http://127.0.0.1:${second.platform.port}`;
  expect((await ask(one, undefined, `${local}/oauth/token`)).status).toBe(401);
  const response = await fetch(`${local}/base/v1/clients`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
});

test('a platform with a first operator takes no second one', async () => {
  const { jwk } = clientTestKey('late');
  await expect(lab.platform.trust.makeFirstOperator({ clientId: 'itg-late', jwk })).rejects.toMatchObject({
    code: 'invalid-configuration',
  });
});
