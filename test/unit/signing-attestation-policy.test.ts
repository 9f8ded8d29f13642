import { expect, test } from 'vitest';
import {
  AttestationPolicy,
  DEFAULT_ATTESTATION_POLICY,
  NO_RULE,
  type AttestationFacts,
  type AttestationPolicyData,
  type AttestationRule,
} from '../../sdk/src/stir/signing/attestation-policy.js';
import { hopbackErrorOf } from '../support/code-of.js';

const policy = new AttestationPolicy();
const known = { customerKnown: true, callerAuthenticated: true } as const;

type Row = readonly [facts: AttestationFacts, attestation: 'A' | 'B' | 'C' | 'none', ruleId: string];

test.each<Row>([
  [{ role: 'originating', ...known, numberOwnership: 'owned' }, 'A', 'originating-full'],
  [{ role: 'originating', ...known, numberOwnership: 'delegated' }, 'A', 'originating-full'],
  [{ role: 'originating', ...known, numberOwnership: 'verified-by-letter' }, 'A', 'originating-full'],
  [{ role: 'originating', ...known, numberOwnership: 'unknown' }, 'B', 'originating-partial'],
  [{ role: 'originating', ...known, numberOwnership: 'not-owned' }, 'B', 'originating-partial'],
  [{ role: 'originating', ...known }, 'B', 'originating-partial'],
  [{ role: 'originating', customerKnown: true, numberOwnership: 'owned' }, 'C', 'originating-unidentified'],
  [{ role: 'originating', callerAuthenticated: true, numberOwnership: 'owned' }, 'C', 'originating-unidentified'],
  [{ role: 'originating', ...known, customerKnown: false, numberOwnership: 'owned' }, 'C', 'originating-unidentified'],
  [
    { role: 'originating', ...known, callerAuthenticated: false, numberOwnership: 'owned' },
    'C',
    'originating-unidentified',
  ],
  [{ role: 'originating' }, 'C', 'originating-unidentified'],
  [{ role: 'gateway' }, 'C', 'gateway'],
  [{ role: 'gateway', ...known, numberOwnership: 'owned' }, 'C', 'gateway'],
  [{ role: 'intermediate', receivedFrom: 'originating-provider' }, 'C', 'intermediate-from-originating'],
  [
    { role: 'intermediate', receivedFrom: 'originating-provider', ...known, numberOwnership: 'owned' },
    'C',
    'intermediate-from-originating',
  ],
  [{ role: 'intermediate', receivedFrom: 'intermediate-provider' }, 'none', 'intermediate-other'],
  [{ role: 'intermediate', receivedFrom: 'foreign-provider' }, 'none', 'intermediate-other'],
  [{ role: 'intermediate' }, 'none', 'intermediate-other'],
  [{ role: 'intermediate', ...known, numberOwnership: 'owned' }, 'none', 'intermediate-other'],
  [{ role: 'terminating', ...known, numberOwnership: 'owned' }, 'none', 'terminating'],
  // Facts that came as JSON and are not what they should be count as not known.
  [
    { role: 'originating', customerKnown: 'true', callerAuthenticated: 1, numberOwnership: 'owned' } as never,
    'C',
    'originating-unidentified',
  ],
  [{ role: 'originating', ...known, numberOwnership: 'OWNED' } as never, 'B', 'originating-partial'],
  [{ role: 'originating', ...known, numberOwnership: ['owned'] } as never, 'B', 'originating-partial'],
  [{ role: 'intermediate', receivedFrom: 'Originating-Provider' } as never, 'none', 'intermediate-other'],
  [{ role: 'Originating', ...known, numberOwnership: 'owned' } as never, 'none', NO_RULE],
  [{} as never, 'none', NO_RULE],
  [null as never, 'none', NO_RULE],
  ['originating' as never, 'none', NO_RULE],
])('attests %j as %s by rule %s', (facts, attestation, ruleId) => {
  expect(policy.decide(facts)).toMatchObject({ attestation, ruleId, policyId: 'hopback-default-1' });
});

