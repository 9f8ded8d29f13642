import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readFilings } from '../../harness/src/platform/domain/providers/index.js';
import { createTestKey } from '../../sdk/src/testing/test-key.js';
import { STAFF } from '../support/itg-calls.js';
import { filingsCsv, openRegistry, registryClaims, WRONG_CALLS } from '../support/itg-registry-claims.js';
import type { OpenedRegistry } from '../support/itg-registry-claims.js';

let filings: OpenedRegistry;

beforeAll(async () => {
  filings = await openRegistry();
});
beforeEach(async () => {
  await filings.reset();
});
afterAll(() => filings.database.close());

test('a registry is imported, keeps what it said before, and knows whom a reference means', () =>
  registryClaims(filings));

test('lines that cannot be taken are named with their reason, and the others are taken', () => {
  const csv = [
    'frn,business_name,implementation,last_updated,removed_on,removal_reason,ocn',
    '1,Good LLC,Complete,2026-01-02,,,903C',
    ',Nameless number,Complete,,,,',
    '12345678901,Too long a number,None,,,,',
    '2,,None,,,,',
    '3,"Two\nlines",None,,,,',
    '1,Again LLC,None,,,,',
    '4,Bad date,None,2026-02-30,,,',
    '5,Bad code,None,,,,TOOLONG',
    '6,No reason,None,,2026-08-06,,',
    '7,Too many cells,None,,,,,,,,',
    '8,Removed LLC,None,,08/06/2026,Deficient filing,',
  ].join('\n');
  const reading = readFilings(csv);
  expect(reading.status === 'read' && reading.filings.map(({ line, frn }) => [line, frn])).toEqual([
    [2, '0000000001'],
    [6, '0000000003'],
    [13, '0000000008'],
  ]);
  expect(reading.status === 'read' && reading.rejected).toEqual([
    { line: 3, reason: 'frn-missing', column: 'frn' },
    { line: 4, reason: 'frn-invalid', column: 'frn' },
    { line: 5, reason: 'business-name-missing', column: 'business_name' },
    { line: 8, reason: 'frn-repeated', column: 'frn' },
    { line: 9, reason: 'cell-invalid', column: 'last_updated' },
    { line: 10, reason: 'cell-invalid', column: 'ocn' },
    { line: 11, reason: 'cell-invalid', column: 'removal_reason' },
    { line: 12, reason: 'line-unreadable' },
  ]);
});

test('what a file has no column for stays, and what it empties goes', async () => {
  const { calls } = filings;
  const order = (csv: string) => calls.post(STAFF, '/v1/registry/imports', { csv, source: 'RMD' });
  await order('frn,business_name,ocn,certified_24_hours_on\n1,Good LLC,903C,2026-02-27');
  await order('frn,business_name,implementation\n1,Good LLC,Partial');
  const kept = await calls.get(STAFF, '/v1/providers/prv-0000000001');
  expect([kept.ocns, kept.certified24HoursOn, kept.implementation]).toEqual([['903C'], '2026-02-27', 'partial']);
  await order('frn,business_name,certified_24_hours_on\n1,Good LLC,');
  expect((await calls.get(STAFF, '/v1/providers/prv-0000000001')).certified24HoursOn).toBeUndefined();
});

test('7,100 filings are imported, and once more nothing of them changes', async () => {
  const csv = filingsCsv(7_100);
  const report = await filings.calls.post(STAFF, '/v1/registry/imports', { csv, source: 'RMD' });
  expect(report).toMatchObject({ added: 7_100, rejected: 0 });
  expect(await filings.calls.post(STAFF, '/v1/registry/imports', { csv, source: 'RMD' })).toMatchObject({
    unchanged: 7_100,
  });
});

test('a key that is replaced stays for answers from before', async () => {
  const { calls, context, area } = filings;
  await calls.post(STAFF, '/v1/registry/imports', { csv: filingsCsv(1), source: 'RMD' });
  const jwk = (kid: string) => ({
    ...createTestKey().publicKeyJwk,
    kid,
  });
  const path = '/v1/registry/providers/prv-0000000001/answer-keys';
  const old = jwk('old');
  await calls.post(STAFF, path, { jwk: old });
  await calls.post(STAFF, path, { jwk: old });
  expect(await calls.code(STAFF, 'POST', [path, { jwk: jwk('old') }])).toBe('conflict');
  context.clock.advance(1_000);
  await calls.post(STAFF, path, { jwk: jwk('new'), othersEndAt: '2026-12-01T00:00:00Z' });
  const kept = await area.directory.provider(context.database, 'prv-0000000001');
  expect(kept?.answerKeys.map((key) => [key.jwk['kid'], key.untilMs])).toEqual([
    ['old', Date.UTC(2026, 11, 1)],
    ['new', undefined],
  ]);
  const pair = createTestKey().privateKeyJwk;
  expect(await calls.code(STAFF, 'POST', [path, { jwk: { ...pair, kid: 'secret' } }])).toBe('invalid-body');
  // A key that is for something else would verify nothing, and is not taken.
  for (const other of [{ alg: 'EdDSA' }, { alg: 'ES384' }, { use: 'enc' }])
    expect(await calls.code(STAFF, 'POST', [path, { jwk: { ...jwk('other'), ...other } }])).toBe('invalid-body');
  const edwards = createTestKey('Ed25519').publicKeyJwk;
  for (const alg of ['EdDSA', 'Ed25519'])
    await calls.post(STAFF, path, { jwk: { ...edwards, kid: alg, alg, use: 'sig' } });
});

test('a removal and its end stand in the entry, its history and the audit', async () => {
  const { calls, context } = filings;
  await calls.post(STAFF, '/v1/registry/imports', { csv: filingsCsv(1), source: 'RMD' });
  const path = '/v1/registry/providers/prv-0000000001';
  context.clock.advance(1);
  await calls.post(STAFF, `${path}/removal`, { removedOn: '2026-08-06', reason: 'Deficient filing.' });
  context.clock.advance(1);
  const back = await calls.post(STAFF, `${path}/reinstatement`, { reason: 'Cured.' });
  expect(back.removal).toBeUndefined();
  expect((await calls.get(STAFF, `${path}/versions`)).items).toHaveLength(3);
  expect((await context.audited()).map(({ action }) => action)).toEqual([
    'registry.imported',
    'provider.removed',
    'provider.reinstated',
  ]);
});

test('an entry that takes the number of another provider is a conflict', async () => {
  const { calls } = filings;
  await calls.post(STAFF, '/v1/registry/imports', { csv: filingsCsv(2), source: 'RMD' });
  const entry = await calls.get(STAFF, '/v1/providers/prv-0000000001');
  const path = '/v1/registry/providers/prv-0000000002';
  expect(await calls.code(STAFF, 'POST', [path, { ...entry, providerId: 'prv-0000000002' }])).toBe('conflict');
  expect(await calls.code(STAFF, 'POST', [path, entry])).toBe('invalid-body');
});

test('what is wrong is said by its code', async () => {
  for (const [path, body, code] of WRONG_CALLS)
    expect([path, await filings.calls.code(STAFF, 'POST', [path, body])]).toEqual([path, code]);
  for (const path of [
    '/v1/providers?cursor=x',
    '/v1/outages?cursor=bnVsbA',
    '/v1/scorecards?from=2027-01-01T00:00:00Z',
  ])
    expect([path, await filings.calls.code(STAFF, 'GET', [path])]).toEqual([path, 'invalid-parameter']);
});
