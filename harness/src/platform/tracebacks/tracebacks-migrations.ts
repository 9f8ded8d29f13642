import { sql } from 'kysely';
import type { PlatformMigration } from '../core/index.js';

/** Tables of tracebacks, each with the indexes that their questions need. */
export const TRACEBACKS_MIGRATIONS: readonly PlatformMigration[] = [
  {
    name: 'tracebacks-001-tables',
    up: async (database) => {
      for (const statement of STATEMENTS) await sql.raw(statement).execute(database);
    },
  },
  {
    name: 'tracebacks-002-states',
    up: async (database) => {
      // Taken apart and put together again it costs three times as much, and compressed more than it saves.
      await sql`alter table tracebacks_states alter column state type text using state::text`.execute(database);
      await sql`alter table tracebacks_states alter column state set storage external`.execute(database);
    },
  },
];

const STATEMENTS: readonly string[] = [
  `create table tracebacks_states (
    traceback_id text primary key,
    place bigint generated always as identity unique,
    direction text not null,
    campaign_id text,
    opened_by text not null,
    reason_key text unique,
    opened_at_ms bigint not null,
    updated_at_ms bigint not null,
    standing text not null,
    outcome text,
    state jsonb not null,
    version integer not null,
    wake_at_ms bigint,
    seeks_neighbours boolean not null,
    waits jsonb not null,
    opening jsonb not null
  )`,
  `create index tracebacks_states_wake on tracebacks_states (wake_at_ms) where wake_at_ms is not null`,
  `create index tracebacks_states_seek on tracebacks_states (place) where seeks_neighbours`,
  `create index tracebacks_states_waits on tracebacks_states (place) where waits <> '[]'::jsonb`,
  `create index tracebacks_states_campaign on tracebacks_states (campaign_id, place)`,
  `create index tracebacks_states_opened on tracebacks_states (opened_at_ms, place)`,
  `create index tracebacks_states_opener on tracebacks_states (opened_by, place)`,
  `create table tracebacks_requests (
    request_id text primary key,
    place bigint generated always as identity unique,
    traceback_id text not null references tracebacks_states (traceback_id),
    provider_id text not null,
    hop integer not null,
    issued_at_ms bigint not null,
    due_at_ms bigint not null,
    acknowledged_at_ms bigint,
    cancelled_at_ms bigint,
    cancel_reason text,
    answered_at_ms bigint,
    last_answer_id text,
    last_answered_at_ms bigint,
    reminders integer not null,
    is_overdue_told boolean not null,
    question text not null,
    asked_by text references tracebacks_requests (request_id),
    is_wanted boolean not null,
    result jsonb not null,
    request jsonb not null
  )`,
  `create index tracebacks_requests_traceback on tracebacks_requests (traceback_id)`,
  `create index tracebacks_requests_provider on tracebacks_requests (provider_id, place)`,
  `create index tracebacks_requests_question on tracebacks_requests (question)`,
  `create index tracebacks_requests_issued on tracebacks_requests (issued_at_ms, place)`,
  `create index tracebacks_requests_asked_by on tracebacks_requests (asked_by) where asked_by is not null`,
  `create table tracebacks_answers (
    request_id text not null references tracebacks_requests (request_id),
    answer_id text not null,
    place bigint generated always as identity unique,
    traceback_id text not null,
    provider_id text not null,
    revision integer not null,
    arm text not null,
    received_at_ms bigint not null,
    is_late boolean not null,
    sha256 text not null,
    receipt text not null,
    jws jsonb not null,
    primary key (request_id, answer_id),
    unique (request_id, revision)
  )`,
  `create index tracebacks_answers_traceback on tracebacks_answers (traceback_id)`,
  `create table tracebacks_notices (
    notice_id text primary key,
    place bigint generated always as identity unique,
    provider_id text not null,
    issued_at_ms bigint not null,
    mitigation_due_at_ms bigint not null,
    report_due_at_ms bigint not null,
    state text not null,
    notice jsonb not null
  )`,
  `create index tracebacks_notices_provider on tracebacks_notices (provider_id, place)`,
  `create table tracebacks_notice_responses (
    notice_id text not null references tracebacks_notices (notice_id),
    response_id text not null,
    place bigint generated always as identity unique,
    kind text not null,
    received_at_ms bigint not null,
    sha256 text not null,
    response jsonb not null,
    primary key (notice_id, response_id)
  )`,
];