test('tells the basis, the facts that decided and all facts as they were taken', () => {
  const facts = { role: 'originating', ...known, numberOwnership: 'delegated', trunk: 't-9' } as const;
  const decision = policy.decide(facts);
  expect(decision.basis).toBe(DEFAULT_ATTESTATION_POLICY.rules[0]?.basis);
  expect(decision.decidedOn).toEqual(['role', 'customerKnown', 'callerAuthenticated', 'numberOwnership']);
  expect(decision.facts).toEqual({ ...facts, receivedFrom: 'unknown' });
  expect(JSON.parse(JSON.stringify(decision))).toEqual(decision);
});

const rule = (changes: Record<string, unknown> = {}): AttestationRule => ({
  id: 'r',
  when: {},
  attestation: 'C',
  basis: 'Because.',
  ...changes,
});
const own = (...rules: readonly AttestationRule[]): AttestationPolicyData => ({ id: 'own-1', rules });

test('lets the first rule that applies decide, by trunk and customer as well', () => {
  const mine = new AttestationPolicy(
    own(
      rule({ id: 'lab', when: { trunk: ['lab-1', 'lab-2'] }, attestation: 'do-not-sign' }),
      rule({
        id: 'trusted',
        when: { role: 'originating', customer: 'c-1', ...known, numberOwnership: ['owned'] },
        attestation: 'A',
      }),
      rule({ id: 'rest' }),
    ),
  );
  const decide = (facts: Partial<AttestationFacts>): string => mine.decide({ role: 'originating', ...facts }).ruleId;
  const trusted = { customer: 'c-1', ...known, numberOwnership: 'owned' } as const;
  expect(decide({ trunk: 'lab-2', ...trusted })).toBe('lab');
  expect(decide({ trunk: 'lab-3', ...trusted })).toBe('trusted');
  expect(decide({ ...trusted, customer: 'c-2' })).toBe('rest');
  expect(decide({})).toBe('rest');
});

test('signs nothing that no rule speaks of', () => {
  const mine = new AttestationPolicy(own(rule({ when: { role: 'gateway' } })));
  expect(mine.decide({ role: 'originating' })).toMatchObject({
    attestation: 'none',
    ruleId: NO_RULE,
    decidedOn: [],
  });
});

test('cannot be changed once it was checked, nor can the default', () => {
  const mine = new AttestationPolicy();
  const [first] = mine.rules;
  const [firstDefault] = DEFAULT_ATTESTATION_POLICY.rules;
  const { decidedOn } = mine.decide({ role: 'gateway' });
  const parts = [mine, mine.rules, mine.rules.at(-1), first!.when, decidedOn];
  for (const part of [...parts, DEFAULT_ATTESTATION_POLICY, firstDefault!.when])
    expect(part).toSatisfy(Object.isFrozen);
});

test('is not changed by what happens to its data later', () => {
  const data = {
    id: 'own-1',
    rules: [{ id: 'r', when: { role: 'gateway' as string }, attestation: 'C', basis: 'Because.' }],
  };
  const mine = new AttestationPolicy(data as AttestationPolicyData);
  data.rules[0]!.when.role = 'terminating';
  data.rules[0]!.attestation = 'A';
  expect(mine.decide({ role: 'gateway' }).attestation).toBe('C');
});

const refusalOf = (data: unknown) => hopbackErrorOf(() => new AttestationPolicy(data as AttestationPolicyData));

test.each<[string, unknown]>([
  ['nothing', null],
  ['a list', []],
  ['no id', { rules: [rule()] }],
  ['an empty id', { id: '', rules: [rule()] }],
  ['no rules', { id: 'x' }],
  ['an empty list of rules', { id: 'x', rules: [] }],
  [
    'more rules than are looked through',
    { id: 'x', rules: Array.from({ length: 257 }, (_, at) => rule({ id: `r${String(at)}` })) },
  ],
  ['a name that is not known', { ...own(rule()), explicitAtestation: 'permitted' }],
  ['a word for explicit attestations that is none', { ...own(rule()), explicitAttestation: 'yes' }],
])('refuses a policy with %s', async (_what, data) => {
  const { code, details } = await refusalOf(data);
  expect([code, details['ruleIndex']]).toEqual(['invalid-configuration', undefined]);
});

