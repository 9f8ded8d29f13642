/**
 * What a transaction does when something happens to it. The four machines are tables over these words; who owns sockets and timers
 * carries them out.
 * - `send`: what its user has just handed it. `resend`: the same again. `acknowledge`: ACK a final response other than 2xx.
 * - `deliver`: hand what came to the user. `report-timeout`, `report-transport-error`: tell the user that nothing more will come.
 * - `retransmit`: start to send again after T1, then at growing intervals. `stop-retransmit`: no more of that.
 * - `timer-b` and the like: the letter's time begins to run, in place of the one before.
 * - `forget`: the transaction is over; drop it.
 */
export type TransactionAction =
  | 'send'
  | 'resend'
  | 'acknowledge'
  | 'deliver'
  | 'report-timeout'
  | 'report-transport-error'
  | 'retransmit'
  | 'stop-retransmit'
  | LifetimeTimer
  | 'forget';

/** Timers that end a phase of a transaction; one runs at a time. @see RFC 3261 table 4, RFC 6026 section 8.3 */
export type LifetimeTimer =
  'timer-b' | 'timer-d' | 'timer-f' | 'timer-h' | 'timer-i' | 'timer-j' | 'timer-k' | 'timer-l' | 'timer-m';

/** All timers of a transaction. */
export type TransactionTimer = 'retransmit-due' | LifetimeTimer;

/** Where a transaction is afterwards, and what is to be done. */
export interface Transition<State extends string> {
  readonly state: State;
  readonly actions: readonly TransactionAction[];
}

/** Base values of the timers, milliseconds. @see RFC 3261 section 17.1.1.1 */
export interface TimerBase {
  /** Round-trip estimate: half a second. */
  readonly t1Ms: number;
  /** Longest interval between retransmissions of anything but an INVITE: four seconds. */
  readonly t2Ms: number;
  /** How long a message stays in the network: five seconds. */
  readonly t4Ms: number;
}

/** The values of RFC 3261. */
export const TIMER_BASE: TimerBase = { t1Ms: 500, t2Ms: 4_000, t4Ms: 5_000 };

/** How long a lifetime timer runs. @see RFC 3261 table 4, RFC 6026 section 8.3 */
export function lifetimeMs(timer: LifetimeTimer, base: TimerBase, isReliable: boolean): number {
  switch (timer) {
    case 'timer-b':
    case 'timer-f':
    case 'timer-h':
    case 'timer-l':
    case 'timer-m':
      return 64 * base.t1Ms;
    case 'timer-d':
    case 'timer-j':
      // Timer D: at least 32 s, and it has to outlast timer H of the other side.
      return isReliable ? 0 : 64 * base.t1Ms;
    default:
      // Timers I and K.
      return isReliable ? 0 : base.t4Ms;
  }
}

/** Makes a transition once, so that stepping allocates nothing. */
export function to<State extends string>(state: State, ...actions: readonly TransactionAction[]): Transition<State> {
  return Object.freeze({ state, actions: Object.freeze(actions) });
}
