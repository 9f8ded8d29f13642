import { isRecord } from '../../core/text.js';
import type { Draft } from '../../core/text.js';
import type { Attestation } from '../../core/telephone-number.js';
import { HopbackError } from '../../errors.js';

/** What a provider knows of a call when it decides how to attest. What is left out counts as not known. */
export interface AttestationFacts {
  /** What the provider is to this call. @see 47 CFR 64.6300 */
  readonly role: 'originating' | 'gateway' | 'intermediate' | 'terminating';
  /** Name of the trunk or trunk group, for rules about it; at most `MAX_NAME_CHARS` characters. */
  readonly trunk?: string;
  /** The provider's own name for the customer, for rules and the record; at most `MAX_NAME_CHARS` characters. */
  readonly customer?: string;
  /** There is a direct relationship with the customer, who can be identified. Default false. */
  readonly customerKnown?: boolean;
  /** This call was shown to come from that customer: registration, mutual TLS, a trunk of theirs alone. Default false. */
  readonly callerAuthenticated?: boolean;
  /**
   * What is known of the caller's right to the number. `owned`: the provider assigned it to this customer. `delegated`: another provider
   * assigned it, and a delegate certificate or token shows it. `verified-by-letter`: the customer proved it on paper, as by a letter of
   * authorization, an invoice or a call-back. `not-owned`: known not to be the caller's. Default `unknown`.
   * @see ATIS-1000074 section 5.2.3
   */
  readonly numberOwnership?: 'owned' | 'delegated' | 'verified-by-letter' | 'unknown' | 'not-owned';
  /**
   * From whom the call came in. `originating-provider`: directly from the provider that originated it (47 CFR 64.6302). Default `unknown`.
   */
  readonly receivedFrom?:
    'customer' | 'originating-provider' | 'intermediate-provider' | 'foreign-provider' | 'unknown';
}

/** All roles that a provider can have in a call on one trunk. @see 47 CFR 64.6300 */
export const CALL_ROLES = [
  'originating',
  'gateway',
  'intermediate',
  'terminating',
] as const satisfies readonly AttestationFacts['role'][];

/** All that can be known of the right to a number. */
export const NUMBER_OWNERSHIPS = [
  'owned',
  'delegated',
  'verified-by-letter',
  'unknown',
  'not-owned',
] as const satisfies readonly NonNullable<AttestationFacts['numberOwnership']>[];

/** All that a call can be received from. */
export const CALL_SOURCES = [
  'customer',
  'originating-provider',
  'intermediate-provider',
  'foreign-provider',
  'unknown',
] as const satisfies readonly NonNullable<AttestationFacts['receivedFrom']>[];

/** Longest name of a trunk, customer, rule or policy: as much as a UUID with a prefix, and room to spare. */
export const MAX_NAME_CHARS = 128;

/**
 * Fills in what facts leave open. Whatever is not exactly one of the known values counts as not known, so that a misspelled
 * or mistyped fact can only lower an attestation.
 * @see ATIS-1000074 section 5.2.3
 */
