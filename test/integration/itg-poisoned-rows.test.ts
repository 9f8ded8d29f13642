import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readableJson, removeOverdue, sealJson, workThrough } from '../../harness/src/platform/database/index.js';
import type { OpenedDatabase, RetentionClass } from '../../harness/src/platform/database/index.js';
import { createDemandsArea } from '../../harness/src/platform/demands/demands-area.js';
import { openEvents } from '../../harness/src/platform/events/event-streams.js';
import { openAlerts, texas } from '../support/itg-alert-claims.js';
import { openCampaignsBench, openCampaignsDatabase } from '../support/itg-campaigns-bench.js';
import { createTestContext, type TestContext } from '../support/itg-context.js';
import { STAFF } from '../support/itg-calls.js';
import {
  campaign,
  closeDemandDatabase,
  DATABASE_PATIENCE_MS,
  demandLab,
  emptyWorld,
  jobOf,
  openDemandDatabase,
  SUBMISSION,
  TEXAS,
  type DemandLab,
} from '../support/itg-demands.js';
import { liveCall, neighbourCalls } from '../support/itg-live-calls.js';
import { createTracebacksLab, from, HOUR_MS, openingOf } from '../support/itg-tracebacks.js';

// Every job of the platform against one row that it cannot do: rows behind it are done in the same round, the row is tried a bounded number of times, and
// the audit does not grow with the rounds.

let database: OpenedDatabase;
beforeAll(async () => {
  await openDemandDatabase();
  database = (await openCampaignsDatabase()).database;
}, DATABASE_PATIENCE_MS);
afterAll(async () => {
  await database.close();
  await closeDemandDatabase();
});

/** Rounds of a job, four minutes apart: four hours, in which a row is tried ten times, and is then left alone for a day. */
const ROUNDS = 60;
const ROUND_MS = 240_000;

/** Runs a job for some hours. @returns actions that it left in the audit */
async function rounds(context: TestContext, run: (nowMs: number) => Promise<void>): Promise<readonly string[]> {
  const before = (await context.audited()).length;
  for (let round = 0; round < ROUNDS; round += 1) {
    await run(context.clock.nowMs()).catch(() => undefined);
    context.clock.advance(ROUND_MS);
  }
  return (await context.audited()).slice(before).map(({ action }) => action);
}

const setAside = (actions: readonly string[]): number => actions.filter((action) => action === 'job.set-aside').length;

/** Rows of a query on the database of a context. */
async function rowsOf<Row = unknown>({ database: db }: TestContext, text: string): Promise<readonly Row[]> {
  return (await sql.raw<Row>(text).execute(db)).rows;
}

test('items behind a failing one are done at once, page after page, and the failing one is tried ten times in a day', async () => {
  const context = createTestContext({ database });
  const left = new Set(Array.from({ length: 25 }, (_, index) => index));
  let tries = 0;
  const run = (nowMs: number): Promise<void> =>
    workThrough<number>({
      ...{ context, job: 'test.items', nowMs, idOf: String },
      page: async (after = -1) => [...left].filter((item) => item > after).slice(0, 10),
      together: async (items) => {
        if (items.includes(3)) throw new Error('no');
        for (const item of items) left.delete(item);
      },
      work: async (item) => {
        if (item !== 3) return void left.delete(item);
        tries += 1;
        throw new TypeError('no');
      },
    });
  await expect(run(context.clock.nowMs())).rejects.toThrow(TypeError);
  expect([...left]).toEqual([3]);
  expect(await rounds(context, run)).toEqual(['job.set-aside']);
  expect(tries).toBe(10);
  context.clock.advance(86_400_000);
  await expect(run(context.clock.nowMs())).rejects.toThrow(TypeError);
  await expect(run(context.clock.nowMs())).resolves.toBeUndefined();
  expect(tries).toBe(11);
});

