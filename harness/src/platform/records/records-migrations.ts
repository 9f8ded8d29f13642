import { sql } from 'kysely';
import type { AreaDefinition } from '../core/index.js';

const REPORTS = [
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
];

const COMPLAINTS = [
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
];

const LISTS = [
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
];

/** Tables of reports, complaints, numbers not to originate from and holds. Live records lie in the record store. */
export const recordsDefinition: AreaDefinition = {
  name: 'records',
  migrations: [
    ['records-001-reports', REPORTS] as const,
    ['records-002-complaints', COMPLAINTS] as const,
    ['records-003-lists', LISTS] as const,
  ].map(([name, statements]) => ({
    name,
    up: async (database) => {
      for (const statement of statements) await sql.raw(statement).execute(database);
    },
  })),
};
