import { behaviourHolds } from '../plan/index.js';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../plan/index.js';
import type { Behaviour } from '../../scenario/index.js';
import { effectsOf } from './behaviours.js';
import type { BehaviourEffects } from './behaviours.js';
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
  /** Whether what it does depends on where on the way it is. */
  readonly doesDivert: boolean;
}

/** A plan, arranged so that the truth of a call is told fast. */
export interface KnownNetwork {
  readonly plan: NetworkPlan;
  readonly providers: ReadonlyMap<string, KnownProvider>;
  /** Calls that a provider is sent in each second of the run; for providers that can be overloaded alone. */
  readonly load: (provider: string) => ReadonlyMap<number, number>;
  /** By provider, the Identities of which it may have kept any: found when one is replayed. */
  readonly replayed: Map<string, readonly ReplayedIdentity[]>;
  /** What the providers do to the call that was asked about last: of one call several things are asked, and to draw costs most of the time. */
  readonly drawn: { call: PlannedCall | undefined; readonly effects: Map<string, readonly BehaviourEffects[]> };
}

/** An Identity that a provider kept. */
export interface ReplayedIdentity {
  readonly callIndex: number;
  readonly atMs: number;
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
      doesDivert: planned.behaviours.some(({ kind }) => kind === 'diverts'),
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
    drawn: { call: undefined, effects: new Map() },
  };
}

const NOTHING: ReadonlyMap<number, number> = new Map();

/** A provider of the plan; a way leads over no other. */
export function providerOf({ providers }: KnownNetwork, id: string): KnownProvider {
  const known = providers.get(id);
  if (known === undefined) throw new RangeError(`a way leads over ${id}, which is no provider of the plan`);
  return known;
}

/** What a provider does to, or says of, one call, in the order of its behaviours; `hop`: where on the way, for what is done there alone. */
export function effectsUnder(
  { behaviours, planned, doesDivert }: KnownProvider,
  { network, call }: { readonly network: KnownNetwork; readonly call: PlannedCall },
  hop?: number,
): readonly BehaviourEffects[] {
  if (behaviours.length === 0) return NONE;
  const { drawn, plan } = network;
  if (drawn.call !== call) {
    drawn.call = call;
    drawn.effects.clear();
  }
  const key = hop === undefined || !doesDivert ? planned.id : `${planned.id} ${hop}`;
  const known = drawn.effects.get(key);
  if (known !== undefined) return known;
  const effects = behaviours
    .filter(({ behaviour }, place) => {
      // To where a call is forwarded is planned: by who serves the number that was called.
      if (behaviour.kind === 'diverts')
        return call.diversions?.some((one) => one.hop === hop && one.behaviour === place) === true;
      return behaviourHolds(behaviour, call, { seed: plan.seed, provider: planned.id, place });
    })
    .map((one) => one.effects);
  drawn.effects.set(key, effects);
  return effects;
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
