import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { ManualClock, createTestKey, TestPki, CertificateServer } from '@hopback/sdk/testing';
import type { CrlOptions, ServerFault, TestServiceProvider, TrustListOptions } from '@hopback/sdk/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { TrustStoreRefresh } from '../../sdk/src/stir/certificates/trust-store-refresh.js';
import type {
  TrustStoreRefreshOptions,
  TrustStoreRefreshOutcome,
} from '../../sdk/src/stir/certificates/trust-store-refresh.js';
import type { TrustStore, TrustStoreProblem } from '../../sdk/src/stir/certificates/trust-store.js';
import { createTrustStore } from '../../sdk/src/stir/certificates/trust-store.js';
import { parsed } from '../unit/certificates-parsed.js';
import { testFolder } from '../support/test-folder.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Short, so that silent servers take no time; long enough for a handshake on a busy machine. */
const SILENT_DEADLINE_MS = 700;

let pki: TestPki;
let server: CertificateServer;
let provider: TestServiceProvider;
let clock: ManualClock;
const services: TrustStoreRefresh[] = [];

const directory = testFolder();
beforeAll(async () => {
  pki = new TestPki();
  provider = pki.issueServiceProvider({ spc: '1234' });
  server = await CertificateServer.start({ pki });
});
afterAll(() => server.close());
beforeEach(async () => {
  clock = new ManualClock();
  server.publish('/signer.pem', pki.stiPaSigner.chainPem);
  server.publish('/crl-signer.crt', pki.stiPaCrlIssuer.der);
  publishList({ sequence: 5 });
  publishCrl({ number: 5 });
});
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
  // Nothing may be left behind: no timer, no socket.
  if (clock.pendingTimers() > 0) throw new Error('a timer was left behind');
  await server.idle();
});

const publishList = (list: TrustListOptions): string =>
  server.publish('/list.jws', pki.trustList({ x5u: server.url('/signer.pem'), ...list }).jws);
const publishCrl = (crl: CrlOptions): string =>
  server.publish('/sti-pa.crl', pki.crl({ caIssuers: [server.url('/crl-signer.crt', 'http')], ...crl }).der);

function start(options: Partial<TrustStoreRefreshOptions> = {}) {
  const stores: TrustStore[] = [];
  const problems: TrustStoreProblem[] = [];
  const service = new TrustStoreRefresh({
    listUrl: server.url('/list.jws'),
    crlUrls: [server.url('/sti-pa.crl')],
    stiPaRoots: [parsed(pki.stiPaRoot)],
    onTrustStore: (trustStore) => void stores.push(trustStore),
    onProblem: (problem) => void problems.push(problem),
    clock,
    schedule: clock.schedule,
    random: () => 0,
    allow: { addresses: ['127.0.0.1'], ports: Object.values(server.ports) },
    ca: server.tlsRootPem,
    ...options,
  });
  services.push(service);
  return { service, stores, problems };
}

/** The status of the provider's certificate, which the indirect CRL speaks for. */
const statusIn = (store: TrustStore | undefined): string | undefined =>
  store?.revocation.lookup(parsed(provider), parsed(pki.intermediate), clock.nowMs()).status;

/** A refresh in words: its status, then part and reason of each problem. */
const told = ({ status, problems }: TrustStoreRefreshOutcome): string =>
  [status, ...problems.map(({ part, reason }) => `${part} ${reason}`)].join(', ');

test('fetches the list, the signer that its x5u names, the CRL and the signer that its AuthorityInfoAccess names', async () => {
  const { service, stores, problems } = start();
  expect(told(await service.refresh())).toBe('renewed');
  expect(stores).toEqual([service.current()]);
  expect(service.current()).toMatchObject({
    source: { kind: 'sti-pa-list', sequence: 5, expMs: pki.nowMs + DAY },
    anchors: [{ sha256: pki.root.sha256 }],
  });
  expect(statusIn(service.current())).toBe('good');
  expect(problems).toEqual([]);
});

test('a store that was handed in keeps its intermediates, also where nothing can be fetched', async () => {
  const current = createTrustStore({
    anchors: [parsed(pki.root)],
    intermediates: [parsed(pki.intermediate)],
    source: { kind: 'files' },
  });
  server.withdraw('/list.jws');
  server.withdraw('/sti-pa.crl');
  const { service, stores } = start({ current });
  expect(await service.refresh()).toMatchObject({ status: 'kept' });
  expect([service.current(), stores]).toEqual([current, []]);
  publishList({ sequence: 6 });
  expect(await service.refresh()).toMatchObject({ status: 'renewed' });
  expect(service.current()?.intermediates.map(({ sha256 }) => sha256)).toEqual([pki.intermediate.sha256]);
});

