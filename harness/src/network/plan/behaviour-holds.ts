import { createSeededRandom } from '../../faults/index.js';
import type { Behaviour } from '../../scenario/index.js';
import type { PlannedCall } from './plan.js';

/** Whose behaviour, and at which place among those of the provider. */
export interface BehaviourPlace {
  readonly seed: number;
  readonly provider: string;
  readonly place: number;
}

/**
 * Whether a behaviour holds for a call: it is placed within its time, and the seed drew it where only a part of the calls is concerned. Plan, truth and whoever
 * carries the plan out ask this, so that they agree. What is drawn depends on the call itself and not on its index: other calls may come and go.
 * @param behaviour - of the planned provider, whose seconds are those of the plan
 * @param call - as it was planned
 * @param of - seed of the plan, id of the provider, place of the behaviour
 * @returns whether it holds; never throws
 */
export function behaviourHolds(
  behaviour: Behaviour,
  call: Pick<PlannedCall, 'atMs' | 'caller' | 'calling' | 'called'>,
  of: BehaviourPlace,
): boolean {
  const { fromSeconds = 0, untilSeconds = Number.POSITIVE_INFINITY, share = 1 } = behaviour;
  if (call.atMs < fromSeconds * 1_000 || call.atMs >= untilSeconds * 1_000) return false;
  if (share >= 1) return true;
  const { atMs, caller, calling, called } = call;
  const name = ['behaviour', of.provider, of.place, caller, calling, called, atMs].join('/');
  return createSeededRandom(of.seed, name).next() < share;
}
