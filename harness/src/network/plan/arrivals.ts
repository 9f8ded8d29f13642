import type { SeededRandom } from '../../faults/index.js';
import type { ScenarioPhase } from '../../scenario/index.js';

/**
 * When the calls of a phase come, seconds from its beginning, in order. All shapes but `poisson` are the same for every seed: the n-th call comes when so
 * many calls and a half have come due.
 */
export function* arrivalsOf({ seconds, rate }: ScenarioPhase, random: SeededRandom): Generator<number> {
  if (rate.shape === 'poisson') {
    if (rate.perSecond === 0) return;
    const mean = 1 / rate.perSecond;
    for (let at = random.exponential(mean); at < seconds; at += random.exponential(mean)) yield at;
    return;
  }
  let due = 0.5;
  let before = 0;
  for (const { from, length, start, end } of stretchesOf(seconds, rate)) {
    const calls = (length * (start + end)) / 2;
    for (; due < before + calls; due += 1) yield from + timeOf(due - before, { length, start, end });
    before += calls;
  }
}

interface Slope {
  readonly length: number;
  /** Calls a second at the beginning and at the end; in between it is straight. */
  readonly start: number;
  readonly end: number;
}

type Rate = Exclude<ScenarioPhase['rate'], { shape: 'poisson' }>;

function stretchesOf(seconds: number, rate: Rate): readonly (Slope & { readonly from: number })[] {
  if (rate.shape === 'constant') return [{ from: 0, length: seconds, start: rate.perSecond, end: rate.perSecond }];
  if (rate.shape === 'ramp') return [{ from: 0, length: seconds, start: rate.from, end: rate.to }];
  const length = seconds / 3;
  return [rate.perSecond, rate.peak, rate.perSecond].map((perSecond, third) => ({
    ...{ from: third * length, length, start: perSecond, end: perSecond },
  }));
}

/** When so many calls have come on a slope: where the area under it is as large. */
function timeOf(calls: number, { length, start, end }: Slope): number {
  const slope = (end - start) / length;
  if (Math.abs(slope) < 1e-12) return calls / start;
  // Of both roots the one that is right for slopes of both signs, in the form that loses no digits where the slope is small.
  return (2 * calls) / (start + Math.sqrt(Math.max(0, start * start + 2 * slope * calls)));
}
