import type { TimerClock } from '../../core/runtime/clock.js';

/** Time as a stream needs it: waits run on a time that nobody turns back, only what people read comes from the wall. */
export interface StreamClock extends TimerClock {
  /** Milliseconds since some instant, never less than before, whatever is done to the clock of the machine. */
  readonly monotonicMs: () => number;
}
