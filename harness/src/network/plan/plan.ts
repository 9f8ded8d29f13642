import { HopbackError } from '@hopback/sdk/errors';
import { SeededRandom } from '../../faults/index.js';
import type {
  Behaviour,
  ProviderRole,
  Scenario,
  ScenarioSharing,
  ScenarioTrace,
  ScenarioTrunk,
} from '../../scenario/index.js';

/** A provider with all that a scenario left open. */
export interface PlannedProvider {
  readonly id: string;
  readonly name: string;
  /** As registries have it: `prv-` and ten digits. */
  readonly providerId: string;
  readonly role: ProviderRole;
  readonly spc: string;
  readonly country: string;
  readonly stir: boolean;
  readonly numbers: readonly string[];
  readonly failureAction: 'continue' | 'continue_return_reason' | 'reject_request';
  readonly shares: ScenarioSharing;
  readonly answersTracebacks: boolean;
  readonly behaviours: readonly Behaviour[];
  /** Providers that it sends calls to, and that send it calls: ids. */
  readonly downstream: readonly string[];
  readonly upstream: readonly string[];
  /** Ids of the callers that are its customers, and of the called numbers that it serves. */
  readonly callers: readonly string[];
  readonly serves: readonly string[];
  /** Whether a switch of somebody else's is in its place: what it does inside is not seen. Absent: it is not. */
  readonly isExternal?: boolean;
}

/** Another number that a call is forwarded to. */
export interface PlannedDiversion {
  /** Place in `way`, from 0, of the provider that forwards it. */
  readonly hop: number;
  /** Place of the behaviour among those of the provider. */
  readonly behaviour: number;
  readonly to: string;
  /** Id of the called numbers that `to` is one of. */
  readonly destination: string;
}

/** A call that is to be placed. */
export interface PlannedCall {
  /** From 0, in the order of `atMs`. With the seed it names the call: the rest follows from both. */
  readonly index: number;
  /** From the beginning of the run, milliseconds. */
  readonly atMs: number;
  /** When a run placed it, counted as `atMs`, where that is another time: the run was paused or its rate changed, or the machine was busy. */
  readonly placedMs?: number;
  readonly phase: string;
  readonly caller: string;
  /** Campaign that it belongs to; absent for ordinary calls. */
  readonly campaign?: string;
  /** Digits with country code, as the caller shows and dials them; an `invalid` caller's may have any digits. */
  readonly calling: string;
  readonly called: string;
  /** Id of the called numbers that it is for. */
  readonly destination: string;
  /** Ids of the providers, from where it begins to where it ends. A provider may be there twice, where a call is diverted. */
  readonly way: readonly string[];
  /** Where it is forwarded to another number, in this order; absent: nowhere. The numbers that it is for in the end are those of the last. */
  readonly diversions?: readonly PlannedDiversion[];
  /** Whether somebody answers, and how long it then lasts, milliseconds. */
  readonly isAnswered: boolean;
  readonly durationMs: number;
  /** What is said, where a robocaller says something. */
  readonly transcript?: string;
  /** Whether an app reports it, and rejects it. */
  readonly isReported: boolean;
  readonly isRejected: boolean;
}

/** A network whose calls are not yet made: {@link plannedCalls} makes them one after the other. */
export interface PlannedNetwork {
  /** Shortened where a scale was asked for: its seconds are those of the plan. */
  readonly scenario: Scenario;
  readonly seed: number;
  /** Each caller calls once. */
  readonly onceOnly: boolean;
  readonly providers: readonly PlannedProvider[];
  /** From the beginning to the end of the last phase, milliseconds. Calls that are up then last longer. */
  readonly durationMs: number;
  /** Numbers of the do-not-originate list. */
  readonly doNotOriginate: readonly string[];
  /** Ids of callers whose calls somebody else places: they are waited for. Absent: none. */
  readonly externalCallers?: readonly string[];
}

/** A network and its calls. The same scenario and seed make the same plan. */
export interface NetworkPlan extends PlannedNetwork {
  readonly calls: readonly PlannedCall[];
}

/** Whose behaviour, and at which place among those of the provider. */
interface BehaviourPlace {
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
  return new SeededRandom(of.seed, name).next() < share;
}

/** Whose part in a network is played by somebody else's programs. */
interface ExternalParties {
  /** Ids of providers: a switch of somebody else's is in their place. */
  readonly providers: readonly string[];
  /** Ids of callers whose calls somebody else places. */
  readonly callers: readonly string[];
}

