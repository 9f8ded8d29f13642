import type { AnsweredCall, CustomerAction, SearchStatement, TracebackFinding } from '../../core/traceback-request.js';
import type { ReviewTopic } from './traceback-policy.js';

/** An answer but for who gives it, when, and under which ids. */
export interface AnswerDraft {
  readonly finding: TracebackFinding;
  readonly call?: AnsweredCall;
  readonly upstreamAction?: CustomerAction;
  readonly searched: SearchStatement;
  readonly comment?: string;
}

/** One rule as it was applied: what it looked at, and what came of it. */
export interface RuleResult {
  /** Name of the rule. */
  readonly rule: string;
  /** `passed`: nothing against an answer without a person; `review`: a person decides; `not-applicable`: says nothing of this request. */
  readonly result: 'passed' | 'review' | 'not-applicable';
  /** Whether a policy can change it. */
  readonly isFixed: boolean;
  /** What was compared. Free of telephone numbers. */
  readonly inputs: Readonly<Record<string, string | number | boolean>>;
  /** In words. */
  readonly text: string;
}

/** How a decision came about: goes into the evidence. */
export interface PolicyTrace {
  readonly policyId: string;
  readonly directoryId?: string;
  /** In the order in which they were applied; all of them always are. */
  readonly rules: readonly RuleResult[];
}

/** Why a person is asked. */
export interface ReviewReason {
  readonly rule: string;
  readonly topic: ReviewTopic;
  readonly text: string;
}

/** What is to become of a request. */
export type PolicyDecision =
  | { readonly kind: 'automatic'; readonly draft: AnswerDraft; readonly trace: PolicyTrace }
  | {
      readonly kind: 'review';
      /** Of the weightiest reason. */
      readonly queue: string;
      /** Weightiest first; at least one. */
      readonly reasons: readonly ReviewReason[];
      /** What would be answered, where something would: for the person to look at. */
      readonly proposal?: AnswerDraft;
      readonly trace: PolicyTrace;
    };
