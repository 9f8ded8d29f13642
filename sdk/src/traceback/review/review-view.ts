import type { FindingArm, TracebackFinding } from '../../core/traceback-request.js';

/** One line about the request or its deadline: a label and a text, ready to be shown. */
export interface ViewFact {
  readonly label: string;
  readonly value: string;
}

/** Where the clock stands. `text` says the same as the state, so that nobody has to tell colours apart. */
export interface DeadlineView {
  /** RFC 3339 in UTC. */
  readonly dueAt: string;
  /** Negative where it is over. */
  readonly remainingSeconds: number;
  readonly state: 'open' | 'close' | 'overdue' | 'done';
  readonly text: string;
}

/** What was stated of the call and what a candidate's records have, one field in a row. */
export interface ComparisonRow {
  readonly field: string;
  readonly stated: string;
  /** One for each candidate, in their order. */
  readonly recorded: readonly ComparedValue[];
}

/** One cell. */
export interface ComparedValue {
  readonly text: string;
  readonly verdict: 'equal' | 'compatible' | 'absent' | 'contradicts';
}

/** One call that may be meant, as a person looks at it. */
export interface CandidateView {
  /** `recordId` of the record by which the call came in: by which a decision names it. */
  readonly candidate: string;
  /** From 1, best first. */
  readonly rank: number;
  /** 0 to 100. */
  readonly scorePercent: number;
  /** RFC 3339 in UTC. */
  readonly startedAt: string;
  /** Who sent it, in words. */
  readonly upstream: string;
  /** To whom it was sent, held against whoever named us, in words. */
  readonly downstream: string;
  readonly facts: readonly ViewFact[];
  /** What would be answered were it this one; absent where nobody knows who sent it. */
  readonly finding?: TracebackFinding;
  /** What speaks against naming who sent it. */
  readonly warnings: readonly ViewWarning[];
  readonly legs: number;
}

/** Something that a person has to have seen before the answer is given against it. */
export interface ViewWarning {
  /** By which a decision says that it was seen. */
  readonly name: string;
  readonly text: string;
  /** Whether an answer may be given in spite of it. */
  readonly isFinal: boolean;
}

/** What can be done about the request. */
export interface AllowedAction {
  readonly action: 'answer' | 'amend';
  /** Arms that may be given, and what each needs. */
  readonly arms: readonly AllowedArm[];
}

/** An arm that may be given. */
export interface AllowedArm {
  readonly arm: FindingArm;
  /** Whether one of the candidates has to be chosen. */
  readonly needsCandidate: boolean;
  /** Members of the decision that have to be there where the directory does not say. */
  readonly needs: readonly ('provider' | 'contact' | 'customer' | 'reason')[];
  /** Warnings that have to be confirmed whatever call is chosen; those of a call are with it. */
  readonly warnings: readonly ViewWarning[];
}

/**
 * Everything that a person needs to decide about one request: plain JSON, the same for the command line, the page and the portal. Texts are
 * as peers wrote them: whoever shows them escapes them.
 */
export interface ReviewView {
  readonly format: 'hopback.review.1';
  readonly requestId: string;
  readonly tracebackId: string;
  readonly state: string;
  readonly queue?: string;
  readonly deadline: DeadlineView;
  readonly request: readonly ViewFact[];
  /** Why a person is asked, weightiest first. */
  readonly reasons: readonly string[];
  readonly candidates: readonly CandidateView[];
  /** Calls that were found, those that are not among the candidates included. */
  readonly callsFound: number;
  /** The candidates side by side, a row for each field that was compared. */
  readonly comparison: readonly ComparisonRow[];
  /** What was looked through, in words. */
  readonly searched: readonly ViewFact[];
  /** What the policy would answer. */
  readonly proposed?: { readonly finding: TracebackFinding; readonly text: string; readonly candidate?: string };
  /** What was answered, last revision first. */
  readonly given: readonly GivenAnswerView[];
  readonly warnings: readonly ViewWarning[];
  readonly actions: readonly AllowedAction[];
  /** Whether telephone numbers are masked. */
  readonly isMasked: boolean;
}

/** An answer that was given. */
export interface GivenAnswerView {
  readonly answerId: string;
  readonly revision: number;
  readonly answeredAt: string;
  readonly by: string;
  readonly text: string;
  readonly delivery: string;
  /** Why the platform will not have it, or what is wrong with its receipt. */
  readonly detail?: string;
}
