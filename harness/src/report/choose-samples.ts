import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import type { OracleReport, RunFacts } from '../oracle/index.js';

/** A call that is to be shown, and why. */
export interface ChosenCall {
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
