/** Carriers and who sends calls to whom. */
export type CarrierGraph = Awaited<ReturnType<typeof growCarriers>>;

/** Connections that each new carrier makes: with two the mean path is about five hops, as tracebacks have. */
const CONNECTIONS = 2;

/** Grows a graph of carriers by preferential attachment: who has many connections gets more. Barabási and Albert 1999 */
export function growCarriers(carriers: number, roll: () => number) {
  const neighbours: number[][] = Array.from({ length: carriers }, () => []);
  const ends: number[] = [0, 1];
  neighbours[0]?.push(1);
  neighbours[1]?.push(0);
  for (let carrier = 2; carrier < carriers; carrier += 1) {
    const chosen = new Set<number>();
    while (chosen.size < Math.min(CONNECTIONS, carrier)) chosen.add(ends[Math.floor(roll() * ends.length)] ?? 0);
    for (const other of chosen) {
      neighbours[carrier]?.push(other);
      neighbours[other]?.push(carrier);
      ends.push(carrier, other);
    }
  }
  const size = (carrier: number): number => neighbours[carrier]?.length ?? 0;
  const bySize = Array.from({ length: carriers }, (_none, carrier) => carrier).sort(
    (one, other) => size(other) - size(one),
  );
  return { neighbours, bySize };
}

/**
 * A call from one carrier to another by one of the shortest ways, each of them as likely: its carriers, the terminating one first. To take the
 * way that is found first would lead over the largest.
 */
export function drawCall({ neighbours }: CarrierGraph, roll: () => number): readonly number[] {
  for (;;) {
    const from = Math.floor(roll() * neighbours.length);
    const to = Math.floor(roll() * neighbours.length);
    const path = from === to ? undefined : shortest({ neighbours, roll }, from, to);
    if (path !== undefined) return path;
  }
}

function shortest(
  { neighbours, roll }: { readonly neighbours: CarrierGraph['neighbours']; readonly roll: () => number },
  from: number,
  to: number,
): readonly number[] | undefined {
  /** Steps from `from`, and by how many ways. */
  const [steps, ways] = [new Int32Array(neighbours.length).fill(-1), new Float64Array(neighbours.length)];
  steps[from] = 0;
  ways[from] = 1;
  let edge = [from];
  for (let step = 1; edge.length > 0 && steps[to] === -1; step += 1) {
    const next: number[] = [];
    for (const carrier of edge)
      for (const other of neighbours[carrier] ?? []) {
        if (steps[other] === -1) {
          steps[other] = step;
          next.push(other);
        }
        if (steps[other] === step) ways[other] = (ways[other] ?? 0) + (ways[carrier] ?? 0);
      }
    edge = next;
  }
  if (steps[to] === -1) return undefined;
  const path = [to];
  for (let at = to; at !== from;) {
    let left = roll() * (ways[at] ?? 0);
    const nearer = (neighbours[at] ?? []).filter((other) => steps[other] === (steps[at] ?? 0) - 1);
    at = nearer.find((other) => (left -= ways[other] ?? 0) < 0) ?? nearer.at(-1) ?? from;
    path.push(at);
  }
  return path;
}
