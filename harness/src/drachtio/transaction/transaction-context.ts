import type { Received } from '../received.js';
import type { Timers } from '../timers.js';
import type { Flow } from '../transport/flow.js';
import type { TimerBase } from './transition.js';

/** What transactions reach of the world around them. */
export interface TransactionContext<Transaction> {
  readonly timers: Timers;
  readonly base: TimerBase;
  /** Sends and counts. */
  readonly send: (flow: Flow, text: string, onError: () => void) => void;
  /** Where the responses to a request go. @see RFC 3261 section 18.2.2, RFC 3581 section 4 */
  readonly responseFlow: (received: Received) => Flow;
  /** Something was sent again: by a timer, or because the other side repeated itself. */
  readonly onRetransmission: () => void;
  /** The transaction is over and to be dropped. */
  readonly onEnd: (transaction: Transaction) => void;
}
