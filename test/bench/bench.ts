import { cpus } from 'node:os';
import { createHistogram, performance } from 'node:perf_hooks';

/** What a figure has to reach. A ratio is value / baselineValue. */
export type Bar =
  | { readonly ratioAtLeast: number }
  | { readonly ratioAtMost: number }
  | { readonly valueAtLeast: number }
  | { readonly valueAtMost: number };

/** One measured number, beside what it is compared with in the same run. */
export interface Figure {
  readonly figure: string;
  readonly value: number;
  /** Unit of `value` and of `baselineValue`: `verifications/s`, `ms`, `fetches`, … */
  readonly unit: string;
  /** What it is compared with: `node:crypto ES256 verify`, `libsecsipid`, … */
  readonly baseline?: string;
  /** Absent when the baseline could not run here (a missing peer): then the bar is neither held nor missed. */
  readonly baselineValue?: number;
  readonly bar?: Bar;
  /** For the reader: how to install a missing baseline, how many rounds, … */
  readonly note?: string;
}

/** What a bench is run with. */
export interface BenchContext {
  /** Nights: more rounds, longer loads. */
  readonly full: boolean;
  /** The shortest setting: the fewest rounds, the smallest counts. Never together with `full`. */
  readonly quick: boolean;
  /** A drachtio server to measure in place of ours, where the bench can. */
  readonly drachtio?: { readonly host: string; readonly port: number; readonly secret: string };
  /** A CSV file with the columns `id`, `language`, `audio_cluster` and `transcript`, where the bench measures transcripts. */
  readonly recordings?: string;
  /** Whether a figure is asked for: benches whose figures are measured apart leave the others out. False for those that the quick form leaves out. */
  readonly wants: (figure: string) => boolean;
  /** A line for the person who waits; goes to stderr. */
  readonly progress: (line: string) => void;
}

/** Picks a count or a duration for the setting in which a bench runs. */
export function sized<Value>(
  { full, quick }: Pick<BenchContext, 'full' | 'quick'>,
  of: { readonly quick: Value; readonly short: Value; readonly full: Value },
): Value {
  if (full) return of.full;
  return quick ? of.quick : of.short;
}

/** What `--quick` makes of a bench. */
export interface QuickForm {
  /** Expected duration on a quiet machine with two processors, generously. `all --quick` skips the bench when less time is left. */
  readonly seconds: number;
  /** Figures that it leaves out, each with the reason. */
  readonly leftOut?: Readonly<Record<string, string>>;
}

/** `all --quick` ends within this time: 15 minutes. */
export const QUICK_LIMIT_SECONDS = 900;

/** One bench: a file `test/bench/NAME.bench.ts` that exports `bench`. */
export interface Bench {
  readonly name: string;
  readonly description: string;
  /** Every figure it gives; one that is declared and not measured fails the run. */
  readonly figures: readonly string[];
  readonly quick: QuickForm;
  readonly run: (context: BenchContext) => AsyncIterable<Figure> | Promise<readonly Figure[]>;
}

/** Benches that are run under one name, one after the other, each in a process of its own. */
export interface BenchOfParts {
  readonly name: string;
  readonly description: string;
  /** Names of benches. */
  readonly parts: readonly string[];
}

/** A figure as it is printed: one line of JSON. */
export interface FigureLine {
  readonly bench: string;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: string | null;
  readonly baselineValue: number | null;
  readonly ratio: number | null;
  /** `ratio >= 0.85`, `value <= 2`, or null where the figure is only reported. */
  readonly bar: string | null;
  /** Null where there is no bar, or nothing to hold it against. */
  readonly holds: boolean | null;
  readonly machine: string;
  readonly note?: string;
}

/** A figure that the quick form leaves out, as it is printed: one line of JSON. */
export interface LeftOutLine {
  readonly bench: string;
  readonly figure: string;
  /** Why. */
  readonly leftOut: string;
}

/** Puts a figure into the printed form and judges its bar. */
export function figureLine(bench: string, figure: Figure): FigureLine {
  const ratio = figure.baselineValue === undefined ? null : figure.value / figure.baselineValue;
  const judged = figure.bar === undefined ? { text: null, holds: null } : judge(figure.bar, figure.value, ratio);
  return {
    bench,
    figure: figure.figure,
    value: rounded(figure.value),
    unit: figure.unit,
    baseline: figure.baseline ?? null,
    baselineValue: figure.baselineValue === undefined ? null : rounded(figure.baselineValue),
    ratio: ratio === null ? null : rounded(ratio),
    bar: judged.text,
    holds: judged.holds,
    machine: machine(),
    ...(figure.note === undefined ? {} : { note: figure.note }),
  };
}

/** Processor, cores and Node of this machine: what a reader needs to compare figures, and nothing that names the machine. */
export function machine(): string {
  const processors = cpus();
  const model = (processors[0]?.model ?? 'unknown processor').replace(/\s+/g, ' ').trim();
  return `${model} x ${processors.length}, Node ${process.versions.node}, OpenSSL ${process.versions.openssl}, ${process.platform} ${process.arch}`;
}

/** Does the work once, or says how many operations one call did. */
export type Operation = () => number | void | Promise<number | void>;

