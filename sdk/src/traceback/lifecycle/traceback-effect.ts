import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { OutcomeKind } from './traceback-outcome.js';

/** Why a person is asked to look at a traceback. */
export type EscalationReason =
  'overdue' | Exclude<OutcomeKind, 'origin' | 'point-of-entry' | 'foreign-provider' | 'serves-number'>;

/** What every effect has. */
export interface IdentifiedEffect {
  /** Names what has to be done once: whoever carries it out twice under one id has done it once. */
  readonly effectId: string;
}

/** An effect that concerns one request. */
export interface EffectOnRequest extends IdentifiedEffect {
  readonly requestId: string;
  readonly provider?: ProviderReference;
}

/**
 * What has to be done, by whoever has sockets and a clock. It stays pending until an event says that it was done, so that a crash in between does it
 * again: `request-sent` or `provider-not-askable` for `ask-provider`, `provider-identified` or `provider-not-askable` for `find-provider`,
 * `effect-done` for the rest.
 */
export type TracebackEffect =
  | (IdentifiedEffect & {
      readonly type: 'ask-provider';
      readonly requestId: string;
      readonly provider: ProviderReference;
      readonly direction: TracebackRequest['direction'];
      readonly hop: number;
      readonly downstream?: ProviderReference;
      /** The answer or report that named the provider: what it says of the call is what this one is asked about. */
      readonly basedOn?: string;
    })
  | (EffectOnRequest & { readonly type: 'remind'; readonly dueAtMs: number; readonly beforeDueMs: number })
  /** Put down that it did not answer this request; the other takes that back, as it did after all, or was asked by mistake. */
  | (EffectOnRequest & { readonly type: 'mark-non-responsive'; readonly dueAtMs: number })
  | (EffectOnRequest & { readonly type: 'clear-non-responsive'; readonly because: 'answered' | 'withdrawn' })
  /** Look for providers that sent the call to this one, in shared records or by asking: it says nothing of where the call came from. */
  | (EffectOnRequest & { readonly type: 'seek-neighbours' })
  /** Tell the provider that its answer is not needed any more. */
  | (EffectOnRequest & { readonly type: 'cancel-request' })
  /** Ask both to look again. */
  | (IdentifiedEffect & {
      readonly type: 'dispute';
      readonly disputeId: string;
      readonly parties: readonly ProviderReference[];
      readonly statements: readonly string[];
    })
  /** Find out which listed provider is meant, if any. */
  | (IdentifiedEffect & {
      readonly type: 'find-provider';
      readonly requestId: string;
      readonly contact: ContactDetails;
    })
  | (IdentifiedEffect & { readonly type: 'escalate'; readonly requestId: string; readonly reason: EscalationReason })
  | (IdentifiedEffect & { readonly type: 'open-trace-forward'; readonly forwardId: string; readonly number: string })
  /** Tell the requester what it has come to so far. */
  | (IdentifiedEffect & {
      readonly type: 'notify';
      readonly outcome: OutcomeKind;
      readonly outcomeKey: string;
      readonly isFinal: boolean;
    })
  | (IdentifiedEffect & { readonly type: 'close'; readonly outcome: OutcomeKind; readonly outcomeKey: string });

/** Name of an effect. */
export type TracebackEffectType = TracebackEffect['type'];
