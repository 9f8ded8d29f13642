import { instantText } from '../core/text.js';
import { waitingDecisions } from '../traceback/responder/decision-inbox.js';
import { subjectOfEntry } from '../traceback/responder/responder-core.js';
import { stateOfEntry } from '../traceback/responder/responder-contract.js';
import { reviewOf } from '../traceback/review/review-of.js';
import { readResponder } from '../traceback/responder/entry-journal.js';
import { DELIVERIES } from '../sidecar/review/pages/request-page.js';
import type { EntryState, ResponderEntry, ReviewDecision, ReviewView, TrackedNotice } from '../traceback/index.js';
import { optionSpecs, refuseOperands, UsageError } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import { shownText } from './kit/node-io.js';
import type { CliIo } from './kit/node-io.js';
import { countText, factLines, report, textTable } from './kit/output.js';
import type { ResponderSnapshot } from '../traceback/responder/entry-journal.js';

/** Options of every command that looks at a responder. */
export const RESPONDER_OPTIONS = optionSpecs({
  'responder <DIR> [HOPBACK_RESPONDER]': 'folder of the responder, which may be running',
});

/** Note of every command that looks at a responder. */
export const RESPONDER_NOTE = "Reads the responder's folder without locking or changing it.";

/** The folder that is named. @throws {@link UsageError} when none is */
export function responderDirectory(options: OptionsOf<typeof RESPONDER_OPTIONS>): string {
  return options.needed('responder', 'say which responder: --responder DIR, or HOPBACK_RESPONDER');
}

/** What the responder has. @throws {@link UsageError} when none is named; {@link HopbackError} as `readResponder` */
export async function responderSnapshot(
  options: OptionsOf<typeof RESPONDER_OPTIONS>,
  io: CliIo,
): Promise<ResponderSnapshot> {
  const directory = responderDirectory(options);
  io.keepPrivate();
  return readResponder(directory);
}

/** The request that is named. @throws {@link UsageError} when none is, or it is not there */
export function requestedEntry(snapshot: ResponderSnapshot, operands: readonly string[]): ResponderEntry {
  const [requestId, ...more] = operands;
  if (requestId === undefined || more.length > 0)
    throw new UsageError('name one request, as hopback traceback list shows it');
  const entry = snapshot.entries.find((one) => one.requestId === requestId);
  if (entry === undefined) throw new UsageError(`there is no request ${shownText(requestId)}`);
  return entry;
}

const STATES: readonly (EntryState | 'open')[] = [
  'open',
  'received',
  'review',
  'decided',
  'signed',
  'sent',
  'acknowledged',
  'blocked',
  'cancelled',
];

const LIST_OPTIONS = optionSpecs({
  ...RESPONDER_OPTIONS,
  'state <STATE>': { choices: STATES, text: 'only requests in that state; open: those without an answer' },
});

const LIST: CommandBody = {
  usage: ['--responder DIR [--state STATE]'],
  options: LIST_OPTIONS,
  notes: [
    RESPONDER_NOTE,
    'Exit codes: 0 listed, also if there are none; 2 command line or input not valid; 4 the responder cannot be read.',
  ],
  run: runList,
};

async function runList(options: OptionsOf<typeof LIST_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const wanted = options.text('state');
  const { entries, notices, policy } = await responderSnapshot(options, io);
  const nowMs = io.clock.nowMs();
  const waiting = await waitingDecisions(responderDirectory(options));
  const views = entries
    .filter((entry) => isWanted(stateOfEntry(entry), wanted))
    .map((entry) => ({ entry, view: reviewOf(subjectOfEntry(entry), { nowMs, policy }) }))
    .toSorted(openFirst)
    .map((row) => ({ ...row, waiting: waiting.filter(({ requestId }) => requestId === row.entry.requestId) }));
  const lines = views.flatMap(requestLines);
  const noticeTexts = wanted === undefined ? notices.flatMap((notice) => noticeLines(notice, nowMs)) : [];
  return report(options, io, { format: 'hopback.traceback-list.1', requests: views.map(rowOf), notices }, [
    ...(lines.length + noticeTexts.length === 0 ? ['no request'] : []),
    ...lines,
    ...noticeTexts,
  ]);
}

const WITHOUT_ANSWER: ReadonlySet<EntryState> = new Set(['received', 'review', 'decided', 'signed', 'blocked']);

function isWanted(state: EntryState, wanted: string | undefined): boolean {
  return wanted === undefined || (wanted === 'open' ? WITHOUT_ANSWER.has(state) : state === wanted);
}

interface Row {
  readonly entry: ResponderEntry;
  readonly view: ReviewView;
  /** Decisions of it that no responder has taken yet. */
  readonly waiting: readonly ReviewDecision[];
}

/** What is still to be done comes first; both parts by deadline, as they were. */
function openFirst(one: Pick<Row, 'view'>, other: Pick<Row, 'view'>): number {
  const isDone = ({ view }: Pick<Row, 'view'>): number => (view.deadline.state === 'done' ? 1 : 0);
  return isDone(one) - isDone(other);
}

