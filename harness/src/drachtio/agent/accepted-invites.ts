import type { Dialog } from '../dialog/dialog.js';
import type { Timer, Timers, TimerTarget } from '../timers.js';
import type { TimerBase } from '../transaction/transition.js';
import type { Flow } from '../transport/flow.js';
import { PassingMap } from '../passing-map.js';

/** INVITEs that were answered with 2xx and whose ACK has not come. @see RFC 3261 section 13.3.1.4 */
export interface AcceptedInvites {
  /** Begins to repeat a 2xx. */
  readonly add: (dialog: Dialog, accepted: AcceptedInvite) => void;
  /**
   * An ACK came.
   * @returns the transaction that it ends the waiting of; undefined where nothing waited for it, as for its repeats
   */
  readonly acknowledge: (dialog: Dialog, cseq: number) => string | undefined;
  /** Stops, for a dialog that is over. */
  readonly drop: (dialog: Dialog) => void;
  readonly size: () => number;
}

/** One of them. */
export interface AcceptedInvite {
  readonly cseq: number;
  /** As the application knows it: the ACK is delivered under it. */
  readonly transactionId: string;
  readonly flow: Flow;
  readonly text: string;
}

/** What the waiting needs. */
export interface AcceptedInvitesOptions {
  readonly clock: Timers;
  readonly timers: TimerBase;
  readonly resend: (flow: Flow, text: string) => void;
  /** 64 times T1 went by without an ACK. */
  readonly onTimeout: (dialog: Dialog) => void;
}

/** Makes an empty list. */
export function createAcceptedInvites(options: AcceptedInvitesOptions): AcceptedInvites {
  const waiting = new PassingMap<Dialog, Waiting>();
  const drop = (dialog: Dialog): void => {
    const found = waiting.get(dialog);
    if (found === undefined) return;
    waiting.delete(dialog);
    found.stop();
  };
  const timeOut = (dialog: Dialog): void => {
    drop(dialog);
    options.onTimeout(dialog);
  };
  return {
    add: (dialog, accepted) => {
      drop(dialog);
      waiting.set(dialog, new Waiting({ dialog, accepted, options, timeOut }));
    },
    acknowledge: (dialog, cseq) => {
      const found = waiting.get(dialog);
      if (found?.accepted.cseq !== cseq) return undefined;
      drop(dialog);
      return found.accepted.transactionId;
    },
    drop,
    size: () => waiting.size,
  };
}

interface WaitingParts {
  readonly dialog: Dialog;
  readonly accepted: AcceptedInvite;
  readonly options: AcceptedInvitesOptions;
  readonly timeOut: (dialog: Dialog) => void;
}

class Waiting implements TimerTarget<'repeat' | 'timeout'> {
  readonly accepted: AcceptedInvite;
  readonly #parts: WaitingParts;
  readonly #timeout: Timer;
  #repeat: Timer;
  #intervalMs: number;

  constructor(parts: WaitingParts) {
    const { clock, timers } = parts.options;
    this.accepted = parts.accepted;
    this.#parts = parts;
    this.#intervalMs = timers.t1Ms;
    this.#repeat = clock.start(this.#intervalMs, this, 'repeat');
    this.#timeout = clock.start(64 * timers.t1Ms, this, 'timeout');
  }

  stop(): void {
    this.#repeat.cancel();
    this.#timeout.cancel();
  }

  onTimer(event: 'repeat' | 'timeout'): void {
    const { dialog, options, timeOut } = this.#parts;
    if (event === 'timeout') {
      timeOut(dialog);
      return;
    }
    options.resend(this.accepted.flow, this.accepted.text);
    this.#intervalMs = Math.min(2 * this.#intervalMs, options.timers.t2Ms);
    this.#repeat = options.clock.start(this.#intervalMs, this, 'repeat');
  }
}
