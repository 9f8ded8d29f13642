/** Header fields for a SIP request. */
export interface AddedHeaders {
  /** Values of Identity headers, added behind all others. */
  readonly identityHeaders: readonly string[];
  /** Value of the Date header, in place of one that is there. */
  readonly date?: string;
}

/**
 * Writes header fields into the text of a SIP request and leaves every other octet as it is.
 * @param text - one character an octet (latin1), line ends CRLF or LF; empty lines may come first
 * @param added - what to write
 * @see RFC 3261 section 7.3, RFC 8224 section 6.1
 */
export function withHeaders(text: string, { identityHeaders, date }: AddedHeaders): string {
  const start = text.search(/[^\r\n]/);
  const end = endOfHeaders(text, Math.max(start, 0));
  const head = text.slice(0, end);
  // With the line end behind it, since a request may be nothing but its first line.
  const lineEnd = text.slice(0, end + 2).includes('\r\n') ? '\r\n' : '\n';
  const lines = date === undefined ? head.split(lineEnd) : withoutDate(head.split(lineEnd));
  const added = [
    ...(date === undefined ? [] : [`Date: ${date}`]),
    ...identityHeaders.map((value) => `Identity: ${value}`),
  ];
  return [...lines, ...added].join(lineEnd) + (end === text.length ? lineEnd : '') + text.slice(end);
}

/** Where the line end of the last header field begins. */
function endOfHeaders(text: string, from: number): number {
  const found = [text.indexOf('\r\n\r\n', from), text.indexOf('\n\n', from)].filter((at) => at >= 0);
  if (found.length > 0) return Math.min(...found);
  return text.length - (/\r?\n$/.exec(text)?.[0].length ?? 0);
}

/** A folded header field goes with all its lines. */
function withoutDate(lines: readonly string[]): readonly string[] {
  let isDate = false;
  return lines.filter((line) => {
    const isFolded = line.startsWith(' ') || line.startsWith('\t');
    isDate = isFolded ? isDate : /^date[ \t]*:/i.test(line);
    return !isDate;
  });
}
