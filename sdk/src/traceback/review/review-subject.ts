import type { TracebackAnswer } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { MatchCandidate, MatchOutcome } from '../match-outcome.js';
import type { PolicyDecision } from '../policy/policy-decision.js';

/** A request as it stands, with everything that a person decides about. */
export interface ReviewSubject {
  readonly request: TracebackRequest;
  readonly state: string;
  /** Milliseconds since the epoch. */
  readonly dueAtMs: number;
  readonly outcome?: MatchOutcome;
  readonly decision?: PolicyDecision;
  /** Sources that had to be complete, beside those whose coverage the outcome names. */
  readonly sources?: readonly string[];
  /** What was answered, first revision first. */
  readonly answers: readonly GivenAnswer[];
}

/** An answer that was signed, and how far it has come. */
export interface GivenAnswer {
  readonly answer: TracebackAnswer;
  readonly delivery: string;
  /** Why the platform will not have it, or what is wrong with its receipt. */
  readonly detail?: string;
}

/**
 * By what a call is named: the id of the record by which it came in. The group is no name: a call that crosses the carrier twice is two
 * calls of one group, each from another upstream.
 */
export function candidateId({ ingressLeg }: MatchCandidate): string {
  return ingressLeg.recordId;
}

/** The calls of an outcome that may be meant, best first. */
export function candidatesOf(outcome: MatchOutcome | undefined): readonly MatchCandidate[] {
  if (outcome?.status === 'unique') return [outcome.candidate, ...outcome.others];
  return outcome?.status === 'several' ? outcome.candidates : [];
}

/** Those of them that nothing which was stated speaks against, as far as their records say. */
export function fittingOf(outcome: MatchOutcome | undefined): readonly MatchCandidate[] {
  return candidatesOf(outcome).filter(({ reasons }) => reasons.every(({ verdict }) => verdict !== 'contradicts'));
}
