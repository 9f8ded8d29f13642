import type { KeyObject } from 'node:crypto';
import type { LogSigner } from '@hopback/sdk/log';
import type { Demand, DemandScope, DemandSubmission, Production } from '@hopback/sdk/platform';
import type { ProviderReference } from '@hopback/sdk/traceback';
import type { Selectable } from 'kysely';
import type {
  Caller,
  CampaignReader,
  DemandCoverage,
  HoldPort,
  LiveReader,
  OrganizationDirectory,
  PlatformContext,
  PlatformDatabase,
  PlatformTransaction,
  ProviderDirectory,
  Reading,
  ReportReader,
  TracebackDesk,
} from '../core/index.js';
import type { Actor, AuditLog } from '../database/index.js';
import { Acting, iso, openJson } from '../database/index.js';
import { scopeMatcher } from '../domain/demands/scope.js';
import { tracebackRows, tracedCall } from '../domain/demands/produced-rows.js';
import type { FileStore } from './file-store.js';
import type { DemandTables } from './tables.js';
import { DEMANDS, tablesOf } from './tables.js';

type DemandDecision = Demand['decisions'][number];

/** Proofs of the audit by what was done to what. */
type AuditProofs = ReturnType<typeof auditProofsOf>;

/** Makes the proofs of a log that the audit is brought to. @param publicKey - of whoever signs for the log */
export function auditProofsOf(
  database: PlatformDatabase,
  log: Pick<AuditLog, 'logId' | 'proofOf'> & { readonly publicKey: KeyObject },
) {
  return {
    /** Name of the part of the log that entries are added to. */
    logId: () => log.logId(),
    publicKey: log.publicKey,
    /**
     * The first entry of an action on an object, with its proof; undefined while it is not in the log. The octets of the entry have its details
     * as JSON, without spaces.
     */
    prove: async (action: string, object: string) => {
      const row = await database
        .selectFrom('core_audit')
        .select('position')
        .where('object', '=', object)
        .where('action', '=', action)
        .orderBy('position')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? undefined : log.proofOf(row.position);
    },
  };
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

/** What one does with demands in a transaction. */
export class DemandWork extends Acting {
  readonly parts: DemandParts;

  constructor(parts: DemandParts, transaction: PlatformTransaction, by?: Actor) {
    super(parts.context, transaction, by);
    this.parts = parts;
  }

  get tables() {
    return tablesOf(this.transaction);
  }

  demandRow(demandId: string): Promise<DemandRow | undefined> {
    return DEMANDS.get(this.transaction, demandId);
  }

  /** Demands of the wire out of their rows, with what is sealed of them opened for one reason. */
  async demands(rows: readonly DemandRow[], object: string): Promise<readonly Demand[]> {
    if (rows.length === 0) return [];
    const ids = rows.map((row) => row.demand_id);
    const decisions = await this.tables
      .selectFrom('demands_decisions')
      .selectAll()
      .where('demand_id', 'in', ids)
      .orderBy('decided_at_ms')
      .orderBy('decision_id')
      .execute();
    const productions = await this.tables
      .selectFrom('demands_productions')
      .select(['demand_id', 'production_id'])
      .where('demand_id', 'in', ids)
      .orderBy('place')
      .execute();
    const pieces = [...rows.map((row) => row.submission), ...decisions.map((row) => row.content)];
    const opened = await openJson(this.context, this.transaction, { pieces, reason: this.reason(object) });
    return rows.map((row, index) => ({
      ...(opened[index] as DemandSubmission),
      format: 'hopback.demand.1',
      demandId: row.demand_id,
      state: row.state,
      submittedAt: iso(row.submitted_at_ms),
      documentSizeBytes: row.document_size,
      decisions: decisions.flatMap((decision, at) =>
        decision.demand_id === row.demand_id ? [opened[rows.length + at] as DemandDecision] : [],
      ),
      productionIds: productions
        .filter((production) => production.demand_id === row.demand_id)
        .map((production) => production.production_id),
    }));
  }

  /** One demand of the wire. */
  async demand(row: DemandRow, object: string = `demand:${row.demand_id}`): Promise<Demand> {
    const [demand] = await this.demands([row], object);
    if (demand === undefined) throw new TypeError('a demand of one row is one demand');
    return demand;
  }

  /** A production of the wire. What can no longer be fetched is `expired`, whether its files have been removed by now or not. */
  async production(row: ProductionRow, nowMs: number): Promise<Production> {
    const files =
      row.state === 'in-preparation'
        ? []
        : await this.tables
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
      createdAt: iso(row.created_at_ms),
      ...(row.ready_at_ms !== null && { readyAt: iso(row.ready_at_ms) }),
      ...(row.expires_at_ms !== null && { expiresAt: iso(row.expires_at_ms) }),
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

  /** How many rows of a demand there are in a table. */
  async countOf(table: 'demands_productions' | 'demands_traces', demandId: string): Promise<number> {
    const { count } = await this.tables
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('demand_id', '=', demandId)
      .executeTakeFirstOrThrow();
    return count;
  }

  /**
   * Finds the providers of a scope in the registry. One that is not there, or could be several, reaches nothing: an accusation of another is worse
   * than a question back.
   * @returns the scope with those of the registry, and how many that it names cannot be told to be one of it
   */
  async resolved(scope: DemandScope): Promise<{ readonly scope: DemandScope; readonly unknownProviders: number }> {
    if (scope.providers === undefined) return { scope, unknownProviders: 0 };
    const found: ProviderReference[] = [];
    for (const reference of scope.providers) {
      const resolved = await this.parts.ports.providers.resolve(this.transaction, reference);
      if (resolved.status !== 'found') continue;
      const { providerId, businessName } = resolved.provider.entry;
      found.push({ providerId, name: businessName });
    }
    return { scope: { ...scope, providers: found }, unknownProviders: scope.providers.length - found.length };
  }
}

/** What a decision lets be produced: what was demanded, or as far as it was narrowed; undefined where nothing was. */
export function approvedScope(demand: Demand, decisionId?: string): DemandScope | undefined {
  const decision = demand.decisions.findLast(
    (one) => one.decision !== 'reject' && (decisionId === undefined || one.decisionId === decisionId),
  );
  if (decision === undefined || decision.decision === 'reject') return undefined;
  return decision.decision === 'narrow' ? decision.scope : demand.scope;
}

/** Campaigns of a demand that are looked at for whether one calls now: a demand that names more is no matter of minutes. */
const LIVE_LOOKED_AT = 50;

/** Whether a campaign that a demand names calls now. */
export async function namesLiveCampaign(
  { ports }: DemandParts,
  reading: Reading,
  campaignIds: readonly string[] = [],
): Promise<boolean> {
  for (const campaignId of campaignIds.slice(0, LIVE_LOOKED_AT)) {
    if ((await ports.campaigns.campaign(reading, campaignId))?.state === 'live') return true;
  }
  return false;
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
        coveredBy(new DemandWork(parts, transaction), agencyId, tracebackIds);
      return reading.isTransaction ? work(reading as PlatformTransaction) : parts.context.transact(work);
    },
  };
}

