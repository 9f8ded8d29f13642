import { peer } from '../peers.js';
import type { Bench, BenchContext, Figure } from './bench.js';
import { cluster, latency, memory } from './sidecar-load.js';
import { middleware } from './sidecar-middleware.js';
import { signRates, verifyRates } from './sidecar-rates.js';

const VERIFY_FIGURES = ['check', 'verification'].flatMap((route) => [
  `${route}-vs-in-process`,
  `${route}-vs-secsipidx`,
]);

/** `hopback serve` as switches use it: over HTTP, with connections that are kept, under the load of wrk or of calls that come when they come. */
export const bench: Bench = {
  name: 'sidecar',
  description:
    'verification and signing over HTTP, beside the same in process and secsipidx; latency, workers, memory, middleware',
  figures: [
    ...VERIFY_FIGURES,
    'sign-csv-vs-secsipidx',
    'signing-vs-secsipidx',
    'latency',
    'cluster',
    'memory',
    'middleware',
  ],
  quick: {
    seconds: 75,
    leftOut: { memory: 'takes a million requests, about four minutes' },
  },
  run: measureSidecar,
};

async function* measureSidecar(context: BenchContext): AsyncGenerator<Figure> {
  if (!peer('wrk').available) throw new Error(`this bench needs wrk: ${peer('wrk').install}`);
  const wantsAny = (...figures: readonly string[]): boolean => figures.some(context.wants);
  if (wantsAny(...VERIFY_FIGURES)) yield* verifyRates(context);
  if (wantsAny('sign-csv-vs-secsipidx', 'signing-vs-secsipidx')) yield* signRates(context);
  if (context.wants('latency')) yield await latency(context);
  if (context.wants('cluster')) yield await cluster(context);
  if (context.wants('memory')) yield await memory(context);
  if (context.wants('middleware')) yield await middleware(context);
}
