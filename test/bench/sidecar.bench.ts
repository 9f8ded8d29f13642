import { peer } from '../peers.js';
import type { Bench, BenchContext, Figure } from './bench.js';
import { cluster } from './sidecar-cluster.js';
import { latency } from './sidecar-latency.js';
import { memory } from './sidecar-memory.js';
import { middleware } from './sidecar-middleware.js';
import { signRates, verifyRates } from './sidecar-rates.js';

/** `hopback serve` as switches use it: over HTTP, with connections that are kept, under the load of wrk or of calls that come when they come. */
export const bench: Bench = {
  name: 'sidecar',
  description:
    'verification and signing over HTTP, beside the same in process and secsipidx; latency, workers, memory, middleware',
  figures: [
    'check-vs-in-process',
    'check-vs-secsipidx',
    'verification-vs-in-process',
    'verification-vs-secsipidx',
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
  const verify = [
    'check-vs-in-process',
    'check-vs-secsipidx',
    'verification-vs-in-process',
    'verification-vs-secsipidx',
  ];
  if (wantsAny(...verify)) yield* verifyRates(context);
  if (wantsAny('sign-csv-vs-secsipidx', 'signing-vs-secsipidx')) yield* signRates(context);
  if (context.wants('latency')) yield await latency(context);
  if (context.wants('cluster')) yield await cluster(context);
  if (context.wants('memory')) yield await memory(context);
  if (context.wants('middleware')) yield await middleware(context);
}
