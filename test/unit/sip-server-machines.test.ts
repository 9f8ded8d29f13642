import { expect, test } from 'vitest';
import { stepInviteServer } from '../../harness/src/drachtio/transaction/invite-server-machine.js';
import { stepNonInviteServer } from '../../harness/src/drachtio/transaction/non-invite-server-machine.js';
import { TIMER_BASE, lifetimeMs } from '../../harness/src/drachtio/transaction/transition.js';
import type {
  InviteServerEvent,
  InviteServerState,
} from '../../harness/src/drachtio/transaction/invite-server-machine.js';
import type {
  NonInviteServerEvent,
  NonInviteServerState,
} from '../../harness/src/drachtio/transaction/non-invite-server-machine.js';
import type { LifetimeTimer, TransactionAction } from '../../harness/src/drachtio/transaction/transition.js';

type Arc<State, Event> = readonly [State, Event, State, readonly TransactionAction[]];

// RFC 3261 figure 7, as RFC 6026 has redrawn it, but for one arc: before the final response a transport error ends the
// transaction. RFC 6026 would have it stay, but its user is told and lets go of it, and then no timer would ever end it.
const inviteArcs: readonly Arc<InviteServerState, InviteServerEvent>[] = [
  ['proceeding', 'request', 'proceeding', ['resend']],
  ['proceeding', 'provisional', 'proceeding', ['send']],
  ['proceeding', 'success', 'accepted', ['send', 'timer-l']],
  ['proceeding', 'failure', 'completed', ['send', 'retransmit', 'timer-h']],
  ['proceeding', 'transport-error', 'terminated', ['report-transport-error', 'forget']],
  ['accepted', 'ack', 'accepted', ['deliver']],
  ['accepted', 'success', 'accepted', ['send']],
  ['accepted', 'transport-error', 'accepted', ['report-transport-error']],
  ['accepted', 'timer-l', 'terminated', ['forget']],
  ['completed', 'request', 'completed', ['resend']],
  ['completed', 'retransmit-due', 'completed', ['resend']],
  ['completed', 'ack', 'confirmed', ['stop-retransmit', 'timer-i']],
  ['completed', 'transport-error', 'completed', ['report-transport-error']],
  ['completed', 'timer-h', 'terminated', ['report-timeout', 'forget']],
  ['confirmed', 'timer-i', 'terminated', ['forget']],
];

// RFC 3261 figure 8; a transport error as above.
const nonInviteArcs: readonly Arc<NonInviteServerState, NonInviteServerEvent>[] = [
  ['trying', 'provisional', 'proceeding', ['send']],
  ['trying', 'final', 'completed', ['send', 'timer-j']],
  ['trying', 'transport-error', 'terminated', ['report-transport-error', 'forget']],
  ['proceeding', 'request', 'proceeding', ['resend']],
  ['proceeding', 'provisional', 'proceeding', ['send']],
  ['proceeding', 'final', 'completed', ['send', 'timer-j']],
  ['proceeding', 'transport-error', 'terminated', ['report-transport-error', 'forget']],
  ['completed', 'request', 'completed', ['resend']],
  ['completed', 'transport-error', 'completed', ['report-transport-error']],
  ['completed', 'timer-j', 'terminated', ['forget']],
];

const INVITE_STATES: Record<InviteServerState, true> = {
  ...{ proceeding: true, accepted: true, completed: true, confirmed: true, terminated: true },
};
const INVITE_EVENTS: Record<InviteServerEvent, true> = {
  ...{ request: true, ack: true, provisional: true, success: true, failure: true, 'retransmit-due': true },
  ...{ 'timer-h': true, 'timer-i': true, 'timer-l': true, 'transport-error': true },
};
const NON_INVITE_STATES: Record<NonInviteServerState, true> = {
  ...{ trying: true, proceeding: true, completed: true, terminated: true },
};
const NON_INVITE_EVENTS: Record<NonInviteServerEvent, true> = {
  ...{ request: true, provisional: true, final: true, 'timer-j': true, 'transport-error': true },
};

test.each(inviteArcs)('INVITE server: in %s, %s leads to %s and does %j', (state, event, next, actions) => {
  expect(stepInviteServer(state, event)).toEqual({ state: next, actions });
});

test.each(nonInviteArcs)('non-INVITE server: in %s, %s leads to %s and does %j', (state, event, next, actions) => {
  expect(stepNonInviteServer(state, event)).toEqual({ state: next, actions });
});

test('INVITE server: what has no arc changes nothing, in any state', () => {
  const arcs = new Set(inviteArcs.map(([state, event]) => `${state} ${event}`));
  for (const state of Object.keys(INVITE_STATES) as InviteServerState[]) {
    for (const event of Object.keys(INVITE_EVENTS) as InviteServerEvent[]) {
      if (!arcs.has(`${state} ${event}`)) expect(stepInviteServer(state, event)).toEqual({ state, actions: [] });
    }
  }
});

test('non-INVITE server: what has no arc changes nothing, in any state', () => {
  const arcs = new Set(nonInviteArcs.map(([state, event]) => `${state} ${event}`));
  for (const state of Object.keys(NON_INVITE_STATES) as NonInviteServerState[]) {
    for (const event of Object.keys(NON_INVITE_EVENTS) as NonInviteServerEvent[]) {
      if (!arcs.has(`${state} ${event}`)) expect(stepNonInviteServer(state, event)).toEqual({ state, actions: [] });
    }
  }
});

test('whoever reaches the end is forgotten, once', () => {
  const ends = [...inviteArcs, ...nonInviteArcs].filter(([, , next]) => next === 'terminated');
  expect(ends.every(([, , , actions]) => actions.at(-1) === 'forget')).toBe(true);
  expect(stepInviteServer('terminated', 'timer-h').actions).toEqual([]);
  expect(stepNonInviteServer('terminated', 'timer-j').actions).toEqual([]);
});

// RFC 3261 table 4, RFC 6026 section 8.3.
const lifetimes: Readonly<Record<LifetimeTimer, readonly [number, number]>> = {
  'timer-b': [32_000, 32_000],
  'timer-d': [32_000, 0],
  'timer-f': [32_000, 32_000],
  'timer-h': [32_000, 32_000],
  'timer-i': [5_000, 0],
  'timer-j': [32_000, 0],
  'timer-k': [5_000, 0],
  'timer-l': [32_000, 32_000],
  'timer-m': [32_000, 32_000],
};

test.each(Object.entries(lifetimes))('%s runs for %j ms, over unreliable and reliable transports', (name, expected) => {
  const timer = name as LifetimeTimer;
  expect([lifetimeMs(timer, TIMER_BASE, false), lifetimeMs(timer, TIMER_BASE, true)]).toEqual(expected);
});

test('the lifetimes follow T1 and T4', () => {
  const base = { t1Ms: 10, t2Ms: 80, t4Ms: 100 };
  expect(lifetimeMs('timer-b', base, false)).toBe(640);
  expect(lifetimeMs('timer-k', base, false)).toBe(100);
});
