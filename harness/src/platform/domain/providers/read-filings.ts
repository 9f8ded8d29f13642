import type { ProviderEntry } from '@hopback/sdk/platform';
import { parse } from 'csv-parse/sync';

type ImplementationStatus = ProviderEntry['implementation'];
type ProviderAffiliate = ProviderEntry['affiliates'][number];
type ProviderPrincipal = ProviderEntry['principals'][number];
type RobocallMitigationContact = NonNullable<ProviderEntry['robocallMitigationContact']>;

// What the cells of a filing say. Cells are what strangers typed into a form: each reader gives undefined for what it cannot read.

/** Longest line that the contract takes. */
const MAX_LINE_CHARS = 256;
/** Longest text that the contract takes. */
const MAX_TEXT_CHARS = 8_192;
/** Entries of a list in one cell: as many as the contract takes. */
const MAX_LIST = 512;

/** One line; undefined where it is longer than the contract takes. */
function lineCell(cell: string): string | undefined {
  const line = cell.replace(/\s+/g, ' ').trim();
  return line.length === 0 || line.length > MAX_LINE_CHARS ? undefined : line;
}

/** Text of several lines. */
function textCell(cell: string): string | undefined {
  const text = cell.trim();
  return text.length === 0 || text.length > MAX_TEXT_CHARS ? undefined : text;
}

/** FCC Registration Number: the database writes it with and without its leading zeros. */
function frnCell(cell: string): string | undefined {
  const digits = cell.trim();
  return /^\d{1,10}$/.test(digits) ? digits.padStart(10, '0') : undefined;
}

const YES = new Set(['true', 'yes', 'y', '1']);
const NO = new Set(['false', 'no', 'n', '0', '']);

function booleanCell(cell: string): boolean | undefined {
  const word = cell.trim().toLowerCase();
  if (YES.has(word)) return true;
  return NO.has(word) ? false : undefined;
}

/** `Complete STIR/SHAKEN Implementation` and the like, by its first word; not applicable, as those without a network say, is none. */
function implementationCell(cell: string): ImplementationStatus | undefined {
  const word = cell.trim().toLowerCase();
  if (word.startsWith('complete')) return 'complete';
  if (word.startsWith('partial')) return 'partial';
  return word === '' || word === 'n/a' || word === 'none' || word.startsWith('no ') || word.startsWith('not ')
    ? 'none'
    : undefined;
}

/** Date of `2026-09-14`, `2026-09-14 10:11:12` or `09/14/2026` and the like, as RFC 3339 full date. */
function dateCell(cell: string): string | undefined {
  const text = cell.trim();
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]|$)/.exec(text);
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?: |$)/.exec(text);
  const [year, month, day] = iso === null ? [american?.[3], american?.[1], american?.[2]] : [iso[1], iso[2], iso[3]];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const ms = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date ? undefined : date;
}

/** Names with semicolons, bars or line breaks between; a comma is part of a name (`Example, Inc.`). */
function namesCell(cell: string): readonly string[] | undefined {
  const names = parts(cell, /[;|\r\n]/).filter((name) => !/^(?:n\/a|none)$/i.test(name));
  return names.length > MAX_LIST || names.some((name) => name.length > MAX_LINE_CHARS) ? undefined : names;
}

/** Codes with anything between that is no letter or digit. */
function codesCell(cell: string, form: RegExp): readonly string[] | undefined {
  const codes = [...new Set(parts(cell.toUpperCase(), /[^0-9A-Z]+/))];
  return codes.length <= MAX_LIST && codes.every((code) => form.test(code)) ? codes : undefined;
}

/** `Name (owner); Other Name (director)`. What is no pair is a name without a stated role. */
function principalsCell(cell: string): readonly ProviderPrincipal[] | undefined {
  return namesCell(cell)?.map((text) => {
    const { name, role = 'not stated' } = withRole(text);
    return { name, role };
  });
}

/** `Other Company LLC (subsidiary)`, or with its number `Other Company LLC [0000000123] (parent)`. */
function affiliatesCell(cell: string): readonly ProviderAffiliate[] | undefined {
  return namesCell(cell)?.map((text) => {
    const { name: named, role = 'not stated' } = withRole(text);
    const number = /\[(\d{10})\]$/.exec(named)?.[1];
    const name = number === undefined ? named : named.slice(0, -12).trim();
    return { name: name === '' ? named : name, ...(number !== undefined && { frn: number }), relation: role };
  });
}

