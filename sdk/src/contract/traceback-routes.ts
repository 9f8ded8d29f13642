import { answered, BODY_PROBLEMS, IDEMPOTENCY_KEY, inPath, inQuery, json, KEY_PROBLEMS, PAGING } from './route.js';
import type { PlatformRoute } from './route.js';

const PROVIDER_ID = inPath('providerId', 'Of the provider in the registry.');

const OPEN_TRACEBACK: PlatformRoute = {
  operationId: 'openTraceback',
  method: 'POST',
  path: '/v1/tracebacks',
  tag: 'Tracebacks',
  summary: 'Open a traceback of one call',
  description: 'The platform asks the provider at which it starts, and goes on from answer to answer.',
  allowed: ['carrier', 'agency', 'staff'],
  parameters: [IDEMPOTENCY_KEY],
  request: json('TracebackOpening'),
  response: answered(201, 'Traceback', 'The traceback.'),
  problems: [...BODY_PROBLEMS, ...KEY_PROBLEMS],
  idempotency: 'key',
};

const LIST_TRACEBACKS: PlatformRoute = {
  operationId: 'listTracebacks',
  method: 'GET',
  path: '/v1/tracebacks',
  tag: 'Tracebacks',
  summary: 'List tracebacks',
  description:
    'Newest first. Staff see all tracebacks. Other clients see those that they opened or in which they are a hop. The provider that a hop names is shown only to the providers on both sides of the hand-off and to staff; an agency sees it if a reviewed demand covers it.',
  allowed: ['carrier', 'agency', 'staff'],
  parameters: [
    inQuery('state', 'Only in this state; default all.', ['open', 'closed', 'withdrawn']),
    inQuery('campaignId', 'Of this campaign only.', 'identifier'),
    ...PAGING,
  ],
  response: answered(200, 'TracebackPage', 'Tracebacks.'),
  problems: ['invalid-parameter'],
  idempotency: 'safe',
};

const FETCH_TRACEBACK: PlatformRoute = {
  operationId: 'fetchTraceback',
  method: 'GET',
  path: '/v1/tracebacks/{tracebackId}',
  tag: 'Tracebacks',
  summary: 'Fetch one traceback',
  description: 'Hop by hop, as far as the caller may see them.',
  allowed: ['carrier', 'agency', 'staff'],
  parameters: [inPath('tracebackId', 'Of the traceback.')],
  response: answered(200, 'Traceback', 'The traceback.'),
  problems: ['invalid-parameter', 'not-found'],
  idempotency: 'safe',
};

const REPORT_CALL: PlatformRoute = {
  operationId: 'reportCall',
  method: 'POST',
  path: '/v1/app-reports',
  tag: 'App reports',
  summary: 'Report a call that an application took for a robocall',
  description: "`reportId` is the application's own and tells repeats. The subscriber's number may be a pseudonym.",
  allowed: ['app'],
  parameters: [],
  request: json('AppReport'),
  response: answered(202, 'AppReportReceipt', 'The report is stored.'),
  problems: [...BODY_PROBLEMS, 'conflict'],
  idempotency: 'by-content',
};

const LIST_PROVIDERS: PlatformRoute = {
  operationId: 'listProviders',
  method: 'GET',
  path: '/v1/providers',
  tag: 'Providers',
  summary: 'List the registry of providers',
  description: 'By business name. All parameters must match.',
  allowed: ['carrier', 'agency', 'staff'],
  parameters: [
    inQuery('name', 'Part of the business name, of a previous or of another name; without regard to case.', 'line'),
    inQuery('frn', 'FCC Registration Number.', 'frn'),
    inQuery('ocn', 'Operating Company Number.', 'ocn'),
    inQuery('spc', 'Service Provider Code.', 'spc'),
    inQuery('changedSince', 'Changed at this time or later.', 'utc-time'),
    ...PAGING,
  ],
  response: answered(200, 'ProviderEntryPage', 'Providers.'),
  problems: ['invalid-parameter'],
  idempotency: 'safe',
};

const FETCH_PROVIDER: PlatformRoute = {
  operationId: 'fetchProvider',
  method: 'GET',
  path: '/v1/providers/{providerId}',
  tag: 'Providers',
  summary: 'Fetch one provider',
  description: 'What it filed in the Robocall Mitigation Database (47 CFR 64.6305), and its other identifiers.',
  allowed: ['carrier', 'agency', 'staff'],
  parameters: [PROVIDER_ID],
  response: answered(200, 'ProviderEntry', 'The provider.'),
  problems: ['invalid-parameter', 'not-found'],
  idempotency: 'safe',
};

