import { reviewOf, subjectOfEntry, waitingDecisions } from '../traceback/index.js';
import type { CandidateView, ReviewView } from '../traceback/index.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, factLines, printJson, printLines } from './output.js';
import {
  requestedEntry,
  RESPONDER_NOTE,
  RESPONDER_OPTIONS,
  responderDirectory,
  responderSnapshot,
} from './responder-options.js';
import type { ResponderOption } from './responder-options.js';
import { deadlineText, stateText, waitingText } from './traceback-list.js';

type ShowOption = ResponderOption | 'show-numbers' | 'trace';

const OPTIONS: OptionSpecs<ShowOption> = {
  ...RESPONDER_OPTIONS,
  'show-numbers': { text: 'telephone numbers in full; masked otherwise' },
  trace: { text: 'every rule of the policy, what it looked at and what came of it' },
};

/** `hopback traceback show` */
export const tracebackShowCommand: Command = {
  name: 'traceback show',
  summary: 'show a traceback request: the calls that may be meant side by side, and what can be answered',
  usage: ['REQUEST --responder DIR [--show-numbers] [--trace]'],
  options: OPTIONS,
  notes: [
    RESPONDER_NOTE,
    'Exit codes: 0 shown; 2 not understood, or there is no such request; 4 the responder cannot be read.',
  ],
  run,
};

async function run(options: Options<ShowOption | 'json'>, io: CliIo): Promise<ExitCode> {
  const snapshot = await responderSnapshot(options, io);
  const entry = requestedEntry(snapshot, options.operands);
  const showNumbers = options.isOn('show-numbers');
  const view = reviewOf(subjectOfEntry(entry), { nowMs: io.clock.nowMs(), policy: snapshot.policy, showNumbers });
  const rules = options.isOn('trace') ? (entry.decision?.trace.rules ?? []) : [];
  const all = await waitingDecisions(responderDirectory(options));
  const waiting = all.filter(({ requestId }) => requestId === entry.requestId);
  if (options.isOn('json')) {
    printJson(io, {
      ...view,
      exitCode: EXIT.ok,
      waiting,
      ...(options.isOn('trace') ? { trace: entry.decision?.trace } : {}),
    });
    return EXIT.ok;
  }
  const traceLines = rules.map(({ rule, result, text }) => `  ${RULE_MARKS[result]} ${rule}: ${text}`);
  printLines(io, [
    ...viewLines(view),
    ...section('rules', traceLines),
    ...section(
      'waiting in the inbox',
      waiting.map((decision) => `  ! ${waitingText(decision)}`),
    ),
  ]);
  return EXIT.ok;
}

const RULE_MARKS = { passed: '✓', review: '?', 'not-applicable': '·' } as const;

/** A request as a terminal shows it. */
export function viewLines(view: ReviewView): readonly string[] {
  const facts = (list: ReviewView['request']): readonly string[] =>
    list.length === 0 ? [] : factLines(list.map(({ label, value }) => [label, value]));
  return [
    `${view.requestId}: ${stateText(view)}; ${deadlineText(view.deadline)}`,
    ...facts(view.request),
    ...section(
      'why a person is asked',
      view.reasons.map((reason) => `  ? ${reason}`),
    ),
    ...view.candidates.flatMap(candidateLines),
    ...notShownLines(view),
    ...section('compared', comparisonLines(view)),
    ...section('searched', facts(view.searched)),
    ...section('would be answered', proposedLines(view)),
    ...section(
      'signed answers',
      view.given.map(
        ({ revision, answeredAt, by, text, delivery, detail }) =>
          `  ${String(revision)}. ${text}; by ${by} at ${answeredAt}; ${DELIVERIES[delivery] ?? delivery}${detail === undefined ? '' : `: ${detail}`}`,
      ),
    ),
    ...section('beware', view.warnings.map(warningLine)),
    ...section('what can be answered', actionLines(view)),
    ...(view.isMasked ? ['', 'telephone numbers are masked; --show-numbers shows them'] : []),
  ];
}

const DELIVERIES: Readonly<Record<string, string>> = {
  waiting: 'signed, not delivered yet',
  taken: 'delivered, without a receipt that can be verified',
  acknowledged: 'the platform has it',
  refused: 'the platform will not have it',
};

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

function candidateLines(one: CandidateView): readonly string[] {
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
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  return [line(head), ...rows.map(line), '  = equal   ~ compatible   ? not known   # contradicts'];
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
