import type { StreamClock } from './stream-clock.js';

/** Time that goes on evenly: whoever sets the clock of the machine makes no record old, and none young. */
export interface StreamTime {
  /** Milliseconds since the epoch, as the clock of the machine had it when the stream was made, plus what has gone by since. */
  readonly nowMs: () => number;
}

/** Begins at the clock's time. */
export function createStreamTime(clock: StreamClock): StreamTime {
  const offsetMs = clock.nowMs() - clock.monotonicMs();
  return { nowMs: () => offsetMs + clock.monotonicMs() };
}
