import type { PhraseFrequency } from './phrase-frequency.js';
import type { ScriptBars, ScriptStrictness } from './types.js';

/** How like two wordings are, by the weights of their phrases. */
export interface Likeness {
  /** Weight of what both say over the weight of what either says, 0 to 1. */
  readonly similarity: number;
  /** Weight of what both say over that of the lighter, 0 to 1. */
  readonly containment: number;
  /** Weight of what both say: about the number of telling phrases. */
  readonly shared: number;
  /** True where the first is the lighter. */
  readonly isFirstLighter: boolean;
}

/** Bars of each strictness, with the reason for each. */
export const BARS: Readonly<Record<ScriptStrictness, ScriptBars>> = {
  // A word in twelve misheard leaves three quarters of the phrases of three words on either side, which is 0.6 of both together. A piece has
  // nothing of its own but a misheard word or two, wherever it was cut.
  'same-script': { similarity: 0.6, containment: 0.9, pieceOfWhole: 0.1, sharedByPiece: 4, shared: 1.5 },
  // One recording is read by recognisers almost alike, numbers and names too: it differs at its ends and in a word here and there. A short
  // piece may be of another recording of the script, so it has to be most of the whole.
  'same-recording': { similarity: 0.82, containment: 0.97, pieceOfWhole: 0.75, sharedByPiece: 5, shared: 1.5 },
};

/** @param first distinct phrases, ascending, as are those of the second */
export function likenessOf(first: Uint32Array, second: Uint32Array, frequency: PhraseFrequency): Likeness {
  let shared = 0;
  let onlyFirst = 0;
  let onlySecond = 0;
  let a = 0;
  let b = 0;
  while (a < first.length || b < second.length) {
    const left = first[a] ?? Infinity;
    const right = second[b] ?? Infinity;
    const weight = frequency.weight(left < right ? left : right);
    if (left === right) {
      shared += weight;
      a += 1;
      b += 1;
    } else if (left < right) {
      onlyFirst += weight;
      a += 1;
    } else {
      onlySecond += weight;
      b += 1;
    }
  }
  const union = shared + onlyFirst + onlySecond;
  const lighter = shared + Math.min(onlyFirst, onlySecond);
  return {
    similarity: union === 0 ? 0 : shared / union,
    containment: lighter === 0 ? 0 : shared / lighter,
    shared,
    isFirstLighter: onlyFirst < onlySecond,
  };
}

/** `alike` each for the other; `piece` where the first is cut out of the second, `whole` where the second is cut out of the first. */
export type Relation = 'alike' | 'piece' | 'whole' | 'different';

export function relationOf(likeness: Likeness, bars: ScriptBars): Relation {
  if (likeness.similarity >= bars.similarity && likeness.shared >= bars.shared) return 'alike';
  if (
    likeness.containment < bars.containment ||
    likeness.similarity < bars.pieceOfWhole ||
    likeness.shared < bars.sharedByPiece
  )
    return 'different';
  return likeness.isFirstLighter ? 'piece' : 'whole';
}
