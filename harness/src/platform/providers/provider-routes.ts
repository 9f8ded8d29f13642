import type { RouteParameter } from '@hopback/sdk/internal';
import { inPath, inQuery, PAGING } from '@hopback/sdk/internal';
import type { PlatformScope, ProblemCode } from '@hopback/sdk/platform';
import type { ServedRoute } from '../core/index.js';

const TAG = 'Registry and scorecards';
const BODY: readonly ProblemCode[] = ['invalid-body', 'too-large', 'unsupported-media-type'];

const RANGE = [
  inQuery('from', 'Start of the period; default 365 days before its end.', 'utc-time'),
  inQuery('to', 'End of the period (exclusive); default now.', 'utc-time'),
];
const PROVIDER = inPath('providerId', 'Of the provider in the registry.');
const REGISTERED = '/v1/registry/providers/{providerId}';

interface Read extends Pick<ServedRoute, 'path' | 'role' | 'summary' | 'description'> {
  readonly answer: string;
  readonly parameters?: readonly RouteParameter[];
  readonly allowed?: readonly PlatformScope[];
}

const read = (operationId: string, { answer, ...order }: Read): ServedRoute => ({
  operationId,
  method: 'GET',
  tag: TAG,
  allowed: ['staff'],
  parameters: [PROVIDER],
  ...order,
  response: { kind: 'json', status: 200, body: answer, description: 'What there is.' },
  problems: ['invalid-parameter', 'not-found'],
  idempotency: 'safe',
});

interface Put extends Read {
  readonly body: string;
  readonly problems?: readonly ProblemCode[];
}

/** Takes a body that names what is done, so that said again it changes nothing. */
const put = (operationId: string, { body, problems = [], ...order }: Put): ServedRoute => ({
  ...read(operationId, order),
  method: 'POST',
  request: { kind: 'json', body },
  response: { kind: 'json', status: 200, body: order.answer, description: 'As it stands now.' },
  problems: [...BODY, 'invalid-parameter', 'not-found', ...problems],
  idempotency: 'by-content',
});

