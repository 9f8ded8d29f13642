import { jsonAnswer, problemAnswer } from '@hopback/sdk/internal';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import type { Selectable } from 'kysely';
import type { OperationCall, Operations, PlatformTransaction, Reading } from '../core/index.js';
import { campaignFigures } from '../domain/alerts/alert-rules.js';
import { caseSheetOf, caseSheetText } from '../domain/alerts/case-sheet.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import { readPage, shownRows } from '../domain/wire/routes.js';
import type { CaseEntry, CaseShare, CaseShareOrder, CaseSheet } from '../domain/alerts/alert-bodies.js';
import { alertOf } from './alert-operations.js';
import type { AlertTables } from './alert-tables.js';
import type { AlertParts } from './evaluate-alerts.js';
import { raiseAlert } from './evaluate-alerts.js';

/** Records and reports that a sheet is counted over. */
const SHEET_CALLS = 20_000;
/** Shares and alerts of one case that are listed. */
const MAX_LISTED = 500;
/** Alerts that come of a share begin with this word: they give no access of their own, which ends when the share does. */
const SHARED = 'shared:';

/** Operations on cases: their sheets, and whom they are shared with. */
export function createCaseOperations(parts: AlertParts): Operations {
  return {
    listCases: (call) => listCases(parts, call),
    fetchAlertCaseSheet: async (call) => {
      const row = await parts.context.database
        .withTables<AlertTables>()
        .selectFrom('alerts_alerts')
        .select(['campaign_id', 'organization_id'])
        .where('alert_id', '=', call.request.parameters['alertId'] ?? '')
        .executeTakeFirst();
      const isOwn = row?.organization_id === call.caller.organizationId || call.caller.kind === 'staff';
      const campaignId = isOwn ? row?.campaign_id : undefined;
      return sheetAnswer(await sheetFor(parts, call, campaignId ?? undefined));
    },
    fetchCaseSheet: async (call) => sheetAnswer(await sheetFor(parts, call, call.request.parameters['campaignId'])),
    fetchCaseSheetText: async (call) => {
      const sheet = await sheetFor(parts, call, call.request.parameters['campaignId']);
      if (sheet === undefined) return problemAnswer('not-found');
      const bytes = new TextEncoder().encode(caseSheetText(sheet));
      return { kind: 'file', bytes, mediaType: 'text/markdown; charset=utf-8' };
    },
    shareCase: (call) => shareCase(parts, call),
    listCaseShares: (call) => listShares(parts, call),
    withdrawCaseShare: (call) => withdrawShare(parts, call),
  };
}

const sheetAnswer = (sheet: CaseSheet | undefined): PlatformAnswer =>
  sheet === undefined ? problemAnswer('not-found') : jsonAnswer(sheet);

