import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ManualClock, TestPki, type TestCertificate } from '@hopback/sdk/testing';
import { afterAll, expect, test } from 'vitest';
import { withCode } from '../support/code-of.js';
import {
  createTrustStore,
  loadTrustStore,
  verifyTrustStore,
  type TrustStore,
} from '../../sdk/src/stir/certificates/trust-store.js';
import { garbageCollector } from '../support/garbage-collector.js';
import { parsed, parsedCrl } from './certificates-parsed.js';
import type { CertificateRevocationList } from '../../sdk/src/stir/certificates/crl.js';
import { createRevocationSet } from '../../sdk/src/stir/certificates/revocation.js';
import {
  TRUST_STORE_RECORD_MAX_CHARS,
  TrustStoreRefresh,
  lapsesOf,
  readTrustStoreRecord,
  refreshDelayMs,
  writeTrustStoreRecord,
  type RefreshPlan,
  type TrustStoreRecord,
  type TrustStoreRefreshOptions,
} from '../../sdk/src/stir/certificates/trust-store-refresh.js';

const pki = new TestPki();
const clock = new ManualClock(pki.nowMs);
const folder = await mkdtemp(join(tmpdir(), 'hopback-trust-store-'));
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function file(content: string | Uint8Array, name = `${(files += 1)}.pem`): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

test('a trust store without an anchor is refused', () => {
  expect(() => createTrustStore({ anchors: [], source: { kind: 'files' } })).toThrow(withCode('trust-list-rejected'));
});

test('a trust store with an anchor that is no CA is refused', () => {
  const anchors = [parsed(pki.issueServiceProvider({ spc: '709J' }))];
  expect(() => createTrustStore({ anchors, source: { kind: 'files' } })).toThrow(withCode('trust-list-rejected'));
});

test('the version follows the content, not the order', () => {
  const source = { kind: 'files' } as const;
  const [one, two] = [parsed(pki.root), parsed(pki.issueRoot())];
  const version = createTrustStore({ anchors: [one, two], source }).version;
  expect(createTrustStore({ anchors: [two, one, one], source }).version).toBe(version);
  expect(createTrustStore({ anchors: [two], source }).version).not.toBe(version);
  expect(createTrustStore({ anchors: [one], intermediates: [two], source }).version).not.toBe(version);
});

test('loads anchors from PEM bundles, DER files and directories', async () => {
  const [one, two, three] = [pki.issueRoot(), pki.issueRoot(), pki.issueRoot()];
  const directory = join(folder, 'anchors');
  await mkdir(directory);
  await writeFile(join(directory, 'three.crt'), three.certificatePem);
  await writeFile(join(directory, 'README'), 'not a certificate');
  const paths = [await file(one.certificatePem + two.certificatePem), await file(pki.root.der), directory];
  const store = await loadTrustStore({ anchors: { kind: 'files', paths } }, { clock });
  expect(store.anchors.map(({ sha256 }) => sha256)).toEqual([one, two, pki.root, three].map(({ sha256 }) => sha256));
  expect(store.source).toEqual({ kind: 'files' });
});

test('loads nothing by a clock that gives no time: an expired list would count', async () => {
  const anchors = { kind: 'files', paths: [await file(pki.root.certificatePem)] } as const;
  await expect(loadTrustStore({ anchors }, { clock: { nowMs: () => Number.NaN } })).rejects.toMatchObject({
    code: 'invalid-configuration',
  });
});

test('loads the signed list with intermediates and the indirect CRL, and judges with it', async () => {
  const revoked = pki.issueServiceProvider({ spc: '709J' });
  const store = await loadTrustStore(
    {
      anchors: {
        kind: 'sti-pa-list',
        path: await file(pki.trustList({ sequence: 3 }).jws),
        signerChainPath: await file(pki.stiPaSigner.chainPem),
      },
      stiPaRoots: [await file(pki.stiPaRoot.certificatePem)],
      intermediates: [await file(pki.intermediate.certificatePem)],
      crls: [await file(pki.crl({ revoked: [revoked] }).der)],
      crlSigners: [await file(pki.stiPaCrlIssuer.certificatePem)],
    },
    { clock },
  );
  expect(store).toMatchObject({
    source: { kind: 'sti-pa-list', sequence: 3, expMs: pki.nowMs + 86_400_000 },
    revocation: { refused: [] },
  });
  expect(store.intermediates.map(({ sha256 }) => sha256)).toEqual([pki.intermediate.sha256]);
  expect(store.revocation.lookup(parsed(revoked), parsed(pki.intermediate), pki.nowMs).status).toBe('revoked');
});

