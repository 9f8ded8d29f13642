import type { AttemptDeadline } from '../http/attempt-deadline.js';
import { HopbackError } from '../../errors.js';

/** The octets of a body and what they are. The same in every attempt: under an idempotency key another body would be a conflict. */
export interface CallBody {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** One operation of the platform, ready to be sent. */
export interface PlatformCall<Result> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the names of its parameters, `/v1/tracebacks/{tracebackId}`: this is what errors and logs say, never the address itself. */
  readonly route: string;
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: CallBody;
  /** Media types that are understood. */
  readonly accept: string;
  /** Further fields, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes something of a response with a status of 2xx; may reject with what broke the connection. */
  readonly receive: (response: Response, deadline: AttemptDeadline) => Promise<CallReading<Result>>;
}

/** What was made of a response. */
export type CallReading<Result> =
  | { readonly status: 'read'; readonly value: Result }
  /** It is in no form of the contract; `reason` is a word, `place` where it is not. */
  | { readonly status: 'unreadable'; readonly reason: UnreadableReason; readonly place?: string };

/** In which way a response is in no form of the contract. */
export type UnreadableReason =
  'too-large' | 'not-utf8' | 'not-json' | 'schema-drift' | 'wrong-media-type' | 'cursor-loop' | 'wrong-hash';

/** Longest id or name that goes into an address. */
const MAX_PATH_PARAMETER_LENGTH = 256;

/**
 * The address of a call.
 * @param base - address of the platform, without a slash at its end
 * @param call - route, parameters, query
 * @throws {@link HopbackError} `invalid-argument` for a parameter that is empty, too long, or would name another route
 */
export function callUrl(base: string, call: Pick<PlatformCall<unknown>, 'route' | 'path' | 'query'>): string {
  const path = call.route.replaceAll(/\{(\w{1,40})\}/g, (_whole, name: string) =>
    pathParameter(name, call.path?.[name]),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) query.set(name, String(value));
  }
  const search = query.toString();
  return `${base}${path}${search === '' ? '' : `?${search}`}`;
}

function pathParameter(name: string, value: string | undefined): string {
  // A dot or two would be taken out of the path by whoever parses the URL.
  if (
    value === undefined ||
    value === '' ||
    value === '.' ||
    value === '..' ||
    value.length > MAX_PATH_PARAMETER_LENGTH
  )
    throw new HopbackError(
      'invalid-argument',
      `${name} must be an id of 1 to ${MAX_PATH_PARAMETER_LENGTH} characters, and no dots alone`,
    );
  try {
    return encodeURIComponent(value);
  } catch (cause) {
    throw new HopbackError('invalid-argument', `${name} has half a surrogate pair in it`, { cause });
  }
}
