import type { Clock } from '../core/runtime/clock.js';
import { timeOf } from '../core/runtime/clock.js';
import { HopbackError, isHopbackError } from '../errors.js';

/** What the disk was asked. */
export type LogOperation = 'create' | 'write' | 'sync' | 'sync-directory' | 'remove' | 'read';

/** The code of a system error, `EUNKNOWN` for anything else. Never throws. */
export function systemCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'EUNKNOWN';
}

/** A refusal of the disk as it is thrown: `storage-failed`, retryable, with `operation` and the system's `code` as details. */
export function storageFailure(operation: LogOperation, cause: unknown): HopbackError {
  const code = systemCode(cause);
  return new HopbackError('storage-failed', `the disk refuses to ${PHRASES[operation]}: ${code}`, {
    retryable: true,
    cause,
    details: { operation, code },
  });
}

const PHRASES: Readonly<Record<LogOperation, string>> = {
  create: 'make a segment of the log',
  write: 'write to the log',
  sync: 'sync the log',
  'sync-directory': 'sync the directory of the log',
  remove: 'remove a segment of the log',
  read: 'read from the log',
};

/**
 * Does what may be refused.
 * @throws HopbackError `storage-failed` when it is
 */
export async function asked<Value>(operation: LogOperation, ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    throw storageFailure(operation, error);
  }
}

/** A refusal as the state of a log tells it. Never throws. */
export function logErrorOf(
  error: unknown,
  clock: Clock,
): { readonly code: string; readonly operation: LogOperation; readonly atMs: number } {
  const { operation, code } = isHopbackError(error) ? error.details : {};
  return {
    code: typeof code === 'string' ? code : systemCode(error),
    operation: OPERATIONS.find((name) => name === operation) ?? 'write',
    atMs: timeOf(clock) ?? 0,
  };
}

const OPERATIONS = Object.keys(PHRASES) as LogOperation[];
