import { createRowSplitter, csvFields } from '../records/index.js';
import type { SplitRow } from '../records/index.js';

/** What a filing is known by, and whether it counts. The words are those of whoever filed it. */
export interface ListedFiling {
  /** Line of the file that it began on, from 1. */
  readonly line: number;
  /** Number of the filing in the Robocall Mitigation Database: `RMD` and digits. */
  readonly rmdNumber?: string;
  /** FCC Registration Number of the filer, ten digits. */
  readonly frn?: string;
  /** Business name, other names of doing business and previous ones, as {@link filingName} writes them. */
  readonly names: readonly string[];
  /** Day on which it was changed last, `2026-09-14`. */
  readonly updatedOn?: string;
  /** There where the filing was removed from the database, `2026-09-14`. @see 47 CFR 64.6305(g) */
  readonly removedOn?: string;
}

/** What a file of filings says, or why it says nothing. */
export type FilingListReading =
  | {
      readonly status: 'read';
      readonly filings: readonly ListedFiling[];
      /** Whether the file has a column for the numbers of filings. */
      readonly hasRmdNumbers: boolean;
      /** Lines from which no filing could be read. */
      readonly unread: number;
      /** Every number of a filing or a filer that stands in a line that was not read: of these nobody can say that they are not there. */
      readonly unreadNumbers: ReadonlySet<string>;
      /** FCC Registration Numbers that filings name beside the one of their filer: who goes by one of these may have filed under another. */
      readonly otherFrns: ReadonlySet<string>;
      /** Whether the file ends behind a whole line, with no quote left open, and everything in its lines was looked at. */
      readonly isWhole: boolean;
    }
  | {
      readonly status: 'unreadable';
      readonly reason: 'too-large' | 'no-header' | 'column-missing' | 'too-many-lines';
      /** The column that is missing. */
      readonly column?: string;
    };

/** Lines that are read: ten times as many filers as there are. */
export const MAX_LISTED_FILINGS = 75_000;
/** Octets of a file: lines of all of them at 1,800 octets, where those of today have some 600. */
export const MAX_FILING_LIST_BYTES = 134_217_728;
/** Octets of a line: addresses and lists of names of a holding fit. */
const MAX_LINE_BYTES = 262_144;
/** Names of one filing. */
const MAX_NAMES = 512;
/** Characters of a name that is compared. */
const MAX_NAME_CHARS = 256;

/** By which names the columns go, in lower case, with `_` for whatever is no letter or digit. The first that is there is read. */
const COLUMNS = {
  rmdNumber: ['number', 'rmd_number', 'rmd_id', 'filing_number'],
  frn: ['frn', 'fcc_registration_number'],
  otherFrns: ['other_frns', 'other_frn', 'other_frn_s_'],
  name: ['business_name'],
  previousNames: ['previous_business_names'],
  otherNames: ['other_dba_names'],
  updated: ['last_updated', 'sys_updated_on'],
  removed: ['removed_on'],
} as const;

type Column = keyof typeof COLUMNS;

/**
 * Reads a file in the layout in which the Robocall Mitigation Database is handed out: its columns by their names, in any order. Of a
 * line that cannot be read, the numbers in it are kept apart.
 * @param csv - the file as text or octets, at most {@link MAX_FILING_LIST_BYTES} octets, with or without a byte order mark
 * @returns its filings, at most {@link MAX_LISTED_FILINGS}; never throws for what is in the file
 * @see 47 CFR 64.6305(d) to (g), RFC 4180
 * @example
 * ```ts
 * const reading = readFilingList('number,business_name,frn\nRMD0001234,"Example, Inc.",123456\n');
 * if (reading.status === 'read') console.log(reading.filings[0]?.frn); // 0000123456
 * ```
 */
export function readFilingList(csv: string | Uint8Array): FilingListReading {
  const bytes = typeof csv === 'string' ? Buffer.from(csv, 'utf8') : csv;
  if (bytes.length > MAX_FILING_LIST_BYTES) return { status: 'unreadable', reason: 'too-large' };
  const splitter = createRowSplitter({ framing: 'csv', maxRowBytes: MAX_LINE_BYTES });
  const [first, ...rows] = [...splitter.push(bytes), ...splitter.end()];
  const header = first?.status === 'row' ? csvFields(first.row.text) : undefined;
  if (header?.status !== 'fields') return { status: 'unreadable', reason: 'no-header' };
  if (rows.length > MAX_LISTED_FILINGS) return { status: 'unreadable', reason: 'too-many-lines' };
  const places = placesOf(header.fields);
  for (const column of ['frn', 'name'] as const)
    if (!places.has(column)) return { status: 'unreadable', reason: 'column-missing', column: COLUMNS[column][0] };
  const filings: ListedFiling[] = [];
  const unreadNumbers = new Set<string>();
  const otherFrns = new Set<string>();
  // A quote that is open behind the last filing: the file ends within a field, be it behind a line end of that field.
  let isOpen = false;
  for (const row of rows) {
    const read = readRow(row, places, header.fields.length);
    isOpen = read === undefined && (isOpen || (row.status === 'broken' && row.reason === 'bad-quoting'));
    if (read === undefined) for (const number of numbersIn(row)) unreadNumbers.add(number);
    else filings.push(read.filing);
    for (const number of read?.otherFrns ?? []) otherFrns.add(number);
  }
  const isWhole = bytes.at(-1) === LINE_FEED && !isOpen && rows.every(isLookedAt);
  const unread = rows.length - filings.length;
  const hasRmdNumbers = places.has('rmdNumber');
  return { status: 'read', filings, hasRmdNumbers, unread, unreadNumbers, otherFrns, isWhole };
}

