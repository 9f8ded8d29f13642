import type { DecisionProblem, ReviewDecision } from '../traceback/index.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import type { Options } from './options.js';
import { instantText, printJson, printLines } from './output.js';
import type { SentDecision } from './traceback-send.js';

/** Says what became of a decision that the command carried out itself: signed and delivered are two things, and only the second is an answer. */
export function reportSent(
  options: Options<'json'>,
  io: CliIo,
  report: { readonly decision: ReviewDecision; readonly text: string; readonly sent: SentDecision },
): ExitCode {
  const { decision, text, sent } = report;
  const { result, signed, problems } = sent;
  if (result.status === 'refused') return reportRefused(options, io, result.problems);
  const exitCode = exitCodeOf(sent);
  if (options.isOn('json')) {
    const { evidence } = signed?.answer ?? {};
    const { delivery } = signed ?? {};
    printJson(io, {
      format: 'hopback.traceback-decision.1',
      exitCode,
      ...{ decision, result, delivery, evidence, failures: problems },
    });
    return exitCode;
  }
  printLines(io, [
    `${MARKS[exitCode] ?? '?'} ${decision.requestId}: ${text}`,
    ...deliveryLines(sent),
    ...(signed === undefined ? [] : [evidenceLine(signed.answer.evidence)]),
  ]);
  return exitCode;
}

/** Says why a decision is not carried out, and what of it can be confirmed. */
export function reportRefused(options: Options<'json'>, io: CliIo, problems: readonly DecisionProblem[]): ExitCode {
  if (options.isOn('json'))
    printJson(io, { format: 'hopback.traceback-decision.1', exitCode: EXIT.negative, problems });
  else printLines(io, ['✗ the decision is refused', ...problems.map(problemLine)]);
  return EXIT.negative;
}

function problemLine({ about, text, isConfirmable = false }: DecisionProblem): string {
  return isConfirmable ? `  ! ${text} (--despite ${about})` : `  ✗ ${about}: ${text}`;
}

const MARKS: Readonly<Partial<Record<ExitCode, string>>> = { [EXIT.ok]: '✓', [EXIT.negative]: '✗' };

function exitCodeOf({ result, signed }: SentDecision): ExitCode {
  if (result.status === 'refused' || signed?.delivery.state === 'refused') return EXIT.negative;
  return signed?.delivery.state === 'acknowledged' ? EXIT.ok : EXIT.indeterminate;
}

function deliveryLines({ signed, problems }: SentDecision): readonly string[] {
  const why = problems.map((problem) => `  ? ${problem}`);
  if (signed === undefined)
    return ['  ? decided, and not signed yet: the next responder of this folder does it', ...why];
  const { delivery } = signed;
  switch (delivery.state) {
    case 'acknowledged':
      return [`  signed; the platform has it since ${delivery.receivedAt}, by its receipt`];
    case 'taken':
      return [`  ? the platform has it since ${instantText(delivery.atMs)}; ${delivery.detail}`];
    case 'refused':
      return [`  ✗ signed, and the platform will not have it: ${delivery.reason}: ${delivery.detail}`];
    default:
      return ['  ? signed, and NOT delivered: the next responder of this folder sends it', ...why];
  }
}

function evidenceLine(evidence: { readonly packId: string; readonly logId: string } | undefined): string {
  return evidence === undefined
    ? '  ! it names no evidence pack: --evidence-log and --evidence-key write one'
    : `  evidence: pack ${evidence.packId} of ${evidence.logId}`;
}