/** Two demands, of which the first names a campaign that cannot be looked up once it is broken. */
async function twoDemands() {
  const world = emptyWorld();
  for (const id of ['c-1', 'c-bad']) world.campaigns.push(campaign(id, { state: 'dormant' }));
  const lab = await demandLab({ world, limits: { retrievalMs: HOUR_MS } });
  const broken = { is: false };
  const { campaigns, files } = lab.ports;
  const failing = (isOfBad: boolean): void => {
    if (broken.is && isOfBad) throw new Error('broken');
  };
  const submit = (campaignId: string): Promise<string> =>
    lab.submit(TEXAS, {
      ...{ kind: 'court-order', isUrgent: true },
      scope: { ...SUBMISSION.scope, to: '2026-12-01T00:00:00Z', campaignIds: [campaignId] },
    });
  const [bad, good] = [await submit('c-bad'), await submit('c-1')];
  const isOfBad = async (owner: string): Promise<boolean> =>
    owner === 'd-bad' || (await rowsOf(lab.context, productionsOf(bad, owner))).length > 0;
  const lookUp = async (...given: Parameters<typeof campaigns.campaign>) => {
    failing(given[1] === 'c-bad');
    return campaigns.campaign(...given);
  };
  const remove = async (...[owner, options]: Parameters<typeof files.remove>) => {
    failing(options === undefined && (await isOfBad(owner)));
    return files.remove(owner, options);
  };
  const ports = {
    ...lab.ports,
    ...{ campaigns: { ...campaigns, campaign: lookUp }, files: { ...files, remove } },
  };
  const area = createDemandsArea(lab.context, ports, { retrievalMs: HOUR_MS });
  return { lab, broken, area, bad, good };
}

const productionsOf = (demandId: string, productionId: string): string =>
  `select 1 from demands_productions where production_id = '${productionId}' and demand_id = '${demandId}'`;

test('demands.productions: one that cannot be built keeps no other waiting', async () => {
  const { lab, area, bad, good } = await twoDemands();
  await using _ = lab;
  for (const demandId of [bad, good]) await lab.decide(demandId);
  await sql`update demands_decisions set content = '["s-none"]' where demand_id = ${bad}`.execute(lab.context.database);
  const actions = await rounds(lab.context, (nowMs) => jobOf(area, 'demands.productions').run(nowMs));
  expect(await states(lab)).toEqual({ [bad]: 'in-preparation', [good]: 'ready' });
  expect(setAside(actions)).toBe(1);
  expect(actions.length).toBeLessThan(20);
});

async function states({ context }: DemandLab): Promise<Readonly<Record<string, string>>> {
  const query = 'select demand_id, state from demands_productions order by place';
  const rows = await rowsOf<{ demand_id: string; state: string }>(context, query);
  return Object.fromEntries(rows.map((row) => [row.demand_id, row.state]));
}

test('demands.productions: ten that wait for their proofs keep no other from being built', async () => {
  const world = emptyWorld();
  world.campaigns.push(campaign('c-1'));
  await using lab = await demandLab({ world });
  for (let count = 0; count < 12; count += 1) await lab.decide(await lab.submit(TEXAS));
  const prove = async (): Promise<undefined> => undefined;
  const area = createDemandsArea(lab.context, { ...lab.ports, proofs: { ...lab.ports.proofs, prove } });
  for (let round = 0; round < 3; round += 1) {
    await jobOf(area, 'demands.productions').run(lab.context.clock.nowMs());
    lab.context.clock.advance(500);
  }
  expect(await rowsOf(lab.context, `select 1 from demands_productions where phase = 'sealed'`)).toHaveLength(12);
});

test('demands.liveness, supplements, expiry and files: a demand that fails keeps no other waiting', async () => {
  const { lab, broken, area, bad, good } = await twoDemands();
  await using _ = lab;
  const { context } = lab;
  const run = (name: string) => (nowMs: number) => jobOf(area, name).run(nowMs);
  // Before a campaign is found to call, which is what the first of these jobs finds out.
  broken.is = true;
  lab.world.campaigns[0] = campaign('c-1', { state: 'live' });
  expect(await rounds(context, run('demands.liveness'))).toEqual(['job.set-aside']);
  expect(await rowsOf(context, 'select demand_id from demands_demands where is_live')).toEqual([{ demand_id: good }]);

  broken.is = false;
  for (const demandId of [bad, good]) await lab.decide(demandId);
  for (let round = 0; round < 3; round += 1) {
    await run('demands.productions')(context.clock.nowMs());
    context.clock.advance(1_000);
  }
  expect(await states(lab)).toEqual({ [bad]: 'ready', [good]: 'ready' });
  const until = new Date(context.clock.nowMs() + 10 * HOUR_MS).toISOString();
  for (const demandId of [bad, good]) await lab.value('continueDemand', STAFF, { demandId }, { until, everyHours: 9 });
  broken.is = true;
  context.clock.advance(9 * HOUR_MS);
  expect(setAside(await rounds(context, run('demands.supplements')))).toBe(1);
  const ordered = `select distinct demand_id from demands_productions where kind = 'supplement'`;
  expect(await rowsOf(context, ordered)).toEqual([{ demand_id: good }]);

  const expired = await rounds(context, run('demands.expiry'));
  expect(expired).toEqual(['production.removed', 'job.set-aside']);

  for (const owner of ['d-bad', 'd-nobody']) await lab.ports.files.put(owner, Buffer.from('x'));
  expect(await rounds(context, run('demands.files'))).toEqual(['job.set-aside']);
  const owners = await lab.ports.files.owners();
  expect(['d-bad', 'd-nobody'].filter((owner) => owners.includes(owner))).toEqual(['d-bad']);
});