const LINE_FEED = 0x0a;

/** Of a line that is broken all octets are at hand, unless it is so long that it has swallowed others. */
const isLookedAt = (row: SplitRow): boolean => row.status === 'row' || row.bytes.length === row.sizeBytes;

/**
 * A business name as names are compared: Latin letters and digits in lower case, one space between words, without the legal form at the end.
 * @param name - as somebody wrote it
 * @returns the name; empty where there is nothing to compare. Never throws
 * @see Unicode Standard Annex 15 for what becomes of letters with marks
 * @example
 * ```ts
 * console.log(filingName('Example Télécom, Inc.')); // example telecom
 * ```
 */
export function filingName(name: string): string {
  const words = name
    .slice(0, MAX_NAME_CHARS)
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  while (words.length > 1 && LEGAL_FORMS.has(words.at(-1) ?? '')) words.pop();
  return words.join(' ');
}

const LEGAL_FORMS: ReadonlySet<string> = new Set(
  'inc incorporated llc llp lp ltd limited corp corporation co company gmbh sa srl bv pty plc'.split(' '),
);

function placesOf(header: readonly string[]): ReadonlyMap<Column, number> {
  const names = header.map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_'),
  );
  const places = new Map<Column, number>();
  for (const [column, choices] of Object.entries(COLUMNS)) {
    const place = choices.map((choice) => names.indexOf(choice)).find((index) => index >= 0);
    if (place !== undefined) places.set(column as Column, place);
  }
  return places;
}

interface FilingRow {
  readonly filing: ListedFiling;
  readonly otherFrns: readonly string[];
}

/** A filing is read whole or not at all: a line in which a comma is missing has somebody else's number in its place. */
function readRow(row: SplitRow, places: ReadonlyMap<Column, number>, width: number): FilingRow | undefined {
  const reading = row.status === 'row' ? csvFields(row.row.text) : undefined;
  if (row.status !== 'row' || reading?.status !== 'fields' || reading.fields.length !== width) return undefined;
  const cell = (column: Column): string => reading.fields[places.get(column) ?? -1]?.trim() ?? '';
  const [numberCell, frnCell, removedCell] = [cell('rmdNumber'), cell('frn'), cell('removed')];
  const [rmdNumber, frn, removedOn] = [rmdNumberOf(numberCell), frnOf(frnCell), dayOf(removedCell)];
  if ((rmdNumber === undefined) !== (numberCell === '') || (frn === undefined) !== (frnCell === '')) return undefined;
  // Of what was removed on a day that cannot be read nobody can say that it is there.
  if ((removedOn === undefined) !== (removedCell === '') || (rmdNumber ?? frn) === undefined) return undefined;
  const updatedOn = dayOf(cell('updated'));
  const filing: ListedFiling = {
    line: row.row.line,
    ...(rmdNumber !== undefined && { rmdNumber }),
    ...(frn !== undefined && { frn }),
    names: namesOf([cell('name'), ...listed(cell('previousNames')), ...listed(cell('otherNames'))]),
    ...(updatedOn !== undefined && { updatedOn }),
    ...(removedOn !== undefined && { removedOn }),
  };
  const others = cell('otherFrns').match(/\d{1,10}/g) ?? [];
  return { filing, otherFrns: others.map(frnOf).filter((number) => number !== undefined) };
}

/** Names with semicolons, bars or line breaks between; a comma is part of a name. */
const listed = (cell: string): readonly string[] => cell.split(/[;|\r\n]/, MAX_NAMES);

const namesOf = (names: readonly string[]): readonly string[] =>
  [...new Set(names.map(filingName))].filter((name) => name !== '' && name !== 'n a' && name !== 'none');

/**
 * Number of a filing in its one form.
 * @returns undefined where it is none
 * @internal
 */
export function rmdNumberOf(text: string): string | undefined {
  const digits = /^(?:RMD)?(\d{1,16})$/i.exec(text.trim())?.[1];
  return digits === undefined ? undefined : `RMD${digits.replace(/^0+/, '').padStart(7, '0')}`;
}

/**
 * FCC Registration Number in its one form: files have it with and without its leading zeros.
 * @returns undefined where it is none
 * @internal
 */
export function frnOf(text: string): string | undefined {
  const digits = text.trim();
  return /^\d{1,10}$/.test(digits) ? digits.padStart(10, '0') : undefined;
}

/** Day of `2026-09-14`, `2026-09-14 10:11:12`, `09/14/2026` and the like. */
function dayOf(text: string): string | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]|$)/.exec(text);
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?:[, ]|$)/.exec(text);
  const [year, month, day] = iso === null ? [american?.[3], american?.[1], american?.[2]] : [iso[1], iso[2], iso[3]];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const ms = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date ? undefined : date;
}

/** Digits of a line that may be the number of a filing or a filer; of a telephone number too, which does no harm. */
function numbersIn(row: SplitRow): readonly string[] {
  const text = row.status === 'row' ? row.row.text : Buffer.from(row.bytes).toString('latin1');
  return (text.match(/\d{1,12}/g) ?? []).flatMap((digits) =>
    [rmdNumberOf(digits), frnOf(digits)].filter((number) => number !== undefined),
  );
}
