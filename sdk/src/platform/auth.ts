import { HopbackError } from '../errors.js';

/** A request that is to be authorized. */
export interface RequestToAuthorize {
  readonly method: string;
  /** Without credentials and fragment. */
  readonly url: string;
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
    request: RequestToAuthorize,
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
 * @param token - 1 to {@link MAX_BEARER_TOKEN_LENGTH} characters of `b64token`
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
