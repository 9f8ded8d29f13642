import type { NetworkPlan, PlannedCall } from '../plan/index.js';
import { carryCall } from './carry-call.js';
import type { CarriedCall } from './carry-call.js';
import { culpritOf, fairOutcomesOf } from './fair-outcomes.js';
import { knownNetwork, providerOf } from './known-network.js';
import type { KnownNetwork } from './known-network.js';
import { createRemembered } from './remembered.js';
import { habitsOf, isLate, saidElsewhere, statementsOf } from './statements.js';
import type { AnsweringHabits, CallTruth, CarriedTruth, GivenAnswer, TrueStatement } from './truth.js';

/** What is true of the calls of a plan. Nothing is kept of a call: each is told anew, in some microseconds. */
export interface NetworkTruth {
  readonly plan: NetworkPlan;
  /** Where a call of the plan comes to, and how it ends. */
  readonly carried: (call: PlannedCall) => CarriedTruth;
  /** Truth of a call of the plan. */
  readonly ofCall: (call: PlannedCall) => CallTruth;
  /** What a provider says when it is asked about a call that never came to it. `provider` is one of the plan. */
  readonly saidElsewhere: (call: PlannedCall, provider: string) => GivenAnswer;
  /** What a provider does with requests about a call, whether it had the call or not. */
  readonly habits: (call: PlannedCall, provider: string) => AnsweringHabits;
  /** Whether a provider may have said nothing about a call when its time is up: it does not answer, or answers late. */
  readonly mayBeSilent: (call: PlannedCall, provider: string) => boolean;
  /**
   * Whether an outcome may name a provider as where a call began or came into the country: it is so, or the provider says so of itself, falsely.
   * Nobody else may be named, on whosever word.
   */
  readonly mayBeNamed: (call: PlannedCall, provider: string) => boolean;
}

/**
 * Arranges a plan so that the truth of each of its calls can be told.
 * @param plan - whose calls lead over its own providers
 * @returns the truth, the same object for the same plan; its functions throw `RangeError` for providers that the plan does not have. Never throws of itself
 * @see {@link callTruth}
 * @example
 * ```ts
 * const plan = planNetwork(await readShippedScenario('three-hops'), { onceOnly: true });
 * const truth = networkTruth(plan);
 * console.log(plan.calls.every((call) => truth.ofCall(call).finalStatus.length > 0)); // true
 * ```
 */
export function networkTruth(plan: NetworkPlan): NetworkTruth {
  return truthOfPlan(plan);
}

/** For plans that somebody still holds. */
const truthOfPlan = createRemembered((plan: NetworkPlan): NetworkTruth => {
  const network = knownNetwork(plan);
  return {
    plan,
    carried: (call) => carriedOnce(network, call),
    ofCall: (call) => truthOf(network, call),
    saidElsewhere: (call, provider) => saidElsewhere(network, call, provider),
    habits: (call, provider) => habitsOf(network, call, provider),
    mayBeSilent: (call, provider) =>
      habitsOf(network, call, provider).says?.kind === 'silent' || isLate(network, call, provider),
    mayBeNamed: (call, provider) => mayBeNamed(network, call, provider),
  };
});

/**
 * Tells what is true of a call: through which providers it comes, what each of them receives, finds, sends and writes down, what it will answer, and what a
 * traceback may fairly come to. From the plan alone, without verification or traceback code.
 * @param plan - that the call belongs to
 * @param call - of the plan
 * @returns the truth; the same plan and call always have the same
 * @throws `RangeError` where the way leads over a provider that the plan does not have
 * @see RFC 8224 section 6.2; RFC 8588; RFC 8946; ATIS-1000082; 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const plan = planNetwork(await readShippedScenario('three-hops'), { onceOnly: true });
 * for (const call of plan.calls.slice(0, 1)) console.log(callTruth(plan, call).culprit.kind); // origin
 * ```
 */
export function callTruth(plan: NetworkPlan, call: PlannedCall): CallTruth {
  return networkTruth(plan).ofCall(call);
}

/** The call that was asked about last: who carries a plan out and who judges it ask about one after the other. */
const lastOf = createRemembered((_network: KnownNetwork): { carried?: readonly [PlannedCall, CarriedCall] } => ({}));

function carriedOnce(network: KnownNetwork, call: PlannedCall): CarriedCall {
  const last = lastOf(network);
  if (last.carried?.[0] === call) return last.carried[1];
  const carried = carryCall(network, call);
  last.carried = [call, carried];
  return carried;
}

function truthOf(network: KnownNetwork, call: PlannedCall): CallTruth {
  const { hops, finalStatus } = carriedOnce(network, call);
  const culprit = culpritOf(network, call);
  const statements = statementsOf(network, call, hops);
  const fairOutcomes = fairOutcomesOf({ network, call, hops, statements });
  const innocent = new Set(
    call.way.filter(
      (provider) => provider !== culprit.provider && !saysItself(network, call, { provider, statements }),
    ),
  );
  return { index: call.index, hops, finalStatus, culprit, answers: statements, fairOutcomes, innocent: [...innocent] };
}

function mayBeNamed(network: KnownNetwork, call: PlannedCall, provider: string): boolean {
  if (!network.providers.has(provider)) return false;
  if (culpritOf(network, call).provider === provider) return true;
  const { hops } = carriedOnce(network, call);
  return saysItself(network, call, { provider, statements: statementsOf(network, call, hops) });
}

/** Whether a provider says of itself what is not so: that the call began, or came into the country, with it. */
function saysItself(
  network: KnownNetwork,
  call: PlannedCall,
  { provider, statements }: { readonly provider: string; readonly statements: readonly TrueStatement[] },
): boolean {
  const own = statements.find((one) => one.provider === provider && one.given !== one.truth)?.given;
  const said =
    own ?? (providerOf(network, provider).behaviours.length === 0 ? undefined : saidElsewhere(network, call, provider));
  return said !== undefined && isSelfAccusation(network, said);
}

/** Who names a foreign provider says thereby that it took the call from abroad. */
function isSelfAccusation(network: KnownNetwork, said: GivenAnswer): boolean {
  if (said.kind === 'upstream') return network.providers.get(said.provider)?.isForeign === true;
  return said.kind === 'origin' || said.kind === 'point-of-entry';
}
