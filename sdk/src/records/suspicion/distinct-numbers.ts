/** How many different numbers were seen, within a few per cent, in a kilobyte: HyperLogLog of 1,024 registers. */
export interface DistinctNumbers {
  /** @param hash - 32 evenly spread bits of the number */
  readonly add: (hash: number) => void;
  /** About how many different ones; exact to 3 % typically. The order in which they came makes no difference. */
  readonly count: () => number;
  /** Its registers, by reference. */
  readonly ranks: Uint8Array;
}

const REGISTER_BITS = 10;
const REGISTERS = 2 ** REGISTER_BITS;
/** @see Flajolet et al., HyperLogLog (2007), figure 3 */
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/** 2^-n of every rank that 22 bits can have. */
const POWERS: readonly number[] = Array.from({ length: 33 - REGISTER_BITS + 1 }, (_, rank) => 2 ** -rank);

/** Starts a count: empty, or with the registers of an earlier one. Never throws. */
export function createDistinctNumbers(saved?: Uint8Array): DistinctNumbers {
  const ranks = new Uint8Array(REGISTERS);
  // Kept as registers change, so that reading the count is no walk over them.
  let sum = REGISTERS;
  let empty = REGISTERS;
  if (saved !== undefined) {
    ranks.set(saved);
    sum = ranks.reduce((total, rank) => total + (POWERS[rank] ?? 0), 0);
    empty = ranks.reduce((count, rank) => count + (rank === 0 ? 1 : 0), 0);
  }
  return {
    ranks,
    add: (hash) => {
      const register = hash >>> (32 - REGISTER_BITS);
      const rank = Math.clz32((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))) + 1;
      const before = ranks[register] ?? 0;
      if (rank <= before) return;
      ranks[register] = rank;
      sum += (POWERS[rank] ?? 0) - (POWERS[before] ?? 0);
      if (before === 0) empty -= 1;
    },
    count: () => {
      const estimate = (ALPHA * REGISTERS * REGISTERS) / sum;
      // Few numbers: counting the registers that none has hit is nearer.
      return estimate <= 2.5 * REGISTERS && empty > 0 ? REGISTERS * Math.log(REGISTERS / empty) : estimate;
    },
  };
}
