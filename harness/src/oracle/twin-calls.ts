import type { PlannedCall } from '../network/plan/index.js';
import type { Judging } from './judging.js';

/**
 * Other calls of the plan that have, somewhere on their way, the numbers of one that is traced: whoever is asked about it may not be able to tell them
 * apart. The plan is gone through once.
 */
export function twinsOf({ plan, truth, facts }: Judging): (callIndex: number) => readonly PlannedCall[] {
  const calls = new Map<string, PlannedCall[]>();
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
  for (const call of traced) for (const numbers of pairsOf(call)) calls.set(numbers, []);
  if (traced.size > 0)
    for (const call of plan.calls) for (const numbers of pairsOf(call)) calls.get(numbers)?.push(call);
  return (callIndex) => {
    const call = plan.calls[callIndex];
    if (call === undefined) return [];
    const alike = new Set([...pairsOf(call)].flatMap((numbers) => calls.get(numbers) ?? []));
    alike.delete(call);
    return [...alike];
  };
}

function pair({ calling, called }: { readonly calling: string; readonly called: string }): string {
  return `${calling} ${called}`;
}
