import type { ServerClock } from '../clock.js';
import type { Dialog } from '../dialog/dialog.js';
import type { TimerBase } from '../transaction/transition.js';
import type { Flow } from '../transport/flow.js';

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
  readonly clock: ServerClock;
  readonly timers: TimerBase;
  readonly resend: (flow: Flow, text: string) => void;
  /** 64 times T1 went by without an ACK. */
  readonly onTimeout: (dialog: Dialog) => void;
}

interface Waiting extends AcceptedInvite {
  cancelRetransmit: () => void;
  readonly cancelTimeout: () => void;
}

/** Makes an empty list. */
export function createAcceptedInvites({ clock, timers, resend, onTimeout }: AcceptedInvitesOptions): AcceptedInvites {
  const waiting = new Map<Dialog, Waiting>();
  const drop = (dialog: Dialog): void => {
    const found = waiting.get(dialog);
    if (found === undefined) return;
    waiting.delete(dialog);
    found.cancelRetransmit();
    found.cancelTimeout();
  };
  const repeat = (entry: Waiting, ms: number): void => {
    entry.cancelRetransmit = clock.schedule(() => {
      resend(entry.flow, entry.text);
      repeat(entry, Math.min(2 * ms, timers.t2Ms));
    }, ms);
  };
  return {
    add: (dialog, accepted) => {
      drop(dialog);
      const cancelTimeout = clock.schedule(() => {
        drop(dialog);
        onTimeout(dialog);
      }, 64 * timers.t1Ms);
      const entry: Waiting = { ...accepted, cancelRetransmit: () => undefined, cancelTimeout };
      waiting.set(dialog, entry);
      repeat(entry, timers.t1Ms);
    },
    acknowledge: (dialog, cseq) => {
      const found = waiting.get(dialog);
      if (found?.cseq !== cseq) return undefined;
      drop(dialog);
      return found.transactionId;
    },
    drop,
    size: () => waiting.size,
  };
}
