import { Buffer } from 'node:buffer';
import type { Campaign, Page, PlatformAnswer } from '@hopback/sdk/platform';
import { DEFAULT_PAGE_ITEMS, jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { Operation, OperationCall, Operations } from '../core/index.js';
import { describeForOthers } from '../domain/campaigns/index.js';
import { analystOperations } from './analyst-operations.js';
import { campaignsTables } from './campaigns-repository.js';
import { describeStored, findStored } from './stored-campaign.js';
import type { OperationParts } from './stored-campaign.js';

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
    const { state, cursor, limit } = call.request.parameters;
    const after = cursor === undefined ? undefined : readCursor(cursor);
    if (cursor !== undefined && after === undefined) {
      return problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'invalid_format' }] });
    }
    const most = limit === undefined ? DEFAULT_PAGE_ITEMS : Number(limit);
    let query = campaignsTables(context.database)
      .selectFrom('campaigns_campaigns')
      .select(['campaign_id', 'last_seen_ms', 'saved', 'findings', 'updated_ms'])
      .where('merged_into', 'is', null);
    if (!call.caller.scopes.includes('staff')) query = query.where('is_lawful', '=', false);
    if (state !== undefined) query = query.where('state', '=', state);
    if (after !== undefined) {
      query = query.where((where) =>
        where.or([
          where('last_seen_ms', '<', after.lastSeenMs),
          where.and([where('last_seen_ms', '=', after.lastSeenMs), where('campaign_id', '<', after.campaignId)]),
        ]),
      );
    }
    const rows = await query
      .orderBy('last_seen_ms', 'desc')
      .orderBy('campaign_id', 'desc')
      .limit(most + 1)
      .execute();
    const shown = rows.slice(0, most);
    const last = shown.at(-1);
    const items = shown.map(describeStored);
    const page: Page<Campaign> = {
      items: seesAll(call) ? items : items.map(describeForOthers),
      ...(rows.length > most && last !== undefined && { nextCursor: writeCursor(last) }),
    };
    return jsonAnswer(page);
  };
}

function writeCursor(row: { readonly last_seen_ms: number; readonly campaign_id: string }): string {
  return Buffer.from(`${String(row.last_seen_ms)} ${row.campaign_id}`).toString('base64url');
}

function readCursor(cursor: string): { readonly lastSeenMs: number; readonly campaignId: string } | undefined {
  const found = /^(\d{1,15}) (\S{1,128})$/.exec(Buffer.from(cursor, 'base64url').toString());
  const [, lastSeen, campaignId] = found ?? [];
  return lastSeen === undefined || campaignId === undefined ? undefined : { lastSeenMs: Number(lastSeen), campaignId };
}
