import type { BodyOf, Campaign } from '@hopback/sdk/platform';
import type { PlatformAnswer, WireSchema } from '@hopback/sdk/internal';
import { problemAnswer, jsonAnswer } from '@hopback/sdk/internal';
import { z } from 'zod';
import type { Caller, Operation, OperationCall, Operations, PlatformContext, Reading } from '../core/index.js';
import type { AnalystDecision, CampaignEngine } from '../domain/campaigns/campaign-engine.js';
import type { CampaignFile, CampaignKey } from '../domain/campaigns/campaign-file.js';
import { describeCampaign, describeForOthers } from '../domain/campaigns/describe-campaign.js';
import { keyName, restoredCampaign } from '../domain/campaigns/campaign-file.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import { identifier, readPage, shownRows } from '../domain/wire/routes.js';
import type { CampaignStore } from './campaign-store.js';
import { campaignsTables } from './campaigns-repository.js';
import { dropSnapshot } from './detector-snapshot.js';
import type { Detector } from './detector.js';

/** Keys that one split takes along: as many as a campaign can have. */
const MAX_SPLIT_KEYS = 512;

const reason = z.string().min(1).max(2_048);
/**
 * Topic, detail, variant, as the traceback group writes them; underscores are of its classes. No telephone number: names are in events, alerts
 * and the audit.
 */
