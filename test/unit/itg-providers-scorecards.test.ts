import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TEST_NOW_MS } from '../../sdk/src/testing/manual-clock.js';
import { STAFF } from '../support/itg-calls.js';
import type { Json } from '../support/itg-calls.js';
import { filingsCsv, openRegistry } from '../support/itg-registry-claims.js';
import type { OpenedRegistry } from '../support/itg-registry-claims.js';

const HOUR = 3_600_000;
const ID = 'prv-0000000001';
const OTHER = 'prv-0000000002';
const CARRIER = { kind: 'carrier', organizationId: ID } as const;
const AGENCY = { kind: 'agency', organizationId: 'ag-tx' } as const;

let filings: OpenedRegistry;

beforeAll(async () => {
  filings = await openRegistry();
});
beforeEach(async () => {
  await filings.reset();
  await filings.calls.post(STAFF, '/v1/registry/imports', { csv: filingsCsv(3), source: 'RMD' });
  for (let index = 0; index < 24; index += 1) {
    const issuedAtMs = TEST_NOW_MS - 100 * HOUR + index * 1_000;
    const asked = { hop: 2, issuedAtMs, dueAtMs: issuedAtMs + 24 * HOUR, isDisputed: false, tracebackId: `t-${index}` };
    filings.outcomes.push(
      { ...asked, requestId: `a-${index}`, providerId: ID, state: 'unanswered' },
      {
        ...{ ...asked, requestId: `b-${index}`, providerId: OTHER, state: 'answered', answeredAtMs: issuedAtMs + HOUR },
        ...(index === 3
          ? { arm: 'refused', reason: '=Counsel, says "no"' }
          : { arm: 'received-from', role: 'transit' }),
      },
    );
  }
});
afterAll(() => filings.database.close());

test('a scorecard says what its concerns rest on, in the form of the contract', async () => {
  const silent = await filings.calls.get(AGENCY, `/v1/providers/${ID}/scorecard`);
  expect(silent).toMatchObject({
    requests: { received: 24, unanswered: 24 },
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
  const stretch = {
    from: new Date(TEST_NOW_MS - 90 * HOUR).toISOString(),
    to: new Date(TEST_NOW_MS - 89 * HOUR).toISOString(),
  };
  const { calls } = filings;
  const outage = await calls.post(STAFF, '/v1/outages', { ...stretch, reason: 'Power' });
  expect(await calls.post(STAFF, '/v1/outages', { ...stretch, reason: 'Power' })).toEqual(outage);
  expect(await calls.get(STAFF, `/v1/providers/${ID}/scorecard`)).toMatchObject({
    concerns: [],
    excluded: [{ reason: 'platform-outage', count: 24 }],
  });
});

test('all providers are listed by what is sure of them, page by page', async () => {
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
  expect(
    report.providers.map((one: Json) => [one.providerId, one.participated, one.refused, one.didNotRespond]),
  ).toEqual([
    [ID, 0, 0, 24],
    [OTHER, 23, 1, 0],
  ]);
  outcomes.reverse();
  context.clock.advance(HOUR);
  expect(await calls.file(STAFF, `${path}.csv`)).toBe(csv);
  for (const name of ['participation-1999.csv', 'participation-2030.csv', 'participation-2026.pdf'])
    expect(await calls.code(STAFF, 'GET', [`/v1/reports/participation/${name}`])).toBe('not-found');
  expect(await calls.code(AGENCY, 'GET', [`${path}.csv`])).toBe('forbidden');
});
