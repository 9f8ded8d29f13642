import type { TracebackFinding } from '../../core/traceback-request.js';
import type { MatchCandidate } from '../match-outcome.js';
import { answeredCall, customerStatement, NOTHING_SEARCHED, searchStatement } from '../policy/draft-answer.js';
import type { AnswerDraft } from '../policy/policy-decision.js';
import type { TracebackPolicyData } from '../policy/traceback-policy.js';
import { utcText } from '../utc-text.js';
import { membersLeftOut } from './decision-members.js';
import { decisionWarnings } from './decision-warnings.js';
import type { DecisionChoice, DecisionContext } from './decision-warnings.js';
import type { ReviewDecision } from './review-decision.js';
import { candidateId, candidatesOf, fittingOf } from './review-subject.js';
import type { ReviewSubject } from './review-subject.js';
import { CALL_ARMS } from './review-warnings.js';

/** Why a decision cannot be carried out. */
export interface DecisionProblem {
  /** Member of the decision, or name of the warning. */
  readonly about: string;
  readonly text: string;
  /** Whether `despite` with this name lets the answer be given all the same. */
  readonly isConfirmable?: boolean;
}

/** What a decision leads to. */
export type DecisionOutcome =
  | {
      readonly status: 'accepted';
      readonly draft: AnswerDraft;
      /** The call that was chosen. */
      readonly candidate?: MatchCandidate;
      /** What the person decided in spite of. */
      readonly despite: readonly string[];
    }
  | { readonly status: 'refused'; readonly problems: readonly DecisionProblem[] };

/**
 * Makes the answer that a person has decided on, or says why it cannot be given: an arm that the records do not bear, a call that is none of the
 * candidates, something that has to be said and was not, or a warning that was not confirmed. Pure; never throws.
 * @param decision - as handed in by the command line, the page or the portal
 * @param subject - the request as it stands
 * @param context - policy, directory, and who answers
 * @returns the answer but for its ids, or all that is wrong with the decision
 * @see {@link reviewOf} for what the person saw
 * @example
 * ```ts
 * const request: TracebackRequest = {
 *   format: 'hopback.traceback-request.1', requestId: 'r-1', tracebackId: 't-1', direction: 'back', hop: 1,
 *   requester: { kind: 'itg', name: 'Industry Traceback Group' }, issuedAt: '2026-11-02T15:00:00Z', provider: { name: 'Example LLC' },
 *   call: { called: '+12025550101', at: { asWritten: '11/2/2026 9:41 AM', local: '2026-11-02T09:41', precision: 'minute' } },
 * };
 * const decision: ReviewDecision = {
 *   format: 'hopback.review-decision.1', decisionId: 'd-1', requestId: 'r-1', by: 'duty engineer', decidedAt: '2026-11-02T16:00:00Z',
 *   arm: 'refused',
 * };
 * const directory = createTrunkDirectory({ directoryId: 'd', providers: [], entries: [] });
 * const context = { policy: DEFAULT_TRACEBACK_POLICY, directory, provider: { name: 'Example LLC' } };
 * const outcome = answerOfDecision(decision, { request, state: 'review', dueAtMs: 0, answers: [] }, context);
 * if (outcome.status === 'refused') console.log(outcome.problems[0]?.text); // a refusal needs its reason
 * ```
 */
export function answerOfDecision(
  decision: ReviewDecision,
  subject: ReviewSubject,
  context: DecisionContext,
): DecisionOutcome {
  const problems: DecisionProblem[] = [];
  const candidates = candidatesOf(subject.outcome);
  const named = candidates.filter((one) => candidateId(one) === decision.candidate);
  // A name of two calls names neither of them.
  const candidate = named.length === 1 ? named[0] : undefined;
  problems.push(...standProblems(decision, subject), ...memberProblems(decision));
  if (decision.candidate !== undefined && candidate === undefined)
    problems.push({ about: 'candidate', text: 'it is none of the calls that were found' });
  if (CALL_ARMS.has(decision.arm) && candidates.length > 0 && decision.candidate === undefined)
    problems.push({ about: 'candidate', text: 'say which call it was' });
  const finding = findingOf(decision, { ...context, subject, candidate });
  if ('text' in finding) problems.push(finding);
  const warnings = decisionWarnings(decision, { ...context, subject, candidate });
  const confirmed = new Set(decision.despite);
  for (const { name, text, isFinal } of warnings) {
    if (isFinal) problems.push({ about: name, text });
    else if (!confirmed.has(name))
      problems.push({ about: name, text: `${text}: confirm it to answer all the same`, isConfirmable: true });
  }
  if (problems.length > 0 || 'text' in finding) return { status: 'refused', problems };
  return {
    status: 'accepted',
    draft: draftOf(decision, { finding, subject, candidate, policy: context.policy }),
    ...(candidate === undefined ? {} : { candidate }),
    despite: warnings.map(({ name }) => name),
  };
}