const grounded = (attestation: string, when: Record<string, unknown>): AttestationRule =>
  rule({ attestation, when: { role: 'originating', ...known, ...when } });

test('takes B without and A with a right to the number, its default, and a policy that went through JSON', () => {
  const grounds = own(grounded('A', { numberOwnership: ['owned', 'delegated'] }), { ...grounded('B', {}), id: 'b' });
  for (const data of [grounds, DEFAULT_ATTESTATION_POLICY, JSON.parse(JSON.stringify(DEFAULT_ATTESTATION_POLICY))]) {
    expect(() => new AttestationPolicy(data as AttestationPolicyData)).not.toThrow();
  }
});

test.each<[string, unknown]>([
  ['that is no object', 'C'],
  ['without id', rule({ id: undefined })],
  ['with an id of 129 characters', rule({ id: 'x'.repeat(129) })],
  ['with the id of an earlier one', rule({ id: 'first' })],
  ['with an attestation that is none', rule({ attestation: 'D' })],
  ['with an attestation in lower case', rule({ attestation: 'c' })],
  ['without basis', rule({ basis: undefined })],
  ['with a blank basis', rule({ basis: '  ' })],
  ['with an endless basis', rule({ basis: 'x'.repeat(513) })],
  ['without condition', rule({ when: undefined })],
  ['with a list for a condition', rule({ when: [] })],
  ['with a fact that is not known', rule({ when: { numberOwnersip: 'owned' } })],
  ['with a member that is not known', rule({ attest: 'A' })],
  ['with a role that is none', rule({ when: { role: 'carrier' } })],
  ['with a list that has a role that is none', rule({ when: { role: ['gateway', 'carrier'] } })],
  ['with an empty list', rule({ when: { role: [] } })],
  ['with a text for a flag', rule({ when: { customerKnown: 'true' } })],
  ['with a list for a flag', rule({ when: { customerKnown: [true] } })],
  ['with an undefined fact', rule({ when: { customerKnown: undefined } })],
  ['with a trunk that is no name', rule({ when: { trunk: 7 } })],
  ['with too many trunks', rule({ when: { trunk: Array.from({ length: 1025 }, (_, at) => `t${String(at)}`) } })],
  ['that gives A for nothing', rule({ attestation: 'A' })],
  ...(['A', 'B'] as const).flatMap((attestation): [string, unknown][] => {
    const grounds = { role: 'originating', ...known, numberOwnership: 'owned' };
    const giving = (what: string, changes: Record<string, unknown>): [string, unknown] => {
      const when = Object.entries({ ...grounds, ...changes }).filter(([, value]) => value !== undefined);
      return [`that gives ${attestation} ${what}`, rule({ attestation, when: Object.fromEntries(when) })];
    };
    return [
      giving('as gateway', { role: 'gateway' }),
      giving('as intermediate provider', { role: 'intermediate' }),
      giving('to calls that it terminates', { role: 'terminating' }),
      giving('as originating provider or gateway', { role: ['originating', 'gateway'] }),
      giving('in any role', { role: undefined }),
      giving('to unknown customers', { customerKnown: false }),
      giving('to customers known or not', { customerKnown: undefined }),
      giving('without authentication', { callerAuthenticated: false }),
      giving('whether authenticated or not', { callerAuthenticated: undefined }),
    ];
  }),
  ['that gives A without a right to the number', grounded('A', {})],
  ['that gives A also where the right is unknown', grounded('A', { numberOwnership: ['owned', 'unknown'] })],
  ['that gives A to a number that is not theirs', grounded('A', { numberOwnership: 'not-owned' })],
  ['that gives B to anybody', rule({ attestation: 'B' })],
  ['that can never apply', rule({ when: { role: 'gateway', receivedFrom: 'unknown', trunk: 't' } })],
])('refuses a rule %s and tells its index', async (_what, wrong) => {
  const first = rule({ id: 'first', when: { role: ['gateway', 'intermediate'], receivedFrom: 'unknown' } });
  expect(await refusalOf({ id: 'x', rules: [first, wrong] })).toMatchObject({
    code: 'invalid-configuration',
    details: { ruleIndex: 1 },
  });
});
