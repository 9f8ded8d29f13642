import type { FccNotice } from '../contract/alert.js';
import type { WireBodies } from '../contract/bodies.js';
import type { TracebackRequest } from '../contract/traceback-exchange.js';

/** What a carrier learns of requests and notices to it, and what is to be done with it. */
export type TracebackRequestArrival = {
  /** When it was here in full, milliseconds since the epoch. */
  readonly receivedAtMs: number;
  readonly via: 'webhook' | 'event-stream' | 'poll';
  /**
   * Says that it is in safe hands: written where a power cut leaves it. Only then the sender is told so, and it does not come again. It
   * may be called more than once.
   *
   * It resolves once the platform has been told, of a request with the details; or has been tried to be told: it never rejects. A platform
   * that does not hear of it sends the same once more, and a request that is known by its `requestId` already is a repeat.
   */
  readonly acknowledge: (details?: Pick<WireBodies['RequestAcknowledgement'], 'clock' | 'reference'>) => Promise<void>;
  /** Says that it could not be taken: the disk is full, the process ends. It comes again. Never throws; without effect once acknowledged. */
  readonly release: () => void;
} & (
  | {
      /** A request. The same one comes several times where an acknowledgement was lost, where it is brought to mind, or where it is overdue. */
      readonly kind: 'request';
      readonly request: TracebackRequest;
    }
  | {
      /** A request is no longer asked: whoever works on it can stop. It may arrive before the request itself. */
      readonly kind: 'cancelled';
      readonly requestId: string;
    }
  | {
      /**
       * A notice of the Commission of suspected illegal traffic: details of mitigation are due in 48 hours, a report in 14 days. The same one
       * comes again where it was withdrawn or answered. 47 CFR 64.1200(n)(2)
       */
      readonly kind: 'notice';
      readonly notice: FccNotice;
    }
);

export type ArrivalWay = TracebackRequestArrival['via'];
export type AcknowledgementDetails = Parameters<TracebackRequestArrival['acknowledge']>[0];

/**
 * Where requests to a carrier come from: webhooks, the event stream and polling look the same from here. At least once, in no order that
 * may be relied upon. Several arrivals may be open at once: a sender waits for each `acknowledge` or `release` only so long, and sends it
 * again.
 *
 * The iteration ends when the source is closed. A platform that cannot be reached, refuses the credential or answers in no form of the
 * contract does not end it: the source waits, says so to whoever asked to be told, and goes on by itself when the platform answers
 * again. Sources of others may reject; they are iterated again after a while. One iteration at a time; leaving it closes the source.
 */
export interface TracebackRequestSource extends AsyncIterable<TracebackRequestArrival>, AsyncDisposable {
  /** Ends the iteration; what was not acknowledged comes again after the next start. Never rejects. */
  readonly close: () => Promise<void>;
}