test('tracebacks.deadlines: a state that cannot be read keeps no other traceback waiting', async () => {
  await using lab = await createTracebacksLab();
  const { context } = lab;
  const [bad, good] = [await lab.open(), await lab.open()];
  await sql`update tracebacks_states set state = '{}', version = version + 1, wake_at_ms = 1
    where traceback_id = ${bad}`.execute(context.database);
  const wakeAt = () => rowsOf(context, `select wake_at_ms from tracebacks_states where traceback_id = '${good}'`);
  const before = await wakeAt();
  context.clock.advance(400 * HOUR_MS);
  const actions = await rounds(context, () => lab.runJob('tracebacks.deadlines'));
  expect(await wakeAt()).not.toEqual(before);
  expect(setAside(actions)).toBe(1);
  expect(actions.length).toBeLessThan(20);
});

test('tracebacks.neighbours: searches without a result do not keep later ones waiting', async () => {
  await using lab = await createTracebacksLab();
  const { context } = lab;
  const bad: string[] = [];
  // As many as one run of the job looks for.
  for (let count = 0; count < 20; count += 1) bad.push(await lab.open());
  const good = await lab.open();
  await lab.pass(30);
  await sql`update tracebacks_states set seeks_neighbours = true, state = '{}', version = version + 1
    where traceback_id = any(${bad}::text[])`.execute(context.database);
  await sql`update tracebacks_states set seeks_neighbours = true where traceback_id = ${good}`.execute(
    context.database,
  );
  const actions = await rounds(context, () => lab.runJob('tracebacks.neighbours'));
  const sought = `select item from core_job_failures where job = 'tracebacks.neighbours' and item = '${good}'
    union all select object from core_audit where action = 'traceback.neighbours-sought' and object = 'traceback:${good}'`;
  expect((await rowsOf(context, sought)).length).toBeGreaterThan(0);
  expect(actions.filter((action) => action === 'sealed.opened').length).toBeLessThan(20);
});

test('tracebacks.neighbours: a late answer while others are looked for is no failure of the search', async () => {
  let lateAnswer: (() => Promise<unknown>) | undefined;
  const live = {
    record: async () => undefined,
    report: async () => undefined,
    find: async () => {
      await lateAnswer?.();
      lateAnswer = undefined;
      return { records: [], isCut: false };
    },
  };
  await using lab = await createTracebacksLab({ live });
  await lab.open();
  const { call } = openingOf();
  await lab.open({ call: { ...call, at: { ...call.at, local: '2026-02-02T10:30' } } });
  const request = await lab.requestTo('a');
  for (let hour = 0; hour < 30; hour += 1) {
    lab.context.clock.advance(HOUR_MS);
    await lab.runJob('tracebacks.deadlines');
  }
  lateAnswer = () => lab.answer('a', from('b'), { request });
  await lab.runJob('tracebacks.neighbours');
  expect(lateAnswer).toBeUndefined();
  const sought = (await lab.context.audited()).filter(({ action }) => action === 'traceback.neighbours-sought');
  expect(sought).toHaveLength(1);
  expect(await rowsOf(lab.context, 'select item from core_job_failures')).toEqual([]);
});