function completeFacts(facts: AttestationFacts): AttestationDecision['facts'] {
  const given = typeof facts === 'object' && facts !== null ? facts : NO_FACTS;
  const { role, trunk, customer, numberOwnership, receivedFrom } = given;
  const complete: Draft<AttestationDecision['facts']> = {
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

/** A text of 1 to `MAX_NAME_CHARS` characters. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_CHARS;
}

const NO_FACTS: Partial<AttestationFacts> = {};

/** Freezes plain data, all the way down. */
function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/** One line of an attestation policy. */
export interface AttestationRule {
  /** Name that records refer to, unique within the policy. */
  readonly id: string;
  /** When the rule applies: every fact named here must have the value, or one of the values. An empty condition always applies. */
  readonly when: {
    /** Rules for A and B need exactly `originating`. */
    readonly role?: AttestationFacts['role'] | readonly AttestationFacts['role'][];
    /** Names, each at most `MAX_NAME_CHARS` characters. */
    readonly trunk?: string | readonly string[];
    /** Names, each at most `MAX_NAME_CHARS` characters. */
    readonly customer?: string | readonly string[];
    /** Rules for A and B need `true`. */
    readonly customerKnown?: boolean;
    /** Rules for A and B need `true`. */
    readonly callerAuthenticated?: boolean;
    /** Rules for A need some of `owned`, `delegated` and `verified-by-letter`, and nothing else. */
    readonly numberOwnership?:
      NonNullable<AttestationFacts['numberOwnership']> | readonly NonNullable<AttestationFacts['numberOwnership']>[];
    /** From whom the call came in. */
    readonly receivedFrom?:
      NonNullable<AttestationFacts['receivedFrom']> | readonly NonNullable<AttestationFacts['receivedFrom']>[];
  };
  /** What it gives. No request can override `do-not-sign`. */
  readonly attestation: Attestation | 'do-not-sign';
  /** Why, in a sentence that can be shown to a regulator; at most `MAX_BASIS_CHARS` characters. */
  readonly basis: string;
}

/** How a provider attests, as data: it can be stored, compared and shown. */
export interface AttestationPolicyData {
  /** Name and version, for the records. */
  readonly id: string;
  /** Looked through in order; the first that applies decides. Where none does, the call is not signed. */
  readonly rules: readonly AttestationRule[];
  /**
   * Whether a request may bring its own attestation, with its reason: not at all; up to the level that the rules give; or as it
   * likes, where the provider has decided elsewhere and the rules are only noted beside it. A rule that says `do-not-sign` stands, and
   * so do facts that speak against the level: another role than `originating`, a number known not to be the caller's. Default `refused`.
   */
  readonly explicitAttestation?: 'refused' | 'at-most-rule' | 'permitted';
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

/** Most rules of a policy: they are looked through at every call, and more would be a table for a database. */
export const MAX_ATTESTATION_RULES = 256;

/** Most values that one fact of a rule can have: the trunks of a large switch. */
export const MAX_CONDITION_VALUES = 1_024;

/** Longest sentence of a basis, characters: it is kept with every signature. */
export const MAX_BASIS_CHARS = 512;

/**
 * Checks that a value is a policy that can be followed, whatever it comes from.
 * @throws {@link HopbackError} `invalid-configuration`, with `details.ruleIndex` where a rule is wrong
 */
function checkAttestationPolicy(data: AttestationPolicyData): void {
  if (!isRecord(data)) throw wrong('it is not an object');
  requireKeys(data, ['id', 'rules', 'explicitAttestation'], undefined);
  if (!isName(data['id'])) throw wrong(`id must be a text of 1 to ${String(MAX_NAME_CHARS)} characters`);
  const explicit = data['explicitAttestation'];
  if (explicit !== undefined && !EXPLICIT.includes(explicit))
    throw wrong(`explicitAttestation must be one of ${EXPLICIT.join(', ')}`);
  const rules = data['rules'];
  if (!Array.isArray(rules) || rules.length === 0 || rules.length > MAX_ATTESTATION_RULES) {
    throw wrong(`rules must be a list of 1 to ${String(MAX_ATTESTATION_RULES)} rules`);
  }
  const earlier: EarlierRule[] = [];
  for (const [index, rule] of rules.entries()) earlier.push(checkRule(rule, index, earlier));
}

const EXPLICIT: readonly unknown[] = ['refused', 'at-most-rule', 'permitted'];
const ATTESTATIONS: readonly unknown[] = ['A', 'B', 'C', 'do-not-sign'];

/** Ownership that amounts to a right to use the number. @see ATIS-1000074 section 5.2.3 (full attestation) */
const RIGHT_TO_NUMBER: readonly unknown[] = ['owned', 'delegated', 'verified-by-letter'];

/** What A stands for, and B but for the right to the number. */
const GROUNDS: readonly (readonly [fact: keyof AttestationRule['when'], permitted: readonly unknown[]])[] = [
  ['role', ['originating']],
  ['customerKnown', [true]],
  ['callerAuthenticated', [true]],
  ['numberOwnership', RIGHT_TO_NUMBER],
];

/** The values that a fact can have; undefined where any name is one. */
const FACT_VALUES: Readonly<Record<keyof AttestationRule['when'], readonly unknown[] | undefined>> = {
  role: CALL_ROLES,
  trunk: undefined,
  customer: undefined,
  customerKnown: [true, false],
  callerAuthenticated: [true, false],
  numberOwnership: NUMBER_OWNERSHIPS,
  receivedFrom: CALL_SOURCES,
};

type Values = ReadonlyMap<string, ReadonlySet<unknown>>;

interface EarlierRule {
  readonly id: string;
  readonly values: Values;
}

function checkRule(rule: unknown, index: number, earlier: readonly EarlierRule[]): EarlierRule {
  if (!isRecord(rule)) throw wrong('it is not an object', index);
  requireKeys(rule, ['id', 'when', 'attestation', 'basis'], index);
  const { id, when, attestation, basis } = rule;
  if (!isName(id)) throw wrong(`id must be a text of 1 to ${String(MAX_NAME_CHARS)} characters`, index);
  if (earlier.some((other) => other.id === id)) throw wrong(`the id "${id}" is taken by an earlier rule`, index);
  if (!ATTESTATIONS.includes(attestation)) throw wrong(`attestation must be one of ${ATTESTATIONS.join(', ')}`, index);
  if (typeof basis !== 'string' || basis.trim() === '' || basis.length > MAX_BASIS_CHARS) {
    throw wrong(`basis must be a sentence of at most ${String(MAX_BASIS_CHARS)} characters`, index);
  }
  if (!isRecord(when)) throw wrong('when must be an object; an empty one always applies', index);
  const values = readCondition(when, index);
  requireGrounds(attestation, values, index);
  const shadow = earlier.find((other) => covers(other.values, values));
  if (shadow !== undefined)
    throw wrong(`it can never apply, since rule "${shadow.id}" before it takes every such call`, index);
  return { id, values };
}

function readCondition(when: Record<string, unknown>, index: number): Values {
  const values = new Map<string, ReadonlySet<unknown>>();
  requireKeys(when, Object.keys(FACT_VALUES), index);
  for (const [fact, value] of Object.entries(when)) {
    const permitted = FACT_VALUES[fact as keyof AttestationRule['when']];
    const isFlag = permitted?.includes(true) === true;
    const list: readonly unknown[] = Array.isArray(value) && !isFlag ? value : [value];
    if (list.length === 0 || list.length > MAX_CONDITION_VALUES) {
      throw wrong(`when.${fact} must have 1 to ${String(MAX_CONDITION_VALUES)} values`, index);
    }
    for (const entry of list) {
      if (permitted?.includes(entry) ?? isName(entry)) continue;
      throw wrong(
        `when.${fact} has a value that the fact cannot have; it takes ${permitted?.join(', ') ?? 'names'}`,
        index,
      );
    }
    values.set(fact, new Set(list));
  }
  return values;
}

/**
 * A level that is not asked for by its facts would be claimed for calls that do not have them. Only the provider that originates
 * a call can know its customer, so that A and B of any other role are claimed for nothing.
 * @see ATIS-1000074 section 5.2.3
 */
function requireGrounds(attestation: unknown, values: Values, index: number): void {
  if (attestation !== 'A' && attestation !== 'B') return;
  for (const [fact, permitted] of GROUNDS) {
    if (fact === 'numberOwnership' && attestation !== 'A') continue;
    if (isOnly(values.get(fact), permitted)) continue;
    throw wrong(`attestation ${attestation} needs when.${fact} to be ${permitted.join(' or ')}`, index);
  }
}

const isOnly = (values: ReadonlySet<unknown> | undefined, permitted: readonly unknown[]): boolean =>
  values !== undefined && [...values].every((value) => permitted.includes(value));

/** Whether every call that fits `narrow` fits `wide` too. */
function covers(wide: Values, narrow: Values): boolean {
  for (const [fact, values] of wide) {
    const narrower = narrow.get(fact);
    if (narrower === undefined || ![...narrower].every((value) => values.has(value))) return false;
  }
  return true;
}

function requireKeys(value: Record<string, unknown>, known: readonly string[], index: number | undefined): void {
  // A name that is not known would be a condition that is never asked.
  const stranger = Object.keys(value).find((key) => !known.includes(key));
  if (stranger !== undefined)
    throw wrong(`"${stranger.slice(0, MAX_NAME_CHARS)}" is not known; there are ${known.join(', ')}`, index);
}

function wrong(what: string, ruleIndex?: number): HopbackError {
  const where =
    ruleIndex === undefined ? 'The attestation policy' : `Rule ${String(ruleIndex)} of the attestation policy`;
  const details = ruleIndex === undefined ? {} : { ruleIndex };
  return new HopbackError('invalid-configuration', `${where} cannot be used: ${what}.`, { details });
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
  readonly decidedOn: readonly (keyof AttestationRule['when'])[];
  /** All facts, with nothing left open, as rules saw them. */
  readonly facts: {
    /** `unknown` when what was given is no role; no rule that names a role then matches. */
    readonly role: AttestationFacts['role'] | 'unknown';
    /** Left out when what was given is no name. */
    readonly trunk?: string;
    /** Left out when what was given is no name. */
    readonly customer?: string;
    /** `true` only where exactly that was given. */
    readonly customerKnown: boolean;
    /** `true` only where exactly that was given. */
    readonly callerAuthenticated: boolean;
    /** `unknown` when what was given is none. */
    readonly numberOwnership: NonNullable<AttestationFacts['numberOwnership']>;
    /** `unknown` when what was given is none. */
    readonly receivedFrom: NonNullable<AttestationFacts['receivedFrom']>;
  };
}

/** `ruleId` of a decision that no rule made. */
export const NO_RULE = 'no-rule';

/**
 * Decides how calls are attested, by checked data: a frozen copy. Refused are unknown names and values, rules that can never apply, and
 * an A or B that does not ask for the facts that the level stands for.
 * @see ATIS-1000074 section 5.2.3
 * @example
 * ```ts
 * const policy = new AttestationPolicy({
 *   id: 'example-2',
 *   rules: [
 *     { id: 'laboratory', when: { trunk: 'lab-1' }, attestation: 'do-not-sign', basis: 'Nobody answers for test calls.' },
 *     ...DEFAULT_ATTESTATION_POLICY.rules,
 *   ],
 * });
 * console.log(policy.decide({ role: 'gateway', trunk: 'lab-1' }).attestation); // none
 * ```
 */
export class AttestationPolicy {
  /** Name and version, as in the data. */
  readonly id: string;
  /** Whether requests may bring a level of their own. */
  readonly explicitAttestation: NonNullable<AttestationPolicyData['explicitAttestation']>;
  /** In the order in which they are looked through. */
  readonly rules: readonly AttestationRule[];
  readonly #prepared: readonly PreparedRule[];

  /**
   * @param data - the policy, at most 256 rules; default {@link DEFAULT_ATTESTATION_POLICY}
   * @throws {@link HopbackError} `invalid-configuration`, with `details.ruleIndex` (from 0) where a rule is wrong
   */
  constructor(data: AttestationPolicyData = DEFAULT_ATTESTATION_POLICY) {
    checkAttestationPolicy(data);
    // A copy of its own, and frozen, so that no later change to what was handed in or out can slip past the check.
    const own = deepFreeze(structuredClone(data));
    this.id = own.id;
    this.rules = own.rules;
    this.explicitAttestation = own.explicitAttestation ?? 'refused';
    this.#prepared = own.rules.map(prepare);
    Object.freeze(this);
  }

  /**
   * Decides how a call is attested: the same facts always give the same answer, and facts that are missing or misspelled count as not
   * known.
   * @param facts - what is known of the call; may be anything
   * @returns level, rule and basis; `none` where the call is not to be signed; never throws
   * @see ATIS-1000074 section 5.2.3, 47 CFR 64.6301
   */
  decide(facts: AttestationFacts): AttestationDecision {
    const complete = completeFacts(facts);
    for (const { rule, tests, decidedOn } of this.#prepared) {
      if (!applies(tests, complete)) continue;
      const attestation = rule.attestation === 'do-not-sign' ? 'none' : rule.attestation;
      return {
        attestation,
        policyId: this.id,
        ruleId: rule.id,
        basis: rule.basis,
        decidedOn,
        facts: complete,
      };
    }
    return {
      attestation: 'none',
      policyId: this.id,
      ruleId: NO_RULE,
      basis: NO_RULE_BASIS,
      decidedOn: [],
      facts: complete,
    };
  }
}

/** A rule of a checked policy, its condition taken apart. */
interface PreparedRule {
  readonly rule: AttestationRule;
  /** All must hold. */
  readonly tests: readonly {
    readonly fact: keyof AttestationRule['when'];
    /** Whether the fact may have this value. */
    readonly permits: (value: unknown) => boolean;
  }[];
  /** The facts of the tests. */
  readonly decidedOn: readonly (keyof AttestationRule['when'])[];
}

const NO_RULE_BASIS = 'No rule of the policy applies to the call.';

function prepare(rule: AttestationRule): PreparedRule {
  const tests = Object.entries(rule.when).map(([fact, value]) => {
    // Behind a function, since a set cannot be frozen.
    const values = new Set<unknown>(Array.isArray(value) ? value : [value]);
    return { fact: fact as keyof AttestationRule['when'], permits: (actual: unknown) => values.has(actual) };
  });
  // Records hand it out.
  return { rule, tests, decidedOn: Object.freeze(tests.map(({ fact }) => fact)) };
}

function applies(tests: PreparedRule['tests'], facts: AttestationDecision['facts']): boolean {
  for (const { fact, permits } of tests) {
    if (!permits(facts[fact])) return false;
  }
  return true;
}
