import type { Answerer, FindingArm, TracebackAnswer } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { MatchOutcome } from '../match-outcome.js';
import type { AnswerDraft, PolicyDecision, PolicyTrace } from '../policy/policy-decision.js';
import type { HoldState } from '../policy/policy-input.js';
import type { AnswerDeadline, ResponderEvent } from './ports.js';

/**
 * Where a request stands. What is durable says so, and nothing else: whatever dies, it goes on from there.
 * ```
 *                    findMatch, policy
 *   received ───────────────┬──────────────► review ──┐ a person decides
 *      │                    │ automatic         ▲     │
 *      │ cancelled          ▼                   │     │
 *      │                 decided ◄──────────────┼─────┘◄──────────── amended, from any state behind it
 *      ▼                    │  └── it can never be signed
 *   cancelled               │ evidence, signature: the bytes are durable before anybody gets them
 *      ▲                 signed ──── platform will not have it ───► blocked
 *      │ no answer wanted   │ the same bytes under the same key, until the platform says that it has them
 *      └────────────────────┤
 *                           ▼
 *                         sent ──── its receipt is verified, and kept ───► acknowledged
 * ```
 */
export type EntryState =
  'received' | 'review' | 'decided' | 'signed' | 'sent' | 'acknowledged' | 'blocked' | 'cancelled';

/** An answer that has been decided on and is not signed yet. All that it will say follows from this and from the request. */
export interface PendingAnswer {
  readonly revision: number;
  readonly answerId: string;
  readonly draft: AnswerDraft;
  readonly answeredBy: Answerer;
  readonly decidedAtMs: number;
  readonly trace: PolicyTrace;
  /** `recordId` of the record by which the call that it rests on came in. */
  readonly candidate?: string;
  readonly amends?: { readonly answerId: string; readonly reason: string };
}

/** How far a signed answer has come. */
export type EntryDelivery =
  | { readonly state: 'waiting' }
  /** The platform has it; its receipt is none that can be verified. */
  | { readonly state: 'taken'; readonly atMs: number; readonly detail: string }
  | { readonly state: 'acknowledged'; readonly atMs: number; readonly receipt: string; readonly receivedAt: string }
  | {
      readonly state: 'refused';
      readonly atMs: number;
      readonly reason: 'conflict' | 'content';
      readonly detail: string;
    }
  /** Nobody asks any longer, and the platform has not taken it. */
  | { readonly state: 'unwanted'; readonly atMs: number; readonly detail: string };

/** What became of the signed answer and its receipt in the evidence. */
export type EvidenceFiling =
  /** They are in the pack, and in its log. */
  | { readonly state: 'kept'; readonly atMs: number }
  /** The evidence will not have them, and will not have them later either. */
  | { readonly state: 'refused'; readonly atMs: number; readonly detail: string };

/** Why an answer that was decided on could not be given: a person decides anew. */
export interface SetBack {
  readonly kind: 'evidence' | 'signing' | 'storage';
  readonly revision: number;
  readonly atMs: number;
  readonly detail: string;
}

/** A signed answer: its bytes never change. */
export interface SignedEntry {
  readonly answer: TracebackAnswer;
  readonly jws: string;
  readonly idempotencyKey: string;
  readonly signedAtMs: number;
  readonly delivery: EntryDelivery;
  /** Once it is settled what became of it at the platform; absent where it names no evidence. */
  readonly filed?: EvidenceFiling;
}

/** One request in the journal, with everything that has become of it. */
export interface ResponderEntry {
  readonly format: 'hopback.responder-entry.1';
  readonly requestId: string;
  readonly request: TracebackRequest;
  readonly receivedAtMs: number;
  /** How it came: `webhook`, `event-stream`, `poll`, `intake`. */
  readonly via: string;
  /** As it came, where that is not the JSON of the request: base64 and media type. */
  readonly original?: { readonly base64: string; readonly mediaType: string };
  readonly deadline: AnswerDeadline;
  readonly outcome?: MatchOutcome;
  readonly hold?: HoldState;
  readonly sources?: readonly string[];
  readonly matchedAtMs?: number;
  readonly decision?: PolicyDecision;
  readonly pending?: PendingAnswer;
  /** Until a person has decided anew. */
  readonly setBack?: SetBack;
  readonly answers: readonly SignedEntry[];
  /** Ids of the persons' decisions that were carried out. */
  readonly decisionIds: readonly string[];
  /** Escalation steps that have been taken. */
  readonly escalated: number;
  /** What people have not been told yet. */
  readonly untold: readonly ResponderEvent[];
  readonly cancelledAtMs?: number;
}

