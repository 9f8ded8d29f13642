import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { campaignsTables } from '../../harness/src/platform/campaigns/campaigns-repository.js';
import type { CampaignsArea } from '../../harness/src/platform/campaigns/index.js';
import type { DemandTables } from '../../harness/src/platform/demands/tables.js';
import { callCampaigns, listed } from './itg-campaigns-bench.js';
import type { CampaignsBench } from './itg-campaigns-bench.js';
import { appReport, LIVE_START_MS, neighbourCalls } from './itg-live-calls.js';

const DAY_MS = 86_400_000;

/** What the area of campaigns promises on every engine. Each test has tables of its own, or emptied ones. */
export function campaignClaims(engine: string, open: () => CampaignsBench): void {
  test(`${engine}: reports that were no campaign before a restart count with those after it, and those of a campaign once`, async () => {
    const bench = open();
    const hear = (area: CampaignsArea, from: number, to: number): void => {
      for (let at = from; at < to; at += 1) {
        const report = appReport(at);
        bench.reports.set(report.reportId, report);
        area.listener.report('app-1', report, LIVE_START_MS + 10_000);
      }
    };
    const first = bench.area();
    await first.start();
    hear(first, 0, 3);
    await first.flush();
    expect(await listed(first)).toEqual([]);
    // Nothing is closed: it is gone as it stood. The first reports are hours old by then.
    bench.context.clock.set(LIVE_START_MS + 5 * 3_600_000);
    const second = bench.area();
    await second.start();
    hear(second, 3, 6);
    await second.flush();
    expect(await listed(second)).toMatchObject([{ observedCalls: 6 }]);
    const third = bench.area();
    await third.start();
    await third.flush();
    expect(await listed(third)).toMatchObject([{ observedCalls: 6 }]);
  });

  test(`${engine}: calls of campaigns are removed when their time is over, but for those that a demand holds`, async () => {
    const bench = open();
    const area = bench.area();
    await area.start();
    area.listener.records(neighbourCalls(20));
    area.listener.records(neighbourCalls(20, { from: 500, spc: '444D', upstream: 'Dune', trunk: 'trunk-2' }));
    area.listener.records(neighbourCalls(20, { from: 900, spc: '555E', upstream: 'Elm', trunk: 'trunk-3' }));
    await area.flush();
    const [, merged, other] = (await listed(area)).map(({ campaignId }) => campaignId);
    const [held = ''] = (await listed(area)).map(({ campaignId }) => campaignId);
    // The demand names a campaign that is merged into another afterwards.
    await holdCalls(bench, [merged ?? '']);
    const body = { decision: 'merge', into: held, reason: 'one caller' };
    await callCampaigns(area, 'decideCampaign', { parameters: { campaignId: merged ?? '' }, body });
    const counts = (): Promise<readonly number[]> =>
      Promise.all(
        [held, merged ?? '', other ?? ''].map(
          async (id) => (await area.reader.calls(bench.context.database, id, { limit: 100 })).length,
        ),
      );
    // Under the old id the calls are found as well.
    expect(await counts()).toEqual([40, 40, 20]);
    const retention = area.jobs.find(({ name }) => name === 'campaigns.retention');
    await retention?.run(LIVE_START_MS + 89 * DAY_MS);
    expect(await counts()).toEqual([40, 40, 20]);
    await retention?.run(LIVE_START_MS + 91 * DAY_MS);
    expect(await counts()).toEqual([40, 40, 0]);
    await bench.context.database
      .withTables<DemandTables>()
      .updateTable('demands_holds')
      .set({ ended_at_ms: LIVE_START_MS })
      .execute();
    await retention?.run(LIVE_START_MS + 91 * DAY_MS);
    expect(await counts()).toEqual([0, 0, 0]);
    expect((await bench.context.audited()).filter(({ action }) => action === 'retention.removed')).toHaveLength(2);
  });

  test(`${engine}: what comes before stored campaigns are taken up waits, and too much of it is refused, so that it is told again`, async () => {
    const bench = open();
    const area = bench.area();
    const calls = neighbourCalls(30);
    area.listener.records(calls);
    // A hundred thousand calls are held at most.
    const more = Array.from({ length: 99_971 }, () => calls[0] as (typeof calls)[number]);
    expect(() => area.listener.records(more)).toThrow(
      expect.objectContaining({ code: 'unavailable', retryable: true }),
    );
    await area.start();
    area.listener.records(more);
    await area.flush();
    expect(await listed(area)).toMatchObject([{ observedCalls: 30 }]);
  });

  test(
    `${engine}: whenever it stores and dies, each call of a campaign is on its list once`,
    { timeout: 240_000 },
    async () => {
      const bench = open();
      const calls = neighbourCalls(60);
      const step = fc.constantFrom('hear', 'hear', 'hear', 'again', 'store', 'die');
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
          await campaignsTables(bench.context.database).deleteFrom('campaigns_calls').execute();
          await campaignsTables(bench.context.database).deleteFrom('campaigns_campaigns').execute();
          bench.records.length = 0;
          let area = bench.area();
          await area.start();
          const hear = (some: typeof calls): void => {
            bench.records.push(...some.filter((one) => !bench.records.includes(one)));
            area.listener.records(some);
          };
          hear(calls.slice(0, 20));
          for (const [at, name] of steps.entries()) {
            if (name === 'hear') hear(calls.slice(20 + at * 2, 22 + at * 2));
            else if (name === 'again') area.listener.records(bench.records.slice(-5));
            else if (name === 'store') await area.flush();
            else {
              await bench.die();
              area = bench.area();
              await area.start();
            }
          }
          await area.flush();
          const [campaign] = await listed(area);
          const stored = await area.reader.calls(bench.context.database, campaign?.campaignId ?? '', { limit: 1_000 });
          expect(new Set(stored.map(({ recordId }) => recordId))).toEqual(
            new Set(bench.records.map(({ record }) => record.recordId)),
          );
          expect(campaign?.observedCalls).toBe(bench.records.length);
        }),
        { numRuns: 5 },
      );
    },
  );
}

/** A hold as a demand places it; of the demand itself nothing is needed. */
async function holdCalls({ context }: CampaignsBench, campaignIds: readonly string[]): Promise<void> {
  await sql`alter table demands_holds drop constraint if exists demands_holds_demand_id_fkey`.execute(context.database);
  await context.database
    .withTables<DemandTables>()
    .insertInto('demands_holds')
    .values({
      ...{ demand_id: 'd-1', organization_id: 'agency-tx', scope: '{}' },
      ...{ record_classes: '["call-records"]', campaign_ids: JSON.stringify(campaignIds), traceback_ids: 'null' },
      ...{ from_ms: LIVE_START_MS - DAY_MS, to_ms: LIVE_START_MS + DAY_MS },
      ...{ placed_at_ms: null, ended_at_ms: null, released_at_ms: null },
    })
    .execute();
}
