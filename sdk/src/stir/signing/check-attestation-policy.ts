import { HopbackError } from '../../errors.js';
import { CALL_ROLES, CALL_SOURCES, isName, MAX_NAME_CHARS, NUMBER_OWNERSHIPS } from './attestation-facts.js';
import type { AttestationCondition, AttestationPolicyData } from './attestation-rules.js';

/** Most rules of a policy: they are looked through at every call, and more would be a table for a database. */
export const MAX_ATTESTATION_RULES = 256;

/** Most values that one fact of a rule can have: the trunks of a large switch. */
export const MAX_CONDITION_VALUES = 1_024;

/** Longest sentence of a basis, characters: it is kept with every signature. */
export const MAX_BASIS_CHARS = 512;

/**
 * Checks that a value is a policy that can be followed, whatever it comes from.
 * @param data - anything
 * @throws {@link HopbackError} `invalid-configuration`, with `details.ruleIndex` where a rule is wrong
 */
export function checkAttestationPolicy(data: AttestationPolicyData): void {
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
const GROUNDS: readonly (readonly [fact: keyof AttestationCondition, permitted: readonly unknown[]])[] = [
  ['role', ['originating']],
  ['customerKnown', [true]],
  ['callerAuthenticated', [true]],
  ['numberOwnership', RIGHT_TO_NUMBER],
];

/** The values that a fact can have; undefined where any name is one. */
const FACT_VALUES: Readonly<Record<keyof AttestationCondition, readonly unknown[] | undefined>> = {
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
    const permitted = FACT_VALUES[fact as keyof AttestationCondition];
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(what: string, ruleIndex?: number): HopbackError {
  const where =
    ruleIndex === undefined ? 'The attestation policy' : `Rule ${String(ruleIndex)} of the attestation policy`;
  const details = ruleIndex === undefined ? {} : { ruleIndex };
  return new HopbackError('invalid-configuration', `${where} cannot be used: ${what}.`, { details });
}
