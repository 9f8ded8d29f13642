import { to, type Transition } from './transition.js';

/**
 * States of an INVITE client transaction.
 *
 * ```text
 *    ┌─────────┐ 1xx  ┌────────────┐
 *    │ calling ├─────►│ proceeding │
 *    └──┬───┬──┘      └──┬─────┬───┘
 *       │   │ 2xx        │ 2xx │ 300–699
 *       │   └─────┬──────┘     │
 *       │   ┌─────▼────┐  ┌────▼──────┐
 *       │   │ accepted │  │ completed │  timer D
 *       │   └─────┬────┘  └────┬──────┘
 * timer B         │ timer M    │
 *       └─────────┴────────────┴──► terminated
 * ```
 *
 * @see RFC 3261 section 17.1.1, RFC 6026 section 7.2
 */
export type InviteClientState = 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated';

/** What can happen to it. `start` is its making. */
export type InviteClientEvent =
  | 'start'
  | 'provisional'
  | 'success'
  | 'failure'
  | 'retransmit-due'
  | 'timer-b'
  | 'timer-d'
  | 'timer-m'
  | 'transport-error';

type Step = Transition<InviteClientState>;

const GONE = to<InviteClientState>('terminated');
const ENDED = to<InviteClientState>('terminated', 'forget');
const BROKEN = to<InviteClientState>('terminated', 'report-transport-error', 'forget');
const TIMED_OUT = to<InviteClientState>('terminated', 'report-timeout', 'forget');

const STARTED = to<InviteClientState>('calling', 'send', 'retransmit', 'timer-b');
const CALLING = to<InviteClientState>('calling');
const CALLING_AGAIN = to<InviteClientState>('calling', 'resend');
const ANSWERING = to<InviteClientState>('proceeding', 'stop-retransmit', 'deliver');
const PROCEEDING = to<InviteClientState>('proceeding');
const PROGRESS = to<InviteClientState>('proceeding', 'deliver');
const ACCEPTING = to<InviteClientState>('accepted', 'stop-retransmit', 'timer-m', 'deliver');
const REFUSED = to<InviteClientState>('completed', 'stop-retransmit', 'acknowledge', 'timer-d', 'deliver');

const ACCEPTED = to<InviteClientState>('accepted');
const ACCEPTED_AGAIN = to<InviteClientState>('accepted', 'deliver');
const COMPLETED = to<InviteClientState>('completed');
const COMPLETED_AGAIN = to<InviteClientState>('completed', 'acknowledge');

/** One step of an INVITE client transaction. What a state has no use for leaves it as it is. */
export function stepInviteClient(state: InviteClientState, event: InviteClientEvent): Step {
  switch (state) {
    case 'calling':
      return stepCalling(event);
    case 'proceeding':
      return stepProceeding(event);
    case 'accepted':
      // A 2xx again, or one of another branch of a fork: both are for the user to acknowledge.
      return event === 'success' ? ACCEPTED_AGAIN : event === 'timer-m' ? ENDED : ACCEPTED;
    case 'completed':
      return event === 'failure'
        ? COMPLETED_AGAIN
        : event === 'timer-d'
          ? ENDED
          : event === 'transport-error'
            ? BROKEN
            : COMPLETED;
    default:
      return GONE;
  }
}

function stepCalling(event: InviteClientEvent): Step {
  switch (event) {
    case 'start':
      return STARTED;
    case 'retransmit-due':
      return CALLING_AGAIN;
    case 'provisional':
      return ANSWERING;
    case 'success':
      return ACCEPTING;
    case 'failure':
      return REFUSED;
    case 'timer-b':
      return TIMED_OUT;
    case 'transport-error':
      return BROKEN;
    default:
      return CALLING;
  }
}

/** Timer B stops with the first response: how long a phone may ring is for the user to say. @see RFC 3261 section 17.1.1.2 */
function stepProceeding(event: InviteClientEvent): Step {
  switch (event) {
    case 'provisional':
      return PROGRESS;
    case 'success':
      return ACCEPTING;
    case 'failure':
      return REFUSED;
    case 'transport-error':
      return BROKEN;
    default:
      return PROCEEDING;
  }
}
