import type { Scenario, ScenarioProvider } from '../../scenario/index.js';
import type { PlannedProvider } from './plan.js';

/** Providers of a scenario with all that it leaves open. */
export function plannedProviders(scenario: Scenario): readonly PlannedProvider[] {
  const { providers, trunks, callers, called } = scenario;
  const downstream = groupBy(
    trunks,
    ({ from }) => from,
    ({ to }) => to,
  );
  const upstream = groupBy(
    trunks,
    ({ to }) => to,
    ({ from }) => from,
  );
  const customers = groupBy(
    callers,
    ({ at }) => at,
    ({ id }) => id,
  );
  const serves = groupBy(
    called,
    ({ at }) => at,
    ({ id }) => id,
  );
  const spcs = freeCodes(providers);
  return providers.map((provider, place) => {
    const { id, role, behaviours = [], numbers = [] } = provider;
    return {
      ...{ id, role, behaviours, numbers },
      name: provider.name ?? nameOf(id),
      providerId: `prv-${String(place + 1).padStart(10, '0')}`,
      spc: provider.spc ?? spcs(),
      country: provider.country ?? 'US',
      stir: provider.stir ?? role !== 'foreign',
      failureAction: provider.failureAction ?? 'continue_return_reason',
      shares: provider.shares ?? (role === 'terminating' ? 'suspicious' : 'nothing'),
      answersTracebacks: provider.answersTracebacks ?? role !== 'foreign',
      downstream: downstream.get(id) ?? [],
      upstream: upstream.get(id) ?? [],
      callers: customers.get(id) ?? [],
      serves: serves.get(id) ?? [],
    };
  });
}

/** A code that is nobody's of those providers: that of a certificate which somebody signs with whose it is not. */
export function unassignedCode(providers: readonly Pick<PlannedProvider, 'spc'>[]): string {
  const taken = new Set(providers.map(({ spc }) => spc));
  let last = 999;
  while (taken.has(`${last}Z`)) last -= 1;
  return `${last}Z`;
}

function groupBy<Item>(
  items: readonly Item[],
  by: (item: Item) => string,
  of: (item: Item) => string,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const item of items) {
    const known = groups.get(by(item));
    if (known === undefined) groups.set(by(item), [of(item)]);
    else known.push(of(item));
  }
  return groups;
}

/** `birch-valley` is Birch Valley Telecom. */
const nameOf = (id: string): string =>
  `${id
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')} Telecom`;

/** Codes as operating company numbers are written, three digits and a letter, in order, those that somebody has left out. */
function freeCodes(providers: readonly ScenarioProvider[]): () => string {
  const taken = new Set(providers.map(({ spc }) => spc));
  let next = 100;
  const code = (): string => String(next % 1_000).padStart(3, '0') + String.fromCharCode(74 + Math.floor(next / 1_000));
  return () => {
    while (taken.has(code())) next += 1;
    const free = code();
    next += 1;
    return free;
  };
}
