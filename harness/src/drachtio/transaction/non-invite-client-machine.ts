import { to, type Transition } from './transition.js';

/**
 * States of a client transaction of any method but INVITE and ACK: trying, proceeding after a provisional response, completed after
 * the final one until timer K, then terminated. Timer F ends the waiting in trying and proceeding alike.
 * @see RFC 3261 section 17.1.2
 */
export type NonInviteClientState = 'trying' | 'proceeding' | 'completed' | 'terminated';

/** What can happen to it. `start` is its making. */
export type NonInviteClientEvent =
  'start' | 'provisional' | 'final' | 'retransmit-due' | 'timer-f' | 'timer-k' | 'transport-error';

type Step = Transition<NonInviteClientState>;

const GONE = to<NonInviteClientState>('terminated');
const ENDED = to<NonInviteClientState>('terminated', 'forget');
const BROKEN = to<NonInviteClientState>('terminated', 'report-transport-error', 'forget');
const TIMED_OUT = to<NonInviteClientState>('terminated', 'report-timeout', 'forget');
const STARTED = to<NonInviteClientState>('trying', 'send', 'retransmit', 'timer-f');
const TRYING = to<NonInviteClientState>('trying');
const TRYING_AGAIN = to<NonInviteClientState>('trying', 'resend');
const PROCEEDING = to<NonInviteClientState>('proceeding');
const PROGRESS = to<NonInviteClientState>('proceeding', 'deliver');
const PROCEEDING_AGAIN = to<NonInviteClientState>('proceeding', 'resend');
const COMPLETING = to<NonInviteClientState>('completed', 'stop-retransmit', 'timer-k', 'deliver');
const COMPLETED = to<NonInviteClientState>('completed');

/** One step of a non-INVITE client transaction. What a state has no use for leaves it as it is. */
export function stepNonInviteClient(state: NonInviteClientState, event: NonInviteClientEvent): Step {
  if (state === 'terminated') return GONE;
  if (state === 'completed') return event === 'timer-k' ? ENDED : COMPLETED;
  switch (event) {
    case 'start':
      return STARTED;
    case 'provisional':
      return PROGRESS;
    case 'final':
      return COMPLETING;
    case 'retransmit-due':
      return state === 'trying' ? TRYING_AGAIN : PROCEEDING_AGAIN;
    case 'timer-f':
      return TIMED_OUT;
    case 'transport-error':
      return BROKEN;
    default:
      return state === 'trying' ? TRYING : PROCEEDING;
  }
}
