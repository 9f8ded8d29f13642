import { hash, randomBytes, type KeyObject } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect } from 'vitest';
import type {
  Caller,
  CampaignCall,
  LegalHold,
  LiveRecord,
  OpeningOrder,
  PlatformArea,
} from '../../harness/src/platform/core/index.js';
import { createDemandsArea } from '../../harness/src/platform/demands/demands-area.js';
import { DEMANDS_DEFINITION } from '../../harness/src/platform/demands/tables.js';
import { openFileStore } from '../../harness/src/platform/demands/file-store.js';
import { auditProofsOf, type DemandLimits, type DemandPorts } from '../../harness/src/platform/demands/demand-rows.js';
import { createLogSigner, MerkleLog } from '../../sdk/src/log/index.js';
import type { SharedRecord } from '../../sdk/src/contract/call-record.js';
import { WIRE_EXAMPLES } from '../../sdk/src/platform/index.js';
import type {
  AppReport,
  Campaign,
  Demand,
  DemandSubmission,
  Production,
  Traceback,
} from '../../sdk/src/platform/index.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { createTestKey } from '../../sdk/src/testing/index.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { type TracebackAnswer } from '../../sdk/src/traceback/index.js';
import { canonicalJson } from '../../sdk/src/traceback/evidence/evidence-manifest.js';
import { areaCalls, callerOf, STAFF, valueOf, type TestCall } from './itg-calls.js';
import { createTestContext, type TestContext } from './itg-context.js';
import { openTestDatabase, type TestServer } from './itg-database.js';

/** Data that other areas have, and that can be demanded. */
export interface DemandWorld {
  campaigns: Campaign[];
  calls: (Omit<CampaignCall, 'placedCallId'> & { readonly placedCallId?: string; readonly campaignId: string })[];
  records: LiveRecord[];
  reports: { readonly appId: string; readonly report: AppReport }[];
  tracebacks: {
    readonly traceback: Traceback;
    readonly answers: readonly TracebackAnswer[];
    readonly campaignId?: string;
  }[];
}

export const emptyWorld = (): DemandWorld => ({ campaigns: [], calls: [], records: [], reports: [], tracebacks: [] });

/** Adds a record, as a call of a campaign where one is named. */
export function addRecord({ records, calls }: DemandWorld, live: LiveRecord, campaignId?: string): void {
  records.push(live);
  const { providerId: reporterId, record } = live;
  const { recordId } = record;
  const atMs = startMs(live);
  if (campaignId !== undefined)
    calls.push({ callId: `record:${reporterId}:${recordId}`, campaignId, atMs, reporterId, recordId });
}

/** Adds a report of the application `app`, as a call of a campaign where one is named. */
export function addReport({ reports, calls }: DemandWorld, report: AppReport, campaignId?: string): void {
  reports.push({ appId: 'app', report });
  const { reportId } = report;
  const atMs = Date.parse(report.calledAt);
  if (campaignId !== undefined)
    calls.push({ callId: `report:app:${reportId}`, campaignId, atMs, reporterId: 'app', reportId });
}

export const TEXAS: Caller = callerOf('ag-tx', 'agency');
export const OHIO: Caller = callerOf('ag-oh', 'agency');

/** A PDF of one page, as small as one can be. */
export function smallPdf(extra = ''): Uint8Array<ArrayBuffer> {
  const body = `%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R ${extra} >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n`;
  return Buffer.from(
    `${body}xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000060 00000 n \ntrailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`,
  );
}

const EXAMPLE = WIRE_EXAMPLES.DemandSubmission[0].value;
const { providers: _providers, ...EXAMPLE_SCOPE } = EXAMPLE.scope;
export const SUBMISSION: DemandSubmission = {
  ...EXAMPLE,
  scope: { ...EXAMPLE_SCOPE, campaignIds: ['c-1'] },
  ...{ returnOn: '2026-11-20', isUrgent: false, documentSha256: '' },
};

