import { expect, test } from 'vitest';
import type { TracebackFinding } from '../../sdk/src/contract/traceback-exchange.js';
import { lifecycleRules } from '../../sdk/src/traceback/lifecycle/traceback-state.js';
import type {
  LifecycleRules,
  TracebackEvent,
  TracebackState,
} from '../../sdk/src/traceback/lifecycle/traceback-state.js';
import { readTracebackState } from '../../sdk/src/traceback/lifecycle/read-traceback-state.js';
import { stepTraceback } from '../../sdk/src/traceback/lifecycle/step-traceback.js';
import { viewTraceback } from '../../sdk/src/traceback/lifecycle/traceback-view.js';
import { answerTo, COURSE_START_MS, from, HOUR_MS, provider, traceback } from '../support/traceback-course.js';
import type { TracebackCourse } from '../support/traceback-course.js';

const CUSTOMER = { customerId: 'customer-7', contact: { name: 'Example Outreach' }, action: 'terminated' } as const;
const NOT_FOUND: TracebackFinding = { arm: 'not-found' };

/** A and B have answered, and C is asked. */
function atThirdHop(): TracebackCourse {
  const course = traceback();
  course.answer('A', from('B'));
  course.answer('B', from('C'));
  course.ask();
  return course;
}

test('goes upstream hop by hop to the provider that says the call began at it', () => {
  const course = atThirdHop();
  expect(course.path()).toBe('A answered > B answered > C asked');
  expect(course.view().status).toBe('tracing');
  course.answer('C', { arm: 'origin', customer: CUSTOMER });
  const { status, outcome, path } = course.view();
  expect(path.map(({ role }) => role)).toEqual(['transit', 'transit', 'origin']);
  expect(status).toBe('concluded');
  expect(outcome).toMatchObject({
    kind: 'origin',
    isFinal: true,
    provider: provider('C'),
    caller: { isIdentified: true, action: 'terminated' },
  });
  expect(course.pending().map(({ type }) => type)).toEqual(['notify', 'close']);
  for (const { effectId } of course.pending()) course.happen({ type: 'effect-done', effectId });
  expect(course.view().status).toBe('closed');
  expect(course.pending()).toEqual([]);
});

test('a provider that is named in other words is the same one, and who it names is looked at by what is said of it now', () => {
  const course = traceback();
  const named = (letter: string, more: { readonly spc?: string } = {}): TracebackFinding => ({
    arm: 'received-from',
    upstream: { ...provider(letter), ...more },
  });
  const others = { name: 'In other words', spc: '9999' };
  // By the code that both are said to have B would have the call from itself.
  course.answer('A', named('B', { spc: '9999' }));
  course.answer('B', { arm: 'received-from', upstream: others });
  expect(course.view().outcome?.kind).toBe('loop');
  const { effects } = course.answer('A', named('B'), 2);
  expect(effects).toContainEqual(
    expect.objectContaining({
      type: 'ask-provider',
      provider: others,
      downstream: provider('B'),
    }),
  );
  const stored: unknown = JSON.parse(JSON.stringify(course.state()));
  expect(viewTraceback(stored as TracebackState)).toEqual(course.view());
});

test.each([
  ['an FRN that the registry has corrected', { frn: '0000000002' }, undefined],
  ['a name of other spelling', { name: 'EXAMPLE A, Inc.' }, undefined],
  ['the id of another provider', { providerId: 'provider-z' }, 'wrong-provider'],
])('an answer by the provider that was asked, with %s', (_what, stated, refused) => {
  const first = { ...provider('A'), name: 'Example A Incorporated', frn: '0000000001' };
  const course = traceback({ first });
  course.ask();
  const answer = answerTo(course.requestTo('A'), { ...first, ...stated }, from('B'));
  expect(course.happen({ type: 'answer-received', answer }).reason).toBe(refused);
});

test('asks each provider about the call that the one before described, and by the id that follows from it', () => {
  const course = traceback();
  const [first] = course.effects('ask-provider');
  expect(first).toMatchObject({ provider: provider('A'), hop: 1, direction: 'back' });
  expect(first).not.toHaveProperty('downstream');
  course.answer('A', from('B'));
  const [second] = course.effects('ask-provider');
  expect(second).toMatchObject({ provider: provider('B'), hop: 2, downstream: provider('A') });
  expect(second?.basedOn).toBe(`${first?.requestId}:1`);
  const again = traceback();
  again.answer('A', from('B'));
  expect(again.effects('ask-provider')).toEqual([second]);
});

