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
  OperationCall,
  OpeningOrder,
  PlatformArea,
} from '../../harness/src/platform/core/index.js';
import { auditProofsOf, createDemandsArea } from '../../harness/src/platform/demands/demands-area.js';
import { DEMANDS_DEFINITION } from '../../harness/src/platform/demands/tables.js';
import { openFileStore } from '../../harness/src/platform/demands/file-store.js';
import type { DemandLimits, DemandPorts } from '../../harness/src/platform/demands/demand-rows.js';
import { createLogSigner, openMerkleLog, type MerkleLog, type ProvedEntry } from '../../sdk/src/log/index.js';
import {
  PLATFORM_ROUTES,
  readWireBody,
  WIRE_SCHEMAS,
  type AppReport,
  type Campaign,
  type DemandSubmission,
  type PlatformAnswer,
  type PlatformScope,
  type SharedRecord,
  type Traceback,
} from '../../sdk/src/platform/index.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { createTestKey } from '../../sdk/src/testing/index.js';
import { createManualClock } from '../../sdk/src/testing/manual-clock.js';
import { canonicalJson, type TracebackAnswer } from '../../sdk/src/traceback/index.js';
import { createTestContext, type TestContext } from './itg-context.js';
import { openTestDatabase, type TestServer } from './itg-database.js';

/** What there is to be demanded. */
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

/** A caller of an organization. */
export const callerOf = (organizationId: string, kind: PlatformScope): Caller => ({
  ...{ clientId: `client-${organizationId}`, organizationId, kind, scopes: [kind] },
  name: kind === 'staff' ? 'Reviewing counsel' : `Office of ${organizationId}`,
});
export const STAFF: Caller = callerOf('itg', 'staff');
export const TEXAS: Caller = callerOf('ag-tx', 'agency');
export const OHIO: Caller = callerOf('ag-oh', 'agency');

/** A call of an operation, as a test states it. */
export interface TestCall {
  readonly caller: Caller;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly document?: Uint8Array;
}

export interface DemandLab extends AsyncDisposable {
  readonly context: TestContext;
  readonly area: PlatformArea;
  readonly ports: DemandPorts;
  readonly world: DemandWorld;
  readonly directory: string;
  readonly log: MerkleLog;
  readonly holds: Map<string, LegalHold>;
  readonly opened: OpeningOrder[];
  /** Calls an operation, and holds what it answers against its schema. */
  readonly call: (operationId: string, call: TestCall) => Promise<PlatformAnswer>;
  /** The value of an answer that has to be one. */
  readonly value: <Value>(operationId: string, call: TestCall) => Promise<Value>;
  /** The code of an answer that has to be a refusal. */
  readonly refusal: (operationId: string, call: TestCall) => Promise<string>;
  readonly run: (job: string) => Promise<void>;
  /** Runs the job of productions with the audit written to the log in between, until nothing is to be done. */
  readonly produce: () => Promise<void>;
  readonly submit: (caller: Caller, changes?: Partial<DemandSubmission>, key?: string) => Promise<string>;
  /** An area on the same tables and files, as after a restart. */
  readonly again: () => PlatformArea;
  /** An area of which the disk and the database fail for good at a step: as far as it came, so far it is. */
  readonly dying: (steps: number) => PlatformArea;
}

/** A PDF of one page, as small as one can be. */
export function smallPdf(extra = ''): Uint8Array {
  const body = `%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R ${extra} >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n`;
  return Buffer.from(
    `${body}xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000060 00000 n \ntrailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`,
  );
}

export const SUBMISSION: DemandSubmission = {
  kind: 'civil-investigative-demand',
  agency: {
    name: 'Office of the Attorney General of Texas',
    jurisdiction: 'US-TX',
    contactEmail: 'robocalls@oag-tx.example',
    contactTelephone: '+1 202 555 0119',
  },
  reference: 'CID-2026-0311',
  authority: 'Tex. Bus. & Com. Code section 17.61',
  scope: {
    recordClasses: ['traceback-records', 'call-records'],
    from: '2026-10-19T00:00:00Z',
    to: '2026-10-24T00:00:00Z',
    campaignIds: ['c-1'],
  },
  returnOn: '2026-11-20',
  isUrgent: false,
  documentSha256: '',
};

