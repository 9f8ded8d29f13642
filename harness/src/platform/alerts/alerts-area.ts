import { sql } from 'kysely';
import type { DomainEventData, PlatformArea, PlatformJob, PlatformTransaction, Reaction } from '../core/index.js';
import { workThrough } from '../database/index.js';
import { ALERT_SCHEMAS } from '../domain/alerts/alert-bodies.js';
import { createAlertOperations } from './alert-operations.js';
import { ALERT_ROUTES } from './alert-routes.js';
import type { AlertTables } from './alert-tables.js';
import { createCaseOperations } from './case-operations.js';
import type { AlertParts } from './evaluate-alerts.js';
import { evaluateCampaign, evaluateProvider } from './evaluate-alerts.js';

/** Name of the job, under which failures of campaigns are kept. */
const WATCH_JOB = 'alerts.watch';
/** How often campaigns that call, and agencies that could not be told yet, are looked at again without an event. */
const WATCH_EVERY_MS = 5_000;
/** Campaigns of one look: those that were looked at longest ago. At 50 live campaigns each is seen every five seconds, of which there never were as many. */
const WATCHED_AT_ONCE = 50;

/** What the area asks of others. */
export type AlertsPorts = Omit<AlertParts, 'context'>;

/**
 * Makes alerts: whom they are for, the cases that they open, and who shares them.
 * @param context - on a database with the tables of `alertsDefinition`
 * @param ports - campaigns, tracebacks, organizations and the registry
 * @returns the area; never throws
 */
export function createAlertsArea(context: AlertParts['context'], ports: AlertsPorts): PlatformArea {
  const parts: AlertParts = { context, ...ports };
  return {
    name: 'alerts',
    routes: ALERT_ROUTES,
    schemas: ALERT_SCHEMAS,
    operations: { ...createAlertOperations(parts), ...createCaseOperations(parts) },
    jobs: [watchJob(parts)],
    reactions: reactionsOf(parts),
  };
}

function reactionsOf(parts: AlertParts): PlatformArea['reactions'] {
  const campaign =
    (isChange: boolean): Reaction =>
    async (transaction, { data, subject }) => {
      // Of what is on the wire the subject is the campaign; of what areas say to each other the data name it.
      const campaignId = isChange ? member(data, 'campaignId') : subject;
      if (campaignId !== undefined) await evaluateCampaign(parts, transaction, { campaignId, isChange });
    };
  return {
    'campaign.changed': campaign(true),
    'traceback.concluded': campaign(true),
    'org.hopback.campaign.updated.1': campaign(false),
    'platform.fault': (transaction, { data }) =>
      tellFault(parts, transaction, data as DomainEventData['platform.fault']),
    'provider.responsiveness': async (transaction, { data }) => {
      const providerId = member(data, 'providerId');
      const isSilent = (data as { readonly isNonResponsive?: unknown } | null)?.isNonResponsive === true;
      if (providerId !== undefined && isSilent) await evaluateProvider(parts, transaction, providerId);
    },
  };
}

function member(data: unknown, name: string): string | undefined {
  const value = (data as Readonly<Record<string, unknown>> | null)?.[name];
  return typeof value === 'string' ? value : undefined;
}

type WatchedCampaign = { readonly campaign_id: string; readonly evaluated_ms: number };

function watchJob(parts: AlertParts): PlatformJob {
  const { context } = parts;
  return {
    name: WATCH_JOB,
    everyMs: WATCH_EVERY_MS,
    run: (nowMs) =>
      workThrough<WatchedCampaign>({
        context,
        job: WATCH_JOB,
        nowMs,
        idOf: (row) => row.campaign_id,
        most: WATCHED_AT_ONCE,
        page: (after) =>
          context.database
            .withTables<AlertTables>()
            .selectFrom('alerts_campaigns')
            .select(['campaign_id', 'evaluated_ms'])
            .where('is_watched', '=', true)
            // Those of this run come again in the next.
            .where('evaluated_ms', '<=', nowMs)
            .$if(after !== undefined, (query) =>
              query.where(
                sql<boolean>`(evaluated_ms, campaign_id) > (${after?.evaluated_ms ?? 0}::bigint, ${after?.campaign_id ?? ''})`,
              ),
            )
            .orderBy('evaluated_ms')
            .orderBy('campaign_id')
            .limit(WATCHED_AT_ONCE)
            .execute(),
        work: ({ campaign_id: campaignId }) =>
          context.transact((transaction) => evaluateCampaign(parts, transaction, { campaignId, isChange: true })),
      }),
  };
}

/** Tells staff, and the organization that waits for it, what the platform could not do. No subscription to alerts leaves it out. */
async function tellFault(
  { context, organizations }: Pick<AlertParts, 'context' | 'organizations'>,
  transaction: PlatformTransaction,
  { organizationId, ...fault }: DomainEventData['platform.fault'],
): Promise<void> {
  const staff = await organizations.staff(transaction);
  const to = [...staff, ...(organizationId === undefined ? [] : [organizationId])];
  if (to.length === 0) return;
  await context.tell(transaction, { type: 'org.hopback.platform.fault.1', subject: fault.subject, data: fault, to });
}
