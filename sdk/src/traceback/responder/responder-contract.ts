import type { FccNotice } from '../../contract/alert.js';
import type { ProviderReference } from '../../contract/common.js';
import type { TracebackAnswer, TracebackFinding, TracebackRequest } from '../../contract/traceback-exchange.js';
import { defined } from '../../core/text.js';
import type { LogFiles } from '../../log/index.js';
import type { TracebackRequestSource } from '../../platform/traceback-request-source.js';
import type { StreamClock, StreamStatus } from '../../records/stream/stream-policy.js';
import type { EvidenceMaterial } from '../evidence/evidence-manifest.js';
import type { EvidenceStore } from '../evidence/evidence-store.js';
import type { MatchCandidate, MatchOutcome } from '../match-outcome.js';
import type { AnswerDraft, PolicyDecision, PolicyInput, TracebackPolicyData } from '../policy/traceback-policy.js';
import type { AnswerSigner, VerifyReceipt } from './answer-signer.js';

/** What became of an answer that was handed to the platform. */
export type AnswerDelivery =
  /** It has it, and says so: a compact JWS over the id of the answer, the SHA-256 of what was sent, and when it came. */
  | { readonly status: 'taken'; readonly receipt: string }
  /** Nobody knows; the same bytes under the same key may succeed later. */
  | {
      readonly status: 'unavailable';
      readonly detail: string;
      readonly retryAfterMs?: number;
    }
  /**
   * The credential or the address is wrong, or something before the platform says no: nothing gets through until somebody has changed
   * something. The answer waits.
   */
  | { readonly status: 'barred'; readonly detail: string }
  /** The platform says that it wants no answer to this request any longer, and does not have this one: the request is cancelled. */
  | { readonly status: 'cancelled'; readonly detail: string }
  /** The platform itself says that it will not have this answer. A person looks at it. */
  | {
      readonly status: 'refused';
      readonly reason: 'conflict' | 'content';
      readonly detail: string;
    };

/** The way of answers to the platform. Never rejects; what takes longer than two minutes is aborted, and tried again later. */
export interface AnswerTransport {
  readonly deliver: (
    answer: {
      readonly requestId: string;
      readonly answerId: string;
      /** Compact JWS of a {@link TracebackAnswer}. */
      readonly jws: string;
      /** The same for the same answer, whatever happens between. */
      readonly idempotencyKey: string;
    },
    signal: AbortSignal,
  ) => Promise<AnswerDelivery>;
}

/** Something that a person should hear of. Told at least once; `eventId` is the same each time. */
export type ResponderEvent = { readonly eventId: string; readonly dueAtMs: number } & (
  | {
      readonly kind: 'review-wanted' | 'answer-sent' | 'answer-refused' | 'request-cancelled';
      readonly requestId: string;
      readonly queue: string;
    }
  /** Nobody has answered, and the deadline comes near, or is over. */
  | {
      readonly kind: 'escalation';
      readonly requestId: string;
      readonly queue: string;
      readonly step: number;
      readonly to: string;
    }
  /** A part of the answer to a notice of the FCC is due. 47 CFR 64.1200(n) */
  | {
      readonly kind: 'notice-due';
      readonly noticeId: string;
      readonly part: 'mitigation' | 'report';
      readonly to: string;
    }
);

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
  /** When the answer is due; `deemedReceivedAtMs`: when the clock begins to run, milliseconds since the epoch. */
  readonly deadline: { readonly deemedReceivedAtMs: number; readonly dueAtMs: number };
  readonly outcome?: MatchOutcome;
  readonly hold?: PolicyInput['hold'];
  readonly sources?: readonly string[];
  readonly matchedAtMs?: number;
  readonly decision?: PolicyDecision;
  /** An answer that has been decided on and is not signed yet. All that it will say follows from this and from the request. */
  readonly pending?: {
    readonly revision: number;
    readonly answerId: string;
    readonly draft: AnswerDraft;
    readonly answeredBy: TracebackAnswer['answeredBy'];
    readonly decidedAtMs: number;
    readonly trace: PolicyDecision['trace'];
    /** `recordId` of the record by which the call that it rests on came in. */
    readonly candidate?: string;
    readonly amends?: { readonly answerId: string; readonly reason: string };
  };
  /** Why an answer that was decided on could not be given, until a person has decided anew. */
  readonly setBack?: {
    readonly kind: 'evidence' | 'signing' | 'storage';
    readonly revision: number;
    readonly atMs: number;
    readonly detail: string;
  };
  /** Signed answers: their bytes never change. */
  readonly answers: readonly {
    readonly answer: TracebackAnswer;
    readonly jws: string;
    readonly idempotencyKey: string;
    readonly signedAtMs: number;
    /** How far it has come. */
    readonly delivery:
      | { readonly state: 'waiting' }
      /** The platform has it; its receipt is none that can be verified. */
      | {
          readonly state: 'taken';
          readonly atMs: number;
          readonly detail: string;
        }
      | {
          readonly state: 'acknowledged';
          readonly atMs: number;
          readonly receipt: string;
          readonly receivedAt: string;
        }
      | {
          readonly state: 'refused';
          readonly atMs: number;
          readonly reason: 'conflict' | 'content';
          readonly detail: string;
        }
      /** Nobody asks any longer, and the platform has not taken it. */
      | {
          readonly state: 'unwanted';
          readonly atMs: number;
          readonly detail: string;
        };
    /** Once it is settled what became of it at the platform; absent where it names no evidence. */
    readonly filed?:
      | /** They are in the pack, and in its log. */ { readonly state: 'kept'; readonly atMs: number }
        /** The evidence will not have them, and will not have them later either. */
      | {
          readonly state: 'refused';
          readonly atMs: number;
          readonly detail: string;
        };
  }[];
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

