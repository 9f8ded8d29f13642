import type { Alert, Campaign } from '@hopback/sdk/platform';
import type {
  AgencyEntry,
  CampaignReader,
  CountingReader,
  OrganizationDirectory,
  PlatformContext,
  PlatformTransaction,
  ProviderDirectory,
  Reading,
  TracebackDesk,
} from '../core/index.js';
import { holdVersions, together } from '../database/index.js';
import type { AlertRule, AlertSubscription, DueAlert } from '../domain/alerts/alert-bodies.js';
import type { CampaignFigures } from '../domain/alerts/alert-rules.js';
import { campaignFigures, DEFAULT_RULES, dueAlerts, SEVERITIES } from '../domain/alerts/alert-rules.js';
import { callsWithBase } from '../domain/campaigns/describe-campaign.js';
import type { CountedRequest } from '../domain/providers/scorecard.js';
import { CONCERN_RULES, countRequest, wilsonInterval } from '../domain/providers/scorecard.js';
import type { AlertTables } from './alert-tables.js';

type AlertKind = Alert['kind'];

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
async function toldAlready(
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
  {
    organizationId,
    nowMs,
    isUrgent,
  }: {
    organizationId: string;
    nowMs: number;
    isUrgent: boolean;
  },
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

/** Records and reports that rules are weighed over: shares of States are sure to a percent, and they are read within some milliseconds. */
const WEIGHED_CALLS = 5_000;
/** A silence that is shorter is a pause: whoever calls again after it has not resumed, and nobody is told again. */
export const SILENCE_MS = 3_600_000;
/** A campaign that is told of again and again is not weighed more often than this, unless its state changes. */
const LEAST_PAUSE_MS = 2_000;
/** Tracebacks that have to end at one point of entry, before agencies are told: two may be of one call. */
const MIN_ENTRY_TRACEBACKS = 3;
/** Tracebacks and providers that an alert names; the case sheet has them all. */
const MAX_NAMED = 50;

/** What alerts are made of. */
export interface AlertParts {
  readonly context: PlatformContext;
  readonly campaigns: CampaignReader;
  readonly desk: Pick<TracebackDesk, 'ofCampaign' | 'requestOutcomes'>;
  readonly organizations: OrganizationDirectory;
  readonly providers: Pick<ProviderDirectory, 'provider'>;
  readonly counting: CountingReader;
}

/** A campaign was heard of, or is looked at again. */
export interface CampaignNews {
  readonly campaignId: string;
  /** Whether its state may have changed. */
  readonly isChange: boolean;
}

/** Holds a campaign against the rules, and tells whoever has to be told. */
export async function evaluateCampaign(
  parts: AlertParts,
  transaction: PlatformTransaction,
  { campaignId, isChange }: CampaignNews,
): Promise<void> {
  const { context } = parts;
  const nowMs = context.clock.nowMs();
  const before = await heardOf(transaction, campaignId);
  if (!isChange && before !== undefined && nowMs - before.evaluated_ms < LEAST_PAUSE_MS) {
    await watch(transaction, campaignId);
    return;
  }
  const campaign = await parts.campaigns.campaign(transaction, campaignId);
  if (campaign === undefined || campaign.state === 'closed') {
    await note(transaction, {
      campaignId,
      is_watched: false,
      dormant_ms: null,
      resumed: before?.resumed ?? 0,
      nowMs,
    });
    return;
  }
  const { dormant_ms, resumed } = silenceOf(campaign, before, nowMs);
  const calls = await parts.campaigns.calls(transaction, campaignId, { limit: WEIGHED_CALLS });
  const figures = campaignFigures(campaign, calls, nowMs);
  const input = {
    campaign,
    figures,
    ...(await rulesOf(parts, transaction)),
    hasResumed: resumed > 0,
  };
  const due = dueAlerts(input);
  let isDeferred = false;
  for (const one of due) {
    const order = { ...orderOf(campaign, figures, one), reason: reasonOf(one, resumed) };
    isDeferred = (await raiseAlert(context, transaction, order)) === 'deferred' || isDeferred;
  }
  isDeferred = (await raiseEntries(parts, transaction, { campaign, due })) || isDeferred;
  await note(transaction, {
    campaignId,
    is_watched: isDeferred || campaign.state === 'live',
    dormant_ms,
    resumed,
    nowMs,
  });
}

type Heard = AlertTables['alerts_campaigns'];

const heardOf = (transaction: PlatformTransaction, campaignId: string) =>
  transaction
    .withTables<AlertTables>()
    .selectFrom('alerts_campaigns')
    .selectAll()
    .where('campaign_id', '=', campaignId)
    .executeTakeFirst();

/** Since when it is silent, and how often it has come back from a silence that was long enough. */
function silenceOf(
  { state, lastSeenAt }: Campaign,
  before: { readonly dormant_ms: number | null; readonly resumed: number } | undefined,
  nowMs: number,
): Pick<Heard, 'dormant_ms' | 'resumed'> {
  const resumed = before?.resumed ?? 0;
  const sinceMs = before?.dormant_ms ?? null;
  // It fell silent with its last call, not when that was noticed.
  if (state !== 'live') return { dormant_ms: sinceMs ?? Math.min(nowMs, Date.parse(lastSeenAt)), resumed };
  const isBack = sinceMs !== null && nowMs - sinceMs >= SILENCE_MS;
  return { dormant_ms: null, resumed: isBack ? resumed + 1 : resumed };
}

/** A campaign is suspected once; that it calls is news each time it has come back. */
const reasonOf = ({ kind }: DueAlert, resumed: number): string =>
  kind === 'campaign-suspected' ? kind : `${kind}:${resumed}`;

async function watch(transaction: PlatformTransaction, campaignId: string): Promise<void> {
  await transaction
    .withTables<AlertTables>()
    .updateTable('alerts_campaigns')
    .set({ is_watched: true })
    .where('campaign_id', '=', campaignId)
    .execute();
}

async function note(
  transaction: PlatformTransaction,
  noted: {
    campaignId: string;
    is_watched: boolean;
    dormant_ms: number | null;
    resumed: number;
    nowMs: number;
  },
): Promise<void> {
  const { campaignId, is_watched, dormant_ms, resumed, nowMs } = noted;
  const values = {
    is_watched,
    dormant_ms,
    resumed,
    evaluated_ms: nowMs,
  };
  await transaction
    .withTables<AlertTables>()
    .insertInto('alerts_campaigns')
    .values({ campaign_id: campaignId, ...values })
    .onConflict((conflict) => conflict.column('campaign_id').doUpdateSet(values))
    .execute();
}

/** Rules, who they are for, and what these want. Staff is told what an agency of the United States would be. */
export async function rulesOf(
  { organizations }: Pick<AlertParts, 'organizations'>,
  reading: Reading,
): Promise<{
  readonly rules: readonly AlertRule[];
  readonly agencies: readonly AgencyEntry[];
  readonly subscriptions: ReadonlyMap<string, AlertSubscription>;
}> {
  const tables = reading.withTables<AlertTables>();
  const [stored, subscribed] = await together(reading, [
    tables.selectFrom('alerts_rules').select(['rule_id', 'rule']).compile(),
    tables.selectFrom('alerts_subscriptions').selectAll().compile(),
  ]);
  const own = new Set(stored.map(({ rule_id: ruleId }) => ruleId));
  const staff = await organizations.staff(reading);
  return {
    rules: [...DEFAULT_RULES.filter(({ ruleId }) => !own.has(ruleId)), ...stored.map(({ rule }) => rule)],
    agencies: [
      ...(await organizations.agencies(reading)),
      ...staff.map((agencyId) => ({ agencyId, name: 'Traceback group', jurisdiction: 'US', contactEmail: '' })),
    ],
    subscriptions: new Map(subscribed.map((row) => [row.organization_id, row.subscription])),
  };
}

function orderOf(campaign: Campaign, figures: CampaignFigures, due: DueAlert) {
  const { campaignId, name, state, firstSeenAt, tracebackIds, providers } = campaign;
  const rate = Math.round(figures.callsPerMinute * 10) / 10;
  const happens = {
    'campaign-suspected': 'looks like a campaign',
    'campaign-resumed': 'calls again',
    'live-campaign': `calls now, at ${rate} calls a minute`,
  }[due.kind];
  const places = figures.jurisdictions.slice(0, 5).map(({ jurisdiction, calls }) => `${jurisdiction} ${calls}`);
  const summary = [
    `${callsWithBase(figures)} since ${firstSeenAt}, ${state}.`,
    `${due.callsThere} of the newest ${figures.sampledCalls} calls went to this jurisdiction.`,
    ...(places.length === 0 ? [] : [`Most calls: ${places.join(', ')}.`]),
    ...(providers.length === 0 ? [] : [`Tracebacks found ${providers.length} providers.`]),
  ].join(' ');
  return {
    organizationId: due.agencyId,
    subject: `campaign:${campaignId}`,
    ruleId: due.ruleId,
    alert: {
      kind: due.kind,
      severity: due.severity,
      title: `${name.slice(0, 150)} ${happens}`,
      summary,
      campaignId,
      tracebackIds: tracebackIds.slice(0, MAX_NAMED),
      providers: namedOnce(providers.map(({ provider }) => provider)),
      figures: [
        { name: 'observed-calls', value: figures.observedCalls },
        { name: 'carrier-records', value: figures.carrierRecords },
        { name: 'app-reports', value: figures.appReports },
        { name: 'rate', value: rate, unit: 'calls/min' },
        { name: 'calls-in-jurisdiction', value: due.callsThere },
        { name: 'share-in-jurisdiction', value: Math.round(due.shareThere * 1e4) / 1e4 },
      ],
    },
  } as const;
}

function namedOnce(providers: readonly Campaign['providers'][number]['provider'][]) {
  const once = new Map(providers.map((provider) => [provider.providerId ?? provider.name, provider]));
  return [...once.values()].slice(0, MAX_NAMED);
}

/** Tells those who know of a campaign, and the United States, at whom its calls come in. */
async function raiseEntries(
  { context }: AlertParts,
  transaction: PlatformTransaction,
  { campaign, due }: { readonly campaign: Campaign; readonly due: readonly DueAlert[] },
): Promise<boolean> {
  const entries = campaign.providers.filter(
    ({ role, tracebacks }) => role === 'point-of-entry' && tracebacks >= MIN_ENTRY_TRACEBACKS,
  );
  const to = [...new Set(due.map(({ agencyId }) => agencyId))];
  let isDeferred = false;
  for (const { provider, tracebacks } of entries) {
    for (const organizationId of to) {
      const outcome = await raiseAlert(context, transaction, {
        organizationId,
        subject: `campaign:${campaign.campaignId}`,
        reason: `point-of-entry:${provider.providerId ?? provider.name}`,
        alert: {
          kind: 'point-of-entry',
          severity: 'warning',
          title: `${campaign.name.slice(0, 120)} comes in at ${provider.name.slice(0, 100)}`,
          summary: `${tracebacks} tracebacks of this campaign end at this provider as the point of entry into the United States.`,
          campaignId: campaign.campaignId,
          tracebackIds: campaign.tracebackIds.slice(0, MAX_NAMED),
          providers: [provider],
          figures: [{ name: 'tracebacks', value: tracebacks }],
        },
      });
      isDeferred = outcome === 'deferred' || isDeferred;
    }
  }
  return isDeferred;
}

/** Stretch over which requests to a provider are counted: a quarter, so that what was once is not held against it for ever. */
const STRETCH_MS = 90 * 86_400_000;
/** Unanswered requests in that time before an alert: a single lost message is not a case. */
const MIN_UNANSWERED = 5;

/**
 * Tells the United States and staff that a provider leaves requests unanswered: once a quarter of the calendar, where at least five are and
 * the lower bound of the share is above that of the scorecard. Requests count as they do there: what was withdrawn, met an outage of the
 * platform, or was contested with reason does not.
 */
export async function evaluateProvider(
  parts: AlertParts,
  transaction: PlatformTransaction,
  providerId: string,
): Promise<void> {
  // Whom there is to be told is decided by others.
  holdVersions(transaction);
  const nowMs = parts.context.clock.nowMs();
  const subject = `provider:${providerId}`;
  const reason = `provider-non-responsive:${quarterOf(nowMs)}`;
  // Whoever is silent is so a hundred times over, and its requests are counted while there is somebody to be told.
  const told = await toldAlready(transaction, { subject, reason });
  if (told.size > 0 && (await recipientsOf(parts, transaction, told)).length === 0) return;
  const range = { fromMs: nowMs - STRETCH_MS, toMs: nowMs + 1, providerId };
  const facts = { nowMs, ...(await parts.counting.facts(transaction, range)) };
  const counted: CountedRequest[] = [];
  for await (const outcome of parts.desk.requestOutcomes(transaction, range)) {
    const request = countRequest(outcome, facts);
    if (request.tried.length > 0) counted.push(request);
  }
  const unanswered = counted.filter(({ timeliness }) => timeliness === 'unanswered');
  const { lower } = wilsonInterval(unanswered.length, counted.length);
  if (unanswered.length < MIN_UNANSWERED || lower <= CONCERN_RULES['not-participating'].threshold) return;
  const entry = (await parts.providers.provider(transaction, providerId))?.entry;
  const name = entry?.businessName ?? providerId;
  const tracebackIds = [...new Set(unanswered.map(({ outcome }) => outcome.tracebackId))];
  for (const organizationId of await recipientsOf(parts, transaction, told)) {
    await raiseAlert(parts.context, transaction, {
      organizationId,
      subject,
      reason,
      alert: {
        kind: 'provider-non-responsive',
        severity: 'warning',
        title: `${name.slice(0, 200)} leaves requests unanswered`,
        summary: `${unanswered.length} of ${counted.length} requests of the last 90 days are due and unanswered. The scorecard has each of them with its reason.`,
        tracebackIds: tracebackIds.slice(0, MAX_NAMED),
        providers: [{ providerId, name, ...(entry?.frn !== undefined && { frn: entry.frn }) }],
        figures: [
          { name: 'unanswered', value: unanswered.length },
          { name: 'requests', value: counted.length },
        ],
      },
    });
  }
}

/** Who wants such alerts and has not had this one. */
async function recipientsOf(
  parts: AlertParts,
  transaction: PlatformTransaction,
  told: ReadonlySet<string>,
): Promise<readonly string[]> {
  const { agencies, subscriptions } = await rulesOf(parts, transaction);
  const isWanted = (agencyId: string): boolean => {
    const subscription = subscriptions.get(agencyId);
    return (
      subscription?.withoutKinds.includes('provider-non-responsive') !== true &&
      SEVERITIES.indexOf('warning') >= SEVERITIES.indexOf(subscription?.minSeverity ?? 'information')
    );
  };
  return agencies
    .filter(({ agencyId, jurisdiction }) => jurisdiction === 'US' && isWanted(agencyId) && !told.has(agencyId))
    .map(({ agencyId }) => agencyId);
}

function quarterOf(ms: number): string {
  const date = new Date(ms);
  return `${date.getUTCFullYear()}-q${Math.floor(date.getUTCMonth() / 3) + 1}`;
}