function rowOf({ entry: { receivedAtMs }, view, waiting }: Row): unknown {
  const { requestId, tracebackId, state, queue, deadline, reasons, proposed, given } = view;
  return {
    requestId,
    tracebackId,
    state,
    queue,
    receivedAt: instantText(receivedAtMs),
    deadline,
    reasons,
    proposed,
    given,
    waiting: waiting.map(({ decisionId, by, arm, decidedAt }) => ({ decisionId, by, arm, decidedAt })),
  };
}

const MARKS: Readonly<Record<ReviewView['deadline']['state'], string>> = {
  done: '✓',
  open: '·',
  close: '!',
  overdue: '✗',
};

function requestLines({ entry: { request }, view, waiting }: Row): readonly string[] {
  const { requestId, state, deadline, reasons } = view;
  return [
    `${MARKS[deadline.state]} ${requestId}  ${stateText(view)}  ${deadlineText(deadline)}`,
    `    ${request.requester.name}, hop ${String(request.hop)}${request.downstream === undefined ? '' : `, named by ${request.downstream.name}`}`,
    ...saidLines(view),
    ...(IN_QUEUE.has(state) && reasons[0] !== undefined ? [`    ${reasons[0]}`] : []),
    ...waiting.map((decision) => `    ! ${waitingText(decision)}`),
  ];
}

/** A queue is where a person looks: what has an answer waits in none. */
function stateText({ state, queue }: Pick<ReviewView, 'state' | 'queue'>): string {
  return queue === undefined || !IN_QUEUE.has(state) ? state : `${state}, queue ${queue}`;
}

/** Where the clock stands, with the deadline: of what is done the day it was due says nothing of when it was answered. */
function deadlineText({ state, text, dueAt }: ReviewView['deadline']): string {
  return `${text} (${state === 'done' ? 'was due ' : ''}${dueAt})`;
}

const IN_QUEUE: ReadonlySet<string> = new Set<EntryState>(['review', 'blocked']);

/** That an answer was signed says nothing of whether anybody has it. */
const SAID: Readonly<Record<string, string>> = {
  waiting: 'signed, not delivered yet',
  taken: 'delivered, without a receipt that can be verified',
  acknowledged: 'answered',
  refused: 'refused by the platform',
};

function saidLines({ given, proposed }: ReviewView): readonly string[] {
  const [last] = given;
  if (last === undefined) return proposed === undefined ? [] : [`    would be answered: ${proposed.text}`];
  return [
    `    ${SAID[last.delivery] ?? last.delivery}: ${last.text}`,
    ...(last.detail === undefined ? [] : [`    ${last.detail}`]),
  ];
}

/** A decision that no responder has taken yet, in words. */
function waitingText({ by, arm, decidedAt }: ReviewDecision): string {
  return `a decision of ${by} waits for the responder to run: ${arm}, at ${decidedAt}`;
}

function noticeLines({ notice, mitigation, report: due }: TrackedNotice, nowMs: number): readonly string[] {
  const part = (name: string, { dueAtMs, doneAtMs }: TrackedNotice['report']): string =>
    `${name} ${doneAtMs === undefined ? `${dueAtMs < nowMs ? 'overdue since' : 'due'} ${instantText(dueAtMs)}` : `given ${instantText(doneAtMs)}`}`;
  const open = [mitigation, due].filter(({ doneAtMs }) => doneAtMs === undefined);
  const mark = open.length === 0 ? '✓' : open.some(({ dueAtMs }) => dueAtMs < nowMs) ? '✗' : '!';
  return [
    `${mark} notice ${notice.noticeId} of the FCC (${notice.reference}): ${part('mitigation', mitigation)}, ${part('report', due)}`,
  ];
}

const SHOW_OPTIONS = optionSpecs({
  ...RESPONDER_OPTIONS,
  'show-numbers': 'telephone numbers in full; masked otherwise',
  trace: 'every rule of the policy, with its input and its result',
});

const SHOW: CommandBody = {
  usage: ['REQUEST --responder DIR [--show-numbers] [--trace]'],
  options: SHOW_OPTIONS,
  notes: [
    RESPONDER_NOTE,
    'Exit codes: 0 shown; 2 command line or input not valid, or there is no such request; 4 the responder cannot be read.',
  ],
  run: runShow,
};

async function runShow(options: OptionsOf<typeof SHOW_OPTIONS>, io: CliIo): Promise<ExitCode> {
  const snapshot = await responderSnapshot(options, io);
  const entry = requestedEntry(snapshot, options.operands);
  const showNumbers = options.isOn('show-numbers');
  const view = reviewOf(subjectOfEntry(entry), { nowMs: io.clock.nowMs(), policy: snapshot.policy, showNumbers });
  const all = await waitingDecisions(responderDirectory(options));
  const waiting = all.filter(({ requestId }) => requestId === entry.requestId);
  const trace = options.isOn('trace') ? entry.decision?.trace : undefined;
  const ruleLines = (trace?.rules ?? []).map(({ rule, result, text }) => `  ${RULE_MARKS[result]} ${rule}: ${text}`);
  const waitingLines = waiting.map((decision) => `  ! ${waitingText(decision)}`);
  return report(options, io, { ...view, waiting, trace }, [
    ...viewLines(view),
    ...section('rules', ruleLines),
    ...section('waiting in the inbox', waitingLines),
  ]);
}

