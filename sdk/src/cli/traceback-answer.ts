import { wait } from '../core/runtime/clock.js';
import { FINDING_ARMS } from '../contract/traceback-exchange.js';
import {
  answerOfDecision,
  createTrunkDirectory,
  decisionResult,
  findingText,
  pastRequestOf,
  postDecision,
  readTracebackPolicy,
  readTrunkDirectory,
  reviewOf,
  subjectOfEntry,
  tryTracebackPolicy,
  waitingDecisions,
  withdrawDecision,
} from '../traceback/index.js';
import type {
  DecisionProblem,
  InboxResult,
  PolicyTrial,
  PolicyTrialCase,
  ResponderEntry,
  ResponderSnapshot,
  ReviewDecision,
} from '../traceback/index.js';
import { jsonFile } from './inputs/key-files.js';
import { EXIT, numberOption, refuseOperands, UsageError } from './kit/command.js';
import type { Command, ExitCode, Options, OptionSpecs } from './kit/command.js';
import type { CliIo } from './kit/io.js';
import { factLines, printJson, printLines } from './kit/output.js';
import { reportRefused, reportSent, sendDecision, SENDING_OPTIONS } from './traceback-send.js';
import type { SendingOption } from './traceback-send.js';
import {
  requestedEntry,
  RESPONDER_NOTE,
  RESPONDER_OPTIONS,
  responderDirectory,
  responderSnapshot,
} from './traceback-show.js';
import type { ResponderOption } from './traceback-show.js';

type PartyOption = 'provider' | 'ocn' | 'spc' | 'frn' | 'contact' | 'email' | 'telephone' | 'country';
type AnswerOption =
  | ResponderOption
  | PartyOption
  | SendingOption
  | 'by'
  | 'arm'
  | 'call'
  | 'customer'
  | 'know-your-customer'
  | 'action'
  | 'reason'
  | 'comment'
  | 'amend'
  | 'replace'
  | 'despite'
  | 'wait';

const ACTIONS = ['none', 'under-review', 'warned', 'suspended', 'terminated'] as const;

const ANSWER_OPTIONS: OptionSpecs<AnswerOption> = {
  ...RESPONDER_OPTIONS,
  by: { value: 'NAME', env: 'HOPBACK_ANSWERED_BY', text: 'who decides; the signed answer names them' },
  arm: { value: 'ARM', choices: FINDING_ARMS, text: 'the answer' },
  call: { value: 'CALL', text: 'which call: its number in hopback traceback show, or the id of its record' },
  provider: { value: 'NAME', text: 'the provider that sent the call, if the directory does not name it or is wrong' },
  ocn: { value: 'OCN', text: 'its OCN' },
  spc: { value: 'SPC', text: 'its SPC' },
  frn: { value: 'FRN', text: 'its FCC Registration Number' },
  contact: { value: 'NAME', text: 'name of a provider that is in no registry, or of one abroad' },
  email: { value: 'EMAIL', text: 'its e-mail address' },
  telephone: { value: 'NUMBER', text: 'its telephone number' },
  country: { value: 'CC', text: 'its country, two letters' },
  customer: { value: 'ID', text: 'the customer whose call it was' },
  'know-your-customer': { value: 'TEXT', text: 'on what basis the customer is known' },
  action: { value: 'ACTION', choices: ACTIONS, text: 'action taken about the customer or provider that sent the call' },
  reason: { value: 'TEXT', text: 'why no answer is given; for --arm refused' },
  comment: { value: 'TEXT', text: 'comment in the answer' },
  replace: { text: 'withdraw the decision about this request that waits in the inbox' },
  amend: { value: 'REASON', text: 'why an answer that was given is changed' },
  despite: { value: 'NAME', multiple: true, text: 'name of a warning that you confirm; may be repeated' },
  wait: { value: 'SECONDS', text: 'how long to wait for the running responder to carry it out; default 0' },
  ...SENDING_OPTIONS,
};

/** `hopback traceback answer` */
export const tracebackAnswerCommand: Command = {
  name: 'traceback answer',
  summary: 'decide a traceback request as a person; the responder signs and sends',
  usage: [
    'REQUEST --responder DIR --by NAME --arm ARM [--call CALL] [--comment TEXT]',
    'REQUEST --responder DIR --by NAME --arm ARM --platform URL --token-file FILE --key FILE --key-id ID --receipt-keys FILE',
  ],
  options: ANSWER_OPTIONS,
  notes: [
    'The command checks the decision and puts it into the inbox of the responder in one step. A running responder ' +
      'carries it out within a second; if none runs, the next one carries it out when it starts. Nothing is signed ' +
      'before that. You have to confirm warnings by name; you cannot confirm "not found" where records are missing.',
    'If no responder runs, this command signs and sends with --platform. It then also signs and sends every other ' +
      'waiting decision and answer in the folder. It writes an evidence pack for the answer only if you pass ' +
      '--evidence-log and --evidence-key. Names and affiliates come only from --trunks.',
    'Exit codes: 0 in the inbox, or carried out if you waited for it; 1 the decision is refused, or the platform ' +
      'refuses the answer; 2 command line or input not valid; 3 not carried out in time, or not delivered yet; 4 the responder, the ' +
      'key or the platform cannot be used.',
    '  hopback traceback answer r-2026-117 --responder tracebacks --by "duty engineer" --arm received-from --call 1',
  ],
  run: runAnswer,
};

