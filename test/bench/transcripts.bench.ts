import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { SeededRandom } from '../../harness/src/faults/index.js';
import { ScriptIndex } from '../../harness/src/platform/domain/campaigns/scripts/script-index.js';
import type { ScriptBars, ScriptStrictness } from '../../harness/src/platform/domain/campaigns/scripts/types.js';
import { makeTranscripts } from '../support/transcript-corpus.js';
import { sized, type Bench, type BenchContext, type Figure } from './bench.js';
import {
  countPairs,
  jaccard,
  quantile,
  ratesOf,
  resample,
  shingleSets,
  type LabelledTranscript,
  type PairCounts,
  type Rates,
} from './transcript-pairs.js';
import { LOAD_FIGURES, measureLoad } from './transcript-load.js';

/** Transcripts put with their scripts, by pairs against what is known of them, beside the Jaccard index of sets of three words in a row. */
export const bench: Bench = {
  name: 'transcripts',
  description:
    'transcripts of one script found, by pairs: predicted is a pair that got one script after all rows were added in their order; counted are pairs of rows that both have a label (the same audio, or the same made script)',
  figures: [
    ...['same-script', 'same-recording'].flatMap((name) => [
      `${name}-recall`,
      `${name}-precision`,
      `${name}-recall-low`,
      `${name}-precision-low`,
      `${name}-margin`,
      `${name}-held-out-recall`,
      `${name}-held-out-precision`,
      `${name}-orders-recall-low`,
      `${name}-orders-precision-low`,
    ]),
    ...LOAD_FIGURES,
  ],
  quick: { seconds: 45 },
  run: measure,
};

/** What has to be reached: both points of the curve that sets of three words were measured to have. */
const LEAST: Readonly<Record<ScriptStrictness, Rates>> = {
  'same-script': { recall: 0.89, precision: 0.6 },
  'same-recording': { recall: 0.68, precision: 0.79 },
};
const RATES = ['recall', 'precision'] as const;
const SEED = 20_261_127;
const MADE = {
  quick: { transcripts: 1_000, scripts: 75 },
  short: { transcripts: 2_000, scripts: 150 },
  full: { transcripts: 2_000, scripts: 150 },
};
const RESAMPLES = 1_000;
const SPLITS = 8;
const ORDERS = 6;
const THRESHOLDS = Array.from({ length: 46 }, (_, at) => 0.05 + at * 0.02);
const GRID: readonly Partial<ScriptBars>[] = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.78, 0.82, 0.86].flatMap((similarity) =>
  [0.85, 0.9, 0.97].map((containment) => ({ similarity, containment })),
);

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const wanted = (['same-script', 'same-recording'] as const).filter((strictness) =>
    bench.figures.some((figure) => figure.startsWith(strictness) && context.wants(figure)),
  );
  if (wanted.length > 0) {
    const rows = context.recordings === undefined ? madeRows(context) : recordingsOf(context.recordings);
    const baseline = baselineOf(rows);
    context.progress(`${String(rows.length)} transcripts, ${String(baseline[0]?.counts.labels ?? 0)} labels`);
    context.progress(`Jaccard of three words, pair by pair: ${curveText(baseline)}`);
    for (const strictness of wanted)
      yield* accuracy(strictness, { rows, baseline, least: leastOf(context, strictness) });
  }
  if (LOAD_FIGURES.some((figure) => context.wants(figure))) yield* measureLoad(context);
}

/**
 * Recordings are held to both points. Of made transcripts it is known which script was read, so that no precision is understated and the
 * point of more precision is the one to hold; which of them are one recording nobody knows, since noise makes each its own.
 */
function leastOf({ recordings }: BenchContext, strictness: ScriptStrictness): Rates | undefined {
  if (recordings !== undefined) return LEAST[strictness];
  return strictness === 'same-script' ? LEAST['same-recording'] : undefined;
}

interface Ground {
  readonly rows: readonly LabelledTranscript[];
  readonly baseline: readonly BaselinePoint[];
  /** What has to be reached, if anything. */
  readonly least: Rates | undefined;
}

interface BaselinePoint {
  readonly threshold: number;
  readonly counts: PairCounts;
}

function madeRows(context: BenchContext): LabelledTranscript[] {
  const made = makeTranscripts({ seed: SEED, ...sized(context, MADE) });
  return [...made].map(({ id, language, transcript, script }) => ({
    id,
    language,
    transcript,
    ...(script === undefined ? {} : { label: String(script) }),
  }));
}

function recordingsOf(file: string): LabelledTranscript[] {
  const rows = parse(readFileSync(file, 'utf8'), { columns: true, relax_column_count: true });
  return (rows as readonly Readonly<Record<string, string>>[]).map((row, at) => ({
    id: `${row['id'] ?? ''}/${String(at)}`,
    language: row['language'] ?? '',
    transcript: row['transcript'] ?? '',
    ...((row['audio_cluster'] ?? '') === '' ? {} : { label: row['audio_cluster'] ?? '' }),
  }));
}

function pairsOf(rows: readonly LabelledTranscript[], strictness: ScriptStrictness, bars: Partial<ScriptBars> = {}) {
  const index = new ScriptIndex({ strictness, bars });
  for (const { id, transcript, language } of rows) index.add(id, transcript, language === '' ? undefined : language);
  const scripts = rows.map(({ id }) => index.scriptOf(id));
  return countPairs(rows, (a, b) => scripts[a] !== undefined && scripts[a] === scripts[b]);
}

