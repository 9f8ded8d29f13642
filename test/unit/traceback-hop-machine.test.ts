import { expect, test } from 'vitest';
import { HOP_TRANSITIONS, runHop } from '../../sdk/src/traceback/lifecycle/hop-machine.js';
import type { HopEvent, HopState } from '../../sdk/src/traceback/lifecycle/hop-machine.js';

const EVENTS: readonly HopEvent[] = [
  'sent',
  'acknowledged',
  'answered',
  'amended',
  'due-passed',
  'grace-passed',
  'not-askable',
  'withdrawn',
];

/** How a hop comes into each state. */
const WAYS: Readonly<Record<HopState, readonly HopEvent[]>> = {
  planned: [],
  asked: ['sent'],
  acknowledged: ['sent', 'acknowledged'],
  overdue: ['sent', 'due-passed'],
  'non-responsive': ['sent', 'due-passed', 'grace-passed'],
  answered: ['sent', 'answered'],
  corrected: ['sent', 'answered', 'amended'],
  'not-askable': ['not-askable'],
  withdrawn: ['sent', 'withdrawn'],
};

/** What the drawing in the docstring says, row by row: where each event leads; `.` where it changes nothing. */
const TABLE: Readonly<Record<HopState, string>> = {
  //               sent  acknowledged answered amended due-passed grace-passed not-askable withdrawn
  planned: 'asked acknowledged answered . . . not-askable withdrawn',
  asked: '. acknowledged answered . overdue . not-askable withdrawn',
  acknowledged: '. . answered . overdue . . withdrawn',
  overdue: '. . answered . . non-responsive . withdrawn',
  'non-responsive': '. . answered . . . . withdrawn',
  answered: '. . . corrected . . . .',
  corrected: '. . . corrected . . . .',
  'not-askable': 'asked acknowledged answered . . . . withdrawn',
  withdrawn: '. . answered . . . . .',
};

const CELLS = (Object.keys(TABLE) as HopState[]).flatMap((from) => {
  const row = TABLE[from].split(' ');
  return EVENTS.map((event, index) => [from, event, row[index] === '.' ? from : (row[index] as HopState)] as const);
});

test.for(CELLS)('%s, then %s: %s', ([from, event, to]) => {
  const happenings = [...WAYS[from], event].map((name, index) => ({ event: name, atMs: index }));
  const { state, history } = runHop(happenings);
  expect(state).toBe(to);
  expect(runHop(happenings.slice(0, -1)).state).toBe(from);
  const transition = HOP_TRANSITIONS[from][event];
  expect(history.length).toBe(WAYS[from].length + (transition === undefined ? 0 : 1));
  expect(history.every(({ because }) => because.length > 10)).toBe(true);
});

test('an answer at the instant of the deadline came in time', () => {
  const happenings = [
    { event: 'due-passed', atMs: 5 },
    { event: 'answered', atMs: 5 },
    { event: 'sent', atMs: 1 },
  ] as const;
  expect(runHop(happenings).history.map(({ event }) => event)).toEqual(['sent', 'answered']);
});
