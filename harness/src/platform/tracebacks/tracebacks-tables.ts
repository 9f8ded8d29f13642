import type { FccNotice, Traceback, WireBodies } from '@hopback/sdk/platform';
import type { FindingArm, LifecycleRules, Requester } from '@hopback/sdk/traceback';
import type { Generated } from 'kysely';
import { sql } from 'kysely';
import type {
  DemandCoverage,
  EpochMs,
  JsonColumn,
  LiveReader,
  OrganizationDirectory,
  PlatformContext,
  PlatformMigration,
  ProviderDirectory,
  Reading,
} from '../core/index.js';
import { KeyedTable } from '../database/index.js';
import type { RequestResult } from '../domain/tracebacks/veiled-answer.js';
import type { WaitingItem } from '../domain/tracebacks/waiting-items.js';

type AnswerReceipt = WireBodies['AnswerReceipt'];
type NoticeState = FccNotice['state'];
type TracebackConclusion = NonNullable<Traceback['outcome']>;

/** Text in pieces, each sealed: references in order. */
export type SealedPieces = JsonColumn<readonly string[]>;

/** A traceback: what is known of it, and what of that is looked for. */
export interface StatesTable {
  readonly traceback_id: string;
  readonly place: Generated<number>;
  readonly direction: 'back' | 'forward';
  readonly campaign_id: string | null;
  readonly opened_by: string;
  /** The same call for the same reason is opened once; unique. */
  readonly reason_key: string | null;
  readonly opened_at_ms: EpochMs;
  readonly updated_at_ms: EpochMs;
  readonly standing: 'open' | 'closed' | 'withdrawn';
  readonly outcome: TracebackConclusion | null;
  /** Facts of the lifecycle, without telephone numbers. */
  /** JSON of the lifecycle's state, as text: it is written whole, and nothing of it is asked for in SQL. */
  readonly state: string;
  /** Grows with each change, so that what is in memory is known to be of today. */
  readonly version: number;
  /** When time alone brings something. */
  readonly wake_at_ms: number | null;
  /** Whether neighbours of a silent provider are to be looked for. */
  readonly seeks_neighbours: boolean;
  readonly waits: JsonColumn<readonly WaitingItem[]>;
  /** Sealed: the opening as it came. */
  readonly opening: SealedPieces;
}

/** A request to a provider. */
export interface RequestsTable {
  readonly request_id: string;
  readonly place: Generated<number>;
  readonly traceback_id: string;
  readonly provider_id: string;
  readonly hop: number;
  readonly issued_at_ms: EpochMs;
  readonly due_at_ms: EpochMs;
  readonly acknowledged_at_ms: number | null;
  readonly cancelled_at_ms: number | null;
  readonly cancel_reason: string | null;
  /** When the first answer came. */
  readonly answered_at_ms: number | null;
  /** The last answer, and when it came. */
  readonly last_answer_id: string | null;
  readonly last_answered_at_ms: number | null;
  readonly reminders: number;
  readonly is_overdue_told: boolean;
  /** Pseudonym of the question: what is asked by two tracebacks is asked once. */
  readonly question: string;
  /** The request that asks for this one too; this one is not sent then, and its provider does not know of it. */
  readonly asked_by: string | null;
  /** Whether its own traceback still wants the answer; where others do, it is not cancelled. */
  readonly is_wanted: boolean;
  /** What became of it, as far as the course of the traceback says it. */
  readonly result: JsonColumn<RequestResult>;
  /** Sealed: the request as it is on the wire. */
  readonly request: SealedPieces;
}

/** An answer that was believed. */
export interface AnswersTable {
  readonly request_id: string;
  readonly answer_id: string;
  readonly place: Generated<number>;
  readonly traceback_id: string;
  readonly provider_id: string;
  readonly revision: number;
  readonly arm: FindingArm;
  readonly received_at_ms: EpochMs;
  readonly is_late: boolean;
  readonly sha256: string;
  readonly receipt: string;
  /** Sealed: the JWS, all of it. */
  readonly jws: SealedPieces;
}

/** A notice of the Commission. */
export interface NoticesTable {
  readonly notice_id: string;
  readonly place: Generated<number>;
  readonly provider_id: string;
  readonly issued_at_ms: EpochMs;
  readonly mitigation_due_at_ms: EpochMs;
  readonly report_due_at_ms: EpochMs;
  readonly state: NoticeState;
  /** Sealed: the notice without its responses. */
  readonly notice: SealedPieces;
}

/** A response to a notice. */
export interface ResponsesTable {
  readonly notice_id: string;
  readonly response_id: string;
  readonly place: Generated<number>;
  readonly kind: 'mitigation' | 'report';
  readonly received_at_ms: EpochMs;
  readonly sha256: string;
  /** Sealed: the response. */
  readonly response: SealedPieces;
}

/** Tables of the area; a type and no interface, as the database adds tables to others. */
export type TracebacksTables = {
  readonly tracebacks_states: StatesTable;
  readonly tracebacks_requests: RequestsTable;
  readonly tracebacks_answers: AnswersTable;
  readonly tracebacks_notices: NoticesTable;
  readonly tracebacks_notice_responses: ResponsesTable;
};

/** The tables within a transaction, or outside. */
export const tablesOf = (reading: Reading) => reading.withTables<TracebacksTables>();

export const REQUESTS = new KeyedTable<RequestsTable>('tracebacks_requests', 'request_id');
export const NOTICES = new KeyedTable<NoticesTable>('tracebacks_notices', 'notice_id');
export const RESPONSES = new KeyedTable<ResponsesTable>('tracebacks_notice_responses', 'notice_id');

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

/** Ports and settings of the area. */
export interface TracebacksOptions {
  readonly providers: ProviderDirectory;
  readonly organizations: OrganizationDirectory;
  /** Signs a receipt with a key of the platform: compact JWS of `typ` `answer-receipt+jws` over its JSON. */
  readonly signReceipt: (receipt: AnswerReceipt) => string;
  /** Live records and reports; neighbours are looked for by people alone where there is none. */
  readonly live?: LiveReader;
  readonly coverage?: DemandCoverage;
  /** By which new tracebacks are conducted; those of the sdk where nothing is said. */
  readonly rules?: Partial<LifecycleRules>;
  /** In whose name it is asked where nobody else is stated. */
  readonly requester?: Requester;
}

/** What the parts of the area work with. */
export interface TracebacksParts extends TracebacksOptions {
  readonly context: PlatformContext;
}

/** The registered consortium, by its office: 47 USC 227b-1, TRACED Act section 13(d). */
export const DEFAULT_REQUESTER: Requester = { kind: 'itg', name: 'Traceback group' };
