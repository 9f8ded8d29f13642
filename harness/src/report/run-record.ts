import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import { saidKind } from '../network/truth/index.js';
import type { CallTruth, SaidKind, TrueStatement } from '../network/truth/index.js';
import type { FoundSoFar, SeenMessage } from '../network/world/index.js';
import { hopVerdict } from '../oracle/index.js';
import type { HopPair, Metric, OracleReport, RunFacts, SeenAnswer, SeenCall, SeenTraceback } from '../oracle/index.js';

/** A threshold of a scenario and what it was held against. */
export interface JudgedThreshold {
  readonly metric: string;
  /** As the scenario writes it: `rate==1`, `p(99)<20`. */
  readonly threshold: string;
  readonly isMet: boolean;
  /** The figure that it was held against, as text; `nothing was measured` where there was none. */
  readonly seen: string;
}

/**
 * Why a run ended: all calls of the plan are over; somebody stopped it by key or over HTTP; a signal came; its time was up; or a threshold with
 * `abortOnFail` was not met.
 */
export type RunEnd = 'plan' | 'stopped' | 'signal' | 'timeout' | 'threshold';

/**
 * What a run came to. `incomplete`: all that was seen is as it should be, and part of the plan was not carried out, of which nothing is proved.
 * `no-calls`: none was placed, so nothing is proved at all.
 */
export type RunVerdict = 'passed' | 'failed' | 'incomplete' | 'timeout' | 'no-calls';

/** How things stood at one instant of a run. Latencies are of the calls that ended since the one before, milliseconds. */
export interface RunSnapshot {
  /** From the beginning, milliseconds. */
  readonly atMs: number;
  readonly phase: string;
  /** What the plan was carried out with: 1 is as written, 0 is paused. */
  readonly rateFactor: number;
  /** Counts from the beginning. `wrong`: ended in another way than is true of them. */
  readonly placed: number;
  readonly unplaced: number;
  readonly ended: number;
  readonly wrong: number;
  /** Calls that are up now. */
  readonly up: number;
  /** Calls placed each second, since the snapshot before. */
  readonly placedPerSecond: number;
  /** From INVITE to final response. Absent: no call ended. */
  readonly setupMs?: LatencySummary;
  /** How long hops held INVITEs. */
  readonly heldMs?: LatencySummary;
  /** What the platform had found when it was last asked. Absent: there is none, or it has not been asked yet. */
  readonly found?: FoundSoFar;
}

/** Percentiles of a time, milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A call of which everything is shown, and why it was chosen. */
export interface SampledCall {
  readonly index: number;
  /** `failed`: the oracle has found something; `traced`: a traceback is about it; `example`: one of its kind. */
  readonly why: 'failed' | 'traced' | 'example';
  readonly truth: CallTruth;
  readonly seen: SeenCall;
  /** Messages of all its providers, in the order of their times. Empty where none were kept. */
  readonly messages: readonly SeenMessage[];
}

/** All that is known of a run when it is over: what every file of its folder is made from. */
export interface RunRecord {
  readonly plan: NetworkPlan;
  readonly facts: RunFacts;
  readonly oracle: OracleReport;
  readonly thresholds: readonly JudgedThreshold[];
  readonly end: RunEnd;
  readonly verdict: RunVerdict;
  readonly snapshots: readonly RunSnapshot[];
  readonly samples: readonly SampledCall[];
  /** What is true of a call of the plan, by its index. */
  readonly truthOf: (index: number) => CallTruth;
  /** The command that makes the same run again. */
  readonly command: string;
  /** Version of the harness. */
  readonly version: string;
}

/** A metric in a few words: `0.993 (149 of 150)`, `12`, `p50 3.1, p95 9.8, p99 14.2, max 20`. */
export function metricText(metric: Metric): string {
  switch (metric.kind) {
    case 'count':
      return String(metric.count);
    case 'rate':
      return metric.of === 0 ? 'nothing to judge' : `${rounded(metric.value)} (${metric.good} of ${metric.of})`;
    default: {
      if (metric.count === 0) return 'nothing was measured';
      const { percentiles, max, count } = metric;
      return `p50 ${rounded(percentiles['50'])}, p95 ${rounded(percentiles['95'])}, p99 ${rounded(percentiles['99'])}, max ${rounded(max)} (${count})`;
    }
  }
}

/** A number with as many digits as anybody reads: three behind the point below 10, one below 1,000, none above. */
export function rounded(value: number): string {
  const size = Math.abs(value);
  const digits = size < 10 ? 3 : size < 1_000 ? 1 : 0;
  return String(Number(value.toFixed(digits)));
}

/** Percentiles of some times by nearest rank; undefined of none. */
export function latencySummary(times: readonly number[]): LatencySummary | undefined {
  if (times.length === 0) return undefined;
  const sorted = times.toSorted((one, other) => one - other);
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  return {
    count: sorted.length,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
  };
}

/** Whether a plan has a call of this index; what was seen may speak of others, which the oracle finds fault with. */
export function hasCall({ calls }: NetworkPlan, index: number): boolean {
  return calls[index]?.index === index;
}

/** Whether there is nothing wrong with what was seen of a hop. */
export function isVerdictTrue(pair: HopPair): boolean {
  return pair.seen !== undefined && hopVerdict(pair) !== 'wrong';
}

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

/** A call that is to be shown, and why. */
interface ChosenCall {
  readonly index: number;
  readonly why: 'failed' | 'traced' | 'example';
}

/** Calls of which a report shows everything: more would make a file that no mail carries. */
export const SAMPLE_LIMITS: {
  readonly failed: number;
  readonly traced: number;
  readonly ofEachKind: number;
  readonly examples: number;
} = { failed: 50, traced: 20, ofEachKind: 2, examples: 20 };

/** What makes two calls alike: who called, and by which way. */
export function kindOfCall({ caller, way, phase }: PlannedCall): string {
  return `${phase}\n${caller}\n${way.join('>')}`;
}

/** Chooses the calls that a report shows: those with findings first, then those that were traced, then some of each kind. */
export function chooseSamples(
  plan: NetworkPlan,
  { facts, oracle }: { readonly facts: RunFacts; readonly oracle: OracleReport },
): readonly ChosenCall[] {
  const chosen = new Map<number, ChosenCall>();
  const choose = (index: number, why: ChosenCall['why']): void => {
    if (!chosen.has(index)) chosen.set(index, { index, why });
  };
  for (const { callIndex } of oracle.findings) {
    if (callIndex !== undefined && chosen.size < SAMPLE_LIMITS.failed) choose(callIndex, 'failed');
  }
  for (const { callIndex } of facts.tracebacks.slice(0, SAMPLE_LIMITS.traced)) choose(callIndex, 'traced');
  const placed = new Set(facts.calls.filter(({ placedAtMs }) => placedAtMs !== undefined).map(({ index }) => index));
  const kinds = new Map<string, number>();
  let examples = 0;
  for (const call of plan.calls) {
    const kind = kindOfCall(call);
    const before = kinds.get(kind) ?? 0;
    if (before >= SAMPLE_LIMITS.ofEachKind || examples >= SAMPLE_LIMITS.examples || !placed.has(call.index)) continue;
    kinds.set(kind, before + 1);
    if (chosen.has(call.index)) continue;
    choose(call.index, 'example');
    examples += 1;
  }
  return [...chosen.values()];
}
