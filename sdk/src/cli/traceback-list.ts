import { reviewOf, stateOfEntry, subjectOfEntry, waitingDecisions } from '../traceback/index.js';
import type { EntryState, ResponderEntry, ReviewDecision, ReviewView, TrackedNotice } from '../traceback/index.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { instantText, printJson, printLines } from './output.js';
import { RESPONDER_NOTE, RESPONDER_OPTIONS, responderDirectory, responderSnapshot } from './responder-options.js';
import type { ResponderOption } from './responder-options.js';

type ListOption = ResponderOption | 'state';

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

const OPTIONS: OptionSpecs<ListOption> = {
  ...RESPONDER_OPTIONS,
  state: { value: 'STATE', choices: STATES, text: 'requests of that state alone; open: those without an answer' },
};

/** `hopback traceback list` */
export const tracebackListCommand: Command = {
  name: 'traceback list',
  summary: 'list traceback requests and notices, with deadline, state and queue',
  usage: ['--responder DIR [--state STATE]'],
  options: OPTIONS,
  notes: [
    RESPONDER_NOTE,
    'Exit codes: 0 listed, also where there are none; 2 not understood; 4 the responder cannot be read.',
  ],
  run,
};

async function run(options: Options<ListOption | 'json'>, io: CliIo): Promise<ExitCode> {
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
  if (options.isOn('json')) {
    const requests = views.map(rowOf);
    printJson(io, { format: 'hopback.traceback-list.1', exitCode: EXIT.ok, requests, notices });
    return EXIT.ok;
  }
  const lines = views.flatMap(requestLines);
  const noticeTexts = wanted === undefined ? notices.flatMap((notice) => noticeLines(notice, nowMs)) : [];
  printLines(io, lines.length + noticeTexts.length === 0 ? ['no request'] : [...lines, ...noticeTexts]);
  return EXIT.ok;
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
export function stateText({ state, queue }: Pick<ReviewView, 'state' | 'queue'>): string {
  return queue === undefined || !IN_QUEUE.has(state) ? state : `${state}, queue ${queue}`;
}

/** Where the clock stands, with the deadline: of what is done the day it was due says nothing of when it was answered. */
export function deadlineText({ state, text, dueAt }: ReviewView['deadline']): string {
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
export function waitingText({ by, arm, decidedAt }: ReviewDecision): string {
  return `a decision of ${by} waits for the responder to run: ${arm}, at ${decidedAt}`;
}

function noticeLines({ notice, mitigation, report }: TrackedNotice, nowMs: number): readonly string[] {
  const part = (name: string, { dueAtMs, doneAtMs }: TrackedNotice['report']): string =>
    `${name} ${doneAtMs === undefined ? `${dueAtMs < nowMs ? 'overdue since' : 'due'} ${instantText(dueAtMs)}` : `given ${instantText(doneAtMs)}`}`;
  const open = [mitigation, report].filter(({ doneAtMs }) => doneAtMs === undefined);
  const mark = open.length === 0 ? '✓' : open.some(({ dueAtMs }) => dueAtMs < nowMs) ? '✗' : '!';
  return [
    `${mark} notice ${notice.noticeId} of the FCC (${notice.reference}): ${part('mitigation', mitigation)}, ${part('report', report)}`,
  ];
}
