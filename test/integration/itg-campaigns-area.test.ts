import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { campaignsTables } from '../../harness/src/platform/campaigns/campaigns-repository.js';
import type { CampaignsArea } from '../../harness/src/platform/campaigns/campaigns-area.js';
import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import { callCampaigns as call, listed, openCampaignsDatabase, openTraceback } from '../support/itg-campaigns-bench.js';
import { campaignClaims } from '../support/itg-campaign-claims.js';
import { appReport, DUNE, LIVE_START_MS, neighbourCalls } from '../support/itg-live-calls.js';

let opened: Awaited<ReturnType<typeof openCampaignsDatabase>>;
beforeAll(async () => {
  opened = await openCampaignsDatabase();
});
afterEach(() => opened.empty());
afterAll(() => opened.database.close());
const openBench = () => opened.bench();

campaignClaims('PGlite', openBench);

test('PGlite, which has no statistics, reads the newest calls of a campaign without reading or sorting the others', async () => {
  const bench = openBench();
  const area = await bench.detecting(neighbourCalls(30));
  const campaignId = (await listed(area))[0]?.campaignId ?? '';
  const tables = campaignsTables(bench.context.database);
  await sql`insert into campaigns_calls (call_id, campaign_id, at_ms, reporter_id)
    select 'many-' || n, ${campaignId}, n, 'carrier' from generate_series(1, 20000) as n`.execute(tables);
  const newest = tables.selectFrom('campaigns_calls').selectAll().where('campaign_id', '=', campaignId);
  const plan = await newest.orderBy('at_ms', 'desc').orderBy('call_id').limit(500).explain('json');
  expect(JSON.stringify(plan)).toContain('campaigns_calls_latest');
  expect(JSON.stringify(plan)).not.toContain('Sort');
});

test('a new campaign is stored and announced to agencies and staff; carriers and applications do not see who let it in', async () => {
  const bench = openBench();
  const area = await bench.detecting(neighbourCalls(30));
  const [campaign] = await listed(area);
  expect(campaign).toMatchObject({ state: 'live', observedCalls: 30, signers: [{ spc: '333C', calls: 30 }] });
  expect(campaign?.entryPoints?.map(({ basis }) => basis)).toEqual(['signer', 'upstream']);
  for (const scope of ['carrier', 'app'] as const)
    expect(await listed(area, scope)).toMatchObject([
      { observedCalls: 30, providers: [], tracebackIds: [], entryPoints: [], signers: [] },
    ]);
  const events = await bench.context.events();
  expect(events.map(({ type }) => type)).toEqual(['campaign.changed', 'org.hopback.campaign.updated.1']);
  expect(events[1]?.audience).toEqual(['agency-tx', 'itg']);
  const campaignId = campaign?.campaignId ?? '';
  expect(await area.reader.calls(bench.context.database, campaignId, { limit: 100 })).toHaveLength(30);
  expect((await area.reader.campaign(bench.context.database, campaignId))?.observedCalls).toBe(30);
});

test('a campaign is stored as it is found, and announced again when it has grown by a tenth', async () => {
  const bench = openBench();
  const area = bench.area();
  await area.start();
  area.listener.records(neighbourCalls(30));
  await expect.poll(() => listed(area)).toMatchObject([{ observedCalls: 30 }]);
  const grow = async (from: number, count: number): Promise<void> => {
    area.listener.records(neighbourCalls(count, { from }));
    await area.flush();
  };
  await grow(30, 2);
  await grow(32, 1);
  await grow(33, 1);
  const changes = (await bench.context.events()).filter(({ type }) => type === 'campaign.changed');
  expect(changes.map(({ data }) => (data as { readonly change: string }).change)).toEqual(['found', 'grown']);
  // To have grown is no act of anybody.
  expect((await bench.context.audited()).map(({ action }) => action)).toEqual(['campaign.found']);
});

test('after a restart campaigns, decisions and what was gathered of calls that are no campaign yet are there', async () => {
  const bench = openBench();
  const first = bench.area();
  await first.start();
  const hear = (area: CampaignsArea, records: readonly LiveRecord[]): void => {
    bench.records.push(...records);
    area.listener.records(records);
  };
  hear(first, neighbourCalls(30));
  // Ten calls of another signer are not enough.
  hear(first, neighbourCalls(10, { from: 100, ...DUNE }));
  await first.flush();
  const [campaign] = await listed(first);
  const parameters = { campaignId: campaign?.campaignId ?? '' };
  for (const body of [
    { decision: 'rename', name: 'Cedar-Neighbours', reason: 'known' },
    { decision: 'lawful', reason: 'a census' },
  ])
    await call(first, 'decideCampaign', { parameters, body });

  // Nothing is closed: the first is gone as it stood.
  const second = bench.area();
  second.listener.records(neighbourCalls(5, { from: 60 }));
  await second.start();
  hear(second, neighbourCalls(10, { from: 110, ...DUNE }));
  await second.flush();
  const all = await listed(second);
  expect(all.map(({ name, observedCalls, stateReason }) => ({ name, observedCalls, stateReason }))).toEqual([
    { name: 'Unidentified-NeighbourSpoof', observedCalls: 20, stateReason: 'calls-came' },
    { name: 'Cedar-Neighbours', observedCalls: 35, stateReason: 'lawful' },
  ]);
  // What is lawful is shown to staff alone.
  expect(await listed(second, 'agency')).toHaveLength(1);
  expect((await call(second, 'fetchCampaign', { scope: 'agency', parameters })).kind).toBe('problem');
});

