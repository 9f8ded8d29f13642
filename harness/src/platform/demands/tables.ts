import type { DemandRecordClass } from '@hopback/sdk/internal';
import type { ColumnType, Generated } from 'kysely';
import type { AreaDefinition, EpochMs, HeldScope, JsonColumn, Reading } from '../core/index.js';
import { KeyedTable, statements } from '../database/index.js';
import type { PdfObservations } from '../domain/demands/review-findings.js';
import type { Demand, Production } from '@hopback/sdk/platform';

type DemandState = Demand['state'];
type ProductionState = Production['state'];

/** References into the table of sealed values; a long text is sealed in pieces, in order. */
export type SealedText = readonly string[];

/**
 * What a production is at work on. `building`: files are written; `sealed`: the manifest stands and is in the audit, its proof is waited for; `done`;
 * `withdrawn`: the demand was, before it was ready.
 */
export type ProductionPhase = 'building' | 'sealed' | 'done' | 'withdrawn';

/** Tables of demands. Numbers, names and free text are sealed; documents and files of productions lie in the store of files. */
export type DemandTables = {
  readonly demands_demands: {
    readonly demand_id: string;
    /** Order of submission. */
    readonly place: Generated<number>;
    readonly organization_id: string;
    readonly client_id: string;
    /** Hash of the key that it was submitted under, and of what was submitted: a repeat is the same demand. */
    readonly key_hash: string;
    readonly request_hash: string;
    readonly state: DemandState;
    readonly kind: string;
    readonly is_urgent: boolean;
    /** Whether a campaign that it names calls, as last looked at. */
    readonly is_live: boolean;
    readonly record_classes: JsonColumn<readonly DemandRecordClass[]>;
    readonly campaign_ids: JsonColumn<readonly string[]>;
    readonly return_on: string;
    readonly submitted_at_ms: EpochMs;
    readonly decided_at_ms: number | null;
    readonly document_sha256: string;
    readonly document_size: number;
    readonly document_seen: JsonColumn<PdfObservations>;
    /** The whole submission. */
    readonly submission: JsonColumn<SealedText>;
    readonly claimed_by: string | null;
    readonly claimed_at_ms: number | null;
    /** Of an order that reaches what is yet to come. */
    readonly continuing_until_ms: number | null;
    readonly continuing_every_ms: number | null;
    readonly supplemented_at_ms: number | null;
  };
  readonly demands_decisions: {
    readonly decision_id: string;
    readonly demand_id: string;
    readonly decided_at_ms: EpochMs;
    readonly decision: string;
    readonly client_id: string;
    /** The whole decision. */
    readonly content: JsonColumn<SealedText>;
  };
  readonly demands_productions: {
    readonly production_id: string;
    readonly place: Generated<number>;
    readonly demand_id: string;
    readonly decision_id: string;
    readonly organization_id: string;
    readonly state: ProductionState;
    readonly phase: ProductionPhase;
    readonly kind: 'first' | 'supplement' | 're-issue';
    /** Of its priority: what is least is built first. */
    readonly priority: number;
    readonly with_restraint: boolean;
    readonly created_at_ms: EpochMs;
    /** From when on calls are in it where it is a supplement. */
    readonly from_ms: number | null;
    /** Up to when it looks, from the first time that it was begun. */
    readonly as_of_ms: number | null;
    readonly ready_at_ms: number | null;
    readonly expires_at_ms: number | null;
    readonly attempts: number;
    readonly next_try_ms: EpochMs;
    readonly failure: string | null;
    readonly items: number;
    readonly manifest_sha256: string | null;
    readonly removed_at_ms: number | null;
  };
  readonly demands_files: {
    readonly production_id: string;
    readonly name: string;
    readonly position: number;
    readonly media_type: string;
    readonly size_bytes: number;
    readonly sha256: string;
    readonly record_class: DemandRecordClass | null;
    readonly records: number | null;
  };
  readonly demands_retrievals: {
    readonly retrieval_id: string;
    readonly place: Generated<number>;
    readonly production_id: string;
    readonly name: string;
    readonly sha256: string;
    readonly size_bytes: number;
    readonly at_ms: EpochMs;
    readonly organization_id: string;
    readonly client_id: string;
    readonly http_request_id: string;
  };
  /** What retention leaves in place: looked up by whoever removes. */
  readonly demands_holds: {
    readonly demand_id: string;
    readonly organization_id: string;
    /** What is held; null in rows of releases that sealed the whole scope, until it has been unsealed once. */
    readonly held_scope: ColumnType<HeldScope | null, string | undefined, string>;
    /** The whole scope, sealed, in rows of those releases; empty in others. */
    readonly scope: JsonColumn<SealedText>;
    readonly record_classes: JsonColumn<readonly DemandRecordClass[]>;
    readonly campaign_ids: JsonColumn<readonly string[] | null>;
    readonly traceback_ids: JsonColumn<readonly string[] | null>;
    readonly from_ms: EpochMs;
    readonly to_ms: EpochMs;
    /** When the store of live records was told of it, and of its end. */
    readonly placed_at_ms: number | null;
    readonly ended_at_ms: number | null;
    readonly released_at_ms: number | null;
  };
  /** Tracebacks that an agency had opened under its demand. */
  readonly demands_traces: {
    readonly demand_id: string;
    readonly traceback_id: string;
    readonly opened_at_ms: EpochMs;
  };
};

