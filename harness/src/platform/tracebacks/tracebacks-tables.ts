import type { Generated } from 'kysely';
import type { NoticeState, TracebackConclusion } from '@hopback/sdk/platform';
import type { FindingArm } from '@hopback/sdk/traceback';
import type { RequestResult, WaitingItem } from '../domain/tracebacks/index.js';
import type { EpochMs, JsonColumn } from '../core/index.js';

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
