import { HopbackError } from '@hopback/sdk/errors';
import { SeededRandom } from '../../faults/index.js';
import { MAX_DIVERSIONS, isInRange, numberAt, readNumberRange } from '../../scenario/index.js';
import type {
  Scenario,
  ScenarioCalled,
  ScenarioCaller,
  ScenarioPhase,
  ScenarioProvider,
} from '../../scenario/index.js';
import { plannedCaller } from './caller/planned-caller.js';
import type { CallerPlace, PlannedPath, NextCall } from './caller/planned-caller.js';
import { behaviourHolds, createRouting } from './plan.js';
import type { NetworkPlan, PlannedCall, PlannedNetwork, PlannedProvider } from './plan.js';

/**
 * When the calls of a phase come, seconds from its beginning, in order. All shapes but `poisson` are the same for every seed: the n-th call comes when so
 * many calls and a half have come due.
 */
export function* arrivalsOf({ seconds, rate }: ScenarioPhase, random: SeededRandom): Generator<number> {
  if (rate.shape === 'poisson') {
    // Divided afterwards: of a rate of 0, and of one that is as good as 0, the wait is without end.
    const wait = (): number => random.exponential(1) / rate.perSecond;
    for (let at = wait(); at < seconds; at += wait()) yield at;
    return;
  }
  let due = 0.5;
  let before = 0;
  for (const { from, length, start, end } of stretchesOf(seconds, rate)) {
    const calls = (length * (start + end)) / 2;
    for (; due < before + calls; due += 1) yield from + timeOf(due - before, { length, start, end });
    before += calls;
  }
}

interface Slope {
  readonly length: number;
  /** Calls a second at the beginning and at the end; in between it is straight. */
  readonly start: number;
  readonly end: number;
}

type Rate = Exclude<ScenarioPhase['rate'], { shape: 'poisson' }>;

function stretchesOf(seconds: number, rate: Rate): readonly (Slope & { readonly from: number })[] {
  if (rate.shape === 'constant') return [{ from: 0, length: seconds, start: rate.perSecond, end: rate.perSecond }];
  if (rate.shape === 'ramp') return [{ from: 0, length: seconds, start: rate.from, end: rate.to }];
  const length = seconds / 3;
  return [rate.perSecond, rate.peak, rate.perSecond].map((perSecond, third) => ({
    from: third * length,
    length,
    start: perSecond,
    end: perSecond,
  }));
}

/** When so many calls have come on a slope: where the area under it is as large. */
function timeOf(calls: number, { length, start, end }: Slope): number {
  const slope = (end - start) / length;
  if (Math.abs(slope) < 1e-12) return calls / start;
  // Of both roots the one that is right for slopes of both signs, in the form that loses no digits where the slope is small.
  return (2 * calls) / (start + Math.sqrt(Math.max(0, start * start + 2 * slope * calls)));
}

/** How long calls last where a scenario does not say, seconds. */
const DURATIONS: Readonly<Record<ScenarioCaller['kind'], { readonly from: number; readonly to: number }>> = {
  robocaller: { from: 6, to: 20 },
  ordinary: { from: 30, to: 240 },
};

/**
 * A scenario whose time goes faster: phases, calls and what providers do at certain times are shorter or longer by a factor, rates stay. Durations of calls
 * that were left open are there.
 */
function scaleScenario(scenario: Scenario, scale: number): Scenario {
  const scaled = (seconds: number): number => seconds * scale;
  return {
    ...scenario,
    phases: scenario.phases.map((phase) => ({ ...phase, seconds: scaled(phase.seconds) })),
    callers: scenario.callers.map((caller) => {
      const { from, to } = caller.durationSeconds ?? DURATIONS[caller.kind];
      const { daily } = caller;
      return {
        ...caller,
        durationSeconds: { from: scaled(from), to: scaled(to) },
        ...(daily === undefined
          ? {}
          : { daily: { ...daily, hoursPerSecond: (daily.hoursPerSecond ?? 1 / 3_600) / scale } }),
      };
    }),
    providers: scenario.providers.map((provider) => {
      if (provider.behaviours === undefined) return provider;
      const behaviours = provider.behaviours.map((behaviour) => ({
        ...behaviour,
        ...(behaviour.fromSeconds === undefined ? {} : { fromSeconds: scaled(behaviour.fromSeconds) }),
        ...(behaviour.untilSeconds === undefined ? {} : { untilSeconds: scaled(behaviour.untilSeconds) }),
      }));
      return { ...provider, behaviours };
    }),
  };
}

/** Providers of a scenario with all that it leaves open. */
function plannedProviders(scenario: Scenario): readonly PlannedProvider[] {
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
      id,
      role,
      behaviours,
      numbers,
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

/** Milliseconds between two calls where each caller calls once. */
const ONCE_EVERY_MS = 100;

/**
 * Makes the calls of a network one after the other, in the order of their time, so that a million of them need no memory. Each time it is asked it begins
 * anew, and makes the same calls.
 * @param network - from {@link planNetwork} or {@link planProviders}
 * @returns calls with index 0, 1, 2 and so on; never throws
 * @see {@link planNetwork} for all of them at once
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
  const random = new SeededRandom(seed, 'plan');
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
  const findWay: CallerPlace['findWay'] = (call, to, ways): PlannedPath => {
    const first = wayOf(homes.get(call.caller) ?? '', to.at, ways) ?? [];
    let found: PlannedPath = { way: first, diversions: [], end: to };
    for (let times = 0; times < MAX_DIVERSIONS; times += 1) {
      const at = found.way.at(-1) ?? '';
      const behaviours = diverting.get(at)?.behaviours ?? [];
      const behaviour = behaviours.findIndex(
        (one, place) => one.kind === 'diverts' && behaviourHolds(one, call, { seed, provider: at, place }),
      );
      const diverts = behaviours[behaviour];
      const end = diverts?.kind === 'diverts' ? servedBy(diverts.to) : undefined;
      if (diverts?.kind !== 'diverts' || end === undefined) return found;
      const diversion = {
        hop: found.way.length - 1,
        behaviour,
        to: diverts.to,
        destination: end.id,
      };
      const further = wayOf(at, end.at, ways)?.slice(1) ?? [];
      found = { way: [...found.way, ...further], diversions: [...found.diversions, diversion], end };
    }
    return found;
  };
  return { entries, findWay, random };
}

/** Settings of {@link planNetwork}. */
export interface PlanOptions {
  /** Whole number of 0 or more. Default that of the scenario, or 1. */
  readonly seed?: number | undefined;
  /** One call of each caller, and no phases. Default false. */
  readonly onceOnly?: boolean | undefined;
  /** Factor by which everything in the scenario that takes time is longer: 0.1 makes a run of a minute one of six seconds. Rates stay. Default 1. */
  readonly scale?: number | undefined;
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
    scenario: scaled,
    seed,
    onceOnly,
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
