/** Why a row does not fall into fields. */
export interface CsvFault {
  readonly status: 'rejected';
  readonly reason: 'bad-quoting' | 'too-long' | 'not-text';
  readonly detail: string;
}

/** The fields of a row without their quotes, or why there are none. */
export type CsvReading = { readonly status: 'fields'; readonly fields: readonly string[] } | CsvFault;

/** How rows of a source are written. */
export interface CsvLayout {
  /** One character. Default the comma. */
  readonly separator?: string;
  /** Whether spaces before an opening quote are no part of the field, as FreeSWITCH writes `, "account"`. Default false. */
  readonly spacesBeforeQuotes?: boolean;
}

/** A row of a call. FreeSWITCH rows with channel variables and Sonus rows with sub-records stay below a tenth of it. */
export const MAX_CSV_ROW_CHARS = 65_536;

/** Sonus rows have some 350 fields, the most of all layouts. */
export const MAX_CSV_FIELDS = 1_024;

/** A field with an Identity header of the longest kind fits; what is longer is no field of a call record. */
export const MAX_CSV_FIELD_CHARS = 16_384;

/**
 * Splits one row of comma-separated values. A field is bare, or stands in quotes, inside which a quote is doubled; a quote in a
 * bare field, anything between a closing quote and the separator and a quote that nothing closes are faults: rows are not guessed at, since
 * one quote in a caller's display name could otherwise move every field behind it. Never throws.
 * @param text - the row without its line end; line ends inside quotes belong to the field
 * @param layout - the separator, and whether spaces may stand before quotes. Default commas and none
 * @returns at least one field; of an empty row one that is empty
 * @see RFC 4180 section 2
 * @example
 * ```ts
 * const row = csvFields('"say ""hi""",,12025550101');
 * if (row.status === 'fields') console.log(row.fields.length, row.fields[0]); // 3 say "hi"
 * ```
 */
export function csvFields(text: string, layout: CsvLayout = COMMAS): CsvReading {
  if (text.length > MAX_CSV_ROW_CHARS) return TOO_LONG;
  if (text.includes('\0')) return NOT_TEXT;
  const separator = layout.separator ?? ',';
  return text.includes('"') ? quotedFields(text, separator, layout) : bareFields(text, separator);
}

/** The text of a row without the byte order mark that Windows programs put first, and without a carriage return at its end. */
export function rowText({ text }: { readonly text: string }): string {
  const from = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
  const to = text.charCodeAt(text.length - 1) === CARRIAGE_RETURN ? text.length - 1 : text.length;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

const COMMAS: CsvLayout = Object.freeze({});

const QUOTE = 0x22;
const SPACE = 0x20;
const BYTE_ORDER_MARK = 0xfeff;
const CARRIAGE_RETURN = 0x0d;

const TOO_LONG: CsvFault = fault('too-long', `a row of more than ${MAX_CSV_ROW_CHARS} characters`);
const TOO_MANY: CsvFault = fault('too-long', `more than ${MAX_CSV_FIELDS} fields`);
const FIELD_TOO_LONG: CsvFault = fault('too-long', `a field of more than ${MAX_CSV_FIELD_CHARS} characters`);
const NOT_TEXT: CsvFault = fault('not-text', 'NUL bytes, as files have where a machine stopped while it wrote');
const STRAY: CsvFault = fault('bad-quoting', 'a quote inside a field that does not begin with one');
const UNCLOSED: CsvFault = fault('bad-quoting', 'a quoted field that nothing closes');
const TRAILING: CsvFault = fault('bad-quoting', 'something between a closing quote and the separator');

function fault(reason: CsvFault['reason'], detail: string): CsvFault {
  return Object.freeze({ status: 'rejected', reason, detail });
}

function bareFields(text: string, separator: string): CsvReading {
  const fields = text.split(separator, MAX_CSV_FIELDS + 1);
  if (fields.length > MAX_CSV_FIELDS) return TOO_MANY;
  if (text.length > MAX_CSV_FIELD_CHARS && fields.some((field) => field.length > MAX_CSV_FIELD_CHARS)) {
    return FIELD_TOO_LONG;
  }
  return { status: 'fields', fields };
}

/** One pass; searches run in the engine's own loops, which is faster than looking at each character. */
function quotedFields(text: string, separator: string, { spacesBeforeQuotes = false }: CsvLayout): CsvReading {
  const separatorCode = separator.charCodeAt(0);
  const end = text.length;
  const fields: string[] = [];
  let at = 0;
  let quoteAhead = -1;
  for (;;) {
    if (fields.length === MAX_CSV_FIELDS) return TOO_MANY;
    let open = at;
    if (spacesBeforeQuotes) while (text.charCodeAt(open) === SPACE) open += 1;
    let next: number;
    if (text.charCodeAt(open) === QUOTE) {
      const first = text.indexOf('"', open + 1);
      const close = closingQuote(text, first);
      if (close < 0) return UNCLOSED;
      if (close - open - 1 > MAX_CSV_FIELD_CHARS) return FIELD_TOO_LONG;
      next = close + 1;
      if (next < end && text.charCodeAt(next) !== separatorCode) return TRAILING;
      const field = text.slice(open + 1, close);
      fields.push(close === first ? field : field.replaceAll('""', '"'));
    } else {
      next = at;
      while (next < end && text.charCodeAt(next) !== separatorCode) next += 1;
      if (quoteAhead < at) quoteAhead = nextQuote(text, at);
      if (quoteAhead < next) return STRAY;
      if (next - at > MAX_CSV_FIELD_CHARS) return FIELD_TOO_LONG;
      fields.push(text.slice(at, next));
    }
    if (next >= end) return { status: 'fields', fields };
    at = next + 1;
  }
}

/** Place of the next quote, or behind the end. */
function nextQuote(text: string, from: number): number {
  const found = text.indexOf('"', from);
  return found < 0 ? text.length + 1 : found;
}

/** Place of the quote that closes a field, looked for from its first inner quote on; negative where none does. */
function closingQuote(text: string, first: number): number {
  let close = first;
  while (close >= 0 && text.charCodeAt(close + 1) === QUOTE) close = text.indexOf('"', close + 2);
  return close;
}
