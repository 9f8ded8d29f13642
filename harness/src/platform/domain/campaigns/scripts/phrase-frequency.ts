import { takeOver } from '../state-codec.js';

/** Cells of the table, a power of two: 8 MB. With 60,000 scripts of 60 phrases two phrases share a cell now and then, which makes them a little less telling and no more. */
const CELLS = 2 ** 22;
const MASK = CELLS - 1;
const MOST = 0xffff;

/**
 * In how many scripts a phrase is said. What many different scripts say ("press one to speak to a representative") tells nothing, and which
 * phrases those are is learned here and written nowhere. Counted are scripts, never calls: a campaign of a million calls is one script, and
 * its phrases stay telling.
 */
export interface PhraseFrequency {
  /** A script with these phrases came, or went. */
  came(phrases: Uint32Array): void;
  went(phrases: Uint32Array): void;
  /** 1 for what one script says, towards 0 for what all say. */
  weight(phrase: number): number;
  /** The table as it stands, by reference. */
  state(): PhraseFrequencyState;
  restore(saved: PhraseFrequencyState): void;
}

/** Counts by cell, and how many scripts there are now and were when weights were computed last. */
export interface PhraseFrequencyState {
  readonly counts: Uint16Array;
  readonly scripts: number;
  readonly weightsAt: number;
}

export function createPhraseFrequency(): PhraseFrequency {
  const counts = new Uint16Array(CELLS);
  let scripts = 0;
  let weights = weightsFor(1);
  let weightsAt = 1;
  /** Recomputed when the number of scripts has changed by a sixteenth: weights move with its logarithm. */
  function settle(): void {
    if (Math.abs(scripts - weightsAt) * 16 < weightsAt) return;
    weightsAt = Math.max(scripts, 1);
    weights = weightsFor(weightsAt);
  }
  return {
    came(phrases) {
      scripts += 1;
      for (const phrase of phrases) {
        const cell = phrase & MASK;
        const count = counts[cell] ?? 0;
        if (count < MOST) counts[cell] = count + 1;
      }
      settle();
    },
    went(phrases) {
      scripts -= 1;
      for (const phrase of phrases) {
        const cell = phrase & MASK;
        const count = counts[cell] ?? 0;
        // A full cell no longer knows how many it stands for, and stays full.
        if (count > 0 && count < MOST) counts[cell] = count - 1;
      }
      settle();
    },
    weight(phrase) {
      const count = counts[phrase & MASK] ?? 0;
      return weights[count < TABLE ? count : TABLE - 1] ?? 0;
    },
    state: () => ({ counts, scripts, weightsAt }),
    restore(saved) {
      takeOver(counts, saved.counts);
      ({ scripts, weightsAt } = saved);
      weights = weightsFor(weightsAt);
    },
  };
}

/** Counts with a weight of their own; beyond it a phrase is as common as can be told. */
const TABLE = 4_096;

/** As if so many scripts had been heard before the first: until then few repetitions are no proof of a common phrase. */
const SCRIPTS_AT_START = 32;

function weightsFor(scripts: number): Float64Array {
  const all = scripts + SCRIPTS_AT_START;
  const scale = Math.log(all);
  return Float64Array.from({ length: TABLE }, (_, count) =>
    Math.max(0, Math.min(1, Math.log(all / Math.max(count, 1)) / scale)),
  );
}
