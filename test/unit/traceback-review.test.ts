import { expect, test } from 'vitest';
import {
  answerOfDecision,
  decideTraceback,
  DEFAULT_TRACEBACK_POLICY,
  readReviewDecision,
  reviewOf,
} from '../../sdk/src/traceback/index.js';
import type {
  FindingArm,
  MatchCandidate,
  MatchOutcome,
  ReviewDecision,
  ReviewSubject,
  TracebackAnswer,
} from '../../sdk/src/traceback/index.js';
import {
  aCandidate,
  aRequest,
  aSearch,
  CALL_US,
  DIRECTORY,
  DOWNSTREAM,
  FIRST_ID,
  HOUR_US,
  policyInput,
  SECOND_ID,
  uniqueOf,
  UPSTREAM,
  US,
} from '../support/traceback-cases.js';

const CONTEXT = { policy: DEFAULT_TRACEBACK_POLICY, directory: DIRECTORY, provider: US };
const DUE_MS = CALL_US / 1_000 + 24 * 3_600_000;
const ELSEWHERE = aCandidate({
  leg: { recordId: SECOND_ID, callGroupId: 'g-2' },
  downstream: 'sent-elsewhere',
  score: 0.9,
  reasons: [{ field: 'called', verdict: 'equal', weight: 0.5, stated: '+12025550101', recorded: '12025550101' }],
});
const SEVERAL: MatchOutcome = {
  status: 'several',
  candidates: [aCandidate(), ELSEWHERE],
  because: ['two calls of that minute'],
  search: aSearch(),
};

const subjectOf = (outcome: MatchOutcome | undefined, more: Partial<ReviewSubject> = {}): ReviewSubject => {
  const request = more.request ?? aRequest();
  return {
    request,
    state: 'review',
    dueAtMs: DUE_MS,
    ...(outcome === undefined ? {} : { outcome }),
    decision: decideTraceback(policyInput({ request, ...(outcome === undefined ? {} : { outcome }) })),
    answers: [],
    ...more,
  };
};

const decisionOf = (arm: FindingArm, more: Partial<ReviewDecision> = {}): ReviewDecision => ({
  format: 'hopback.review-decision.1',
  decisionId: 'd-1',
  requestId: 'r-1',
  by: 'duty engineer',
  decidedAt: '2026-11-02T18:00:00Z',
  arm,
  ...more,
});

const problemsOf = (decision: ReviewDecision, subject: ReviewSubject): readonly string[] => {
  const outcome = answerOfDecision(decision, subject, CONTEXT);
  return outcome.status === 'refused' ? outcome.problems.map(({ about }) => about) : [];
};

const ANSWER: TracebackAnswer = {
  format: 'hopback.traceback-answer.1',
  answerId: 'a-1',
  requestId: 'r-1',
  tracebackId: 't-1',
  revision: 1,
  answeredAt: '2026-11-02T18:00:00Z',
  provider: US,
  answeredBy: { kind: 'person', name: 'duty engineer' },
  finding: { arm: 'received-from', upstream: UPSTREAM },
  searched: { windows: [], keys: [], coverage: [], recordsConsidered: 0 },
};

test('the view has request, deadline, candidates side by side, reasons and what can be done', () => {
  const view = reviewOf(subjectOf(SEVERAL), { nowMs: DUE_MS - 3_600_000, policy: DEFAULT_TRACEBACK_POLICY });
  expect(view).toMatchObject({
    format: 'hopback.review.1',
    requestId: 'r-1',
    state: 'review',
    queue: 'traceback',
    deadline: { state: 'close', remainingSeconds: 3_600, text: 'close: due in 1 h 0 min' },
    reasons: ['several calls may be meant: two calls of that minute', 'there is nothing that could be answered'],
    candidates: [
      { candidate: FIRST_ID, rank: 1, scorePercent: 100, upstream: 'Example Carrier Corp (OCN 0003)', warnings: [] },
      { candidate: SECOND_ID, rank: 2, scorePercent: 90, finding: { arm: 'not-sent-to-downstream' } },
    ],
    isMasked: true,
  });
  expect(view.candidates[1]?.warnings.map(({ name }) => name)).toEqual(['sent-elsewhere', 'another-fits-better']);
  expect(view.comparison[0]).toEqual({
    field: 'called',
    stated: '+1202555XXXX',
    recorded: [
      { text: '1202555XXXX', verdict: 'equal' },
      { text: '1202555XXXX', verdict: 'equal' },
    ],
  });
  expect(view.actions[0]?.arms.map(({ arm }) => arm)).toEqual([
    'received-from',
    'received-from-unlisted',
    'origin',
    'point-of-entry',
    'not-found',
    'not-sent-to-downstream',
    'ambiguous',
    'refused',
  ]);
  expect(JSON.parse(JSON.stringify(view))).toEqual(view);
});

