import { expect, test } from 'vitest';
import { POLICY_RULES } from '../../sdk/src/traceback/policy/policy-rules.js';
import {
  TrunkDirectory,
  DEFAULT_TRACEBACK_POLICY,
  readTracebackPolicy,
  tryTracebackPolicy,
} from '../../sdk/src/traceback/index.js';
import { decideTraceback } from '../../sdk/src/traceback/policy/decide-traceback.js';
import type { MatchOutcome, PolicyInput } from '../../sdk/src/traceback/index.js';
import {
  aCandidate,
  aRequest,
  aSearch,
  CALL_US,
  DOWNSTREAM,
  FIRST_ID,
  firstHop,
  HOUR_US,
  policyInput,
  several,
  unique,
  uniqueOf,
  uniqueOver,
  UPSTREAM,
  US,
} from '../support/traceback-cases.js';

/** Rules that hand a request to a person. */
const heldBy = (input: PolicyInput): readonly string[] => {
  const decision = decideTraceback(input);
  return decision.kind === 'review' ? decision.reasons.map(({ rule }) => rule) : [];
};

const notFound = (search: Parameters<typeof aSearch>[0] = {}): MatchOutcome => ({
  status: 'none-but-covered',
  search: aSearch(search),
});
const NOT_FOUND = notFound();
const LOCAL = { written: 'local', resolutionUs: 1 } as const;
const NOT_RETAINED: MatchOutcome = { status: 'not-retained', retainedFromUs: CALL_US + HOUR_US, search: aSearch() };

test('a unique call of a known upstream that was sent to the provider that named us is answered without a person', () => {
  const decision = decideTraceback(policyInput());
  expect(decision).toMatchObject({
    kind: 'automatic',
    draft: {
      finding: { arm: 'received-from', upstream: UPSTREAM },
      call: {
        startedAt: '2026-11-02T14:41:10Z',
        ingressTrunk: 'in-1',
        ingressAddress: '192.0.2.9:5060',
        egressTrunk: 'out-1',
        disposition: 'answered',
        received: { attestation: 'A' },
      },
      searched: {
        windows: [{ from: '2026-11-02T13:41:10Z', to: '2026-11-02T15:41:10Z' }],
        keys: ['called', 'calling'],
      },
    },
  });
  expect(decision.trace.rules.map(({ rule }) => rule)).toEqual(POLICY_RULES.map(({ rule }) => rule));
  expect(decision.trace.directoryId).toBe('trunks-7');
});

const UNZONED = { asWritten: 'x', local: '2026-11-02T09:41', precision: 'minute' } as const;
const other = aCandidate({ score: 0.81 });

test.each<[rule: string, change: Partial<PolicyInput>]>([
  ['direction', { request: aRequest({ direction: 'forward' }) }],
  ['asked-provider', { request: aRequest({ provider: UPSTREAM }) }],
  ['requester', { request: aRequest({ requester: { kind: 'criminal-law-enforcement', name: 'x' } }) }],
  ['comment', { request: aRequest({ comment: 'who is the customer?' }) }],
  ['stated-zone', { request: aRequest({ call: { called: '+12025550101', at: UNZONED } }) }],
  ['nothing-contradicts', { outcome: unique({ reasons: [{ field: 'spc', verdict: 'contradicts', weight: -1 }] }) }],
  ['score', { outcome: unique({ score: 0.69 }) }],
  ['lead', { outcome: { status: 'unique', candidate: aCandidate(), others: [other], search: aSearch() } }],
  ['time-offset', { outcome: unique({ timeOffsetUs: -121_000_000 }) }],
  ['time-step', { outcome: unique({ leg: { time: { written: 'utc', resolutionUs: 3_600_000_000 } } }) }],
  ['one-instant', { outcome: unique({ leg: { time: { ...LOCAL, otherInviteAtUs: CALL_US - HOUR_US } } }) }],
  ['call-before-request', { request: aRequest({ issuedAt: '2026-11-02T14:00:00Z' }) }],
  ['downstream', { outcome: unique({ downstream: 'unknown-egress' }) }],
  ['upstream-known', { outcome: unique({ upstream: { kind: 'provider', provider: DOWNSTREAM } }) }],
  ['upstream-is-another', { outcome: uniqueOver('own-1') }],
  ['legal-hold', { hold: 'held' }],
  ['legal-hold', { hold: 'unknown' }],
  ['complete-around', { sources: ['sbc-1', 'sbc-2'] }],
  ['complete-searched', { outcome: NOT_FOUND, sources: ['sbc-2'] }],
  ['complete-searched', { outcome: notFound({ coverage: [] }), sources: [] }],
  ['searched-enough', { outcome: notFound({ windows: [{ fromUs: CALL_US, toUs: CALL_US + 60_000_000 }] }) }],
  ['searched-enough', { outcome: notFound({ keys: ['call-id', 'calling'] }) }],
  ['caller-looked-for', { outcome: notFound({ keys: ['called', 'call-id'] }) }],
])('the rule "%s" alone hands a request to a person', (rule, change) => {
  expect(heldBy(policyInput(change))).toContain(rule);
});

