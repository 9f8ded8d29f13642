import type { InviteFacts } from './invite-facts.js';

/**
 * How far a call has come; it never goes back:
 *
 * ```txt
 * calling ──► ringing ──► answered ──► ended
 *    │           │                       ▲
 *    └───────────┴──────── (rejected, cancelled, lost)
 * ```
 */
export type CallState = 'calling' | 'ringing' | 'answered' | 'ended';

/** How a call ended. */
export interface CallEnd {
  /** Who ended it: this phone, the other side, or neither, because the connection broke or nobody answered in time. */
  readonly by: 'local' | 'remote' | 'network';
  /** The final response to the INVITE: 200 for calls that were answered, 487 for cancelled ones; 503 where the connection broke before one. */
  readonly status: number;
  /** Reason phrase of that response. */
  readonly reason: string;
  /** The message of the other side that ended the call, as received: a final response, a BYE or a CANCEL. */
  readonly text?: string;
}

/** A call as one of its two phones has it. What the other side does never throws: it is told by state and promises. */
export interface PhoneCall {
  readonly direction: 'outgoing' | 'incoming';
  /** The Call-ID. */
  readonly id: string;
  readonly state: CallState;
  /** True once it rings; false where it is answered or ends without. Never rejects. */
  readonly ringing: Promise<boolean>;
  /** True once it is answered, for the called phone: once the 200 is sent; false where it ends without. Never rejects. */
  readonly established: Promise<boolean>;
  /** How it ended, after the last word of the other side: the answer to a BYE was awaited. Never rejects. */
  readonly ended: Promise<CallEnd>;
  /**
   * Ends the call by what its state asks for: CANCEL, BYE, or 480 to an INVITE. Resolves when it has ended; never rejects.
   * @see RFC 3261 sections 9 and 15
   */
  readonly hangUp: () => Promise<void>;
}

/** What {@link IncomingCall.answer} may be told. */
export interface AnswerOptions {
  /** Hangs up so many milliseconds after the answer, by the phone's clock; default never. */
  readonly hangUpAfterMs?: number;
}

/** What {@link IncomingCall.reject} may be told. */
export interface RejectOptions {
  /** Reason phrase; default that of the specification. */
  readonly reason?: string;
  /** Header fields of the response, one string per value. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** A call that came in. */
export interface IncomingCall extends PhoneCall {
  readonly direction: 'incoming';
  /** What the INVITE says. */
  readonly invite: InviteFacts;
  /** Sends 180. False, and nothing is sent, where the call was answered or is over. Never throws. */
  readonly ring: () => boolean;
  /**
   * Sends 200 with a session description. False where the call is over, or was cancelled meanwhile.
   * @throws {@link HopbackError} `invalid-argument` when `hangUpAfterMs` is not 0 to {@link MAX_DURATION_MS}
   */
  readonly answer: (options?: AnswerOptions) => Promise<boolean>;
  /**
   * Sends a final response. Of 607 the network learns that the callee does not want calls like this one. False, and nothing is sent,
   * where the call was answered or is over.
   * @param status - 300 to 699: 486 Busy Here, 603 Decline, 607 Unwanted, 608 Rejected, …
   * @throws {@link HopbackError} `invalid-argument` when the status is not 300 to 699, or a header cannot be sent
   * @see RFC 8197, RFC 8688
   */
  readonly reject: (status: number, options?: RejectOptions) => boolean;
}

/** Longest time that may be asked for, 24 days: Node's timers take no longer one. */
export const MAX_DURATION_MS = 2_147_483_647;