test.for([
  ['point-of-entry', { arm: 'point-of-entry', upstream: { name: 'Beispiel Telekom', country: 'DE' } }, true],
  ['origin', { arm: 'origin', customer: {} }, true],
  ['not-retained', { arm: 'not-retained', retainedFrom: '2026-01-01T00:00:00Z' }, true],
  ['ambiguous', { arm: 'ambiguous', candidates: 2 }, false],
  ['refused', { arm: 'refused', reason: 'a court order was asked for' }, false],
  ['unlisted-provider', { arm: 'received-from-unlisted', upstream: { name: 'Nobody Knows LLC' } }, false],
  ['disputed', { arm: 'not-sent-to-downstream', downstream: provider('A') }, false],
  ['disputed', NOT_FOUND, false],
  ['disputed', { arm: 'not-our-number' }, false],
] as const satisfies readonly (readonly [string, TracebackFinding, boolean])[])(
  'comes to %s where the second provider answers %o',
  ([kind, finding, isFinal]) => {
    const course = traceback();
    course.answer('A', from('B'));
    course.answer('B', finding);
    expect(course.view().outcome).toMatchObject({ kind, isFinal });
    expect(course.view().status).toBe(isFinal ? 'concluded' : 'stalled');
  },
);

test.for([
  ['no-record', NOT_FOUND],
  ['number-not-ours', { arm: 'not-our-number' }],
] as const)('comes to %s where the first provider says so: nobody is contradicted', ([kind, finding]) => {
  const course = traceback();
  course.answer('A', finding);
  expect(course.view().outcome).toMatchObject({ kind, isFinal: true });
  expect(course.view().disputes).toEqual([]);
});

test('a provider outside the United States is not asked: who named it took the call from abroad', () => {
  const course = traceback();
  course.answer('A', from('B'));
  const [ask] = course.effects('ask-provider');
  course.happen({ type: 'provider-not-askable', requestId: ask?.requestId ?? '', reason: 'foreign' });
  expect(course.path()).toBe('A answered > B not-askable');
  expect(course.view().outcome).toMatchObject({
    kind: 'foreign-provider',
    isFinal: true,
    provider: provider('B'),
    gateway: provider('A'),
  });
});

test('what a foreign provider reports makes nobody the point of entry who has not said so', () => {
  const course = traceback();
  course.answer('A', from('B'));
  course.answer('B', { arm: 'not-retained', retainedFrom: '2026-01-01T00:00:00Z' });
  course.happen({ type: 'neighbour-reported', reportId: 'r-1', provider: provider('F'), sentTo: provider('B') });
  const [ask] = course.effects('ask-provider');
  expect(ask).toMatchObject({ provider: provider('F'), downstream: provider('B') });
  course.happen({ type: 'provider-not-askable', requestId: ask?.requestId ?? '', reason: 'foreign' });
  const { outcome } = course.view();
  expect(outcome).toMatchObject({ kind: 'not-askable', isFinal: false, provider: provider('F') });
  expect(outcome).not.toHaveProperty('gateway');
});

test('a provider that cannot be asked is for a person, and neighbours are sought', () => {
  const course = traceback();
  course.answer('A', from('B'));
  const [ask] = course.effects('ask-provider');
  course.happen({ type: 'provider-not-askable', requestId: ask?.requestId ?? '', reason: 'no-contact' });
  expect(course.view().outcome).toMatchObject({ kind: 'not-askable', isFinal: false });
  expect(course.pending().map(({ type }) => type)).toEqual(['seek-neighbours', 'escalate', 'notify']);
});

test('whom no registry has is looked for by a person, and asked when it is known', () => {
  const course = traceback();
  course.answer('A', { arm: 'received-from-unlisted', upstream: { name: 'B Communications' } });
  const [find] = course.effects('find-provider');
  expect(find?.contact).toEqual({ name: 'B Communications' });
  course.happen({ type: 'provider-identified', requestId: find?.requestId ?? '', provider: provider('B') });
  course.answer('B', { arm: 'origin', customer: {} });
  expect(course.view().outcome).toMatchObject({ kind: 'origin', provider: provider('B') });
});

