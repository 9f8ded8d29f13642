import { to, type Transition } from './transition.js';

/**
 * States of a server transaction of any method but INVITE and ACK: trying, proceeding after a provisional response, completed after
 * the final one until timer J, then terminated. A transport error ends it before the final response, when no timer would; then its
 * user is told, and it stays until timer J.
 * @see RFC 3261 section 17.2.2, RFC 4320
 */
export type NonInviteServerState = 'trying' | 'proceeding' | 'completed' | 'terminated';

/** What can happen to it; `request` is the request again. */
export type NonInviteServerEvent = 'request' | 'provisional' | 'final' | 'timer-j' | 'transport-error';

type Step = Transition<NonInviteServerState>;

const GONE = to<NonInviteServerState>('terminated');
const ENDED = to<NonInviteServerState>('terminated', 'forget');
const BROKEN = to<NonInviteServerState>('terminated', 'report-transport-error', 'forget');
const TRYING = to<NonInviteServerState>('trying');
const PROCEEDING = to<NonInviteServerState>('proceeding');
const SHOWN = to<NonInviteServerState>('proceeding', 'send');
const SHOWN_AGAIN = to<NonInviteServerState>('proceeding', 'resend');
const COMPLETING = to<NonInviteServerState>('completed', 'send', 'timer-j');
const COMPLETED = to<NonInviteServerState>('completed');
const COMPLETED_UNSENT = to<NonInviteServerState>('completed', 'report-transport-error');
const COMPLETED_AGAIN = to<NonInviteServerState>('completed', 'resend');

/** One step of a non-INVITE server transaction. What a state has no use for leaves it as it is. */
export function stepNonInviteServer(state: NonInviteServerState, event: NonInviteServerEvent): Step {
  if (state === 'terminated') return GONE;
  if (state === 'completed') return stepCompleted(event);
  switch (event) {
    case 'transport-error':
      return BROKEN;
    case 'provisional':
      return SHOWN;
    case 'final':
      return COMPLETING;
    case 'request':
      return state === 'proceeding' ? SHOWN_AGAIN : TRYING;
    default:
      return state === 'proceeding' ? PROCEEDING : TRYING;
  }
}

/** @see RFC 6026 section 8.8 */
function stepCompleted(event: NonInviteServerEvent): Step {
  switch (event) {
    case 'request':
      return COMPLETED_AGAIN;
    case 'timer-j':
      return ENDED;
    case 'transport-error':
      return COMPLETED_UNSENT;
    default:
      return COMPLETED;
  }
}
