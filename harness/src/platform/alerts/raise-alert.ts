import type { Alert, AlertKind } from '@hopback/sdk/platform';
import type { PlatformContext, PlatformTransaction } from '../core/index.js';
import type { AlertTables } from './alert-tables.js';

const HOUR_MS = 3_600_000;
/** Alerts to one organization in an hour: one every two minutes is what somebody on duty can look at. What is more comes later. */
export const MAX_ALERTS_PER_HOUR = 30;
/** Of urgent ones, which nobody should wait for: only a fault of the platform makes more. */
export const MAX_URGENT_PER_HOUR = 120;

/** An alert before it has an id. */
export interface AlertOrder {
  readonly organizationId: string;
  readonly subject: string;
  readonly reason: string;
  readonly ruleId?: string;
  readonly alert: Omit<Alert, 'format' | 'alertId' | 'raisedAt' | 'acknowledged'>;
}

/**
 * Raises an alert, unless the organization has been told of this subject for this reason already.
 * @returns `deferred` where it has had as many within the hour as it is sent
 */
export async function raiseAlert(
  context: PlatformContext,
  transaction: PlatformTransaction,
  order: AlertOrder,
): Promise<'raised' | 'known' | 'deferred'> {
  const { organizationId, subject, reason } = order;
  const tables = transaction.withTables<AlertTables>();
  const there = await tables
    .selectFrom('alerts_alerts')
    .select('alert_id')
    .where('subject', '=', subject)
    .where('reason', '=', reason)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (there !== undefined) return 'known';
  const nowMs = context.clock.nowMs();
  if (await isFull(transaction, { organizationId, nowMs, isUrgent: order.alert.severity === 'urgent' }))
    return 'deferred';
  const alert: Alert = {
    format: 'hopback.alert.1',
    alertId: context.newId('alr'),
    raisedAt: new Date(nowMs).toISOString(),
    ...order.alert,
  };
  const { numInsertedOrUpdatedRows } = await tables
    .insertInto('alerts_alerts')
    .values(rowOf(alert, order, nowMs))
    .onConflict((conflict) => conflict.columns(['subject', 'reason', 'organization_id']).doNothing())
    .executeTakeFirst();
  // Somebody else raised it at the same time.
  if (Number(numInsertedOrUpdatedRows) === 0) return 'known';
  await context.tell(transaction, {
    type: 'org.hopback.alert.raised.1',
    subject: alert.alertId,
    data: { alert },
    to: [organizationId],
  });
  await context.audit(transaction, {
    action: 'alert.raised',
    organizationId,
    actor: 'platform',
    object: `alert:${alert.alertId}`,
    details: { kind: alert.kind, subject, reason, ...(order.ruleId !== undefined && { ruleId: order.ruleId }) },
  });
  return 'raised';
}

/** Organizations that have been told of a subject for a reason. */
export async function toldAlready(
  transaction: PlatformTransaction,
  { subject, reason }: Pick<AlertOrder, 'subject' | 'reason'>,
): Promise<ReadonlySet<string>> {
  const rows = await transaction
    .withTables<AlertTables>()
    .selectFrom('alerts_alerts')
    .select('organization_id')
    .where('subject', '=', subject)
    .where('reason', '=', reason)
    .execute();
  return new Set(rows.map((row) => row.organization_id));
}

const rowOf = (alert: Alert, order: AlertOrder, nowMs: number) => ({
  alert_id: alert.alertId,
  organization_id: order.organizationId,
  subject: order.subject,
  reason: order.reason,
  kind: alert.kind satisfies AlertKind,
  rule_id: order.ruleId ?? null,
  campaign_id: alert.campaignId ?? null,
  raised_at_ms: nowMs,
  alert: JSON.stringify(alert),
  acknowledged: null,
  acknowledged_at_ms: null,
});

async function isFull(
  transaction: PlatformTransaction,
  { organizationId, nowMs, isUrgent }: { organizationId: string; nowMs: number; isUrgent: boolean },
): Promise<boolean> {
  const { raised } = await transaction
    .withTables<AlertTables>()
    .selectFrom('alerts_alerts')
    .select((row) => row.fn.countAll<number>().as('raised'))
    .where('organization_id', '=', organizationId)
    .where('raised_at_ms', '>', nowMs - HOUR_MS)
    .executeTakeFirstOrThrow();
  return raised >= (isUrgent ? MAX_URGENT_PER_HOUR : MAX_ALERTS_PER_HOUR);
}
