import { Buffer } from 'node:buffer';
import { spread } from './key-hash.js';

/** Counts different keys in two kilobytes: of a campaign's calling numbers there may be millions, and they are not to be kept. */
export interface DistinctSketch {
  readonly add: (key: number) => void;
  /** About how many: within 1 of up to 100, within 4 % (one deviation) of more. */
  readonly count: () => number;
  /** Takes over what another counted. */
  readonly join: (other: DistinctSketch) => void;
  readonly registers: Uint8Array;
  /** Base64. */
  readonly saved: () => string;
}

const REGISTERS = 2_048;
/** @see Flajolet et al., HyperLogLog (2007), section 4 */
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/**
 * Makes a sketch, empty or as it was saved; what is no sketch counts as none. Never throws.
 * @see Flajolet et al., HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm (2007)
 */
export function createDistinctSketch(saved?: string): DistinctSketch {
  const bytes = saved === undefined ? undefined : Buffer.from(saved, 'base64');
  const registers = bytes?.length === REGISTERS ? new Uint8Array(bytes) : new Uint8Array(REGISTERS);
  return {
    registers,
    add: (key) => {
      const place = spread(key) & (REGISTERS - 1);
      const rank = Math.clz32(spread(key + 0x9e37_79b9)) + 1;
      if (rank > (registers[place] as number)) registers[place] = rank;
    },
    join: (other) => {
      for (let place = 0; place < REGISTERS; place += 1) {
        registers[place] = Math.max(registers[place] as number, other.registers[place] as number);
      }
    },
    count: () => {
      let sum = 0;
      let empty = 0;
      for (const rank of registers) {
        sum += 2 ** -rank;
        if (rank === 0) empty += 1;
      }
      const estimate = (ALPHA * REGISTERS * REGISTERS) / sum;
      return Math.round(estimate <= 2.5 * REGISTERS && empty > 0 ? REGISTERS * Math.log(REGISTERS / empty) : estimate);
    },
    saved: () => Buffer.from(registers).toString('base64'),
  };
}
