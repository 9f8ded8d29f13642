import { isHopbackError, type HopbackError } from '@hopback/sdk/errors';
import { expect } from 'vitest';

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

/** The error of ours that some work fails with. @throws Error where it does not fail with one */
export async function hopbackErrorOf(work: Promise<unknown> | (() => unknown)): Promise<HopbackError> {
  let error: unknown;
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (caught) {
    error = caught;
  }
  if (isHopbackError(error)) return error;
  throw new Error('expected a HopbackError', { cause: error });
}

/** What some work throws; undefined where it does not. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What an error of ours with a code equals. */
export const withCode = (code: HopbackError['code']): HopbackError => expect.objectContaining({ code });
