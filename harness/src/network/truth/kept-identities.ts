import type { PlannedCall } from '../plan/index.js';
import { effectsUnder, providerOf } from './known-network.js';
import type { KnownNetwork, ReplayedIdentity } from './known-network.js';
import type { CallOf } from './sign-leg.js';
import type { CarriedTruth, TrueIdentity } from './truth.js';

/** Carries a call along its way. */
type Carry = (network: KnownNetwork, call: PlannedCall) => CarriedTruth;

/** Among the first calls of a provider: where none of so many is signed, none is kept. */
const CALLS_TO_REPLAY = 1_000;
/** Calls that are placed so near to each other come to a provider in any order, milliseconds. */
const ANY_ORDER_MS = 3_000;

/**
 * What a provider that replays may have kept by the time of a call, each time the whole Identity of an earlier one: that of the first one that had
 * any, of which it cannot be known which it was where several came at once. Undefined stands for this call itself being the first.
 */
export function keptIdentities(
  id: string,
  { network, call }: CallOf,
  carry: Carry,
): readonly (readonly TrueIdentity[] | undefined)[] {
  if (!network.replayed.has(id)) {
    // While they are looked for there are none: two that replay on one way would else wait for each other.
    network.replayed.set(id, []);
    network.replayed.set(id, firstIdentities(id, network, carry));
  }
  const kept = network.replayed.get(id) ?? [];
  const [first] = kept;
  if (first === undefined) return [];
  const isFirst = call.atMs <= first.atMs + ANY_ORDER_MS;
  const others = kept.filter(({ callIndex, atMs }) => callIndex !== call.index && atMs <= call.atMs + ANY_ORDER_MS);
  return [...others.map(({ identity }) => identity), ...(isFirst ? [undefined] : [])];
}

function firstIdentities(id: string, network: KnownNetwork, carry: Carry): readonly ReplayedIdentity[] {
  const kept: ReplayedIdentity[] = [];
  let tried = 0;
  for (const call of network.plan.calls) {
    const [first] = kept;
    if (first !== undefined && call.atMs > first.atMs + ANY_ORDER_MS) break;
    if (!call.way.includes(id) || !isReplaying(id, { network, call })) continue;
    tried += 1;
    if (tried > CALLS_TO_REPLAY) break;
    const sends = carry(network, call).hops.find(({ provider }) => provider === id)?.sends;
    if (sends === undefined || sends.identity.length === 0) continue;
    kept.push({ callIndex: call.index, atMs: call.atMs, identity: sends.identity });
  }
  return kept;
}

function isReplaying(id: string, { network, call }: CallOf): boolean {
  const effects = effectsUnder(providerOf(network, id), { network, call });
  return effects.some(({ isReplaying: replays }) => replays === true);
}