export interface DemandLabOptions {
  readonly world?: DemandWorld;
  readonly limits?: Partial<DemandLimits>;
  readonly server?: TestServer;
  readonly keyType?: 'P-256' | 'Ed25519';
}

let shared: Promise<OpenedDatabase> | undefined;

/** One database for all tests of a file, emptied for each: to start one takes seconds. */
async function emptyDatabase(server: TestServer | undefined): Promise<OpenedDatabase> {
  shared ??= openTestDatabase({ definitions: [DEMANDS_DEFINITION], ...(server !== undefined && { server }) });
  const opened = await shared;
  await sql`truncate demands_demands, demands_decisions, demands_productions, demands_files, demands_retrievals, demands_holds,
    demands_traces, core_events, core_audit, core_sealed`.execute(opened.database);
  return opened;
}

/** Milliseconds that a database may take to start where ten others share the processor. */
export const DATABASE_PATIENCE_MS = 240_000;

/** Starts it before the first test, whose time it would take. */
export async function openDemandDatabase(): Promise<void> {
  await emptyDatabase(undefined);
}

/** Closes it, after all tests of the file. */
export async function closeDemandDatabase(): Promise<void> {
  const opened = await shared;
  shared = undefined;
  await opened?.close();
}

/** An area of demands with other areas in memory, and the audit in a real Merkle log. */
export async function demandLab(options: DemandLabOptions = {}): Promise<DemandLab> {
  const { world = emptyWorld(), limits = {}, server, keyType = 'P-256' } = options;
  const directory = await mkdtemp(join(tmpdir(), 'hopback-demands-'));
  const database = await emptyDatabase(server);
  const context = createTestContext({ database, clock: createManualClock(Date.parse('2026-10-24T12:00:00Z')) });
  const signer = createLogSigner(createTestKey(keyType).privateKeyPem);
  const log = await openMerkleLog({ directory: join(directory, 'log'), logId: 'itg.example/audit', signer });
  const holds = new Map<string, LegalHold>();
  const opened: OpeningOrder[] = [];
  const files = openFileStore({ directory: join(directory, 'files'), key: randomBytes(32) });
  const ports: DemandPorts = {
    ...portsOf(world, opened),
    holds: {
      place: (hold) => Promise.resolve(void holds.set(hold.holdId, hold)),
      release: (holdId) => Promise.resolve(void holds.delete(holdId)),
    },
    proofs: proofsOf(context, log, signer.publicKey),
    ...{ files, signer, operator: { name: 'Example Traceback Group', software: 'hopback-harness 0.1.0' } },
  };
  const again = (): PlatformArea => createDemandsArea(context, ports, limits);
  const dying = (steps: number): PlatformArea => {
    let left = steps;
    const step = <Value>(work: () => Promise<Value>): Promise<Value> =>
      (left -= 1) >= 0 ? work() : Promise.reject(new Error('dead'));
    const dyingContext = {
      ...context,
      transact: (work: never) => step(() => context.transact(work)),
    } as typeof context;
    const dyingFiles = { ...files, put: (owner: string, octets: Uint8Array) => step(() => files.put(owner, octets)) };
    return createDemandsArea(dyingContext, { ...ports, files: dyingFiles }, limits);
  };
  const area = again();
  let keys = 0;

  const call = async (
    operationId: string,
    { caller, parameters = {}, body, document }: TestCall,
  ): Promise<PlatformAnswer> => {
    const route = [...PLATFORM_ROUTES, ...area.routes].find((one) => one.operationId === operationId);
    const operation = area.operations[operationId];
    if (route === undefined || operation === undefined) throw new Error(`there is no ${operationId}`);
    expect(route.allowed).toContain(caller.kind);
    const needsKey = route.idempotency === 'key' && parameters['Idempotency-Key'] === undefined;
    const request: OperationCall['request'] = {
      parameters: needsKey ? { ...parameters, 'Idempotency-Key': `key-${(keys += 1)}` } : parameters,
      bytes: new Uint8Array(),
      ...(body !== undefined && { body }),
      ...(document !== undefined && { document }),
    };
    const { signal } = new AbortController();
    const answer = await operation({
      route,
      caller,
      request,
      atMs: context.clock.nowMs(),
      httpRequestId: 'req-1',
      signal,
    });
    if (answer.kind === 'json' && route.response.kind === 'json') {
      const schemas = { ...WIRE_SCHEMAS, ...area.schemas } as Readonly<Record<string, (typeof area.schemas)[string]>>;
      const schema = schemas[route.response.body];
      if (schema === undefined) throw new Error(`there is no schema ${route.response.body}`);
      const { errors, surplus } = readWireBody(schema, JSON.parse(JSON.stringify(answer.value)));
      expect({ operationId, errors, surplus }).toEqual({ operationId, errors: [], surplus: [] });
    }
    if (answer.kind === 'problem') expect(['not-found', ...route.problems]).toContain(answer.code);
    return answer;
  };
  const lab: DemandLab = {
    ...{ context, area, ports, world, directory, log, holds, opened, call, again, dying },
    value: async <Value>(operationId: string, given: TestCall) => {
      const answer = await call(operationId, given);
      if (answer.kind !== 'json') throw new Error(`${operationId}: ${JSON.stringify(answer)}`);
      return answer.value as Value;
    },
    refusal: async (operationId, given) => {
      const answer = await call(operationId, given);
      return answer.kind === 'problem' ? answer.code : answer.kind;
    },
    run: async (name) => {
      const job = area.jobs.find((one) => one.name === name);
      if (job === undefined) throw new Error(`there is no job ${name}`);
      await job.run(context.clock.nowMs());
    },
    produce: async () => {
      for (let round = 0; round < 3; round += 1) {
        await lab.run('demands.productions');
        context.clock.advance(10_000);
      }
    },
    submit: async (caller, changes = {}, key) => {
      const document = smallPdf();
      const body = { ...SUBMISSION, ...changes, documentSha256: hash('sha256', document, 'hex') };
      const parameters: Readonly<Record<string, string>> = key === undefined ? {} : { 'Idempotency-Key': key };
      const { demandId } = await lab.value<{ demandId: string }>('submitDemand', {
        caller,
        body,
        document,
        parameters,
      });
      return demandId;
    },
    [Symbol.asyncDispose]: async () => {
      await log.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return lab;
}

/** Writes the audit to the log, as whoever keeps it does, before it proves an entry. */
function proofsOf(context: TestContext, log: MerkleLog, publicKey: KeyObject): DemandPorts['proofs'] {
  let written = 0;
  const proofOf = async (position: number): Promise<ProvedEntry | undefined> => {
    const rows = await context.database
      .selectFrom('core_audit')
      .select(['position', 'action', 'organization_id', 'actor', 'object', 'details'])
      .orderBy('position')
      .execute();
    for (; written < rows.length; written += 1) await log.append(canonicalJson(rows[written]));
    return log.prove(rows.findIndex((row) => row.position === position));
  };
  return auditProofsOf(context.database, { logId: () => log.logId, publicKey, proofOf });
}

export function portsOf(
  world: DemandWorld,
  opened: OpeningOrder[],
): Pick<DemandPorts, 'campaigns' | 'tracebacks' | 'live' | 'reports' | 'organizations' | 'providers'> {
  const startMs = ({ record }: LiveRecord): number => Math.floor(record.inviteAtUs / 1_000);
  const agencies = [
    { agencyId: 'ag-tx', name: 'Texas', jurisdiction: 'US-TX', contactEmail: 'a@oag-tx.example' },
    { agencyId: 'ag-oh', name: 'Ohio', jurisdiction: 'US-OH', contactEmail: 'a@oag-oh.example' },
  ];
  const traced = (id: string) => world.tracebacks.find(({ traceback }) => traceback.tracebackId === id);
  return {
    campaigns: {
      campaign: (_, id) => Promise.resolve(world.campaigns.find(({ campaignId }) => campaignId === id)),
      calls: (_, id, { fromMs = 0, toMs = Number.MAX_SAFE_INTEGER, limit }) =>
        Promise.resolve(
          world.calls
            .filter(({ campaignId, atMs }) => campaignId === id && atMs >= fromMs && atMs < toMs)
            .toSorted((a, b) => b.atMs - a.atMs)
            .slice(0, limit)
            // What says of no other call is of one of its own.
            .map(({ placedCallId, ...one }) => ({ ...one, placedCallId: placedCallId ?? one.callId })),
        ),
    },
    tracebacks: {
      open: (_, order) => {
        const known = opened.findIndex(({ reasonKey }) => reasonKey !== undefined && reasonKey === order.reasonKey);
        if (known >= 0) return Promise.resolve(`t-opened-${known}`);
        opened.push(order);
        return Promise.resolve(`t-opened-${opened.length - 1}`);
      },
      traceback: (_, id) => Promise.resolve(traced(id)?.traceback),
      answers: (_, id) => Promise.resolve(traced(id)?.answers ?? []),
      ofCampaign: (_, id) =>
        Promise.resolve(
          world.tracebacks
            .filter(({ campaignId }) => campaignId === id)
            .map(({ traceback }) => ({ tracebackId: traceback.tracebackId })),
        ),
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
      record: (providerId, recordId) =>
        Promise.resolve(world.records.find((one) => one.providerId === providerId && one.record.recordId === recordId)),
      report: (appId, id) =>
        Promise.resolve(world.reports.find((one) => one.appId === appId && one.report.reportId === id)?.report),
      find: ({ fromMs, toMs, providerIds, callingTns, calledTns, recordIds, limit }) => {
        const found = world.records
          .filter((one) => startMs(one) >= fromMs && startMs(one) < toMs)
          .filter((one) => providerIds === undefined || providerIds.includes(one.providerId))
          .filter(({ record }) => callingTns === undefined || callingTns.includes(tnOf(record.calling) ?? ''))
          .filter(({ record }) => calledTns === undefined || calledTns.includes(tnOf(record.called) ?? ''))
          .filter(
            (one) =>
              recordIds === undefined ||
              recordIds.some((id) => id.providerId === one.providerId && id.recordId === one.record.recordId),
          )
          .toSorted((a, b) => a.record.inviteAtUs - b.record.inviteAtUs);
        return Promise.resolve({ records: found.slice(0, limit), isCut: found.length > limit });
      },
    },
    reports: {
      findReports: ({ fromMs, toMs, callingTns, calledTns, limit }) => {
        const found = world.reports
          .filter(({ report }) => Date.parse(report.calledAt) >= fromMs && Date.parse(report.calledAt) < toMs)
          .filter(({ report }) => callingTns === undefined || callingTns.includes(report.calling ?? ''))
          .filter(
            ({ report }) =>
              calledTns === undefined || (report.called.shown === 'number' && calledTns.includes(report.called.tn)),
          )
          .toSorted((a, b) => Date.parse(a.report.calledAt) - Date.parse(b.report.calledAt));
        return Promise.resolve({ reports: found.slice(0, limit), isCut: found.length > limit });
      },
    },
    organizations: {
      agencies: () => Promise.resolve(agencies),
      agency: (_, id) => Promise.resolve(agencies.find(({ agencyId }) => agencyId === id)),
      staff: () => Promise.resolve(['itg']),
    },
    providers: {
      provider: () => Promise.resolve(undefined),
      providers: () => Promise.resolve(new Map()),
      resolveAll: () => Promise.resolve([]),
      resolve: (_, { providerId }) =>
        Promise.resolve(
          providerId === undefined
            ? { status: 'unlisted' }
            : {
                status: 'found',
                provider: {
                  entry: { providerId, businessName: `Provider ${providerId}` } as never,
                  ...{ zone: 'America/Chicago', isReachable: true, answerKeys: [] },
                },
              },
        ),
    },
  };
}

function tnOf(number: SharedRecord['calling'] | SharedRecord['called']): string | undefined {
  return number?.shown === 'whole' || number?.shown === 'number' ? number.tn : undefined;
}

/** A live record of a call. */
export function liveRecord(
  recordId: string,
  atMs: number,
  {
    providerId = 'acme',
    calling = '12025550100',
    called,
    seconds,
  }: {
    readonly providerId?: string;
    readonly calling?: string;
    readonly called?: string;
    readonly seconds?: number;
  } = {},
): LiveRecord {
  const record: SharedRecord = {
    format: 'hopback.shared-record.1',
    recordId,
    sharing: { policyId: 'suspicious-1', form: called === undefined ? 'pseudonymous' : 'full', rotationId: 'r1' },
    source: { format: 'hep', readerVersion: 1 },
    callGroupId: `g-${recordId}`,
    inviteAtUs: atMs * 1_000,
    ...(seconds !== undefined && { answeredAtUs: atMs * 1_000, endedAtUs: atMs * 1_000 + seconds * 1_000_000 }),
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

/** A report of an application about a call, with what was said. */
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
export function tracedOver(
  tracebackId: string,
  at: string,
  {
    customer = 'Robo Leads LLC',
    called = '12025550123',
  }: { readonly customer?: string; readonly called?: string } = {},
): { readonly traceback: Traceback; readonly answers: readonly TracebackAnswer[] } {
  const acme = { providerId: 'acme', name: 'Acme Telecom' };
  const dune = { providerId: 'dune', name: 'Dune Voice' };
  const hop = (number: number, provider: typeof acme, arm: 'received-from' | 'origin') => ({
    ...{ hop: number, requestId: `${tracebackId}-q${number}`, provider, state: 'answered' as const },
    ...{ issuedAt: at, dueAt: at, answeredAt: at, answerId: `${tracebackId}-a${number}`, arm },
  });
  const answer = (number: number, provider: typeof acme, finding: TracebackAnswer['finding']): TracebackAnswer => ({
    ...{
      format: 'hopback.traceback-answer.1',
      answerId: `${tracebackId}-a${number}`,
      requestId: `${tracebackId}-q${number}`,
    },
    ...{ tracebackId, revision: 1, answeredAt: at, provider, answeredBy: { kind: 'automatic', policyId: 'p-1' } },
    ...{ finding, call: { startedAt: at, disposition: 'answered', calling: '12025550100', called } },
    ...{
      searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 1 },
      comment: `comment ${number}`,
    },
  });
  return {
    traceback: {
      ...{ format: 'hopback.traceback.1', tracebackId, direction: 'back', state: 'closed', outcome: 'origin' },
      requester: { kind: 'itg', name: 'Example Traceback Group' },
      campaign: { campaignId: 'c-1', name: 'SSA-Suspended-P2', transcript: 'THE SCRIPT ITSELF' },
      call: {
        called,
        calling: '12025550100',
        at: { asWritten: at, local: at.slice(0, 19), zone: 'UTC', precision: 'second' },
      },
      ...{ openedAt: at, updatedAt: at, closedAt: at },
      hops: [hop(1, acme, 'received-from'), hop(2, dune, 'origin')],
    },
    answers: [
      answer(1, acme, { arm: 'received-from', upstream: dune }),
      answer(2, dune, {
        arm: 'origin',
        customer: { customerId: 'cust-1', contact: { name: customer, telephone: '+1 202 555 0177' } },
      }),
    ],
  };
}

/** A campaign that calls now. */
export function campaign(campaignId: string, changes: Partial<Campaign> = {}): Campaign {
  return {
    ...{ format: 'hopback.campaign.1', campaignId, name: 'SSA-Suspended-P2', state: 'live' },
    ...{ firstSeenAt: '2026-10-20T00:00:00Z', lastSeenAt: '2026-10-23T23:00:00Z', updatedAt: '2026-10-23T23:00:00Z' },
    ...{ observedCalls: 10, callingNumbers: 5, signals: ['same-script'], providers: [], tracebackIds: [] },
    ...changes,
  };
}
