/** How a client says who it is: a JWT that it signed itself. @see RFC 7523 section 2.2 */
export const CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Who calls the platform, and so what it may call:
 * - `carrier`: a voice service provider that is asked, answers and streams records
 * - `app`: a robocall-blocking application that reports calls
 * - `agency`: law enforcement and regulators, with demands and productions
 * - `staff`: people of the traceback group
 */
export type PlatformScope = 'carrier' | 'app' | 'agency' | 'staff';

/** Form fields of a request for a token, `application/x-www-form-urlencoded`. @see RFC 6749 section 4.4.2, RFC 7523 section 2.2 */
export interface TokenRequest {
  readonly grant_type: 'client_credentials';
  readonly client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  /** Compact JWS whose `iss` and `sub` are the client id, and whose `aud` is the platform's token address. */
  readonly client_assertion: string;
  /** Scopes with a space between; all of the client where absent. */
  readonly scope?: string;
}

/** A token for calls to the platform. @see RFC 6749 section 5.1 */
export interface TokenAnswer {
  readonly access_token: string;
  /** `Bearer`; compared without regard to case. RFC 6749 section 5.1 */
  readonly token_type: string;
  /** Seconds from when the answer was made. */
  readonly expires_in: number;
  /** Scopes that were granted, with a space between. */
  readonly scope?: string;
}

/** Why there is no token: not a problem document, since every OAuth library reads this one. @see RFC 6749 section 5.2 */
export interface TokenRefusal {
  /** `invalid_client`, `invalid_request`, `invalid_scope`, `unauthorized_client`, `unsupported_grant_type` or one of a later release. */
  readonly error: string;
  readonly error_description?: string;
}
