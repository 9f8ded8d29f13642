import { inPath, PAGING } from '@hopback/sdk/internal';
import type { ServedRoute } from '../core/index.js';
import { routesOf } from '../domain/wire/routes.js';
import type { STAFF_SCHEMAS } from './staff-bodies.js';

const { read, change } = routesOf('Tracebacks');
const notices = routesOf('Notices');

const OF_TRACEBACK = '/v1/tracebacks/{tracebackId}';
const TRACEBACK = inPath('tracebackId', 'Of the traceback.');

/** What analysts change in a traceback. */
const changeTraceback = (
  operationId: string,
  path: string,
  words: { readonly body: keyof typeof STAFF_SCHEMAS; readonly summary: string; readonly description: string },
): ServedRoute =>
  change(operationId, `${OF_TRACEBACK}/${path}`, {
    role: 'analyst',
    parameters: [TRACEBACK],
    answer: ['Traceback', 'The traceback as it stands now.'],
    problems: ['conflict'],
    ...words,
  });

/** Routes of the staff for tracebacks and notices. */
export const STAFF_ROUTES: readonly ServedRoute[] = [
  changeTraceback('withdrawTraceback', 'withdrawal', {
    body: 'TracebackWithdrawal',
    summary: 'Withdraw a traceback',
    description: 'Providers that have not answered are told that no answer is wanted any longer.',
  }),
  changeTraceback('reportNeighbour', 'neighbour-reports', {
    body: 'NeighbourReport',
    summary: "Record a provider's statement that it sent the call to another",
    description:
      'If the other is silent, the traceback continues with the reporting provider. `reportId` identifies repeats.',
  }),
  changeTraceback('chooseNeighbour', 'neighbour-choice', {
    body: 'NeighbourChoice',
    summary: 'Choose whose report is followed',
    description: 'Where several say that they sent the call to a provider that is silent. The last choice counts.',
  }),
  changeTraceback('decideDispute', 'rulings', {
    body: 'DisputeDecision',
    summary: 'Decide a dispute',
    description: 'Which statement stands, and why. It does not make a provider the origin of a call.',
  }),
  changeTraceback('identifyProvider', 'identifications', {
    body: 'ProviderIdentification',
    summary: 'Say which provider was meant by a name',
    description: 'Where an answer names one that no registry has, or several have.',
  }),
  changeTraceback('acceptOutcome', 'acceptance', {
    body: 'OutcomeAcceptance',
    summary: 'Accept an outcome',
    description: 'Such as a provider that does not answer: the traceback is closed with it.',
  }),
  change('traceForward', `${OF_TRACEBACK}/forward-traces`, {
    role: 'analyst',
    summary: 'Find out who serves a call-back number',
    description: 'Opens a traceback of its own, which the first one refers to. `forwardId` tells repeats.',
    parameters: [TRACEBACK],
    body: 'ForwardTrace',
    answer: ['ForwardOpened', 'The traceback that was opened.'],
    problems: ['conflict'],
  }),
  read('listWaiting', '/v1/waiting-tracebacks', {
    summary: 'List what waits for a person',
    description: 'Tracebacks in which something is to be decided, oldest first: disputes, names, neighbours, outcomes.',
    parameters: PAGING,
    answer: ['WaitingPage', 'Tracebacks with what waits in them.'],
  }),
  read('listNeighbourHints', `${OF_TRACEBACK}/neighbour-hints`, {
    summary: 'List what silent providers said of other calls of the campaign',
    description: 'Whom they named then. It is a hint whom to ask, and no statement about this call.',
    parameters: [TRACEBACK],
    answer: ['NeighbourHints', 'Hints.'],
  }),
  notices.change('issueNotice', '/v1/notices', {
    role: 'operator',
    summary: 'Hand a notice of the Commission to its provider',
    description: 'The same reference to the same provider is handed over once.',
    body: 'NoticeIssue',
    answer: ['FccNotice', 'The notice with its deadlines.'],
    problems: ['not-found', 'conflict'],
  }),
  notices.change('withdrawNotice', '/v1/notices/{noticeId}/withdrawal', {
    role: 'operator',
    summary: 'Withdraw a notice',
    description: 'No response to it is taken any longer.',
    parameters: [inPath('noticeId', 'Of the notice.')],
    body: 'NoticeWithdrawal',
    answer: ['FccNotice', 'The notice as it stands now.'],
    problems: ['conflict'],
  }),
];