/**
 * Where a request stands, by what is in its entry. Pure; never throws.
 * @param entry - as the responder keeps it
 * @returns the state
 * @see {@link EntryState}
 * @example
 * ```ts
 * console.log(typeof stateOfEntry); // function
 * ```
 */
export function stateOfEntry(entry: ResponderEntry): EntryState {
  const { pending, setBack, answers, decision, cancelledAtMs } = entry;
  if (pending !== undefined) return 'decided';
  if (answers.some(({ delivery }) => delivery.state === 'waiting')) return 'signed';
  if (setBack !== undefined) return 'review';
  const last = answers.at(-1)?.delivery;
  if (last?.state === 'refused') return 'blocked';
  if (answers.some(({ delivery }) => delivery.state === 'taken')) return 'sent';
  if (last?.state === 'unwanted') return 'cancelled';
  if (last !== undefined) return 'acknowledged';
  if (cancelledAtMs !== undefined) return 'cancelled';
  return decision === undefined ? 'received' : 'review';
}

/** Whether the requester has no answer, and waits for one. */
export function lacksAnswer(state: EntryState): boolean {
  return WITHOUT_ANSWER.has(state);
}

const WITHOUT_ANSWER: ReadonlySet<EntryState> = new Set(['received', 'review', 'decided', 'signed', 'blocked']);

/** Whether nothing more is to be done, unless an answer is amended. */
export function isClosed(state: EntryState): boolean {
  return state === 'acknowledged' || state === 'cancelled';
}

/** Whether the evidence of an answer lacks what became of it: it is settled at the platform, and its pack has not been told. */
export function isUnfiled({ answer, delivery, filed }: SignedEntry): boolean {
  if (answer.evidence === undefined || filed !== undefined) return false;
  return delivery.state !== 'waiting' && delivery.state !== 'taken';
}

/** What is kept in memory of every request: enough to list, to count and to know the deadline. */
export interface EntrySummary {
  readonly requestId: string;
  readonly tracebackId: string;
  readonly state: EntryState;
  readonly receivedAtMs: number;
  readonly dueAtMs: number;
  readonly queue?: string;
  /** Of the answer given last, or the one that is proposed. */
  readonly arm?: FindingArm;
  readonly answeredBy?: Answerer['kind'];
  readonly escalated: number;
  readonly isUntold: boolean;
  /** Whether the evidence of an answer has still to be told what became of it. */
  readonly isUnfiled: boolean;
  readonly revisions: number;
  /** Whether it is no longer asked, though an answer that was given before may be on its way. */
  readonly isCancelled: boolean;
}

/** The summary of an entry. */
export function summaryOf(entry: ResponderEntry): EntrySummary {
  const { requestId, request, receivedAtMs, deadline, decision, pending, answers, escalated, untold } = entry;
  const { cancelledAtMs } = entry;
  const last = answers.at(-1)?.answer;
  const proposed = decision?.kind === 'review' ? decision.proposal : decision?.draft;
  const finding = pending?.draft.finding ?? last?.finding ?? proposed?.finding;
  const answeredBy = pending?.answeredBy ?? last?.answeredBy;
  return {
    requestId,
    tracebackId: request.tracebackId,
    state: stateOfEntry(entry),
    receivedAtMs,
    dueAtMs: deadline.dueAtMs,
    ...(decision?.kind === 'review' ? { queue: decision.queue } : {}),
    ...(finding === undefined ? {} : { arm: finding.arm }),
    ...(answeredBy === undefined ? {} : { answeredBy: answeredBy.kind }),
    escalated,
    isUntold: untold.length > 0,
    isUnfiled: answers.some(isUnfiled),
    revisions: answers.length,
    isCancelled: cancelledAtMs !== undefined,
  };
}
