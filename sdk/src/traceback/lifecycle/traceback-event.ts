import type { ProviderReference } from '../../core/traceback-request.js';
import type { TracebackAnswer } from '../../core/traceback-request.js';
import type { RequestedCall } from '../../core/traceback-request.js';

/** Why a provider cannot be asked. */
export type NotAskableReason =
  /** It lies outside the United States: whoever took the call from it is the point of entry. */
  | 'foreign'
  /** No registry has it. */
  | 'not-listed'
  /** It is listed, and nobody can be reached. */
  | 'no-contact'
  /** It was removed from the Robocall Mitigation Database. */
  | 'removed';

/** How a person decides a dispute: whose statement stands. Only recorded; it makes nobody the origin of a call. */
export type DisputeRuling = 'downstream-stands' | 'upstream-stands' | 'undecided';

/** What every event has. */
export interface TracebackOccurrence {
  readonly tracebackId: string;
  /** When it happened, whole milliseconds since the epoch: not when it was heard of. */
  readonly atMs: number;
}

/** An event that concerns one request. */
export interface RequestOccurrence extends TracebackOccurrence {
  readonly requestId: string;
}

/**
 * What can happen to a traceback. All of them may come twice, late and in any order.
 * `requestId` is the one of the `ask-provider` effect, and so the id of the request on the wire.
 */
export type TracebackEvent =
  /** Nothing but time: brings reminders, deadlines and closings. */
  | (TracebackOccurrence & { readonly type: 'time-passed' })
  /** The request went out. Its clock runs by the local time of the provider's office. */
  | (RequestOccurrence & {
      readonly type: 'request-sent';
      /** IANA name of the office's zone. */
      readonly zone: string;
      /** When it was received, where that is known to be another time. */
      readonly receivedAtMs?: number;
      /** An earlier deadline that the request states. */
      readonly statedDueAtMs?: number;
    })
  /** Whoever was to be asked cannot be. */
  | (RequestOccurrence & { readonly type: 'provider-not-askable'; readonly reason: NotAskableReason })
  | (RequestOccurrence & { readonly type: 'request-acknowledged' })
  /** An answer, authenticated as that of its provider. `atMs` is when it came. */
  | (TracebackOccurrence & {
      readonly type: 'answer-received';
      readonly answer: TracebackAnswer;
      /**
       * The call that the request was about. If the answer discloses another call, it is disputed, and nobody that it names is asked. Without
       * it the disclosed call is not checked. The state keeps neither call.
       */
      readonly asked?: RequestedCall;
    })
  /** A person found out which listed provider somebody meant by a name that no registry had. */
  | (RequestOccurrence & { readonly type: 'provider-identified'; readonly provider: ProviderReference })
  /** A provider states, unasked, that it sent the call to another: so a silent one is passed over. */
  | (TracebackOccurrence & {
      readonly type: 'neighbour-reported';
      readonly reportId: string;
      readonly provider: ProviderReference;
      readonly sentTo: ProviderReference;
    })
  /** Several providers state that they sent the call: a person says which report is followed. */
  | (RequestOccurrence & { readonly type: 'neighbour-chosen'; readonly reportId: string; readonly by: string })
  | (TracebackOccurrence & {
      readonly type: 'dispute-decided';
      readonly disputeId: string;
      readonly ruling: DisputeRuling;
      readonly by: string;
      readonly reason: string;
    })
  /** A person takes an outcome for good that is none, such as a provider that does not answer. */
  | (TracebackOccurrence & { readonly type: 'outcome-accepted'; readonly outcomeKey: string; readonly by: string })
  /** A call-back number was stated in the call: who serves it is to be found out, in a traceback of its own. */
  | (TracebackOccurrence & {
      readonly type: 'trace-forward-asked';
      readonly forwardId: string;
      /** To be followed, canonical. */
      readonly number: string;
      readonly by: string;
    })
  | (TracebackOccurrence & { readonly type: 'cancelled'; readonly by: string; readonly reason: string })
  /** An effect was carried out. Of those that have an event of their own, such as `request-sent`, nothing else is expected. */
  | (TracebackOccurrence & {
      readonly type: 'effect-done';
      readonly effectId: string;
      /** What came of it: the id of the traceback that was opened, of the notification. */
      readonly reference?: string;
    });

/** Name of an event. */
export type TracebackEventType = TracebackEvent['type'];
