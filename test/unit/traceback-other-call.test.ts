import { expect, test } from 'vitest';
import type { AnsweredCall, RequestedCall, TracebackFinding } from '../../sdk/src/contract/traceback-exchange.js';
import type { TracebackStep } from '../../sdk/src/traceback/lifecycle/step-traceback.js';
import { answerTo, from, provider, traceback, type TracebackCourse } from '../support/traceback-course.js';

const ASKED: RequestedCall = {
  called: '+12025550143',
  at: { asWritten: '9:30 UTC', local: '2026-02-02T09:30', zone: 'UTC', precision: 'minute' },
};
const OWN: AnsweredCall = { startedAt: '2026-02-02T09:30:12Z', called: '+12025550143', disposition: 'answered' };
const OTHER: AnsweredCall = { startedAt: '2026-02-02T15:30:12Z', called: '+14155550122', disposition: 'answered' };

function answer(
  course: TracebackCourse,
  letter: string,
  said: { readonly finding: TracebackFinding; readonly call?: AnsweredCall; readonly revision?: number },
): TracebackStep {
  const { finding, call, revision = 1 } = said;
  course.ask();
  const given = answerTo(course.requestTo(letter), provider(letter), finding, { revision });
  return course.happen({
    type: 'answer-received',
    answer: call === undefined ? given : { ...given, call },
    asked: ASKED,
  });
}

const asksOf = (course: TracebackCourse): readonly string[] =>
  course.effects('ask-provider').map((effect) => effect.provider.name);

// That the same holds for every finding and every other call is a property.
test('an answer about another call is in dispute, and its finding is not in the state', () => {
  const course = traceback();
  answer(course, 'A', { finding: from('B'), call: OWN });
  const step = answer(course, 'B', { finding: from('P'), call: OTHER });
  expect(step.status).toBe('applied');
  expect(course.path()).toBe('A answered > B answered');
  const { outcome, disputes } = course.view();
  expect(outcome).toMatchObject({ kind: 'disputed', isFinal: false, provider: provider('B') });
  expect(disputes).toMatchObject([{ kind: 'other-call', downstream: provider('B'), differsIn: ['called', 'time'] }]);
  expect(outcome?.disputeId).toBe(disputes[0]?.disputeId);
  expect(JSON.stringify([course.state(), course.pending()])).not.toMatch(/Example P|provider-p/);
  expect(course.pending().map(({ type }) => type)).toEqual(
    expect.arrayContaining(['dispute', 'escalate', 'seek-neighbours']),
  );
});

test('an amended answer about the right call leads on; about another call it is another dispute, and asks nobody', () => {
  const course = traceback();
  answer(course, 'A', { finding: from('P'), call: OTHER });
  const [first] = course.view().disputes;
  const ruled = {
    disputeId: first?.disputeId ?? '',
    ruling: 'downstream-stands',
    by: 'reviewer',
    reason: 'a diversion',
  } as const;
  course.happen({ type: 'dispute-decided', ...ruled });
  expect(course.view().outcome).toMatchObject({ kind: 'disputed', isFinal: true });
  answer(course, 'A', { finding: from('Q'), call: OTHER, revision: 2 });
  expect(course.view().disputes.map(({ ruling }) => ruling)).toEqual([undefined]);
  expect(asksOf(course)).toEqual([]);
  answer(course, 'A', { finding: from('B'), call: OWN, revision: 3 });
  expect(course.view().disputes).toEqual([]);
  expect(asksOf(course)).toEqual(['Example B']);
  // The request to B is cancelled when the answer before it is about another call again.
  course.ask();
  answer(course, 'A', { finding: from('B'), call: OTHER, revision: 4 });
  expect(course.path()).toBe('A corrected');
  expect(course.effects('cancel-request').map((effect) => effect.provider?.name)).toEqual(['Example B']);
});

test('a neighbour whose record shows the call that was asked about leads past an answer about another call', () => {
  const course = traceback();
  answer(course, 'A', { finding: from('P'), call: OTHER });
  const report = { reportId: 'r-1', provider: provider('N'), sentTo: provider('A') };
  course.happen({ type: 'neighbour-reported', ...report });
  expect(asksOf(course)).toEqual(['Example N']);
  expect(course.view().disputes).toMatchObject([{ kind: 'other-call' }]);
});

test('a finding that says nothing of where a call came from is what it is, whatever call stands beside it', () => {
  const course = traceback();
  answer(course, 'A', { finding: { arm: 'refused', reason: 'Bring a subpoena.' }, call: OTHER });
  expect(course.view()).toMatchObject({ outcome: { kind: 'refused', reason: 'Bring a subpoena.' }, disputes: [] });
});

test('a number that is traced forward is not exchanged for another', () => {
  const forward = traceback({ direction: 'forward' });
  const finding: TracebackFinding = { arm: 'number-served-by', provider: provider('P') };
  answer(forward, 'A', { finding, call: OTHER });
  expect(forward.view()).toMatchObject({ outcome: { kind: 'disputed' }, disputes: [{ differsIn: ['called'] }] });
  expect(asksOf(forward)).toEqual([]);
  const other = traceback({ direction: 'forward' });
  answer(other, 'A', { finding, call: { ...OTHER, called: '12025550143' } });
  expect(asksOf(other)).toEqual(['Example P']);
});

test('an answer that discloses no call leads on to the provider that it names', () => {
  const course = traceback();
  answer(course, 'A', { finding: from('B') });
  expect(asksOf(course)).toEqual(['Example B']);
});
