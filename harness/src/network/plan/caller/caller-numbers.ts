import type { SeededRandom } from '../../../faults/index.js';
import type { CallingNumbers, ScenarioCalled, ScenarioCaller, ScenarioCsv } from '../../../scenario/index.js';
import { isInRange, numberAt, numbersUnder, readNumberRange } from '../../../scenario/index.js';

/** Rows in the order that SIPp takes them. */
export function csvRows({ rows = [], order = 'sequential' }: ScenarioCsv, random: SeededRandom) {
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
    next: (
      atMs: number,
    ): {
      readonly row: readonly string[];
      readonly isUsedUntil: (endMs: number) => void;
    } => {
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

/** A number to call, and the entry that it is of. */
export interface Dialled {
  readonly called: string;
  readonly destination: ScenarioCalled;
}

/** @param entries - that the caller calls, at least one; @param random - of the caller, for nothing else */
export function calledNumbers(
  entries: readonly ScenarioCalled[],
  order: ScenarioCaller['order'],
  random: SeededRandom,
) {
  const total = entries.reduce((sum, { count = 1 }) => sum + count, 0);
  let calls = -1;
  const placeOf = (): number => {
    calls += 1;
    // Beyond 2^32 numbers one draw cannot reach all; no plan of numbers has so many.
    return order === 'sequential' ? calls % total : random.int(Math.min(total, 2 ** 32));
  };
  const [first] = entries;
  return {
    next: (): Dialled => {
      let place = placeOf();
      for (const entry of entries) {
        const { count = 1 } = entry;
        if (place < count) return { called: numberAt(entry.first, place), destination: entry };
        place -= count;
      }
      // Not reached: `place` is below the sum of all counts.
      return { called: first?.first ?? '', destination: first as ScenarioCalled };
    },
    /** The entry of a number that a CSV file has. */
    entryOf: (number: string): ScenarioCalled | undefined =>
      entries.find((entry) => isInRange(number, { first: entry.first, count: entry.count ?? 1 })),
  };
}

/** The number that a caller shows to a called one. */
export type ShowNumber = (called: string) => string;

/** @param random - of the caller, for nothing else */
export function callingNumbers(numbers: CallingNumbers, random: SeededRandom): ShowNumber {
  switch (numbers.kind) {
    case 'neighbour':
      return (called) => neighbourOf(called, random);
    case 'invalid':
      return () => invalidNumber(random);
    case 'snowshoe':
      return snowshoe(numbers, random);
    case 'own':
    case 'dno':
    case 'victim':
    default:
      return listed(numbers.numbers, random);
  }
}

/** The same area and exchange, other last four digits. */
function neighbourOf(called: string, random: SeededRandom): string {
  const kept = called.slice(0, -4);
  const own = Number(called.slice(-4));
  const other = (own + 1 + random.int(9_999)) % 10_000;
  return kept + String(other).padStart(4, '0');
}

/** Of the North American form, but with an area code or an exchange that cannot be: one begins with 0 or 1, or is a service code. */
function invalidNumber(random: SeededRandom): string {
  const form = random.int(3);
  const digits = String(random.int(10_000_000)).padStart(7, '0');
  if (form === 0) return `1${String(random.int(2))}${String(10 + random.int(90))}${digits}`;
  if (form === 1) return `1${String(2 + random.int(8))}11${digits}`;
  return `1${String(201 + random.int(700))}${String(random.int(2))}${digits.slice(1)}`;
}

/** Goes through the pool in leaps, one call from each number, then from the first again. */
function snowshoe(
  { prefixes, count }: { readonly prefixes: readonly string[]; readonly count: number },
  random: SeededRandom,
): ShowNumber {
  const pools = prefixes.map((prefix) => {
    const { room, at } = numbersUnder(prefix);
    const start = random.int(Math.min(room, 2 ** 32));
    // A leap that has no factor in common with the room, a power of ten or eight times one: every number comes once before one comes again.
    // At most 8e8, so that its product with any place is a whole number that can be held.
    const leap = 10 * Math.floor(Math.min(room, 1e9) * (0.05 + 0.03 * random.next())) + 7;
    return (place: number) => at((start + ((place * (leap % room)) % room)) % room);
  });
  let calls = -1;
  return () => {
    calls += 1;
    const place = calls % count;
    return pools[place % pools.length]?.(Math.floor(place / pools.length)) ?? '';
  };
}

function listed(texts: readonly string[], random: SeededRandom): ShowNumber {
  const ranges = texts.flatMap((text) => readNumberRange(text) ?? []);
  const total = ranges.reduce((sum, { count }) => sum + count, 0);
  return () => {
    let place = random.int(Math.max(total, 1));
    for (const { first, count } of ranges) {
      if (place < count) return numberAt(first, place);
      place -= count;
    }
    return '';
  };
}
