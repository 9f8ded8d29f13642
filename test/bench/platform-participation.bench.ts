import type { Bench, BenchContext, Figure } from './bench.js';
import { drawCall, growCarriers } from './platform-carriers.js';
import type { CarrierGraph } from './platform-carriers.js';
import { seededDice } from '../../sdk/src/testing/platform/seeded-dice.js';

/** Shares of carriers that answer, the largest first, and in how many calls the origin has to be known: those of Jäger, CCS 2024. */
const SHARES: readonly { readonly percent: number; readonly atLeast: number }[] = [
  { percent: 1, atLeast: 20 },
  { percent: 10, atLeast: 53 },
  { percent: 20, atLeast: 70 },
  { percent: 30, atLeast: 83 },
];

/** What is known where only some carriers answer. */
export const bench: Bench = {
  name: 'platform-participation',
  description: 'calls over 7,000 carriers, of which the largest answer: how often the origin is known',
  figures: [
    ...SHARES.map(({ percent }) => `origin-known-${percent}`),
    ...SHARES.map(({ percent }) => `full-path-${percent}`),
  ],
  run: measure,
};

/** Providers in the Robocall Mitigation Database, rounded. */
const CARRIERS = 7_000;
const CALLS = 4_000;
const FULL_CALLS = 40_000;

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const graph = growCarriers(CARRIERS, seededDice(2_026));
  for (const { percent, atLeast } of SHARES) {
    const known = knownOrigins(graph, percent, context.full ? FULL_CALLS : CALLS);
    yield { figure: `origin-known-${percent}`, value: known.origin, unit: '%', bar: { valueAtLeast: atLeast } };
    yield { figure: `full-path-${percent}`, value: known.path, unit: '%' };
  }
}

/**
 * In how many of a hundred calls the origin is known, and the whole path, where the largest carriers answer and share what they know: an answer
 * or shared record names both neighbours, so that a silent carrier is known where one beside it answers.
 */
function knownOrigins(
  graph: CarrierGraph,
  percent: number,
  calls: number,
): { readonly origin: number; readonly path: number } {
  const dice = seededDice(11);
  const honest = new Set(graph.bySize.slice(0, Math.round((graph.bySize.length * percent) / 100)));
  let [origin, path] = [0, 0];
  for (let call = 0; call < calls; call += 1) {
    const hops = drawCall(graph, dice);
    const isKnown = (index: number): boolean =>
      [index - 1, index, index + 1].some((near) => honest.has(hops[near] ?? -1));
    if (isKnown(hops.length - 1)) origin += 1;
    if (hops.every((_hop, index) => isKnown(index))) path += 1;
  }
  return { origin: (100 * origin) / calls, path: (100 * path) / calls };
}
