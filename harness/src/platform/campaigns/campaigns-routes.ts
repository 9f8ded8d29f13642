import type { ServedRoute } from '../core/index.js';
import { routesOf } from '../domain/wire/routes.js';
import { inPath } from '@hopback/sdk/internal';

const CAMPAIGN = inPath('campaignId', 'Of the campaign.');
const { read, change } = routesOf('Campaigns and alerts');

/** Routes of analysts. */
export const CAMPAIGNS_ROUTES: readonly ServedRoute[] = [
  change('decideCampaign', '/v1/campaigns/{campaignId}/decisions', {
    role: 'analyst',
    summary: 'Merge, split, rename, close, reopen, or mark as lawful',
    description:
      'Applies to future calls. Returns the remaining campaign (merge) or the new one (split). Calls counted before a split stay in the old campaign. Only staff see a lawful campaign, and its pattern raises no new campaign.',
    parameters: [CAMPAIGN],
    body: 'CampaignDecision',
    answer: ['Campaign', 'The campaign as it is now.'],
    problems: ['conflict'],
  }),
  read('fetchCampaignEvidence', '/v1/campaigns/{campaignId}/evidence', {
    summary: 'What holds a campaign together, and what analysts decided',
    description: 'Keys have ids by which a split names them. Telephone numbers are not shown.',
    parameters: [CAMPAIGN],
    answer: ['CampaignEvidence', 'Keys and decisions.'],
  }),
  read('listWatchedGroups', '/v1/watched-groups', {
    summary: 'Groups of calls that are unlike ordinary traffic, but no campaign yet',
    description: 'The strongest first, at most 100.',
    answer: ['WatchedGroups', 'Groups on watch.'],
  }),
];