/** The submission as of a time: a scope of the last five days, to be answered within thirty. */
export function submissionAt(nowMs: number, changes: Partial<DemandSubmission> = {}): DemandSubmission {
  const day = (days: number): string => new Date(nowMs + days * 86_400_000).toISOString();
  const scope = { ...SUBMISSION.scope, from: day(-5), to: day(0) };
  return { ...SUBMISSION, scope, returnOn: day(30).slice(0, 10), ...changes };
}

/** The form in which any HTTP client submits a demand. */
export function demandForm(submission: DemandSubmission, document = smallPdf()): FormData {
  const form = new FormData();
  const stated = { ...submission, documentSha256: hash('sha256', document, 'hex') };
  form.set('demand', new Blob([JSON.stringify(stated)], { type: 'application/json' }));
  form.set('document', new Blob([document], { type: 'application/pdf' }), 'demand.pdf');
  return form;
}

let shared: Promise<OpenedDatabase> | undefined;

/** One database for all tests of a file, emptied for each: to start one takes seconds. */
async function emptyDatabase(): Promise<OpenedDatabase> {
  const opened = await (shared ??= openTestDatabase({ definitions: [DEMANDS_DEFINITION] }));
  await sql`truncate demands_demands, demands_decisions, demands_productions, demands_files, demands_retrievals, demands_holds,
    demands_traces, core_events, core_audit, core_sealed`.execute(opened.database);
  return opened;
}

/** Milliseconds that a database may take to start where ten others share the processor. */
export const DATABASE_PATIENCE_MS = 240_000;

/** Starts it before the first test, whose time it would take: in PGlite, or in a server. */
export async function openDemandDatabase(server?: TestServer): Promise<void> {
  shared ??= openTestDatabase({ definitions: [DEMANDS_DEFINITION], server });
  await shared;
}

export async function closeDemandDatabase(): Promise<void> {
  const opened = await shared;
  shared = undefined;
  await opened?.close();
}