const FETCH_SCORECARD: PlatformRoute = {
  operationId: 'fetchProviderScorecard',
  method: 'GET',
  path: '/v1/providers/{providerId}/scorecard',
  tag: 'Providers',
  summary: 'Fetch how a provider answers',
  description: 'Rates and reasons over a stretch of time. A carrier sees its own.',
  allowed: ['carrier', 'agency', 'staff'],
  parameters: [
    PROVIDER_ID,
    inQuery('from', 'Start of the period; default 365 days before its end.', 'utc-time'),
    inQuery('to', 'End of the period (exclusive); default now.', 'utc-time'),
  ],
  response: answered(200, 'ProviderScorecard', 'The scorecard.'),
  problems: ['invalid-parameter', 'not-found'],
  idempotency: 'safe',
};

const LIST_DO_NOT_ORIGINATE: PlatformRoute = {
  operationId: 'listDoNotOriginate',
  method: 'GET',
  path: '/v1/do-not-originate',
  tag: 'Do not originate',
  summary: 'List do-not-originate numbers',
  description: 'By the time of their last change: with `changedSince` only what is new, withdrawn entries among it.',
  allowed: ['carrier', 'app', 'staff'],
  parameters: [inQuery('changedSince', 'Changed at this time or later.', 'utc-time'), ...PAGING],
  response: answered(200, 'DoNotOriginateEntryPage', 'Entries of the list.'),
  problems: ['invalid-parameter'],
  idempotency: 'safe',
};

const LIST_CAMPAIGNS: PlatformRoute = {
  operationId: 'listCampaigns',
  method: 'GET',
  path: '/v1/campaigns',
  tag: 'Campaigns and alerts',
  summary: 'List campaigns',
  description: 'Latest call first.',
  allowed: ['carrier', 'app', 'agency', 'staff'],
  parameters: [inQuery('state', 'Only in this state; default all.', ['live', 'dormant', 'closed']), ...PAGING],
  response: answered(200, 'CampaignPage', 'Campaigns.'),
  problems: ['invalid-parameter'],
  idempotency: 'safe',
};

const FETCH_CAMPAIGN: PlatformRoute = {
  operationId: 'fetchCampaign',
  method: 'GET',
  path: '/v1/campaigns/{campaignId}',
  tag: 'Campaigns and alerts',
  summary: 'Fetch one campaign',
  description: 'Providers and tracebacks are shown to agencies and staff; to others the lists are empty.',
  allowed: ['carrier', 'app', 'agency', 'staff'],
  parameters: [inPath('campaignId', 'Of the campaign.')],
  response: answered(200, 'Campaign', 'The campaign.'),
  problems: ['invalid-parameter', 'not-found'],
  idempotency: 'safe',
};

const LIST_ALERTS: PlatformRoute = {
  operationId: 'listAlerts',
  method: 'GET',
  path: '/v1/alerts',
  tag: 'Campaigns and alerts',
  summary: 'List alerts to the calling organization',
  description: 'Newest first.',
  allowed: ['carrier', 'agency', 'staff'],
  parameters: [inQuery('state', 'Only in this state; default all.', ['unacknowledged', 'acknowledged']), ...PAGING],
  response: answered(200, 'AlertPage', 'Alerts.'),
  problems: ['invalid-parameter'],
  idempotency: 'safe',
};

const ACKNOWLEDGE_ALERT: PlatformRoute = {
  operationId: 'acknowledgeAlert',
  method: 'POST',
  path: '/v1/alerts/{alertId}/acknowledgement',
  tag: 'Campaigns and alerts',
  summary: 'Acknowledge an alert',
  description: 'The first acknowledgement of an organization counts; further ones change nothing.',
  allowed: ['carrier', 'agency', 'staff'],
  parameters: [inPath('alertId', 'Of the alert.')],
  request: json('AlertAcknowledgement'),
  response: answered(200, 'Alert', 'The alert as it stands now.'),
  problems: [...BODY_PROBLEMS, 'invalid-parameter', 'not-found'],
  idempotency: 'by-content',
};

/** Tracebacks, and what is known of calls, campaigns and providers. */
export const TRACEBACK_ROUTES: readonly PlatformRoute[] = [
  OPEN_TRACEBACK,
  LIST_TRACEBACKS,
  FETCH_TRACEBACK,
  REPORT_CALL,
  LIST_PROVIDERS,
  FETCH_PROVIDER,
  FETCH_SCORECARD,
  LIST_DO_NOT_ORIGINATE,
  LIST_CAMPAIGNS,
  FETCH_CAMPAIGN,
  LIST_ALERTS,
  ACKNOWLEDGE_ALERT,
];