/**
 * A plan in which some parts are played by somebody else's programs. What they find, write down and say is not known: such a provider answers no
 * tracebacks and shares no records, whatever the scenario says, and what leaves it is held to what the scenario says of it.
 * @throws {@link HopbackError} `invalid-argument` for a provider or caller that the plan does not have, and for a caller of such a provider: nobody would see
 * its calls begin
 */
export function withExternalParties(plan: NetworkPlan, { providers, callers }: ExternalParties): NetworkPlan {
  if (providers.length + callers.length === 0) return plan;
  checkKnown('provider', providers, plan.providers);
  checkKnown('caller', callers, plan.scenario.callers);
  for (const { id, at } of plan.scenario.callers)
    if (callers.includes(id) && providers.includes(at))
      throw new HopbackError('invalid-argument', `${id} calls at ${at}: one of the two has to be ours`);
  return {
    ...plan,
    ...(callers.length > 0 && { externalCallers: [...callers] }),
    providers: plan.providers.map((one) =>
      providers.includes(one.id) ? { ...one, isExternal: true, answersTracebacks: false, shares: 'nothing' } : one,
    ),
  };
}

/** Ids of the providers whose switches are somebody else's. */
export function externalProviders({ providers }: Pick<NetworkPlan, 'providers'>): ReadonlySet<string> {
  return new Set(providers.filter(({ isExternal }) => isExternal === true).map(({ id }) => id));
}

function checkKnown(what: string, asked: readonly string[], there: readonly { readonly id: string }[]): void {
  for (const id of asked)
    if (!there.some((one) => one.id === id))
      throw new HopbackError('invalid-argument', `the scenario has no ${what} ${id}`);
}

/** What a scenario asks staff to trace, and the call that it is; no call: none of the plan fits. */
interface CallToTrace {
  readonly trace: ScenarioTrace;
  readonly call?: PlannedCall;
}

/**
 * Calls that staff traces whatever the seed draws: for each entry of the scenario the first call that fits, and that no entry before it has taken.
 * @param plan - as it was carried out
 * @param isHeard - whether a call came to its callee: of others nobody complains
 * @returns one for each entry, in their order; never throws
 */
export function callsToTrace(plan: NetworkPlan, isHeard: (call: PlannedCall) => boolean): readonly CallToTrace[] {
  const taken = new Set<number>();
  return (plan.scenario.platform?.traces ?? []).map((trace) => {
    const provider = plan.providers.find(({ id }) => id === trace.through);
    const call = plan.calls.find(
      (one) =>
        !taken.has(one.index) &&
        one.way.includes(trace.through) &&
        (trace.caller ?? one.caller) === one.caller &&
        isHeard(one) &&
        (trace.behaviour === undefined || provider === undefined || isDone(trace.behaviour, one, { provider, plan })),
    );
    if (call === undefined) return { trace };
    taken.add(call.index);
    return { trace, call };
  });
}

/** Whether a provider behaves so with a call. */
function isDone(
  kind: ScenarioTrace['behaviour'],
  call: PlannedCall,
  { provider: { id, behaviours }, plan }: { readonly provider: PlannedProvider; readonly plan: NetworkPlan },
): boolean {
  return behaviours.some((behaviour, place) => {
    if (behaviour.kind !== kind) return false;
    // To where a call is forwarded is planned: by who serves the number that was called.
    if (kind === 'diverts') return call.diversions?.some(({ hop }) => call.way[hop] === id) === true;
    return behaviourHolds(behaviour, call, { seed: plan.seed, provider: id, place });
  });
}

/** What an entry asks for, in words. */
export function traceInWords({ through, behaviour, caller }: ScenarioTrace): string {
  const by = caller === undefined ? '' : ` of ${caller}`;
  return `a call${by} through ${through}${behaviour === undefined ? '' : ` (${behaviour})`}`;
}

interface Edge {
  readonly to: string;
  readonly cost: number;
  readonly share: number;
}

/** What is known of ways to one provider. */
interface End {
  /** What it costs to come there. */
  readonly left: ReadonlyMap<string, number>;
  /** Where a provider sends its calls: the trunks of the cheapest ways. Filled when calls come through it. */
  readonly next: Map<string, readonly Edge[]>;
}

/** Costs are sums of what people wrote: two ways whose costs differ by less than this are equally dear. */
const SAME_COST = 1e-9;