/** How an organization has a case: by an alert of its own, or by a share that stands. */
async function accessTo(
  reading: Reading,
  campaignId: string,
  organizationId: string,
): Promise<'own' | 'shared' | undefined> {
  const tables = reading.withTables<AlertTables>();
  const own = await tables
    .selectFrom('alerts_alerts')
    .select('alert_id')
    .where('campaign_id', '=', campaignId)
    .where('organization_id', '=', organizationId)
    .where('reason', 'not like', `${SHARED}%`)
    .limit(1)
    .executeTakeFirst();
  if (own !== undefined) return 'own';
  const shared = await tables
    .selectFrom('alerts_shares')
    .select('share_id')
    .where('campaign_id', '=', campaignId)
    .where('with_id', '=', organizationId)
    .where('withdrawn_ms', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return shared === undefined ? undefined : 'shared';
}

async function sheetFor(
  { context, campaigns, desk }: AlertParts,
  { caller }: OperationCall,
  campaignId: string | undefined,
): Promise<CaseSheet | undefined> {
  const { database } = context;
  if (campaignId === undefined) return undefined;
  const mayRead =
    caller.kind === 'staff' || (await accessTo(database, campaignId, caller.organizationId)) !== undefined;
  if (!mayRead) return undefined;
  // In one transaction, so that figures of the campaign and of its calls are of one moment.
  return context.transact(async (transaction) => {
    const campaign = await campaigns.campaign(transaction, campaignId);
    if (campaign === undefined) return undefined;
    const nowMs = context.clock.nowMs();
    const calls = await campaigns.calls(transaction, campaignId, { limit: SHEET_CALLS });
    const tracebacks = await desk.ofCampaign(transaction, campaignId);
    return caseSheetOf({ campaign, figures: campaignFigures(campaign, calls, nowMs), tracebacks, nowMs });
  });
}

async function listCases({ context }: AlertParts, call: OperationCall): Promise<PlatformAnswer> {
  const page = readPage(call, ['string']);
  if ('kind' in page) return page;
  const { limit, after: [behind] = [''] } = page;
  const { organizationId } = call.caller;
  const tables = context.database.withTables<AlertTables>();
  const own = tables
    .selectFrom('alerts_alerts')
    .select('campaign_id as id')
    .where('organization_id', '=', organizationId)
    .where('reason', 'not like', `${SHARED}%`)
    .where('campaign_id', '>', behind);
  const shared = tables
    .selectFrom('alerts_shares')
    .select('campaign_id as id')
    .where('with_id', '=', organizationId)
    .where('withdrawn_ms', 'is', null)
    .where('campaign_id', '>', behind);
  const found = await own
    .union(shared)
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const ids = found.flatMap(({ id }) => (id === null ? [] : [id]));
  const { shown, next } = shownRows(ids, limit, (id) => [id]);
  const items: CaseEntry[] = [];
  for (const campaignId of shown) items.push(await caseOf(context.database, campaignId, organizationId));
  return jsonAnswer({ items, ...next });
}

async function caseOf(reading: Reading, campaignId: string, organizationId: string): Promise<CaseEntry> {
  const tables = reading.withTables<AlertTables>();
  const rows = await tables
    .selectFrom('alerts_alerts')
    .select(['alert', 'acknowledged'])
    .where('campaign_id', '=', campaignId)
    .where('organization_id', '=', organizationId)
    .orderBy('raised_at_ms', 'desc')
    .limit(MAX_LISTED)
    .execute();
  const shares = await tables
    .selectFrom('alerts_shares')
    .select('from_id')
    .where('campaign_id', '=', campaignId)
    .where('with_id', '=', organizationId)
    .where('withdrawn_ms', 'is', null)
    .limit(MAX_LISTED)
    .execute();
  return {
    campaignId,
    alerts: rows.map(alertOf),
    sharedBy: shares.map((row) => row.from_id),
  };
}

async function shareCase(parts: AlertParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context, organizations } = parts;
  const campaignId = call.request.parameters['campaignId'] ?? '';
  const order = call.request.body as CaseShareOrder;
  const { organizationId } = call.caller;
  return context.transact(async (transaction) => {
    // What was shared with somebody is not his to share.
    if ((await accessTo(transaction, campaignId, organizationId)) !== 'own') return problemAnswer('not-found');
    const shares: CaseShare[] = [];
    for (const [index, withId] of [...new Set(order.with)].entries()) {
      const agency = await organizations.agency(transaction, withId);
      if (agency === undefined || withId === organizationId)
        return problemAnswer('invalid-body', { errors: [{ pointer: `/with/${index}`, code: 'no-other-agency' }] });
    }
    for (const withId of new Set(order.with))
      shares.push(await shareWith(parts, transaction, { call, campaignId, withId, order }));
    return jsonAnswer({ shares });
  });
}

interface Sharing {
  readonly call: OperationCall;
  readonly campaignId: string;
  readonly withId: string;
  readonly order: CaseShareOrder;
}

