import { MAX_FAULTS } from '../limits.js';
import type { Scenario, ScenarioTrace } from '../scenario.js';
import type { Complaint } from './complaint.js';
import { suggestion } from './near-words.js';

/** Names that are there twice, and names of what is not there. */
export function checkReferences(scenario: Scenario): readonly Complaint[] {
  const { providers, trunks, callers, called, phases, platform } = scenario;
  const known = providers.map(({ id }) => id);
  const provider = naming('provider', known);
  const destination = naming(
    'entry of called',
    called.map(({ id }) => id),
  );
  const caller = naming(
    'caller',
    callers.map(({ id }) => id),
  );
  return [
    ...twice('providers', known),
    ...twice(
      'callers',
      callers.map(({ id }) => id),
    ),
    ...twice(
      'called',
      called.map(({ id }) => id),
    ),
    ...twice(
      'phases',
      phases.map(({ name }) => name),
      'name',
    ),
    ...twice(
      'providers',
      providers.map(({ spc }) => spc),
      'spc',
    ),
    ...twice(
      'trunks',
      trunks.map(({ from, to }) => `${from} to ${to}`),
      'to',
    ),
    ...trunks.flatMap(({ from, to }, at) => [
      ...provider(from, ['trunks', at, 'from']),
      ...provider(to, ['trunks', at, 'to']),
      ...(from === to ? [{ path: ['trunks', at, 'to'], message: 'leads back to where it comes from' }] : []),
    ]),
    ...callers.flatMap(({ at: home, calls }, at) => [
      ...provider(home, ['callers', at, 'at']),
      ...calls.flatMap((id, place) => destination(id, ['callers', at, 'calls', place])),
    ]),
    ...called.flatMap(({ at: home }, at) => provider(home, ['called', at, 'at'])),
    ...phases.flatMap((phase, at) =>
      (phase.callers ?? []).flatMap((id, place) => caller(id, ['phases', at, 'callers', place])),
    ),
    ...(platform?.traces ?? []).flatMap((trace, at) => [
      ...provider(trace.through, ['platform', 'traces', at, 'through']),
      ...(trace.caller === undefined ? [] : caller(trace.caller, ['platform', 'traces', at, 'caller'])),
      ...missedBehaviour(trace, { providers, path: ['platform', 'traces', at, 'behaviour'] }),
    ]),
    ...providers.flatMap(({ id, behaviours = [] }, at) =>
      behaviours.flatMap((behaviour, place) => {
        if (!('provider' in behaviour)) return [];
        const path = ['providers', at, 'behaviours', place, 'provider'];
        if (behaviour.provider === id) return [{ path, message: 'is the provider itself: name another' }];
        return provider(behaviour.provider, path);
      }),
    ),
  ];
}

/** A call is to be traced for what a provider does that does no such thing. */
function missedBehaviour(
  { through, behaviour }: ScenarioTrace,
  { providers, path }: { readonly providers: Scenario['providers'] } & Pick<Complaint, 'path'>,
): readonly Complaint[] {
  const provider = providers.find(({ id }) => id === through);
  if (behaviour === undefined || provider === undefined) return [];
  const kinds = (provider.behaviours ?? []).map(({ kind }) => kind);
  if (kinds.includes(behaviour)) return [];
  return [{ path, message: `is none of ${through}${suggestion(behaviour, kinds)}` }];
}

type Naming = (id: string, path: Complaint['path']) => readonly Complaint[];

function naming(what: string, known: readonly string[]): Naming {
  const set = new Set(known);
  let missing = 0;
  return (id, path) => {
    if (set.has(id)) return [];
    missing += 1;
    // Words are compared with all that there are: not for more than are told.
    const meant = missing > MAX_FAULTS ? '' : suggestion(id, known);
    return [{ path, message: `there is no ${what} ${id}${meant}` }];
  };
}

function twice(list: string, names: readonly (string | undefined)[], member = 'id'): readonly Complaint[] {
  const seen = new Set<string>();
  return names.flatMap((name, at) => {
    if (name === undefined) return [];
    if (seen.has(name)) return [{ path: [list, at, member], message: `${name} is there twice` }];
    seen.add(name);
    return [];
  });
}