function withRole(text: string): { readonly name: string; readonly role?: string } {
  const opens = text.lastIndexOf('(');
  if (!text.endsWith(')') || opens <= 0) return { name: text };
  const [name, role] = [text.slice(0, opens).trim(), text.slice(opens + 1, -1).trim()];
  return name === '' || role === '' ? { name: text } : { name, role };
}

const parts = (cell: string, between: RegExp): readonly string[] =>
  cell
    .split(between)
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part !== '');

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
  | {
      readonly status: 'read';
      readonly filings: readonly Filing[];
      readonly rejected: readonly RejectedFiling[];
    }
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

/** Readers of cells by column: the member that they fill, and whether an empty cell takes it away. */
const READERS: Readonly<Record<string, readonly [member: string, read: (cell: string) => unknown, isOptional?: true]>> =
  {
    foreign_voice_service_provider: ['isForeignVoiceServiceProvider', booleanCell],
    voice_service_provider: ['isVoiceServiceProvider', booleanCell],
    gateway_provider: ['isGatewayProvider', booleanCell],
    non_gateway_intermediate_provider: ['isNonGatewayIntermediateProvider', booleanCell],
    implementation: ['implementation', implementationCell],
    previous_business_names: ['previousBusinessNames', namesCell],
    other_dba_names: ['otherDbaNames', namesCell],
    ocn: ['ocns', (cell) => codesCell(cell, /^[0-9A-Z]{4}$/)],
    spc: ['spcs', (cell) => codesCell(cell, /^[0-9A-Z]{1,15}$/)],
    principals: ['principals', principalsCell],
    affiliates: ['affiliates', affiliatesCell],
    business_address: ['businessAddress', textCell, true],
    last_updated: ['filingUpdatedOn', dateCell, true],
    certified_24_hours_on: ['certified24HoursOn', dateCell, true],
    country: ['country', (cell) => (/^[A-Z]{2}$/.test(cell.trim()) ? cell.trim() : undefined), true],
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
  for (const [column, [member, read, isOptional = false]] of Object.entries(READERS)) {
    const cell = cells.get(column);
    if (cell === undefined) continue;
    if (isOptional && cell.trim() === '') {
      emptied.push(member as OptionalMember);
      continue;
    }
    const value = read(cell);
    if (value === undefined) wrong.push(column);
    else members[member] = value;
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
  into: {
    readonly members: Record<string, unknown>;
    readonly emptied: OptionalMember[];
    readonly wrong: string[];
  },
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

/** The id that a provider gets when it is first seen in a filing: the same for every import of every platform. */
export const filedProviderId = (frn: string): string => `prv-${frn}`;

/**
 * The entry after a filing: what the filing speaks of is as it says, everything else stays. Where nothing changed it is the one
 * before, with its time, so that an import that is done again does nothing.
 * @param filing - as it was read
 * @param before - entry of that number; absent for a provider that is new
 * @param updatedAt - RFC 3339 in UTC
 */
export function entryAfterFiling(filing: Filing, before: ProviderEntry | undefined, updatedAt: string): ProviderEntry {
  const base: ProviderEntry = before ?? blankEntry(filing.frn, filing.members.businessName, updatedAt);
  const merged: Record<string, unknown> = { ...base, ...filing.members };
  for (const member of filing.emptied) delete merged[member];
  const after = merged as unknown as ProviderEntry;
  if (before !== undefined && isSameEntry(before, after)) return before;
  return { ...after, updatedAt };
}

/** Whether two entries say the same, their times apart. */
export const isSameEntry = (one: ProviderEntry, other: ProviderEntry): boolean =>
  canonical({ ...one, updatedAt: '' }) === canonical({ ...other, updatedAt: '' });

function blankEntry(frn: string, businessName: string, updatedAt: string): ProviderEntry {
  return {
    format: 'hopback.provider-entry.1',
    providerId: filedProviderId(frn),
    businessName,
    frn,
    previousBusinessNames: [],
    otherDbaNames: [],
    isForeignVoiceServiceProvider: false,
    isVoiceServiceProvider: false,
    isGatewayProvider: false,
    isNonGatewayIntermediateProvider: false,
    implementation: 'none',
    ocns: [],
    spcs: [],
    principals: [],
    affiliates: [],
    updatedAt,
  };
}

/** Members in order: a database gives them back in one of its own. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}
