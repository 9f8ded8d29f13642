import { expect, test } from 'vitest';
import { DEFAULT_TRACEBACK_POLICY } from '../../sdk/src/traceback/index.js';
import { FINDING_WORDS } from '../../sdk/src/traceback/intake/answer-email.js';
import { decideTraceback } from '../../sdk/src/traceback/policy/decide-traceback.js';
import { answerOfDecision } from '../../sdk/src/traceback/review/answer-of-decision.js';
import { readReviewDecision } from '../../sdk/src/traceback/review/review-decision.js';
import { reviewOf } from '../../sdk/src/traceback/review/review-of.js';
import type {
  FindingArm,
  MatchCandidate,
  MatchOutcome,
  ReviewDecision,
  TracebackAnswer,
} from '../../sdk/src/traceback/index.js';
import type { ReviewSubject } from '../../sdk/src/traceback/review/review-view.js';
import {
  aCandidate,
  aDecision,
  aRequest,
  aSearch,
  CALL_US,
  DIRECTORY,
  DOWNSTREAM,
  FIRST_ID,
  firstHop,
  HOUR_US,
  policyInput,
  SECOND_ID,
  several,
  unique,
  uniqueOver,
  UPSTREAM,
  US,
} from '../support/traceback-cases.js';
import { answerTo } from '../support/traceback-course.js';

const CONTEXT = { policy: DEFAULT_TRACEBACK_POLICY, directory: DIRECTORY, provider: US };
const DUE_MS = CALL_US / 1_000 + 24 * 3_600_000;
const ELSEWHERE = aCandidate({
  leg: { recordId: SECOND_ID, callGroupId: 'g-2' },
  downstream: 'sent-elsewhere',
  score: 0.9,
  reasons: [{ field: 'called', verdict: 'equal', weight: 0.5, stated: '+12025550101', recorded: '12025550101' }],
});
const SEVERAL = several([aCandidate(), ELSEWHERE]);

const subjectOf = (outcome: MatchOutcome | undefined, more: Partial<ReviewSubject> = {}): ReviewSubject => {
  const request = more.request ?? aRequest();
  const found = outcome === undefined ? {} : { outcome };
  return {
    request,
    state: 'review',
    dueAtMs: DUE_MS,
    ...found,
    decision: decideTraceback(policyInput({ request, ...found })),
    answers: [],
    ...more,
  };
};
const SUBJECT = subjectOf(SEVERAL);
const viewOf = (subject: ReviewSubject, nowMs = DUE_MS): ReturnType<typeof reviewOf> =>
  reviewOf(subject, { nowMs, policy: DEFAULT_TRACEBACK_POLICY });

const decisionOf = (arm: FindingArm, more: Partial<ReviewDecision> = {}): ReviewDecision => {
  const { candidate: _none, ...decision } = aDecision({ arm });
  return { ...decision, ...more };
};

/** A decision about the first call. */
const chosen = (arm: FindingArm, more: Partial<ReviewDecision> = {}): ReviewDecision =>
  decisionOf(arm, { candidate: FIRST_ID, ...more });

const problemsOf = (decision: ReviewDecision, subject: ReviewSubject): readonly string[] => {
  const outcome = answerOfDecision(decision, subject, CONTEXT);
  return outcome.status === 'refused' ? outcome.problems.map(({ about }) => about) : [];
};

const ANSWER: TracebackAnswer = {
  ...answerTo('r-1', US, { arm: 'received-from', upstream: UPSTREAM }, { answerId: 'a-1' }),
  answeredAt: '2026-11-02T18:00:00Z',
  answeredBy: { kind: 'person', name: 'duty engineer' },
};

