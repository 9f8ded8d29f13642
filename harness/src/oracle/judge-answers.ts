import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import { saidKind } from '../network/truth/index.js';
import type { CallTruth, GivenAnswer, NetworkTruth, SaidKind } from '../network/truth/index.js';
import type { SeenAnswer, SeenTraceback } from './run-facts.js';

/** A traceback, and what is true of its call. */
export interface JudgedTraceback {
  readonly plan: NetworkPlan;
  readonly network: NetworkTruth;
  readonly call: PlannedCall;
  readonly truth: CallTruth;
  readonly traceback: SeenTraceback;
  /** Whether another call of the plan has the same numbers, so that a provider may not be able to tell them apart. */
  readonly hasTwin: boolean;
}

/** What a provider may say in a traceback; in words, for whoever reads that it said something else. */
export function wrongAnswer(
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
  if (own.length === 0) return [network.saidElsewhere(call, provider)];
  const isElsewhere = !truth.hops.some((hop) => hop.provider === provider);
  // Who colludes says so to the one that it colludes with alone.
  const given = [...own.map((one) => one.given), ...(isElsewhere ? [network.saidElsewhere(call, provider)] : [])];
  // Who is named by somebody that it did not send the call to says that it did not.
  const isHonest = own.every((one) => one.given === one.truth);
  const isMisnamed = traceback.answers.some(
    ({ provider: by, named }) =>
      named === provider && !truth.answers.some((one) => one.provider === by && names(one.truth, provider)),
  );
  return isHonest && isMisnamed ? [...given, NOT_FOUND] : given;
}

const NOT_FOUND: GivenAnswer = { kind: 'not-found' };

function names(answer: GivenAnswer, provider: string): boolean {
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
