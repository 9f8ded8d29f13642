import { isHopbackError } from '@hopback/sdk/errors';

/** The code of what a call rejects with; `fulfilled` where it does not. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'fulfilled',
    (error: unknown) => (isHopbackError(error) ? error.code : error),
  );
}

/** What the error of a call says: its code, whether it may be retried, and its details; nothing where the call does not reject. */
export async function failureOf(call: Promise<unknown>): Promise<Readonly<Record<string, unknown>>> {
  try {
    await call;
    return {};
  } catch (error) {
    if (!isHopbackError(error)) throw error;
    return { code: error.code, retryable: error.retryable, ...error.details };
  }
}
