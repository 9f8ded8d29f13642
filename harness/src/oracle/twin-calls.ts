import type { PlannedCall } from '../network/plan/index.js';
import type { Judging } from './judging.js';

/**
 * Which of the calls that are traced have, somewhere on their way, the numbers of another call of the plan: whoever is asked about one of them may
 * not be able to tell them apart. The plan is gone through once.
 */
export function twinsOf({ plan, truth, facts }: Judging): (callIndex: number) => boolean {
  const calls = new Map<string, number>();
  const renumbering = new Set(
    plan.providers.flatMap(({ id, behaviours }) =>
      behaviours.some(({ kind }) => kind === 'diverts' || kind === 'rewrites-numbers') ? [id] : [],
    ),
  );
  const pairsOf = (call: PlannedCall): ReadonlySet<string> => {
    const pairs = new Set([pair(call)]);
    if (call.way.some((id) => renumbering.has(id)))
      for (const { sends } of truth.carried(call).hops) pairs.add(pair(sends));
    return pairs;
  };
  const traced = new Set(facts.tracebacks.flatMap(({ callIndex }) => plan.calls[callIndex] ?? []));
  for (const call of traced) for (const numbers of pairsOf(call)) calls.set(numbers, 0);
  if (traced.size > 0)
    for (const call of plan.calls)
      for (const numbers of pairsOf(call)) {
        const count = calls.get(numbers);
        if (count !== undefined) calls.set(numbers, count + 1);
      }
  return (callIndex) => {
    const call = plan.calls[callIndex];
    return call !== undefined && [...pairsOf(call)].some((numbers) => (calls.get(numbers) ?? 0) > 1);
  };
}

function pair({ calling, called }: { readonly calling: string; readonly called: string }): string {
  return `${calling} ${called}`;
}
