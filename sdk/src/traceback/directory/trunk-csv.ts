import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import { csvFields } from '../../records/ingest/csv-fields.js';
import { rowClock } from '../../records/ingest/row-time.js';
import type { RowClock } from '../../records/ingest/row-time.js';
import type { TrunkParty } from '../trunk-directory.js';
import { readIpPrefix } from './ip-prefix.js';
import { periodTime } from './read-trunk-directory.js';
import { MAX_TRUNK_ENTRIES } from './trunk-directory-data.js';
import type { TrunkEntry } from './trunk-directory-data.js';

/** A row that could not be read. */
export interface TrunkCsvFault {
  /** 1 for the header row. */
  readonly line: number;
  readonly column?: TrunkCsvColumn;
  readonly detail: string;
}

/** Columns of the file, by their titles. `kind` says which party the row names. */
export type TrunkCsvColumn = (typeof TRUNK_CSV_COLUMNS)[number];

/** All entries of the file, or everything that is wrong with it: half a directory is none. */
export type TrunkCsvReading =
  | { readonly status: 'read'; readonly entries: readonly TrunkEntry[] }
  | { readonly status: 'refused'; readonly faults: readonly TrunkCsvFault[] };

/** Titles that there are; only `kind` has to be there, and one of the first three. */
export const TRUNK_CSV_COLUMNS = [
  'trunk',
  'address',
  'switch_provider',
  'from',
  'until',
  'kind',
  'name',
  'provider_id',
  'ocn',
  'spc',
  'frn',
  'email',
  'telephone',
  'country',
  'customer_id',
] as const;

/** Faults that are listed: who has mistaken a column is helped by the first. */
export const MAX_TRUNK_CSV_FAULTS = 100;
/** Some hundred bytes for each of the most entries that there may be. */
export const MAX_TRUNK_CSV_CHARS: number = 32 * 2 ** 20;

/**
 * Reads the entries of a trunk directory out of comma-separated values, as inventories export them: a header row with titles of
 * {@link TRUNK_CSV_COLUMNS} in any order, then a row for each trunk and period. `kind` is `provider`, `unlisted`, `foreign` or `customer`.
 * Never throws for what the file holds.
 * @param text - at most {@link MAX_TRUNK_CSV_CHARS} characters
 * @param options - `zone`: IANA name, for times without an offset
 * @returns the entries, or up to {@link MAX_TRUNK_CSV_FAULTS} faults with their lines
 * @throws {@link HopbackError} `invalid-configuration` where there is no such zone
 * @see RFC 4180 section 2
 * @example
 * ```ts
 * const reading = readTrunkCsv('trunk,kind,name,ocn,from\neast-1,provider,"Example Telecom, LLC",0001,2026-03-01T00:00:00Z\n');
 * if (reading.status === 'read') console.log(reading.entries[0]?.party.kind); // provider
 * ```
 */
export function readTrunkCsv(text: string, options: { readonly zone?: string } = {}): TrunkCsvReading {
  const clock = options.zone === undefined ? undefined : rowClock({ zone: options.zone });
  if (text.length > MAX_TRUNK_CSV_CHARS) return refusedAt(1, `more than ${String(MAX_TRUNK_CSV_CHARS)} characters`);
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const header = headerOf(lines[0] ?? '');
  if (!Array.isArray(header)) return header;
  const entries: TrunkEntry[] = [];
  const faults: TrunkCsvFault[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const read = entryOf(line, { columns: header, clock, line: index + 1 });
    if ('detail' in read) faults.push(read);
    else entries.push(read);
    if (entries.length > MAX_TRUNK_ENTRIES)
      return refusedAt(index + 1, `more than ${String(MAX_TRUNK_ENTRIES)} entries`);
    if (faults.length >= MAX_TRUNK_CSV_FAULTS) break;
  }
  return faults.length > 0 ? { status: 'refused', faults } : { status: 'read', entries };
}

function refusedAt(line: number, detail: string): TrunkCsvReading & { readonly status: 'refused' } {
  return { status: 'refused', faults: [{ line, detail }] };
}

function headerOf(line: string): TrunkCsvColumn[] | (TrunkCsvReading & { readonly status: 'refused' }) {
  const reading = csvFields(line);
  if (reading.status !== 'fields') return refusedAt(1, reading.detail);
  const titles = reading.fields.map((title) => title.trim().toLowerCase());
  const stranger = titles.find((title) => !isColumn(title));
  // Not passed over: a title that is misspelt would leave its column out of every row.
  if (stranger !== undefined) return refusedAt(1, `there is no column ${stranger.slice(0, 64)}`);
  if (new Set(titles).size < titles.length) return refusedAt(1, 'a column comes twice');
  if (!titles.includes('kind')) return refusedAt(1, 'the column kind is missing');
  return titles.filter(isColumn);
}

