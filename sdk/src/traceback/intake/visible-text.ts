import { isUtf8 } from 'node:buffer';

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
const MAX_LINE_CHARS = 32_768;

/** Characters of one text that are read. A request with a thousand calls as a table has 150,000. */
const MAX_TEXT_CHARS = 2_097_152;

/** A text as lines. */
interface VisibleText {
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

/** Words and phrases out of a list with commas between them. */
export function phrases(list: string): readonly string[] {
  return list.split(',').map((phrase) => phrase.trim());
}

/** The same, to be looked up. */
export function phraseSet(list: string): ReadonlySet<string> {
  return new Set(phrases(list));
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

/** Characters of an HTML body that are read: Outlook writes 100 KB around a short letter. */
const MAX_HTML_CHARS = 4_194_304;

/** Tables within tables: mail programs lay whole letters out in five. What is deeper is text of the row around it. */
const MAX_OPEN_ROWS = 64;

/** Elements whose content is not for reading. */
const SILENT: ReadonlySet<string> = phraseSet(
  `script, style, head, title, template, noscript, object, iframe, svg, math, select, textarea`,
);

/** Elements that begin a line. */
const BLOCKS: ReadonlySet<string> = phraseSet(
  `address, article, aside, blockquote, body, br, caption, center, dd, div, dl, dt, fieldset, footer, form, h1,
   h2, h3, h4, h5, h6, header, hr, li, main, nav, ol, p, pre, section, ul`,
);

/** Elements that have no end. */
const VOID: ReadonlySet<string> = phraseSet(`area, base, br, col, embed, hr, img, input, link, meta, source, wbr`);

/** Breaks a line outside a row, and is a space inside one. Not in any text: control characters are taken out first. */
const BREAK = '\u0001';

/** What was written, in pieces: to look at the end of one long text after each of them would take time in its square. */
interface Written {
  readonly pieces: string[];
  last: string;
}

/** What was written of a table row that has not ended. */
interface OpenRow {
  readonly written: Written;
  cells: number;
  /** A row around a whole table lays it out, and is none of the table. */
  holdsTable: boolean;
  /** Cells that go on in the rows below, of this row and of those above. */
  spans: Span[];
  /** The cell that is open, if it takes several rows or columns. */
  spanning: OpenCell | undefined;
}

interface OpenCell {
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
  /** The first piece of its text in that of the row. */
  readonly from: number;
}

/** A cell that several rows have: what stands in it is said of all of them. */
interface Span {
  readonly column: number;
  readonly rows: number;
  readonly text: string;
}

/** Rows and columns that one cell may take; whoever writes more lays nothing out. */
const MAX_SPAN = 1_000;
const MAX_COLUMNS = 64;
/** Characters of a cell that are repeated in the rows below: a name, a date. What is longer is a letter beside a table. */
const MAX_SPAN_CHARS = 128;
/** Cells that are repeated in one body: of ten thousand calls each has some. */
const MAX_REPEATED = 50_000;

interface Writing {
  readonly rows: OpenRow[];
  /** Of the row before, at each depth of tables. */
  readonly spansAt: Map<number, readonly Span[]>;
  /** Cells that may still be repeated; what is beyond is cut. */
  repeatsLeft: number;
  readonly written: Written;
  /** Element whose content is hidden, and how often it is open. */
  hidden: { readonly name: string; depth: number } | undefined;
}

/**
 * The text of an HTML body: rows of tables as lines with tabs between their cells, blocks as lines of their own, entities as characters.
 * Nothing is run or fetched, and what a reader does not see (scripts, styles, comments, hidden elements) is left out. Takes time in proportion
 * to the HTML. Never throws for peer input.
 * @returns the text, and whether there was more than is read
 */
export function htmlText(html: string): { readonly text: string; readonly isCut: boolean } {
  const source = html.slice(0, MAX_HTML_CHARS).replaceAll(BREAK, '');
  const lower = source.toLowerCase();
  // Lower case changes the length of some letters: then the places of the one are not those of the other.
  const searched = lower.length === source.length ? lower : source;
  const writing: Writing = {
    rows: [],
    spansAt: new Map(),
    repeatsLeft: MAX_REPEATED,
    written: nothing(),
    hidden: undefined,
  };
  let at = 0;
  let close = source.indexOf('>');
  while (at < source.length) {
    const open = source.indexOf('<', at);
    if (open < 0) break;
    writeText(writing, source.slice(at, open));
    // Searched for once: looking for a `>` again behind each `<` takes time in the square of the length.
    if (close >= 0 && close < open) close = source.indexOf('>', open);
    at = afterTag(writing, { source, searched, open, close });
  }
  if (at < source.length) writeText(writing, source.slice(at));
  while (writing.rows.length > 0) closeRow(writing);
  const text = textOf(writing.written)
    .replaceAll(BREAK, '\n')
    .replace(/\n{3,}/g, '\n\n');
  return { text, isCut: html.length > MAX_HTML_CHARS || writing.repeatsLeft < 0 };
}

interface TagPlace {
  readonly source: string;
  /** The same in small letters. */
  readonly searched: string;
  readonly open: number;
  /** The first `>` behind it, or -1. */
  readonly close: number;
}

/** Takes in what begins with `<`. @returns where the text goes on */
function afterTag(writing: Writing, { source, searched, open, close }: TagPlace): number {
  if (source.startsWith('<!--', open)) {
    const end = source.indexOf('-->', open + 4);
    return end < 0 ? source.length : end + 3;
  }
  const tag = close < 0 ? null : /^<(\/?)([a-z][a-z0-9]{0,15})/.exec(searched.slice(open, open + 18));
  if (tag === null) {
    // `<` of a text, or of something that a browser does not show either.
    const isMarkup = close >= 0 && '!?/'.includes(source.charAt(open + 1));
    if (!isMarkup) writeText(writing, '<');
    return isMarkup ? close + 1 : open + 1;
  }
  const [, slash = '', name = ''] = tag;
  if (slash === '' && SILENT.has(name)) {
    const end = searched.indexOf(`</${name}`, close);
    const endClose = end < 0 ? -1 : source.indexOf('>', end);
    return endClose < 0 ? source.length : endClose + 1;
  }
  writeTag(writing, {
    name,
    isEnd: slash !== '',
    attributes: searched.slice(open, Math.min(close, open + MAX_TAG_CHARS)),
  });
  return close + 1;
}

/** Attributes of one element that are looked at. */
const MAX_TAG_CHARS = 2_048;

interface Tag {
  readonly name: string;
  readonly isEnd: boolean;
  readonly attributes: string;
}

function writeTag(writing: Writing, { name, isEnd, attributes }: Tag): void {
  const { hidden } = writing;
  if (hidden !== undefined) {
    if (name === hidden.name) hidden.depth += isEnd ? -1 : 1;
    if (hidden.depth === 0) writing.hidden = undefined;
    return;
  }
  if (!isEnd && !VOID.has(name) && isHidden(attributes)) {
    writing.hidden = { name, depth: 1 };
    return;
  }
  if (name === 'table') (isEnd ? endTable : openTable)(writing);
  else if (name === 'tr') (isEnd ? closeRow : openRow)(writing);
  else if ((name === 'td' || name === 'th') && !isEnd) openCell(writing, attributes);
  else if (BLOCKS.has(name)) append(writing, BREAK);
}

/** A mail that shows a reader less than it holds is read as it is shown. */
function isHidden(attributes: string): boolean {
  if (/\shidden[\s=>]/.test(`${attributes}>`)) return true;
  const [, quoted, bare] = /\sstyle\s{0,4}=\s{0,4}(?:["']([^"']{0,1024})|([^\s"'>]{1,1024}))/.exec(attributes) ?? [];
  const style = quoted ?? bare ?? '';
  const plain = style.replace(/\s/g, '');
  return /display:none|visibility:hidden|font-size:0(?![.\d])|opacity:0(?![.\d])|mso-hide:all/.test(plain);
}

function openTable(writing: Writing): void {
  const row = writing.rows.at(-1);
  if (row !== undefined) row.holdsTable = true;
  writing.spansAt.delete(writing.rows.length);
  if (!isAtStart(writing)) append(writing, BREAK);
}

function endTable(writing: Writing): void {
  // The end of its last row may be left out; a row that holds a table is of the table around.
  if (writing.rows.at(-1)?.holdsTable === false) closeRow(writing);
  if (!isAtStart(writing)) append(writing, BREAK);
}

function openRow(writing: Writing): void {
  const row = writing.rows.at(-1);
  // The end of a row may be left out.
  if (row !== undefined && !row.holdsTable) closeRow(writing);
  const depth = writing.rows.length;
  if (depth >= MAX_OPEN_ROWS) return;
  const before = writing.repeatsLeft < 0 ? [] : (writing.spansAt.get(depth) ?? []);
  const spans = before.flatMap(({ rows, ...span }) => (rows > 1 ? [{ ...span, rows: rows - 1 }] : []));
  writing.rows.push({
    written: nothing(),
    cells: 0,
    holdsTable: false,
    spans,
    spanning: undefined,
  });
}

function openCell(writing: Writing, attributes: string): void {
  const row = writing.rows.at(-1);
  if (row === undefined) return;
  closeCell(writing, row);
  if (row.cells > 0) write(row.written, row.holdsTable ? BREAK : '\t');
  const [rows, columns] = [spanOf(attributes, 'rowspan'), Math.min(spanOf(attributes, 'colspan'), MAX_COLUMNS)];
  row.spanning =
    (rows > 1 || columns > 1) && row.cells < MAX_COLUMNS
      ? { column: row.cells, rows, columns, from: row.written.pieces.length }
      : undefined;
  row.cells += 1;
}

/** Ends the cell before, and puts in those that go on from the rows above. */
function closeCell(writing: Writing, row: OpenRow): void {
  const { spanning } = row;
  if (spanning !== undefined) {
    const { column, rows, columns, from } = spanning;
    const written = row.written.pieces.slice(from).join('');
    const text = written.length > MAX_SPAN_CHARS || written.includes(BREAK) ? '' : oneLine(written);
    row.spans.push({ column, rows, text });
    // A cell over several columns is the first of them.
    for (let more = 1; more < columns; more += 1) row.spans.push({ column: column + more, rows, text: '' });
    row.spanning = undefined;
  }
  for (;;) {
    const span = row.spans.find(({ column }) => column === row.cells);
    if (span === undefined || row.holdsTable) return;
    if (row.cells > 0) write(row.written, '\t');
    write(row.written, span.text);
    row.cells += 1;
    writing.repeatsLeft -= 1;
  }
}

/** At least one; `rowspan="0"` goes on to the end of the table. */
function spanOf(attributes: string, name: 'rowspan' | 'colspan'): number {
  const pattern =
    name === 'rowspan' ? /\srowspan\s{0,4}=\s{0,4}["']?(\d{1,4})/ : /\scolspan\s{0,4}=\s{0,4}["']?(\d{1,4})/;
  const found = pattern.exec(attributes)?.[1];
  if (found === undefined) return 1;
  return Number(found) === 0 ? MAX_SPAN : Math.min(Number(found), MAX_SPAN);
}

function closeRow(writing: Writing): void {
  const row = writing.rows.pop();
  if (row === undefined) return;
  closeCell(writing, row);
  writing.spansAt.set(writing.rows.length, row.holdsTable ? [] : row.spans);
  const inside = textOf(row.written);
  const text = row.holdsTable ? inside : inside.split('\t').map(oneLine).join('\t');
  // Rows follow each other without an empty line, which would end a table.
  append(writing, isAtStart(writing) ? `${text}\n` : `${BREAK}${text}\n`);
}

/** Whether what comes next begins a line. */
function isAtStart({ rows, written }: Writing): boolean {
  const { last } = rows.at(-1)?.written ?? written;
  return last === '' || last === '\n' || last === BREAK;
}

function nothing(): Written {
  return { pieces: [], last: '' };
}

function write(written: Written, text: string): void {
  if (text === '') return;
  written.pieces.push(text);
  written.last = text.charAt(text.length - 1);
}

function textOf({ pieces }: Written): string {
  return pieces.join('');
}

function oneLine(text: string): string {
  return visibleText(text.replaceAll(BREAK, ' ')).replace(/ {2,}/g, ' ');
}

function writeText(writing: Writing, text: string): void {
  if (text === '' || writing.hidden !== undefined) return;
  // Line ends of the source are spaces: what begins a line are the elements.
  const plain = text.replace(/[\t\n\f\r ]+/g, ' ');
  if (plain !== ' ' || !isAtStart(writing)) append(writing, decodeEntities(plain));
}

function append(writing: Writing, text: string): void {
  write(writing.rows.at(-1)?.written ?? writing.written, text);
}

/** Entities that letters have; others stay as they are written. */
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  colon: ':',
  ndash: '\u2013',
  mdash: '\u2014',
  minus: '-',
  hyphen: '-',
  lsquo: "'",
  rsquo: "'",
  ldquo: '"',
  rdquo: '"',
  bull: '\u2022',
  middot: '\u00b7',
  hellip: '\u2026',
  copy: '\u00a9',
  reg: '\u00ae',
  trade: '\u2122',
  lpar: '(',
  rpar: ')',
  zwj: '',
  zwnj: '',
  shy: '',
  lrm: '',
  rlm: '\u200f',
  num: '#',
  plus: '+',
  sol: '/',
  period: '.',
  comma: ',',
};

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));?/g,
    (written, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] ?? written) : written;
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      if (code === 0 || code === 1 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd';
      return String.fromCodePoint(code);
    },
  );
}

/**
 * Octets of a text file as UTF-8: a file in UTF-16 is recognised by its byte order mark, and what is no UTF-8 is taken for Windows-1252,
 * in which everything means something. Never throws for peer input.
 */
export function utf8Of(bytes: Uint8Array): Uint8Array {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return Buffer.from(new TextDecoder('utf-16le').decode(bytes));
  if (first === 0xfe && second === 0xff) return Buffer.from(new TextDecoder('utf-16be').decode(bytes));
  return isUtf8(bytes) ? bytes : Buffer.from(new TextDecoder('windows-1252').decode(bytes));
}

/** The text of a file, by {@link utf8Of}. */
export function textOfBytes(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(utf8Of(bytes));
}