/** A signed answer. */
export type SignedEntry = ResponderEntry['answers'][number];

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
  readonly arm?: TracebackFinding['arm'];
  readonly answeredBy?: TracebackAnswer['answeredBy']['kind'];
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
  const last = answers.at(-1)?.answer;
  const proposed = decision?.kind === 'review' ? decision.proposal : decision?.draft;
  const queue = decision?.kind === 'review' ? decision.queue : undefined;
  const arm = (pending?.draft ?? last ?? proposed)?.finding.arm;
  const answeredBy = (pending ?? last)?.answeredBy.kind;
  return {
    requestId,
    tracebackId: request.tracebackId,
    state: stateOfEntry(entry),
    receivedAtMs,
    dueAtMs: deadline.dueAtMs,
    ...defined({ queue, arm, answeredBy }),
    escalated,
    isUntold: untold.length > 0,
    isUnfiled: answers.some(isUnfiled),
    revisions: answers.length,
    isCancelled: entry.cancelledAtMs !== undefined,
  };
}

export type EscalationStep = NonNullable<TracebackResponderOptions['escalations']>[number];

/**
 * Four hours are half a working day, one hour is what it takes to find the one who knows; at the deadline it is a matter of those who answer
 * for it.
 */
export const DEFAULT_ESCALATIONS: readonly EscalationStep[] = Object.freeze([
  Object.freeze({ beforeDueSeconds: 14_400, to: 'queue' }),
  Object.freeze({ beforeDueSeconds: 3_600, to: 'on-call' }),
  Object.freeze({ beforeDueSeconds: 0, to: 'management' }),
]);

/** More than anybody reads. */
export const MAX_ESCALATIONS = 16;

/** A notice of the Commission of suspected illegal traffic, and what has been done about it. @see 47 CFR 64.1200(n)(2) */
export interface TrackedNotice {
  readonly notice: FccNotice;
  /** Milliseconds since the epoch. */
  readonly receivedAtMs: number;
  readonly mitigation: TrackedNotice['report'];
  readonly report: {
    readonly dueAtMs: number;
    /** When it was given. */
    readonly doneAtMs?: number;
    /** Escalation steps that have been taken. */
    readonly escalated: number;
  };
}