test('calls past those that are shown are counted, and can be chosen', () => {
  const ids = Array.from({ length: 22 }, (_, at) => String(at).padStart(32, '0'));
  const candidates = ids.map((recordId) => aCandidate({ leg: { recordId } }));
  const many = subjectOf({ status: 'several', candidates, because: ['x'], search: aSearch() });
  const view = reviewOf(many, { nowMs: DUE_MS, policy: DEFAULT_TRACEBACK_POLICY });
  expect([view.candidates.length, view.callsFound]).toEqual([20, 22]);
  expect(problemsOf(decisionOf('received-from', { candidate: ids[21] ?? '' }), many)).toEqual([]);
});

test('numbers are masked wherever they stand, and shown where that is asked for', () => {
  const request = aRequest({
    comment: 'call (202) 555-0101 back',
    campaign: { name: 'x', description: 'from +1 202-555-0199' },
  });
  const options = { nowMs: DUE_MS, policy: DEFAULT_TRACEBACK_POLICY };
  const masked = JSON.stringify(reviewOf(subjectOf(SEVERAL, { request }), options));
  expect(masked).not.toMatch(/555-?01/);
  expect(JSON.stringify(reviewOf(subjectOf(SEVERAL, { request }), { ...options, showNumbers: true }))).toContain(
    '+12025550101',
  );
});

test.each([
  [DUE_MS - 20 * 3_600_000, 'open', 'due in 20 h 0 min'],
  [DUE_MS - 59_000, 'close', 'close: due in 59 s'],
  [DUE_MS + 61_000, 'overdue', 'overdue by 1 min'],
])('the deadline says the same in a word and in a text', (nowMs, state, text) => {
  const view = reviewOf(subjectOf(SEVERAL), { nowMs, policy: DEFAULT_TRACEBACK_POLICY });
  expect(view.deadline).toMatchObject({ state, text });
});

test('a person chooses one of several calls, and its upstream is named', () => {
  const outcome = answerOfDecision(
    decisionOf('received-from', { candidate: FIRST_ID, comment: 'by the SBC trace' }),
    subjectOf(SEVERAL),
    CONTEXT,
  );
  expect(outcome).toMatchObject({
    status: 'accepted',
    draft: {
      finding: { arm: 'received-from', upstream: UPSTREAM },
      call: { startedAt: '2026-11-02T14:41:10Z' },
      comment: 'by the SBC trace',
      searched: { keys: ['called', 'calling'] },
    },
    despite: [],
  });
});

test('of calls of two upstreams that fit as well as each other none is named unless that was seen', () => {
  const first = aCandidate();
  const equal = (trunk: string) => aCandidate({ leg: { recordId: SECOND_ID, ingress: { trunk } } });
  const named = (other: MatchCandidate): readonly string[] => {
    const outcome: MatchOutcome = { status: 'several', candidates: [first, other], because: ['x'], search: aSearch() };
    return problemsOf(decisionOf('received-from', { candidate: FIRST_ID }), subjectOf(outcome));
  };
  expect(named(equal('small-1'))).toEqual(['another-fits-as-well']);
  expect(named(equal('nobody-knows'))).toEqual(['another-fits-as-well']);
  expect(named(equal('in-1'))).toEqual([]);
});

