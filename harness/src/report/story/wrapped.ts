/** Narrowest terminal that anybody has. */
const COLUMNS = 80;

/** Breaks a text between words into lines of a terminal; a word that is longer than one stays whole. */
export function wrapped(text: string, { first, rest }: { readonly first: string; readonly rest: string }): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length >= COLUMNS) {
      lines.push(line);
      [line, isEmpty] = [rest, true];
    }
    line = isEmpty ? `${line}${word}` : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
