import {
  answered,
  BODY_PROBLEMS,
  IDEMPOTENCY_KEY,
  inPath,
  inQuery,
  json,
  KEY_PROBLEMS,
  PAGING,
} from './route-parts.js';
import type { PlatformRoute } from './route.js';

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
    inQuery('state', 'Which of them; all where nothing is said.', [
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
