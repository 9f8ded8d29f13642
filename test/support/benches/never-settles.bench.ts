import type { Bench } from '../../bench/bench.js';

/** Gives its figure, holds its bar, and then awaits what does not happen. */
export const bench: Bench = {
  name: 'never-settles',
  description: 'a bench whose last await never settles',
  figures: ['one'],
  quick: { seconds: 1 },
  run: async function* run() {
    yield { figure: 'one', value: 1, unit: 'rounds', bar: { valueAtLeast: 1 } };
    await new Promise<never>(() => undefined);
  },
};