async function runAnswer(options: Options<AnswerOption | 'json'>, io: CliIo): Promise<ExitCode> {
  const snapshot = await responderSnapshot(options, io);
  const entry = requestedEntry(snapshot, options.operands);
  const decision = decisionOf(options, { entry, snapshot, io });
  const checked = answerOfDecision(decision, subjectOfEntry(entry), {
    policy: snapshot.policy,
    // Names and affiliates are the responder's to know: it checks again.
    directory: createTrunkDirectory({ directoryId: 'none', providers: [], entries: [] }),
    provider: snapshot.provider,
  });
  if (checked.status === 'refused') return reportRefused(options, io, checked.problems);
  const directory = responderDirectory(options);
  // Of two that wait nobody knows which comes first: so a second one is taken only in place of the first.
  const waiting = (await waitingDecisions(directory)).filter(({ requestId }) => requestId === entry.requestId);
  if (waiting.length > 0 && !options.isOn('replace')) return reportRefused(options, io, waiting.map(waitingProblem));
  const text = findingText(checked.draft.finding);
  if (options.text('platform') === undefined)
    return keep(options, io, { directory, decision, text, replaced: waiting });
  const sent = await sendDecision(options, io, { directory, decision, snapshot, replaced: waiting });
  return reportSent(options, io, { decision, text, sent });
}

function waitingProblem({ by, arm, decidedAt }: ReviewDecision): DecisionProblem {
  const text = `a decision of ${by} waits already: ${arm}, at ${decidedAt}; start the responder, or take it back with --replace`;
  return { about: 'inbox', text };
}

function begunProblem({ by, arm, decidedAt }: ReviewDecision): DecisionProblem {
  const text = `a decision of ${by} is being carried out already: ${arm}, at ${decidedAt}; see what came of it, and amend it with --amend`;
  return { about: 'inbox', text };
}

/** Leaves the decision to the responder, and waits for what becomes of it where that is asked for. */
async function keep(
  options: Options<AnswerOption | 'json'>,
  io: CliIo,
  kept: {
    readonly directory: string;
    readonly decision: ReviewDecision;
    readonly text: string;
    readonly replaced: readonly ReviewDecision[];
  },
): Promise<ExitCode> {
  const { directory, decision, text, replaced } = kept;
  const waitSeconds = numberOption(options.text('wait'), { name: 'wait', min: 0, max: 600 }) ?? 0;
  const begun: ReviewDecision[] = [];
  for (const one of replaced) if (!(await withdrawDecision(directory, one.decisionId))) begun.push(one);
  // Carried out by now, or any moment: whoever means another answer amends it.
  if (begun.length > 0) return reportRefused(options, io, begun.map(begunProblem));
  await postDecision(directory, decision);
  const result = await resultWithin(directory, decision.decisionId, waitSeconds);
  if (result?.status === 'refused') return reportRefused(options, io, result.problems);
  if (result?.status === 'unreadable') return reportRefused(options, io, [{ about: 'decision', text: result.detail }]);
  const isLate = result === undefined && waitSeconds > 0;
  const exitCode = isLate ? EXIT.indeterminate : EXIT.ok;
  if (options.isOn('json')) printJson(io, { format: 'hopback.traceback-decision.1', exitCode, decision, result });
  else
    printLines(io, [
      `${isLate ? '?' : '✓'} ${decision.requestId}: ${text}`,
      result !== undefined
        ? '  taken by the responder; hopback traceback list shows when the platform has it'
        : isLate
          ? `  kept, and no responder took it in ${String(waitSeconds)} s: nothing is signed until one runs`
          : '  kept for the responder, which signs and sends it: hopback traceback list shows when',
    ]);
  return exitCode;
}

