import { isHopbackError } from '@hopback/sdk/errors';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CALL_ROLES,
  CALL_SOURCES,
  AttestationPolicy,
  NO_RULE,
  NUMBER_OWNERSHIPS,
} from '../../sdk/src/stir/signing/attestation-policy.js';
import type { AttestationFacts, AttestationPolicyData } from '../../sdk/src/stir/signing/attestation-policy.js';
import { forAll } from '../support/for-all.js';

const policy = new AttestationPolicy();
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
  forAll([fc.oneof(facts, fc.anything())], 5_000, (anything) => {
    const decision = policy.decide(anything as AttestationFacts);
    expect(decision.basis).not.toBe('');
    expect([...policy.rules.map(({ id }) => id), NO_RULE]).toContain(decision.ruleId);
    expect(policy.decide(anything as AttestationFacts)).toEqual(decision);
    expect(JSON.parse(JSON.stringify(decision))).toEqual(decision);
  });
});

test('attests no higher for knowing less', () => {
  const fact = fc.constantFrom('customerKnown', 'callerAuthenticated', 'numberOwnership', 'receivedFrom');
  forAll([facts, fact, fc.anything()], 5_000, (known, forgotten, scribble) => {
    const rank = (told: object): number => RANK[policy.decide(told as AttestationFacts).attestation];
    const { [forgotten]: _gone, ...less } = known as Record<string, unknown>;
    const misread = typeof scribble === 'object' ? { ...known, [forgotten]: scribble } : less;
    expect(Math.max(rank(less), rank(misread))).toBeLessThanOrEqual(rank(known));
  });
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

/** Rules that give A or B for some facts, sound or not. */
const generous = fc
  .array(
    fc.record({
      attestation: fc.constantFrom('A', 'B'),
      when: fc.record(
        {
          role: fc.oneof(fc.constantFrom(...CALL_ROLES), fc.subarray([...CALL_ROLES], { minLength: 1 })),
          customerKnown: fc.boolean(),
          callerAuthenticated: fc.boolean(),
          numberOwnership: fc.subarray([...NUMBER_OWNERSHIPS], { minLength: 1 }),
        },
        { requiredKeys: [] },
      ),
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((rules) => ({
    id: 'generous',
    rules: rules.map((rule, at) => ({ id: String(at), basis: 'Because.', ...rule })),
  }));

test('takes a policy or refuses it as invalid-configuration, and nothing that it takes gives A or B without grounds', () => {
  let taken = 0;
  forAll([fc.oneof(policyLike, generous, fc.anything()), facts], 5_000, (data, known) => {
    try {
      const own = new AttestationPolicy(data as AttestationPolicyData);
      const decision = own.decide(known);
      taken += 1;
      if (decision.attestation !== 'A' && decision.attestation !== 'B') return;
      expect(decision.facts).toMatchObject({ role: 'originating', customerKnown: true, callerAuthenticated: true });
      if (decision.attestation === 'A') {
        expect(['owned', 'delegated', 'verified-by-letter']).toContain(decision.facts.numberOwnership);
      }
    } catch (error) {
      if (!isHopbackError(error)) throw error;
      expect(error.code).toBe('invalid-configuration');
    }
  });
  expect(taken).toBeGreaterThan(0);
});
