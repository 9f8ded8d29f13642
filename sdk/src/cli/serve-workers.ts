import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { AggregatorRegistry, Gauge } from 'prom-client';
import type { MetricObjectWithValues, MetricValue, RegistryContentType } from 'prom-client';
import { schedule } from '../core/runtime/clock.js';
import { HopbackError } from '../errors.js';
import type { OnNotice } from '../sidecar/services/files.js';
import type { Sidecar } from '../sidecar/sidecar.js';

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
export type WorkerCounts = ReturnType<typeof createWorkerCounts>;

interface Question {
  readonly unanswered: Set<number>;
  readonly done: () => void;
}

/**
 * Makes it. For one that does not answer stands what it said last, since a count that goes back is taken for one that began anew.
 * @param options - `withinMs`: how long answers are waited for
 */
export function createWorkerCounts({ withinMs }: { readonly withinMs: number }) {
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
    /** Takes in an answer; one that comes too late is kept for the next time. */
    heard: (
      worker: number,
      { question, counts }: { readonly question: number; readonly counts: ProcessCounts },
    ): void => {
      last.set(worker, counts.map(withoutNothing));
      const waiting = questions.get(question);
      if (waiting !== undefined) answered(worker, waiting);
    },
    /** Forgets a process that has ended: nobody waits for it. */
    gone: (worker: number) => {
      last.delete(worker);
      for (const question of questions.values()) answered(worker, question);
    },
    /** Prometheus text of all together, and of how many have not answered in time. */
    text: async (workers: readonly AskedWorker[]): Promise<string> => {
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

/** What processes tell each other. */
type Message =
  | { readonly hopback: 'reload' | 'close' }
  | { readonly hopback: 'counts-wanted'; readonly question: number }
  | {
      readonly hopback: 'counts';
      readonly question: number;
      readonly counts: ProcessCounts;
    }
  | { readonly hopback: 'metrics-wanted'; readonly id: number }
  | {
      readonly hopback: 'metrics';
      readonly id: number;
      readonly text: string;
    };

/**
 * Between the end of a worker and the next in its place; doubled each time that one ended before it listened. One that has listened can be used, however
 * often it is killed: while nobody waits for another, nobody answers.
 */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** Share of the drain time after which a worker that has not ended is killed: the process that watches ends within all of it. */
const KILLED_AT_SHARE = 0.95;

/** Whether this process is one of the workers. */
export const isWorker = (): boolean => cluster.isWorker;

/** Lets go of the process that watches, so that a worker can end: the connection to it would keep it alive. */
export function leaveWorkers(): void {
  if (cluster.isWorker && process.connected) process.disconnect();
}

/**
 * Starts this program once more for each worker, and puts another in the place of one that ends.
 * @param options - how many, and whom to tell
 * @returns the workers, once all listen
 * @throws {@link HopbackError} `unavailable` when one ends before it listens: it has said why
 */
export async function startWorkers(options: { readonly count: number; readonly onNotice: OnNotice }) {
  const { count, onNotice } = options;
  // Each takes connections from the system by itself. One that were handed over to a process which has just been killed would stay open for good.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const counts = createWorkerCounts({ withinMs: COUNTS_MS });
  let isClosing = false;
  let waitMs = FIRST_WAIT_MS;
  const starts = new Set<() => void>();
  const fork = (): Worker => {
    const worker = cluster.fork();
    let hasListened = false;
    worker.once('listening', () => void (hasListened = true));
    worker.on('message', (message: Message) => void hear(worker, message, counts));
    worker.once('exit', (code, signal) => {
      counts.gone(worker.id);
      if (isClosing) return;
      waitMs = hasListened ? FIRST_WAIT_MS : Math.min(waitMs * 2, LONGEST_WAIT_MS);
      const how = signal === null ? `with ${String(code)}` : `by ${signal}`;
      onNotice({ level: 'error', part: 'workers', text: `one ended ${how}; another starts in ${String(waitMs)} ms` });
      const cancel = schedule(() => {
        starts.delete(cancel);
        fork();
      }, waitMs);
      starts.add(cancel);
    });
    return worker;
  };
  const port = await allListening(Array.from({ length: count }, fork)).catch((error: unknown) => {
    isClosing = true;
    for (const cancel of starts) cancel();
    for (const worker of living()) worker.process.kill('SIGKILL');
    throw error;
  });
  return {
    /** Where they listen. */
    port,
    /** Of those that live. */
    pids: (): readonly number[] => living().flatMap(({ process: { pid } }) => (pid === undefined ? [] : [pid])),
    reload: () => tellAll({ hopback: 'reload' }),
    /** Counts of all of them together. */
    metricsText: (): Promise<string> => countsText(counts),
    /** Asks all to end, and ends those that do not within the time. */
    close: async (drainMs: number) => {
      isClosing = true;
      for (const cancel of starts) cancel();
      tellAll({ hopback: 'close' });
      await Promise.all(living().map((worker) => ended(worker, drainMs * KILLED_AT_SHARE)));
    },
  };
}

const living = (): readonly Worker[] =>
  Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined && !worker.isDead()) as Worker[];

function tellAll(message: Message): void {
  for (const worker of living()) if (worker.isConnected()) worker.send(message);
}

function allListening(workers: readonly Worker[]): Promise<number> {
  return new Promise((resolve, reject) => {
    let waiting = workers.length;
    for (const worker of workers) {
      worker.once('listening', ({ port }) => {
        waiting -= 1;
        if (waiting === 0) resolve(port);
      });
      worker.once('exit', () => reject(new HopbackError('unavailable', 'a worker could not be started: see above')));
    }
  });
}

async function hear(worker: Worker, message: Message, counts: WorkerCounts): Promise<void> {
  if (message.hopback === 'counts') counts.heard(worker.id, message);
  if (message.hopback !== 'metrics-wanted') return;
  const text = await countsText(counts);
  if (worker.isConnected()) worker.send({ hopback: 'metrics', id: message.id, text } satisfies Message);
}

const countsText = (counts: WorkerCounts): Promise<string> =>
  counts.text(
    living()
      .filter((worker) => worker.isConnected())
      .map((worker) => ({
        worker: worker.id,
        ask: (question) => void worker.send({ hopback: 'counts-wanted', question } satisfies Message),
      })),
  );

function ended(worker: Worker, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = schedule(() => worker.process.kill('SIGKILL'), withinMs);
    worker.once('exit', () => {
      cancel();
      resolve();
    });
    if (worker.isDead()) resolve();
  });
}

