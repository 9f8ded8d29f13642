import type { Attestation } from '../../core/terms.js';
import { NUMBER_OWNERSHIPS } from './attestation-facts.js';
import { NO_RULE } from './attestation-policy.js';
import type { AttestationDecision, AttestationPolicy } from './attestation-policy.js';
import type { AttestationRecord } from './attestation-record.js';
import { MAX_BASIS_CHARS } from './check-attestation-policy.js';
import { notSigned, refused } from './signing-outcome.js';
import type { NotSigned, RefusedSigning } from './signing-outcome.js';
import type { SigningRequest } from './signing-request.js';

/** The level that a call is signed with, who set it and why; or that it is not signed. */
export type AttestationLevel =
  | {
      readonly status: 'decided';
      readonly attestation: Attestation;
      readonly decidedBy: AttestationRecord['decidedBy'];
      readonly basis: string;
    }
  | NotSigned
  | RefusedSigning;

/**
 * The level of the policy, or of the request where the policy gives way to it. Whoever brings a level of their own says what it
 * rests on; no request signs what a rule leaves unsigned, nor A or B against the facts that it brings along.
 * @param request - may have `attestation` and `attestationBasis`
 * @param decision - of the policy, for the facts of the request
 * @param policy - says whether requests may bring a level
 * @returns the level, or why there is none; never throws
 * @see ATIS-1000074 section 5.2.3
 */
export function attestationLevel(
  request: SigningRequest,
  decision: AttestationDecision,
  policy: AttestationPolicy,
): AttestationLevel {
  const asked = request.attestation;
  if (asked === undefined) {
    if (decision.attestation === 'none') return leftByPolicy(decision);
    const { attestation, basis } = decision;
    return { status: 'decided', attestation, decidedBy: 'policy', basis };
  }
  if (asked !== 'A' && asked !== 'B' && asked !== 'C') {
    return refused('request-invalid', 'The attestation asked for is none of A, B and C.');
  }
  const refusal = notPermitted(asked, request, { decision, policy });
  if (refusal !== undefined) return refusal;
  const basis: unknown = request.attestationBasis;
  if (typeof basis !== 'string' || basis.trim() === '' || basis.length > MAX_BASIS_CHARS) {
    const expected = `attestationBasis, a sentence of at most ${String(MAX_BASIS_CHARS)} characters`;
    return refused('attestation-basis-missing', 'An attestation of the request needs its reason.', { expected });
  }
  return { status: 'decided', attestation: asked, decidedBy: 'request', basis };
}

/** From the most to the least that is attested. */
const RANK: Readonly<Record<Attestation | 'none', number>> = { A: 3, B: 2, C: 1, none: 0 };

const leftByPolicy = (decision: AttestationDecision): NotSigned => ({
  ...notSigned('policy', decision.basis),
  decision,
});

interface PolicyAnswer {
  readonly decision: AttestationDecision;
  readonly policy: AttestationPolicy;
}

function notPermitted(
  asked: Attestation,
  request: SigningRequest,
  { decision, policy }: PolicyAnswer,
): NotSigned | RefusedSigning | undefined {
  const values = { expected: decision.attestation, actual: asked };
  if (policy.explicitAttestation === 'refused') {
    return refused('attestation-not-permitted', 'The policy lets no request bring its own attestation.', values);
  }
  if (policy.explicitAttestation === 'at-most-rule') {
    return RANK[asked] > RANK[decision.attestation]
      ? refused('attestation-not-permitted', 'The request asks for more than the policy gives.', values)
      : undefined;
  }
  // A rule that forbids a signature is not a level that could be set otherwise. Where no rule applies, nothing is forbidden.
  if (decision.attestation === 'none' && decision.ruleId !== NO_RULE) return leftByPolicy(decision);
  const against = contradiction(asked, request.facts);
  return against === undefined
    ? undefined
    : refused('attestation-not-permitted', 'The facts of the request speak against its attestation.', against);
}

/** Facts as they were brought, since one that is misspelled must not count as left out. */
function contradiction(
  asked: Attestation,
  facts: unknown,
): { readonly expected: string; readonly actual: string } | undefined {
  if (asked === 'C' || typeof facts !== 'object' || facts === null) return undefined;
  const { role, numberOwnership } = facts as { readonly role?: unknown; readonly numberOwnership?: unknown };
  if (role !== undefined && role !== 'originating') {
    return { expected: 'role originating', actual: 'another role' };
  }
  const hasNoRight = numberOwnership === 'not-owned' || !OWNERSHIP_WORDS.has(numberOwnership);
  return asked === 'A' && hasNoRight
    ? { expected: 'a right to the calling number', actual: 'numberOwnership speaks against it' }
    : undefined;
}

const OWNERSHIP_WORDS: ReadonlySet<unknown> = new Set([undefined, ...NUMBER_OWNERSHIPS]);
