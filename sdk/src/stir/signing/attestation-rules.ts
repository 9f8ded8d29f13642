import type { Attestation } from '../../core/terms.js';
import { deepFreeze } from './deep-freeze.js';
import type { CallRole, CallSource, NumberOwnership } from './attestation-facts.js';

/** When a rule applies: every fact named here must have the value, or one of the values. An empty condition always applies. */
export interface AttestationCondition {
  /** Rules for A and B need exactly `originating`. */
  readonly role?: CallRole | readonly CallRole[];
  /** Names, each at most {@link MAX_NAME_CHARS} characters. */
  readonly trunk?: string | readonly string[];
  /** Names, each at most {@link MAX_NAME_CHARS} characters. */
  readonly customer?: string | readonly string[];
  /** Rules for A and B need `true`. */
  readonly customerKnown?: boolean;
  /** Rules for A and B need `true`. */
  readonly callerAuthenticated?: boolean;
  /** Rules for A need some of `owned`, `delegated` and `verified-by-letter`, and nothing else. */
  readonly numberOwnership?: NumberOwnership | readonly NumberOwnership[];
  /** From whom the call came in. */
  readonly receivedFrom?: CallSource | readonly CallSource[];
}

/** One line of an attestation policy. */
export interface AttestationRule {
  /** Name that records refer to, unique within the policy. */
  readonly id: string;
  /** When the rule applies. */
  readonly when: AttestationCondition;
  /** What it gives. No request can override `do-not-sign`. */
  readonly attestation: Attestation | 'do-not-sign';
  /** Why, in a sentence that can be shown to a regulator; at most {@link MAX_BASIS_CHARS} characters. */
  readonly basis: string;
}

/**
 * Whether a request may bring its own attestation, with its reason: not at all; up to the level that the rules give; or as it
 * likes, where the provider has decided elsewhere and the rules are only noted beside it. A rule that says `do-not-sign` stands, and
 * so do facts that speak against the level: another role than `originating`, a number known not to be the caller's.
 */
export type ExplicitAttestation = 'refused' | 'at-most-rule' | 'permitted';

/** How a provider attests, as data: it can be stored, compared and shown. */
export interface AttestationPolicyData {
  /** Name and version, for the records. */
  readonly id: string;
  /** Looked through in order; the first that applies decides. Where none does, the call is not signed. */
  readonly rules: readonly AttestationRule[];
  /** Default `refused`. */
  readonly explicitAttestation?: ExplicitAttestation;
}

/**
 * Attestation as ATIS-1000074 defines it: A for a known customer with a right to the number, B for a known customer, C for a
 * call that only passes in. Gateways sign what comes unsigned, intermediates only what comes directly from the originating
 * provider, and whoever terminates a call verifies instead.
 * @see ATIS-1000074 section 5.2.3, 47 CFR 64.6301 and 64.6302
 */
export const DEFAULT_ATTESTATION_POLICY: AttestationPolicyData = deepFreeze({
  id: 'hopback-default-1',
  rules: [
    {
      id: 'originating-full',
      when: {
        role: 'originating',
        customerKnown: true,
        callerAuthenticated: true,
        numberOwnership: ['owned', 'delegated', 'verified-by-letter'],
      },
      attestation: 'A',
      basis:
        'The customer is known, the call is authenticated as theirs, and their right to the number is established.',
    },
    {
      id: 'originating-partial',
      when: { role: 'originating', customerKnown: true, callerAuthenticated: true },
      attestation: 'B',
      basis:
        'The customer is known and the call is authenticated as theirs, but their right to the number is not established.',
    },
    {
      id: 'originating-unidentified',
      when: { role: 'originating' },
      attestation: 'C',
      basis: 'The provider originates the call but cannot tell for which customer.',
    },
    {
      id: 'gateway',
      when: { role: 'gateway' },
      attestation: 'C',
      basis:
        'The provider is the point where the unsigned call enters the network and has no relationship with its caller.',
    },
    {
      id: 'intermediate-from-originating',
      when: { role: 'intermediate', receivedFrom: 'originating-provider' },
      attestation: 'C',
      basis: 'The unsigned call was received directly from the provider that originated it.',
    },
    {
      id: 'intermediate-other',
      when: { role: 'intermediate' },
      attestation: 'do-not-sign',
      basis: 'An intermediate provider passes a call on as it came unless it has it from the originating provider.',
    },
    {
      id: 'terminating',
      when: { role: 'terminating' },
      attestation: 'do-not-sign',
      basis: 'The provider that terminates a call verifies it and attests to nothing.',
    },
  ],
});
