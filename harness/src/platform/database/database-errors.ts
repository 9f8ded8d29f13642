import { HopbackError, isHopbackError } from '@hopback/sdk/errors';

/** SQLSTATE of an error of the database, of either engine; undefined for any other error. PostgreSQL, appendix A */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (isHopbackError(error)) {
    const stated = error.details['sqlState'];
    return typeof stated === 'string' ? stated : undefined;
  }
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * Whether a transaction is to be begun again: the database found that it could not be put in order with others, that they waited for each other,
 * or that it does not know a statement any more.
 */
export function isOrderConflict(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '40001' || state === '40P01' || isStaleStatement(error);
}

/** Whether a statement that was prepared is not what it was: its tables have other columns by now, or the server has let go of it. */
export function isStaleStatement(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '26000' || (state === '0A000' && error instanceof Error && /cached plan/.test(error.message));
}

/** The server goes down, comes up, or has too many connections: PostgreSQL, appendix A, classes 08, 53 and 57. */
const AWAY_STATES = new Set(['57P01', '57P02', '57P03', '53300']);
const AWAY_SYSTEM_CODES = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);
/** `pg` has no codes for these. */
const AWAY_TEXTS = [
  'Connection terminated',
  'Client has encountered a connection error',
  'timeout exceeded when trying to connect',
  'Postgres connection has been discarded',
];

/** Whether the connection to the server is gone, or could not be had. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined && (AWAY_STATES.has(state) || state.startsWith('08'))) return true;
  if (!(error instanceof Error)) return false;
  if (isHopbackError(error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && AWAY_SYSTEM_CODES.has(code)) return true;
  // A socket in the file system that is not there; of another file it says nothing about the server.
  if (code === 'ENOENT') return syscall === 'connect';
  return AWAY_TEXTS.some((text) => error.message.startsWith(text));
}

/**
 * The database was lost while it committed, and could not be asked since: what was to be done is there or is not. Whoever has an
 * idempotency key tries again; whoever has none looks.
 */
export function outcomeUnknown(cause: unknown): HopbackError {
  return new HopbackError('storage-failed', 'the database was lost while it committed: whether it did is not known', {
    cause,
    details: { outcome: 'unknown' },
  });
}

/** Whether it is not known if a transaction was carried out. */
export const isOutcomeUnknown = (error: unknown): boolean =>
  isHopbackError(error) && error.details['outcome'] === 'unknown';

/** Characters of the word for what failed. */
const WORD_CHARS = 200;

/** What failed, as a word for audit and tables. The text of an error may hold what nobody may read there, so only its kind is kept. */
export function errorWord(error: unknown): string {
  const word = isHopbackError(error) ? error.code : error instanceof Error ? error.name : 'unknown';
  return word.slice(0, WORD_CHARS);
}
