import type { SeededRandom } from '../../../faults/index.js';
import type { ScenarioCsv } from '../../../scenario/index.js';

/** The row of the next call, and who is told when it ends. */
export interface CsvRows {
  readonly next: (atMs: number) => {
    readonly row: readonly string[];
    readonly isUsedUntil: (endMs: number) => void;
  };
}

/** Rows in the order that SIPp takes them. */
export function csvRows({ rows = [], order = 'sequential' }: ScenarioCsv, random: SeededRandom): CsvRows {
  let calls = -1;
  const busyUntil = new Float64Array(order === 'user' ? rows.length : 0);
  const placeOf = (atMs: number): number => {
    if (order === 'random') return random.int(rows.length);
    calls = (calls + 1) % rows.length;
    if (order === 'sequential') return calls;
    for (let tried = 0; tried < rows.length; tried += 1, calls = (calls + 1) % rows.length)
      if ((busyUntil[calls] ?? 0) <= atMs) return calls;
    // All of them are in a call: whoever is done first has to call again.
    let first = 0;
    for (const [place, until] of busyUntil.entries()) if (until < (busyUntil[first] ?? 0)) first = place;
    return first;
  };
  return {
    next: (atMs) => {
      const place = placeOf(atMs);
      return {
        row: rows[place] ?? [],
        isUsedUntil: (endMs) => {
          if (order === 'user') busyUntil[place] = endMs;
        },
      };
    },
  };
}
