/** Longest code that is passed on. */
const MAX_CODE_LENGTH = 60;

/**
 * The code of the error underneath a request that failed, `ECONNREFUSED` and the like: messages may name addresses. Never throws.
 * @param error - what a fetch rejected with
 * @returns the code, or words where there is none
 */
export function connectionErrorCode(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code.slice(0, MAX_CODE_LENGTH) : 'the request failed';
}
