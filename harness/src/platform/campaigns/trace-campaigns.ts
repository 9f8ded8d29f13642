import type { Campaign, Traceback, TracebackOpening } from '@hopback/sdk/platform';
import type {
  CampaignCall,
  LiveReader,
  OpeningOrder,
  PlatformContext,
  PlatformTransaction,
  TracebackDesk,
} from '../core/index.js';
import type { CampaignFile } from '../domain/campaigns/campaign-file.js';
import type { PastTraceback } from '../domain/campaigns/campaign-policy.js';
import { tracebackBudget } from '../domain/campaigns/campaign-policy.js';
import type { StoredFindings } from './campaigns-repository.js';
import { campaignsTables, readCalls } from './campaigns-repository.js';

type CampaignProvider = Campaign['providers'][number];
type TracebackHop = Traceback['hops'][number];

/** Tracebacks that are read for one campaign, the latest: as many as it may have by itself, and those of agencies. */
const MAX_READ = 200;
/** Providers that are told of one campaign. */
const MAX_PROVIDERS = 1_000;

/** Reads what tracebacks have found out about a campaign, and stores it beside the campaign. */
export async function refreshFindings(
  transaction: PlatformTransaction,
  campaignId: string,
  desk: TracebackDesk,
): Promise<void> {
  const all = await desk.ofCampaign(transaction, campaignId);
  const tracebackIds = all.map(({ tracebackId }) => tracebackId).slice(0, MAX_READ);
  const counts = new Map<
    string,
    {
      provider: CampaignProvider['provider'];
      role: CampaignProvider['role'];
      tracebacks: number;
    }
  >();
  for (const tracebackId of tracebackIds) {
    const traceback = await desk.traceback(transaction, tracebackId);
    if (traceback === undefined) continue;
    for (const { provider, role } of rolesOf(traceback)) {
      const key = `${provider.providerId ?? provider.name}\n${role}`;
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { provider, role, tracebacks: 1 });
      else known.tracebacks += 1;
    }
  }
  const providers = [...counts.values()].toSorted((a, b) => b.tracebacks - a.tracebacks).slice(0, MAX_PROVIDERS);
  const findings: StoredFindings = { tracebackIds, providers };
  await campaignsTables(transaction)
    .updateTable('campaigns_campaigns')
    .set({ findings: JSON.stringify(findings) })
    .where('campaign_id', '=', campaignId)
    .execute();
}

/** Which part providers have in a call by their own answers; of what was not answered nobody has a part. Never throws. */
export function rolesOf(traceback: Traceback): readonly Pick<CampaignProvider, 'provider' | 'role'>[] {
  const answered = traceback.hops.filter(({ state }) => state === 'answered' || state === 'corrected');
  const last = answered.at(-1);
  return answered.flatMap((hop) => {
    const role = roleOf(traceback, hop, hop === last);
    return role === undefined ? [] : [{ provider: hop.provider, role }];
  });
}

function roleOf({ outcome }: Traceback, hop: TracebackHop, isLast: boolean): CampaignProvider['role'] | undefined {
  if (isLast && outcome === 'origin') return 'origin';
  if (isLast && outcome === 'point-of-entry') return 'point-of-entry';
  if (hop.hop === 1) return 'terminating';
  return hop.upstream === undefined ? undefined : 'transit';
}

/** Where a traceback ended, if it ended somewhere. Never throws. */
function originOf(traceback: Traceback): string | undefined {
  if (traceback.outcome !== 'origin' && traceback.outcome !== 'point-of-entry') return undefined;
  const provider = traceback.hops.findLast(({ state }) => state === 'answered' || state === 'corrected')?.provider;
  return provider?.providerId ?? provider?.name;
}

/** What tracebacks are opened with. */
export interface TracingPorts {
  readonly tracebacks: TracebackDesk;
  readonly live: LiveReader;
}

/** Latest calls that ways in are looked for among. */
const MAX_LOOKED_AT = 500;

/**
 * Opens the tracebacks that a campaign is worth now: calls that separate its origins, and no more. The same call is opened once, whatever dies
 * in between.
 * @returns how many were opened
 */
export async function traceCampaign(
  context: PlatformContext,
  ports: TracingPorts,
  file: CampaignFile,
): Promise<number> {
  const { campaignId } = file;
  const calls = await readCalls(context.database, campaignId, { limit: MAX_LOOKED_AT });
  const past = await pastTracebacks(context, ports, campaignId);
  const traceable = onceEach(await traceableCalls(ports, calls), past);
  const budget = tracebackBudget(traceable, past);
  if (budget.calls.length === 0) return 0;
  // Looked up before the transaction begins: what is read of live data has transactions of its own.
  const openings: { readonly call: CampaignCall; readonly opening: TracebackOpening }[] = [];
  for (const call of budget.calls) {
    const opening = await openingOf(ports, call, file);
    if (opening !== undefined) openings.push({ call, opening });
  }
  if (openings.length === 0) return 0;
  await context.transact(async (transaction) => {
    for (const one of openings) await openOne(context, transaction, { ports, ...one, campaignId });
    await refreshFindings(transaction, campaignId, ports.tracebacks);
  });
  return openings.length;
}