test('a call that crosses the carrier twice is two calls of one group, and a decision names one of them', () => {
  const first = aCandidate();
  const second = aCandidate({ leg: { recordId: SECOND_ID, ingress: { trunk: 'out-1' }, egress: { trunk: 'in-1' } } });
  const twice = subjectOf({ status: 'several', candidates: [first, second], because: ['x'], search: aSearch() });
  const view = reviewOf(twice, { nowMs: DUE_MS, policy: DEFAULT_TRACEBACK_POLICY });
  expect(first.callGroupId).toBe(second.callGroupId);
  expect(view.candidates.map(({ candidate }) => candidate)).toEqual([FIRST_ID, SECOND_ID]);
  for (const [candidate, upstream] of [
    [FIRST_ID, UPSTREAM],
    [SECOND_ID, DOWNSTREAM],
  ] as const) {
    const despite = ['upstream-is-downstream', 'another-fits-as-well'];
    const decision = decisionOf('received-from', { candidate, despite });
    expect(answerOfDecision(decision, twice, CONTEXT)).toMatchObject({
      status: 'accepted',
      draft: { finding: { upstream } },
    });
  }
  expect(problemsOf(decisionOf('received-from', { candidate: first.callGroupId }), twice)).toContain('candidate');
});

test('"not found" is refused wherever a source is not covered for all that was looked through, whatever was found', () => {
  const { coverage } = aSearch();
  const [fromUs, toUs] = [CALL_US - HOUR_US, CALL_US + HOUR_US];
  const despite = ['calls-found', 'records-missing'];
  const incomplete: readonly [Partial<ReviewSubject>, MatchOutcome][] = [
    [{}, { ...SEVERAL, search: aSearch({ coverage: [{ sourceId: 'sbc-1', fromUs: fromUs + 1, toUs }] }) }],
    [{}, { ...SEVERAL, search: aSearch({ coverage: [] }) }],
    [{}, { ...SEVERAL, search: aSearch({ windows: [] }) }],
    [{ sources: ['sbc-1', 'sbc-2'] }, SEVERAL],
    [{ sources: ['sbc-2'] }, uniqueOf()],
    [{ sources: ['sbc-2'] }, { status: 'none-but-covered', search: aSearch({ coverage }) }],
  ];
  for (const [more, outcome] of incomplete) {
    const subject = subjectOf(outcome, more);
    expect(problemsOf(decisionOf('not-found', { despite }), subject)).toEqual(['records-missing']);
    const view = reviewOf(subject, { nowMs: DUE_MS, policy: DEFAULT_TRACEBACK_POLICY });
    expect(view.actions[0]?.arms.map(({ arm }) => arm)).not.toContain('not-found');
    expect(view.searched.map(({ label }) => label)).not.toContain('complete');
  }
  expect(problemsOf(decisionOf('not-found', { despite }), subjectOf(SEVERAL, { sources: ['sbc-1'] }))).toEqual([]);
});

test('how much of what was looked through is on record is said of each source', () => {
  const fromUs = CALL_US - HOUR_US;
  const second = { sourceId: 'sbc-2', fromUs, toUs: fromUs + 999_999 };
  const search = aSearch({ coverage: [...aSearch().coverage, second] });
  const facts = (sources: readonly string[], outcome: MatchOutcome): readonly string[] =>
    reviewOf(subjectOf(outcome, { sources }), { nowMs: DUE_MS, policy: DEFAULT_TRACEBACK_POLICY }).searched.map(
      ({ label, value }) => `${label} ${value}`,
    );
  expect(facts(['sbc-1', 'sbc-3'], { ...SEVERAL, search }).slice(3)).toEqual([
    'covered sbc-1: all of 2 h 0 min',
    'incomplete sbc-3: nothing of 2 h 0 min',
    'incomplete sbc-2: 1 s of 2 h 0 min',
    'missing sbc-2: 2026-11-02T13:41:11Z to 2026-11-02T15:41:10Z',
    'missing sbc-3: 2026-11-02T13:41:10Z to 2026-11-02T15:41:10Z',
  ]);
  expect(facts(['sbc-1'], SEVERAL)).toContain('complete sbc-1');
  expect(facts([], { ...SEVERAL, search: aSearch({ coverage: [] }) })).toContain('incomplete no source is known');
});

