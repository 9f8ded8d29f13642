import { expect, test } from 'vitest';
import { stepInviteClient } from '../../harness/src/drachtio/transaction/invite-client-machine.js';
import { stepNonInviteClient } from '../../harness/src/drachtio/transaction/non-invite-client-machine.js';
import type {
  InviteClientEvent,
  InviteClientState,
} from '../../harness/src/drachtio/transaction/invite-client-machine.js';
import type {
  NonInviteClientEvent,
  NonInviteClientState,
} from '../../harness/src/drachtio/transaction/non-invite-client-machine.js';
import type { TransactionAction } from '../../harness/src/drachtio/transaction/transition.js';

type Arc<State, Event> = readonly [State, Event, State, readonly TransactionAction[]];

// RFC 3261 figure 5, as RFC 6026 has redrawn it.
const inviteArcs: readonly Arc<InviteClientState, InviteClientEvent>[] = [
  ['calling', 'start', 'calling', ['send', 'retransmit', 'timer-b']],
  ['calling', 'retransmit-due', 'calling', ['resend']],
  ['calling', 'timer-b', 'terminated', ['report-timeout', 'forget']],
  ['calling', 'transport-error', 'terminated', ['report-transport-error', 'forget']],
  ['calling', 'provisional', 'proceeding', ['stop-retransmit', 'deliver']],
  ['calling', 'success', 'accepted', ['stop-retransmit', 'timer-m', 'deliver']],
  ['calling', 'failure', 'completed', ['stop-retransmit', 'acknowledge', 'timer-d', 'deliver']],
  ['proceeding', 'provisional', 'proceeding', ['deliver']],
  ['proceeding', 'success', 'accepted', ['stop-retransmit', 'timer-m', 'deliver']],
  ['proceeding', 'failure', 'completed', ['stop-retransmit', 'acknowledge', 'timer-d', 'deliver']],
  ['accepted', 'success', 'accepted', ['deliver']],
  ['accepted', 'timer-m', 'terminated', ['forget']],
  ['completed', 'failure', 'completed', ['acknowledge']],
  ['completed', 'transport-error', 'terminated', ['report-transport-error', 'forget']],
  ['completed', 'timer-d', 'terminated', ['forget']],
  // No arc of the figure: a retransmission whose failure is heard of late.
  ['proceeding', 'transport-error', 'terminated', ['report-transport-error', 'forget']],
];

// RFC 3261 figure 6.
const nonInviteArcs: readonly Arc<NonInviteClientState, NonInviteClientEvent>[] = [
  ['trying', 'start', 'trying', ['send', 'retransmit', 'timer-f']],
  ['trying', 'retransmit-due', 'trying', ['resend']],
  ['trying', 'timer-f', 'terminated', ['report-timeout', 'forget']],
  ['trying', 'transport-error', 'terminated', ['report-transport-error', 'forget']],
  ['trying', 'provisional', 'proceeding', ['deliver']],
  ['trying', 'final', 'completed', ['stop-retransmit', 'timer-k', 'deliver']],
  ['proceeding', 'retransmit-due', 'proceeding', ['resend']],
  ['proceeding', 'timer-f', 'terminated', ['report-timeout', 'forget']],
  ['proceeding', 'transport-error', 'terminated', ['report-transport-error', 'forget']],
  ['proceeding', 'provisional', 'proceeding', ['deliver']],
  ['proceeding', 'final', 'completed', ['stop-retransmit', 'timer-k', 'deliver']],
  ['completed', 'timer-k', 'terminated', ['forget']],
  // `start` comes once, at the making; what would follow from another is not worth a state.
  ['proceeding', 'start', 'trying', ['send', 'retransmit', 'timer-f']],
];

const INVITE_STATES: Record<InviteClientState, true> = {
  ...{ calling: true, proceeding: true, accepted: true, completed: true, terminated: true },
};
const INVITE_EVENTS: Record<InviteClientEvent, true> = {
  ...{ start: true, provisional: true, success: true, failure: true, 'retransmit-due': true },
  ...{ 'timer-b': true, 'timer-d': true, 'timer-m': true, 'transport-error': true },
};
const NON_INVITE_STATES: Record<NonInviteClientState, true> = {
  ...{ trying: true, proceeding: true, completed: true, terminated: true },
};
const NON_INVITE_EVENTS: Record<NonInviteClientEvent, true> = {
  ...{ start: true, provisional: true, final: true, 'retransmit-due': true },
  ...{ 'timer-f': true, 'timer-k': true, 'transport-error': true },
};

test.each(inviteArcs)('INVITE client: in %s, %s leads to %s and does %j', (state, event, next, actions) => {
  expect(stepInviteClient(state, event)).toEqual({ state: next, actions });
});

test.each(nonInviteArcs)('non-INVITE client: in %s, %s leads to %s and does %j', (state, event, next, actions) => {
  expect(stepNonInviteClient(state, event)).toEqual({ state: next, actions });
});

test('INVITE client: what has no arc changes nothing, in any state', () => {
  const arcs = new Set(inviteArcs.map(([state, event]) => `${state} ${event}`));
  for (const state of Object.keys(INVITE_STATES) as InviteClientState[]) {
    for (const event of Object.keys(INVITE_EVENTS) as InviteClientEvent[]) {
      if (!arcs.has(`${state} ${event}`)) expect(stepInviteClient(state, event)).toEqual({ state, actions: [] });
    }
  }
});

test('non-INVITE client: what has no arc changes nothing, in any state', () => {
  const arcs = new Set(nonInviteArcs.map(([state, event]) => `${state} ${event}`));
  for (const state of Object.keys(NON_INVITE_STATES) as NonInviteClientState[]) {
    for (const event of Object.keys(NON_INVITE_EVENTS) as NonInviteClientEvent[]) {
      if (!arcs.has(`${state} ${event}`)) expect(stepNonInviteClient(state, event)).toEqual({ state, actions: [] });
    }
  }
});

test('whoever reaches the end is forgotten, once', () => {
  const ends = [...inviteArcs, ...nonInviteArcs].filter(([, , next]) => next === 'terminated');
  expect(ends.every(([, , , actions]) => actions.at(-1) === 'forget')).toBe(true);
  expect(stepInviteClient('terminated', 'timer-b').actions).toEqual([]);
  expect(stepNonInviteClient('terminated', 'timer-f').actions).toEqual([]);
});
