import type { KeyObject } from 'node:crypto';
import type { LogSigner, ProvedEntry } from '@hopback/sdk/log';
import type { Demand, DemandDecision, DemandScope, DemandSubmission, Production } from '@hopback/sdk/platform';
import type { ProviderReference } from '@hopback/sdk/traceback';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type {
  AuditEntry,
  Caller,
  CampaignReader,
  CoreTables,
  DemandCoverage,
  HoldPort,
  LiveReader,
  OrganizationDirectory,
  PlatformContext,
  PlatformTransaction,
  ProviderDirectory,
  Reading,
  ReportReader,
  TracebackDesk,
} from '../core/index.js';
import { openJson } from '../database/index.js';
import { scopeMatcher } from '../domain/demands/scope.js';
import { tracebackRows, tracedCall } from '../domain/demands/produced-rows.js';
import type { FileStore } from './file-store.js';
import type { DemandTables } from './tables.js';

/** Proofs of the audit. Carried out by whoever keeps the Merkle log. */
export interface AuditProofs {
  readonly logId: string;
  /** Of whoever signs for the log. */
  readonly publicKey: KeyObject;
  /**
   * The entry that was audited in the transaction of an action on an object, with its proof; undefined while it is not in the log. The octets of
   * the entry have its details as JSON, without spaces.
   */
  readonly prove: (entry: { readonly action: string; readonly object: string }) => Promise<ProvedEntry | undefined>;
}

/** What the area of demands stands on beside its context. */
export interface DemandPorts {
  readonly campaigns: CampaignReader;
  readonly tracebacks: TracebackDesk;
  readonly live: LiveReader;
  readonly reports: ReportReader;
  readonly organizations: OrganizationDirectory;
  readonly providers: ProviderDirectory;
  readonly holds: HoldPort;
  readonly proofs: AuditProofs;
  /** Where documents and files of productions lie, encrypted. */
  readonly files: FileStore;
  /** Signs manifests, sums and lists of receipts. */
  readonly signer: LogSigner;
  /** Who operates the platform, as certificates name it. */
  readonly operator: { readonly name: string; readonly software: string };
}

/** What the parts of the area are given. */
export interface DemandParts {
  readonly context: PlatformContext;
  readonly ports: DemandPorts;
  readonly limits: DemandLimits;
}

/** What an operator may set. */
export interface DemandLimits {
  /** Milliseconds for which a production can be fetched. */
  readonly retrievalMs: number;
  /** Octets of a part of a file of a production. */
  readonly partBytes: number;
  /** Records that are asked of another area at once. */
  readonly pageItems: number;
}

/**
 * Thirty days to fetch a production: an agency has people who are away, and a production can be issued anew. Parts of 4 MiB: ten of them, CSV and
 * JSON of five classes, are in memory at once, and one is sent whole. Pages of 1,000 records: a megabyte.
 */
export const DEFAULT_DEMAND_LIMITS: DemandLimits = {
  retrievalMs: 30 * 86_400_000,
  partBytes: 4 * 1_048_576,
  pageItems: 1_000,
};

/** The tables of the area within a transaction, or outside. */
export function tablesOf(reading: PlatformTransaction): Transaction<CoreTables & DemandTables>;
export function tablesOf(reading: Reading): Kysely<CoreTables & DemandTables>;
export function tablesOf(reading: Reading): Kysely<CoreTables & DemandTables> {
  return reading.withTables<DemandTables>();
}

/** Who does what the platform does by itself, for the audit. */
export const PLATFORM_ACTOR = { organizationId: 'platform', actor: 'platform' } as const;

/** Whether a caller sees what belongs to every agency. */
export function isStaff({ scopes }: Caller): boolean {
  return scopes.includes('staff');
}

/** Whether something of an organization is a caller's to see. What is not, is not there. */
export function maySee(caller: Caller, organizationId: string): boolean {
  return isStaff(caller) || caller.organizationId === organizationId;
}

export type DemandRow = Selectable<DemandTables['demands_demands']>;
export type ProductionRow = Selectable<DemandTables['demands_productions']>;
type DecisionRow = Selectable<DemandTables['demands_decisions']>;

/** Reads one demand; undefined where there is none. */
export async function demandRow(transaction: PlatformTransaction, demandId: string): Promise<DemandRow | undefined> {
  return tablesOf(transaction)
    .selectFrom('demands_demands')
    .selectAll()
    .where('demand_id', '=', demandId)
    .executeTakeFirst();
}

/** Reads one production; undefined where there is none. */
export async function productionRow(
  transaction: PlatformTransaction,
  productionId: string,
): Promise<ProductionRow | undefined> {
  return tablesOf(transaction)
    .selectFrom('demands_productions')
    .selectAll()
    .where('production_id', '=', productionId)
    .executeTakeFirst();
}

/** Why a caller opens demands, for the audit. */
export function openedBy(caller: Caller, object: string): Omit<AuditEntry, 'action' | 'details'> {
  return { organizationId: caller.organizationId, actor: caller.clientId, object };
}

