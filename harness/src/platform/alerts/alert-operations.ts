import { problemAnswer, jsonAnswer } from '@hopback/sdk/internal';
import type { Alert, WireBodies } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import type { OperationCall, Operations } from '../core/index.js';
import { campaignFigures, dueAlerts } from '../domain/alerts/alert-rules.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import { readPage, shownRows } from '../domain/wire/routes.js';
import type { AlertRule, AlertSubscription, AlertTrial, AlertTrialReport } from '../domain/alerts/alert-bodies.js';
import { MAX_RULES, MAX_TRIED } from '../domain/alerts/alert-bodies.js';
import type { AlertTables } from './alert-tables.js';
import type { AlertParts } from './evaluate-alerts.js';
import { rulesOf } from './evaluate-alerts.js';

type AlertAcknowledgement = WireBodies['AlertAcknowledgement'];

/** Records and reports of a campaign that a trial reads. */
const TRIED_CALLS = 2_000;

/** What an agency wants that never said anything. */
const EVERYTHING: AlertSubscription = {
  withoutKinds: [],
  types: [],
  minCalls: 0,
  minShare: 0,
  minSeverity: 'information',
  alsoJurisdictions: [],
};

/** Operations on alerts, rules and subscriptions. */
export function createAlertOperations(parts: AlertParts): Operations {
  return {
    listAlerts: (call) => listAlerts(parts, call),
    acknowledgeAlert: (call) => acknowledge(parts, call),
    listAlertRules: async ({ caller }) => {
      const { rules } = await rulesOf(parts, parts.context.database);
      return jsonAnswer({ rules: caller.kind === 'staff' ? rules : rulesFor(rules, caller.organizationId) });
    },
    putAlertRule: (call) => putRule(parts, call),
    fetchAlertSubscription: async ({ caller }) => {
      const { subscriptions } = await rulesOf(parts, parts.context.database);
      return jsonAnswer(subscriptions.get(caller.organizationId) ?? EVERYTHING);
    },
    putAlertSubscription: (call) => putSubscription(parts, call),
    tryAlertRules: (call) => tryRules(parts, call),
  };
}

/** Which rules there are for an agency: whom else they are for is not its business. */
const rulesFor = (rules: readonly AlertRule[], agencyId: string): readonly AlertRule[] =>
  rules
    .filter(({ agencyIds }) => agencyIds.length === 0 || agencyIds.includes(agencyId))
    .map((rule) => (rule.agencyIds.length === 0 ? rule : { ...rule, agencyIds: [agencyId] }));

type AlertRow = Selectable<AlertTables['alerts_alerts']>;

/** An alert with its acknowledgement. */
export const alertOf = ({ alert, acknowledged }: Pick<AlertRow, 'alert' | 'acknowledged'>): Alert =>
  acknowledged === null ? alert : { ...alert, acknowledged };

async function listAlerts({ context }: AlertParts, call: OperationCall): Promise<PlatformAnswer> {
  const page = readPage(call, ['number', 'string']);
  if ('kind' in page) return page;
  const { after, limit } = page;
  const { state } = call.request.parameters;
  let rows = context.database
    .withTables<AlertTables>()
    .selectFrom('alerts_alerts')
    .select(['alert_id', 'raised_at_ms', 'alert', 'acknowledged'])
    .where('organization_id', '=', call.caller.organizationId)
    .orderBy('raised_at_ms', 'desc')
    .orderBy('alert_id', 'desc')
    .limit(limit + 1);
  if (state !== undefined) rows = rows.where('acknowledged', state === 'acknowledged' ? 'is not' : 'is', null);
  if (after !== undefined) rows = rows.where(sql<boolean>`(raised_at_ms, alert_id) < (${after[0]}, ${after[1]})`);
  const { shown, next } = shownRows(await rows.execute(), limit, (row) => [row.raised_at_ms, row.alert_id]);
  return jsonAnswer({ items: shown.map(alertOf), ...next });
}

async function acknowledge({ context }: AlertParts, call: OperationCall): Promise<PlatformAnswer> {
  const alertId = call.request.parameters['alertId'] ?? '';
  const { organizationId, clientId } = call.caller;
  return context.transact(async (transaction) => {
    const tables = transaction.withTables<AlertTables>();
    const row = await tables
      .selectFrom('alerts_alerts')
      .select(['alert', 'acknowledged'])
      .where('alert_id', '=', alertId)
      .where('organization_id', '=', organizationId)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) return problemAnswer('not-found');
    if (row.acknowledged !== null) return jsonAnswer(alertOf(row));
    const nowMs = context.clock.nowMs();
    const { acknowledgedBy, intends, note } = call.request.body as AlertAcknowledgement;
    const acknowledged = {
      acknowledgedBy: textWithoutNumbers(acknowledgedBy),
      ...(intends !== undefined && { intends }),
      ...(note !== undefined && { note: textWithoutNumbers(note) }),
      acknowledgedAt: new Date(nowMs).toISOString(),
    };
    await tables
      .updateTable('alerts_alerts')
      .set({ acknowledged: JSON.stringify(acknowledged), acknowledged_at_ms: nowMs })
      .where('alert_id', '=', alertId)
      .execute();
    await context.audit(transaction, {
      action: 'alert.acknowledged',
      organizationId,
      actor: clientId,
      object: `alert:${alertId}`,
      ...(acknowledged.intends !== undefined && { details: { intends: acknowledged.intends } }),
    });
    return jsonAnswer(alertOf({ alert: row.alert, acknowledged }));
  });
}

