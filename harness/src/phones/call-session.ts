import { SessionState } from 'sip.js';
import type { Session, SessionDelegate } from 'sip.js';
import type { TimerClock } from '@hopback/sdk/internal';
import type { CallProgress } from './call-progress.js';
import { deferred } from './deferred.js';
import type { CallEnd, CallState, PhoneCall } from './phone-call.js';

/** What a call needs of its phone. */
export interface CallContext {
  readonly clock: TimerClock;
  readonly onChange: (callId: string, state: CallState, end?: CallEnd) => void;
}

/** A call as its phone holds it. */
export interface HeldCall<Call extends PhoneCall = PhoneCall> {
  readonly call: Call;
  readonly progress: CallProgress;
  /** Gives the call up without waiting for the other side, and leaves no timer of it. */
  readonly drop: (end: CallEnd) => void;
}

/** The end of an answered call. */
export const HUNG_UP: Omit<CallEnd, 'by'> = { status: 200, reason: 'OK' };

/** The end of a call that was cancelled. */
export const CANCELLED: Omit<CallEnd, 'by'> = { status: 487, reason: 'Request Terminated' };

/**
 * Follows a session of sip.js. It tells that a session is over before it tells why: the reason is given a turn to come, and where
 * sip.js ended the session by itself `ownEnd` says what to call it.
 */
export function followSession(session: Session, progress: CallProgress, ownEnd: () => CallEnd | undefined): void {
  session.stateChange.addListener((state) => {
    if (state === SessionState.Established) progress.answer();
    if (state !== SessionState.Terminated) return;
    queueMicrotask(() => {
      const end = ownEnd();
      if (end !== undefined) progress.end(end);
    });
  });
}

/** What both sorts of call do with requests of the other side. */
export function delegateOf(progress: CallProgress): SessionDelegate {
  return {
    onBye: (bye) => {
      ignore(bye.accept());
      progress.end({ by: 'remote', ...HUNG_UP, text: bye.request.data });
    },
    // sip.js would call wherever the other side asks it to.
    onRefer: (referral) => ignore(referral.reject({ statusCode: 603 })),
  };
}

/**
 * Ends an answered call: sends a BYE and waits for its answer. A callee waits for the ACK first.
 * @see RFC 3261 section 15
 */
export async function sayBye(session: Session, progress: CallProgress): Promise<void> {
  const answered = deferred<void>();
  const done = (): void => answered.resolve();
  // In a function that is async, since sip.js throws some of its errors and rejects with others.
  const bye = async (): Promise<unknown> =>
    session.bye({ requestDelegate: { onAccept: done, onRedirect: done, onReject: done } });
  bye().catch(() => answered.resolve());
  await Promise.race([answered.promise, progress.ended]);
  progress.end({ by: 'local', ...HUNG_UP });
}

/** Lets sip.js clear away a session that nobody listens to any more. */
export function disposeOf(session: Session): void {
  const dispose = async (): Promise<void> => session.dispose();
  ignore(dispose());
}

/** What becomes of it is told elsewhere: by state, or by the connection. */
export function ignore(promise: Promise<unknown>): void {
  promise.catch(() => undefined);
}