test('asks for no signer where the list carries it in x5c, and for no CRL signer that was configured', async () => {
  const before = server.requests('/signer.pem') + server.requests('/crl-signer.crt');
  publishList({ sequence: 5, withX5c: true });
  const { service } = start({ crlSigners: [parsed(pki.stiPaCrlIssuer)] });
  expect(await service.refresh()).toMatchObject({ status: 'renewed', problems: [] });
  expect(statusIn(service.current())).toBe('good');
  expect(server.requests('/signer.pem') + server.requests('/crl-signer.crt')).toBe(before);
});

test('hands a store on when the list or the CRL has changed, and only then', async () => {
  const { service, stores } = start();
  const first = await service.refresh();
  expect(await service.refresh()).toEqual({ ...first, status: 'unchanged' });
  publishList({ sequence: 6, exp: pki.nowMs / 1000 + 2 * 86_400 });
  expect(await service.refresh()).toMatchObject({ status: 'renewed' });
  expect(stores.map(({ source }) => source)).toMatchObject([
    { sequence: 5 },
    { sequence: 6, expMs: pki.nowMs + 2 * DAY },
  ]);
  expect(stores[1]?.version).toBe(stores[0]?.version);
  publishCrl({ number: 6, revoked: [provider] });
  expect((await service.refresh()).status).toBe('renewed');
  expect(stores.map(statusIn)).toEqual(['good', 'good', 'revoked']);
});

test.each<[string, ServerFault, string]>([
  ['answers 404', { kind: 'status', status: 404 }, 'http-status'],
  ['is silent', { kind: 'stall' }, 'timeout'],
  ['sends without end', { kind: 'endless' }, 'body-too-large'],
])('a list server that %s leaves the store in use', async (_, fault, reason) => {
  const { service, stores, problems } = start({ deadlineMs: SILENT_DEADLINE_MS });
  const first = await service.refresh();
  server.fault('/list.jws', fault);
  const problem = { part: 'list', reason, url: server.url('/list.jws') };
  expect(await service.refresh()).toMatchObject({ status: 'kept', problems: [problem] });
  expect(service.current()).toBe('trustStore' in first && first.trustStore);
  expect(stores).toHaveLength(1);
  expect(problems).toMatchObject([problem]);
});

test.each<[string, TrustListOptions, string]>([
  ['forged under the name of its signer', { sequence: 6, signedBy: createTestKey() }, 'signature-invalid'],
  ['of an older sequence', { sequence: 4 }, 'sequence-rolled-back'],
  ['that names no signer', { sequence: 6, x5u: 'absent' }, 'signer-missing'],
])('a list %s is refused, leaves the store in use and does not stop a new CRL', async (_, list, reason) => {
  const { service, stores } = start();
  await service.refresh();
  publishList(list);
  const problem = { part: 'list', reason, url: server.url('/list.jws') };
  expect(await service.refresh()).toMatchObject({ status: 'kept', problems: [problem] });
  publishCrl({ number: 6, revoked: [provider] });
  expect(await service.refresh()).toMatchObject({ status: 'renewed', problems: [problem] });
  expect(service.current()).toMatchObject({ source: { sequence: 5 }, anchors: [{ sha256: pki.root.sha256 }] });
  expect(stores.map(statusIn)).toEqual(['good', 'revoked']);
});

test('without a list there is no store, and the outcome is unavailable', async () => {
  publishList({ anchors: [] });
  const { service, stores } = start();
  expect(await service.refresh()).toMatchObject({ status: 'unavailable', problems: [{ reason: 'trust-list-empty' }] });
  expect(service.current()).toBeUndefined();
  expect(stores).toEqual([]);
});

test('the x5u of a list is fetched under the URL policy, so that no signer leads into a private network', async () => {
  for (const [x5u, reason] of [
    ['https://10.0.0.1/signer.pem', 'address-special-purpose'],
    [server.url('/signer.pem', 'http'), 'scheme-not-https'],
    [server.url('/gone.pem'), 'http-status'],
    [server.publish('/text.pem', 'hello'), 'body-malformed'],
  ] as const) {
    publishList({ x5u });
    const problem = { part: 'signer-chain', reason, url: x5u };
    expect(await start().service.refresh()).toMatchObject({ status: 'unavailable', problems: [problem] });
  }
});

test('takes a signer chain that is published as bare DER', async () => {
  publishList({ x5u: server.publish('/signer.crt', pki.stiPaSigner.der) });
  expect(await start().service.refresh()).toMatchObject({ status: 'renewed', problems: [] });
});