test('a hold on any call that may be meant goes to counsel, also where no single call was found', () => {
  for (const outcome of [several([aCandidate()]), NOT_FOUND, NOT_RETAINED]) {
    for (const hold of ['held', 'unknown'] as const) {
      expect(decideTraceback(policyInput({ outcome, hold }))).toMatchObject({ kind: 'review', queue: 'legal' });
      expect(heldBy(policyInput({ outcome, hold }))).toContain('legal-hold');
    }
    expect(heldBy(policyInput({ outcome }))).not.toContain('legal-hold');
  }
});

test('a time without a zone goes to a person unless the record that was stated is that of the call', () => {
  const request = aRequest({ call: { called: '+12025550101', recordId: FIRST_ID, at: UNZONED } });
  const { reasons } = aCandidate();
  const withRecordId = (verdict: 'equal' | 'contradicts'): MatchOutcome =>
    unique({ reasons: [...reasons, { field: 'record-id', verdict, weight: 40, stated: FIRST_ID }] });
  expect(heldBy(policyInput({ request, outcome: withRecordId('equal') }))).toEqual([]);
  for (const outcome of [withRecordId('contradicts'), unique(), NOT_FOUND])
    expect(heldBy(policyInput({ request, outcome }))).toContain('stated-zone');
});

test('a call leads by the thousandth that the policy asks for, or if an identifier names it and no other', () => {
  const held = (verdict: 'equal' | 'contradicts', otherVerdict: 'equal' | 'contradicts'): readonly string[] => {
    const named = (said: 'equal' | 'contradicts') => ({
      reasons: [{ field: 'call-id', verdict: said, weight: 40 } as const],
    });
    const others = [aCandidate({ score: 0.91, ...named(otherVerdict) })];
    return heldBy(policyInput({ outcome: { ...uniqueOf(aCandidate(named(verdict))), others } as MatchOutcome }));
  };
  expect(held('equal', 'contradicts')).toEqual([]);
  expect(held('equal', 'equal')).toEqual(['lead']);
  const lead = { ...uniqueOf(), others: [aCandidate({ score: 0.8 })] } as MatchOutcome;
  expect(decideTraceback(policyInput({ outcome: lead })).kind).toBe('automatic');
  // A call without a stated calling number scores 0.75, which is enough.
  expect(decideTraceback(policyInput({ outcome: unique({ score: 0.75 }) })).kind).toBe('automatic');
});

test('a request of a later hop without the downstream that named us goes to a person, whatever was found', () => {
  const outcome = unique({ downstream: 'delivered-here' });
  expect(decideTraceback(policyInput({ request: firstHop(), outcome })).kind).toBe('automatic');
  const later = decideTraceback(policyInput({ request: firstHop(3), outcome }));
  expect(later).toMatchObject({ kind: 'review', reasons: [{ rule: 'downstream' }] });
});

