import { z } from 'zod';
import { defined, grouped } from '../../core/text.js';
import { readBySchema, schemaFindings } from '../../core/schema-findings.js';
import type { ProviderReference } from '../../contract/common.js';
import { HopbackError } from '../../errors.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { csvFields } from '../../records/ingest/record-reader.js';
import { rowClock } from '../../records/ingest/formats/row-times.js';
import type { RowClock } from '../../records/ingest/formats/row-times.js';
import {
  KnownProvider,
  MAX_KNOWN_PROVIDERS,
  MAX_TRUNK_ENTRIES,
  contactDetailsSchema,
  createProviderIdentities,
  differ,
  nameSchema,
  providerReferenceSchema,
} from './provider-identity.js';
import type { ProviderIdentities, TrunkDirectoryData, TrunkEntry, TrunkParty } from './provider-identity.js';
import { beginOf, endOf, indexed, isSameParty, prefixKey, readIpPrefix } from './trunk-directory.js';
import type { IndexedEntry } from './trunk-directory.js';

// Read strictly: a member that nobody knows is a typing error, and would name another party, or none.

const addressSchema = z
  .string()
  .max(64)
  .refine((text) => readIpPrefix(text) !== undefined, { message: 'is no address and no network' });
const writtenTime = z.string().min(8).max(40);

/** An entry as a carrier writes it: exactly one of the four parties, and times as people write them. */
const writtenEntry = z
  .strictObject({
    trunk: nameSchema,
    address: addressSchema,
    switchProvider: nameSchema,
    /** `2026-03-01`, `2026-03-01T00:00:00`, with an offset or in the zone of the directory. */
    from: writtenTime,
    /** As `from`: the first instant at which it no longer holds. */
    until: writtenTime,
    provider: providerReferenceSchema,
    unlistedProvider: contactDetailsSchema,
    foreignProvider: contactDetailsSchema,
    customer: z.strictObject({ customerId: nameSchema }).exactPartial(),
  })
  .exactPartial();
type WrittenTrunkEntry = z.output<typeof writtenEntry>;

/** A trunk directory as a file has it. Keys that are not known are errors. */
const writtenTrunkDirectory = z.strictObject({
  directoryId: z.string().min(1).max(128).describe('name and version: stands in the trace of each decision'),
  /** IANA name, for times without an offset. */
  zone: z.exactOptional(z.string().min(1).max(64)),
  handoverMarginSeconds: z.exactOptional(z.number().min(0).max(604_800)),
  providers: z.exactOptional(z.array(KnownProvider).max(MAX_KNOWN_PROVIDERS)),
  trunks: z.exactOptional(
    z
      .array(
        writtenEntry
          .refine(({ trunk, address, switchProvider }) => (trunk ?? address ?? switchProvider) !== undefined, {
            message: 'must name a trunk, an address or a switchProvider',
          })
          .refine((entry) => partiesOf(entry).length === 1, {
            message: 'must have exactly one of provider, unlistedProvider, foreignProvider and customer',
          }),
      )
      .max(MAX_TRUNK_ENTRIES),
  ),
});

/** The parties that an entry names. */
function partiesOf({ provider, unlistedProvider, foreignProvider, customer }: WrittenTrunkEntry): TrunkParty[] {
  const parties: TrunkParty[] = [];
  if (provider !== undefined) parties.push({ kind: 'provider', provider });
  if (unlistedProvider !== undefined) parties.push({ kind: 'unlisted-provider', contact: unlistedProvider });
  if (foreignProvider !== undefined) parties.push({ kind: 'foreign-provider', contact: foreignProvider });
  if (customer !== undefined) parties.push({ kind: 'customer', ...customer });
  return parties;
}

