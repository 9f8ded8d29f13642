import { parse } from 'csv-parse/sync';
import type { ProviderEntry, RobocallMitigationContact } from '@hopback/sdk/platform';
import {
  affiliatesCell,
  booleanCell,
  codesCell,
  dateCell,
  frnCell,
  implementationCell,
  lineCell,
  namesCell,
  principalsCell,
  textCell,
} from './filing-columns.js';

/** Lines that are read: ten times as many filers as there are. */
export const MAX_FILING_LINES = 75_000;
/** Octets of a line: addresses and lists of names of a holding fit. */
const MAX_LINE_BYTES = 262_144;

/** What a filing says of a provider: members that its columns have. Absent ones are not spoken of, and stay as they are. */
export interface Filing {
  /** Line of the file that it began on, from 1. */
  readonly line: number;
  readonly frn: string;
  readonly members: Partial<Omit<ProviderEntry, 'format' | 'providerId' | 'frn' | 'updatedAt'>> & {
    readonly businessName: string;
  };
  /** Members that the file has columns for and this line has nothing in: they are taken away. */
  readonly emptied: readonly OptionalMember[];
}

type OptionalMember =
  'businessAddress' | 'robocallMitigationContact' | 'filingUpdatedOn' | 'country' | 'certified24HoursOn' | 'removal';

/** Why a line was not taken. */
export type FilingRejection =
  'frn-missing' | 'frn-invalid' | 'frn-repeated' | 'business-name-missing' | 'cell-invalid' | 'line-unreadable';

export interface RejectedFiling {
  readonly line: number;
  readonly reason: FilingRejection;
  /** Column, where it is one cell. */
  readonly column?: string;
}

/** What a file says, or why it says nothing. */
export type FilingsReading =
  | { readonly status: 'read'; readonly filings: readonly Filing[]; readonly rejected: readonly RejectedFiling[] }
  | {
      readonly status: 'unreadable';
      readonly reason: 'not-csv' | 'no-header' | 'column-missing' | 'too-many-lines';
      readonly column?: string;
    };

/**
 * Reads a file in the layout of the Robocall Mitigation Database: its columns by their names in any order, and beside them, where there
 * are some, `ocn`, `spc`, `principals`, `affiliates`, `country`, `certified_24_hours_on`, `removed_on`, `removal_reason` and
 * `removal_order_url`. What a column that is not there would say stays as it is. A line is taken whole or not at all.
 * @param csv - text, with or without a byte order mark
 * @returns filings by number, and lines that were not taken; never throws for what is in the file
 * @see 47 CFR 64.6305(d) to (f); RFC 4180
 */
export function readFilings(csv: string): FilingsReading {
  const rows = rowsOf(csv);
  if (rows === undefined) return { status: 'unreadable', reason: 'not-csv' };
  const [header, ...lines] = rows;
  if (header === undefined) return { status: 'unreadable', reason: 'no-header' };
  if (lines.length > MAX_FILING_LINES) return { status: 'unreadable', reason: 'too-many-lines' };
  const names = header.cells.map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_'),
  );
  for (const column of ['business_name', 'frn'])
    if (!names.includes(column)) return { status: 'unreadable', reason: 'column-missing', column };
  const filings = new Map<string, Filing>();
  const rejected: RejectedFiling[] = [];
  for (const { line, cells } of lines) {
    const reading = readLine(line, cellsOf(names, cells), cells.length <= names.length);
    if ('reason' in reading) rejected.push(reading);
    // Which of two is true, the file does not say; the first stands, and somebody looks at the other.
    else if (filings.has(reading.frn)) rejected.push({ line, reason: 'frn-repeated', column: 'frn' });
    else filings.set(reading.frn, reading);
  }
  return { status: 'read', filings: [...filings.values()], rejected };
}

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

function rowsOf(csv: string): readonly Row[] | undefined {
  try {
    const found = parse(csv, {
      bom: true,
      info: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      max_record_size: MAX_LINE_BYTES,
      to: MAX_FILING_LINES + 2,
    }) as unknown as readonly { readonly record: readonly string[]; readonly info: { readonly lines: number } }[];
    // `lines` counts up to the end of a record; it began after the end of the one before.
    return found.map(({ record, info }) => ({ line: info.lines - breaksIn(record), cells: record }));
  } catch {
    return undefined;
  }
}

const breaksIn = (cells: readonly string[]): number =>
  cells.reduce((total, cell) => total + (cell.includes('\n') ? cell.split('\n').length - 1 : 0), 0);

type Cells = ReadonlyMap<string, string>;

const cellsOf = (names: readonly string[], cells: readonly string[]): Cells =>
  new Map(names.flatMap((name, index) => (index < cells.length ? [[name, cells[index] ?? '']] : [])));

const BOOLEANS = {
  foreign_voice_service_provider: 'isForeignVoiceServiceProvider',
  voice_service_provider: 'isVoiceServiceProvider',
  gateway_provider: 'isGatewayProvider',
  non_gateway_intermediate_provider: 'isNonGatewayIntermediateProvider',
} as const;

