/** A scenario has eight levels. Parsers go down one level of the stack for each, and a process whose stack is full may end. */
const MAX_BRACKETS = 64;
/** Columns that a line may be indented, lists within lists on one line counted in. */
const MAX_INDENT = 200;

/**
 * Finds out, before anything is parsed, whether a text is nested deeper than a person would write: by brackets that are open, in texts too, and by how
 * far lines are indented. Linear.
 * @returns offset of where it goes too deep; absent: nowhere
 */
export function tooDeepAt(text: string): number | undefined {
  let open = 0;
  let indent = 0;
  let isIndent = true;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\n' || char === '\r') {
      isIndent = true;
      indent = 0;
      continue;
    }
    if (isIndent && ' \t-?:'.includes(char)) indent += 1;
    else isIndent = false;
    if (char === '[' || char === '{') open += 1;
    else if ((char === ']' || char === '}') && open > 0) open -= 1;
    if (open > MAX_BRACKETS || indent > MAX_INDENT) return at;
  }
  return undefined;
}
