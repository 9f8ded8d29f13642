import type { Bench, BenchContext, Figure } from './bench.js';
import { enqueuedRecords } from './log-enqueue.js';
import { DELIVER_FIGURES, deliverFigures } from './stream-deliver.js';

const ENQUEUE = ['enqueue', 'enqueue-of-bare', 'enqueue-append-p99'] as const;

/** Records on their way to the platform. */
export const bench: Bench = {
  name: 'stream',
  description:
    'call records into the durable spool, beside a bare append of the same bytes, and out of it to a receiver, beside raw posting',
  figures: [...ENQUEUE, ...DELIVER_FIGURES],
  quick: { seconds: 45 },
  run: measureStream,
};

async function* measureStream(context: BenchContext): AsyncGenerator<Figure> {
  if (ENQUEUE.some((figure) => context.wants(figure))) yield* await enqueuedRecords(context);
  yield* deliverFigures(context);
}
