import { expect, test } from 'vitest';
import { stepInviteClient } from '../../harness/src/drachtio/transaction/invite-client-machine.js';
import type {
  InviteClientEvent,
  InviteClientState,
} from '../../harness/src/drachtio/transaction/invite-client-machine.js';
import { stepInviteServer } from '../../harness/src/drachtio/transaction/invite-server-machine.js';
import type {
  InviteServerEvent,
  InviteServerState,
} from '../../harness/src/drachtio/transaction/invite-server-machine.js';
import { stepNonInviteClient } from '../../harness/src/drachtio/transaction/non-invite-client-machine.js';
import type {
  NonInviteClientEvent,
  NonInviteClientState,
} from '../../harness/src/drachtio/transaction/non-invite-client-machine.js';
import { stepNonInviteServer } from '../../harness/src/drachtio/transaction/non-invite-server-machine.js';
import type {
  NonInviteServerEvent,
  NonInviteServerState,
} from '../../harness/src/drachtio/transaction/non-invite-server-machine.js';
import { TIMER_BASE, lifetimeMs } from '../../harness/src/drachtio/transaction/transition.js';
import type { LifetimeTimer, TransactionAction } from '../../harness/src/drachtio/transaction/transition.js';

type Arc = readonly [state: string, event: string, next: string, actions: readonly TransactionAction[]];

/** A machine without its types, so that one test runs all four. The records name every state and event of them. */
interface Machine {
  readonly step: (state: never, event: never) => object;
  readonly states: object;
  readonly events: object;
  readonly arcs: readonly Arc[];
}

// RFC 3261 figure 5, as RFC 6026 has redrawn it.
const INVITE_CLIENT: Machine = {
  step: stepInviteClient,
  states: {
    ...{ calling: true, proceeding: true, accepted: true, completed: true, terminated: true },
  } satisfies Record<InviteClientState, true>,
  events: {
    ...{ start: true, provisional: true, success: true, failure: true, 'retransmit-due': true },
    ...{ 'timer-b': true, 'timer-d': true, 'timer-m': true, 'transport-error': true },
  } satisfies Record<InviteClientEvent, true>,
  arcs: [
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
    // Not in the figure: a retransmission whose failure is reported late.
    ['proceeding', 'transport-error', 'terminated', ['report-transport-error', 'forget']],
  ],
};

// RFC 3261 figure 6.
const NON_INVITE_CLIENT: Machine = {
  step: stepNonInviteClient,
  states: { trying: true, proceeding: true, completed: true, terminated: true } satisfies Record<
    NonInviteClientState,
    true
  >,
  events: {
    ...{ start: true, provisional: true, final: true, 'retransmit-due': true },
    ...{ 'timer-f': true, 'timer-k': true, 'transport-error': true },
  } satisfies Record<NonInviteClientEvent, true>,
  arcs: [
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
    // `start` comes once, when the transaction is made; another one is not worth a state.
    ['proceeding', 'start', 'trying', ['send', 'retransmit', 'timer-f']],
  ],
};

// RFC 3261 figure 7, as RFC 6026 has redrawn it, but for one arc: before the final response a transport error ends the
// transaction. RFC 6026 would have it stay, but its user is told and lets go of it, and then no timer would ever end it.
const INVITE_SERVER: Machine = {
  step: stepInviteServer,
  states: {
    ...{ proceeding: true, accepted: true, completed: true, confirmed: true, terminated: true },
  } satisfies Record<InviteServerState, true>,
  events: {
    ...{ request: true, ack: true, provisional: true, success: true, failure: true, 'retransmit-due': true },
    ...{ 'timer-h': true, 'timer-i': true, 'timer-l': true, 'transport-error': true },
  } satisfies Record<InviteServerEvent, true>,
  arcs: [
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
  ],
};

// RFC 3261 figure 8; a transport error as above.
const NON_INVITE_SERVER: Machine = {
  step: stepNonInviteServer,
  states: { trying: true, proceeding: true, completed: true, terminated: true } satisfies Record<
    NonInviteServerState,
    true
  >,
  events: {
    ...{ request: true, provisional: true, final: true, 'timer-j': true, 'transport-error': true },
  } satisfies Record<NonInviteServerEvent, true>,
  arcs: [
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
  ],
};

const MACHINES = { INVITE_CLIENT, NON_INVITE_CLIENT, INVITE_SERVER, NON_INVITE_SERVER };

test.each(
  Object.entries(MACHINES).flatMap(([name, { step, arcs }]) => arcs.map((arc) => [name, ...arc, step] as const)),
)('%s: in %s, %s leads to %s and does %j', (_name, state, event, ...[next, actions, step]) => {
  expect(step(state as never, event as never)).toEqual({ state: next, actions });
  // What is over is forgotten.
  if (next === 'terminated') expect(actions.at(-1)).toBe('forget');
});

test.each(Object.entries(MACHINES))('%s: an event without an arc changes nothing', (_name, machine) => {
  const { step, states, events, arcs } = machine;
  const known = new Set(arcs.map(([state, event]) => `${state} ${event}`));
  for (const state of Object.keys(states)) {
    for (const event of Object.keys(events)) {
      if (!known.has(`${state} ${event}`)) expect(step(state as never, event as never)).toEqual({ state, actions: [] });
    }
  }
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