test('who was asked by mistake for somebody unlisted is told, and the right one is asked', () => {
  const course = traceback();
  course.answer('A', { arm: 'received-from-unlisted', upstream: { name: 'B Communications' } });
  const requestId = course.effects('find-provider')[0]?.requestId ?? '';
  course.happen({ type: 'provider-identified', requestId, provider: provider('X') });
  course.ask();
  course.happen({ type: 'provider-identified', requestId, provider: provider('B') });
  expect(course.effects('cancel-request').map((effect) => effect.provider)).toEqual([provider('X')]);
  expect(course.effects('ask-provider').map((effect) => effect.provider)).toEqual([provider('B')]);
});

test('reminds, escalates and marks as time passes, each once', () => {
  const course = traceback();
  course.ask();
  const due = course.view().path[0]?.dueAtMs ?? 0;
  expect(due - COURSE_START_MS).toBeGreaterThan(24 * HOUR_MS);
  expect(course.view().wakeAtMs).toBe(due - 4 * HOUR_MS);
  course.pass(20.1);
  expect(course.effects('remind').map(({ beforeDueMs }) => beforeDueMs)).toEqual([4 * HOUR_MS]);
  course.happen({ type: 'effect-done', effectId: course.pending()[0]?.effectId ?? '' });
  expect(course.pending()).toEqual([]);
  course.pass(3);
  expect(course.effects('remind').map(({ beforeDueMs }) => beforeDueMs)).toEqual([HOUR_MS]);
  course.pass(1);
  expect(course.path()).toBe('A overdue');
  expect(course.pending().map(({ type }) => type)).toEqual(['escalate', 'seek-neighbours']);
  expect(course.view().outcome).toBeUndefined();
  course.pass(24);
  expect(course.path()).toBe('A non-responsive');
  expect(course.view().outcome).toMatchObject({ kind: 'non-responsive', isFinal: false });
  expect(course.effects('mark-non-responsive').map((effect) => effect.dueAtMs)).toEqual([due]);
});

test('an answer after all of that is taken, as a late one, and the mark is taken back', () => {
  const course = traceback();
  course.ask();
  course.pass(60);
  const [mark] = course.effects('mark-non-responsive');
  course.happen({ type: 'effect-done', effectId: mark?.effectId ?? '' });
  course.answer('A', from('B'));
  expect(course.path()).toBe('A answered > B planned');
  expect(course.view().path[0]?.isLate).toBe(true);
  expect(course.effects('clear-non-responsive').map(({ because }) => because)).toEqual(['answered']);
});

test('an earlier deadline that the request states binds, one that is over at once included', () => {
  const course = traceback();
  const { requestId } = course.effects('ask-provider')[0] ?? { requestId: '' };
  const statedDueAtMs = COURSE_START_MS - HOUR_MS;
  course.happen({ type: 'request-sent', requestId, zone: 'America/New_York', statedDueAtMs });
  course.pass(1);
  expect(course.path()).toBe('A overdue');
});

/** A is answered, B silent. */
function atSilentProvider(): TracebackCourse {
  const course = traceback();
  course.answer('A', from('B'));
  course.ask();
  course.pass(60);
  return course;
}

test('passes over a silent provider where a neighbour says that it sent the call there', () => {
  const course = atSilentProvider();
  course.happen({ type: 'neighbour-reported', reportId: 'r1', provider: provider('C'), sentTo: provider('B') });
  expect(course.path()).toBe('A answered > B non-responsive > C planned');
  expect(course.effects('ask-provider')[0]).toMatchObject({ provider: provider('C'), downstream: provider('B') });
  course.answer('C', { arm: 'origin', customer: {} });
  expect(course.view().path.map(({ role }) => role)).toEqual(['transit', 'non-responsive', 'origin']);
  expect(course.view().outcome).toMatchObject({ kind: 'origin', provider: provider('C') });
});