test('an origin is answered if the policy allows it, the customer is known, and with no more than it lets be said', () => {
  const contact = { name: 'Example Dialler Inc' };
  const basis = { knowYourCustomer: 'visited on site', action: 'suspended' } as const;
  const policyWith = (customers: object) =>
    readTracebackPolicy({ policyId: 'p', automatic: { arms: ['origin'] }, customers });
  const statements = { 'C-9': { contact, ...basis } };
  const customerIn = (details: 'contact' | 'none'): unknown => {
    const policy = policyWith({ details, statements });
    const decision = decideTraceback(policyInput({ outcome: uniqueOver('pbx-9'), policy }));
    return decision.kind === 'automatic' && decision.draft.finding;
  };
  expect(customerIn('contact')).toEqual({ arm: 'origin', customer: { customerId: 'C-9', contact, ...basis } });
  expect(customerIn('none')).toEqual({ arm: 'origin', customer: basis });
  const unstated = policyWith({});
  expect(heldBy(policyInput({ outcome: uniqueOver('pbx-9'), policy: unstated }))).toEqual(['customer']);
  // A trunk of customers does not say which one it was.
  const policy = policyWith({ details: 'none', basisRequired: false });
  const entries = [{ trunk: 'access-1', party: { kind: 'customer' } as const }];
  const directory = new TrunkDirectory({ directoryId: 'd', providers: [{ provider: US }], entries });
  const of = (customerId: object): MatchOutcome =>
    unique({ leg: { ingress: { trunk: 'access-1' }, ...customerId }, upstream: { kind: 'customer' } });
  expect(heldBy(policyInput({ policy, directory, outcome: of({}) }))).toEqual(['customer']);
  expect(heldBy(policyInput({ policy, directory, outcome: of({ customerId: 'C-7' }) }))).toEqual([]);
  expect(heldBy(policyInput({ policy, directory, outcome: uniqueOver('unknown-1') }))).toContain('upstream-known');
});

test.each([
  [several([aCandidate()]), 'match'],
  [{ status: 'gap', gaps: [], search: aSearch() }, 'records'],
  [{ status: 'unreadable', because: ['no number'] }, 'match'],
] as const)('an outcome without one call goes to a person without a proposal: %j', (outcome, topic) => {
  const decision = decideTraceback(policyInput({ outcome }));
  if (decision.kind !== 'review') throw new Error('was answered');
  expect(decision.reasons.find(({ rule }) => rule === 'one-call')?.topic).toBe(topic);
  expect(decision.proposal).toBeUndefined();
});

test('a call that was sent elsewhere is proposed to counsel as a dispute, one of several included', () => {
  const finding = { arm: 'not-sent-to-downstream', downstream: DOWNSTREAM };
  const elsewhere = decideTraceback(policyInput({ outcome: unique({ downstream: 'sent-elsewhere' }) }));
  expect(elsewhere).toMatchObject({ kind: 'review', queue: 'legal', proposal: { finding } });
  const disputed = aCandidate({ downstream: 'sent-elsewhere', score: 0.25 });
  expect(decideTraceback(policyInput({ outcome: several([disputed], { disputed }) }))).toMatchObject({
    kind: 'review',
    queue: 'legal',
    reasons: [{ rule: 'arm', topic: 'legal' }],
    proposal: { finding: { arm: 'not-sent-to-downstream' } },
  });
});

test('a policy that lets disputes out may give them, and never as received-from', () => {
  const automatic = { arms: ['not-sent-to-downstream', 'received-from'] };
  const policy = readTracebackPolicy({ policyId: 'p', automatic });
  const elsewhere = unique({ downstream: 'sent-elsewhere' });
  expect(decideTraceback(policyInput({ policy, outcome: elsewhere }))).toMatchObject({
    kind: 'automatic',
    draft: { finding: { arm: 'not-sent-to-downstream' } },
  });
});

test.each([
  ['pbx-9', 'origin'],
  ['small-1', 'received-from-unlisted'],
  ['abroad-1', 'point-of-entry'],
])('a call of trunk %s is proposed as %s, to a person', (trunk, arm) => {
  const decision = decideTraceback(policyInput({ outcome: uniqueOver(trunk) }));
  expect(decision).toMatchObject({ kind: 'review', queue: 'traceback', proposal: { finding: { arm } } });
});