/** The tables of the area within a transaction, or outside. */
export const tablesOf = (reading: Reading) => reading.withTables<DemandTables>();

export const DEMANDS = new KeyedTable<DemandTables['demands_demands']>('demands_demands', 'demand_id');
export const DECISIONS = new KeyedTable<DemandTables['demands_decisions']>('demands_decisions', 'decision_id');
export const PRODUCTIONS = new KeyedTable<DemandTables['demands_productions']>('demands_productions', 'production_id');
export const FILES = new KeyedTable<DemandTables['demands_files']>('demands_files', 'production_id');
export const RETRIEVALS = new KeyedTable<DemandTables['demands_retrievals']>('demands_retrievals', 'retrieval_id');
export const HOLDS = new KeyedTable<DemandTables['demands_holds']>('demands_holds', 'demand_id');

/** The area of demands and productions. */
export const DEMANDS_DEFINITION: AreaDefinition = {
  name: 'demands',
  migrations: [
    {
      name: 'demands-001-demands',
      up: statements(
        `create table demands_demands (
          demand_id text primary key,
          place bigserial not null unique,
          organization_id text not null,
          client_id text not null,
          key_hash text not null,
          request_hash text not null,
          state text not null,
          kind text not null,
          is_urgent boolean not null,
          is_live boolean not null,
          record_classes jsonb not null,
          campaign_ids jsonb not null,
          return_on text not null,
          submitted_at_ms bigint not null,
          decided_at_ms bigint,
          document_sha256 text not null,
          document_size bigint not null,
          document_seen jsonb not null,
          submission jsonb not null,
          claimed_by text,
          claimed_at_ms bigint,
          continuing_until_ms bigint,
          continuing_every_ms bigint,
          supplemented_at_ms bigint,
          unique (client_id, key_hash))`,
        'create index demands_demands_organization on demands_demands (organization_id, place)',
        'create index demands_demands_state on demands_demands (state, place)',
        `create index demands_demands_continuing on demands_demands (continuing_until_ms)
          where continuing_until_ms is not null`,
        `create table demands_decisions (
          decision_id text primary key,
          demand_id text not null references demands_demands,
          decided_at_ms bigint not null,
          decision text not null,
          client_id text not null,
          content jsonb not null)`,
        'create index demands_decisions_demand on demands_decisions (demand_id)',
      ),
    },
    {
      name: 'demands-002-productions',
      up: statements(
        `create table demands_productions (
          production_id text primary key,
          place bigserial not null unique,
          demand_id text not null references demands_demands,
          decision_id text not null references demands_decisions,
          organization_id text not null,
          state text not null,
          phase text not null,
          kind text not null,
          priority int not null,
          with_restraint boolean not null,
          created_at_ms bigint not null,
          from_ms bigint,
          as_of_ms bigint,
          ready_at_ms bigint,
          expires_at_ms bigint,
          attempts int not null,
          next_try_ms bigint not null,
          failure text,
          items bigint not null,
          manifest_sha256 text,
          removed_at_ms bigint)`,
        'create index demands_productions_demand on demands_productions (demand_id, place)',
        `create index demands_productions_work on demands_productions (priority, created_at_ms)
          where state = 'in-preparation'`,
        `create index demands_productions_expiry on demands_productions (expires_at_ms)
          where removed_at_ms is null`,
        `create table demands_files (
          production_id text not null references demands_productions,
          name text not null,
          position int not null,
          media_type text not null,
          size_bytes bigint not null,
          sha256 text not null,
          record_class text,
          records bigint,
          primary key (production_id, name))`,
        `create table demands_retrievals (
          retrieval_id text primary key,
          place bigserial not null unique,
          production_id text not null references demands_productions,
          name text not null,
          sha256 text not null,
          size_bytes bigint not null,
          at_ms bigint not null,
          organization_id text not null,
          client_id text not null,
          http_request_id text not null)`,
        'create index demands_retrievals_production on demands_retrievals (production_id, place)',
      ),
    },
    {
      name: 'demands-003-holds-and-traces',
      up: statements(
        `create table demands_holds (
          demand_id text primary key references demands_demands,
          organization_id text not null,
          scope jsonb not null,
          record_classes jsonb not null,
          campaign_ids jsonb not null,
          traceback_ids jsonb not null,
          from_ms bigint not null,
          to_ms bigint not null,
          placed_at_ms bigint,
          ended_at_ms bigint,
          released_at_ms bigint)`,
        `create index demands_holds_work on demands_holds (demand_id)
          where placed_at_ms is null or (ended_at_ms is not null and released_at_ms is null)`,
        `create table demands_traces (
          demand_id text not null references demands_demands,
          traceback_id text not null,
          opened_at_ms bigint not null,
          primary key (demand_id, traceback_id))`,
      ),
    },
    {
      name: 'demands-004-held-scopes',
      up: statements(
        'alter table demands_holds add column held_scope jsonb',
        `create index demands_holds_unusable on demands_holds (demand_id)
          where ended_at_ms is null and from_ms >= to_ms`,
      ),
    },
  ],
};