test('a report that comes before the provider is silent waits for that', () => {
  const course = traceback();
  course.answer('A', from('B'));
  course.ask();
  course.happen({ type: 'neighbour-reported', reportId: 'r1', provider: provider('C'), sentTo: provider('B') });
  expect(course.path()).toBe('A answered > B asked');
  course.pass(25);
  expect(course.path()).toBe('A answered > B overdue > C planned');
});

test('of several neighbours none is chosen but by a person', () => {
  const course = atSilentProvider();
  course.happen({ type: 'neighbour-reported', reportId: 'r1', provider: provider('C'), sentTo: provider('B') });
  course.ask();
  course.happen({ type: 'neighbour-reported', reportId: 'r2', provider: provider('D'), sentTo: provider('B') });
  expect(course.path()).toBe('A answered > B non-responsive');
  expect(course.view().outcome).toMatchObject({ kind: 'several-neighbours', isFinal: false });
  expect(course.effects('cancel-request').map((effect) => effect.provider)).toEqual([provider('C')]);
  course.happen({ type: 'neighbour-chosen', requestId: course.requestTo('B'), reportId: 'r2', by: 'reviewer' });
  expect(course.path()).toBe('A answered > B non-responsive > D planned');
});

test.each([
  ['r1', 'r2', 'r3'],
  ['r2', 'r1', 'r3'],
  ['r3', 'r1', 'r2'],
])(
  'a name that fits two providers does not make them one, in whatever order they report: %s %s %s',
  (bare, one, two) => {
    const course = atSilentProvider();
    const reports = [
      { reportId: bare, provider: { name: 'Example X' } },
      { reportId: one, provider: { name: 'Example X', ocn: '0001' } },
      { reportId: two, provider: { name: 'Example X', ocn: '0002' } },
    ];
    for (const report of reports) course.happen({ type: 'neighbour-reported', ...report, sentTo: provider('B') });
    expect(course.view().outcome).toMatchObject({ kind: 'several-neighbours', isFinal: false });
  },
);

test('where the silent provider answers after all, its own word counts, and a report that contradicts it is a dispute', () => {
  const course = atSilentProvider();
  course.happen({ type: 'neighbour-reported', reportId: 'r1', provider: provider('C'), sentTo: provider('B') });
  course.ask();
  course.answer('B', from('D'));
  expect(course.path()).toBe('A answered > B answered > D planned');
  expect(course.view().disputes).toMatchObject([
    { kind: 'neighbour-contradicts', downstream: provider('B'), upstream: provider('D'), neighbour: provider('C') },
  ]);
  expect(course.view().left.map(({ state }) => state)).toEqual(['withdrawn']);
  course.ask();
  course.pass(120);
  // That D did not answer its request is a fact; that the call came from it is contested.
  expect(course.path()).toBe('A answered > B answered > D non-responsive');
  expect(course.view().outcome).toMatchObject({ kind: 'disputed' });
});

test('two statements that contradict each other are disputed, both are asked to look again, nobody is accused', () => {
  const course = traceback();
  course.answer('A', from('B'));
  course.answer('B', { arm: 'not-sent-to-downstream', downstream: provider('A') });
  const { outcome, disputes } = course.view();
  expect(outcome?.kind).toBe('disputed');
  expect(disputes).toMatchObject([{ kind: 'denied', downstream: provider('A'), upstream: provider('B') }]);
  expect(outcome?.disputeId).toBe(disputes[0]?.disputeId);
  expect(course.effects('dispute').map(({ parties }) => parties)).toEqual([[provider('A'), provider('B')]]);
  expect(course.pending().map(({ type }) => type)).toEqual(['seek-neighbours', 'dispute', 'escalate', 'notify']);
  course.happen({
    type: 'dispute-decided',
    disputeId: disputes[0]?.disputeId ?? '',
    ruling: 'downstream-stands',
    by: 'reviewer',
    reason: 'the records of both were compared',
  });
  // Decided, it is over; what was decided is on record, and the outcome is still that they contradicted each other.
  expect(course.view().outcome).toMatchObject({ kind: 'disputed', isFinal: true });
  expect(course.view().disputes[0]?.ruling?.ruling).toBe('downstream-stands');
});