test('a dispute is about one call, and has to be confirmed unless that was sent elsewhere', () => {
  const disputeOf = (candidate: string, despite: readonly string[] = []): readonly string[] =>
    problemsOf(decisionOf('not-sent-to-downstream', { candidate, despite }), subjectOf(SEVERAL));
  expect(problemsOf(decisionOf('not-sent-to-downstream'), subjectOf(SEVERAL))).toEqual(['candidate']);
  expect(disputeOf(FIRST_ID)).toEqual(['sent-to-downstream']);
  expect(disputeOf(SECOND_ID)).toEqual(['another-fits-better']);
  expect(disputeOf(SECOND_ID, ['another-fits-better'])).toEqual([]);
  for (const downstream of ['unknown-egress', 'delivered-here', 'not-delivered-here'] as const) {
    const subject = subjectOf(uniqueOf(aCandidate({ downstream })));
    expect(problemsOf(decisionOf('not-sent-to-downstream', { candidate: FIRST_ID }), subject)).toEqual([downstream]);
  }
  const none = subjectOf({ status: 'none-but-covered', search: aSearch() });
  expect(problemsOf(decisionOf('not-sent-to-downstream', { despite: ['no-record'] }), none)).toContain('no-record');
});

test('a dispute that is proposed names its call', () => {
  const outcome: MatchOutcome = { ...SEVERAL, disputed: ELSEWHERE };
  const view = reviewOf(subjectOf(outcome), { nowMs: DUE_MS, policy: DEFAULT_TRACEBACK_POLICY });
  expect(view.proposed).toMatchObject({ finding: { arm: 'not-sent-to-downstream' }, candidate: SECOND_ID });
});

test('"ambiguous" counts the calls that nothing speaks against', () => {
  const contradicted = aCandidate({
    leg: { recordId: 'f'.repeat(32) },
    reasons: [{ field: 'time', verdict: 'contradicts', weight: -20 }],
  });
  const three = subjectOf({ ...SEVERAL, candidates: [...SEVERAL.candidates, contradicted] });
  expect(answerOfDecision(decisionOf('ambiguous'), three, CONTEXT)).toMatchObject({
    status: 'accepted',
    draft: { finding: { arm: 'ambiguous', candidates: 2 } },
  });
  const one = subjectOf({ ...SEVERAL, candidates: [aCandidate(), contradicted] });
  expect(problemsOf(decisionOf('ambiguous'), one)).toEqual(['not-several']);
});

test('"not our number" has to be confirmed beside a call that was delivered here', () => {
  const { downstream: _named, ...first } = aRequest({ hop: 1 });
  const subject = (downstream: MatchCandidate['downstream']): ReviewSubject =>
    subjectOf(uniqueOf(aCandidate({ downstream })), { request: first });
  expect(problemsOf(decisionOf('not-our-number'), subject('delivered-here'))).toEqual(['delivered-here']);
  expect(problemsOf(decisionOf('not-our-number'), subject('not-delivered-here'))).toEqual(['calls-found']);
});

test.each<[claim: string, trunk: string, problem: string, decision: ReviewDecision]>([
  ['another contact', 'abroad-1', 'not-as-directory', decisionOf('point-of-entry', { contact: { name: 'Other' } })],
  [
    'another address of it',
    'abroad-1',
    'not-as-directory',
    decisionOf('point-of-entry', { contact: { name: 'Example Foreign', email: 'x@example.com' } }),
  ],
  ['an unlisted provider', 'small-1', 'not-as-directory', decisionOf('point-of-entry', { contact: { name: 'Other' } })],
  ['another customer', 'pbx-9', 'not-as-directory', decisionOf('origin', { customer: { customerId: 'C-8' } })],
  ['nobody', 'unknown-1', 'upstream-unknown', decisionOf('origin')],
  ['another code', 'in-1', 'not-as-directory', decisionOf('received-from', { provider: { ...UPSTREAM, ocn: '0009' } })],
  ['us', 'small-1', 'upstream-is-us', decisionOf('received-from-unlisted', { contact: { name: US.name } })],
  ['whoever named us', 'out-1', 'upstream-is-downstream', decisionOf('received-from')],
])('who is named is held against the directory: %s', (_claim, trunk, problem, decision) => {
  const subject = subjectOf(uniqueOf(aCandidate({ leg: { ingress: { trunk } } })));
  expect(problemsOf({ ...decision, candidate: FIRST_ID }, subject)).toContain(problem);
});

