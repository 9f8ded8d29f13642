import { HopbackError } from '../errors.js';
import type { SipRequestResult } from '../core/sip-request.js';

/** Tells somebody, if there is anybody, what went wrong with a call that goes on. Whoever listens makes no trouble for it. */
export function tellTrouble(onTrouble: ((error: unknown) => void) | undefined, error: unknown): void {
  try {
    onTrouble?.(error);
  } catch {
    // What is wrong with the listener is no matter of the call.
  }
}

/** What is told of a request that cannot be read: why, and in which line. */
export const unreadableInvite = ({
  reason,
  line,
}: Extract<SipRequestResult, { readonly status: 'malformed' }>): HopbackError =>
  new HopbackError('invalid-argument', 'an INVITE cannot be read', { details: { reason, line } });
