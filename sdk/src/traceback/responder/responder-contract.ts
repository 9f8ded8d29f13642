import type { ProviderReference } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { LogFiles } from '../../log/index.js';
import type { TracebackRequestSource } from '../../platform/traceback-request-source.js';
import type { FccNotice } from '../../platform/wire/notice.js';
import type { BreakerState } from '../../records/stream/breaker.js';
import type { StreamClock } from '../../records/stream/stream-clock.js';
import type { ClockStatement, EvidenceWriter } from '../evidence/evidence-material.js';
import type { MatchCandidate } from '../match-outcome.js';
import type { PolicyDirectory } from '../policy/policy-input.js';
import type { TracebackPolicyData } from '../policy/traceback-policy.js';
import type { PastRequest } from '../policy/try-policy.js';
import type { DecisionProblem } from '../review/answer-of-decision.js';
import type { ReviewDecision } from '../review/review-decision.js';
import type { ReviewView } from '../review/review-view.js';
import type { AnswerSigner } from './answer-signer.js';
import type { EscalationStep } from './escalation.js';
import type { TrackedNotice } from './notices.js';
import type { AnswerTransport, DeadlineOf, FindMatch, Notify, VerifyReceipt } from './ports.js';
import type { EntryState, EntrySummary, ResponderEntry } from './responder-entry.js';

/** How much a responder takes on. */
export interface ResponderLimits {
  /** Requests in the journal, 1 to 100,000; where it is full the oldest that are answered and acknowledged go. Default 10,000. */
  readonly requests: number;
  /** Requests that are looked up or signed at the same time, 1 to 64; platform and people are waited for beside it. Default 4. */
  readonly concurrency: number;
  /** How long a look-up may take, and then sources and holds, milliseconds, 1 to 600,000. Default 60,000. */
  readonly matchTimeoutMs: number;
  /** How often decisions of persons are looked for in the inbox, milliseconds, 10 to 60,000. Default 1,000. */
  readonly inboxPollMs: number;
}

/** What of a responder a source of requests may look at. */
export interface StandingRequests {
  /** Ids of the requests in the journal that are asked, as far as is known here, and have no answer yet. Never throws. */
  readonly open: () => readonly string[];
}

/** What a responder is made of. */
export interface TracebackResponderOptions {
  /** Where its journal and inbox lie; made when it is not there. One responder a directory. */
  readonly directory: string;
  /** Who answers. */
  readonly provider: ProviderReference;
  readonly policy: TracebackPolicyData;
  /** Who had which trunk when. */
  readonly trunks: PolicyDirectory;
  readonly findMatch: FindMatch;
  /** Sources that have to be complete: `scope().sources` of the store. */
  readonly sources?: () => Promise<readonly string[]>;
  /** Whether records of a call are under a legal hold. Without it nobody knows, and every call goes to a person. */
  readonly isHeld?: (candidate: MatchCandidate) => Promise<boolean>;
  readonly deadlineOf: DeadlineOf;
  /**
   * With the key that answers are signed with: never the one that signs calls. What takes longer than 30 seconds is tried again later; an
   * error that is not `retryable` sends the request to a person.
   */
  readonly signer: AnswerSigner;
  /** The way to the platform; without it signed answers wait. */
  readonly platform?: { readonly transport: AnswerTransport; readonly verifyReceipt: VerifyReceipt };
  /** What takes longer than a minute is tried again later; an error that is not `retryable` sends the request to a person. */
  readonly evidence?: EvidenceWriter;
  /** How far the clocks of the sources are off, for the evidence. */
  readonly clocks?: readonly ClockStatement[];
  /**
   * Where requests come from, beside those handed in with `submit`; or what makes the source, by the requests that stand open: so it finds out
   * what was cancelled while no responder ran. Called once, before it is iterated.
   */
  readonly requests?: TracebackRequestSource | ((standing: StandingRequests) => TracebackRequestSource);
  /** When others are told that nobody has answered. Default {@link DEFAULT_ESCALATIONS}. */
  readonly escalations?: readonly EscalationStep[];
  readonly notify?: Notify;
  readonly limits?: Partial<ResponderLimits>;
  /** Told of what went wrong and is tried again: for logs. May not throw. */
  readonly onProblem?: (problem: ResponderProblem) => void;
  /** The file system of the journal. Default Node's; with another there is neither lock nor inbox. */
  readonly files?: LogFiles;
  /** Default that of the machine. */
  readonly clock?: StreamClock;
  /** A number from 0 up to, not including, 1, that spreads waits. Default `Math.random`. */
  readonly random?: () => number;
}