async function shareWith(
  { context, campaigns }: AlertParts,
  transaction: PlatformTransaction,
  { call, campaignId, withId, order }: Sharing,
): Promise<CaseShare> {
  const tables = transaction.withTables<AlertTables>();
  const { organizationId, clientId, name } = call.caller;
  const there = await tables
    .selectFrom('alerts_shares')
    .selectAll()
    .where('campaign_id', '=', campaignId)
    .where('from_id', '=', organizationId)
    .where('with_id', '=', withId)
    .where('withdrawn_ms', 'is', null)
    .executeTakeFirst();
  if (there !== undefined) return shareOf(there);
  const row = {
    share_id: context.newId('shr'),
    campaign_id: campaignId,
    from_id: organizationId,
    with_id: withId,
    note: order.note === undefined ? null : textWithoutNumbers(order.note),
    shared_ms: context.clock.nowMs(),
    withdrawn_ms: null,
  };
  await tables.insertInto('alerts_shares').values(row).execute();
  await context.audit(transaction, {
    action: 'case.shared',
    organizationId,
    actor: clientId,
    object: `campaign:${campaignId}`,
    details: { with: withId, shareId: row.share_id },
  });
  const campaign = await campaigns.campaign(transaction, campaignId);
  await raiseAlert(context, transaction, {
    organizationId: withId,
    subject: `campaign:${campaignId}`,
    reason: `${SHARED}${row.share_id}`,
    alert: {
      kind: campaign?.state === 'live' ? 'live-campaign' : 'campaign-suspected',
      severity: 'warning',
      title: `A case is shared: ${(campaign?.name ?? campaignId).slice(0, 200)}`,
      summary: `${name.slice(0, 256)} shares the case. Its sheet is there for as long as it is shared.`,
      campaignId,
      tracebackIds: [],
      providers: [],
      figures: campaign === undefined ? [] : [{ name: 'observed-calls', value: campaign.observedCalls }],
    },
  });
  return shareOf(row);
}

function shareOf(row: Selectable<AlertTables['alerts_shares']>): CaseShare {
  return {
    shareId: row.share_id,
    campaignId: row.campaign_id,
    from: row.from_id,
    with: row.with_id,
    ...(row.note !== null && { note: row.note }),
    sharedAt: new Date(row.shared_ms).toISOString(),
    ...(row.withdrawn_ms !== null && { withdrawnAt: new Date(row.withdrawn_ms).toISOString() }),
  };
}

async function listShares({ context }: AlertParts, call: OperationCall): Promise<PlatformAnswer> {
  const { kind, organizationId } = call.caller;
  const campaignId = call.request.parameters['campaignId'] ?? '';
  let rows = context.database
    .withTables<AlertTables>()
    .selectFrom('alerts_shares')
    .selectAll()
    .where('campaign_id', '=', campaignId)
    .orderBy('shared_ms', 'desc')
    .limit(MAX_LISTED);
  if (kind !== 'staff')
    rows = rows.where((row) => row.or([row('from_id', '=', organizationId), row('with_id', '=', organizationId)]));
  const found = await rows.execute();
  const isTheirs =
    kind === 'staff' || found.length > 0 || (await accessTo(context.database, campaignId, organizationId)) === 'own';
  return isTheirs ? jsonAnswer({ shares: found.map(shareOf) }) : problemAnswer('not-found');
}

async function withdrawShare({ context }: AlertParts, call: OperationCall): Promise<PlatformAnswer> {
  const { organizationId, clientId } = call.caller;
  return context.transact(async (transaction) => {
    const tables = transaction.withTables<AlertTables>();
    const row = await tables
      .selectFrom('alerts_shares')
      .selectAll()
      .where('share_id', '=', call.request.parameters['shareId'] ?? '')
      .where('from_id', '=', organizationId)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) return problemAnswer('not-found');
    if (row.withdrawn_ms !== null) return jsonAnswer(shareOf(row));
    const withdrawn_ms = context.clock.nowMs();
    await tables.updateTable('alerts_shares').set({ withdrawn_ms }).where('share_id', '=', row.share_id).execute();
    await context.audit(transaction, {
      action: 'case.share-withdrawn',
      organizationId,
      actor: clientId,
      object: `campaign:${row.campaign_id}`,
      details: { with: row.with_id, shareId: row.share_id },
    });
    return jsonAnswer(shareOf({ ...row, withdrawn_ms }));
  });
}
