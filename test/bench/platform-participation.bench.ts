import { seededDice } from '../../sdk/src/testing/platform/platform-faults.js';
import type { Bench, BenchContext, Figure } from './bench.js';
import { drawCall, growCarriers } from './platform-carriers.js';
import { conductedTraceback, foundByRecords, foundByTraceback } from './platform-participation.js';
import type { KnownOfCall, PartlyAnsweredCall } from './platform-participation.js';

/** Shares of carriers that answer, the largest first, and in how many calls the origin has to be known: those of Jäger, CCS 2024. */
const SHARES: readonly { readonly percent: number; readonly atLeast: number; readonly path: number }[] = [
  { percent: 1, atLeast: 20, path: 9 },
  { percent: 10, atLeast: 53, path: 42 },
  { percent: 20, atLeast: 70, path: 63 },
  { percent: 30, atLeast: 83, path: 79 },
];
/** Where the curve is drawn. */
const CURVE: readonly number[] = [0.5, 1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100];
/** Providers in the Robocall Mitigation Database, rounded. */
const CARRIERS = 7_000;
const CALLS = 4_000;
const FULL_CALLS = 40_000;
/** Calls of each share whose tracebacks are conducted: each takes a millisecond or two. */
const CONDUCTED = 500;
const FULL_CONDUCTED = 4_000;

/** What is known where only some carriers answer. */
export const bench: Bench = {
  name: 'platform-participation',
  description: 'in how many calls over 7,000 carriers the origin is known where only the largest of them answer',
  figures: [
    'mean-hops',
    ...SHARES.flatMap(({ percent }) => [
      `origin-known-${percent}`,
      `origin-known-resumed-${percent}`,
      `origin-known-answers-${percent}`,
      `origin-said-${percent}`,
      `full-path-${percent}`,
    ]),
    'conducted-alike',
  ],
  quick: { seconds: 15 },
  run: measure,
};

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const graph = growCarriers(CARRIERS, seededDice(2_026));
  const dice = seededDice(11);
  const calls = Array.from({ length: context.full ? FULL_CALLS : CALLS }, () => drawCall(graph, dice));
  const note = `${calls.length} calls`;
  yield {
    figure: 'mean-hops',
    value: calls.reduce((sum, hops) => sum + hops.length, 0) / calls.length,
    unit: 'hops',
    note,
  };
  const answering = (percent: number): ReadonlySet<number> =>
    new Set(graph.bySize.slice(0, Math.round((CARRIERS * percent) / 100)));
  const partly = (percent: number): readonly PartlyAnsweredCall[] => {
    const answers = answering(percent);
    return calls.map((hops) => ({ hops, answers }));
  };
  draw(context, partly);
  let [conducted, alike] = [0, 0];
  for (const { percent, atLeast, path } of SHARES) {
    const all = partly(percent);
    const shared = all.map(foundByRecords);
    const resumed = all.map((call) => foundByTraceback(call, 'by-neighbour'));
    const answered = all.map((call) => foundByTraceback(call, 'none'));
    const origin = { unit: '%', baseline: 'Jäger', baselineValue: atLeast, note };
    yield {
      ...{ figure: `origin-known-${percent}`, ...origin },
      ...{ value: percentOf(shared, 'isOriginFound'), bar: { valueAtLeast: atLeast } },
    };
    yield { figure: `origin-known-resumed-${percent}`, value: percentOf(resumed, 'isOriginFound'), ...origin };
    yield { figure: `origin-known-answers-${percent}`, value: percentOf(answered, 'isOriginFound'), ...origin };
    yield { figure: `origin-said-${percent}`, value: percentOf(shared, 'isOriginSaid'), unit: '%', note };
    yield {
      ...{ figure: `full-path-${percent}`, value: percentOf(shared, 'isPathFound'), unit: '%', note },
      ...{ baseline: 'Jäger', baselineValue: path },
    };
    const sample = all.slice(0, context.full ? FULL_CONDUCTED : CONDUCTED);
    conducted += sample.length;
    alike += sample.filter(isConductedAlike).length;
  }
  yield {
    ...{ figure: 'conducted-alike', value: (100 * alike) / conducted, unit: '%', bar: { valueAtLeast: 100 } },
    note: `${conducted} tracebacks by the lifecycle`,
  };
}

const percentOf = (known: readonly KnownOfCall[], what: keyof KnownOfCall): number =>
  (100 * known.filter((one) => one[what]).length) / known.length;

/**
 * Whether the lifecycle finds what the model says: in the traceback that begins at the terminating carrier, and in one that begins at each carrier
 * that shares its record of the call.
 */
function isConductedAlike(call: PartlyAnsweredCall): boolean {
  const found = conductedTraceback(call);
  const expected = foundByTraceback(call, 'by-neighbour');
  const begun = call.hops.flatMap((carrier, index) =>
    call.answers.has(carrier) ? [conductedTraceback(call, index).isOriginFound] : [],
  );
  return (
    found.isOriginFound === expected.isOriginFound &&
    found.isOriginSaid === expected.isOriginSaid &&
    found.isPathFound === expected.isPathFound &&
    begun.includes(true) === foundByRecords(call).isOriginFound
  );
}

const WIDTH = 50;

/** Draws in how many calls the origin is known, for the person who waits. */
function draw(context: BenchContext, partly: (percent: number) => readonly PartlyAnsweredCall[]): void {
  context.progress(
    'origin known, % of calls: # a traceback from the terminating carrier, + one from each shared record as well',
  );
  for (const percent of CURVE) {
    const calls = partly(percent);
    const one = percentOf(
      calls.map((call) => foundByTraceback(call, 'by-neighbour')),
      'isOriginFound',
    );
    const all = percentOf(calls.map(foundByRecords), 'isOriginFound');
    const [inner, outer] = [one, all].map((value) => Math.round((value * WIDTH) / 100));
    const bar = '#'
      .repeat(inner ?? 0)
      .padEnd(outer ?? 0, '+')
      .padEnd(WIDTH, '·');
    context.progress(`${String(percent).padStart(5)} % answer ${bar} ${one.toFixed(0)} – ${all.toFixed(0)} %`);
  }
}