/**
 * Reads a trunk directory, out of a file or a part of one.
 * @param value - what was written, as JSON or YAML has it parsed
 * @param options - `at`: how a message names the directory. Default `the trunk directory`
 * @returns the data, for {@link TrunkDirectory}
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
  const result = readBySchema(writtenTrunkDirectory, value);
  if (!result.success) throw configurationError(what, { error: result.error, value });
  const { directoryId, zone, handoverMarginSeconds, providers = [], trunks = [] } = result.data;
  const clock = zone === undefined ? undefined : rowClock({ zone });
  return {
    ...defined({ directoryId, providers, handoverMarginSeconds }),
    entries: trunks.map((written, index) => {
      const entry = entryOf(written, clock);
      if (!('fault' in entry)) return entry;
      const member = `trunks[${String(index)}].${entry.member}`;
      throw new HopbackError('invalid-configuration', `${what}: ${member} ${entry.fault}`, { details: { member } });
    }),
  };
}

/** @returns the entry of a written one that names one party, or what is wrong with its period */
function entryOf(
  written: WrittenTrunkEntry,
  clock: RowClock | undefined,
): TrunkEntry | { readonly member: 'from' | 'until'; readonly fault: string } {
  const { trunk, address, switchProvider, from, until } = written;
  const [fromUs, untilUs] = [periodTime(from, clock), periodTime(until, clock)];
  if (typeof fromUs === 'object') return { member: 'from', ...fromUs };
  if (typeof untilUs === 'object') return { member: 'until', ...untilUs };
  if (fromUs !== undefined && untilUs !== undefined && fromUs >= untilUs)
    return { member: 'until', fault: 'is not after from' };
  const [party = { kind: 'customer' } as const] = partiesOf(written);
  return {
    ...defined({
      trunk,
      address,
      switchProvider,
      fromUs,
      untilUs,
    }),
    party,
  };
}

const UTC = rowClock({ zone: 'utc' });

/**
 * Reads the beginning or end of a period: a day, or a day and time, with an offset or in a zone. Never throws.
 * @param clock - of the zone in which times without an offset are; undefined where none was declared
 * @returns microseconds since the epoch, or what is wrong with it
 */
