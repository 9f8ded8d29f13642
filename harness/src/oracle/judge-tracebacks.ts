import { callsToTrace, traceInWords } from '../network/plan/index.js';
import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import { saidKind } from '../network/truth/index.js';
import type { CallTruth, GivenAnswer, NetworkTruth, SaidKind } from '../network/truth/index.js';
import { counted, createSpread, plannedCall, rate, twinsOf } from './findings.js';
import type { Judging, SeenAnswer, SeenAnswering, SeenTraceback } from './findings.js';
import type { Metric } from '../scenario/index.js';

/** A traceback, and what is true of its call. */
interface JudgedTraceback {
  readonly plan: NetworkPlan;
  readonly network: NetworkTruth;
  readonly call: PlannedCall;
  readonly truth: CallTruth;
  readonly traceback: SeenTraceback;
  /** Whether another call of the plan has the same numbers, so that a provider may not be able to tell them apart. */
  readonly hasTwin: boolean;
}

/** What a provider may say in a traceback; in words, for whoever reads that it said something else. */
function wrongAnswer(
  judged: JudgedTraceback,
  answer: SeenAnswer,
): { readonly expected: string; readonly seen: string } | undefined {
  const kind = saidKind(answer.kind);
  const fair = fairAnswers(judged, answer.provider);
  const isFair =
    (kind === 'ambiguous' && (judged.hasTwin || isTwice(judged, answer.provider))) ||
    fair.some((given) => isSaid(judged.plan, given, { kind, named: answer.named }));
  if (isFair) return undefined;
  const named = answer.named === undefined ? '' : ` ${answer.named}`;
  return { expected: fair.map(inWords).join(', or '), seen: `it answered ${answer.kind}${named}` };
}

/** Whether a provider has two records of the one call. */
function isTwice({ truth }: JudgedTraceback, provider: string): boolean {
  return truth.hops.filter((hop) => hop.provider === provider).length > 1;
}

function fairAnswers({ network, call, truth, traceback }: JudgedTraceback, provider: string): readonly GivenAnswer[] {
  const own = truth.answers.filter((one) => one.provider === provider);
  if (own.length === 0) return [network.answerWithoutTheCall(call, provider)];
  const isElsewhere = !truth.hops.some((hop) => hop.provider === provider);
  // Who colludes says so to the one that it colludes with alone.
  const given = [
    ...own.map((one) => one.given),
    ...(isElsewhere ? [network.answerWithoutTheCall(call, provider)] : []),
  ];
  // Who is named by somebody that it did not send the call to says that it did not.
  const isHonest = own.every((one) => one.given === one.truth);
  const isMisnamed = traceback.answers.some(
    ({ provider: by, named }) =>
      named === provider && !truth.answers.some((one) => one.provider === by && namesProvider(one.truth, provider)),
  );
  return isHonest && isMisnamed ? [...given, NOT_FOUND] : given;
}

const NOT_FOUND: GivenAnswer = { kind: 'not-found' };

function namesProvider(answer: GivenAnswer, provider: string): boolean {
  return answer.kind === 'upstream' && answer.provider === provider;
}

function isSaid(
  plan: NetworkPlan,
  given: GivenAnswer,
  said: { readonly kind: SaidKind | undefined; readonly named: string | undefined },
): boolean {
  switch (given.kind) {
    case 'upstream':
      return said.kind === 'upstream' && isNamed(plan, given.provider, said.named);
    case 'point-of-entry':
      // A foreign provider that is listed may be named as any other.
      return (
        (said.kind === 'point-of-entry' && (said.named === undefined || isNamed(plan, given.foreign, said.named))) ||
        (said.kind === 'upstream' && isNamed(plan, given.foreign, said.named))
      );
    case 'unlisted':
      return said.kind === 'unlisted' && (said.named === undefined || said.named === given.name);
    default:
      return said.kind === given.kind;
  }
}

/** Whether a name, or an identifier, is that of a provider. */
function isNamed({ providers }: NetworkPlan, id: string, named: string | undefined): boolean {
  if (named === id) return true;
  const provider = providers.find((one) => one.id === id);
  return provider !== undefined && (named === provider.name || named === provider.providerId);
}

