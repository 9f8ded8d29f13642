/**
 * The values of all header fields of one name, in their order, as they stand in a message: folded lines keep their line ends, a
 * list is not split. Only the space around a value is left away. Never throws for peer input.
 * @param text - a SIP message, lines ending in CRLF
 * @param names - long and compact name, in any case
 * @see RFC 3261 section 7.3.1
 */
export function headerTexts(text: string, ...names: readonly string[]): readonly string[] {
  const wanted = names.map((name) => name.toLowerCase());
  const found: string[] = [];
  let at = text.indexOf(LINE_END) + LINE_END.length;
  while (at >= LINE_END.length && at < text.length && !text.startsWith(LINE_END, at)) {
    const end = endOfField(text, at);
    const colon = text.indexOf(':', at);
    if (colon > at && colon < end && wanted.includes(text.slice(at, colon).trimEnd().toLowerCase())) {
      found.push(text.slice(colon + 1, end).trim());
    }
    at = end + LINE_END.length;
  }
  return found;
}

/** A header value on one line. @see RFC 3261 section 7.3.1 */
export function unfolded(value: string): string {
  return value.includes('\r\n') ? value.replace(/\r\n[ \t]+/g, ' ') : value;
}

/** Second word of the first line: where a request is headed, or the status of a response. */
export function secondWord(text: string): string {
  return text.slice(0, Math.max(0, text.indexOf(LINE_END))).split(' ')[1] ?? '';
}

const LINE_END = '\r\n';

/** Where the last line of a field ends: the next begins neither with a space nor with a tab. */
function endOfField(text: string, start: number): number {
  let end = text.indexOf(LINE_END, start);
  while (end >= 0 && (text[end + LINE_END.length] === ' ' || text[end + LINE_END.length] === '\t')) {
    end = text.indexOf(LINE_END, end + LINE_END.length);
  }
  return end < 0 ? text.length : end;
}