test('a reload does not go back to an older list or an older CRL', async () => {
  const stiPaRoots = [await file(pki.stiPaRoot.certificatePem)];
  const crlSigners = [await file(pki.stiPaCrlIssuer.certificatePem)];
  const load = async (sequence: number, number: number, previous?: Awaited<ReturnType<typeof loadTrustStore>>) =>
    loadTrustStore(
      {
        anchors: { kind: 'sti-pa-list', path: await file(pki.trustList({ sequence, withX5c: true }).jws) },
        stiPaRoots,
        crls: [await file(pki.crl({ number }).pem)],
        crlSigners,
      },
      { clock, ...(previous && { previous }) },
    );
  const store = await load(5, 5);
  await expect(load(4, 6, store)).rejects.toThrow(withCode('trust-list-rejected'));
  const reloaded = await load(6, 4, store);
  expect(reloaded.revocation.crls.map(({ crl }) => crl.number)).toEqual([5n]);
  expect(reloaded.revocation.refused.map(({ reason }) => reason)).toEqual(['older-than-known']);
});

test('a file that is missing fails with storage-failed, one that is wrong with trust-list-rejected', async () => {
  const load = (path: string) => loadTrustStore({ anchors: { kind: 'files', paths: [path] } }, { clock });
  await expect(load(join(folder, 'missing.pem'))).rejects.toThrow(withCode('storage-failed'));
  await expect(load(await file('hello'))).rejects.toThrow(withCode('trust-list-rejected'));
  await expect(load(await file(' '.repeat(1024 * 1024 + 1)))).rejects.toThrow(withCode('trust-list-rejected'));
  const anchors = { kind: 'files', paths: [await file(pki.root.certificatePem)] } as const;
  await expect(loadTrustStore({ anchors, crls: [await file('hello')] }, { clock })).rejects.toThrow(
    withCode('trust-list-rejected'),
  );
});

