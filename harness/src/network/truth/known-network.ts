import { isUnder } from '../plan/index.js';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../plan/index.js';
import type { Behaviour } from '../../scenario/index.js';
import { effectsOf } from './behaviours/index.js';
import type { BehaviourEffects } from './behaviours/index.js';
import type { TrueIdentity } from './truth.js';

/** A behaviour of a provider, and what follows from it. */
export interface KnownBehaviour {
  readonly behaviour: Behaviour;
  readonly effects: BehaviourEffects;
}

/** A provider, and what it does. */
export interface KnownProvider {
  readonly planned: PlannedProvider;
  readonly behaviours: readonly KnownBehaviour[];
  readonly isForeign: boolean;
}

/** A plan, arranged so that the truth of a call is told fast. */
export interface KnownNetwork {
  readonly plan: NetworkPlan;
  readonly providers: ReadonlyMap<string, KnownProvider>;
  /** Calls that a provider is sent in each second of the run; for providers that can be overloaded alone. */
  readonly load: (provider: string) => ReadonlyMap<number, number>;
  /** By provider, the first Identity that it sent on, and of which call: found when one is replayed. Undefined: it is being looked for, or there is none. */
  readonly replayed: Map<string, ReplayedIdentity | undefined>;
}

/** An Identity that a provider kept. */
export interface ReplayedIdentity {
  readonly callIndex: number;
  readonly identity: readonly TrueIdentity[];
}

/** Arranges a plan. */
export function knownNetwork(plan: NetworkPlan): KnownNetwork {
  const providers = new Map<string, KnownProvider>();
  for (const planned of plan.providers) {
    providers.set(planned.id, {
      planned,
      behaviours: planned.behaviours.map((behaviour) => ({ behaviour, effects: effectsOf(behaviour) })),
      isForeign: planned.role === 'foreign' || planned.country !== 'US',
    });
  }
  let loads: ReadonlyMap<string, ReadonlyMap<number, number>> | undefined;
  return {
    plan,
    providers,
    load: (provider) => {
      loads ??= countLoads(plan);
      return loads.get(provider) ?? NOTHING;
    },
    replayed: new Map(),
  };
}

const NOTHING: ReadonlyMap<number, number> = new Map();

/** A provider of the plan; a way leads over no other. */
export function providerOf({ providers }: KnownNetwork, id: string): KnownProvider {
  const known = providers.get(id);
  if (known === undefined) throw new RangeError(`a way leads over ${id}, which is no provider of the plan`);
  return known;
}

/** What a provider does to, or says of, one call, in the order of its behaviours. */
export function effectsUnder(
  { behaviours, planned }: KnownProvider,
  { network, call }: { readonly network: KnownNetwork; readonly call: PlannedCall },
): readonly BehaviourEffects[] {
  if (behaviours.length === 0) return NONE;
  const context = { seed: network.plan.seed, providerId: planned.id, callIndex: call.index, atMs: call.atMs };
  return behaviours.filter(({ behaviour }) => isUnder(behaviour, context)).map(({ effects }) => effects);
}

const NONE: readonly BehaviourEffects[] = [];

function countLoads({ providers, calls }: NetworkPlan): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const loads = new Map<string, Map<number, number>>();
  for (const { id, behaviours } of providers)
    if (behaviours.some(({ kind }) => kind === 'overloads')) loads.set(id, new Map());
  for (const { way, atMs } of calls) {
    const second = Math.floor(atMs / 1_000);
    for (const id of way) {
      const load = loads.get(id);
      if (load !== undefined) load.set(second, (load.get(second) ?? 0) + 1);
    }
  }
  return loads;
}
