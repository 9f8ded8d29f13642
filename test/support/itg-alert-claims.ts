import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Campaign } from '../../sdk/src/platform/index.js';
import { alertsDefinition } from '../../harness/src/platform/alerts/alert-tables.js';
import { createAlertsArea } from '../../harness/src/platform/alerts/alerts-area.js';
import type { AgencyEntry, CampaignCall, DomainEvent, RequestOutcome } from '../../harness/src/platform/core/index.js';
import { TEST_NOW_MS } from '../../sdk/src/testing/manual-clock.js';
import { createTestCalls, type Json, type PathCaller } from './itg-calls.js';
import { createTestContext } from './itg-context.js';
import { openTestDatabase, type TestServer } from './itg-database.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';

export const TEXAS = { kind: 'agency', organizationId: 'ag-tx' } as const;
export const MAINE = { kind: 'agency', organizationId: 'ag-me' } as const;
export const FEDERAL = { kind: 'agency', organizationId: 'fcc' } as const;

const AGENCIES: readonly AgencyEntry[] = [
  { agencyId: 'ag-tx', name: 'Texas', jurisdiction: 'US-TX', contactEmail: 'x@tx.example' },
  { agencyId: 'ag-me', name: 'Maine', jurisdiction: 'US-ME', contactEmail: 'x@me.example' },
  { agencyId: 'fcc', name: 'Commission', jurisdiction: 'US', contactEmail: 'x@fcc.example' },
];

/** Alerts on a database of their own, with campaigns that a test sets. */
export async function openAlerts(server?: TestServer) {
  const database: OpenedDatabase = await openTestDatabase({ definitions: [alertsDefinition], server });
  const context = createTestContext({ database });
  const campaigns = new Map<string, { campaign: Campaign; calls: CampaignCall[] }>();
  const outcomes: RequestOutcome[] = [];
  const outages: { readonly fromMs: number; readonly toMs: number }[] = [];
  const contests = new Map<string, 'pending' | 'upheld' | 'rejected'>();
  const area = createAlertsArea(context, {
    campaigns: {
      campaign: async (_reading, id) => campaigns.get(id)?.campaign,
      calls: async (_reading, id, { limit }) => (campaigns.get(id)?.calls ?? []).slice(0, limit),
    },
    desk: {
      ofCampaign: async () => [{ tracebackId: 't-1', outcome: 'point-of-entry' }, { tracebackId: 't-2' }],
      requestOutcomes: async function* () {
        yield* outcomes;
      },
    },
    organizations: {
      agencies: async () => AGENCIES,
      agency: async (_reading, id) => AGENCIES.find(({ agencyId }) => agencyId === id),
      staff: async () => ['itg'],
    },
    providers: { provider: async () => undefined },
    counting: { facts: async () => ({ outages, contests }) },
  });
  const calls = createTestCalls(area, context.clock.nowMs);
  const hear = (event: Pick<DomainEvent, 'type' | 'subject' | 'data'>): Promise<void> =>
    context.transact(async (transaction) => {
      const reaction = area.reactions[event.type];
      if (reaction === undefined) throw new Error(`nobody hears ${event.type}`);
      await reaction(transaction, { ...event, eventId: 'e-1', position: 1, atMs: context.clock.nowMs() });
    });
  const changed = (campaignId: string, change = 'found'): Promise<void> =>
    hear({ type: 'campaign.changed', subject: campaignId, data: { campaignId, change } });
  /** Puts a campaign with calls to area codes, one every six seconds up to now. */
  const put = (campaignId: string, npas: readonly string[], over: Partial<Campaign> = {}): void => {
    const nowMs = context.clock.nowMs();
    const [at, ago] = [new Date(nowMs).toISOString(), new Date(nowMs - 86_400_000).toISOString()];
    campaigns.set(campaignId, {
      campaign: {
        ...{ format: 'hopback.campaign.1', campaignId, name: 'SSA-Suspended-P2', state: 'live' },
        ...{ firstSeenAt: ago, lastSeenAt: at, updatedAt: at, observedCalls: npas.length, callingNumbers: npas.length },
        transcript:
          'Call us back at 1 800 555 0199 or five five five oh one two three four. Your account 12345678 is <b>closed</b>.',
        ...{ signals: ['same-script'], providers: [], tracebackIds: [] },
        ...over,
      },
      calls: npas.map((npa, index) => ({
        callId: `record:prv-1:${campaignId}-${index}`,
        placedCallId: `record:prv-1:${campaignId}-${index}`,
        atMs: nowMs - index * 6_000,
        reporterId: 'prv-1',
        calledNpaNxx: `${npa}555`,
        ...(index % 2 === 0 && { signer: '903C', attestation: 'A' as const }),
      })),
    });
  };
  /** Alerts of an organization, newest first. */
  const inbox = async (caller: PathCaller): Promise<readonly Json[]> =>
    (await calls.get(caller, '/v1/alerts?limit=500')).items;
  /** As it was when it was opened: a database for each test would take longer than the tests. */
  const reset = async (): Promise<void> => {
    await sql`truncate alerts_alerts, alerts_campaigns, alerts_rules, alerts_subscriptions, alerts_shares,
      core_audit, core_events`.execute(database.database);
    outcomes.length = 0;
    outages.length = 0;
    contests.clear();
    campaigns.clear();
    context.clock.set(TEST_NOW_MS);
  };
  return {
    ...{ database, context, campaigns, outcomes, outages, contests, area },
    ...{ reset, put, changed, hear, calls, inbox },
  };
}