async function coveredBy(
  work: DemandWork,
  agencyId: string,
  tracebackIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const scopes = await scopesOf(work, agencyId);
  if (scopes.length === 0) return NOTHING;
  const campaigns = await campaignsOf(work, scopes, new Set(tracebackIds));
  const { tracebacks } = work.parts.ports;
  const covered = new Set<string>();
  for (const tracebackId of tracebackIds) {
    const traceback = await tracebacks.traceback(work.transaction, tracebackId);
    if (traceback === undefined) continue;
    const answers = await tracebacks.answers(work.transaction, tracebackId);
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
async function scopesOf(work: DemandWork, agencyId: string): Promise<readonly DemandScope[]> {
  const found = await work.tables
    .selectFrom('demands_demands')
    .selectAll()
    .where('organization_id', '=', agencyId)
    .where('state', 'in', ['approved', 'narrowed', 'produced'])
    .orderBy('submitted_at_ms', 'desc')
    .limit(LOOKED_AT)
    .execute();
  const rows = found.filter((row) => row.record_classes.includes('traceback-records'));
  const scopes: DemandScope[] = [];
  for (const demand of await work.demands(rows, `agency:${agencyId}`)) {
    const scope = approvedScope(demand);
    if (scope !== undefined) scopes.push((await work.resolved(scope)).scope);
  }
  return scopes;
}

/** Campaigns of tracebacks, as far as scopes name campaigns. */
async function campaignsOf(
  { parts, transaction }: DemandWork,
  scopes: readonly DemandScope[],
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const campaigns = new Map<string, string[]>();
  for (const campaignId of new Set(scopes.flatMap((scope) => scope.campaignIds ?? []))) {
    for (const { tracebackId } of await parts.ports.tracebacks.ofCampaign(transaction, campaignId))
      if (wanted.has(tracebackId)) campaigns.set(tracebackId, [...(campaigns.get(tracebackId) ?? []), campaignId]);
  }
  return campaigns;
}