const RULE_MARKS = { passed: '✓', review: '?', 'not-applicable': '·' } as const;

/** A request as a terminal shows it. */
function viewLines(view: ReviewView): readonly string[] {
  const facts = (list: ReviewView['request']): readonly string[] =>
    list.length === 0 ? [] : factLines(list.map(({ label, value }) => [label, value]));
  const reasons = view.reasons.map((reason) => `  ? ${reason}`);
  return [
    `${view.requestId}: ${stateText(view)}; ${deadlineText(view.deadline)}`,
    ...facts(view.request),
    ...section('why a person is asked', reasons),
    ...view.candidates.flatMap(candidateLines),
    ...notShownLines(view),
    ...section('compared', comparisonLines(view)),
    ...section('searched', facts(view.searched)),
    ...section('would be answered', proposedLines(view)),
    ...section('signed answers', view.given.map(givenLine)),
    ...section('beware', view.warnings.map(warningLine)),
    ...section('what can be answered', actionLines(view)),
    ...(view.isMasked ? ['', 'telephone numbers are masked; --show-numbers shows them'] : []),
  ];
}

function givenLine({ revision, answeredAt, by, text, delivery, detail }: ReviewView['given'][number]): string {
  const more = detail === undefined ? '' : `: ${detail}`;
  return `  ${String(revision)}. ${text}; by ${by} at ${answeredAt}; ${DELIVERIES[delivery] ?? delivery}${more}`;
}

function proposedLines({ proposed, candidates }: ReviewView): readonly string[] {
  if (proposed === undefined) return [];
  const rank = candidates.find(({ candidate }) => candidate === proposed.candidate)?.rank;
  return [`  ${proposed.text}${rank === undefined ? '' : `, by call ${String(rank)}`}`];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function notShownLines({ callsFound, candidates }: ReviewView): readonly string[] {
  const more = callsFound - candidates.length;
  return more === 0 ? [] : ['', `${countText(more, 'call')} more that ${more === 1 ? 'fits' : 'fit'} no better`];
}

function candidateLines(one: ReviewView['candidates'][number]): readonly string[] {
  return [
    '',
    `call ${String(one.rank)}: ${one.startedAt}, fits ${String(one.scorePercent)} %, ${String(one.legs)} ${one.legs === 1 ? 'leg' : 'legs'} (${one.candidate})`,
    ...factLines([
      ['received from', one.upstream],
      ['then', one.downstream],
      ...one.facts.map(({ label, value }) => [label, value] as const),
    ]),
    ...one.warnings.map(warningLine),
  ];
}

function warningLine({ name, text, isFinal }: ReviewView['warnings'][number]): string {
  return isFinal ? `  ✗ ${text}` : `  ! ${text} (--despite ${name})`;
}

const CELL_MARKS = { equal: '=', compatible: '~', absent: '?', contradicts: '#' } as const;

/** A row for each field: what was stated, and what each call has. */
function comparisonLines({ comparison, candidates }: ReviewView): readonly string[] {
  if (comparison.length === 0) return [];
  const head = ['', 'stated', ...candidates.map(({ rank }) => `call ${String(rank)}`)];
  const rows = comparison.map(({ field, stated, recorded }) => [
    field,
    stated,
    ...recorded.map(({ text, verdict }) => `${CELL_MARKS[verdict]} ${text === '' ? 'not on record' : text}`),
  ]);
  return [...textTable(head, rows), '  = equal   ~ compatible   ? not known   # contradicts'];
}

function actionLines({ actions, requestId }: ReviewView): readonly string[] {
  return actions.flatMap(({ action, arms }) => [
    ...arms.map(({ arm, needsCandidate, needs, warnings }) => {
      const wanted = [
        ...(needsCandidate ? ['--call N'] : []),
        ...needs.map((name) => NEEDED[name]),
        ...warnings.map(({ name }) => `--despite ${name}`),
      ];
      return `  --arm ${arm}${wanted.length === 0 ? '' : `  ${wanted.join(' ')}`}`;
    }),
    `  hopback traceback answer ${requestId} --responder DIR --by NAME --arm ARM …${action === 'amend' ? ' --amend REASON' : ''}`,
  ]);
}

const NEEDED = {
  provider: '[--provider NAME --ocn OCN]',
  contact: '[--contact NAME --email EMAIL]',
  customer: '[--customer ID]',
  reason: '--reason TEXT',
} as const;

export const COMMANDS = { 'traceback list': LIST, 'traceback show': SHOW };
