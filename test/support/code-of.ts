import { isHopbackError } from '@hopback/sdk/errors';

/** The code of what a call rejects with; `fulfilled` where it does not. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'fulfilled',
    (error: unknown) => (isHopbackError(error) ? error.code : error),
  );
}