function periodTime(
  text: string | undefined,
  clock: RowClock | undefined,
): number | { readonly fault: string } | undefined {
  if (text === undefined) return undefined;
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

/** A row by the titles of its columns; `kind` says which party it names. */
const csvRow = z
  .strictObject({
    trunk: nameSchema,
    address: addressSchema,
    switch_provider: nameSchema,
    from: writtenTime,
    until: writtenTime,
    kind: z.enum(['provider', 'unlisted', 'foreign', 'customer']),
    name: nameSchema,
    provider_id: nameSchema,
    ocn: providerReferenceSchema.shape.ocn.unwrap(),
    spc: providerReferenceSchema.shape.spc.unwrap(),
    frn: providerReferenceSchema.shape.frn.unwrap(),
    email: nameSchema,
    telephone: nameSchema,
    country: contactDetailsSchema.shape.country.unwrap(),
    customer_id: nameSchema,
  })
  .exactPartial()
  .required({ kind: true })
  .refine(({ trunk, address, switch_provider: provider }) => (trunk ?? address ?? provider) !== undefined, {
    message: 'names neither trunk, address nor switch_provider',
  })
  .refine(({ kind, name }) => kind === 'customer' || name !== undefined, { path: ['name'], message: 'is missing' });
type CsvRow = z.output<typeof csvRow>;
type TrunkCsvColumn = keyof CsvRow;

type TrunkCsvRefusal = Extract<ReturnType<typeof readTrunkCsv>, { status: 'refused' }>;
type TrunkCsvFault = TrunkCsvRefusal['faults'][number];

/** Faults that are listed: who has mistaken a column is helped by the first. */
const MAX_TRUNK_CSV_FAULTS = 100;
/** Some hundred bytes for each of the most entries that there may be. */
const MAX_TRUNK_CSV_CHARS = 32 * 2 ** 20;

/**
 * Reads the entries of a trunk directory out of comma-separated values, as inventories export them: a header row with titles of
 * `trunk`, `address`, `switch_provider`, `from`, `until`, `kind`, `name`, `provider_id`, `ocn`, `spc`, `frn`, `email`, `telephone`, `country` and
 * `customer_id` in any order, then a row for each trunk and period. `kind` is `provider`, `unlisted`, `foreign` or `customer`.
 * Never throws for what the file holds.
 * @param text - at most 32 Mi characters
 * @param options - `zone`: IANA name, for times without an offset
 * @returns all entries, or up to 100 faults with their lines (1 is that of the header): half a directory is none
 * @throws {@link HopbackError} `invalid-configuration` where there is no such zone
 * @see RFC 4180 section 2
 * @example
 * ```ts
 * const reading = readTrunkCsv('trunk,kind,name,ocn,from\neast-1,provider,"Example Telecom, LLC",0001,2026-03-01T00:00:00Z\n');
 * if (reading.status === 'read') console.log(reading.entries[0]?.party.kind); // provider
 * ```
 */
export function readTrunkCsv(
  text: string,
  options: { readonly zone?: string } = {},
):
  | { readonly status: 'read'; readonly entries: readonly TrunkEntry[] }
  | {
      readonly status: 'refused';
      readonly faults: readonly {
        readonly line: number;
        readonly column?: string;
        readonly detail: string;
      }[];
    } {
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

function refusedAt(line: number, detail: string): TrunkCsvRefusal {
  return { status: 'refused', faults: [{ line, detail }] };
}

function headerOf(line: string): TrunkCsvColumn[] | TrunkCsvRefusal {
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
  return Object.hasOwn(csvRow.shape, title);
}

interface CsvPlace {
  readonly columns: readonly TrunkCsvColumn[];
  readonly clock: RowClock | undefined;
  readonly line: number;
}

function entryOfLine(text: string, { columns, clock, line }: CsvPlace): TrunkEntry | TrunkCsvFault {
  const reading = csvFields(text);
  if (reading.status !== 'fields') return { line, detail: reading.detail };
  const { fields } = reading;
  if (fields.length !== columns.length)
    return { line, detail: `${String(fields.length)} fields under ${String(columns.length)} titles` };
  const cells = columns.map((column, index) => [column, fields[index]?.trim() ?? ''] as const);
  const value = Object.fromEntries(cells.filter(([, cell]) => cell !== ''));
  const row = readBySchema(csvRow, value);
  if (!row.success) {
    const [finding] = schemaFindings(row.error.issues, value);
    const column = finding?.member === '' ? undefined : finding?.member;
    return { ...defined({ line, column }), detail: finding?.text ?? 'has not the form that it must have' };
  }
  const entry = entryOf(writtenOf(row.data), clock);
  return 'fault' in entry ? { line, column: entry.member, detail: entry.fault } : entry;
}

function writtenOf({ kind, name = '', ...cells }: CsvRow): WrittenTrunkEntry {
  const { trunk, address, switch_provider: switchProvider, from, until } = cells;
  const place = defined({
    trunk,
    address,
    switchProvider,
    from,
    until,
  });
  const { provider_id: providerId, ocn, spc, frn, email, telephone, country, customer_id: customerId } = cells;
  if (kind === 'provider')
    return {
      ...place,
      provider: defined({
        name,
        providerId,
        ocn,
        spc,
        frn,
      }),
    };
  if (kind === 'customer') return { ...place, customer: defined({ customerId }) };
  const contact = defined({ name, email, telephone, country });
  return kind === 'unlisted' ? { ...place, unlistedProvider: contact } : { ...place, foreignProvider: contact };
}

/** Past so many, whoever keeps the directory has another problem. */
const MAX_DIRECTORY_PROBLEMS = 1_000;

/**
 * Lists what is wrong with a directory though each of its entries is well-formed: a directory with problems names nobody where they are, and
 * is right everywhere else.
 * @param data - as for {@link TrunkDirectory}
 * @returns at most 1,000; empty where there is none
 * @throws {@link HopbackError} `invalid-configuration` as {@link TrunkDirectory}
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
export function checkTrunkDirectory(data: TrunkDirectoryData): readonly {
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
}[] {
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

type TrunkDirectoryProblem = ReturnType<typeof checkTrunkDirectory>[number];

/** Entries that may hold for the same call: those with a trunk, an address or a provider of the switch in common. */
function sameCalls(entries: readonly IndexedEntry[]): readonly (readonly IndexedEntry[])[] {
  const groups = grouped(entries, ({ entry: { trunk, switchProvider }, prefix }) => [
    ...(trunk === undefined ? [] : [`trunk ${trunk}`]),
    ...(switchProvider === undefined ? [] : [`provider ${switchProvider}`]),
    ...(prefix === undefined ? [] : [`address ${prefixKey(prefix, prefix.bits)}`]),
  ]);
  return [...groups.values(), ...nested(entries)];
}

/** Each network with the wider ones around it. */
function nested(entries: readonly IndexedEntry[]): readonly (readonly IndexedEntry[])[] {
  const byPrefix = grouped(entries, ({ prefix }) => (prefix === undefined ? [] : [prefixKey(prefix, prefix.bits)]));
  const lengths = new Set(entries.flatMap(({ prefix }) => prefix?.bits ?? []));
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
  const bySameKeys = grouped(group, ({ entry: { trunk, address, switchProvider } }) => [
    JSON.stringify([trunk, address, switchProvider]),
  ]);
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