test('a neighbour of who denies speaks for who named it, and is asked', () => {
  const course = traceback();
  course.answer('A', from('B'));
  course.answer('B', NOT_FOUND);
  course.happen({ type: 'neighbour-reported', reportId: 'r1', provider: provider('C'), sentTo: provider('B') });
  expect(course.path()).toBe('A answered > B answered > C planned');
  expect(course.view().disputes).toHaveLength(1);
});

test('a neighbour of who named speaks for who denies, and is asked', () => {
  const course = traceback();
  course.answer('A', from('B'));
  course.answer('B', NOT_FOUND);
  course.happen({ type: 'neighbour-reported', reportId: 'r1', provider: provider('C'), sentTo: provider('A') });
  expect(course.path()).toBe('A answered > C planned');
  expect(course.view().disputes.map(({ kind }) => kind)).toEqual(['denied', 'neighbour-contradicts']);
});

test('where neighbours speak for both sides, nobody is asked by a machine', () => {
  const course = traceback();
  course.answer('A', from('B'));
  course.answer('B', NOT_FOUND);
  course.happen({ type: 'neighbour-reported', reportId: 'r1', provider: provider('C'), sentTo: provider('B') });
  course.happen({ type: 'neighbour-reported', reportId: 'r2', provider: provider('D'), sentTo: provider('A') });
  expect(course.path()).toBe('A answered > B answered');
  expect(course.view().outcome?.kind).toBe('disputed');
});

test('an amended answer leads elsewhere: who was asked by mistake is told, who depended on it is withdrawn', () => {
  const course = atThirdHop();
  const step = course.answer('A', from('D'), 2);
  expect(course.path()).toBe('A corrected > D planned');
  expect(course.view().left.map(({ state, provider: who }) => [who?.name, state])).toEqual([
    ['Example B', 'answered'],
    ['Example C', 'withdrawn'],
  ]);
  expect(course.effects('cancel-request').map((effect) => effect.provider)).toEqual([provider('C')]);
  expect(step.transitions).toContainEqual(
    expect.objectContaining({ from: 'answered', to: 'corrected', event: 'amended' }),
  );
});

test('amended back, the answer of the provider that was asked before stands, and nobody is asked twice', () => {
  const course = atThirdHop();
  course.answer('A', from('D'), 2);
  course.answer('A', from('B'), 3);
  expect(course.path()).toBe('A corrected > B answered > C asked');
  expect(course.effects('cancel-request').map((effect) => effect.provider)).toEqual([provider('D')]);
});

test('who was told that its answer is not needed is asked by a request of its own when it is needed after all', () => {
  const course = atThirdHop();
  const before = course.requestTo('C');
  course.answer('A', from('D'), 2);
  course.happen({ type: 'effect-done', effectId: `cancel:${before}` });
  course.answer('A', from('B'), 3);
  expect(course.path()).toBe('A corrected > B answered > C planned');
  expect(course.requestTo('C')).toBe(`${before}-r2`);
  expect(course.view().left.map(({ requestId, state }) => [requestId, state])).toContainEqual([before, 'withdrawn']);
});

test('who was asked as the neighbour of a provider that cannot be asked is told too, when that was not the one', () => {
  const course = traceback();
  course.answer('A', from('B'));
  const [ask] = course.effects('ask-provider');
  course.happen({ type: 'provider-not-askable', requestId: ask?.requestId ?? '', reason: 'no-contact' });
  course.happen({ type: 'neighbour-reported', reportId: 'r1', provider: provider('C'), sentTo: provider('B') });
  course.ask();
  course.answer('A', from('D'), 2);
  expect(course.path()).toBe('A corrected > D planned');
  expect(course.effects('cancel-request').map((effect) => effect.provider)).toEqual([provider('C')]);
});

test('a closed traceback is open again when an answer is amended', () => {
  const course = traceback();
  course.answer('A', NOT_FOUND);
  for (const { effectId } of course.pending()) course.happen({ type: 'effect-done', effectId });
  expect(course.view().status).toBe('closed');
  course.answer('A', from('B'), 2);
  expect(course.view().status).toBe('tracing');
});

