import type { Scenario } from '../scenario.js';
import { isInRange } from '../number-ranges.js';
import type { Complaint } from './complaint.js';

/** Most times that a call may be diverted: further on it goes in circles. */
export const MAX_DIVERSIONS = 5;

/** Calls that cannot come to where they are for, whether they are diverted or not. */
export function checkWays(scenario: Scenario): readonly Complaint[] {
  const reachable = reachability(scenario);
  const home = new Map(scenario.called.map(({ id, at }) => [id, at]));
  return [
    ...scenario.callers.flatMap(({ at: from, calls }, at) =>
      calls.flatMap((id, place) => {
        const to = home.get(id);
        if (to === undefined || reachable(from).has(to)) return [];
        const message = `no way leads from ${from} to ${to}, which serves ${id}: a trunk is missing`;
        return [{ path: ['callers', at, 'calls', place], message }];
      }),
    ),
    ...checkDiversions(scenario, reachable),
    ...checkForks(scenario),
  ];
}

/** Ids that calls can come to from a provider, itself among them; each provider is walked from once. */
function reachability({ trunks }: Scenario): (from: string) => ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const { from, to } of trunks) {
    const known = next.get(from);
    if (known === undefined) next.set(from, [to]);
    else known.push(to);
  }
  const found = new Map<string, ReadonlySet<string>>();
  return (from) => {
    const known = found.get(from);
    if (known !== undefined) return known;
    const reached = new Set([from]);
    // A set hands out what is added while it is walked.
    for (const id of reached) for (const to of next.get(id) ?? []) reached.add(to);
    found.set(from, reached);
    return reached;
  };
}

function checkDiversions(
  { providers, called }: Scenario,
  reachable: (from: string) => ReadonlySet<string>,
): readonly Complaint[] {
  const servedBy = (number: string): string | undefined =>
    called.find(({ first, count = 1 }) => isInRange(number, { first, count }))?.at;
  const diverted = new Map<string, string>();
  const complaints = providers.flatMap(({ id, behaviours = [] }, at) =>
    behaviours.flatMap((behaviour, place): readonly Complaint[] => {
      if (behaviour.kind !== 'diverts') return [];
      const path = ['providers', at, 'behaviours', place, 'to'];
      const to = servedBy(behaviour.to);
      if (!called.some((entry) => entry.at === id))
        return [{ path, message: `${id} serves no numbers: a provider diverts calls to its own subscribers` }];
      if (to === undefined) return [{ path, message: `nobody serves ${behaviour.to}: it is in no entry of called` }];
      if (to === id) return [{ path, message: 'is served by the provider itself: divert to a number of another' }];
      if (!reachable(id).has(to)) return [{ path, message: `no way leads from ${id} to ${to}, which serves it` }];
      diverted.set(id, to);
      return [];
    }),
  );
  if (complaints.length > 0) return complaints;
  return providers.flatMap(({ id }, at) => {
    let end: string | undefined = id;
    for (let times = 0; times < MAX_DIVERSIONS && end !== undefined; times += 1) end = diverted.get(end);
    const path = ['providers', at, 'behaviours'];
    return end === undefined || !diverted.has(end) ? [] : [{ path, message: 'divert calls in circles' }];
  });
}

function checkForks({ providers, trunks }: Scenario): readonly Complaint[] {
  return providers.flatMap(({ id, behaviours = [] }, at) =>
    behaviours.flatMap((behaviour, place) => {
      if (behaviour.kind !== 'forks') return [];
      const hops = trunks.filter(({ from }) => from === id).length;
      if (hops >= behaviour.branches) return [];
      const message = `is more than the ${String(hops)} trunks that ${id} has`;
      return [{ path: ['providers', at, 'behaviours', place, 'branches'], message }];
    }),
  );
}
