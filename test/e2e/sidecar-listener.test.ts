import { hash } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { TestPki, sampleInvite } from '@hopback/sdk/testing';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import type { Sidecar, VerifiedCall } from '../../sdk/src/sidecar/index.js';
import { lintOpenApi } from '../house/contract.js';
import { ask, openSidecarLab } from '../support/sidecar-lab.js';

const lab = await openSidecarLab();
beforeEach(() => lab.reset());
afterAll(() => lab[Symbol.asyncDispose]());

/** Of the folder of the laboratory. */
const CRLS = { crls: ['sti-pa.crl'], crlSigners: ['crl-signer.pem'] };
const TEXT = { 'content-type': 'text/plain' };
const JSON_BODY = { 'content-type': 'application/json' };
const verification = (identity: string): string =>
  JSON.stringify({ verificationRequest: { from: { tn: '12025550101' }, to: { tn: ['12025550199'] }, identity } });

const post = (
  sidecar: Sidecar,
  path: string,
  { body, headers = TEXT }: { readonly body: string; readonly headers?: Readonly<Record<string, string>> },
) => ask(sidecar, path, { method: 'POST', headers, body });
const signedInvite = (): string => sampleInvite({ identityHeaders: [lab.identity()] });
const verifyInvite = async (sidecar: Sidecar, query: string, body: string): Promise<unknown> =>
  JSON.parse((await post(sidecar, `/v1/invite/verify${query}`, { body })).text);

test('an INVITE as text gets what is to be done with it, by the policy of its trunk', async () => {
  await lab.configure({
    trunks: {
      default: { role: 'terminating' },
      strict: { role: 'terminating', failureAction: 'reject_request', addresses: ['192.0.2.7'] },
    },
  });
  const calls: VerifiedCall[] = [];
  const sidecar = await lab.start({ onVerified: (call) => calls.push(call) });
  const spoofed = sampleInvite({ identityHeaders: [lab.identity()], origTn: '12025550166' });
  expect(await verifyInvite(sidecar, '', signedInvite())).toMatchObject({
    ...{ action: 'continue', verstat: 'TN-Validation-Passed', attestation: 'A', spc: '1234' },
    caller: { name: 'From', value: expect.stringContaining(';verstat=TN-Validation-Passed') as string },
  });
  expect(await verifyInvite(sidecar, '', spoofed)).toMatchObject({ action: 'continue', reasons: ['orig-mismatch'] });
  const rejected = { action: 'reject', status: 438, reasonPhrase: 'Invalid Identity Header' };
  for (const query of ['?trunk=strict', '?address=192.0.2.7'])
    expect(await verifyInvite(sidecar, query, spoofed)).toMatchObject(rejected);
  const unreadable = { action: 'continue', concerns: ['unreadable'] };
  expect(await verifyInvite(sidecar, '', 'no SIP at all')).toMatchObject(unreadable);
  expect(calls.map(({ trunk }) => trunk)).toEqual([undefined, undefined, 'strict', 'strict']);
  expect(calls.every(({ callId }) => callId !== undefined)).toBe(true);
});

test('a client that does not read JSON gets header fields, and what to do in the header of the answer', async () => {
  const sidecar = await lab.start();
  const headers = { ...TEXT, accept: 'text/plain' };
  const verified = await post(sidecar, '/v1/invite/verify', { body: signedInvite(), headers });
  expect(verified.text).toMatch(/^From: <sip:\+12025550101;verstat=TN-Validation-Passed@[^\r]+\r\n$/);
  expect(verified.headers.get('x-hopback-action')).toBe('continue');
  const signed = await post(sidecar, '/v1/invite/sign?attest=B', { body: sampleInvite({}), headers });
  expect(signed.text).toMatch(/^Identity: [\w.-]+;info=<https:[^>]+>;alg=ES256;ppt=shaken\r\n/);
  const again = await post(sidecar, '/v1/invite/sign', { body: signedInvite(), headers });
  expect([again.text, again.headers.get('x-hopback-reason')]).toEqual(['', 'already-signed']);
});

