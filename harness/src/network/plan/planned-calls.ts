import { createSeededRandom } from '../../faults/index.js';
import type { SeededRandom } from '../../faults/index.js';
import { isInRange, MAX_DIVERSIONS } from '../../scenario/index.js';
import type { Scenario, ScenarioCalled, ScenarioPhase } from '../../scenario/index.js';
import { arrivalsOf } from './arrivals.js';
import { behaviourHolds } from './behaviour-holds.js';
import { plannedCaller } from './caller/planned-caller.js';
import type { CallerPlace, FoundWay, NextCall } from './caller/planned-caller.js';
import type { PlannedCall, PlannedNetwork } from './plan.js';
import { createRouting } from './routing.js';

/** Milliseconds between two calls where each caller calls once. */
const ONCE_EVERY_MS = 100;

/**
 * Makes the calls of a network one after the other, in the order of their time, so that a million of them need no memory. Each time it is asked it begins
 * anew, and makes the same calls.
 * @param network - from {@link planNetwork} or {@link planProviders}
 * @returns calls with index 0, 1, 2 and so on; never throws
 * @example
 * ```ts
 * const scenario = await readShippedScenario('direct');
 * let answered = 0;
 * for (const call of plannedCalls(planProviders(scenario))) if (call.isAnswered) answered += 1;
 * console.log(answered > 0); // true
 * ```
 */
export function* plannedCalls(network: PlannedNetwork): Generator<PlannedCall> {
  const { scenario, seed, onceOnly } = network;
  const random = createSeededRandom(seed, 'plan');
  const place = placeOf(network, random);
  const callers = new Map(scenario.callers.map((caller) => [caller.id, plannedCaller(caller, place)]));
  let index = 0;
  for (const { atMs, phase, next } of onceOnly ? onceEach(scenario, callers) : byPhases(scenario, callers, random)) {
    const call = next(atMs, phase);
    if (call === undefined) continue;
    yield { index, ...call };
    index += 1;
  }
}

interface Due {
  readonly atMs: number;
  readonly phase: string;
  readonly next: NextCall;
}

function* onceEach({ callers, phases }: Scenario, calls: ReadonlyMap<string, NextCall>): Generator<Due> {
  let atMs = 0;
  for (const { id } of callers) {
    const phase = phases.find((one) => one.callers?.includes(id) ?? true);
    const next = calls.get(id);
    if (phase === undefined || next === undefined) continue;
    yield { atMs, phase: phase.name, next };
    atMs += ONCE_EVERY_MS;
  }
}

function* byPhases(scenario: Scenario, calls: ReadonlyMap<string, NextCall>, random: SeededRandom): Generator<Due> {
  let beginMs = 0;
  for (const phase of scenario.phases) {
    const deal = dealerOf(scenario, phase, calls);
    for (const seconds of arrivalsOf(phase, random.fork(`phase/${phase.name}`))) {
      const next = deal();
      if (next !== undefined) yield { atMs: Math.round(beginMs + seconds * 1_000), phase: phase.name, next };
    }
    beginMs += phase.seconds * 1_000;
  }
}

/** The fractions of its multiples lie as evenly as any can, however many are taken. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Deals the calls of a phase out to its callers by their shares, evenly at all times. What one of them is or does changes nothing of it but its share. */
function dealerOf(
  { callers }: Scenario,
  phase: ScenarioPhase,
  calls: ReadonlyMap<string, NextCall>,
): () => NextCall | undefined {
  const named = phase.callers === undefined ? undefined : new Set(phase.callers);
  const taking = callers.filter(({ id }) => named?.has(id) ?? true);
  const upTo: number[] = [];
  let total = 0;
  for (const { share = 1 } of taking) upTo.push((total += share));
  let dealt = 0;
  return () => {
    dealt += 1;
    const point = ((dealt * GOLDEN) % 1) * total;
    let [low, high] = [0, taking.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] ?? 0) > point) high = middle;
      else low = middle + 1;
    }
    return calls.get(taking[low]?.id ?? '');
  };
}

function placeOf({ scenario, seed, providers }: PlannedNetwork, random: SeededRandom): CallerPlace {
  const { wayOf } = createRouting(scenario);
  const entries = new Map(scenario.called.map((entry) => [entry.id, entry]));
  const servedBy = (number: string): ScenarioCalled | undefined =>
    scenario.called.find(({ first, count = 1 }) => isInRange(number, { first, count }));
  const diverting = new Map(
    providers.filter(({ behaviours }) => behaviours.some(({ kind }) => kind === 'diverts')).map((one) => [one.id, one]),
  );
  const homes = new Map(scenario.callers.map(({ id, at }) => [id, at]));
  const findWay: CallerPlace['findWay'] = (call, to, ways): FoundWay => {
    const first = wayOf(homes.get(call.caller) ?? '', to.at, ways) ?? [];
    let found: FoundWay = { way: first, diversions: [], end: to };
    for (let times = 0; times < MAX_DIVERSIONS; times += 1) {
      const at = found.way.at(-1) ?? '';
      const behaviours = diverting.get(at)?.behaviours ?? [];
      const behaviour = behaviours.findIndex(
        (one, place) => one.kind === 'diverts' && behaviourHolds(one, call, { seed, provider: at, place }),
      );
      const diverts = behaviours[behaviour];
      const end = diverts?.kind === 'diverts' ? servedBy(diverts.to) : undefined;
      if (diverts?.kind !== 'diverts' || end === undefined) return found;
      const diversion = { hop: found.way.length - 1, behaviour, to: diverts.to, destination: end.id };
      const further = wayOf(at, end.at, ways)?.slice(1) ?? [];
      found = { way: [...found.way, ...further], diversions: [...found.diversions, diversion], end };
    }
    return found;
  };
  return { entries, findWay, random };
}