test('the view has request, deadline, candidates side by side, reasons and what can be done', () => {
  const view = viewOf(SUBJECT, DUE_MS - 3_600_000);
  expect(view).toMatchObject({
    format: 'hopback.review.1',
    requestId: 'r-1',
    state: 'review',
    queue: 'traceback',
    deadline: { state: 'close', remainingSeconds: 3_600, text: 'close: due in 1 h 0 min' },
    reasons: [
      'it is not certain which call is meant: two calls of that minute',
      'there is nothing that could be answered',
    ],
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
  const many = subjectOf(several(ids.map((recordId) => aCandidate({ leg: { recordId } }))));
  const view = viewOf(many);
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
])('at %i the deadline is %s: %s', (nowMs, state, text) => {
  expect(viewOf(SUBJECT, nowMs).deadline).toMatchObject({ state, text });
});

test('a person chooses one of several calls, and its upstream is named', () => {
  const decision = decisionOf('received-from', { candidate: FIRST_ID, comment: 'by the SBC trace' });
  expect(answerOfDecision(decision, SUBJECT, CONTEXT)).toMatchObject({
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

test('a call that fits no better than one of another upstream has to be confirmed', () => {
  const named = (trunk: string): readonly string[] => {
    const other = aCandidate({ leg: { recordId: SECOND_ID, ingress: { trunk } } });
    const subject = subjectOf(several([aCandidate(), other]));
    return problemsOf(decisionOf('received-from', { candidate: FIRST_ID }), subject);
  };
  expect(named('small-1')).toEqual(['another-fits-as-well']);
  expect(named('unknown')).toEqual(['another-fits-as-well']);
  expect(named('in-1')).toEqual([]);
});

test('a call that crosses the carrier twice is two calls of one group, and a decision names one of them', () => {
  const first = aCandidate();
  const second = aCandidate({ leg: { recordId: SECOND_ID, ingress: { trunk: 'out-1' }, egress: { trunk: 'in-1' } } });
  const twice = subjectOf(several([first, second]));
  expect(first.callGroupId).toBe(second.callGroupId);
  expect(viewOf(twice).candidates.map(({ candidate }) => candidate)).toEqual([FIRST_ID, SECOND_ID]);
  const despite = ['upstream-is-downstream', 'another-fits-as-well'];
  const upstreams = [FIRST_ID, SECOND_ID].map((candidate) => {
    const outcome = answerOfDecision(decisionOf('received-from', { candidate, despite }), twice, CONTEXT);
    const finding = outcome.status === 'accepted' ? outcome.draft.finding : undefined;
    return finding?.arm === 'received-from' && finding.upstream;
  });
  expect(upstreams).toEqual([UPSTREAM, DOWNSTREAM]);
  expect(problemsOf(decisionOf('received-from', { candidate: first.callGroupId }), twice)).toContain('candidate');
});

test('"not found" is refused wherever a source is not covered for all that was looked through, whatever was found', () => {
  const [fromUs, toUs] = [CALL_US - HOUR_US, CALL_US + HOUR_US];
  const despite = ['calls-found', 'records-missing'];
  const searched = (search: Parameters<typeof aSearch>[0]): MatchOutcome => ({ ...SEVERAL, search: aSearch(search) });
  const incomplete: readonly ReviewSubject[] = [
    subjectOf(searched({ coverage: [{ sourceId: 'sbc-1', fromUs: fromUs + 1, toUs }] })),
    subjectOf(searched({ coverage: [] })),
    subjectOf(searched({ windows: [] })),
    subjectOf(SEVERAL, { sources: ['sbc-1', 'sbc-2'] }),
    subjectOf(unique(), { sources: ['sbc-2'] }),
    subjectOf({ status: 'none-but-covered', search: aSearch() }, { sources: ['sbc-2'] }),
  ];
  for (const subject of incomplete) {
    expect(problemsOf(decisionOf('not-found', { despite }), subject)).toEqual(['records-missing']);
    const view = viewOf(subject);
    expect(view.actions[0]?.arms.map(({ arm }) => arm)).not.toContain('not-found');
    expect(view.searched.map(({ label }) => label)).not.toContain('complete');
  }
  expect(problemsOf(decisionOf('not-found', { despite }), subjectOf(SEVERAL, { sources: ['sbc-1'] }))).toEqual([]);
});

test.each<[string, Partial<typeof SEVERAL>, readonly string[]]>([
  ['nothing was found, and nothing is missing', { isCovered: true }, ['not-sure']],
  ['calls were found, and nothing is missing', { isCovered: true, candidates: [aCandidate()] }, ['calls-found']],
  ['records are missing', { isCovered: false }, ['records-missing']],
  ['calls were found, and records are missing', { isCovered: false, candidates: [aCandidate()] }, ['records-missing']],
])('a person confirms "not found" where %s', (_what, more, problems) => {
  const subject = subjectOf(several([], more));
  const confirmed = decisionOf('not-found', { despite: ['not-sure', 'calls-found', 'records-missing'] });
  expect(problemsOf(decisionOf('not-found', { despite: ['records-missing'] }), subject)).toEqual(problems);
  // Missing records cannot be confirmed away.
  const isMissing = problems.includes('records-missing');
  expect(problemsOf(confirmed, subject)).toEqual(isMissing ? problems : []);
});

test('where records were removed in part a person may say so, once it is confirmed', () => {
  const subject = subjectOf(several([], { isCovered: false, retainedFromUs: Date.UTC(2026, 10, 2) * 1_000 }));
  expect(problemsOf(decisionOf('not-retained'), subject)).toEqual(['kept-in-part']);
  const confirmed = decisionOf('not-retained', { despite: ['kept-in-part'] });
  expect(answerOfDecision(confirmed, subject, CONTEXT)).toMatchObject({
    status: 'accepted',
    draft: { finding: { arm: 'not-retained', retainedFrom: '2026-11-02T00:00:00Z' } },
  });
});

test('how much of what was looked through is on record is said of each source', () => {
  const fromUs = CALL_US - HOUR_US;
  const second = { sourceId: 'sbc-2', fromUs, toUs: fromUs + 999_999 };
  const search = aSearch({ coverage: [...aSearch().coverage, second] });
  const facts = (sources: readonly string[], outcome: MatchOutcome): readonly string[] =>
    viewOf(subjectOf(outcome, { sources })).searched.map(({ label, value }) => `${label} ${value}`);
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
    problemsOf(decisionOf('not-sent-to-downstream', { candidate, despite }), SUBJECT);
  expect(problemsOf(decisionOf('not-sent-to-downstream'), SUBJECT)).toEqual(['candidate']);
  expect(disputeOf(FIRST_ID)).toEqual(['sent-to-downstream']);
  expect(disputeOf(SECOND_ID)).toEqual(['another-fits-better']);
  expect(disputeOf(SECOND_ID, ['another-fits-better'])).toEqual([]);
  for (const downstream of ['unknown-egress', 'delivered-here', 'not-delivered-here'] as const) {
    const subject = subjectOf(unique({ downstream }));
    expect(problemsOf(decisionOf('not-sent-to-downstream', { candidate: FIRST_ID }), subject)).toEqual([downstream]);
  }
  const none = subjectOf({ status: 'none-but-covered', search: aSearch() });
  expect(problemsOf(decisionOf('not-sent-to-downstream', { despite: ['no-record'] }), none)).toContain('no-record');
  // One that is proposed names its call.
  expect(viewOf(subjectOf({ ...SEVERAL, disputed: ELSEWHERE })).proposed).toMatchObject({
    finding: { arm: 'not-sent-to-downstream' },
    candidate: SECOND_ID,
  });
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

test('"not our number" has to be confirmed if a call was delivered here', () => {
  const problems = (downstream: MatchCandidate['downstream']): readonly string[] =>
    problemsOf(decisionOf('not-our-number'), subjectOf(unique({ downstream }), { request: firstHop() }));
  expect(problems('delivered-here')).toEqual(['delivered-here']);
  expect(problems('not-delivered-here')).toEqual(['calls-found']);
});

const OTHER_ADDRESS = { name: 'Example Foreign', email: 'x@example.com' };

test.each<[claim: string, trunk: string, problem: string, decision: ReviewDecision]>([
  ['another contact', 'abroad-1', 'not-as-directory', decisionOf('point-of-entry', { contact: { name: 'Other' } })],
  ['another address of it', 'abroad-1', 'not-as-directory', decisionOf('point-of-entry', { contact: OTHER_ADDRESS })],
  ['an unlisted provider', 'small-1', 'not-as-directory', decisionOf('point-of-entry', { contact: { name: 'Other' } })],
  ['another customer', 'pbx-9', 'not-as-directory', decisionOf('origin', { customer: { customerId: 'C-8' } })],
  ['nobody', 'unknown-1', 'upstream-unknown', decisionOf('origin')],
  ['another code', 'in-1', 'not-as-directory', decisionOf('received-from', { provider: { ...UPSTREAM, ocn: '0009' } })],
  ['us', 'small-1', 'upstream-is-us', decisionOf('received-from-unlisted', { contact: { name: US.name } })],
  ['the provider that named us', 'out-1', 'upstream-is-downstream', decisionOf('received-from')],
])('an answer that names %s is compared with the directory', (_claim, trunk, problem, decision) => {
  expect(problemsOf({ ...decision, candidate: FIRST_ID }, subjectOf(uniqueOver(trunk)))).toContain(problem);
});

test('a customer is named as on file, with what the person adds, and confirmed if the record names another', () => {
  const added = decisionOf('origin', { candidate: FIRST_ID, customer: { knowYourCustomer: 'visited on site' } });
  expect(answerOfDecision(added, subjectOf(uniqueOver('pbx-9')), CONTEXT)).toMatchObject({
    draft: { finding: { customer: { customerId: 'C-9', knowYourCustomer: 'visited on site' } } },
  });
  const other = subjectOf(uniqueOver('pbx-9', { customerId: 'C-8' }));
  expect(problemsOf(decisionOf('origin', { candidate: FIRST_ID }), other)).toEqual(['not-as-record']);
});

test.each<[claim: string, problem: string, decision: ReviewDecision]>([
  ['no call is chosen', 'candidate', decisionOf('received-from')],
  ['the call is not one of those found', 'candidate', decisionOf('received-from', { candidate: 'g-9' })],
  ['it was sent elsewhere', 'sent-elsewhere', decisionOf('received-from', { candidate: SECOND_ID })],
  ['the directory names another', 'not-as-directory', chosen('received-from', { provider: DOWNSTREAM })],
  ['it is ourselves', 'upstream-is-us', chosen('received-from', { provider: US })],
  ['the directory has another arm', 'not-as-directory', chosen('origin')],
  ['calls were found', 'calls-found', decisionOf('not-found')],
  ['nothing was removed', 'retention-unknown', decisionOf('not-retained')],
  ['it is not the first hop', 'not-first-hop', decisionOf('not-our-number')],
  ['a trace back is asked for', 'other-question', decisionOf('serves-number', { customer: {} })],
  ['no reason is given', 'reason', decisionOf('refused')],
  ['it is for another request', 'requestId', decisionOf('refused', { reason: 'x', requestId: 'r-2' })],
  ['there is no answer to amend', 'amendReason', decisionOf('ambiguous', { amendReason: 'x' })],
  ['its contact would not be in the answer', 'contact', chosen('received-from', { contact: { name: 'Other' } })],
  ['its provider would not be in the answer', 'provider', chosen('origin', { provider: UPSTREAM })],
  ['its candidate would not be in the answer', 'candidate', chosen('not-found')],
  ['its candidate would not be in the refusal', 'candidate', chosen('refused', { reason: 'x' })],
  ['its reason would not be in the answer', 'reason', decisionOf('ambiguous', { reason: 'x' })],
])('a decision is refused if %s', (_claim, problem, decision) => {
  expect(problemsOf(decision, SUBJECT)).toContain(problem);
});

const DESPITE_MISSING = decisionOf('not-found', { despite: ['records-missing'] });
const ANSWERED = { answers: [{ answer: ANSWER, delivery: 'sent' }] } as const;

test.each<[claim: string, problem: string, decision: ReviewDecision, subject: ReviewSubject]>([
  [
    'records are missing',
    'records-missing',
    DESPITE_MISSING,
    subjectOf({ status: 'gap', gaps: [], search: aSearch() }),
  ],
  ['nothing was searched', 'records-missing', DESPITE_MISSING, subjectOf({ status: 'unreadable', because: ['x'] })],
  ['there is one call', 'not-several', decisionOf('ambiguous'), subjectOf(unique())],
  ['there is an answer', 'amendReason', decisionOf('ambiguous'), subjectOf(SEVERAL, ANSWERED)],
  ['it is cancelled', 'state', decisionOf('ambiguous'), subjectOf(SEVERAL, { state: 'cancelled' })],
])('a decision is refused where %s', (_claim, problem, decision, subject) => {
  expect(problemsOf(decision, subject)).toContain(problem);
});

test('a problem that was confirmed does not refuse the decision, and stays on record; a legal hold refuses any but a refusal', () => {
  const despite = ['sent-elsewhere', 'another-fits-better'];
  const outcome = answerOfDecision(decisionOf('received-from', { candidate: SECOND_ID, despite }), SUBJECT, CONTEXT);
  expect(outcome).toMatchObject({ status: 'accepted', despite });
  const held = subjectOf(SEVERAL, { decision: decideTraceback(policyInput({ hold: 'held' })) });
  expect(problemsOf(chosen('received-from'), held)).toEqual(['legal-hold']);
  expect(problemsOf(decisionOf('refused', { reason: 'counsel' }), held)).toEqual([]);
});

test('an answer is amended with its reason', () => {
  const answers = [{ answer: ANSWER, delivery: 'acknowledged' }] as const;
  const answered = subjectOf(SEVERAL, { state: 'acknowledged', answers });
  const decision = chosen('received-from', { amendReason: 'the trunk was written down wrongly' });
  expect(problemsOf(decision, answered)).toEqual([]);
  const view = viewOf(answered, DUE_MS + 1);
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

test.each([
  ['of several calls', SUBJECT],
  ['of a unique call', subjectOf(unique())],
  ['of a trace forward', subjectOf(undefined, { request: aRequest({ direction: 'forward' }) })],
])('every arm that the view %s offers is taken with what it asks for, and no other is', (_what, subject) => {
  const full = { provider: UPSTREAM, contact: { name: 'Example Foreign', country: 'CA' }, customer: {}, reason: 'x' };
  const despite = ['not-as-directory', 'calls-found', 'sent-to-downstream'];
  const offered = viewOf(subject).actions.flatMap((action) => action.arms);
  const taken = (Object.keys(FINDING_WORDS) as FindingArm[]).filter((arm) => {
    const { needs = [], needsCandidate = false } = offered.find((one) => one.arm === arm) ?? {};
    const members = Object.fromEntries(needs.map((name) => [name, full[name]]));
    const decision = { ...members, ...(needsCandidate ? { candidate: FIRST_ID } : {}), despite };
    return problemsOf(decisionOf(arm, decision), subject).length === 0;
  });
  expect(taken).toEqual(offered.map(({ arm }) => arm));
});

test('a decision with an unknown member is refused, since it is signed in a person’s name', () => {
  expect(readReviewDecision(decisionOf('ambiguous')).status).toBe('read');
  expect(readReviewDecision({ ...decisionOf('ambiguous'), desptie: [] })).toMatchObject({ status: 'refused' });
  expect(readReviewDecision(null).status).toBe('refused');
});
