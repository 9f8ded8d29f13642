/** Words in a phrase that is compared: two are shared by chance, and every misheard word spoils as many phrases as there are words in one. */
export const PHRASE_WORDS = 3;

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
