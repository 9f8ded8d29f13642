import { inPath, PAGING } from '@hopback/sdk/internal';
import type { ServedRoute } from '../core/index.js';
import type { STAFF_SCHEMAS } from './staff-bodies.js';

type RouteResponse = ServedRoute['response'];
type StaffBodyName = keyof typeof STAFF_SCHEMAS;

const TRACEBACK = inPath('tracebackId', 'Of the traceback.');

const CHANGE_PROBLEMS: ServedRoute['problems'] = [
  'invalid-body',
  'too-large',
  'unsupported-media-type',
  'invalid-parameter',
  'not-found',
  'conflict',
];

const answered = (body: StaffBodyName | 'Traceback', description: string): RouteResponse => ({
  kind: 'json',
  status: 200,
  body,
  description,
});

const change = (
  operationId: string,
  path: string,
  rest: {
    readonly body: StaffBodyName;
    readonly summary: string;
    readonly description: string;
  },
): ServedRoute => ({
  operationId,
  method: 'POST',
  path: `/v1/tracebacks/{tracebackId}/${path}`,
  tag: 'Tracebacks',
  summary: rest.summary,
  description: rest.description,
  allowed: ['staff'],
  role: 'analyst',
  parameters: [TRACEBACK],
  request: { kind: 'json', body: rest.body },
  response: answered('Traceback', 'The traceback as it stands now.'),
  problems: CHANGE_PROBLEMS,
  idempotency: 'by-content',
});

const CHANGES: readonly ServedRoute[] = [
  change('withdrawTraceback', 'withdrawal', {
    body: 'TracebackWithdrawal',
    summary: 'Withdraw a traceback',
    description: 'Providers that have not answered are told that no answer is wanted any longer.',
  }),
  change('reportNeighbour', 'neighbour-reports', {
    body: 'NeighbourReport',
    summary: "Record a provider's statement that it sent the call to another",
    description:
      'If the other is silent, the traceback continues with the reporting provider. `reportId` identifies repeats.',
  }),
  change('chooseNeighbour', 'neighbour-choice', {
    body: 'NeighbourChoice',
    summary: 'Choose whose report is followed',
    description: 'Where several say that they sent the call to a provider that is silent. The last choice counts.',
  }),
  change('decideDispute', 'rulings', {
    body: 'DisputeDecision',
    summary: 'Decide a dispute',
    description: 'Which statement stands, and why. It does not make a provider the origin of a call.',
  }),
  change('identifyProvider', 'identifications', {
    body: 'ProviderIdentification',
    summary: 'Say which provider was meant by a name',
    description: 'Where an answer names one that no registry has, or several have.',
  }),
  change('acceptOutcome', 'acceptance', {
    body: 'OutcomeAcceptance',
    summary: 'Accept an outcome',
    description: 'Such as a provider that does not answer: the traceback is closed with it.',
  }),
];

/** Routes of the staff for tracebacks and notices. */
export const STAFF_ROUTES: readonly ServedRoute[] = [
  ...CHANGES,
  {
    operationId: 'traceForward',
    role: 'analyst',
    method: 'POST',
    path: '/v1/tracebacks/{tracebackId}/forward-traces',
    tag: 'Tracebacks',
    summary: 'Find out who serves a call-back number',
    allowed: ['staff'],
    description: 'Opens a traceback of its own, which the first one refers to. `forwardId` tells repeats.',
    parameters: [TRACEBACK],
    request: { kind: 'json', body: 'ForwardTrace' },
    response: answered('ForwardOpened', 'The traceback that was opened.'),
    problems: CHANGE_PROBLEMS,
    idempotency: 'by-content',
  },
  {
    operationId: 'listWaiting',
    method: 'GET',
    path: '/v1/waiting-tracebacks',
    tag: 'Tracebacks',
    summary: 'List what waits for a person',
    description: 'Tracebacks in which something is to be decided, oldest first: disputes, names, neighbours, outcomes.',
    allowed: ['staff'],
    parameters: PAGING,
    response: answered('WaitingPage', 'Tracebacks with what waits in them.'),
    problems: ['invalid-parameter'],
    idempotency: 'safe',
  },
  {
    operationId: 'listNeighbourHints',
    method: 'GET',
    path: '/v1/tracebacks/{tracebackId}/neighbour-hints',
    tag: 'Tracebacks',
    summary: 'List what silent providers said of other calls of the campaign',
    description: 'Whom they named then. It is a hint whom to ask, and no statement about this call.',
    allowed: ['staff'],
    parameters: [TRACEBACK],
    response: answered('NeighbourHints', 'Hints.'),
    problems: ['invalid-parameter', 'not-found'],
    idempotency: 'safe',
  },
  {
    operationId: 'issueNotice',
    role: 'operator',
    method: 'POST',
    path: '/v1/notices',
    tag: 'Notices',
    allowed: ['staff'],
    summary: 'Hand a notice of the Commission to its provider',
    description: 'The same reference to the same provider is handed over once.',
    parameters: [],
    request: { kind: 'json', body: 'NoticeIssue' },
    response: answered('IssuedNotice', 'The notice with its deadlines.'),
    problems: CHANGE_PROBLEMS,
    idempotency: 'by-content',
  },
  {
    operationId: 'withdrawNotice',
    role: 'operator',
    method: 'POST',
    path: '/v1/notices/{noticeId}/withdrawal',
    tag: 'Notices',
    summary: 'Withdraw a notice',
    description: 'No response to it is taken any longer.',
    allowed: ['staff'],
    parameters: [inPath('noticeId', 'Of the notice.')],
    request: { kind: 'json', body: 'NoticeWithdrawal' },
    response: answered('IssuedNotice', 'The notice as it stands now.'),
    problems: CHANGE_PROBLEMS,
    idempotency: 'by-content',
  },
];
