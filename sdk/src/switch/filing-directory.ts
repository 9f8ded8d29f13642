import type { Clock } from '../core/runtime/clock.js';
import { HopbackError } from '../errors.js';
import { csvFields } from '../records/ingest/record-reader.js';
import { createRowSplitter } from '../records/ingest/row-splitter.js';
import type { SplitRow } from '../records/ingest/row-splitter.js';
import type { SipRequestLike } from './call-facts.js';
import type { UpstreamFiling } from './treat-call.js';

/** What a filing is known by, and whether it counts. The words are those of whoever filed it. */
interface ListedFiling {
  /** Line of the file that it began on, from 1. */
  readonly line: number;
  /** Number of the filing in the Robocall Mitigation Database: `RMD` and digits. */
  readonly rmdNumber?: string;
  /** FCC Registration Number of the filer, ten digits. */
  readonly frn?: string;
  /** Business name, other names of doing business and previous ones, as `filingName` writes them. */
  readonly names: readonly string[];
  /** Day on which it was changed last, `2026-09-14`. */
  readonly updatedOn?: string;
  /** There where the filing was removed from the database, `2026-09-14`. @see 47 CFR 64.6305(g) */
  readonly removedOn?: string;
}

/** What a file of filings says, or why it says nothing. */
type FilingListReading =
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
  return {
    status: 'read',
    filings,
    hasRmdNumbers,
    unread,
    unreadNumbers,
    otherFrns,
    isWhole,
  };
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
    names: namesOf([cell('name'), ...namesOfCell(cell('previousNames')), ...namesOfCell(cell('otherNames'))]),
    ...(updatedOn !== undefined && { updatedOn }),
    ...(removedOn !== undefined && { removedOn }),
  };
  const others = cell('otherFrns').match(/\d{1,10}/g) ?? [];
  return { filing, otherFrns: others.map(frnOf).filter((number) => number !== undefined) };
}

/** Names with semicolons, bars or line breaks between; a comma is part of a name. */
const namesOfCell = (cell: string): readonly string[] => cell.split(/[;|\r\n]/, MAX_NAMES);

const namesOf = (names: readonly string[]): readonly string[] =>
  [...new Set(names.map(filingName))].filter((name) => name !== '' && name !== 'n a' && name !== 'none');

/**
 * Number of a filing in its one form.
 * @returns undefined where it is none
 * @internal
 */
function rmdNumberOf(text: string): string | undefined {
  const digits = /^(?:RMD)?(\d{1,16})$/i.exec(text.trim())?.[1];
  return digits === undefined ? undefined : `RMD${digits.replace(/^0+/, '').padStart(7, '0')}`;
}

/**
 * FCC Registration Number in its one form: files have it with and without its leading zeros.
 * @returns undefined where it is none
 * @internal
 */