test('a live campaign is traced by as many calls as it has ways in, from the carrier that shared them, and once', async () => {
  const bench = openBench();
  const area = await bench.detecting(neighbourCalls(30));
  const trace = area.jobs.find(({ name }) => name === 'campaigns.trace');
  await trace?.run(LIVE_START_MS + 60_000);
  await trace?.run(LIVE_START_MS + 3_600_000);
  expect(bench.opened).toHaveLength(1);
  expect(bench.opened[0]).toMatchObject({
    opening: { firstProvider: { providerId: 'prv-1' }, call: { spc: '333C' } },
    reasonKey: expect.stringMatching(/^campaign-call:record:prv-1:/),
  });
  expect(bench.opened[0]?.opening.call.recordId).toMatch(/^[0-9a-f]{32}$/);
  expect((await listed(area))[0]?.tracebackIds).toEqual(['t-1']);
});

test('a campaign is evaluated again as soon as one of its tracebacks is concluded, and then not for minutes', async () => {
  const bench = openBench();
  const area = await bench.detecting(neighbourCalls(30));
  let atMs = LIVE_START_MS + 60_000;
  const looks = async (): Promise<boolean> => {
    const before = bench.looked.length;
    await area.jobs.find(({ name }) => name === 'campaigns.trace')?.run((atMs += 5_000));
    return bench.looked.length > before;
  };
  await looks();
  expect(await looks()).toBe(false);
  const [campaign] = await listed(area);
  bench.tracebacks.set('t-1', { ...openTraceback('t-1'), state: 'closed', outcome: 'no-record' });
  await bench.context.transact(async (transaction) => {
    const data = { tracebackId: 't-1', campaignId: campaign?.campaignId, isFinal: true };
    const event = { eventId: 'e-1', position: 1, atMs, type: 'traceback.concluded', subject: 't-1', data } as const;
    await area.reactions['traceback.concluded']?.(transaction, event);
  });
  // Twice, as what concluded may have been noted before it was committed.
  expect([await looks(), await looks(), await looks()]).toEqual([true, true, false]);
});

test('a campaign that is known from reports alone is traced from the provider that serves the subscriber', async () => {
  const bench = openBench();
  const area = bench.area();
  await area.start();
  for (let at = 0; at < 6; at += 1) {
    const report = appReport(at);
    bench.reports.set(report.reportId, report);
    area.listener.report('app-1', report, LIVE_START_MS + 10_000);
  }
  await area.flush();
  await area.jobs.find(({ name }) => name === 'campaigns.trace')?.run(LIVE_START_MS + 60_000);
  expect(bench.opened[0]).toMatchObject({
    opening: { firstProvider: { name: 'Alder Telephone' }, reportId: expect.any(String) },
  });
});

test('a number of a campaign that cannot be opened any more keeps no campaign from being taken up after a restart', async () => {
  const bench = openBench();
  const { context } = bench;
  const first = await bench.detecting(neighbourCalls(30));
  const before = await listed(first);
  await bench.die();
  for (const tn of ['13905550100', '13905550101']) {
    const reference = await context.transact((transaction) => context.sealed.seal(transaction, tn, `campaign:${tn}`));
    const key = JSON.stringify([{ kind: 'calling-number', reference }]);
    await sql`update campaigns_campaigns set keys = keys || ${key}::jsonb`.execute(context.database);
  }
  await sql`update core_sealed set nonce = 'AAAAAAAAAAAAAAAA' where belongs_to = 'campaign:13905550100'`.execute(
    context.database,
  );
  const second = bench.area();
  await second.start();
  expect(await listed(second)).toEqual(before);
  const [campaign] = [...second.engine.campaigns()];
  expect([...(campaign?.keys.values() ?? [])]).toContainEqual({ kind: 'calling-number', tn: '13905550101' });
});

test('what could not be stored is stored the next time, with its calls', async () => {
  const bench = openBench();
  const area = bench.area();
  await area.start();
  area.listener.records(neighbourCalls(30));
  await bench.context.database.schema.alterTable('campaigns_calls').renameTo('campaigns_gone').execute();
  await expect(area.flush()).rejects.toThrow();
  await bench.context.database.schema.alterTable('campaigns_gone').renameTo('campaigns_calls').execute();
  // After the wait that follows a failure.
  bench.context.clock.advance(5_000);
  await area.flush();
  const [campaign] = await listed(area);
  expect(await area.reader.calls(bench.context.database, campaign?.campaignId ?? '', { limit: 100 })).toHaveLength(30);
});
