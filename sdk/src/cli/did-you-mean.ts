/** Longer words are no typing errors of ours. */
const MAX_WORD_CHARS = 40;

/**
 * The known words that a mistyped one most likely stands for, nearest first, at most three: those it begins, and those within
 * two letters (added, missing, changed or swapped with a neighbour) or a third of its length.
 * @param word - as typed
 * @param known - what there is
 */
export function didYouMean(word: string, known: readonly string[]): readonly string[] {
  const typed = word.toLowerCase();
  if (typed === '' || typed.length > MAX_WORD_CHARS) return [];
  const limit = Math.max(1, Math.min(2, Math.floor(typed.length / 3)));
  const near = known.flatMap((candidate) => {
    const apart = candidate.startsWith(typed) ? 0 : distance(typed, candidate);
    return apart <= limit ? [{ candidate, apart }] : [];
  });
  return near
    .toSorted((left, right) => left.apart - right.apart)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Optimal string alignment: edits of one letter, a swap of two neighbours counted as one. */
function distance(from: string, to: string): number {
  let before: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const edits = [at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (isSame ? 0 : 1)];
      if (isSwap) edits.push(at(before, column - 2) + 1);
      current.push(Math.min(...edits));
    }
    before = last;
    last = current;
  }
  return at(last, to.length);
}

const at = (row: readonly number[], column: number): number => row[column] ?? Number.POSITIVE_INFINITY;
