import { sql } from 'kysely';
import type { AreaDefinition } from '../core/index.js';
import { NOT_ARCHIVED } from '../database/index.js';

/** Name and tables of the area. */
export const campaignsDefinition: AreaDefinition = {
  name: 'campaigns',
  migrations: [
    {
      name: 'campaigns-001-campaigns',
      up: async (database) => {
        await sql`create table campaigns_campaigns (
          campaign_id text primary key,
          state text not null,
          is_lawful boolean not null,
          merged_into text,
          first_seen_ms bigint not null,
          last_seen_ms bigint not null,
          updated_ms bigint not null,
          findings jsonb not null default '{"tracebackIds":[],"providers":[]}',
          saved jsonb not null,
          keys jsonb not null)`.execute(database);
        await sql`create index campaigns_campaigns_last_seen
          on campaigns_campaigns (last_seen_ms desc, campaign_id desc)`.execute(database);
        await sql`create table campaigns_calls (
          call_id text primary key,
          campaign_id text not null references campaigns_campaigns (campaign_id),
          at_ms bigint not null,
          reporter_id text not null,
          record_id text,
          report_id text,
          called_npa_nxx text,
          signer text,
          attestation text,
          duration_ms bigint)`.execute(database);
        await sql`create index campaigns_calls_campaign on campaigns_calls (campaign_id, at_ms desc)`.execute(database);
        await sql`create index campaigns_calls_at on campaigns_calls (at_ms)`.execute(database);
        await sql`create table campaigns_decisions (
          decision_id text primary key,
          campaign_id text not null,
          at_ms bigint not null,
          kind text not null,
          actor text not null,
          organization_id text not null,
          reason text not null)`.execute(database);
        await sql`create index campaigns_decisions_campaign on campaigns_decisions (campaign_id, at_ms)`.execute(
          database,
        );
        await sql`create table campaigns_tracebacks (
          call_id text primary key,
          campaign_id text not null references campaigns_campaigns (campaign_id),
          traceback_id text not null,
          opened_ms bigint not null)`.execute(database);
        await sql`create index campaigns_tracebacks_campaign on campaigns_tracebacks (campaign_id)`.execute(database);
      },
    },
    {
      name: 'campaigns-002-placed-calls',
      up: async (database) => {
        await sql`alter table campaigns_calls add column placed_call_id text`.execute(database);
      },
    },
    {
      name: 'campaigns-003-detector-snapshots',
      up: async (database) => {
        await sql`create table campaigns_snapshots (
          name text primary key,
          slot text not null,
          version text not null,
          sequence bigint not null,
          at_ms bigint not null,
          parts integer not null,
          size_bytes bigint not null,
          key_reference text not null)`.execute(database);
        for (const slot of ['a', 'b']) {
          const table = sql.table(`campaigns_snapshot_${slot}`);
          await sql`create table ${table} (part integer primary key, octets bytea not null)`.execute(database);
          // The octets are compressed already.
          await sql`alter table ${table} alter column octets set storage external`.execute(database);
        }
        for (const table of ['campaigns_snapshots', 'campaigns_snapshot_a', 'campaigns_snapshot_b'])
          await sql.raw(`comment on table ${table} is '${NOT_ARCHIVED}'`).execute(database);
      },
    },
    {
      name: 'campaigns-004-unjoined-calls',
      up: async (database) => {
        await sql`alter table campaigns_calls add column is_unjoinable boolean not null default false`.execute(
          database,
        );
        await sql`create index campaigns_calls_unjoined on campaigns_calls (at_ms)
          where placed_call_id is null and not is_unjoinable`.execute(database);
      },
    },
    {
      name: 'campaigns-005-latest-calls',
      up: async (database) => {
        // In the order of readCalls, so that the newest few are read without sorting all of a campaign.
        await sql`create index campaigns_calls_latest on campaigns_calls (campaign_id, at_ms desc, call_id)`.execute(
          database,
        );
        await sql`drop index campaigns_calls_campaign`.execute(database);
        // Calls are stored with their campaign, and no campaign is deleted; the check cost as much for each call as storing it.
        await sql`alter table campaigns_calls drop constraint campaigns_calls_campaign_id_fkey`.execute(database);
      },
    },
  ],
};
