import type { Bench } from '../../bench/bench.js';

/** Fails while it measures. */
export const bench: Bench = {
  name: 'throws',
  description: 'a bench that fails',
  figures: ['one'],
  quick: { seconds: 1 },
  run: () => Promise.reject(new Error('the disk is full')),
};
