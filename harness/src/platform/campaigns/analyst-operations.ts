import type { PlatformAnswer } from '@hopback/sdk/platform';
import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { Caller, Operation, OperationCall, Operations } from '../core/index.js';
import { describeCampaign, keyName } from '../domain/campaigns/index.js';
import type { AnalystDecision, CampaignFile, CampaignKey } from '../domain/campaigns/index.js';
import { textWithoutNumbers } from '../domain/records/index.js';
import type { CampaignDecisionBody, CampaignEvidence } from './campaigns.schema.js';
import { campaignsTables } from './campaigns-repository.js';
import { dropSnapshot } from './detector-snapshot.js';
import { findStored, keyIdOf } from './stored-campaign.js';
import type { OperationParts } from './stored-campaign.js';

/** After which an analyst comes back while the detector is warming. */
const WARMING_SECONDS = 5;
/** Groups on watch that are told. */
const MAX_WATCHED = 100;
/** Decisions that are told of one campaign. */
const MAX_DECISIONS = 1_000;

/** Operations of analysts. */
export function analystOperations(parts: OperationParts): Operations {
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
  const body = call.request.body as CampaignDecisionBody;
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
  body: CampaignDecisionBody,
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
  body: CampaignDecisionBody,
  { file, atMs }: { readonly file: CampaignFile; readonly atMs: number },
): AnalystDecision | undefined {
  const { campaignId } = file;
  switch (body.decision) {
    case 'merge':
      return { kind: 'merge', campaignId, into: body.into, atMs };
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
  { body, campaignId }: { readonly body: CampaignDecisionBody; readonly campaignId: string },
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
    const evidence: CampaignEvidence = {
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
