import { Inviter, SessionState } from 'sip.js';
import type { Core, URI, UserAgent } from 'sip.js';
import { createCallProgress } from './call-progress.js';
import type { CallContext, HeldCall } from './call-session.js';
import { CANCELLED, delegateOf, disposeOf, followSession, ignore, sayBye } from './call-session.js';
import type { CallEnd } from './phone-call.js';

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
      ...{ ringing: progress.ringing, established: progress.established, ended: progress.ended, hangUp },
    },
  };
}

/** A response that sip.js made up itself, for a timeout or a broken connection, was never a text. */
function endOf(message: Core.IncomingResponseMessage, isCancelled: boolean): CallEnd {
  const { statusCode = 500, reasonPhrase = '' } = message;
  const text = message.data as string | undefined;
  if (text === undefined) return { by: 'network', status: statusCode, reason: reasonPhrase };
  return {
    by: isCancelled && statusCode === CANCELLED.status ? 'local' : 'remote',
    status: statusCode,
    reason: reasonPhrase,
    text,
  };
}
