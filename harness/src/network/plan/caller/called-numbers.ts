import type { SeededRandom } from '../../../faults/index.js';
import { isInRange, numberAt } from '../../../scenario/index.js';
import type { ScenarioCalled, ScenarioCaller } from '../../../scenario/index.js';

/** A number to call, and the entry that it is of. */
export interface Dialled {
  readonly called: string;
  readonly destination: ScenarioCalled;
}

/** Numbers that a caller calls. */
export interface CalledNumbers {
  readonly next: () => Dialled;
  /** The entry of a number that a CSV file has. */
  readonly entryOf: (number: string) => ScenarioCalled | undefined;
}

/** @param entries - that the caller calls, at least one; @param random - of the caller, for nothing else */
export function calledNumbers(
  entries: readonly ScenarioCalled[],
  order: ScenarioCaller['order'],
  random: SeededRandom,
): CalledNumbers {
  const total = entries.reduce((sum, { count = 1 }) => sum + count, 0);
  let calls = -1;
  const placeOf = (): number => {
    calls += 1;
    // Beyond 2^32 numbers one draw cannot reach all; no plan of numbers has so many.
    return order === 'sequential' ? calls % total : random.int(Math.min(total, 2 ** 32));
  };
  const [first] = entries;
  return {
    next: () => {
      let place = placeOf();
      for (const entry of entries) {
        const { count = 1 } = entry;
        if (place < count) return { called: numberAt(entry.first, place), destination: entry };
        place -= count;
      }
      // Not reached: `place` is below the sum of all counts.
      return { called: first?.first ?? '', destination: first as ScenarioCalled };
    },
    entryOf: (number) => entries.find((entry) => isInRange(number, { first: entry.first, count: entry.count ?? 1 })),
  };
}
