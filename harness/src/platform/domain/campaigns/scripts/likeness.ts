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
  // One recording is read by recognisers almost alike, numbers and names too: it differs at its ends and in a word here and there, one in forty, which
  // leaves nine of ten phrases on either side. A short piece may be of another recording of the script, so it has to be most of the whole.
  'same-recording': { similarity: 0.85, containment: 0.97, pieceOfWhole: 0.75, sharedByPiece: 5, shared: 1.5 },
};

/** Distinct phrases, ascending, with what each weighs now. */
export interface WeighedPhrases {
  readonly sorted: Uint32Array;
  readonly weights: Float64Array;
  /** Of all of them. */
  readonly total: number;
}

/** Weighs phrases once for all that they are held against. */
export function weighed(sorted: Uint32Array, frequency: PhraseFrequency): WeighedPhrases {
  const weights = new Float64Array(sorted.length);
  let total = 0;
  for (let at = 0; at < sorted.length; at += 1) {
    const weight = frequency.weight(sorted[at] as number);
    weights[at] = weight;
    total += weight;
  }
  return { sorted, weights, total };
}

/**
 * How like two are; undefined where what they share is too little for any relation, which is so of nearly all that are looked at and costs no look at the weights
 * of the second.
 * @param second distinct phrases, ascending
 */
export function likenessOf(
  first: WeighedPhrases,
  second: Uint32Array,
  { frequency, bars }: { readonly frequency: PhraseFrequency; readonly bars: ScriptBars },
): Likeness | undefined {
  const shared = sharedWeight(first, second);
  const mayBeAlike = shared >= bars.shared && shared >= bars.similarity * first.total;
  if (!mayBeAlike && shared < bars.sharedByPiece) return undefined;
  let secondTotal = 0;
  for (let at = 0; at < second.length; at += 1) secondTotal += frequency.weight(second[at] as number);
  const onlyFirst = first.total - shared;
  const onlySecond = secondTotal - shared;
  const union = shared + onlyFirst + onlySecond;
  const lighter = shared + Math.min(onlyFirst, onlySecond);
  return {
    similarity: union === 0 ? 0 : shared / union,
    containment: lighter === 0 ? 0 : shared / lighter,
    shared,
    isFirstLighter: onlyFirst < onlySecond,
  };
}

function sharedWeight({ sorted, weights }: WeighedPhrases, second: Uint32Array): number {
  let shared = 0;
  let a = 0;
  let b = 0;
  while (a < sorted.length && b < second.length) {
    const left = sorted[a] as number;
    const right = second[b] as number;
    if (left === right) shared += weights[a] as number;
    if (left <= right) a += 1;
    if (right <= left) b += 1;
  }
  return shared;
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