function inWords(given: GivenAnswer): string {
  switch (given.kind) {
    case 'upstream':
      return `the call came from ${given.provider}`;
    case 'origin':
      return given.caller === '' ? 'the call began here' : `the call came from its customer ${given.caller}`;
    case 'point-of-entry':
      return `the call came from abroad, from ${given.foreign}`;
    case 'unlisted':
      return `the call came from ${given.name}, which no registry has`;
    case 'refused':
      return `no answer, because ${given.reason}`;
    case 'not-retained':
      return 'there are no records of that time any more';
    case 'not-found':
      return 'there was no such call, or it was not sent to who names this provider';
    default:
      return 'no answer at all';
  }
}

/** Metrics of tracebacks. */
type TracebackMetrics = Readonly<
  Record<
    | 'answers_correct'
    | 'answers_automatic'
    | 'tracebacks'
    | 'tracebacks_concluded'
    | 'traceback_fair'
    | 'traceback_origin_correct'
    | 'wrong_accusations'
    | 'disputed'
    | 'time_to_origin_ms',
    Metric
  >
>;

/** Holds each traceback, and each answer in it, against what is true of its call. */
export function judgeTracebacks(judging: Judging): TracebackMetrics {
  const { plan, truth: network, facts, findings } = judging;
  const twinsOfCall = twinsOf(judging);
  const toOrigin = createSpread();
  const answers = { good: 0, of: 0 };
  /** Calls whose traceback fairly ended before all were asked. */
  const undecided = new Set<number>();
  let [concluded, fair, right, accusations, disputed] = [0, 0, 0, 0, 0];
  for (const traceback of facts.tracebacks) {
    const call = plannedCall(judging, traceback.callIndex);
    const about = { tracebackId: traceback.tracebackId, callIndex: traceback.callIndex };
    if (call === undefined) {
      findings.add({ kind: 'traceback', ...about, expected: 'no such call in the plan', seen: 'a traceback of it' });
      continue;
    }
    const truth = network.ofCall(call);
    const twins = twinsOfCall(call.index);
    const judged = {
      plan,
      network,
      call,
      truth,
      traceback,
      hasTwin: twins.length > 0,
    };
    const isConcluded = traceback.concludedAtMs !== undefined;
    if (isConcluded) concluded += 1;
    if (traceback.outcome?.kind === 'disputed') disputed += 1;
    for (const answer of traceback.answers) {
      const wrong = wrongAnswer(judged, answer);
      answers.of += 1;
      if (wrong === undefined) answers.good += 1;
      else findings.add({ kind: 'answer', ...about, provider: answer.provider, ...wrong });
    }
    const accused = accusedBy(judged);
    if (accused !== undefined && !network.mayBeNamed(call, accused)) {
      accusations += 1;
      findings.add({
        kind: 'accusation',
        ...about,
        provider: accused,
        ...accusationInWords(accused, truth, traceback),
      });
    } else if (isFair(judged, twins)) {
      fair += 1;
      if (UNDECIDED.has(traceback.outcome?.kind ?? '')) undecided.add(traceback.callIndex);
    } else
      findings.add({ kind: 'traceback', ...about, expected: fairInWords(judged), seen: outcomeInWords(traceback) });
    if (accused !== truth.culprit.provider || !isOfKind(traceback, truth)) continue;
    right += 1;
    if (traceback.concludedAtMs !== undefined) toOrigin.add(traceback.concludedAtMs - traceback.openedAtMs);
  }
  for (const { callIndex, provider, trace } of unaskedFor(judging, undecided)) {
    answers.of += 1;
    const expected = `${provider} is asked about ${trace}`;
    findings.add({ kind: 'answer', callIndex, provider, expected, seen: 'no traceback of it has an answer of it' });
  }
  const { length } = facts.tracebacks;
  return {
    answers_correct: rate(answers.good, answers.of),
    answers_automatic: automaticRate(facts.answering ?? []),
    tracebacks: counted(length),
    tracebacks_concluded: rate(concluded, length),
    traceback_fair: rate(fair, length),
    traceback_origin_correct: rate(right, length),
    wrong_accusations: counted(accusations),
    disputed: counted(disputed),
    time_to_origin_ms: toOrigin.metric(),
  };
}

/** What a traceback may come to before it has asked everybody. */
const UNDECIDED: ReadonlySet<string> = new Set(['ambiguous', 'non-responsive']);

