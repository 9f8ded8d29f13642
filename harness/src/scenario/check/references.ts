import type { Scenario } from '../scenario.js';
import type { Complaint } from './complaint.js';
import { suggestion } from './near-words.js';

/** Names that are there twice, and names of what is not there. */
export function checkReferences(scenario: Scenario): readonly Complaint[] {
  const { providers, trunks, callers, called, phases } = scenario;
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

type Naming = (id: string, path: Complaint['path']) => readonly Complaint[];

function naming(what: string, known: readonly string[]): Naming {
  const set = new Set(known);
  return (id, path) => (set.has(id) ? [] : [{ path, message: `there is no ${what} ${id}${suggestion(id, known)}` }]);
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
