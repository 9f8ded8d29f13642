import { AggregatorRegistry, Gauge } from 'prom-client';
import type { MetricObjectWithValues, MetricValue, RegistryContentType } from 'prom-client';
import { schedule } from '../core/runtime/clock.js';

/** Counts of one process, as `getMetricsAsJSON` of a registry gives them. */
export type ProcessCounts = readonly MetricObjectWithValues<MetricValue<string>>[];

/** A process that is asked for its counts. */
export interface AskedWorker {
  /** Tells it from all others, those before it included. */
  readonly worker: number;
  /** Asks it; its answer names the question. */
  readonly ask: (question: number) => void;
}

/** Puts the counts of several processes together. */
export interface WorkerCounts {
  /** Takes in an answer; one that comes too late is kept for the next time. */
  readonly heard: (worker: number, answer: { readonly question: number; readonly counts: ProcessCounts }) => void;
  /** Forgets a process that has ended: nobody waits for it. */
  readonly gone: (worker: number) => void;
  /** Prometheus text of all together, and of how many have not answered in time. */
  readonly text: (workers: readonly AskedWorker[]) => Promise<string>;
}

interface Question {
  readonly unanswered: Set<number>;
  readonly done: () => void;
}

/**
 * Makes it. For one that does not answer stands what it said last, since a count that goes back is taken for one that began anew.
 * @param options - `withinMs`: how long answers are waited for
 */
export function createWorkerCounts({ withinMs }: { readonly withinMs: number }): WorkerCounts {
  let asked = 0;
  const questions = new Map<number, Question>();
  const last = new Map<number, ProcessCounts>();
  const answered = (worker: number, { unanswered, done }: Question): void => {
    if (unanswered.delete(worker) && unanswered.size === 0) done();
  };
  const silentOf = (workers: readonly AskedWorker[]): Promise<number> =>
    new Promise((resolve) => {
      const question = (asked += 1);
      const unanswered = new Set(workers.map(({ worker }) => worker));
      const done = (): void => {
        cancel();
        questions.delete(question);
        resolve(unanswered.size);
      };
      const cancel = schedule(done, withinMs);
      questions.set(question, { unanswered, done });
      for (const { ask } of workers) ask(question);
      if (unanswered.size === 0) done();
    });
  return {
    heard(worker, { question, counts }) {
      last.set(worker, counts.map(withoutNothing));
      const waiting = questions.get(question);
      if (waiting !== undefined) answered(worker, waiting);
    },
    gone(worker) {
      last.delete(worker);
      for (const question of questions.values()) answered(worker, question);
    },
    async text(workers) {
      const silent = await silentOf(workers);
      const known = workers.flatMap(({ worker }) => last.get(worker) ?? NOTHING_SAID);
      return textOf(known, silent);
    },
  };
}

const NOTHING_SAID: ProcessCounts = [];

/** What is no number is null once it has come from another process, and would be added as 0: a date long past. */
const withoutNothing = (metric: ProcessCounts[number]): ProcessCounts[number] => ({
  ...metric,
  values: metric.values.filter(({ value }) => Number.isFinite(value)),
});

function textOf(counts: ProcessCounts, silent: number): Promise<string> {
  const registry = AggregatorRegistry.aggregate<RegistryContentType>([[...counts]]);
  const gauge = new Gauge({
    name: 'hopback_workers_silent',
    help: 'Processes that did not answer in time; what they said last stands for them',
    registers: [registry],
  });
  gauge.set(silent);
  return registry.metrics();
}