/** Calls that are traced for what a provider says of them, without an answer of that provider: what the scenario is about was not tried. */
function unaskedFor(
  { plan, truth, facts }: Judging,
  undecided: ReadonlySet<number>,
): readonly {
  readonly callIndex: number;
  readonly provider: string;
  readonly trace: string;
}[] {
  const answered = new Map<number, Set<string>>();
  for (const { callIndex, answers } of facts.tracebacks) {
    const by = answered.get(callIndex) ?? new Set<string>();
    for (const { provider } of answers) by.add(provider);
    answered.set(callIndex, by);
  }
  // Those that nobody traced are told as a trouble of the run.
  return callsToTrace(plan, ({ index }) => answered.has(index)).flatMap(({ trace, call }) => {
    if (call === undefined || undecided.has(call.index)) return [];
    const { through: provider } = trace;
    const says = truth.ofCall(call).answers.filter((one) => one.provider === provider && one.given.kind !== 'silent');
    if (says.length === 0 || answered.get(call.index)?.has(provider) === true) return [];
    return [{ callIndex: call.index, provider, trace: traceInWords(trace) }];
  });
}

function automaticRate(answering: readonly SeenAnswering[]): Metric {
  const automatic = answering.reduce((sum, one) => sum + one.automatic, 0);
  return rate(
    automatic,
    answering.reduce((sum, one) => sum + one.byPerson, automatic),
  );
}

/**
 * Whom an outcome says that the call began with, or came into the country by; of a foreign provider it is the one that took the call from it, which
 * the outcome names, or the answer before.
 */
function accusedBy({ plan, traceback: { outcome, answers } }: JudgedTraceback): string | undefined {
  if (outcome === undefined) return undefined;
  if (outcome.kind === 'origin' || outcome.kind === 'point-of-entry') return outcome.provider;
  if (outcome.kind !== 'foreign-provider') return undefined;
  const foreign = plan.providers.find(({ id }) => id === outcome.provider);
  if (foreign !== undefined && foreign.role !== 'foreign' && foreign.country === 'US') return foreign.id;
  const names = new Set([outcome.provider, foreign?.name, foreign?.providerId].filter((name) => name !== undefined));
  return answers.findLast(({ named }) => named !== undefined && names.has(named))?.provider;
}

function isOfKind({ outcome }: SeenTraceback, { culprit }: CallTruth): boolean {
  if (culprit.kind === 'origin') return outcome?.kind === 'origin';
  return outcome?.kind === 'point-of-entry' || outcome?.kind === 'foreign-provider';
}

function isFair(judged: JudgedTraceback, twins: readonly PlannedCall[]): boolean {
  const {
    traceback: { outcome },
    truth,
  } = judged;
  if (outcome === undefined) return false;
  if (twins.length > 0 && isOfTwins(judged, outcome, twins)) return true;
  return truth.fairOutcomes.some(
    ({ kind, provider }) =>
      kind === outcome.kind &&
      (provider === undefined || outcome.provider === undefined || provider === outcome.provider),
  );
}

/** Who cannot tell two calls apart says so. Who is taken for silent has to be, about the one or the other: that there are two excuses nobody. */
function isOfTwins(
  { network, call, truth }: JudgedTraceback,
  { kind, provider }: NonNullable<SeenTraceback['outcome']>,
  twins: readonly PlannedCall[],
): boolean {
  const about = truth.hops.filter((hop) => provider === undefined || hop.provider === provider);
  if (kind === 'ambiguous') return about.length > 0;
  const alike = [call, ...twins];
  return kind === 'non-responsive' && about.some((hop) => alike.some((one) => network.mayBeSilent(one, hop.provider)));
}

function accusationInWords(
  accused: string,
  { culprit }: CallTruth,
  traceback: SeenTraceback,
): { readonly expected: string; readonly seen: string } {
  const began = culprit.kind === 'origin' ? 'began with' : 'entered the country through';
  return {
    expected: `the call ${began} ${culprit.provider}; nothing may be said against ${accused}`,
    seen: outcomeInWords(traceback),
  };
}

function fairInWords({ truth }: JudgedTraceback): string {
  const outcomes = truth.fairOutcomes.map(({ kind, provider }) =>
    provider === undefined ? kind : `${kind} ${provider}`,
  );
  return `it comes to ${outcomes.join(', or ')}`;
}

function outcomeInWords({ outcome, state }: SeenTraceback): string {
  if (outcome === undefined) return `it came to nothing, and is ${state}`;
  return `it came to ${outcome.kind}${outcome.provider === undefined ? '' : ` ${outcome.provider}`}`;
}
