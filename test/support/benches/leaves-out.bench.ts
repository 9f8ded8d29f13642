import type { Bench } from '../../bench/bench.js';

/** Measures one figure always, and another that its quick form leaves out. */
export const bench: Bench = {
  name: 'leaves-out',
  description: 'a bench with a figure that takes long',
  figures: ['short', 'long'],
  quick: { seconds: 1, leftOut: { long: 'takes an hour' } },
  run: async ({ wants, quick }) => {
    await Promise.resolve();
    const short = { figure: 'short', value: quick ? 1 : 2, unit: 'rounds' };
    return wants('long') ? [short, { figure: 'long', value: 1, unit: 'hours' }] : [short];
  },
};
