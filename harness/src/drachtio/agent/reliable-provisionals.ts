import type { ServerClock } from '../clock.js';
import type { TimerBase } from '../transaction/transition.js';

/** The reliable provisional responses of one INVITE. @see RFC 3262 section 3 */
export interface ReliableProvisionals {
  /** The number for the next one. */
  readonly takeRseq: () => number;
  /** Sends one, or queues it until the one before has been acknowledged. */
  readonly send: (provisional: ReliableProvisional) => void;
  /** A PRACK came; false where it acknowledges none that waits. */
  readonly acknowledge: (rseq: number) => boolean;
  /** Whether a final response of success has to wait: a reliable one with a session description is not acknowledged. */
  readonly holdsSuccess: () => boolean;
  /** Sends a final response when nothing holds it any more. */
  readonly sendFinal: (send: () => void) => void;
  readonly stop: () => void;
}

/** One of them, written already. */
export interface ReliableProvisional {
  readonly rseq: number;
  readonly hasBody: boolean;
  readonly send: () => void;
}

/** What they need. */
export interface ReliableProvisionalsOptions {
  readonly clock: ServerClock;
  readonly timers: TimerBase;
  readonly firstRseq: number;
  /** Something was sent again. */
  readonly onRetransmission: () => void;
  /** One was not acknowledged for 64 times T1. */
  readonly onTimeout: () => void;
}

/** Makes an empty row. */
export function createReliableProvisionals(options: ReliableProvisionalsOptions): ReliableProvisionals {
  const { clock, timers } = options;
  let nextRseq = options.firstRseq;
  let outstanding: ReliableProvisional | undefined;
  const queue: ReliableProvisional[] = [];
  let heldFinal: (() => void) | undefined;
  let cancelRetransmit: (() => void) | undefined;
  let cancelTimeout: (() => void) | undefined;

  const stopTimers = (): void => {
    cancelRetransmit?.();
    cancelTimeout?.();
    cancelRetransmit = undefined;
    cancelTimeout = undefined;
  };
  const repeat = (ms: number): void => {
    cancelRetransmit = clock.schedule(() => {
      options.onRetransmission();
      outstanding?.send();
      repeat(2 * ms);
    }, ms);
  };
  const begin = (provisional: ReliableProvisional): void => {
    outstanding = provisional;
    provisional.send();
    repeat(timers.t1Ms);
    cancelTimeout = clock.schedule(() => {
      stop();
      options.onTimeout();
    }, 64 * timers.t1Ms);
  };
  const stop = (): void => {
    stopTimers();
    outstanding = undefined;
    queue.length = 0;
    heldFinal = undefined;
  };
  const holdsSuccess = (): boolean => outstanding?.hasBody === true || queue.some(({ hasBody }) => hasBody);

  return {
    takeRseq: () => nextRseq++,
    send: (provisional) => {
      if (outstanding === undefined) begin(provisional);
      else queue.push(provisional);
    },
    acknowledge: (rseq) => {
      if (outstanding?.rseq !== rseq) return false;
      stopTimers();
      outstanding = undefined;
      const next = queue.shift();
      if (next !== undefined) begin(next);
      if (heldFinal !== undefined && !holdsSuccess()) {
        const send = heldFinal;
        stop();
        send();
      }
      return true;
    },
    holdsSuccess,
    sendFinal: (send) => {
      if (holdsSuccess()) heldFinal = send;
      else {
        // What is not acknowledged by now is overtaken, but its PRACK may still come.
        stopTimers();
        queue.length = 0;
        send();
      }
    },
    stop,
  };
}