/** What a responder is made of. */
export interface TracebackResponderOptions {
  /** Where its journal and inbox lie; made when it is not there. One responder a directory. */
  readonly directory: string;
  /** Who answers. */
  readonly provider: ProviderReference;
  readonly policy: TracebackPolicyData;
  /** Who had which trunk when. */
  readonly trunks: PolicyInput['directory'];
  /** Finds the call that is asked about. Rejects where the records cannot be read: then it is asked again later. */
  readonly findMatch: (request: TracebackRequest) => Promise<MatchOutcome>;
  /** Sources that have to be complete: `scope().sources` of the store. */
  readonly sources?: () => Promise<readonly string[]>;
  /** Whether records of a call are under a legal hold. Without it nobody knows, and every call goes to a person. */
  readonly isHeld?: (candidate: MatchCandidate) => Promise<boolean>;
  /** The clock of 47 CFR 64.1200(n)(1), {@link officeDeadline}. Pure; never throws. */
  readonly deadlineOf: (request: TracebackRequest, receivedAtMs: number) => ResponderEntry['deadline'];
  /**
   * With the key that answers are signed with: never the one that signs calls. What takes longer than 30 seconds is tried again later; an
   * error that is not `retryable` sends the request to a person.
   */
  readonly signer: AnswerSigner;
  /** The way to the platform; without it signed answers wait. */
  readonly platform?: { readonly transport: AnswerTransport; readonly verifyReceipt: VerifyReceipt };
  /** What takes longer than a minute is tried again later; an error that is not `retryable` sends the request to a person. */
  readonly evidence?: Pick<EvidenceStore, 'write' | 'attachAnswer'>;
  /** How far the clocks of the sources are off, for the evidence. */
  readonly clocks?: EvidenceMaterial['clocks'];
  /**
   * Where requests come from, beside those handed in with `submit`; or what makes the source, by the requests that stand open: so it finds out
   * what was cancelled while no responder ran. Called once, before it is iterated. `open` gives the ids of the requests in the journal that are
   * asked, as far as is known here, and have no answer yet; it never throws.
   */
  readonly requests?:
    TracebackRequestSource | ((standing: { readonly open: () => readonly string[] }) => TracebackRequestSource);
  /** When others are told that nobody has answered. Default: four hours and one hour before the deadline, and at it. */
  readonly escalations?: readonly {
    /** Seconds before the deadline; 0 at it, negative after it. -604,800 to 604,800. */
    readonly beforeDueSeconds: number;
    /** Whom: a queue, a role, an address that the notifier understands. 1 to 128 characters. */
    readonly to: string;
  }[];
  /** Tells people. Where it rejects, or takes longer than 30 seconds, it is called again later. */
  readonly notify?: (event: ResponderEvent) => Promise<void> | void;
  /** How much it takes on. */
  readonly limits?: {
    /** Requests in the journal, 1 to 100,000; where it is full the oldest that are answered and acknowledged go. Default 10,000. */
    readonly requests?: number;
    /** Requests that are looked up or signed at the same time, 1 to 64; platform and people are waited for beside it. Default 4. */
    readonly concurrency?: number;
    /** How long a look-up may take, and then sources and holds, milliseconds, 1 to 600,000. Default 60,000. */
    readonly matchTimeoutMs?: number;
    /** How often decisions of persons are looked for in the inbox, milliseconds, 10 to 60,000. Default 1,000. */
    readonly inboxPollMs?: number;
  };
  /** Told of what went wrong and is tried again: for logs. May not throw. */
  readonly onProblem?: (problem: ResponderProblem) => void;
  /** The file system of the journal. Default Node's; with another there is neither lock nor inbox. */
  readonly files?: LogFiles;
  /** Default that of the machine. */
  readonly clock?: StreamClock;
  /** A number from 0 up to, not including, 1, that spreads waits. Default `Math.random`. */
  readonly random?: () => number;
}

/** Something that went wrong and is tried again. Free of telephone numbers. */
export interface ResponderProblem {
  readonly kind: 'match' | 'evidence' | 'signing' | 'storage' | 'delivery' | 'receipt' | 'notify' | 'source' | 'inbox';
  readonly requestId?: string;
  readonly detail: string;
}

/** A responder in figures. Counts are since it was made, what is open is as it stands. */
export interface ResponderStatistics {
  /** Requests in the journal, by state. */
  readonly requests: Readonly<Record<EntryState, number>>;
  /** Requests whose requester has no answer. */
  readonly backlog: number;
  /** Those of them whose deadline is over. */
  readonly overdue: number;
  readonly received: number;
  readonly repeats: number;
  readonly cancelled: number;
  readonly answersByArm: Readonly<Record<string, number>>;
  readonly automatic: number;
  readonly byPerson: number;
  /** Part of the answers that no person gave, 0 to 1; absent where there is none. */
  readonly automaticRate?: number;
  readonly amended: number;
  readonly escalations: number;
  /** Seconds left until the deadline when an answer was acknowledged; negative where it was over. */
  readonly deadlineMarginSeconds: {
    /** By upper bound, `le` as in Prometheus: ascending; the last is Infinity. */
    readonly buckets: readonly { readonly le: number; readonly count: number }[];
    readonly count: number;
    readonly sum: number;
  };
  /** Milliseconds from the receipt of a request to its signed answer, of those that no person gave. */
  readonly automaticAnswerMs: ResponderStatistics['deadlineMarginSeconds'];
  readonly failures: Readonly<Record<ResponderProblem['kind'], number>>;
  /** Whether the platform is tried. */
  readonly breaker: StreamStatus['breaker'];
  /** Bytes of the journal on disk. */
  readonly journalBytes: number;
  readonly openNotices: number;
}

/** What of a notice is still due. */
export function openParts(tracked: TrackedNotice): readonly ('mitigation' | 'report')[] {
  return tracked.notice.state === 'withdrawn'
    ? []
    : (['mitigation', 'report'] as const).filter((part) => tracked[part].doneAtMs === undefined);
}

/** Whether something is still due. */
export function isNoticeOpen(tracked: TrackedNotice): boolean {
  return openParts(tracked).length > 0;
}