/** One contestant: an operation, or something that measures itself, such as another program. */
export type Contestant =
  | Operation
  | {
      /** Works for about so many milliseconds and says how many operations a second that were. */
      readonly measure: (ms: number) => Promise<number>;
    };

/** Operations per second of one contestant over the rounds. */
export interface Rate {
  readonly median: number;
  /** Those that count. */
  readonly rounds: readonly number[];
  /** How many were made. */
  readonly made: number;
}

/** How contestants are measured. */
export interface Rounds<Name extends string> {
  /** How many count. */
  readonly rounds: number;
  /** How long each turn lasts, milliseconds. */
  readonly ms: number;
  /**
   * The baseline by which rounds are told apart in which the machine was busy with something else: rounds are made until so many
   * were steady, that is, within {@link STEADY} of the fastest turn of the baseline, or until three times as many were made; those
   * count in which the baseline was fastest. What the others did in a round has no say in whether it counts.
   */
  readonly steadyBy?: NoInfer<Name>;
}

/**
 * Measures contestants side by side: every round gives each its turn, in turning order, so that a slower minute of the
 * machine hits all of them alike. One round before the counted ones warms up.
 * @param contestants - by name; a synchronous one is called in batches, so that looking at the clock costs nothing
 */
export async function interleave<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  { rounds, ms, steadyBy }: Rounds<Name>,
): Promise<Readonly<Record<Name, Rate>>> {
  const names = Object.keys(contestants) as Name[];
  const made: Readonly<Record<Name, number>>[] = [];
  await oneRound(contestants, names, ms / 2);
  while (isWorthAnother(made, rounds, steadyBy)) {
    made.push(await oneRound(contestants, made.length % 2 === 0 ? names : names.toReversed(), ms));
  }
  const counted = steadyBy === undefined ? made : made.toSorted((a, b) => b[steadyBy] - a[steadyBy]).slice(0, rounds);
  const rates = names.map((name) => {
    const values = counted.map((round) => round[name]);
    return [name, { median: median(values), rounds: values, made: made.length }];
  });
  return Object.fromEntries(rates) as Record<Name, Rate>;
}

/** A round is steady in which the baseline ran at such a part of its fastest rate at least. */
export const STEADY = 0.96;
const MOST_ROUNDS = 3;

function isWorthAnother<Name extends string>(
  made: readonly Readonly<Record<Name, number>>[],
  rounds: number,
  steadyBy: Name | undefined,
): boolean {
  if (made.length < rounds) return true;
  if (steadyBy === undefined || made.length >= MOST_ROUNDS * rounds) return false;
  const fastest = Math.max(...made.map((round) => round[steadyBy]));
  return made.filter((round) => round[steadyBy] >= STEADY * fastest).length < rounds;
}

async function oneRound<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  order: readonly Name[],
  ms: number,
): Promise<Readonly<Record<Name, number>>> {
  const rates: Partial<Record<Name, number>> = {};
  for (const name of order) {
    const contestant = contestants[name];
    rates[name] = await (typeof contestant === 'function' ? rateOf(contestant, ms) : contestant.measure(ms));
  }
  return rates as Record<Name, number>;
}

/** Repeats an operation for so many milliseconds; returns operations per second. */
export async function rateOf(operation: Operation, ms: number): Promise<number> {
  let operations = 0;
  let batch = 1;
  const start = performance.now();
  let now = start;
  while (now - start < ms) {
    const batchStart = now;
    for (let index = 0; index < batch; index += 1) {
      const result = operation();
      operations += (result instanceof Promise ? await result : result) ?? 1;
    }
    now = performance.now();
    if (now - batchStart < BATCH_MS / 2) batch *= 2;
  }
  return (operations * 1000) / (now - start);
}

/** The middle of a list of numbers; NaN for an empty one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Durations in milliseconds, summed up. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Collects durations in a fixed amount of memory (three significant digits, up to an hour). */
export function durations(): {
  readonly record: (milliseconds: number) => void;
  readonly percentiles: () => Percentiles;
} {
  const histogram = createHistogram({ lowest: 1, highest: 3_600_000_000_000, figures: 3 });
  const at = (percentile: number): number => histogram.percentile(percentile) / 1_000_000;
  return {
    record: (milliseconds) => histogram.record(Math.max(1, Math.round(milliseconds * 1_000_000))),
    percentiles: () => ({
      count: histogram.count,
      p50: at(50),
      p99: at(99),
      p999: at(99.9),
      max: histogram.max / 1_000_000,
    }),
  };
}

function judge(bar: Bar, value: number, ratio: number | null) {
  if ('ratioAtLeast' in bar)
    return { text: `ratio >= ${bar.ratioAtLeast}`, holds: ratio === null ? null : ratio >= bar.ratioAtLeast };
  if ('ratioAtMost' in bar)
    return { text: `ratio <= ${bar.ratioAtMost}`, holds: ratio === null ? null : ratio <= bar.ratioAtMost };
  if ('valueAtLeast' in bar) return { text: `value >= ${bar.valueAtLeast}`, holds: value >= bar.valueAtLeast };
  return { text: `value <= ${bar.valueAtMost}`, holds: value <= bar.valueAtMost };
}

/** How long one batch of a synchronous contestant should last: short beside a turn, long beside a look at the clock. */
const BATCH_MS = 2;

/** Four significant digits: more would be noise. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}
