import {
  createTrunkDirectory,
  findingText,
  pastRequestOf,
  readTracebackPolicy,
  readTrunkDirectory,
  tryTracebackPolicy,
} from '../traceback/index.js';
import type { PolicyTrial, PolicyTrialCase } from '../traceback/index.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { jsonFile } from './json-file.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { factLines, printJson, printLines } from './output.js';
import { RESPONDER_NOTE, RESPONDER_OPTIONS, responderSnapshot } from './responder-options.js';
import type { ResponderOption } from './responder-options.js';
import { UsageError } from './usage-error.js';

type TryOption = ResponderOption | 'policy' | 'trunks';

const OPTIONS: OptionSpecs<TryOption> = {
  ...RESPONDER_OPTIONS,
  policy: { value: 'FILE', text: 'the policy to try, JSON; default that of the responder' },
  trunks: { value: 'FILE', text: 'the trunk directory to go by, JSON' },
};

/** `hopback traceback policy try` */
export const tracebackPolicyTryCommand: Command = {
  name: 'traceback policy try',
  summary: 'show what a policy would have answered to past requests, and what held the rest back',
  usage: ['--responder DIR --trunks FILE [--policy FILE]'],
  options: OPTIONS,
  notes: [
    'Takes the requests of a responder with what was found for each, and decides them by the policy: nothing is answered. A policy that would ' +
      'have said something else than a person who looked is too bold: exit code 1.',
    RESPONDER_NOTE,
    'Exit codes: 0 tried; 1 a person had answered otherwise; 2 not understood, or the policy or directory is not in order; 4 a file or the ' +
      'responder cannot be read.',
  ],
  run,
};

async function run(options: Options<TryOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const trunksFile = options.text('trunks');
  if (trunksFile === undefined) throw new UsageError('say by which trunk directory: --trunks FILE');
  const snapshot = await responderSnapshot(options, io);
  const policyFile = options.text('policy');
  const policy = policyFile === undefined ? snapshot.policy : readTracebackPolicy(await jsonFile(policyFile, io));
  const directory = createTrunkDirectory(readTrunkDirectory(await jsonFile(trunksFile, io)));
  const past = snapshot.entries.filter(({ matchedAtMs }) => matchedAtMs !== undefined).map(pastRequestOf);
  const trial = tryTracebackPolicy(past, { provider: snapshot.provider, policy, directory });
  const exitCode = trial.disagreements > 0 ? EXIT.negative : EXIT.ok;
  if (options.isOn('json')) printJson(io, { format: 'hopback.traceback-policy-trial.1', exitCode, ...trial });
  else printLines(io, trialLines(trial));
  return exitCode;
}

function trialLines(trial: PolicyTrial): readonly string[] {
  const counts = (all: Readonly<Record<string, number>>): string =>
    Object.entries(all)
      .map(([name, count]) => `${name} ${String(count)}`)
      .join(', ') || 'none';
  const rules = Object.entries(trial.byRule).map(
    ([rule, { held, alone }]) => `  ${rule}: ${String(held)} held back, ${String(alone)} by it alone`,
  );
  return [
    `policy ${trial.policyId} on ${String(trial.requests)} past ${trial.requests === 1 ? 'request' : 'requests'}`,
    ...factLines([
      ['without a person', `${String(trial.automatic)} (${counts(trial.byArm)})`],
      ['to a person', `${String(trial.review)} (${counts(trial.byQueue)})`],
      ['otherwise than a person', String(trial.disagreements)],
    ]),
    ...(rules.length === 0 ? [] : ['', 'rules', ...rules]),
    ...(trial.cases.length === 0 ? [] : ['', 'requests', ...trial.cases.flatMap(caseLines)]),
  ];
}

function caseLines({ requestId, decision, given, agrees }: PolicyTrialCase): readonly string[] {
  const before =
    given === undefined
      ? ''
      : `; was answered by ${given.by === 'person' ? 'a person' : 'a policy'}: ${findingText(given.finding)}`;
  if (decision.kind === 'automatic')
    return [`  ${agrees === false ? '✗' : '✓'} ${requestId}: ${findingText(decision.draft.finding)}${before}`];
  return [
    `  ? ${requestId}: to ${decision.queue}${before}`,
    ...decision.reasons.map(({ rule, text }) => `      ${rule}: ${text}`),
  ];
}
