import type { Campaign } from '@hopback/sdk/platform';
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
import { campaignFigures, DEFAULT_RULES, dueAlerts } from '../domain/alerts/index.js';
import type { AlertRule, AlertSubscription, CampaignFigures, DueAlert } from '../domain/alerts/index.js';
import { callsWithBase } from '../domain/campaigns/index.js';
import { together } from '../database/index.js';
import type { AlertTables } from './alert-tables.js';
import { raiseAlert } from './raise-alert.js';

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
    await note(transaction, { campaignId, is_watched: false, dormant_ms: null, resumed: before?.resumed ?? 0, nowMs });
    return;
  }
  const { dormant_ms, resumed } = silenceOf(campaign, before, nowMs);
  const calls = await parts.campaigns.calls(transaction, campaignId, { limit: WEIGHED_CALLS });
  const figures = campaignFigures(campaign, calls, nowMs);
  const input = { campaign, figures, ...(await rulesOf(parts, transaction)), hasResumed: resumed > 0 };
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
  noted: { campaignId: string; is_watched: boolean; dormant_ms: number | null; resumed: number; nowMs: number },
): Promise<void> {
  const { campaignId, is_watched, dormant_ms, resumed, nowMs } = noted;
  const values = { is_watched, dormant_ms, resumed, evaluated_ms: nowMs };
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
