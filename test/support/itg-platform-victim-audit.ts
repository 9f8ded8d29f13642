import { sql } from 'kysely';
import { expect, vi } from 'vitest';
import { startReferenceWithAreas } from '../../harness/src/platform/reference/reference-platform.js';
import type { ReferenceWithAreas } from '../../harness/src/platform/reference/reference-platform.js';
import type { DemandTables } from '../../harness/src/platform/demands/tables.js';
import type { RecordsTables } from '../../harness/src/platform/records/records-tables.js';
import type { TracebacksTables } from '../../harness/src/platform/tracebacks/tracebacks-tables.js';
import { WorldClock } from '../../harness/src/network/world/world.js';
import { UNLIMITED } from './itg-platform.js';
import { answerAll, documentOf } from './itg-platform-victim-load.js';
import type { KilledPlatform } from './itg-platform-victim-rounds.js';

/** A process that died holds a lane of webhooks for a minute: this long, milliseconds, others wait for it. */
const HELD_LANES_MS = 61_000;
/** Records that are looked up at once. */
const LOOKED_UP = 5_000;
/** Where ten others share the processor. */
const PATIENT = { timeout: 60_000, interval: 50 };

/** Starts a platform that was killed once more, and holds what is there against what was acknowledged. */
export async function lookThrough(killed: KilledPlatform) {
  const clock = new WorldClock();
  await using platform = await startReferenceWithAreas({ ...killed.settings, clock, rates: UNLIMITED });
  killed.leadTo(platform.port);
  await expectRecords(platform, killed);
  await expectReports(platform, killed);
  await expectDemands(platform, killed);
  await expectTracebacks(platform, killed);
  clock.advance(HELD_LANES_MS);
  const events = await expectEvents(platform, killed);
  const auditRows = await expectAudit(platform, killed);
  const postedTwice = [...killed.posted.values()].filter((times) => times > 1).length;
  return { auditRows, events, postedTwice };
}

/** Everything that was acknowledged is there, and nothing twice. */
function expectOnce(acknowledged: Iterable<string>, found: readonly string[]): void {
  const there = new Set(found);
  expect([...acknowledged].filter((id) => !there.has(id))).toEqual([]);
  expect(there.size).toBe(found.length);
}

async function expectRecords({ opened }: ReferenceWithAreas, { acknowledged }: KilledPlatform): Promise<void> {
  const [nowMs, dayMs] = [Date.now(), 86_400_000];
  const asked = [...acknowledged.records];
  const found: string[] = [];
  for (let at = 0; at < asked.length; at += LOOKED_UP) {
    const pairs = asked.slice(at, at + LOOKED_UP).map((key) => key.split(' '));
    const recordIds = pairs.map(([providerId = '', recordId = '']) => ({ providerId, recordId }));
    const query = { fromMs: nowMs - dayMs, toMs: nowMs + dayMs, recordIds, limit: 2 * LOOKED_UP };
    for (const { providerId, record } of (await opened.records.reader.find(query)).records)
      found.push(`${providerId} ${record.recordId}`);
  }
  expectOnce(asked, found);
}

async function expectReports({ context }: ReferenceWithAreas, { acknowledged }: KilledPlatform): Promise<void> {
  const tables = context.database.withTables<RecordsTables>();
  const rows = await tables.selectFrom('records_reports').select('report_id').execute();
  expectOnce(
    acknowledged.reports,
    rows.map(({ report_id: id }) => id),
  );
}

async function expectDemands(platform: ReferenceWithAreas, { acknowledged, parties }: KilledPlatform): Promise<void> {
  const tables = platform.context.database.withTables<DemandTables>();
  const rows = await tables.selectFrom('demands_demands').select(['demand_id', 'request_hash', 'state']).execute();
  // One reference, one demand: those that nobody had an answer to as well.
  expect(new Set(rows.map(({ request_hash: content }) => content)).size).toBe(rows.length);
  const states = new Map(rows.map(({ demand_id: id, state }) => [id, state]));
  const decided = await tables.selectFrom('demands_decisions').select('demand_id').execute();
  expect(new Set(decided.map(({ demand_id: id }) => id)).size).toBe(decided.length);
  const documents = platform.routes.find(({ operationId }) => operationId === 'fetchDemandDocument');
  for (const [reference, demandId] of acknowledged.demands) {
    expect(states.get(demandId)).toBeDefined();
    const decision = acknowledged.decisions.get(demandId);
    if (decision !== undefined)
      expect(states.get(demandId)).toEqual(
        decision === 'reject' ? 'rejected' : expect.stringMatching(/approved|produced/),
      );
    const demand = await parties.agency.demands.retrieve({ demandId });
    expect(demand.reference).toBe(reference);
    const document = await parties.agency.call(documents!, { parameters: { demandId } });
    expect(document.kind === 'file' && Buffer.from(document.bytes).equals(documentOf(reference))).toBe(true);
  }
}

async function expectTracebacks(platform: ReferenceWithAreas, { acknowledged, parties }: KilledPlatform) {
  const tables = platform.context.database.withTables<TracebacksTables>();
  expect(await answerAll(parties, acknowledged)).toEqual([]);
  const states = await tables
    .selectFrom('tracebacks_states')
    .select(['traceback_id', 'campaign_id', 'standing', 'outcome'])
    .where('campaign_id', 'like', 'kill-%')
    .execute();
  expect(new Set(states.map(({ campaign_id: id }) => id)).size).toBe(states.length);
  const byCampaign = new Map(states.map((state) => [state.campaign_id, state]));
  for (const [campaignId, tracebackId] of acknowledged.tracebacks)
    expect(byCampaign.get(campaignId)).toMatchObject({ traceback_id: tracebackId, standing: 'closed' });
  const answers = await tables.selectFrom('tracebacks_answers').select('answer_id').execute();
  expectOnce(
    acknowledged.answers,
    answers.map(({ answer_id: id }) => id),
  );
}

/** Every event that concerns somebody with an endpoint is posted to it. @returns how many */
async function expectEvents(platform: ReferenceWithAreas, { posted, parties }: KilledPlatform): Promise<number> {
  await platform.caughtUp();
  const { rows } = await sql<{ readonly event_id: string }>`
    select event_id from core_events where audience ?| array[${sql.join(parties.endpoints)}]`.execute(
    platform.context.database,
  );
  await vi.waitFor(() => expect(rows.filter(({ event_id: id }) => !posted.has(id))).toEqual([]), PATIENT);
  return rows.length;
}

async function expectAudit({ opened }: ReferenceWithAreas, { acknowledged }: KilledPlatform): Promise<number> {
  const auditLog = opened.audit.log;
  await auditLog.drain();
  const verification = await auditLog.verify();
  expect(verification).toMatchObject({ status: 'intact', findings: [] });
  expect(acknowledged.records.size).toBeGreaterThan(0);
  return verification.rows;
}