test('revisions that come in the wrong order end as in the right one', () => {
  const course = traceback();
  course.ask();
  const requestId = course.requestTo('A');
  course.happen({ type: 'answer-received', answer: answerTo(requestId, provider('A'), from('D'), { revision: 2 }) });
  course.happen({ type: 'answer-received', answer: answerTo(requestId, provider('A'), from('B')) });
  expect(course.path()).toBe('A corrected > D planned');
});

test('two answers of one revision that say different things are no answer', () => {
  const course = traceback();
  course.answer('A', from('B'));
  const answer = answerTo(course.requestTo('A'), provider('A'), from('C'), { answerId: 'another' });
  course.happen({ type: 'answer-received', answer });
  expect(course.view().outcome).toMatchObject({ kind: 'ambiguous', isFinal: false });
  course.answer('A', from('C'), 2);
  expect(course.path()).toBe('A corrected > C planned');
});

test('a call may cross a provider twice, and may not go round in a circle', () => {
  const course = atThirdHop();
  course.answer('C', from('B'));
  course.ask();
  expect(course.path()).toBe('A answered > B answered > C answered > B asked');
  course.answer('B', from('C'));
  // Whom C had the call from that it sent to B was asked already.
  expect(course.view().outcome).toMatchObject({ kind: 'loop', isFinal: false, provider: provider('B') });
  expect(course.effects('ask-provider')).toEqual([]);
});

test('a provider that names itself is not asked again', () => {
  const course = traceback();
  course.answer('A', from('A'));
  expect(course.view().outcome?.kind).toBe('loop');
});

test('follows as many hops as the rules allow', () => {
  const course = traceback({ rules: lifecycleRules({ maxHops: 2 }) });
  course.answer('A', from('B'));
  course.answer('B', from('C'));
  expect(course.view().outcome?.kind).toBe('too-many-hops');
  expect(course.view().path).toHaveLength(2);
});

test('follows a number forward to the provider that serves it', () => {
  const course = traceback({ direction: 'forward' });
  course.answer('A', { arm: 'number-served-by', provider: provider('B') });
  course.answer('B', { arm: 'serves-number', customer: CUSTOMER });
  expect(course.view().outcome).toMatchObject({ kind: 'serves-number', caller: { isIdentified: true } });
});

test('a call-back number opens a trace forward, until that is reported open', () => {
  const course = traceback();
  course.happen({ type: 'trace-forward-asked', forwardId: 'f1', number: '12025550143', by: 'reviewer' });
  const [forward] = course.effects('open-trace-forward');
  expect(forward).toMatchObject({ forwardId: 'f1', number: '12025550143' });
  course.happen({ type: 'effect-done', effectId: forward?.effectId ?? '', reference: 'tb-2' });
  expect(course.effects('open-trace-forward')).toEqual([]);
});

test('cancelled, it tells whom it asked and wants nothing more; an answer that comes anyway is kept', () => {
  const course = atThirdHop();
  const requestId = course.requestTo('C');
  course.happen({ type: 'cancelled', by: 'requester', reason: 'the campaign is over' });
  expect(course.view().status).toBe('cancelled');
  expect(course.path()).toBe('A answered > B answered > C withdrawn');
  expect(course.pending().map(({ type }) => type)).toEqual(['cancel-request']);
  course.happen({ type: 'effect-done', effectId: `cancel:${requestId}` });
  expect(course.pending()).toEqual([]);
  expect(course.path()).toBe('A answered > B answered > C withdrawn');
  course.answer('C', { arm: 'origin', customer: {} });
  expect(course.path()).toBe('A answered > B answered > C answered');
  expect(course.view().status).toBe('cancelled');
  expect(course.pending()).toEqual([]);
});

test('a person may take an outcome for good that is none; else time does', () => {
  const accepted = atSilentProvider();
  accepted.happen({ type: 'outcome-accepted', outcomeKey: accepted.view().outcome?.key ?? '', by: 'reviewer' });
  expect(accepted.view()).toMatchObject({ status: 'concluded', outcome: { kind: 'non-responsive', isFinal: true } });
  const waited = atSilentProvider();
  expect(waited.view().status).toBe('stalled');
  const wakeAtMs = waited.view().wakeAtMs ?? 0;
  waited.pass((wakeAtMs - COURSE_START_MS) / HOUR_MS);
  expect(waited.view().status).toBe('concluded');
  expect(waited.view().wakeAtMs).toBeUndefined();
});

