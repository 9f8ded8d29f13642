import { draftOfOutcome } from './draft-answer.js';
import type { PolicyDecision, ReviewReason, RuleResult } from './policy-decision.js';
import type { PolicyInput } from './policy-input.js';
import { POLICY_RULES } from './policy-rules.js';
import type { RuleContext } from './policy-rule.js';
import type { ReviewTopic } from './traceback-policy.js';

/**
 * Decides what becomes of a request: answered without a person, or handed to one, and why. All rules are applied, and one that says so is
 * enough for a person to be asked. Pure; never throws.
 * @param input - the request, what was found, the policy and what it goes by
 * @returns the answer to give, or the reasons and what would be answered; with every rule, what it looked at and what came of it
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const policy = readTracebackPolicy({ policyId: 'example-1' });
 * const directory = createTrunkDirectory({ directoryId: 'trunks-7', providers: [], entries: [] });
 * const us = { name: 'Example Telecom LLC', ocn: '0001' };
 * const request: TracebackRequest = {
 *   format: 'hopback.traceback-request.1', requestId: 'r-1', tracebackId: 't-1', direction: 'back', hop: 2,
 *   requester: { kind: 'itg', name: 'Industry Traceback Group' }, issuedAt: '2026-11-02T15:00:00Z', provider: us,
 *   downstream: { name: 'Example Wholesale Inc' },
 *   call: { called: '+12025550101', at: { asWritten: '11/2/2026 9:41 AM EST', local: '2026-11-02T09:41', zone: '-05:00', precision: 'minute' } },
 * };
 * const search = { windows: [], keys: ['called'], coverage: [], recordsConsidered: 0 };
 * const outcome: MatchOutcome = { status: 'gap', gaps: [], search };
 * const decision = decideTraceback({
 *   request, outcome, provider: us, policy, directory, hold: 'none', sources: [], nowUs: 1_793_631_600_000_000,
 * });
 * if (decision.kind === 'review') console.log(decision.queue, decision.reasons[0]?.text); // traceback records of that time are missing
 * ```
 */
export function decideTraceback(input: PolicyInput): PolicyDecision {
  const { request, outcome, policy, directory } = input;
  const draft = outcome === undefined ? undefined : draftOfOutcome(outcome, { request, policy });
  const context: RuleContext = {
    ...input,
    ...candidateOf(outcome),
    ...(outcome === undefined || outcome.status === 'unreadable' ? {} : { search: outcome.search }),
    ...(draft === undefined ? {} : { draft }),
  };
  const rules: RuleResult[] = [];
  const reasons: ReviewReason[] = [];
  for (const { rule, topic, isFixed, apply } of POLICY_RULES) {
    const finding = apply(context);
    const { result, inputs, text } = finding;
    rules.push({ rule, result, isFixed, inputs, text });
    if (result === 'review') reasons.push({ rule, topic: finding.topic ?? topic, text });
  }
  const { directoryId } = directory;
  const trace = { policyId: policy.policyId, ...(directoryId === undefined ? {} : { directoryId }), rules };
  if (reasons.length === 0 && draft !== undefined) return { kind: 'automatic', draft, trace };
  const weighed = reasons.toSorted((one, other) => WEIGHTS[one.topic] - WEIGHTS[other.topic]);
  const queue = policy.queues[weighed[0]?.topic ?? 'policy'];
  return { kind: 'review', queue, reasons: weighed, ...(draft === undefined ? {} : { proposal: draft }), trace };
}

function candidateOf(outcome: PolicyInput['outcome']): Pick<RuleContext, 'candidate'> {
  if (outcome?.status === 'unique') return { candidate: outcome.candidate };
  return outcome?.status === 'several' && outcome.disputed !== undefined ? { candidate: outcome.disputed } : {};
}

/** Which reason says whose work it is: counsel first, and what the policy merely keeps for a person last. */
const WEIGHTS: Readonly<Record<ReviewTopic, number>> = {
  legal: 0,
  records: 1,
  match: 2,
  directory: 3,
  customer: 4,
  policy: 5,
};
