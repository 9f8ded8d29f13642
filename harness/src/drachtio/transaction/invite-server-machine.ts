import { to, type Transition } from './transition.js';

/**
 * States of an INVITE server transaction.
 *
 * ```text
 *              INVITE
 *                │
 *          ┌─────▼──────┐  2xx    ┌──────────┐  timer L
 *          │ proceeding ├────────►│ accepted ├──────────┐
 *          └─────┬──────┘         └──────────┘          │
 *       3xx–6xx  │                                      │
 *          ┌─────▼──────┐  ACK    ┌───────────┐ timer I │
 *          │ completed  ├────────►│ confirmed ├────────►│ terminated
 *          └─────┬──────┘         └───────────┘         │
 *                └── timer H ──────────────────────────►┘
 * ```
 *
 * A transport error ends it in `proceeding` alone, where no timer would; elsewhere its user is told, and it stays.
 *
 * @see RFC 3261 section 17.2.1, RFC 6026 section 7.1
 */
export type InviteServerState = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

/** What can happen to it; `request` is the INVITE again. */
export type InviteServerEvent =
  | 'request'
  | 'ack'
  | 'provisional'
  | 'success'
  | 'failure'
  | 'retransmit-due'
  | 'timer-h'
  | 'timer-i'
  | 'timer-l'
  | 'transport-error';

type Step = Transition<InviteServerState>;

const GONE = to<InviteServerState>('terminated');
const ENDED = to<InviteServerState>('terminated', 'forget');
const BROKEN = to<InviteServerState>('terminated', 'report-transport-error', 'forget');

const PROCEEDING = to<InviteServerState>('proceeding');
const SHOWN = to<InviteServerState>('proceeding', 'send');
const SHOWN_AGAIN = to<InviteServerState>('proceeding', 'resend');
const ACCEPTING = to<InviteServerState>('accepted', 'send', 'timer-l');
const COMPLETING = to<InviteServerState>('completed', 'send', 'retransmit', 'timer-h');

const ACCEPTED = to<InviteServerState>('accepted');
const ACCEPTED_AGAIN = to<InviteServerState>('accepted', 'send');
const ACCEPTED_ACK = to<InviteServerState>('accepted', 'deliver');
const ACCEPTED_UNSENT = to<InviteServerState>('accepted', 'report-transport-error');

const COMPLETED = to<InviteServerState>('completed');
const COMPLETED_AGAIN = to<InviteServerState>('completed', 'resend');
const CONFIRMING = to<InviteServerState>('confirmed', 'stop-retransmit', 'timer-i');
const COMPLETED_UNSENT = to<InviteServerState>('completed', 'report-transport-error');
const UNACKNOWLEDGED = to<InviteServerState>('terminated', 'report-timeout', 'forget');

const CONFIRMED = to<InviteServerState>('confirmed');

/** One step of an INVITE server transaction. What a state has no use for leaves it as it is. */
export function stepInviteServer(state: InviteServerState, event: InviteServerEvent): Step {
  switch (state) {
    case 'proceeding':
      return stepProceeding(event);
    case 'accepted':
      return stepAccepted(event);
    case 'completed':
      return stepCompleted(event);
    case 'confirmed':
      return event === 'timer-i' ? ENDED : CONFIRMED;
    default:
      return GONE;
  }
}

function stepProceeding(event: InviteServerEvent): Step {
  switch (event) {
    case 'request':
      return SHOWN_AGAIN;
    case 'provisional':
      return SHOWN;
    case 'success':
      return ACCEPTING;
    case 'failure':
      return COMPLETING;
    case 'transport-error':
      return BROKEN;
    default:
      return PROCEEDING;
  }
}

/** INVITEs are absorbed, and ACKs go up: the 2xx and its retransmission belong to the user. @see RFC 6026 section 7.1 */
function stepAccepted(event: InviteServerEvent): Step {
  switch (event) {
    case 'ack':
      return ACCEPTED_ACK;
    case 'success':
      return ACCEPTED_AGAIN;
    case 'timer-l':
      return ENDED;
    case 'transport-error':
      return ACCEPTED_UNSENT;
    default:
      return ACCEPTED;
  }
}

/** A response that cannot be sent ends nothing: the INVITE may come again, and must not look new. @see RFC 6026 section 8.8 */
function stepCompleted(event: InviteServerEvent): Step {
  switch (event) {
    case 'request':
    case 'retransmit-due':
      return COMPLETED_AGAIN;
    case 'ack':
      return CONFIRMING;
    case 'timer-h':
      return UNACKNOWLEDGED;
    case 'transport-error':
      return COMPLETED_UNSENT;
    default:
      return COMPLETED;
  }
}
