import { takeOver } from '../state-codec.js';
import type { ScriptBars, ScriptStrictness } from './types.js';

/** Words in a phrase that is compared: two are shared by chance, and every misheard word spoils as many phrases as there are words in one. */
const PHRASE_WORDS = 3;

/** Of so many phrases in a row one at least is in the table of phrases, so a common run of `PHRASE_WORDS + 4` words is always found. */
const WINDOW = 5;

/** Phrases of a transcript as 32-bit hashes. */
export interface Phrases {
  /** Distinct, ascending. */
  readonly sorted: Uint32Array;
  /** In the order spoken. */
  readonly inOrder: Uint32Array;
}

/** Hash of a word; the same on every machine. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at += 1) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193);
  return mixed(hash);
}

function mixed(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Phrases of `PHRASE_WORDS` words; of a shorter text the one that it is. */
export function phrasesOf(tokens: readonly string[]): Phrases {
  const count = Math.max(tokens.length - PHRASE_WORDS + 1, Math.min(tokens.length, 1));
  const words = new Uint32Array(tokens.length);
  for (let at = 0; at < tokens.length; at += 1) words[at] = hashOf(tokens[at] ?? '');
  const inOrder = new Uint32Array(count);
  for (let at = 0; at < count; at += 1) {
    let hash = 0x9e3779b9;
    for (let word = at; word < at + PHRASE_WORDS && word < words.length; word += 1)
      hash = mixed(Math.imul(hash, 0x01000193) ^ (words[word] ?? 0));
    inOrder[at] = hash;
  }
  const sorted = Uint32Array.from(inOrder).sort();
  let distinct = 0;
  for (let at = 0; at < count; at += 1)
    if (at === 0 || sorted[at] !== sorted[distinct - 1]) sorted[distinct++] = sorted[at] ?? 0;
  return { sorted: sorted.slice(0, distinct), inOrder };
}

/**
 * Phrases chosen by winnowing: the least hash of every `WINDOW` in a row. Which are chosen depends on the phrases around alone, so two
 * recordings that begin at different words choose the same where they say the same.
 */
export function chosenPhrases({ inOrder }: Phrases): Uint32Array {
  const chosen = new Set<number>();
  const last = Math.max(inOrder.length - WINDOW, 0);
  for (let from = 0; from <= last; from += 1) {
    let least = 0xffffffff;
    for (let at = from; at < from + WINDOW && at < inOrder.length; at += 1) {
      const hash = inOrder[at] ?? 0;
      if (hash < least) least = hash;
    }
    chosen.add(least);
  }
  return inOrder.length === 0 ? new Uint32Array(0) : Uint32Array.from(chosen);
}

/** Cells of the table, a power of two: 8 MB. With 60,000 scripts of 60 phrases two phrases share a cell now and then, which makes them a little less telling and no more. */
const CELLS = 2 ** 22;
const MASK = CELLS - 1;
const MOST = 0xffff;

/**
 * In how many scripts a phrase is said. What many different scripts say ("press one to speak to a representative") tells nothing, and which
 * phrases those are is learned here and written nowhere. Counted are scripts, never calls: a campaign of a million calls is one script, and
 * its phrases stay telling.
 */
export type PhraseFrequency = ReturnType<typeof createPhraseFrequency>;

export function createPhraseFrequency() {
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
  /** The table as it stands, by reference. */
  const state = () => ({ counts, scripts, weightsAt });
  return {
    /** A script with these phrases came, or went. */
    came(phrases: Uint32Array): void {
      scripts += 1;
      for (const phrase of phrases) {
        const cell = phrase & MASK;
        const count = counts[cell] ?? 0;
        if (count < MOST) counts[cell] = count + 1;
      }
      settle();
    },
    went(phrases: Uint32Array): void {
      scripts -= 1;
      for (const phrase of phrases) {
        const cell = phrase & MASK;
        const count = counts[cell] ?? 0;
        // A full cell no longer knows how many it stands for, and stays full.
        if (count > 0 && count < MOST) counts[cell] = count - 1;
      }
      settle();
    },
    /** 1 for what one script says, towards 0 for what all say. */
    weight(phrase: number): number {
      const count = counts[phrase & MASK] ?? 0;
      return weights[count < TABLE ? count : TABLE - 1] ?? 0;
    },
    state,
    restore(saved: ReturnType<typeof state>): void {
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
  'same-script': {
    similarity: 0.6,
    containment: 0.9,
    pieceOfWhole: 0.1,
    sharedByPiece: 4,
    shared: 1.5,
  },
  // One recording is read by recognisers almost alike, numbers and names too: it differs at its ends and in a word here and there, one in forty, which
  // leaves nine of ten phrases on either side. A short piece may be of another recording of the script, so it has to be most of the whole.
  'same-recording': {
    similarity: 0.85,
    containment: 0.97,
    pieceOfWhole: 0.75,
    sharedByPiece: 5,
    shared: 1.5,
  },
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