test('what is signed over one route verifies over the others', async () => {
  const sidecar = await lab.start();
  const csv = await post(sidecar, '/v1/sign-csv', { body: '12025550101,12025550199,A,,https://a.example' });
  expect(csv.status).toBe(200);
  expect(await post(sidecar, '/v1/check', { body: csv.text })).toMatchObject({ status: 200, text: 'OK\n' });
  const body = verification(csv.text.trim());
  const answer = await post(sidecar, '/stir/v1/verification', { body, headers: JSON_BODY });
  expect(answer.text).toBe('{"verificationResponse":{"verstat":"TN-Validation-Passed"}}');
  const bad = await post(sidecar, '/v1/check', { body: 'junk' });
  expect(bad).toMatchObject({ status: 500, text: 'FAILED\n' });
  expect(bad.headers.get('x-hopback-reason')).toBe('identity-header-malformed');
});

test('a token is asked for, and the rate is kept, where that is configured', async () => {
  const tokens = [{ name: 'sbc-1', sha256: hash('sha256', 'secret') }];
  await lab.configure({ listen: { calls: { port: 0, tokens, requestsPerSecond: 0.001 } } });
  const sidecar = await lab.start();
  const body = verification(lab.identity());
  const status = async (headers: Readonly<Record<string, string>>): Promise<number> =>
    (await post(sidecar, '/stir/v1/verification', { body, headers: { ...JSON_BODY, ...headers } })).status;
  expect(await status({})).toBe(401);
  const bearer = { authorization: 'Bearer secret' };
  const statuses = [await status(bearer), await status(bearer), await status(bearer)];
  expect(statuses).toEqual([200, 429, 429]);
  expect((await ask(sidecar, '/readyz')).status).toBe(200);
});

test('a body that is too large is refused before it is read whole', async () => {
  const sidecar = await lab.start();
  const answer = await post(sidecar, '/v1/invite/verify', { body: 'x'.repeat(70_000) });
  expect([answer.status, answer.headers.get('connection')]).toEqual([413, 'close']);
});

test('a client that goes away, and one that sends no HTTP, harm nobody', async () => {
  const sidecar = await lab.start();
  for (const bytes of [
    'POST /v1/check HTTP/1.1\r\nContent-Length: 50\r\nHost: a\r\n\r\nhalf',
    'INVITE sip:a SIP/2.0\r\n\r\n',
    '\u0000\u0001',
  ]) {
    await new Promise<void>((resolve) => {
      const socket = connect(sidecar.calls.port, '127.0.0.1', () => socket.write(bytes, () => socket.destroy()));
      socket.on('close', () => resolve());
      socket.on('error', () => undefined);
    });
  }
  expect((await post(sidecar, '/v1/check', { body: lab.identity() })).text).toBe('OK\n');
});

