import type { ProviderReference } from '../../core/traceback-request.js';
import type { CustomerAction, FindingArm } from '../../core/traceback-request.js';
import type { RequestedCall, RequestedCampaign, Requester } from '../../core/traceback-request.js';

/** Opens a traceback of one call. */
export interface TracebackOpening {
  readonly direction: 'back' | 'forward';
  readonly call: RequestedCall;
  readonly campaign?: RequestedCampaign;
  /** Who asks, where it is not whoever calls the platform. */
  readonly requester?: Requester;
  /** Who terminated the call, where that is known: who is asked first. */
  readonly firstProvider?: ProviderReference;
  /** Report of an application that the traceback begins with. */
  readonly reportId?: string;
  readonly comment?: string;
}

/** Where a traceback stands. */
export type TracebackState = 'open' | 'closed' | 'withdrawn';

/**
 * What a traceback has come to.
 * - `origin`: a provider says that the call began at it
 * - `point-of-entry`: a provider says that the call entered the United States at it
 * - `foreign-provider`: a provider abroad was named, who is not asked
 * - `serves-number`: trace forward: a provider says that it serves the number
 * - `non-responsive`: a provider did not answer. `refused`: it said that it will not
 * - `no-record`: a provider with complete records of that time has none of the call. `not-retained`: they have been removed
 * - `number-not-ours`: the first provider does not serve the number that was called
 * - `ambiguous`: the call could not be told from others
 * - `disputed`: statements contradict each other, and evidence does not decide; nobody is accused
 * - `unlisted-provider`, `not-askable`: who was named is not in the registry; or is, and cannot be asked
 * - `several-neighbours`: several say that they sent the call to the one that is silent
 * - `loop`, `too-many-hops`: the answers lead round in a circle, or further than is followed
 */
export type TracebackConclusion =
  | 'origin'
  | 'point-of-entry'
  | 'foreign-provider'
  | 'serves-number'
  | 'non-responsive'
  | 'refused'
  | 'no-record'
  | 'not-retained'
  | 'number-not-ours'
  | 'ambiguous'
  | 'disputed'
  | 'unlisted-provider'
  | 'not-askable'
  | 'several-neighbours'
  | 'loop'
  | 'too-many-hops';

/**
 * Where one hop stands. `overdue`: the deadline has passed; `non-responsive`: so has the time of grace; `corrected`: the answer was amended;
 * `not-askable`: abroad, unlisted or not to be reached; `withdrawn`: the traceback does not lead there any more.
 */
export type TracebackHopState =
  'asked' | 'acknowledged' | 'overdue' | 'non-responsive' | 'answered' | 'corrected' | 'not-askable' | 'withdrawn';

/** One provider on the way of the call, the terminating one first. */
export interface TracebackHop {
  /** 1 for the provider at which the traceback starts. */
  readonly hop: number;
  readonly requestId: string;
  readonly provider: ProviderReference;
  readonly state: TracebackHopState;
  /** RFC 3339 in UTC; absent where it was not asked. */
  readonly issuedAt?: string;
  readonly dueAt?: string;
  readonly answeredAt?: string;
  readonly answerId?: string;
  /** Which arm the last answer has. Whom it names is shown to those that the hand-off concerns, and to staff. */
  readonly arm?: FindingArm;
  readonly upstream?: ProviderReference;
  readonly customerAction?: CustomerAction;
}

/** A whole traceback: one call, hop by hop. */
export interface Traceback {
  readonly format: 'hopback.traceback.1';
  readonly tracebackId: string;
  readonly direction: 'back' | 'forward';
  readonly state: TracebackState;
  /** Where `state` is `closed`; while it is `open`, what it would come to if nothing else were said. */
  readonly outcome?: TracebackConclusion;
  readonly requester: Requester;
  readonly campaign?: RequestedCampaign;
  readonly call: RequestedCall;
  /** RFC 3339 in UTC. */
  readonly openedAt: string;
  readonly updatedAt: string;
  readonly closedAt?: string;
  readonly hops: readonly TracebackHop[];
}
