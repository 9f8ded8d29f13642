import { SeededRandom } from '../../harness/src/faults/index.js';

/** A transcript, with what it is known to be a recording of. */
export interface LabelledTranscript {
  readonly id: string;
  readonly language: string;
  readonly transcript: string;
  /** Transcripts with the same label are truly one; those without take part and are not counted. */
  readonly label?: string;
}

/**
 * Pairs between labels, as counts: enough to draw labels again without looking at a transcript twice. Index of a label by order of
 * appearance.
 */
export type PairCounts = Awaited<ReturnType<typeof countPairs>>;

export type Rates = Awaited<ReturnType<typeof ratesOf>>;

/** Counts pairs of labelled transcripts; a pair is predicted where `isPair` says so. */
export function countPairs(rows: readonly LabelledTranscript[], isPair: (a: number, b: number) => boolean) {
  const numbers = new Map<string, number>();
  const labelled = rows.flatMap(({ label }, row) => {
    if (label === undefined) return [];
    const number = numbers.get(label) ?? numbers.size;
    numbers.set(label, number);
    return [{ row, number }];
  });
  const truth = Array.from({ length: numbers.size }, () => 0);
  const found = Array.from({ length: numbers.size }, () => 0);
  const across = new Map<number, number>();
  for (const [index, one] of labelled.entries())
    for (let at = 0; at < index; at += 1) {
      const other = labelled[at];
      if (other === undefined) continue;
      const predicted = isPair(one.row, other.row);
      if (one.number === other.number) {
        truth[one.number] = (truth[one.number] ?? 0) + 1;
        if (predicted) found[one.number] = (found[one.number] ?? 0) + 1;
      } else if (predicted) {
        const key = Math.min(one.number, other.number) * numbers.size + Math.max(one.number, other.number);
        across.set(key, (across.get(key) ?? 0) + 1);
      }
    }
  const triples = [...across].map(
    ([key, count]) => [Math.floor(key / numbers.size), key % numbers.size, count] as const,
  );
  return { labels: numbers.size, truth, found, across: triples };
}

/** Recall and precision, each label counted as often as its weight says; 1 each where it is left out. */
export function ratesOf(counts: PairCounts, weights?: readonly number[]) {
  const weight = (label: number): number => (weights === undefined ? 1 : (weights[label] ?? 0));
  let truth = 0;
  let found = 0;
  for (let label = 0; label < counts.labels; label += 1) {
    truth += weight(label) * (counts.truth[label] ?? 0);
    found += weight(label) * (counts.found[label] ?? 0);
  }
  let wrong = 0;
  for (const [one, other, count] of counts.across) wrong += weight(one) * weight(other) * count;
  return { recall: truth === 0 ? 1 : found / truth, precision: found + wrong === 0 ? 1 : found / (found + wrong) };
}

/** Draws the labels anew, with replacement, and hands the weights to each look. */
export function resample<T>(
  labels: number,
  { rounds, seed }: { rounds: number; seed: number },
  look: (weights: readonly number[]) => T,
): T[] {
  const random = new SeededRandom(seed, 'resample');
  return Array.from({ length: rounds }, () => {
    const weights = Array.from({ length: labels }, () => 0);
    for (let drawn = 0; drawn < labels; drawn += 1) {
      const label = random.int(labels);
      weights[label] = (weights[label] ?? 0) + 1;
    }
    return look(weights);
  });
}

/** The value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The baseline: sets of three words in a row, in lower case, and how much of both sets is common. No pair is made by way of a third. */
export function shingleSets(rows: readonly LabelledTranscript[]): readonly ReadonlySet<string>[] {
  return rows.map(({ transcript }) => {
    const words = transcript.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
    const set = new Set<string>();
    for (let at = 0; at + 2 < words.length; at += 1) set.add(words.slice(at, at + 3).join(' '));
    return set;
  });
}

export function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let common = 0;
  for (const shingle of small) if (large.has(shingle)) common += 1;
  const union = a.size + b.size - common;
  return union === 0 ? 0 : common / union;
}
