import { isHopbackError } from '@hopback/sdk/errors';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CALL_ROLES,
  CALL_SOURCES,
  createAttestationPolicy,
  decideAttestation,
  NO_RULE,
  NUMBER_OWNERSHIPS,
} from '../../sdk/src/stir/signing/index.js';
import type { AttestationFacts, AttestationPolicyData } from '../../sdk/src/stir/signing/index.js';

const policy = createAttestationPolicy();
const RANK = { A: 3, B: 2, C: 1, none: 0 } as const;

const facts = fc.record(
  {
    role: fc.constantFrom(...CALL_ROLES),
    trunk: fc.string(),
    customer: fc.string(),
    customerKnown: fc.boolean(),
    callerAuthenticated: fc.boolean(),
    numberOwnership: fc.constantFrom(...NUMBER_OWNERSHIPS),
    receivedFrom: fc.constantFrom(...CALL_SOURCES),
  },
  { requiredKeys: ['role'] },
);

test('always gives an answer with a basis, whatever the facts are', () => {
  fc.assert(
    fc.property(fc.oneof(facts, fc.anything()), (anything) => {
      const decision = decideAttestation(policy, anything as AttestationFacts);
      expect(decision.basis).not.toBe('');
      expect([...policy.rules.map(({ rule }) => rule.id), NO_RULE]).toContain(decision.ruleId);
      expect(decideAttestation(policy, anything as AttestationFacts)).toEqual(decision);
      expect(JSON.parse(JSON.stringify(decision))).toEqual(decision);
    }),
    { numRuns: 5_000 },
  );
});

test('attests no higher for knowing less', () => {
  const fact = fc.constantFrom('customerKnown', 'callerAuthenticated', 'numberOwnership', 'receivedFrom');
  fc.assert(
    fc.property(facts, fact, fc.anything(), (known, forgotten, scribble) => {
      const full = RANK[decideAttestation(policy, known).attestation];
      const { [forgotten]: _gone, ...less } = known as Record<string, unknown>;
      const misread = typeof scribble === 'object' ? { ...known, [forgotten]: scribble } : less;
      expect(RANK[decideAttestation(policy, less as unknown as AttestationFacts).attestation]).toBeLessThanOrEqual(
        full,
      );
      expect(RANK[decideAttestation(policy, misread as unknown as AttestationFacts).attestation]).toBeLessThanOrEqual(
        full,
      );
    }),
    { numRuns: 5_000 },
  );
});

const condition = fc.dictionary(
  fc.constantFrom('role', 'trunk', 'customerKnown', 'numberOwnership', 'receivedFrom', 'other'),
  fc.oneof(
    fc.constantFrom('gateway', 'owned', true, false, 'unknown'),
    fc.array(fc.constantFrom('gateway', 'owned', 'unknown')),
    fc.anything(),
  ),
);
const policyLike = fc.record({
  id: fc.oneof(fc.string(), fc.anything()),
  rules: fc.array(
    fc.record({
      id: fc.string({ minLength: 1 }),
      when: fc.oneof(condition, fc.anything()),
      attestation: fc.oneof(fc.constantFrom('A', 'B', 'C', 'do-not-sign'), fc.anything()),
      basis: fc.string(),
    }),
  ),
});

test('takes a policy or refuses it as invalid-configuration, and nothing that it takes gives A without its grounds', () => {
  fc.assert(
    fc.property(fc.oneof(policyLike, fc.anything()), facts, (data, known) => {
      try {
        const own = createAttestationPolicy(data as AttestationPolicyData);
        const decision = decideAttestation(own, known);
        if (decision.attestation === 'A') expect(decision.facts).toMatchObject({ customerKnown: true });
      } catch (error) {
        if (!isHopbackError(error)) throw error;
        expect(error.code).toBe('invalid-configuration');
      }
    }),
    { numRuns: 5_000 },
  );
});
