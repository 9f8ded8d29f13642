import type { Selectable } from 'kysely';
import type { Demand, DemandDecision, DemandScope, DemandSubmission, Production } from '@hopback/sdk/platform';
import type { AuditEntry, Caller, PlatformContext, PlatformTransaction } from '../core/index.js';
import { tablesOf } from './demand-area.js';
import { openJson } from '../database/index.js';
import type { DemandTables } from './tables.js';

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
