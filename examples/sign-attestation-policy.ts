import { AttestationPolicy, DEFAULT_ATTESTATION_POLICY } from '@hopback/sdk/stir';
import type { AttestationDecision } from '@hopback/sdk/stir';
import { isMain } from './lab.js';

/** The default rules, with one of our own before them: what comes from the laboratory is never signed. */
export function ownPolicy(): AttestationPolicy {
  return new AttestationPolicy({
    id: 'example-2',
    rules: [
      {
        id: 'laboratory',
        when: { trunk: ['lab-1', 'lab-2'] },
        attestation: 'do-not-sign',
        basis: 'Laboratory trunks carry test calls that nobody answers for.',
      },
      ...DEFAULT_ATTESTATION_POLICY.rules,
    ],
  });
}

/** A wholesale customer calls with a number that another provider assigned to them, which their delegate certificate shows. */
export function decideForWholesale(policy: AttestationPolicy): AttestationDecision {
  return policy.decide({
    role: 'originating',
    trunk: 'wholesale-7',
    customer: 'customer-31',
    customerKnown: true,
    callerAuthenticated: true,
    numberOwnership: 'delegated',
  });
}

if (isMain(import.meta.url)) {
  const { attestation, ruleId } = decideForWholesale(ownPolicy());
  console.log(attestation, ruleId); // A originating-full
}