function decisionOf(
  options: Options<AnswerOption>,
  { entry, snapshot, io }: { readonly entry: ResponderEntry; readonly snapshot: ResponderSnapshot; readonly io: CliIo },
): ReviewDecision {
  const by = options.text('by');
  const arm = FINDING_ARMS.find((name) => name === options.text('arm'));
  if (by === undefined) throw new UsageError('say who decides: --by NAME, or HOPBACK_ANSWERED_BY');
  if (arm === undefined) throw new UsageError('say what is answered: --arm ARM');
  const candidate = candidateOf(options.text('call'), entry, { snapshot, nowMs: io.clock.nowMs() });
  const action = ACTIONS.find((name) => name === options.text('action'));
  const isOwnCustomer = arm === 'origin' || arm === 'serves-number';
  const optional = {
    candidate,
    ...partiesOf(options),
    // Named beside another arm it is refused, not left out.
    customer: customerOf(options, isOwnCustomer ? action : undefined),
    upstreamAction: isOwnCustomer ? undefined : action,
    reason: options.text('reason'),
    comment: options.text('comment'),
    amendReason: options.text('amend'),
    despite: options.texts('despite').length === 0 ? undefined : options.texts('despite'),
  };
  const decision = {
    format: 'hopback.review-decision.1',
    decisionId: io.randomUuid(),
    requestId: entry.requestId,
    by,
    decidedAt: new Date(io.clock.nowMs()).toISOString(),
    arm,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
  return decision as ReviewDecision;
}

function candidateOf(
  text: string | undefined,
  entry: ResponderEntry,
  { snapshot, nowMs }: { readonly snapshot: ResponderSnapshot; readonly nowMs: number },
): string | undefined {
  if (text === undefined) return undefined;
  // Also of a call that is found and not shown.
  if (RECORD_ID.test(text)) return text.toLowerCase();
  const { candidates } = reviewOf(subjectOfEntry(entry), { nowMs, policy: snapshot.policy });
  const rank = numberOption(text, { name: 'call', min: 1, max: 1_000 });
  const found = candidates.find((one) => one.rank === rank);
  if (found === undefined) throw new UsageError(`--call: there ${countOf(candidates.length)}`);
  return found.candidate;
}

const RECORD_ID = /^[0-9a-f]{32}$/i;

function countOf(calls: number): string {
  if (calls === 0) return 'is no call to choose';
  return calls === 1 ? 'is one call' : `are ${String(calls)} calls`;
}

function partiesOf(options: Options<PartyOption>): Pick<ReviewDecision, 'provider' | 'contact'> {
  const given = (names: readonly PartyOption[]): Record<string, string> =>
    Object.fromEntries(
      names.flatMap((name) => (options.text(name) === undefined ? [] : [[name, options.text(name) ?? '']])),
    );
  const [provider, contact] = [options.text('provider'), options.text('contact')];
  refuseWithout(options, { name: 'provider', needing: ['ocn', 'spc', 'frn'] });
  refuseWithout(options, { name: 'contact', needing: ['email', 'telephone', 'country'] });
  return {
    ...(provider === undefined ? {} : { provider: { name: provider, ...given(['ocn', 'spc', 'frn']) } }),
    ...(contact === undefined ? {} : { contact: { name: contact, ...given(['email', 'telephone', 'country']) } }),
  };
}

/** What says more of somebody who is not named would be left out of a signed answer. */
function refuseWithout(
  options: Options<PartyOption>,
  { name, needing }: { readonly name: PartyOption; readonly needing: readonly PartyOption[] },
): void {
  if (options.text(name) !== undefined) return;
  const alone = needing.find((one) => options.text(one) !== undefined);
  if (alone !== undefined) throw new UsageError(`--${alone} needs --${name} NAME`);
}

function customerOf(
  options: Options<'customer' | 'know-your-customer'>,
  action: (typeof ACTIONS)[number] | undefined,
): ReviewDecision['customer'] {
  const [customerId, knowYourCustomer] = [options.text('customer'), options.text('know-your-customer')];
  if (customerId === undefined && knowYourCustomer === undefined && action === undefined) return undefined;
  return {
    ...(customerId === undefined ? {} : { customerId }),
    ...(knowYourCustomer === undefined ? {} : { knowYourCustomer }),
    ...(action === undefined ? {} : { action }),
  };
}

const POLL_MS = 100;

async function resultWithin(directory: string, decisionId: string, seconds: number): Promise<InboxResult | undefined> {
  for (let leftMs = seconds * 1_000; leftMs > 0; leftMs -= POLL_MS) {
    const result = await decisionResult(directory, decisionId);
    if (result !== undefined) return result;
    await wait(POLL_MS);
  }
  return undefined;
}

type TryOption = ResponderOption | 'policy' | 'trunks';

const POLICY_TRY_OPTIONS: OptionSpecs<TryOption> = {
  ...RESPONDER_OPTIONS,
  policy: { value: 'FILE', text: 'the policy to try, JSON; default that of the responder' },
  trunks: { value: 'FILE', text: 'the trunk directory to use, JSON' },
};

/** `hopback traceback policy try` */
export const tracebackPolicyTryCommand: Command = {
  name: 'traceback policy try',
  summary: 'show what a policy would have answered to past requests, and which rules held the others back',
  usage: ['--responder DIR --trunks FILE [--policy FILE]'],
  options: POLICY_TRY_OPTIONS,
  notes: [
    'Takes the requests of a responder with the search results of that time, and decides them by the policy. It ' +
      'sends no answers. The command exits with 1 if the policy would have answered any request automatically, but ' +
      'differently than the person did.',
    RESPONDER_NOTE,
    'Exit codes: 0 tried; 1 an automatic answer of the policy would differ from the person’s; 2 command line or input not valid, or the policy or directory is not in ' +
      'order; 4 a file or the responder cannot be read.',
  ],
  run: runPolicyTry,
};

async function runPolicyTry(options: Options<TryOption | 'json'>, io: CliIo): Promise<ExitCode> {
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