function baselineOf(rows: readonly LabelledTranscript[]): BaselinePoint[] {
  const sets = shingleSets(rows);
  const empty: ReadonlySet<string> = new Set();
  const known = new Map<number, number>();
  const likeness = (a: number, b: number): number => {
    const key = a * rows.length + b;
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = jaccard(sets[a] ?? empty, sets[b] ?? empty)));
    return value;
  };
  return THRESHOLDS.map((threshold) => ({
    threshold,
    counts: countPairs(rows, (a, b) => likeness(a, b) >= threshold),
  }));
}

function curveText(baseline: readonly BaselinePoint[]): string {
  const points = baseline
    .filter((_, at) => at % 3 === 0)
    .map(({ threshold, counts }) => {
      const { recall, precision } = ratesOf(counts);
      return `${threshold.toFixed(2)}: ${recall.toFixed(3)}/${precision.toFixed(3)}`;
    });
  return points.join(' ');
}

/** The most recall that the baseline has at a precision no lower than one. */
function baselineRecall(baseline: readonly BaselinePoint[], precision: number, weights?: readonly number[]): number {
  const rates = baseline.map(({ counts }) => ratesOf(counts, weights)).filter((rate) => rate.precision >= precision);
  return Math.max(0, ...rates.map(({ recall }) => recall));
}

function* accuracy(strictness: ScriptStrictness, { rows, baseline, least }: Ground): Generator<Figure> {
  const counts = pairsOf(rows, strictness);
  const { recall, precision } = ratesOf(counts);
  const bar = (value: number | undefined): Pick<Figure, 'bar'> =>
    value === undefined ? {} : { bar: { valueAtLeast: value } };
  const unit = 'of pairs';
  const beside = {
    baseline: 'Jaccard of 3 words, most recall at no less precision',
    baselineValue: baselineRecall(baseline, precision),
  };
  yield {
    figure: `${strictness}-recall`,
    value: recall,
    unit,
    ...bar(least?.recall),
    ...beside,
    note: `baseline, threshold: recall/precision: ${curveText(baseline)}`,
  };
  yield { figure: `${strictness}-precision`, value: precision, unit, ...bar(least?.precision) };
  const drawn = resample(counts.labels, { rounds: RESAMPLES, seed: SEED }, (weights) => {
    const rates = ratesOf(counts, weights);
    return { ...rates, margin: rates.recall - baselineRecall(baseline, rates.precision, weights) };
  });
  const note = (values: readonly number[]): string =>
    `labels drawn anew ${String(RESAMPLES)} times, 2.5 % to 97.5 %: ${quantile(values, 0.025).toFixed(3)} to ${quantile(values, 0.975).toFixed(3)}`;
  for (const rate of RATES) {
    const values = drawn.map((one) => one[rate]);
    yield { figure: `${strictness}-${rate}-low`, value: quantile(values, 0.025), unit, note: note(values) };
  }
  const margins = drawn.map(({ margin }) => margin);
  yield {
    figure: `${strictness}-margin`,
    value: quantile(margins, 0.5),
    unit,
    note: `recall above the baseline's at no less precision, in each draw; ${note(margins)}`,
  };
  yield* heldOut(strictness, rows);
  yield* orders(strictness, rows);
}

/** Bars chosen on one half of the labels and measured on the other, several times. */
function* heldOut(strictness: ScriptStrictness, rows: readonly LabelledTranscript[]): Generator<Figure> {
  const least = LEAST[strictness];
  const labels = [...new Set(rows.flatMap(({ label }) => (label === undefined ? [] : [label])))];
  const measured: Rates[] = [];
  for (let split = 0; split < SPLITS; split += 1) {
    const chosen = new Set(shuffled(labels, split).slice(0, Math.floor(labels.length / 2)));
    const half = (isFirst: boolean): LabelledTranscript[] =>
      rows.filter(({ label }) => label !== undefined && chosen.has(label) === isFirst);
    const tuning = half(true);
    const tried = GRID.map((bars) => ({ bars, ...ratesOf(pairsOf(tuning, strictness, bars)) }));
    // Most recall among those with a twentieth more precision than has to be, so that the other half has some to lose.
    const good = tried.filter(({ precision }) => precision >= least.precision + 0.05);
    const [best] = (good.length > 0 ? good : tried).toSorted((a, b) =>
      good.length > 0 ? b.recall - a.recall : b.precision - a.precision,
    );
    measured.push(ratesOf(pairsOf(half(false), strictness, best?.bars ?? {})));
  }
  const text = measured.map(({ recall, precision }) => `${recall.toFixed(3)}/${precision.toFixed(3)}`).join(' ');
  const note = `bars chosen on half of the labels, measured on the other half, median of ${String(SPLITS)} splits; recall/precision: ${text}`;
  for (const rate of RATES)
    yield { figure: `${strictness}-held-out-${rate}`, value: medianOf(measured, rate), unit: 'of pairs', note };
}

const medianOf = (measured: readonly Rates[], rate: keyof Rates): number =>
  quantile(
    measured.map((one) => one[rate]),
    0.5,
  );

/** The worst of several orders of arrival. */
function* orders(strictness: ScriptStrictness, rows: readonly LabelledTranscript[]): Generator<Figure> {
  const measured = Array.from({ length: ORDERS }, (_, order) => ratesOf(pairsOf(shuffled(rows, order), strictness)));
  const note = `least of ${String(ORDERS)} orders of arrival`;
  for (const rate of RATES) {
    const value = Math.min(...measured.map((one) => one[rate]));
    yield { figure: `${strictness}-orders-${rate}-low`, value, unit: 'of pairs', note };
  }
}

function shuffled<T>(items: readonly T[], order: number): T[] {
  const random = new SeededRandom(SEED, `order/${String(order)}`);
  return items
    .map((item) => ({ item, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