test('over TLS a client needs a certificate of the authority that is named, and a new certificate is taken on', async () => {
  const server = new TestPki({ nowMs: Date.now() });
  const ours = server.issueServiceProvider({ spc: '1111' });
  const clients = new TestPki({ nowMs: Date.now() });
  const client = clients.issueServiceProvider({ spc: '2222' });
  await lab.write('server.pem', ours.chainPem);
  await lab.write('server.key', ours.privateKeyPem);
  await lab.write('switches.pem', clients.root.certificatePem);
  const tls = { certificate: 'server.pem', key: 'server.key', clientCa: 'switches.pem' };
  await lab.configure({ listen: { calls: { port: 0, tls } } });
  const sidecar = await lab.start();
  const get = (credential: { readonly cert?: string; readonly key?: string }): Promise<number | string> =>
    new Promise((resolve) => {
      const url = `https://127.0.0.1:${String(sidecar.calls.port)}/livez`;
      const asked = httpsRequest(url, { agent: false, rejectUnauthorized: false, ...credential }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.on('error', () => resolve('refused'));
      asked.end();
    });
  expect(await get({})).toBe('refused');
  expect(await get({ cert: client.chainPem, key: client.privateKeyPem })).toBe(200);
  const next = server.issueServiceProvider({ spc: '3333' });
  await lab.write('server.pem', next.chainPem);
  expect(await sidecar.reload()).toMatchObject({ status: 'kept' });
  await lab.write('server.key', next.privateKeyPem);
  expect((await sidecar.reload()).status).not.toBe('kept');
  expect(await get({ cert: client.chainPem, key: client.privateKeyPem })).toBe(200);
});

test('what has changed is in force at once, and what cannot be used leaves all as it was', async () => {
  const sidecar = await lab.start();
  const body = verification(lab.identity());
  const verstat = async (): Promise<string> =>
    (await post(sidecar, '/stir/v1/verification', { body, headers: JSON_BODY })).text;
  const passed = '{"verificationResponse":{"verstat":"TN-Validation-Passed"}}';
  expect(await verstat()).toBe(passed);
  await lab.configure({ answers: { verstatSuffix: true } });
  expect(await sidecar.reload()).toEqual({ status: 'changed' });
  expect(await verstat()).toBe(passed.replace('Passed', 'Passed-A'));
  const keys = lab.pki.issueServiceProvider({ spc: '9999' });
  await lab.write('key.pem', keys.privateKeyPem);
  expect(await sidecar.reload()).toMatchObject({ status: 'kept' });
  expect(sidecar.readiness()).toMatchObject({ isReady: true, signing: 'ready' });
  // What is wrong with a key keeps no revocation from being heard.
  await lab.write('sti-pa.crl', lab.pki.crl({ revoked: [lab.provider], number: 2 }).der);
  expect(await sidecar.reload()).toMatchObject({ status: 'kept' });
  expect(await verstat()).toContain('"reasoncode":437');
  await lab.write('chain.pem', keys.chainPem);
  expect(await sidecar.reload()).toEqual({ status: 'changed' });
  await lab.write('hopback.yaml', 'trust: [');
  expect(await sidecar.reload()).toMatchObject({ status: 'kept', problems: [{ line: 1 }] });
  expect(await verstat()).toContain('"reasoncode":437');
  expect((await ask(sidecar, '/metrics')).text).toContain('hopback_reloads_total{outcome="kept"} 3');
});

test('a list that is signed anew with the same authorities counts for its own time', async () => {
  let aheadMs = 0;
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const list = (sequence: number, exp: number): Promise<string> =>
    lab.write('list.jws', lab.pki.trustList({ sequence, exp, withX5c: true }).jws);
  await list(1, nowSeconds + 20);
  await lab.configure({ trust: { list: { path: 'list.jws' }, stiPaRoots: ['sti-pa-root.pem'], ...CRLS } });
  const sidecar = await lab.start({ clock: { nowMs: () => Date.now() + aheadMs } });
  const body = verification(lab.identity());
  const verstat = async (): Promise<string> =>
    (await post(sidecar, '/stir/v1/verification', { body, headers: JSON_BODY })).text;
  expect(await verstat()).toContain('TN-Validation-Passed');
  await list(2, nowSeconds + 3_600);
  expect((await sidecar.reload()).status).not.toBe('kept');
  aheadMs = 30_000;
  expect(await verstat()).toContain('TN-Validation-Passed');
});

test('a list that is published later than the sidecar starts is in force from then on', async () => {
  const { server, pki } = lab;
  const list = { url: server.url('/late.jws'), crlUrls: [server.publish('/sti-pa.crl', pki.crl().der)] };
  await lab.configure({ trust: { list, stiPaRoots: ['sti-pa-root.pem'], crlSigners: CRLS.crlSigners } });
  const sidecar = await lab.start();
  const body = verification(lab.identity());
  const asked = (): Promise<{ readonly status: number; readonly text: string }> =>
    post(sidecar, '/stir/v1/verification', { body, headers: JSON_BODY });
  expect([sidecar.readiness().isReady, (await asked()).status]).toEqual([false, 503]);
  server.publish('/late.jws', pki.trustList({ withX5c: true }).jws);
  await sidecar.reload();
  await vi.waitFor(() => expect(sidecar.readiness()).toMatchObject({ isReady: true, trust: 'ready' }), {
    timeout: 20_000,
  });
  expect((await asked()).text).toContain('TN-Validation-Passed');
});

test('a list that cannot be had replaces nobody who is trusted', async () => {
  const sidecar = await lab.start();
  const list = { url: lab.server.url('/nowhere.jws'), crlUrls: [] };
  await lab.configure({ trust: { list, stiPaRoots: ['sti-pa-root.pem'] } });
  expect((await sidecar.reload()).status).toBe('changed');
  expect(sidecar.readiness()).toMatchObject({ isReady: true, trust: 'ready' });
  expect((await post(sidecar, '/v1/check', { body: lab.identity() })).status).toBe(200);
});

test('what cannot be used at the one listener changes nothing at the other', async () => {
  const tokens = (token: string): object => ({ port: 0, tokens: [{ name: 'a', sha256: hash('sha256', token) }] });
  await lab.configure({ listen: { calls: { port: 0 }, admin: tokens('old') } });
  const sidecar = await lab.start();
  const status = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`http://127.0.0.1:${String(sidecar.admin?.port)}/metrics`, { headers })).status;
  };
  const signing = { key: 'nowhere.pem', certificate: 'chain.pem', x5u: lab.x5u };
  await lab.configure({ listen: { calls: { port: 0 }, admin: tokens('new') }, signing });
  expect(await sidecar.reload()).toMatchObject({ status: 'kept' });
  expect([await status('old'), await status('new')]).toEqual([200, 401]);
  await lab.configure({ listen: { calls: { port: 0 }, admin: tokens('new') } });
  await sidecar.reload();
  expect([await status('old'), await status('new')]).toEqual([401, 200]);
});

