import { readFileSync } from 'node:fs';
import { TestPlatform } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import type { ProviderReference } from '../../sdk/src/contract/common.js';
import type { TracebackFinding } from '../../sdk/src/contract/traceback-exchange.js';
import { stepTraceback } from '../../sdk/src/traceback/lifecycle/step-traceback.js';
import { factsOf, lifecycleRules, withFact } from '../../sdk/src/traceback/lifecycle/traceback-state.js';
import type {
  LifecycleRules,
  TracebackEvent,
  TracebackFact,
  TracebackState,
} from '../../sdk/src/traceback/lifecycle/traceback-state.js';
import { viewTraceback } from '../../sdk/src/traceback/lifecycle/traceback-view.js';
import { answerTo, COURSE_START_MS, from, HOUR_MS, played, provider, traceback } from '../support/traceback-course.js';
import type { TracebackCourse } from '../support/traceback-course.js';

const CUSTOMER = { customerId: 'customer-7', contact: { name: 'Example Outreach' }, action: 'terminated' } as const;

const letterOf = (who: ProviderReference | undefined): string => who?.name.slice(-1) ?? '?';
const typesOf = (course: TracebackCourse): readonly string[] => course.pending().map(({ type }) => type);

/** What happens, in the words of `played`, and how the traceback stands then. */
interface CourseStep {
  readonly play: string;
  readonly why?: string;
  readonly path?: string;
  readonly status?: string;
  readonly roles?: readonly string[];
  readonly outcome?: object;
  readonly hasNoGateway?: boolean;
  readonly disputes?: readonly object[];
  /** Hops that left the path, with their states. */
  readonly left?: readonly string[];
  readonly pending?: readonly string[];
  readonly ask?: object;
  readonly asks?: string;
  readonly cancels?: string;
}
const COURSES = JSON.parse(
  readFileSync(new URL('../vectors/lifecycle/courses.json', import.meta.url), 'utf8'),
) as readonly { readonly what: string; readonly steps: readonly CourseStep[] }[];

test.each(COURSES)('$what', ({ steps }) => {
  const course = traceback();
  for (const { play, why: _why, ask, hasNoGateway = false, ...expected } of steps) {
    const { status, outcome, disputes, path, left } = played(play, course).view();
    const found = {
      ...{ status, outcome, disputes, path: course.path(), pending: typesOf(course) },
      ...{ roles: path.map(({ role }) => role), asks: course.asks(), cancels: course.cancels() },
      left: left.map((hop) => `${letterOf(hop.provider)} ${hop.state}`),
    };
    expect(found).toMatchObject(expected);
    if (ask !== undefined) expect(course.effects('ask-provider')[0]).toMatchObject(ask);
    if (hasNoGateway) expect(outcome).not.toHaveProperty('gateway');
  }
});

test('a provider that is named in other words is the same one, and the provider that it names is judged by the latest words', () => {
  const course = traceback();
  const others = { name: 'In other words', spc: '9999' };
  // By the code that both are said to have B would have the call from itself.
  course.answer('A', { arm: 'received-from', upstream: { ...provider('B'), spc: '9999' } });
  course.answer('B', { arm: 'received-from', upstream: others });
  expect(course.view().outcome?.kind).toBe('loop');
  const { effects } = course.answer('A', from('B'), 2);
  const asked = { type: 'ask-provider', provider: others, downstream: provider('B') };
  expect(effects).toContainEqual(expect.objectContaining(asked));
  const stored: unknown = JSON.parse(JSON.stringify(course.state()));
  expect(viewTraceback(stored as TracebackState)).toEqual(course.view());
});

test.each([
  ['an FRN that the registry has corrected', { frn: '0000000002' }, undefined],
  ['a name of other spelling', { name: 'EXAMPLE A, Inc.' }, undefined],
  ['the id of another provider', { providerId: 'provider-z' }, 'wrong-provider'],
])('an answer by the provider that was asked, with %s', (_what, stated, refused) => {
  const first = { ...provider('A'), name: 'Example A Incorporated', frn: '0000000001' };
  const course = played('ask', traceback({ first }));
  const answer = answerTo(course.requestTo('A'), { ...first, ...stated }, from('B'));
  expect(course.happen({ type: 'answer-received', answer }).reason).toBe(refused);
});

