/** Share with the interval in which the true one lies with a stated confidence. */
export interface RateInterval {
  readonly hits: number;
  readonly trials: number;
  /** `hits / trials`; 0 where there are no trials. */
  readonly rate: number;
  readonly lower: number;
  readonly upper: number;
}

/** Quantile of the normal distribution for intervals of 95 %, two-sided. */
const Z = 1.959963984540054;

/**
 * Wilson score interval of a share, 95 %. Unlike the one of the textbook (Wald) it stays within 0 and 1 and covers what it promises, about,
 * for few requests and for shares near 0 and 1, which is what most providers have. Where nothing was tried it is 0 to 1: nothing is known.
 * @param hits - whole, 0 to `trials`
 * @param trials - whole, 0 or more
 * @see E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927)
 * @example
 * ```ts
 * console.log(wilsonInterval(0, 3).upper > 0.5); // true
 * ```
 */
export function wilsonInterval(hits: number, trials: number): RateInterval {
  if (trials === 0) return { hits, trials, rate: 0, lower: 0, upper: 1 };
  const rate = hits / trials;
  const square = Z * Z;
  const divisor = 1 + square / trials;
  const centre = (rate + square / (2 * trials)) / divisor;
  const half = (Z * Math.sqrt((rate * (1 - rate)) / trials + square / (4 * trials * trials))) / divisor;
  // At the ends the bound is exact, whatever the last bits say.
  const lower = hits === 0 ? 0 : Math.max(0, centre - half);
  const upper = hits === trials ? 1 : Math.min(1, centre + half);
  return { hits, trials, rate, lower, upper };
}

/**
 * Probability of at least so many hits where each trial is one with a given probability, independently: the p-value of the exact one-sided
 * test whether a share is above `probability`.
 * @param hits - whole, 0 to `trials`
 * @param trials - whole
 * @param probability - above 0 and below 1
 * @returns 0 to 1; to about 12 digits
 * @see NIST Digital Library of Mathematical Functions, 8.17.5: the tail is a regularized incomplete beta function
 * @example
 * ```ts
 * console.log(binomialUpperTail(2, 2, 0.5)); // 0.25
 * ```
 */
export function binomialUpperTail(hits: number, trials: number, probability: number): number {
  if (hits <= 0) return 1;
  if (hits > trials) return 0;
  return Math.min(1, Math.max(0, incompleteBeta(probability, hits, trials - hits + 1)));
}

/** Regularized I_x(a, b). DLMF 8.17 */
function incompleteBeta(x: number, a: number, b: number): number {
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  // The continued fraction converges fast below this point; above it the mirrored one does.
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/** Terms of the continued fraction: about the square root of the number of trials is needed, and a provider has no million. */
const MAX_TERMS = 2_000;
const PRECISION = 1e-14;
/** Stands for zero in a divisor. */
const TINY = 1e-300;

/** DLMF 8.17.22, by the method of Lentz. */
function betaFraction(x: number, a: number, b: number): number {
  const safe = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / safe(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= MAX_TERMS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / safe(1 + even * d);
    c = safe(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / safe(1 + odd * d);
    c = safe(1 + odd / c);
    const step = d * c;
    result *= step;
    if (Math.abs(step - 1) < PRECISION) break;
  }
  return result;
}

/** Coefficients of C. Lanczos for g = 7, n = 9. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Natural logarithm of the gamma function for arguments from 1 up. */
function logGamma(argument: number): number {
  const x = argument - 1;
  const sum = LANCZOS.reduce(
    (total, coefficient, index) => (index === 0 ? coefficient : total + coefficient / (x + index)),
    0,
  );
  const t = x + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}

/**
 * What the p-values of many tests are after the procedure of Benjamini and Hochberg: whoever calls those of at most 0.05 findings is wrong in
 * 5 % of his findings on average, however many providers were looked at.
 * @param pValues - of tests that are independent, or positively dependent
 * @returns q-values in the same order, each at least its p-value
 * @see Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, J. R. Statist. Soc. B 57 (1995)
 * @example
 * ```ts
 * console.log(falseDiscoveryRates([0.01, 0.5]).map((q) => q.toFixed(2))); // [ '0.02', '0.50' ]
 * ```
 */
export function falseDiscoveryRates(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((one, other) => other.p - one.p);
  const rates: number[] = Array.from(pValues, () => 1);
  let least = 1;
  for (const [above, { p, index }] of order.entries()) {
    const rank = pValues.length - above;
    // A quotient of at least 1: rounding never brings a q-value below its p-value.
    least = Math.min(least, p * (pValues.length / rank));
    rates[index] = least;
  }
  return rates;
}
