import type { SippResult } from './run-sipp.js';

/** Tries one rate for some seconds. */
export type Probe = (perSecond: number) => Promise<SippResult>;

/** Where to look. */
export interface RateSearch {
  /** A rate that should hold; half of it is tried where it does not. */
  readonly from: number;
  readonly onProbe?: (perSecond: number, held: boolean) => void;
}

/** A step up while rates hold. */
const STEP = 1.12;
/** Rates closer than this are the same. */
const RESOLUTION = 1.03;
/** What SIPp must have reached of the rate it was asked for: where it is itself too slow, more was not offered. */
const REACHED = 0.97;

/**
 * The highest rate of calls that all succeed, none of which had to repeat a message: found by raising it until it does not hold and
 * then closing in. A rate that does not hold is tried once more, since these machines have neighbours.
 * @returns calls a second as reached, not as asked for
 */
export async function highestRate(probe: Probe, { from, onProbe }: RateSearch): Promise<number> {
  let best = 0;
  const holds = async (rate: number): Promise<boolean> => {
    for (let tries = 0; tries < 2; tries += 1) {
      const result = await probe(Math.round(rate));
      const held = result.failed === 0 && result.retransmissions === 0 && result.rate >= REACHED * rate;
      // A rate that SIPp itself did not reach says at least that so many calls a second went well.
      if (result.failed === 0 && result.retransmissions === 0) best = Math.max(best, result.rate);
      onProbe?.(rate, held);
      if (held) return true;
    }
    return false;
  };
  let low = from;
  while (!(await holds(low))) {
    low /= 2;
    if (low < 1) return 0;
  }
  let high = low * STEP;
  while (await holds(high)) {
    low = high;
    high *= STEP;
  }
  while (high / low > RESOLUTION) {
    const middle = Math.sqrt(low * high);
    if (await holds(middle)) low = middle;
    else high = middle;
  }
  return best;
}