function standProblems(
  decision: ReviewDecision,
  { request, state, answers }: ReviewSubject,
): readonly DecisionProblem[] {
  const problems: DecisionProblem[] = [];
  if (decision.requestId !== request.requestId)
    problems.push({ about: 'requestId', text: 'the decision is about another request' });
  if (state === 'cancelled') problems.push({ about: 'state', text: 'the request is no longer asked' });
  if (answers.length > 0 && decision.amendReason === undefined)
    problems.push({ about: 'amendReason', text: 'there is an answer: say why it is amended' });
  if (answers.length === 0 && decision.amendReason !== undefined)
    problems.push({ about: 'amendReason', text: 'there is no answer yet that could be amended' });
  return problems;
}

/** What would be left out of the answer was meant to be in it. */
function memberProblems(decision: ReviewDecision): readonly DecisionProblem[] {
  return membersLeftOut(decision).map((about) => ({ about, text: `it is no part of an answer "${decision.arm}"` }));
}

function findingOf(decision: ReviewDecision, chosen: DecisionChoice): TracebackFinding | DecisionProblem {
  const { arm } = decision;
  const { subject, candidate, policy } = chosen;
  const party = candidate?.upstream;
  switch (arm) {
    case 'received-from': {
      const upstream = decision.provider ?? (party?.kind === 'provider' ? party.provider : undefined);
      return upstream === undefined ? missing('provider', 'say which provider sent the call') : { arm, upstream };
    }
    case 'received-from-unlisted':
    case 'point-of-entry': {
      const kind = arm === 'point-of-entry' ? 'foreign-provider' : 'unlisted-provider';
      const upstream = decision.contact ?? (party?.kind === kind ? party.contact : undefined);
      return upstream === undefined
        ? missing('contact', 'say who sent the call, and how they are reached')
        : { arm, upstream };
    }
    case 'origin': {
      const customerId = decision.customer?.customerId ?? (party?.kind === 'customer' ? party.customerId : undefined);
      // What a person says is said beside what is on file of that customer.
      return { arm, customer: { ...customerStatement(customerId, policy.customers), ...decision.customer } };
    }
    case 'serves-number':
      return decision.customer === undefined
        ? missing('customer', 'say what may be said of the customer')
        : { arm, customer: decision.customer };
    case 'number-served-by':
      return decision.provider === undefined
        ? missing('provider', 'say which provider serves the number')
        : { arm, provider: decision.provider };
    case 'refused':
      return decision.reason === undefined || decision.reason.trim() === ''
        ? missing('reason', 'a refusal needs its reason')
        : { arm, reason: decision.reason };
    case 'not-sent-to-downstream':
      return subject.request.downstream === undefined
        ? missing('nobody-named-us', 'no provider named us')
        : { arm, downstream: subject.request.downstream };
    default:
      return plainFinding(arm, subject);
  }
}

/** Arms that say nothing but what the search found. */
function plainFinding(
  arm: 'not-found' | 'not-retained' | 'not-our-number' | 'ambiguous',
  { outcome, decision }: ReviewSubject,
): TracebackFinding | DecisionProblem {
  if (arm === 'ambiguous') return { arm, candidates: fittingOf(outcome).length };
  if (arm !== 'not-retained') return { arm };
  const drafted = decision?.kind === 'review' ? decision.proposal : decision?.draft;
  if (drafted?.finding.arm === 'not-retained') return drafted.finding;
  if (outcome?.status === 'several' && outcome.retainedFromUs !== undefined)
    return { arm, retainedFrom: utcText(outcome.retainedFromUs) };
  return missing('retention-unknown', 'from when on records are kept is not known');
}

function missing(about: string, text: string): DecisionProblem {
  return { about, text };
}

function draftOf(
  { comment, upstreamAction }: ReviewDecision,
  parts: {
    readonly finding: TracebackFinding;
    readonly subject: ReviewSubject;
    readonly candidate: MatchCandidate | undefined;
    readonly policy: TracebackPolicyData;
  },
): AnswerDraft {
  const { finding, subject, candidate, policy } = parts;
  const { outcome } = subject;
  const searched =
    outcome === undefined || outcome.status === 'unreadable' ? NOTHING_SEARCHED : searchStatement(outcome.search);
  return {
    finding,
    ...(candidate === undefined ? {} : { call: answeredCall(candidate, policy.answer) }),
    ...(upstreamAction === undefined ? {} : { upstreamAction }),
    searched,
    ...(comment === undefined ? {} : { comment }),
  };
}
