import { z } from 'zod';
import { readBySchema } from '../../core/schema-findings.js';
import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import { HopbackError } from '../../errors.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { csvFields } from '../../records/ingest/record-reader.js';
import { rowClock } from '../../records/ingest/formats/row-times.js';
import type { RowClock } from '../../records/ingest/formats/row-times.js';
import type { TrunkParty } from '../trunk-directory.js';
import {
  MAX_KNOWN_PROVIDERS,
  MAX_PROVIDER_NAMES,
  MAX_TRUNK_ENTRIES,
  createProviderIdentities,
} from './provider-identity.js';
import type { KnownProvider, ProviderIdentities, TrunkDirectoryData, TrunkEntry } from './provider-identity.js';
import { beginOf, differ, endOf, indexed, isSameParty, prefixKey, readIpPrefix } from './trunk-directory.js';
import type { IndexedEntry } from './trunk-directory.js';

// Written by hand: a member that nobody knows is a typing error, and would name another party, or none.

/** An entry as a carrier writes it: exactly one of the four parties, and times as people write them. */
interface WrittenTrunkEntry {
  readonly trunk?: string;
  readonly address?: string;
  readonly switchProvider?: string;
  /** `2026-03-01`, `2026-03-01T00:00:00`, with an offset or in the zone of the directory. */
  readonly from?: string;
  /** As `from`: the first instant at which it no longer holds. */
  readonly until?: string;
  readonly provider?: ProviderReference;
  readonly unlistedProvider?: ContactDetails;
  readonly foreignProvider?: ContactDetails;
  readonly customer?: { readonly customerId?: string };
}

/** A directory as a file has it. */
interface WrittenTrunkDirectory {
  readonly directoryId: string;
  /** IANA name, for times without an offset. */
  readonly zone?: string;
  readonly handoverMarginSeconds?: number;
  readonly providers?: readonly KnownProvider[];
  readonly trunks?: readonly WrittenTrunkEntry[];
}

const nameSchema = z.string().min(1).max(256);
const ocnSchema = z.string().regex(/^[0-9A-Z]{4}$/, 'has not the form of an OCN: four of 0-9 and A-Z');
const spcSchema = z.string().regex(/^[0-9A-Z]{1,15}$/, 'has not the form of an SPC: 1 to 15 of 0-9 and A-Z');
const frnSchema = z.string().regex(/^\d{10}$/, 'has not the form of an FRN: ten digits');
const writtenTime = z.string().min(8).max(40);

/** A provider as files name it. */
export const providerReferenceSchema: z.ZodType<ProviderReference> = z.strictObject({
  providerId: z.exactOptional(z.string().min(1).max(128)),
  name: nameSchema,
  ocn: z.exactOptional(ocnSchema),
  spc: z.exactOptional(spcSchema),
  frn: z.exactOptional(frnSchema),
});

/** How somebody can be reached, as files have it. */
export const contactDetailsSchema: z.ZodType<ContactDetails> = z.strictObject({
  name: nameSchema,
  email: z.exactOptional(z.string().min(3).max(254)),
  telephone: z.exactOptional(z.string().min(3).max(32)),
  postalAddress: z.exactOptional(z.string().min(1).max(512)),
  country: z.exactOptional(z.string().regex(/^[A-Z]{2}$/, 'has not the form of a country code: two letters')),
});

const knownProvider: z.ZodType<KnownProvider> = z.strictObject({
  provider: providerReferenceSchema,
  otherNames: z.exactOptional(z.array(nameSchema).max(MAX_PROVIDER_NAMES)),
  otherOcns: z.exactOptional(z.array(ocnSchema).max(MAX_PROVIDER_NAMES)),
  otherSpcs: z.exactOptional(z.array(spcSchema).max(MAX_PROVIDER_NAMES)),
  otherFrns: z.exactOptional(z.array(frnSchema).max(MAX_PROVIDER_NAMES)),
  affiliates: z.exactOptional(z.array(providerReferenceSchema).max(MAX_PROVIDER_NAMES)),
});

const writtenEntry: z.ZodType<WrittenTrunkEntry> = z
  .strictObject({
    trunk: z.exactOptional(nameSchema),
    address: z.exactOptional(
      z
        .string()
        .max(64)
        .refine((text) => readIpPrefix(text) !== undefined, { message: 'is no address and no network' }),
    ),
    switchProvider: z.exactOptional(nameSchema),
    from: z.exactOptional(writtenTime),
    until: z.exactOptional(writtenTime),
    provider: z.exactOptional(providerReferenceSchema),
    unlistedProvider: z.exactOptional(contactDetailsSchema),
    foreignProvider: z.exactOptional(contactDetailsSchema),
    customer: z.exactOptional(z.strictObject({ customerId: z.exactOptional(nameSchema) })),
  })
  .refine(({ trunk, address, switchProvider }) => (trunk ?? address ?? switchProvider) !== undefined, {
    message: 'must name a trunk, an address or a switchProvider',
  })
  .refine((entry) => partiesOf(entry) === 1, {
    message: 'must have exactly one of provider, unlistedProvider, foreignProvider and customer',
  });

