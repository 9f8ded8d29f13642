import type { TimerClock } from '@hopback/sdk/internal/runtime';
import { Inviter, SessionState } from 'sip.js';
import type { Core, Invitation, Session, SessionDelegate, URI, UserAgent } from 'sip.js';
import { duration, headerLines, reasonPhrase, rejection } from './answer-policy.js';
import { createCallProgress, deferred, inviteFacts } from './phone-call.js';
import type {
  AnswerOptions,
  CallEnd,
  CallProgress,
  CallState,
  IncomingCall,
  PhoneCall,
  RejectOptions,
} from './phone-call.js';

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
const HUNG_UP: Omit<CallEnd, 'by'> = { status: 200, reason: 'OK' };

/** The end of a call that was cancelled. */
const CANCELLED: Omit<CallEnd, 'by'> = { status: 487, reason: 'Request Terminated' };

/**
 * Follows a session of sip.js. It tells that a session is over before it tells why: the reason is given a turn to come, and where
 * sip.js ended the session by itself `ownEnd` says what to call it.
 */
function followSession(session: Session, progress: CallProgress, ownEnd: () => CallEnd | undefined): void {
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
function delegateOf(progress: CallProgress): SessionDelegate {
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
async function sayBye(session: Session, progress: CallProgress): Promise<void> {
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
function disposeOf(session: Session): void {
  const dispose = async (): Promise<void> => session.dispose();
  ignore(dispose());
}

/** What becomes of it is told elsewhere: by state, or by the connection. */
export function ignore(promise: Promise<unknown>): void {
  promise.catch(() => undefined);
}

/**
 * Refuses an INVITE that requires what this phone cannot; sip.js would try, and keep timers for it.
 * @returns whether it was refused
 * @see RFC 3261 section 8.2.2.3
 */
export function refusesExtension(invitation: Invitation): boolean {
  const required = invitation.request.getHeaders('require').flatMap((value) => value.split(','));
  const unsupported = required.map((tag) => tag.trim()).filter((tag) => tag !== '' && tag.toLowerCase() !== SUPPORTED);
  if (unsupported.length === 0) return false;
  ignore(invitation.reject({ statusCode: 420, extraHeaders: [`Unsupported: ${unsupported.join(', ')}`] }));
  return true;
}

/** Takes an INVITE as a call. Nothing but the 100 of sip.js is said until somebody decides. */
export function takeCall(invitation: Invitation, context: CallContext): HeldCall<IncomingCall> {
  const invite = inviteFacts(invitation.request.data);
  const id = invitation.request.callId;
  const progress = createCallProgress(context.clock, (state, end) => context.onChange(id, state, end));
  let answering: Promise<boolean> | undefined;
  let leaving: Promise<void> | undefined;

  followSession(invitation, progress, () => {
    if (progress.state() !== 'answered') return { by: 'local', ...CANCELLED };
    // Only one thing else ends an answered call without a word of the other side: that its ACK never comes.
    return leaving === undefined ? { by: 'network', ...HUNG_UP } : undefined;
  });
  invitation.delegate = {
    ...delegateOf(progress),
    onCancel: (cancel) => progress.end({ by: 'remote', ...CANCELLED, text: cancel.request.data }),
  };

  const isUndecided = (): boolean =>
    answering === undefined && (progress.state() === 'calling' || progress.state() === 'ringing');
  const ring = (): boolean => {
    if (!isUndecided()) return false;
    ignore(invitation.progress({ statusCode: 180 }));
    progress.ring();
    return true;
  };
  const accept = async ({ hangUpAfterMs }: AnswerOptions): Promise<boolean> => {
    await invitation.accept().catch(() => undefined);
    if (invitation.state !== SessionState.Established) return false;
    if (hangUpAfterMs !== undefined) progress.after(hangUpAfterMs, () => void hangUp());
    return true;
  };
  const reject = (status: number, options: RejectOptions = {}): boolean => {
    const statusCode = rejection(status);
    const extraHeaders = headerLines(options.headers);
    const reason = reasonPhrase(options.reason ?? REASON_PHRASES.get(status) ?? '');
    if (!isUndecided()) return false;
    ignore(invitation.reject({ statusCode, extraHeaders, ...(reason === '' ? undefined : { reasonPhrase: reason }) }));
    progress.end({ by: 'local', status, reason });
    return true;
  };
  const hangUp = (): Promise<void> => (leaving ??= leave());
  const leave = async (): Promise<void> => {
    if (isUndecided()) reject(HANG_UP_STATUS);
    await answering;
    if (progress.state() === 'answered') await sayBye(invitation, progress);
    await progress.ended;
  };

  return {
    progress,
    drop: (end) => {
      progress.end(end);
      disposeOf(invitation);
    },
    call: {
      direction: 'incoming',
      id,
      invite,
      ring,
      reject,
      hangUp,
      get state() {
        return progress.state();
      },
      ringing: progress.ringing,
      established: progress.established,
      ended: progress.ended,
      answer: async (options = {}) => {
        if (options.hangUpAfterMs !== undefined) duration(options.hangUpAfterMs, 'hangUpAfterMs');
        if (answering === undefined && !isUndecided()) return false;
        return (answering ??= accept(options));
      },
    },
  };
}

/** The one option tag that sip.js tells others it supports. */
const SUPPORTED = 'outbound';

/** Who lets a telephone ring out, or puts it away, is not available; 486 and 603 would say more than that. */
const HANG_UP_STATUS = 480;

/** Phrases of statuses that a callee uses. sip.js knows neither 607 nor 608. */
const REASON_PHRASES: ReadonlyMap<number, string> = new Map([
  [404, 'Not Found'],
  [480, 'Temporarily Unavailable'],
  [486, 'Busy Here'],
  [488, 'Not Acceptable Here'],
  [500, 'Server Internal Error'],
  [600, 'Busy Everywhere'],
  [603, 'Decline'],
  [604, 'Does Not Exist Anywhere'],
  [606, 'Not Acceptable'],
  [607, 'Unwanted'],
  [608, 'Rejected'],
]);

/** A call to place, checked. */
export interface CallOrder {
  readonly target: URI;
  /** Header fields as lines. */
  readonly headers: readonly string[];
  /** URI of From, where it is not the phone's own. */
  readonly from?: URI;
  readonly timeoutMs?: number;
  readonly hangUpAfterMs?: number;
}

/** How long a cancelled INVITE is waited for: 64 times T1. @see RFC 3261 section 9.1 */
const CANCEL_WAIT_MS = 32_000;

/** Sends an INVITE. What comes back is told by the call. */
export function placeCall(userAgent: UserAgent, order: CallOrder, context: CallContext): HeldCall {
  const { target, headers, from, timeoutMs, hangUpAfterMs } = order;
  const inviter = new Inviter(userAgent, target, {
    extraHeaders: [...headers],
    ...(from === undefined ? undefined : { params: { fromUri: from } }),
  });
  const id = inviter.request.callId;
  const progress = createCallProgress(context.clock, (state, end) => context.onChange(id, state, end));
  let leaving: Promise<void> | undefined;

  followSession(inviter, progress, () => {
    if (leaving !== undefined) return progress.state() === 'answered' ? undefined : { by: 'local', ...CANCELLED };
    // Without a word of the other side sip.js gives up calls whose answer has no session description.
    return { by: 'local', status: 488, reason: 'Not Acceptable Here' };
  });
  inviter.delegate = delegateOf(progress);
  const onFinal = ({ message }: Core.IncomingResponse): void => progress.end(endOf(message, leaving !== undefined));
  ignore(
    inviter
      .invite({
        requestDelegate: { onReject: onFinal, onRedirect: onFinal },
      })
      .catch(() => progress.end({ by: 'local', ...CANCELLED })),
  );

  const hangUp = (): Promise<void> => (leaving ??= leave());
  const leave = async (): Promise<void> => {
    if (progress.state() === 'answered') {
      await sayBye(inviter, progress);
    } else if (inviter.state === SessionState.Initial || inviter.state === SessionState.Establishing) {
      progress.after(CANCEL_WAIT_MS, () => progress.end({ by: 'network', ...CANCELLED }));
      ignore(inviter.cancel());
    }
    await progress.ended;
  };
  if (timeoutMs !== undefined) {
    const stop = progress.after(timeoutMs, () => void hangUp());
    ignore(progress.established.then(stop));
  }
  if (hangUpAfterMs !== undefined) {
    ignore(progress.established.then(() => progress.after(hangUpAfterMs, () => void hangUp())));
  }

  return {
    progress,
    drop: (end) => {
      progress.end(end);
      disposeOf(inviter);
    },
    call: {
      direction: 'outgoing',
      id,
      get state() {
        return progress.state();
      },
      ringing: progress.ringing,
      established: progress.established,
      ended: progress.ended,
      hangUp,
    },
  };
}

/** A response that sip.js made up itself, for a timeout or a broken connection, was never a text. */
function endOf(message: Core.IncomingResponseMessage, isCancelled: boolean): CallEnd {
  const { statusCode = 500, reasonPhrase: reason = '' } = message;
  const text = message.data as string | undefined;
  if (text === undefined) return { by: 'network', status: statusCode, reason };
  return {
    by: isCancelled && statusCode === CANCELLED.status ? 'local' : 'remote',
    status: statusCode,
    reason,
    text,
  };
}
