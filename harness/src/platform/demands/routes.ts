import type { RouteParameter } from '@hopback/sdk/internal';
import { IDEMPOTENCY_KEY, inPath, PAGING } from '@hopback/sdk/internal';
import type { PlatformScope, ProblemCode } from '@hopback/sdk/platform';
import type { ServedRoute } from '../core/index.js';

const TAG = 'Demands and productions';
const STAFF: readonly PlatformScope[] = ['staff'];
const BOTH: readonly PlatformScope[] = ['agency', 'staff'];

const DEMAND_ID = inPath('demandId', 'Of the demand.');
const PRODUCTION_ID = inPath('productionId', 'Of the production.');
const WRITTEN: readonly ProblemCode[] = [
  'invalid-body',
  'too-large',
  'unsupported-media-type',
  'invalid-parameter',
  'idempotency-key-reused',
  'idempotency-in-progress',
  'not-found',
  'conflict',
] as readonly ProblemCode[];
const READ: readonly ProblemCode[] = ['invalid-parameter', 'not-found'];

type Named = Pick<ServedRoute, 'operationId' | 'path' | 'role' | 'summary' | 'description' | 'allowed'>;

/** What an operation that changes something has: its own path below demands or productions, a body, and a key. */
interface Written extends Named {
  readonly parameter: RouteParameter;
  readonly body?: string;
  readonly answer: string;
  readonly problems?: readonly ProblemCode[];
}

const written = ({ parameter, body, answer, problems = [], ...rest }: Written): ServedRoute => ({
  ...rest,
  method: 'POST',
  tag: TAG,
  parameters: [parameter, IDEMPOTENCY_KEY],
  ...(body !== undefined && { request: { kind: 'json', body } }),
  response: { kind: 'json', status: 201, body: answer, description: 'What was done.' },
  problems: [...WRITTEN, ...problems],
  idempotency: 'key',
});

interface Fetched extends Named, Pick<ServedRoute, 'parameters'> {
  readonly answer: string;
}

const fetched = ({ answer, ...rest }: Fetched): ServedRoute => ({
  ...rest,
  method: 'GET',
  tag: TAG,
  response: { kind: 'json', status: 200, body: answer, description: 'As it stands.' },
  problems: READ,
  idempotency: 'safe',
});

/** Routes of reviewers and agencies that the contract does not have. */
export const DEMAND_OPERATOR_ROUTES: readonly ServedRoute[] = [
  fetched({
    operationId: 'listReviewQueue',
    path: '/v1/demand-reviews',
    summary: 'List demands that wait for a decision',
    description: 'Demands about live campaigns first, then urgent ones, each with its waiting time and deadline.',
    allowed: STAFF,
    parameters: [],
    answer: 'ReviewQueue',
  }),
  fetched({
    operationId: 'fetchDemandChecklist',
    path: '/v1/demands/{demandId}/checklist',
    summary: 'Go through a demand as a reviewer does',
    description: 'The finding of each step, and an estimate of how many records it covers. It decides nothing.',
    allowed: STAFF,
    parameters: [DEMAND_ID],
    answer: 'DemandChecklist',
  }),
  {
    operationId: 'fetchDemandDocument',
    role: 'reviewer',
    method: 'GET',
    path: '/v1/demands/{demandId}/document',
    tag: TAG,
    summary: 'Fetch the document of a demand',
    description: 'The octets as they were submitted. Reading it is audited.',
    allowed: BOTH,
    parameters: [DEMAND_ID],
    response: { kind: 'file', status: 200, description: 'The PDF.' },
    problems: READ,
    idempotency: 'safe',
  },
  written({
    operationId: 'claimDemand',
    role: 'reviewer',
    path: '/v1/demands/{demandId}/claim',
    summary: 'Claim a demand for review',
    description: 'Says who reviews it; another may claim it after that.',
    allowed: STAFF,
    parameter: DEMAND_ID,
    answer: 'DemandClaim',
    problems: ['demand-not-open'],
  }),
  written({
    operationId: 'continueDemand',
    role: 'reviewer',
    path: '/v1/demands/{demandId}/continuation',
    summary: 'Have the production of a court order supplemented',
    description: 'Until the order ends, if it says that it covers future records.',
    allowed: STAFF,
    parameter: DEMAND_ID,
    body: 'ContinuingDemand',
    answer: 'ContinuedDemand',
  }),
  written({
    operationId: 'withdrawDemand',
    role: 'reviewer',
    path: '/v1/demands/{demandId}/withdrawal',
    summary: 'Withdraw a demand',
    description: 'Stops productions that are being prepared; no file can be fetched afterwards.',
    allowed: BOTH,
    parameter: DEMAND_ID,
    body: 'DemandReason',
    answer: 'Demand',
    problems: ['demand-not-open'],
  }),
  written({
    operationId: 'traceUnderDemand',
    role: 'reviewer',
    path: '/v1/demands/{demandId}/tracebacks',
    summary: 'Have a call traced under a demand',
    description: 'One that its approved scope reaches. The same call is traced once.',
    allowed: BOTH,
    parameter: DEMAND_ID,
    body: 'TracebackOpening',
    answer: 'TracedCall',
  }),
  fetched({
    operationId: 'fetchProductionProgress',
    path: '/v1/productions/{productionId}/progress',
    summary: 'See how far a production is',
    description: 'What it is at work on, how many items it has, and why it failed where it did.',
    allowed: BOTH,
    parameters: [PRODUCTION_ID],
    answer: 'ProductionProgress',
  }),
  fetched({
    operationId: 'listProductionReceipts',
    path: '/v1/productions/{productionId}/receipts',
    summary: 'List who fetched what of a production',
    description: 'Each retrieval with its time and the hash of its octets, oldest first; the page is signed.',
    allowed: BOTH,
    parameters: [PRODUCTION_ID, ...PAGING],
    answer: 'RetrievalReceipts',
  }),
  written({
    operationId: 'extendProduction',
    role: 'reviewer',
    path: '/v1/productions/{productionId}/extension',
    summary: 'Let a production be fetched for longer',
    description: 'At most 92 days from now. What has expired is issued anew instead.',
    allowed: STAFF,
    parameter: PRODUCTION_ID,
    body: 'ProductionExtension',
    answer: 'Production',
  }),
  written({
    operationId: 'reissueProduction',
    role: 'reviewer',
    path: '/v1/productions/{productionId}/reissue',
    summary: 'Issue a production anew',
    description: 'Under the same decision, out of the records as they are now.',
    allowed: STAFF,
    parameter: PRODUCTION_ID,
    body: 'DemandReason',
    answer: 'Production',
    problems: ['production-not-ready'],
  }),
];