test('asks each provider about the call that the one before described, and by the id that follows from it', () => {
  const course = traceback();
  const [first] = course.effects('ask-provider');
  expect(first).toMatchObject({ provider: provider('A'), hop: 1, direction: 'back' });
  expect(first).not.toHaveProperty('downstream');
  played('A>B', course);
  const [second] = course.effects('ask-provider');
  expect(second).toMatchObject({ provider: provider('B'), hop: 2, downstream: provider('A') });
  expect(second?.basedOn).toBe(`${first?.requestId}:1`);
  expect(played('A>B').effects('ask-provider')).toEqual([second]);
});

test('a person identifies a provider that no registry lists; one identified by mistake is cancelled', () => {
  const course = traceback();
  course.answer('A', { arm: 'received-from-unlisted', upstream: { name: 'B Communications' } });
  const [find] = course.effects('find-provider');
  expect(find?.contact).toEqual({ name: 'B Communications' });
  const requestId = find?.requestId ?? '';
  course.happen({ type: 'provider-identified', requestId, provider: provider('X') });
  course.ask();
  course.happen({ type: 'provider-identified', requestId, provider: provider('B') });
  expect([course.cancels(), course.asks()]).toEqual(['X', 'B']);
  played('B:origin', course);
  expect(course.view().outcome).toMatchObject({ kind: 'origin', provider: provider('B') });
});

test('reminds, escalates and marks as time passes, each once', () => {
  const course = played('ask');
  const due = course.view().path[0]?.dueAtMs ?? 0;
  expect(due - COURSE_START_MS).toBeGreaterThan(24 * HOUR_MS);
  expect(course.view().wakeAtMs).toBe(due - 4 * HOUR_MS);
  const woken = stepTraceback(course.state(), event({ atMs: due - 4 * HOUR_MS, type: 'time-passed' }));
  expect(woken.effects.map(({ type }) => type)).toEqual(['remind']);
  course.pass(20.1);
  expect(course.effects('remind').map(({ beforeDueMs }) => beforeDueMs)).toEqual([4 * HOUR_MS]);
  course.finish();
  expect(course.pending()).toEqual([]);
  course.pass(3);
  expect(course.effects('remind').map(({ beforeDueMs }) => beforeDueMs)).toEqual([HOUR_MS]);
  course.pass(1);
  expect(course.path()).toBe('A overdue');
  expect(typesOf(course)).toEqual(['escalate', 'seek-neighbours']);
  expect(course.view().outcome).toBeUndefined();
  course.pass(24);
  expect(course.path()).toBe('A non-responsive');
  expect(course.view().outcome).toMatchObject({ kind: 'non-responsive', isFinal: false });
  const [mark, ...others] = course.effects('mark-non-responsive');
  expect([mark?.dueAtMs, others]).toEqual([due, []]);
  // An answer after all of that is taken, as a late one, and the mark is taken back.
  course.happen({ type: 'effect-done', effectId: mark?.effectId ?? '' });
  played('A>B', course);
  expect(course.path()).toBe('A answered > B planned');
  expect(course.view().path[0]?.isLate).toBe(true);
  expect(course.effects('clear-non-responsive').map(({ because }) => because)).toEqual(['answered']);
});

test('an earlier deadline that the request states binds, one that is over at once included', () => {
  const course = traceback();
  const statedDueAtMs = COURSE_START_MS - HOUR_MS;
  const requestId = course.requestTo('A');
  course.happen({ type: 'request-sent', requestId, zone: 'America/New_York', statedDueAtMs });
  course.pass(1);
  expect(course.path()).toBe('A overdue');
});

const SILENT = 'A>B ask +60h';