/** An area of demands with other areas in memory, and the audit in a real Merkle log. */
export async function demandLab({
  world = emptyWorld(),
  limits = {},
  keyType = 'P-256',
}: {
  readonly world?: DemandWorld;
  readonly limits?: Partial<DemandLimits>;
  readonly keyType?: 'P-256' | 'Ed25519';
} = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-demands-'));
  const database = await emptyDatabase();
  const context = createTestContext({ database, clock: new ManualClock(Date.parse('2026-10-24T12:00:00Z')) });
  const signer = createLogSigner(createTestKey(keyType).privateKeyPem);
  const log = await MerkleLog.open({ directory: join(directory, 'log'), logId: 'itg.example/audit', signer });
  const holds = new Map<string, LegalHold>();
  const opened: OpeningOrder[] = [];
  const files = openFileStore({ directory: join(directory, 'files'), key: randomBytes(32) });
  const ports: DemandPorts = {
    ...portsOf(world, opened),
    holds: {
      place: async (hold) => void holds.set(hold.holdId, hold),
      release: async (holdId) => void holds.delete(holdId),
    },
    proofs: proofsOf(context, log, signer.publicKey),
    ...{ files, signer, operator: { name: 'Example Traceback Group', software: 'hopback-harness 0.1.0' } },
  };
  const area = createDemandsArea(context, ports, limits);
  const calls = areaCalls(area, context.clock.nowMs);
  const run = (name: string): Promise<void> => jobOf(area, name).run(context.clock.nowMs());
  /** Runs the job of productions with the audit written to the log in between, until nothing is left to do. */
  const produce = async (): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      await run('demands.productions');
      context.clock.advance(10_000);
    }
  };
  const demand = (demandId: string): Promise<Demand> => calls.value('fetchDemand', STAFF, { demandId });
  return {
    ...{ context, area, ports, world, directory, holds, opened, run, produce, demand, ...calls },
    /** An area whose disk and database fail for good after a number of steps. */
    dying: (steps: number): PlatformArea => {
      let left = steps;
      const step = <Value>(work: () => Promise<Value>): Promise<Value> =>
        (left -= 1) >= 0 ? work() : Promise.reject(new Error('dead'));
      const transact = (work: never) => step(() => context.transact(work));
      const put = (owner: string, octets: Uint8Array) => step(() => files.put(owner, octets));
      const dyingContext = { ...context, transact } as typeof context;
      return createDemandsArea(dyingContext, { ...ports, files: { ...files, put } }, limits);
    },
    submit: async (caller: Caller, changes: Partial<DemandSubmission> = {}, key?: string): Promise<string> => {
      const document = smallPdf();
      const body = { ...SUBMISSION, ...changes, documentSha256: hash('sha256', document, 'hex') };
      const parameters: TestCall['parameters'] = key === undefined ? {} : { 'Idempotency-Key': key };
      return valueOf(await calls.call('submitDemand', caller, { body, document, parameters })).demandId;
    },
    decide: (demandId: string, body: unknown = { decision: 'approve', reason: 'It fits.' }): Promise<Demand> =>
      calls.value('decideDemand', STAFF, { demandId }, body),
    /** Builds what is due. @returns the newest production of the demand */
    produced: async (demandId: string): Promise<Production> => {
      await produce();
      const { productionIds } = await demand(demandId);
      return calls.value('fetchProduction', TEXAS, { productionId: productionIds.at(-1) ?? '' });
    },
    file: async (productionId: string, name: string): Promise<Buffer> => {
      const answer = await calls.call('fetchProductionFile', TEXAS, { parameters: { productionId, name } });
      if (answer.kind !== 'file') expect.fail(`${name}: ${JSON.stringify(answer)}`);
      return Buffer.from(answer.bytes);
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await log.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export type DemandLab = Awaited<ReturnType<typeof demandLab>>;

export function jobOf({ jobs }: Pick<PlatformArea, 'jobs'>, name: string): PlatformArea['jobs'][number] {
  const job = jobs.find((one) => one.name === name);
  if (job === undefined) throw new Error(`there is no job ${name}`);
  return job;
}

/** Appends the audit to the log before an entry is proved, as the audit log does. */
function proofsOf(context: TestContext, log: MerkleLog, publicKey: KeyObject): DemandPorts['proofs'] {
  let appended = 0;
  return auditProofsOf(context.database, {
    ...{ logId: () => log.logId, publicKey },
    proofOf: async (position) => {
      const rows = await context.database
        .selectFrom('core_audit')
        .select(['position', 'action', 'organization_id', 'actor', 'object', 'details'])
        .orderBy('position')
        .execute();
      for (; appended < rows.length; appended += 1) await log.append(canonicalJson(rows[appended]));
      return log.prove(rows.findIndex((row) => row.position === position));
    },
  });
}

const startMs = ({ record }: LiveRecord): number => Math.floor(record.inviteAtUs / 1_000);
/** Whether a value is among those that are asked for, where any are. */
const fits = (asked: readonly string[] | undefined, value: string | undefined): boolean =>
  asked === undefined || asked.includes(value ?? '');

const AGENCIES = [
  { agencyId: 'ag-tx', name: 'Texas', jurisdiction: 'US-TX', contactEmail: 'a@oag-tx.example' },
  { agencyId: 'ag-oh', name: 'Ohio', jurisdiction: 'US-OH', contactEmail: 'a@oag-oh.example' },
];

export function portsOf(
  world: DemandWorld,
  opened: OpeningOrder[],
): Pick<DemandPorts, 'campaigns' | 'tracebacks' | 'live' | 'reports' | 'organizations' | 'providers'> {
  const traced = (id: string) => world.tracebacks.find(({ traceback }) => traceback.tracebackId === id);
  return {
    campaigns: {
      campaign: async (_, id) => world.campaigns.find(({ campaignId }) => campaignId === id),
      calls: async (_, id, { fromMs = 0, toMs = Number.MAX_SAFE_INTEGER, limit }) =>
        world.calls
          .filter(({ campaignId, atMs }) => campaignId === id && atMs >= fromMs && atMs < toMs)
          .toSorted((a, b) => b.atMs - a.atMs)
          .slice(0, limit)
          // A row that names no other call is a call of its own.
          .map(({ placedCallId, ...one }) => ({ ...one, placedCallId: placedCallId ?? one.callId })),
    },
    tracebacks: {
      open: async (_, order) => {
        const known = opened.findIndex(({ reasonKey }) => reasonKey !== undefined && reasonKey === order.reasonKey);
        if (known >= 0) return `t-opened-${known}`;
        return `t-opened-${opened.push(order) - 1}`;
      },
      traceback: async (_, id) => traced(id)?.traceback,
      answers: async (_, id) => traced(id)?.answers ?? [],
      ofCampaign: async (_, id) =>
        world.tracebacks
          .filter(({ campaignId }) => campaignId === id)
          .map(({ traceback: { tracebackId } }) => ({ tracebackId })),
      openedBetween: async function* (_, { fromMs, toMs }) {
        for (const { traceback } of world.tracebacks) {
          const openedMs = Date.parse(traceback.openedAt);
          if (openedMs >= fromMs && openedMs < toMs) yield traceback.tracebackId;
        }
      },
      requestOutcomes: async function* () {
        yield* [];
      },
    },
    live: {
      record: async (providerId, recordId) =>
        world.records.find((one) => one.providerId === providerId && one.record.recordId === recordId),
      report: async (appId, id) =>
        world.reports.find((one) => one.appId === appId && one.report.reportId === id)?.report,
      find: async ({ fromMs, toMs, providerIds, callingTns, calledTns, recordIds, limit }) => {
        const keys = recordIds?.map((one) => `${one.providerId} ${one.recordId}`);
        const found = world.records
          .filter((one) => startMs(one) >= fromMs && startMs(one) < toMs && fits(providerIds, one.providerId))
          .filter(({ record }) => fits(callingTns, tnOf(record.calling)) && fits(calledTns, tnOf(record.called)))
          .filter(({ providerId, record }) => fits(keys, `${providerId} ${record.recordId}`))
          .toSorted((a, b) => a.record.inviteAtUs - b.record.inviteAtUs);
        return { records: found.slice(0, limit), isCut: found.length > limit };
      },
    },
    reports: {
      findReports: async ({ fromMs, toMs, callingTns, calledTns, limit }) => {
        const found = world.reports
          .filter(({ report }) => Date.parse(report.calledAt) >= fromMs && Date.parse(report.calledAt) < toMs)
          .filter(({ report }) => fits(callingTns, report.calling) && fits(calledTns, tnOf(report.called)))
          .toSorted((a, b) => Date.parse(a.report.calledAt) - Date.parse(b.report.calledAt));
        return { reports: found.slice(0, limit), isCut: found.length > limit };
      },
    },
    organizations: {
      agencies: async () => AGENCIES,
      agency: async (_, id) => AGENCIES.find(({ agencyId }) => agencyId === id),
      staff: async () => ['itg'],
    },
    providers: {
      provider: async () => undefined,
      providers: async () => new Map(),
      resolveAll: async () => [],
      resolve: async (_, { providerId }) => {
        if (providerId === undefined) return { status: 'unlisted' };
        const entry = { providerId, businessName: `Provider ${providerId}` } as never;
        return { status: 'found', provider: { entry, zone: 'America/Chicago', isReachable: true, answerKeys: [] } };
      },
    },
  };
}

const tnOf = (number: SharedRecord['calling'] | AppReport['called']): string | undefined =>
  number !== undefined && 'tn' in number ? number.tn : undefined;

export function liveRecord(
  recordId: string,
  atMs: number,
  more: { providerId?: string; calling?: string; called?: string; seconds?: number } = {},
): LiveRecord {
  const { providerId = 'acme', calling = '12025550100', called, seconds } = more;
  const inviteAtUs = atMs * 1_000;
  const record: SharedRecord = {
    ...{ format: 'hopback.shared-record.1', recordId, callGroupId: `g-${recordId}`, inviteAtUs },
    sharing: { policyId: 'suspicious-1', form: called === undefined ? 'pseudonymous' : 'full', rotationId: 'r1' },
    source: { format: 'hep', readerVersion: 1 },
    ...(seconds !== undefined && { answeredAtUs: inviteAtUs, endedAtUs: inviteAtUs + seconds * 1_000_000 }),
    time: { written: 'utc', resolutionUs: 1 },
    calling: { shown: 'number', tn: calling },
    called:
      called === undefined
        ? { shown: 'pseudonym', pseudonym: '0'.repeat(32), npaNxx: '202555' }
        : { shown: 'whole', asWritten: called, tn: called },
    ...{ ingress: { provider: 'Upstream Voice' }, egress: {}, disposition: 'answered' },
  };
  return { providerId, record, receivedAtMs: atMs + 2_000 };
}

export function appReport(reportId: string, calledAt: string, changes: Partial<AppReport> = {}): AppReport {
  return {
    ...{ format: 'hopback.app-report.1', reportId, app: { name: 'Blocker' }, calledAt },
    called: { shown: 'pseudonym', pseudonym: '1'.repeat(32), npaNxx: '202555' },
    ...{ calling: '12025550100', action: 'blocked', reason: 'content', durationSeconds: 12 },
    transcript: { text: 'Your social security number has been suspended.', language: 'en' },
    ...changes,
  };
}

/** A traceback of two hops with the answers of both. */
export function tracedOver(tracebackId: string, at: string, called = '12025550123'): DemandWorld['tracebacks'][number] {
  const calling = '12025550100';
  const [acme, dune] = [
    { providerId: 'acme', name: 'Acme Telecom' },
    { providerId: 'dune', name: 'Dune Voice' },
  ];
  const hop = (number: number, provider: typeof acme, arm: 'received-from' | 'origin') => ({
    ...{ hop: number, requestId: `${tracebackId}-q${number}`, provider, state: 'answered' as const },
    ...{ issuedAt: at, dueAt: at, answeredAt: at, answerId: `${tracebackId}-a${number}`, arm },
  });
  const answer = (number: number, provider: typeof acme, finding: TracebackAnswer['finding']): TracebackAnswer => ({
    ...{ format: 'hopback.traceback-answer.1', tracebackId, revision: 1, answeredAt: at, provider, finding },
    ...{ answerId: `${tracebackId}-a${number}`, requestId: `${tracebackId}-q${number}`, comment: `comment ${number}` },
    ...{ answeredBy: { kind: 'automatic', policyId: 'p-1' } },
    call: { startedAt: at, disposition: 'answered', calling, called },
    searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 1 },
  });
  const customer = { customerId: 'cust-1', contact: { name: 'Robo Leads LLC', telephone: '+1 202 555 0177' } };
  return {
    traceback: {
      ...{ format: 'hopback.traceback.1', tracebackId, direction: 'back', state: 'closed', outcome: 'origin' },
      requester: { kind: 'itg', name: 'Example Traceback Group' },
      campaign: { campaignId: 'c-1', name: 'SSA-Suspended-P2', transcript: 'THE SCRIPT ITSELF' },
      call: { called, calling, at: { asWritten: at, local: at.slice(0, 19), zone: 'UTC', precision: 'second' } },
      ...{ openedAt: at, updatedAt: at, closedAt: at },
      hops: [hop(1, acme, 'received-from'), hop(2, dune, 'origin')],
    },
    answers: [answer(1, acme, { arm: 'received-from', upstream: dune }), answer(2, dune, { arm: 'origin', customer })],
  };
}

export function campaign(campaignId: string, changes: Partial<Campaign> = {}): Campaign {
  return {
    ...{ format: 'hopback.campaign.1', campaignId, name: 'SSA-Suspended-P2', state: 'live' },
    ...{ firstSeenAt: '2026-10-20T00:00:00Z', lastSeenAt: '2026-10-23T23:00:00Z', updatedAt: '2026-10-23T23:00:00Z' },
    ...{ observedCalls: 10, callingNumbers: 5, signals: ['same-script'], providers: [], tracebackIds: [] },
    ...changes,
  };
}
