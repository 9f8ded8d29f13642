import { defined } from '../core/text.js';
import { wait } from '../core/runtime/clock.js';
import { FINDING_ARMS } from '../contract/traceback-exchange.js';
import { TrunkDirectory, readTracebackPolicy, readTrunkDirectory, tryTracebackPolicy } from '../traceback/index.js';
import {
  decisionResult,
  postDecision,
  waitingDecisions,
  withdrawDecision,
} from '../traceback/responder/decision-inbox.js';
import { pastRequestOf, subjectOfEntry } from '../traceback/responder/responder-core.js';
import { answerOfDecision } from '../traceback/review/answer-of-decision.js';
import { reviewOf } from '../traceback/review/review-of.js';
import { findingText } from '../traceback/review/review-view.js';
import type { ResponderEntry, ReviewDecision } from '../traceback/index.js';
import type { PolicyTrial } from '../traceback/policy/decide-traceback.js';
import type { DecisionProblem } from '../traceback/review/review-decision.js';
import type { InboxResult } from '../traceback/responder/decision-inbox.js';
import type { ResponderSnapshot } from '../traceback/responder/entry-journal.js';
import { jsonFile } from './inputs/key-files.js';
import { EXIT, optionSpecs, refuseOperands, UsageError, wholeNumber } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import type { CliIo } from './kit/node-io.js';
import { factLines, report } from './kit/output.js';
import { reportRefused, reportSent, sendDecision, SENDING_OPTIONS } from './traceback-send.js';
import {
  requestedEntry,
  RESPONDER_NOTE,
  RESPONDER_OPTIONS,
  responderDirectory,
  responderSnapshot,
} from './traceback-show.js';

const ACTIONS = ['none', 'under-review', 'warned', 'suspended', 'terminated'] as const;

const ANSWER_OPTIONS = optionSpecs({
  ...RESPONDER_OPTIONS,
  'by <NAME> [HOPBACK_ANSWERED_BY]': 'who decides; the signed answer names them',
  'arm <ARM>': { choices: FINDING_ARMS, text: 'the answer' },
  'call <CALL>': 'which call: its number in hopback traceback show, or the id of its record',
  'provider <NAME>': 'the provider that sent the call, if the directory does not name it or is wrong',
  'ocn <OCN>': 'its OCN',
  'spc <SPC>': 'its SPC',
  'frn <FRN>': 'its FCC Registration Number',
  'contact <NAME>': 'name of a provider that is in no registry, or of one abroad',
  'email <EMAIL>': 'its e-mail address',
  'telephone <NUMBER>': 'its telephone number',
  'country <CC>': 'its country, two letters',
  'customer <ID>': 'the customer whose call it was',
  'know-your-customer <TEXT>': 'on what basis the customer is known',
  'action <ACTION>': { choices: ACTIONS, text: 'action taken about the customer or provider that sent the call' },
  'reason <TEXT>': 'why no answer is given; for --arm refused',
  'comment <TEXT>': 'comment in the answer',
  replace: 'withdraw the decision about this request that waits in the inbox',
  'amend <REASON>': 'why an answer that was given is changed',
  'despite <NAME...>': 'name of a warning that you confirm; may be repeated',
  'wait <SECONDS>': 'how long to wait for the running responder to carry it out; default 0',
  ...SENDING_OPTIONS,
});

type AnswerOptions = OptionsOf<typeof ANSWER_OPTIONS>;