test.each([
  ['r1', 'r2', 'r3'],
  ['r2', 'r1', 'r3'],
  ['r3', 'r1', 'r2'],
])(
  'a name that fits two providers does not make them one, in whatever order they report: %s %s %s',
  (bare, one, two) => {
    const course = played(SILENT);
    for (const [reportId, codes] of [
      [bare, {}],
      [one, { ocn: '0001' }],
      [two, { ocn: '0002' }],
    ] as const) {
      const neighbour = { name: 'Example X', ...codes };
      course.happen({ type: 'neighbour-reported', reportId, provider: neighbour, sentTo: provider('B') });
    }
    expect(course.view().outcome).toMatchObject({ kind: 'several-neighbours', isFinal: false });
  },
);

test('two statements that contradict each other are disputed, both are asked to look again, and neither is accused', () => {
  const course = played('A>B B!A');
  const { outcome, disputes } = course.view();
  expect(outcome?.kind).toBe('disputed');
  expect(disputes).toMatchObject([{ kind: 'denied', downstream: provider('A'), upstream: provider('B') }]);
  expect(outcome?.disputeId).toBe(disputes[0]?.disputeId);
  expect(course.effects('dispute').map(({ parties }) => parties)).toEqual([[provider('A'), provider('B')]]);
  expect(typesOf(course)).toEqual(['seek-neighbours', 'dispute', 'escalate', 'notify']);
  course.happen({
    type: 'dispute-decided',
    disputeId: disputes[0]?.disputeId ?? '',
    ruling: 'downstream-stands',
    by: 'reviewer',
    reason: 'the records of both were compared',
  });
  // The decision is on record, and the outcome is still that they contradicted each other.
  expect(course.view().outcome).toMatchObject({ kind: 'disputed', isFinal: true });
  expect(course.view().disputes[0]?.ruling?.ruling).toBe('downstream-stands');
});

test('a provider whose request was cancelled is asked by another request when its answer is needed after all', () => {
  const course = played('A>B B>C ask');
  const before = course.requestTo('C');
  played('A>D', course);
  course.happen({ type: 'effect-done', effectId: `cancel:${before}` });
  played('A>B', course);
  expect(course.path()).toBe('A corrected > B answered > C planned');
  expect(course.requestTo('C')).toBe(`${before}-r2`);
  expect(course.view().left.map(({ requestId, state }) => [requestId, state])).toContainEqual([before, 'withdrawn']);
});

test('two answers of one revision that say different things are ambiguous, until the next revision', () => {
  const course = played('A>B');
  const answer = answerTo(course.requestTo('A'), provider('A'), from('C'), { answerId: 'another' });
  course.happen({ type: 'answer-received', answer });
  expect(course.view().outcome).toMatchObject({ kind: 'ambiguous', isFinal: false });
  course.answer('A', from('C'), 2);
  expect(course.path()).toBe('A corrected > C planned');
});

test('a call does not go on for more hops than the rules allow', () => {
  const { outcome, path } = played('A>B B>C', traceback({ rules: lifecycleRules({ maxHops: 2 }) })).view();
  expect([outcome?.kind, path.length]).toEqual(['too-many-hops', 2]);
});

test('an origin with its customer identifies the caller, and a step says which hop became what', () => {
  const course = traceback();
  course.answer('A', { arm: 'origin', customer: CUSTOMER });
  expect(course.view().outcome).toMatchObject({ caller: { isIdentified: true, action: 'terminated' } });
  const amended = { from: 'answered', to: 'corrected', event: 'amended' };
  expect(course.answer('A', from('D'), 2).transitions).toContainEqual(expect.objectContaining(amended));
});

test('follows a number forward to the provider that serves it, for a call-back number too', () => {
  const course = traceback({ direction: 'forward' });
  course.answer('A', { arm: 'number-served-by', provider: provider('B') });
  course.answer('B', { arm: 'serves-number', customer: CUSTOMER });
  expect(course.view().outcome).toMatchObject({ kind: 'serves-number', caller: { isIdentified: true } });
  const back = traceback();
  back.happen({ type: 'trace-forward-asked', forwardId: 'f1', number: '12025550143', by: 'reviewer' });
  const [forward] = back.effects('open-trace-forward');
  expect(forward).toMatchObject({ forwardId: 'f1', number: '12025550143' });
  back.happen({ type: 'effect-done', effectId: forward?.effectId ?? '', reference: 'tb-2' });
  expect(back.effects('open-trace-forward')).toEqual([]);
});