/** Demands of the wire out of their rows, with what is sealed of them opened for one reason. */
export async function wireDemands(
  context: PlatformContext,
  transaction: PlatformTransaction,
  { rows, reason }: { readonly rows: readonly DemandRow[]; readonly reason: Omit<AuditEntry, 'action' | 'details'> },
): Promise<readonly Demand[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.demand_id);
  const tables = tablesOf(transaction);
  const decisions = await tables
    .selectFrom('demands_decisions')
    .selectAll()
    .where('demand_id', 'in', ids)
    .orderBy('decided_at_ms')
    .orderBy('decision_id')
    .execute();
  const productions = await tables
    .selectFrom('demands_productions')
    .select(['demand_id', 'production_id'])
    .where('demand_id', 'in', ids)
    .orderBy('place')
    .execute();
  const pieces = [...rows.map((row) => row.submission), ...decisions.map((row) => row.content)];
  const opened = await openJson(context, transaction, { pieces, reason });
  const contents = new Map(decisions.map((row, index) => [row.decision_id, opened[rows.length + index]]));
  return rows.map((row, index) => ({
    ...(opened[index] as DemandSubmission),
    format: 'hopback.demand.1',
    demandId: row.demand_id,
    state: row.state,
    submittedAt: new Date(row.submitted_at_ms).toISOString(),
    documentSizeBytes: row.document_size,
    decisions: decisions
      .filter((decision) => decision.demand_id === row.demand_id)
      .map((decision) => contents.get(decision.decision_id) as DemandDecision),
    productionIds: productions
      .filter((production) => production.demand_id === row.demand_id)
      .map((production) => production.production_id),
  }));
}

/** One demand of the wire. */
export async function wireDemand(
  context: PlatformContext,
  transaction: PlatformTransaction,
  { row, reason }: { readonly row: DemandRow; readonly reason: Omit<AuditEntry, 'action' | 'details'> },
): Promise<Demand> {
  const [demand] = await wireDemands(context, transaction, { rows: [row], reason });
  if (demand === undefined) throw new TypeError('a demand of one row is one demand');
  return demand;
}

/** What a decision lets be produced: what was demanded, or as far as it was narrowed; undefined where nothing was. */
export function approvedScope(demand: Demand, decisionId?: string): DemandScope | undefined {
  const decision = demand.decisions.findLast(
    (one) => one.decision !== 'reject' && (decisionId === undefined || one.decisionId === decisionId),
  );
  if (decision === undefined || decision.decision === 'reject') return undefined;
  return decision.decision === 'narrow' ? decision.scope : demand.scope;
}

/** The last decision about a demand; undefined where there is none. */
export async function lastDecision(
  transaction: PlatformTransaction,
  demandId: string,
): Promise<DecisionRow | undefined> {
  return tablesOf(transaction)
    .selectFrom('demands_decisions')
    .selectAll()
    .where('demand_id', '=', demandId)
    .orderBy('decided_at_ms', 'desc')
    .orderBy('decision_id', 'desc')
    .executeTakeFirst();
}

/** A production of the wire. What can no longer be fetched is `expired`, whether its files have been removed by now or not. */
export async function wireProduction(
  transaction: PlatformTransaction,
  row: ProductionRow,
  nowMs: number,
): Promise<Production> {
  const files =
    row.state === 'in-preparation'
      ? []
      : await tablesOf(transaction)
          .selectFrom('demands_files')
          .selectAll()
          .where('production_id', '=', row.production_id)
          .orderBy('position')
          .execute();
  const isOver = row.state === 'ready' && row.expires_at_ms !== null && row.expires_at_ms <= nowMs;
  return {
    format: 'hopback.production.1',
    productionId: row.production_id,
    demandId: row.demand_id,
    decisionId: row.decision_id,
    state: isOver ? 'expired' : row.state,
    createdAt: new Date(row.created_at_ms).toISOString(),
    ...(row.ready_at_ms !== null && { readyAt: new Date(row.ready_at_ms).toISOString() }),
    ...(row.expires_at_ms !== null && { expiresAt: new Date(row.expires_at_ms).toISOString() }),
    ...(files.length > 0 && { manifestName: 'manifest.json', certificateName: 'custodian-certificate.txt' }),
    files: files.map((file) => ({
      name: file.name,
      mediaType: file.media_type,
      sizeBytes: file.size_bytes,
      sha256: file.sha256,
      ...(file.record_class !== null && { recordClass: file.record_class }),
      ...(file.records !== null && { records: file.records }),
    })),
  };
}

/** Campaigns of a demand that are looked at for whether one calls now: a demand that names more is no matter of minutes. */
const LIVE_LOOKED_AT = 50;

