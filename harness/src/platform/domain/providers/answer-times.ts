/** How long answers take. */
export interface AnswerTimes {
  /** Least seconds in which so large a share of the answers was there. */
  readonly quantiles: readonly { readonly share: number; readonly seconds: number }[];
  /** Answers that took at most so long, and longer than those before; the last one has no end. */
  readonly histogram: readonly { readonly upToSeconds?: number; readonly count: number }[];
}

const SHARES = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
const HOUR = 3_600;
/** A minute is a machine, an hour a person, 24 hours the rule (47 CFR 64.1200(n)(1)), a week what few wait for. */
const EDGES_SECONDS: readonly number[] = [60, 300, 900, HOUR, 4 * HOUR, 8 * HOUR, 24 * HOUR, 48 * HOUR, 168 * HOUR];

/** Distribution of response times. @param seconds - from issue to answer by the platform's clock, in any order; at least one */
export function answerTimes(seconds: readonly number[]): AnswerTimes {
  const sorted = [...seconds].sort((one, other) => one - other);
  const counts = EDGES_SECONDS.map((edge, index) => {
    const below = EDGES_SECONDS[index - 1] ?? -Infinity;
    return { upToSeconds: edge, count: sorted.filter((value) => value > below && value <= edge).length };
  });
  const last = EDGES_SECONDS.at(-1) ?? 0;
  return {
    quantiles: SHARES.map((share) => ({ share, seconds: quantile(sorted, share) })),
    histogram: [...counts, { count: sorted.filter((value) => value > last).length }],
  };
}

/** Nearest rank: a time that there was, never one between two. @param sorted - upwards */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