/**
 * Least-cost routing over the trunks of a scenario. Costs are computed for each end when it is first asked for, and kept.
 * @param scenario - its trunks
 * @returns ways; never throws
 */
export function createRouting({ trunks }: Pick<Scenario, 'trunks'>) {
  const out = edgesBy(trunks, 'from', 'to');
  const into = edgesBy(trunks, 'to', 'from');
  const ends = new Map<string, End>();
  const endOf = (id: string): End => {
    const known = ends.get(id) ?? { left: cheapest(id, into), next: new Map<string, readonly Edge[]>() };
    ends.set(id, known);
    return known;
  };
  const ways = new Map<string, readonly string[]>();
  return {
    /** Ids from one provider to another, both included; absent: no way leads there. Ways that are alike are the same array. */
    wayOf: (from: string, to: string, random: SeededRandom): readonly string[] | undefined => {
      const { left, next } = endOf(to);
      if (!left.has(from)) return undefined;
      const way = [from];
      // Every hop costs something, so that what is left shrinks and the way ends.
      for (let at = from; at !== to; way.push(at)) {
        const edges = next.get(at) ?? cheapestEdges(at, left, out);
        next.set(at, edges);
        at = takeOne(edges, random);
      }
      const name = way.join('>');
      const known = ways.get(name);
      if (known !== undefined) return known;
      ways.set(name, way);
      return way;
    },
  };
}

type Edges = ReadonlyMap<string, readonly Edge[]>;

function edgesBy(trunks: readonly ScenarioTrunk[], near: 'from' | 'to', far: 'from' | 'to'): Edges {
  const edges = new Map<string, Edge[]>();
  for (const trunk of trunks) {
    const edge = { to: trunk[far], cost: trunk.cost ?? 1, share: trunk.share ?? 1 };
    const known = edges.get(trunk[near]);
    if (known === undefined) edges.set(trunk[near], [edge]);
    else known.push(edge);
  }
  return edges;
}

function cheapestEdges(at: string, left: ReadonlyMap<string, number>, out: Edges): readonly Edge[] {
  const here = left.get(at) ?? 0;
  return (out.get(at) ?? []).filter(({ to, cost }) => {
    const there = left.get(to);
    return there !== undefined && cost + there - here <= SAME_COST * Math.max(1, here);
  });
}

function takeOne(edges: readonly Edge[], random: SeededRandom): string {
  const [first] = edges;
  const total = edges.reduce((sum, { share }) => sum + share, 0);
  // Shares of 0 all over are equal shares.
  if (edges.length < 2 || total === 0) return (edges.length < 2 ? first : random.pick(edges))?.to ?? '';
  let drawn = random.next() * total;
  for (const { to, share } of edges) {
    drawn -= share;
    if (drawn < 0) return to;
  }
  return edges.findLast(({ share }) => share > 0)?.to ?? '';
}

/** Dijkstra from the end: what it costs to come there from everywhere. */
function cheapest(end: string, into: Edges): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const queue = createQueue();
  queue.push({ id: end, cost: 0 });
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next.id)) continue;
    found.set(next.id, next.cost);
    for (const { to, cost } of into.get(next.id) ?? [])
      if (!found.has(to)) queue.push({ id: to, cost: next.cost + cost });
  }
  return found;
}

interface Reached {
  readonly id: string;
  readonly cost: number;
}

/** A binary heap, the cheapest on top. */
function createQueue(): { readonly push: (item: Reached) => void; readonly pop: () => Reached | undefined } {
  const heap: Reached[] = [];
  const costAt = (place: number): number => heap[place]?.cost ?? Number.POSITIVE_INFINITY;
  const swap = (a: number, b: number): void => {
    const [left, right] = [heap[a], heap[b]];
    if (left !== undefined && right !== undefined) [heap[a], heap[b]] = [right, left];
  };
  return {
    push: (item) => {
      heap.push(item);
      for (let at = heap.length - 1; at > 0;) {
        const above = (at - 1) >> 1;
        if (costAt(above) <= costAt(at)) return;
        swap(at, above);
        at = above;
      }
    },
    pop: () => {
      const [top] = heap;
      const last = heap.pop();
      if (heap.length === 0 || last === undefined) return top;
      heap[0] = last;
      for (let at = 0; ;) {
        const child = costAt(2 * at + 1) <= costAt(2 * at + 2) ? 2 * at + 1 : 2 * at + 2;
        if (costAt(child) >= costAt(at)) return top;
        swap(at, child);
        at = child;
      }
    },
  };
}
