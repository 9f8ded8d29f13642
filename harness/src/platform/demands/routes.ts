import { inPath, PAGING } from '@hopback/sdk/internal';
import type { PlatformScope } from '@hopback/sdk/platform';
import type { ServedRoute } from '../core/index.js';
import { routesOf } from '../domain/wire/routes.js';

const { read, file, change } = routesOf('Demands and productions');
const BOTH: readonly PlatformScope[] = ['agency', 'staff'];

const DEMAND_ID = inPath('demandId', 'Of the demand.');
const PRODUCTION_ID = inPath('productionId', 'Of the production.');
/** Every change is made once per key. */
const WRITTEN = { isKeyed: true, status: 201 } as const;

/** Routes of reviewers and agencies that the contract does not have. */
export const DEMAND_OPERATOR_ROUTES: readonly ServedRoute[] = [
  read('listReviewQueue', '/v1/demand-reviews', {
    summary: 'List demands that wait for a decision',
    description: 'Demands about live campaigns first, then urgent ones, each with its waiting time and deadline.',
    answer: 'ReviewQueue',
  }),
  read('fetchDemandChecklist', '/v1/demands/{demandId}/checklist', {
    summary: 'Go through a demand as a reviewer does',
    description: 'The finding of each step, and an estimate of how many records it covers. It decides nothing.',
    parameters: [DEMAND_ID],
    answer: 'DemandChecklist',
  }),
  file('fetchDemandDocument', '/v1/demands/{demandId}/document', {
    role: 'reviewer',
    summary: 'Fetch the document of a demand',
    description: 'The octets as they were submitted. Reading it is audited.',
    allowed: BOTH,
    parameters: [DEMAND_ID],
    answer: 'The PDF.',
  }),
  change('claimDemand', '/v1/demands/{demandId}/claim', {
    ...WRITTEN,
    role: 'reviewer',
    summary: 'Claim a demand for review',
    description: 'Says who reviews it; another may claim it after that.',
    parameters: [DEMAND_ID],
    answer: 'DemandClaim',
    problems: ['conflict', 'demand-not-open'],
  }),
  change('continueDemand', '/v1/demands/{demandId}/continuation', {
    ...WRITTEN,
    role: 'reviewer',
    summary: 'Have the production of a court order supplemented',
    description: 'Until the order ends, if it says that it covers future records.',
    parameters: [DEMAND_ID],
    body: 'ContinuingDemand',
    answer: 'ContinuedDemand',
    problems: ['conflict'],
  }),
  change('withdrawDemand', '/v1/demands/{demandId}/withdrawal', {
    ...WRITTEN,
    role: 'reviewer',
    summary: 'Withdraw a demand',
    description: 'Stops productions that are being prepared; no file can be fetched afterwards.',
    allowed: BOTH,
    parameters: [DEMAND_ID],
    body: 'DemandReason',
    answer: 'Demand',
    problems: ['conflict', 'demand-not-open'],
  }),
  change('traceUnderDemand', '/v1/demands/{demandId}/tracebacks', {
    ...WRITTEN,
    role: 'reviewer',
    summary: 'Have a call traced under a demand',
    description: 'One that its approved scope reaches. The same call is traced once.',
    allowed: BOTH,
    parameters: [DEMAND_ID],
    body: 'TracebackOpening',
    answer: 'TracedCall',
    problems: ['conflict'],
  }),
  read('fetchProductionProgress', '/v1/productions/{productionId}/progress', {
    summary: 'See how far a production is',
    description: 'What it is at work on, how many items it has, and why it failed where it did.',
    allowed: BOTH,
    parameters: [PRODUCTION_ID],
    answer: 'ProductionProgress',
  }),
  read('listProductionReceipts', '/v1/productions/{productionId}/receipts', {
    summary: 'List who fetched what of a production',
    description: 'Each retrieval with its time and the hash of its octets, oldest first; the page is signed.',
    allowed: BOTH,
    parameters: [PRODUCTION_ID, ...PAGING],
    answer: 'RetrievalReceipts',
  }),
  change('extendProduction', '/v1/productions/{productionId}/extension', {
    ...WRITTEN,
    role: 'reviewer',
    summary: 'Let a production be fetched for longer',
    description: 'At most 92 days from now. What has expired is issued anew instead.',
    parameters: [PRODUCTION_ID],
    body: 'ProductionExtension',
    answer: 'Production',
    problems: ['conflict'],
  }),
  change('reissueProduction', '/v1/productions/{productionId}/reissue', {
    ...WRITTEN,
    role: 'reviewer',
    summary: 'Issue a production anew',
    description: 'Under the same decision, out of the records as they are now.',
    parameters: [PRODUCTION_ID],
    body: 'DemandReason',
    answer: 'Production',
    problems: ['conflict', 'production-not-ready'],
  }),
];
