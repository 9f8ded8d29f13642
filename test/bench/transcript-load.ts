import { performance } from 'node:perf_hooks';
import { ScriptIndex } from '../../harness/src/platform/domain/campaigns/scripts/script-index.js';
import { garbageCollector } from '../support/garbage-collector.js';
import { makeTranscripts } from '../support/transcript-corpus.js';
import { sized, type BenchContext, type Figure } from './bench.js';
import { jaccard, shingleSets, type LabelledTranscript, type Rates } from './transcript-pairs.js';

/** Figures that `measureLoad` gives, always together. */
export const LOAD_FIGURES: readonly string[] = ['rate', 'rss', 'heap', 'load-recall', 'load-precision'];

const SEED = 20_261_128;
const LEAST_RATE = 2_000;
/** 1.5 GiB: what one process of the platform may take for this beside its other work. */
const MOST_RSS_MB = 1_536;
const MEGABYTE = 1_048_576;
/** The baseline holds each against all, so that it is asked for few: its rate falls with their number. */
const BASELINE_TRANSCRIPTS = 2_000;
/** Transcripts made at once: making them is no part of what is measured. */
const BLOCK = 5_000;

/** Many transcripts through one index on one core: rate, memory, and how well it still tells scripts apart. */
export async function* measureLoad(context: BenchContext): AsyncGenerator<Figure> {
  const transcripts = sized(context, { quick: 10_000, short: 20_000, full: 1_000_000 });
  const scripts = transcripts / 50;
  const collect = garbageCollector();
  collect();
  const before = process.memoryUsage();
  const index = new ScriptIndex();
  const notes: (readonly [made: number, script: number])[] = [];
  // Processor time, collector's threads included: what one core does, whoever else is on the machine.
  let workMs = 0;
  let wallMs = 0;
  let block: (LabelledTranscript & { script?: number })[] = [];
  const flush = (): void => {
    const started = performance.now();
    const used = process.cpuUsage();
    for (const { id, transcript, language } of block) index.add(id, transcript, language);
    const { user, system } = process.cpuUsage(used);
    workMs += (user + system) / 1_000;
    wallMs += performance.now() - started;
    block = [];
  };
  let made = 0;
  for (const one of makeTranscripts({ seed: SEED, transcripts, scripts })) {
    if (one.script !== undefined) notes.push([made, one.script]);
    block.push(one);
    made += 1;
    if (block.length === BLOCK) flush();
    if (made % 100_000 === 0)
      context.progress(`${String(made)} transcripts, ${String(Math.round((made / workMs) * 1_000))}/s`);
  }
  flush();
  collect();
  const after = process.memoryUsage();
  const counts = index.statistics();
  const size = `${String(transcripts)} transcripts of ${String(scripts)} scripts: ${String(counts.scripts)} scripts kept, ${String(counts.merges)} merges, ${String(counts.forgottenScripts)} forgotten`;
  yield {
    figure: 'rate',
    value: (transcripts / workMs) * 1_000,
    unit: 'transcripts/s',
    baseline: `Jaccard of 3 words, each against all, ${String(BASELINE_TRANSCRIPTS)} transcripts`,
    baselineValue: baselineRate(),
    bar: { valueAtLeast: LEAST_RATE },
    note: `per second of processor time, ${String(Math.round((transcripts / wallMs) * 1_000))} by the clock; ${size}`,
  };
  const rss = (after.rss - before.rss) / MEGABYTE;
  yield {
    figure: 'rss',
    value: rss,
    unit: 'MiB',
    bar: { valueAtMost: MOST_RSS_MB },
    note: `above ${String(Math.round(before.rss / MEGABYTE))} MiB before; with the truth that the bench keeps`,
  };
  const heap = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / MEGABYTE;
  yield {
    figure: 'heap',
    value: heap,
    unit: 'MiB',
    bar: { valueAtMost: MOST_RSS_MB },
    note: 'heap and array buffers after a full collection',
  };
  const { recall, precision } = ratesOf(notes, (one) => index.scriptOf(`t${String(one)}`));
  yield {
    figure: 'load-recall',
    value: recall,
    unit: 'of pairs',
    note: 'pairs of made scripts whose ids are still remembered',
  };
  yield { figure: 'load-precision', value: precision, unit: 'of pairs', bar: { valueAtLeast: 0.79 } };
}

/** Pairs by counting: of each script, how many went where. @param notes - number and script of each transcript that was made */
function ratesOf(
  notes: readonly (readonly [made: number, script: number])[],
  scriptOf: (made: number) => string | undefined,
): Rates {
  const pairs = (count: number): number => (count * (count - 1)) / 2;
  const truly = new Map<number, number>();
  const predicted = new Map<string, number>();
  const both = new Map<string, number>();
  const count = <Key>(counts: Map<Key, number>, key: Key): unknown => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const [made, script] of notes) {
    count(truly, script);
    const found = scriptOf(made);
    if (found === undefined) continue;
    count(predicted, found);
    count(both, `${found}|${String(script)}`);
  }
  const sum = (counts: ReadonlyMap<unknown, number>): number =>
    [...counts.values()].reduce((total, one) => total + pairs(one), 0);
  return { recall: sum(both) / Math.max(sum(truly), 1), precision: sum(both) / Math.max(sum(predicted), 1) };
}

function baselineRate(): number {
  const rows = [
    ...makeTranscripts({ seed: SEED, transcripts: BASELINE_TRANSCRIPTS, scripts: BASELINE_TRANSCRIPTS / 50 }),
  ];
  const started = performance.now();
  const sets = shingleSets(rows);
  let alike = 0;
  for (const [at, set] of sets.entries())
    for (let other = 0; other < at; other += 1) if (jaccard(set, sets[other] ?? set) >= 0.5) alike += 1;
  const seconds = (performance.now() - started) / 1_000;
  return alike < 0 ? 0 : BASELINE_TRANSCRIPTS / seconds;
}