/** How long the process that watches waits for the counts of each. */
const COUNTS_MS = 700;
/** How long the counts of all are waited for: longer than that, and well within the time of a scrape. */
const METRICS_MS = 1_000;

/** @returns the link of this process, which is a worker */
export function workerLink() {
  let nextId = 0;
  const waiting = new Map<number, (text: string) => void>();
  /** What is asked for while this one starts is done when it has. */
  const early: Message[] = [];
  let heard = (message: Message): void => void early.push(message);
  process.on('message', (message: Message) => {
    if (message.hopback === 'metrics') waiting.get(message.id)?.(message.text);
    else heard(message);
  });
  return {
    /** Counts of all workers together; of this one alone where nobody answers. */
    metricsText: (own: () => Promise<string>): Promise<string> => {
      const id = (nextId += 1);
      return new Promise((resolve) => {
        const done = (text: string): void => {
          cancel();
          waiting.delete(id);
          resolve(text === '' ? own() : text);
        };
        const cancel = schedule(() => done(''), METRICS_MS);
        waiting.set(id, done);
        process.send?.({ hopback: 'metrics-wanted', id } satisfies Message);
      });
    },
    /**
     * Does what the watching process asks for, and ends when it is gone.
     * @returns when the worker is to end
     */
    serve: async (sidecar: Sidecar) => {
      // Ctrl-C reaches all processes of a terminal: the one that watches decides.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
      await new Promise<void>((resolve) => {
        heard = (message) => {
          if (message.hopback === 'reload') void sidecar.reload();
          if (message.hopback === 'counts-wanted') void sayCounts(sidecar, message.question);
          if (message.hopback === 'close') resolve();
        };
        for (const message of early) heard(message);
        process.once('disconnect', resolve);
        if (!process.connected) resolve();
      });
    },
  };
}

async function sayCounts({ metrics }: Sidecar, question: number): Promise<void> {
  const counts = await metrics.registry.getMetricsAsJSON();
  if (process.connected) process.send?.({ hopback: 'counts', question, counts } satisfies Message);
}