function partiesOf({ provider, unlistedProvider, foreignProvider, customer }: WrittenTrunkEntry): number {
  return [provider, unlistedProvider, foreignProvider, customer].filter((party) => party !== undefined).length;
}

/** A trunk directory as a file has it. Keys that are not known are errors. */
const writtenTrunkDirectorySchema: z.ZodType<WrittenTrunkDirectory> = z.strictObject({
  directoryId: z.string().min(1).max(128).describe('name and version: stands in the trace of each decision'),
  zone: z.exactOptional(z.string().min(1).max(64)),
  handoverMarginSeconds: z.exactOptional(z.number().min(0).max(604_800)),
  providers: z.exactOptional(z.array(knownProvider).max(MAX_KNOWN_PROVIDERS)),
  trunks: z.exactOptional(z.array(writtenEntry).max(MAX_TRUNK_ENTRIES)),
});

/**
 * Reads a trunk directory, out of a file or a part of one.
 * @param value - what was written, as JSON or YAML has it parsed
 * @param options - `at`: how a message names the directory. Default `the trunk directory`
 * @returns the data, for {@link createTrunkDirectory}
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is not known or out of its bounds, the first in
 * `details.member`
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const data = readTrunkDirectory({
 *   directoryId: 'trunks-7',
 *   zone: 'America/New_York',
 *   trunks: [
 *     { trunk: 'east-1', until: '2026-03-01', provider: { name: 'Example Telecom LLC', ocn: '0001' } },
 *     { trunk: 'east-1', from: '2026-03-01', provider: { name: 'Example Wholesale Inc', ocn: '0002' } },
 *     { trunk: 'pbx-9', customer: { customerId: 'C-9' } },
 *   ],
 * });
 * console.log(data.entries[1]?.fromUs); // 1772341200000000
 * ```
 */
export function readTrunkDirectory(value: unknown, options: { readonly at?: string } = {}): TrunkDirectoryData {
  const what = options.at ?? 'the trunk directory';
  const result = readBySchema(writtenTrunkDirectorySchema, value);
  if (!result.success) throw configurationError(what, { error: result.error, value });
  const { directoryId, zone, handoverMarginSeconds, providers = [], trunks = [] } = result.data;
  const clock = zone === undefined ? undefined : rowClock({ zone });
  return {
    directoryId,
    providers,
    entries: trunks.map((entry, index) => entryOf(entry, { clock, at: `trunks[${String(index)}]`, what })),
    ...(handoverMarginSeconds === undefined ? {} : { handoverMarginSeconds }),
  };
}

interface EntryPlace {
  readonly clock: RowClock | undefined;
  readonly at: string;
  readonly what: string;
}

function entryOf(written: WrittenTrunkEntry, place: EntryPlace): TrunkEntry {
  const { trunk, address, switchProvider, from, until } = written;
  const fromUs = from === undefined ? undefined : timeOf(from, 'from', place);
  const untilUs = until === undefined ? undefined : timeOf(until, 'until', place);
  if (fromUs !== undefined && untilUs !== undefined && fromUs >= untilUs)
    throw wrong(place, 'until', 'is not after from');
  return {
    ...(trunk === undefined ? {} : { trunk }),
    ...(address === undefined ? {} : { address }),
    ...(switchProvider === undefined ? {} : { switchProvider }),
    ...(fromUs === undefined ? {} : { fromUs }),
    ...(untilUs === undefined ? {} : { untilUs }),
    party: partyOf(written),
  };
}

function partyOf({ provider, unlistedProvider, foreignProvider, customer }: WrittenTrunkEntry): TrunkParty {
  if (provider !== undefined) return { kind: 'provider', provider };
  if (unlistedProvider !== undefined) return { kind: 'unlisted-provider', contact: unlistedProvider };
  if (foreignProvider !== undefined) return { kind: 'foreign-provider', contact: foreignProvider };
  return { kind: 'customer', ...customer };
}

function timeOf(text: string, member: string, place: EntryPlace): number {
  const read = periodTime(text, place.clock);
  if (typeof read === 'number') return read;
  throw wrong(place, member, read.fault);
}

function wrong({ at, what }: EntryPlace, member: string, fault: string): HopbackError {
  return new HopbackError('invalid-configuration', `${what}: ${at}.${member} ${fault}`, {
    details: { member: `${at}.${member}` },
  });
}

const UTC = rowClock({ zone: 'utc' });