const DEMAND_ID = inPath('demandId', 'Of the demand.');
const PRODUCTION_ID = inPath('productionId', 'Of the production.');

const SUBMIT_DEMAND: PlatformRoute = {
  operationId: 'submitDemand',
  method: 'POST',
  path: '/v1/demands',
  tag: 'Demands and productions',
  summary: 'Submit a subpoena, civil investigative demand or court order',
  description:
    'Two parts: `demand`, the scope in structured form, and `document`, the PDF of at most 20 MiB. Where they differ the reviewer holds to the document. Nothing is produced before a decision.',
  allowed: ['agency', 'staff'],
  parameters: [IDEMPOTENCY_KEY],
  request: { kind: 'json-and-pdf', jsonPart: 'demand', body: 'DemandSubmission', pdfPart: 'document' },
  response: answered(201, 'Demand', 'The demand, under review.'),
  problems: [...BODY_PROBLEMS, ...KEY_PROBLEMS, 'document-unreadable', 'scope-unusable'],
  idempotency: 'key',
};

const LIST_DEMANDS: PlatformRoute = {
  operationId: 'listDemands',
  method: 'GET',
  path: '/v1/demands',
  tag: 'Demands and productions',
  summary: 'List demands',
  description: 'Newest first: those of the calling agency; all of them for staff.',
  allowed: ['agency', 'staff'],
  parameters: [
    inQuery('state', 'Only in this state; default all.', [
      'under-review',
      'approved',
      'narrowed',
      'rejected',
      'produced',
      'withdrawn',
    ]),
    ...PAGING,
  ],
  response: answered(200, 'DemandPage', 'Demands.'),
  problems: ['invalid-parameter'],
  idempotency: 'safe',
};

const FETCH_DEMAND: PlatformRoute = {
  operationId: 'fetchDemand',
  method: 'GET',
  path: '/v1/demands/{demandId}',
  tag: 'Demands and productions',
  summary: 'Fetch one demand',
  description: 'With the decisions about it and the productions under it.',
  allowed: ['agency', 'staff'],
  parameters: [DEMAND_ID],
  response: answered(200, 'Demand', 'The demand.'),
  problems: ['invalid-parameter', 'not-found'],
  idempotency: 'safe',
};

const DECIDE_DEMAND: PlatformRoute = {
  operationId: 'decideDemand',
  method: 'POST',
  path: '/v1/demands/{demandId}/decisions',
  tag: 'Demands and productions',
  summary: 'Approve, narrow or reject a demand',
  description: 'By a reviewer of the traceback group, with the reason that the agency is told.',
  allowed: ['staff'],
  parameters: [DEMAND_ID, IDEMPOTENCY_KEY],
  request: json('DemandDecisionRequest'),
  response: answered(201, 'Demand', 'The demand with the decision.'),
  problems: [...BODY_PROBLEMS, ...KEY_PROBLEMS, 'not-found', 'demand-not-open', 'scope-unusable'],
  idempotency: 'key',
};

const FETCH_PRODUCTION: PlatformRoute = {
  operationId: 'fetchProduction',
  method: 'GET',
  path: '/v1/productions/{productionId}',
  tag: 'Demands and productions',
  summary: 'Fetch what is in a production',
  description: 'Its files with their hashes.',
  allowed: ['agency', 'staff'],
  parameters: [PRODUCTION_ID],
  response: answered(200, 'Production', 'The production.'),
  problems: ['invalid-parameter', 'not-found'],
  idempotency: 'safe',
};

const FETCH_PRODUCTION_FILE: PlatformRoute = {
  operationId: 'fetchProductionFile',
  method: 'GET',
  path: '/v1/productions/{productionId}/files/{name}',
  tag: 'Demands and productions',
  summary: 'Fetch one file of a production',
  description: 'The bytes whose SHA-256 the production states.',
  allowed: ['agency', 'staff'],
  parameters: [PRODUCTION_ID, inPath('name', 'Of the file.', 'file-name')],
  response: { kind: 'file', status: 200, description: 'The file.' },
  problems: ['invalid-parameter', 'not-found', 'production-not-ready', 'gone'],
  idempotency: 'safe',
};

/** What an agency calls, and who reviews. */
export const DEMAND_ROUTES: readonly PlatformRoute[] = [
  SUBMIT_DEMAND,
  LIST_DEMANDS,
  FETCH_DEMAND,
  DECIDE_DEMAND,
  FETCH_PRODUCTION,
  FETCH_PRODUCTION_FILE,
];
