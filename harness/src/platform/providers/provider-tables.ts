import type { ProviderEntry } from '@hopback/sdk/platform';
import type { EpochMs, JsonColumn } from '../core/index.js';
import type { RejectedFiling } from '../domain/providers/index.js';

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