test('a CRL that is gone leaves the one in use, also without its signer and in the next service', async () => {
  const { service } = start();
  publishCrl({ number: 5, revoked: [provider] });
  await service.refresh();
  server.withdraw('/sti-pa.crl');
  server.withdraw('/crl-signer.crt');
  publishList({ sequence: 6 });
  expect(told(await service.refresh())).toBe('renewed, crl http-status');
  expect(service.current()?.source).toMatchObject({ sequence: 6 });
  expect(statusIn(service.current())).toBe('revoked');
  const { service: next } = start(currentOf(service));
  publishList({ sequence: 7 });
  expect(told(await next.refresh())).toBe('renewed, crl http-status');
  expect(statusIn(next.current())).toBe('revoked');
});

test.each<[string, () => string, string]>([
  ['older', () => publishCrl({ number: 4 }), 'older-than-known'],
  [
    'forged',
    () => publishCrl({ number: 6, signedBy: createTestKey(), authorityKeyIdentifier: 'absent' }),
    'signature-invalid',
  ],
  ['no CRL', () => server.publish('/sti-pa.crl', 'hello'), 'body-malformed'],
])('a CRL that is %s leaves the one in use', async (_, publish, reason) => {
  const { service, stores } = start();
  publishCrl({ number: 5, revoked: [provider] });
  await service.refresh();
  const url = publish();
  expect(await service.refresh()).toMatchObject({ status: 'kept', problems: [{ part: 'crl', reason, url }] });
  expect(stores.map(statusIn)).toEqual(['revoked']);
});

test('a CRL signer that is nowhere to be found leaves revocation unknown and says so', async () => {
  server.withdraw('/crl-signer.crt');
  const { service } = start();
  expect(told(await service.refresh())).toBe('renewed, crl-signer http-status, crl signer-not-found');
  expect(statusIn(service.current())).toBe('unknown');
});

test('tells that list and CRL in use have ended, and goes on with them', async () => {
  const { service } = start();
  await service.refresh();
  server.withdraw('/list.jws');
  server.withdraw('/sti-pa.crl');
  await service.close();
  services.length = 0;
  const { service: next } = start({ ...currentOf(service), clock: new ManualClock(pki.nowMs + DAY) });
  expect(told(await next.refresh())).toBe('kept, list http-status, crl http-status, list expired, crl out-of-date');
});

const currentOf = (service: TrustStoreRefresh): Partial<TrustStoreRefreshOptions> => {
  const current = service.current();
  return current === undefined ? {} : { current };
};

test('a store that was in use before is replaced by nothing older, and by the list where it came from files', async () => {
  const first = start();
  await first.service.refresh();
  publishList({ sequence: 4 });
  const second = start(currentOf(first.service));
  expect(told(await second.service.refresh())).toBe('kept, list sequence-rolled-back');
  expect(second.service.current()).toBe(first.service.current());
  const files = createTrustStore({ anchors: [parsed(pki.issueRoot())], source: { kind: 'files' } });
  const third = start({ current: files });
  expect(told(await third.service.refresh())).toBe('renewed');
  expect(third.service.current()?.source).toMatchObject({ sequence: 4 });
});

test('a restart begins with the last good list, CRL and signers of the cache, and does not go back behind them', async () => {
  const cachePath = directory.at('sti-pa-list.json');
  const first = start({ cachePath });
  publishCrl({ number: 5, revoked: [provider] });
  expect(told(await first.service.refresh())).toBe('renewed');
  for (const path of ['/list.jws', '/signer.pem', '/sti-pa.crl', '/crl-signer.crt']) server.withdraw(path);
  const second = start({ cachePath });
  expect(told(await second.service.refresh())).toBe('renewed, list http-status, crl http-status');
  expect(second.stores).toEqual([second.service.current()]);
  expect(second.service.current()?.source).toMatchObject({ sequence: 5 });
  expect(second.service.current()?.version).toBe(first.service.current()?.version);
  expect(statusIn(second.service.current())).toBe('revoked');
  expect(await readdir(directory.path)).toEqual(['sti-pa-list.json']);
  publishList({ sequence: 4, withX5c: true });
  const { service } = start({ cachePath });
  expect(told(await service.refresh())).toContain('list sequence-rolled-back');
  expect(service.current()?.source).toMatchObject({ sequence: 5 });
});