test('"not found" and "not retained" are answered where the records bear it, and at the first hop by a person', () => {
  expect(decideTraceback(policyInput({ outcome: NOT_FOUND }))).toMatchObject({
    kind: 'automatic',
    draft: { finding: { arm: 'not-found' }, searched: { recordsConsidered: 3 } },
  });
  expect(decideTraceback(policyInput({ outcome: NOT_RETAINED }))).toMatchObject({
    kind: 'automatic',
    draft: { finding: { arm: 'not-retained', retainedFrom: '2026-11-02T15:41:10Z' } },
  });
  expect(heldBy(policyInput({ outcome: NOT_FOUND, request: firstHop() }))).toEqual(['first-hop']);
});

test('records of the time after the request need not be there', () => {
  const covered = (seconds: number): MatchOutcome => ({
    status: 'unique',
    candidate: aCandidate(),
    others: [],
    search: aSearch({
      coverage: [{ sourceId: 'sbc-1', fromUs: CALL_US - HOUR_US, toUs: CALL_US + seconds * 1_000_000 }],
    }),
  });
  const request = aRequest({ issuedAt: '2026-11-02T14:45:00Z' });
  expect(heldBy(policyInput({ request, outcome: covered(230) }))).toEqual([]);
  expect(heldBy(policyInput({ request, outcome: covered(229) }))).toEqual(['complete-around']);
});

test('no number of the call is in the trace', () => {
  for (const change of [{}, { outcome: NOT_FOUND }, { hold: 'held' as const }]) {
    const { trace } = decideTraceback(policyInput(change));
    expect(JSON.stringify(trace)).not.toContain('5550');
  }
});

test('details that the policy keeps are not in the answer', () => {
  const policy = readTracebackPolicy({
    policyId: 'p',
    answer: { numbers: false, trunks: false, addresses: false, callIds: false },
  });
  const decision = decideTraceback(policyInput({ policy }));
  expect(decision.kind === 'automatic' && decision.draft.call).toEqual({
    startedAt: '2026-11-02T14:41:10Z',
    answeredAt: '2026-11-02T14:41:14Z',
    endedAt: '2026-11-02T14:41:41Z',
    disposition: 'answered',
    received: { verstat: 'TN-Validation-Passed', attestation: 'A', origId: '5d1f4a3e-6b2c-4f0e-9a53-0c8f1a7d2b60' },
  });
});

test.each([
  [{}, 'policyId'],
  [{ policyId: 'p', automatic: { arms: ['refused'] } }, 'automatic.arms[0]'],
  [{ policyId: 'p', automatic: { arms: ['ambiguous'] } }, 'automatic.arms[0]'],
  [{ policyId: 'p', automatic: { leastScore: 2 } }, 'automatic.leastScore'],
  [{ policyId: 'p', automatic: { leastscore: 1 } }, 'automatic.leastscore'],
])('a written policy is refused with the member that is wrong: %j', (written, member) => {
  const refused = expect.objectContaining({ code: 'invalid-configuration', details: { member } });
  expect(() => readTracebackPolicy(written)).toThrow(refused);
});

test('a policy read with its id alone is the default policy', () => {
  expect(readTracebackPolicy({ policyId: 'hopback-traceback-1' })).toEqual(DEFAULT_TRACEBACK_POLICY);
});

test('a dry run says what would have been answered, what held the rest back, and where a person had said otherwise', () => {
  const { provider, policy, directory, ...base } = policyInput();
  const upstream = { name: 'Another Carrier Inc' };
  const trial = tryTracebackPolicy(
    [
      { ...base, given: { finding: { arm: 'received-from', upstream: UPSTREAM }, by: 'person' } },
      { ...base, given: { finding: { arm: 'not-sent-to-downstream', downstream: DOWNSTREAM }, by: 'person' } },
      { ...base, given: { finding: { arm: 'received-from', upstream }, by: 'person' } },
      { ...base, hold: 'held' },
      { ...base, request: aRequest({ comment: 'x' }), hold: 'held' },
    ],
    { provider, policy, directory },
  );
  expect(trial).toMatchObject({
    requests: 5,
    automatic: 3,
    review: 2,
    disagreements: 2,
    byArm: { 'received-from': 3 },
    byQueue: { legal: 2 },
    byRule: { 'legal-hold': { held: 2, alone: 1 }, comment: { held: 1, alone: 0 } },
  });
  // Another provider than the one that a person named is a disagreement, although the arm is the same.
  expect(trial.cases[2]?.agrees).toBe(false);
});
