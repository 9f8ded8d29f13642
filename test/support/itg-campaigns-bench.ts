import { sql } from 'kysely';
import { createCampaignsArea } from '../../harness/src/platform/campaigns/campaigns-area.js';
import type { CampaignsArea, CampaignsOptions } from '../../harness/src/platform/campaigns/campaigns-area.js';
import type {
  LiveReader,
  LiveRecord,
  OpeningOrder,
  ReportReader,
  TracebackDesk,
} from '../../harness/src/platform/core/index.js';
import { campaignsDefinition } from '../../harness/src/platform/campaigns/campaigns-repository.js';
import { createHoldReader } from '../../harness/src/platform/demands/holds.js';
import { DEMANDS_DEFINITION } from '../../harness/src/platform/demands/tables.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import type { PlatformAnswer } from '../../sdk/src/contract/platform-answer.js';
import type { AppReport, Campaign, PlatformScope, Traceback } from '../../sdk/src/platform/index.js';
import { callerOf, callOperation, valueOf, type TestCall } from './itg-calls.js';
import { createTestContext, type TestContext } from './itg-context.js';
import { openTestDatabase, type TestServer } from './itg-database.js';
import { LIVE_START_MS } from './itg-live-calls.js';

const ALLOCATED = new Set(['290', '390']);

/** A database with the tables of campaigns and demands, which the tests of a file share: to open one takes seconds. */
export async function openCampaignsDatabase(server?: TestServer) {
  const database = await openTestDatabase({ definitions: [campaignsDefinition, DEMANDS_DEFINITION], server });
  const campaigns = 'campaigns_calls, campaigns_decisions, campaigns_tracebacks, campaigns_campaigns, demands_holds';
  const snapshots = 'campaigns_snapshots, campaigns_snapshot_a, campaigns_snapshot_b';
  const tables = sql.raw(`truncate ${campaigns}, ${snapshots}, core_events, core_audit, core_sealed`);
  return {
    database,
    empty: async (): Promise<void> => void (await tables.execute(database.database)),
    bench: (options?: CampaignsOptions) => openCampaignsBench(database, options),
  };
}

/** The area of campaigns with what it stands on, as tests look at it. */
export function openCampaignsBench(database: OpenedDatabase, options: CampaignsOptions = {}) {
  const context = createTestContext({ database });
  context.clock.set(LIVE_START_MS + 60_000);
  const opened: OpeningOrder[] = [];
  const tracebacks = new Map<string, Traceback>();
  /** Ids of tracebacks that were read. */
  const looked: string[] = [];
  const records: LiveRecord[] = [];
  const reports = new Map<string, AppReport>();
  const desk = {
    open: async (_transaction: unknown, order: OpeningOrder) => `t-${String(opened.push(order))}`,
    traceback: async (_reading: unknown, id: string) => {
      looked.push(id);
      return tracebacks.get(id) ?? openTraceback(id);
    },
    ofCampaign: async () => opened.map((_, at) => ({ tracebackId: `t-${String(at + 1)}` })),
  } as unknown as TracebackDesk;
  const live: LiveReader = {
    record: async (providerId, recordId) =>
      records.find((one) => one.providerId === providerId && one.record.recordId === recordId),
    report: async (_appId, reportId) => reports.get(reportId),
    find: async ({ fromMs, toMs }) => ({
      records: records.filter(({ record }) => record.inviteAtUs >= fromMs * 1e3 && record.inviteAtUs < toMs * 1e3),
      isCut: false,
    }),
  };
  const past: ReportReader = {
    findReports: async ({ fromMs, toMs, limit }) => {
      const found = [...reports.values()]
        .filter(({ calledAt }) => Date.parse(calledAt) >= fromMs && Date.parse(calledAt) < toMs)
        .map((report) => ({ appId: 'app-1', report }));
      return { reports: found.slice(0, limit), isCut: found.length > limit };
    },
  };
  const agency = { agencyId: 'agency-tx', name: 'Texas', jurisdiction: 'US-TX', contactEmail: 'a@example.com' };
  const organizations = { agencies: async () => [agency], agency: async () => agency, staff: async () => ['itg'] };
  const ports = { tracebacks: desk, live, reports: past, organizations, holds: createHoldReader() };
  let life = { isOver: false, begun: Promise.resolve<unknown>(undefined) };
  /** Starts anew, as after a restart. @param journalRange - of the journal that records come from */
  const area = (journalRange?: () => { readonly first: number; readonly last: number }): CampaignsArea => {
    const own = { isOver: false, begun: Promise.resolve<unknown>(undefined) };
    life = own;
    const transact: TestContext['transact'] = (work) => {
      if (own.isOver) return Promise.reject(new Error('this one is dead'));
      const result = context.transact(work);
      own.begun = Promise.allSettled([own.begun, result]);
      return result;
    };
    const given = { ...ports, ...(journalRange !== undefined && { journalRange }) };
    return createCampaignsArea({ ...context, transact }, given, { allocated: ALLOCATED, ...options });
  };
  const detecting = async (...batches: readonly (readonly LiveRecord[])[]): Promise<CampaignsArea> => {
    const started = area();
    await started.start();
    for (const batch of batches) started.listener.records(batch);
    await started.flush();
    return started;
  };
  /** Kills what was started: what its database has begun is done, and nothing else. */
  const die = async (): Promise<void> => {
    life.isOver = true;
    await life.begun;
  };
  return { context, opened, tracebacks, looked, records, reports, area, detecting, die };
}

export type CampaignsBench = ReturnType<typeof openCampaignsBench>;

export const openTraceback = (tracebackId: string): Traceback => ({
  format: 'hopback.traceback.1',
  ...{ tracebackId, direction: 'back', state: 'open', hops: [] },
  requester: { kind: 'itg', name: 'ITG' },
  call: { at: { asWritten: '', local: '', precision: 'second' } },
  openedAt: new Date(LIVE_START_MS).toISOString(),
  updatedAt: new Date(LIVE_START_MS).toISOString(),
});

/** Calls an operation of an area as staff, or with another scope. */
export function callCampaigns(
  area: CampaignsArea,
  operationId: string,
  { scope = 'staff', ...call }: TestCall & { readonly scope?: PlatformScope } = {},
): Promise<PlatformAnswer> {
  return callOperation(area, operationId, callerOf('org-1', scope, 'analyst'), {
    ...{ atMs: LIVE_START_MS + 60_000, ...call },
  });
}

export const listed = async (area: CampaignsArea, scope: PlatformScope = 'staff'): Promise<readonly Campaign[]> =>
  valueOf(await callCampaigns(area, 'listCampaigns', { scope })).items;
