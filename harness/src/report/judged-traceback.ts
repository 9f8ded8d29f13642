import type { NetworkPlan } from '../network/plan/index.js';
import { saidKind } from '../network/truth/index.js';
import type { CallTruth, SaidKind, TrueStatement } from '../network/truth/index.js';
import type { SeenAnswer, SeenTraceback } from '../oracle/index.js';
import { hasCall } from './figures.js';
import type { RunRecord } from './run-record.js';

/** A traceback beside what is true of its call. */
export interface JudgedTraceback {
  readonly traceback: SeenTraceback;
  readonly truth: CallTruth;
  /** The oracle has nothing against what it came to. */
  readonly isFair: boolean;
  /** It came to where the call truly began, or came into the country. */
  readonly isRight: boolean;
}

/** Tracebacks of calls of the plan, in their order. */
export function judgedTracebacks({ facts, truthOf, plan, oracle }: RunRecord): readonly JudgedTraceback[] {
  const unfair = new Set(
    oracle.findings.flatMap(({ kind, tracebackId }) =>
      kind === 'accusation' || kind === 'traceback' ? [tracebackId] : [],
    ),
  );
  return facts.tracebacks
    .filter(({ callIndex }) => hasCall(plan, callIndex))
    .map((traceback) => {
      const truth = truthOf(traceback.callIndex);
      const isFair = !unfair.has(traceback.tracebackId);
      return { traceback, truth, isFair, isRight: isFair && isRight(traceback, truth) };
    });
}

/** An outcome that names a foreign provider is about the one that took the call from it, which said so. */
function isRight({ outcome, answers }: SeenTraceback, { culprit }: CallTruth): boolean {
  if (outcome?.kind === culprit.kind) return outcome.provider === culprit.provider;
  if (outcome?.kind !== 'foreign-provider' || culprit.kind !== 'point-of-entry') return false;
  return answers.at(-1)?.provider === culprit.provider;
}

/** One provider of a traceback: on the true way, or asked although it is not on it. */
export interface AskedProvider {
  readonly provider: string;
  /** Absent: the call never came to it. */
  readonly statement?: TrueStatement;
  readonly answer?: SeenAnswer;
}

/** The way from its end up, then whoever was asked beside it. What is true of a provider is told for each of its hops. */
export function askedProviders(
  { hops, answers: statements }: CallTruth,
  answers: readonly SeenAnswer[],
): readonly AskedProvider[] {
  const left = [...answers];
  const take = (provider: string): Pick<AskedProvider, 'answer'> => {
    const at = left.findIndex((answer) => answer.provider === provider);
    const [answer] = at < 0 ? [] : left.splice(at, 1);
    return answer === undefined ? {} : { answer };
  };
  const onWay = statements
    .slice(0, hops.length)
    .toReversed()
    .map((statement): AskedProvider => ({ provider: statement.provider, statement, ...take(statement.provider) }));
  return [...onWay, ...left.map((answer): AskedProvider => ({ provider: answer.provider, answer }))];
}

/** Neither could be true or false. */
const SAYS_NOTHING: ReadonlySet<SaidKind> = new Set<SaidKind>(['refused', 'ambiguous']);

/** Whether an answer is the true one. Undefined: it says nothing that could be true. */
export function isTruthful({ statement, answer }: AskedProvider, { providers }: NetworkPlan): boolean | undefined {
  const kind = answer === undefined ? undefined : saidKind(answer.kind);
  if (answer === undefined || kind === undefined || SAYS_NOTHING.has(kind)) return undefined;
  if (statement === undefined) return kind === 'not-found';
  const { truth } = statement;
  const isNamed = (id: string): boolean => {
    const provider = providers.find((one) => one.id === id);
    return [id, provider?.name, provider?.providerId].includes(answer.named);
  };
  if (truth.kind === 'upstream') return kind === 'upstream' && isNamed(truth.provider);
  if (truth.kind === 'point-of-entry' && kind === 'upstream') return isNamed(truth.foreign);
  return kind === truth.kind;
}

/** Whether a provider is abroad, where no traceback reaches. */
export const isForeign = (id: string, { providers }: NetworkPlan): boolean =>
  providers.some((one) => one.id === id && one.role === 'foreign');