test('a customer that the record names otherwise than the directory has to be confirmed', () => {
  const subject = subjectOf(uniqueOf(aCandidate({ leg: { ingress: { trunk: 'pbx-9' }, customerId: 'C-8' } })));
  expect(problemsOf(decisionOf('origin', { candidate: FIRST_ID }), subject)).toEqual(['not-as-record']);
});

test('what a person says of a customer is said beside what is on file', () => {
  const subject = subjectOf(uniqueOf(aCandidate({ leg: { ingress: { trunk: 'pbx-9' } } })));
  const decision = decisionOf('origin', { candidate: FIRST_ID, customer: { knowYourCustomer: 'visited on site' } });
  expect(answerOfDecision(decision, subject, CONTEXT)).toMatchObject({
    draft: { finding: { customer: { customerId: 'C-9', knowYourCustomer: 'visited on site' } } },
  });
});

test.each<[member: string, decision: ReviewDecision]>([
  ['contact', decisionOf('received-from', { candidate: FIRST_ID, contact: { name: 'Example Foreign' } })],
  ['provider', decisionOf('origin', { candidate: FIRST_ID, provider: UPSTREAM })],
  ['candidate', decisionOf('not-found', { candidate: FIRST_ID })],
  ['candidate', decisionOf('refused', { candidate: FIRST_ID, reason: 'x' })],
  ['reason', decisionOf('ambiguous', { reason: 'x' })],
])('a decision is refused where its %s would not be in the answer', (member, decision) => {
  expect(problemsOf(decision, subjectOf(SEVERAL))).toContain(member);
});

test.each<[claim: string, problem: string, decision: ReviewDecision, subject: ReviewSubject]>([
  ['no call is chosen', 'candidate', decisionOf('received-from'), subjectOf(SEVERAL)],
  [
    'the call is none of those found',
    'candidate',
    decisionOf('received-from', { candidate: 'g-9' }),
    subjectOf(SEVERAL),
  ],
  [
    'it was sent elsewhere',
    'sent-elsewhere',
    decisionOf('received-from', { candidate: SECOND_ID }),
    subjectOf(SEVERAL),
  ],
  [
    'the directory names another',
    'not-as-directory',
    decisionOf('received-from', { candidate: FIRST_ID, provider: DOWNSTREAM }),
    subjectOf(SEVERAL),
  ],
  [
    'it is ourselves',
    'upstream-is-us',
    decisionOf('received-from', { candidate: FIRST_ID, provider: US }),
    subjectOf(SEVERAL),
  ],
  [
    'another arm than the directory',
    'not-as-directory',
    decisionOf('origin', { candidate: FIRST_ID }),
    subjectOf(SEVERAL),
  ],
  ['calls were found', 'calls-found', decisionOf('not-found'), subjectOf(SEVERAL)],
  [
    'records are missing',
    'records-missing',
    decisionOf('not-found', { despite: ['records-missing'] }),
    subjectOf({ status: 'gap', gaps: [], search: aSearch() }),
  ],
  [
    'nothing was searched',
    'records-missing',
    decisionOf('not-found', { despite: ['records-missing'] }),
    subjectOf({ status: 'unreadable', because: ['x'] }),
  ],
  ['nothing was removed', 'retention-unknown', decisionOf('not-retained'), subjectOf(SEVERAL)],
  ['it is not the first hop', 'not-first-hop', decisionOf('not-our-number'), subjectOf(SEVERAL)],
  ['there is one call', 'not-several', decisionOf('ambiguous'), subjectOf(uniqueOf())],
  ['a trace back is asked', 'other-question', decisionOf('serves-number', { customer: {} }), subjectOf(SEVERAL)],
  ['no reason is given', 'reason', decisionOf('refused'), subjectOf(SEVERAL)],
  ['it is another request', 'requestId', decisionOf('refused', { reason: 'x', requestId: 'r-2' }), subjectOf(SEVERAL)],
  [
    'there is an answer',
    'amendReason',
    decisionOf('ambiguous'),
    subjectOf(SEVERAL, { answers: [{ answer: ANSWER, delivery: 'sent' }] }),
  ],
  ['there is none to amend', 'amendReason', decisionOf('ambiguous', { amendReason: 'x' }), subjectOf(SEVERAL)],
  ['it is cancelled', 'state', decisionOf('ambiguous'), subjectOf(SEVERAL, { state: 'cancelled' })],
])('a decision is refused where %s', (_claim, problem, decision, subject) => {
  expect(problemsOf(decision, subject)).toContain(problem);
});

