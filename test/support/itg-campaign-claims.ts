import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { campaignsTables } from '../../harness/src/platform/campaigns/campaigns-repository.js';
import { recordCallId, reportCallId } from '../../harness/src/platform/domain/campaigns/call-note.js';
import type { CampaignsArea } from '../../harness/src/platform/campaigns/campaigns-area.js';
import type { DemandTables } from '../../harness/src/platform/demands/tables.js';
import { callCampaigns, listed, type CampaignsBench } from './itg-campaigns-bench.js';
import { makeEvidence, type MadeEvidence } from './itg-hops.js';
import { appReport, DUNE, LIVE_START_MS, neighbourCalls } from './itg-live-calls.js';

const DAY_MS = 86_400_000;

/** Records and reports of some calls, later than those of other batches. */
function batchOfEvidence(batch: number, laterMs: number): readonly MadeEvidence[] {
  const plan = { seed: batch, calls: 150, arriving: 0.9, carrierSkewMs: 500, phoneSkewMs: 5_000 };
  return makeEvidence({ ...plan, againAfterSeconds: 240, hasPassports: true }).map((one) => {
    const moved = { callIndex: batch * 1_000 + one.callIndex, atMs: one.atMs + laterMs };
    if (one.kind === 'report') {
      const reportId = `${String(batch)}-${one.report.reportId}`;
      const report = { ...one.report, reportId, calledAt: new Date(moved.atMs).toISOString() };
      return { ...one, ...moved, report, callId: reportCallId(one.appId, reportId) };
    }
    const { record, providerId } = one.live;
    const recordId = `${String(batch)}-${record.recordId}`;
    const later = (us: number | undefined): number => (us ?? 0) + laterMs * 1_000;
    const live = {
      ...one.live,
      record: {
        ...{ ...record, recordId, callGroupId: `${String(batch)}-${record.callGroupId}` },
        inviteAtUs: later(record.inviteAtUs),
        ...(record.answeredAtUs !== undefined && { answeredAtUs: later(record.answeredAtUs) }),
        ...(record.endedAtUs !== undefined && { endedAtUs: later(record.endedAtUs) }),
      },
    };
    return { ...one, ...moved, live, callId: recordCallId(providerId, recordId) };
  });
}

/** What the area of campaigns promises on every engine. Each test has tables of its own, or emptied ones. */
export function campaignClaims(engine: string, open: () => CampaignsBench): void {
  test(`${engine}: rows that an earlier release stored are joined after the update, whatever is killed in between, and those that cannot be are marked`, async () => {
    const bench = open();
    const { database, clock } = bench.context;
    const area = await bench.detecting(neighbourCalls(30));
    const campaignId = (await listed(area))[0]?.campaignId ?? '';
    await campaignsTables(database).deleteFrom('campaigns_calls').execute();
    const evidence = [0, 1, 2, 3].flatMap((batch) => batchOfEvidence(batch, batch * 3 * 3_600_000));
    // As the earlier release stored them: nothing says which are of one call.
    const rows = evidence.map((one) => ({
      ...{ call_id: one.callId, placed_call_id: null, campaign_id: campaignId, at_ms: Math.floor(one.atMs) },
      reporter_id: one.kind === 'record' ? one.live.providerId : one.appId,
      record_id: one.kind === 'record' ? one.live.record.recordId : null,
      report_id: one.kind === 'report' ? one.report.reportId : null,
      ...{ called_npa_nxx: null, signer: null, attestation: null, duration_ms: null },
    }));
    await campaignsTables(database).insertInto('campaigns_calls').values(rows).execute();
    const gone = new Set<string>();
    for (const [at, one] of evidence.entries()) {
      if (at % 100 === 7) gone.add(one.callId);
      else if (one.kind === 'record') bench.records.push(one.live);
      else bench.reports.set(one.report.reportId, one.report);
    }
    const stored = () => area.reader.calls(database, campaignId, { limit: 10_000 });
    // The detection still has the latest of them as calls of their own.
    await area.jobs.find(({ name }) => name === 'campaigns.join')?.run(clock.nowMs());
    expect((await stored()).filter(({ placedCallId, callId }) => placedCallId !== callId)).toEqual([]);
    clock.set(LIVE_START_MS + DAY_MS);
    const unjoined: number[] = [];
    for (let lives = 0; lives < 3; lives += 1) {
      const job = bench.area().jobs.find(({ name }) => name === 'campaigns.join');
      for (let steps = 0; steps < 2; steps += 1) await job?.run(clock.nowMs());
      unjoined.push((await stored()).filter(({ isUnjoined }) => isUnjoined).length);
    }
    const calls = await stored();
    const truth = new Map(evidence.map(({ callId, callIndex }) => [callId, callIndex]));
    const joined = calls.filter(({ callId }) => !gone.has(callId));
    const pairs = new Set(joined.map(({ callId, placedCallId }) => `${placedCallId} ${String(truth.get(callId))}`));
    const placed = new Set(joined.map(({ placedCallId }) => placedCallId)).size;
    const placedInTruth = new Set(joined.map(({ callId }) => truth.get(callId))).size;
    expect({ placed, pairs: pairs.size }).toEqual({ placed: placedInTruth, pairs: placedInTruth });
    expect(new Set(calls.filter(({ isUnjoined }) => isUnjoined).map(({ callId }) => callId))).toEqual(gone);
    // Each life goes on where the one before had got to.
    expect(unjoined[0]).toBeLessThan(evidence.length);
    expect(unjoined[0]).toBeGreaterThan(gone.size);
  });

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

  test(`${engine}: merged campaigns have their calls together, which are removed when their time is over, but for those that a demand holds`, async () => {
    const bench = open();
    const area = await bench.detecting(
      neighbourCalls(20),
      neighbourCalls(20, { from: 500, ...DUNE }),
      neighbourCalls(20, { from: 900, spc: '555E', upstream: 'Elm', trunk: 'trunk-3' }),
    );
    const [held = '', merged = '', other = ''] = (await listed(area)).map(({ campaignId }) => campaignId);
    // The demand names a campaign that is merged into another afterwards.
    await holdCalls(bench, [merged]);
    const body = { decision: 'merge', into: held, reason: 'one caller' };
    const parameters = { campaignId: merged };
    expect(await callCampaigns(area, 'decideCampaign', { parameters, body })).toMatchObject({
      value: { observedCalls: 40 },
    });
    expect(await listed(area)).toHaveLength(2);
    expect((await bench.context.audited()).map(({ action }) => action)).toContain('campaign.merge');
    const callsOf = async (id: string): Promise<number> =>
      (await area.reader.calls(bench.context.database, id, { limit: 100 })).length;
    const counts = (): Promise<readonly number[]> => Promise.all([held, merged, other].map(callsOf));
    // The old id leads to the campaign that stays, and to its calls.
    expect(await callCampaigns(area, 'fetchCampaign', { parameters })).toMatchObject({ value: { campaignId: held } });
    expect(await counts()).toEqual([40, 40, 20]);
    const retention = area.jobs.find(({ name }) => name === 'campaigns.retention');
    await retention?.run(LIVE_START_MS + 89 * DAY_MS);
    expect(await counts()).toEqual([40, 40, 20]);
    await retention?.run(LIVE_START_MS + 91 * DAY_MS);
    expect(await counts()).toEqual([40, 40, 0]);
    await sql`update demands_holds set ended_at_ms = ${LIVE_START_MS}`.execute(bench.context.database);
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
          await sql`truncate campaigns_calls, campaigns_tracebacks, campaigns_campaigns`.execute(
            bench.context.database,
          );
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