export type OpenedAlerts = Awaited<ReturnType<typeof openAlerts>>;

const HOUR = 3_600_000;
export const texas = (count: number): readonly string[] => Array.from({ length: count }, () => '512');

/** What holds on every engine: who is told, once, and again when a campaign comes back. */
export async function alertClaims({ calls, context, put, changed, campaigns, inbox }: OpenedAlerts): Promise<void> {
  put('c-1', texas(60));
  await changed('c-1');
  await changed('c-1', 'live');
  const kinds = async (caller: PathCaller): Promise<readonly string[]> =>
    (await inbox(caller)).map(({ kind }) => String(kind)).toSorted();
  expect(await kinds(TEXAS)).toEqual(['campaign-suspected', 'live-campaign']);
  expect(await kinds(FEDERAL)).toEqual(['campaign-suspected', 'live-campaign']);
  expect(await kinds(MAINE)).toEqual([]);

  const { campaign } = campaigns.get('c-1')!;
  const silent = (): void => put('c-1', texas(60), { state: 'dormant', lastSeenAt: campaign.lastSeenAt });
  silent();
  await changed('c-1', 'dormant');
  context.clock.advance(HOUR / 2);
  put('c-1', texas(60));
  await changed('c-1', 'live');
  expect(await kinds(TEXAS)).toHaveLength(2);
  put('c-1', texas(60), { state: 'dormant' });
  await changed('c-1', 'dormant');
  context.clock.advance(2 * HOUR);
  put('c-1', texas(60));
  await changed('c-1', 'live');
  await changed('c-1', 'live');
  expect(await kinds(TEXAS)).toEqual(['campaign-resumed', 'campaign-suspected', 'live-campaign', 'live-campaign']);
  expect((await context.events()).filter(({ type }) => type === 'org.hopback.alert.raised.1')).toHaveLength(12);

  const [newest] = (await calls.get(TEXAS, '/v1/alerts?limit=1')).items;
  const path = `/v1/alerts/${newest.alertId}/acknowledgement`;
  const seen = await calls.post(TEXAS, path, { acknowledgedBy: 'Duty', intends: 'investigate' });
  expect(await calls.post(TEXAS, path, { acknowledgedBy: 'Somebody else' })).toEqual(seen);
  expect(await calls.code(MAINE, 'POST', [path, { acknowledgedBy: 'Maine' }])).toBe('not-found');
  expect((await calls.get(TEXAS, '/v1/alerts?state=unacknowledged')).items).toHaveLength(3);
  expect((await calls.get(TEXAS, '/v1/alerts?state=acknowledged')).items).toHaveLength(1);

  expect(await calls.code(MAINE, 'GET', ['/v1/cases/c-1/sheet'])).toBe('not-found');
  const { shares } = await calls.post(TEXAS, '/v1/cases/c-1/shares', { with: ['ag-me'], note: 'Yours too?' });
  expect(await calls.get(MAINE, '/v1/cases/c-1/sheet')).toMatchObject({ campaignId: 'c-1' });
  expect((await calls.get(MAINE, '/v1/cases')).items).toMatchObject([{ campaignId: 'c-1', sharedBy: ['ag-tx'] }]);
  expect(await calls.code(MAINE, 'POST', ['/v1/cases/c-1/shares', { with: ['fcc'] }])).toBe('not-found');
  await calls.post(TEXAS, `/v1/case-shares/${shares[0].shareId}/withdrawal`);
  expect(await calls.code(MAINE, 'GET', ['/v1/cases/c-1/sheet'])).toBe('not-found');
  expect((await calls.get(MAINE, '/v1/cases')).items).toEqual([]);
  expect((await context.audited()).map(({ action }) => action).slice(-3)).toEqual([
    'case.shared',
    'alert.raised',
    'case.share-withdrawn',
  ]);
}
