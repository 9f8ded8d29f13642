import { createCampaignsArea } from '../../harness/src/platform/campaigns/campaigns-area.js';
import type { CampaignsArea, CampaignsOptions } from '../../harness/src/platform/campaigns/campaigns-area.js';
import type {
  Caller,
  LiveReader,
  LiveRecord,
  OpeningOrder,
  ReportReader,
  TracebackDesk,
} from '../../harness/src/platform/core/index.js';
import { createHoldReader } from '../../harness/src/platform/demands/holds.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import type { AppReport, Campaign, PlatformAnswer, PlatformScope, Traceback } from '../../sdk/src/platform/index.js';
import { createTestContext } from './itg-context.js';
import type { TestContext } from './itg-context.js';
import { LIVE_START_MS } from './itg-live-calls.js';

const ALLOCATED = new Set(['290', '390']);

/** The area of campaigns with what it stands on, as tests look at it. */
export interface CampaignsBench {
  readonly context: TestContext;
  readonly opened: OpeningOrder[];
  readonly tracebacks: Map<string, Traceback>;
  /** Ids of tracebacks that were read. */
  readonly looked: string[];
  readonly records: LiveRecord[];
  readonly reports: Map<string, AppReport>;
  /** Starts anew, as after a restart. @param journalRange - of the journal that records come from */
  readonly area: (journalRange?: () => { readonly first: number; readonly last: number }) => CampaignsArea;
  /** Kills what was started: what its database has begun is done, and nothing else. */
  readonly die: () => Promise<void>;
}

/** Makes one on a database with the tables of campaigns and demands. */
export function openCampaignsBench(database: OpenedDatabase, options: CampaignsOptions = {}): CampaignsBench {
  const context = createTestContext({ database });
  context.clock.set(LIVE_START_MS + 60_000);
  const opened: OpeningOrder[] = [];
  const tracebacks = new Map<string, Traceback>();
  const looked: string[] = [];
  const records: LiveRecord[] = [];
  const reports = new Map<string, AppReport>();
  const desk = {
    open: (_transaction: unknown, order: OpeningOrder) => {
      opened.push(order);
      return Promise.resolve(`t-${String(opened.length)}`);
    },
    traceback: (_reading: unknown, id: string) => {
      looked.push(id);
      return Promise.resolve(tracebacks.get(id) ?? openTraceback(id));
    },
    ofCampaign: () => Promise.resolve(opened.map((_, at) => ({ tracebackId: `t-${String(at + 1)}` }))),
  } as unknown as TracebackDesk;
  const live: LiveReader = {
    record: (providerId, recordId) =>
      Promise.resolve(records.find((one) => one.providerId === providerId && one.record.recordId === recordId)),
    report: (_appId, reportId) => Promise.resolve(reports.get(reportId)),
    find: ({ fromMs, toMs }) =>
      Promise.resolve({
        records: records.filter(({ record }) => record.inviteAtUs >= fromMs * 1e3 && record.inviteAtUs < toMs * 1e3),
        isCut: false,
      }),
  };
  const past: ReportReader = {
    findReports: ({ fromMs, toMs, limit }) => {
      const found = [...reports.values()]
        .filter(({ calledAt }) => Date.parse(calledAt) >= fromMs && Date.parse(calledAt) < toMs)
        .map((report) => ({ appId: 'app-1', report }));
      return Promise.resolve({ reports: found.slice(0, limit), isCut: found.length > limit });
    },
  };
  const agency = { agencyId: 'agency-tx', name: 'Texas', jurisdiction: 'US-TX', contactEmail: 'a@example.com' };
  const organizations = {
    agencies: () => Promise.resolve([agency]),
    agency: () => Promise.resolve(agency),
    staff: () => Promise.resolve(['itg']),
  };
  const ports = { tracebacks: desk, live, reports: past, organizations, holds: createHoldReader() };
  let life = { isOver: false, begun: Promise.resolve<unknown>(undefined) };
  const area: CampaignsBench['area'] = (journalRange) => {
    const own = { isOver: false, begun: Promise.resolve<unknown>(undefined) };
    life = own;
    const transact: TestContext['transact'] = (work) => {
      if (own.isOver) return Promise.reject(new Error('this one is dead'));
      const result = context.transact(work);
      own.begun = Promise.allSettled([own.begun, result]);
      return result;
    };
    const journal = journalRange === undefined ? {} : { journalRange };
    return createCampaignsArea(
      { ...context, transact },
      { ...ports, ...journal },
      { allocated: ALLOCATED, ...options },
    );
  };
  const die = async (): Promise<void> => {
    life.isOver = true;
    await life.begun;
  };
  return { context, opened, tracebacks, looked, records, reports, area, die };
}

/** A traceback that is open. */
export const openTraceback = (tracebackId: string): Traceback => ({
  format: 'hopback.traceback.1',
  ...{ tracebackId, direction: 'back', state: 'open', hops: [] },
  requester: { kind: 'itg', name: 'ITG' },
  call: { at: { asWritten: '', local: '', precision: 'second' } },
  openedAt: new Date(LIVE_START_MS).toISOString(),
  updatedAt: new Date(LIVE_START_MS).toISOString(),
});

/** Calls an operation of an area as staff, or as somebody else. */
export function callCampaigns(
  area: CampaignsArea,
  operationId: string,
  rest: { readonly scope?: PlatformScope; readonly parameters?: Record<string, string>; readonly body?: unknown } = {},
): Promise<PlatformAnswer> {
  const { scope = 'staff', parameters = {}, body } = rest;
  const caller: Caller = { clientId: 'cl-1', organizationId: 'org-1', kind: scope, scopes: [scope], name: 'analyst' };
  const operation = area.operations[operationId];
  if (operation === undefined) throw new Error(`there is no ${operationId}`);
  return Promise.resolve(
    operation({
      route: area.routes[0] as never,
      ...{ caller, request: { parameters, body, bytes: new Uint8Array() } },
      ...{ atMs: LIVE_START_MS + 60_000, httpRequestId: 'r-1', signal: new AbortController().signal },
    }),
  );
}

/** The JSON of an answer. */
export const valueOf = (answer: PlatformAnswer): never => {
  if (answer.kind !== 'json') throw new Error(`answered ${JSON.stringify(answer)}`);
  return answer.value as never;
};
/** Campaigns as somebody sees them. */
export const listed = async (area: CampaignsArea, scope: PlatformScope = 'staff'): Promise<readonly Campaign[]> =>
  (valueOf(await callCampaigns(area, 'listCampaigns', { scope })) as { readonly items: readonly Campaign[] }).items;
