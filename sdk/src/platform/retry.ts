import { HopbackError } from '../errors.js';

/**
 * What an HTTP status asks of whoever sent the request.
 * - `done`: the request was carried out.
 * - `retry`: the same request may succeed later.
 * - `refused`: the request is wrong in itself; the same one fails again. 409 among them: under an idempotency key it says that
 *   another request had that key.
 * - `too-large`: a smaller one may pass.
 * - `unauthorized`: the credential is wrong, not the request.
 * - `misdirected`: nobody takes such requests there, whatever is in them; redirects, which are not followed, and 501 among them.
 */
type RetryClass = 'done' | 'retry' | 'refused' | 'too-large' | 'unauthorized' | 'misdirected';

const RETRY: ReadonlySet<number> = new Set([408, 425, 429]);
const TOO_LARGE: ReadonlySet<number> = new Set([413]);
const UNAUTHORIZED: ReadonlySet<number> = new Set([401, 403, 407]);
const MISDIRECTED: ReadonlySet<number> = new Set([404, 405, 406, 410, 415, 421, 426, 501]);

/**
 * What is to be done about an HTTP status: 408, 425 (RFC 8470), 429 and everything from 500 except 501 is tried again. Never throws;
 * a number that is no final status is taken for a failure of the receiver.
 * @param httpStatus - of a final response, 200 to 599
 * @returns the class
 * @see RFC 9110 section 15
 * @example
 * ```ts
 * console.log(retryClassOf(503), retryClassOf(409), retryClassOf(422)); // retry refused refused
 * ```
 */
export function retryClassOf(httpStatus: number): RetryClass {
  if (RETRY.has(httpStatus)) return 'retry';
  if (TOO_LARGE.has(httpStatus)) return 'too-large';
  if (UNAUTHORIZED.has(httpStatus)) return 'unauthorized';
  if (MISDIRECTED.has(httpStatus)) return 'misdirected';
  if (httpStatus >= 200 && httpStatus < 300) return 'done';
  if (httpStatus >= 300 && httpStatus < 400) return 'misdirected';
  if (httpStatus >= 400 && httpStatus < 500) return 'refused';
  return 'retry';
}

/** Longest wait that a receiver may ask for: past it, it is asked again all the same, lest one wrong header stop a stream for days. */
export const MAX_RETRY_AFTER_MS = 600_000;

/** Longest date that is looked at; the form of RFC 9110 has 29 characters. */
const MAX_DATE_LENGTH = 40;

/**
 * Reads a Retry-After field in both of its forms: seconds, and a date. Never throws.
 * @param value - the field as sent; null and undefined where it was not
 * @param nowMs - milliseconds since the epoch, which a date is held against
 * @returns milliseconds from 0 to {@link MAX_RETRY_AFTER_MS}; undefined where there is none that can be read
 * @see RFC 9110 section 10.2.3
 * @example
 * ```ts
 * console.log(retryAfterMs('120', Date.now()), retryAfterMs('soon', Date.now())); // 120000 undefined
 * ```
 */
export function retryAfterMs(value: string | null | undefined, nowMs: number): number | undefined {
  if (value === null || value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,10}$/.test(text)) return Math.min(Number(text) * 1_000, MAX_RETRY_AFTER_MS);
  // Only what begins with the name of a day: Date.parse takes "-5" and "0.5" for dates too.
  if (text.length > MAX_DATE_LENGTH || !/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  const dateMs = Date.parse(text);
  return Number.isFinite(dateMs) ? Math.min(Math.max(dateMs - nowMs, 0), MAX_RETRY_AFTER_MS) : undefined;
}

/**
 * How requests to the platform prove who sends them. A static bearer token is one ({@link bearerToken}); a client that signs
 * assertions with its private key (RFC 7523, `private_key_jwt`) and exchanges them for tokens is another behind the same port.
 */
export interface RequestAuthorization {
  /**
   * Header fields to add to a request, by lower-case name.
   * @param request - what is going to be sent
   * @param signal - the deadline of the request
   */
  readonly fields: (
    request: {
      readonly method: string;
      /** Without credentials and fragment. */
      readonly url: string;
    },
    signal: AbortSignal,
  ) => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  /**
   * The receiver refused what `fields` gave (401, 403, 407): whoever keeps a token should get another before the next request.
   * @param fields - those that were refused, where the sender knows them: by now there may be a newer token
   */
  readonly refused?: (fields?: Readonly<Record<string, string>>) => void;
}

/** Longest token that is taken: what servers take of a header section as a rule is 8 KiB in all. */
export const MAX_BEARER_TOKEN_LENGTH = 7_168;

/**
 * Authorizes every request with the same bearer token.
 * @param token - 1 to 7,168 characters of `b64token`
 * @returns the authorization
 * @throws {@link HopbackError} `invalid-argument` when it is no such token
 * @see RFC 6750 section 2.1
 * @example
 * ```ts
 * const authorization = bearerToken('c2VjcmV0');
 * console.log(typeof authorization.fields); // function
 * ```
 */
export function bearerToken(token: string): RequestAuthorization {
  // The message leaves the token out: errors are logged.
  if (token.length > MAX_BEARER_TOKEN_LENGTH || !/^[A-Za-z0-9\-._~+/]+=*$/.test(token))
    throw new HopbackError('invalid-argument', 'a bearer token has letters, digits, - . _ ~ + / and = at the end');
  const fields = { authorization: `Bearer ${token}` };
  return { fields: () => fields };
}
