import type { ServedRoute, StaffRoles } from '../core/index.js';

const STAFF = ['staff'] as const;
const CAMPAIGN: ServedRoute['parameters'][number] = {
  name: 'campaignId',
  in: 'path',
  form: 'identifier',
  description: 'Of the campaign.',
  isRequired: true,
};

/** Routes of analysts. */
export const CAMPAIGNS_ROUTES: readonly ServedRoute[] = [
  {
    operationId: 'decideCampaign',
    method: 'POST',
    path: '/v1/campaigns/{campaignId}/decisions',
    tag: 'Campaigns and alerts',
    summary: 'Merge, split, rename, close, reopen, or mark as lawful',
    description:
      'Applies to future calls. Returns the remaining campaign (merge) or the new one (split). Calls counted before a split stay in the old campaign. Only staff see a lawful campaign, and its pattern raises no new campaign.',
    allowed: STAFF,
    parameters: [CAMPAIGN],
    request: { kind: 'json', body: 'CampaignDecision' },
    response: { kind: 'json', status: 200, body: 'Campaign', description: 'The campaign as it is now.' },
    problems: ['invalid-body', 'too-large', 'unsupported-media-type', 'invalid-parameter', 'not-found', 'conflict'],
    idempotency: 'by-content',
  },
  {
    operationId: 'fetchCampaignEvidence',
    method: 'GET',
    path: '/v1/campaigns/{campaignId}/evidence',
    tag: 'Campaigns and alerts',
    summary: 'What holds a campaign together, and what analysts decided',
    description: 'Keys have ids by which a split names them. Telephone numbers are not shown.',
    allowed: STAFF,
    parameters: [CAMPAIGN],
    response: { kind: 'json', status: 200, body: 'CampaignEvidence', description: 'Keys and decisions.' },
    problems: ['invalid-parameter', 'not-found'],
    idempotency: 'safe',
  },
  {
    operationId: 'listWatchedGroups',
    method: 'GET',
    path: '/v1/watched-groups',
    tag: 'Campaigns and alerts',
    summary: 'Groups of calls that are unlike ordinary traffic, but no campaign yet',
    description: 'The strongest first, at most 100.',
    allowed: STAFF,
    parameters: [],
    response: { kind: 'json', status: 200, body: 'WatchedGroups', description: 'Groups on watch.' },
    problems: [],
    idempotency: 'safe',
  },
];

/** What a campaign is, analysts say. */
export const CAMPAIGNS_ROLES: StaffRoles = { analyst: ['decideCampaign'] };