const REGISTRY_ROUTES: readonly ServedRoute[] = [
  put('importRegistry', {
    role: 'operator',
    path: '/v1/registry/imports',
    parameters: [],
    body: 'RegistryImport',
    answer: 'RegistryImportReport',
    summary: 'Import filings of the Robocall Mitigation Database',
    description:
      'A CSV file with a header row. Each line is imported as a whole or reported with a reason. Unchanged entries stay; changed entries keep their history. A provider that is missing from the file stays in the registry.',
    problems: ['conflict'],
  }),
  read('listRegistryImports', {
    path: '/v1/registry/imports',
    parameters: PAGING,
    answer: 'RegistryImportPage',
    summary: 'List imports',
    description: 'Newest first, with the lines that were not taken.',
  }),
  put('putProvider', {
    role: 'operator',
    path: REGISTERED,
    body: 'ProviderEntry',
    answer: 'ProviderEntry',
    summary: 'Put a provider into the registry, or change its entry',
    description: 'The whole entry. Its time of change is set by the platform; the version before is kept.',
    problems: ['conflict'],
  }),
  read('fetchRegisteredProvider', {
    path: REGISTERED,
    answer: 'RegisteredProvider',
    summary: 'Fetch a provider with its office and keys',
    description: 'The platform uses these to send it requests.',
  }),
  read('listProviderVersions', {
    path: `${REGISTERED}/versions`,
    parameters: [PROVIDER, ...PAGING],
    answer: 'ProviderVersionPage',
    summary: 'List what an entry said, and when',
    description: 'Newest first.',
  }),
  put('setProviderOffice', {
    role: 'operator',
    path: `${REGISTERED}/office`,
    body: 'OfficeChange',
    answer: 'RegisteredProvider',
    summary: 'Set the office that answers tracebacks',
    description: 'Deadlines are counted in its zone. Omitted members keep their values.',
  }),
  put('addAnswerKey', {
    role: 'operator',
    path: `${REGISTERED}/answer-keys`,
    body: 'AnswerKeyRegistration',
    answer: 'RegisteredProvider',
    summary: 'Register a key that answers are signed with',
    description: 'Retired keys stay registered, so that earlier answers can still be checked.',
    problems: ['conflict'],
  }),
  put('retireAnswerKey', {
    role: 'operator',
    path: `${REGISTERED}/answer-keys/{keyId}/retirement`,
    parameters: [PROVIDER, { ...inPath('keyId', 'Of the key.'), form: 'line' }],
    body: 'AnswerKeyRetirement',
    answer: 'RegisteredProvider',
    summary: 'End the use of a key',
    description: 'From then on answers signed with it are not believed.',
  }),
  put('removeProvider', {
    role: 'operator',
    path: `${REGISTERED}/removal`,
    body: 'RemovalOrder',
    answer: 'ProviderEntry',
    summary: 'Note that a provider was removed from the database',
    description: 'By an order: nobody may take its calls directly (47 CFR 64.6305(g)). It is still asked.',
  }),
  put('reinstateProvider', {
    role: 'operator',
    path: `${REGISTERED}/reinstatement`,
    body: 'Reinstatement',
    answer: 'ProviderEntry',
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
  read('listProviderScorecards', {
    path: '/v1/scorecards',
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
  read('listCountedRequests', {
    path: '/v1/providers/{providerId}/counted-requests',
    allowed: ['carrier', 'agency', 'staff'],
    parameters: [PROVIDER, ...RANGE, ...PAGING],
    answer: 'CountedRequestPage',
    summary: 'List requests to a provider as its scorecard counts them',
    description: 'Newest first, each with its effect on the scorecard and the reason. A carrier sees its own.',
  }),
  put('contestRequest', {
    path: '/v1/providers/{providerId}/contests',
    allowed: ['carrier'],
    body: 'ContestSubmission',
    answer: 'Contest',
    summary: 'Contest how a request is counted',
    description: 'By the provider that was asked. Until staff decides it is counted, and marked.',
    problems: ['conflict'],
  }),
  read('listProviderContests', {
    path: '/v1/providers/{providerId}/contests',
    allowed: ['carrier', 'staff'],
    parameters: [PROVIDER, ...PAGING],
    answer: 'ContestPage',
    summary: 'List what a provider contested',
    description: 'Newest first, with decisions. A carrier sees its own.',
  }),
  read('listContests', {
    path: '/v1/contests',
    parameters: [inQuery('state', 'Only in this state; default all.', ['pending', 'upheld', 'rejected']), ...PAGING],
    answer: 'ContestPage',
    summary: 'List what providers contested',
    description: 'Newest first.',
  }),
  put('decideContest', {
    role: 'reviewer',
    path: '/v1/contests/{contestId}/decision',
    parameters: [inPath('contestId', 'Of the contest.')],
    body: 'ContestDecision',
    answer: 'Contest',
    summary: 'Decide what a provider contested',
    description: 'The first decision counts. Where it is upheld the request is left out of every rate.',
    problems: ['conflict'],
  }),
  put('noteOutage', {
    role: 'operator',
    path: '/v1/outages',
    parameters: [],
    body: 'OutageNote',
    answer: 'Outage',
    summary: 'Note when the platform could not be reached',
    description: 'Requests that were late or unanswered then are left out of every rate.',
  }),
  read('listOutages', {
    path: '/v1/outages',
    parameters: PAGING,
    answer: 'OutagePage',
    summary: 'List outages of the platform',
    description: 'Newest first.',
  }),
  {
    operationId: 'fetchParticipationReport',
    method: 'GET',
    path: '/v1/reports/participation/{name}',
    tag: TAG,
    summary: 'Fetch the yearly report on participation in tracebacks',
    description:
      'Per request who participated and who refused, with the reason given (TRACED Act section 13(d)): `participation-2026.csv` or `participation-2026.json`. The same requests give the same bytes.',
    allowed: ['staff'],
    parameters: [{ ...inPath('name', 'Of the file.'), form: 'file-name' }],
    response: { kind: 'file', status: 200, description: 'The report.' },
    problems: ['invalid-parameter', 'not-found'],
    idempotency: 'safe',
  },
];

/** Routes beside those of the contract. */
export const PROVIDER_ROUTES: readonly ServedRoute[] = [...REGISTRY_ROUTES, ...SCORECARD_ROUTES];