function frnOf(text: string): string | undefined {
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

/** Which filing the provider at the other end of a trunk has: one of these at least. */
export interface FilingReference {
  /** Number of the filing, with or without `RMD` and zeros in front. */
  readonly rmdNumber?: string;
  /** FCC Registration Number, with or without zeros in front. */
  readonly frn?: string;
  /** Business name. A name that is not found says nothing: it may be spelled otherwise. */
  readonly businessName?: string;
}

/** What a {@link FilingDirectory} works with. */
export interface FilingDirectoryOptions {
  /** The filing of each trunk, by the name of the trunk. A trunk that is not in it is `unknown`. */
  readonly trunks: Readonly<Record<string, FilingReference>>;
  /** The trunk that a request came in by. Default its source address. */
  readonly trunkOf?: (request: SipRequestLike) => string | undefined;
  /** How old a file may be to say that something is not in it, milliseconds. Default 432,000,000. */
  readonly maxAgeMs?: number;
  /** How few filings a whole file may have. Default 4,000. */
  readonly leastFilings?: number;
  /** Default the clock of the machine. */
  readonly clock?: Clock;
}

/**
 * Two business days, in which a filer that was removed has to be blocked, and a weekend with a holiday between them.
 * @see 47 CFR 64.6305(g)
 */
export const MAX_FILING_LIST_AGE_MS = 432_000_000;

/** A good half of the seven thousand and more filers that there are: a file with fewer is a part of one. */
export const LEAST_FILINGS = 4_000;

/** Share of the filings of the last file that the next one has at least: in one day some are removed, and no tenth of them. */
const LEAST_SHARE = 0.9;

/** Share of its lines that may be unread: strangers typed them, but software wrote the file. */
const MOST_UNREAD_SHARE = 0.01;

/** How far the date of a file may be ahead: clocks of two machines differ. */
const MAX_AHEAD_MS = 300_000;

/** What became of a file. Where it was not taken, the last one that was stands. */
type FilingLoad = ReturnType<FilingDirectory['load']>;

/**
 * Joins trunks to filings of the Robocall Mitigation Database: knows the filings of the providers at the other ends of trunks. It has no filings before
 * the first `load`, and is brought up to date by further ones while calls go on. `absent` and `removed` are said only out of a file that is whole and not
 * too old; where a line of it cannot be read, not of the numbers in that line. All else is `unknown`, which speaks against nobody.
 * @see 47 CFR 64.6305(g)
 * @example
 * ```ts
 * const trunks = { '192.0.2.7': { rmdNumber: 'RMD0001234' }, '192.0.2.8': { frn: '9' } };
 * const directory = new FilingDirectory({ trunks, leastFilings: 1 });
 * directory.load('number,business_name,frn\nRMD0001234,Example LLC,0000123456\n', { listedAtMs: Date.now() });
 * console.log(directory.filingOfTrunk('192.0.2.7'), directory.filingOfTrunk('192.0.2.8')); // present absent
 * ```
 */
export class FilingDirectory {
  readonly #options: FilingDirectoryOptions;
  readonly #clock: Clock;
  readonly #wanted: ReadonlyMap<string, FilingReference>;
  #listed: Listed | undefined;

  /**
   * @param options - the trunks with their filings
   * @throws {@link HopbackError} `invalid-configuration` for a trunk without a reference or with a number that is none, and for limits below 0
   */
  constructor(options: FilingDirectoryOptions) {
    const { maxAgeMs = 0, leastFilings = 0, trunks, clock = { nowMs: Date.now } } = options;
    if (!(maxAgeMs >= 0) || !(leastFilings >= 0)) throw invalid('maxAgeMs and leastFilings must not be below 0');
    this.#options = { ...options };
    this.#clock = clock;
    this.#wanted = new Map(Object.entries(trunks).map(([trunk, one]) => [trunk, checked(trunk, one)]));
  }

  /**
   * Takes a new file in the place of the last one, whole or not at all.
   * @param csv - the file as text or octets, at most 134,217,728 octets, with or without a byte order mark
   * @param options - `listedAtMs`: when the database handed it out, milliseconds since the epoch
   */
  load(
    csv: string | Uint8Array,
    options: { readonly listedAtMs: number },
  ):
    | {
        readonly status: 'loaded';
        readonly filings: number;
        readonly unread: number;
      }
    | {
        readonly status: 'refused';
        /**
         * `cut-off`: it ends within a line. `too-few`: fewer filings than a whole file has, or a tenth fewer than the last one. `too-many-unread`:
         * of more than a hundredth of its lines nobody can say whose they are.
         */
        readonly reason:
          | 'too-large'
          | 'no-header'
          | 'column-missing'
          | 'too-many-lines'
          | 'cut-off'
          | 'too-few'
          | 'too-many-unread'
          | 'date-ahead'
          | 'older-than-last';
        /** The column that is missing. */
        readonly column?: string;
      } {
    const { leastFilings = LEAST_FILINGS } = this.#options;
    const { listedAtMs } = options;
    const reading = readFilingList(csv);
    if (reading.status === 'unreadable') return unreadable(reading);
    const nowMs = this.#clock.nowMs();
    const refusal = refusalOf(reading, { listedAtMs, nowMs, leastFilings, last: this.#listed });
    if (refusal !== undefined) return refusal;
    const index = indexOf(reading.filings);
    const byTrunk = new Map([...this.#wanted].map(([trunk, one]) => [trunk, filingIn(index, reading, one)]));
    this.#listed = { listedAtMs, filings: reading.filings.length, byTrunk };
    return { status: 'loaded', filings: reading.filings.length, unread: reading.unread };
  }

  /** Of the trunk that a request came in by; as `verifyIdentity` takes it. Never throws for peer input. */
  readonly filingOf = (request: SipRequestLike): UpstreamFiling => {
    const { trunkOf = ({ source_address: address }) => address } = this.#options;
    const trunk = trunkOf(request);
    return trunk === undefined ? 'unknown' : this.filingOfTrunk(trunk);
  };

  /** Of a trunk by its name. */
  filingOfTrunk(trunk: string): UpstreamFiling {
    return this.#isStale() ? 'unknown' : (this.#listed?.byTrunk.get(trunk) ?? 'unknown');
  }

  /** What it knows. */
  status(): {
    readonly filings: number;
    /** When the file was handed out, milliseconds since the epoch; absent before the first. */
    readonly listedAtMs?: number;
    /** Whether it is too old to say anything. */
    readonly isStale: boolean;
    /** Trunks by what is known of their filings. */
    readonly trunks: Readonly<Record<UpstreamFiling, readonly string[]>>;
  } {
    const trunks: Record<UpstreamFiling, string[]> = { present: [], absent: [], removed: [], unknown: [] };
    for (const trunk of this.#wanted.keys()) trunks[this.filingOfTrunk(trunk)].push(trunk);
    const listed = this.#listed;
    return {
      filings: listed?.filings ?? 0,
      ...(listed !== undefined && { listedAtMs: listed.listedAtMs }),
      isStale: this.#isStale(),
      trunks,
    };
  }

  #isStale(): boolean {
    const { maxAgeMs = MAX_FILING_LIST_AGE_MS } = this.#options;
    return this.#listed === undefined || this.#clock.nowMs() - this.#listed.listedAtMs > maxAgeMs;
  }
}

interface Listed {
  readonly listedAtMs: number;
  readonly filings: number;
  readonly byTrunk: ReadonlyMap<string, UpstreamFiling>;
}

const invalid = (message: string): HopbackError => new HopbackError('invalid-configuration', message);

/** A reference with numbers and name in the forms in which they are compared. */
function checked(trunk: string, { rmdNumber, frn, businessName }: FilingReference): FilingReference {
  const read = {
    ...(rmdNumber !== undefined && { rmdNumber: rmdNumberOf(rmdNumber) }),
    ...(frn !== undefined && { frn: frnOf(frn) }),
    ...(businessName !== undefined && { businessName: filingName(businessName) }),
  };
  const given = Object.values(read);
  if (given.length === 0 || given.some((one) => one === undefined || one === ''))
    throw invalid(`trunk ${trunk}: give rmdNumber (RMD and digits), frn (up to ten digits) or businessName`);
  return read as FilingReference;
}

type FilingsRead = Extract<FilingListReading, { status: 'read' }>;

interface LoadFacts {
  readonly listedAtMs: number;
  readonly nowMs: number;
  readonly leastFilings: number;
  readonly last: Listed | undefined;
}

function refusalOf(reading: FilingsRead, facts: LoadFacts): FilingLoad | undefined {
  const { listedAtMs, nowMs, leastFilings, last } = facts;
  const refused = (reason: Extract<FilingLoad, { status: 'refused' }>['reason']): FilingLoad => ({
    status: 'refused',
    reason,
  });
  if (!(listedAtMs <= nowMs + MAX_AHEAD_MS)) return refused('date-ahead');
  if (last !== undefined && listedAtMs < last.listedAtMs) return refused('older-than-last');
  if (!reading.isWhole) return refused('cut-off');
  const count = reading.filings.length;
  if (reading.unread > (count + reading.unread) * MOST_UNREAD_SHARE) return refused('too-many-unread');
  return count < leastFilings || count < (last?.filings ?? 0) * LEAST_SHARE ? refused('too-few') : undefined;
}

const unreadable = ({ reason, column }: Extract<FilingListReading, { status: 'unreadable' }>): FilingLoad => ({
  status: 'refused',
  reason,
  ...(column !== undefined && { column }),
});

interface FilingIndex {
  readonly byNumber: ReadonlyMap<string, readonly ListedFiling[]>;
  readonly byName: ReadonlyMap<string, readonly ListedFiling[]>;
}

function indexOf(filings: readonly ListedFiling[]): FilingIndex {
  const byNumber = new Map<string, ListedFiling[]>();
  const byName = new Map<string, ListedFiling[]>();
  const add = (map: Map<string, ListedFiling[]>, key: string | undefined, filing: ListedFiling): void => {
    if (key === undefined) return;
    const known = map.get(key);
    if (known === undefined) map.set(key, [filing]);
    else known.push(filing);
  };
  for (const filing of filings) {
    add(byNumber, filing.rmdNumber, filing);
    add(byNumber, filing.frn, filing);
    for (const name of filing.names) add(byName, name, filing);
  }
  return { byNumber, byName };
}

/** Everything that a reference says has to be true of one filing; what is true of none, or of different ones, is for a person to look at. */
function filingIn(
  { byNumber, byName }: FilingIndex,
  { unreadNumbers, otherFrns, hasRmdNumbers }: FilingsRead,
  { rmdNumber, frn, businessName = '' }: FilingReference,
): UpstreamFiling {
  const numbers = [hasRmdNumbers ? rmdNumber : undefined, frn].filter((number) => number !== undefined);
  if (numbers.some((number) => unreadNumbers.has(number))) return 'unknown';
  const named = byName.get(businessName) ?? [];
  if (numbers.length === 0) return standingOf(named) ?? 'unknown';
  const found = numbers.map((number) => byNumber.get(number) ?? []);
  // Who is there by name, or beside another number, has another one than was written down, and is not absent.
  const isElsewhere = named.length > 0 || (frn !== undefined && otherFrns.has(frn));
  if (found.every((some) => some.length === 0)) return isElsewhere ? 'unknown' : 'absent';
  const [first = [], ...others] = found;
  return standingOf(first.filter((filing) => others.every((some) => some.includes(filing)))) ?? 'unknown';
}

/** A filer may have a removed filing beside the one that counts. What different filers have in common says nothing where they differ. */
function standingOf(filings: readonly ListedFiling[]): 'present' | 'removed' | undefined {
  const standings = new Map<string | undefined, 'present' | 'removed'>();
  for (const { frn, removedOn } of filings)
    if (removedOn === undefined || !standings.has(frn))
      standings.set(frn, removedOn === undefined ? 'present' : 'removed');
  const [standing, ...others] = new Set(standings.values());
  return others.length === 0 ? standing : undefined;
}