/** Whether a campaign that a demand names calls now. */
export async function namesLiveCampaign(
  { ports }: Pick<DemandParts, 'ports'>,
  reading: Reading,
  campaignIds: readonly string[] = [],
): Promise<boolean> {
  for (const campaignId of campaignIds.slice(0, LIVE_LOOKED_AT)) {
    if ((await ports.campaigns.campaign(reading, campaignId))?.state === 'live') return true;
  }
  return false;
}

/** A scope whose providers are those of the registry, and how many that it names cannot be told to be one of it. */
export interface ResolvedScope {
  readonly scope: DemandScope;
  readonly unknownProviders: number;
}

/**
 * Finds the providers of a scope in the registry. One that is not there, or could be several, reaches nothing: an accusation of another is worse
 * than a question back.
 */
export async function resolvedScope(
  { ports }: Pick<DemandParts, 'ports'>,
  reading: Reading,
  scope: DemandScope,
): Promise<ResolvedScope> {
  if (scope.providers === undefined) return { scope, unknownProviders: 0 };
  const found: ProviderReference[] = [];
  for (const reference of scope.providers) {
    const resolved = await ports.providers.resolve(reading, reference);
    if (resolved.status !== 'found') continue;
    const { providerId, businessName } = resolved.provider.entry;
    found.push({ providerId, name: businessName });
  }
  return { scope: { ...scope, providers: found }, unknownProviders: scope.providers.length - found.length };
}

/** Demands of one agency that are looked at: the latest. */
const LOOKED_AT = 200;

const NOTHING: ReadonlySet<string> = new Set();

/** Says which tracebacks an agency may see: those that a demand of its own reaches, as it was approved. */
export function createDemandCoverage(parts: DemandParts): DemandCoverage {
  return {
    covered: async (reading, agencyId, tracebackIds) => {
      if (tracebackIds.length === 0) return NOTHING;
      const work = (transaction: PlatformTransaction): Promise<ReadonlySet<string>> =>
        coveredBy(parts, transaction, { agencyId, tracebackIds });
      return reading.isTransaction ? work(reading as PlatformTransaction) : parts.context.transact(work);
    },
  };
}

async function coveredBy(
  parts: DemandParts,
  transaction: PlatformTransaction,
  { agencyId, tracebackIds }: { readonly agencyId: string; readonly tracebackIds: readonly string[] },
): Promise<ReadonlySet<string>> {
  const scopes = await scopesOf(parts, transaction, agencyId);
  if (scopes.length === 0) return NOTHING;
  const campaigns = await campaignsOf(parts, transaction, { scopes, tracebackIds });
  const { tracebacks } = parts.ports;
  const covered = new Set<string>();
  for (const tracebackId of tracebackIds) {
    const traceback = await tracebacks.traceback(transaction, tracebackId);
    if (traceback === undefined) continue;
    const answers = await tracebacks.answers(transaction, tracebackId);
    const call = tracedCall(traceback, answers);
    const rows = tracebackRows({ traceback, answers, call, campaignIds: campaigns.get(tracebackId) ?? [] });
    const reaches = scopes.some((scope) => {
      const isReached = scopeMatcher(scope);
      return rows.some(({ item }) => item.recordClass === 'traceback-records' && isReached(item));
    });
    if (reaches) covered.add(tracebackId);
  }
  return covered;
}

/** What was approved of the demands of an agency that reach tracebacks. */
async function scopesOf(
  parts: DemandParts,
  transaction: PlatformTransaction,
  agencyId: string,
): Promise<readonly DemandScope[]> {
  const found = await tablesOf(transaction)
    .selectFrom('demands_demands')
    .selectAll()
    .where('organization_id', '=', agencyId)
    .where('state', 'in', ['approved', 'narrowed', 'produced'])
    .orderBy('submitted_at_ms', 'desc')
    .limit(LOOKED_AT)
    .execute();
  const rows = found.filter((row) => row.record_classes.includes('traceback-records'));
  const reason = { ...PLATFORM_ACTOR, object: `agency:${agencyId}` };
  const scopes: DemandScope[] = [];
  for (const demand of await wireDemands(parts.context, transaction, { rows, reason })) {
    const scope = approvedScope(demand);
    if (scope !== undefined) scopes.push((await resolvedScope(parts, transaction, scope)).scope);
  }
  return scopes;
}

/** Campaigns of tracebacks, as far as scopes name campaigns. */
async function campaignsOf(
  { ports }: DemandParts,
  transaction: PlatformTransaction,
  { scopes, tracebackIds }: { readonly scopes: readonly DemandScope[]; readonly tracebackIds: readonly string[] },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = new Set(tracebackIds);
  const campaigns = new Map<string, string[]>();
  for (const campaignId of new Set(scopes.flatMap((scope) => scope.campaignIds ?? []))) {
    for (const { tracebackId } of await ports.tracebacks.ofCampaign(transaction, campaignId))
      if (wanted.has(tracebackId)) campaigns.set(tracebackId, [...(campaigns.get(tracebackId) ?? []), campaignId]);
  }
  return campaigns;
}