test('what is told of a request that is not known yet is held, and counts when it is', () => {
  const ahead = traceback();
  ahead.answer('A', from('B'));
  ahead.ask();
  const requestId = ahead.requestTo('B');
  const course = traceback();
  const answer = answerTo(requestId, provider('B'), { arm: 'origin', customer: {} });
  expect(course.happen({ type: 'answer-received', answer }).status).toBe('held');
  expect(course.view().outcome).toBeUndefined();
  course.answer('A', from('B'));
  expect(course.view().outcome).toMatchObject({ kind: 'origin', provider: provider('B') });
});

test('what was held and is no answer to its request is dropped when that is known', () => {
  const ahead = traceback();
  ahead.answer('A', from('B'));
  const requestId = ahead.effects('ask-provider')[0]?.requestId ?? '';
  const course = traceback();
  const answer = answerTo(requestId, provider('X'), { arm: 'origin', customer: {} });
  course.happen({ type: 'answer-received', answer });
  const step = course.answer('A', from('B'));
  expect(step.dropped).toEqual([{ answerId: answer.answerId, reason: 'wrong-provider' }]);
  expect(course.path()).toBe('A answered > B planned');
});

test('a repeat changes nothing, and is the same object', () => {
  const course = atThirdHop();
  const before = course.state();
  for (const event of course.heard) {
    const step = stepTraceback(before, event);
    expect(step).toEqual({ status: 'unchanged', state: before, effects: [], transitions: [], dropped: [] });
    expect(step.state).toBe(before);
  }
});

const AT = COURSE_START_MS + HOUR_MS;
const frame = { tracebackId: 'tb-1', atMs: AT } as const;

test.for([
  ['wrong-traceback', (): TracebackEvent => ({ ...frame, tracebackId: 'tb-2', type: 'time-passed' })],
  ['bad-time', (): TracebackEvent => ({ ...frame, atMs: Number.NaN, type: 'time-passed' })],
  ['bad-time', (): TracebackEvent => ({ ...frame, atMs: AT * 1_000, type: 'time-passed' })],
  ['malformed', (): TracebackEvent => ({ ...frame, type: 'request-acknowledged', requestId: '' })],
  ['malformed', (): TracebackEvent => ({ ...frame, type: 'cancelled', by: 'x'.repeat(5_000), reason: 'why' })],
  ['malformed', (): TracebackEvent => ({ ...frame, type: 'of-a-later-version' }) as unknown as TracebackEvent],
  [
    'malformed',
    (requestId: string): TracebackEvent => ({
      ...frame,
      type: 'answer-received',
      answer: answerTo(requestId, provider('A'), from('B'), { revision: 0 }),
    }),
  ],
  [
    'no-deadline',
    (requestId: string): TracebackEvent => ({ ...frame, type: 'request-sent', requestId, zone: 'Nowhere/At_All' }),
  ],
  [
    'wrong-provider',
    (requestId: string): TracebackEvent => ({
      ...frame,
      type: 'answer-received',
      answer: answerTo(requestId, provider('X'), from('B')),
    }),
  ],
  [
    'arm-not-for-direction',
    (requestId: string): TracebackEvent => ({
      ...frame,
      type: 'answer-received',
      answer: answerTo(requestId, provider('A'), { arm: 'serves-number', customer: {} }),
    }),
  ],
  [
    'no-downstream-named',
    (requestId: string): TracebackEvent => ({
      ...frame,
      type: 'answer-received',
      answer: answerTo(requestId, provider('A'), { arm: 'not-sent-to-downstream', downstream: provider('B') }),
    }),
  ],
] as const)('refuses as %s, and changes nothing', ([reason, eventOf]) => {
  const course = traceback();
  const requestId = course.requestTo('A');
  const step = stepTraceback(course.state(), eventOf(requestId));
  expect(step).toMatchObject({ status: 'refused', reason, effects: [], transitions: [] });
  expect(step.state).toBe(course.state());
});

