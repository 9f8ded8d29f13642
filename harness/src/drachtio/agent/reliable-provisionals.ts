import type { TimerClock } from '@hopback/sdk/internal';
import type { Dialog } from '../dialog/dialog.js';
import type { TimerBase } from '../transaction/transition.js';
import type { PendingRequest } from './pending-request.js';
import { PassingMap } from '../passing-map.js';

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
  readonly clock: TimerClock;
  readonly timers: TimerBase;
  readonly firstRseq: number;
  /** Something was sent again. */
  readonly onRetransmission: () => void;
  /** One was not acknowledged for 64 times T1. */
  readonly onTimeout: () => void;
}

/** Makes an empty row. */
function createReliableProvisionals(options: ReliableProvisionalsOptions): ReliableProvisionals {
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

/** The rows of all INVITEs that have one; at most one a dialog, since one INVITE at a time is open in it. */
export interface ProvisionalRows {
  /** The row of an INVITE, made where it has none; one of an INVITE before it is over. */
  readonly of: (dialog: Dialog, invite: PendingRequest, onTimeout: () => void) => ReliableProvisionals;
  readonly find: (dialog: Dialog, invite: PendingRequest) => ReliableProvisionals | undefined;
  /** A PRACK came, with the value of its RAck; false where it acknowledges none that waits. @see RFC 3262 section 7.2 */
  readonly acknowledge: (dialog: Dialog, rack: string) => boolean;
  /** Stops and forgets. */
  readonly drop: (dialog: Dialog) => void;
}

/** Makes an empty list. */
export function createProvisionalRows(
  options: Omit<ReliableProvisionalsOptions, 'firstRseq' | 'onTimeout'> & { readonly rseq: () => number },
): ProvisionalRows {
  const rows = new PassingMap<Dialog, { readonly invite: PendingRequest; readonly row: ReliableProvisionals }>();
  const drop = (dialog: Dialog): void => {
    rows.get(dialog)?.row.stop();
    rows.delete(dialog);
  };
  const find = (dialog: Dialog, invite: PendingRequest): ReliableProvisionals | undefined => {
    const found = rows.get(dialog);
    return found?.invite === invite ? found.row : undefined;
  };
  return {
    of: (dialog, invite, onTimeout) => {
      const known = find(dialog, invite);
      if (known !== undefined) return known;
      drop(dialog);
      const row = createReliableProvisionals({ ...options, firstRseq: options.rseq(), onTimeout });
      rows.set(dialog, { invite, row });
      return row;
    },
    find,
    acknowledge: (dialog, rack) => {
      const found = rows.get(dialog);
      // Text behind the method is ignored, as drachtio-server does: a SIPp scenario of drachtio-srf writes the method twice.
      const read = /^(\d{1,10})\s+(\d{1,10})\s+INVITE(?:\s|$)/.exec(rack);
      if (found === undefined || read === null) return false;
      return Number(read[2]) === found.invite.received.essentials.cseq && found.row.acknowledge(Number(read[1]));
    },
    drop,
  };
}