test('what was confirmed is no obstacle, and stands in what the decision was made in spite of', () => {
  const outcome = answerOfDecision(
    decisionOf('received-from', { candidate: SECOND_ID, despite: ['sent-elsewhere', 'another-fits-better'] }),
    subjectOf(SEVERAL),
    CONTEXT,
  );
  expect(outcome).toMatchObject({ status: 'accepted', despite: ['sent-elsewhere', 'another-fits-better'] });
});

test('a legal hold has to be confirmed for any arm but a refusal', () => {
  const held = subjectOf(SEVERAL, { decision: decideTraceback(policyInput({ hold: 'held' })) });
  expect(problemsOf(decisionOf('received-from', { candidate: FIRST_ID }), held)).toEqual(['legal-hold']);
  expect(problemsOf(decisionOf('refused', { reason: 'counsel' }), held)).toEqual([]);
});

test('an answer is amended with its reason', () => {
  const answered = subjectOf(SEVERAL, {
    state: 'acknowledged',
    answers: [{ answer: ANSWER, delivery: 'acknowledged' }],
  });
  const decision = decisionOf('received-from', {
    candidate: FIRST_ID,
    amendReason: 'the trunk was written down wrongly',
  });
  expect(problemsOf(decision, answered)).toEqual([]);
  const view = reviewOf(answered, { nowMs: DUE_MS + 1, policy: DEFAULT_TRACEBACK_POLICY });
  expect(view.actions[0]?.action).toBe('amend');
  expect(view.deadline.state).toBe('done');
  expect(view.given).toEqual([
    {
      answerId: 'a-1',
      revision: 1,
      answeredAt: '2026-11-02T18:00:00Z',
      by: 'duty engineer',
      text: 'received from Example Carrier Corp (OCN 0003)',
      delivery: 'acknowledged',
    },
  ]);
});

test('every arm that the view offers is taken with what it asks for, and no other is', () => {
  const contact = { name: 'Example Foreign', country: 'CA' };
  const full = { provider: UPSTREAM, contact, customer: {}, reason: 'x' };
  const despite = ['not-as-directory', 'calls-found', 'sent-to-downstream'];
  const arms: readonly FindingArm[] = [
    ...(['received-from', 'received-from-unlisted', 'origin', 'point-of-entry', 'not-found', 'not-retained'] as const),
    ...([
      'not-our-number',
      'not-sent-to-downstream',
      'ambiguous',
      'serves-number',
      'number-served-by',
      'refused',
    ] as const),
  ];
  for (const subject of [
    subjectOf(SEVERAL),
    subjectOf(uniqueOf()),
    subjectOf(undefined, { request: aRequest({ direction: 'forward' }) }),
  ]) {
    const view = reviewOf(subject, { nowMs: DUE_MS, policy: DEFAULT_TRACEBACK_POLICY });
    const offered = view.actions.flatMap((action) => action.arms.map(({ arm }) => arm));
    const taken = arms.filter((arm) => {
      const { needs = [], needsCandidate = false } =
        view.actions.flatMap((action) => action.arms).find((one) => one.arm === arm) ?? {};
      const members = Object.fromEntries(needs.map((name) => [name, full[name]]));
      const decision = { ...members, ...(needsCandidate ? { candidate: FIRST_ID } : {}), despite };
      return problemsOf(decisionOf(arm, decision), subject).length === 0;
    });
    expect(taken).toEqual(offered);
  }
});

test('a decision with a member that nobody knows is refused: it is signed in a person’s name', () => {
  expect(readReviewDecision(decisionOf('ambiguous')).status).toBe('read');
  expect(readReviewDecision({ ...decisionOf('ambiguous'), desptie: [] })).toMatchObject({ status: 'refused' });
  expect(readReviewDecision(null).status).toBe('refused');
});
