import { to, type TransactionAction, type TransactionTimer, type Transition } from './transition.js';

/** Where a transaction of any kind may be. */
export type TransactionState =
  'calling' | 'trying' | 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

/** What can happen to one. `start` is the making of a client transaction; `request` is the request of a server transaction again. */
export type TransactionEvent =
  'start' | 'request' | 'ack' | 'provisional' | 'success' | 'failure' | 'final' | TransactionTimer | 'transport-error';

/** What follows from each event in each state. What a state has no use for is not there, and leaves it as it is. */
export type Machine = Readonly<
  Partial<Record<TransactionState, Readonly<Partial<Record<TransactionEvent, Transition<TransactionState>>>>>>
>;

const ended = (...actions: readonly TransactionAction[]): Transition<TransactionState> =>
  to('terminated', ...actions, 'forget');

/**
 * An INVITE client transaction.
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
 * Timer B stops with the first response: how long a phone may ring is for the user to say. In `accepted` a 2xx comes again, or one of
 * another branch of a fork: both are for the user to acknowledge.
 *
 * @see RFC 3261 section 17.1.1, RFC 6026 section 7.2
 */
export const INVITE_CLIENT: Machine = {
  calling: {
    start: to('calling', 'send', 'retransmit', 'timer-b'),
    'retransmit-due': to('calling', 'resend'),
    provisional: to('proceeding', 'stop-retransmit', 'deliver'),
    success: to('accepted', 'stop-retransmit', 'timer-m', 'deliver'),
    failure: to('completed', 'stop-retransmit', 'acknowledge', 'timer-d', 'deliver'),
    'timer-b': ended('report-timeout'),
    'transport-error': ended('report-transport-error'),
  },
  proceeding: {
    provisional: to('proceeding', 'deliver'),
    success: to('accepted', 'stop-retransmit', 'timer-m', 'deliver'),
    failure: to('completed', 'stop-retransmit', 'acknowledge', 'timer-d', 'deliver'),
    'transport-error': ended('report-transport-error'),
  },
  accepted: { success: to('accepted', 'deliver'), 'timer-m': ended() },
  completed: {
    failure: to('completed', 'acknowledge'),
    'timer-d': ended(),
    'transport-error': ended('report-transport-error'),
  },
};

/**
 * An INVITE server transaction.
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
 * A transport error ends it in `proceeding` alone, where no timer would; elsewhere its user is told, and it stays: the INVITE may come
 * again, and must not look new. In `accepted` INVITEs are absorbed, and ACKs go up: the 2xx and its retransmission belong to the user.
 *
 * @see RFC 3261 section 17.2.1, RFC 6026 sections 7.1 and 8.8
 */
export const INVITE_SERVER: Machine = {
  proceeding: {
    request: to('proceeding', 'resend'),
    provisional: to('proceeding', 'send'),
    success: to('accepted', 'send', 'timer-l'),
    failure: to('completed', 'send', 'retransmit', 'timer-h'),
    'transport-error': ended('report-transport-error'),
  },
  accepted: {
    ack: to('accepted', 'deliver'),
    success: to('accepted', 'send'),
    'timer-l': ended(),
    'transport-error': to('accepted', 'report-transport-error'),
  },
  completed: {
    request: to('completed', 'resend'),
    'retransmit-due': to('completed', 'resend'),
    ack: to('confirmed', 'stop-retransmit', 'timer-i'),
    'timer-h': ended('report-timeout'),
    'transport-error': to('completed', 'report-transport-error'),
  },
  confirmed: { 'timer-i': ended() },
};

/**
 * A client transaction of any method but INVITE and ACK: trying, proceeding after a provisional response, completed after the final one
 * until timer K, then terminated. Timer F ends the waiting in trying and proceeding alike.
 * @see RFC 3261 section 17.1.2
 */
export const NON_INVITE_CLIENT: Machine = {
  trying: {
    start: to('trying', 'send', 'retransmit', 'timer-f'),
    'retransmit-due': to('trying', 'resend'),
    provisional: to('proceeding', 'deliver'),
    final: to('completed', 'stop-retransmit', 'timer-k', 'deliver'),
    'timer-f': ended('report-timeout'),
    'transport-error': ended('report-transport-error'),
  },
  proceeding: {
    'retransmit-due': to('proceeding', 'resend'),
    provisional: to('proceeding', 'deliver'),
    final: to('completed', 'stop-retransmit', 'timer-k', 'deliver'),
    'timer-f': ended('report-timeout'),
    'transport-error': ended('report-transport-error'),
  },
  completed: { 'timer-k': ended() },
};

/**
 * A server transaction of any method but INVITE and ACK: trying, proceeding after a provisional response, completed after the final one
 * until timer J, then terminated. A transport error ends it before the final response, when no timer would; then its user is told, and
 * it stays until timer J.
 * @see RFC 3261 section 17.2.2, RFC 4320, RFC 6026 section 8.8
 */
export const NON_INVITE_SERVER: Machine = {
  trying: {
    provisional: to('proceeding', 'send'),
    final: to('completed', 'send', 'timer-j'),
    'transport-error': ended('report-transport-error'),
  },
  proceeding: {
    request: to('proceeding', 'resend'),
    provisional: to('proceeding', 'send'),
    final: to('completed', 'send', 'timer-j'),
    'transport-error': ended('report-transport-error'),
  },
  completed: {
    request: to('completed', 'resend'),
    'timer-j': ended(),
    'transport-error': to('completed', 'report-transport-error'),
  },
};