/** What went wrong. */
export type ProblemKind =
  'match' | 'evidence' | 'signing' | 'storage' | 'delivery' | 'receipt' | 'notify' | 'source' | 'inbox';

/** Something that went wrong and is tried again. Free of telephone numbers. */
export interface ResponderProblem {
  readonly kind: ProblemKind;
  readonly requestId?: string;
  readonly detail: string;
}

/** How a request came. */
export interface Submission {
  /** When, milliseconds since the epoch. Default now. */
  readonly receivedAtMs?: number;
  /** `webhook`, `event-stream`, `poll`, `intake`. Default `intake`. */
  readonly via?: string;
  /** As it came, where that is not the JSON of the request: at most 256 KiB. */
  readonly original?: { readonly bytes: Uint8Array; readonly mediaType: string };
}

/** What became of a request that was handed in. Accepted and known mean durable. */
export type Submitted =
  | { readonly status: 'accepted'; readonly dueAtMs: number }
  /** It is there already: repeats change nothing. */
  | { readonly status: 'known'; readonly state: EntryState }
  /** `full`: as many are open as may be; `too-large`: it does not fit in the journal. */
  | { readonly status: 'refused'; readonly reason: 'full' | 'too-large' };

/** What became of a person's decision. */
export type Decided =
  | { readonly status: 'accepted'; readonly answerId: string; readonly revision: number }
  /** The same decision was carried out before. */
  | { readonly status: 'repeated' }
  | { readonly status: 'refused'; readonly problems: readonly DecisionProblem[] };

/** Counts by upper bound: `le` as in Prometheus. */
export interface Histogram {
  /** Upper bounds, ascending; the last is Infinity. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly count: number;
  readonly sum: number;
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
  readonly deadlineMarginSeconds: Histogram;
  /** Milliseconds from the receipt of a request to its signed answer, of those that no person gave. */
  readonly automaticAnswerMs: Histogram;
  readonly failures: Readonly<Record<ProblemKind, number>>;
  /** Whether the platform is tried. */
  readonly breaker: BreakerState;
  /** Bytes of the journal on disk. */
  readonly journalBytes: number;
  readonly openNotices: number;
}

/**
 * Answers traceback requests: exactly one answer to each, whatever dies. What it has acknowledged is durable, what it has signed is sent in the same
 * bytes under the same key until the platform's receipt is there.
 */
export interface TracebackResponder extends AsyncDisposable {
  /**
   * Takes a request. Resolved means durable.
   * @throws HopbackError `storage-failed` (retryable): hand it in again; `closed`
   */
  readonly submit: (request: TracebackRequest, submission?: Submission) => Promise<Submitted>;
  /**
   * Nobody asks any longer. A request that is not there yet is remembered as cancelled.
   * @throws HopbackError as `submit`
   */
  readonly cancel: (requestId: string) => Promise<void>;
  /**
   * Carries out what a person has decided.
   * @throws HopbackError as `submit`
   */
  readonly decide: (decision: ReviewDecision) => Promise<Decided>;
  /** What a person sees of a request; undefined where it is not there. Never throws. */
  readonly review: (requestId: string, options?: { readonly showNumbers?: boolean }) => ReviewView | undefined;
  /** All that is kept of a request. Never throws. */
  readonly entry: (requestId: string) => ResponderEntry | undefined;
  /** By deadline, those without an answer first. Never throws. */
  readonly list: () => readonly EntrySummary[];
  /** Requests of the past, for {@link tryTracebackPolicy}. Never throws. */
  readonly past: () => readonly PastRequest[];
  /**
   * Tracks a notice of the Commission: details of mitigation within 48 hours, a report within 14 days.
   * @throws HopbackError as `submit`
   */
  readonly trackNotice: (notice: FccNotice, receivedAtMs?: number) => Promise<void>;
  /**
   * A part of the answer to a notice was given.
   * @returns false where no such notice is tracked
   * @throws HopbackError as `submit`
   */
  readonly noticeAnswered: (noticeId: string, part: 'mitigation' | 'report') => Promise<boolean>;
  /** By what is due next. Never throws. */
  readonly notices: () => readonly TrackedNotice[];
  /** Never throws. */
  readonly statistics: () => ResponderStatistics;
  /** Resolves when nothing is left that can be done now: what waits for a person, a later attempt or the platform waits on. */
  readonly settled: () => Promise<void>;
  /** Ends what is running, and closes the journal; nothing durable is lost. May be called again. Never rejects. */
  readonly close: () => Promise<void>;
}
