import type { MatchCandidate, MatchSearch } from '../match-outcome.js';
import type { AnswerDraft, RuleResult } from './policy-decision.js';
import type { PolicyInput } from './policy-input.js';
import type { ReviewTopic } from './traceback-policy.js';

/** What rules look at. */
export interface RuleContext extends PolicyInput {
  /** The one call that fits, where there is one. */
  readonly candidate?: MatchCandidate;
  readonly search?: MatchSearch;
  /** What would be answered. */
  readonly draft?: AnswerDraft;
}

/** What a rule found. */
export type RuleFinding = Pick<RuleResult, 'result' | 'inputs' | 'text'> & {
  /** Where the topic is another than that of the rule. */
  readonly topic?: ReviewTopic;
};

/** One rule: a step of the decision. */
export interface PolicyRule {
  readonly rule: string;
  readonly topic: ReviewTopic;
  /** Whether it holds whatever a policy says. */
  readonly isFixed: boolean;
  readonly apply: (context: RuleContext) => RuleFinding;
}

type Inputs = RuleResult['inputs'];

/** It holds. */
export const passed = (text: string, inputs: Inputs = {}): RuleFinding => ({ result: 'passed', inputs, text });
/** A person decides. */
export const review = (text: string, inputs: Inputs = {}): RuleFinding => ({ result: 'review', inputs, text });
/** It is not asked. */
export const SAYS_NOTHING: RuleFinding = Object.freeze({
  result: 'not-applicable',
  inputs: Object.freeze({}),
  text: 'says nothing of this request',
});

/** A rule that is asked only where one call was found. */
export const ofCandidate =
  (apply: (candidate: MatchCandidate, context: RuleContext) => RuleFinding): PolicyRule['apply'] =>
  (context) =>
    context.candidate === undefined ? SAYS_NOTHING : apply(context.candidate, context);

/** A rule that is asked only where "not found" would be answered. */
export const ofNotFound =
  (apply: (search: MatchSearch, context: RuleContext) => RuleFinding): PolicyRule['apply'] =>
  (context) =>
    context.outcome?.status === 'none-but-covered' ? apply(context.outcome.search, context) : SAYS_NOTHING;

/** A rule that holds whatever a policy says. */
export const fixed = (rule: string, topic: ReviewTopic, apply: PolicyRule['apply']): PolicyRule => ({
  rule,
  topic,
  isFixed: true,
  apply,
});
/** A rule that a policy may loosen. */
export const bySetting = (rule: string, topic: ReviewTopic, apply: PolicyRule['apply']): PolicyRule => ({
  rule,
  topic,
  isFixed: false,
  apply,
});