function isColumn(title: string): title is TrunkCsvColumn {
  return (TRUNK_CSV_COLUMNS as readonly string[]).includes(title);
}

interface CsvPlace {
  readonly columns: readonly TrunkCsvColumn[];
  readonly clock: RowClock | undefined;
  readonly line: number;
}

type Cells = Readonly<Partial<Record<TrunkCsvColumn, string>>>;

function entryOf(text: string, { columns, clock, line }: CsvPlace): TrunkEntry | TrunkCsvFault {
  const reading = csvFields(text);
  if (reading.status !== 'fields') return { line, detail: reading.detail };
  const { fields } = reading;
  if (fields.length !== columns.length)
    return { line, detail: `${String(fields.length)} fields under ${String(columns.length)} titles` };
  const cells: Partial<Record<TrunkCsvColumn, string>> = {};
  for (const [index, column] of columns.entries()) {
    const value = fields[index]?.trim() ?? '';
    if (value.length > MAX_CELL_CHARS)
      return { line, column, detail: `more than ${String(MAX_CELL_CHARS)} characters` };
    if (value !== '') cells[column] = value;
  }
  const fault = faultOf(cells);
  if (fault !== undefined) return { line, ...fault };
  const fromUs = cells.from === undefined ? undefined : periodTime(cells.from, clock);
  const untilUs = cells.until === undefined ? undefined : periodTime(cells.until, clock);
  if (typeof fromUs === 'object') return { line, column: 'from', detail: fromUs.fault };
  if (typeof untilUs === 'object') return { line, column: 'until', detail: untilUs.fault };
  if (fromUs !== undefined && untilUs !== undefined && fromUs >= untilUs)
    return { line, column: 'until', detail: 'is not after from' };
  const { trunk, address, switch_provider: switchProvider } = cells;
  return {
    ...(trunk === undefined ? {} : { trunk }),
    ...(address === undefined ? {} : { address }),
    ...(switchProvider === undefined ? {} : { switchProvider }),
    ...(fromUs === undefined ? {} : { fromUs }),
    ...(untilUs === undefined ? {} : { untilUs }),
    party: partyOf(cells),
  };
}

/** As the members of a directory in JSON. */
const MAX_CELL_CHARS = 256;

const FORMS: readonly (readonly [TrunkCsvColumn, RegExp])[] = [
  ['kind', /^(?:provider|unlisted|foreign|customer)$/],
  ['ocn', /^[0-9A-Z]{4}$/],
  ['spc', /^[0-9A-Z]{1,15}$/],
  ['frn', /^\d{10}$/],
  ['country', /^[A-Z]{2}$/],
];

function faultOf(cells: Cells): Omit<TrunkCsvFault, 'line'> | undefined {
  const { trunk, address, switch_provider: switchProvider, kind, name } = cells;
  if ((trunk ?? address ?? switchProvider) === undefined)
    return { detail: 'names neither trunk, address nor switch_provider' };
  if (kind === undefined) return { column: 'kind', detail: 'is missing' };
  for (const [column, form] of FORMS) {
    const value = cells[column];
    if (value !== undefined && !form.test(value)) return { column, detail: 'has not the form that it must have' };
  }
  if (address !== undefined && readIpPrefix(address) === undefined)
    return { column: 'address', detail: 'is no address and no network' };
  if (kind !== 'customer' && name === undefined) return { column: 'name', detail: 'is missing' };
  return undefined;
}

/** @param cells - of which {@link faultOf} found no fault */
function partyOf(cells: Cells): TrunkParty {
  const { kind, name = '', customer_id: customerId } = cells;
  if (kind === 'provider') return { kind, provider: providerOf(cells, name) };
  if (kind === 'unlisted') return { kind: 'unlisted-provider', contact: contactOf(cells, name) };
  if (kind === 'foreign') return { kind: 'foreign-provider', contact: contactOf(cells, name) };
  return { kind: 'customer', ...(customerId === undefined ? {} : { customerId }) };
}

function providerOf({ provider_id: providerId, ocn, spc, frn }: Cells, name: string): ProviderReference {
  return {
    name,
    ...(providerId === undefined ? {} : { providerId }),
    ...(ocn === undefined ? {} : { ocn }),
    ...(spc === undefined ? {} : { spc }),
    ...(frn === undefined ? {} : { frn }),
  };
}

function contactOf({ email, telephone, country }: Cells, name: string): ContactDetails {
  return {
    name,
    ...(email === undefined ? {} : { email }),
    ...(telephone === undefined ? {} : { telephone }),
    ...(country === undefined ? {} : { country }),
  };
}
