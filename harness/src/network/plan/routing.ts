import type { SeededRandom } from '../../faults/index.js';
import type { Scenario, ScenarioTrunk } from '../../scenario/index.js';

/** Where calls go: the cheapest way, and where several cost the same each takes its share. */
export interface Routing {
  /** Ids from one provider to another, both included; absent: no way leads there. Ways that are alike are the same array. */
  readonly wayOf: (from: string, to: string, random: SeededRandom) => readonly string[] | undefined;
  /** Where a provider can send a call for another next, the cheapest first; those that would lead back through itself are none. */
  readonly nextHops: (from: string, to: string) => readonly string[];
}

interface Edge {
  readonly to: string;
  readonly cost: number;
  readonly share: number;
}

/** Costs are sums of what people wrote: two ways whose costs differ by less than this are equally dear. */
const SAME_COST = 1e-9;

/**
 * Least-cost routing over the trunks of a scenario. Costs are computed for each end when it is first asked for, and kept.
 * @param scenario - its trunks
 * @returns ways; never throws
 */
export function createRouting({ trunks }: Pick<Scenario, 'trunks'>): Routing {
  const out = edgesBy(trunks, 'from', 'to');
  const into = edgesBy(trunks, 'to', 'from');
  const costs = new Map<string, ReadonlyMap<string, number>>();
  const costsTo = (end: string): ReadonlyMap<string, number> => {
    const known = costs.get(end) ?? cheapest(end, into);
    costs.set(end, known);
    return known;
  };
  const ways = new Map<string, readonly string[]>();
  return {
    wayOf: (from, to, random) => {
      const left = costsTo(to);
      if (!left.has(from)) return undefined;
      const way = [from];
      // Every hop costs something, so that what is left shrinks and the way ends.
      for (let at = from; at !== to; way.push(at)) at = takeOne(cheapestEdges(at, left, out), random);
      const name = way.join('>');
      const known = ways.get(name) ?? way;
      ways.set(name, known);
      return known;
    },
    nextHops: (from, to) => {
      const left = costsTo(to);
      const without = cheapest(to, into, from);
      return (out.get(from) ?? [])
        .filter((edge) => without.has(edge.to))
        .toSorted((a, b) => a.cost + (left.get(a.to) ?? 0) - b.cost - (left.get(b.to) ?? 0))
        .map((edge) => edge.to);
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

/** Dijkstra from the end: what it costs to come there from everywhere. @param avoided - through which no way may lead */
function cheapest(end: string, into: Edges, avoided?: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const queue = createQueue();
  queue.push({ id: end, cost: 0 });
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next.id)) continue;
    found.set(next.id, next.cost);
    for (const { to, cost } of into.get(next.id) ?? [])
      if (!found.has(to) && to !== avoided) queue.push({ id: to, cost: next.cost + cost });
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