test('what a cache file holds is verified: neither damage nor a forged list is taken, and a good one replaces it', async () => {
  const cachePath = directory.at('sti-pa-list.json');
  await start({ cachePath }).service.refresh();
  const good = await readFile(cachePath, 'utf8');
  const { jws: forged } = pki.trustList({ sequence: 9, signedBy: createTestKey() });
  const cached = JSON.parse(good) as Record<string, unknown>;
  for (const [text, reason] of [
    [good.slice(0, 100), 'malformed'],
    [JSON.stringify({ ...cached, jws: forged }), 'signature-invalid'],
    [JSON.stringify({ ...cached, jws: pki.trustList({ exp: pki.nowMs / 1000, withX5c: true }).jws }), 'expired'],
  ] as const) {
    await writeFile(cachePath, text);
    const { service } = start({ cachePath });
    expect(await service.refresh()).toMatchObject({ status: 'renewed', problems: [{ part: 'cache', reason }] });
    expect(service.current()?.source).toMatchObject({ sequence: 5 });
    expect(await readFile(cachePath, 'utf8')).toBe(good);
  }
});

test('a cache that cannot be written or read costs nothing but a restart, and is written as soon as it can be', async () => {
  const cachePath = directory.at('later', 'sti-pa-list.json');
  const { service } = start({ cachePath });
  expect(told(await service.refresh())).toBe('renewed, cache not-written');
  expect(told(await service.refresh())).toBe('kept, cache not-written');
  await mkdir(directory.at('later'));
  expect(told(await service.refresh())).toBe('unchanged');
  expect(await readdir(directory.at('later'))).toEqual(['sti-pa-list.json']);
  expect(told(await start({ cachePath: directory.path }).service.refresh())).toMatch(/^renewed, cache unreadable/);
});

test('calls during a refresh share it, and one after it is another', async () => {
  const release = server.hold('/list.jws');
  const before = server.requests('/list.jws');
  const { service } = start();
  const calls = Array.from({ length: 100 }, () => service.refresh());
  await server.requested('/list.jws', before + 1);
  release();
  expect(new Set(await Promise.all(calls)).size).toBe(1);
  await service.refresh();
  expect(server.requests('/list.jws')).toBe(before + 2);
});

test('begins of itself, comes again after the interval, and closes with no timer left', async () => {
  const before = server.requests('/list.jws');
  const { service, stores } = start({ intervalMs: 2 * HOUR });
  clock.advance(0);
  await expect.poll(() => stores.length).toBe(1);
  await service.refresh();
  publishList({ sequence: 6 });
  clock.advance(2 * HOUR - 1);
  expect(server.requests('/list.jws')).toBe(before + 2);
  clock.advance(1);
  await expect.poll(() => stores.length).toBe(2);
  await service.close();
  expect(clock.pendingTimers()).toBe(0);
  clock.advance(DAY);
  expect(await service.refresh()).toEqual({ status: 'closed', problems: [] });
  expect(server.requests('/list.jws')).toBe(before + 3);
});

test.each(['/list.jws', '/signer.pem', '/sti-pa.crl', '/crl-signer.crt'])(
  'close during the fetch of %s ends it at once, with no store, no problem, no socket and no timer',
  async (path) => {
    server.hold(path);
    const { service, stores, problems } = start({ deadlineMs: 60_000, cachePath: directory.at('list.json') });
    const count = server.requests(path);
    const refresh = service.refresh();
    await server.requested(path, count + 1);
    await service.close();
    expect(await refresh).toEqual({ status: 'closed', problems: [] });
    expect({ stores, problems }).toEqual({ stores: [], problems: [] });
    expect(clock.pendingTimers()).toBe(0);
    await server.idle();
    expect(await readdir(directory.path)).toEqual([]);
    server.hold(path)();
  },
);

test('a service that is closed by whom it hands the store to leaves no timer', async () => {
  const { service } = start({ onTrustStore: () => void service.close() });
  expect(await service.refresh()).toEqual({ status: 'closed', problems: [] });
  expect(clock.pendingTimers()).toBe(0);
});

test('a listener, generator or fetch that fails stops no refresh', async () => {
  const throwing = (): never => {
    throw new Error('broken');
  };
  const rejecting = (() => Promise.reject(new Error('broken'))) as () => void;
  for (const listener of [throwing, rejecting]) {
    const crlUrls = [server.url('/gone.crl')];
    const { service } = start({ onTrustStore: listener, onProblem: listener, random: throwing, crlUrls });
    expect((await service.refresh()).status).toBe('renewed');
  }
  const { service } = start({ fetch: () => Promise.reject(new Error('broken')) });
  expect(told(await service.refresh())).toMatch(/^unavailable, list connect-failed, crl /);
  const { service: nothing } = start({ fetch: () => Promise.resolve(undefined as never) });
  expect(told(await nothing.refresh())).toMatch(/^unavailable, list \S+, crl /);
  expect(told(await nothing.refresh())).toMatch(/^unavailable, list \S+, crl /);
  const { service: timeless } = start({ clock: { nowMs: () => Number.NaN } });
  expect(told(await timeless.refresh())).toBe('unavailable, clock no-time');
});
