import { HopbackError } from '@hopback/sdk/errors';
import { numberAt, readNumberRange } from '../../scenario/index.js';
import type { Scenario } from '../../scenario/index.js';
import type { NetworkPlan, PlannedNetwork } from './plan.js';
import { plannedCalls } from './planned-calls.js';
import { plannedProviders } from './planned-providers.js';
import { scaleScenario } from './scale-scenario.js';

/** Settings of {@link planNetwork}. */
export interface PlanOptions {
  /** Whole number of 0 or more. Default that of the scenario, or 1. */
  readonly seed?: number;
  /** One call of each caller, and no phases. Default false. */
  readonly onceOnly?: boolean;
  /** Factor by which everything in the scenario that takes time is longer: 0.1 makes a run of a minute one of six seconds. Rates stay. Default 1. */
  readonly scale?: number;
}

/** What a plan may be stretched by. */
const MAX_SCALE = 1_000;

/**
 * Makes a plan of a scenario: who exists, which calls are placed when, by which way, and what is said. The same scenario and seed make the same plan; a
 * change of one caller leaves the calls of the others as they are, but for a change of its share.
 * @param scenario - from {@link readScenario} or {@link defineScenario}, which have checked it
 * @param options - seed, and what is planned of it
 * @returns the plan with all its calls, a few hundred bytes each
 * @throws {@link HopbackError} `invalid-argument` for a seed or scale out of bounds
 * @see {@link plannedCalls} for more calls than fit into memory
 * @example
 * ```ts
 * const plan = planNetwork(await readShippedScenario('three-hops'), { seed: 7, scale: 0.1 });
 * console.log(plan.calls[0]?.way.length); // 3
 * ```
 */
export function planNetwork(scenario: Scenario, options: PlanOptions = {}): NetworkPlan {
  const network = planProviders(scenario, options);
  return { ...network, calls: [...plannedCalls(network)] };
}

/**
 * The part of a plan that is there before any call: {@link plannedCalls} makes the calls of it.
 * @param scenario - as for {@link planNetwork}
 * @param options - as for {@link planNetwork}
 * @returns the providers, and what calls are made of
 * @throws {@link HopbackError} `invalid-argument` for a seed or scale out of bounds
 * @see {@link planNetwork}
 * @example
 * ```ts
 * const network = planProviders(await readShippedScenario('three-hops'));
 * console.log(network.providers.length); // 3
 * ```
 */
export function planProviders(scenario: Scenario, options: PlanOptions = {}): PlannedNetwork {
  const { seed = scenario.seed ?? 1, onceOnly = false, scale = 1 } = options;
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new HopbackError('invalid-argument', `a seed must be a whole number of 0 or more, not ${String(seed)}`);
  if (!(scale > 0 && scale <= MAX_SCALE))
    throw new HopbackError('invalid-argument', `a scale must be more than 0 and at most 1000, not ${String(scale)}`);
  const scaled = scaleScenario(scenario, scale);
  return {
    ...{ scenario: scaled, seed, onceOnly },
    providers: plannedProviders(scaled),
    durationMs: Math.round(scaled.phases.reduce((sum, { seconds }) => sum + seconds, 0) * 1_000),
    doNotOriginate: doNotOriginate(scaled),
  };
}

/** Every number that a `dno` caller shows, once. */
function doNotOriginate({ callers }: Scenario): readonly string[] {
  const numbers = new Set<string>();
  for (const { numbers: shown } of callers) {
    if (shown.kind !== 'dno') continue;
    for (const { first, count } of shown.numbers.flatMap((text) => readNumberRange(text) ?? []))
      for (let place = 0; place < count; place += 1) numbers.add(numberAt(first, place));
  }
  return [...numbers];
}