/**
 * Reads the beginning or end of a period: a day, or a day and time, with an offset or in a zone. Never throws.
 * @param clock - of the zone in which times without an offset are; undefined where none was declared
 * @returns microseconds since the epoch, or what is wrong with it
 */
function periodTime(text: string, clock: RowClock | undefined): number | { readonly fault: string } {
  const whole = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text;
  const hasOffset = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(whole.slice(DAY_CHARS));
  if (!hasOffset && clock === undefined) return { fault: 'has no offset, and the directory no zone' };
  const read = (clock ?? UTC).read(whole, 'iso-8601');
  if (read.status === 'rejected') return { fault: 'is no time' };
  // Two instants are no instant at which a trunk changes hands.
  if (read.otherUs !== undefined) return { fault: 'comes twice in that zone: write it with an offset' };
  return read.atUs;
}

/** `2026-11-02` */
const DAY_CHARS = 10;

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
    const read = entryOfLine(line, { columns: header, clock, line: index + 1 });
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

function entryOfLine(text: string, { columns, clock, line }: CsvPlace): TrunkEntry | TrunkCsvFault {
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
    party: partyOfCells(cells),
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
function partyOfCells(cells: Cells): TrunkParty {
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

/** Something in a directory that makes it name nobody, or less than was meant. */
export interface TrunkDirectoryProblem {
  /**
   * - `contradiction`: two entries hold at the same time for the same calls, and name different parties;
   * - `hole`: between two periods of the same trunk or address nobody has it;
   * - `shared-name`: several providers have this name or code: it says nothing;
   * - `unknown-affiliate`: an affiliate that is none of the providers;
   * - `unclear-provider`: the provider of an entry goes by names or codes of several.
   */
  readonly kind: 'contradiction' | 'hole' | 'shared-name' | 'unknown-affiliate' | 'unclear-provider';
  /** Indices of the entries, or of the providers for the last three but one; in order. */
  readonly at: readonly number[];
  readonly text: string;
}

/** Past so many, whoever keeps the directory has another problem. */
export const MAX_DIRECTORY_PROBLEMS = 1_000;

/**
 * Lists what is wrong with a directory though each of its entries is well-formed: a directory with problems names nobody where they are, and
 * is right everywhere else.
 * @param data - as for {@link createTrunkDirectory}
 * @returns at most {@link MAX_DIRECTORY_PROBLEMS}; empty where there is none
 * @throws {@link HopbackError} `invalid-configuration` as {@link createTrunkDirectory}
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const party = (name: string) => ({ kind: 'provider', provider: { name } }) as const;
 * const problems = checkTrunkDirectory({
 *   directoryId: 'trunks-7',
 *   providers: [],
 *   entries: [
 *     { trunk: 'east-1', party: party('Example Telecom LLC') },
 *     { trunk: 'east-1', fromUs: 1_793_620_800_000_000, party: party('Example Wholesale Inc') },
 *   ],
 * });
 * console.log(problems[0]?.kind, problems[0]?.at); // contradiction [ 0, 1 ]
 * ```
 */
export function checkTrunkDirectory(data: TrunkDirectoryData): readonly TrunkDirectoryProblem[] {
  const entries = data.entries.map((entry, at) => indexed(entry, at));
  const identities = createProviderIdentities(data.providers);
  const problems: TrunkDirectoryProblem[] = [];
  for (const group of sameCalls(entries)) {
    problems.push(...contradictions(group, identities), ...holes(group));
    if (problems.length >= MAX_DIRECTORY_PROBLEMS) return problems.slice(0, MAX_DIRECTORY_PROBLEMS);
  }
  problems.push(...providerProblems(data, identities));
  return problems.slice(0, MAX_DIRECTORY_PROBLEMS);
}

/** Entries that may hold for the same call: those with a trunk, an address or a provider of the switch in common. */
function sameCalls(entries: readonly IndexedEntry[]): readonly (readonly IndexedEntry[])[] {
  const groups = new Map<string, IndexedEntry[]>();
  for (const one of entries) {
    const { trunk, switchProvider } = one.entry;
    const keys = [
      ...(trunk === undefined ? [] : [`trunk ${trunk}`]),
      ...(switchProvider === undefined ? [] : [`provider ${switchProvider}`]),
      ...(one.prefix === undefined ? [] : [`address ${prefixKey(one.prefix, one.prefix.bits)}`]),
    ];
    for (const key of keys) {
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      group.push(one);
    }
  }
  return [...groups.values(), ...nested(entries)];
}

/** Each network with the wider ones around it. */
function nested(entries: readonly IndexedEntry[]): readonly (readonly IndexedEntry[])[] {
  const byPrefix = new Map<string, IndexedEntry[]>();
  const lengths = new Set<number>();
  for (const one of entries) {
    if (one.prefix === undefined) continue;
    const key = prefixKey(one.prefix, one.prefix.bits);
    const group = byPrefix.get(key) ?? [];
    byPrefix.set(key, group);
    group.push(one);
    lengths.add(one.prefix.bits);
  }
  return entries.flatMap((one) => {
    const { prefix } = one;
    if (prefix === undefined) return [];
    const wider = [...lengths].filter((bits) => bits < prefix.bits);
    const around = wider.flatMap((bits) => byPrefix.get(prefixKey(prefix, bits)) ?? []);
    return around.map((other) => [other, one].toSorted((a, b) => a.at - b.at));
  });
}

function contradictions(
  group: readonly IndexedEntry[],
  identities: ProviderIdentities,
): readonly TrunkDirectoryProblem[] {
  const problems: TrunkDirectoryProblem[] = [];
  const [first] = group;
  // A large provider with a thousand trunks is the rule, and nothing to be compared pair by pair.
  if (first === undefined || group.every(({ entry }) => isSameParty(first.entry.party, entry.party, identities)))
    return problems;
  const byBegin = group.toSorted((a, b) => beginOf(a.entry) - beginOf(b.entry));
  for (const [index, one] of byBegin.entries()) {
    for (const other of byBegin.slice(index + 1)) {
      if (beginOf(other.entry) >= endOf(one.entry)) break;
      if (!mayMeet(one, other) || isSameParty(one.entry.party, other.entry.party, identities)) continue;
      const at = [one.at, other.at].toSorted((a, b) => a - b);
      problems.push({
        kind: 'contradiction',
        at,
        text: `entries ${at.join(' and ')} hold at the same time and name different parties`,
      });
      if (problems.length >= MAX_DIRECTORY_PROBLEMS) return problems;
    }
  }
  return problems;
}

/** Whether one call can have the keys of both. */
function mayMeet({ entry, prefix }: IndexedEntry, other: IndexedEntry): boolean {
  if (differ(entry.trunk, other.entry.trunk) || differ(entry.switchProvider, other.entry.switchProvider)) return false;
  if (prefix === undefined || other.prefix === undefined) return true;
  if (prefix.family !== other.prefix.family || differ(prefix.port, other.prefix.port)) return false;
  const bits = Math.min(prefix.bits, other.prefix.bits);
  return prefixKey(prefix, bits) === prefixKey(other.prefix, bits);
}

/** Between periods of entries with exactly the same keys. */
function holes(group: readonly IndexedEntry[]): readonly TrunkDirectoryProblem[] {
  const problems: TrunkDirectoryProblem[] = [];
  const bySameKeys = new Map<string, IndexedEntry[]>();
  for (const one of group) {
    const { trunk, address, switchProvider } = one.entry;
    const key = JSON.stringify([trunk, address, switchProvider]);
    const same = bySameKeys.get(key) ?? [];
    bySameKeys.set(key, same);
    same.push(one);
  }
  for (const same of bySameKeys.values()) {
    const byBegin = same.toSorted((a, b) => beginOf(a.entry) - beginOf(b.entry));
    let before: IndexedEntry | undefined;
    for (const one of byBegin) {
      if (before !== undefined && beginOf(one.entry) > endOf(before.entry)) {
        const at = [before.at, one.at].toSorted((a, b) => a - b);
        problems.push({ kind: 'hole', at, text: `between entries ${at.join(' and ')} nobody has it` });
      }
      if (before === undefined || endOf(one.entry) > endOf(before.entry)) before = one;
    }
  }
  return problems;
}

function providerProblems(data: TrunkDirectoryData, identities: ProviderIdentities): readonly TrunkDirectoryProblem[] {
  const problems: TrunkDirectoryProblem[] = [];
  for (const key of identities.shared) {
    const at = identities.all.flatMap(({ codes, names }, index) => (codes.has(key) || names.has(key) ? [index] : []));
    problems.push({ kind: 'shared-name', at, text: `providers ${at.join(' and ')} share the ${key}` });
  }
  for (const [index, { affiliates = [] }] of data.providers.entries()) {
    for (const affiliate of affiliates) {
      if (identities.resolve(affiliate).status === 'resolved') continue;
      const text = `an affiliate of provider ${String(index)} is none of the providers: ${affiliate.name}`;
      problems.push({ kind: 'unknown-affiliate', at: [index], text });
    }
  }
  for (const [index, { party }] of data.entries.entries()) {
    if (party.kind !== 'provider' || !isUnclear(party.provider, identities)) continue;
    const text = `the provider of entry ${String(index)} goes by names or codes of several: ${party.provider.name}`;
    problems.push({ kind: 'unclear-provider', at: [index], text });
  }
  return problems;
}

function isUnclear(provider: ProviderReference, identities: ProviderIdentities): boolean {
  return identities.resolve(provider).status === 'contradictory';
}