test('a cancelled traceback tells the provider that it asked, and keeps an answer that comes anyway', () => {
  const course = played('A>B B>C ask');
  const requestId = course.requestTo('C');
  course.happen({ type: 'cancelled', by: 'requester', reason: 'the campaign is over' });
  expect(course.view().status).toBe('cancelled');
  expect(course.path()).toBe('A answered > B answered > C withdrawn');
  expect(typesOf(course)).toEqual(['cancel-request']);
  course.happen({ type: 'effect-done', effectId: `cancel:${requestId}` });
  expect(course.pending()).toEqual([]);
  expect(course.path()).toBe('A answered > B answered > C withdrawn');
  played('C:origin', course);
  expect(course.path()).toBe('A answered > B answered > C answered');
  expect(course.view().status).toBe('cancelled');
  expect(course.pending()).toEqual([]);
});

test('a person may accept an outcome that is not final; otherwise time does', () => {
  const accepted = played(SILENT);
  accepted.happen({ type: 'outcome-accepted', outcomeKey: accepted.view().outcome?.key ?? '', by: 'reviewer' });
  expect(accepted.view()).toMatchObject({ status: 'concluded', outcome: { kind: 'non-responsive', isFinal: true } });
  const waited = played(SILENT);
  expect(waited.view().status).toBe('stalled');
  waited.pass(((waited.view().wakeAtMs ?? 0) - COURSE_START_MS) / HOUR_MS);
  expect(waited.view().status).toBe('concluded');
  expect(waited.view().wakeAtMs).toBeUndefined();
});

test.each([
  ['B', 'A answered > B answered', 0],
  ['X', 'A answered > B planned', 1],
])(
  'an answer by %s to a request that is not known yet is held until it is, and then judged',
  (signer, path, dropped) => {
    const requestId = played('A>B').requestTo('B');
    const course = traceback();
    const answer = answerTo(requestId, provider(signer), { arm: 'origin', customer: {} });
    expect(course.happen({ type: 'answer-received', answer }).status).toBe('held');
    expect(course.view().outcome).toBeUndefined();
    const step = course.answer('A', from('B'));
    expect(course.path()).toBe(path);
    const refused = { answerId: answer.answerId, reason: 'wrong-provider' };
    expect(step.dropped).toEqual([refused].slice(1 - dropped));
  },
);

const AT = COURSE_START_MS + HOUR_MS;
const event = (more: object): TracebackEvent =>
  ({ tracebackId: 'tb-1', atMs: AT, ...more }) as unknown as TracebackEvent;
const answerBy =
  (letter: string, finding: TracebackFinding, more: { readonly revision?: number } = {}) =>
  (requestId: string): TracebackEvent =>
    event({ type: 'answer-received', answer: answerTo(requestId, provider(letter), finding, more) });
const namedBy = (name: string): TracebackFinding => ({ arm: 'received-from', upstream: { name } });

test.for<readonly [string, (requestId: string) => TracebackEvent]>([
  ['wrong-traceback', () => event({ tracebackId: 'tb-2', type: 'time-passed' })],
  ['bad-time', () => event({ atMs: Number.NaN, type: 'time-passed' })],
  ['bad-time', () => event({ atMs: AT * 1_000, type: 'time-passed' })],
  ['malformed', () => event({ type: 'request-acknowledged', requestId: '' })],
  ['malformed', () => event({ type: 'cancelled', by: 'x'.repeat(5_000), reason: 'why' })],
  ['malformed', () => event({ type: 'of-a-later-version' })],
  ['malformed', answerBy('A', from('B'), { revision: 0 })],
  ['malformed', answerBy('A', namedBy(''))],
  ['malformed', answerBy('A', namedBy('x'.repeat(4_001)))],
  ['no-deadline', (requestId) => event({ type: 'request-sent', requestId, zone: 'Nowhere/At_All' })],
  ['wrong-provider', answerBy('X', from('B'))],
  ['arm-not-for-direction', answerBy('A', { arm: 'serves-number', customer: {} })],
  ['no-downstream-named', answerBy('A', { arm: 'not-sent-to-downstream', downstream: provider('B') })],
])('refuses as %s, and changes nothing', ([reason, eventOf]) => {
  const course = traceback();
  const step = stepTraceback(course.state(), eventOf(course.requestTo('A')));
  expect(step).toMatchObject({ status: 'refused', reason, effects: [], transitions: [] });
  expect(step.state).toBe(course.state());
});