const campaignName = z.string().regex(/^(?!.*\d(?:[_-]?\d){6})[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/);

/** What an analyst decides of a campaign. */
const CampaignDecision = z.discriminatedUnion('decision', [
  z.object({ decision: z.literal('merge'), into: identifier, reason }),
  z.object({ decision: z.literal('split'), keyIds: z.array(identifier).min(1).max(MAX_SPLIT_KEYS), reason }),
  z.object({ decision: z.literal('rename'), name: campaignName, reason }),
  z.object({ decision: z.enum(['close', 'reopen', 'lawful']), reason }),
]);
type Decision = BodyOf<typeof CampaignDecision>;

/** What holds a campaign together, for analysts. */
const CampaignEvidence = z.object({
  campaignId: identifier,
  /** Group and way, or the transcript, as `label`; nothing of numbers. */
  keys: z
    .array(z.object({ keyId: identifier, kind: z.string().max(64), label: z.string().max(4_096) }))
    .max(MAX_SPLIT_KEYS),
  apartFrom: z.array(identifier).max(4_096),
  transcripts: z.array(z.string().max(65_536)).max(64),
  decisions: z
    .array(
      z.object({
        decisionId: identifier,
        at: z.iso.datetime(),
        decision: z.string().max(64),
        actor: z.string().max(256),
        reason,
      }),
    )
    .max(1_000),
});

const WatchedGroups = z.object({
  groups: z
    .array(
      z.object({
        group: z.string().max(1_024),
        way: z.string().max(64),
        evidence: z.number(),
        alarmAt: z.number(),
        calls: z.int(),
      }),
    )
    .max(100),
});

/** Bodies of the routes of analysts. */
export const CAMPAIGNS_SCHEMAS: Readonly<Record<string, WireSchema<unknown>>> = {
  CampaignDecision,
  CampaignEvidence,
  WatchedGroups,
};

/** What operations stand on. */
interface OperationParts {
  readonly context: PlatformContext;
  readonly engine: CampaignEngine;
  readonly store: CampaignStore;
  readonly detector: Detector;
}

/** Columns of which a campaign is described. */
export interface StoredCampaign {
  readonly saved: Parameters<typeof restoredCampaign>[0];
  readonly findings: { readonly tracebackIds: readonly string[]; readonly providers: Campaign['providers'] };
  readonly updated_ms: number;
}

/** A campaign in the form of the contract, as agencies and staff see it. Never throws. */
export function describeStored({ saved, findings, updated_ms }: StoredCampaign): Campaign {
  return describeCampaign(restoredCampaign(saved, []), { ...findings, updatedAtMs: updated_ms });
}

/** A campaign as it is stored, under the id that it has now. */
export async function findStored(
  reading: Reading,
  campaignId: string,
): Promise<(StoredCampaign & { readonly is_lawful: boolean }) | undefined> {
  return campaignsTables(reading)
    .selectFrom('campaigns_campaigns')
    .select(['saved', 'findings', 'updated_ms', 'is_lawful'])
    .where('campaign_id', '=', await currentIdOf(reading, campaignId))
    .where('merged_into', 'is', null)
    .executeTakeFirst();
}

/** The id that a campaign has after mergers; its own where it was never merged, or is none. */
export async function currentIdOf(reading: Reading, campaignId: string): Promise<string> {
  let id = campaignId;
  // Mergers of mergers; each is older than the one before, so that it ends.
  for (let step = 0; step < MAX_MERGERS; step += 1) {
    const row = await campaignsTables(reading)
      .selectFrom('campaigns_campaigns')
      .select('merged_into')
      .where('campaign_id', '=', id)
      .executeTakeFirst();
    if (row === undefined || row.merged_into === null) return id;
    id = row.merged_into;
  }
  return id;
}

/** The id of a campaign, and those of all that were merged into it. */
export async function idsOfCampaign(reading: Reading, campaignId: string): Promise<readonly string[]> {
  const ids = new Set([campaignId]);
  for (let last: readonly string[] = [campaignId]; last.length > 0;) {
    const rows = await campaignsTables(reading)
      .selectFrom('campaigns_campaigns')
      .select('campaign_id')
      .where('merged_into', 'in', last)
      .execute();
    last = rows.map(({ campaign_id }) => campaign_id).filter((id) => !ids.has(id));
    for (const id of last) ids.add(id);
  }
  return [...ids];
}

/** Mergers in a row that are followed. */
const MAX_MERGERS = 32;

/** Name of a key in the interface: of its own name nothing can be read, which may be a telephone number. */
const keyIdOf = (context: PlatformContext, key: Parameters<typeof keyName>[0]): string =>
  `k-${context.sealed.pseudonym(keyName(key))}`;

/** After which an analyst comes back while the detector is warming. */
const WARMING_SECONDS = 5;
/** Groups on watch that are told. */
const MAX_WATCHED = 100;
/** Decisions that are told of one campaign. */
const MAX_DECISIONS = 1_000;

/** Operations of analysts. */
function analystOperations(parts: OperationParts): Operations {
  return {
    decideCampaign: onceReady(parts, (call) =>
      parts.detector.change((decided) => decideCampaign(parts, call, decided)),
    ),
    fetchCampaignEvidence: onceReady(parts, fetchEvidence(parts)),
    listWatchedGroups: onceReady(parts, () => jsonAnswer({ groups: parts.engine.watched(MAX_WATCHED) })),
  };
}

/** After a restart the detector is behind what is stored for some seconds: nobody decides by what it knows then. */
function onceReady({ detector }: OperationParts, operation: Operation): Operation {
  return (call) =>
    detector.isReady() ? operation(call) : problemAnswer('unavailable', { retryAfterSeconds: WARMING_SECONDS });
}

async function decideCampaign(
  parts: OperationParts,
  call: OperationCall,
  decided: () => void,
): Promise<PlatformAnswer> {
  const { context, engine, store } = parts;
  const campaignId = call.request.parameters['campaignId'] ?? '';
  const body = call.request.body as Decision;
  const file = engine.campaign(campaignId);
  if (file === undefined) return problemAnswer('not-found');
  if (isDone(parts, body, { file, campaignId })) return answerOf(parts, file);
  const decision = decisionOf(parts, body, { file, atMs: call.atMs });
  if (decision === undefined) return problemAnswer('conflict', { detail: 'The campaign has no such key.' });
  const outcome = engine.decide(decision);
  if (outcome.status === 'refused') return problemAnswer('conflict', { detail: `Refused: ${outcome.reason}.` });
  decided();
  keepDecision(parts, call, { body, campaignId: file.campaignId });
  // The word holds in memory from here on. Where it cannot be stored now the call fails, and it is stored with what is learned next.
  await store.flush({ campaignId: file.campaignId });
  // Others that cannot be stored are no reason to refuse this call.
  await store.flush().catch(() => undefined);
  context.log.info('a campaign was decided', { campaignId: file.campaignId, decision: body.decision });
  return answerOf(parts, outcome.file);
}

/** Whether the same was said before: then it changes nothing. */
function isDone(
  { engine }: OperationParts,
  body: Decision,
  { file, campaignId }: { readonly file: CampaignFile; readonly campaignId: string },
): boolean {
  switch (body.decision) {
    case 'merge':
      return file.campaignId !== campaignId && engine.campaign(body.into) === file;
    case 'rename':
      return file.isNamedByAnalyst && file.name === body.name;
    case 'close':
      return file.standing.because === 'closed-by-analyst';
    case 'lawful':
      return file.standing.because === 'lawful';
    case 'reopen':
      return file.standing.state !== 'closed';
    case 'split':
      return false;
    default:
      return body satisfies never;
  }
}

function decisionOf(
  { context }: OperationParts,
  body: Decision,
  { file, atMs }: { readonly file: CampaignFile; readonly atMs: number },
): AnalystDecision | undefined {
  const { campaignId } = file;
  switch (body.decision) {
    case 'merge':
      return {
        kind: 'merge',
        campaignId,
        into: body.into,
        atMs,
      };
    case 'rename':
      return { kind: 'rename', campaignId, name: body.name };
    case 'close':
    case 'reopen':
    case 'lawful':
      return { kind: body.decision, campaignId, atMs };
    case 'split': {
      const byId = new Map([...file.keys.values()].map((key) => [keyIdOf(context, key), keyName(key)]));
      const keys = body.keyIds.flatMap((id) => byId.get(id) ?? []);
      return keys.length === body.keyIds.length ? { kind: 'split', campaignId, keys, atMs } : undefined;
    }
    default:
      return body satisfies never;
  }
}

function keepDecision(
  { context, store }: OperationParts,
  { caller, atMs }: OperationCall,
  { body, campaignId }: { readonly body: Decision; readonly campaignId: string },
): void {
  const decisionId = context.newId('cd');
  const by: Caller = caller;
  store.along(campaignId, async (transaction) => {
    await campaignsTables(transaction)
      .insertInto('campaigns_decisions')
      .values({
        decision_id: decisionId,
        campaign_id: campaignId,
        at_ms: atMs,
        kind: body.decision,
        actor: by.clientId,
        organization_id: by.organizationId,
        reason: textWithoutNumbers(body.reason),
      })
      .execute();
    await dropSnapshot(transaction);
    await context.audit(transaction, {
      action: `campaign.${body.decision}`,
      organizationId: by.organizationId,
      actor: by.clientId,
      object: `campaign:${campaignId}`,
      details: { decisionId, ...(body.decision === 'merge' && { into: body.into }) },
    });
  });
}

async function answerOf({ context }: OperationParts, file: CampaignFile): Promise<PlatformAnswer> {
  const row = await findStored(context.database, file.campaignId);
  const findings = row?.findings ?? { tracebackIds: [], providers: [] };
  return jsonAnswer(describeCampaign(file, { ...findings, updatedAtMs: context.clock.nowMs() }));
}

function fetchEvidence({ context, engine }: OperationParts): Operation {
  return async (call) => {
    const file = engine.campaign(call.request.parameters['campaignId'] ?? '');
    if (file === undefined) return problemAnswer('not-found');
    const decisions = await campaignsTables(context.database)
      .selectFrom('campaigns_decisions')
      .selectAll()
      .where('campaign_id', '=', file.campaignId)
      .orderBy('at_ms')
      .limit(MAX_DECISIONS)
      .execute();
    const evidence: BodyOf<typeof CampaignEvidence> = {
      campaignId: file.campaignId,
      keys: [...file.keys.values()].map((key) => ({
        keyId: keyIdOf(context, key),
        kind: key.kind,
        label: labelOf(key),
      })),
      apartFrom: [...file.apartFrom],
      transcripts: [...file.transcripts],
      decisions: decisions.map((row) => ({
        decisionId: row.decision_id,
        at: new Date(row.at_ms).toISOString(),
        decision: row.kind,
        actor: row.actor,
        reason: row.reason,
      })),
    };
    return jsonAnswer(evidence);
  };
}

function labelOf(key: CampaignKey): string {
  if (key.kind === 'group') return `${key.group}, ${key.way}`;
  if (key.kind === 'script') return key.transcript;
  return key.kind === 'recording' ? key.recording : '';
}

/** Operations of the area: those of the contract and those of analysts. */
export function campaignsOperations(parts: OperationParts): Operations {
  return { listCampaigns: listCampaigns(parts), fetchCampaign: fetchCampaign(parts), ...analystOperations(parts) };
}

const seesAll = ({ caller }: OperationCall): boolean =>
  caller.scopes.includes('staff') || caller.scopes.includes('agency');

function fetchCampaign({ context }: OperationParts): Operation {
  return async (call) => {
    const row = await findStored(context.database, call.request.parameters['campaignId'] ?? '');
    if (row === undefined || (row.is_lawful && !call.caller.scopes.includes('staff')))
      return problemAnswer('not-found');
    const campaign = describeStored(row);
    return jsonAnswer(seesAll(call) ? campaign : describeForOthers(campaign));
  };
}

function listCampaigns({ context }: OperationParts): Operation {
  return async (call): Promise<PlatformAnswer> => {
    const page = readPage(call, ['number', 'string']);
    if ('kind' in page) return page;
    const { after, limit } = page;
    const { state } = call.request.parameters;
    let query = campaignsTables(context.database)
      .selectFrom('campaigns_campaigns')
      .select(['campaign_id', 'last_seen_ms', 'saved', 'findings', 'updated_ms'])
      .where('merged_into', 'is', null);
    if (!call.caller.scopes.includes('staff')) query = query.where('is_lawful', '=', false);
    if (state !== undefined) query = query.where('state', '=', state);
    if (after !== undefined) {
      const [lastSeenMs, campaignId] = after;
      query = query.where((where) =>
        where.or([
          where('last_seen_ms', '<', lastSeenMs),
          where.and([where('last_seen_ms', '=', lastSeenMs), where('campaign_id', '<', campaignId)]),
        ]),
      );
    }
    const rows = await query
      .orderBy('last_seen_ms', 'desc')
      .orderBy('campaign_id', 'desc')
      .limit(limit + 1)
      .execute();
    const { shown, next } = shownRows(rows, limit, (row) => [row.last_seen_ms, row.campaign_id]);
    const items = shown.map(describeStored);
    return jsonAnswer({ items: seesAll(call) ? items : items.map(describeForOthers), ...next });
  };
}