/** Readers of cells that may be empty, by column: the member that they fill. */
const READERS: Readonly<Record<string, readonly [string, (cell: string) => unknown]>> = {
  business_address: ['businessAddress', textCell],
  last_updated: ['filingUpdatedOn', dateCell],
  certified_24_hours_on: ['certified24HoursOn', dateCell],
  country: ['country', (cell) => (/^[A-Z]{2}$/.test(cell.trim()) ? cell.trim() : undefined)],
};

/** Readers of lists, for which an empty cell is an empty list. */
const LISTS: Readonly<Record<string, readonly [string, (cell: string) => unknown]>> = {
  previous_business_names: ['previousBusinessNames', namesCell],
  other_dba_names: ['otherDbaNames', namesCell],
  ocn: ['ocns', (cell) => codesCell(cell, /^[0-9A-Z]{4}$/)],
  spc: ['spcs', (cell) => codesCell(cell, /^[0-9A-Z]{1,15}$/)],
  principals: ['principals', principalsCell],
  affiliates: ['affiliates', affiliatesCell],
};

function readLine(line: number, cells: Cells, isWhole: boolean): Filing | RejectedFiling {
  if (!isWhole) return { line, reason: 'line-unreadable' };
  const number = cells.get('frn')?.trim() ?? '';
  const frn = frnCell(number);
  if (number === '') return { line, reason: 'frn-missing', column: 'frn' };
  if (frn === undefined) return { line, reason: 'frn-invalid', column: 'frn' };
  const name = cells.get('business_name') ?? '';
  if (name.trim() === '') return { line, reason: 'business-name-missing', column: 'business_name' };
  const members: Record<string, unknown> = { businessName: lineCell(name) };
  const wrong: string[] = members['businessName'] === undefined ? ['business_name'] : [];
  const emptied: OptionalMember[] = [];
  const set = (column: string, member: string, value: unknown): void => {
    if (value === undefined) wrong.push(column);
    else members[member] = value;
  };
  for (const [column, member] of Object.entries(BOOLEANS))
    if (cells.has(column)) set(column, member, booleanCell(cells.get(column) ?? ''));
  if (cells.has('implementation'))
    set('implementation', 'implementation', implementationCell(cells.get('implementation') ?? ''));
  for (const [column, [member, read]] of Object.entries(LISTS))
    if (cells.has(column)) set(column, member, read(cells.get(column) ?? ''));
  for (const [column, [member, read]] of Object.entries(READERS)) {
    const cell = cells.get(column);
    if (cell === undefined) continue;
    if (cell.trim() === '') emptied.push(member as OptionalMember);
    else set(column, member, read(cell));
  }
  readContact(cells, members, emptied);
  readRemoval(cells, { members, emptied, wrong });
  const [column] = wrong;
  if (column !== undefined) return { line, reason: 'cell-invalid', column };
  return { line, frn, members: members as unknown as Filing['members'], emptied };
}

const CONTACT = 'robocall_mitigation_contact_';

function readContact(cells: Cells, members: Record<string, unknown>, emptied: OptionalMember[]): void {
  const filed = cells.get(`${CONTACT}name`);
  if (filed === undefined) return;
  const part = (column: string, read: (cell: string) => string | undefined): string | undefined => {
    const cell = cells.get(`${CONTACT}${column}`);
    return cell === undefined ? undefined : read(cell);
  };
  const name = lineCell(filed);
  if (name === undefined) {
    emptied.push('robocallMitigationContact');
    return;
  }
  const [title, department] = [part('title', lineCell), part('department', lineCell)];
  const businessAddress = part('business_address', textCell);
  const telephoneNumber = part('telephone_number', lineCell)?.slice(0, 64);
  const email = part('email', lineCell);
  const contact: RobocallMitigationContact = {
    name,
    ...(title !== undefined && { title }),
    ...(department !== undefined && { department }),
    ...(businessAddress !== undefined && { businessAddress }),
    ...(telephoneNumber !== undefined && { telephoneNumber }),
    ...(email !== undefined && email.length >= 3 && { email }),
  };
  members['robocallMitigationContact'] = contact;
}

/** An order that takes a provider off the list. 47 CFR 64.6305(g) */
function readRemoval(
  cells: Cells,
  into: { readonly members: Record<string, unknown>; readonly emptied: OptionalMember[]; readonly wrong: string[] },
): void {
  const filed = cells.get('removed_on');
  if (filed === undefined) return;
  if (filed.trim() === '') {
    into.emptied.push('removal');
    return;
  }
  const [removedOn, reason] = [dateCell(filed), textCell(cells.get('removal_reason') ?? '')];
  const url = (cells.get('removal_order_url') ?? '').trim();
  if (removedOn === undefined) into.wrong.push('removed_on');
  if (reason === undefined) into.wrong.push('removal_reason');
  if (url !== '' && !/^https:\/\/\S{1,2040}$/.test(url)) into.wrong.push('removal_order_url');
  into.members['removal'] = { removedOn, reason, ...(url !== '' && { orderUrl: url }) };
}
