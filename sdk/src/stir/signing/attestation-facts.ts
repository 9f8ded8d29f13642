import type { Draft } from '../../core/draft.js';

/** What a provider is to a call on one trunk. @see 47 CFR 64.6300 */
export type CallRole = 'originating' | 'gateway' | 'intermediate' | 'terminating';

/** What the provider knows of the caller's right to the calling number. @see ATIS-1000074 section 5.2.3 */
export type NumberOwnership =
  /** The provider assigned the number to this customer. */
  | 'owned'
  /** Another provider assigned it, and a delegate certificate or token shows it. */
  | 'delegated'
  /** The customer proved it on paper: letter of authorization, invoice, call-back. */
  | 'verified-by-letter'
  | 'unknown'
  /** Known not to be the caller's. */
  | 'not-owned';

/** From whom the call was received. */
export type CallSource =
  | 'customer'
  /** Directly from the provider that originated it (47 CFR 64.6302). */
  | 'originating-provider'
  | 'intermediate-provider'
  | 'foreign-provider'
  | 'unknown';

/** What a provider knows of a call when it decides how to attest. What is left out counts as not known. */
export interface AttestationFacts {
  /** What the provider is to this call. */
  readonly role: CallRole;
  /** Name of the trunk or trunk group, for rules about it; at most {@link MAX_NAME_CHARS} characters. */
  readonly trunk?: string;
  /** The provider's own name for the customer, for rules and the record; at most {@link MAX_NAME_CHARS} characters. */
  readonly customer?: string;
  /** There is a direct relationship with the customer, who can be identified. Default false. */
  readonly customerKnown?: boolean;
  /** This call was shown to come from that customer: registration, mutual TLS, a trunk of theirs alone. Default false. */
  readonly callerAuthenticated?: boolean;
  /** What is known of the caller's right to the number. Default `unknown`. */
  readonly numberOwnership?: NumberOwnership;
  /** From whom the call came in. Default `unknown`. */
  readonly receivedFrom?: CallSource;
}

/** Facts with nothing left open, as rules see them and records keep them. */
export interface CompleteAttestationFacts {
  /** `unknown` when what was given is no role; no rule that names a role then matches. */
  readonly role: CallRole | 'unknown';
  /** Left out when what was given is no name. */
  readonly trunk?: string;
  /** Left out when what was given is no name. */
  readonly customer?: string;
  /** `true` only where exactly that was given. */
  readonly customerKnown: boolean;
  /** `true` only where exactly that was given. */
  readonly callerAuthenticated: boolean;
  /** `unknown` when what was given is none. */
  readonly numberOwnership: NumberOwnership;
  /** `unknown` when what was given is none. */
  readonly receivedFrom: CallSource;
}

/** Longest name of a trunk, customer, rule or policy: as much as a UUID with a prefix, and room to spare. */
export const MAX_NAME_CHARS = 128;

/** All roles. */
export const CALL_ROLES: readonly CallRole[] = ['originating', 'gateway', 'intermediate', 'terminating'];

/** All that can be known of the right to a number. */
export const NUMBER_OWNERSHIPS: readonly NumberOwnership[] = [
  'owned',
  'delegated',
  'verified-by-letter',
  'unknown',
  'not-owned',
];

/** All that a call can be received from. */
export const CALL_SOURCES: readonly CallSource[] = [
  'customer',
  'originating-provider',
  'intermediate-provider',
  'foreign-provider',
  'unknown',
];

/**
 * Fills in what facts leave open. Whatever is not exactly one of the known values counts as not known, so that a misspelled
 * or mistyped fact can only lower an attestation.
 * @param facts - anything
 * @returns complete facts; never throws, whatever it is given
 * @see ATIS-1000074 section 5.2.3
 */
export function completeFacts(facts: AttestationFacts): CompleteAttestationFacts {
  const given = typeof facts === 'object' && facts !== null ? facts : NO_FACTS;
  const { role, trunk, customer, numberOwnership, receivedFrom } = given;
  const complete: Draft<CompleteAttestationFacts> = {
    role: role !== undefined && CALL_ROLES.includes(role) ? role : 'unknown',
    customerKnown: given.customerKnown === true,
    callerAuthenticated: given.callerAuthenticated === true,
    numberOwnership:
      numberOwnership !== undefined && NUMBER_OWNERSHIPS.includes(numberOwnership) ? numberOwnership : 'unknown',
    receivedFrom: receivedFrom !== undefined && CALL_SOURCES.includes(receivedFrom) ? receivedFrom : 'unknown',
  };
  if (isName(trunk)) complete.trunk = trunk;
  if (isName(customer)) complete.customer = customer;
  return complete;
}

/**
 * A text of 1 to {@link MAX_NAME_CHARS} characters.
 * @param value - anything
 * @returns whether it is one; never throws
 */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_CHARS;
}

const NO_FACTS: Partial<AttestationFacts> = {};
