import { sipHeaderLayout } from '../core/sip-request.js';
import { UsageError } from './usage-error.js';

/** Header fields for a SIP request. */
export interface AddedHeaders {
  /** Values of Identity headers, added behind all others. */
  readonly identityHeaders: readonly string[];
  /** Value of the Date header, in place of one that is there. */
  readonly date?: string;
}

/**
 * Writes header fields into the text of a SIP request and leaves every other octet as it is, whatever its line ends and what
 * stands before its request line. Where header fields begin and end is what the parser says, so that what was read and signed is
 * what is written to.
 * @param text - one character an octet (latin1)
 * @param added - what to write
 * @throws {@link UsageError} when the text is no request octet for octet
 * @see RFC 3261 section 7.3, RFC 8224 section 6.1
 */
export function withHeaders(text: string, { identityHeaders, date }: AddedHeaders): string {
  const start = startOfRequest(text);
  const request = text.slice(start);
  const layout = sipHeaderLayout(request);
  if (layout === undefined) {
    throw new UsageError('nothing can be written into this request: its header fields hold octets that are no text');
  }
  const kept = date === undefined ? request.slice(0, layout.end) : withoutDates(request, layout);
  const lineEnd = lastLineEnd(kept);
  const added = [
    ...(date === undefined ? [] : [`Date: ${date}`]),
    ...identityHeaders.map((value) => `Identity: ${value}`),
  ];
  const head = kept.endsWith('\n') ? kept : kept + lineEnd;
  return text.slice(0, start) + head + added.map((line) => line + lineEnd).join('') + request.slice(layout.end);
}

/** That of the last line that has one: a request line may stand alone. */
function lastLineEnd(text: string): '\r\n' | '\n' {
  const feed = text.lastIndexOf('\n');
  return feed < 0 || text.charAt(feed - 1) === '\r' ? '\r\n' : '\n';
}

/** Behind a byte order mark, blanks and empty lines, which reading passes over. */
function startOfRequest(text: string): number {
  const behindMark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const blank = text.slice(behindMark).search(/[^ \t\r\n]/);
  return behindMark + Math.max(blank, 0);
}

/** U+FEFF in UTF-8, one character an octet. */
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

function withoutDates(request: string, { headers, end }: NonNullable<ReturnType<typeof sipHeaderLayout>>): string {
  let kept = '';
  let from = 0;
  for (const header of headers) {
    if (header.name !== 'date') continue;
    kept += request.slice(from, header.start);
    from = header.end;
  }
  return kept + request.slice(from, end);
}
