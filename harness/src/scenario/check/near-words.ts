/** Longer words are no typing errors. */
const MAX_WORD_CHARS = 48;

/**
 * What somebody may have meant by a word that is not known, as the end of a sentence.
 * @param word - as written
 * @param known - what there is; of more than 5,000 none is looked at
 * @returns ` Did you mean a or b?`, or nothing where no word is near
 */
export function suggestion(word: string, known: readonly string[]): string {
  const near = nearWords(word, known);
  return near.length === 0 ? '' : `. Did you mean ${near.join(' or ')}?`;
}

/** Known words within two letters (added, missing, changed, swapped) or a third of the length, or that begin with the word; at most three, nearest first. */
export function nearWords(word: string, known: readonly string[]): readonly string[] {
  const typed = word.toLowerCase();
  if (typed === '' || typed.length > MAX_WORD_CHARS || known.length > 5_000) return [];
  const limit = Math.max(1, Math.min(2, Math.floor(typed.length / 3)));
  const near = known.flatMap((candidate) => {
    if (candidate.length > MAX_WORD_CHARS || candidate === word) return [];
    const lower = candidate.toLowerCase();
    const apart = lower.startsWith(typed) ? 0 : editsBetween(typed, lower);
    return apart <= limit ? [{ candidate, apart }] : [];
  });
  return near
    .toSorted((a, b) => a.apart - b.apart)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Optimal string alignment: edits of one letter, a swap of neighbours counted as one. */
function editsBetween(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (isSame ? 0 : 1),
          isSwap ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
