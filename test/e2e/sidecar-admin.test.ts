import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleCallRecord, TestPlatform, TEST_TRUNKS } from '@hopback/sdk/testing';
import { accountEntry, type Sidecar } from '../../sdk/src/sidecar/index.js';
import { openSidecarLab } from '../support/sidecar-lab.js';

const PASSWORD = 'correct horse battery staple';
const lab = await openSidecarLab();
let platform: TestPlatform;
let sidecar: Sidecar;
beforeAll(async () => {
  platform = await TestPlatform.start();
  const { client, answerKey } = platform.credentials('prv-birch');
  await lab.write('trunks.json', JSON.stringify(TEST_TRUNKS));
  await lab.write('answer-key.pem', answerKey.privateKeyPem);
  await lab.write('client-key.pem', client.key);
  await lab.write('receipt-keys.json', JSON.stringify(platform.keys));
  await lab.write('accounts', `${await accountEntry({ name: 'duty engineer', password: PASSWORD })}\n`);
  await lab.write('secrets', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n');
  await lab.write('fs.json', JSON.stringify({ id: 'fs-1', format: 'freeswitch-json', time: { zone: 'utc' } }));
  await lab.configure({
    listen: { calls: { port: 0 }, admin: { port: 0, tokens: [{ name: 'switch', sha256: hash('sha256', 'secret') }] } },
    records: { directory: 'records', sources: ['fs.json'] },
    tracebacks: {
      ...{ directory: 'responder', zone: 'America/New_York', trunks: 'trunks.json', accounts: 'accounts' },
      provider: { providerId: 'prv-birch', name: 'Birch Carrier Services Inc.' },
      answerKey: { key: 'answer-key.pem', keyId: answerKey.keyId },
      platform: {
        ...{ baseUrl: platform.baseUrl, clientId: client.clientId, keyId: client.keyId },
        ...{ key: 'client-key.pem', receiptKeys: 'receipt-keys.json' },
      },
      webhookSecrets: 'secrets',
      proxy: { addresses: ['127.0.0.1'] },
    },
  });
  sidecar = await lab.start();
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await platform.close();
});

const admin = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${String(sidecar.admin?.port)}${path}`, { redirect: 'manual', ...init });
const ndjson = { 'content-type': 'application/x-ndjson', authorization: 'Bearer secret' };

test('records are accepted over HTTP with a token, and counted', async () => {
  const body = `${JSON.stringify(sampleCallRecord())}\n`;
  const send = (headers: object): Promise<Response> =>
    admin('/v1/records', { method: 'POST', headers: { ...ndjson, ...headers }, body });
  expect((await send({ authorization: '' })).status).toBe(401);
  expect(await (await send({})).json()).toMatchObject({ accepted: 1 });
  expect(await (await send({})).json()).toMatchObject({ accepted: 0, repeated: 1 });
  const unread = await admin('/v1/freeswitch/json_cdr/fs-1', {
    ...{ method: 'POST', headers: { ...ndjson, 'content-type': 'application/json' }, body: '{"variables":{}}' },
  });
  expect(unread.status).toBe(202);
  const metrics = await (await admin('/metrics', { headers: { authorization: 'Bearer secret' } })).text();
  expect(metrics).toContain('hopback_records_total{source="http",outcome="inserted"} 1');
  expect(metrics).toContain('hopback_records_total{source="fs-1",outcome="rejected"} 1');
  expect(metrics).toContain('stir_trust_anchors 1');
});

test('people log in on the page, and machines without a token reach nothing but probes', async () => {
  const paths = ['/livez', '/readyz', '/metrics', '/review'];
  expect(await Promise.all(paths.map(async (path) => (await admin(path)).status))).toEqual([200, 200, 401, 303]);
  expect((await admin('/v1/webhooks/platform', { method: 'POST', body: '{}' })).status).toBe(401);
  const origin = `http://127.0.0.1:${String(sidecar.admin?.port)}`;
  const login = await admin('/review/login', {
    method: 'POST',
    headers: {
      ...{ origin, 'content-type': 'application/x-www-form-urlencoded' },
      'x-forwarded-for': '203.0.113.66, 192.0.2.44',
    },
    body: new URLSearchParams({ name: 'duty engineer', password: PASSWORD }).toString(),
  });
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  const page = await admin('/review', { headers: { cookie } });
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<html') as string]);
  const audit = await readFile(join(lab.directory, 'responder', 'review-audit.jsonl'), 'utf8');
  expect(JSON.parse(audit.split('\n')[0] ?? '')).toMatchObject({ event: 'login', address: '192.0.2.44' });
});

test('a reload takes other accounts, and keeps the former ones where the file cannot be used', async () => {
  await lab.write('accounts', 'nonsense\n');
  expect(await sidecar.reload()).toMatchObject({ status: 'kept' });
  await lab.write('accounts', `${await accountEntry({ name: 'somebody else', password: PASSWORD })}\n`);
  expect((await sidecar.reload()).status).not.toBe('kept');
});