async function putRule({ context }: AlertParts, call: OperationCall): Promise<PlatformAnswer> {
  const rule = call.request.body as AlertRule;
  if (rule.ruleId !== call.request.parameters['ruleId'])
    return problemAnswer('invalid-body', { errors: [{ pointer: '/ruleId', code: 'other-than-path' }] });
  return context.transact(async (transaction) => {
    const tables = transaction.withTables<AlertTables>();
    const there = await tables.selectFrom('alerts_rules').select(['rule_id', 'rule']).execute();
    const before = there.find(({ rule_id: ruleId }) => ruleId === rule.ruleId);
    if (before === undefined && there.length >= MAX_RULES)
      return problemAnswer('conflict', { detail: 'there are too many rules' });
    const values = { rule: JSON.stringify(rule), updated_ms: context.clock.nowMs() };
    await tables
      .insertInto('alerts_rules')
      .values({ rule_id: rule.ruleId, ...values })
      .onConflict((conflict) => conflict.column('rule_id').doUpdateSet(values))
      .execute();
    await context.audit(transaction, {
      action: 'alert-rule.put',
      organizationId: call.caller.organizationId,
      actor: call.caller.clientId,
      object: `alert-rule:${rule.ruleId}`,
      details: { isEnabled: rule.isEnabled, kind: rule.kind },
    });
    return jsonAnswer(rule);
  });
}

async function putSubscription({ context }: AlertParts, call: OperationCall): Promise<PlatformAnswer> {
  const { organizationId, clientId } = call.caller;
  const subscription = call.request.body as AlertSubscription;
  return context.transact(async (transaction) => {
    const values = { subscription: JSON.stringify(subscription), updated_ms: context.clock.nowMs() };
    await transaction
      .withTables<AlertTables>()
      .insertInto('alerts_subscriptions')
      .values({ organization_id: organizationId, ...values })
      .onConflict((conflict) => conflict.column('organization_id').doUpdateSet(values))
      .execute();
    await context.audit(transaction, {
      action: 'alert-subscription.put',
      organizationId,
      actor: clientId,
      object: `organization:${organizationId}`,
    });
    return jsonAnswer(subscription);
  });
}

/** Holds rules against campaigns at the time of their last call, by somebody who wants to know what would come of them. */
async function tryRules(parts: AlertParts, call: OperationCall): Promise<PlatformAnswer> {
  const { database } = parts.context;
  const { rules, subscription, campaignIds } = call.request.body as AlertTrial;
  const { caller } = call;
  const now = await rulesOf(parts, database);
  const isStaff = caller.kind === 'staff';
  const agencies = isStaff ? now.agencies : now.agencies.filter(({ agencyId }) => agencyId === caller.organizationId);
  const subscriptions = new Map(now.subscriptions);
  if (!isStaff && subscription !== undefined) subscriptions.set(caller.organizationId, subscription);
  const ids = campaignIds ?? (await latestCampaigns(parts));
  const alerts: AlertTrialReport['alerts'][number][] = [];
  let campaigns = 0;
  for (const campaignId of new Set(ids)) {
    const campaign = await parts.campaigns.campaign(database, campaignId);
    if (campaign === undefined) continue;
    campaigns += 1;
    const calls = await parts.campaigns.calls(database, campaignId, { limit: TRIED_CALLS });
    // When its last call was seen it was live, whatever it is now.
    const atMs = Date.parse(campaign.lastSeenAt);
    const then = { ...campaign, state: 'live' as const };
    const due = dueAlerts({
      campaign: then,
      figures: campaignFigures(then, calls, atMs),
      rules: isStaff && rules !== undefined ? rules : now.rules,
      agencies,
      subscriptions,
      hasResumed: false,
    });
    alerts.push(...due.map((one) => ({ ...one, campaignId })));
  }
  return jsonAnswer({ campaigns, alerts } satisfies AlertTrialReport);
}

async function latestCampaigns({ context }: AlertParts): Promise<readonly string[]> {
  const rows = await context.database
    .withTables<AlertTables>()
    .selectFrom('alerts_campaigns')
    .select('campaign_id')
    .orderBy('evaluated_ms', 'desc')
    .limit(MAX_TRIED)
    .execute();
  return rows.map((row) => row.campaign_id);
}
