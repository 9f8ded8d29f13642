import type { Attestation } from '../../core/terms.js';
import { completeFacts } from './attestation-facts.js';
import type { AttestationFacts, CompleteAttestationFacts } from './attestation-facts.js';
import { DEFAULT_ATTESTATION_POLICY } from './attestation-rules.js';
import type {
  AttestationCondition,
  AttestationPolicyData,
  AttestationRule,
  ExplicitAttestation,
} from './attestation-rules.js';
import { checkAttestationPolicy } from './check-attestation-policy.js';
import { deepFreeze } from './deep-freeze.js';

/** A policy whose data was checked: made by {@link createAttestationPolicy} alone. */
export interface AttestationPolicy {
  /** Name and version, as in the data. */
  readonly id: string;
  /** In the order in which they are looked through. */
  readonly rules: readonly PreparedAttestationRule[];
  /** Whether requests may bring a level of their own. */
  readonly explicitAttestation: ExplicitAttestation;
}

/** A rule of a checked policy, its condition taken apart. */
export interface PreparedAttestationRule {
  /** The rule as it was given. */
  readonly rule: AttestationRule;
  /** All must hold. */
  readonly tests: readonly {
    readonly fact: keyof AttestationCondition;
    /** Whether the fact may have this value. */
    readonly permits: (value: unknown) => boolean;
  }[];
  /** The facts of the tests. */
  readonly decidedOn: readonly (keyof AttestationCondition)[];
}

/** What a policy says of a call, and why. */
export interface AttestationDecision {
  /** `none`: the call is not to be signed. */
  readonly attestation: Attestation | 'none';
  /** `id` of the policy. */
  readonly policyId: string;
  /** The rule that applied; `no-rule` where none did. */
  readonly ruleId: string;
  /** The reason that the rule gives. */
  readonly basis: string;
  /** Names of the facts that the rule looked at. */
  readonly decidedOn: readonly (keyof AttestationCondition)[];
  /** All facts, as they were taken. */
  readonly facts: CompleteAttestationFacts;
}

/** `ruleId` of a decision that no rule made. */
export const NO_RULE = 'no-rule';

/**
 * Checks the data of a policy and makes it ready for use. Refused are unknown names and values, rules that can never apply, and
 * an A or B that does not ask for the facts that the level stands for.
 * @param data - the policy, at most {@link MAX_ATTESTATION_RULES} rules; default {@link DEFAULT_ATTESTATION_POLICY}
 * @returns the policy, a frozen copy
 * @throws {@link HopbackError} `invalid-configuration`, with `details.ruleIndex` (from 0) where a rule is wrong
 * @see ATIS-1000074 section 5.2.3
 * @example
 * ```ts
 * const policy = createAttestationPolicy({
 *   id: 'example-2',
 *   rules: [
 *     { id: 'laboratory', when: { trunk: 'lab-1' }, attestation: 'do-not-sign', basis: 'Nobody answers for test calls.' },
 *     ...DEFAULT_ATTESTATION_POLICY.rules,
 *   ],
 * });
 * console.log(decideAttestation(policy, { role: 'gateway', trunk: 'lab-1' }).attestation); // none
 * ```
 */
export function createAttestationPolicy(data: AttestationPolicyData = DEFAULT_ATTESTATION_POLICY): AttestationPolicy {
  checkAttestationPolicy(data);
  // A copy of its own, and frozen, so that no later change to what was handed in or out can slip past the check.
  const own = structuredClone(data);
  return deepFreeze({
    id: own.id,
    rules: own.rules.map(prepare),
    explicitAttestation: own.explicitAttestation ?? 'refused',
  });
}

/**
 * Decides how a call is attested. Pure and total: the same facts always give the same answer, and facts that are missing or
 * misspelled count as not known.
 * @param policy - from {@link createAttestationPolicy}
 * @param facts - what is known of the call; may be anything
 * @returns level, rule and basis; `none` where the call is not to be signed; never throws
 * @see ATIS-1000074 section 5.2.3, 47 CFR 64.6301
 * @example
 * ```ts
 * const decision = decideAttestation(createAttestationPolicy(), {
 *   role: 'originating',
 *   customerKnown: true,
 *   callerAuthenticated: true,
 *   numberOwnership: 'owned',
 * });
 * console.log(decision.attestation, decision.ruleId); // A originating-full
 * ```
 */
export function decideAttestation(policy: AttestationPolicy, facts: AttestationFacts): AttestationDecision {
  const complete = completeFacts(facts);
  for (const { rule, tests, decidedOn } of policy.rules) {
    if (!applies(tests, complete)) continue;
    const attestation = rule.attestation === 'do-not-sign' ? 'none' : rule.attestation;
    return { attestation, policyId: policy.id, ruleId: rule.id, basis: rule.basis, decidedOn, facts: complete };
  }
  return {
    attestation: 'none',
    policyId: policy.id,
    ruleId: NO_RULE,
    basis: NO_RULE_BASIS,
    decidedOn: [],
    facts: complete,
  };
}

const NO_RULE_BASIS = 'No rule of the policy applies to the call.';

function prepare(rule: AttestationRule): PreparedAttestationRule {
  const tests = Object.entries(rule.when).map(([fact, value]) => {
    // Behind a function, since a set cannot be frozen.
    const values = new Set<unknown>(Array.isArray(value) ? value : [value]);
    return { fact: fact as keyof AttestationCondition, permits: (actual: unknown) => values.has(actual) };
  });
  return { rule, tests, decidedOn: tests.map(({ fact }) => fact) };
}

function applies(tests: PreparedAttestationRule['tests'], facts: CompleteAttestationFacts): boolean {
  for (const { fact, permits } of tests) {
    if (!permits(facts[fact])) return false;
  }
  return true;
}