async function openOne(
  context: PlatformContext,
  transaction: PlatformTransaction,
  {
    ports,
    call,
    opening,
    campaignId,
  }: {
    readonly ports: TracingPorts;
    readonly call: CampaignCall;
    readonly opening: TracebackOpening;
    readonly campaignId: string;
  },
): Promise<void> {
  const order: OpeningOrder = {
    opening,
    campaignId,
    organizationId: 'platform',
    actor: 'platform',
    reasonKey: `campaign-call:${call.callId}`,
  };
  const tracebackId = await ports.tracebacks.open(transaction, order);
  await campaignsTables(transaction)
    .insertInto('campaigns_tracebacks')
    .values({
      call_id: call.callId,
      campaign_id: campaignId,
      traceback_id: tracebackId,
      opened_ms: context.clock.nowMs(),
    })
    .onConflict((conflict) => conflict.column('call_id').doNothing())
    .execute();
}

async function pastTracebacks(
  context: PlatformContext,
  { tracebacks }: TracingPorts,
  campaignId: string,
): Promise<readonly PastTraceback[]> {
  const own = await campaignsTables(context.database)
    .selectFrom('campaigns_tracebacks')
    .select(['call_id', 'traceback_id'])
    .where('campaign_id', '=', campaignId)
    .execute();
  const callOf = new Map(own.map(({ call_id, traceback_id }) => [traceback_id, call_id]));
  const ids = new Set(callOf.keys());
  for (const { tracebackId } of await tracebacks.ofCampaign(context.database, campaignId)) ids.add(tracebackId);
  const past: PastTraceback[] = [];
  for (const tracebackId of ids) {
    const traceback = await tracebacks.traceback(context.database, tracebackId);
    if (traceback === undefined) continue;
    const callId = callOf.get(tracebackId);
    const isOpen = traceback.state === 'open';
    const origin = isOpen ? undefined : originOf(traceback);
    past.push({
      tracebackId,
      isOpen,
      ...(callId !== undefined && { callId }),
      ...(origin !== undefined && { origin }),
    });
  }
  return past;
}

/** Reports are traced from the number that was called: those of applications that veil it are not. Records are traced by their ids. */
async function traceableCalls(ports: TracingPorts, calls: readonly CampaignCall[]): Promise<readonly CampaignCall[]> {
  const traceable: CampaignCall[] = [];
  let asked = 0;
  for (const call of calls) {
    if (call.recordId !== undefined) traceable.push(call);
    else if (call.reportId !== undefined && asked < MAX_REPORTS_ASKED) {
      asked += 1;
      const report = await ports.live.report(call.reporterId, call.reportId);
      if (report?.called.shown === 'number' && report.servedBy !== undefined) traceable.push(call);
    }
  }
  return traceable;
}

/**
 * One record or report of each call: that by which it is being traced already; else the newest record, which is of the carrier nearest to who was
 * called; else a report. To follow a call twice would count it twice.
 */
function onceEach(calls: readonly CampaignCall[], past: readonly PastTraceback[]): readonly CampaignCall[] {
  const traced = new Set(past.flatMap(({ callId }) => callId ?? []));
  const rank = ({ callId, recordId }: CampaignCall): number =>
    traced.has(callId) ? 2 : recordId === undefined ? 0 : 1;
  const chosen = new Map<string, CampaignCall>();
  for (const call of calls) {
    const known = chosen.get(call.placedCallId);
    if (known === undefined || rank(call) > rank(known)) chosen.set(call.placedCallId, call);
  }
  return calls.filter((call) => chosen.get(call.placedCallId) === call);
}

/** Reports that are looked at for one campaign at a time. */
const MAX_REPORTS_ASKED = 25;

/** What a traceback of a call begins with; undefined where nobody can be asked about it. */
async function openingOf(
  { live }: TracingPorts,
  call: CampaignCall,
  file: CampaignFile,
): Promise<TracebackOpening | undefined> {
  const [transcript] = file.transcripts;
  const campaign = { campaignId: file.campaignId, name: file.name, ...(transcript !== undefined && { transcript }) };
  const known = {
    ...(call.attestation !== undefined && { attestation: call.attestation }),
    ...(call.signer !== undefined && { spc: call.signer }),
    ...(call.durationSeconds !== undefined && { durationSeconds: call.durationSeconds }),
  };
  if (call.recordId !== undefined) {
    return {
      direction: 'back',
      call: { at: statedUtc(call.atMs), recordId: call.recordId, ...known },
      campaign,
      firstProvider: { providerId: call.reporterId, name: call.reporterId },
    };
  }
  const report = call.reportId === undefined ? undefined : await live.report(call.reporterId, call.reportId);
  if (report?.called.shown !== 'number' || report.servedBy === undefined) return undefined;
  return {
    direction: 'back',
    call: {
      called: report.called.tn,
      ...(report.calling !== undefined && { calling: report.calling }),
      at: statedUtc(call.atMs),
      ...known,
    },
    campaign,
    firstProvider: { name: report.servedBy },
    reportId: `${call.reporterId}/${report.reportId}`,
  };
}

function statedUtc(atMs: number): TracebackOpening['call']['at'] {
  const written = new Date(atMs).toISOString();
  return {
    asWritten: written,
    local: written.slice(0, -1),
    zone: 'UTC',
    precision: 'millisecond',
  };
}