test('loads PEM that begins with a byte order mark or with the digit that DER begins with', async () => {
  const other = pki.issueRoot();
  const paths = [
    await file(`\ufeff${pki.root.certificatePem}\ufeff${pki.intermediate.certificatePem}`),
    await file(`0 s:CN=ROOT\n${other.certificatePem}`),
  ];
  const store = await loadTrustStore({ anchors: { kind: 'files', paths } }, { clock });
  expect(store.anchors.map(({ sha256 }) => sha256)).toEqual(
    [pki.root, pki.intermediate, other].map(({ sha256 }) => sha256),
  );
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const URL_1 = 'https://sti-pa.example.com/list.jws';

/** A store whose list, and whose CRL if there is one, end so long from now. */
function store(endsInMs: { readonly list: number; readonly crl?: number }): TrustStore {
  const { list, crl } = endsInMs;
  const crls = crl === undefined ? [] : [parsedCrl(pki.crl({ nextUpdateMs: pki.nowMs + crl }))];
  return createTrustStore({
    anchors: [parsed(pki.root)],
    source: { kind: 'sti-pa-list', sequence: 1, expMs: pki.nowMs + list },
    revocation: createRevocationSet(crls, {
      atMs: pki.nowMs,
      issuers: [],
      stiPaRoots: [parsed(pki.stiPaRoot)],
      signers: [parsed(pki.stiPaCrlIssuer)],
    }),
  });
}

const delay = (plan: Partial<RefreshPlan>): number =>
  refreshDelayMs({ nowMs: pki.nowMs, trustStore: undefined, failures: 0, intervalMs: HOUR, chance: 0, ...plan });

test('comes again after the interval while list and CRL last longer than two of them', () => {
  expect(delay({ trustStore: store({ list: DAY, crl: DAY }) })).toBe(HOUR);
  expect(delay({})).toBe(HOUR);
});

test('comes again after half of what is left of the list or of a CRL, and no sooner than a minute', () => {
  expect(delay({ trustStore: store({ list: HOUR }) })).toBe(HOUR / 2);
  expect(delay({ trustStore: store({ list: DAY, crl: HOUR }) })).toBe(HOUR / 2);
  expect(delay({ trustStore: store({ list: 90_000 }) })).toBe(MINUTE);
});

test('does not hurry for what has ended already, nor where there is no time', () => {
  expect(delay({ trustStore: store({ list: 0, crl: -MINUTE }) })).toBe(HOUR);
  expect(delay({ trustStore: store({ list: HOUR }), nowMs: undefined })).toBe(HOUR);
});

test.each([
  [1, MINUTE],
  [2, 2 * MINUTE],
  [6, 32 * MINUTE],
  [7, HOUR],
  [10_000, HOUR],
])('waits after %i failures in a row: %i ms', (failures, waitMs) => {
  expect(delay({ failures })).toBe(waitMs);
});

test('chance takes up to a tenth off, and nothing where it is no number from 0 to 1', () => {
  expect([0, 0.5, 1, -1, 7, Number.NaN].map((chance) => delay({ chance }) / MINUTE)).toEqual([60, 57, 54, 60, 60, 60]);
});

test('tells a list and a CRL that have ended from the millisecond on, however late a list ends', () => {
  const lapsed = (trustStore: TrustStore, nowMs: number): readonly string[] =>
    lapsesOf(trustStore, { nowMs, url: URL_1 }).map(({ part, reason }) => `${part} ${reason}`);
  const trustStore = store({ list: DAY, crl: HOUR });
  expect(lapsed(trustStore, pki.nowMs + HOUR - 1)).toEqual([]);
  expect(lapsed(trustStore, pki.nowMs + HOUR)).toEqual(['crl out-of-date']);
  expect(lapsed(trustStore, pki.nowMs + DAY)).toEqual(['list expired', 'crl out-of-date']);
  expect(lapsed(store({ list: 1e17 }), 2e17)).toEqual(['list expired']);
});

const record = (): TrustStoreRecord => ({
  jws: pki.trustList().jws,
  signerChain: [parsed(pki.stiPaSigner)],
  crls: [parsedCrl(pki.crl())],
  crlSigners: [parsed(pki.stiPaCrlIssuer)],
});

test('a record is read back as it was written', () => {
  const hashes = ({ signerChain = [], crls, crlSigners }: TrustStoreRecord): readonly string[] =>
    [...signerChain, ...crls, ...crlSigners].map(({ sha256 }) => sha256);
  const { jws } = record();
  for (const written of [
    { ...record(), jws },
    { jws, crls: [], crlSigners: [] },
  ]) {
    const read = readTrustStoreRecord(writeTrustStoreRecord(written));
    expect(read?.jws).toBe(jws);
    expect(read && hashes(read)).toEqual(hashes(written));
  }
});

test('a record is read as releases before wrote it', () => {
  const base64 = ({ der }: { readonly der: Uint8Array }): string => Buffer.from(der).toString('base64');
  const { jws } = pki.trustList();
  const text = JSON.stringify({
    format: 'hopback.sti-pa-list.1',
    jws,
    signerChain: [base64(pki.stiPaSigner)],
    crls: [base64(pki.crl())],
    crlSigners: [base64(pki.stiPaCrlIssuer)],
  });
  const read = readTrustStoreRecord(text);
  expect(read).toMatchObject({
    jws,
    signerChain: [{ sha256: pki.stiPaSigner.sha256 }],
    crlSigners: [{ sha256: pki.stiPaCrlIssuer.sha256 }],
  });
  expect(read && writeTrustStoreRecord(read)).toBe(text);
});

test.each<[string, Readonly<Record<string, unknown>>]>([
  ['another format', { format: 'hopback.certificate-chain.1' }],
  ['no list', { jws: undefined }],
  ['a list that is too long', { jws: 'a'.repeat(1024 * 1024 + 1) }],
  ['a signer that is no certificate', { signerChain: ['MIIB'] }],
  ['a CRL that is none', { crls: ['MIIB'] }],
  ['more CRLs than a set takes', { crls: Array.from({ length: 65 }, () => '') }],
])('a record with %s is not read', (_, change) => {
  const whole = JSON.parse(writeTrustStoreRecord(record())) as Record<string, unknown>;
  expect(readTrustStoreRecord(JSON.stringify({ ...whole, ...change }))).toBeUndefined();
});

test.each(['', 'null', '7', '[]', '{}', '{'])('%j is no record', (text) => {
  expect(readTrustStoreRecord(text)).toBeUndefined();
  expect(readTrustStoreRecord(text + ' '.repeat(TRUST_STORE_RECORD_MAX_CHARS))).toBeUndefined();
});

const serviceWith = (own: ManualClock, change: Partial<TrustStoreRefreshOptions>): TrustStoreRefresh =>
  new TrustStoreRefresh({
    listUrl: URL_1,
    stiPaRoots: [parsed(pki.stiPaRoot)],
    onTrustStore: () => undefined,
    clock: own,
    schedule: own.schedule,
    random: () => 0,
    ...change,
  });

test.each<[string, Partial<TrustStoreRefreshOptions>]>([
  ['a list over http', { listUrl: 'http://sti-pa.example.com/list.jws' }],
  ['a list in a private network', { listUrl: 'https://10.0.0.1/list.jws' }],
  ['a CRL over ftp', { crlUrls: ['ftp://sti-pa.example.com/crl'] }],
  ['nine CRLs', { crlUrls: Array.from({ length: 9 }, () => 'http://sti-pa.example.com/crl') }],
  ['no root', { stiPaRoots: [] }],
  ['an interval below a minute', { intervalMs: MINUTE - 1 }],
  ['no time to fetch', { deadlineMs: 0 }],
  ['an allowed network that is none', { allow: { addresses: ['10.0.0.0/40'] } }],
])('a service is not made with %s, and leaves no timer', (_, change) => {
  const own = new ManualClock();
  expect(() => serviceWith(own, change)).toThrow(withCode('invalid-argument'));
  expect(own.pendingTimers()).toBe(0);
});

test('start reads the roots from files and waits for the first list, and says why there is none', async () => {
  const own = new ManualClock(pki.nowMs);
  const { jws } = pki.trustList({ withX5c: true });
  const answers = new Map([['https://sti-pa.example.com/list.jws', jws]]);
  const options = {
    listUrl: 'https://sti-pa.example.com/list.jws',
    stiPaRoots: [await file(pki.stiPaRoot.certificatePem)],
    clock: own,
    schedule: own.schedule,
    fetch: async (url: string) => {
      const body = answers.get(url);
      if (body === undefined) return { status: 'failed', url, reason: 'http-status', detail: 'HTTP 503' } as const;
      return { status: 'fetched', url, body: Buffer.from(body), headers: {}, remoteAddress: '192.0.2.1' } as const;
    },
  };
  const trust = await TrustStoreRefresh.start(options);
  expect(trust.current()?.anchors.map(({ sha256 }) => sha256)).toEqual([pki.root.sha256]);
  await trust.close();
  answers.clear();
  await expect(TrustStoreRefresh.start(options)).rejects.toThrow('list http-status (HTTP 503)');
  await expect(TrustStoreRefresh.start(options)).rejects.toThrow(withCode('unavailable'));
  const current = trust.current();
  // What was in use before counts until there is something newer.
  if (current !== undefined) {
    const cachePath = join(folder, 'list-not-at-hand.json');
    const kept = await TrustStoreRefresh.start({ ...options, current, cachePath });
    expect(await kept.refresh()).toMatchObject({ status: 'kept', problems: [{ part: 'list' }] });
    await kept.close();
    await expect(readFile(cachePath)).rejects.toThrow('ENOENT');
  }
  await expect(TrustStoreRefresh.start({ ...options, stiPaRoots: ['/nowhere/root.pem'] })).rejects.toThrow(
    withCode('storage-failed'),
  );
  expect(own.pendingTimers()).toBe(0);
});

test('start gives what the cache holds while the network is silent, and options that are undefined are as if left out', async () => {
  const { jws } = pki.trustList({ withX5c: true });
  const cachePath = join(folder, 'cache.json');
  const options = {
    listUrl: 'https://sti-pa.example.com/list.jws',
    stiPaRoots: [parsed(pki.stiPaRoot)],
    ...({ clock, cachePath, schedule: undefined, random: undefined } as object),
  };
  const fetched = { url: options.listUrl, body: Buffer.from(jws), headers: {}, remoteAddress: '192.0.2.1' };
  const first = await TrustStoreRefresh.start({
    ...options,
    fetch: () => Promise.resolve({ status: 'fetched', ...fetched }),
  });
  await first.refresh();
  await first.close();
  const told: TrustStore[] = [];
  const silent = await TrustStoreRefresh.start({
    ...options,
    fetch: (_url, { signal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('closed')))),
    onTrustStore: (one) => void told.push(one),
  });
  expect(told).toEqual([silent.current()]);
  await silent.close();
});

test('a service that is closed before its first refresh fetches nothing', async () => {
  const own = new ManualClock();
  const fetched: string[] = [];
  const service = serviceWith(own, {
    fetch: (url) => {
      fetched.push(url);
      return Promise.reject(new Error('closed'));
    },
  });
  await service.close();
  own.advance(DAY);
  expect(await service.refresh()).toEqual({ status: 'closed', problems: [] });
  expect({ fetched, timers: own.pendingTimers() }).toEqual({ fetched: [], timers: 0 });
});

test.each(['indirect', 'direct'] as const)(
  'a list whose signer an %s CRL beside it revokes is not taken, and the one before stays',
  async (kind) => {
    const root = kind === 'direct' ? pki.issueRoot({ signsCrls: true }) : pki.stiPaRoot;
    const signer = kind === 'direct' ? pki.issueServiceProvider({ spc: '709J', issuer: root }) : pki.stiPaSigner;
    const own = new ManualClock(pki.nowMs);
    const served = { sequence: 1, revoked: [] as TestCertificate[] };
    const stores: TrustStore[] = [];
    const service = serviceWith(own, {
      crlUrls: ['http://sti-pa.example.com/crl'],
      stiPaRoots: [parsed(root)],
      crlSigners: [parsed(pki.stiPaCrlIssuer)],
      onTrustStore: (trustStore) => void stores.push(trustStore),
      fetch: (url) => {
        const { sequence, revoked } = served;
        const crl = { number: sequence, revoked, ...(kind === 'direct' && { kind, issuer: root }) };
        const body = url === URL_1 ? pki.trustList({ sequence, signer, withX5c: true }).jws : pki.crl(crl).der;
        return Promise.resolve({
          status: 'fetched',
          url,
          body: Buffer.from(body),
          headers: {},
          remoteAddress: '192.0.2.1',
        });
      },
    });
    expect((await service.refresh()).problems).toEqual([]);
    Object.assign(served, { sequence: 2, revoked: [signer] });
    const { problems } = await service.refresh();
    expect(problems).toMatchObject([{ part: 'list', reason: 'signer-not-trusted', detail: 'certificate-revoked' }]);
    const current = stores.at(-1);
    expect(current?.source).toMatchObject({ kind: 'sti-pa-list', sequence: 1 });
    expect(current?.revocation.crls.map(({ crl }) => crl.number)).toEqual([2n]);
    await service.close();
  },
);

test('of twenty CRLs that replaced each other the last two are in memory', async () => {
  const seen: WeakRef<object>[] = [];
  let previous: TrustStore | undefined;
  for (let number = 1; number <= 20; number += 1) {
    previous = await withCrl(parsedCrl(pki.crl({ number })), previous, seen);
    // A reference that was looked at lives until the turn is over.
    await setImmediate();
  }
  garbageCollector()();
  expect(seen.filter((reference) => reference.deref() !== undefined).length).toBeLessThanOrEqual(2);
  expect(previous?.revocation.crls.map(({ crl }) => crl.number)).toEqual([20n]);
});

async function withCrl(
  crl: CertificateRevocationList,
  previous: TrustStore | undefined,
  seen: WeakRef<object>[],
): Promise<TrustStore> {
  seen.push(new WeakRef(crl));
  const result = await verifyTrustStore(
    {
      anchors: { kind: 'certificates', certificates: [parsed(pki.root)], source: { kind: 'files' } },
      stiPaRoots: [parsed(pki.stiPaRoot)],
      intermediates: [],
      crls: [crl],
      crlSigners: [parsed(pki.stiPaCrlIssuer)],
    },
    { atMs: pki.nowMs, previous },
  );
  if (result.status === 'rejected') throw new Error(result.reason);
  return result.trustStore;
}
