import { SessionState } from 'sip.js';
import type { Invitation } from 'sip.js';
import { duration, headerLines, reasonPhrase, rejection } from './argument-checks.js';
import { createCallProgress } from './call-progress.js';
import type { CallContext, HeldCall } from './call-session.js';
import { CANCELLED, delegateOf, disposeOf, followSession, HUNG_UP, ignore, sayBye } from './call-session.js';
import { inviteFacts } from './invite-facts.js';
import type { AnswerOptions, IncomingCall, RejectOptions } from './phone-call.js';

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
      ...{ id, invite, ring, reject, hangUp },
      get state() {
        return progress.state();
      },
      ...{ ringing: progress.ringing, established: progress.established, ended: progress.ended },
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
