import type { Likeness, Relation } from './likeness.js';
import { PHRASE_WORDS } from './shingles.js';
import type { ScriptEvidence } from './types.js';

const MAX_PHRASES = 5;
const MAX_WORDS = 12;
/** Longest common phrase that is told, in words: enough to find it in both. */
const MAX_PHRASE_WORDS = 30;
/** Words of each that are laid beside each other; the longest scripts have 300. */
const MAX_EXPLAINED = 400;

/** What two wordings have in common and in what they differ, in words. */
export function evidenceOf(
  here: readonly string[],
  there: readonly string[],
  { likeId, likeness, relation }: { likeId: string; likeness: Likeness; relation: Relation },
): ScriptEvidence {
  const left = here.slice(0, MAX_EXPLAINED);
  const right = there.slice(0, MAX_EXPLAINED);
  return {
    likeId,
    similarity: rounded(likeness.similarity),
    containment: rounded(likeness.containment),
    sharedPhrases: sharedPhrases(left, right),
    onlyHere: onlyIn(left, right),
    onlyThere: onlyIn(right, left),
    isPiece: relation === 'piece' || relation === 'whole',
  };
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/** Common runs, longest first, each from the first place where it stands in the other. */
function sharedPhrases(left: readonly string[], right: readonly string[]): string[] {
  const places = new Map<string, number>();
  for (let at = right.length - PHRASE_WORDS; at >= 0; at -= 1) places.set(keyAt(right, at), at);
  const runs: { from: number; length: number }[] = [];
  for (let from = 0; from + PHRASE_WORDS <= left.length;) {
    const at = places.get(keyAt(left, from));
    if (at === undefined) {
      from += 1;
      continue;
    }
    let length = PHRASE_WORDS;
    while (length < MAX_PHRASE_WORDS && from + length < left.length && left[from + length] === right[at + length])
      length += 1;
    runs.push({ from, length });
    from += length;
  }
  const longest = runs.toSorted((a, b) => b.length - a.length || a.from - b.from).slice(0, MAX_PHRASES);
  return longest.map(({ from, length }) => readable(left.slice(from, from + length)));
}

function keyAt(words: readonly string[], at: number): string {
  return words.slice(at, at + PHRASE_WORDS).join(' ');
}

function onlyIn(words: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  const only = new Set<string>();
  for (const word of words) {
    if (!known.has(word)) only.add(word);
    if (only.size === MAX_WORDS) break;
  }
  return [...only];
}

const UNSPACED_PAIR =
  /^[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]{2}$/u;

/** Pairs of characters overlap by one: read together they are the text again. */
function readable(words: readonly string[]): string {
  let text = '';
  let last = '';
  for (const word of words) {
    const isOverlapping = UNSPACED_PAIR.test(word) && last.length === 2 && last[1] === word[0];
    text += isOverlapping ? word.slice(1) : `${text === '' ? '' : ' '}${word}`;
    last = UNSPACED_PAIR.test(word) ? word : '';
  }
  return text;
}
