import type { AreaDefinition, EpochMs, JsonColumn } from '../core/index.js';
import { statements } from '../database/index.js';

/** Tables of the area `records`. No telephone number is in them: pseudonyms, masked text, and references to what is sealed. */
export type RecordsTables = {
  /** Reports of applications. */
  readonly records_reports: {
    readonly app_id: string;
    readonly report_id: string;
    /** What it is called in audit and holds: ids of applications may hold anything. */
    readonly report_key: string;
    readonly received_at_ms: EpochMs;
    readonly called_at_ms: EpochMs;
    /** Keyed hash of the report: another one under the same id is a conflict. */
    readonly content_key: string;
    readonly called_pseudonym: string;
    readonly calling_pseudonym: string | null;
    /** The report with pseudonyms in the place of numbers, those that were said among them. */
    readonly masked: JsonColumn<unknown>;
    /** References of the pieces of the report as it came, without its fingerprint. */
    readonly sealed: JsonColumn<readonly string[]>;
  };
  /** Reports that somebody who listens has not settled yet. */
  readonly records_untold: {
    readonly listener: string;
    readonly app_id: string;
    readonly report_id: string;
  };
  /** Complaints of consumers. */
  readonly records_complaints: {
    /** Keyed hash of source, content and how many the same stood before it in its file. */
    readonly complaint_id: string;
    readonly import_id: string;
    readonly source: string;
    readonly received_at_ms: EpochMs;
    readonly at_ms: EpochMs;
    readonly calling_pseudonym: string | null;
    readonly masked: JsonColumn<unknown>;
    readonly sealed: JsonColumn<readonly string[]>;
  };
  /** Numbers from which no call can rightly come. */
  readonly records_do_not_originate: {
    readonly entry_id: string;
    readonly updated_at_ms: EpochMs;
    readonly content_key: string;
    /** References of the pieces of the entry. */
    readonly sealed: JsonColumn<readonly string[]>;
  };
  /** Orders to keep live data. */
  readonly records_holds: {
    readonly hold_id: string;
    readonly reason: string;
    readonly placed_by: string;
    readonly placed_at_ms: EpochMs;
    readonly from_ms: EpochMs;
    readonly to_ms: EpochMs;
    readonly until_ms: number | null;
    readonly released_at_ms: number | null;
  };
};

const REPORTS = statements(
  `create table records_reports (
    app_id text not null,
    report_id text not null,
    report_key text not null unique,
    received_at_ms bigint not null,
    called_at_ms bigint not null,
    content_key text not null,
    called_pseudonym text not null,
    calling_pseudonym text,
    masked jsonb not null,
    sealed jsonb not null,
    primary key (app_id, report_id))`,
  // Retention goes by it.
  'create index records_reports_called on records_reports (called_at_ms)',
  `create table records_untold (
    listener text not null,
    app_id text not null,
    report_id text not null,
    primary key (listener, app_id, report_id))`,
);

const COMPLAINTS = statements(
  `create table records_complaints (
    complaint_id text primary key,
    import_id text not null,
    source text not null,
    received_at_ms bigint not null,
    at_ms bigint not null,
    calling_pseudonym text,
    masked jsonb not null,
    sealed jsonb not null)`,
  'create index records_complaints_at on records_complaints (at_ms, complaint_id)',
);

const LISTS = statements(
  `create table records_do_not_originate (
    entry_id text primary key,
    updated_at_ms bigint not null,
    content_key text not null,
    sealed jsonb not null)`,
  'create index records_do_not_originate_updated on records_do_not_originate (updated_at_ms, entry_id)',
  `create table records_holds (
    hold_id text primary key,
    reason text not null,
    placed_by text not null,
    placed_at_ms bigint not null,
    from_ms bigint not null,
    to_ms bigint not null,
    until_ms bigint,
    released_at_ms bigint)`,
);

/** Tables of reports, complaints, numbers not to originate from and holds. Live records lie in the record store. */
export const recordsDefinition: AreaDefinition = {
  name: 'records',
  migrations: [
    { name: 'records-001-reports', up: REPORTS },
    { name: 'records-002-complaints', up: COMPLAINTS },
    { name: 'records-003-lists', up: LISTS },
  ],
};
