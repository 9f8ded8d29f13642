import { inPath, inQuery, PAGING } from '@hopback/sdk/internal';
import type { ServedRoute } from '../core/index.js';
import { routesOf } from '../domain/wire/routes.js';

const { read, file, change } = routesOf('Registry and scorecards');

const RANGE = [
  inQuery('from', 'Start of the period; default 365 days before its end.', 'utc-time'),
  inQuery('to', 'End of the period (exclusive); default now.', 'utc-time'),
];
const PROVIDER = inPath('providerId', 'Of the provider in the registry.');
const REGISTERED = '/v1/registry/providers/{providerId}';

const REGISTRY_ROUTES: readonly ServedRoute[] = [
  change('importRegistry', '/v1/registry/imports', {
    role: 'operator',
    body: 'RegistryImport',
    answer: 'RegistryImportReport',
    summary: 'Import filings of the Robocall Mitigation Database',
    description:
      'A CSV file with a header row. Each line is imported as a whole or reported with a reason. Unchanged entries stay; changed entries keep their history. A provider that is missing from the file stays in the registry.',
    problems: ['conflict'],
  }),
  read('listRegistryImports', '/v1/registry/imports', {
    parameters: PAGING,
    answer: 'RegistryImportPage',
    summary: 'List imports',
    description: 'Newest first, with the lines that were not taken.',
  }),
  change('putProvider', REGISTERED, {
    role: 'operator',
    body: 'ProviderEntry',
    answer: 'ProviderEntry',
    parameters: [PROVIDER],
    summary: 'Put a provider into the registry, or change its entry',
    description: 'The whole entry. Its time of change is set by the platform; the version before is kept.',
    problems: ['conflict'],
  }),
  read('fetchRegisteredProvider', REGISTERED, {
    answer: 'RegisteredProvider',
    parameters: [PROVIDER],
    summary: 'Fetch a provider with its office and keys',
    description: 'The platform uses these to send it requests.',
  }),
  read('listProviderVersions', `${REGISTERED}/versions`, {
    parameters: [PROVIDER, ...PAGING],
    answer: 'ProviderVersionPage',
    summary: 'List what an entry said, and when',
    description: 'Newest first.',
  }),
  change('setProviderOffice', `${REGISTERED}/office`, {
    role: 'operator',
    body: 'OfficeChange',
    answer: 'RegisteredProvider',
    parameters: [PROVIDER],
    summary: 'Set the office that answers tracebacks',
    description: 'Deadlines are counted in its zone. Omitted members keep their values.',
  }),
  change('addAnswerKey', `${REGISTERED}/answer-keys`, {
    role: 'operator',
    body: 'AnswerKeyRegistration',
    answer: 'RegisteredProvider',
    parameters: [PROVIDER],
    summary: 'Register a key that answers are signed with',
    description: 'Retired keys stay registered, so that earlier answers can still be checked.',
    problems: ['conflict'],
  }),
  change('retireAnswerKey', `${REGISTERED}/answer-keys/{keyId}/retirement`, {
    role: 'operator',
    parameters: [PROVIDER, { ...inPath('keyId', 'Of the key.'), form: 'line' }],
    body: 'AnswerKeyRetirement',
    answer: 'RegisteredProvider',
    summary: 'End the use of a key',
    description: 'From then on answers signed with it are not believed.',
  }),
  change('removeProvider', `${REGISTERED}/removal`, {
    role: 'operator',
    body: 'RemovalOrder',
    answer: 'ProviderEntry',
    parameters: [PROVIDER],
    summary: 'Note that a provider was removed from the database',
    description: 'By an order: nobody may take its calls directly (47 CFR 64.6305(g)). It is still asked.',
  }),
  change('reinstateProvider', `${REGISTERED}/reinstatement`, {
    role: 'operator',
    body: 'Reinstatement',
    answer: 'ProviderEntry',
    parameters: [PROVIDER],
    summary: 'Note that a provider is listed again',
    description: 'The removal stays in its history.',
  }),
];

const SORTS = [
  'provider',
  'requests',
  'not-participating',
  'repeated-origin',
  'regular-point-of-entry',
  'insufficient-records',
];

const SCORECARD_ROUTES: readonly ServedRoute[] = [
  read('listProviderScorecards', '/v1/scorecards', {
    allowed: ['agency', 'staff'],
    parameters: [
      inQuery('sort', 'By the lower bound of a concern, by requests (largest first), or by id of provider.', SORTS),
      inQuery('concern', 'Only providers with this concern.', SORTS.slice(2)),
      ...RANGE,
      ...PAGING,
    ],
    answer: 'ProviderScorecardPage',
    summary: 'List scorecards of all providers that were asked',
    description: 'Of one stretch of time, tested together.',
  }),
  read('listCountedRequests', '/v1/providers/{providerId}/counted-requests', {
    allowed: ['carrier', 'agency', 'staff'],
    parameters: [PROVIDER, ...RANGE, ...PAGING],
    answer: 'CountedRequestPage',
    summary: 'List requests to a provider as its scorecard counts them',
    description: 'Newest first, each with its effect on the scorecard and the reason. A carrier sees its own.',
  }),
  change('contestRequest', '/v1/providers/{providerId}/contests', {
    allowed: ['carrier'],
    body: 'ContestSubmission',
    answer: 'Contest',
    parameters: [PROVIDER],
    summary: 'Contest how a request is counted',
    description: 'By the provider that was asked. Until staff decides it is counted, and marked.',
    problems: ['conflict'],
  }),
  read('listProviderContests', '/v1/providers/{providerId}/contests', {
    allowed: ['carrier', 'staff'],
    parameters: [PROVIDER, ...PAGING],
    answer: 'ContestPage',
    summary: 'List what a provider contested',
    description: 'Newest first, with decisions. A carrier sees its own.',
  }),
  read('listContests', '/v1/contests', {
    parameters: [inQuery('state', 'Only in this state; default all.', ['pending', 'upheld', 'rejected']), ...PAGING],
    answer: 'ContestPage',
    summary: 'List what providers contested',
    description: 'Newest first.',
  }),
  change('decideContest', '/v1/contests/{contestId}/decision', {
    role: 'reviewer',
    parameters: [inPath('contestId', 'Of the contest.')],
    body: 'ContestDecision',
    answer: 'Contest',
    summary: 'Decide what a provider contested',
    description: 'The first decision counts. Where it is upheld the request is left out of every rate.',
    problems: ['conflict'],
  }),
  change('noteOutage', '/v1/outages', {
    role: 'operator',
    body: 'OutageNote',
    answer: 'Outage',
    summary: 'Note when the platform could not be reached',
    description: 'Requests that were late or unanswered then are left out of every rate.',
  }),
  read('listOutages', '/v1/outages', {
    parameters: PAGING,
    answer: 'OutagePage',
    summary: 'List outages of the platform',
    description: 'Newest first.',
  }),
  file('fetchParticipationReport', '/v1/reports/participation/{name}', {
    summary: 'Fetch the yearly report on participation in tracebacks',
    description:
      'Per request who participated and who refused, with the reason given (TRACED Act section 13(d)): `participation-2026.csv` or `participation-2026.json`. The same requests give the same bytes.',
    parameters: [{ ...inPath('name', 'Of the file.'), form: 'file-name' }],
    answer: 'The report.',
  }),
];

/** Routes beside those of the contract. */
export const PROVIDER_ROUTES: readonly ServedRoute[] = [...REGISTRY_ROUTES, ...SCORECARD_ROUTES];
