import type { ProviderEntry } from '@hopback/sdk/platform';
import type { AreaDefinition, EpochMs, JsonColumn, Reading } from '../core/index.js';
import { countChanges, KeyedTable, statements } from '../database/index.js';
import type { RejectedFiling } from '../domain/providers/read-filings.js';

/** How the office that answers tracebacks can be reached, beside what was filed. */
export interface OfficeContact {
  /** Who, by role or office. */
  readonly name: string;
  readonly email?: string;
}

/**
 * Tables of the registry. Telephone numbers in `entry` are those of offices, which the Commission publishes with the filings: no subscriber's
 * number is in any of them.
 */
export type ProviderTables = {
  readonly providers_entries: {
    readonly provider_id: string;
    readonly frn: string | null;
    /** Business name in lower case, by which lists are sorted. */
    readonly sort_name: string;
    readonly search_text: string;
    readonly entry: JsonColumn<ProviderEntry>;
    readonly updated_at_ms: EpochMs;
    /** Import in which it was last seen; null for what staff wrote. */
    readonly import_id: string | null;
    /** IANA name; null where nobody said. */
    readonly zone: string | null;
    readonly office: JsonColumn<OfficeContact> | null;
  };
  /** What a provider can be found by. */
  readonly providers_codes: {
    readonly kind: string;
    readonly value: string;
    readonly provider_id: string;
  };
  /** Every version that there was, with the time in which it held. */
  readonly providers_history: {
    readonly provider_id: string;
    readonly from_ms: EpochMs;
    /** Null for the version that holds now. */
    readonly to_ms: number | null;
    readonly entry: JsonColumn<ProviderEntry>;
    readonly source: string;
  };
  /** Keys that answers are signed with: public halves. */
  readonly providers_keys: {
    readonly provider_id: string;
    readonly key_id: string;
    readonly jwk: JsonColumn<Readonly<Record<string, unknown>>>;
    readonly from_ms: EpochMs;
    /** From when on answers signed with it are not believed; those before still are. */
    readonly until_ms: number | null;
  };
  readonly providers_imports: {
    readonly import_id: string;
    readonly at_ms: EpochMs;
    readonly actor: string;
    readonly source: string;
    readonly sha256: string;
    readonly counts: JsonColumn<ImportCounts>;
    readonly rejected: JsonColumn<readonly RejectedFiling[]>;
  };
  /** Objections of providers against how a request of theirs is counted. */
  readonly providers_contests: {
    readonly contest_id: string;
    readonly provider_id: string;
    readonly request_id: string;
    readonly issued_at_ms: EpochMs;
    readonly reason: string;
    readonly state: 'pending' | 'upheld' | 'rejected';
    readonly contested_at_ms: EpochMs;
    readonly contested_by: string;
    readonly decided_at_ms: number | null;
    readonly decided_by: string | null;
    readonly decision_reason: string | null;
  };
  /** When the platform could not be reached. */
  readonly providers_outages: {
    readonly outage_id: string;
    readonly from_ms: EpochMs;
    readonly to_ms: EpochMs;
    readonly reason: string;
    readonly actor: string;
  };
};

/** The tables within a transaction, or outside. */
export const tablesOf = (reading: Reading) => reading.withTables<ProviderTables>();

export const ENTRIES = new KeyedTable<ProviderTables['providers_entries']>('providers_entries', 'provider_id');
export const KEYS = new KeyedTable<ProviderTables['providers_keys']>('providers_keys', 'provider_id');
export const IMPORTS = new KeyedTable<ProviderTables['providers_imports']>('providers_imports', 'import_id');
export const CONTESTS = new KeyedTable<ProviderTables['providers_contests']>('providers_contests', 'contest_id');
export const OUTAGES = new KeyedTable<ProviderTables['providers_outages']>('providers_outages', 'outage_id');

/** What an import did. */
export interface ImportCounts {
  readonly lines: number;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly rejected: number;
  /** Providers of former imports that this file does not have. They stay: an order removes a provider, not a gap. */
  readonly missing: number;
}

/** Versions of what the registry says of providers. */
export const REGISTRY = 'providers';

/** Tables of the registry, of objections and of outages. Names sort by code unit on every engine: `collate "C"`. */
export const providersDefinition: AreaDefinition = {
  name: 'providers',
  migrations: [
    {
      name: 'providers-001-registry',
      up: statements(
        `create table providers_entries (
          provider_id text primary key,
          frn text unique,
          sort_name text collate "C" not null,
          search_text text not null,
          entry jsonb not null,
          updated_at_ms bigint not null,
          import_id text,
          zone text,
          office jsonb)`,
        'create index providers_entries_order on providers_entries (sort_name, provider_id collate "C")',
        'create index providers_entries_updated on providers_entries (updated_at_ms)',
        `create table providers_codes (
          kind text not null,
          value text not null,
          provider_id text not null references providers_entries (provider_id),
          primary key (kind, value, provider_id))`,
        'create index providers_codes_provider on providers_codes (provider_id)',
        `create table providers_history (
          provider_id text not null,
          from_ms bigint not null,
          to_ms bigint,
          entry jsonb not null,
          source text not null)`,
        'create index providers_history_provider on providers_history (provider_id, from_ms)',
        `create table providers_keys (
          provider_id text not null references providers_entries (provider_id),
          key_id text not null,
          jwk jsonb not null,
          from_ms bigint not null,
          until_ms bigint,
          primary key (provider_id, key_id))`,
        `create table providers_imports (
          import_id text primary key,
          at_ms bigint not null,
          actor text not null,
          source text not null,
          sha256 text not null,
          counts jsonb not null,
          rejected jsonb not null)`,
        'create index providers_imports_at on providers_imports (at_ms)',
      ),
    },
    {
      name: 'providers-002-scorecards',
      up: statements(
        `create table providers_contests (
          contest_id text primary key,
          provider_id text not null,
          request_id text not null unique,
          issued_at_ms bigint not null,
          reason text not null,
          state text not null,
          contested_at_ms bigint not null,
          contested_by text not null,
          decided_at_ms bigint,
          decided_by text,
          decision_reason text)`,
        'create index providers_contests_issued on providers_contests (issued_at_ms)',
        'create index providers_contests_provider on providers_contests (provider_id, contested_at_ms)',
        `create table providers_outages (
          outage_id text primary key,
          from_ms bigint not null,
          to_ms bigint not null,
          reason text not null,
          actor text not null)`,
        'create index providers_outages_to on providers_outages (to_ms)',
      ),
    },
    {
      name: 'providers-003-versions',
      up: (database) => countChanges(database, REGISTRY, ['providers_entries', 'providers_codes', 'providers_keys']),
    },
  ],
};