const ANSWER: CommandBody = {
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

async function runAnswer(options: AnswerOptions, io: CliIo): Promise<ExitCode> {
  const snapshot = await responderSnapshot(options, io);
  const entry = requestedEntry(snapshot, options.operands);
  const decision = decisionOf(options, entry, snapshot, io);
  const checked = answerOfDecision(decision, subjectOfEntry(entry), {
    policy: snapshot.policy,
    // Names and affiliates are the responder's to know: it checks again.
    directory: new TrunkDirectory({ directoryId: 'none', providers: [], entries: [] }),
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
  options: AnswerOptions,
  io: CliIo,
  kept: {
    readonly directory: string;
    readonly decision: ReviewDecision;
    readonly text: string;
    readonly replaced: readonly ReviewDecision[];
  },
): Promise<ExitCode> {
  const { directory, decision, text, replaced } = kept;
  const waitSeconds = options.number('wait', 0, 600) ?? 0;
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
  const state = result !== undefined ? TAKEN : isLate ? lateText(waitSeconds) : KEPT;
  return report(options, io, { format: 'hopback.traceback-decision.1', exitCode, decision, result }, [
    `${isLate ? '?' : '✓'} ${decision.requestId}: ${text}`,
    `  ${state}`,
  ]);
}

const TAKEN = 'taken by the responder; hopback traceback list shows when the platform has it';
const KEPT = 'kept for the responder, which signs and sends it: hopback traceback list shows when';
const lateText = (seconds: number): string =>
  `kept, and no responder took it in ${String(seconds)} s: nothing is signed until one runs`;

function decisionOf(
  options: AnswerOptions,
  entry: ResponderEntry,
  { policy }: ResponderSnapshot,
  io: CliIo,
): ReviewDecision {
  const by = options.needed('by', 'say who decides: --by NAME, or HOPBACK_ANSWERED_BY');
  const arm = options.needed('arm', 'say what is answered: --arm ARM');
  const candidate = candidateOf(options.text('call'), subjectOfEntry(entry), { nowMs: io.clock.nowMs(), policy });
  const action = ACTIONS.find((name) => name === options.text('action'));
  const isOwnCustomer = arm === 'origin' || arm === 'serves-number';
  const despite = options.texts('despite');
  const decision = defined({
    format: 'hopback.review-decision.1',
    decisionId: io.randomUuid(),
    requestId: entry.requestId,
    by,
    decidedAt: new Date(io.clock.nowMs()).toISOString(),
    arm,
    candidate,
    provider: partyOf(options, 'provider', ['ocn', 'spc', 'frn']),
    contact: partyOf(options, 'contact', ['email', 'telephone', 'country']),
    // Named beside another arm it is refused, not left out.
    customer: customerOf(options, isOwnCustomer ? action : undefined),
    upstreamAction: isOwnCustomer ? undefined : action,
    reason: options.text('reason'),
    comment: options.text('comment'),
    amendReason: options.text('amend'),
    despite: despite.length === 0 ? undefined : despite,
  });
  return decision as ReviewDecision;
}

function candidateOf(text: string | undefined, ...review: Parameters<typeof reviewOf>): string | undefined {
  if (text === undefined) return undefined;
  // Also of a call that is found and not shown.
  if (RECORD_ID.test(text)) return text.toLowerCase();
  const { candidates } = reviewOf(...review);
  const rank = wholeNumber('--call', text, { min: 1, max: 1_000 });
  const found = candidates.find((one) => one.rank === rank);
  if (found === undefined) throw new UsageError(`--call: there ${countOf(candidates.length)}`);
  return found.candidate;
}

const RECORD_ID = /^[0-9a-f]{32}$/i;

function countOf(calls: number): string {
  if (calls === 0) return 'is no call to choose';
  return calls === 1 ? 'is one call' : `are ${String(calls)} calls`;
}

/** A party that is named. What says more of somebody who is not named would be left out of a signed answer, and is refused. */
function partyOf(
  options: AnswerOptions,
  name: 'provider' | 'contact',
  details: readonly ('ocn' | 'spc' | 'frn' | 'email' | 'telephone' | 'country')[],
) {
  const given = details.filter((detail) => options.isOn(detail));
  const party = options.text(name);
  if (party !== undefined)
    return { name: party, ...Object.fromEntries(given.map((detail) => [detail, options.text(detail)])) };
  if (given[0] !== undefined) throw new UsageError(`--${given[0]} needs --${name} NAME`);
  return undefined;
}

function customerOf(options: AnswerOptions, action: (typeof ACTIONS)[number] | undefined): ReviewDecision['customer'] {
  const knowYourCustomer = options.text('know-your-customer');
  const customer = defined({ customerId: options.text('customer'), knowYourCustomer, action });
  return Object.keys(customer).length === 0 ? undefined : customer;
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

const POLICY_TRY_OPTIONS = optionSpecs({
  ...RESPONDER_OPTIONS,
  'policy <FILE>': 'the policy to try, JSON; default that of the responder',
  'trunks <FILE>': 'the trunk directory to use, JSON',
});

const POLICY_TRY: CommandBody = {
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

async function runPolicyTry(options: OptionsOf<typeof POLICY_TRY_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const trunksFile = options.needed('trunks', 'say by which trunk directory: --trunks FILE');
  const snapshot = await responderSnapshot(options, io);
  const policyFile = options.text('policy');
  const policy = policyFile === undefined ? snapshot.policy : readTracebackPolicy(await jsonFile(policyFile, io));
  const directory = new TrunkDirectory(readTrunkDirectory(await jsonFile(trunksFile, io)));
  const past = snapshot.entries.filter(({ matchedAtMs }) => matchedAtMs !== undefined).map(pastRequestOf);
  const trial = tryTracebackPolicy(past, { provider: snapshot.provider, policy, directory });
  const exitCode = trial.disagreements > 0 ? EXIT.negative : EXIT.ok;
  return report(options, io, { format: 'hopback.traceback-policy-trial.1', exitCode, ...trial }, trialLines(trial));
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
      ['differs from the person', String(trial.disagreements)],
    ]),
    ...(rules.length === 0 ? [] : ['', 'rules', ...rules]),
    ...(trial.cases.length === 0 ? [] : ['', 'requests', ...trial.cases.flatMap(caseLines)]),
  ];
}

function caseLines({ requestId, decision, given, agrees }: PolicyTrial['cases'][number]): readonly string[] {
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

export const COMMANDS = { 'traceback answer': ANSWER, 'traceback policy try': POLICY_TRY };