test('an INVITE that is no UTF-8 is judged as any other', async () => {
  const sidecar = await lab.start();
  const invite = signedInvite().replace('From: ', 'From: "Andr\u00e9" ');
  const response = await fetch(`http://127.0.0.1:${String(sidecar.calls.port)}/v1/invite/verify`, {
    ...{ method: 'POST', headers: TEXT, body: Buffer.from(invite, 'latin1') },
  });
  expect(await response.json()).toMatchObject({ verstat: 'TN-Validation-Passed' });
});

test('an upstream without a filing, or with a removed one, is refused by policy; an incomplete file changes nothing', async () => {
  const filings = (removedOn: string): string =>
    [
      'number,business_name,frn,last_updated,removed_on',
      ...Array.from({ length: 4_000 }, (_, at) => `RMD00${10_000 + at},Filer ${at},00${20_000_000 + at},2026-03-01,`),
      `RMD0001234,Example Upstream,0012345678,2026-03-01,${removedOn}`,
      '',
    ].join('\n');
  await lab.write('rmd.csv', filings(''));
  const trunk = { role: 'terminating', upstreamFiling: 'reject' };
  await lab.configure({
    filings: 'rmd.csv',
    trunks: {
      filed: { ...trunk, filing: { rmdNumber: 'RMD0001234' } },
      unfiled: { ...trunk, filing: { rmdNumber: 'RMD0009999' } },
    },
  });
  const sidecar = await lab.start();
  const verify = (name: string): Promise<unknown> => verifyInvite(sidecar, `?trunk=${name}`, signedInvite());
  expect(await verify('filed')).toMatchObject({ action: 'continue' });
  expect(await verify('unfiled')).toMatchObject({ action: 'reject', status: 403, because: 'upstream-not-filed' });
  await lab.write('rmd.csv', 'number,business_name\nRMD0001234,Exam');
  await sidecar.reload();
  expect(lab.notices.at(-2)).toMatchObject({ part: 'filings', level: 'warn' });
  expect(await verify('filed')).toMatchObject({ action: 'continue' });
  await lab.write('rmd.csv', filings('2026-04-01'));
  await sidecar.reload();
  expect(await verify('filed')).toMatchObject({ action: 'reject', because: 'upstream-removed' });
});

test('the description of the routes passes the linter', async () => {
  await lab.configure({ listen: { calls: { port: 0, tokens: [{ name: 'a', sha256: hash('sha256', 'a') }] } } });
  const sidecar = await lab.start();
  const found = await lintOpenApi(JSON.parse((await ask(sidecar, '/openapi.json')).text));
  // Probes refuse nobody.
  expect(found.filter((problem) => !/~1(?:livez|readyz|metrics|openapi\.json)\/get\/responses/.test(problem))).toEqual(
    [],
  );
});
