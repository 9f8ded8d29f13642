import type { PlatformAnswer, PlatformRoute, ReadPlatformRequest } from '@hopback/sdk/platform';
import type { Caller, StaffRole } from './caller.js';

/** A route that a platform serves: of the contract, or of its operators. */
export type ServedRoute = PlatformRoute<string, string>;

/** A call in the form of its route, by somebody who may make it. */
export interface OperationCall {
  readonly route: ServedRoute;
  /** Absent where the route asks for no token. */
  readonly caller: Caller;
  readonly request: ReadPlatformRequest;
  /** When it came in, milliseconds since the epoch. */
  readonly atMs: number;
  /** What this exchange is called in logs, and in `Request-Id`. */
  readonly httpRequestId: string;
  /** SHA-256 of the certificate that the client showed, base64url, where it showed one that is trusted. RFC 8705 section 3.1 */
  readonly certificateSha256?: string;
  /** Ends with the connection. */
  readonly signal: AbortSignal;
}

/**
 * Carries a call out. What it answers is true: a success has been committed. It sees only what is the caller's: what belongs to another
 * organization is `not-found`, as is what there is not.
 */
export type Operation = (call: OperationCall) => Promise<PlatformAnswer> | PlatformAnswer;

/**
 * Operations for which a client of staff needs a role, by that role. Whoever else may call them needs none; an operation that is in no list is
 * for all of staff.
 */
export type StaffRoles = Readonly<Partial<Record<StaffRole, readonly string[]>>>;

/** Operations by `operationId`. */
export type Operations = Readonly<Record<string, Operation>>;
