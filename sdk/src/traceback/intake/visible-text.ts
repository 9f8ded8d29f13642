/** One line of a text, without what nobody sees in it. */
export interface VisibleLine {
  /** Without marks of quotation, and without spaces at its ends. */
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** It had marks that show its characters in another order than they stand in. */
  readonly isReordered: boolean;
}

/** Characters of one line at most. A transcript without a line end is shorter; what is longer was not written by people. */
export const MAX_LINE_CHARS = 32_768;

/** Characters of one text that are read. A request with a thousand calls as a table has 150,000. */
export const MAX_TEXT_CHARS = 2_097_152;

/** A text as lines. */
export interface VisibleText {
  readonly lines: readonly VisibleLine[];
  /** Lines that are longer than a line may be, cut to 256 characters. */
  readonly tooLong: readonly { readonly number: number; readonly text: string }[];
  readonly isCut: boolean;
}

/**
 * Takes a text apart into lines: line ends of all systems, spaces of all kinds, marks of quotation; without control
 * characters, without those that have no width, and without a byte order mark. Linear. Never throws for peer input.
 */
export function visibleLines(text: string): VisibleText {
  const lines: VisibleLine[] = [];
  const tooLong: { number: number; text: string }[] = [];
  const kept = text.slice(0, MAX_TEXT_CHARS);
  // Over the whole text at once: most have no such marks, and lines are many.
  const marked = isReordered(kept) ? kept.split(LINE_END).map(isReordered) : [];
  const visible = kept.replace(INVISIBLE, '').replace(WIDE_SPACE, ' ');
  for (const [at, raw] of visible.split(LINE_END).entries()) {
    const number = at + 1;
    if (raw.length > MAX_LINE_CHARS) tooLong.push({ number, text: raw.slice(0, 256) });
    else lines.push(visibleLine(raw, { number, isReordered: marked[at] ?? false }));
  }
  return { lines, tooLong, isCut: text.length > MAX_TEXT_CHARS };
}

/** The same of a value that is one line, such as a field of a CSV file: line ends become spaces. Never throws for peer input. */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, '').replace(ANY_SPACE, ' ').trim();
}

/** Whether a text has marks that turn the direction of writing round for what follows: digits are then shown in another order. */
export function isReordered(text: string): boolean {
  return REORDERING.test(text);
}

/** CRLF, LF, CR, vertical tab, form feed, NEL, line and paragraph separator. */
const LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

/** Spaces of all widths but the tab, which divides columns. */
const WIDE_SPACE = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;

const ANY_SPACE = /[\s\u0085]/g;

/** C0 without the tab, DEL, C1; soft hyphen; zero-width characters; marks, embeddings and isolates of directions; annotations. */
const INVISIBLE =
  /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Embeddings, overrides and isolates from right to left, and the isolate that takes its direction from what it finds. */
const REORDERING = /[\u202b\u202e\u2067\u2068]/;

function visibleLine(
  raw: string,
  { number, isReordered: isTurned }: { readonly number: number; readonly isReordered: boolean },
): VisibleLine {
  let at = 0;
  // A quoted line is a line: `> > Called Number: …`.
  while (raw.charAt(at) === '>' || raw.charAt(at) === ' ') at += 1;
  return { text: raw.slice(at).trim(), number, isReordered: isTurned };
}
