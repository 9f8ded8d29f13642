/** What came out of a text that should hold PEM blocks. */
export type PemResult =
  | { readonly status: 'found'; readonly blocks: readonly Uint8Array[] }
  | { readonly status: 'malformed'; readonly reason: 'not-pem' | 'too-many-blocks'; readonly detail: string };

/**
 * Reads every PEM block with one label, in order. Text before, between and after blocks is skipped, as are blocks with other
 * labels; a block that has begun must end and hold nothing but base64. Blanks and a byte order mark may stand before a BEGIN line; a
 * BEGIN anywhere else in a line is refused, since to skip that block would make another one the first. Linear in the length of the
 * text; never throws for peer input.
 * @param text - bytes or text; bytes are read as ASCII
 * @param label - such as `CERTIFICATE`
 * @param options - `maxBlocks`: more than so many are refused before they are decoded
 * @returns `found` with at least one block, or `malformed`
 * @see RFC 7468 section 2
 */
export function readPemBlocks(
  text: Uint8Array | string,
  label: string,
  options: { readonly maxBlocks: number },
): PemResult {
  const source = typeof text === 'string' ? text : latin1(text);
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: Uint8Array[] = [];
  for (let from = source.indexOf(begin); from >= 0;) {
    if (!beginsLine(source, from)) return malformed('not-pem', `block ${blocks.length + 1} begins inside a line`);
    if (blocks.length === options.maxBlocks)
      return malformed('too-many-blocks', `more than ${options.maxBlocks} ${label} blocks`);
    const bodyStart = from + begin.length;
    const bodyEnd = source.indexOf(end, bodyStart);
    if (bodyEnd < 0) return malformed('not-pem', `block ${blocks.length + 1} has no END line`);
    const block = decodeBase64(source.slice(bodyStart, bodyEnd));
    if (block === undefined) return malformed('not-pem', `block ${blocks.length + 1} is not base64`);
    blocks.push(block);
    from = source.indexOf(begin, bodyEnd + end.length);
  }
  return blocks.length === 0 ? malformed('not-pem', `no ${label} block`) : { status: 'found', blocks };
}

/**
 * Writes one PEM block with lines of 64 characters.
 * @see RFC 7468 section 2
 */
export function writePemBlock(der: Uint8Array, label: string): string {
  const base64 = Buffer.from(der).toString('base64');
  const lines: string[] = [];
  for (let offset = 0; offset < base64.length; offset += 64) lines.push(base64.slice(offset, offset + 64));
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** U+FEFF, and its three octets of UTF-8 where bytes are read one character each. Editors put it before the first line. */
const BYTE_ORDER_MARKS: readonly string[] = ['\ufeff', '\u00ef\u00bb\u00bf'];

/** Whether nothing but blanks and a byte order mark stands between the beginning of the line and this place. */
function beginsLine(source: string, at: number): boolean {
  let start = at;
  while (source[start - 1] === ' ' || source[start - 1] === '\t') start -= 1;
  const mark = BYTE_ORDER_MARKS.find((candidate) => source.endsWith(candidate, start));
  const before = source[start - (mark?.length ?? 0) - 1];
  return before === undefined || before === '\n' || before === '\r';
}

/** Base64 with line breaks and blanks; Buffer alone would also take `-_`, stray characters and missing padding. */
function decodeBase64(body: string): Uint8Array | undefined {
  const text = body.replace(/[\t\n\r ]/g, '');
  if (text.length === 0 || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function malformed(reason: 'not-pem' | 'too-many-blocks', detail: string): PemResult {
  return { status: 'malformed', reason, detail };
}
