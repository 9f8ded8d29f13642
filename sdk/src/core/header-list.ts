/** Most values taken from one header field: more than any route, identity or contact list of a real call. */
export const MAX_LIST_VALUES = 64;

/**
 * Splits a header field value at the commas between its values: not at those in quoted strings or between `<` and `>`.
 * Values are trimmed, empty ones dropped. From {@link MAX_LIST_VALUES} on the rest stays together as the last value, so
 * that nothing vanishes unseen. Never throws for peer input.
 * @see RFC 3261 sections 7.3.1 and 20
 */
export function splitHeaderList(headerValue: string): readonly string[] {
  if (!headerValue.includes(',')) {
    const only = headerValue.trim();
    return only === '' ? [] : [only];
  }
  return splitAtCommas(headerValue);
}

/**
 * Splits what stands in one Identity header field into Identity values: several may be written in one field, and SIP stacks
 * join repeated fields with a comma. Tokens hold no comma, but `info=<…>` may. A `<` or a quote that is never closed
 * shields nothing, so that a broken value does not swallow a sound one behind it. Never throws for peer input.
 * @see RFC 8224 section 9, RFC 3261 section 7.3.1
 */
export function splitIdentityHeader(value: string): readonly string[] {
  return splitHeaderList(value);
}

const QUOTE = 0x22;
const OPEN = 0x3c;

function splitAtCommas(text: string): string[] {
  const values: string[] = [];
  const comma = finder(text, ',');
  const open = finder(text, '<');
  const quote = finder(text, '"');
  let start = 0;
  let at = 0;
  let hasQuotes = true;
  while (values.length < MAX_LIST_VALUES - 1) {
    const atComma = comma(at);
    if (atComma === text.length) break;
    const atOpen = open(at);
    const atQuote = hasQuotes ? quote(at) : text.length;
    if (atComma < atOpen && atComma < atQuote) {
      addValue(values, text.slice(start, atComma));
      start = atComma + 1;
      at = start;
    } else if (atOpen < atQuote) {
      at = endOfAngle(text, atOpen) + 1;
    } else {
      const end = endOfQuoted(text, atQuote);
      // Where one quote has no partner, looking for one at every later quote would take quadratic time.
      if (end === undefined) hasQuotes = false;
      at = (end ?? atQuote) + 1;
    }
  }
  addValue(values, text.slice(start));
  return values;
}

/**
 * Finds the next `mark` at or behind a place that only moves forward, text.length when there is none. The last find is
 * kept until it is passed, so that all searches together read the text once.
 */
function finder(text: string, mark: string): (from: number) => number {
  let found = -1;
  return (from) => {
    if (found < from) {
      const next = text.indexOf(mark, from);
      found = next < 0 ? text.length : next;
    }
    return found;
  };
}

function addValue(values: string[], raw: string): void {
  const value = raw.trim();
  if (value !== '') values.push(value);
}

/** The place of the `>` that closes the `<` at `open`; `open` itself where another `<` or the end comes before. */
function endOfAngle(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x3e) return at;
    if (code === OPEN) return open;
  }
  return open;
}

/**
 * The place of the quote that closes the one at `open`, or undefined.
 * @see RFC 3261 section 25.1, quoted-string
 */
export function endOfQuoted(text: string, open: number): number | undefined {
  for (let at = open + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === 0x5c) at += 1;
  }
  return undefined;
}

/** What a quoted string says: the text between `open` and `close`, its escapes undone. @see RFC 3261 section 25.1 */
export function unquoted(text: string, open: number, close: number): string {
  const inner = text.slice(open + 1, close);
  if (!inner.includes('\\')) return inner;
  let value = '';
  for (let at = 0; at < inner.length; at += 1) {
    if (inner.charCodeAt(at) === 0x5c) at += 1;
    value += inner.charAt(at);
  }
  return value;
}
