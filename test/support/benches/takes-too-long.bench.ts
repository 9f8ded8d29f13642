import type { Bench } from '../../bench/bench.js';

/** Its quick form takes longer than all benches together may. */
export const bench: Bench = {
  name: 'takes-too-long',
  description: 'a bench for which there is never time',
  figures: ['first', 'second'],
  quick: { seconds: 3_600 },
  run: () => Promise.reject(new Error('this bench must not run')),
};
