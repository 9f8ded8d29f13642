import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import { POLICY_RULES } from '../../sdk/src/traceback/policy/policy-rules.js';
import {
  createTrunkDirectory,
  decideTraceback,
  DEFAULT_TRACEBACK_POLICY,
  readTracebackPolicy,
  tryTracebackPolicy,
} from '../../sdk/src/traceback/index.js';
import type { MatchOutcome, PolicyInput } from '../../sdk/src/traceback/index.js';
import {
  aCandidate,
  aRequest,
  aSearch,
  CALL_US,
  DOWNSTREAM,
  FIRST_ID,
  HOUR_US,
  policyInput,
  uniqueOf,
  UPSTREAM,
  US,
} from '../support/traceback-cases.js';

/** Rules that hand a request to a person. */
const heldBy = (input: PolicyInput): readonly string[] => {
  const decision = decideTraceback(input);
  return decision.kind === 'review' ? decision.reasons.map(({ rule }) => rule) : [];
};

const NOT_FOUND: MatchOutcome = { status: 'none-but-covered', search: aSearch() };
const NOT_RETAINED: MatchOutcome = { status: 'not-retained', retainedFromUs: CALL_US + HOUR_US, search: aSearch() };

test('a unique call of a known upstream that was sent to whoever named us is answered without a person', () => {
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

test.each<[rule: string, change: Partial<PolicyInput>]>([
  ['direction', { request: aRequest({ direction: 'forward' }) }],
  ['asked-provider', { request: aRequest({ provider: UPSTREAM }) }],
  ['requester', { request: aRequest({ requester: { kind: 'criminal-law-enforcement', name: 'x' } }) }],
  ['comment', { request: aRequest({ comment: 'who is the customer?' }) }],
  [
    'stated-zone',
    {
      request: aRequest({
        call: { called: '+12025550101', at: { asWritten: 'x', local: '2026-11-02T09:41', precision: 'minute' } },
      }),
    },
  ],
  [
    'nothing-contradicts',
    { outcome: uniqueOf(aCandidate({ reasons: [{ field: 'spc', verdict: 'contradicts', weight: -1 }] })) },
  ],
  ['score', { outcome: uniqueOf(aCandidate({ score: 0.69 })) }],
  [
    'lead',
    {
      outcome: { status: 'unique', candidate: aCandidate(), others: [aCandidate({ score: 0.81 })], search: aSearch() },
    },
  ],
  ['time-offset', { outcome: uniqueOf(aCandidate({ timeOffsetUs: -121_000_000 })) }],
  ['time-step', { outcome: uniqueOf(aCandidate({ leg: { time: { written: 'utc', resolutionUs: 3_600_000_000 } } })) }],
  [
    'one-instant',
    {
      outcome: uniqueOf(
        aCandidate({ leg: { time: { written: 'local', resolutionUs: 1, otherInviteAtUs: CALL_US - HOUR_US } } }),
      ),
    },
  ],
  ['call-before-request', { request: aRequest({ issuedAt: '2026-11-02T14:00:00Z' }) }],
  ['downstream', { outcome: uniqueOf(aCandidate({ downstream: 'unknown-egress' })) }],
  ['upstream-known', { outcome: uniqueOf(aCandidate({ upstream: { kind: 'provider', provider: DOWNSTREAM } })) }],
  ['legal-hold', { hold: 'held' }],
  ['legal-hold', { hold: 'unknown' }],
  ['complete-around', { sources: ['sbc-1', 'sbc-2'] }],
  ['complete-searched', { outcome: NOT_FOUND, sources: ['sbc-2'] }],
  ['complete-searched', { outcome: { ...NOT_FOUND, search: aSearch({ coverage: [] }) }, sources: [] }],
  [
    'searched-enough',
    { outcome: { ...NOT_FOUND, search: aSearch({ windows: [{ fromUs: CALL_US, toUs: CALL_US + 60_000_000 }] }) } },
  ],
  ['searched-enough', { outcome: { ...NOT_FOUND, search: aSearch({ keys: ['call-id', 'calling'] }) } }],
  ['caller-looked-for', { outcome: { ...NOT_FOUND, search: aSearch({ keys: ['called', 'call-id'] }) } }],
])('%s: one rule is enough for a person to be asked', (rule, change) => {
  expect(heldBy(policyInput(change))).toContain(rule);
});

test('a hold on any call that may be meant goes to counsel, also where no one call was found', () => {
  const several: MatchOutcome = {
    status: 'several',
    candidates: [aCandidate()],
    because: ['two legs'],
    search: aSearch(),
  };
  for (const outcome of [several, NOT_FOUND, NOT_RETAINED] as const) {
    for (const hold of ['held', 'unknown'] as const) {
      expect(decideTraceback(policyInput({ outcome, hold }))).toMatchObject({ kind: 'review', queue: 'legal' });
      expect(heldBy(policyInput({ outcome, hold }))).toContain('legal-hold');
    }
    expect(heldBy(policyInput({ outcome }))).not.toContain('legal-hold');
  }
});

test('a time without a zone goes to a person unless the record that was stated is that of the call', () => {
  const call = {
    called: '+12025550101',
    recordId: FIRST_ID,
    at: { asWritten: 'x', local: '2026-11-02T09:41', precision: 'minute' },
  } as const;
  const { reasons } = aCandidate();
  const of = (verdict: 'equal' | 'contradicts'): MatchOutcome =>
    uniqueOf(aCandidate({ reasons: [...reasons, { field: 'record-id', verdict, weight: 40, stated: FIRST_ID }] }));
  const request = aRequest({ call });
  expect(heldBy(policyInput({ request, outcome: of('equal') }))).toEqual([]);
  for (const outcome of [of('contradicts'), uniqueOf(), NOT_FOUND])
    expect(heldBy(policyInput({ request, outcome }))).toContain('stated-zone');
});

test('a call that an identifier names leads whatever other calls score', () => {
  const held = (verdict: 'equal' | 'contradicts', otherVerdict: 'equal' | 'contradicts'): readonly string[] => {
    const reasons = (said: 'equal' | 'contradicts') => [{ field: 'call-id', verdict: said, weight: 40 }] as const;
    const others = [aCandidate({ score: 0.91, reasons: reasons(otherVerdict) })];
    const candidate = aCandidate({ reasons: reasons(verdict) });
    const decision = decideTraceback(
      policyInput({ outcome: { status: 'unique', candidate, others, search: aSearch() } }),
    );
    return decision.kind === 'automatic' ? [] : decision.reasons.map(({ rule }) => rule);
  };
  expect(held('equal', 'contradicts')).toEqual([]);
  expect(held('equal', 'equal')).toEqual(['lead']);
});

test('a lead is as wide as the policy asks, in thousandths', () => {
  const outcome = { ...uniqueOf(), others: [aCandidate({ score: 0.8 })] };
  expect(decideTraceback(policyInput({ outcome })).kind).toBe('automatic');
});

test('a request of a later hop that does not say who named us goes to a person, whatever was found', () => {
  const { downstream: _none, ...first } = aRequest({ hop: 1 });
  const outcome = uniqueOf(aCandidate({ downstream: 'delivered-here' }));
  expect(decideTraceback(policyInput({ request: first, outcome })).kind).toBe('automatic');
  const later = decideTraceback(policyInput({ request: { ...first, hop: 3 }, outcome }));
  expect(later).toMatchObject({ kind: 'review', reasons: [{ rule: 'downstream' }] });
});

test('that a call began here is for a person where nobody knows which customer it was of', () => {
  const policy = readTracebackPolicy({
    policyId: 'p',
    automatic: { arms: ['origin'] },
    customers: { details: 'none', basisRequired: false },
  });
  const entries = [{ trunk: 'access-1', party: { kind: 'customer' } as const }];
  const directory = createTrunkDirectory({ directoryId: 'd', providers: [{ provider: US }], entries });
  const of = (customerId?: string): MatchOutcome =>
    uniqueOf(
      aCandidate({
        leg: { ingress: { trunk: 'access-1' }, ...(customerId === undefined ? {} : { customerId }) },
        upstream: { kind: 'customer' },
      }),
    );
  expect(heldBy(policyInput({ policy, directory, outcome: of() }))).toEqual(['customer']);
  expect(heldBy(policyInput({ policy, directory, outcome: of('C-7') }))).toEqual([]);
  const { upstream: _unknown, ...nobody } = aCandidate({ leg: { ingress: { trunk: 'unknown-1' } } });
  expect(heldBy(policyInput({ policy, directory, outcome: uniqueOf(nobody) }))).toContain('upstream-known');
});

test.each([
  [{ status: 'several', candidates: [aCandidate()], because: ['two legs'], search: aSearch() }, 'match'],
  [{ status: 'gap', gaps: [], search: aSearch() }, 'records'],
  [{ status: 'unreadable', because: ['no number'] }, 'match'],
] as const)('an outcome that is none goes to a person without a proposal: %j', (outcome, topic) => {
  const decision = decideTraceback(policyInput({ outcome }));
  if (decision.kind !== 'review') throw new Error('was answered');
  expect(decision.reasons.find(({ rule }) => rule === 'one-call')?.topic).toBe(topic);
  expect(decision.proposal).toBeUndefined();
});

test('a call that was sent elsewhere is a dispute, which counsel sees', () => {
  const decision = decideTraceback(policyInput({ outcome: uniqueOf(aCandidate({ downstream: 'sent-elsewhere' })) }));
  expect(decision).toMatchObject({
    kind: 'review',
    queue: 'legal',
    proposal: { finding: { arm: 'not-sent-to-downstream', downstream: DOWNSTREAM } },
  });
});

test('the one call that several others do not come near, but for whom it was sent to, is proposed as a dispute', () => {
  const disputed = aCandidate({ downstream: 'sent-elsewhere', score: 0.25 });
  const outcome: MatchOutcome = {
    status: 'several',
    candidates: [disputed],
    because: ['x'],
    disputed,
    search: aSearch(),
  };
  expect(decideTraceback(policyInput({ outcome }))).toMatchObject({
    kind: 'review',
    queue: 'legal',
    reasons: [{ rule: 'arm', topic: 'legal' }],
    proposal: { finding: { arm: 'not-sent-to-downstream' } },
  });
});

test('a policy that lets disputes out may give them, and never as received-from', () => {
  const policy = readTracebackPolicy({
    policyId: 'p',
    automatic: { arms: ['not-sent-to-downstream', 'received-from'] },
  });
  const elsewhere = uniqueOf(aCandidate({ downstream: 'sent-elsewhere' }));
  expect(decideTraceback(policyInput({ policy, outcome: elsewhere }))).toMatchObject({
    kind: 'automatic',
    draft: { finding: { arm: 'not-sent-to-downstream' } },
  });
});

test('what a policy may loosen is all that it can: fixed rules hold under the loosest', () => {
  const policy = readTracebackPolicy({
    policyId: 'loosest',
    automatic: {
      arms: [
        'received-from',
        'received-from-unlisted',
        'origin',
        'point-of-entry',
        'not-found',
        'not-retained',
        'not-sent-to-downstream',
      ],
      requesters: ['itg', 'fcc', 'civil-law-enforcement', 'criminal-law-enforcement'],
      ...{ leastScore: 0, leastLead: 0, mostTimeOffsetSeconds: 3_600, mostTimeStepSeconds: 3_600, zoneRequired: false },
      ...{
        completeAroundSeconds: 0,
        leastSearchedSeconds: 0,
        commentsToPerson: false,
        firstHopNotFoundToPerson: false,
        notFoundWithoutCallerToPerson: false,
      },
    },
    customers: { basisRequired: false, details: 'none' },
  });
  const held: Partial<PolicyInput>[] = [
    { outcome: uniqueOf(aCandidate({ downstream: 'unknown-egress' })) },
    { outcome: uniqueOf(aCandidate({ downstream: 'not-delivered-here' })), request: withoutDownstream() },
    { outcome: uniqueOf(aCandidate()), request: withoutDownstream() },
    { outcome: uniqueOf(aCandidate({ downstream: 'delivered-here' })) },
    { outcome: uniqueOf(aCandidate({ leg: { ingress: { trunk: 'unknown-1' } } })) },
    { outcome: uniqueOf(aCandidate({ leg: { ingress: { trunk: 'own-1' } } })) },
    { outcome: uniqueOf(aCandidate({ leg: { ingress: { trunk: 'out-1' } } })) },
    { hold: 'held' },
    { outcome: { ...NOT_FOUND, search: aSearch({ coverage: [] }) } },
    { request: aRequest({ provider: UPSTREAM }) },
  ];
  for (const change of held) expect(heldBy(policyInput({ ...change, policy }))).not.toEqual([]);
  expect(heldBy(policyInput({ policy }))).toEqual([]);
});

function withoutDownstream() {
  const { downstream: _named, ...request } = aRequest({ hop: 1 });
  return request;
}

test.each([
  ['pbx-9', 'origin', 'traceback'],
  ['small-1', 'received-from-unlisted', 'traceback'],
  ['abroad-1', 'point-of-entry', 'traceback'],
])('a call of trunk %s is proposed as %s, to a person', (trunk, arm, queue) => {
  const outcome = uniqueOf(aCandidate({ leg: { ingress: { trunk } } }));
  expect(decideTraceback(policyInput({ outcome }))).toMatchObject({
    kind: 'review',
    queue,
    proposal: { finding: { arm } },
  });
});

test('the origin may be answered where the policy says so and the customer is on file, with no more than it lets be said', () => {
  const outcome = uniqueOf(aCandidate({ leg: { ingress: { trunk: 'pbx-9' } } }));
  const written = {
    policyId: 'p',
    automatic: { arms: ['origin'] },
    customers: {
      details: 'contact',
      statements: {
        'C-9': { contact: { name: 'Example Dialler Inc' }, knowYourCustomer: 'visited on site', action: 'suspended' },
      },
    },
  };
  expect(decideTraceback(policyInput({ outcome, policy: readTracebackPolicy(written) }))).toMatchObject({
    kind: 'automatic',
    draft: {
      finding: {
        arm: 'origin',
        customer: {
          customerId: 'C-9',
          contact: { name: 'Example Dialler Inc' },
          knowYourCustomer: 'visited on site',
          action: 'suspended',
        },
      },
    },
  });
  const silent = readTracebackPolicy({ ...written, customers: { ...written.customers, details: 'none' } });
  const decision = decideTraceback(policyInput({ outcome, policy: silent }));
  expect(decision.kind === 'automatic' && decision.draft.finding).toEqual({
    arm: 'origin',
    customer: { knowYourCustomer: 'visited on site', action: 'suspended' },
  });
  const unknown = readTracebackPolicy({ policyId: 'p', automatic: { arms: ['origin'] } });
  expect(heldBy(policyInput({ outcome, policy: unknown }))).toEqual(['customer']);
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
  expect(heldBy(policyInput({ outcome: NOT_FOUND, request: withoutDownstream() }))).toEqual(['first-hop']);
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
  let error: unknown;
  try {
    readTracebackPolicy(written);
  } catch (caught) {
    error = caught;
  }
  expect(isHopbackError(error) && [error.code, error.details]).toEqual(['invalid-configuration', { member }]);
});

test('a policy read with its id alone is the default policy', () => {
  expect(readTracebackPolicy({ policyId: 'hopback-traceback-1' })).toEqual(DEFAULT_TRACEBACK_POLICY);
});

test('a dry run says what would have been answered, what held the rest back, and where a person had said otherwise', () => {
  const { provider, policy, directory, ...base } = policyInput();
  const trial = tryTracebackPolicy(
    [
      { ...base, given: { finding: { arm: 'received-from', upstream: UPSTREAM }, by: 'person' } },
      { ...base, given: { finding: { arm: 'not-sent-to-downstream', downstream: DOWNSTREAM }, by: 'person' } },
      { ...base, hold: 'held' },
      { ...base, request: aRequest({ comment: 'x' }), hold: 'held' },
    ],
    { provider, policy, directory },
  );
  expect(trial).toMatchObject({
    requests: 4,
    automatic: 2,
    review: 2,
    disagreements: 1,
    byArm: { 'received-from': 2 },
    byQueue: { legal: 2 },
    byRule: { 'legal-hold': { held: 2, alone: 1 }, comment: { held: 1, alone: 0 } },
  });
  expect(US.name).toBe(provider.name);
});

test('a policy that would have named another than a person did is too bold, whatever the arm', () => {
  const { provider, policy, directory, ...base } = policyInput();
  const finding = { arm: 'received-from', upstream: { name: 'Another Carrier Inc' } } as const;
  const trial = tryTracebackPolicy([{ ...base, given: { finding, by: 'person' } }], { provider, policy, directory });
  expect([trial.disagreements, trial.cases[0]?.agrees]).toEqual([1, false]);
});
