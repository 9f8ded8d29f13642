import type { PlantedCampaign } from '../support/itg-planted.js';
import { sized } from './bench.js';
import type { Bench, Figure } from './bench.js';
import { alertPath } from './campaign-alert.js';
import { trial } from './campaign-trial.js';
import type { Trial } from './campaign-trial.js';

/** For how long the platform listens before campaigns begin. */
const WARM_SECONDS = 185;
/** Of `--full`: a million and a half ordinary calls. */
const SEEDS = { quick: [7], short: [7], full: [7, 17, 27] };
const SECONDS = { quick: WARM_SECONDS + 20, short: WARM_SECONDS + 30, full: 250 };
/** Campaigns that are taken from the call to the alert. */
const ALERTS = { quick: 2, short: 5, full: 20 };

const PLANTED: readonly PlantedCampaign[] = [
  { name: 'neighbour', way: 'neighbour', startSecond: WARM_SECONDS, perSecond: 5 },
  { name: 'snowshoe', way: 'snowshoe', startSecond: WARM_SECONDS, perSecond: 5 },
  { name: 'invalid', way: 'invalid', startSecond: WARM_SECONDS, perSecond: 5 },
  { name: 'sequential', way: 'sequential', startSecond: WARM_SECONDS, perSecond: 5 },
  {
    ...{ name: 'one-number', way: 'one-number', startSecond: WARM_SECONDS, perSecond: 10 },
    ...{ reported: 0.2, script: 'amazon' },
  },
  {
    ...{ name: 'hidden', way: 'hidden', startSecond: WARM_SECONDS, perSecond: 10 },
    ...{ reported: 0.3, script: 'ssa', fingerprint: 'AQIDBAUGBwg=' },
  },
];

/** How fast campaigns are found and told of in ordinary traffic, what that costs, and what is found that is none. */
export const bench: Bench = {
  name: 'campaigns',
  description:
    'campaigns planted in 2,000 ordinary calls a second, two thirds of them of honest callers who call very many, by the time of the calls; and the way from a campaign to its alert, by the clock',
  figures: [
    'alert after the 20th call, slowest of 6 kinds',
    'found after the 20th call, slowest of 6 kinds',
    'alert after it was found, slowest',
    'planted campaigns found',
    'false campaigns per million ordinary calls',
    'CPU per record',
    'suspected calls alone: found after the 20th report or record, slowest of those found',
    'suspected calls alone: false campaigns per million ordinary calls',
  ],
  quick: { seconds: 50 },
  run: async function* run(context) {
    const { progress } = context;
    const alerts = await alertPath(sized(context, ALERTS));
    const slowestAlert = Math.max(...alerts);
    yield {
      figure: 'alert after it was found, slowest',
      ...{ value: slowestAlert, unit: 's' },
      note: `${String(alerts.length)} campaigns heard by a platform on PGlite, from the last record heard to the alert that an agency can read; median ${middle(alerts).toFixed(2)} s, by the clock`,
    };
    const all = sized(context, SEEDS).map((seed) =>
      trial({ share: 'all-pseudonymous', seconds: sized(context, SECONDS), seed, campaigns: PLANTED, progress }),
    );
    const slowest = Math.max(
      ...all.flatMap(({ found }) => PLANTED.map(({ name }) => found.get(name) ?? Number.POSITIVE_INFINITY)),
    );
    yield {
      figure: 'found after the 20th call, slowest of 6 kinds',
      ...{ value: slowest, unit: 's' },
      note: all.map(noteOf).join('; '),
    };
    yield {
      figure: 'alert after the 20th call, slowest of 6 kinds',
      ...{ value: slowest + slowestAlert, unit: 's', bar: { valueAtMost: 10 } },
      note: 'the slowest of both: found by the time of the calls, told by the clock',
    };
    const planted = Math.min(...all.map(({ found }) => found.size));
    yield { figure: 'planted campaigns found', value: planted, unit: 'campaigns', bar: { valueAtLeast: 6 } };
    yield falseFigure('false campaigns per million ordinary calls', all);
    const records = sum(all.map((one) => one.records));
    yield {
      figure: 'CPU per record',
      ...{ value: sum(all.map((one) => one.cpuMicroseconds)) / records, unit: 'µs', bar: { valueAtMost: 15 } },
      note: `the judgement of the single call included; ${String(records)} records`,
    };
    const options = { share: 'suspicious', seconds: WARM_SECONDS + 40, seed: 8, campaigns: PLANTED, progress } as const;
    const selected = trial(options);
    yield {
      figure: 'suspected calls alone: found after the 20th report or record, slowest of those found',
      ...{ value: Math.max(0, ...selected.found.values()), unit: 's' },
      note: `${noteOf(selected)}; what no carrier suspects the platform never sees`,
    };
    yield falseFigure('suspected calls alone: false campaigns per million ordinary calls', [selected]);
  },
};

function falseFigure(figure: string, of: readonly Trial[]): Figure {
  const ordinary = sum(of.map((one) => one.ordinary));
  const names = of.flatMap(({ falseNames }) => falseNames);
  const note = `${String(names.length)} in ${String(ordinary)} calls${names.length > 0 ? `: ${names.join(', ')}` : ''}`;
  return { figure, value: (names.length * 1e6) / ordinary, unit: 'campaigns', bar: { valueAtMost: 1 }, note };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const noteOf = ({ found }: Trial): string =>
  [...found].map(([name, after]) => `${name} ${after.toFixed(1)} s`).join(', ');
