import { Counter, Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createWorkerCounts } from '../../sdk/src/cli/serve-workers.js';
import type { AskedWorker, ProcessCounts, WorkerCounts } from '../../sdk/src/cli/serve-workers.js';

/** Counts as they come from another process. */
async function countsOf(calls: number, endsAt = Number.NaN): Promise<ProcessCounts> {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'calls_total', help: 'calls', registers }).inc(calls);
  new Gauge({ name: 'ends_seconds', help: 'when', registers, aggregator: 'min' }).set(endsAt);
  return JSON.parse(JSON.stringify(await registry.getMetricsAsJSON())) as ProcessCounts;
}

function answering(counts: WorkerCounts, worker: number, said: ProcessCounts): AskedWorker {
  return { worker, ask: (question) => counts.heard(worker, { question, counts: said }) };
}

test('counts of all processes are put together; a date is the earliest of all, and is left out where no process has one', async () => {
  const counts = createWorkerCounts({ withinMs: 60_000 });
  const text = await counts.text([
    answering(counts, 1, await countsOf(2, 3_000)),
    answering(counts, 2, await countsOf(3, 2_000)),
  ]);
  expect(text).toMatch(/^calls_total 5$/m);
  expect(text).toMatch(/^ends_seconds 2000$/m);
  expect(text).toMatch(/^hopback_workers_silent 0$/m);
  expect(await counts.text([answering(counts, 3, await countsOf(1))])).not.toMatch(/^ends_seconds /m);
});

test('for one that does not answer stands what it said last, and it is told of', async () => {
  const counts = createWorkerCounts({ withinMs: 1 });
  const talking = answering(counts, 1, await countsOf(2));
  await counts.text([talking, answering(counts, 2, await countsOf(3))]);
  const text = await counts.text([talking, { worker: 2, ask: () => undefined }]);
  expect(text).toMatch(/^calls_total 5$/m);
  expect(text).toMatch(/^hopback_workers_silent 1$/m);
});

test('counts do not wait for a process that has ended, or where no process runs', async () => {
  const counts = createWorkerCounts({ withinMs: 60_000 });
  const text = counts.text([answering(counts, 1, await countsOf(2)), { worker: 2, ask: () => counts.gone(2) }]);
  expect(await text).toMatch(/^calls_total 2$/m);
  expect(await counts.text([])).toMatch(/^hopback_workers_silent 0$/m);
});