test('refuses another content under an id that is known', () => {
  const course = traceback();
  course.answer('A', from('B'));
  const answer = answerTo(course.requestTo('A'), provider('A'), from('C'));
  expect(course.happen({ type: 'answer-received', answer })).toMatchObject({
    status: 'refused',
    reason: 'conflicting-repeat',
  });
  expect(course.path()).toBe('A answered > B planned');
});

test('refuses what goes beyond the facts and the answers that one traceback can have', () => {
  const course = traceback();
  const requestId = course.requestTo('A');
  const refusals = Array.from({ length: 70 }, (_, index) => {
    const answer = answerTo(requestId, provider('A'), from('B'), { revision: index + 1 });
    return course.happen({ type: 'answer-received', answer }).reason;
  });
  expect(refusals.filter((reason) => reason === 'too-many-answers')).toHaveLength(6);
  const full = {
    ...course.state(),
    facts: Array.from({ length: 2_000 }, (_, index) => ({ kind: 'done', id: `e${index}`, atMs: AT }) as const),
  };
  const step = stepTraceback(full, { ...frame, type: 'effect-done', effectId: 'one-more' });
  expect(step).toMatchObject({ status: 'refused', reason: 'too-many-facts' });
});

test('the state is plain JSON, and read back where its version is known', () => {
  const course = atThirdHop();
  const stored: unknown = JSON.parse(JSON.stringify(course.state()));
  expect(readTracebackState(stored)).toEqual({ status: 'read', state: course.state() });
  const later = { ...course.state(), format: 'hopback.traceback-state.2' };
  expect(readTracebackState(later)).toEqual({ status: 'refused', reason: 'unknown-format', at: 'format' });
  const broken = { ...course.state(), facts: [{ kind: 'done', id: 'e1' }] };
  expect(readTracebackState(broken)).toMatchObject({ status: 'refused', reason: 'malformed' });
});

test.for([{ tracebackId: '' }, { tracebackId: 'x'.repeat(201) }, { atMs: Number.NaN }, { first: { name: '' } }])(
  'does not start with %o',
  (start) => {
    expect(() => traceback(start)).toThrowError(expect.objectContaining({ code: 'invalid-argument' }));
  },
);

test('answers whose names are empty, or never end, are refused', () => {
  const course = traceback();
  const requestId = course.requestTo('A');
  for (const name of ['', 'x'.repeat(4_001)]) {
    const answer = answerTo(requestId, provider('A'), { arm: 'received-from', upstream: { name } });
    expect(course.happen({ type: 'answer-received', answer })).toMatchObject({
      status: 'refused',
      reason: 'malformed',
    });
  }
});

test.for([
  { maxHops: 0 },
  { maxHops: 71 },
  { nonResponsiveAfterDueMs: -1 },
  { closeStalledAfterMs: 0.5 },
  { remindBeforeDueMs: [0] },
])('refuses the rules %o', (partial) => {
  expect(() => lifecycleRules(partial as Partial<LifecycleRules>)).toThrowError(
    expect.objectContaining({ code: 'invalid-configuration' }),
  );
});

test('a first provider that denies a record of the call that it shared itself is in a dispute with its own word', () => {
  const course = traceback({ sharedRecordId: 'record-1' });
  expect(course.effects('ask-provider')[0]?.basedOn).toBe('record:record-1');
  course.answer('A', NOT_FOUND);
  const { outcome, disputes, path } = course.view();
  expect(path[0]?.role).toBe('disputed');
  expect(outcome).toMatchObject({ kind: 'disputed', isFinal: false, provider: provider('A') });
  expect(disputes).toMatchObject([{ kind: 'denied', upstream: provider('A') }]);
  expect(disputes[0]?.statements[0]).toBe('record:record-1');
  expect(course.effects('dispute')[0]?.parties).toEqual([provider('A')]);
});

test('the path that is kept between steps is the one that the same facts lead over when they are read anew', () => {
  const course = atThirdHop();
  course.answer('C', { arm: 'received-from', upstream: provider('D') });
  course.answer('B', from('E'), 2);
  course.ask();
  course.pass(200);
  const read = readTracebackState(JSON.parse(JSON.stringify(course.state())));
  expect(read.status === 'read' && viewTraceback(read.state)).toEqual(course.view());
});
