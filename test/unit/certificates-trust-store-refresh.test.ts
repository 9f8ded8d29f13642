import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createManualClock, createTestPki } from '@hopback/sdk/testing';
import type { ManualClock, TestCertificate, TestPki } from '@hopback/sdk/testing';
import { beforeAll, expect, test } from 'vitest';
import type { CertificateRevocationList } from '../../sdk/src/stir/certificates/crl.js';
import { createRevocationSet } from '../../sdk/src/stir/certificates/revocation.js';
import {
  TRUST_STORE_RECORD_MAX_CHARS,
  readTrustStoreRecord,
  writeTrustStoreRecord,
} from '../../sdk/src/stir/certificates/trust-store-renewal.js';
import type { TrustStoreRecord } from '../../sdk/src/stir/certificates/trust-store-renewal.js';
import {
  createTrustStoreRefresh,
  lapsesOf,
  refreshDelayMs,
} from '../../sdk/src/stir/certificates/trust-store-refresh.js';
import type {
  RefreshPlan,
  TrustStoreRefreshOptions,
  TrustStoreRefreshService,
} from '../../sdk/src/stir/certificates/trust-store-refresh.js';
import { createTrustStore, verifyTrustStore } from '../../sdk/src/stir/certificates/trust-store.js';
import type { TrustStore } from '../../sdk/src/stir/certificates/trust-store.js';
import { parsed, parsedCrl } from './certificates-parsed.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const URL_1 = 'https://sti-pa.example.com/list.jws';

let pki: TestPki;
beforeAll(async () => {
  pki = await createTestPki();
});

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

test('chance takes up to a tenth off, and nothing where it is no number', () => {
  expect([0, 0.5, 1, -1, 7, Number.NaN].map((chance) => delay({ chance }) / MINUTE)).toEqual([60, 57, 54, 60, 54, 60]);
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

test.each<[string, Readonly<Record<string, unknown>>]>([
  ['another format', { format: 'hopback.certificate-chain.1' }],
  ['no list', { jws: undefined }],
  ['a list that is too long', { jws: 'a'.repeat(1024 * 1024 + 1) }],
  ['a signer that is no certificate', { signerChain: ['MIIB'] }],
  ['no CRLs', { crls: undefined }],
  ['a CRL that is none', { crls: ['MIIB'] }],
  ['a CRL in another type', { crls: [7] }],
  ['more CRLs than a set takes', { crls: Array.from({ length: 65 }, () => '') }],
  ['CRL signers that are no list', { crlSigners: {} }],
])('a record with %s is not read', (_, change) => {
  const whole = JSON.parse(writeTrustStoreRecord(record())) as Record<string, unknown>;
  expect(readTrustStoreRecord(JSON.stringify({ ...whole, ...change }))).toBeUndefined();
});

test.each(['', 'null', '7', '[]', '{}', '{'])('%j is no record', (text) => {
  expect(readTrustStoreRecord(text)).toBeUndefined();
  expect(readTrustStoreRecord(text + ' '.repeat(TRUST_STORE_RECORD_MAX_CHARS))).toBeUndefined();
});

const serviceWith = (clock: ManualClock, change: Partial<TrustStoreRefreshOptions>): TrustStoreRefreshService =>
  createTrustStoreRefresh({
    listUrl: URL_1,
    stiPaRoots: [parsed(pki.stiPaRoot)],
    onTrustStore: () => undefined,
    clock,
    schedule: clock.schedule,
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
  ['an interval above a day', { intervalMs: DAY + 1 }],
  ['an interval that is no number', { intervalMs: Number.NaN }],
  ['no time to fetch', { deadlineMs: 0 }],
  ['an allowed network that is none', { allow: { addresses: ['10.0.0.0/40'] } }],
])('a service is not made with %s, and leaves no timer', (_, change) => {
  const clock = createManualClock();
  expect(() => serviceWith(clock, change)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect(clock.pendingTimers()).toBe(0);
});

test('a service that is closed before its first refresh fetches nothing', async () => {
  const clock = createManualClock();
  const fetched: string[] = [];
  const service = serviceWith(clock, {
    fetch: (url) => {
      fetched.push(url);
      return Promise.reject(new Error('closed'));
    },
  });
  await service.close();
  clock.advance(DAY);
  expect(await service.refresh()).toEqual({ status: 'closed', problems: [] });
  expect({ fetched, timers: clock.pendingTimers() }).toEqual({ fetched: [], timers: 0 });
});

test.each(['indirect', 'direct'] as const)(
  'a list whose signer an %s CRL beside it revokes is not taken, and the one before stays',
  async (kind) => {
    const root = kind === 'direct' ? pki.issueRoot({ signsCrls: true }) : pki.stiPaRoot;
    const signer = kind === 'direct' ? pki.issueServiceProvider({ spc: '709J', issuer: root }) : pki.stiPaSigner;
    const clock = createManualClock(pki.nowMs);
    const served = { sequence: 1, revoked: [] as TestCertificate[] };
    const stores: TrustStore[] = [];
    const service = serviceWith(clock, {
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
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const seen: WeakRef<object>[] = [];
  let previous: TrustStore | undefined;
  for (let number = 1; number <= 20; number += 1) {
    previous = await withCrl(parsedCrl(pki.crl({ number })), previous, seen);
    // A reference that was looked at lives until the turn is over.
    await setImmediate();
  }
  collectGarbage();
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