test.for([
  ['identified', 'later'],
  ['choice', 'later'],
  ['ruling', 'later'],
  ['sent', 'earlier'],
  ['acknowledged', 'earlier'],
  ['not-askable', 'earlier'],
  ['accepted', 'earlier'],
  ['cancelled', 'earlier'],
  ['done', 'earlier'],
  ['statement', 'earlier'],
] as const)('of a fact %s that comes twice the %s one stands, whichever comes first', ([kind, stands]) => {
  const [earlier, later] = [AT, AT + 1].map((atMs) => ({ kind, id: 'one', atMs }) as unknown as TracebackFact);
  for (const facts of [[earlier, later] as const, [later, earlier] as const]) {
    const state = facts.reduce((before, fact) => {
      const step = fact === undefined ? undefined : withFact(before, fact);
      return step?.status === 'added' ? step.state : before;
    }, traceback().state());
    expect(factsOf(state, kind)).toEqual([{ earlier, later }[stands]]);
  }
});

test('refuses another content under an id that is known', () => {
  const course = played('A>B');
  const step = course.happen({
    type: 'answer-received',
    answer: answerTo(course.requestTo('A'), provider('A'), from('C')),
  });
  expect(step).toMatchObject({ status: 'refused', reason: 'conflicting-repeat' });
  expect(course.path()).toBe('A answered > B planned');
});

test('refuses more facts and answers than one traceback can have', () => {
  const course = traceback();
  const requestId = course.requestTo('A');
  const refusals = Array.from({ length: 70 }, (_, index) => {
    const answer = answerTo(requestId, provider('A'), from('B'), { revision: index + 1 });
    return course.happen({ type: 'answer-received', answer }).reason;
  });
  expect(refusals.filter((reason) => reason === 'too-many-answers')).toHaveLength(6);
  const done = (index: number) => ({ kind: 'done', id: `e${index}`, atMs: AT }) as const;
  const full = { ...course.state(), facts: Array.from({ length: 2_000 }, (_, index) => done(index)) };
  const step = stepTraceback(full, event({ type: 'effect-done', effectId: 'one-more' }));
  expect(step).toMatchObject({ status: 'refused', reason: 'too-many-facts' });
});

test.for([{ tracebackId: '' }, { tracebackId: 'x'.repeat(201) }, { atMs: Number.NaN }, { first: { name: '' } }])(
  'does not start with %o',
  (start) => {
    expect(() => traceback(start)).toThrowError(expect.objectContaining({ code: 'invalid-argument' }));
  },
);

test.for([
  { maxHops: 0 },
  { maxHops: 71 },
  { nonResponsiveAfterDueMs: -1 },
  { closeStalledAfterMs: 0.5 },
  { remindBeforeDueMs: [0] },
])('refuses the rules %o', (partial) => {
  const rules = partial as Partial<LifecycleRules>;
  const refusal = expect.objectContaining({ code: 'invalid-configuration' });
  expect(() => lifecycleRules(rules)).toThrowError(refusal);
  expect(() => new TestPlatform({ rules })).toThrowError(refusal);
});

test('a first provider that denies a record that it shared itself is in a dispute with its own word', () => {
  const course = traceback({ sharedRecordId: 'record-1' });
  expect(course.effects('ask-provider')[0]?.basedOn).toBe('record:record-1');
  const { outcome, disputes, path } = played('A:not-found', course).view();
  expect(path[0]?.role).toBe('disputed');
  expect(outcome).toMatchObject({ kind: 'disputed', isFinal: false, provider: provider('A') });
  expect(disputes).toMatchObject([{ kind: 'denied', upstream: provider('A') }]);
  expect(disputes[0]?.statements[0]).toBe('record:record-1');
  expect(course.effects('dispute')[0]?.parties).toEqual([provider('A')]);
});