test('alerts.watch: a campaign that cannot be evaluated keeps no other waiting', async () => {
  const alerts = await openAlerts();
  await using _ = alerts.database;
  const { context, put, campaigns, changed, area } = alerts;
  for (const id of ['c-bad', 'c-good']) put(id, texas(20));
  for (const id of ['c-bad', 'c-good']) await changed(id);
  campaigns.get('c-bad')!.campaign = { ...campaigns.get('c-bad')!.campaign, providers: null as never };
  const actions = await rounds(context, (nowMs) => jobOf(area, 'alerts.watch').run(nowMs));
  const query = 'select evaluated_ms from alerts_campaigns order by campaign_id';
  const [bad, good] = await rowsOf<{ evaluated_ms: number }>(context, query);
  expect((good?.evaluated_ms ?? 0) - (bad?.evaluated_ms ?? 0)).toBeGreaterThan(3 * HOUR_MS);
  expect(setAside(actions)).toBe(1);
});

test('detection: a record that it cannot read does not stop those behind it', async () => {
  const bench = openCampaignsBench(database);
  const broken = { ...liveCall({ id: 'bad', at: 0 } as never), record: null } as never;
  const area = await bench.detecting([broken, ...neighbourCalls(30)]);
  expect([...area.engine.campaigns()]).toHaveLength(1);
  expect(bench.context.logged.map(({ message }) => message)).toContain('detection could not read a record or report');
  await area.close();
});

test('campaigns.store: a campaign that cannot be stored is tried ever more rarely, and is waited for no longer in the end', async () => {
  const bench = openCampaignsBench(database);
  const area = await bench.detecting(neighbourCalls(30));
  const [found] = [...area.engine.campaigns()];
  const campaignId = found?.campaignId ?? '';
  await sql`create function refuse_campaign() returns trigger language plpgsql as $$
    begin if new.campaign_id = tg_argv[0] then raise exception 'refused'; end if; return new; end $$`.execute(
    database.database,
  );
  await sql`create trigger refused before insert or update on campaigns_campaigns for each row
    execute function refuse_campaign(${sql.lit(campaignId)})`.execute(database.database);
  try {
    area.listener.records(neighbourCalls(20, { from: 30 }));
    await expect(area.flush()).rejects.toThrow();
    const actions = await rounds(bench.context, () => jobOf(area, 'campaigns.store').run(0));
    expect(actions).toEqual(['job.set-aside']);
    await expect(area.flush()).resolves.toBeUndefined();
  } finally {
    await sql`drop trigger refused on campaigns_campaigns; drop function refuse_campaign`.execute(database.database);
  }
});

test('retention: a thing that cannot be removed keeps no other of its class', async () => {
  const context = createTestContext({ database });
  const left = new Set(['a', 'b', 'c']);
  const things: RetentionClass = {
    ...{ name: 'test.things', keepMs: 1 },
    due: async (_, { after = '' }) => [...left].filter((id) => id > after),
    held: async () => new Set(),
    remove: async (_, ids) => {
      if (ids.includes('a')) throw new Error('no');
      for (const id of ids) left.delete(id);
    },
  };
  const actions = await rounds(context, async (nowMs) => {
    await removeOverdue(context, things, nowMs);
  });
  expect([...left]).toEqual(['a']);
  expect(actions).toEqual(['retention.removed', 'retention.removed', 'job.set-aside']);
});

test('streams: an event that cannot be opened is left out, and others are told', async () => {
  const context = createTestContext({ database });
  const sealed = async (text: string): Promise<readonly string[]> =>
    context.transact((transaction) => sealJson(context, transaction, { value: { text }, belongsTo: `test:${text}` }));
  const [bad, good] = [await sealed('bad'), await sealed('good')];
  await sql`update core_sealed set nonce = 'AAAAAAAAAAAAAAAA' where reference = ${bad[0] ?? ''}`.execute(
    context.database,
  );
  const events = [bad, good].map((references, index) => ({
    ...{ eventId: `e-${index}`, position: index + 1, atMs: 0, type: 'org.hopback.notice.issued.1' as const },
    ...{ subject: 'n-1', audience: ['prv-a'], data: { member: 'notice', sealed: references } },
  }));
  await expect(openEvents(context, events, 'prv-a')).rejects.toMatchObject({ code: 'log-inconsistent' });
  expect((await openEvents(context, events, 'prv-a', readableJson)).map(({ data }) => data)).toEqual([
    { notice: { text: 'good' } },
  ]);
});
