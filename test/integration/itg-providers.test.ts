import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readFilings } from '../../harness/src/platform/domain/providers/read-filings.js';
import { TEST_NOW_MS } from '../../sdk/src/testing/manual-clock.js';
import { createTestKey } from '../../sdk/src/testing/test-key.js';
import { STAFF, type Json } from '../support/itg-calls.js';
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

test('a field that a file has no column for stays, and an empty cell removes it', async () => {
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
  const jwk = (kid: string) => ({ ...createTestKey().publicKeyJwk, kid });
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

test('a wrong call is refused with the code of its problem', async () => {
  for (const [path, body, code] of WRONG_CALLS)
    expect([path, await filings.calls.code(STAFF, 'POST', [path, body])]).toEqual([path, code]);
  const cursors = ['/v1/providers?cursor=x', '/v1/outages?cursor=bnVsbA'];
  for (const path of [...cursors, '/v1/scorecards?from=2027-01-01T00:00:00Z'])
    expect([path, await filings.calls.code(STAFF, 'GET', [path])]).toEqual([path, 'invalid-parameter']);
});

const HOUR = 3_600_000;
const ID = 'prv-0000000001';
const OTHER = 'prv-0000000002';
const CARRIER = { kind: 'carrier', organizationId: ID } as const;
const AGENCY = { kind: 'agency', organizationId: 'ag-tx' } as const;

/** Imports three providers, of which the first leaves its 24 requests unanswered and the second answers its own. */
async function importAsked(): Promise<void> {
  await filings.calls.post(STAFF, '/v1/registry/imports', { csv: filingsCsv(3), source: 'RMD' });
  for (let index = 0; index < 24; index += 1) {
    const issuedAtMs = TEST_NOW_MS - 100 * HOUR + index * 1_000;
    const asked = { hop: 2, issuedAtMs, dueAtMs: issuedAtMs + 24 * HOUR, isDisputed: false, tracebackId: `t-${index}` };
    const answer =
      index === 3
        ? ({ arm: 'refused', reason: '=Counsel, says "no"' } as const)
        : ({ arm: 'received-from', role: 'transit' } as const);
    filings.outcomes.push(
      { ...asked, requestId: `a-${index}`, providerId: ID, state: 'unanswered' },
      {
        ...{ ...asked, requestId: `b-${index}`, providerId: OTHER, state: 'answered', answeredAtMs: issuedAtMs + HOUR },
        ...answer,
      },
    );
  }
}

describe('with requests that were asked', () => {
  beforeEach(importAsked);

  test('a scorecard says what its concerns rest on, in the form of the contract', async () => {
    const silent = await filings.calls.get(AGENCY, `/v1/providers/${ID}/scorecard`);
    expect(silent).toMatchObject({
      requests: { received: 24, unanswered: 24 },
      tracedCalls: 24,
      concerns: [{ concern: 'not-participating', count: 24 }],
    });
    expect(silent.rates[0]).toMatchObject({ hits: 24, trials: 24, rate: 1, isTooFew: false });
    const willing = await filings.calls.get(AGENCY, `/v1/providers/${OTHER}/scorecard`);
    expect(willing).toMatchObject({ concerns: [], medianAnswerSeconds: 3_600, refusals: [{ count: 1 }] });
    const unasked = await filings.calls.get(AGENCY, '/v1/providers/prv-0000000003/scorecard');
    expect(unasked).toMatchObject({ requests: { received: 0 }, concerns: [] });
  });

  test('a carrier sees its own scorecard and requests, and of others that there are none', async () => {
    const { calls } = filings;
    expect(await calls.get(CARRIER, `/v1/providers/${ID}/scorecard`)).toMatchObject({ providerId: ID });
    for (const path of ['scorecard', 'counted-requests', 'contests'])
      expect(await calls.code(CARRIER, 'GET', [`/v1/providers/${OTHER}/${path}`])).toBe('not-found');
    expect(
      await calls.code(CARRIER, 'POST', [`/v1/providers/${OTHER}/contests`, { requestId: 'b-1', reason: 'x' }]),
    ).toBe('not-found');
    expect(await calls.code(CARRIER, 'GET', ['/v1/scorecards'])).toBe('forbidden');
  });

  test('a contest is marked while it waits, and leaves its request out once it is upheld', async () => {
    const { calls, context } = filings;
    const path = `/v1/providers/${ID}/contests`;
    const order = { requestId: 'a-1', reason: 'The request went to an address that was not ours.' };
    const contest = await calls.post(CARRIER, path, order);
    expect(await calls.post(CARRIER, path, order)).toEqual(contest);
    expect(await calls.code(CARRIER, 'POST', [path, { ...order, reason: 'Another.' }])).toBe('conflict');
    expect(await calls.code(CARRIER, 'POST', [path, { ...order, requestId: 'b-1' }])).toBe('not-found');
    const scorecard = () => calls.get(CARRIER, `/v1/providers/${ID}/scorecard`);
    expect(await scorecard()).toMatchObject({
      contests: { pending: 1 },
      excluded: [],
      rates: [{ trials: 24 }, {}, {}, {}],
    });
    const requests = await calls.get(CARRIER, `/v1/providers/${ID}/counted-requests?limit=500`);
    expect(requests.items.find((one: Json) => one.requestId === 'a-1')).toMatchObject({ contest: 'pending' });

    const decision = { decision: 'uphold', reason: 'So it was.' };
    const decided = await calls.post(STAFF, `/v1/contests/${contest.contestId}/decision`, decision);
    expect(decided).toMatchObject({ state: 'upheld', decision: { reason: 'So it was.' } });
    const otherwise = { decision: 'reject', reason: 'No.' };
    expect(await calls.code(STAFF, 'POST', [`/v1/contests/${contest.contestId}/decision`, otherwise])).toBe('conflict');
    expect(await scorecard()).toMatchObject({
      contests: { pending: 0, upheld: 1 },
      excluded: [{ reason: 'contest-upheld', count: 1 }],
      rates: [{ trials: 23 }, {}, {}, {}],
    });
    expect((await context.audited()).map(({ action }) => action).slice(-2)).toEqual([
      'request.contested',
      'contest.decided',
    ]);
    expect((await calls.get(STAFF, '/v1/contests?state=upheld')).items).toHaveLength(1);
  });

  test('an outage of the platform excuses what was due in it', async () => {
    const at = (hours: number): string => new Date(TEST_NOW_MS - hours * HOUR).toISOString();
    const { calls } = filings;
    const stated = { from: at(90), to: at(89), reason: 'Power' };
    const outage = await calls.post(STAFF, '/v1/outages', stated);
    expect(await calls.post(STAFF, '/v1/outages', stated)).toEqual(outage);
    expect(await calls.get(STAFF, `/v1/providers/${ID}/scorecard`)).toMatchObject({
      concerns: [],
      excluded: [{ reason: 'platform-outage', count: 24 }],
    });
  });

  test('all providers are listed by the lower bound of their rate, page by page', async () => {
    const { calls } = filings;
    const path = '/v1/scorecards?sort=not-participating&limit=1';
    const first = await calls.get(AGENCY, path);
    const second = await calls.get(AGENCY, `${path}&cursor=${first.nextCursor}`);
    expect([first, second].map(({ items }) => items[0].providerId)).toEqual([ID, OTHER]);
    expect([second.nextCursor, second.items[0].to]).toEqual([undefined, first.items[0].to]);
    expect((await calls.get(AGENCY, '/v1/scorecards?concern=not-participating')).items).toHaveLength(1);
  });

  test('the yearly report has each request with its reason, and the same bytes each time', async () => {
    const { calls, context, outcomes } = filings;
    const path = '/v1/reports/participation/participation-2026';
    const csv = await calls.file(STAFF, `${path}.csv`);
    const lines = csv.split('\r\n');
    expect(lines).toHaveLength(1 + 48 + 1);
    expect(lines.filter((line) => line.includes(',did-not-respond,no answer was given,'))).toHaveLength(24);
    expect(csv).toContain(`refused,"'=Counsel, says ""no""",refused`);
    const report = JSON.parse(await calls.file(STAFF, `${path}.json`));
    expect(report.providers).toMatchObject([
      { providerId: ID, participated: 0, refused: 0, didNotRespond: 24, tracedCalls: 24 },
      { providerId: OTHER, participated: 23, refused: 1, didNotRespond: 0, tracedCalls: 24 },
    ]);
    outcomes.reverse();
    context.clock.advance(HOUR);
    expect(await calls.file(STAFF, `${path}.csv`)).toBe(csv);
    for (const name of ['participation-1999.csv', 'participation-2030.csv', 'participation-2026.pdf'])
      expect(await calls.code(STAFF, 'GET', [`/v1/reports/participation/${name}`])).toBe('not-found');
    expect(await calls.code(AGENCY, 'GET', [`${path}.csv`])).toBe('forbidden');
  });
});
