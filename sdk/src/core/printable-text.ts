/**
 * Text of a peer for a terminal or a log line: control characters, line breaks, marks that change the direction of writing and
 * characters without a width become U+FFFD, so that nobody's Identity header moves the cursor or forges a line. Linear; never throws for
 * peer input.
 * @param text - as received
 * @param maxChars - what is longer ends in `…`; default 512
 * @returns the text, fit for one line
 * @see Unicode Technical Report 36 section 2.5 for what marks of direction do
 * @example
 * ```ts
 * console.log(printableText('Example\u0007 Telco')); // Example� Telco
 * ```
 */
export function printableText(text: string, maxChars: number = MAX_PRINTED_CHARS): string {
  const shown = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
  return shown.replace(UNPRINTABLE, '\ufffd');
}

/** More than any value that a person compares by eye; a certificate subject stays below 200. */
const MAX_PRINTED_CHARS = 512;

/** C0, DEL and C1; line and paragraph separators; marks, embeddings and isolates of the bidirectional algorithm; zero-width characters. */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
